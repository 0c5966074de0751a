# shellcheck shell=sh
# The tables and columns that a restore of rows fills: what the backup and the live tables lack.
# Needs: awk drop_missing emptied_tables mode on_private_server tables work
# Sets: defaulted_columns drop_missing emptied_tables unfilled_columns

drop_missing=

# compare_columns: names the columns by which the backup and the live tables differ; the live ones
# must have all that the backup fills
compare_columns() {
    list_filled_columns
    refuse_missing_tables
    [ ! -s "$work/columns.missing" ] || accept_missing_columns
    require_partitions
    find_what_is_not_filled
    require_rows
    schemas_differ || warn_of_unfilled # show_schema shows the others
}

# list_filled_columns: of the live database and the backup; ends the script if there are no tables
list_filled_columns() {
    print_sql tables/user-tables tables/live-columns | ask live >"$work/live-columns" ||
        fail_with "$work/live.errors" 'could not read the columns'
    [ -s "$work/live-columns" ] || {
        [ -z "${on_private_server-}" ] ||
            die 'cannot load a data-only backup into a private server, which has no tables'
        hint "start CB-Tumblebug's server once to create them"
        die "database '$TB_POSTGRES_DATABASE' has no tables"
    }
    of_chosen_tables <"$work/live-columns" >"$work/live-columns.chosen"
    of_chosen_tables <"$work/archive-rows" >"$work/columns"
    lines_not_in "$work/columns" "$work/live-columns.chosen" >"$work/columns.missing"
}

# find_what_is_not_filled: Sets emptied_tables, unfilled_columns and defaulted_columns
find_what_is_not_filled() {
    emptied_tables=$(compare_lists other-tables "$work/columns" "$work/live-columns.chosen")
    unfilled_columns=$(lines_not_in "$work/live-columns.chosen" "$work/columns" |
        sed 's/^column //')
    defaulted_columns=$(compare_lists defaulted-columns "$work/columns" "$work/live-columns.chosen")
}

# compare_lists PROGRAM FILE FILE: by that program of lib/awk, two lists of columns
compare_lists() {
    awk -f "$awk/table-of.awk" -f "$awk/$1.awk" "$2" "$3"
}

warn_of_unfilled() {
    warn_of_emptied_tables
    [ -z "$defaulted_columns" ] ||
        warn 'missing from the backup; will be empty or default (table, column):' \
            "$(in_one_line "$defaulted_columns")"
}

# warn_of_emptied_tables: what the live database has, and the backup does not fill; --quiet holds it
# back only if those tables have no rows
warn_of_emptied_tables() {
    [ -n "$emptied_tables" ] || return 0
    content_to_empty=$(content_of "$TB_POSTGRES_DATABASE" "$emptied_tables")
    case $content_to_empty in
        *', 0 rows') warn_or_alert=warn ;;
        *) warn_or_alert=alert ;;
    esac
    $warn_or_alert 'the backup has no rows for these tables, which will be empty:' \
        "$(shown_tables "$emptied_tables"); now $content_to_empty"
    say 'use --table to restore only tables that the backup has rows for'
}

# require_rows: ends the script if the backup has rows for no table or, with --table, lacks some
require_rows() {
    [ -s "$work/columns" ] || fail_without_rows
    [ "$mode" != tables ] || [ -z "$emptied_tables" ] || fail_without_rows
}

# fail_without_rows: ends the script; the backup has nothing for the tables to restore
fail_without_rows() {
    ! has_uncounted_rows || {
        hint 'make the backup again without --inserts'
        is_data_only || hint 'or restore the whole backup with RESTORE_SCHEMA=backup'
        die 'the rows of the backup are INSERT commands, which only a full restore can load'
    }
    if [ "$mode" != tables ] || ! grep -q '^rows ' "$work/archive-rows"; then
        die 'the backup contains no rows'
    fi
    [ -n "$emptied_tables" ] ||
        die "these tables have no columns to restore: $(in_one_line "$tables")"
    hint "it contains: $(sed -n 's/^rows \(public\.\)\{0,1\}\(.*\) [0-9]*$/\2/p' \
        "$work/archive-rows" | list_of 10)"
    die "the backup has no rows for these tables: $(shown_tables "$emptied_tables")"
}

shown_tables() { # NAMES, one a line
    in_one_line "$(printf '%s\n' "$1" | sed 's/^public\.//')"
}

# refuse_missing_tables: ends the script if the backup fills tables that the live database lacks
refuse_missing_tables() {
    missing_tables=$(compare_lists other-tables "$work/live-columns.chosen" "$work/columns")
    [ -z "$missing_tables" ] || {
        hint "start CB-Tumblebug's server once to create them"
        is_data_only || hint 'or replace the schema too, with RESTORE_SCHEMA=backup'
        die "the live database lacks these tables of the backup: $(shown_tables "$missing_tables")"
    }
}

# accept_missing_columns: with --drop-missing-columns; otherwise ends the script
accept_missing_columns() {
    missing_columns=$(in_one_line "$(sed 's/^column //' "$work/columns.missing")")
    if [ -z "$drop_missing" ] || [ "$mode" = tables ]; then
        if [ "$mode" = tables ]; then
            hint 'restore all rows with --data-only --drop-missing-columns, or the whole backup'
        else
            hint 'to skip these columns, add --drop-missing-columns to --data-only'
        fi
        die "the live database lacks these columns of the backup (table, column): $missing_columns"
    fi
    warn "skipping columns of the backup that the live database lacks: $missing_columns"
}

# choice KIND: the lines of that kind that choose-tables.sql has printed, without the kind
choice() {
    sed -n "s/^$1 //p" "$work/choice"
}

# require_partitions: tables that the backup fills and the live database lacks could be partitions
# of a chosen one
require_partitions() {
    partitioned=$(choice partitioned)
    [ -n "$partitioned" ] || return 0
    filled_tables=$(sed -n 's/^rows \(.*\) [0-9]*$/\1/p' "$work/archive-rows")
    missing_tables=$({ psql_set names "$filled_tables" && print_sql tables/missing-tables; } |
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
