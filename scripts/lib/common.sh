# shellcheck shell=sh
# Speaking, asking, settings, and ending well: what every script shares. Sourcing this file only opens the standard
# descriptors.

# A closed one would become whatever file is opened next. Messages go by way of 4: 2 is for raw errors, see begin.
(exec 4<&0) 2>/dev/null || exec </dev/null
(exec 4>&1) 2>/dev/null || exec >/dev/null
if (exec 4>&2); then
    exec 4>&2
else
    exec 2>/dev/null 4>/dev/null
fi

# use LIBRARY...: sources lib/LIBRARY.sh
use() {
    for library; do
        . "$root/scripts/lib/$library.sh"
    done
}

# --- speaking: messages go to standard error, results to standard output ---

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
    kill "$drawing" 2>/dev/null || : # it has ended already
    await "$drawing" || :            # it ends by that signal
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

# --- options ---

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

# --- asking ---

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

# --- settings: options win over the environment, that over .env, and that over the defaults ---

load_settings() {
    read_env_file "$root/.env"
    : "${TB_POSTGRES_CONTAINER:=cb-tumblebug-postgres}"
    : "${TB_POSTGRES_USER:=tumblebug}"
    : "${TB_POSTGRES_DATABASE:=tumblebug}"
    : "${TB_POSTGRES_PASSWORD:=tumblebug}"
    : "${TB_POSTGRES_ENDPOINT:=}"
    : "${ASSETS_PG_BACKEND:=auto}"
    : "${CONTAINER_CLI:=docker}"
    : "${PG_BINDIR:=}"
    : "${BACKUP_COMPRESSION:=auto}"
    : "${RESTORE_SKIP_CONFIRM:=}"
    : "${RESTORE_KEEP_PREVIOUS:=}"
    : "${RESTORE_TRUST:=}"
    : "${RESTORE_MAX_BYTES:=}"
    : "${RESTORE_JOBS:=}"
    : "${TB_ASSETS_KEY_FILE:=}"
    : "${CLEAN_SKIP_CONFIRM:=}"
    : "${INIT_OPTION:=}"
    : "${TUMBLEBUG_SERVER:=localhost:1323}"
    : "${TB_API_USERNAME:=default}"
    : "${TB_API_PASSWORD:=default}"
    : "${TMPDIR:=/tmp}"
    require_switch RESTORE_SKIP_CONFIRM "$RESTORE_SKIP_CONFIRM"
    require_switch RESTORE_KEEP_PREVIOUS "$RESTORE_KEEP_PREVIOUS"
    require_switch RESTORE_TRUST "$RESTORE_TRUST"
    require_switch CLEAN_SKIP_CONFIRM "$CLEAN_SKIP_CONFIRM"
}

# require_switch NAME VALUE: who wrote 1 or true did not mean no
require_switch() {
    case $2 in
        yes | no | '') ;;
        *) die_usage "$1 is yes or no, not '$2'" ;;
    esac
}

# Lines are data: NAME=VALUE for the names that are ours; nothing in the file is ever run.
read_env_file() {
    [ -f "$1" ] || return 0
    [ -r "$1" ] || die "'$1' cannot be read by user '$(user_name)'; nothing was changed"
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line#export }
        name=${line%%=*}
        case $line in [A-Z]*=*) ;; *) continue ;; esac
        case $name in
            *[!A-Z0-9_]*) continue ;;
            TB_* | TUMBLEBUG_SERVER | ASSETS_* | BACKUP_* | RESTORE_* | CLEAN_* | INIT_* | CONTAINER_CLI | PG_BINDIR) ;;
            *) continue ;;
        esac
        value=$(unquoted "${line#*=}")
        eval ": \"\${$name=\$value}\""
    done <"$1"
}

unquoted() { # VALUE, as written after NAME= in a .env file
    case $1 in
        \"*\") set -- "${1#\"}" && printf '%s' "${1%\"}" ;;
        \'*\') set -- "${1#\'}" && printf '%s' "${1%\'}" ;;
        *) printf '%s' "$1" | sed 's/[[:space:]]#.*//; s/[[:space:]]*$//' ;;
    esac
}

# --- ending well: whatever the ending, children end, temporary things go, and the status tells ---

# begin: settings, traps and a private work folder; a script's first act
begin() {
    program=${0##*/}
    sql=$root/scripts/sql
    load_settings
    children=
    endings=
    trap 'end_well' EXIT
    # dash and busybox run no EXIT trap on a signal. A write to a session that has died must not end us.
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap '' PIPE
    clear_dead_work
    make_work_folder
}

# make_work_folder: with room for what a run notes there, and for the raw errors of the shell and of programs that
# nobody has expected to fail; a run that they end says the last one
make_work_folder() {
    work=$(mktemp -d "$(work_prefix).$$-$(start_of $$).XXXXXX" 2>/dev/null) || no_temporary_file
    run=${work##*/tumblebug-assets.}
    has_room || no_temporary_file
    case $- in
        *x*) ;; # sh -x is traced on 2
        *) exec 2>>"$work/raw.errors" ;;
    esac
}

