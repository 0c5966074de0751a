# shellcheck shell=sh
# Verifying the staging database before it replaces anything.
# Needs: child copy_found copy_wanted database_encoding keep_going manifest_found mode sql staging
#   work
# Sets: incomplete

# verify_staging: ends the script unless it holds what the manifest says, to the last value; with
# --keep-going, asks. The planner's statistics are computed meanwhile.
verify_staging() {
    background analyze
    analyzing=$child
    [ -z "$manifest_found" ] || verify_loaded
    wait "$analyzing" ||
        fail_with "$work/analyze.errors" 'could not analyze the staging database'
    [ -z "$keep_going" ] || confirm_failures
    forget_hints # of a clone
}

verify_loaded() {
    say 'verifying the data against the manifest'
    show_progress verifying verified_tables
    expected_tables | comparable >"$work/expected"
    if [ "$mode" = full ] && [ -z "$keep_going" ]; then
        background list_staged_schema
        listing_staged=$child
    fi
    read_staged_tables "$(cat "$work/columns")" || fail_unread_staging
    comparable <"$work/staged.all" >"$work/staged"
    [ -z "$keep_going" ] || return 0
    require_equal_tables
    [ "$mode" != full ] || verify_staged_schema
}

# read_staged_tables COLUMNS: rows and fingerprints in staging, of these columns or of all
read_staged_tables() {
    { fingerprints_sql "$1" && echo "SELECT '~end';"; } |
        sql "$staging" >"$work/staged.answer" 2>"$work/sql.errors" || return
    take_whole "$work/staged.answer" "$work/staged.all"
}

fail_unread_staging() {
    fail_with "$work/sql.errors" 'could not read the staging database'
}

require_equal_tables() {
    cmp -s "$work/expected" "$work/staged" || {
        # in the live schema, a column may have another type
        [ "$mode" != full ] || has_other_encoding || blame_file
        hint_why_rows_differ
        die "the loaded data differs from the manifest: $(differences "$work/staged")"
    }
}

# hint_why_rows_differ: fingerprints of text depend on the encoding. Where the live schema stays, a
# column of another type may also change values
hint_why_rows_differ() {
    if has_other_encoding; then
        hint "the backup is of a database in $(manifest_field encoding), but database" \
            "'$TB_POSTGRES_DATABASE' is in $database_encoding: fingerprints of text differ"
        [ "$mode" != full ] || [ -n "${on_private_server-}" ] ||
            hint 'set TB_POSTGRES_DATABASE to a new name: a database in' \
                "$(manifest_field encoding) is then created"
    elif [ "$mode" != full ] && schemas_differ both; then
        hint 'the schemas differ, as listed above, which may change values;' \
            'try RESTORE_SCHEMA=backup'
    fi
}

# has_other_encoding: does the live database have another encoding than the one backed up?
has_other_encoding() {
    database_exists && [ -n "$(manifest_field encoding)" ] &&
        [ "$(manifest_field encoding)" != "$database_encoding" ]
}

verified_tables() {
    echo "$(grep -c ' ' "$work/staged.answer") tables"
}

# comparable: the lines of tables on standard input, without the fingerprint where a dropped
# column's type is not known: a data-only archive has no types
comparable() {
    if [ -s "$work/columns.missing" ] && [ ! -s "$work/schema.backup" ]; then
        with_columns rows-only "$work/columns.missing" -
    else
        cat
    fi
}

# verify_staged_schema: its fingerprint with the manifest's, which earlier manifests do not have
verify_staged_schema() {
    expected_schema=$(manifest_field schema)
    [ -n "$expected_schema" ] || return 0
    { wait "$listing_staged" && take_schema staged; } ||
        fail_with "$work/dump.errors" 'could not read the schema of the staging database'
    [ "$(sha256_of "$work/schema.staged")" = "$expected_schema" ] || {
        blame_file
        die 'the loaded schema differs from the manifest'
    }
}

list_staged_schema() {
    PGDATABASE=$staging
    list_schema staged 2>"$work/dump.errors"
}

# analyze: a cloned copy has its statistics already; one that will be cloned gets the full sample
analyze() {
    [ -z "$copy_found" ] || return 0
    run_sql "$staging" -v full_sample="$copy_wanted" <"$sql/restore/analyze.sql" \
        2>"$work/analyze.errors"
}

# confirm_failures: lists every object that could not be loaded and every table that differs, and
# asks if there are any. Sets incomplete
confirm_failures() {
    failed=$(sed -n 's/^pg_restore: error: \(could not execute query: \)\{0,1\}//p
                     s/^Command was: /    in /p' "$work/restore.errors")
    different=
    [ -z "$manifest_found" ] || different=$(differences "$work/staged")
    [ -n "$failed" ] || [ -n "$different" ] || return 0
    [ -z "$failed" ] || printf '%s\n' "$failed" | while IFS= read -r failure; do
        say_always "$failure"
    done
    [ -z "$different" ] || say_always "tables that differ from the backup: $different"
    alert 'the staging database is incomplete or differs, as listed above'
    confirm RESTORE_SKIP_CONFIRM 'Swap anyway?'
    incomplete=yes
}
