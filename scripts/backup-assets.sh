#!/bin/sh
# backup-assets.sh: writes the assets database into a backup file. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock databases backup-file signature manifest publish report

usage() {
    cat <<EOF
Usage: $0 [--data-only] [NAME | FILE]

Writes the assets database into a backup file, beside it the manifest FILE.info, and shows what it holds.

  NAME         backups/postgres/NAME.dump.gz
  FILE         a path: whatever holds a slash or ends in .dump.gz
  (none)       backups/postgres/tumblebug_db_YYYYMMDD_HHMMSS.dump.gz; so does the name auto
  --data-only  only the rows: a restore keeps the schema of the database that it goes to

The earlier file stays as it is until the new one is written and proved.

BACKUP_COMPRESSION=fast or small says what matters; auto, the default, is small for assets/ and fast
elsewhere. pg_dump's own words work too, such as zstd:12 or gzip:9.
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
    choose_compression
    make_far_folder
    dump_database
    begin_statistics
    check_dump
    publish_backup
    show_afterwards
}

parse_options() {
    holds='schema and data'
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) show_help ;;
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
    [ ! -e "$target" ] || [ -f "$target" ] || die "'$target' is not a file that a backup could replace"
    [ ! -d "$target.info" ] || die "'$target.info', where the manifest goes, is a folder"
    partial=$(partial_of "$target")
    partial_manifest=$(partial_of "$target.info")
    at_end remove_partials
}

# remove_partials: but once the file is replaced, the manifest completes the pair, now or in the next run
remove_partials() {
    if completes_pair "$partial_manifest" "$target.info"; then
        mv -f "$partial_manifest" "$target.info" || return 0
    fi
    rm -f "$partial" "$partial_manifest"
}

# What is not to be shared is its owner's alone; assets/ follows the umask, for Git.
in_backups_folder() {
    umask 077
    mkdir -p "$root/backups/postgres" || die "folder '$root/backups/postgres' cannot be made"
    target=$root/backups/postgres/$1.dump.gz
}

# choose_compression: from what matters to what the pg_dump next to the server knows
choose_compression() {
    survey=$(ask lock <"$sql/backup/survey.sql") || fail_with "$work/lock.errors" 'the server cannot be asked'
    {
        read -r dump_version
        read -r has_zstd
    } <<EOF
$survey
EOF
    [ -n "$dump_version" ] || fail_with "$work/lock.errors" 'nothing can be dumped'
    require_number "pg_dump's version" "$dump_version"
    [ "$dump_version" -ge "$((server_version / 10000))" ] || {
        hint "install the client programs of PostgreSQL $((server_version / 10000)); PG_BINDIR names their directory"
        die "pg_dump $dump_version cannot back up $server (PostgreSQL $server_release)$earlier_stands"
    }
    [ "$dump_version" -ge 16 ] || has_zstd=no
    compression=$BACKUP_COMPRESSION
    [ "$compression" != auto ] || compression=$(what_matters)
    case $compression-$has_zstd in
        fast-yes) compression=zstd:1 ;;
        small-yes) compression=zstd:7 ;;
        fast-no) compression=gzip:1 ;;
        small-no) compression=gzip:6 ;;
        zstd*-no) die "BACKUP_COMPRESSION=$compression: the pg_dump next to $server has no zstd$earlier_stands" ;;
    esac
}

what_matters() {
    case $(cd "$folder" && pwd -P) in
        "$(cd "$root" && pwd -P)/assets") echo small ;;
        *) echo fast ;;
    esac
}

# dump_database: into a file beside the target. Where somebody's ALTER waits for our snapshot and pg_dump waits behind
# it, none of the three could ever go on: we give way, and try again.
dump_database() {
    say "backing up database '$TB_POSTGRES_DATABASE' of $server"
    require_own_session
    for attempt in 1 2 3; do
        ! { open_snapshot && write_dump; } || return 0
        blocking=$(blocker false) || fail_with "$work/lock.errors" "could not ask the server$earlier_stands"
        [ -n "$blocking" ] || break
        end_snapshot
        rm -f "$partial" "$work/gzip.errors"
    done
    [ -z "$blocking" ] || fail_locked "could not read database '$TB_POSTGRES_DATABASE'$earlier_stands" "$blocking"
    explain_failed_dump
}

# open_snapshot: what the dump and the manifest both see
open_snapshot() {
    produced=0 consumed=0 snapshot_backend=
    open_session live "$TB_POSTGRES_DATABASE"
    facts=$(ask live <"$sql/backup/snapshot.sql") || return 1
    IFS='|' read -r snapshot snapshot_backend <<EOF
$facts
EOF
}

end_snapshot() {
    end_live_session "$snapshot_backend" || fail_with "$work/lock.errors" "could not end the snapshot$earlier_stands"
}

# write_dump: from pg_dump next to the server into a file beside the target, while the fingerprints are taken
write_dump() {
    show_progress "$TB_POSTGRES_DATABASE" '' dumped_bytes
    send_fingerprints
    flow dump keep
    [ "$produced" -eq 0 ] && [ "$consumed" -eq 0 ] && read_fingerprints && end_snapshot
}

