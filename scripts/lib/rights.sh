# shellcheck shell=sh
# What the user is allowed to do and the server can do. The functions require_... and refuse_... end
# the script otherwise.
# Needs: database_bytes is_standby max_wal_bytes may_create server sql work
# Sets: forbidden_settings

# require_readable CONTENT: ends the script where content_of could not read for a lasting reason
require_readable() {
    case $1 in 'unknown content'*) ;; *) return 0 ;; esac
    unreadable_because=$(first_error "$work/sql.errors")
    case $unreadable_because in
        'permission denied '*) hint_owner ;;
        'query would be affected by row-level security '* | *'unlogged relations during recovery'*)
            hint_for_cause "$unreadable_because" ''
            ;;
        *) return 0 ;;
    esac
    die "user '$TB_POSTGRES_USER' cannot read the database: $unreadable_because"
}

# server_has_room FREE_KIB BYTES: is that enough? FREE_KIB is empty if unknown, as for another
# host's data directory
server_has_room() {
    [ -z "$1" ] || [ "$1" -ge "$(($2 / 1024))" ]
}

# room_to_load BYTES: how many bytes the data directory needs for loading so many. They include the
# write-ahead log, unless it is on another disk: a server that cannot write it shuts down
room_to_load() (
    log_bytes=$1
    [ "$log_bytes" -le "$max_wal_bytes" ] || log_bytes=$max_wal_bytes
    [ -z "$(server_fact wal-elsewhere)" ] || log_bytes=0
    echo "$(($1 + log_bytes))"
)

# room_to_sort: in bytes, for a restore test: staging, a sorted copy of a table and what the sort
# itself writes
room_to_sort() {
    room_to_load "$((database_bytes * 3))"
}

# refuse_system_database: ends the script if the database is one that every server has
refuse_system_database() {
    case $TB_POSTGRES_DATABASE in
        postgres | template0 | template1)
            hint 'set TB_POSTGRES_DATABASE'
            die "cannot replace database '$TB_POSTGRES_DATABASE', which is the server's own"
            ;;
    esac
}

# require_primary: ends the script on a standby, where nothing can be written
require_primary() {
    [ "$is_standby" = f ] || {
        hint 'use its primary server; a backup works on a standby too'
        die "$server is a read-only standby"
    }
}

# require_right_to_replace: ends the script unless this user may replace everything in place
require_right_to_replace() {
    foreign_objects=$(irreplaceable_objects) ||
        fail_with "$work/sql.errors" 'could not read the catalog'
    [ -n "$foreign_objects" ] || return 0
    hint_owner
    hint 'or use --table NAME, which needs only rights on that table'
    die "cannot restore in place: user '$TB_POSTGRES_USER' has no right to replace" \
        "$(in_one_line "$foreign_objects")"
}

# irreplaceable_objects: up to 20 that keep this user from replacing everything, one a line
irreplaceable_objects() {
    sql "$TB_POSTGRES_DATABASE" <"$sql/in-place/foreign-objects.sql" 2>"$work/sql.errors"
}

# require_right_to_create [in-place|private|with|rename]: ends the script unless this user may
# create and rename databases like the live one. in-place, private and with add a hint on how to do
# without that right; with rename, the error is about renaming
require_right_to_create() {
    require_primary
    case $may_create-${1-} in
        t-* | tablespace-rename) return 0 ;;
    esac
    case $may_create in
        owner) hint "set TB_POSTGRES_USER to the owner of database '$TB_POSTGRES_DATABASE'," \
            "or run $(ask lock <"$sql/restore/grant-owner.sql")" ;;
        tablespace) hint "grant user '$TB_POSTGRES_USER' the right CREATE on the tablespace of" \
            "database '$TB_POSTGRES_DATABASE'" ;;
        *)
            hint "run ALTER ROLE \"$TB_POSTGRES_USER\" CREATEDB," \
                'or set TB_POSTGRES_USER to a role that has it'
            ;;
    esac
    refused_act='create the staging database'
    case ${1-} in
        rename) refused_act='rename databases' ;;
        in-place)
            if foreign_objects=$(irreplaceable_objects) && [ -z "$foreign_objects" ]; then
                hint 'or RESTORE_IN_PLACE=yes restores in one transaction, while clients wait'
            fi
            ;;
        private) hint 'or --private uses a private server of its own' ;;
        with) hint 'or --private --with BACKUP compares two backups on a private server' ;;
    esac
    die "user '$TB_POSTGRES_USER' may not $refused_act"
}

# require_right_to_copy_settings: from the live database to the staging database
require_right_to_copy_settings() {
    read_forbidden_settings
    [ -z "$forbidden_settings" ] || {
        hint 'restore as a superuser, or with RESTORE_IN_PLACE=yes'
        die "user '$TB_POSTGRES_USER' may not copy these settings of database" \
            "'$TB_POSTGRES_DATABASE' to the staging database: $(in_one_line "$forbidden_settings")"
    }
}

# read_forbidden_settings: those of the live database that this user may not copy. Sets
# forbidden_settings, lines
read_forbidden_settings() {
    forbidden_settings=$(ask lock <"$sql/restore/forbidden-settings.sql") ||
        fail_with "$work/lock.errors" 'could not read the settings of the database'
}

# foreign_sessions: those of the live database that this user may not end, in one line
foreign_sessions() {
    named_sessions=$({
        psql_set session_name "$PGAPPNAME"
        print_sql lock/may-end lock/foreign-sessions
    } | ask lock) || return 0
    printf '%s\n' "$named_sessions" | list_of 5
}

# warn_of_sessions: names those that this user may not end; the swap fails if they stay
warn_of_sessions() {
    waited_for=$(foreign_sessions)
    [ -z "$waited_for" ] || warn "user '$TB_POSTGRES_USER' may not end these sessions;" \
        "the swap fails if they are still connected: $waited_for"
}
