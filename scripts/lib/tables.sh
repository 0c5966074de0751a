# shellcheck shell=sh
# Replacing the rows of chosen tables in the live database.
# Needs: is_superuser manifest_found staging work

# replace_tables: their rows, from staging to the live database, in one transaction, which commits
# only what it has verified; if the session ends before that, nothing has changed
replace_tables() {
    require_own_session
    say 'replacing the rows in one transaction'
    show_progress 'replacing rows'
    { echo 'BEGIN;' && print_sql tables/empty-chosen; } | ask live >"$work/sources" ||
        fail_replacement
    while IFS= read -r into && IFS= read -r from; do
        copy_rows "$into" "$from"
    done <"$work/sources"
    print_sql tables/user-tables tables/finish-chosen tables/move-sequences |
        ask live >/dev/null || fail_replacement
    [ -z "$manifest_found" ] || verify_replaced
    commit_replacement
}

# commit_replacement: the transaction in the live database
commit_replacement() {
    begin_commit
    echo 'COMMIT;' | ask live >/dev/null || {
        fail_commit "$work/live.errors"
        fail_replacement
    }
    finish 'the rows are replaced'
}

# copy_rows 'TABLE (COLUMN, ...)' 'COPY ... TO STDOUT': from psql to psql on the server. In the
# session's own input, a row could be a command to it, and so could what is not a name
copy_rows() {
    # shellcheck disable=SC2016 # expands on the server
    copy_staged='psql -X -q -v ON_ERROR_STOP=1 -c "$COPY" "$STAGING"'
    require_copy_target "$1"
    case $2 in
        'COPY '*) ;;
        *) fail_unexpected 'a COPY statement' "$2" ;;
    esac
    {
        psql_set copy "$2"
        psql_set staging "$staging"
        printf '\\setenv COPY :copy\n\\setenv STAGING :staging\n'
        printf '\\copy %s FROM PROGRAM '\''%s'\''\n' "$1" "$copy_staged"
    } | ask live || fail_replacement
}

# require_copy_target 'TABLE (COLUMN, ...)': ends the script if it is more than that
require_copy_target() {
    quoted_or_plain='([a-z_][a-z0-9_]*|"([^"]|"")*")'
    columns="( \($quoted_or_plain(, $quoted_or_plain)*\))?"
    printf '%s\n' "$1" | LC_ALL=C grep -Eqx "$quoted_or_plain\.$quoted_or_plain$columns" ||
        fail_unexpected 'the name of a table' "$1"
}

verify_replaced() {
    fingerprints_sql "$(cat "$work/columns")" | ask live >"$work/replaced" || fail_replacement
    cmp -s "$work/expected" "$work/replaced" || {
        hint_why_rows_differ
        [ "$is_superuser" = t ] ||
            hint 'triggers may have changed them; for a superuser, most triggers do not fire'
        die "the new rows differ from the manifest: $(differences "$work/replaced")"
    }
}

fail_replacement() {
    fail_with "$work/live.errors" 'could not replace the rows'
}
