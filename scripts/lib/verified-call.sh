# shellcheck shell=sh
# Running a program in a pod, or in a container of another engine than this machine's own. kubectl
# exec and docker exec take a broken stream for a complete one: they exit with 0 if the connection
# is closed in good order. So remote/verified-call.sh runs the program there; its last line says how
# the program ended, and both sides compare hashes of what they sent.
# Needs: call input_kind is_child server work
# Sets: call verified

verified= # set by a backend whose programs run by run_verified

# run_verified TRANSPORT PROGRAM [ARGUMENT...]: TRANSPORT is a function that runs a command there,
# in place of the shell. Nothing follows in a child, which handles signals itself
run_verified() {
    # shellcheck disable=SC2031 # the child has its own
    if [ -n "$is_child" ]; then
        run_call "$@"
    else
        (run_call "$@")
    fi
}

# run_call TRANSPORT PROGRAM [ARGUMENT...]: ends the process with the program's exit status, or with
# 74 if the connection was lost. Descriptor 8 is its standard input; 9 holds a pipe open as long as
# it lives
run_call() {
    transport=$1
    shift
    call_children=
    call=$(mktemp -d "$work/call.XXXXXX") || exit 74
    trap 'end_call 143' HUP INT QUIT TERM
    mkfifo "$call/in" "$call/out" "$call/copy" "$call/sent" "$call/errors" "$call/open" \
        "$call/begun" || end_call 74
    [ "$input_kind" != whole ] || cat >"$call/input"
    call_code=$(code_of_call "$@")
    exec 3>&- 4>&- 8<&0 9<>"$call/open"
    in_call feed_call && feeding=$!
    in_call read_call_errors && reading=$!
    in_call pass_call_output && passing=$!
    in_call hash_stream copy && hashing_output=$!
    in_call hash_stream sent && hashing_input=$!
    in_call start_call && call_process=$!
    in_call end_without_answer && waiting=$!
    wait_for_call
    judge_call
    end_call "$call_status"
}

# in_call FUNCTION...: in the background. It opens its pipes itself: where the redirection belongs
# to the call of a function, some shells keep what it replaces open. Sets call_children
in_call() {
    "$@" &
    call_children="$call_children $!"
}

# start_call: replaces the shell of a child
start_call() {
    exec <"$call/in" >"$call/out" 2>"$call/errors" 8<&- 9>&-
    # shellcheck disable=SC2016 # expands there
    "$transport" sh -c 'eval "$(dd bs="$1" count=1 iflag=fullblock 2>/dev/null)"' sh \
        "$(printf %s "$call_code" | count_bytes)"
}

end_call() { # STATUS
    trap '' HUP INT QUIT TERM
    # shellcheck disable=SC2086 # process numbers
    [ -z "$call_children" ] || kill $call_children 2>/dev/null || : # some have ended
    rm -rf "$call"
    exit "$1"
}

# --- what goes there ---

# feed_call: for the standard input of kubectl or docker, whose end tells that the run has ended
feed_call() {
    exec >"$call/in" 2>/dev/null 9>&-
    printf '%s' "$call_code"
    case $input_kind in
        whole) cat "$call/input" && read -r _ <"$call/open" ;;
        stream) exec tee "$call/sent" <&8 ;;
        session) exec cat <&8 ;;
    esac
}

# --- what comes back ---

# hash_stream NAME: of a pipe that tee fills
hash_stream() {
    exec 8<&- 9>&-
    case $input_kind-$1 in
        session-* | whole-sent) ;;
        *) sha256 <"$call/$1" >"$call/$1.hash" ;;
    esac
}

pass_call_output() {
    exec <"$call/out" 8<&- 9>&-
    case $input_kind in
        session) exec cat ;;
        *) exec tee "$call/copy" ;;
    esac
}

