# shellcheck shell=sh
# Schemas: what an archive or a database consists of, by name and type, and how two of them differ.
# Needs: awk child in_place root sql work
# Sets: large_objects

# list_schema NAME [ARCHIVE]: of that archive, or of the database PGDATABASE; see
# remote/list-schema.awk. take_schema NAME then takes the list
list_schema() {
    schema_list=$work/schema.$1.list
    shift
    run_remote list-schema "$(cat "$root/scripts/remote/list-schema.awk")" "$@" \
        </dev/null >"$schema_list"
}

# take_schema NAME: into $work/schema.NAME; fails if the list has not arrived whole
take_schema() {
    take_whole "$work/schema.$1.list" "$work/schema.$1"
}

# hash_schema ARCHIVE: the SHA-256 of all its definitions; see remote/hash-schema.sh
hash_schema() {
    run_remote hash-schema "$1" </dev/null
}

# hash_schema_of DATABASE: the same of a database, or unknown
hash_schema_of() (
    PGDATABASE=$1
    { wait_for_views "$1" && run_remote hash-schema </dev/null; } 2>"$work/dump.errors" ||
        echo unknown
)

# equals_manifest_outside_tables: does the live database have the definitions of the checked
# manifest, no large objects, and no rows in tables of extensions?
equals_manifest_outside_tables() {
    [ "$(manifest_field definitions)" = "$(hash_schema_of "$TB_POSTGRES_DATABASE")" ] &&
        has_only_described_rows
}

has_only_described_rows() {
    print_sql backup/large-objects tables/extension-row-hashes |
        sql "$TB_POSTGRES_DATABASE" >"$work/undescribed" 2>"$work/sql.errors" &&
        [ "$(head -n 1 "$work/undescribed")" = 0 ] &&
        ! grep -q "$(printf '\t')" "$work/undescribed"
}

wait_for_views() { # DATABASE
    sql "$1" <"$sql/backup/wait-for-views.sql"
}

# read_live_catalog: the extensions that this user may not create, one a line: those of the live
# database into $work/extensions, others into $work/extensions.absent; the owners of its tables into
# $work/table-owners. Sets large_objects, their number in the live database
read_live_catalog() {
    print_sql restore/superuser-extensions restore/table-owners backup/large-objects |
        sql "$TB_POSTGRES_DATABASE" >"$work/live-catalog" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not read the catalog'
    sed -n 's/^live //p' "$work/live-catalog" >"$work/extensions"
    sed -n 's/^absent //p' "$work/live-catalog" >"$work/extensions.absent"
    sed -n 's/^owned //p' "$work/live-catalog" >"$work/table-owners"
    large_objects=$(tail -n 1 "$work/live-catalog")
}

# begin_live_schema: lists it, where there is one, while other things are done
begin_live_schema() {
    database_exists || return 0
    background list_live_schema 2>"$work/dump.errors"
    live_listing=$child
}

# finish_live_schema: may be called twice; fails where the schema could not be listed
finish_live_schema() {
    [ -z "$live_listing" ] || {
        live_listed=0
        { wait "$live_listing" && take_schema live; } || live_listed=$?
        live_listing=
    }
    return "$live_listed"
}

# is_live_schema FINGERPRINT: is it the live schema's?
is_live_schema() {
    finish_live_schema && [ "$(sha256_of "$work/schema.live")" = "$1" ]
}

# compare_schemas ARCHIVE: with the live database's, into $work/schema.differences
compare_schemas() {
    { list_schema backup "$1" && take_schema backup; } 2>"$work/restore.errors" ||
        fail_with "$work/restore.errors" "could not read the backup's schema"
    finish_live_schema || {
        require_backup_schema
        return 0
    }
    LC_ALL=C awk -f "$awk/compare-schemas.awk" \
        "$work/schema.backup" "$work/schema.live" | LC_ALL=C sort >"$work/schema.compared"
    take_whole "$work/schema.compared" "$work/schema.differences" ||
        die 'could not compare the schemas'
}

# require_backup_schema: where the live schema could not be read, for example because of a client's
# lock. Ends the script unless the user chose the backup's schema
require_backup_schema() {
    [ "$RESTORE_SCHEMA" = backup ] || {
        [ "$RESTORE_SCHEMA" = live ] || [ "$in_place" = yes ] ||
            ! grep -q 'canceling statement due to' "$work/dump.errors" ||
            hint 'RESTORE_SCHEMA=backup replaces the live schema without reading it'
        fail_with "$work/dump.errors" 'could not read the live schema'
    }
    unread_because=$(first_error "$work/dump.errors")
    case $unread_because in
        'canceling statement due to '*)
            locked_by=$(blocker true) || locked_by=
            unread_because="its tables are locked by ${locked_by:-another session}"
            ;;
    esac
    warn "could not compare the schemas: $unread_because;" \
        "the backup's schema will replace the live one"
}

list_live_schema() {
    wait_for_views "$TB_POSTGRES_DATABASE" && list_schema live
}

# schemas_differ [SIDE]: is there a difference? With SIDE, one of that kind: live, backup or both
schemas_differ() {
    grep -q "^${1-}" "$work/schema.differences"
}

# list_differences: at most 20
list_differences() {
    sed 's/^[^ ]* //' "$work/schema.differences" | at_most 20
}
