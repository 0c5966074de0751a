# shellcheck shell=sh
# The staging database: filled from the archive in one of three ways, and proved.
#   whole    schema and rows from the archive
#   rows     the live database's schema, the archive's rows
#   tables   the same, for chosen tables, whose rows then replace those of the live database

# choose_way: from the options and from what the archive holds; sets $way, and where the live database's
# schema is kept, what the archive's rows bring ($work/brought) and the columns they go to ($work/columns)
choose_way() {
    way=whole
    ! is_data_only || data_only=yes
    [ -z "$data_only" ] || way=rows
    [ -z "$tables" ] || way=tables
    : >"$work/columns"
    [ "$way" != whole ] || return 0
    require_database
    open_session live "$TB_POSTGRES_DATABASE"
    refuse_names_of_several_lines
    choose_tables
    list_brought
    compare_columns
}

is_data_only() {
    [ -z "$proved" ] || [ "$(manifest_value holds)" != 'data only' ] || return 0
    grep -q '^[0-9]*; 0 [0-9]* TABLE DATA ' "$work/contents" && ! grep -q '^[0-9]*; 1259 [0-9]* TABLE ' "$work/contents"
}

# list_brought: every table and column that the archive's rows fill
list_brought() {
    # shellcheck disable=SC2016 # it expands next to the server
    beside_server sh -c 'pg_restore --data-only --file=- "$1" | awk "$2"' sh "$archive" "$(cat "$root/scripts/lib/copied.awk")" \
        </dev/null >"$work/brought" 2>"$work/restore.errors" || not_whole "$work/restore.errors"
}

# refuse_names_of_several_lines: these ways go by lists of names, one a line
refuse_names_of_several_lines() {
    found=$(ask live <"$sql/tables/names-of-several-lines.sql") || fail_with "$work/live.errors" 'the names cannot be read'
    [ -z "$found" ] || die "names with control characters can only be restored as a whole:" \
        "$(in_one_line "$found"); nothing was changed"
}

# choose_tables: the full names of the tables asked for and of their partitions, which hold the rows
choose_tables() {
    { psql_set tables "$tables" && cat "$sql/tables/choose-tables.sql"; } | ask live >"$work/found" ||
        fail_with "$work/live.errors" 'the tables cannot be found'
    unknown=$(sed -n 's/^unknown //p' "$work/found")
    if [ -n "$unknown" ]; then
        hint 'make stats shows the tables there are'
        die "there is no table $(in_one_line "$unknown") in database '$TB_POSTGRES_DATABASE'; nothing was changed"
    fi
    moving=$(sed -n 's/^whole //p' "$work/found" | sort -u)
    if [ -n "$moving" ]; then
        hint 'restore the whole table: --table with its name'
        die "cannot restore single partitions of $(in_one_line "$moving"): it is partitioned by the hash of an enum," \
            'so that rows may belong to other partitions here; the database is unchanged'
    fi
    sed -n 's/^table //p' "$work/found" >"$work/chosen"
}

# compare_columns: says by name where the backup's columns differ from the live ones, before anything is asked
compare_columns() {
    ask live <"$sql/tables/live-columns.sql" >"$work/live-columns" || fail_with "$work/live.errors" 'the columns cannot be read'
    of_chosen_tables <"$work/live-columns" >"$work/live-columns.chosen"
    of_chosen_tables <"$work/brought" >"$work/columns"
    homeless=$(grep -Fxv -f "$work/live-columns.chosen" "$work/columns" | sed 's/^column //')
    defaulted=$(grep -Fxv -f "$work/columns" "$work/live-columns.chosen" | sed 's/^column //')
    if [ -n "$homeless" ]; then
        die "the live database has no place for what the backup brings (table, column): $(in_one_line "$homeless");" \
            'nothing was changed'
    fi
    require_partitions
    [ -s "$work/columns" ] || die "the backup holds no rows of the chosen tables; nothing was changed"
    [ -z "$defaulted" ] ||
        warn "not in the backup, and therefore empty or at its default (table, column): $(in_one_line "$defaulted")"
}

# require_partitions: what the backup fills and the live database lacks could be a chosen table's partitions
require_partitions() {
    partitioned=$(sed -n 's/^partitioned //p' "$work/found")
    [ -n "$partitioned" ] || return 0
    filled=$(sed -n 's/^rows \(.*\) [0-9]*$/\1/p' "$work/brought")
    lacking=$({ psql_set names "$filled" && cat "$sql/tables/lacking-tables.sql"; } | ask live) ||
        fail_with "$work/live.errors" 'the tables cannot be compared'
    [ -z "$lacking" ] || {
        hint 'create them first, or restore the whole backup'
        die "the live database lacks tables of the backup that could be partitions of $(in_one_line "$partitioned"):" \
            "$(in_one_line "$lacking"); nothing was changed"
    }
}

# of_chosen_tables: the "column TABLE NAME" lines on standard input that belong to a chosen table
of_chosen_tables() {
    if [ "$way" = rows ]; then
        sed -n '/^column /p'
    else
        awk 'NR == FNR { prefix["column " $0 " "]; next }
             { for (p in prefix) if (index($0, p) == 1) print }' "$work/chosen" -
    fi
}
