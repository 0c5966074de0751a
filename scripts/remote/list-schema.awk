# Reads the SQL of pg_dump or pg_restore --schema-only and prints what makes up the schema, one
# object a line, in four fields with tabs between: its kind, its table, its name, and what must be
# equal besides: a column's type, a constraint's kind. Expressions do not count: PostgreSQL may
# write the same one in two ways. Nor do names of NOT NULL constraints: from version 18 on, such a
# name may be taken when a table is restored, and another one is chosen.

BEGIN { OFS = "\t" }

/^CREATE (UNLOGGED |FOREIGN )?TABLE / {
    sub(/^CREATE (UNLOGGED |FOREIGN )?TABLE /, "")
    table = name_at_start($0)
    print "table", table, "", ""
    in_table = / \($/
    next
}

in_table && /^    CONSTRAINT / {
    sub(/^    CONSTRAINT /, "")
    print_constraint()
    next
}

in_table && /^    / {
    column = name_at_start(substr($0, 5))
    type = substr($0, 6 + length(column))
    sub(/,$/, "", type)
    sub(/ (DEFAULT|GENERATED|COLLATE|CONSTRAINT|NOT NULL).*/, "", type)
    print "column", table, column, type (/ NOT NULL/ ? " NOT NULL" : "")
    next
}

in_table && /^\)/ { in_table = 0 }

/^ALTER TABLE (ONLY )?/ {
    sub(/^ALTER TABLE (ONLY )?/, "")
    table = name_at_start($0)
    if (/ (ENABLE|FORCE) ROW LEVEL SECURITY;$/) print "row level security", table, "", ""
    next
}

/^    ADD CONSTRAINT / {
    sub(/^    ADD CONSTRAINT /, "")
    print_constraint()
    next
}

/^CREATE (UNIQUE )?INDEX / {
    sub(/^CREATE (UNIQUE )?INDEX /, "")
    index_name = name_at_start($0)
    sub(/^.* ON (ONLY )?/, "")
    print "index", name_at_start($0), index_name, ""
    next
}

/^CREATE (SCHEMA|VIEW|MATERIALIZED VIEW|SEQUENCE|FUNCTION|PROCEDURE|AGGREGATE|TYPE|DOMAIN) / ||
/^CREATE (COLLATION|TRIGGER|EVENT TRIGGER|RULE|POLICY|PUBLICATION|STATISTICS|EXTENSION) / {
    sub(/^CREATE /, "")
    kind = $0
    sub(/ [^A-Z].*/, "", kind)
    print tolower(kind), "", name_at_start(substr($0, length(kind) + 2)), ""
}

END { print "~end" }

function print_constraint(    name) {
    name = name_at_start($0)
    kind = substr($0, length(name) + 2)
    sub(/ .*/, "", kind)
    print "constraint", table, (kind == "NOT" ? "" : name), kind
}

# name_at_start(text): a name with or without a schema; quoted ones may contain anything
function name_at_start(text,    i, character, quoted) {
    for (i = 1; i <= length(text); i++) {
        character = substr(text, i, 1)
        if (character == "\"") quoted = !quoted
        if (!quoted && (character == " " || character == "(" || character == ";")) break
    }
    return substr(text, 1, i - 1)
}
