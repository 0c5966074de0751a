# Prints the table statistics without their bars if a line has more than `columns` columns.
{
    line[NR] = $0
    gsub(/█/, "#") # one character for any awk
    if (length($0) > columns) too_wide = 1
}
END {
    for (n = 1; n <= NR; n++) {
        if (too_wide) sub(/%  [█#]+$/, "%", line[n])
        print line[n]
    }
}
