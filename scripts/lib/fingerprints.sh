# shellcheck shell=sh
# Comparing the tables of a database with the rows and fingerprints of the manifest.
# Needs: awk work

# fingerprints_sql COLUMNS: the SQL that computes them, of these columns only, or of all where there
# are none
fingerprints_sql() {
    psql_set only "$1"
    print_sql tables/user-tables tables/fingerprints
}

# any_table_has_rows FILE: do the manifest's lines in it name a table that has rows?
any_table_has_rows() {
    grep -qv '^0 ' "$1"
}

# sum_of_tables: adds up the manifest's table lines on standard input: '3 tables, 127,928 rows'
sum_of_tables() {
    with_commas "$(awk -f "$awk/sum-of-tables.awk")"
}

# with_columns PROGRAM COLUMNS TABLES: runs that program of lib/awk after has-column.awk
with_columns() {
    LC_ALL=C awk -f "$awk/has-column.awk" -f "$awk/$1.awk" "$2" "$3"
}

# lines_of_one_file FILE FILE: those that the other one lacks
lines_of_one_file() {
    lines_not_in "$1" "$2"
    lines_not_in "$2" "$1"
}

# differences FILE: the tables whose lines in FILE are not those of $work/expected, at most 20: a
# manifest of others may name any number, of any length
differences() {
    lines_of_one_file "$1" "$work/expected" |
        sed -e 's/^[^ ]* [^ ]* //' -e 's/^\(.\{250\}\).*/\1.../' | sort -u | list_of 20
}
