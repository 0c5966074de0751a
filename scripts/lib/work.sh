# shellcheck shell=sh
# The run's private directory, $work, and those of crashed runs of this host.
# Needs: work
# Sets: room_advice run_name work

work=
: "${TMPDIR:=/tmp}"

# make_work_directory: with room for a run's notes, and for the raw errors of the shell and of
# programs; a run that they end reports the last one. Sets work and run_name
make_work_directory() {
    write_errors_to /dev/null
    work=$(mktemp -d "$(work_prefix).$$-$(start_of $$).XXXXXX" 2>/dev/null) ||
        fail_temporary_directory
    run_name=${work##*/tumblebug-assets.}
    # made now, because the disk may be full when end_children needs it
    { mkfifo "$work/children" 2>/dev/null && has_space; } || fail_temporary_directory
    write_errors_to "$work/raw.errors" || fail_temporary_directory
}

# write_errors_to FILE: those of the shell and of programs, unless sh -x traces there
write_errors_to() {
    case $- in *x*) ;; *) { true >>"$1"; } 2>/dev/null && exec 2>>"$1" ;; esac
}

# require_space: ends the script where the temporary directory is full. The programs of busybox
# report no error when they cannot write
require_space() {
    has_space || fail_temporary_directory
}

has_space() {
    dd if=/dev/zero of="$work/room" bs=65536 count=4 2>/dev/null && rm "$work/room"
}

room_advice='free some space there, or set TMPDIR to another directory'

fail_temporary_directory() {
    if probe=$(mktemp "$TMPDIR/tumblebug-assets.XXXXXX" 2>&1); then
        rm -f "$probe"
        hint "$room_advice"
        die "could not write to the temporary directory '$TMPDIR'"
    fi
    hint 'set TMPDIR to a directory in which you may create files'
    die "could not write to the temporary directory '$TMPDIR': ${probe##*: }"
}

# work_prefix: the directory's name goes on with the run's, HOST.PROCESS-START.RANDOM, because a
# crashed run's process number may be in use again
work_prefix() {
    printf '%s/tumblebug-assets.%s' "$TMPDIR" "$(uname -n)"
}

remove_crashed_work() {
    for directory in "$(work_prefix)".*; do
        if is_own_directory "$directory" && has_crashed "${directory##*/tumblebug-assets.}"; then
            remove_work "$directory"
        fi
    done
}

remove_work() { # DIRECTORY of a crashed run
    if rm -rf "$1" 2>/dev/null; then
        say "removed the temporary files of a crashed run: $1"
    else
        warn "could not remove the temporary files of a crashed run: $1"
    fi
}

# is_own_directory PATH: in a shared directory, others may have put theirs there, or a link
is_own_directory() {
    # shellcheck disable=SC3067 # dash, busybox and bash know -O
    [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ]
}

# has_crashed RUN_NAME: was it a run of this host, and has its process ended?
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

# is_alive PROCESS: of whatever user
is_alive() {
    [ -d "/proc/$1" ] || kill -0 "$1" 2>/dev/null || ps -p "$1" >/dev/null 2>&1
}

# start_of PROCESS: when it started, in one word
start_of() {
    if [ -r "/proc/$1/stat" ]; then
        sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20 # clock ticks since boot
    else
        LC_ALL=C TZ=UTC0 ps -o lstart= -p "$1" 2>/dev/null | tr -cd '[:alnum:]'
    fi
}
