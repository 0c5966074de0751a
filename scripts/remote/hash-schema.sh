#!/bin/sh
# hash-schema.sh [ARCHIVE]: prints the SHA-256 of the schema of the archive, or of the database
# PGDATABASE, as SQL, without the lines that differ each time or from version to version. Only an
# archive has commands that fill materialized views; sed removes each with its comment.
if [ $# -gt 0 ]; then
    schema=$(pg_restore --schema-only --no-subscriptions --file=- "$1") || exit
    schema=$(printf '%s\n' "$schema" |
        sed '/^--$/{$!N;/; Type: MATERIALIZED VIEW DATA;/{N;N;N;N;N;d;};}') || exit
else
    schema=$(pg_dump --schema-only --no-subscriptions --lock-wait-timeout=2000) || exit
fi
printf '%s\n' "$schema" |
    sed '/^-- Dumped /d; /^\\restrict /d; /^\\unrestrict /d; /^SET transaction_timeout = 0;$/d' |
    { sha256sum 2>/dev/null || shasum -a 256; } | cut -d ' ' -f 1
