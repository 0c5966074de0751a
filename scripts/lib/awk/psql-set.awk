# Prints the psql command that gives a variable its value, whatever it contains: standard input, and
# the name that -v variable gives, or each of the files, named like its variable. Needs LC_ALL=C.

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
