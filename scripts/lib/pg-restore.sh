# shellcheck shell=sh
# pg_restore: lists of entries for it, the errors that it ignores, and grants.
# Needs: awk server_tmp server_version staging work
# Sets: rights_skipped

# sets_unknown_setting: from 17 on, pg_restore sets transaction_timeout in each of its connections.
# Servers before 17 do not know it: an error that must not end the load
sets_unknown_setting() {
    [ "$server_version" -lt 170000 ] && [ "$(server_fact pg_restore)" -ge 17 ]
}

# remove_unknown_setting ERRORS: the error that is about this setting
remove_unknown_setting() {
    awk -f "$awk/without-unknown-setting.awk" "$1" >"$work/other.errors"
    cp "$work/other.errors" "$1"
}

# reached_end ERRORS: at its end, pg_restore counts what it passed over
reached_end() {
    tail -n 1 "$1" | grep -q 'errors ignored on restore'
}

write_list() { # FILE with the entries for pg_restore --use-list
    write_on_server "$server_tmp/list" <"$1" ||
        fail_with "$work/server.errors" 'could not copy a list of entries to the server'
}

# list_grants CONTENTS: writes its grants to $work/grants; fails if there are none
list_grants() {
    entries_of 'ACL\|DEFAULT ACL' "$1" >"$work/grants"
    [ -s "$work/grants" ]
}

# load_grants ARCHIVE CONTENTS: line by line. A grant is skipped, with a warning, if its role does
# not exist here, or if this user may not give it, of which the server may only warn. Sets
# rights_skipped
load_grants() {
    list_grants "$2" || return 0
    write_list "$work/grants"
    on_server pg_restore --use-list="$server_tmp/list" --file=- "$1" </dev/null \
        >"$work/grants.sql" 2>"$work/grants.errors" ||
        fail_with "$work/grants.errors" 'could not read the grants'
    { psql_set statements "$(cat "$work/grants.sql")" && print_sql restore/run-grants; } |
        sql "$staging" >"$work/skipped-grant" 2>"$work/grants.errors" ||
        fail_with "$work/grants.errors" 'could not load the grants'
    grep -e 'no privileges could be revoked' -e 'no privileges were granted' \
        "$work/grants.errors" >>"$work/skipped-grant" || :
    [ ! -s "$work/skipped-grant" ] || {
        rights_skipped=yes
        alert "some grants were skipped: $(first_error "$work/skipped-grant")"
    }
}
