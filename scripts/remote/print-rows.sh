#!/bin/sh
# print-rows.sh DIRECTORY ENTRY: prints the rows of that entry of DIRECTORY/archive, as COPY reads
# them. They end at the line '\.', which no row can be.
printf '%s\n' "$2" >"$1/entry" && rm -f "$1/failed" || exit
{
    pg_restore --data-only --use-list="$1/entry" --file=- "$1/archive" </dev/null || : >"$1/failed"
} | LC_ALL=C sed -e '1,/^COPY .* FROM stdin;$/d' -e '/^\\\.$/,$d'
[ ! -e "$1/failed" ]
