# Reads two lists of lines 'column TABLE NAME'. Prints the tables that only the second one has.
{ table = table_of($0) }
FILENAME == ARGV[1] { listed[table]; next }
!(table in listed) {
    print table
    listed[table]
}

# table_of LINE: without the column, whose name may be quoted
function table_of(line) {
    sub(/^column /, "", line)
    sub(/ ("([^"]|"")*"|[^" ]+)$/, "", line)
    return line
}
