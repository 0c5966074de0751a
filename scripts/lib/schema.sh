# shellcheck shell=sh
# Schemas: what an archive or a database consists of, by name and type, and how two of them differ.
# Needs: root work

# list_schema [ARCHIVE]: of that archive, or of the database PGDATABASE; see remote/list-schema.awk
list_schema() {
    run_remote list-schema "$(cat "$root/scripts/remote/list-schema.awk")" "$@" </dev/null
}

# compare_schemas ARCHIVE: with the live database's, into $work/schema.differences
compare_schemas() {
    list_schema "$1" >"$work/schema.backup" 2>"$work/restore.errors" ||
        fail_with "$work/restore.errors" "could not read the backup's schema"
    list_live_schema >"$work/schema.live" 2>"$work/dump.errors" ||
        fail_with "$work/dump.errors" 'could not read the live schema'
    LC_ALL=C awk -f "$root/scripts/lib/awk/compare-schemas.awk" \
        "$work/schema.backup" "$work/schema.live" | LC_ALL=C sort >"$work/schema.differences"
}

list_live_schema() (
    PGDATABASE=$TB_POSTGRES_DATABASE
    list_schema
)

# schemas_differ [SIDE]: is there a difference? With SIDE, one of that kind: live, backup or both
schemas_differ() {
    grep -q "^${1-}" "$work/schema.differences"
}

# show_differences: at most 20
show_differences() {
    head -n 20 "$work/schema.differences" | while IFS= read -r difference; do
        say "  ${difference#* }"
    done
    more=$(($(wc -l <"$work/schema.differences") - 20))
    [ "$more" -le 0 ] || say "  and $more more"
}
