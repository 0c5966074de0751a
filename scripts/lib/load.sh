# shellcheck shell=sh
# Loading the archive into the staging database, in one of the three modes of mode.sh, and verifying it.

# stage_backup: loads the archive beside the live database, which nobody notices
stage_backup() {
    say 'loading the backup into a staging database'
    create_staging "${proved:+$(manifest_value encoding)}"
    : >"$work/restore.errors"
    "stage_$way"
}

stage_whole() {
    if [ -n "$trusted" ]; then
        choose_owners
        load_with_grants --no-privileges ${no_owner:+--no-owner}
    else
        create_loader
        ! list_grants || warn 'the grants of a backup that this machine did not make are left out'
        load_confined --no-owner --no-privileges "$archive"
    fi
}

stage_rows() {
    stage_live_schema
    load_rows "$archive"
    load --section=post-data "$schema"
    sql "$staging" <"$sql/restore/refresh-views.sql" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" "a materialized view cannot be refreshed, and database '$TB_POSTGRES_DATABASE' is as it was"
}

stage_tables() {
    stage_live_schema
    list_chosen_rows
    load_rows --use-list="$far_folder/list" "$archive"
}

load_rows() { # OPTION... ARCHIVE
    if [ -n "$trusted" ]; then
        load --data-only "$@"
    else
        create_loader
        load_confined --data-only "$@"
    fi
}

# load OPTION... ARCHIVE: into staging; the first error ends the restore, but with --keep-going
load() {
    [ -n "$keep_going" ] || sets_what_is_unknown || set -- --exit-on-error "$@"
    show_progress "$staging" "$work/tables" staging_bytes
    background run_load --jobs="$jobs" "$@" </dev/null
    wait "$child" && return
    if [ -n "$confined" ] && ask_staging end-loader >/dev/null; then
        end_watch
    fi
    ! is_loaded "$work/restore.errors" || return 0
    ! { [ -n "$keep_going" ] && went_to_the_end "$work/restore.errors"; } || return 0
    fail_with "$work/restore.errors" "the backup cannot be loaded, and database '$TB_POSTGRES_DATABASE' is as it was"
}

# sets_what_is_unknown: from version 17 on, pg_restore sets transaction_timeout in each of its connections, which
# servers before 17 do not know: an error that must not end the load
sets_what_is_unknown() {
    [ "$server_version" -lt 170000 ] && [ "$restore_version" -ge 17 ]
}

# is_loaded ERRORS: whether that setting is all that pg_restore passed over; takes it out of the errors
is_loaded() {
    awk 'held != "" {
             if ($0 == "Command was: SET transaction_timeout = 0;") { held = ""; next }
             print held
             held = ""
         }
         /could not execute query: / { held = $0; next }
         { print }
         END { if (held != "") print held }' "$1" >"$work/other.errors"
    cp "$work/other.errors" "$1"
    went_to_the_end "$1" && ! grep -q 'error: ' "$1"
}

# went_to_the_end ERRORS: pg_restore counts at its end what it passed over; one that died has not counted
went_to_the_end() {
    tail -n 1 "$1" | grep -q 'errors ignored on restore'
}

# What helps a load and is safe for a database that nobody uses yet; the swap's commit makes it durable.
run_load() {
    [ -z "$confined" ] || be_loader
    PGOPTIONS="$PGOPTIONS -c synchronous_commit=off -c maintenance_work_mem=256MB"
    PGOPTIONS="$PGOPTIONS -c default_toast_compression=$toast_compression"
    beside_server pg_restore --dbname="$staging" "$@" 2>>"$work/restore.errors"
}

staging_bytes() {
    echo "SELECT pg_database_size(current_database());" | sql "$staging"
}

# choose_owners: the archive's own where this server has all of those roles, otherwise the user who restores
choose_owners() {
    no_owner=
    strangers=$({ psql_set entries "$(entries)" && cat "$sql/restore/missing-roles.sql"; } | ask lock) ||
        fail_with "$work/lock.errors" 'the roles cannot be read; nothing was changed'
    [ -n "$strangers" ] || return 0
    no_owner=yes
    warn "not on this server, so that their tables go to '$TB_POSTGRES_USER': roles $(in_one_line "$strangers")"
}

# entries: of the table of contents, each with its owner at its end
entries() {
    sed -n 's/^[0-9][0-9]*; [0-9]* [0-9]* //p' "$work/contents" | sort -u
}

