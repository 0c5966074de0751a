# shellcheck shell=sh
# The mode of a restore, and what the chosen mode fills.
# Needs: archive in_place root sql tables work
# Sets: emptied_tables mode tables unfilled_columns
#
#   full       schema and rows come from the archive
#   data-only  the schema is the live database's, the rows are the archive's
#   tables     the same for some tables, whose rows then replace those in the live database

tables=

# choose_mode: from the options, from what the archive holds and from how the schemas differ. Sets
# mode, and unfilled_columns, the live columns that the backup lacks. Where the live schema is kept,
# $work/archive-rows gets what the archive's rows fill, $work/columns the columns to restore
choose_mode() {
    begin_choice
    if [ -n "$tables" ]; then
        mode=tables
    elif is_data_only; then
        mode=data-only
    else
        ! database_exists || compare_schemas "$archive"
        choose_schema
    fi
    [ "$mode" = full ] || choose_rows
}

# begin_choice: forgets an earlier one, from before a question. Sets unfilled_columns and
# emptied_tables
begin_choice() {
    unfilled_columns='' emptied_tables=
    rm -f "$work/archive-rows" "$work/columns.missing"
    : >"$work/columns"
    : >"$work/schema.differences"
    : >"$work/schema.backup"
}

# choose_full_mode: without comparing schemas. Sets mode
choose_full_mode() {
    begin_choice
    mode=full
}

# choose_mode_by_archive: full or data-only, without comparing schemas
choose_mode_by_archive() {
    if is_data_only; then
        choose_mode
    else
        choose_full_mode
    fi
}

# choose_schema: the backup's, unless the live one has all of it and more: then CB-Tumblebug's
# server, which creates the schema, is newer than the backup. Sets mode
choose_schema() {
    mode=full
    case $RESTORE_SCHEMA in
        live) mode=data-only ;;
        auto)
            if schemas_differ live && ! schemas_differ backup && ! schemas_differ both; then
                mode=data-only
            fi
            ;;
    esac
}

choose_rows() {
    database_exists || fail_without_database
    open_session live "$TB_POSTGRES_DATABASE"
    refuse_special_names
    find_tables
    require_right_to_fill
    list_archive_rows
    compare_columns
}

# list_archive_rows: every table and column that the archive's rows fill
list_archive_rows() {
    {
        run_remote list-rows "$archive" "$(cpu_seconds_to_read)" \
            "$(cat "$root/scripts/remote/list-rows.awk")" \
            </dev/null >"$work/archive-rows.list" 2>"$work/restore.errors" &&
            take_whole "$work/archive-rows.list" "$work/archive-rows"
    } || fail_not_whole "$work/restore.errors"
}

# refuse_special_names: ends the script if a live table has a name that these modes cannot list
refuse_special_names() {
    special_names=$(ask live <"$sql/tables/special-names.sql") ||
        fail_with "$work/live.errors" 'could not read the names of the tables'
    [ -z "$special_names" ] ||
        die 'only a full restore into a staging database can handle these names, which contain' \
            "control characters or a backslash: $(in_one_line "$special_names")"
}

# find_tables: the full names of the tables asked for and of their partitions, which hold the rows
find_tables() {
    chosen=$tables
    if [ "$in_place-$mode" = yes-data-only ]; then
        chosen=$(print_sql tables/user-tables tables/all-tables | ask live) ||
            fail_with "$work/live.errors" 'could not find the tables'
    fi
    { psql_set tables "$chosen" && print_sql tables/user-tables tables/choose-tables; } |
        ask live >"$work/choice" || fail_with "$work/live.errors" 'could not find the tables'
    refuse_unknown_tables
    refuse_other_objects
    refuse_single_partitions
    choice table >"$work/chosen"
}

refuse_unknown_tables() {
    unknown=$(choice unknown)
    [ -z "$unknown" ] || {
        suggest "$(printf '%s\n' "$unknown" | head -n 1)" "$(choice known)"
        hint "run 'make stats' to list the tables"
        noun=table
        [ "$(printf '%s\n' "$unknown" | wc -l)" -eq 1 ] || noun=tables
        die "database '$TB_POSTGRES_DATABASE' has no $noun" \
            "$(in_one_line "$(printf '%s\n' "$unknown" | sed "s/.*/'&'/")")"
    }
}

refuse_other_objects() {
    other_objects=$(choice other)
    [ -z "$other_objects" ] || {
        hint '--data-only restores the rows of all tables and refreshes materialized views'
        die "--table takes only tables, not $(in_one_line "$other_objects")"
    }
}

refuse_single_partitions() {
    split_tables=$(choice whole | sort -u)
    [ -z "$split_tables" ] || {
        hint 'restore the whole table: --table with its name'
        die "cannot restore single partitions of $(in_one_line "$split_tables"):" \
            'it is partitioned by the hash of an enum, so rows may belong to other partitions here'
    }
}

# require_right_to_fill: ends the script unless this user may replace the rows of the chosen tables
require_right_to_fill() {
    refreshed_views=
    [ "$in_place-$mode" != yes-data-only ] || refreshed_views=yes
    forbidden_objects=$({
        psql_set views "$refreshed_views"
        print_sql tables/forbidden-objects
    } | ask live) || fail_with "$work/live.errors" 'could not read the rights'
    [ -z "$forbidden_objects" ] || {
        hint_owner
        die "cannot replace the rows: user '$TB_POSTGRES_USER' lacks rights on" \
            "$(in_one_line "$forbidden_objects")"
    }
}
