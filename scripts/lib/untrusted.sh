# shellcheck shell=sh
# A dump from a stranger runs whatever SQL its author chose. So a backup that this machine did not make
# itself is loaded by a role that may do nothing else, and what it made is audited before anyone who may do
# more touches it.
# --- the seal: a keyed hash in the manifest, by which a machine knows its own backups ---
# --- trust ---
# --- bounds ---

# decide_trust: trusted is what this machine made, or what the user says is
decide_trust() {
    trusted=yes
    [ "$RESTORE_TRUST" != yes ] || return 0
    ! is_our_own || return 0
    trusted=
    [ "$is_superuser" = t ] || {
        hint 'if you trust its author, RESTORE_TRUST=yes restores it with your own rights'
        die "user '$TB_POSTGRES_USER' cannot make the role that loads a backup of another machine; nothing was changed"
    }
    say 'not made by this machine: it is loaded without rights, and audited'
}

# create_loader: the role that loads: owner of staging, or where the schema is the live database's own, of
# nothing; with a random password
create_loader() {
    loader_password=$(random_hex)
    (umask 077 && printf '*:*:*:%s:%s\n' "$loader" "$loader_password" >"$work/pgpass")
    { psql_set password "$loader_password" && psql_set limit "$limit" && cat "$sql/untrusted/create-loader.sql"; } | ask lock >/dev/null ||
        fail_with "$work/lock.errors" 'the loading role cannot be made; nothing was changed'
    if [ "$way" = whole ]; then
        ask_staging own-staging >/dev/null || audit_failed
    else
        ask_staging admit-loader >"$work/definers" || audit_failed
    fi
}

# load_confined OPTION... ARCHIVE: by the loader, watched from before it begins, and audited
load_confined() {
    start_watch
    confined=yes
    load "$@"
    confined=
    audit_staging
}

# be_loader: in a subshell, so that only the load logs in as that role; what it says is bounded too (in 512 bytes)
be_loader() {
    ulimit -f 20000
    PGUSER=$loader
    PGPASSWORD=$loader_password
    PGOPTIONS=${PGOPTIONS%"$no_event_triggers"}
    [ "$ASSETS_PG_BACKEND" != direct ] || {
        unset PGPASSWORD
        PGPASSFILE=$work/pgpass
        export PGPASSFILE
    }
}

# audit_staging: ends the restore where the archive made what an untrusted one may not, and says what
audit_staging() {
    ask_staging end-loader >/dev/null || audit_failed
    case $way in
        whole)
            search_path=$(default_search_path) || audit_failed
            found=$(ask_staging audit -v search_path="$search_path") || audit_failed
            ;;
        *) found=$(ask_staging owned-by-loader) || audit_failed ;;
    esac
    if [ -n "$found" ]; then
        hint 'if you know and trust its author, RESTORE_TRUST=yes (or --trust) restores it all the same'
        die "the backup contains objects that are not allowed in an untrusted backup:" \
            "$(in_one_line "$(printf '%s\n' "$found" | head -n 20)");" \
            "database '$TB_POSTGRES_DATABASE' is unchanged"
    fi
    end_watch
    ask_staging retire-loader >/dev/null || audit_failed
    [ ! -s "$work/definers" ] || restore_definers || audit_failed
}

restore_definers() {
    { psql_set definers "$(cat "$work/definers")" && cat "$sql/untrusted/restore-definers.sql"; } | sql "$staging" 2>"$work/audit.errors"
}

ask_staging() ( # NAME of an SQL file [OPTION of psql...]
    name=$1
    shift
    sql "$staging" -v live="$TB_POSTGRES_DATABASE" -v loader="$loader" "$@" <"$sql/untrusted/$name.sql" 2>"$work/audit.errors"
)

# default_search_path: the server's; our own sessions have another one
default_search_path() (
    PGOPTIONS=
    echo 'SHOW search_path;' | sql postgres 2>"$work/audit.errors"
)

audit_failed() {
    fail_with "$work/audit.errors" "the staging database cannot be audited, and database '$TB_POSTGRES_DATABASE' is as it was"
}

# start_watch: returns when it watches. Descriptor 9 holds both ends of the pipe until then, so that no open has to wait
# for a process that never comes.
start_watch() {
    mkfifo "$work/watching" || no_temporary_file
    exec 9<>"$work/watching"
    background watch_staging </dev/null >"$work/watching"
    watching=$child
    { exec 9<&- && read -r _; } <"$work/watching" || not_watched
}

# watch_staging: while it is loaded; the server itself ends a load that takes too much
watch_staging() {
    sql postgres -v staging="$staging" -v loader="$loader" -v limit="$limit" <"$sql/untrusted/watch-staging.sql" 2>"$work/watch.errors"
}

# end_watch: after the loader's end; a watcher that has not come to its own end says by a word why it ended the load
end_watch() {
    [ -n "$watching" ] || return 0
    wait "$watching" || {
        for reason in outgrown outlasted too_many_locks too_much_wal; do
            ! grep -q "$reason" "$work/watch.errors" || "$reason"
        done
        not_watched
    }
    watching=
}

not_watched() {
    fail_with "$work/watch.errors" 'could not watch the load' '; the database is unchanged'
}

outgrown() {
    hint 'RESTORE_MAX_BYTES=… allows more, if you expect it'
    die "backup file '$file' unpacks to more than $(human_size "$limit"); database '$TB_POSTGRES_DATABASE' is as it was"
}

outlasted() {
    hint_trust
    die "the backup is not loaded after an hour, which is what one of another machine gets;" \
        "database '$TB_POSTGRES_DATABASE' is as it was"
}

too_many_locks() {
    hint_trust
    die "loading the backup takes more than half of the server's locks; database '$TB_POSTGRES_DATABASE' is unchanged"
}

too_much_wal() {
    hint 'what other programs write counts too; RESTORE_MAX_BYTES=… allows more, if you expect it'
    die "loading the backup writes more than $(human_size $((limit * 3))) to the server's write-ahead log;" \
        "database '$TB_POSTGRES_DATABASE' is unchanged"
}

hint_trust() {
    hint 'RESTORE_TRUST=yes (or --trust) restores it without this limit, if you know and trust its author'
}
