# Reads lines 'column TABLE NAME' first; for programs that then read a manifest's lines 'ROWS
# FINGERPRINT TABLE'.
FILENAME == ARGV[1] { columns[NR] = $0; next }

# has_column(table): does one of the columns belong to it?
function has_column(table,    i) {
    for (i in columns)
        if (index(columns[i], "column " table " ") == 1) return 1
    return 0
}

{
    table = $0
    sub(/^[^ ]* [^ ]* /, "", table)
}
