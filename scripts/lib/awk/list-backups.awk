# Prints the lines of the catalog as a table of at most 80 columns; a name that is too long for it
# has a line of its own. If they are of several databases, a column shows the database. Needs
# formats.awk, LC_ALL=C, the time as `now`, and BACKUPS (an environment variable): a backup in that
# directory is called by its name only.

BEGIN {
    FS = "\t"
    add("name", "age", "size", "rows", "server", "database", "state", "verified")
}

{
    if ($12 != "-" && !seen[$12]++) databases++
    path = $0
    for (i = 1; i < 14; i++) sub(/^[^\t]*\t/, "", path)
    add(name_of(path), $1 == "-" ? "-" : age_of($1), $2 == "-" ? "-" : human_size($2),
        with_commas($3), $5, shortened($12), state_of($7, $13, $6),
        $8 == "-" ? "-" : verification($8, $9, $10))
}

END {
    most = 80 - wide[2] - wide[3] - wide[4] - wide[5] - wide[7] - wide[8] - 9
    if (databases > 1) most -= wide[6] + 2
    if (wide[1] > most) wide[1] = most
    for (n = 1; n <= count; n++) {
        if (width_of(cell[n, 1]) > wide[1]) {
            print cell[n, 1]
            cell[n, 1] = ""
        }
        line = left_aligned(cell[n, 1], wide[1]) " "
        for (c = 2; c <= 5; c++) line = line sprintf(" %" wide[c] "s", cell[n, c])
        if (databases > 1) line = line "  " left_aligned(cell[n, 6], wide[6])
        line = line "  " left_aligned(cell[n, 7], wide[7]) "  " cell[n, 8]
        sub(/ +$/, "", line)
        print line
    }
}

function add(name, age, size, rows, server, database, state, verified) {
    count++
    put(1, name)
    put(2, age)
    put(3, size)
    put(4, rows)
    put(5, server)
    put(6, database)
    put(7, state)
    put(8, verified)
}

function put(column, text) {
    cell[count, column] = text
    if (width_of(text) > wide[column]) wide[column] = width_of(text)
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
    if (state ~ /^(ok|no-info|other-info)$/ && trust != "trusted") state = trust
    if (state == "ok" && holds == "data only") state = holds
    sub(/-/, " ", state)
    return state
}

function verification(level, result, time) {
    return (result == "ok" ? level : result) " " age_of(time)
}
