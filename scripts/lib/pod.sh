# shellcheck shell=sh
# Running a program in a pod by kubectl exec, which takes a broken stream for a complete one: it
# exits with 0 if the connection is closed in good order. So remote/in-pod.sh runs the program
# there; its last line says how the program ended, and both sides compare hashes of what they sent.
# Needs: call input_kind server work
# Sets: call

# run_in_pod PROGRAM [ARGUMENT...]: ends the process with the program's exit status, or with 74 if
# the connection was lost. Descriptor 8 is its standard input; 9 holds a pipe open as long as it
# lives
run_in_pod() {
    call_children=
    call=$(mktemp -d "$work/call.XXXXXX") || exit 74
    trap 'end_call 143' HUP INT TERM
    mkfifo "$call/in" "$call/out" "$call/copy" "$call/sent" "$call/errors" "$call/open" \
        "$call/begun" || end_call 74
    [ "$input_kind" != whole ] || cat >"$call/input"
    pod_code=$(code_for_pod "$@")
    exec 3>&- 4>&- 8<&0 9<>"$call/open"
    in_call feed_pod && feeding=$!
    in_call read_pod_errors && reading=$!
    in_call pass_pod_output && passing=$!
    in_call hash_stream copy && hashing_output=$!
    in_call hash_stream sent && hashing_input=$!
    in_call call_kubectl && pod_process=$!
    in_call end_without_answer && waiting=$!
    wait_for_call
    judge_call
    end_call "$pod_status"
}

# in_call FUNCTION...: in the background. It opens its pipes itself: where the redirection belongs
# to the call of a function, some shells keep what it replaces open. Sets call_children
in_call() {
    "$@" &
    call_children="$call_children $!"
}

# call_kubectl: replaces the shell of a child
call_kubectl() {
    exec <"$call/in" >"$call/out" 2>"$call/errors" 8<&- 9>&-
    # shellcheck disable=SC2016 # expands in the pod
    exec kubectl --context "$TB_K8S_CONTEXT" --namespace "$TB_K8S_NAMESPACE" \
        --request-timeout 30s exec -i "$TB_POSTGRES_POD" --container "$TB_K8S_CONTAINER" -- \
        sh -c 'eval "$(dd bs="$1" count=1 iflag=fullblock 2>/dev/null)"' sh \
        "$(printf %s "$pod_code" | count_bytes)"
}

end_call() { # STATUS
    trap '' HUP INT TERM
    # shellcheck disable=SC2086 # process numbers
    [ -z "$call_children" ] || kill $call_children 2>/dev/null || : # some have ended
    rm -rf "$call"
    exit "$1"
}

# --- what goes to the pod ---

# feed_pod: for kubectl's standard input, whose end tells the pod that the run has ended
feed_pod() {
    exec >"$call/in" 2>/dev/null 9>&-
    printf '%s' "$pod_code"
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

pass_pod_output() {
    exec <"$call/out" 8<&- 9>&-
    case $input_kind in
        session) exec cat ;;
        *) exec tee "$call/copy" ;;
    esac
}

# read_pod_errors: passes those of the program on, and keeps those of kubectl. After the program's
# end, no more input is needed
read_pod_errors() (
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
            [EIW][01][0-9][0-3][0-9]\ * | error:* | 'Error from server'* | 'Unable to connect'* | \
                'The connection to the server '* | Warning:* | 'command terminated '*)
                printf '%s\n' "$line" >>"$call/kubectl.errors"
                ;;
            *) printf '%s\n' "$line" >&2 ;;
        esac
    done
)

# end_without_answer: an API server that hangs must not hang the run
end_without_answer() {
    exec 8<&- 9>&-
    limit=
    ! command -v timeout >/dev/null || limit='timeout 30'
    # shellcheck disable=SC2086 # two words, or none
    ! $limit cat <"$call/begun" || return 0
    echo 'error: no answer within 30 s' >>"$call/kubectl.errors"
    kill "$pod_process"
}

# wait_for_call: Sets feed_status and output_status
wait_for_call() {
    feed_status=0 output_status=0
    wait "$pod_process" || : # the pod's last line tells
    wait "$waiting" || :
    kill "$feeding" 2>/dev/null || : # it has ended
    wait "$feeding" || feed_status=$?
    wait "$reading" || :
    wait "$passing" || output_status=$?
    wait "$hashing_output" "$hashing_input" || :
    call_children=
}

# judge_call: Sets pod_status
judge_call() {
    pod_status='' pod_hash='' pod_input_hash=''
    if [ -s "$call/end" ]; then
        IFS=' ' read -r pod_status pod_hash pod_input_hash <"$call/end"
    elif [ "$input_kind-$feed_status" = session-0 ]; then
        pod_status=0 # this run has ended it
    fi
    case $pod_status in
        0) is_call_complete || explain_lost_call ;;
        *[!0-9]* | '') explain_lost_call ;;
    esac
}

is_call_complete() {
    [ "$output_status" -eq 0 ] || return 1
    case $input_kind in
        session) ;;
        stream)
            [ "$pod_hash $pod_input_hash" = \
                "$(cat "$call/copy.hash") $(cat "$call/sent.hash")" ]
            ;;
        whole) [ "$pod_hash" = "$(cat "$call/copy.hash")" ] ;;
    esac
}

# explain_lost_call: Sets pod_status
explain_lost_call() {
    pod_status=74
    touch "$call/kubectl.errors"
    reason=$(kubectl_reason "$call/kubectl.errors")
    case $(cat "$call/kubectl.errors") in
        *'Error from server'* | *'unable to upgrade'* | *'Unable to connect'* | \
            *'The connection to the server '*) ;;
        *) reason="lost the connection to $server${reason:+ ($reason)}" ;;
    esac
    echo "error: $reason" >&2
}

# kubectl_reason FILE: the error of kubectl there, or else what it has logged
kubectl_reason() {
    {
        sed -n -e 's/^error: unable to upgrade connection: //p' -e 's/^error: //p' \
            -e 's/^Error from server ([A-Za-z]*): //p' \
            -e 's/^\(Unable to connect\|The connection to the server \)/\1/p' "$1"
        sed -n 's/^E[0-9].* err="\(.*\)"$/\1/p' "$1"
    } | head -n 1
}
