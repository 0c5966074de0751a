# shellcheck shell=sh
# A run from its beginning to its end: child processes, pipes, exit status.
# Needs: explained failure_text is_child json json_failed on_private_server prompt_open room_advice
#   started_at status unchanged work
# Sets: child explained failure_text finished incomplete is_child muted program reader_status
#   started_at status unchanged writer_status

begun=
endings=
finished=
in_doubt=
incomplete=
started_at=0

# begin: a script's first act, after its options: settings, traps and a private directory. From then
# on, results go to 3: no child has the user's standard output open, which would keep a reader of it
# waiting after the script was killed. Sets program
begin() {
    exec 3>&1 >/dev/null
    program=${0##*/}
    trap end_run EXIT
    end_on_signals
    trap '' PIPE # a write to a dead session must not end the run
    load_settings
    require_standard_programs
    started_at=$(date +%s)
    remove_crashed_work
    make_work_directory
    begun=yes
}

# end_on_signals: dash and busybox run no EXIT trap on a signal
end_on_signals() {
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 131' QUIT
    trap 'exit 143' TERM
}

# at_end FUNCTION: run when the script ends, with its exit status; the latest first
at_end() {
    endings="$1 $endings"
}

# end_run: whatever the reason, children end and temporary files go
end_run() {
    status=$? muted=
    trap '' HUP INT QUIT TERM
    trap - EXIT
    end_live_line
    if [ "$status" -ne 0 ] && [ -z "$explained" ]; then
        explain_end
    fi
    [ "$status" -eq 0 ] || [ "$status" -ge 128 ] || explain_full_disk
    end_children || :
    for ending in $endings; do
        "$ending" "$status" || :
    done
    [ "$status" -eq 0 ] || tell_warnings
    [ -z "$json" ] || end_with_json
    [ -z "$work" ] || rm -rf "$work" || warn "could not remove '$work'; the next run will"
    exit "$status"
}

# end_with_json: Sets status
end_with_json() {
    print_json "$status" >&3
    if [ -n "$json_failed" ] && [ "$status" -eq 0 ]; then
        status=1
        tell_labelled 31 error: 'could not write the result'
    fi
}

# explain_end: where no message has said why the run ends. Sets status
explain_end() {
    if [ -n "$prompt_open" ]; then
        tell '\n'
    else
        clear_line # the terminal has printed ^C
    fi
    if [ "$status" -lt 128 ]; then
        explain_unexpected_end
    elif [ -z "${on_private_server-}" ]; then # the run that started this one says so
        tell_warnings
        say_always "interrupted${finished:+; $finished}${in_doubt:-$unchanged}"
    fi
}

# explain_full_disk: what fails for lack of space seldom says so
explain_full_disk() {
    [ -z "$begun" ] || has_space ||
        tell_labelled 36 ' hint:' "the temporary directory '$TMPDIR' is full; $room_advice"
}

# explain_unexpected_end: Sets status and failure_text
explain_unexpected_end() {
    last_error=$(tail -n 1 "$work/raw.errors" 2>/dev/null | without_position) || :
    last_error=${last_error:-it ended with status $status}
    if [ -n "$finished" ]; then
        status=3
        failure_text="$finished, but $program then failed: $last_error"
        warn "$failure_text"
    else
        status=1
        failure_text="$program ended unexpectedly: $last_error$unchanged"
        tell_labelled 31 error: "$failure_text"
    fi
}

# finish SENTENCE: what was asked for is done; a later error does not undo it. Sets finished and
# unchanged
finish() {
    finished=$1
    in_doubt='' unchanged=
}

# begin_commit [CLAUSE]: until finish or fail_commit, a signal may come before or after the step
# that changes everything; its message then ends with CLAUSE. The default is about the database
begin_commit() {
    in_doubt="; ${1:-the database is complete: the old content or the new}"
}

# fail_commit FILE: that step has failed. If the server has said so in FILE, nothing has changed;
# otherwise nobody knows, because the connection was lost. Sets unchanged
fail_commit() {
    grep -q 'ERROR: \|FATAL: ' "$1" || unchanged=$in_doubt
    in_doubt=
}

# duration: of the run, or since the user's last answer
duration() {
    echo "$(($(date +%s) - started_at)) s"
}

# end_incomplete: done, but not all that was asked for, and a warning has said so
end_incomplete() {
    explained=yes
    tell_warnings
    tell_hints
    exit 3
}

# --- child processes ---

is_child=

# background COMMAND...: starts it, to end with the script at the latest. Sets child
background() {
    start_child /dev/null "$@" 4>&-
}

# background_from FILE COMMAND...: the same, with this standard input. Sets child
background_from() {
    start_child "$@" 4>&-
}

# background_with_messages COMMAND...: the same, for one that writes to the user. Sets child
background_with_messages() {
    start_child /dev/null "$@"
}

# start_child FILE COMMAND...: it gets no descriptor of the user's, of a session or of another pipe:
# a child that outlives a killed script must not keep these open. Nor does it start once the run is
# ending.
start_child() {
    input=$1
    shift
    (
        [ ! -e "$work/ending" ] || exit 1
        # shellcheck disable=SC2030,SC2031 # only in the child
        is_child=yes
        "$@"
    ) <"$input" 3>&- 5>&- 6<&- 7>&- 8<&- 9<&- &
    child=$!
}

# exec_in_child PROGRAM...: in a child it replaces the shell, so that a signal reaches the program.
# Where something follows it in the child, is_child is empty
exec_in_child() {
    # shellcheck disable=SC2031 # the child has its own
    [ -z "$is_child" ] || exec "$@"
    "$@"
}

# end_children: a closed standard input ends the sessions, a signal the rest. A child that is only
# just being started may miss the signal, and sees the file. The shell's list of children goes
# through a pipe, because a full disk must not prevent this.
end_children() {
    [ -n "$work" ] || return 0
    true >"$work/ending" || :
    exec 5>&- 7>&- 9<&-
    [ ! -p "$work/children" ] || kill_children 9<>"$work/children"
    wait
}

kill_children() {
    { jobs -p && echo end; } >&9
    while read -r process <&9 && [ "$process" != end ]; do
        kill "$process" 2>/dev/null || continue # it has ended already
    done
}

# pipe WRITER READER: two functions, connected, both in the background; a pipeline of the shell
# would lose one status. Descriptor 9 holds both ends open while they start: no open has to wait for
# a process that may never come. Sets writer_status and reader_status
pipe() {
    rm -f "$work/pipe"
    mkfifo "$work/pipe" || fail_temporary_directory
    exec 9<>"$work/pipe"
    child=
    background "$1" >"$work/pipe"
    [ -n "$child" ] || fail_temporary_directory # the pipe could not be opened
    writer=$child
    background_from "$work/pipe" "$2"
    exec 9<&-
    writer_status=0 reader_status=0
    wait "$child" || reader_status=$?
    wait "$writer" || writer_status=$?
}