# read_call_errors: passes those of the program on, and keeps those of the transport. After the
# program's end, no more input is needed
read_call_errors() (
    mark=$(end_mark)
    exec <"$call/errors" 7>"$call/begun" 8<&- 9>&-
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
            "$mark begun") exec 7>&- ;;
            *"$mark "*)
                [ "$line" = "$mark ${line#*"$mark "}" ] || printf '%s\n' "${line%%"$mark "*}" >&2
                printf '%s\n' "${line#*"$mark "}" >"$call/end"
                kill "$feeding" 2>/dev/null || : # it has ended
                ;;
            *)
                if is_of_transport "$line"; then
                    printf '%s\n' "$line" >>"$call/transport.errors"
                else
                    printf '%s\n' "$line" >&2
                fi
                ;;
        esac
    done
)

# is_of_transport LINE: is it an error of kubectl, docker or podman?
is_of_transport() {
    case $1 in
        [EIW][01][0-9][0-3][0-9]\ * | error:* | 'Error from server'* | 'Unable to connect'* | \
            'The connection to the server '* | Warning:* | 'command terminated '*) ;;
        'read tcp '* | 'write tcp '* | 'unexpected EOF' | 'error during connect: '* | Error:* | \
            'Error response from daemon: '* | 'Cannot connect to the Docker daemon'*) ;;
        *) return 1 ;;
    esac
}

# end_without_answer: a server that hangs must not hang the run
end_without_answer() {
    exec 8<&- 9>&-
    ! in_time cat <"$call/begun" 2>/dev/null || return 0
    echo 'error: no answer within 30 s' >>"$call/transport.errors"
    kill "$call_process"
}

# wait_for_call: Sets feed_status and output_status
wait_for_call() {
    feed_status=0 output_status=0
    wait "$call_process" || : # its last line tells
    wait "$waiting" || :
    kill "$feeding" 2>/dev/null || : # it has ended
    wait "$feeding" || feed_status=$?
    wait "$reading" || :
    wait "$passing" || output_status=$?
    wait "$hashing_output" "$hashing_input" || :
    call_children=
}

# judge_call: Sets call_status
judge_call() {
    call_status='' call_hash='' call_input_hash=''
    if [ -s "$call/end" ]; then
        IFS=' ' read -r call_status call_hash call_input_hash <"$call/end"
    elif [ "$input_kind-$feed_status" = session-0 ]; then
        call_status=0 # this run has ended it
    fi
    case $call_status in
        0) is_call_complete || explain_lost_call ;;
        *[!0-9]* | '') explain_lost_call ;;
    esac
}

is_call_complete() {
    [ "$output_status" -eq 0 ] || return 1
    case $input_kind in
        session) ;;
        stream)
            [ "$call_hash $call_input_hash" = \
                "$(cat "$call/copy.hash") $(cat "$call/sent.hash")" ]
            ;;
        whole) [ "$call_hash" = "$(cat "$call/copy.hash")" ] ;;
    esac
}

# explain_lost_call: Sets call_status
explain_lost_call() {
    call_status=74
    touch "$call/transport.errors"
    reason=$(transport_reason "$call/transport.errors")
    case $(cat "$call/transport.errors") in
        *'Error from server'* | *'unable to upgrade'* | *'Unable to connect'* | \
            *'The connection to the server '*) ;;
        *) reason="lost the connection to $server${reason:+ ($reason)}" ;;
    esac
    echo "error: $reason" >&2
}

# transport_reason FILE: the error of kubectl or docker there, or else what kubectl has logged
transport_reason() {
    {
        sed -n -e 's/^error: unable to upgrade connection: //p' -e 's/^error: //p' \
            -e 's/^Error from server ([A-Za-z]*): //p' -e 's/^Error: //p' \
            -e 's/^error during connect: //p' -e 's/^Error response from daemon: //p' \
            -e '/^read tcp /p' -e '/^write tcp /p' -e '/^unexpected EOF/p' \
            -e '/^Cannot connect to /p' -e '/^Unable to connect/p' \
            -e '/^The connection to the server /p' "$1"
        sed -n 's/^E[0-9].* err="\(.*\)"$/\1/p' "$1"
    } | head -n 1
}
