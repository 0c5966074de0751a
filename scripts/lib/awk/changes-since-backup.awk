# Reads the table lines of an earlier and of a new manifest. Prints how each table has changed, in
# one line: 'spec_infos +12 rows, image_infos -1 row, latency_infos changed', and of more than 20
# tables how many more. Needs formats.awk.

{
    name = $0
    sub(/^[^ ]* [^ ]* /, "", name)
    sub(/^public\./, "", name)
    if (!(name in seen)) names[++count] = name
    seen[name]
}

FILENAME == ARGV[1] {
    rows[name] = $1
    fingerprint[name] = $2
    next
}

{
    in_new[name]
    if (!(name in rows)) change[name] = "new (" rows_text($1) ")"
    else if ($1 > rows[name]) change[name] = "+" rows_text($1 - rows[name])
    else if ($1 < rows[name]) change[name] = "-" rows_text(rows[name] - $1)
    else if ($2 != fingerprint[name]) change[name] = "changed"
}

END {
    for (i = 1; i <= count; i++) {
        name = names[i]
        if (!(name in in_new)) change[name] = "gone"
        if (name in change && ++changes <= 20) {
            printf("%s%s %s", separator, name, change[name])
            separator = ", "
        }
    }
    if (changes > 20) printf(" and %d more", changes - 20)
    print (separator == "" ? "the same rows" : "")
}

function rows_text(number) {
    return with_commas(number) (number == 1 ? " row" : " rows")
}
