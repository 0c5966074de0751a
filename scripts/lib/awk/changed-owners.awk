# Reads the output of table-owners.sql, then a table of contents; prints "'OWNER' -> 'OWNER'" for
# each table in both whose owner now differs from its owner in the backup.
FILENAME == ARGV[1] { split($0, part, "\t"); owner_of[part[1]] = part[2]; next }
/^[0-9]+; [0-9]+ [0-9]+ TABLE / {
    owner = $NF
    sub(/^[0-9]+; [0-9]+ [0-9]+ /, "")
    table = substr($0, 1, length($0) - length(owner) - 1)
    if (table in owner_of && owner_of[table] != owner)
        print "'" owner_of[table] "' -> '" owner "'"
}
