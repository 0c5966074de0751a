# shellcheck shell=sh
# Questions that are asked without the lock, and what may have changed meanwhile.
# Needs: work

# confirm_same SETTING QUESTION SHOWN COMMAND...: asks as confirm_unlocked does. If it has asked,
# COMMAND must still print SHOWN, which the question was about
confirm_same() {
    ! is_confirmed "$1" || return 0
    confirm_unlocked "$1" "$2"
    what_was_shown=$3
    shift 3
    require_same "$what_was_shown" "$("$@")"
}

# confirm_unlocked SETTING QUESTION: asks as confirm does, without the lock: so an open
# question blocks no other run. The caller then checks again what the question was about
confirm_unlocked() {
    ! is_confirmed "$1" || return 0
    leave_server
    confirm "$@"
    require_lock
}

# require_same SHOWN NOW: ends the script if what the user agreed to is no longer what would happen
require_same() {
    [ "$1" = "$2" ] || {
        printf '%s\n' "$1" | tr -s ' ' >"$work/shown"
        printf '%s\n' "$2" | tr -s ' ' >"$work/shown.now"
        hint_lines 'the question said:' "$(lines_not_in "$work/shown" "$work/shown.now")"
        hint_lines 'it would now say:' "$(lines_not_in "$work/shown.now" "$work/shown")"
        hint 'run this again'
        die 'the database or the backup has changed while the question was open'
    }
}

hint_lines() { # LABEL LINES
    [ -z "$2" ] || hint "$1 $(in_one_line "$2")"
}
