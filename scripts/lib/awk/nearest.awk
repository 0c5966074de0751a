# For each input line that is not in CANDIDATES (an environment variable, one candidate a line),
# prints `LINE TAB CANDIDATE` with the nearest candidate, if one is near: one or two letters
# differ, or two neighbours are swapped, or the line is its beginning. A line that has a tab has its
# candidate already.
BEGIN {
    count = split(ENVIRON["CANDIDATES"], candidate, "\n")
    for (c = 1; c <= count; c++) known[candidate[c]]
}
/\t/ { print; next }
!($0 in known) {
    best = 0
    least = length($0) < 3 ? 0 : length($0) < 6 ? 1.5 : 2.5
    for (c = 1; c <= count; c++) {
        far = candidate[c] == "" ? 99 : distance(tolower($0), tolower(candidate[c]))
        if (far < least) { least = far; best = c }
    }
    if (best) print $0 "\t" candidate[best]
}

function distance(from, to,    i, j, d) {
    if (length(from) > 2 && index(to, from) == 1 && from != to) return 1
    for (i = 0; i <= length(from); i++) d[i, 0] = i
    for (j = 0; j <= length(to); j++) d[0, j] = j
    for (i = 1; i <= length(from); i++)
        for (j = 1; j <= length(to); j++) {
            d[i, j] = d[i - 1, j - 1] + (substr(from, i, 1) != substr(to, j, 1))
            if (d[i - 1, j] + 1 < d[i, j]) d[i, j] = d[i - 1, j] + 1
            if (d[i, j - 1] + 1 < d[i, j]) d[i, j] = d[i, j - 1] + 1
            if (i > 1 && j > 1 && substr(from, i, 1) == substr(to, j - 1, 1) &&
                substr(from, i - 1, 1) == substr(to, j, 1) && d[i - 2, j - 2] + 1 < d[i, j])
                d[i, j] = d[i - 2, j - 2] + 1
        }
    return d[length(from), length(to)]
}
