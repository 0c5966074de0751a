# shellcheck shell=sh
# The mode of a restore, and what the chosen mode fills.
# Needs: archive awk drop_missing root sql tables work
# Sets: drop_missing mode not_in_backup tables unfilled
#
#   full       schema and rows come from the archive
#   data-only  the schema is the live database's, the rows are the archive's
#   tables     the same for some tables, whose rows then replace those in the live database

drop_missing='' tables=''

# choose_mode: from the options, from what the archive holds and from how the schemas differ. Sets
# mode, and unfilled, the live columns that the backup lacks. Where the live schema is kept,
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

# begin_choice: forgets an earlier one, from before a question
begin_choice() {
    unfilled=
    rm -f "$work/archive-rows"
    : >"$work/columns"
    : >"$work/schema.differences"
    : >"$work/schema.backup"
}

# choose_full_mode: without comparing schemas. Sets mode
choose_full_mode() {
    begin_choice
    mode=full
}

# choose_mode_by_archive: whatever the live schema is
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
    run_remote list-rows "$archive" "$(cat "$root/scripts/remote/list-rows.awk")" \
        </dev/null >"$work/archive-rows" 2>"$work/restore.errors" ||
        fail_not_whole "$work/restore.errors"
}

# refuse_special_names: ends the script if a live table has a name that these modes cannot list
refuse_special_names() {
    names=$(ask live <"$sql/tables/special-names.sql") ||
        fail_with "$work/live.errors" 'could not read the names of the tables'
    [ -z "$names" ] ||
        die 'only a full restore into a staging database can handle these names, which contain' \
            "control characters or a backslash: $(in_one_line "$names")"
}

# find_tables: the full names of the tables asked for and of their partitions, which hold the rows
find_tables() {
    chosen=$tables
    if [ "$RESTORE_IN_PLACE-$mode" = yes-data-only ]; then
        chosen=$(ask live <"$sql/tables/all-tables.sql") ||
            fail_with "$work/live.errors" 'could not find the tables'
    fi
    { psql_set tables "$chosen" && cat "$sql/tables/moves.sql" "$sql/tables/choose-tables.sql"; } |
        ask live >"$work/found" || fail_with "$work/live.errors" 'could not find the tables'
    unknown=$(sed -n 's/^unknown //p' "$work/found")
    if [ -n "$unknown" ]; then
        suggest "$(printf '%s\n' "$unknown" | head -n 1)" "$(sed -n 's/^known //p' "$work/found")"
        hint "run 'make stats' to list the tables"
        die "there is no table $(in_one_line "$(printf '%s\n' "$unknown" | sed "s/.*/'&'/")") in" \
            "database '$TB_POSTGRES_DATABASE'"
    fi
    other_objects=$(sed -n 's/^other //p' "$work/found")
    if [ -n "$other_objects" ]; then
        hint '--data-only restores the rows of all tables and refreshes materialized views'
        die "--table takes only tables, not $(in_one_line "$other_objects")"
    fi
    split_tables=$(sed -n 's/^whole //p' "$work/found" | sort -u)
    if [ -n "$split_tables" ]; then
        hint 'restore the whole table: --table with its name'
        die "cannot restore single partitions of $(in_one_line "$split_tables"):" \
            'it is partitioned by the hash of an enum, so rows may belong to other partitions here'
    fi
    sed -n 's/^table //p' "$work/found" >"$work/chosen"
}

# require_right_to_fill: ends the script unless this user may replace the rows of the chosen tables
require_right_to_fill() {
    refreshed_views=
    [ "$RESTORE_IN_PLACE-$mode" != yes-data-only ] || refreshed_views=yes
    forbidden_objects=$({
        psql_set views "$refreshed_views"
        cat "$sql/tables/forbidden-objects.sql"
    } | ask live) || fail_with "$work/live.errors" 'could not read the rights'
    [ -z "$forbidden_objects" ] || {
        hint_owner
        die "cannot replace the rows: user '$TB_POSTGRES_USER' lacks rights on" \
            "$(in_one_line "$forbidden_objects")"
    }
}

