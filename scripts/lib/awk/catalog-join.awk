# Reads the files `hashes`, lines 'HASH  N.PART' of sha256sum, `entries`, the lines of
# catalog-read.awk, and `paths`. Prints the entries with the trust in place of signature and
# checksum, and with their path at the end, because a path may contain tabs.

FILENAME ~ /hashes$/ {
    sub(/^[^ ]* [ *]/, "&\t")
    split($0, part, "\t")
    hash[part[2]] = substr($0, 1, 64)
    next
}

FILENAME ~ /entries$/ {
    split($0, field, "\t")
    signature = field[13]
    checksum = field[14]
    has_manifest = field[11] != "-"
    trust = "untrusted"
    if (signature == "-") trust = "unsigned"
    if (signature == hash[FNR ".signed.hmac"]) trust = "trusted"
    if (has_manifest && checksum != hash[FNR ".checked"]) {
        trust = "untrusted"
        if (field[7] != "unreadable") field[7] = "damaged"
    }
    entry[FNR] = field[1]
    for (i = 2; i <= 12; i++) entry[FNR] = entry[FNR] "\t" field[i]
    entry[FNR] = entry[FNR] "\t" trust
    next
}

{ print entry[FNR] "\t" $0 }
