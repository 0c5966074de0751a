# The fields of a line of the catalog, which lib/catalog.sh explains. prune.awk prints
# PLAN fields before them: its decision and the reasons.

BEGIN {
    FS = "\t"
    CREATED = 1; BYTES = 2; ROWS = 3; TABLES = 4; SERVER = 5; HOLDS = 6; STATE = 7
    LEVEL = 8; RESULT = 9; VERIFIED = 10; SHA256 = 11; DATABASE = 12; TRUST = 13; FILE = 14
    PLAN = 2
}

# Is the manifest of a backup in this state intact?
function is_intact(state) {
    return state ~ /^(ok|no-info|other-info)$/
}

# The line from that field on: a path may contain tabs.
function from_field(first,    i, rest) {
    rest = $0
    for (i = 1; i < first; i++) sub(/^[^\t]*\t/, "", rest)
    return rest
}
