#!/bin/sh
# backup-assets.sh: writes the assets database into a backup file. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/lib/common.sh"
use postgres databases archive trust statistics

usage() {
    cat <<EOF
Usage: $0 [--data-only] [NAME | FILE]

Writes the assets database into a backup file, beside it the manifest FILE.info, and shows what it holds.

  NAME         backups/postgres/NAME.dump.gz
  FILE         a path: whatever holds a slash or ends in .dump.gz
  (none)       backups/postgres/tumblebug_db_YYYYMMDD_HHMMSS.dump.gz; so does the name auto
  --data-only  only the rows: a restore keeps the schema of the database that it goes to

The earlier file stays as it is until the new one is written and proved.
EOF
}

main() {
    parse_options "$@"
    begin
    choose_target
    find_server
    lock_database
    mend_leftovers
    mend_backups "${target%/*}"
    require_database
    open_snapshot
    write_dump
    prove_dump
    publish_backup
    show_afterwards
}

parse_options() {
    holds='schema and data'
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) usage && exit 0 ;;
            --data-only) holds='data only' ;;
            --) shift && break ;;
            -?*) die_usage "unknown option: $1" ;;
            *) break ;;
        esac
        shift
    done
    [ $# -le 1 ] || die_usage "one name at most, not $#: $*"
    [ "${1-auto}" ] || die_usage 'the name is empty'
    target=${1-auto}
}

# choose_target: from the name to the path, whose folder must be there
choose_target() {
    case $target in
        */* | *.dump.gz) ;;
        auto) in_backups_folder "tumblebug_db_$(date +%Y%m%d_%H%M%S)" ;;
        *) in_backups_folder "$target" ;;
    esac
    case $target in
        */*) ;;
        *) target=./$target ;;
    esac
    folder=${target%/*}/
    [ -d "$folder" ] || die "there is no folder '$folder' to write the backup into"
    [ -w "$folder" ] || die "folder '$folder' cannot be written by user '$(user_name)'"
    earlier_stands=
    [ ! -e "$target" ] || earlier_stands=', and the earlier backup stands as it was'
    [ ! -d "$target" ] || die "'$target' is a folder; name the backup file"
    partial=$(partial_of "$target")
    partial_manifest=$(partial_of "$target.info")
    at_end remove_partials
}

remove_partials() {
    rm -f "$partial" "$partial_manifest"
}

# What is not to be shared is its owner's alone; assets/ follows the umask, for Git.
in_backups_folder() {
    umask 077
    mkdir -p "$root/backups/postgres" || die "folder '$root/backups/postgres' cannot be made"
    target=$root/backups/postgres/$1.dump.gz
}

# open_snapshot: what the dump and the manifest both see
open_snapshot() {
    open_session live "$TB_POSTGRES_DATABASE"
    snapshot=$(ask live <"$sql/snapshot.sql") || fail_with "$work/live.errors" 'no snapshot can be taken'
}

# write_dump: from pg_dump through gzip into a file beside the target, and beside that the fingerprints
write_dump() {
    say "backing up database '$TB_POSTGRES_DATABASE' of $server"
    background take_fingerprints
    fingerprinting=$child
    flow dump wrap_partial
    [ "$consumed" -eq 0 ] || die "'$target' cannot be written$earlier_stands: $(gzip_error)"
    [ "$produced" -eq 0 ] || fail_with "$work/dump.errors" "the dump failed$earlier_stands"
    await "$fingerprinting" || fail_with "$work/live.errors" "the tables cannot be read$earlier_stands"
}

dump() {
    PGDATABASE=$TB_POSTGRES_DATABASE
    [ "$holds" = 'schema and data' ] || set -- --data-only
    beside_server pg_dump --format=custom --snapshot="$snapshot" --encoding="$encoding" "$@" \
        </dev/null 2>"$work/dump.errors"
}

# Never into a file that is there already: it could be a link that somebody has laid.
wrap_partial() {
    set -C
    { wrap >"$partial"; } 2>"$work/gzip.errors"
}

take_fingerprints() {
    ask live <"$sql/summary.sql" >"$work/summary" && ask live <"$sql/fingerprints.sql" >"$work/tables"
}

# prove_dump: reads the whole file back, to the archive's last byte; a table of contents alone proves little
prove_dump() {
    say 'checking the backup'
    flow unwrap_partial read_archive
    [ "$consumed" -eq 0 ] || fail_with "$work/restore.errors" "the new backup cannot be read back$earlier_stands"
    [ "$produced" -eq 0 ] || die "the new backup cannot be read back$earlier_stands: $(gzip_error)"
}

unwrap_partial() {
    unwrap "$partial"
}

read_archive() {
    beside_server pg_restore --file=/dev/null 2>"$work/restore.errors"
}

# publish_backup: file and manifest. Between the two names a kill leaves the manifest's partial file, by
# which the next run completes the pair.
publish_backup() {
    write_manifest "$partial"
    (set -C && cat "$work/manifest" >"$partial_manifest") 2>"$work/manifest.errors" || die "'$target.info' cannot be written$earlier_stands"
    publish "$partial" "$target" || die "'$target' cannot be replaced$earlier_stands"
    publish "$partial_manifest" "$target.info" || die "'$target.info' cannot be replaced; back up again"
    say "wrote $target ($(human_size "$(size_of "$target")")) and its manifest $target.info"
}

main "$@"
