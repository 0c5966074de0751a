# shellcheck shell=sh
# What comes before a restore: checking the file and the server, and showing what was found.
# Needs: backup_file copy_found copy_wanted data_directory defaulted_columns in_place manifest
#   manifest_found mode room_advice server tables work
# Sets: copy_found live_had_tables

# prepare_restore: everything that comes before the question; the live database does not change
prepare_restore() {
    clean_up_backups
    read_database_facts
    read_server_facts
    prepare_server "$data_directory"
    require_dump_version
    check_file_again
    require_replaceable_database
    decide_trust
    [ -n "$tables" ] || begin_live_schema
    find_copy
    check_room
    if is_copy_enough; then
        require_trust
        describes "$work/manifest" "$backup_file" || fail_mismatch "$backup_file"
        choose_full_mode
    else
        upload_archive
        require_trust
        check_large_objects
        [ "$in_place" != yes ] || require_owned_database
        choose_mode
        [ "$mode" = full ] || copy_found=
        [ "$mode-$in_place" != data-only-no ] || refuse_loss_of_large_objects
    fi
}

# --- the file ---

# check_file: what can be checked before any server is asked; its content is checked on its way to
# the server
check_file() {
    require_gzip
    say "checking $backup_file"
    clean_up_backups "${backup_file%/*}/"
    [ ! -L "$backup_file" ] || clean_up_backups "$(dirname -- "$(link_target "$backup_file")")/"
    require_file "$backup_file"
    find_manifest "$backup_file"
    : >"$work/preview"
    if [ -n "$manifest_found" ]; then
        check_manifest "$backup_file"
        compare_info
        [ -n "$manifest_found" ] || warn_of_other_manifest
    elif [ -f "$manifest" ]; then
        require_whole "$backup_file"
        head -c 10000 "$manifest" | tr -d '\r' | grep '^summary: ' >"$work/preview" || :
        alert "'$manifest' has no hash of the file: cannot verify row counts and fingerprints"
    else
        require_whole "$backup_file"
        alert 'no manifest found: cannot verify row counts and fingerprints'
    fi
}

warn_of_other_manifest() {
    warn "'$manifest', created $(manifest_field created), does not describe this file:" \
        'cannot verify row counts and fingerprints'
    say 'get the .info file of this backup; if the file was compressed again, make a new backup'
}

# compare_info: FILE.info may be older or newer than the file, if only one of them was copied
compare_info() {
    if is_manifest_inside "$backup_file" && [ -f "$backup_file.info" ] &&
        ! cmp -s "$backup_file.info" "$work/info"; then
        say "using the manifest inside $backup_file; $backup_file.info differs from it:" \
            'copy or commit both files together'
    fi
}

# check_file_again: a backup may have replaced the file before this run had the lock
check_file_again() {
    [ -n "$manifest_found" ] || return 0
    mv "$work/info" "$work/info.checked"
    find_manifest "$backup_file"
    cmp -s "$work/info" "$work/info.checked" || check_file
}

require_replaceable_database() {
    refuse_system_database
    if [ "$in_place" = yes ]; then
        require_primary
        database_exists || fail_without_database
        return 0
    fi
    require_right_to_create in-place
    [ -z "$tables" ] || return 0
    require_replaceable 'single tables can still be restored with --table'
    require_right_to_copy_settings
}

# check_large_objects: a restore in place cannot replace them, and one of single tables skips them
check_large_objects() {
    backup_has_large_objects || return 0
    if [ -n "$tables" ]; then
        warn 'skipped: the large objects of the backup, which --table cannot restore'
    elif [ "$in_place" = yes ]; then
        hint 'restore this backup without RESTORE_IN_PLACE=yes, into a staging database'
        die 'cannot restore in place: the backup contains large objects'
    fi
}

