# shellcheck shell=sh
# Untrusted backups: an archive can run whatever SQL its author chose. So a backup that was not
# signed with this key is loaded by a role with no other rights, which the server watches, and what
# it created is audited before anyone with more rights touches it.
# Needs: archive_limit child in_place manifest_found may_restrict random restricted_role sql staging
#   signed superuser_options trusted work
# Sets: signed trusted

# decide_trust: trusted is what was signed with this key, or what the user says is. Sets signed and
# trusted
decide_trust() {
    signed='' trusted=
    [ -z "$manifest_found" ] || warn_of_key
    if [ -n "$manifest_found" ] && is_own_manifest; then
        signed=yes trusted=yes
    elif [ "$RESTORE_TRUST" = yes ]; then
        trusted=yes
    fi
}

# hint_key: how the user's own backup becomes trusted
hint_key() {
    [ -n "$manifest_found" ] && [ -n "$(manifest_field signature)" ] || return 0
    if [ -n "$(key_file)" ]; then
        hint 'if the backup is your own, copy the key that signed it to this machine'
    else
        hint 'if the backup is your own, set TB_ASSETS_KEY_FILE to the key that signed it'
    fi
}

# require_trust: once the file is known to be a backup; loading an untrusted one needs the rights of
# a superuser, or those that server-facts.sql lists. 'private' adds a hint on how to do without that
require_trust() { # [private]
    [ -z "$trusted" ] || {
        [ -n "$signed" ] || warn 'this backup was not signed with your key: RESTORE_TRUST=yes' \
            '(or --trust) loads it with your own rights, so it may run code'
        return 0
    }
    [ "$in_place" != yes ] || {
        hint 'if you trust its author, RESTORE_TRUST=yes (or --trust) restores it in place'
        die 'cannot restore an untrusted backup in place:' \
            'only a staging database can be audited before clients see it'
    }
    [ "$may_restrict" = t ] || {
        hint_key
        hint 'docs/reference.md#backends lists the rights that are enough from PostgreSQL 15 on'
        hint 'if you trust its author, RESTORE_TRUST=yes loads it with your own rights'
        [ "${1-}" != private ] ||
            hint 'with --private, a private server loads it, which needs no such rights'
        die "cannot load an untrusted backup: user '$TB_POSTGRES_USER' is not a superuser," \
            'and lacks the rights to create and limit a restricted role'
    }
    say 'this backup was not signed with your key:' \
        'a restore loads it with restricted rights and audits it'
}

# --- the restricted role ---

# create_restricted_role: with a random password
create_restricted_role() {
    draw_random
    role_password=$random
    (umask 077 && printf '*:*:*:%s:%s\n' "$restricted_role" "$role_password" >"$work/pgpass")
    {
        psql_set password "$role_password"
        psql_set limit "$archive_limit"
        print_sql untrusted/create-role
    } | ask lock >/dev/null ||
        fail_with "$work/lock.errors" 'could not create the restricted role for untrusted backups'
}

# give_staging: to the restricted role, which then creates all that is in it
give_staging() {
    print_sql untrusted/give-staging | run_in_staging >/dev/null || fail_audit
}

# admit_role: to staging, whose schema is the live database's own: it can only insert rows.
# $work/undo gets what undoes the changes to functions that this needs
admit_role() {
    print_sql untrusted/routines untrusted/admit-role | run_in_staging >"$work/undo" || fail_audit
}

# as_restricted_role COMMAND...: runs it in a child, as that role. A file that it writes here, such
# as its errors, is limited to 10 MB
as_restricted_role() {
    ulimit -f 20000
    PGUSER=$restricted_role
    PGPASSWORD=$role_password
    PGOPTIONS=${PGOPTIONS%"$superuser_options"}
    if [ "$ASSETS_PG_BACKEND" = direct ]; then
        unset PGPASSWORD
        PGPASSFILE=$work/pgpass
        export PGPASSFILE
    fi
    "$@"
}

