# shellcheck shell=sh
# A run from its beginning to its end: its private directory, child processes, pipes and exit status.

# begin: settings, traps and a private work folder; a script's first act
begin() {
    program=${0##*/}
    unchanged='; the database and the existing backup are unchanged' # until a script is about to change them
    sql=$root/scripts/sql
    load_settings
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

# end_incomplete: done, but for a part that a warning has named
end_incomplete() {
    explained=yes
    exit 3
}

# explain_unexpected_end: of a run that no sentence has ended; sets the status
explain_unexpected_end() {
    reason=$(tail -n 1 "${work-}/raw.errors" 2>/dev/null) || reason="it ended with status $status"
    if [ -n "${finished-}" ]; then
        warn "the work is complete, but $program then failed: $reason"
        status=3
    else
        say_labelled 31 error: "$program ended unexpectedly: $reason${unchanged-}"
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

# background COMMAND...: sets $child; the command ends with the script, at the latest. It gets no descriptor of the
# user's, of a session or of a pipe of others: what outlives a killed script must not keep these open.
background() {
    background_speaking "$@" 4>&-
}

# background_speaking COMMAND...: the same, for one that has something to tell the user
background_speaking() {
    {
        (
            [ ! -e "$work/ending" ] || exit 1
            become='exec'
            "$@"
        ) <&3 3<&- 5>&- 6<&- 7>&- 8<&- 9<&- & # by way of 3: a shell gives what it starts with & no standard input
    } 3<&0
    child=$!
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
    wait "$child" || consumed=$?
    wait "$producing" || produced=$?
}

# end_children: also one that was being started when the signal came, which may miss its own signal
end_children() {
    [ -n "${work-}" ] || return 0
    : >"$work/ending"
    exec 5>&- 7>&- 9<&- # the sessions' standard input: they end by themselves
    jobs -p >"$work/children"
    while read -r child; do
        kill "$child" 2>/dev/null || continue # it has ended already
    done <"$work/children"
    wait
}

# random_hex: 48 digits that nobody can guess
random_hex() {
    od -An -tx1 -N24 /dev/urandom | tr -d ' \n'
}

user_name() {
    id -un 2>/dev/null || id -u
}
