# shellcheck shell=sh
# The standard programs that every script needs on this machine: a wrong PATH may hide some.
# Needs: json program unchanged
# Sets: explained failure_text json

# require_programs_for_settings: those that read .env come first, because it names the hook that
# reports a failure
require_programs_for_settings() {
    require_each awk cut env grep head od sed sort tr
}

require_standard_programs() {
    require_each cat cmp cp date dd df dirname find id ln ls mkdir mkfifo mktemp mv paste rm rmdir \
        sync tail tee touch uname wc
    command -v sha256sum >/dev/null || require_each shasum
}

require_each() { # NAME...
    for needed; do
        command -v "$needed" >/dev/null || fail_without_program "$needed"
    done
}

# fail_without_program NAME: ends the script, using only what the shell has built in. Sets json
fail_without_program() {
    explained=yes
    what_is_missing="there is no '$1' on this machine$unchanged"
    how_to_add='install it, or add its directory to PATH'
    failure_text="$what_is_missing
$how_to_add"
    tell 'error: %s\n hint: %s\n' "$what_is_missing" "$how_to_add"
    [ -z "$json" ] || printf '{"schema": 1, "command": "%s", "exit_code": 1, "error": %s}\n' \
        "${program%.sh}" "{\"message\": \"$what_is_missing\", \"hints\": [\"$how_to_add\"]}" >&3
    json=
    exit 1
}