# load_with_grants OPTION...: what acts by itself, as it comes, comes after the grants: it may need them, or bar them;
# event triggers come last: they act on whatever follows them
load_with_grants() {
    if grep '^[0-9]*; [0-9]* [0-9]* \(MATERIALIZED VIEW DATA\|EVENT TRIGGER\|COMMENT - EVENT TRIGGER\) ' \
        "$work/contents" >"$work/acting"; then
        grep -Fxv -f "$work/acting" "$work/contents" >"$work/others"
        load_list "$@" <"$work/others"
        load_grants
        for what in -e -v; do
            grep $what ' MATERIALIZED VIEW DATA ' "$work/acting" >"$work/others" || continue
            load_list "$@" <"$work/others"
        done
    else
        load "$@" "$archive"
        load_grants
    fi
}

# load_list OPTION...: the entries on standard input
load_list() {
    write_beside_server "$far_folder/list" || list_not_copied
    load "$@" --use-list="$far_folder/list" "$archive"
}

# load_grants: one by one: a grant to a role that is not here is worth a warning
load_grants() {
    list_grants || return 0
    write_beside_server "$far_folder/list" <"$work/grants" || list_not_copied
    beside_server pg_restore --dbname="$staging" --use-list="$far_folder/list" "$archive" </dev/null 2>"$work/grants.errors" ||
        is_loaded "$work/grants.errors" || warn "some grants were left out: $(first_error "$work/grants.errors")"
}

list_grants() {
    grep '^[0-9]*; [0-9]* [0-9]* \(DEFAULT \)\{0,1\}ACL ' "$work/contents" >"$work/grants"
}

list_not_copied() {
    fail_with "$work/far.errors" 'a list of entries cannot be copied to the server; nothing was changed'
}

# stage_live_schema: tables, and not yet what checks or follows their rows
stage_live_schema() {
    schema=$far_folder/schema
    PGDATABASE=$TB_POSTGRES_DATABASE
    beside_server pg_dump --format=custom --schema-only --lock-wait-timeout=5000 --file="$schema" </dev/null 2>"$work/dump.errors" ||
        fail_with "$work/dump.errors" 'the live schema cannot be read; nothing was changed'
    load --section=pre-data "$schema"
}

list_chosen_rows() {
    sed -n 's/^entry / /p' "$work/found" >"$work/entries"
    grep -F -f "$work/entries" "$work/contents" |
        write_beside_server "$far_folder/list" || list_not_copied
}

# prove_staging: it holds what the manifest says, to the last value; the planner's statistics are fresh
prove_staging() {
    background analyse </dev/null
    analysing=$child
    if [ -n "$proved" ]; then
        say 'proving its content by the manifest'
        expected >"$work/expected"
        fingerprints_of "$(cat "$work/columns")" | sql "$staging" >"$work/staged" 2>"$work/sql.errors" ||
            fail_with "$work/sql.errors" 'the staging database cannot be read; nothing was changed'
        cmp -s "$work/expected" "$work/staged" || [ -n "$keep_going" ] || die "what was loaded is not what was" \
            "backed up: $(differences "$work/staged"); database '$TB_POSTGRES_DATABASE' is as it was"
    fi
    wait "$analysing" ||
        fail_with "$work/analyse.errors" 'the staging database cannot be analysed; nothing was changed'
    [ -z "$keep_going" ] || confirm_what_failed
}

analyse() {
    beside_server vacuumdb --analyze-only --jobs="$jobs" --quiet --dbname="$staging" 2>"$work/analyse.errors"
}

# confirm_what_failed: --keep-going lists every object that failed, and asks again where there is any
confirm_what_failed() {
    failed=$(sed -n 's/^pg_restore: error: \(could not execute query: \)\{0,1\}//p; s/^Command was: /    in /p' "$work/restore.errors")
    [ -z "$proved" ] || lost=$(differences "$work/staged")
    [ -n "$failed" ] || [ -n "${lost-}" ] || return 0
    printf '%s\n' "$failed" | while IFS= read -r line; do
        say "$line"
    done
    [ -z "${lost-}" ] || say "tables that are not as they were backed up: $lost"
    warn 'the backup was loaded without what is listed here'
    confirm "$RESTORE_SKIP_CONFIRM" 'Swap the databases all the same?' RESTORE_SKIP_CONFIRM
}
