# Reads two lists of lines 'column TABLE NAME'. Prints the tables that only the second one has.
# Needs table-of.awk.
{ table = table_of($0) }
FILENAME == ARGV[1] { listed[table]; next }
!(table in listed) {
    print table
    listed[table]
}
