# shellcheck shell=sh
# The owners of a backup's objects: who can get them here.
# Needs: sql work
# Sets: load_skipped unusable_owners

load_skipped=
unusable_owners=

# find_unusable_owners CONTENTS: the owners of its entries to whom this user cannot give anything
# here. Sets unusable_owners and load_skipped
find_unusable_owners() {
    unusable_owners=$({
        psql_set entries "$(owner_entries "$1")"
        psql_set in_place "$RESTORE_IN_PLACE"
        print_sql restore/unusable-owners
    } | ask lock) || fail_with "$work/lock.errors" 'could not compare the owners'
    load_skipped=${unusable_owners:+yes}
}

# warn_of_changed_owners CONTENTS: if the user will own all tables
warn_of_changed_owners() {
    find_unusable_owners "$1"
    [ -n "$unusable_owners" ] || return 0
    warn "user '$TB_POSTGRES_USER' will own all tables: these roles do not exist on this server," \
        "or '$TB_POSTGRES_USER' may not make them owners: $(in_one_line "$unusable_owners")"
    live_owner=$(ask lock <"$sql/restore/other-owner.sql") || live_owner=
    [ -z "$live_owner" ] ||
        warn "'$live_owner', the owner of the database, will have no rights on these tables"
    say 'to keep the owners, create the missing roles first, and restore as a superuser'
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
