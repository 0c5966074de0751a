# Reads the SQL that pg_restore makes of an archive's rows and prints, for every table it fills,
# "rows TABLE N" and "column TABLE NAME". Rows end at a line "\." which no row can be. A line
# "~end", at the end of the whole SQL, stays.
copying && $0 == "\\." { print "rows " table " " rows; copying = 0; next }
copying { rows++; next }
$0 == "~end" { print; next }
/^COPY .* FROM stdin;$/ {
    copying = 1
    rows = 0
    split_copy(substr($0, 6, length($0) - 5 - length(" FROM stdin;")))
}

# TABLE (COLUMN, COLUMN): names may be quoted, and quoted ones may hold anything
function split_copy(text, i, character, quoted, part) {
    table = ""
    part = ""
    for (i = 1; i <= length(text); i++) {
        character = substr(text, i, 1)
        if (character == "\"") quoted = !quoted
        if (!quoted && table == "" && substr(text, i, 2) == " (") {
            table = part
            part = ""
            i++
        } else if (!quoted && table != "" && (character == "," || character == ")")) {
            print "column " table " " part
            part = ""
            if (character == ",") i++
        } else part = part character
    }
    if (table == "") {
        table = part
        sub(/ $/, "", table) # without columns there are two spaces
    }
}
