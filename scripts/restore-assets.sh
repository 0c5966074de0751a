#!/bin/sh
# restore-assets.sh: replaces the assets database with a backup's content. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock clean-up confirmation client-programs databases rights gzip
use backup-file embedded-manifest signature manifest fingerprints schema publish progress report
use rclone off-site upload contents columns modes untrusted pg-restore owners kept-schema load
use kept-copy preflight verify tables in-place

usage() {
    cat <<EOF
Usage: $0 [OPTION...] [NAME | FILE]

Replaces the assets database with a backup. The backup is loaded into a staging
database, verified, and swapped in within a fraction of a second. Until then
the live database is unchanged.

  (none)         assets/assets.dump.gz
  FILE           any argument that contains a slash or ends in .dump.gz or .dump
                 (remote:path/FILE is downloaded, by rclone)
  NAME           backups/postgres/NAME.dump.gz or NAME.dump

  --dry-run      check everything and show what would change; change nothing
  --json         with --dry-run: print what would change as JSON
  --schema X     backup: replace the schema too; live: keep the live database's
                 schema, take only the rows; auto (the default): live if
                 CB-Tumblebug's server has a newer schema than the backup,
                 otherwise backup (same as RESTORE_SCHEMA=X)
  --data-only    same as --schema live
  --drop-missing-columns
                 when only rows are restored: skip columns that the live
                 database lacks (no effect with --table)
  --table NAME   replace only this table's rows, in the live database; may be
                 repeated
  --keep-going   load what can be loaded, list what cannot; if anything failed,
                 ask before the swap (with --yes, swap without asking), and end
                 with exit code 3
  --trust        restore with your own rights; an untrusted backup may then run
                 code on the server (same as RESTORE_TRUST=yes)
  -y, --yes      restore without asking (same as RESTORE_SKIP_CONFIRM=yes)

RESTORE_KEEP_PREVIOUS=yes keeps the replaced database: rollback-assets.sh swaps
back to it. RESTORE_KEEP_COPY=yes keeps a copy of the restored database: the
next restore of the same backup clones it, which takes less than half the time;
drop-copy.sh drops it.
RESTORE_IN_PLACE=yes needs no right to create databases: the backup is loaded
into the live database, in one transaction, while clients wait.
EOF
}

main() {
    parse_options "$@"
    begin
    require_restore_settings
    in_place=${RESTORE_IN_PLACE:-no} copy_wanted=${RESTORE_KEEP_COPY:-no}
    [ "$in_place" != yes ] || refuse_what_needs_staging
    download "$backup_file"
    backup_file=$downloaded
    check_file
    select_server
    lock_database
    prepare_restore
    database_exists || warn_of_missing_database
    show_backup
    show_schema
    if database_exists; then
        read_live_catalog
        warn_of_large_objects
        warn_of_extensions
    fi
    warn_of_owners_if_full
    warn_of_idle_settings
    [ "$mode" != tables ] || copy_wanted=no # a copy is of a whole database
    end_if_repeated
    warn_of_swap
    if [ -n "$dry_run" ]; then
        say "without --dry-run, $(replacement would)"
        show_changes
        drop_temporary_data
    else
        confirm_replacement
        restore
    fi
}

restore() {
    if [ "$in_place" = yes ]; then
        restore_in_place
        counted=$work/replaced
    else
        restore_by_staging
        counted=$work/staged.all
    fi
    recommend_restart
    begin_statistics "$counted"
    drop_temporary_data
    finish 'the restore is complete'
    print_statistics
    restored=$(restored_content)
    case $restored in
        *' 0 rows') ! backup_has_rows || alert 'the restored tables have no rows' ;;
    esac
    say_done "restored $restored in $(duration)"
    [ -z "$incomplete" ] || end_incomplete
}

restore_by_staging() {
    fill_staging
    verify_staging
    keep_copy
    case $mode in
        tables) replace_tables ;;
        *) swap_databases ;;
    esac
}

fill_staging() {
    if [ -n "$copy_found" ]; then
        clone_copy
    else
        load_backup
        [ "$mode" != data-only ] || require_extension_rows
    fi
}

parse_options() {
    unchanged='; the database is unchanged'
    dry_run='' data_only='' schema_option=''
    parse_arguments take_option "$@"
    refuse_contradictions
    [ -z "$data_only" ] || RESTORE_SCHEMA=live
    backup_file=$(backup_path "${operand:-$project/assets/assets.dump.gz}")
}

