# A table whose rows are collected before they are printed: `rows` of them, cell[row, column], and
# the width of each column, wide[column]. Needs formats.awk and LC_ALL=C.

# Begins the table with a row of these words.
function add_headings(words,    headings, columns, i) {
    columns = split(words, headings, " ")
    rows++
    for (i = 1; i <= columns; i++) put(i, headings[i])
}

# Sets a cell of the last row.
function put(column, text) {
    cell[rows, column] = text
    if (width_of(text) > wide[column]) wide[column] = width_of(text)
}

# The first cell of a row, padded to the width of its column, but at most to `most`. A longer name
# is printed in a line of its own.
function name_cell(row, most,    name) {
    name = cell[row, 1]
    if (wide[1] < most) most = wide[1]
    if (width_of(name) > most) {
        print name
        name = ""
    }
    return left_aligned(name, most)
}
