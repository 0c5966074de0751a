# Reads lines 'ROWS FINGERPRINT TABLE' and prints what they add up to: '3 tables, 127928 rows'.
{ rows += $1 }
END { printf("%d table%s, %.0f row%s\n", NR, NR == 1 ? "" : "s", rows, rows == 1 ? "" : "s") }
