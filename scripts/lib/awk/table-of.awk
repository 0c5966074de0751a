# The table of a line 'column TABLE NAME'; both names may be quoted.
function table_of(line) {
    sub(/^column /, "", line)
    sub(/ ("([^"]|"")*"|[^" ]+)$/, "", line)
    return line
}
