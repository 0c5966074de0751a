#!/bin/sh
# doctor.sh: checks everything that a backup and a restore need. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock client-programs databases rights backup-file embedded-manifest
use signature manifest fingerprints schema publish storage upload untrusted tumblebug

usage() {
    cat <<EOF
Usage: $0 [--json]

Checks everything that a backup and a restore need, from this machine's
programs to the server's free space, and says what to do about each problem.
It changes nothing, except that it cleans up after crashed runs.

A 'problem' means that a backup, its copy to BACKUP_REMOTE, or a restore would
fail; the exit code is then 1. A 'note' is for information and does not affect
the exit code.

  --json  print the checks as JSON
EOF
}

main() {
    parse_no_options "$@"
    begin
    problems=0
    backup_file=$project/assets/assets.dump.gz
    check_host
    verdict='a backup and a restore would work'
    if check problem server find_server && check problem login log_in; then
        if check note lock find_lock; then
            check_server
        else
            verdict="$verdict after the other run has ended"
        fi
    fi
    check_tumblebug
    [ -z "$json" ] || add_rows checks 'level name hint text' <"$work/checks"
    [ "$problems" -eq 0 ] || fail 1 "problems found: $problems"
    say_done "$verdict"
}

# check LEVEL NAME FUNCTION: prints 'ok' and what the function prints, if anything; if the function
# fails, prints LEVEL with its error and hints, and fails too
check() {
    level=ok
    ("$3") >"$work/found" 4>"$work/said" || level=$1
    if [ "$level" = ok ]; then
        [ ! -s "$work/found" ] || show_check 32 ok "$2" "$(cat "$work/found")"
        return 0
    fi
    [ "$level" = note ] || problems=$((problems + 1))
    remedies=$(sed -n 's/^ hint: //p' "$work/said")
    show_check "$([ "$level" = note ] && echo 33 || echo 31)" "$level" "$2" \
        "$(sed -n 's/^\(error\|warning\): //p' "$work/said" | head -n 1)" "$remedies"
    return 1
}

# show_check COLOUR LEVEL NAME TEXT [REMEDIES]: the remedies are lines
show_check() {
    if [ -n "$json" ]; then
        printf '%s\t%s\t%s\t%s\n' "$2" "$3" "$(in_one_line "${5:--}")" "$4" >>"$work/checks"
        return
    fi
    printf '%s%-7s%s  %-11s  %s\n' "$(colour_on_3 "$1")" "$2" "$(colour_on_3 0)" "$3" \
        "$(printable "$4")" >&3 || die 'could not write the result'
    [ -z "${5-}" ] || printf '%s\n' "$5" | while IFS= read -r remedy; do
        printf '%-22s%s\n' '' "$remedy" >&3
    done
}

colour_on_3() {
    ! has_colour 3 || printf '\033[%sm' "$1"
}

# --- this machine ---

check_host() {
    check problem directory find_work_directory || :
    check note pigz find_pigz || :
    check note python find_packages || :
    check note key find_key || :
    check note backup read_shared_backup || :
    [ -z "$BACKUP_REMOTE" ] || check problem remote find_remote || :
}

find_work_directory() {
    echo "temporary directory '$TMPDIR', $(df -Pk "$TMPDIR" | awk 'NR == 2 { print $4 }' |
        human_kib) free"
}

human_kib() {
    read -r kib && human_size "$((kib * 1024))"
}

find_pigz() {
    command -v pigz || {
        hint 'optional: with pigz, files are checked and written faster'
        die 'not installed'
    }
}

find_packages() {
    find_python >/dev/null || {
        hint "optional: a progress bar needs Python 3.10 or later; so does 'make init'"
        die 'not installed'
    }
    if ! "$(find_python)" -c 'import psycopg, tabulate' 2>/dev/null; then
        hint "optional: 'make setup' installs them for a progress bar; 'make init' needs Python"
        die 'packages psycopg and tabulate are missing'
    fi
    find_python
}

