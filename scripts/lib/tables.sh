# shellcheck shell=sh
# Replacing the rows of chosen tables in the live database.

# replace_tables: the chosen tables' rows, from staging to the live database, in one transaction that
# commits only what has been proved; a session that ends before that has changed nothing
replace_tables() {
    require_own_session
    say 'replacing the rows in one transaction'
    { echo 'BEGIN;' && cat "$sql/tables/empty-chosen.sql"; } | ask live >"$work/copies" || rows_stay
    while IFS= read -r copied && IFS= read -r copy; do
        copy_rows "$copied" "$copy"
    done <"$work/copies"
    ask live <"$sql/tables/finish-chosen.sql" >/dev/null || rows_stay
    if [ -n "$proved" ]; then
        fingerprints_of "$(cat "$work/columns")" | ask live >"$work/replaced" || rows_stay
        cmp -s "$work/expected" "$work/replaced" ||
            die "the replaced rows are not what was backed up: $(differences "$work/replaced"); nothing was changed"
    fi
    echo 'COMMIT;' | ask live >/dev/null || rows_stay
}

# copy_rows 'TABLE (COLUMN, ...)' 'COPY ... TO STDOUT': from psql to psql next to the server: in the session's own
# input, a row could be a command to it, and so could what is not a name
copy_rows() {
    # shellcheck disable=SC2016 # it expands next to the server
    copy_staged='psql -X -q -v ON_ERROR_STOP=1 -c "$COPY" "$STAGING"'
    name='([a-z_][a-z0-9_]*|"([^"]|"")*")'
    printf '%s\n' "$1" | LC_ALL=C grep -Eqx "$name\.$name( \($name(, $name)*\))?" ||
        unexpected_answer 'the name of a table' "$1"
    case $2 in
        'COPY '*) ;;
        *) unexpected_answer 'a COPY statement' "$2" ;;
    esac
    {
        psql_set copy "$2"
        psql_set staging "$staging"
        printf '\\setenv COPY :copy\n\\setenv STAGING :staging\n'
        printf '\\copy %s FROM PROGRAM '\''%s'\''\n' "$1" "$copy_staged"
    } | ask live || rows_stay
}

rows_stay() {
    fail_with "$work/live.errors" "the rows cannot be replaced, and database '$TB_POSTGRES_DATABASE' is as it was"
}
