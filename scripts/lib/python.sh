# shellcheck shell=sh
# The Python helper, which prints what a shell prints less well. Every script works without it.

# find_python: sets $python to one that could have the helper's packages; the helper itself says if it has not
find_python() {
    python=$root/.venv/bin/python
    [ -x "$python" ] || python=$(command -v python3)
}

# ask_helper VERB ARGUMENT...: the helper, on a connection of its own to the same server
ask_helper() {
    verb=$1
    shift
    PYTHONPATH=$root PGCLIENTENCODING=UTF8 ${become-} "$python" -m helpers "$verb" --server-key "$key" --live "$TB_POSTGRES_DATABASE" "$@" </dev/null
}
