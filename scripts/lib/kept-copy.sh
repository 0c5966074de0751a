# shellcheck shell=sh
# A copy of a restored database, kept on the server: the next restore of the same backup clones it,
# which is faster than loading the backup again.
# Needs: child copy_bytes copy_wanted in_place keep_going kept_copy manifest_found mode
#   rights_skipped staging tables trusted work
# Sets: copy_found incomplete

copy_found=

# find_copy: is there a copy of this backup that fits the live database? Sets copy_found
find_copy() {
    copy_found=
    may_use_copy || return 0
    copy_found=$({ psql_set comment "$(comment_of_copy)" && print_sql restore/find-copy; } |
        ask lock) || fail_with "$work/lock.errors" 'could not read the catalog'
}

# may_use_copy: only a full restore of a backup with a manifest can use or keep one
may_use_copy() {
    [ -n "$manifest_found" ] && [ -z "$tables$keep_going" ] && [ "$RESTORE_SCHEMA" != live ] &&
        [ "$in_place" != yes ] && ! is_data_only
}

# comment_of_copy: which backup it is a copy of, and with whose rights that was loaded
comment_of_copy() {
    printf 'backup of %s, SHA-256 %s, loaded by %s%s\n' "$(manifest_field created)" \
        "$(manifest_field sha256)" "$TB_POSTGRES_USER" "${trusted:+ without restrictions}"
}

# is_copy_enough: is the copy enough without the archive? Yes, if the live schema is the backup's
is_copy_enough() {
    [ -n "$copy_found" ] || return 1
    ! database_exists || is_live_schema "$(manifest_field schema)"
}

# clone_copy: into the staging database
clone_copy() {
    say 'cloning the copy of this backup that an earlier restore kept'
    show_progress cloning
    hint "drop the copy with 'make drop-copy', then run this again"
    background clone "$kept_copy" "$staging" true ''
    wait "$child" || fail_with "$work/clone.errors" 'could not clone the kept copy'
}

# keep_copy: of staging, if the user wants one. The restore goes on if that fails. Sets incomplete
keep_copy() {
    if [ "$copy_wanted" != yes ] || [ -n "$copy_found" ]; then
        return 0
    fi
    find_obstacle_to_copy
    if [ -n "$copy_obstacle" ]; then
        warn "no copy is kept, because $copy_obstacle"
        return 0
    fi
    say 'copying the staging database, for the next restore of this backup'
    show_progress copying
    if drop_earlier_copy && clone_staging; then
        read_copy_facts
        say "kept a copy of $(human_size "$copy_bytes"); 'make drop-copy' drops it"
    else
        incomplete=yes
        warn "could not keep a copy: $(first_error "$work/clone.errors")"
    fi
}

clone_staging() {
    background clone "$staging" "$kept_copy" false "$(comment_of_copy)"
    wait "$child"
}

# drop_earlier_copy: in a session of its own, because an error ends the session
drop_earlier_copy() {
    drop_statements "$kept_copy" | sql postgres >/dev/null 2>"$work/clone.errors"
}

# find_obstacle_to_copy: Sets copy_obstacle, the end of a sentence, or empty
find_obstacle_to_copy() {
    copy_obstacle=
    if [ "$mode" != full ] || ! may_use_copy; then
        copy_obstacle='only a full restore of a backup with a manifest can keep one'
    elif [ -n "$rights_skipped" ]; then
        copy_obstacle='owners or grants of the backup were skipped'
    fi
}

# clone SOURCE TARGET ACCEPTS_CONNECTIONS COMMENT: in a session of its own, in a child
clone() {
    print_sql lock/may-end restore/clone >"$work/clone.sql"
    run_sql postgres -v source="$1" -v target="$2" -v accepts_connections="$3" -v comment="$4" \
        -v live="$TB_POSTGRES_DATABASE" <"$work/clone.sql" 2>"$work/clone.errors"
}
