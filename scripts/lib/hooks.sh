# shellcheck shell=sh
# The user's commands that run after a backup, with its outcome in their environment.
# Needs: failure_text started_at target work
# Sets: status

# run_hook STATUS: BACKUP_ON_SUCCESS after 0, also if nothing changed, BACKUP_ON_FAILURE after any
# other end, even before the settings are read. If it fails, a success ends with 3. Sets status
run_hook() {
    case $1 in
        0) hook=BACKUP_ON_SUCCESS command=${BACKUP_ON_SUCCESS-} ;;
        *) hook=BACKUP_ON_FAILURE command=${BACKUP_ON_FAILURE-} ;;
    esac
    [ -n "$command" ] || return 0
    export_outcome "$1"
    hook_status=0 hook_errors=/dev/null
    [ -z "$work" ] || hook_errors=$work/hook.errors
    (
        trap - HUP INT QUIT TERM PIPE
        unset PGUSER PGPASSWORD PGDATABASE PGAPPNAME PGCONNECT_TIMEOUT PGCLIENTENCODING PGOPTIONS
        run_hook_command 3>&- 5>&- 6<&- 7>&- 8<&- 9<&-
    ) </dev/null >&4 2>"$hook_errors" || hook_status=$?
    [ "$hook_status" -ne 0 ] || return 0
    hook_error=$(tail -n 1 "$hook_errors")
    hook_error="$hook failed: ${hook_error:-exit code $hook_status}"
    if [ "$1" -eq 0 ]; then
        warn "$hook_error; the backup itself is complete"
        status=3
    else
        warn "$hook_error"
    fi
}

# run_hook_command: with a time limit. When it expires, the whole process group is killed, where
# there is setsid: busybox's timeout ends only its own child. $work is empty if the run ended before
# it had a private directory
run_hook_command() {
    group=
    if [ -n "$work" ] && command -v setsid >/dev/null; then
        group=$work/hook.group
    fi
    # shellcheck disable=SC2016 # expands in that shell
    in_time ${group:+setsid} sh -c 'echo $$ >"$2"; exec sh -c "$1" 2>&4' sh "$command" \
        "${group:-/dev/null}" || {
        ended_with=$?
        case $ended_with in
            124 | 137 | 142 | 143) # by timeout, or by KILL, ALRM or TERM
                [ -z "$group" ] || kill -9 "-$(cat "$group")" 2>/dev/null || :
                ;;
        esac
        return "$ended_with"
    }
}

# export_outcome STATUS: for the hook
export_outcome() {
    BACKUP_STATUS=$1
    case $target in
        /*) BACKUP_FILE=$target ;;
        */*) BACKUP_FILE=$PWD/${target#./} ;;
        *) BACKUP_FILE='' ;; # a name, for which the path was not chosen yet
    esac
    BACKUP_SECONDS=0
    [ "$started_at" -eq 0 ] || BACKUP_SECONDS=$(($(date +%s) - started_at))
    BACKUP_BYTES=0
    [ ! -f "$target" ] || BACKUP_BYTES=$(size_of "$target")
    BACKUP_ERROR=$(error_of_run "$1")
    export BACKUP_STATUS BACKUP_FILE BACKUP_SECONDS BACKUP_BYTES BACKUP_ERROR
}

# error_of_run STATUS: its error message; empty if there is none
error_of_run() {
    if [ "$1" -ge 128 ]; then
        echo "ended by signal $(($1 - 128))"
    elif [ "$1" -ne 0 ]; then
        printf '%s\n' "$failure_text" | head -n 1
    fi
}
