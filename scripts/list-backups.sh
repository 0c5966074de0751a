#!/bin/sh
# list-backups.sh: lists the backups in assets/ and backups/postgres/. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use gzip backup-file embedded-manifest signature manifest publish progress report rclone off-site
use catalog

# of the catalog, as JSON names them
catalog_columns='created bytes# rows# tables# server holds state verified_level verified_result'
catalog_columns="$catalog_columns verified_at sha256 database trust path"

usage() {
    cat <<EOF
Usage: $0 [--json] [REMOTE:PATH]

Lists the backups in assets/ and backups/postgres/, the newest first: name, age,
size, rows, server version, state, last verification. The name is what other
commands take as NAME or FILE. No server is needed.

With BACKUP_REMOTE=remote:path, it also lists the backups there; with an
argument, only those in that directory of a remote.

The state is the first of these that applies:

  empty       the file is empty
  unreadable  you lack permission to read the file
  unknown     no manifest was found; the file may be truncated
  damaged     the file or its manifest was modified or truncated
  mismatch    FILE.info, the only manifest, does not match the file
  unsigned    the backup is not signed, and therefore untrusted
  untrusted   the backup was not signed with your key
  no info     FILE.info is missing; the file contains its manifest
  other info  FILE.info describes another file; the file contains its manifest
  data only   as ok, and the backup holds rows without a schema
  ok          size and manifest agree, and the backup was signed with your key

This checks only sizes and manifests: a file that was changed but kept its
size is 'ok' here. 'make verify-backup' checks its content.

  --json  print the list as JSON
EOF
}

main() {
    parse_options "$@"
    begin
    require_remote
    if [ -n "$operand" ]; then
        print_remote_catalog "$operand" >"$work/backups"
    else
        list_all
    fi
    LC_ALL=C sort -r "$work/backups" >"$work/sorted" # the newest first, those of unknown age last
    if [ -n "$json" ]; then
        add_rows backups "$catalog_columns" <"$work/sorted"
        [ -z "$remote_error" ] || add_text remote_error "$remote_error"
    elif [ -s "$work/sorted" ]; then
        BACKUPS=$project/backups/postgres/
        export BACKUPS
        print_table list-backups "$work/sorted"
    elif [ -n "$operand" ]; then
        say "there are no backups in '$operand'"
    else
        say "there are no backups; create one with 'make backup-assets'"
    fi
    [ -z "$remote_error" ] || end_without_remote
}

parse_options() {
    remote_error=
    parse_arguments common_option "$@"
    [ -z "$operand" ] || require_remote_operand "$operand"
}

# list_all: those here, and those of BACKUP_REMOTE. Sets remote_error, if it could not list these
list_all() {
    print_catalog "$project/assets" "$project/backups/postgres" >"$work/backups"
    if [ -z "$BACKUP_REMOTE" ]; then
        return 0
    elif read_remote "$BACKUP_REMOTE"; then
        [ -n "$remote_exists" ] || say "'$BACKUP_REMOTE' does not exist yet"
        print_listed_catalog "$BACKUP_REMOTE" >>"$work/backups"
    else
        remote_error=$(rclone_error)
    fi
}

end_without_remote() {
    warn "could not list the backups in '$BACKUP_REMOTE': $remote_error;" \
        "$(rclone_advice "$BACKUP_REMOTE")"
    end_incomplete
}

main "$@"
