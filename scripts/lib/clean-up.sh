# shellcheck shell=sh
# The holder of the lock cleans up on the server: first what crashed runs left, at the end what this
# run created.
# Needs: addresses child database_key has_lock run_name sql staging work
# Sets: server_tmp

# lock_database: ends the script where another run has the lock
lock_database() {
    open_lock
    has_server_tmp=
    at_end clean_up_failed_run
    require_lock
}

# leave_server: nothing of this run remains there, and others may run
leave_server() {
    [ -z "$has_server_tmp" ] || remove_server_tmp || warn_of_temporary_data "$work/server.errors"
    has_server_tmp=
    release_lock || fail_with "$work/lock.errors" 'could not release the lock'
}

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
    while read -r fact fact_value; do
        case $fact in
            tmp-free | data-free | pg_dump | pg_restore)
                [ -z "$fact_value" ] || require_number "'$fact'" "$fact_value"
                ;;
        esac
    done <"$work/prepared"
}

# server_tmp_name: the run's own choice, because the run removes it with rm -rf
server_tmp_name() {
    echo "$(server_tmp_prefix).${run_name##*.}"
}

# server_tmp_prefix: of runs on this database; with the backend direct, of those through the same
# address: the directory is here, and a standby or a copy of the server has the same key, but
# another lock
server_tmp_prefix() {
    if [ "$ASSETS_PG_BACKEND" = direct ]; then
        printf 'tumblebug-assets.%s.' "$database_key"
        printf '%s' "$addresses" | LC_ALL=C tr -c '[:alnum:]' _
    else
        printf 'tumblebug-assets.%s' "$database_key"
    fi
}

run_prepare() {
    run_remote prepare "$(server_tmp_prefix)" "$@" </dev/null \
        >"$work/prepared" 2>"$work/server.errors" || return 1
    report_clean_up "$work/prepared" ''
}

# server_fact NAME: one of those that remote/prepare.sh prints; empty if it is unknown there
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
    if grep -qx "failed $staging" "$work/cleaned" && roll_back_prepared; then
        grep '^removed ' "$work/cleaned" >"$work/cleaned.first" || :
        "$1"
        cat "$work/cleaned.first" >>"$work/cleaned"
    fi
}

run_clean_up() {
    clean_up_statements | ask lock >"$work/cleaned" ||
        fail_with "$work/lock.errors" 'could not clean up after a crashed run'
}

# clean_up_statements: a failed drop must neither end the session nor prevent the other drops
clean_up_statements() {
    print_sql lock/may-end lock/end-crashed-sessions
    echo '\set ON_ERROR_STOP off'
    print_sql lock/may-end lock/drop-databases lock/report-crashed-run
    echo '\set ON_ERROR_STOP on'
}

roll_back_prepared() {
    sql "$staging" <"$sql/lock/roll-back-prepared.sql" 2>"$work/sql.errors"
}

report_clean_up() { # FILE REASON
    removed=$(sed -n 's/^removed //p' "$1" | sort)
    [ -z "$removed" ] || say "removed what a crashed run left: $(in_one_line "$removed")"
    not_removed=$(sed -n 's/^failed //p' "$1")
    [ -z "$not_removed" ] ||
        warn "could not remove what a crashed run left: $(in_one_line "$not_removed")${2:+: $2}"
}

# clean_up_failed_run STATUS: at the end of one, what the next run would do for it
clean_up_failed_run() {
    { [ "$1" -ne 0 ] && [ -n "$has_lock" ]; } || return 0
    [ -z "$has_server_tmp" ] || remove_server_tmp || warn_of_temporary_data "$work/server.errors"
    clean_up_by run_clean_up_alone
    if grep -q '^failed ' "$work/cleaned" || ! grep -qx locked "$work/cleaned"; then
        warn_of_temporary_data "$work/sql.errors"
    fi
}

# run_clean_up_alone: in a session of its own; the lock may take a moment, because the session that
# had it has only just been ended
run_clean_up_alone() {
    {
        print_sql lock/identify lock/lock lock/lock lock/lock
        clean_up_statements
    } |
        sql postgres -v live="$TB_POSTGRES_DATABASE" >"$work/cleaned" 2>"$work/sql.errors" ||
        warn_of_temporary_data "$work/sql.errors"
}

warn_of_temporary_data() { # FILE with errors; once for each reason
    removal_reason=$(first_error "$1")
    [ "$removal_reason" != "${warned_reason-none}" ] || return 0
    warned_reason=$removal_reason
    warn 'could not remove temporary data from the server;' \
        "the next run will retry${removal_reason:+: $removal_reason}"
}

remove_server_tmp() {
    run_remote remove "$(server_tmp_name)" </dev/null 2>"$work/server.errors"
}

# begin_removing_server_tmp: removes it in the background, until finish_removing_server_tmp
begin_removing_server_tmp() {
    background remove_server_tmp
    removal=$child
}

# finish_removing_server_tmp: a second try, because a connection to a pod may be lost
finish_removing_server_tmp() {
    wait "$removal" || remove_server_tmp ||
        warn 'could not remove a temporary directory on the server; the next run will:' \
            "$(first_error "$work/server.errors")"
    has_server_tmp=
}