find_key() {
    has_key || {
        if lacks_key; then
            hint 'the next backup creates it; backups signed with another key are untrusted'
        else
            hint 'without a key, backups are not signed, and all are untrusted'
        fi
        die "$(key_problem)"
    }
    key_file
    echo
}

read_shared_backup() {
    if ! [ -e "$backup_file" ]; then
        hint "create it with 'make backup-assets'"
        die "there is no '$backup_file'"
    fi
    require_file "$backup_file"
    find_manifest "$backup_file"
    [ -n "$manifest_found" ] || die "'$backup_file' has no manifest"
    check_manifest "$backup_file"
    require_intact "$backup_file"
    echo "$backup_file, created $(manifest_field created), $(sum_of_tables <"$work/tables")"
}

find_remote() {
    require_remote
    list_remote "$BACKUP_REMOTE" || fail_to_list "$BACKUP_REMOTE"
    echo "'$BACKUP_REMOTE', backups: $remote_files"
}

# --- the server ---

find_server() {
    select_server
    echo "$server"
}

log_in() {
    select_server
    open_lock
    echo "user '$TB_POSTGRES_USER', PostgreSQL $server_release"
    rm "$work/lock.in" "$work/lock.out"
}

find_lock() {
    select_server
    lock_database
    echo 'no other run is using the database'
    rm "$work/lock.in" "$work/lock.out"
}

# check_server: the checks that need the lock
check_server() {
    muted=yes
    select_server
    muted=
    lock_database
    [ "$ASSETS_PG_BACKEND" = direct ] || check note password log_in_by_tcp || :
    read_database_facts
    read_server_facts
    prepare_server "$data_directory"
    if database_exists; then
        check problem database find_live_database || :
    else
        check note database fail_without_live_database ||
            verdict='a restore would work; it creates the database, which a backup needs'
    fi
    check problem programs find_client_programs || :
    check note zstd find_zstd || :
    check problem rights find_rights || :
    if [ "$RESTORE_IN_PLACE" != yes ] && database_exists; then
        check note extensions find_extensions ||
            verdict='a backup would work; a restore may fail to create extensions'
    fi
    [ ! -e "$backup_file" ] || check note restore find_restorable ||
        verdict="a backup would work, a restore of $backup_file would not"
    check "$(level_of_room)" space find_room || :
    check problem swap find_obstacles || :
    show_kept_databases
    begin_removal
    finish_removal
}

# log_in_by_tcp: as CB-Tumblebug's server does; the container's own programs need no password
log_in_by_tcp() {
    # shellcheck disable=SC2016 # expands on the server
    on_server sh -c 'PGHOST=$(hostname -i | cut -d " " -f 1) psql -X -q -c ""' \
        </dev/null 2>"$work/sql.errors" || {
        hint "set TB_POSTGRES_PASSWORD to the password on the server"
        die "a login over TCP failed: $(first_error "$work/sql.errors")"
    }
    echo 'accepted over TCP'
}

fail_without_live_database() {
    [ "$RESTORE_IN_PLACE" = yes ] || hint 'a restore creates it'
    die "there is no database '$TB_POSTGRES_DATABASE'"
}

find_live_database() {
    content=$(content_of "$TB_POSTGRES_DATABASE")
    require_readable "$content"
    echo "'$TB_POSTGRES_DATABASE', $content, $(human_size "$database_bytes")"
}

find_client_programs() {
    require_dump_version
    echo "pg_dump $dump_version, pg_restore $(server_fact pg_restore)"
}

find_zstd() {
    require_dump_version
    has_zstd || {
        hint 'pg_dump 16 and later can have zstd, which makes backups smaller and faster'
        die "pg_dump $dump_version does not support zstd"
    }
    echo 'pg_dump supports it'
}

