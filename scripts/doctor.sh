#!/bin/sh
# doctor.sh: checks everything that a backup and a restore need. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock clean-up client-programs databases rights gzip backup-file
use embedded-manifest signature manifest fingerprints schema publish rclone off-site upload
use untrusted tumblebug

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
    in_place=${RESTORE_IN_PLACE:-no}
    problems=0
    backup_file=$project/assets/assets.dump.gz
    check_this_machine
    backup_works=yes restore_works=yes all_checked=
    if run_check problem server && run_check problem login && run_check note lock; then
        check_with_lock
        all_checked=yes
    fi
    check note tumblebug
    [ -z "$json" ] || add_rows checks 'level name hint text' <"$work/checks"
    [ "$problems" -eq 0 ] || fail 1 "problems found: $problems"
    if [ -n "$all_checked" ]; then
        report_verdict
    else
        say_done 'the other checks need the lock: run this again when the other run has ended'
    fi
}

report_verdict() {
    case $backup_works-$restore_works in
        yes-yes) say_done 'a backup and a restore would work' ;;
        yes-maybe) say_done 'a backup would work; a restore may fail to create extensions' ;;
        no-*) say_done 'a restore would work and create the database; a backup would fail' ;;
    esac
}

# check LEVEL NAME: prints 'ok' and what the function check_NAME prints, if anything; if it fails,
# prints LEVEL with its error and hints
check() {
    run_check "$@" || : # it has said so
}

# run_check LEVEL NAME: the same, and fails if check_NAME does. Sets problems
run_check() {
    level=ok
    ("check_$2") >"$work/checked" 4>"$work/said" || level=$1
    if [ "$level" = ok ]; then
        [ ! -s "$work/checked" ] || show_check ok "$2" "$(cat "$work/checked")"
        return 0
    fi
    [ "$level" = note ] || problems=$((problems + 1))
    show_check "$level" "$2" "$(first_said 'error: ' || first_said 'warning: ')" \
        "$(sed -n 's/^ hint: //p' "$work/said")"
    return 1
}

# first_said LABEL: the first message of the check with that label; fails if there is none
first_said() {
    grep "^$1" "$work/said" | sed "s/^$1//; q" | grep .
}

# show_check LEVEL NAME TEXT [REMEDIES]: the remedies are lines
show_check() {
    if [ -n "$json" ]; then
        printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$(in_one_line "${4:--}")" "$3" >>"$work/checks"
        return
    fi
    case $1 in
        ok) level_colour=32 ;;
        note) level_colour=33 ;;
        problem) level_colour=31 ;;
    esac
    printf '%s%-7s%s  %-11s  %s\n' "$(colour_on_3 "$level_colour")" "$1" "$(colour_on_3 0)" "$2" \
        "$(printable "$3")" >&3 || die 'could not write the result'
    [ -z "${4-}" ] || printf '%s\n' "$4" | while IFS= read -r remedy; do
        printf '%-22s%s\n' '' "$remedy" >&3
    done
}

colour_on_3() {
    ! has_colour 3 || printf '\033[%sm' "$1"
}

# --- this machine ---

# check_this_machine: Sets has_backup
check_this_machine() {
    has_backup=
    check problem settings
    check problem directory
    check problem backups
    check problem gzip
    check note pigz
    check note python
    check note key
    if ! backup_exists; then
        check note backup
    elif run_check problem backup; then
        has_backup=yes
    fi
    ! has_remote "$BACKUP_REMOTE" || check problem remote
}

check_settings() {
    require_restore_settings
    require_backup_settings
}

check_directory() {
    free_here=$(free_bytes "$TMPDIR") || exit
    echo "temporary directory '$TMPDIR', $(human_size "$free_here") free"
}

# check_backups: may the next backup be written, and is there room for one like the newest one?
check_backups() {
    least_free=
    for backup_directory in assets/ backups/postgres/; do
        size_of_last=$(size_of_newest "$project/$backup_directory")
        path=$(nearest_directory "$project/${backup_directory%/}")
        require_writable_directory "$path"
        free_here=$(free_bytes "$path") || exit
        [ "$free_here" -gt "$size_of_last" ] || {
            hint "free some space in '$path'"
            die "only $(human_size "$free_here") free in $backup_directory;" \
                "the newest backup there is $(human_size "$size_of_last")"
        }
        if [ -z "$least_free" ] || [ "$free_here" -lt "$least_free" ]; then
            least_free=$free_here
        fi
    done
    echo "assets/ and backups/postgres/ are writable, $(human_size "$least_free") free"
}

# size_of_newest DIRECTORY/: the bytes of the newest backup there, or 0
size_of_newest() {
    # shellcheck disable=SC2012 # of the rest of the line, only the size is used
    ls -lntL -- "$1"*.dump.gz 2>/dev/null | awk 'NR == 1 { bytes = $5 } END { print bytes + 0 }'
}

