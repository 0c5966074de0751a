# shellcheck shell=sh
# A time limit for programs that may hang.

# in_time COMMAND...: ends it after 30 s, so that an engine or a hook that hangs does not hang the
# run: with timeout by TERM, and KILL 5 s later; with perl, as on macOS, by ALRM. Without either,
# there is no limit
in_time() {
    if command -v timeout >/dev/null; then
        set -- timeout -k 5 30 "$@"
    elif command -v perl >/dev/null; then
        set -- perl -e 'alarm 30; exec @ARGV or exit 127' -- "$@"
    fi
    called_at=$(date +%s)
    "$@" || {
        timed_status=$?
        if [ "$timed_status" -eq 124 ] || [ "$(($(date +%s) - called_at))" -ge 30 ]; then
            echo 'no answer within 30 s' >&2
        fi
        return "$timed_status"
    }
}