take_option() {
    case $1 in
        -y | --yes) RESTORE_SKIP_CONFIRM=yes ;;
        --dry-run) dry_run=yes ;;
        --data-only) data_only=yes ;;
        --schema) use_schema "${2-}" && used=2 ;;
        --keep-going) keep_going=yes ;;
        --drop-missing-columns) drop_missing=yes ;;
        --trust) RESTORE_TRUST=yes ;;
        --table) add_table "${2-}" && used=2 ;;
        *) common_option "$1" ;;
    esac
}

refuse_contradictions() {
    [ -z "$tables" ] || [ -z "$keep_going" ] || die_usage 'cannot combine --table and --keep-going'
    [ -z "$tables" ] || [ -z "$schema_option" ] || die_usage 'cannot combine --table and --schema'
    [ -z "$json" ] || [ -n "$dry_run" ] || die_usage '--json needs --dry-run'
    case $data_only-$schema_option in
        yes-backup | yes-auto) die_usage "cannot combine --data-only and --schema $schema_option" ;;
    esac
}

refuse_what_needs_staging() {
    needs_staging=
    [ -z "$keep_going" ] || needs_staging=--keep-going
    [ -z "$drop_missing" ] || needs_staging=--drop-missing-columns
    [ "$copy_wanted" != yes ] || needs_staging=RESTORE_KEEP_COPY=yes
    [ "$RESTORE_KEEP_PREVIOUS" != yes ] || needs_staging=RESTORE_KEEP_PREVIOUS=yes
    [ -z "$needs_staging" ] || die_usage "cannot combine RESTORE_IN_PLACE=yes and $needs_staging," \
        'which needs a staging database'
}

use_schema() {
    require_value --schema "$1"
    case $1 in
        backup | live | auto) RESTORE_SCHEMA=$1 schema_option=$1 ;;
        *) die_usage "--schema must be backup, live or auto, not '$1'" ;;
    esac
}

add_table() {
    require_value --table "$1" 'a name'
    tables="$tables${tables:+
}$1"
}

# --- what is shown ---

# show_changes: rows per table, now and in the backup, on standard output. A failure to count the
# live rows does not stop a restore, so it does not stop a dry run
show_changes() {
    : >"$work/now"
    uncounted=
    if database_exists; then
        fingerprints_sql "$(columns_to_count)" |
            sql "$TB_POSTGRES_DATABASE" >"$work/now" 2>"$work/sql.errors" || {
            warn "could not count the rows of the live database: $(first_error "$work/sql.errors")"
            : >"$work/now"
            uncounted=yes
        }
    fi
    rows_in_backup >"$work/then"
    ! has_uncounted_rows || {
        warn 'could not count the rows in the backup: they are INSERT commands'
        uncounted=yes
    }
    awk -v uncounted="$uncounted" -f "$awk/dry-run-rows.awk" \
        "$work/now" "$work/then" >"$work/unsorted"
    LC_ALL=C sort -k 4 "$work/unsorted" >"$work/changes"
    if [ -n "$json" ]; then
        add_changes
    else
        print_table dry-run-table "$work/changes"
    fi
    say "this was a dry run$unchanged"
}

add_changes() {
    add_text backup "$backup_file"
    add_text database "$TB_POSTGRES_DATABASE"
    add_text server "$server"
    add_text mode "$mode"
    add_rows tables 'now# in_backup# difference# table' <"$work/changes"
}

# columns_to_count: of the chosen tables; nothing means all
columns_to_count() {
    [ "$mode" != tables ] || cat "$work/live-columns.chosen"
}

# restored_content: as verified, or counted where that was not possible
restored_content() {
    if [ -n "$manifest_found" ] && [ -z "$keep_going" ]; then
        expected_tables | sum_of_tables
    else
        content_of "$TB_POSTGRES_DATABASE" "$(chosen_tables)"
    fi
}

# chosen_tables: nothing means all
chosen_tables() {
    [ "$mode" != tables ] || cat "$work/chosen"
}

# rows_in_backup: as the manifest says, or counted where there is none
rows_in_backup() {
    if [ -n "$manifest_found" ]; then
        expected_tables
    else
        [ -s "$work/archive-rows" ] || list_archive_rows
        sed -n 's/^rows \(.*\) \([0-9]*\)$/\2 - \1/p' "$work/archive-rows" >"$work/counted"
        case $mode in
            tables) with_columns lines-of-tables "$work/columns" "$work/counted" ;;
            *) cat "$work/counted" ;;
        esac
    fi
}

# warn_of_missing_database: its name may be misspelt. Sets unchanged
warn_of_missing_database() {
    unchanged='; no database was created'
    suggest_database
    forget_hints
    [ -z "$nearest" ] || alert "there is no database '$TB_POSTGRES_DATABASE';" \
        "if you meant '$nearest', set TB_POSTGRES_DATABASE"
}

