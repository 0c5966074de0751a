# Reads what extension-row-hashes.sql prints of two databases, and prints each table of which both
# are readable, and of which the second has a row that the first lacks.

BEGIN { FS = "\t" }
FILENAME == ARGV[1] {
    kept[$0]
    next
}
NF == 2 && ($1 in kept) && !($0 in kept) && !named[$1]++ { print $1 }