has_room() {
    dd if=/dev/zero of="$work/room" bs=65536 count=4 2>/dev/null && rm -f "$work/room"
}

no_temporary_file() {
    hint 'free some space there, or set TMPDIR to another directory'
    die "could not write to the temporary directory '$TMPDIR'; the database and the existing backup are unchanged"
}

# at_end FUNCTION: also run when the script ends, the latest first
at_end() {
    endings="$1 $endings"
}

end_well() {
    status=$?
    trap '' HUP INT TERM
    trap - EXIT
    [ "$status" -eq 0 ] || [ "$status" -ge 128 ] || [ -n "${explained-}" ] || explain_unexpected_end
    end_live_line
    end_children
    for ending in $endings; do
        "$ending" || :
    done
    [ -z "${work-}" ] || rm -rf "$work" || warn "could not remove '$work'; the next run will"
    exit "$status"
}

# explain_unexpected_end: of a run that no sentence has ended; sets the status
explain_unexpected_end() {
    reason=$(tail -n 1 "${work-}/raw.errors" 2>/dev/null) || reason="it ended with status $status"
    if [ -n "${finished-}" ]; then
        warn "the work is done, but $program ended early: $reason"
        status=3
    else
        say_labelled 31 error: "$program ended unexpectedly: $reason; the database and the existing backup are unchanged"
        status=1
    fi
}

# The name ends with that of the run, HOST.PROCESS-START.RANDOM: another process may get the number of a crashed one.
work_prefix() {
    printf '%s/tumblebug-assets.%s' "$TMPDIR" "$(uname -n)"
}

clear_dead_work() {
    for folder in "$(work_prefix)".*; do
        if ! { is_own_folder "$folder" && has_crashed "${folder##*/tumblebug-assets.}"; }; then
            continue
        fi
        if rm -rf "$folder" 2>/dev/null; then
            say "removed the temporary files of a crashed run: $folder"
        else
            warn "could not remove the temporary files of a crashed run: $folder"
        fi
    done
}

# is_own_folder PATH: in a shared directory, others may have put theirs there, or a link
is_own_folder() {
    # shellcheck disable=SC3067 # dash, busybox and bash know -O
    [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ]
}

# has_crashed RUN: whether it was a run of this host and its process is no more
has_crashed() (
    process=${1#"$(uname -n)".}
    case $process in
        "$1" | *.*.* | [!0-9]* | '') return 1 ;; # not of this host
    esac
    process=${process%.*}
    case $process in
        *-*) ! is_alive "${process%%-*}" || [ "$(start_of "${process%%-*}")" != "${process#*-}" ] ;;
        *) [ "$process" = $$ ] || ! is_alive "$process" ;; # an earlier version's, without the start
    esac
)

is_alive() { # PROCESS: of whatever user
    [ -d "/proc/$1" ] || kill -0 "$1" 2>/dev/null
}

# start_of PROCESS: when it started, in one word
start_of() {
    if [ -r "/proc/$1/stat" ]; then
        sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20 # clock ticks since the machine started
    else
        LC_ALL=C TZ=UTC0 ps -o lstart= -p "$1" 2>/dev/null | tr -cd '[:alnum:]'
    fi
}

# random_hex: 48 digits that nobody can guess
random_hex() {
    od -An -tx1 -N24 /dev/urandom | tr -d ' \n'
}

user_name() {
    id -un 2>/dev/null || id -u
}

# background COMMAND...: sets $child; the command ends with the script, at the latest. It gets no descriptor of the
# user's, of a session or of a pipe of others: what outlives a killed script must not keep these open.
background() {
    background_speaking "$@" 4>&-
}

# background_speaking COMMAND...: the same, for one that has something to tell the user
background_speaking() {
    {
        (
            become='exec'
            "$@"
        ) <&3 3<&- 5>&- 6<&- 7>&- 8<&- 9<&- & # by way of 3: a shell gives what it starts with & no standard input
    } 3<&0
    child=$!
    children="$children $child"
}

# await CHILD: its exit status; a signal to the script interrupts the wait at once
await() {
    awaited=0
    wait "$1" || awaited=$?
    still_running=
    for child in $children; do
        [ "$child" = "$1" ] || still_running="$still_running $child"
    done
    children=$still_running
    return "$awaited"
}

# flow PRODUCER CONSUMER: two functions, the first's output being the second's input. Sets produced and
# consumed, their exit statuses: a pipe would lose one of them. Descriptor 9 holds both ends while they start, so
# that no open has to wait for a process that may never come.
flow() {
    rm -f "$work/flow"
    mkfifo "$work/flow" || no_temporary_file
    exec 9<>"$work/flow"
    background "$1" >"$work/flow"
    producing=$child
    background "$2" <"$work/flow"
    exec 9<&-
    produced=0 consumed=0
    await "$child" || consumed=$?
    await "$producing" || produced=$?
}

end_children() {
    exec 5>&- 7>&- # the sessions' standard input: they end by themselves
    for child in $children; do
        kill "$child" 2>/dev/null || continue # it has ended already
    done
    wait
}
