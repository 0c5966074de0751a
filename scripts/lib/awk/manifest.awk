# Reads a manifest: prints the value of the field that -v field names; without it, the lines of its
# tables.
#
# Fields are the lines before the first empty one, and the signature after the tables. No row of the
# database can look like one: the table of providers is indented, and a line of a table begins with
# its rows. A manifest made before that has most of its fields in the paragraph before the tables,
# and the signature under its earlier name, `seal:`. A provider could look like a field there: only
# these places count.

function print_value(line) {
    print substr(line, length(field) + 3)
    exit
}

function is_field(line) {
    return field != "" && index(line, field ": ") == 1
}

NR == 1 { next }

in_tables {
    sub(/^seal: /, "signature: ")
    if (is_field($0)) print_value($0)
    if (field == "" && /^[0-9]/) print
    next
}

/^tables: [0-9]+ \(rows, fingerprint, name\)$/ {
    in_tables = 1
    if (earlier && before != "") print_value(before)
    next
}

/^$/ {
    earlier = !has_hash
    before = found
    found = ""
    after_head = 1
    next
}

!after_head && /^sha256: / { has_hash = 1 }
!after_head && is_field($0) { print_value($0) }
after_head && found == "" && is_field($0) { found = $0 }
