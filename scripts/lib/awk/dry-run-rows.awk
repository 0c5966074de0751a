# Reads two files of lines 'ROWS FINGERPRINT TABLE', the live database's and the backup's, and
# prints for every table 'NOW LATER DIFFERENCE TABLE', separated by tabs: its rows in both. The
# schema public is not named. With `uncounted`, the rows of one of them are unknown, and
# DIFFERENCE is '-'.
BEGIN { OFS = "\t" }
{
    rows = $1
    sub(/^[^ ]* [^ ]* /, "")
    tables[$0]
}
FILENAME == ARGV[1] { now[$0] = rows; next }
{ later[$0] += rows } # a partitioned table may be in the backup by its partitions
END {
    for (table in tables) {
        name = table
        sub(/^public\./, "", name)
        print(table in now ? now[table] : "-", table in later ? later[table] : "-",
              uncounted ? "-" : later[table] - now[table], name)
    }
}
