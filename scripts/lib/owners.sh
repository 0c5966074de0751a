# shellcheck shell=sh
# The owners of a backup's objects: who can get them here.
# Needs: awk in_place is_superuser sql staging trusted work
# Sets: new_owner rights_skipped unusable_owners

new_owner=
rights_skipped=
unusable_owners=

# find_loadable_entries CONTENTS: writes those to $work/loadable that this user may restore: not the
# owner of a schema public of another role, comments on extensions, or rows of extensions' tables.
# Warns of the owner and of these rows. Sets rights_skipped
find_loadable_entries() {
    list_foreign_public "$1" >"$work/excluded"
    list_extension_entries "$1" >"$work/extension-entries"
    warn_of_extension_rows
    cat "$work/extension-entries" >>"$work/excluded"
    lines_not_in "$1" "$work/excluded" >"$work/loadable"
}

# find_loadable_rows: the same for the rows of $work/contents. The restricted role fills no tables
# of extensions
find_loadable_rows() {
    if [ -n "$trusted" ]; then
        list_extension_entries "$work/contents"
    else
        entries_of_extensions "$work/contents"
    fi >"$work/excluded"
    lines_not_in "$work/contents" "$work/excluded" >"$work/loadable"
}

# list_foreign_public CONTENTS: schema public, if this user may not give it to its owner
list_foreign_public() {
    [ "$is_superuser" = f ] || return 0
    entries_of 'SCHEMA - public' "$1" >"$work/public-schema"
    [ -s "$work/public-schema" ] || return 0
    public_owner=$(unusable_owners_of "$work/public-schema") || fail_to_compare_owners
    [ -n "$public_owner" ] || return 0
    rights_skipped=yes
    warn "schema public will not belong to role '$public_owner', which does not exist on this" \
        "server, or for which user '$TB_POSTGRES_USER' may not act"
    cat "$work/public-schema"
}

# list_extension_entries CONTENTS: those of extensions that only their owner may restore
list_extension_entries() {
    [ "$is_superuser" = t ] || entries_of_extensions "$1"
}

warn_of_extension_rows() {
    entries_of 'TABLE DATA\|SEQUENCE SET' "$work/extension-entries" >"$work/extension-rows"
    [ ! -s "$work/extension-rows" ] ||
        warn "skipped: rows and sequences of extensions that user '$TB_POSTGRES_USER' is not" \
            "allowed to write: $(entry_names "$work/extension-rows")"
}

entries_of_extensions() { # CONTENTS
    echo ' COMMENT - EXTENSION ' >"$work/of-extensions"
    ! database_exists ||
        sql "$TB_POSTGRES_DATABASE" -v trusted="$trusted" \
            <"$sql/restore/unwritable-extension-entries.sql" >>"$work/of-extensions" \
            2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not read the catalog'
    LC_ALL=C grep -F -f "$work/of-extensions" "$1" || :
}

# find_unusable_owners CONTENTS: the owners in it that can own nothing here. If there are any,
# new_owner gets everything; if that is empty, this user does. Sets unusable_owners, new_owner and
# rights_skipped
find_unusable_owners() {
    entries_except 'ACL\|DEFAULT ACL\|COMMENT\|TABLE DATA\|SEQUENCE SET' "$1" >"$work/owned"
    unusable_owners=$(unusable_owners_of "$work/owned") || fail_to_compare_owners
    new_owner=
    [ -n "$unusable_owners" ] || return 0
    rights_skipped=yes
    new_owner=$(ask lock <"$sql/restore/other-owner.sql") || fail_to_compare_owners
}

# give_to_owner_sql: prints the SQL that gives new_owner what this user has loaded
give_to_owner_sql() {
    psql_set owner "$new_owner" && print_sql restore/give-to-owner
}

give_objects_to_owner() {
    give_to_owner_sql | sql "$staging" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" "could not give the objects to role '$new_owner'"
}

# unusable_owners_of CONTENTS: the owners of its entries to whom this user cannot give anything here
unusable_owners_of() {
    {
        psql_set entries "$(owner_entries "$1")"
        psql_set in_place "$in_place"
        print_sql restore/unusable-owners
    } | ask lock
}

fail_to_compare_owners() {
    fail_with "$work/lock.errors" 'could not compare the owners'
}

# warn_of_changed_owners CONTENTS: if the objects will not have the owners that the backup names, or
# tables not the owners that they have now
warn_of_changed_owners() {
    find_unusable_owners "$1"
    [ -n "$unusable_owners" ] || {
        warn_of_other_owners "$1"
        return 0
    }
    owner_of_all="user '$TB_POSTGRES_USER'"
    [ -z "$new_owner" ] || owner_of_all="'$new_owner', the owner of the database,"
    warn "$owner_of_all will own all objects: these roles do not exist on this server," \
        "or '$TB_POSTGRES_USER' may not make them owners: $(in_one_line "$unusable_owners")"
    say 'to keep the owners, create the missing roles first, and restore as a superuser'
}

# warn_of_other_owners CONTENTS: if there is a live database, and its tables get other owners
warn_of_other_owners() {
    [ -s "$work/table-owners" ] || return 0
    other_owners=$(LC_ALL=C awk -f "$awk/changed-owners.awk" "$work/table-owners" "$1" |
        sort -u | list_of 10)
    [ -z "$other_owners" ] ||
        warn "tables will belong to the owners that the backup names: $other_owners"
}

# owner_entries CONTENTS: its entries, each with its owner at its end. Of a database without an
# encoding, bytes that may not be valid text are replaced: the session takes only UTF-8
owner_entries() {
    sed -n 's/^[0-9][0-9]*; [0-9]* [0-9]* //p' "$1" | sort -u |
        if [ "$PGCLIENTENCODING" = SQL_ASCII ]; then
            LC_ALL=C tr '\200-\377' '?'
        else
            cat
        fi
}
