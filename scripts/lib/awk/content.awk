# Reads lines 'ROWS FINGERPRINT TABLE' and prints what they add up to: '3 tables, 127,928 rows'.
function with_commas(number,   text) {
    for (text = ""; length(number) > 3; number = substr(number, 1, length(number) - 3))
        text = "," substr(number, length(number) - 2) text
    return number text
}
{ rows += $1 }
END {
    rows = sprintf("%.0f", rows)
    printf("%d table%s, %s row%s\n",
           NR, NR == 1 ? "" : "s", with_commas(rows), rows == 1 ? "" : "s")
}
