#!/bin/sh
# lint.sh: shellcheck, shfmt, dash -n, ruff, and the checks of structure and words.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/scripts/lib/use.sh"

main() {
    [ $# -eq 0 ] || fail 2 "$0 takes no arguments"
    cd "$root"
    require_tools
    for script in scripts/*.sh scripts/dev/*.sh scripts/remote/*.sh $(libraries); do
        dash -n "$script"
    done
    shell_scripts | xargs shellcheck
    shell_scripts | xargs shfmt -d -i 4 -ci
    .venv/bin/python scripts/dev/check_shell.py
    .venv/bin/python scripts/dev/check_words.py
    .venv/bin/ruff check --quiet .
    .venv/bin/ruff format --check --quiet .
    say 'lint: clean'
}

require_tools() {
    for tool in shellcheck shfmt dash; do
        command -v "$tool" >/dev/null || {
            hint 'on Debian and Ubuntu: sudo apt install shellcheck shfmt dash'
            die "there is no '$tool' on this machine"
        }
    done
}

libraries() {
    find scripts/lib -name '*.sh'
}

# The libraries, and whatever starts with a shell's name: the tests and CI have scripts of their
# own.
shell_scripts() {
    libraries
    git ls-files --cached --others --exclude-standard -- scripts tests .ci |
        xargs grep -lsE '^#!.*[ /](ba)?sh$'
}

main "$@"
