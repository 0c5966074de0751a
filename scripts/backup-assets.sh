#!/bin/sh
# backup-assets.sh: backs up the assets database to a file. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock clean-up confirmation client-programs databases rights gzip
use backup-file embedded-manifest signature manifest fingerprints schema publish progress report
use rclone off-site contents columns modes untrusted pg-restore owners kept-schema load verify
use restore-test catalog guards hooks

usage() {
    cat <<EOF
Usage: $0 [--data-only] [--force] [NAME | FILE]

Backs up the assets database to a file, which includes its manifest (FILE.info
is a copy), then prints table statistics.

  (none)       assets/assets.dump.gz, the shared backup
  FILE         any argument that contains a slash or ends in .dump.gz
  NAME         backups/postgres/NAME.dump.gz
  auto         backups/postgres/tumblebug_db_YYYYMMDD_HHMMSS.dump.gz
  --data-only  back up rows only: a restore keeps the schema that is there
  --force      write it even if nothing changed since the existing backup, if
               tables lost more than a fifth of their rows, or if it is too
               large for Git (same as FORCE=yes)

An existing backup is replaced only after the new one is verified. The script
asks only if tables lost more than a fifth of their rows since that backup;
without a terminal, or with auto, it then fails. If nothing changed, it writes
nothing.

BACKUP_COMPRESSION is fast, small, smallest, none, auto (the default: smallest
for assets/, fast elsewhere), or any compression value of pg_dump, such as
zstd:12 or gzip:9. With smallest, the backup is first restored into a staging
database, which tests it, and its rows are sorted there.

BACKUP_REMOTE=remote:path also copies the backup there, by rclone, and compares
what arrived by hash. If only this fails, the exit code is 3.
EOF
}

main() {
    parse_options "$@"
    at_end run_hook
    begin
    require_backup_settings
    require_gzip
    choose_target
    select_server
    lock_database
    clean_up_backups "$target_directory/"
    require_database
    guard_existing_backup
    read_server_facts
    prepare_server "$data_directory"
    choose_compression
    dump_database
    [ -z "$will_test" ] || test_dump
    guard_against_losses
    begin_statistics "$work/tables"
    [ -z "$will_test" ] || dump_restored
    if is_shared; then
        guard_shared_size "$partial"
    fi
    verify_dump
    begin_removing_server_tmp
    [ -z "$will_test" ] || drop_temporary_databases
    publish_backup
    finish_removing_server_tmp
    print_statistics
    report_backup
    copy_off_site "$target"
}

parse_options() {
    unchanged='; no backup was written'
    holds='schema and data'
    parse_arguments take_option "$@"
    require_yes_or_no FORCE "${FORCE-}"
    target=${operand:-$project/assets/assets.dump.gz}
}

take_option() {
    case $1 in
        --data-only) holds='data only' ;;
        --force) FORCE=yes ;;
        *) common_option "$1" ;;
    esac
}

# --- the file ---

