#!/bin/sh
# make-venv.sh PYTHON EXTRA: creates .venv with the packages of an extra of pyproject.toml: setup,
# demo or test.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/scripts/lib/use.sh"
use publish

main() {
    python=$1 extra=$2
    trap end_run EXIT
    end_on_signals
    make_work_directory
    require_python
    require_writable_directory "$root"
    [ ! -d "$root/.venv" ] || require_writable_directory "$root/.venv"
    say "installing Python packages into .venv (once)"
    with_log "$python" -m venv "$root/.venv" || {
        show_log
        hint 'on Debian and Ubuntu: sudo apt install python3-venv'
        die "'$python' could not create a virtual environment"
    }
    with_log "$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --editable "${root}[$extra]" || {
        show_log
        die 'could not install the Python packages; see above'
    }
    touch "$root/.venv/.$extra"
}

require_python() {
    command -v "$python" >/dev/null || {
        hint 'install Python 3.10 or later, or name it: make PYTHON=python3.12 …'
        die "there is no '$python' on this machine"
    }
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
        hint 'name a newer one: make PYTHON=python3.12 …'
        die "'$python' is $("$python" --version 2>&1 | head -n 1); 3.10 or later is needed"
    }
}

# with_log COMMAND...: its output, such as a traceback after Ctrl-C, goes to a file, and its
# temporary files to $work, which is removed
with_log() {
    TMPDIR=$work "$@" >"$work/log" 2>&1
}

show_log() {
    cat "$work/log" >&4
}

main "$@"
