# shellcheck shell=sh
# Loading the archive into the staging database, in the mode of the restore.
# Needs: archive awk child keep_going load_jobs manifest_found mode server_tmp server_version sql
#   new_owner staging toast_compression trusted unusable_owners work
# Sets: keep_going load_skipped

keep_going=

# load_backup: into a new staging database, of which clients of the live one notice nothing
load_backup() {
    say 'loading the backup into a staging database'
    encoding=
    [ -z "$manifest_found" ] || encoding=$(manifest_field encoding)
    create_staging "$encoding"
    : >"$work/restore.errors"
    case $mode in
        full) load_full ;;
        data-only) load_data_only ;;
        tables) load_tables ;;
    esac
}

load_full() {
    if [ -n "$trusted" ]; then
        without_messages find_loadable_entries "$work/contents" # it has warned before the question
        find_unusable_owners "$work/loadable"
        load_with_grants --no-privileges ${unusable_owners:+--no-owner}
        [ -z "$new_owner" ] || give_staging_to_owner
    else
        create_restricted_role
        give_staging
        ! list_grants <"$work/contents" ||
            warn 'grants skipped: the backup was not signed with your key'
        load_restricted --no-owner --no-privileges "$archive"
        audit_schema
    fi
}

load_data_only() {
    load_live_schema
    change_missing_columns add
    without_messages find_loadable_entries "$work/contents"
    load_rows "$work/loadable"
    sql "$staging" <"$sql/tables/move-sequences.sql" >/dev/null 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not move the sequences beyond the loaded rows'
    load_list "$work/loadable.live" "$schema" --section=post-data --no-privileges
    load_grants "$schema" "$work/contents.live"
    sql "$staging" <"$sql/restore/refresh-views.sql" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not refresh a materialized view'
}

# change_missing_columns add|drop: those of the backup that the live schema lacks, in staging
change_missing_columns() {
    [ -s "$work/columns.missing" ] || return 0
    typed_columns=$(LC_ALL=C awk -f "$awk/typed-columns.awk" \
        "$work/schema.backup" "$work/columns.missing")
    { psql_set columns "$typed_columns" && print_sql "restore/$1-missing-columns"; } |
        sql "$staging" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" "could not $1 the missing columns in the staging database"
}

load_tables() {
    without_messages load_live_schema
    choice entry >"$work/patterns"
    grep -F -f "$work/patterns" "$work/contents" >"$work/list" || : # an empty table has no entry
    load_rows "$work/list"
}

# load_live_schema: tables, and not yet grants and what checks or follows rows; with --table, which
# moves only rows, without owners. Sets schema
load_live_schema() {
    schema=$server_tmp/schema
    PGDATABASE=$TB_POSTGRES_DATABASE
    on_server pg_dump --format=custom --schema-only --lock-wait-timeout=5000 --file="$schema" \
        </dev/null 2>"$work/dump.errors" ||
        fail_with "$work/dump.errors" 'could not read the live schema'
    on_server pg_restore --list "$schema" </dev/null >"$work/contents.live" \
        2>"$work/restore.errors" ||
        fail_with "$work/restore.errors" 'could not read the live schema'
    find_loadable_entries "$work/contents.live"
    mv "$work/loadable" "$work/loadable.live"
    set -- --section=pre-data --no-privileges
    [ "$mode" != tables ] || set -- "$@" --no-owner
    load_list "$work/loadable.live" "$schema" "$@"
}

load_rows() { # LIST
    if [ -n "$trusted" ]; then
        load_list "$1" "$archive" --data-only
    else
        create_restricted_role
        admit_role
        write_list "$1"
        load_restricted --data-only --use-list="$server_tmp/list" "$archive"
        audit_rows
    fi
}

# --- pg_restore ---

# load OPTION... ARCHIVE: into staging; ends the script at the first error, unless --keep-going
load() {
    run_load restore_archive "$@" || require_loaded
}

# load_restricted OPTION... ARCHIVE: the same by the restricted role, watched
load_restricted() {
    start_watch
    run_load as_restricted_role restore_archive "$@" || {
        if end_role || [ -s "$work/watch.errors" ]; then
            end_watch # which may have ended the load
        fi
        require_loaded
    }
}

