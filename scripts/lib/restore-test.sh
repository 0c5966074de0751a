# shellcheck shell=sh
# Restoring a new dump into the staging database before it is published. This tests the dump; and
# there its rows can be sorted, so that those with much in common compress together.
# Needs: child forbidden_settings is_standby is_superuser rights_skipped may_create server staging
#   work
# Sets: archive rights_skipped manifest_found test_obstacle trusted

# find_obstacle: what keeps a dump from being restored here, as the end of a sentence; or nothing.
# Sets test_obstacle
find_obstacle() {
    test_obstacle=
    free_kib=$(server_fact data-free)
    list_obstacles
    read_live_catalog
    read_forbidden_settings
    if [ "$is_standby" = t ]; then
        test_obstacle="$server is a read-only standby"
    elif [ "$may_create" != t ]; then
        test_obstacle="user '$TB_POSTGRES_USER' may not create the staging database"
    elif ! server_has_room "$free_kib" "$(room_to_sort)"; then
        test_obstacle="the server's data directory has $(human_size "$((free_kib * 1024))") free"
        test_obstacle="$test_obstacle, and a restore test needs $(human_size "$(room_to_sort)")"
    elif grep -q '^subscription ' "$work/obstacles"; then
        test_obstacle="database '$TB_POSTGRES_DATABASE' has subscriptions"
    elif [ -s "$work/extensions" ]; then
        test_obstacle='only a superuser may create these extensions:'
        test_obstacle="$test_obstacle $(list_of 20 <"$work/extensions")"
    elif [ -n "$forbidden_settings" ]; then
        test_obstacle="user '$TB_POSTGRES_USER' may not copy these settings of the database"
        test_obstacle="$test_obstacle: $(in_one_line "$forbidden_settings")"
    fi
}

# find_obstacle_in_dump ARCHIVE: does it have entries of roles for which this user may not act, or
# an extension that every new database has? Sets test_obstacle, and archive, which restore_dump
# restores
find_obstacle_in_dump() {
    archive=$1 test_obstacle=
    list_contents first
    foreign_owners=
    [ "$is_superuser" = t ] || foreign_owners=$(unusable_owners_of "$work/contents.first") ||
        fail_to_compare_owners
    if [ -n "$foreign_owners" ]; then
        test_obstacle="user '$TB_POSTGRES_USER' may not restore what these roles own or have"
        test_obstacle="$test_obstacle granted: $(in_one_line "$foreign_owners")"
    elif grep -q ' EXTENSION - plpgsql ' "$work/contents.first"; then
        test_obstacle='extension plpgsql was created again'
    fi
}

# restore_dump: as a full restore of a trusted backup does. The rows are sorted before there are
# indexes, foreign keys and triggers. Sets what the load needs, and test_obstacle if grants were
# skipped
restore_dump() {
    trusted=yes manifest_found='' rights_skipped=''
    say 'restoring the dump into a staging database'
    choose_full_mode
    mv "$work/contents.first" "$work/contents"
    background list_first_schema
    listing_first=$child
    create_staging ''
    : >"$work/restore.errors"
    load --no-privileges --section=pre-data --section=data "$archive"
    background sort_rows
    wait "$child" || fail_with "$work/sql.errors" 'could not sort the rows'
    without_messages load_with_grants "$archive" "$work/contents" "$work/contents" \
        --no-privileges --section=post-data
    [ -z "$rights_skipped" ] ||
        test_obstacle="user '$TB_POSTGRES_USER' may not restore all grants of the database"
    copy_database_settings
    { wait "$listing_first" && take_schema first; } ||
        fail_with "$work/schema.errors" 'could not read the new dump'
}

list_first_schema() {
    list_schema first "$archive" 2>"$work/schema.errors"
}

sort_rows() {
    print_sql tables/user-tables backup/sort-tables |
        run_sql "$staging" >"$work/sorted" 2>"$work/sql.errors"
}

# list_contents NAME: the archive's table of contents
list_contents() {
    on_server pg_restore --list "$archive" </dev/null \
        >"$work/contents.$1" 2>"$work/contents.errors" ||
        fail_with "$work/contents.errors" 'could not read the new dump'
}

# require_tables_of_dump: ends the script unless staging has the rows of the dump's snapshot
require_tables_of_dump() {
    cp "$work/tables" "$work/expected"
    mv "$work/staged.all" "$work/staged"
    require_equal_tables
}

# require_objects_of_dump: ends the script unless the second dump has all that the first one has,
# with the same owners; the databases differ by name
require_objects_of_dump() {
    cmp -s "$work/schema.first" "$work/schema.dumped" ||
        die 'the restored schema differs from the dumped one'
    list_contents dumped
    objects_of "$work/contents" >"$work/objects.first"
    objects_of "$work/contents.dumped" >"$work/objects.dumped"
    cmp -s "$work/objects.first" "$work/objects.dumped" ||
        die "the restored objects differ from the dumped ones: $(in_one_line "$(
            lines_of_one_file "$work/objects.first" "$work/objects.dumped" | head -n 3
        )")"
}

# objects_of FILE: the entries of a table of contents, without their numbers. An entry of grants
# loses the owner at its end: the entry of the object names that too; an object of an extension has
# no entry, and belongs to this user after a restore
objects_of() {
    sed -n '/DATABASE/!s/^[0-9][0-9]*; [0-9]* [0-9]* //p' "$1" |
        sed '/^ACL /s/ [^ ]*$//' | LC_ALL=C sort
}
