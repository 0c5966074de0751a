#!/bin/sh
# verified-call.sh KIND MARK BYTES SHA256 PROGRAM [ARGUMENT...]: runs a program for a client whose
# streams may break at any moment and then look as if they were complete. KIND is what standard
# input holds:
#
#   whole    the program's input, of BYTES bytes, with the hash SHA256. Nothing follows until the
#            program has ended: if standard input ends earlier, the connection is lost
#   stream   the program's input, of unknown size
#   session  blocks of the program's input, each after a line 'BYTES SHA256'
#
# A program never gets a part of an input or of a block, which could mean something else than the
# whole. If the connection is lost, a client program of PostgreSQL is ended, and a session ends
# after its statement. On standard error, 'MARK begun' is the first line, and 'MARK STATUS SHA256
# SHA256' the last one, with the hashes of the program's output and of a stream; then the run
# closes standard input.
#
# PostgreSQL's server often is process 1 of its container, which gets the orphans. It takes an
# orphan that was ended by a signal for one of its own processes that has crashed, and restarts. So
# this shell waits for all its children, and sends a signal to none that may have some.
main() {
    [ $# -gt 4 ] || exit 74
    kind=$1 mark=$2 bytes=$3 hash=$4
    shift 4
    echo "$mark begun" >&2
    exec 3<&0
    trap 'wait; rm -rf "$directory"' EXIT
    directory=$(mktemp -d "${TMPDIR:-/tmp}/tumblebug-assets.call.$$.XXXXXX") || end 74
    mkfifo "$directory/in" "$directory/out" "$directory/copy" || end 74
    "${kind}_input" "$@"
}

whole_input() {
    input=$(take "$bytes" && echo .)
    input=${input%.}
    [ "$(printf %s "$input" | sha256_here)" = "$hash" ] || exit 74
    pass_output
    printf %s "$input" | "$@" >&4 3<&- 4>&- &
    program=$!
    exec 4>&-
    end_if_lost "$1" &
    watching=$!
    wait "$program"
    status=$?
    kill "$watching" 2>/dev/null
    end "$status"
}

# stream_input: what remains of the input is read too, because kubectl waits for that
stream_input() {
    pass_output
    mkfifo "$directory/input-copy"
    sha256_here <"$directory/input-copy" >"$directory/input-hash" 4>&- &
    hashing_input=$!
    tee "$directory/input-copy" <&3 >"$directory/in" 4>&- &
    "$@" <"$directory/in" >&4 3<&- 4>&-
    status=$?
    exec 4>&-
    [ "$status" -ne 0 ] || wait "$hashing_input"
    print_end "$status"
    cat <&3 >/dev/null
    exit 0
}

session_input() {
    "$@" <"$directory/in" 3<&- &
    program=$!
    pass_blocks >"$directory/in" &
    wait "$program"
    end $?
}

# pass_blocks: the pipe is open now, at both ends, and needs no name any more
pass_blocks() {
    rm -rf "$directory"
    while read -r bytes hash; do
        block=$(take "$bytes" && echo .)
        block=${block%.}
        [ "$(printf %s "$block" | sha256_here)" = "$hash" ] || break
        printf %s "$block"
    done <&3
}

# take BYTES: exactly so many of standard input; a shell's read and head may take more
take() {
    [ "$1" -eq 0 ] || dd bs="$1" count=1 iflag=fullblock <&3 2>/dev/null
}

# end_if_lost PROGRAM: a shell has children, and is left to end; the others are client programs. The
# signal is repeated: bash may lose one that comes before it has executed the program
end_if_lost() {
    while read -r _; do :; done <&3
    [ "$1" = sh ] || while kill "$program" 2>/dev/null; do :; done
}

# pass_output: copies descriptor 4 to standard output and to the program that computes its hash.
# This shell keeps the pipe open: if the program were ended before it opened its output, the readers
# would wait forever
pass_output() {
    sha256_here <"$directory/copy" >"$directory/hash" &
    hashing=$!
    tee "$directory/copy" <"$directory/out" 3<&- &
    exec 4>"$directory/out"
}

sha256_here() {
    { sha256sum 2>/dev/null || shasum -a 256; } | cut -d ' ' -f 1
}

# end STATUS: of the program, or 74 where it could not be started
end() {
    print_end "$1"
    exit 0
}

# print_end STATUS: nobody may be there any more to read it
print_end() {
    trap '' PIPE
    [ -z "$hashing" ] || wait "$hashing"
    set -- "$1" "$(cat "$directory/hash" 2>/dev/null)" "$(cat "$directory/input-hash" 2>/dev/null)"
    echo "$mark $1 $2 $3" >&2
}

hashing=
main "$@"