find_rights() {
    refuse_system_database
    if [ "$RESTORE_IN_PLACE" = yes ]; then
        require_primary
        require_right_to_replace
        echo "user '$TB_POSTGRES_USER' may replace everything; restores are done in place"
        return 0
    fi
    require_right_to_create in-place
    if [ "$is_superuser" = t ]; then
        echo "user '$TB_POSTGRES_USER' is a superuser"
    elif [ "$may_restrict" = t ]; then
        echo "user '$TB_POSTGRES_USER' may create databases, and restore untrusted backups"
    else
        echo "user '$TB_POSTGRES_USER' may create databases, but not restore untrusted backups"
    fi
}

# find_extensions: a restore creates them in the staging database
find_extensions() {
    list_superuser_extensions
    [ ! -s "$work/extensions" ] || {
        hint_extensions
        die "only a superuser may create $(list_of 20 <"$work/extensions")"
    }
}

# find_restorable: would this user, with these programs, be able to load the shared backup?
find_restorable() {
    require_file "$backup_file"
    find_manifest "$backup_file"
    [ -z "$manifest_found" ] || check_manifest "$backup_file"
    decide_trust
    require_trust
    backup_kind=$(file_kind "$backup_file")
    unpack "$backup_kind" <"$backup_file" 2>/dev/null | head -c 1000 >"$work/head"
    on_server pg_restore --list <"$work/head" >/dev/null 2>"$work/restore.errors" || :
    ! grep -q 'unsupported version\|valid archive\|text format' "$work/restore.errors" ||
        fail_not_whole "$work/restore.errors"
    if [ -n "$trusted" ]; then
        echo "$backup_file is trusted"
    else
        echo "$backup_file is untrusted: a restore loads it with restricted rights and audits it"
    fi
}

# level_of_room: that of a failed find_room: note if the free space is unknown, as on another host
level_of_room() {
    if [ -n "$(server_fact data-free)" ]; then echo problem; else echo note; fi
}

find_room() {
    kib=$(server_fact data-free)
    [ -n "$kib" ] || die 'could not determine the free space of the data directory'
    room="$(human_size "$((kib * 1024))") free in the data directory"
    server_has_room 'data directory' "$kib" "$database_bytes" || {
        hint "free some space in $data_directory of $server"
        die "$room, but a restore needs about $(human_size "$database_bytes")"
    }
    server_has_room 'data directory' "$kib" "$((database_bytes * 3))" ||
        room="$room: enough for a restore, not for BACKUP_COMPRESSION=smallest"
    echo "$room"
}

find_obstacles() {
    require_replaceable ''
    lasting_sessions=
    [ "$RESTORE_IN_PLACE" = yes ] || lasting_sessions=$(foreign_sessions)
    [ -z "$lasting_sessions" ] || {
        hint 'disconnect these clients, or ask a superuser to end the sessions'
        die "user '$TB_POSTGRES_USER' may not end these sessions, which a restore must end:" \
            "$lasting_sessions"
    }
    echo 'nothing prevents a restore from replacing the database'
}

show_kept_databases() {
    read_copy_facts
    [ -z "$copy_bytes" ] || show_check 33 note copy \
        "$(human_size "$copy_bytes"), $copied_backup" "'make drop-copy' drops it"
    kept_at=$(time_of_previous)
    [ -z "$kept_at" ] || show_check 33 note previous "$(size_of_previous), kept $kept_at" \
        "'make rollback-assets' swaps to it, with ARGS=--drop it drops it"
}

# --- CB-Tumblebug's server ---

check_tumblebug() {
    check note tumblebug find_tumblebug || :
}

find_tumblebug() {
    has_new_python || die "$python_needed"
    ask_tumblebug ready || {
        hint "only 'make init' needs it; for another address, set TUMBLEBUG_SERVER=host:port"
        die "$(tumblebug_answer)"
    }
    echo "answers at $TUMBLEBUG_SERVER"
}

main "$@"