# warn_of_large_objects: those of the live database, if it gets all of the backup, which has none.
# What a kept copy has is not known
warn_of_large_objects() {
    if [ "$mode" != full ] || [ "$large_objects" = 0 ]; then
        return 0
    elif [ -n "$copy_found" ]; then
        end_of_objects='which will be replaced by those of the kept copy, if it has any'
    elif backup_has_large_objects; then
        return 0
    else
        end_of_objects='which will be lost: the backup has none'
    fi
    require_number 'the number of large objects' "$large_objects"
    alert "the live database has $(amount "$large_objects" 'large object'), $end_of_objects"
}

# warn_of_extensions: those that this user may not create; in place, only those of them that the
# live database lacks
warn_of_extensions() {
    [ -z "$copy_found" ] || return 0
    case $in_place-$mode in
        yes-full) cat "$work/extensions.absent" ;;
        yes-*) ;;
        *-full) cat "$work/extensions" "$work/extensions.absent" ;;
        *) cat "$work/extensions" ;;
    esac >"$work/uncreatable"
    if [ "$mode" = full ]; then
        sed -n 's/^[0-9]*; 3079 [0-9]* EXTENSION - \(.*\) $/\1/p' "$work/contents" |
            lines_in - "$work/uncreatable"
    else
        cat "$work/uncreatable"
    fi >"$work/refused"
    [ ! -s "$work/refused" ] ||
        warn 'the restore may fail: only a superuser may create these extensions:' \
            "$(list_of 20 <"$work/refused"); let a superuser create them in the live database," \
            'and restore with RESTORE_IN_PLACE=yes, which keeps them'
}

# warn_of_owners_if_full: before the question; a restore in place warns later, when it knows which
# entries it skips
warn_of_owners_if_full() {
    if [ "$mode" = full ] && [ "$in_place" != yes ] && [ -n "$trusted" ] &&
        [ -z "$copy_found" ]; then
        find_loadable_entries "$work/contents"
        warn_of_changed_owners "$work/loadable"
    fi
}

# warn_of_idle_settings: a data-only backup has no schema; with --table, no database is replaced
warn_of_idle_settings() {
    if [ "$RESTORE_SCHEMA" = backup ] && is_data_only; then
        warn '--schema backup (RESTORE_SCHEMA) has no effect: this backup holds only rows'
    fi
    [ "$mode" = tables ] || return 0
    [ "$RESTORE_KEEP_PREVIOUS" != yes ] ||
        warn 'RESTORE_KEEP_PREVIOUS has no effect with --table; to be able to undo this restore,' \
            "run 'make backup-assets NAME=x' first"
    [ "$copy_wanted" != yes ] || warn 'RESTORE_KEEP_COPY has no effect with --table'
}

# end_if_repeated: after an earlier run of the same restore, another one would only replace the
# previous database by a second copy of the backup. Sets previous_since
end_if_repeated() {
    previous_since=
    if [ "$RESTORE_KEEP_PREVIOUS" != yes ] || [ "$mode" = tables ] || ! database_exists; then
        return 0
    fi
    previous_since=$(time_of_previous) ||
        fail_with "$work/lock.errors" 'could not read the catalog'
    if [ -n "$previous_since" ] && [ -n "$trusted" ] && [ -z "$keep_going" ] &&
        live_equals_backup; then
        [ -z "$dry_run" ] || show_changes
        [ "$copy_wanted" != yes ] || [ -n "$copy_found" ] ||
            warn 'no copy is kept (RESTORE_KEEP_COPY), because nothing is restored'
        drop_temporary_data
        say_done "nothing to restore: database '$TB_POSTGRES_DATABASE' of $server already equals" \
            "this backup; the previous database, kept $previous_since, is unchanged"
        exit 0
    fi
}

# warn_of_swap: of a previous database that it drops, and of sessions that it cannot end
warn_of_swap() {
    if [ "$in_place" = yes ] || [ "$mode" = tables ] || ! database_exists; then
        return 0
    fi
    [ -z "$previous_since" ] ||
        alert "the previous database, kept $previous_since ($(content_of "$previous"))," \
            'will be dropped'
    warn_of_sessions
}

# live_equals_backup: does the live database have the backup's definitions and rows?
live_equals_backup() {
    [ -n "$manifest_found" ] && equals_manifest_outside_tables &&
        fingerprints_sql '' | sql "$TB_POSTGRES_DATABASE" 2>"$work/sql.errors" |
        cmp -s - "$work/tables"
}