send_fingerprints() {
    send <"$sql/backup/summary.sql" >&7
    send <"$sql/tables/fingerprints.sql" >&7
}

read_fingerprints() {
    answer <&8 >"$work/summary" && answer <&8 >"$work/tables"
}

explain_failed_dump() {
    ! grep -q 'ERROR\|FATAL\|error:' "$work/live.errors" || fail_with "$work/live.errors" "could not read the tables$earlier_stands"
    [ "$consumed" -eq 0 ] || die "'$target' cannot be written$earlier_stands: $(gzip_error)"
    case $produced in
        "$unreadable") fail_with "$work/dump.errors" "the new backup cannot be read back$earlier_stands" ;;
        *) fail_with "$work/dump.errors" "the dump failed$earlier_stands" ;;
    esac
}
unreadable=65

# dump: into a file next to the server first, so that the archive tells where its parts lie, which a load with
# several jobs makes use of (not into standard output: to that, pg_dump only appends); on its way here that file
# is read back to its last byte: a table of contents alone proves little
dump() {
    PGDATABASE=$TB_POSTGRES_DATABASE
    [ "$holds" = 'schema and data' ] || set -- --data-only
    case $compression in
        none) set -- --compress=0 "$@" ;;
        *) set -- --compress="${compression#gzip:}" "$@" ;; # 15 and older know a level, and nothing else
    esac
    # shellcheck disable=SC2016 # it expands next to the server
    beside_server sh -c '
        unreadable=$1 folder=$2
        shift 2
        pg_dump --file="$folder/archive" "$@" || exit
        { sha256sum 2>/dev/null || shasum -a 256; } <"$folder/archive" >"$folder/hash" &
        pg_restore --file=/dev/null "$folder/archive" &
        cat "$folder/archive" || exit
        wait $! || exit "$unreadable"
        wait' sh "$unreadable" "$far_folder" \
        --format=custom --lock-wait-timeout=2000 --snapshot="$snapshot" --encoding="$encoding" "$@" </dev/null 2>"$work/dump.errors"
}

# Never into a file that is there already: it could be a link that somebody has laid.
keep() {
    set -C
    { wrap >"$partial"; } 2>"$work/gzip.errors"
}

dumped_bytes() {
    beside_server ls -ln "$far_folder/archive" </dev/null | awk '{ print $5 }'
}

# check_dump: the file holds what was read back next to the server
check_dump() {
    say 'checking the backup'
    background hash_file
    hashing_file=$child
    flow unwrap_file hash_content
    [ "$produced" -eq 0 ] || die "the new backup cannot be read back$earlier_stands: $(gzip_error)"
    original_hash=$(ask lock <"$sql/backup/archive-hash.sql") || fail_with "$work/lock.errors" "the new backup cannot be checked$earlier_stands"
    [ "$(cat "$work/content.sha256")" = "$original_hash" ] || die "the new backup is not what the server sent$earlier_stands"
    wait "$hashing_file"
    drop_companions
}

hash_file() {
    sha256_of "$partial" >"$work/sha256"
}

unwrap_file() {
    unwrap gzip <"$partial"
}

hash_content() {
    sha256 >"$work/content.sha256"
}

# publish_backup: file and manifest are on the disk before the first is renamed. Between the two renames a crash
# leaves the manifest's partial file, by which the next run completes the pair.
publish_backup() {
    unchanged=${earlier_stands:+; the existing backup is unchanged}
    write_manifest "$partial"
    (set -C && cat "$work/manifest" >"$partial_manifest") 2>"$work/manifest.errors" || die "'$target.info' cannot be written$earlier_stands"
    choose_sync
    { sync_files "$partial" "$partial_manifest" && sync_folder "$folder"; } ||
        die "could not sync the new backup to the disk: $(head -n 1 "$work/sync.errors")$unchanged"
    mv -f "$partial" "$target" 2>"$work/mv.errors" ||
        die "could not replace '$target': $(head -n 1 "$work/mv.errors")$unchanged"
    unchanged=
    mv -f "$partial_manifest" "$target.info" 2>"$work/mv.errors" || require_manifest
    finished=yes
    sync_folder "$folder" || {
        warn "the new backup is in place, but a power loss may undo it: $(head -n 1 "$work/sync.errors")"
        end_incomplete
    }
    grep -qv '^0 ' "$work/tables" || warn "database '$TB_POSTGRES_DATABASE' holds no rows, and so does this backup"
    say "wrote $target ($(human_size "$(size_of "$target")")) and its manifest $target.info"
}

# require_manifest: another run may have completed the pair
require_manifest() {
    ! cmp -s "$work/manifest" "$target.info" || return 0
    warn "could not replace '$target.info': $(head -n 1 "$work/mv.errors"); the new backup is in place, its manifest in" \
        "'$partial_manifest'; once '$target.info' is writable, the next backup or restore completes the pair"
    end_incomplete
}

main "$@"
