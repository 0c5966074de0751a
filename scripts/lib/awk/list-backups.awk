# Prints the lines of the catalog as a table of at most `columns` columns; a name that is too long
# for it has a line of its own. If they are of several databases, a column shows the database. Needs
# formats.awk, table.awk, catalog-fields.awk, LC_ALL=C, the time as `now`, and BACKUPS (an
# environment variable): a backup in that directory is called by its name only.

BEGIN {
    add_headings("name age size rows server database state verified")
}

{
    if ($DATABASE != "-" && !seen[$DATABASE]++) databases++
    rows++
    put(1, name_of(from_field(FILE)))
    put(2, $CREATED == "-" ? "-" : age_of($CREATED))
    put(3, $BYTES == "-" ? "-" : human_size($BYTES))
    put(4, with_commas($ROWS))
    put(5, $SERVER)
    put(6, shortened($DATABASE))
    put(7, state_of($STATE, $TRUST, $HOLDS))
    put(8, $LEVEL == "-" ? "-" : verification($LEVEL, $RESULT, $VERIFIED))
}

END {
    most = columns - wide[2] - wide[3] - wide[4] - wide[5] - wide[7] - wide[8] - 9
    if (databases > 1) most -= wide[6] + 2
    for (n = 1; n <= rows; n++) {
        line = name_cell(n, most) " "
        for (c = 2; c <= 5; c++) line = line sprintf(" %" wide[c] "s", cell[n, c])
        if (databases > 1) line = line "  " left_aligned(cell[n, 6], wide[6])
        line = line "  " left_aligned(cell[n, 7], wide[7]) "  " cell[n, 8]
        sub(/ +$/, "", line)
        print line
    }
}

function name_of(path) {
    if (index(path, ENVIRON["BACKUPS"]) == 1 && sub(/\.dump\.gz$/, "", path))
        return substr(path, length(ENVIRON["BACKUPS"]) + 1)
    sub(/^\.\//, "", path)
    return path
}

function age_of(time) {
    return short_age(seconds_of(now) - seconds_of(time))
}

# A restore goes by the trust; FILE.info is only a copy.
function state_of(state, trust, holds) {
    if (is_intact(state) && trust != "trusted") state = trust
    if (state == "ok" && holds == "data only") state = holds
    sub(/-/, " ", state)
    return state
}

function verification(level, result, time) {
    return (result == "ok" ? level : result) " " age_of(time)
}
