# shellcheck shell=sh
# Guards: the same content does not replace an existing backup, and much less content only if the
# user wants that; and the shared backup must be small enough for Git.
# Needs: awk database_encoding holds manifest_found operand partial_manifest project
#   target work

size_to_warn=52428800   # 50 MiB
size_to_refuse=99614720 # 95 MiB: Git hosts reject a file above 100 MiB

# guard_existing_backup: before the dump. Ends the script if nothing has changed since the existing
# backup, which only our own manifest can tell; asks if much of it would be lost. After 'auto',
# which replaces no file, guard_against_losses compares with the newest backup, because older ones
# are deleted some day
guard_existing_backup() {
    losses='' existing_created='' existing_definitions=''
    if [ "$FORCE" = yes ] || [ "$operand" = auto ]; then
        read_existing || :
        return 0
    fi
    compare_existing
    [ -n "$losses" ] || return 0
    show_losses
    [ -t 0 ] || refuse_losses
    losses_shown=$losses
    confirm_unlocked FORCE 'Replace the existing backup anyway?'
    require_database
    compare_existing
    require_same "$losses_shown" "$losses"
}

# guard_against_losses: after the dump, if the losses are no longer those that the user has agreed
# to, or could not be read before
guard_against_losses() {
    [ "$FORCE" != yes ] || return 0
    losses_agreed=$losses
    find_losses "$work/tables"
    [ -z "$losses" ] || [ "$losses" = "$losses_agreed" ] || {
        show_losses
        refuse_losses
    }
}

# compare_existing: with the live database. If that could not be read, losses stays empty;
# the dump will say why. Sets losses, a line for each table
compare_existing() {
    losses=
    if read_existing && read_live_tables; then
        if is_own_manifest && is_same_content; then
            end_unchanged
        fi
        find_losses "$work/live"
    fi
}

# read_existing: fails unless there is an intact backup with a manifest, trusted or not
read_existing() {
    : >"$work/existing"
    existing_file=$target
    if [ "$operand" = auto ]; then
        read_newest || return 1
    else
        read_intact "$target" || return 1
    fi
    sed '$d' "$work/info" >"$work/manifest"
    existing_created=$(manifest_field created)
    existing_definitions=$(manifest_field definitions)
    read_manifest "$work/manifest" >"$work/existing"
}

# read_intact FILE: its manifest
read_intact() {
    [ -f "$1" ] && [ -r "$1" ] || return 1
    find_manifest "$1"
    [ -n "$manifest_found" ] && is_complete "$work/info" && describes "$work/info" "$1"
}

# read_newest: the manifest of the newest intact backup of this database in backups/postgres/, if
# possible of one that was signed with this key, and that is not dated in the future
read_newest() {
    print_catalog "$project/backups/postgres" >"$work/listed.catalog"
    DATABASE=$(printable "$TB_POSTGRES_DATABASE") LC_ALL=C \
        awk -v now="$(now_in_utc)" \
        -f "$awk/formats.awk" -f "$awk/catalog-fields.awk" -f "$awk/of-database.awk" \
        "$work/listed.catalog" >"$work/of-database" ||
        die 'could not find the newest backup'
    LC_ALL=C sort -r "$work/of-database" | cut -f 2- >"$work/newest"
    while IFS= read -r newest_backup; do
        if read_intact "$newest_backup"; then
            existing_file=$newest_backup
            return 0
        fi
    done <"$work/newest"
    return 1
}

# report_changes: since the backup that has been replaced, or the newest one; see diff-backup.sh for
# more
report_changes() {
    [ -s "$work/existing" ] || return 0
    changes=$(LC_ALL=C awk -f "$awk/formats.awk" \
        -f "$awk/changes-since-backup.awk" "$work/existing" "$work/tables")
    [ "$holds" = 'data only' ] || [ -z "$existing_definitions" ] ||
        [ "$existing_definitions" = "$(cat "$work/definitions")" ] ||
        changes="the schema has changed, $changes"
    say "since the backup of $existing_created: $changes"
}

# read_live_tables: in one snapshot
read_live_tables() {
    show_progress comparing
    { print_sql backup/one-snapshot && fingerprints_sql ''; } |
        sql "$TB_POSTGRES_DATABASE" >"$work/live" 2>"$work/sql.errors"
}

# is_same_content: and would the file be the same? The schema is read after the rows: a column
# renamed meanwhile shows. A data-only backup does not say of which schema it is
is_same_content() {
    is_manifest_inside "$target" &&
        [ "$holds" = 'schema and data' ] && [ "$(manifest_field holds)" = "$holds" ] &&
        [ "$(manifest_field encoding)" = "$database_encoding" ] &&
        cmp -s "$work/existing" "$work/live" &&
        equals_manifest_outside_tables
}

end_unchanged() {
    clean_up_server
    cmp -s "$work/info" "$target.info" || renew_info
    say_done "nothing changed since $existing_created; the existing backup is unchanged"
    say 'to write a new one anyway, run this with FORCE=yes'
    complete_off_site "$target"
    exit 0
}

# renew_info: the copy of the manifest is missing, or another backup's
renew_info() {
    { (set -C && cat "$work/info" >"$partial_manifest") 2>"$work/publish.errors" &&
        rename_file -f "$partial_manifest" "$target.info"; } ||
        die "could not write '$target.info': $(head -n 1 "$work/publish.errors")"
    say "wrote '$target.info' again: it was missing, or differed from the manifest in the backup"
}

# find_losses TABLES: between the existing backup and these lines of tables. Sets losses
find_losses() {
    LC_ALL=C awk -f "$awk/losses.awk" "$work/existing" "$1" >"$work/losses" ||
        die "could not compare the database with '$existing_file'"
    losses=$(describe_losses <"$work/losses")
}

describe_losses() {
    while read -r rows_before rows_now table_name; do
        case $rows_now in
            gone) change="$rows_before rows -> gone" ;;
            *) change="$rows_before -> $rows_now rows" ;;
        esac
        printf '%s: %s\n' "${table_name#public.}" "$(with_commas "$change")"
    done
}

# show_losses: also with --quiet, because they are what the question or the error is about
show_losses() {
    say_always "the new backup would hold less than '$existing_file', created $existing_created:"
    printf '%s\n' "$losses" | at_most 20 | while IFS= read -r loss; do
        say_always "  $loss"
    done
}

refuse_losses() {
    if [ "$operand" = auto ]; then
        hint 'to write it anyway, run this with FORCE=yes'
    else
        hint 'to replace it anyway, run this with FORCE=yes; to keep both, give the new one a NAME'
    fi
    die 'these tables are gone or lost more than a fifth of their rows'
}

# guard_shared_size FILE: warns or ends the script if the shared backup is too large for Git
guard_shared_size() {
    size_found=$(size_of "$1")
    [ "$size_found" -ge "$size_to_warn" ] || return 0
    found="the new backup's size is $(human_size "$size_found")"
    if [ "$size_found" -lt "$size_to_refuse" ] || [ "$FORCE" = yes ]; then
        warn "$found: Git hosts warn about files above 52.4 MB and reject those above 105 MB"
        return 0
    fi
    hint 'BACKUP_COMPRESSION=smallest writes the smallest file'
    hint 'NAME=x writes to backups/postgres/, which is not in Git'
    hint 'if you use Git LFS, which accepts larger files, run this with FORCE=yes'
    die "$found, but assets/ accepts less than $(human_size "$size_to_refuse"):" \
        'Git hosts reject files above 105 MB'
}
