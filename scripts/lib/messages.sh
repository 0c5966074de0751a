# shellcheck shell=sh
# Messages to the user, on standard error, and questions. Results go to standard output.
# Needs: failure_text live_line muted quiet unchanged work
# Sets: explained failure_text live_line muted prompt_open quiet reply started_at unchanged

# Sourcing this file opens the standard descriptors that are closed: the next file opened would
# become one of them. Output stays impossible: a lost result is an error. Messages go to 4, because
# 2 takes raw errors once a run has begun.
(exec 4<&0) 2>/dev/null || exec </dev/null
(exec 4>&1) 2>/dev/null || exec 1</dev/null
if (exec 4>&2); then
    exec 4>&2
else
    exec 2>/dev/null 4>/dev/null
fi

explained='' failure_text='' hints='' live_line=''
muted='' prompt_open='' quiet='' unchanged=''

# --- messages ---

# say TEXT...: one line, unless --quiet was given
say() {
    [ -n "$quiet$muted" ] || say_always "$@"
}

say_always() {
    tell '%s\n' "$(printable "$*")"
}

# say_done TEXT...: the last line of a run that did what was asked, unless --quiet was given
say_done() {
    [ -n "$quiet" ] || tell '%s\n' "$(paint 32 "$(printable "$*")")"
}

# warn TEXT...: at once, or with --quiet where tell_warnings is called
warn() {
    [ -z "$muted" ] || return 0
    if [ -n "$quiet" ] && [ -n "$work" ]; then
        printf '%s\n' "$(printable "$*")" >>"$work/warnings" && return
    fi
    alert "$@"
}

# alert TEXT...: a warning that --quiet does not hold back, because it would go unnoticed
alert() {
    [ -n "$muted" ] || tell_labelled 33 warning: "$*"
}

# without_messages COMMAND...: runs it without its messages and warnings; errors are still reported
without_messages() {
    muted=yes
    "$@"
    muted=
}

# warn_with TEXT LINES: a warning and its details, each on a line of its own
warn_with() {
    [ -z "$muted" ] || return 0
    warn "$1"
    printf '%s\n' "$2" | sed 's/^/  /' >"$work/details"
    if [ -n "$quiet" ]; then
        cat "$work/details" >>"$work/warnings"
    else
        tell_warning_lines <"$work/details"
    fi
}

# tell_warnings: prints the warnings that --quiet has held back
tell_warnings() {
    [ -n "$work" ] && [ -s "$work/warnings" ] || return 0
    tell_warning_lines <"$work/warnings"
    rm -f "$work/warnings"
}

tell_warning_lines() {
    while IFS= read -r text; do
        case $text in
            ' '*) say_always "$text" ;; # a detail of the warning above it
            *) alert "$text" ;;
        esac
    done
}

# hint TEXT...: what to do about the error that `die` reports next
hint() {
    hints="$hints$(printable "$*")
"
}

hint_permission() { # PATH
    hint "to see its owner and mode: ls -ld $(quoted "$1")"
    hint 'run this as its owner, or change the mode'
}

# forget_hints: they were about a step that has succeeded
forget_hints() {
    hints=
}

# die TEXT...: ends the script with 1: it failed. Adds what is unchanged, which the script notes in
# unchanged, such as '; the database is unchanged'
die() {
    fail 1 "$*$unchanged"
}

# die_usage TEXT...: ends the script with 2: the command line or a setting is wrong
die_usage() {
    hint "run '$0 --help' to see the usage"
    fail 2 "$*"
}

# fail STATUS TEXT: ends the script. Sets muted, and failure_text: the text and the hints, in lines
fail() {
    explained=yes muted=
    failure_text="$2
$hints"
    tell_warnings
    tell_labelled 31 error: "$2"
    tell_hints
    exit "$1"
}

tell_hints() {
    printf '%s' "$hints" | while IFS= read -r text; do
        tell_labelled 36 ' hint:' "$text"
    done
}

# tell FORMAT [TEXT...]: prints to the user as it is; a closed standard error does not end the run
tell() {
    end_live_line
    # shellcheck disable=SC2059 # the format is ours
    printf "$@" >&4 || :
}

tell_labelled() { # COLOUR LABEL TEXT
    tell '%s %s\n' "$(paint "$1" "$2")" "$(printable "$3")"
}

# paint COLOUR TEXT: prints the text, in that colour where messages have colour
paint() {
    if has_colour 4; then
        printf '\033[%sm%s\033[0m' "$1" "$2"
    else
        printf '%s' "$2"
    fi
}

# has_colour DESCRIPTOR: only a terminal that knows more than plain text has, unless NO_COLOR is set
has_colour() {
    is_screen "$1" && [ -z "${NO_COLOR-}" ]
}

# is_screen DESCRIPTOR: a terminal on which a line can be redrawn
is_screen() {
    [ -t "$1" ] && [ "${TERM:-dumb}" != dumb ]
}

# end_live_line: any message ends the progress line, if a process draws one. Sets live_line
end_live_line() {
    [ -n "$live_line" ] || return 0
    rm -f "$work/live-line"
    kill "$live_line" 2>/dev/null || : # it has ended already
    wait "$live_line" || :             # with the status of that signal
    live_line=
    clear_line
}

clear_line() {
    ! is_screen 4 || printf '\r\033[K' >&4
}

# --- questions ---

# confirm SETTING QUESTION: returns if that setting is yes or the answer is yes; otherwise ends the
# script
confirm() {
    ! is_confirmed "$1" || return 0
    if ! [ -t 0 ]; then
        hint "to run without a terminal, set $1=yes"
        die 'cannot ask for confirmation without a terminal'
    fi
    ask_user "$(printable "$2") Type yes to continue: " || reply=
    is_yes || cancel
    started_at=$(date +%s)
}

is_confirmed() { # SETTING
    eval "[ \"\$$1\" = yes ]"
}

# ask_user QUESTION: fails at the end of input. Sets reply
ask_user() {
    tell_warnings
    tell '%s' "$1"
    prompt_open=yes
    read -r reply || {
        prompt_open=
        tell '\n'
        return 1
    }
    prompt_open=
}

# is_yes: is that the user's reply?
is_yes() {
    case $reply in [Yy] | [Yy][Ee][Ss]) ;; *) return 1 ;; esac
}

# cancel: ends the script with 1, because the user wants it
cancel() {
    explained=yes
    failure_text="cancelled$unchanged"
    say_always "$failure_text"
    exit 1
}
