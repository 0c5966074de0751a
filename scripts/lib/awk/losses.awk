# Reads two files of lines 'ROWS FINGERPRINT TABLE', earlier ones and later ones. Prints the tables
# that are gone or lost more than a fifth of their rows as 'BEFORE NOW TABLE'; NOW may be gone.
{
    rows = $1
    sub(/^[^ ]* [^ ]* /, "")
}
FILENAME == ARGV[1] {
    tables[++n] = $0
    before[n] = rows
    next
}
{ now[$0] = rows }
END {
    for (i = 1; i <= n; i++)
        if (!(tables[i] in now)) print before[i], "gone", tables[i]
        else if (now[tables[i]] * 5 < before[i] * 4) print before[i], now[tables[i]], tables[i]
}
