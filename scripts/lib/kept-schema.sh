# shellcheck shell=sh
# What must not be lost where a restore into staging keeps the live schema.
# Needs: awk drop_missing is_superuser sql staging trusted work

# require_same_schema ARCHIVE: ends the script if the live schema is no longer that of the archive
require_same_schema() {
    [ "$(hash_schema "$1" 2>"$work/dump.errors")" = \
        "$(hash_schema_of "$TB_POSTGRES_DATABASE")" ] || {
        hint 'run this again'
        die 'the live schema changed during the restore, or could not be read'
    }
}

# copy_sequence_values: the archive then sets those of the sequences that it has
copy_sequence_values() {
    ask live <"$sql/tables/sequence-values.sql" >"$work/statements" ||
        fail_with "$work/live.errors" 'could not read the sequences'
    run_json_statements "$staging" <"$work/statements" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not set the sequences'
}

# refresh_staged_views: in staging, those that are filled in the live database
refresh_staged_views() {
    print_sql tables/filled-views restore/view-refreshes | ask live >"$work/statements" ||
        fail_with "$work/live.errors" 'could not read the catalog'
    run_json_statements "$staging" <"$work/statements" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not refresh a materialized view'
}

# refuse_loss_of_large_objects: ends the script if the live database has some and the backup none
refuse_loss_of_large_objects() {
    ! backup_has_large_objects || return 0
    live_objects=$(ask live <"$sql/backup/large-objects.sql") ||
        fail_with "$work/live.errors" 'could not read the catalog'
    [ "$live_objects" = 0 ] || {
        if [ -n "$trusted" ]; then
            [ -n "$drop_missing" ] || hint 'to keep them, set RESTORE_IN_PLACE=yes'
        else
            hint "if you trust the backup's author, RESTORE_IN_PLACE=yes with --trust keeps them"
        fi
        is_data_only || hint 'to drop them and replace the schema too, set RESTORE_SCHEMA=backup'
        die "database '$TB_POSTGRES_DATABASE' would lose its large objects," \
            'which the backup does not contain'
    }
}

# require_extension_rows: ends the script if tables of extensions would lose rows that neither the
# extension nor the backup restores
require_extension_rows() {
    ask live <"$sql/tables/extension-row-hashes.sql" >"$work/extension-rows.live" ||
        fail_with "$work/live.errors" 'could not read the tables of extensions'
    sql "$staging" <"$sql/tables/extension-row-hashes.sql" >"$work/extension-rows.staging" \
        2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not read the tables of extensions'
    LC_ALL=C awk -f "$awk/lost-rows.awk" "$work/extension-rows.staging" \
        "$work/extension-rows.live" >"$work/lost-rows"
    [ ! -s "$work/lost-rows" ] || {
        if [ -n "$trusted" ]; then
            hint 'to keep these rows, set RESTORE_IN_PLACE=yes'
            [ "$is_superuser" != t ] ||
                hint 'RESTORE_SCHEMA=backup replaces them and the schema with those of the backup'
        else
            hint "if you trust the backup's author, --trust restores its rows of these tables too"
        fi
        die "tables of extensions would lose rows: $(list_of 20 <"$work/lost-rows")"
    }
}
