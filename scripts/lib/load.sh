# shellcheck shell=sh
# Loading the archive into the staging database, in the mode of the restore.
# Needs: archive awk child keep_going load_jobs manifest_found mode new_owner rights_skipped
#   server_tmp sql staging toast_compression trusted unusable_owners work
# Sets: incomplete keep_going live_archive

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
        without_messages find_loadable_entries "$work/contents" # the user has been warned before
        find_unusable_owners "$work/loadable"
        load_with_grants "$archive" "$work/contents" "$work/loadable" \
            --no-privileges ${unusable_owners:+--no-owner}
        [ -z "$new_owner" ] || give_objects_to_owner
    else
        create_restricted_role
        give_staging
        ! list_grants "$work/contents" ||
            warn 'grants skipped: the backup was not signed with your key'
        load_restricted --no-owner --no-privileges "$archive"
        audit_schema
    fi
}

load_data_only() {
    load_live_schema
    # the restricted role may need the grants
    [ -n "$trusted" ] || load_grants "$live_archive" "$work/contents.live"
    change_missing_columns add
    copy_sequence_values
    find_loadable_rows
    load_rows "$work/loadable"
    print_sql tables/user-tables tables/move-sequences |
        sql "$staging" >/dev/null 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not move the sequences beyond the loaded rows'
    load_rest_of_live_schema
    [ -z "$rights_skipped" ] || incomplete=yes # the live schema has lost some
    refresh_staged_views
}

load_rest_of_live_schema() {
    set -- --section=post-data --no-privileges
    if [ -n "$trusted" ]; then
        load_with_grants "$live_archive" "$work/contents.live" "$work/loadable.live" "$@"
    else
        load_list "$work/loadable.live" "$live_archive" "$@"
    fi
}

# change_missing_columns add|drop: those of the backup that the live schema lacks, in staging
change_missing_columns() {
    [ -s "$work/columns.missing" ] || return 0
    typed_columns=$(LC_ALL=C awk -f "$awk/typed-columns.awk" \
        "$work/schema.backup" "$work/columns.missing")
    {
        psql_set columns "$typed_columns"
        print_sql restore/missing-columns "restore/$1-missing-columns"
    } | sql "$staging" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" "could not $1 the missing columns in the staging database"
}

load_tables() {
    without_messages load_live_schema
    choice entry >"$work/patterns"
    # an empty table has no entry
    LC_ALL=C grep -F -f "$work/patterns" "$work/contents" >"$work/list" || :
    load_rows "$work/list"
}

# load_live_schema: the tables, without grants, indexes, constraints and triggers; with --table also
# without owners. Sets live_archive
load_live_schema() {
    live_archive=$server_tmp/live
    on_server pg_dump --format=custom --schema-only --no-subscriptions --lock-wait-timeout=5000 \
        --file="$live_archive" </dev/null 2>"$work/dump.errors" ||
        fail_with "$work/dump.errors" 'could not read the live schema'
    on_server pg_restore --list "$live_archive" </dev/null >"$work/contents.live" \
        2>"$work/restore.errors" ||
        fail_with "$work/restore.errors" 'could not read the live schema'
    find_loadable_entries "$work/contents.live"
    mv "$work/loadable" "$work/loadable.live"
    set -- --section=pre-data --no-privileges
    [ "$mode" != tables ] || set -- "$@" --no-owner
    load_list "$work/loadable.live" "$live_archive" "$@"
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
# nobody uses yet; the swap's commit makes it durable. Without subscriptions, which would fill the
# tables, and keep the database from being dropped
restore_archive() {
    [ -n "$keep_going" ] || sets_unknown_setting || set -- --exit-on-error "$@"
    set_options synchronous_commit=off maintenance_work_mem=256MB \
        "default_toast_compression=$toast_compression"
    on_server pg_restore --dbname="$staging" --jobs="$load_jobs" --no-subscriptions "$@" \
        </dev/null 2>>"$work/restore.errors"
}

# require_loaded: ends the script unless pg_restore has only passed over errors that it may
require_loaded() {
    remove_unknown_setting "$work/restore.errors"
    { reached_end "$work/restore.errors" &&
        { [ -n "$keep_going" ] || ! grep -q 'error: ' "$work/restore.errors"; }; } ||
        fail_with "$work/restore.errors" 'could not load the backup'
}

staging_size() {
    human_size "$(sql "$staging" <"$sql/report/database-size.sql" | head -c 100)"
}

# load_with_grants ARCHIVE CONTENTS LIST OPTION...: the entries in the list. Materialized views are
# filled after the grants, which they may need, and which may revoke rights of this user. Event
# triggers come last, because they act on whatever follows them
load_with_grants() {
    granted_archive=$1 granted_contents=$2
    entries_of 'MATERIALIZED VIEW DATA' "$3" >"$work/late.views"
    entries_of 'EVENT TRIGGER\|COMMENT - EVENT TRIGGER' "$3" >"$work/late.triggers"
    cat "$work/late.views" "$work/late.triggers" >"$work/late"
    lines_not_in "$3" "$work/late" >"$work/list"
    shift 3
    if cmp -s "$work/list" "$granted_contents"; then
        load "$@" "$granted_archive" # a list would be one more call to the server
    else
        load_list "$work/list" "$granted_archive" "$@"
    fi
    load_grants "$granted_archive" "$granted_contents"
    for late in views triggers; do
        [ ! -s "$work/late.$late" ] || load_list "$work/late.$late" "$granted_archive" "$@"
    done
}
