# Prints the lines of dry-run-rows.awk as a table of less than `columns` columns, at most 79; a name
# that is too long for it has a line of its own. Needs formats.awk and LC_ALL=C.
function add(name, now, later, difference) {
    names[++n] = name
    if (width_of(name) > wide[0]) wide[0] = width_of(name)
    cell[n, 1] = now
    cell[n, 2] = later
    cell[n, 3] = difference
    for (i = 1; i <= 3; i++) if (length(cell[n, i]) > wide[i]) wide[i] = length(cell[n, i])
}
BEGIN { add("table", "now", "in backup", "difference") }
{
    name = $0
    sub(/^[^\t]*\t[^\t]*\t[^\t]*\t/, "", name)
    add(name, with_commas($1), with_commas($2), ($3 > 0 ? "+" : "") with_commas($3))
}
END {
    most = (columns < 80 ? columns - 1 : 79) - 6 - wide[1] - wide[2] - wide[3]
    if (most < 1) most = 1
    if (wide[0] > most) wide[0] = most
    format = "  %" wide[1] "s  %" wide[2] "s  %" wide[3] "s\n"
    for (line = 1; line <= n; line++) {
        if (width_of(names[line]) > most) {
            print names[line]
            names[line] = ""
        }
        name = left_aligned(names[line], wide[0])
        printf("%s" format, name, cell[line, 1], cell[line, 2], cell[line, 3])
    }
}
