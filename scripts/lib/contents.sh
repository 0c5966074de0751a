# shellcheck shell=sh
# The table of contents of an archive, as pg_restore --list prints it.

# entries_of KINDS CONTENTS: prints the entries of these kinds, a regular expression; none is no
# error
entries_of() {
    LC_ALL=C grep "^[0-9]*; [0-9]* [0-9]* \($1\) " "$2" || [ $? -eq 1 ] || fail_to_read_contents
}

# entries_except KINDS CONTENTS: those of all other kinds
entries_except() {
    LC_ALL=C grep -v "^[0-9]*; [0-9]* [0-9]* \($1\) " "$2" || [ $? -eq 1 ] || fail_to_read_contents
}

# entry_names FILE: the names of the tables and sequences in these entries, in one line
entry_names() {
    sed -e 's/^.* TABLE DATA \([^ ]*\) \([^ ]*\) .*/\1.\2/' \
        -e 's/^.* SEQUENCE SET \([^ ]*\) \([^ ]*\) .*/\1.\2/' "$1" | list_of 20
}

fail_to_read_contents() {
    die "could not read the archive's table of contents"
}