# confirm_replacement: asks without the lock and with nothing on the server; then examines again.
# A run that does not ask logs the same
confirm_replacement() {
    sides=$(both_databases)
    show_question
    [ "$RESTORE_SKIP_CONFIRM" != yes ] || return 0
    shown=$(what_is_shown)
    [ "$mode" = full ] || end_live_session
    confirm_unlocked RESTORE_SKIP_CONFIRM 'Restore this backup?'
    without_messages prepare_restore
    sides=$(both_databases)
    require_same "$shown" "$(what_is_shown)"
}

# what_is_shown: what must be the same after the question
what_is_shown() {
    {
        printf '%s\n' "$(replacement will)" "$sides" "$emptied_tables" "$unfilled_columns"
        cat "$work/schema.differences"
        [ "$mode" = full ] || cat "$work/columns.missing"
        [ -z "$manifest_found" ] ||
            echo "backup with SHA-256 $(manifest_field sha256)${signed:+, signed with your key}"
        [ "$RESTORE_KEEP_PREVIOUS" != yes ] || echo "previous $(time_of_previous)"
    } | sed '/^$/d'
}

show_question() {
    if [ -n "$quiet" ] || database_exists; then
        warn_with "$(replacement will)" "$sides"
    else
        say "$(replacement will): $sides"
    fi
}

# replacement will|would: what the restore does
replacement() {
    database="database '$TB_POSTGRES_DATABASE' of $server"
    replaced_how="$1 be replaced"
    [ "$in_place" != yes ] ||
        replaced_how="$replaced_how in one transaction, while clients wait"
    case $mode in
        tables) echo "every row of $(in_one_line "$(cat "$work/chosen")") in $database" \
            "$replaced_how" ;;
        data-only) echo "every row of $database $replaced_how; its schema stays" ;;
        full)
            if database_exists; then
                echo "everything in $database $replaced_how"
            else
                echo "$database, which does not exist yet, $1 be created"
            fi
            ;;
    esac
}

# both_databases: what the chosen tables, or all, hold now and afterwards; only the latter where
# there is no live database
both_databases() {
    if database_exists; then
        printf 'now         %s\n' "$(content_of "$TB_POSTGRES_DATABASE" "$(chosen_tables)")"
        printf 'afterwards  %s\n' "$(content_afterwards)"
    else
        content_afterwards
    fi
}

# content_afterwards: without a manifest, counting its rows would take as long as a load
content_afterwards() {
    if [ -z "$manifest_found" ] && is_schema_only; then
        echo "$(tables_in_backup), 0 rows"
    elif [ "$RESTORE_SKIP_CONFIRM" = yes ] && [ -z "$manifest_found" ] &&
        ! [ -s "$work/archive-rows" ]; then
        tables_in_backup
    else
        rows_afterwards >"$work/afterwards"
        if has_uncounted_rows; then
            echo "$(tables_in_backup), rows not counted"
        else
            sum_of_tables <"$work/afterwards"
        fi
    fi
}

# rows_afterwards: of each table after the restore; where the schema stays, tables that the backup
# does not fill stay too, without rows
rows_afterwards() {
    rows_in_backup
    [ "$mode" = full ] || [ -z "$emptied_tables" ] ||
        printf '%s\n' "$emptied_tables" | sed 's/^/0 - /'
}

# --- the swap ---

swap_databases() {
    [ "$mode" = full ] || {
        end_live_session
        require_same_schema "$live_archive"
        change_missing_columns drop
    }
    copy_database_settings
    say 'swapping databases'
    read_database_facts
    previous_since=$(time_of_previous) || previous_since=
    if [ "$RESTORE_KEEP_PREVIOUS" = yes ] && database_exists; then
        rename_databases "$staging" 'previous:replaced live:previous staging:live'
        say "kept the replaced database; run 'make rollback-assets' to swap back to it"
        [ -z "$previous_since" ] || say "dropped the previous database kept $previous_since"
    else
        rename_databases "$staging" 'live:replaced staging:live'
        report_older_previous
    fi
    finish 'the backup is restored'
}

recommend_restart() {
    if [ "$mode" = full ] && [ -n "$live_had_tables" ] && schemas_differ; then
        say "restart CB-Tumblebug's server: the schema of its database has changed"
    fi
}

# report_older_previous: a rollback would skip what this restore has replaced
report_older_previous() {
    previous_since=$(time_of_previous) || return 0
    [ -z "$previous_since" ] || say "the previous database is still the one kept $previous_since;" \
        "'make rollback-assets' would swap to it, not to the one just replaced"
}

main "$@"
