# After has-column.awk: prints the lines whose table has one of the columns.
has_column(table)
