# Prints the lines of dry-run-rows.awk as a table of less than `columns` columns; a name that is too
# long for it has a line of its own. Needs formats.awk, table.awk, catalog-fields.awk and LC_ALL=C.
BEGIN {
    add_headings("table now")
    put(3, "in backup")
    put(4, "difference")
}
{
    rows++
    put(1, from_field(4))
    put(2, with_commas($1))
    put(3, with_commas($2))
    put(4, ($3 > 0 ? "+" : "") with_commas($3))
}
END {
    most = columns - 1 - 6 - wide[2] - wide[3] - wide[4]
    if (most < 1) most = 1
    format = "  %" wide[2] "s  %" wide[3] "s  %" wide[4] "s\n"
    for (n = 1; n <= rows; n++)
        printf("%s" format, name_cell(n, most), cell[n, 2], cell[n, 3], cell[n, 4])
}
