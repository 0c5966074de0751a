#!/bin/sh
# list-rows.sh ARCHIVE AWK_PROGRAM: prints every table and column that the archive's rows fill,
# then the line `~end`.
{ pg_restore --data-only --file=- "$1" && echo '~end'; } | awk "$2"
