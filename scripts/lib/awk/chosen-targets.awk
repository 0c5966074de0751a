# Reads the names of tables as SQL names them, one a line, and then pairs of lines: what an entry of
# an archive fills, TABLE (COLUMN, ...), and the entry. Prints the pairs for one of the tables.
FILENAME == ARGV[1] { tables[$0]; next }
FNR % 2 { target = $0; next }
{
    for (table in tables)
        if (target == table || index(target, table " (") == 1) {
            print target
            print
            break
        }
}
