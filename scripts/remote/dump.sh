#!/bin/sh
# dump.sh DIRECTORY OPTION...: dumps into DIRECTORY/archive, which then goes to standard output
# while pg_restore reads it to its end: a table of contents alone shows little. Its SHA-256 goes to
# standard error, as 'sha256 HASH'. pg_dump writes a file, because on a pipe it cannot note where
# each table's rows begin, which a restore with several jobs needs. Exits with 65 when pg_restore
# cannot read it.
directory=$1
shift
pg_dump --file="$directory/archive" "$@" || exit
{ sha256sum 2>/dev/null || shasum -a 256; } <"$directory/archive" >"$directory/hash" &
hashing=$!
pg_restore --file=/dev/null "$directory/archive" &
reading=$!
cat "$directory/archive" || exit
wait $reading || exit 65
wait $hashing || exit
echo "sha256 $(cut -d ' ' -f 1 "$directory/hash")" >&2
