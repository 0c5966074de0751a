# shellcheck shell=sh
# The live database and those of this project: staging, which a restore fills, the replaced one,
# the previous one and the kept copy.
# Needs: child compared lock_backend previous replaced sql staging work
# Sets: copy_bytes copy_origin copy_wanted data_directory database_bytes database_encoding in_place
#   load_jobs max_wal_bytes may_create may_restrict toast_compression

# the settings RESTORE_IN_PLACE and RESTORE_KEEP_COPY of restore-assets.sh; doctor.sh sets the first
in_place=no copy_wanted=no

# read_database_facts: Sets database_encoding, empty where the live database does not exist, and
# database_bytes, its size
read_database_facts() {
    database_facts=$(ask lock <"$sql/restore/live-database.sql") ||
        fail_with "$work/lock.errors" 'could not read the catalog'
    IFS='|' read -r database_encoding database_bytes <<EOF
${database_facts:-|0}
EOF
    require_number 'the size of the database' "$database_bytes"
    choose_client_encoding "$database_encoding"
}

# choose_client_encoding ENCODING: UTF-8 (see set_client_environment), but bytes without an encoding
# as they are
choose_client_encoding() {
    [ "$1" != SQL_ASCII ] || PGCLIENTENCODING=SQL_ASCII
}

database_exists() {
    [ -n "$database_encoding" ]
}

# require_database: and its facts. Sets database_encoding and database_bytes
require_database() {
    read_database_facts
    database_exists || fail_without_database
}

# read_server_facts: Sets may_create, may_restrict, load_jobs, toast_compression, max_wal_bytes and
# data_directory
read_server_facts() {
    server_facts=$(ask lock <"$sql/restore/server-facts.sql") ||
        fail_with "$work/lock.errors" 'could not read the catalog'
    IFS='|' read -r may_create may_restrict load_jobs toast_compression max_wal_bytes \
        data_directory <<EOF
$server_facts
EOF
    require_number 'the size of the write-ahead log' "$max_wal_bytes"
    require_number 'the number of jobs' "$load_jobs"
    load_jobs=${RESTORE_JOBS:-$load_jobs}
}

# create_staging ENCODING: an empty database like the live one; where there is none, of that
# encoding
create_staging() {
    database_exists || choose_client_encoding "$1"
    { psql_set encoding "$1" && print_sql restore/create-staging; } | ask lock >/dev/null ||
        fail_with "$work/lock.errors" 'could not create the staging database'
}

# copy_database_settings: what the live database carries besides its content, to staging
copy_database_settings() {
    ask lock <"$sql/restore/copy-settings.sql" >/dev/null ||
        fail_with "$work/lock.errors" "could not copy the database's settings"
}

# require_replaceable HINT: ends the script where something in the live database would delay the
# swap, with all clients waiting, or would vanish with the replaced database
require_replaceable() {
    list_obstacles
    obstacle=$(sed -n '1s/ .*//p' "$work/obstacles")
    case $obstacle in
        '') return 0 ;;
        prepared)
            obstacles='prepared transactions'
            hint "list them with 'SELECT * FROM pg_prepared_xacts'," \
                'then end each with COMMIT PREPARED or ROLLBACK PREPARED'
            ;;
        slot)
            obstacles='replication slots'
            hint "list them with 'SELECT * FROM pg_replication_slots'," \
                'and drop those not needed with pg_drop_replication_slot'
            ;;
        subscription)
            obstacles=subscriptions
            hint 'drop them with DROP SUBSCRIPTION'
            ;;
    esac
    [ -z "$1" ] || hint "$1"
    die "cannot replace database '$TB_POSTGRES_DATABASE', because it has $obstacles:" \
        "$(in_one_line "$(sed -n "s/^$obstacle //p" "$work/obstacles")")"
}

# list_obstacles: into $work/obstacles; see the SQL
list_obstacles() {
    { psql_set in_place "$in_place" && print_sql restore/obstacles; } |
        ask lock >"$work/obstacles" ||
        fail_with "$work/lock.errors" 'could not read the catalog'
}

