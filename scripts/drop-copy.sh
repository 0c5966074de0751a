#!/bin/sh
# drop-copy.sh: drops the copy that a restore has kept. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock databases backup-file embedded-manifest publish

usage() {
    cat <<EOF
Usage: $0

Drops the copy that a restore with RESTORE_KEEP_COPY=yes has kept, which frees
its space on the server. The next restore of that backup loads it again. The
live database is unchanged.
EOF
}

main() {
    unchanged='; the copy is unchanged'
    parse_no_options "$@"
    begin
    select_server
    lock_database
    clean_up_backups
    clean_up_server
    read_copy_facts
    if [ -n "$copy_bytes" ]; then
        drop_copy
        say_done "dropped the kept copy: $(human_size "$copy_bytes"), $copied_backup"
    else
        say_done 'there is no kept copy'
    fi
}

main "$@"
