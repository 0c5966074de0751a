# Reads lines 'column TABLE NAME', then a manifest's lines 'ROWS FINGERPRINT TABLE'; prints the
# latter, without the fingerprint where the table has one of the columns.
NR == FNR { columns[NR] = $0; next }
{
    name = $0
    sub(/^[^ ]* [^ ]* /, "", name)
    for (i in columns)
        if (index(columns[i], "column " name " ") == 1) $0 = $1 " - " name
    print
}
