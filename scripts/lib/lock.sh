# shellcheck shell=sh
# The lock: one run per database at a time. Whoever holds it removes what crashed runs left on the server.

# open_lock: the session that can take the lock; sets what later steps need to know
open_lock() {
    open_session lock postgres
    facts=$(ask lock <"$sql/lock/identify.sql") || fail_with "$work/lock.errors" "cannot use $server"
    IFS='|' read -r server_version server_release key lock_holder is_superuser <<EOF
$facts
EOF
    require_number 'its version' "$server_version"
    require_number 'its process' "$lock_holder"
    case $key in
        *[!0-9a-f]* | '') unexpected_answer 'the database key' "$key" ;;
    esac
    staging=assets_staging_$key
    former=assets_former_$key
    previous=assets_previous_$key
    loader=assets_loader_$key
    far_prefix=tumblebug-assets.$key
    name_sessions
    require_own_session
    set_far_prefix | ask lock || fail_with "$work/lock.errors" "cannot use $server"
}

# require_own_session: ends the script where a connection pooler ignores our settings, or gives our session's lock to
# others: it has then another process of the server than the one that took the lock
require_own_session() {
    session=$(ask lock <"$sql/lock/session.sql") ||
        fail_with "$work/lock.errors" 'could not query the server' '; the database is unchanged'
    case $session in
        "$run_mark|$lock_holder") ;;
        "$run_mark|"*) behind_pooler 'changes the server process behind a session' ;;
        *) behind_pooler 'ignores session settings' ;;
    esac
}

# set_far_prefix: the psql command for it: what \! removes on this host must not be the server's choice
set_far_prefix() {
    printf '\\setenv FAR_PREFIX %s\n' "$far_prefix"
}

# lock_database: one run per database at a time, from any host; the lock goes when the run goes
lock_database() {
    open_lock
    for attempt in 1 2 3 4 5; do
        take_lock && break
    done
    if [ "$holder" != locked ]; then
        hint 'wait until it has ended, then run this again'
        die "database '$TB_POSTGRES_DATABASE' is in use by another run: $holder"
    fi
    at_end abandon_run
}

# take_lock: sets $holder: locked, or who has it
take_lock() {
    holder=$(ask lock <"$sql/lock/lock.sql") || fail_with "$work/lock.errors" 'the lock cannot be taken'
    [ "$holder" = locked ]
}

# The key in the name tells later runs whose sessions these were. What the database's own event triggers write when
# somebody logs in would not be in the backup; only a superuser can create them, and turn them off.
name_sessions() {
    PGAPPNAME="$program $key $(user_name)@$(uname -n) $$"
    [ "$server_version" -lt 170000 ] || PGOPTIONS="$PGOPTIONS -c transaction_timeout=0"
    [ "$server_version" -lt 170000 ] || [ "$is_superuser" = f ] || PGOPTIONS="$PGOPTIONS$no_event_triggers"
}
no_event_triggers=' -c event_triggers=off'

# mend_leftovers: clears what a run that died has left on the server, next to it, and among the backups
mend_leftovers() {
    mend_backups "$root/assets"
    mend_backups "$root/backups/postgres"
    ask lock <"$sql/lock/mend.sql" >"$work/mended" || fail_with "$work/lock.errors" 'what a dead run left cannot be cleared'
    stays=$(sed -n 's/^stays //p' "$work/mended")
    cleared=$(sed '/^stays /d' "$work/mended")
    if [ -n "$stays" ]; then
        warn "what a run that died had left stays: $(in_one_line "$stays"): $(first_error "$work/lock.errors")"
    elif [ -n "$cleared" ]; then
        say "cleared what a run that died had left: $(in_one_line "$cleared")"
    fi
}

# make_far_folder: this run's own folder next to the server: others can put theirs beside it, but not into it
make_far_folder() {
    far_folder=$(ask lock <"$sql/lock/make-folder.sql") ||
        fail_with "$work/lock.errors" 'could not query the server' '; the database is unchanged'
    [ -n "$far_folder" ] ||
        fail_with "$work/lock.errors" 'could not create a temporary directory on the server' '; the database is unchanged'
    case ${far_folder##*/} in
        "$far_prefix".[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9]) ;;
        *) unexpected_answer 'a temporary directory' "$far_folder" ;;
    esac
    { psql_set far_folder "$far_folder" && echo '\setenv FAR_FOLDER :far_folder'; } | ask lock ||
        fail_with "$work/lock.errors" 'could not query the server' '; the database is unchanged'
}

# abandon_run: what a run that fails does at its end is what the next run would do for it
abandon_run() {
    [ "$status" -ne 0 ] || return 0
    # The lock may take a moment: the session that had it has only just been ended.
    if ! { set_far_prefix && cat "$sql/lock/identify.sql" "$sql/lock/lock.sql" "$sql/lock/lock.sql" "$sql/lock/lock.sql" "$sql/lock/mend.sql"; } |
        sql postgres -v live="$TB_POSTGRES_DATABASE" >"$work/mended" 2>"$work/sql.errors" || grep -q '^stays ' "$work/mended"; then
        warn "the server could not be tidied; the next run will do it: $(first_error "$work/sql.errors")"
    fi
}