# choose_target: from the name to the path. Sets target, is_auto, target_directory,
# directory_before, which exists, partial, partial_manifest and unchanged
choose_target() {
    ! is_remote "$target" || refuse_remote_target
    is_auto=
    case $target in
        */)
            hint "for example: $0 ${target}assets.dump.gz"
            fail 2 "'$target' names a directory, not a file"
            ;;
        -) die_usage "cannot write a backup to standard output ('-'); name a file" ;;
        -*/*) target=./$target ;; # a leading dash would make it an option
        */*) ;;
        *.dump.gz) target=./$target ;;
        auto)
            is_auto=yes
            use_time_as_name
            ;;
        *)
            require_backup_name "$target"
            use_backups_directory "$target"
            ;;
    esac
    target_directory=${target%/*}
    directory_before=$(nearest_directory "$target_directory")
    at_end remove_created_directories
    require_target
    [ ! -e "$target" ] || unchanged='; the existing backup is unchanged'
    require_writable_directory "$target_directory/"
    partial=$(partial_of "$target")
    partial_manifest=$(partial_of "$target.info")
    at_end remove_partials
}

require_backup_name() { # NAME
    case $1 in
        *'
'*) die_usage 'the name of a backup cannot contain a line break' ;;
        .*) die_usage "the name of a backup cannot start with a dot: '$1'" ;;
        *.dump)
            hint "did you mean ${1%.dump}, for backups/postgres/$1.gz, or ./$1.gz?"
            die_usage "the name of a new backup cannot end in .dump: '$1'"
            ;;
    esac
}

refuse_remote_target() {
    hint "to copy each backup to a remote, set BACKUP_REMOTE=remote:path"
    hint "to write a file of this name here: ./$target"
    fail 2 "a backup is written to a file here, not to a remote: '$target'"
}

require_target() {
    [ -d "$target_directory/" ] || create_directory
    if [ -d "$target" ]; then
        hint "to write into it: $0 $target/assets.dump.gz"
        die "'$target' is a directory, not a file that can be replaced"
    elif [ -e "$target" ] && [ ! -f "$target" ]; then
        die "'$target' is not a file that can be replaced"
    elif [ ! -L "$target" ] && [ -s "$target" ] && [ "$(file_kind "$target")" = unknown ]; then
        hint "move '$target' away, or write the backup to another file"
        die "'$target' exists and is not a backup file"
    elif [ -d "$target.info" ]; then
        die "'$target.info', the manifest's path, is a directory"
    fi
}

create_directory() {
    refuse_broken_link "$target_directory"
    mkdir -p "$target_directory/" 2>"$work/publish.errors" || {
        hint 'choose a directory in which you may create files'
        mkdir_error=$(head -n 1 "$work/publish.errors")
        die "could not create directory '$target_directory/': ${mkdir_error##*: }"
    }
}

# use_backups_directory NAME: only the owner can read these; assets/ follows the umask, for Git
use_backups_directory() {
    umask 077
    target=$project/backups/postgres/$1.dump.gz
}

# use_time_as_name: waits for a second whose name is free, because 'auto' replaces no file
use_time_as_name() {
    use_backups_directory "tumblebug_db_$(date +%Y%m%d_%H%M%S)"
    [ ! -e "$target" ] || {
        sleep 1
        use_time_as_name
    }
}

# remove_partials: removes the partial files; if the backup is already renamed, renames its copy of
# the manifest too
remove_partials() {
    if is_info_of "$partial_manifest" "$target.info"; then
        rename_file -f "$partial_manifest" "$target.info" || return 0
    fi
    rm -f "$partial" "$partial_manifest"
}

# remove_created_directories STATUS: after a failure, removes those that are still empty
remove_created_directories() {
    [ "$1" -ne 0 ] || return 0
    created_directory=$target_directory
    while [ "$created_directory" != "$directory_before" ] && rmdir "$created_directory/"; do
        created_directory=$(dirname -- "$created_directory")
    done 2>/dev/null
}

# --- compression ---

# choose_compression: from what the user wants to what the server's pg_dump can do. Sets
# compression and will_test
choose_compression() {
    require_dump_version
    compression=$BACKUP_COMPRESSION
    [ "$compression" != auto ] || compression=$(default_compression)
    will_test=
    [ "$compression" != smallest ] || choose_test
    use_compression
}

# use_compression: Sets compression to what pg_dump knows
use_compression() {
    case $compression-$(has_zstd && echo zstd) in
        fast-zstd) compression=zstd:1 ;;
        small-zstd) compression=zstd:7 ;;
        smallest-zstd) compression=zstd:8 ;;
        fast-) compression=gzip:1 ;;
        small- | smallest-) compression=gzip:6 ;;
        zstd*-)
            hint 'BACKUP_COMPRESSION=small uses what pg_dump has'
            die "BACKUP_COMPRESSION=$compression: pg_dump on $client_host has no zstd"
            ;;
    esac
}

# choose_test: where no restore is possible, small is the next best. Sets will_test and
# compression
choose_test() {
    test_obstacle='a data-only backup has no schema'
    [ "$holds" = 'data only' ] || find_obstacle
    if [ -n "$test_obstacle" ]; then
        skip_test
    else
        will_test=yes
    fi
}

# skip_test: Sets will_test and compression
skip_test() {
    say "using BACKUP_COMPRESSION=small, without a restore test, because $test_obstacle"
    will_test='' compression=small
}

default_compression() {
    if is_shared; then
        echo smallest
    else
        echo fast
    fi
}

# is_shared: is the target in assets/?
is_shared() {
    [ "$(cd "$target_directory/" && pwd -P)" = "$(cd "$root" && pwd -P)/assets" ]
}

# --- the dump ---

# dump_database: into the partial file. Where an ALTER waits for our snapshot and pg_dump waits
# behind that ALTER, all three would wait without end: end the snapshot, and try again
dump_database() {
    say "backing up database '$TB_POSTGRES_DATABASE' of $server"
    require_own_session
    for dump_attempt in 1 2 3; do
        if open_snapshot && write_dump; then
            return 0
        fi
        blocking=$(blocker false) || fail_with "$work/lock.errors" 'could not query the server'
        [ -n "$blocking" ] || break
        end_snapshot
        rm -f "$partial" "$work/gzip.errors"
    done
    [ -z "$blocking" ] || fail_locked "could not read database '$TB_POSTGRES_DATABASE'" "$blocking"
    fail_to_dump
}

# open_snapshot: both the dump and the manifest see it. Sets snapshot and snapshot_backend
open_snapshot() {
    writer_status=0 reader_status=0 snapshot_backend=
    open_session live "$TB_POSTGRES_DATABASE"
    snapshot_facts=$(print_sql backup/wait-for-views tables/user-tables backup/snapshot |
        ask live) || return 1
    IFS='|' read -r snapshot snapshot_backend <<EOF
$snapshot_facts
EOF
}

# end_snapshot: ends its session, even in the middle of a statement, so that its locks are released
end_snapshot() {
    [ -z "$snapshot_backend" ] ||
        { psql_set backend "$snapshot_backend" && print_sql lock/end-backend; } |
        ask lock >/dev/null || fail_with "$work/lock.errors" 'could not end the snapshot'
    end_live_session
}

# write_dump: meanwhile the live session computes the summary and the fingerprints
write_dump() {
    show_rows_progress 'reading rows' archive_size 'checking archive' "$TB_POSTGRES_DATABASE"
    { psql_set size "$(human_size "$database_bytes")" && print_sql backup/summary; } |
        send_to live
    fingerprints_sql '' | send_to live
    if [ -n "$will_test" ]; then
        background dump_to_test
        wait "$child" || writer_status=$?
    else
        pipe dump pack_dump
    fi
    [ "$writer_status" -eq 0 ] && [ "$reader_status" -eq 0 ] || return 1
    answer_of live >"$work/summary" && answer_of live >"$work/tables" && end_snapshot
}

dump() {
    [ "$holds" = 'schema and data' ] || set -- --data-only
    dump_with "$compression" run_remote dump "$server_tmp" --snapshot="$snapshot" "$@"
}

# dump_to_test: only on the server
dump_to_test() {
    if has_zstd; then set -- zstd:1; else set -- gzip:1; fi
    dump_with "$1" on_server pg_dump --file="$server_tmp/archive" --snapshot="$snapshot"
}

dump_staging() {
    PGDATABASE=$staging
    dump_with "$compression" run_remote dump "$server_tmp"
}

# dump_with COMPRESSION COMMAND...: the command gets the options that every dump has
dump_with() {
    dump_option=--compress=${1#gzip:} # 15 and older know only a level
    [ "$1" != none ] || dump_option=--compress=0
    shift
    "$@" --format=custom --no-subscriptions --lock-wait-timeout=2000 \
        --encoding="$PGCLIENTENCODING" "$dump_option" </dev/null 2>"$work/dump.errors"
}

# pack_dump: never into an existing file, which could be somebody's link
pack_dump() {
    mkdir -p "$target_directory/" # another run may have removed it
    set -C
    { pack "$compression" >"$partial"; } 2>"$work/gzip.errors"
}

fail_to_dump() {
    ! grep -q 'ERROR\|FATAL\|error:' "$work/live.errors" ||
        fail_with "$work/live.errors" 'could not read the tables'
    [ "$reader_status" -eq 0 ] || {
        hint_room "$work/gzip.errors"
        die "could not write '$target': $(gzip_error)"
    }
    case $writer_status in
        0) fail_with "$work/live.errors" 'could not read the tables' ;; # the session has ended
        65) fail_with "$work/dump.errors" 'could not read the new backup' ;;
        *) fail_with "$work/dump.errors" "could not dump database '$TB_POSTGRES_DATABASE'" ;;
    esac
}

# hint_room FILE: if the errors in it are for lack of space, where to free some
hint_room() {
    ! grep -qi 'no space left\|quota' "$1" || hint "free some space in '$target_directory/'"
}

hint_untested() {
    hint 'set BACKUP_COMPRESSION=small to back up without a restore test'
}

# test_dump: restores the dump; if this user may not restore all of it, dumps again without a test
test_dump() {
    hint_untested
    find_obstacle_in_dump "$server_tmp/archive"
    [ -n "$test_obstacle" ] || restore_dump
    forget_hints
    [ -n "$test_obstacle" ] || return 0
    drop_temporary_databases
    skip_test
    use_compression
    dump_database
}

# dump_restored: dumps the staging database, whose rows are sorted; the live one is no longer read
dump_restored() {
    : >"$work/live.errors" # forgets that the snapshot's session was ended
    background read_staged_tables ''
    reading_staging=$child
    show_rows_progress 'dumping rows' archive_size 'checking archive' "$staging"
    pipe dump_staging pack_dump
    if [ "$writer_status" -ne 0 ] || [ "$reader_status" -ne 0 ]; then
        fail_to_dump
    fi
    wait "$reading_staging" || fail_unread_staging
    hint_untested
    require_tables_of_dump
}

# --- verification and publishing ---

# verify_dump: the partial file contains what pg_restore has read on the server
verify_dump() {
    say 'verifying the backup'
    show_progress verifying
    background hash_partial
    hashing=$child
    background list_dumped_schema
    listing=$child
    background hash_dumped_schema
    hashing_schema=$child
    pipe unpack_partial hash_content
    [ "$writer_status" -eq 0 ] || die "could not read the new backup: $(gzip_error)"
    [ "$(cat "$work/content.sha256")" = "$(sed -n 's/^sha256 //p' "$work/dump.errors")" ] ||
        die 'the SHA-256 of the new backup differs from that of the archive on the server'
    wait "$hashing"
    { wait "$listing" && take_schema dumped && wait "$hashing_schema"; } ||
        fail_with "$work/schema.errors" 'could not read the schema of the new backup'
    [ -z "$will_test" ] || require_objects_of_dump
    forget_hints
}

list_dumped_schema() {
    list_schema dumped "$server_tmp/archive" 2>>"$work/schema.errors"
}

hash_dumped_schema() {
    hash_schema "$server_tmp/archive" >"$work/definitions" 2>>"$work/schema.errors"
}

hash_partial() {
    sha256_of "$partial" >"$work/sha256"
}

unpack_partial() {
    unpack gzip <"$partial"
}

hash_content() {
    sha256 >"$work/content.sha256"
}

# publish_file: renames the new file to the target; for `auto`, to the next free name if another run
# has just taken this one
publish_file() {
    replacing=-f
    [ -z "$is_auto" ] || replacing=-n
    until begin_commit "'$target' is either unchanged or the complete new backup" &&
        rename_file "$replacing" "$partial" "$target"; do
        [ -n "$is_auto" ] && [ -e "$target" ] || return 1
        use_time_as_name
    done
}

# publish_backup: the manifest goes into the file, and a copy of it beside the file. Both are on
# disk, as are new directories and a new key, before the first is renamed. After a crash between the
# renames, the next run does the second, unless publish_file had to change the name
publish_backup() {
    sed -n '/^$/,$p' "$work/summary" >"$work/providers"
    manifest_fields >"$work/fields"
    write_manifest <"$work/fields" # in no pipe: it may set key_parent
    (set -C && cat "$work/manifest" >"$partial_manifest") 2>"$work/publish.errors" || {
        hint_room "$work/publish.errors"
        die "could not write '$target.info'"
    }
    add_manifest
    choose_sync
    { sync_new_key && sync_files "$partial" "$partial_manifest" &&
        sync_with_parents "$target_directory" "$directory_before"; } ||
        die "could not sync the new backup to the disk: $(head -n 1 "$work/sync.errors")"
    publish_file || die "could not replace '$target': $(head -n 1 "$work/publish.errors")"
    finish 'the new backup is complete'
    rename_file -f "$partial_manifest" "$target.info" || require_manifest
    sync_directory "$target_directory/" || {
        warn "the new backup is complete, but a power loss may undo it:" \
            "$(head -n 1 "$work/sync.errors")"
        end_incomplete
    }
    any_table_has_rows "$work/tables" ||
        alert "database '$TB_POSTGRES_DATABASE' has no rows; neither has this backup"
}

# report_backup: the shared backup is for Git
report_backup() {
    say_done "wrote $target: $(sum_of_tables <"$work/tables")," \
        "$(human_size "$(size_of "$target")") in $(duration)"
    report_changes
    if is_shared && any_table_has_rows "$work/tables"; then
        git=git
        [ "$project" = . ] || git="git -C $(quoted "$project")"
        in_git=assets/${target##*/}
        say "next: $git add $(quoted "$in_git") $(quoted "$in_git.info")"
    fi
}

