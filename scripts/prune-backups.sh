#!/bin/sh
# prune-backups.sh: deletes old backups in backups/postgres/. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use gzip backup-file embedded-manifest signature manifest publish progress report rclone off-site
use catalog

usage() {
    cat <<EOF
Usage: $0 OPTION... [REMOTE:PATH]

Lists the old backups in backups/postgres/, asks, and deletes them; with
REMOTE:PATH, in that directory of a remote instead. At least one of these rules
is required; a backup stays if any of them keeps it:

  --keep N          the newest N backups (same as KEEP=N)
  --keep-days N     the backups of the N days before the newest (same as
                    KEEP_DAYS=N)
  --keep-daily N    the newest backup of each day, for the last N days that
                    have one (same as KEEP_DAILY=N)
  --keep-weekly N   the same for weeks, which begin on Monday (KEEP_WEEKLY=N)
  --keep-monthly N  the same for months (KEEP_MONTHLY=N)

  --dry-run         only show what would be deleted
  -y, --yes         delete without asking (same as PRUNE_SKIP_CONFIRM=yes)

The newest backup always stays, and so does the newest one whose verification
succeeded. Backups are counted separately for each database; so are data-only
backups, those without rows, and those that were not signed with your key.
Days are days in UTC. Backups whose last verification failed, backups with a
date in the future, and files without an intact manifest are not counted and
stay. assets/ is not touched, nor is assets.dump.gz on a remote, the copy of
the shared backup.
EOF
}

main() {
    parse_options "$@"
    begin
    require_prune_settings
    require_rule
    decide >"$work/plan"
    show_plan
    count_backups_to_delete
    if [ "$to_delete" -eq 0 ]; then
        say_done 'nothing to delete'
    elif [ -n "$dry_run" ]; then
        say 'this was a dry run; no backup was deleted'
    else
        [ -n "$operand" ] || require_writable_directory "$project/backups/postgres"
        confirm_pruning
        delete_backups
    fi
    [ -z "$incomplete" ] || end_incomplete
}

parse_options() {
    unchanged='; no backup was deleted'
    dry_run=
    parse_arguments take_option "$@"
    place=
    if [ -n "$operand" ]; then
        require_remote_operand "$operand"
        place=" in '$operand'"
    fi
}

take_option() {
    case $1 in
        -y | --yes) PRUNE_SKIP_CONFIRM=yes ;;
        --dry-run) dry_run=yes ;;
        --keep | --keep-days | --keep-daily | --keep-weekly | --keep-monthly)
            use_rule "$1" "${2-}" && used=2
            ;;
        *) common_option "$1" ;;
    esac
}

use_rule() {
    require_value "$1" "$2" 'a number'
    is_count "$2" 9999 || die_usage "$1 must be from 1 to 9999, not '$2'"
    case $1 in
        --keep) KEEP=$2 ;;
        --keep-days) KEEP_DAYS=$2 ;;
        --keep-daily) KEEP_DAILY=$2 ;;
        --keep-weekly) KEEP_WEEKLY=$2 ;;
        --keep-monthly) KEEP_MONTHLY=$2 ;;
    esac
}

require_rule() {
    [ -n "$KEEP$KEEP_DAYS$KEEP_DAILY$KEEP_WEEKLY$KEEP_MONTHLY" ] ||
        die_usage 'choose which backups to keep, for example KEEP=7 or --keep 7'
}

# decide: prints 'keep' or 'delete', the reasons and the line of the catalog, the newest first
decide() {
    list_backups >"$work/backups"
    LC_ALL=C sort -r "$work/backups" >"$work/sorted"
    LC_ALL=C awk -v now="$(now_in_utc)" -v last="$KEEP" \
        -v within="$KEEP_DAYS" -v daily="$KEEP_DAILY" -v weekly="$KEEP_WEEKLY" \
        -v monthly="$KEEP_MONTHLY" \
        -f "$awk/formats.awk" -f "$awk/catalog-fields.awk" -f "$awk/prune.awk" "$work/sorted"
}

list_backups() {
    if [ -z "$operand" ]; then
        print_catalog "$project/backups/postgres"
    else
        print_remote_catalog "$operand" >"$work/there"
        sed '/[:/]assets\.dump\.gz$/d' "$work/there" # the copy of the shared backup stays
    fi
}

