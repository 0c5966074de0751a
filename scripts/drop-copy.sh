#!/bin/sh
# drop-copy.sh: drops the kept copy of a restored database. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock clean-up databases rights gzip backup-file embedded-manifest publish

usage() {
    cat <<EOF
Usage: $0

Drops the copy of the database that a restore with RESTORE_KEEP_COPY=yes kept,
to free its space on the server. The next restore of that backup loads the
file again. The live database is unchanged.
EOF
}

main() {
    unchanged='; the copy is unchanged'
    parse_no_options "$@"
    begin
    select_server
    lock_database
    require_primary
    clean_up_backups
    clean_up_server
    read_copy_facts
    if [ -n "$copy_bytes" ]; then
        drop_or_fail "$kept_copy" 'the kept copy'
        say_done "dropped the kept copy: $(human_size "$copy_bytes"), $copy_origin"
    else
        say_done 'there is no kept copy'
    fi
}

main "$@"
