# shellcheck shell=sh
# The table of contents of an archive, as pg_restore --list prints it, and what the archive holds.
# Needs: manifest_found work

# Entries of an archive's table of contents, as regular expressions: a table, and the rows of one.
table_entry='1259 [0-9]* TABLE'
rows_entry='0 [0-9]* TABLE DATA'

# entries_of KINDS CONTENTS: prints the entries of these kinds, a regular expression; none is no
# error
entries_of() {
    LC_ALL=C grep "^[0-9]*; [0-9]* [0-9]* \($1\) " "$2" || [ $? -eq 1 ] || fail_to_read_contents
}

# entries_except KINDS CONTENTS: those of all other kinds
entries_except() {
    LC_ALL=C grep -v "^[0-9]*; [0-9]* [0-9]* \($1\) " "$2" || [ $? -eq 1 ] || fail_to_read_contents
}

# entry_names FILE: the names of the tables and sequences in these entries, in one line
entry_names() {
    sed -e 's/^.* TABLE DATA \([^ ]*\) \([^ ]*\) .*/\1.\2/' \
        -e 's/^.* SEQUENCE SET \([^ ]*\) \([^ ]*\) .*/\1.\2/' "$1" | list_of 20
}

is_data_only() {
    case ${manifest_found:+$(manifest_field holds)} in
        'data only') return 0 ;;
        'schema and data') return 1 ;;
    esac
    archive_has "$rows_entry" && ! archive_has "$table_entry"
}

is_schema_only() {
    archive_has "$table_entry" && ! archive_has "$rows_entry"
}

# backup_has_rows: without a manifest, a table whose rows are in the archive may be empty
backup_has_rows() {
    if [ -n "$manifest_found" ]; then
        any_table_has_rows "$work/tables"
    else
        archive_has "$rows_entry"
    fi
}

# has_uncounted_rows: does the archive have rows, but none in the format of COPY? Needs
# $work/archive-rows
has_uncounted_rows() {
    [ -z "$manifest_found" ] && archive_has "$rows_entry" && ! grep -q '^rows ' "$work/archive-rows"
}

backup_has_large_objects() {
    archive_has '[0-9]* [0-9]* BLOB.*'
}

archive_has() { # ENTRY
    [ "$(count_entries "$1")" -gt 0 ]
}

count_entries() { # ENTRY
    grep -c "^[0-9]*; $1 " "$work/contents" || :
}

tables_in_backup() {
    listed_entry=$rows_entry
    ! is_schema_only || listed_entry=$table_entry
    amount "$(count_entries "$listed_entry")" table
}

contents_field() {
    sed -n "s/^; *$1 *//p" "$work/contents" | head -n 1
}

fail_to_read_contents() {
    die "could not read the archive's table of contents"
}
