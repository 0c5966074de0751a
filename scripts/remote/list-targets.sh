#!/bin/sh
# list-targets.sh DIRECTORY: for each entry of a table of contents on standard input, prints what
# that entry of DIRECTORY/archive fills, TABLE (COLUMN, ...), and then the entry.
while IFS= read -r entry; do
    printf '%s\n' "$entry" >"$1/entry" || exit
    pg_restore --data-only --use-list="$1/entry" --file=- "$1/archive" </dev/null |
        sed -n '/^COPY .* FROM stdin;$/{s/^COPY //;s/ *FROM stdin;$//;p;q;}'
    printf '%s\n' "$entry"
done
