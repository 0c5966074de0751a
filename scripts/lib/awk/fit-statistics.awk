# Prints the table statistics on a terminal with that many `columns`: without their bars if these do
# not fit and, if that is not enough, with long names in lines of their own. Needs table.awk.
{
    line[NR] = $0
    if (width_of($0) > columns) is_too_wide = 1
}

END {
    for (n = 1; n <= NR; n++) {
        if (is_too_wide) sub(/%  [█#]+$/, "%", line[n])
        if (width_of(line[n]) > columns) has_long_name = 1
        split_line(n)
    }
    for (n = 1; n <= NR; n++) {
        if (has_long_name && n in has_numbers)
            printf("%s  %" wide[2] "s\n", name_cell(n, columns - wide[2] - 2), cell[n, 2])
        else
            print line[n]
    }
}

# Splits a line into two cells, name and numbers. A line that only continues a name with a line
# break stays whole.
function split_line(row,    numbers) {
    rows = row
    if (!match(line[row], /  +(rows +size +share|[0-9,]* *[0-9.]+ [kMGT]?B +[0-9.]+%)$/)) return
    has_numbers[row]
    put(1, substr(line[row], 1, RSTART - 1))
    numbers = substr(line[row], RSTART)
    sub(/^ +/, "", numbers)
    put(2, numbers)
}
