# Reads a list of list-schema.awk, then lines 'column TABLE NAME'; prints each of these columns as
# its table, name and type, with tabs between; no type where the list has none.
BEGIN {
    FS = "\t"
    OFS = "\t"
}
FILENAME == ARGV[1] {
    sub(/ NOT NULL$/, "", $4)
    types["column " $2 " " $3] = $2 FS $3 FS $4
    next
}
$0 in types {
    print types[$0]
    next
}
{
    sub(/^column /, "")
    match($0, /([^ "]|"([^"]|"")*")+$/)
    print substr($0, 1, RSTART - 2), substr($0, RSTART), ""
}
