# Compares two lists of list-schema.awk, the backup's and the live database's. Prints what only the
# backup or the live database has, or what differs, as 'SIDE DESCRIPTION', SIDE being backup, live
# or both. What belongs to a table that only one side has is not listed. The last line is `~end`.

BEGIN { FS = "\t" }
{ object = $1 FS $2 FS $3 }
FILENAME == ARGV[1] { backup[object] = $4; next }
{ live[object] = $4 }

END {
    for (object in backup)
        if (!(object in live)) missing("backup", object, live)
        else if (backup[object] != live[object])
            print "both " described(object) "  " live[object] " in the live database, " \
                backup[object] " in the backup"
    for (object in live)
        if (!(object in backup)) missing("live", object, backup)
    print "~end"
}

function missing(side, object, other,    part) {
    split(object, part, FS)
    if (part[1] == "table" || part[2] == "" || ("table" FS part[2] FS) in other)
        print side " " described(object) "  only in the " (side == "live" ? "live database" : side)
}

function described(object,    part) {
    split(object, part, FS)
    sub(/^public\./, "", part[2])
    sub(/^public\./, "", part[3])
    sub(/ if not exists$/, "", part[1])
    if (part[1] == "column") return part[2] "." part[3]
    if (part[2] == "") return part[1] " " part[3]
    if (part[3] == "") return part[1] " " part[2]
    return part[1] " " part[3] " of " part[2]
}
