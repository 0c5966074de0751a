# shellcheck shell=sh
# The live database and the temporary ones: staging, which a restore fills, and former, which it has replaced.

# database_exists: whether the live database is there; sets its encoding and size, and talks to it accordingly
database_exists() {
    facts=$(ask lock <"$sql/restore/live-database.sql") || fail_with "$work/lock.errors" 'the catalog cannot be read'
    IFS='|' read -r encoding database_bytes <<EOF
$facts
EOF
    choose_client_encoding "$encoding"
    [ -n "$facts" ] && require_number 'the size of the database' "$database_bytes"
}

# choose_client_encoding ENCODING: UTF-8 (see pin_client_environment), but bytes without an encoding as they are
choose_client_encoding() {
    [ "$1" != SQL_ASCII ] || PGCLIENTENCODING=SQL_ASCII
}

require_database() {
    database_exists || {
        hint 'set TB_POSTGRES_DATABASE to a database of the server'
        die "there is no database '$TB_POSTGRES_DATABASE' on $server"
    }
}

# create_staging ENCODING: an empty database that is like the live one; where there is none, of that encoding, if any
create_staging() {
    [ -n "$encoding" ] || choose_client_encoding "$1"
    { psql_set encoding "$1" && cat "$sql/restore/create-staging.sql"; } | ask lock >/dev/null ||
        fail_with "$work/lock.errors" 'no staging database can be made; nothing was changed'
}

# adopt_settings: gives staging what the live database carries beside its content
adopt_settings() {
    ask lock <"$sql/restore/adopt-settings.sql" >/dev/null ||
        fail_with "$work/lock.errors" "the database's settings cannot be copied; nothing was changed"
}

# require_replaceable HINT: ends the script where something in the live database would hold the swap up, with all
# clients waiting, or would vanish with the replaced database
require_replaceable() {
    ask lock <"$sql/restore/obstacles.sql" >"$work/obstacles" || fail_with "$work/lock.errors" 'the catalog cannot be read'
    obstacle=$(sed -n '1s/ .*//p' "$work/obstacles")
    case $obstacle in
        '') return 0 ;;
        prepared)
            obstacles='prepared transactions'
            hint "list them with 'SELECT * FROM pg_prepared_xacts', then end each with COMMIT PREPARED or ROLLBACK PREPARED"
            ;;
        slot)
            obstacles='replication slots'
            hint "list them with 'SELECT * FROM pg_replication_slots', and drop those not needed with pg_drop_replication_slot"
            ;;
        subscription)
            obstacles=subscriptions
            hint 'drop them with DROP SUBSCRIPTION'
            ;;
    esac
    [ -z "$1" ] || hint "$1"
    die "database '$TB_POSTGRES_DATABASE' has $obstacles and cannot be replaced:" \
        "$(in_one_line "$(sed -n "s/^$obstacle //p" "$work/obstacles")"); the database is unchanged"
}

# rename_databases RENAMES: all of these FROM:TO (live, staging, former, previous) in one transaction
rename_databases() {
    require_own_session
    for attempt in 1 2 3; do
        require_replaceable '' # something may have come meanwhile
        background try_renames "$1" </dev/null
        ask lock <"$sql/restore/end-sessions.sql" >/dev/null || fail_with "$work/lock.errors" 'sessions cannot be ended'
        if wait "$child"; then
            return 0
        fi
    done
    fail_with "$work/swap.errors" "the swap failed in $attempt tries, and database '$TB_POSTGRES_DATABASE' is as it was"
}

try_renames() {
    sql postgres -v live="$TB_POSTGRES_DATABASE" -v staging="$staging" -v former="$former" -v previous="$previous" \
        -v lock_holder="$lock_holder" -v renames="$1" <"$sql/restore/swap.sql" 2>"$work/swap.errors"
}

# drop_companions: staging, former and the folder next to the server have done their part; a kept previous
# database stays
drop_companions() {
    ask lock <"$sql/restore/drop-companions.sql" >/dev/null ||
        warn "a database that is no longer needed stays; the next run drops it: $(first_error "$work/lock.errors")"
}

previous_exists() {
    [ -n "$(ask lock <"$sql/restore/previous.sql")" ]
}
