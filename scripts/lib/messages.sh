# shellcheck shell=sh
# Messages to the user, on standard error, and questions to the user. Results go to standard output.

# Sourcing this file opens the standard descriptors that are closed.
# A closed one would become whatever file is opened next. Messages go by way of 4: 2 is for raw errors, see begin.
(exec 4<&0) 2>/dev/null || exec </dev/null
(exec 4>&1) 2>/dev/null || exec >/dev/null
if (exec 4>&2); then
    exec 4>&2
else
    exec 2>/dev/null 4>/dev/null
fi
# --- speaking: messages go to standard error, results to standard output ---
# --- options ---
# --- asking ---
# --- settings: options win over the environment, that over .env, and that over the defaults ---
# --- ending well: whatever the ending, children end, temporary things go, and the status tells ---

say() {
    end_live_line
    tell '%s\n' "$(printable "$*")"
}

# tell FORMAT [TEXT...]: to the user; that nobody listens is no reason to fail
tell() {
    # shellcheck disable=SC2059 # the format is ours
    printf "$@" >&4 || :
}

# Whoever speaks ends the live line of the progress, if one is drawn.
end_live_line() {
    [ -n "${drawing-}" ] || return 0
    rm -f "$work/drawing"
    kill "$drawing" 2>/dev/null || : # it has ended already
    wait "$drawing" || :             # it ends by that signal
    drawing=
    clear_line
}

clear_line() {
    [ ! -t 4 ] || tell '\r\033[K'
}

warn() {
    say_labelled 33 warning: "$*"
}

# hint TEXT: what to do about the error that `die` reports next
hint() {
    hints="${hints-}$(printable "$*")
"
}

die() {
    explained=yes
    say_labelled 31 error: "$*"
    show_hints
    exit 1
}

die_usage() {
    explained=yes
    say_labelled 31 error: "$*"
    hint "$0 --help shows the usage"
    show_hints
    exit 2
}

show_hints() {
    printf '%s' "${hints-}" | while IFS= read -r text; do
        say_labelled 36 ' hint:' "$text"
    done
}

# say_labelled COLOUR LABEL TEXT: colour only on a terminal, and never with NO_COLOR
say_labelled() {
    end_live_line
    if [ -t 4 ] && [ -z "${NO_COLOR-}" ]; then
        tell '\033[%sm%s\033[0m %s\n' "$1" "$2" "$(printable "$3")"
    else
        tell '%s %s\n' "$2" "$(printable "$3")"
    fi
}

# A stranger's file or table name must not reach the terminal as an escape sequence or a second line.
printable() {
    printf '%s' "$1" | LC_ALL=C tr '\001-\037\177' '?' | without_c1
}

# in_one_line LINES: joined by commas
in_one_line() {
    printf '%s\n' "$1" | awk '{ printf("%s%s", NR > 1 ? ", " : "", $0) }'
}

printable_lines() {
    LC_ALL=C tr '\001-\011\013-\037\177' '?' | without_c1
}

# The other control characters of Unicode, U+0080 to U+009F, which some terminals obey.
without_c1() {
    LC_ALL=C sed "s/$(printf '\302')[$(printf '\200')-$(printf '\237')]/?/g"
}

# is_number TEXT: what the shell may calculate with; in anything else, $(( )) of some shells runs commands
is_number() {
    case $1 in
        '' | *[!0-9]* | 0?* | ????????????????*) return 1 ;;
    esac
}

human_size() { # BYTES
    awk -v bytes="$1" 'BEGIN {
        split("B kB MB GB TB", unit, " ")
        for (i = 1; bytes >= 1000 && i < 5; i++) bytes /= 1000
        printf(i == 1 ? "%d %s" : "%.1f %s", bytes, unit[i])
    }'
}

# show_help: and do nothing else, even where it cannot be shown
show_help() {
    usage 2>/dev/null || exit 1
    exit 0
}

# parse_no_options ARGUMENT...: for a script that takes none but --help
parse_no_options() {
    [ $# -gt 0 ] || return 0
    case $1 in
        -h | --help) show_help ;;
        -?*) die_usage "unknown option: $1" ;;
        *) die_usage "unexpected argument: $1" ;;
    esac
}

# confirm SKIP QUESTION SKIP_NAME: returns when the answer is yes, ends the script when it is not
confirm() {
    [ "$1" != yes ] || return 0
    if ! [ -t 0 ]; then
        hint "to run without a terminal, set $3=yes"
        die "there is no terminal to confirm on; nothing was changed"
    fi
    tell '%s Type yes to continue: ' "$(printable "$2")"
    read -r answer || answer=
    [ "$answer" = yes ] || die 'declined; nothing was changed'
}
