# Prints psql's command \set for a variable. With -v variable=NAME, the value is standard input.
# With files, prints one command for each: the file is the value, its name without .sql the
# variable. Needs LC_ALL=C, because it escapes bytes.

function name_of(file) {
    sub(/.*\//, "", file)
    sub(/\.sql$/, "", file)
    return file
}

FNR == 1 {
    if (NR > 1) print "'"
    printf("\\set %s '", variable == "" ? name_of(FILENAME) : variable)
}

FNR > 1 { printf("\\n") }

{
    gsub(/'/, "''")
    count = split($0, parts, "[\\\\]")
    for (i = 1; i <= count; i++) printf("%s%s", i > 1 ? "\\\\" : "", parts[i])
}

END { print "'" }
