#!/bin/sh
# list-schema.sh AWK_PROGRAM [ARCHIVE]: prints the schema of the archive, or of the database
# PGDATABASE, one object a line, then the line `~end`, which sorts last.
if [ $# -gt 1 ]; then
    schema=$(pg_restore --schema-only --no-subscriptions --file=- "$2") || exit
else
    schema=$(pg_dump --schema-only --no-subscriptions --lock-wait-timeout=2000) || exit
fi
printf '%s\n' "$schema" | LC_ALL=C awk "$1" | LC_ALL=C sort