# backup_exists: a broken link, which is a problem, counts
backup_exists() {
    [ -e "$backup_file" ] || [ -L "$backup_file" ]
}

has_readable_backup() {
    [ -f "$backup_file" ] && [ -r "$backup_file" ]
}

# free_bytes DIRECTORY: how many bytes can be written there
free_bytes() {
    kib=$(df -Pk -- "$1" | awk 'NR == 2 { print $4 }')
    is_number "$kib" || die "could not determine the free space in '$1'"
    echo "$((kib * 1024))"
}

check_gzip() {
    require_gzip
}

check_pigz() {
    command -v pigz || {
        hint 'optional: with pigz, files are checked and written faster'
        die 'not installed'
    }
}

check_python() {
    find_python >/dev/null || {
        hint "optional: a progress bar needs Python 3.10 or later; so does a fetch by 'make init'"
        die 'not installed'
    }
    if ! "$(find_python)" -c 'import psycopg, tabulate' 2>/dev/null; then
        hint "optional: 'make setup' installs them for a progress bar"
        die 'packages psycopg and tabulate are missing'
    fi
    find_python
}

check_key() {
    has_key || {
        if lacks_key; then
            hint 'the next backup creates it'
            hint 'backups signed with another key are untrusted'
        else
            hint 'without a key, backups are not signed, and all are untrusted'
        fi
        die "$(key_problem)"
    }
    key_file
    echo
}

check_backup() {
    backup_exists || {
        hint 'copy a shared backup there;' \
            "or, if the database has rows, create one with 'make backup-assets'"
        die "there is no '$backup_file'"
    }
    require_sound "$backup_file"
    if [ -n "$manifest_found" ]; then
        echo "created $(manifest_field created), $(sum_of_tables <"$work/tables")"
    else
        refuse_terminal_damage
        echo "no manifest describes $backup_file; only its compression was checked"
    fi
}

check_remote() {
    list_remote "$BACKUP_REMOTE" || fail_to_list "$BACKUP_REMOTE"
    missing_note=
    [ -n "$remote_exists" ] || missing_note='; the directory does not exist yet'
    echo "'$BACKUP_REMOTE', backups: $remote_files$missing_note"
}

# --- the server ---

check_server() {
    select_server
    echo "$server"
}

check_login() {
    select_server
    open_lock
    echo "user '$TB_POSTGRES_USER', PostgreSQL $server_release"
}

check_lock() {
    select_server
    lock_database
    echo 'no other run is using the database'
}

check_with_lock() {
    without_messages select_server
    lock_database
    [ "$ASSETS_PG_BACKEND" = direct ] || check note password
    read_database_facts
    read_server_facts
    prepare_server "$data_directory"
    if database_exists; then
        check problem database
    else
        run_check note database || backup_works=no
    fi
    ! run_check problem programs || check note zstd
    check problem rights
    if [ "$in_place" != yes ] && database_exists; then
        run_check note extensions || restore_works=maybe
    fi
    [ -z "$has_backup" ] || check problem restore
    check "$(level_of_space)" space
    check problem archive
    check problem swap
    show_kept_databases
    begin_removing_server_tmp
    finish_removing_server_tmp
}

# check_password: over TCP, as CB-Tumblebug's server logs in; the container's own programs need none
check_password() {
    # shellcheck disable=SC2016 # expands on the server
    on_server sh -c 'PGHOST=$(hostname -i | cut -d " " -f 1) psql -X -q -c ""' \
        </dev/null 2>"$work/sql.errors" || {
        hint "set TB_POSTGRES_PASSWORD to the password on the server"
        die "a login over TCP failed: $(first_error "$work/sql.errors")"
    }
    echo 'accepted over TCP'
}

check_database() {
    database_exists || {
        [ "$in_place" = yes ] || hint 'a restore creates it'
        die "there is no database '$TB_POSTGRES_DATABASE'"
    }
    content=$(content_of "$TB_POSTGRES_DATABASE")
    require_readable "$content"
    echo "'$TB_POSTGRES_DATABASE', $content, $(human_size "$database_bytes")"
}

check_programs() {
    require_dump_version
    echo "pg_dump $dump_version, pg_restore $(server_fact pg_restore)"
}

check_zstd() {
    require_dump_version # sets dump_version, in this subshell
    has_zstd || {
        hint 'pg_dump 16 and later can have zstd, which makes backups smaller and faster'
        die "pg_dump $dump_version does not support zstd"
    }
    echo 'pg_dump supports it'
}

