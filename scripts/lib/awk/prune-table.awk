# Prints the lines of prune.awk as a table of at most `columns` columns. If the backups are of
# several databases, a column shows the database. Needs formats.awk, table.awk, catalog-fields.awk,
# LC_ALL=C and the time as `now`.

BEGIN {
    add_headings("name age size database plan")
    reasons_of[rows] = "reason"
}

{
    if (!seen[$(PLAN + DATABASE)]++) databases++
    name = from_field(PLAN + FILE)
    if (!sub(/.*\//, "", name)) sub(/^[^:]*:/, "", name) # in the root of a remote
    sub(/\.dump\.gz$/, "", name)
    created = $(PLAN + CREATED)
    rows++
    put(1, name)
    put(2, created == "-" ? "-" : short_age(seconds_of(now) - seconds_of(created)))
    put(3, human_size($(PLAN + BYTES)))
    put(4, shortened($(PLAN + DATABASE)))
    put(5, $1)
    reasons_of[rows] = $2
}

END {
    most = columns - wide[2] - wide[3] - wide[5] - 8 - 15 # reasons go on in the next line
    if (databases > 1) most -= wide[4] + 2
    for (n = 1; n <= rows; n++) print_row(n, most)
}

function print_row(n, most,    line, start, i, reasons, reason) {
    line = name_cell(n, most) " "
    for (i = 2; i <= 3; i++) line = line sprintf(" %" wide[i] "s", cell[n, i])
    if (databases > 1) line = line "  " left_aligned(cell[n, 4], wide[4])
    line = line "  " left_aligned(cell[n, 5], wide[5])
    start = width_of(line) + 2
    reasons = split(reasons_of[n], reason, ", ")
    for (i = 1; i <= reasons; i++) {
        if (width_of(line) > start && width_of(line reason[i]) + 2 >= columns) {
            print line ","
            line = sprintf("%" start "s%s", "", reason[i])
        } else line = line (width_of(line) > start ? ", " : "  ") reason[i]
    }
    sub(/ +$/, "", line)
    print line
}
