# shellcheck shell=sh
# The standard programs that every script needs on this machine.
# Needs: unchanged
# Sets: explained failure_text

# require_standard_programs: POSIX has them all except mktemp, but a wrong PATH may hide some. The
# message needs none of them
require_standard_programs() {
    for needed in awk cat cmp cp cut date dd df dirname find grep head id ln ls mkdir mkfifo \
        mktemp mv od rm rmdir sed sort tail tee touch tr uname wc; do
        command -v "$needed" >/dev/null || fail_without_program "$needed"
    done
}

fail_without_program() { # NAME
    explained=yes
    failure_text="there is no '$1' on this machine$unchanged"
    tell 'error: %s\n hint: %s\n' "$failure_text" 'install it, or add its directory to PATH'
    exit 1
}
