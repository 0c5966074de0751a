# Reads the lines of columns.sql that two databases share, then those of one; prints what only that
# one has, which is -v place=PLACE. What belongs to a table that only it has is not listed.
BEGIN { FS = "\t" }
FILENAME == ARGV[1] { shared[$0]; next }
!($0 in shared) && ($1 == "table" || ("table" FS $2) in shared) {
    sub(/^public\./, "", $2)
    if ($1 == "column") $2 = $2 "." $3
    if ($1 == "key") {
        gsub(/[]["]/, "", $3)
        gsub(/,/, ", ", $3)
        $2 = $2 " (" $3 ")"
    }
    print ($1 == "key" ? "primary key of" : $1) " " $2 "  only in " place
}
