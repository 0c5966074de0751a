# shellcheck shell=sh
# The Python helper, for what a shell cannot print well. All but init works without it.
# Needs: root

# find_python: prints the path of one that may have the helper's packages; not that of a wrapper,
# such as pyenv's, which prints errors when a signal ends it
find_python() {
    if [ -x "$root/.venv/bin/python" ]; then
        echo "$root/.venv/bin/python"
    else
        python3 -c 'import sys; print(sys.executable)' 2>/dev/null
    fi
}

# run_helper VERB [ARGUMENT...]: fails where there is no Python, or where it lacks a package
run_helper() {
    python=$(find_python) || return 1
    PYTHONPATH=$root PGCLIENTENCODING=UTF8 exec_in_child "$python" -m helpers "$@" </dev/null
}
