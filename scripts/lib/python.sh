# shellcheck shell=sh
# The Python helper, for what a shell cannot print well. All but init works without it.
# Needs: root

# find_python: prints the path of one that may have the helper's packages
find_python() {
    if [ -x "$root/.venv/bin/python" ]; then
        echo "$root/.venv/bin/python"
    else
        command -v python3
    fi
}

# run_helper VERB [ARGUMENT...]: fails where there is no Python, or where it lacks a package
run_helper() {
    python=$(find_python) || return 1
    PYTHONPATH=$root PGCLIENTENCODING=UTF8 exec_in_child "$python" -m helpers "$@" </dev/null
}