# end_role: ends its login, its sessions and its prepared transactions, whatever ended the load
end_role() {
    print_sql untrusted/end-role | run_in_staging >/dev/null
}

# --- the watch ---

# start_watch: returns when the server watches the load. Descriptor 9 holds both ends of the pipe
# until then, so that no open has to wait for a process that never comes.
start_watch() {
    rm -f "$work/watching" # of an earlier load
    mkfifo "$work/watching" || fail_temporary_directory
    exec 9<>"$work/watching"
    background watch_staging >"$work/watching"
    watching=$child
    { exec 9<&- && read -r _; } <"$work/watching" || fail_unwatched
}

# watch_staging: the server itself ends a load that takes too much
watch_staging() {
    run_sql postgres -v staging="$staging" -v restricted_role="$restricted_role" \
        -v limit="$archive_limit" -v seconds="$RESTORE_MAX_SECONDS" \
        <"$sql/untrusted/watch-staging.sql" 2>"$work/watch.errors"
}

# end_watch: after end_role; once. Ends the script if the watch has ended the load, and names the
# limit
end_watch() {
    [ -n "$watching" ] || return 0
    if wait "$watching"; then
        watching=
        return 0
    fi
    case " $(first_error "$work/watch.errors")" in
        *' too_large') fail_too_large ;;
        *' too_long')
            hint_trust
            die "loading exceeded $RESTORE_MAX_SECONDS s, the limit for untrusted backups"
            ;;
        *' too_many_locks')
            hint_trust
            die "loading the backup takes more than half of the server's locks"
            ;;
        *' too_much_wal')
            hint 'what other programs write counts too;' \
                'RESTORE_MAX_BYTES=… allows more, if you expect it'
            die "loading the backup writes more than $(human_size $((archive_limit * 3)))" \
                "to the server's write-ahead log"
            ;;
        *) fail_unwatched ;;
    esac
}

fail_unwatched() {
    fail_with "$work/watch.errors" 'could not watch the load'
}

hint_trust() {
    hint 'if you know and trust its author,' \
        'RESTORE_TRUST=yes (or --trust) restores it without this limit'
}

# --- the audit ---

# audit_schema: ends the restore where the archive created what an untrusted one may not
audit_schema() {
    end_role || fail_audit
    search_path=$(default_search_path) || fail_audit
    created=$({ psql_set search_path "$search_path" && print_sql untrusted/audit; } |
        run_in_staging) || fail_audit
    refuse_objects "$created"
    drop_role
}

# audit_rows: the same in a schema that is the live database's own, where it may create nothing
audit_rows() {
    end_role || fail_audit
    created=$(print_sql untrusted/owned-by-role | run_in_staging) || fail_audit
    refuse_objects "$created"
    drop_role
    run_json_statements "$staging" <"$work/undo" 2>"$work/audit.errors" || fail_audit
}

refuse_objects() { # OBJECTS
    [ -n "$1" ] || return 0
    hint 'if you know and trust its author, --trust (or RESTORE_TRUST=yes) loads it anyway'
    die 'the backup contains objects that are not allowed in an untrusted backup:' \
        "$(printf '%s\n' "$1" | list_of 20)"
}

# drop_role: what it loaded goes to the owner of the live database
drop_role() {
    end_watch
    print_sql untrusted/drop-role | run_in_staging >/dev/null || fail_audit
}

# default_search_path: the server's; our own sessions have another one
default_search_path() (
    PGOPTIONS=
    echo 'SHOW search_path;' | sql postgres 2>"$work/audit.errors"
)

# run_in_staging: the SQL on standard input
run_in_staging() {
    sql "$staging" -v live="$TB_POSTGRES_DATABASE" -v restricted_role="$restricted_role" \
        2>"$work/audit.errors"
}

fail_audit() {
    fail_with "$work/audit.errors" 'could not audit the staging database'
}
