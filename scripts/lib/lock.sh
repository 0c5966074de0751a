# shellcheck shell=sh
# The lock: one run per database at a time.
# Needs: lock_backend run_name server sql work
# Sets: compared database_key has_lock is_standby is_superuser kept_copy lock_backend previous
#   replaced restricted_role server_release server_version staging superuser_options

has_lock=
superuser_options=

# open_lock: opens the session that can take the lock. Sets what it then knows of the server, and
# the names of the run's databases and role there
open_lock() {
    open_session lock postgres
    identity=$(ask lock <"$sql/lock/identify.sql") ||
        fail_with "$work/lock.errors" "could not use $server"
    IFS='|' read -r server_version server_release database_key lock_backend is_superuser \
        is_standby message_language <<EOF
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
    require_english_messages
    set_session_options
    require_own_session
}

# require_english_messages: ends the script where the server reports errors in another language,
# which this user may not change: the scripts would not understand them
require_english_messages() {
    case $message_language in '' | C | C.* | POSIX | [Ee]n*) return 0 ;; esac
    hint "let a superuser run: ALTER ROLE \"$TB_POSTGRES_USER\" SET lc_messages = 'C'"
    die "$server sends messages in another language (lc_messages = '$message_language');" \
        'these scripts need English'
}

# set_session_options: event triggers could write rows when somebody logs in; only a superuser can
# turn them off, and choose the language of messages. Sets superuser_options
set_session_options() {
    superuser_options=' -c lc_messages=C'
    [ "$server_version" -lt 170000 ] || {
        set_options transaction_timeout=0
        superuser_options="$superuser_options -c event_triggers=off"
    }
    [ "$is_superuser" = f ] || PGOPTIONS=$PGOPTIONS$superuser_options
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

# require_lock: ends the script where another run has the lock, from whatever host. The lock ends
# with the run. From then on, the names of the sessions have the key, by which the next run finds
# those of a crashed one. Sets has_lock
require_lock() {
    for lock_attempt in 1 2 3 4 5 6 7 8; do
        ! take_lock || break
        # without an answer, the other run has just ended
        [ -z "$lock_answer" ] || [ "$lock_attempt" -lt 5 ] || refuse_second_run
    done
    [ "$lock_answer" = locked ] || {
        hint 'run this again'
        die "could not lock database '$TB_POSTGRES_DATABASE': another run has only just ended"
    }
    has_lock=yes
    PGAPPNAME=$(session_name "$database_key")
}

refuse_second_run() {
    hint 'wait until it has ended, then run this again'
    die "another run is using database '$TB_POSTGRES_DATABASE': $lock_answer"
}

# release_lock: fails where the lock's session has ended. Sets has_lock
release_lock() {
    ask lock <"$sql/lock/unlock.sql" >/dev/null && has_lock=
}

# take_lock: Sets lock_answer: `locked`, or who has it
take_lock() {
    lock_answer=$(ask lock <"$sql/lock/lock.sql") ||
        fail_with "$work/lock.errors" 'could not take the lock'
    [ "$lock_answer" = locked ]
}