show_plan() {
    listed_files=$(wc -l <"$work/backups")
    total=$(wc -l <"$work/plan" | tr -d ' ')
    unreadable=$(grep -c "$(printf '\tunreadable\t')" "$work/backups") || unreadable=0
    skipped=$((listed_files - total - unreadable))
    [ "$unreadable" -eq 0 ] || warn_of_unreadable
    [ "$skipped" -eq 0 ] || say "skipped: $(amount "$skipped" file)$place without an intact" \
        "manifest; to list them, run 'make list-backups${operand:+ ARGS=$operand}'"
    [ -s "$work/plan" ] || return 0
    if [ -n "$quiet" ] && [ "$PRUNE_SKIP_CONFIRM" = yes ] && [ -z "$dry_run" ]; then
        return 0
    fi
    print_table prune-table "$work/plan"
}

# warn_of_unreadable: they may be older than what the rules keep. Sets incomplete
warn_of_unreadable() {
    incomplete=yes
    warn "skipped: $(amount "$unreadable" file)$place that user '$(user_name)' is not allowed" \
        'to read; run this as their owner'
}

count_backups_to_delete() {
    to_delete=$(grep -c '^delete' "$work/plan") || : # there is none
    is_number "$to_delete" || die 'could not count the backups to delete'
}

confirm_pruning() {
    bytes=$(awk -F '\t' '$1 == "delete" { bytes += $4 } END { printf("%.0f", bytes) }' "$work/plan")
    confirm PRUNE_SKIP_CONFIRM \
        "Delete $to_delete of $(amount "$total" backup)$place ($(human_size "$bytes"))?"
}

# delete_backups: decides again after the answer; a backup that has changed meanwhile stays
delete_backups() {
    decide >"$work/plan.now"
    deleted=0
    all_to_delete=$(amount "$to_delete" backup)
    while IFS= read -r planned; do
        case $planned in delete*) delete_backup "$planned" ;; esac
    done <"$work/plan"
    unchanged="; deleted $deleted of $all_to_delete"
    [ "$deleted" -eq "$to_delete" ] || die 'some backups were not deleted'
    unchanged=
    finish 'the old backups are deleted'
    say_done "deleted $(amount "$deleted" backup), $(human_size "$bytes")"
}

delete_backup() { # LINE
    old_backup=$(printf '%s\n' "$1" | cut -f 16-)
    if ! grep -Fqx -e "$1" "$work/plan.now"; then
        warn "$old_backup has changed meanwhile; it stays"
    elif [ -n "$operand" ]; then
        remove_with remove_from_remote
    else
        remove_uninterrupted
    fi
}

# remove_with FUNCTION: deletes the old backup with that function, and counts it
remove_with() {
    if "$1" "$old_backup"; then
        deleted=$((deleted + 1))
        unchanged="; deleted $deleted of $all_to_delete"
    else
        warn "could not delete $old_backup: $(removal_error)"
    fi
}

# remove_uninterrupted: a signal ends the run when the backup is removed and counted
remove_uninterrupted() {
    signal=
    trap 'signal=129' HUP
    trap 'signal=130' INT
    trap 'signal=131' QUIT
    trap 'signal=143' TERM
    remove_with remove_files
    end_on_signals
    [ -z "$signal" ] || exit "$signal"
}

# remove_files FILE: that file first, because FILE.info alone is not a backup. Sets incomplete
remove_files() {
    if ! ls -d -- "$1" >/dev/null 2>"$work/rm.errors"; then
        [ -x "${1%/*}/" ] # if so, another run has deleted the file
        return
    fi
    (trap '' HUP INT QUIT TERM && rm -f -- "$1") 2>"$work/rm.errors" || return 1
    (trap '' HUP INT QUIT TERM && rm -f -- "$1.info" "$1.verified") 2>"$work/rm.errors" || {
        warn "deleted $1, but not the files that belong to it: $(removal_error)"
        incomplete=yes
    }
}

removal_error() {
    if [ -n "$operand" ]; then
        rclone_error
    else
        head -n 1 "$work/rm.errors"
    fi
}

main "$@"
