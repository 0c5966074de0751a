# Reads two lists of lines 'column TABLE NAME', of the backup and of the live tables. Prints the
# live columns that the backup lacks in tables that it has, as 'TABLE NAME'. Needs table-of.awk.
FILENAME == ARGV[1] {
    listed[$0]
    tables[table_of($0)]
    next
}
!($0 in listed) && table_of($0) in tables {
    sub(/^column /, "")
    print
}
