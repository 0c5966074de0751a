# shellcheck shell=sh
# Comparing a database's tables with the manifest's rows and fingerprints.

# fingerprints_of COLUMNS: the SQL that takes them, of these columns only, or of all where there are none
fingerprints_of() {
    psql_set only "$1"
    cat "$sql/tables/fingerprints.sql"
}

# expected: the manifest's lines of the tables that this restore fills
expected() {
    if [ "$way" = whole ]; then
        cat "$work/tables"
    else
        awk 'NR == FNR { lines[NR] = $0; next }
             { name = $0; sub(/^[^ ]* [^ ]* /, "", name); name = "column " name " "
               for (i in lines) if (index(lines[i], name) == 1) { print; next } }' "$work/columns" "$work/tables"
    fi
}

# differences FILE: the tables whose rows or fingerprints in FILE are not the expected ones
differences() {
    in_one_line "$({
        grep -Fxv -f "$1" "$work/expected"
        grep -Fxv -f "$work/expected" "$1"
    } | sed 's/^[^ ]* [^ ]* //' | sort -u)"
}