check_rights() {
    refuse_system_database
    if [ "$in_place" = yes ]; then
        require_primary
        require_right_to_replace
        echo "user '$TB_POSTGRES_USER' may replace everything; restores are done in place"
        return 0
    fi
    require_right_to_create in-place
    require_right_to_copy_settings
    if [ "$is_superuser" = t ]; then
        echo "user '$TB_POSTGRES_USER' is a superuser"
    elif [ "$may_restrict" = t ]; then
        echo "user '$TB_POSTGRES_USER' may create databases, and restore untrusted backups"
    else
        echo "user '$TB_POSTGRES_USER' may create databases, but not restore untrusted backups"
    fi
}

# check_extensions: a restore creates them in the staging database
check_extensions() {
    read_live_catalog
    [ ! -s "$work/extensions" ] || {
        hint 'a restore with RESTORE_IN_PLACE=yes keeps the extensions of the live database'
        die "only a superuser may create $(list_of 20 <"$work/extensions")"
    }
}

# check_restore: would this user, with these programs, be able to load the shared backup?
check_restore() {
    find_manifest "$backup_file"
    [ -z "$manifest_found" ] || check_manifest "$backup_file"
    decide_trust
    require_trust
    backup_kind=$(file_kind "$backup_file")
    unpack "$backup_kind" <"$backup_file" 2>/dev/null | head -c 1000 >"$work/head"
    on_server pg_restore --list <"$work/head" >/dev/null 2>"$work/restore.errors" || :
    ! grep -q 'unsupported version\|valid archive\|text format' "$work/restore.errors" ||
        fail_not_whole "$work/restore.errors"
    if [ -n "$signed" ]; then
        echo "$backup_file is trusted"
    elif [ -n "$trusted" ]; then
        echo "$backup_file is untrusted, but RESTORE_TRUST=yes restores it with your own rights"
    else
        echo "$backup_file is untrusted: a restore loads it with restricted rights and audits it"
    fi
}

# level_of_space: of a failed check_space: note if the free space is unknown, as on another host
level_of_space() {
    if [ -n "$(server_fact data-free)" ]; then echo problem; else echo note; fi
}

check_space() {
    kib=$(server_fact data-free)
    [ -n "$kib" ] || {
        hint 'to see it, run this on the host of the server,' \
            'as a superuser or a member of pg_read_all_settings'
        die 'could not determine the free space of the data directory'
    }
    room="$(human_size "$((kib * 1024))") free in the data directory"
    needed_bytes=$(room_to_load "$(bytes_to_restore)")
    server_has_room "$kib" "$needed_bytes" || {
        hint "free some space in $data_directory of $server"
        die "$room, but a restore needs about $(human_size "$needed_bytes")"
    }
    server_has_room "$kib" "$(room_to_sort)" ||
        room="$room: enough for a restore, not for BACKUP_COMPRESSION=smallest"
    echo "$room"
}

# bytes_to_restore: the size of the live database, or of that in the shared backup if it is larger
bytes_to_restore() (
    if [ -n "$has_backup" ]; then
        find_manifest "$backup_file"
        [ -z "$manifest_found" ] || check_manifest "$backup_file"
        [ "$(expected_bytes)" -le "$database_bytes" ] || database_bytes=$(expected_bytes)
    fi
    echo "$database_bytes"
)

# check_archive: is there room for one like the shared backup where archives are on the server?
check_archive() {
    kib=$(server_fact tmp-free)
    { has_readable_backup && [ -n "$kib" ]; } || return 0
    room="$(human_size "$((kib * 1024))") free in $(server_fact tmp-parent) of $client_host"
    server_has_room "$kib" "$(size_of "$backup_file")" || {
        hint 'free some space there'
        die "only $room; the shared backup is $(human_size "$(size_of "$backup_file")")"
    }
    echo "$room"
}

check_swap() {
    require_replaceable ''
    lasting_sessions=
    [ "$in_place" = yes ] || lasting_sessions=$(foreign_sessions)
    [ -z "$lasting_sessions" ] || {
        hint 'disconnect these clients, or ask a superuser to end the sessions'
        die "user '$TB_POSTGRES_USER' may not end these sessions, which a restore must end:" \
            "$lasting_sessions"
    }
    echo 'nothing prevents a restore from replacing the database'
}

show_kept_databases() {
    read_copy_facts
    [ -z "$copy_bytes" ] || show_check note copy \
        "$(human_size "$copy_bytes"), $copy_origin" "'make drop-copy' drops it"
    previous_since=$(time_of_previous)
    [ -z "$previous_since" ] || show_check note previous \
        "$(size_of_previous), kept $previous_since" \
        "'make rollback-assets' swaps to it, with ARGS=--drop it drops it"
}

# --- CB-Tumblebug's server ---

check_tumblebug() {
    has_new_python || die "$python_needed"
    ask_tumblebug ready || {
        hint "only 'make init' needs it"
        hint 'for another address, set TUMBLEBUG_SERVER=host:port'
        die "$(tumblebug_answer)"
    }
    echo "answers at $TUMBLEBUG_SERVER"
}

main "$@"
