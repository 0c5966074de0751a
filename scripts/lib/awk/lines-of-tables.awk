# Reads lines 'column TABLE NAME', then a manifest's lines 'ROWS FINGERPRINT TABLE'; prints those of
# the latter whose table has one of the columns.
NR == FNR { columns[NR] = $0; next }
{
    name = $0
    sub(/^[^ ]* [^ ]* /, "", name)
    for (i in columns)
        if (index(columns[i], "column " name " ") == 1) {
            print
            next
        }
}
