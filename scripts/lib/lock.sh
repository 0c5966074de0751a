# shellcheck shell=sh
# The lock: one run per database at a time. Its holder removes what crashed runs left on the server.
# Needs: child lock_backend program run_name server sql work
# Sets: compared database_key is_standby is_superuser kept_copy lock_backend no_event_triggers
#   previous replaced restricted_role server_release server_tmp server_version staging

no_event_triggers='-c event_triggers=off'

# open_lock: opens the session that can take the lock. Sets what it then knows of the server, and
# the names of the run's databases and role there
open_lock() {
    open_session lock postgres
    identity=$(ask lock <"$sql/lock/identify.sql") ||
        fail_with "$work/lock.errors" "could not use $server"
    IFS='|' read -r server_version server_release database_key lock_backend is_superuser \
        is_standby <<EOF
$identity
EOF
    require_number 'its version' "$server_version"
    require_number 'its process' "$lock_backend"
    case $database_key in
        *[!0-9a-f]* | '') fail_unexpected 'the database key' "$database_key" ;;
    esac
    staging=assets_staging_$database_key
    replaced=assets_replaced_$database_key
    compared=assets_compared_$database_key
    previous=assets_previous_$database_key
    kept_copy=assets_copy_$database_key
    restricted_role=assets_restricted_$database_key
    set_session_options
    require_own_session
}

# set_session_options: the key in the name tells later runs whose sessions these were. Event
# triggers could write rows when somebody logs in; only a superuser can turn them off
set_session_options() {
    PGAPPNAME="$program $database_key $(user_name)@$(uname -n) $$"
    [ "$server_version" -ge 170000 ] || return 0
    set_options transaction_timeout=0
    [ "$is_superuser" = f ] || PGOPTIONS="$PGOPTIONS $no_event_triggers"
}

# require_own_session: ends the script where a connection pooler ignores our settings, or gives our
# session's lock to others: the session then has another server process than the one with the lock
require_own_session() {
    session_facts=$(ask lock <"$sql/lock/session.sql") ||
        fail_with "$work/lock.errors" 'could not query the server'
    case $session_facts in
        "${run_name##*.}|$lock_backend") ;;
        "${run_name##*.}|"*) fail_behind_pooler 'changes the server process behind a session' ;;
        *) fail_behind_pooler 'ignores session settings' ;;
    esac
}

# lock_database: ends the script where another run has the lock, from whatever host. The lock ends
# with the run.
lock_database() {
    open_lock
    has_lock=
    has_server_tmp=
    at_end clean_up_failed_run
    require_lock
}

require_lock() {
    for lock_attempt in 1 2 3 4 5 6 7 8; do
        take_lock && break
        # five attempts; more if the other run has just ended
        [ "$lock_attempt" -lt 5 ] || [ -z "$lock_answer" ] || break
    done
    if [ "$lock_answer" != locked ]; then
        hint 'run this again; if it fails again, wait until the other run has ended'
        die "another run is using database '$TB_POSTGRES_DATABASE':" \
            "${lock_answer:-it has just ended}"
    fi
    has_lock=yes
}

# leave_server: nothing of this run remains there, and others may run
leave_server() {
    [ -z "$has_server_tmp" ] || remove_server_tmp || warn_of_rest "$work/server.errors"
    has_server_tmp=
    release_lock || fail_with "$work/lock.errors" 'could not release the lock'
}

# release_lock: fails where the lock's session has ended
release_lock() {
    ask lock <"$sql/lock/unlock.sql" >/dev/null && has_lock=
}

# take_lock: Sets lock_answer: `locked`, or who has it
take_lock() {
    lock_answer=$(ask lock <"$sql/lock/lock.sql") ||
        fail_with "$work/lock.errors" 'could not take the lock'
    [ "$lock_answer" = locked ]
}

# --- what crashed runs left ---

# clean_up_server: removes what crashed runs left on the server
clean_up_server() {
    clean_up_databases
    run_prepare || fail_with "$work/server.errors" 'could not clean up after a crashed run'
}

