#!/bin/sh
# list-backups.sh: lists the backups in assets/ and backups/postgres/. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backup-file embedded-manifest signature manifest publish report catalog

# of the catalog, as JSON names them
catalog_columns='created bytes# rows# tables# server holds state
    verified_level verified_result verified_at sha256 trust path'

usage() {
    cat <<EOF
Usage: $0 [--json]

Lists the backups in assets/ and backups/postgres/, the newest first: name, age,
size, rows, server version, state, last verification. The name is what other
commands take as NAME or FILE. No server is needed.

The state is the first of these that applies:

  empty       the file is empty
  unreadable  you lack permission to read the file
  unknown     no manifest was found; the file may be truncated
  damaged     the file or its manifest was modified or truncated
  mismatch    FILE.info, the only manifest, does not match the file
  unsigned    the backup is not signed, and therefore untrusted
  untrusted   the backup was not made on this machine
  no info     FILE.info is missing; the file contains its manifest
  other info  FILE.info describes another file; the file contains its manifest
  ok          size and manifest agree, and this machine made the backup

'data only' marks a backup of rows without a schema. This checks only sizes and
manifests: a file that was changed, but has its size, is 'ok' here. To check
its content, run 'make verify-backup'.

  --json  print the list as JSON
EOF
}

main() {
    parse_no_options "$@"
    begin
    print_catalog "$project/assets" "$project/backups/postgres" >"$work/backups"
    LC_ALL=C sort -r "$work/backups" >"$work/sorted" # the newest first, those of unknown age last
    if [ -n "$json" ]; then
        add_rows backups "$catalog_columns" <"$work/sorted"
    elif [ -s "$work/sorted" ]; then
        print_table
    else
        say "there are no backups; create one with 'make backup-assets'"
    fi
}

print_table() {
    BACKUPS=$project/backups/postgres/ awk -v now="$(date -u '+%Y-%m-%d %H:%M:%S')" \
        -f "$root/scripts/lib/awk/formats.awk" -f "$root/scripts/lib/awk/list-backups.awk" \
        "$work/sorted" >"$work/table"
    printable_lines <"$work/table" | show_table || die 'could not write the result'
}

main "$@"
