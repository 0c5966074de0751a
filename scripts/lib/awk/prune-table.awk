# Prints the lines of prune.awk as a table of at most 80 columns. If the backups are of several
# databases, a column shows the database. Needs formats.awk, LC_ALL=C and the time as `now`.

BEGIN {
    FS = "\t"
    add("name", "age", "size", "database", "plan", "reason")
}

{
    if (!seen[$14]++) databases++
    name = $0
    for (i = 1; i < 16; i++) sub(/^[^\t]*\t/, "", name)
    sub(/.*\//, "", name)
    sub(/\.dump\.gz$/, "", name)
    add(name, $3 == "-" ? "-" : short_age(seconds_of(now) - seconds_of($3)), human_size($4),
        shortened($14), $1, $2)
}

END {
    most = 80 - wide[2] - wide[3] - wide[5] - 8 - 15 # reasons go on in the next line
    if (databases > 1) most -= wide[4] + 2
    if (wide[1] > most) wide[1] = most
    for (n = 1; n <= count; n++) print_row(n)
}

function add(name, age, size, database, plan, reasons) {
    count++
    put(1, name)
    put(2, age)
    put(3, size)
    put(4, database)
    put(5, plan)
    reasons_of[count] = reasons
}

function put(column, text) {
    cell[count, column] = text
    if (width_of(text) > wide[column]) wide[column] = width_of(text)
}

function print_row(n,    line, start, i, reasons, reason) {
    if (width_of(cell[n, 1]) > wide[1]) {
        print cell[n, 1]
        cell[n, 1] = ""
    }
    line = left_aligned(cell[n, 1], wide[1]) " "
    for (i = 2; i <= 3; i++) line = line sprintf(" %" wide[i] "s", cell[n, i])
    if (databases > 1) line = line "  " left_aligned(cell[n, 4], wide[4])
    line = line "  " left_aligned(cell[n, 5], wide[5])
    start = width_of(line) + 2
    reasons = split(reasons_of[n], reason, ", ")
    for (i = 1; i <= reasons; i++) {
        if (width_of(line) > start && width_of(line reason[i]) + 2 > 79) {
            print line ","
            line = sprintf("%" start "s%s", "", reason[i])
        } else line = line (width_of(line) > start ? ", " : "  ") reason[i]
    }
    sub(/ +$/, "", line)
    print line
}
