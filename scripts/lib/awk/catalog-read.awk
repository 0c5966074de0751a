# Reads what is known of each backup without opening it. Input: the output of `ls -lnLtc` of some
# directories, each after a line 'in DIRECTORY'. In the directory CATALOG (an environment variable):
# `paths`, one backup a line; `unreadable` and `opened`, the numbers of such lines. For an opened
# one there is N.manifest, N.beside (there is none in the file), or N.time. Needs the sizes of
# lib/embedded-manifest.sh: member_data, member_frame, length_line_size and manifest_limit.
#
# Prints a line for each path, its fields separated by tabs: created, size, rows, tables, server,
# holds, state, level, result and time of the last verification, sha256, database, signature,
# checksum. What is not known is '-'. Writes N.checked, which the checksum is of, and N.signed,
# which the signature is of: SIGNING_KEY (an environment variable) and what is above the signature.

BEGIN {
    key = ENVIRON["SIGNING_KEY"]
    found = ENVIRON["CATALOG"] "/"
}

/^in / { directory = substr($0, 4) }

/^-/ {
    bytes = $5
    for (i = 1; i <= 7; i++) sub(/^[^ ]+ +/, "")
    sub(/^[^ ]+ /, "") # a name may start with spaces
    size_of[directory "/" $0] = bytes
    place_of[directory "/" $0] = NR
}

END {
    while ((getline number <(found "unreadable")) > 0) unreadable[number]
    while ((getline number <(found "opened")) > 0) opened[number]
    for (n = 1; (getline path <(found "paths")) > 0; n++) {
        state = state_of(path ".info", found n)
        if (has_manifest) write_parts(found n)
        created = is_time(field("created")) ? field("created") : first_line(found n ".time")
        print_fields()
    }
}

function state_of(info, own,    is_opened, expected) {
    is_opened = n in opened && read_manifest(own ".manifest")
    if (!is_opened)
        read_manifest(info in size_of && size_of[info] <= manifest_limit ? info : "/dev/null")
    if (n in unreadable || !(path in size_of)) return "unreadable"
    if (size_of[path] == 0) return "empty"
    if (!has_manifest) return "unknown"
    expected = field("bytes") + 0
    if (size_of[path] == expected) return "ok"
    if (first_line(own ".beside") != "") return "mismatch"
    if (size_of[path] != expected + embedded_size(manifest_size)) return "damaged"
    if (!is_opened) return "ok"
    return info in size_of ? "other-info" : "no-info"
}

# As in lib/embedded-manifest.sh: with a line that gives the length, in members.
function embedded_size(bytes) {
    bytes += length_line_size
    return bytes + member_frame * int((bytes + member_data - 1) / member_data)
}

# Reads a manifest by the rules of manifest.awk. Sets value, last, has_tables, rows, tables, text,
# lines, manifest_size and has_manifest, which it returns.
function read_manifest(file,    line, name, paragraph) {
    split("", value)
    split("", text)
    lines = manifest_size = rows = tables = has_tables = paragraph = last = 0
    while ((getline line <file) > 0) {
        text[++lines] = line
        manifest_size += length(line) + 1
        sub(/^seal: /, "signature: ", line)
        name = substr(line, 1, index(line, ": ") - 1)
        if (line == "" && paragraph != "tables") paragraph++
        if (line ~ /^tables: [0-9]+ \(rows, fingerprint, name\)$/ && paragraph != "tables") {
            last = paragraph - 1
            paragraph = "tables"
            has_tables = 1
        } else if (paragraph == "tables" && line ~ /^[0-9]+ /) {
            rows += substr(line, 1, 15)
            tables++
        } else if (name != "" && !((paragraph, name) in value))
            value[paragraph, name] = substr(line, length(name) + 3)
    }
    close(file)
    has_manifest = is_hash(field("sha256")) && field("bytes") ~ /^[0-9]+$/
    return has_manifest
}

# In the first paragraph; of earlier versions, in the one before the tables; or after the tables.
function field(name) {
    if ((0, name) in value) return value[0, name]
    if (!((0, "sha256") in value) && (last, name) in value) return value[last, name]
    return value["tables", name]
}

function write_parts(own,    i) {
    for (i = 1; i < lines; i++) print text[i] >(own ".checked")
    close(own ".checked")
    if (!is_hash(field("signature"))) return
    printf("%s", key) >(own ".signed")
    for (i = 1; i < lines - 1; i++) print text[i] >(own ".signed")
    close(own ".signed")
}

function print_fields(    server, sha256, remembered, verified) {
    server = field("server")
    gsub(/^PostgreSQL | .*/, "", server)
    sha256 = known(is_hash(field("sha256")), field("sha256"))
    printf("%s\t%s\t", known(is_time(created), created), known(path in size_of, size_of[path]))
    printf("%s\t%s\t", known(has_tables, sprintf("%.0f", rows)), known(has_tables, tables))
    printf("%s\t%s\t", known(server ~ /^[0-9A-Za-z.]+$/, server),
           known(field("holds") ~ /^(schema and data|data only)$/, field("holds")))
    remembered = path ".verified"
    if (remembered in size_of && size_of[remembered] <= 1000)
        split(first_line(remembered), verified, "\t")
    # A damaged file is not verified, whatever was remembered. A remembered failure does not count
    # if the file has changed since: ls then lists it before its .verified file.
    if (verified[4] != sha256 || !is_time(verified[1]) || verified[2] !~ /^(hash|read|restore)$/ ||
        (verified[3] == "ok" && state !~ /^(ok|no-info|other-info)$/) ||
        (verified[3] == "failed" && place_of[path] < place_of[remembered]))
        split("-\t-\t-", verified, "\t")
    printf("%s\t%s\t%s\t%s\t", state, verified[2],
           known(verified[3] ~ /^(ok|failed)$/, verified[3]), verified[1])
    printf("%s\t%s\t", sha256, known(is_printable(field("database")), field("database")))
    printf("%s\t%s\n", known(is_hash(field("signature")), field("signature")),
           known(is_hash(field("manifest")), field("manifest")))
}

function first_line(file,    line) {
    getline line <file
    close(file)
    return line
}

function known(is_known, what) {
    return is_known ? what : "-"
}

function is_hash(what) {
    return length(what) == 64 && what !~ /[^0-9a-f]/
}

function is_printable(what) {
    return what != "" && what !~ /[[:cntrl:]]/
}

function is_time(what) {
    return what ~ /^[0-9][0-9][0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]) / &&
        what ~ / ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] UTC$/ && length(what) == 23
}