# prepare_server DATA_DIRECTORY: cleans up, then makes this run's temporary directory on the server,
# and learns what only it knows: see server_fact. Sets server_tmp
prepare_server() {
    clean_up_databases
    has_server_tmp=yes
    run_prepare "$(server_tmp_name)" "$1" ||
        fail_with "$work/server.errors" 'could not create a temporary directory on the server'
    server_tmp=$(server_fact tmp)
    case $server_tmp in
        */"$(server_tmp_name)") ;;
        *) fail_unexpected 'a temporary directory' "$server_tmp" ;;
    esac
}

# server_tmp_name: the run's own choice, because the run removes it with rm -rf
server_tmp_name() {
    echo "tumblebug-assets.$database_key.${run_name##*.}"
}

run_prepare() {
    run_remote prepare "tumblebug-assets.$database_key" "$@" </dev/null \
        >"$work/prepared" 2>"$work/server.errors" || return 1
    report_clean_up "$work/prepared" ''
}

# server_fact NAME: one of those that remote/prepare.sh prints
server_fact() {
    sed -n "/^$1 /{s///p;q;}" "$work/prepared"
}

# clean_up_databases: the temporary ones, their sessions and the role
clean_up_databases() {
    clean_up_by run_clean_up
    report_clean_up "$work/cleaned" "$(first_error "$work/lock.errors")"
}

# clean_up_by FUNCTION: twice if a prepared transaction prevents the drop of the staging database
clean_up_by() {
    "$1"
    if grep -qx "kept $staging" "$work/cleaned" && roll_back_prepared; then
        grep '^removed ' "$work/cleaned" >"$work/cleaned.first" || :
        "$1"
        cat "$work/cleaned.first" >>"$work/cleaned"
    fi
}

run_clean_up() {
    clean_up_statements | ask lock >"$work/cleaned" ||
        fail_with "$work/lock.errors" 'could not clean up after a crashed run'
}

clean_up_statements() {
    cat "$sql/lock/find-rest.sql" "$sql/lock/drop-databases.sql" "$sql/lock/report-rest.sql"
}

roll_back_prepared() {
    sql "$staging" <"$sql/lock/roll-back-prepared.sql" 2>"$work/sql.errors"
}

report_clean_up() { # FILE REASON
    removed=$(sed -n 's/^removed //p' "$1" | sort)
    [ -z "$removed" ] || say "removed what a crashed run left: $(in_one_line "$removed")"
    kept=$(sed -n 's/^kept //p' "$1")
    [ -z "$kept" ] ||
        warn "could not remove what a crashed run left: $(in_one_line "$kept")${2:+: $2}"
}

# clean_up_failed_run STATUS: at the end of one, what the next run would do for it
clean_up_failed_run() {
    { [ "$1" -ne 0 ] && [ -n "$has_lock" ]; } || return 0
    [ -z "$has_server_tmp" ] || remove_server_tmp || warn_of_rest "$work/server.errors"
    clean_up_by run_clean_up_alone
    if grep -q '^kept ' "$work/cleaned" || ! grep -qx locked "$work/cleaned"; then
        warn_of_rest "$work/sql.errors"
    fi
}

# run_clean_up_alone: in a session of its own; the lock may take a moment, because the session that
# had it has only just been ended
run_clean_up_alone() {
    {
        cat "$sql/lock/identify.sql" "$sql/lock/lock.sql" "$sql/lock/lock.sql" "$sql/lock/lock.sql"
        clean_up_statements
    } |
        sql postgres -v live="$TB_POSTGRES_DATABASE" >"$work/cleaned" 2>"$work/sql.errors" ||
        warn_of_rest "$work/sql.errors"
}

warn_of_rest() { # FILE with errors; once for each reason
    rest_reason=$(first_error "$1")
    [ "$rest_reason" != "${rest_warned-none}" ] || return 0
    rest_warned=$rest_reason
    warn 'could not remove temporary data from the server;' \
        "the next run will retry${rest_reason:+: $rest_reason}"
}

remove_server_tmp() {
    run_remote remove "$(server_tmp_name)" </dev/null 2>"$work/server.errors"
}

# begin_removal: removes it in the background, until finish_removal
begin_removal() {
    background remove_server_tmp
    removal=$child
}

# finish_removal: a second try, because a connection to a pod may be lost
finish_removal() {
    wait "$removal" || remove_server_tmp ||
        warn 'could not remove a temporary directory on the server; the next run will:' \
            "$(first_error "$work/server.errors")"
    has_server_tmp=
}
