#!/bin/sh
# schema.sh list AWK_PROGRAM [ARCHIVE]: prints the schema of the archive, or of the database
# PGDATABASE, one object a line, then the line `~end`, which sorts last.
# schema.sh hash [ARCHIVE]: prints the SHA-256 of the schema as SQL, without the lines that differ
# each time or from version to version.

output=$1
shift
if [ "$output" = list ]; then
    awk_program=$1
    shift
fi
if [ $# -gt 0 ]; then
    schema=$(pg_restore --schema-only --file=- "$1") || exit
else
    schema=$(pg_dump --schema-only --lock-wait-timeout=2000) || exit
fi
if [ "$output" = list ]; then
    printf '%s\n' "$schema" | LC_ALL=C awk "$awk_program" | LC_ALL=C sort
else
    printf '%s\n' "$schema" | sed -e '/^-- Dumped /d' -e '/^\\restrict /d' -e '/^\\unrestrict /d' \
        -e '/^SET transaction_timeout = 0;$/d' |
        { sha256sum 2>/dev/null || shasum -a 256; } | cut -d ' ' -f 1
fi