# add_manifest: appends it to the file, and reads it back
add_manifest() {
    { embed_manifest "$work/manifest" >>"$partial"; } 2>>"$work/publish.errors"
    embedded_manifest "$partial" | cmp -s "$work/manifest" - || {
        hint_room "$work/publish.errors"
        die "could not write '$target': $(head -n 1 "$work/publish.errors" | without_position)"
    }
    is_sound_manifest || die "could not write '$target': its manifest does not match it"
}

# is_sound_manifest: does it describe the file, with whole hashes of the schema? A program may have
# failed and reported success
is_sound_manifest() {
    is_complete "$work/manifest" && describes "$work/manifest" "$partial" &&
        ! sed -n -e 's/^schema: //p' -e 's/^definitions: //p' "$work/manifest" |
        grep -qv '^[0-9a-f]\{64\}$'
}

manifest_fields() {
    sed '/^$/,$d' "$work/summary"
    printf 'size:    %s\n' "$(human_size "$(size_of "$partial")")"
    printf 'bytes: %s\n' "$(size_of "$partial")"
    printf 'sha256: %s\n' "$(cat "$work/sha256")"
    printf 'compression: %s\n' "$compression"
    printf 'database: %s\n' "$(printable "$TB_POSTGRES_DATABASE")"
    printf 'database-bytes: %s\n' "$database_bytes"
    printf 'encoding: %s\n' "$database_encoding"
    printf 'server: PostgreSQL %s\n' "$server_release"
    printf 'holds: %s\n' "$holds"
    [ "$holds" = 'data only' ] || printf 'schema: %s\ndefinitions: %s\n' \
        "$(sha256_of "$work/schema.dumped")" "$(cat "$work/definitions")"
    [ -z "$will_test" ] || echo 'restore-tested: yes'
    [ -z "$will_test" ] || [ ! -s "$work/sorted" ] || echo 'rows: sorted'
}

# require_manifest: another run may have replaced it
require_manifest() {
    ! cmp -s "$work/manifest" "$target.info" || return 0
    warn "could not replace '$target.info': $(head -n 1 "$work/publish.errors");" \
        "the new backup is complete, its manifest included; the next backup or restore" \
        "will replace '$target.info'"
    end_incomplete
}

main "$@"