# require_owned_database: a full restore in place drops everything, and then creates what the backup
# has
require_owned_database() {
    if [ -n "$tables" ] || [ "$RESTORE_SCHEMA" = live ] || is_data_only; then
        return 0
    fi
    require_replaceable 'single tables can still be restored with --table'
    require_right_to_replace
}

# check_room: for the staging database, a copy to keep, and the archive
check_room() {
    databases=1
    if [ "$copy_wanted" = yes ] && [ -z "$copy_found" ] && may_use_copy; then
        databases=2
        hint 'RESTORE_KEEP_COPY=no needs less'
    fi
    bytes_to_load=$(expected_bytes)
    require_room 'data directory' "$data_directory" "$(server_fact data-free)" \
        "$(room_to_load "$((bytes_to_load * databases))")"
    forget_hints
    require_room 'temporary directory' "$(server_fact tmp-parent)" "$(server_fact tmp-free)" \
        "$(size_of "$backup_file")"
}

# require_room NAME DIRECTORY KIB BYTES: ends the script if less is free
require_room() {
    is_number "$4" || die "backup file '$backup_file' disappeared during the checks"
    server_has_room "$3" "$4" || {
        room_owner="the server's $1"
        if [ "$ASSETS_PG_BACKEND-$1" = 'direct-temporary directory' ]; then
            room_owner="the $1 '$2'"
            hint "$room_advice"
        else
            hint "free some space in $2 of $server"
        fi
        die "$room_owner has $(human_size "$(($3 * 1024))") free," \
            "but this restore needs $(human_size "$4")"
    }
}

# --- what is shown ---

show_backup() {
    say "backup    $backup_file ($(human_size "$(size_of "$backup_file")"))"
    if [ -n "$manifest_found" ]; then
        has_clean_end "$backup_file" ||
            warn "unexpected bytes after the archive in '$backup_file' are ignored"
        say "created   $(manifest_field created) from $(manifest_field server)"
        show_other_database
        say "holds     $(with_commas "$(manifest_field summary)")"
        ! is_data_only || say 'kind      data only: rows without a schema'
    else
        show_archive
    fi
    emptied_by_backup='every table'
    [ -z "$tables" ] || emptied_by_backup='these tables'
    backup_has_rows || alert "the backup contains no rows: $emptied_by_backup will be empty"
}

# show_archive: what the file says of itself where no manifest does
show_archive() {
    say "created   $(contents_field 'Archive created at')" \
        "by pg_dump $(contents_field 'Dumped by pg_dump version:')"
    if [ -s "$work/preview" ]; then
        say "holds     $(with_commas "$(sed -n 's/^summary: *//p' "$work/preview")") (unverified)"
    else
        say "holds     $(tables_in_backup)"
    fi
}

show_other_database() {
    database_in_backup=$(manifest_field database)
    case $database_in_backup in
        '' | "$(printable "$TB_POSTGRES_DATABASE")") ;;
        *) say "database  '$database_in_backup', not '$TB_POSTGRES_DATABASE'" ;;
    esac
}

# show_schema: how the backup's schema differs from the live one, and which one remains; an empty
# database has nothing to compare. Sets live_had_tables
show_schema() {
    live_had_tables=
    ! grep -q '^table[[:space:]]' "$work/schema.live" 2>/dev/null || live_had_tables=yes
    if ! schemas_differ; then
        return 0
    elif [ "$mode" = data-only ]; then
        say "schema    the live database's is kept, only rows are restored; differences:"
        list_differences | while IFS= read -r listed_difference; do
            say "  $listed_difference"
        done
        warn_of_emptied_tables
        [ -z "$defaulted_columns" ] || say 'columns only in the live database get their default'
        [ "$RESTORE_SCHEMA" = live ] || say 'RESTORE_SCHEMA=backup replaces the live schema too'
    elif [ -n "$live_had_tables" ]; then
        warn_with "the backup's schema will replace the live one; differences:" \
            "$(list_differences)"
    fi
}
