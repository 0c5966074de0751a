# shellcheck shell=sh
# Comparing the rows of two databases, in SQL on the server: this host receives only the lists of
# columns and the result.
# Needs: awk child server_tmp staging work

# list_columns DATABASE UNFILLED: its tables, columns and keys to compare, without these columns
list_columns() {
    {
        psql_set ignored "$DIFF_IGNORE"
        psql_set unfilled "$2"
        print_sql tables/user-tables compare/compared compare/columns
    } | sql "$1" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not read the columns'
}

# warn_of_unknown_columns OLD NEW: those in DIFF_IGNORE that neither database has
warn_of_unknown_columns() {
    list_unknown_columns "$1" >"$work/unknown.old"
    list_unknown_columns "$2" >"$work/unknown.new"
    unknown_columns=$(lines_in "$work/unknown.old" "$work/unknown.new")
    [ -z "$unknown_columns" ] ||
        warn "DIFF_IGNORE: no table has these columns: $(in_one_line "$unknown_columns")"
}

list_unknown_columns() { # DATABASE
    { psql_set ignored "$DIFF_IGNORE" && print_sql compare/unknown-columns; } |
        sql "$1" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not read the columns'
}

# compare_databases OLD NEW REPORT ROWS: compares what $work/columns.old and $work/columns.new
# share, and prints that report. $work/examples gets up to ROWS rows of each kind per table, as JSON
compare_databases() {
    lines_in "$work/columns.old" "$work/columns.new" >"$work/columns.both"
    : >"$work/examples"
    in_both digest "$1" "$2"
    {
        psql_set rows "$4"
        set_files digest
        print_sql compare/differences compare/counts "compare/$3" compare/choose-examples
    } >"$work/compare.sql"
    run_comparison
    tail -n 1 "$work/compared" >"$work/examples"
    sed '$d' "$work/compared"
}

# print_examples OLD NEW [json]: those in $work/examples, as text or JSON
print_examples() {
    in_both values "$1" "$2"
    {
        set_examples
        set_files values
        print_sql compare/examples "compare/examples-${3:-text}"
    } >"$work/compare.sql"
    run_comparison
    cat "$work/compared"
}

# print_only_in_one OLD NEW: the tables, columns and primary keys that only one side has; OLD and
# NEW are what the result calls the sides
print_only_in_one() {
    only_in_one old "$1"
    only_in_one new "$2"
}

only_in_one() { # SIDE PLACE
    LC_ALL=C awk -v place="$2" -f "$awk/only-in-one.awk" "$work/columns.both" "$work/columns.$1"
}

# in_both NAME OLD NEW: runs that SQL in both databases at once; what it prints goes to the files
# NAME.old and NAME.new on the server
in_both() {
    {
        psql_set common "$(cat "$work/columns.both")"
        set_examples
        print_sql tables/user-tables compare/compared compare/expressions "compare/$1"
    } >"$work/$1.sql"
    background_from "$work/$1.sql" print_to_file "$2" "$1.old"
    reading_old=$child
    background_from "$work/$1.sql" print_to_file "$3" "$1.new"
    wait "$child" || fail_with "$work/$1.new.errors" "could not read database '$3'"
    wait "$reading_old" || fail_with "$work/$1.old.errors" "could not read database '$2'"
}

# print_to_file DATABASE FILE: the answer to the SQL on standard input, to that file on the server.
# Nothing can be written to the database
print_to_file() {
    PGDATABASE=$1
    set_options default_transaction_read_only=on
    # shellcheck disable=SC2016 # expands on the server
    on_server sh -c 'exec psql -X -q -A -t -v ON_ERROR_STOP=1 >"$1"' sh "$server_tmp/$2" \
        2>"$work/$2.errors"
}

set_files() { # NAME
    psql_set old "$server_tmp/$1.old"
    psql_set new "$server_tmp/$1.new"
}

set_examples() {
    psql_set examples "$(cat "$work/examples")"
}

# run_comparison: runs $work/compare.sql, which reads those files, in the staging database; into
# $work/compared
run_comparison() {
    sql "$staging" <"$work/compare.sql" >"$work/compared" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not compare the rows'
}