# rename_databases INCOMING RENAMES: renames databases in one transaction, in up to three tries,
# until INCOMING is the live one. RENAMES are FROM:TO, each live, staging, replaced or previous
rename_databases() {
    require_own_session
    incoming=$(number_of "$1") || incoming=
    [ -n "$incoming" ] || fail_with "$work/lock.errors" 'could not find the database to swap in'
    for swap_attempt in 1 2 3; do
        require_replaceable '' # something may have come meanwhile
        begin_commit
        attempt_swap "$2"
        if is_swapped; then
            finish 'the swap is complete'
            return 0
        fi
        [ "$live_number" != unknown ] || fail_commit "$work/swap.errors"
        [ -n "$sessions_ended" ] ||
            fail_with "$work/lock.errors" 'could not end the sessions of the live database'
    done
    fail_with "$work/swap.errors" "could not swap the databases in $swap_attempt tries"
}

# attempt_swap RENAMES: Sets swap_status, sessions_ended and live_number
attempt_swap() {
    background try_renames "$1"
    sessions_ended=yes swap_status=0
    ask lock <"$sql/restore/end-sessions.sql" >/dev/null || sessions_ended=
    wait "$child" || swap_status=$?
    live_number=$(number_of "$TB_POSTGRES_DATABASE") || live_number=unknown
}

# is_swapped: by the number of the live database or, where the server gives none, by psql's status
is_swapped() {
    case $live_number in
        '' | unknown) [ "$swap_status" -eq 0 ] ;;
        *) [ "$live_number" = "$incoming" ] ;;
    esac
}

# number_of DATABASE: which renames do not change; empty where it is missing
number_of() {
    { psql_set database "$1" && print_sql restore/number-of-database; } | ask lock
}

try_renames() {
    run_sql postgres -v live="$TB_POSTGRES_DATABASE" -v staging="$staging" -v replaced="$replaced" \
        -v previous="$previous" -v lock_backend="$lock_backend" -v renames="$1" \
        <"$sql/restore/swap.sql" 2>"$work/swap.errors"
}

# rename_staging: to the compared database, so that another backup can be loaded into staging
rename_staging() {
    print_sql lock/may-end compare/rename-staging | ask lock >/dev/null ||
        fail_with "$work/lock.errors" 'could not rename the staging database'
}

# drop_temporary_data: staging, the replaced and the compared database, and the directory on the
# server; a previous database, which a restore kept, stays
drop_temporary_data() {
    begin_removing_server_tmp
    drop_temporary_databases
    finish_removing_server_tmp
}

drop_temporary_databases() {
    drop_databases "$staging" "$replaced" "$compared" ||
        warn 'could not drop a temporary database; the next run will:' \
            "$(first_error "$work/lock.errors")"
}

drop_databases() { # DATABASE...
    drop_statements "$@" | ask lock >/dev/null
}

drop_statements() { # DATABASE...
    psql_set databases "$(printf '%s\n' "$@")" && print_sql lock/may-end lock/drop-databases
}

# time_of_previous: when the previous database was kept; nothing where there is none
time_of_previous() {
    ask lock <"$sql/restore/previous-database.sql"
}

# size_of_previous: such as 450.2 MB
size_of_previous() {
    human_size "$(ask lock <"$sql/report/size-of-previous.sql")"
}

# read_copy_facts: of the kept copy. Sets copy_bytes, empty where there is none, and copy_origin
read_copy_facts() {
    copy_facts=$(ask lock <"$sql/report/kept-copy.sql") ||
        fail_with "$work/lock.errors" 'could not read the catalog'
    copy_bytes=${copy_facts%%|*}
    copy_origin=${copy_facts#*|}
    copy_origin=${copy_origin%%,*}
}

drop_or_fail() { # DATABASE DESCRIPTION
    begin_commit "$2 is either unchanged or dropped"
    drop_databases "$1" || {
        fail_commit "$work/lock.errors"
        fail_with "$work/lock.errors" "could not drop $2"
    }
    finish "$2 is dropped"
}

# content_of DATABASE [TABLES]: '3 tables, 127,928 rows', of these tables only or of all; a lock on
# one of them must not prevent a restore
content_of() {
    { psql_set only "${2-}" && print_sql tables/user-tables report/content; } |
        sql "$1" 2>"$work/sql.errors" || unknown_content
}

unknown_content() {
    content_error=$(first_error "$work/sql.errors" | sed 's/.* lock timeout$/a table is locked/')
    echo "unknown content${content_error:+ ($content_error)}"
}
