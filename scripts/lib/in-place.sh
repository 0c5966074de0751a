# shellcheck shell=sh
# A restore in place, without a staging database: one transaction in the live database, which
# commits only what it has verified. Clients wait for its locks until it ends.
# Needs: archive awk child manifest_found mode new_owner root server_tmp unusable_owners work

# restore_in_place: until the commit, whatever ends the session leaves the database unchanged
restore_in_place() {
    say 'loading the backup in one transaction; clients wait until it ends'
    : >"$work/skipped"
    [ "$mode" != full ] || find_skipped_entries
    list_targets
    require_own_session
    show_progress 'loading rows'
    case $mode in
        full) replace_everything ;;
        *) replace_rows ;;
    esac
    verify_in_place
    require_own_session # a run without the lock must not commit
    commit_replacement
}

# find_skipped_entries: what the restore must skip, because it stays: $work/skipped gets a part of
# each such line of the table of contents, $work/restored the lines of all others but rows
find_skipped_entries() {
    open_session live "$TB_POSTGRES_DATABASE"
    {
        psql_set trusted '' # so that it lists all entries of extensions
        print_sql in-place/objects in-place/skipped-entries restore/unwritable-extension-entries
    } >"$work/live.sql"
    ask_live
    mv "$work/answer" "$work/skipped"
    without_messages list_foreign_public "$work/contents" >>"$work/skipped" # it keeps its owner
    entries_except 'TABLE DATA\|COMMENT - EXTENSION' "$work/contents" >"$work/unskipped"
    LC_ALL=C grep -v -F -f "$work/skipped" "$work/unskipped" >"$work/restored" || : # empty
    warn_of_changed_owners "$work/restored"
}

replace_everything() {
    run_live in-place/begin in-place/objects in-place/empty-database
    set -- --no-privileges ${unusable_owners:+--no-owner}
    run_archive_sql "$work/restored" in-place/run-archive-sql --section=pre-data "$@"
    copy_all_rows
    run_archive_sql "$work/restored" in-place/run-archive-sql --section=data "$@"
    grant_in_place
    show_progress 'building indexes'
    run_archive_sql "$work/restored" in-place/run-archive-sql --section=post-data "$@"
    if [ -n "$new_owner" ]; then
        give_to_owner_sql >"$work/live.sql" && ask_live
    fi
    run_live restore/analyze
}

# replace_rows: of all tables or of the chosen ones; the schema stays
replace_rows() {
    run_live in-place/begin tables/empty-chosen
    copy_all_rows
    if [ "$mode" = data-only ]; then
        entries_of 'SEQUENCE SET' "$work/contents" >"$work/rest"
        run_archive_sql "$work/rest" in-place/run-archive-sql --data-only
    fi
    run_live tables/user-tables tables/finish-chosen tables/move-sequences
    [ "$mode" != data-only ] || refresh_live_views
}

# refresh_live_views: those that are filled
refresh_live_views() {
    run_live tables/filled-views restore/view-refreshes
    json_statements_sql <"$work/answer" >"$work/live.sql"
    ask_live
}

# run_live NAME...: these files of SQL
run_live() {
    print_sql "$@" >"$work/live.sql"
    ask_live
}

# ask_live: what $work/live.sql holds. Not in a pipe, where a signal would wait for the answer
ask_live() {
    ask live <"$work/live.sql" >"$work/answer" ||
        fail_with "$work/live.errors" 'could not restore in place'
}

# run_archive_sql LIST NAME OPTION...: runs the archive's SQL for the entries in LIST, by
# scripts/sql/NAME.sql; without its head, which sets what this session has set for itself
run_archive_sql() {
    write_list "$1"
    run_by=$2
    shift 2
    background archive_sql "$@" >"$work/archive.sql"
    wait "$child" || fail_with "$work/restore.errors" 'could not read the archive'
    grep -qx "SET client_encoding = '$PGCLIENTENCODING';" "$work/archive.sql" ||
        die "cannot restore in place: the backup is not in the encoding $PGCLIENTENCODING"
    {
        psql_set statements "$(sed -e '1,/^SET row_security = off;$/d' -e '/^\\unrestrict /d' \
            "$work/archive.sql")"
        print_sql "$run_by"
    } >"$work/live.sql"
    ask_live
}

archive_sql() {
    on_server pg_restore --use-list="$server_tmp/list" --no-subscriptions --file=- "$@" "$archive" \
        </dev/null 2>"$work/restore.errors"
}

grant_in_place() {
    list_grants "$work/contents" || return 0
    run_archive_sql "$work/grants" restore/run-grants
    [ ! -s "$work/answer" ] || warn "some grants were skipped: $(head -n 1 "$work/answer")"
}

# --- rows ---

# list_targets: which entries of the archive hold rows to restore, and what each fills
list_targets() {
    case $mode in
        full) echo 'TABLE DATA ' ;;
        *) choice entry ;;
    esac >"$work/patterns"
    entries_of 'TABLE DATA' "$work/contents" >"$work/rows"
    LC_ALL=C grep -F -f "$work/patterns" "$work/rows" |
        LC_ALL=C grep -v -F -f "$work/skipped" >"$work/entries" || : # an empty table has no entry
    background_from "$work/entries" run_remote list-targets "$server_tmp" >"$work/targets" \
        2>"$work/restore.errors"
    wait "$child" || fail_with "$work/restore.errors" 'could not read the archive'
    entries=$(wc -l <"$work/entries")
    [ "$(wc -l <"$work/targets")" -eq "$((entries * 2))" ] || {
        hint 'restore this backup without RESTORE_IN_PLACE=yes, into a staging database'
        die 'cannot restore in place: the backup has rows that are not in the format of COPY,' \
            'or tables or columns whose names contain control characters'
    }
    [ "$mode" = full ] || keep_chosen_targets
    write_on_server "$server_tmp/print-rows.sh" <"$root/scripts/remote/print-rows.sh" ||
        fail_with "$work/server.errors" 'could not copy a program to the server'
}

# keep_chosen_targets: an entry does not tell a table from one whose longer name begins like its own
keep_chosen_targets() {
    mv "$work/targets" "$work/targets.found"
    LC_ALL=C awk -f "$awk/chosen-targets.awk" "$work/chosen" "$work/targets.found" >"$work/targets"
}

# copy_all_rows: from pg_restore to psql on the server
copy_all_rows() {
    # shellcheck disable=SC2016 # expands on the server
    print_rows='sh "$DIRECTORY/print-rows.sh" "$DIRECTORY" "$ENTRY"'
    while IFS= read -r copy_target && IFS= read -r entry; do
        require_copy_target "$copy_target"
        {
            psql_set directory "$server_tmp"
            psql_set entry "$entry"
            printf '\\setenv DIRECTORY :directory\n\\setenv ENTRY :entry\n'
            printf '\\copy %s FROM PROGRAM '\''%s'\''\n' "$copy_target" "$print_rows"
        } >"$work/live.sql"
        ask_live
    done <"$work/targets"
}

# verify_in_place: row counts and fingerprints, of what a commit would make visible
verify_in_place() {
    [ -n "$manifest_found" ] || return 0
    say 'verifying the data against the manifest'
    show_progress verifying
    expected_tables >"$work/expected"
    verify_replaced
}
