# After has-column.awk: prints the lines, without the fingerprint where the table has a column.
{ print has_column(table) ? $1 " - " table : $0 }