# compare_columns: names the columns by which the backup and the live tables differ; the live ones
# must have all that the backup fills
compare_columns() {
    cat "$sql/tables/moves.sql" "$sql/tables/live-columns.sql" | ask live >"$work/live-columns" ||
        fail_with "$work/live.errors" 'could not read the columns'
    [ -s "$work/live-columns" ] || {
        hint "start CB-Tumblebug's server once to create them"
        die "database '$TB_POSTGRES_DATABASE' has no tables"
    }
    of_chosen_tables <"$work/live-columns" >"$work/live-columns.chosen"
    of_chosen_tables <"$work/archive-rows" >"$work/columns"
    grep -Fxv -f "$work/live-columns.chosen" "$work/columns" >"$work/columns.missing" || :
    [ ! -s "$work/columns.missing" ] || accept_missing_columns
    require_partitions
    not_in_backup=$(awk -f "$awk/other-tables.awk" "$work/columns" "$work/live-columns.chosen")
    [ -s "$work/columns" ] || fail_without_rows
    [ "$mode" != tables ] || [ -z "$not_in_backup" ] || fail_without_rows
    unfilled=$(grep -Fxv -f "$work/columns" "$work/live-columns.chosen" | sed 's/^column //')
    [ -z "$unfilled" ] || schemas_differ || # which are shown
        warn 'missing from the backup; will be empty or default (table, column):' \
            "$(in_one_line "$unfilled")"
}

# fail_without_rows: ends the script; the backup has nothing for the tables to restore
fail_without_rows() {
    [ "$mode" = tables ] || die 'the backup contains rows of no table'
    hint "it contains: $(sed -n 's/^rows \(public\.\)\{0,1\}\(.*\) [0-9]*$/\2/p' \
        "$work/archive-rows" | list_of 10)"
    die "the backup does not contain these tables: $(shown_tables "$not_in_backup")"
}

shown_tables() { # NAMES, one a line
    in_one_line "$(printf '%s\n' "$1" | sed 's/^public\.//')"
}

# accept_missing_columns: with --drop-missing-columns; otherwise ends the script
accept_missing_columns() {
    missing_columns=$(in_one_line "$(sed 's/^column //' "$work/columns.missing")")
    if [ -z "$drop_missing" ] || [ "$mode" = tables ]; then
        if [ "$mode" = tables ]; then
            hint 'restore all rows with --data-only --drop-missing-columns, or the whole backup'
        else
            hint 'restore-assets.sh --drop-missing-columns skips these columns'
        fi
        die "the live database lacks these columns of the backup (table, column): $missing_columns"
    fi
    warn "skipping columns of the backup that the live database lacks: $missing_columns"
}

# require_partitions: tables that the backup fills and the live database lacks could be partitions
# of a chosen one
require_partitions() {
    partitioned=$(sed -n 's/^partitioned //p' "$work/found")
    [ -n "$partitioned" ] || return 0
    names=$(sed -n 's/^rows \(.*\) [0-9]*$/\1/p' "$work/archive-rows")
    missing_tables=$({ psql_set names "$names" && cat "$sql/tables/missing-tables.sql"; } |
        ask live) ||
        fail_with "$work/live.errors" 'could not compare the tables'
    [ -z "$missing_tables" ] || {
        hint 'create them first, or restore the whole backup'
        die 'the live database lacks tables of the backup that could be partitions of' \
            "$(in_one_line "$partitioned"): $(in_one_line "$missing_tables")"
    }
}

# of_chosen_tables: those lines 'column TABLE NAME' on standard input that belong to a chosen table
of_chosen_tables() {
    if [ "$mode" = data-only ]; then
        sed -n '/^column /p'
    else
        awk 'FILENAME == ARGV[1] { prefix["column " $0 " "]; next }
             { for (p in prefix) if (index($0, p) == 1) print }' "$work/chosen" -
    fi
}

# expected_tables: the lines of the manifest's tables that this restore fills
expected_tables() {
    if [ "$mode" = full ]; then
        cat "$work/tables"
    else
        with_columns lines-of-tables "$work/columns" "$work/tables"
    fi
}