# load_list LIST ARCHIVE OPTION...: the entries in that list
load_list() {
    write_list "$1"
    listed_archive=$2
    shift 2
    load "$@" --use-list="$server_tmp/list" "$listed_archive"
}

run_load() { # FUNCTION... OPTION... ARCHIVE
    [ -z "$manifest_found" ] || expected_tables >"$work/totals"
    show_rows_progress 'loading rows' staging_size 'building indexes' "$staging" "$work/totals"
    background "$@"
    wait "$child"
}

# restore_archive OPTION... ARCHIVE: with what speeds up a load and is safe for a database that
# nobody uses yet; the swap's commit makes it durable
restore_archive() {
    [ -n "$keep_going" ] || sets_unknown_setting || set -- --exit-on-error "$@"
    set_options synchronous_commit=off maintenance_work_mem=256MB \
        "default_toast_compression=$toast_compression"
    on_server pg_restore --dbname="$staging" --jobs="$load_jobs" "$@" \
        </dev/null 2>>"$work/restore.errors"
}

# sets_unknown_setting: from 17 on, pg_restore sets transaction_timeout in each of its connections.
# Servers before 17 do not know it: an error that must not end the load
sets_unknown_setting() {
    [ "$server_version" -lt 170000 ] && [ "$(server_fact pg_restore)" -ge 17 ]
}

# require_loaded: ends the script unless pg_restore has only passed over errors that it may
require_loaded() {
    if is_loaded "$work/restore.errors"; then
        return 0
    fi
    if [ -n "$keep_going" ] && reached_end "$work/restore.errors"; then
        return 0
    fi
    fail_with "$work/restore.errors" 'could not load the backup'
}

# is_loaded ERRORS: did pg_restore skip nothing but that setting? Removes that error from the file
is_loaded() {
    awk -f "$awk/without-unknown-setting.awk" "$1" >"$work/other.errors"
    cp "$work/other.errors" "$1"
    reached_end "$1" && ! grep -q 'error: ' "$1"
}

# reached_end ERRORS: at its end, pg_restore counts what it passed over
reached_end() {
    tail -n 1 "$1" | grep -q 'errors ignored on restore'
}

staging_size() {
    human_size "$(sql "$staging" <"$sql/report/database-size.sql" | head -c 100)"
}

# --- grants ---

# load_with_grants OPTION...: materialized views are filled after the grants, which they may need.
# Event triggers come last, because they act on whatever follows them
load_with_grants() {
    late='\(MATERIALIZED VIEW DATA\|EVENT TRIGGER\|COMMENT - EVENT TRIGGER\)'
    grep "^[0-9]*; [0-9]* [0-9]* $late " "$work/loadable" >"$work/late" || :
    if [ -s "$work/late" ] || [ -s "$work/excluded" ]; then
        lines_not_in "$work/loadable" "$work/late" >"$work/list"
        load_list "$work/list" "$archive" "$@"
    else
        load "$@" "$archive"
    fi
    load_grants "$archive" "$work/contents"
    for filter in -e -v; do
        grep $filter ' MATERIALIZED VIEW DATA ' "$work/late" >"$work/list" || continue
        load_list "$work/list" "$archive" "$@"
    done
}

# load_grants ARCHIVE CONTENTS: one by one, because a grant to a role that does not exist here is
# only skipped, as is one that this user may not repeat, of which the server may only warn
load_grants() {
    list_grants <"$2" || return 0
    write_list "$work/grants"
    on_server pg_restore --dbname="$staging" --use-list="$server_tmp/list" "$1" \
        </dev/null 2>"$work/grants.errors" || is_loaded "$work/grants.errors" || warn_of_grants
    ! grep -q 'no privileges \(could be revoked\|were granted\)' "$work/grants.errors" ||
        warn_of_grants
}

warn_of_grants() {
    load_skipped=yes
    warn "some grants were skipped: $(first_error "$work/grants.errors")"
}

# list_grants: those of the table of contents on standard input, into $work/grants; fails where
# there are none
list_grants() {
    grep '^[0-9]*; [0-9]* [0-9]* \(DEFAULT \)\{0,1\}ACL ' >"$work/grants"
}

write_list() { # FILE with the entries for pg_restore --use-list
    write_on_server "$server_tmp/list" <"$1" ||
        fail_with "$work/server.errors" 'could not copy a list of entries to the server'
}
