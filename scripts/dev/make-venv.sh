#!/bin/sh
# make-venv.sh PYTHON EXTRA: creates .venv with the packages of an extra of pyproject.toml: setup,
# demo or test.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/scripts/lib/use.sh"

main() {
    python=$1
    extra=$2
    require_python
    say "installing Python packages into .venv (once)"
    "$python" -m venv "$root/.venv" >&4 2>&4 || {
        hint 'on Debian and Ubuntu: sudo apt install python3-venv'
        die "'$python' could not create a virtual environment"
    }
    "$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --editable "${root}[$extra]" >&4 2>&4 ||
        die 'could not install the Python packages; see above'
    touch "$root/.venv/.$extra"
}

require_python() {
    command -v "$python" >/dev/null || {
        hint 'install Python 3.10 or later, or name it: make PYTHON=python3.12 …'
        die "there is no '$python' on this machine"
    }
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
        hint 'name a newer one: make PYTHON=python3.12 …'
        die "'$python' is $("$python" --version); 3.10 or later is needed"
    }
}

main "$@"
