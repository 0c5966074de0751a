# shellcheck shell=sh
# What an error of a client program means to the user.
# Needs: client_host program server sql tables trusted work

# fail_with FILE SENTENCE: ends the script with that sentence and the reason, which is what the
# program's errors in FILE mean
fail_with() {
    program_errors=$(cat "$1")
    case $program_errors in
        *'lost the connection to '*) ;;
        *) require_programs "$2" ;;
    esac
    case $program_errors in # those with a sentence of their own
        *'password authentication failed'* | *'no password supplied'*) fail_to_log_in ;;
        *"role \"$TB_POSTGRES_USER\" does not exist"*) fail_without_user ;;
        *"database \"$TB_POSTGRES_DATABASE\" does not exist"*) fail_without_database ;;
        *'unsupported startup parameter'*)
            fail_behind_pooler "refuses session settings ($(first_error "$1"))"
            ;;
        *'canceling statement due to '*' timeout'*) fail_locked "$2" "$(blocker true)" ;;
    esac
    cause=$(first_error "$1")
    if is_end_of_server "$cause"; then
        forget_hints # they are about what the program did
        ! has_space || hint "check that $server still runs"
    else
        hint_for_cause "$program_errors" "$1"
    fi
    die "$2: ${cause:-a program ended unexpectedly}"
}

fail_to_log_in() {
    hint 'set TB_POSTGRES_PASSWORD (and TB_POSTGRES_USER) to those of the server'
    [ "$ASSETS_PG_BACKEND" != direct ] ||
        hint "or add a line host:port:*:user:password to ${PGPASSFILE:-~/.pgpass}, with mode 600"
    die "wrong password for user '$TB_POSTGRES_USER' on $server"
}

fail_without_user() {
    hint 'set TB_POSTGRES_USER to a user of the server'
    die "there is no user '$TB_POSTGRES_USER' on $server"
}

fail_without_database() {
    suggest_database
    hint 'set TB_POSTGRES_DATABASE to a database of the server'
    die "there is no database '$TB_POSTGRES_DATABASE' on $server"
}

# suggest_database: a hint, if the server has one of a similar name. Sets nearest, or empty
suggest_database() {
    suggest "$TB_POSTGRES_DATABASE" "$(sql postgres <"$sql/report/databases.sql" 2>/dev/null)"
}

is_end_of_server() { # CAUSE
    case $1 in
        '' | 'Error response from daemon'* | *'container state improper'* | \
            *'due to administrator command'* | *'due to immediate shutdown'* | \
            *'because of crash of another'* | *'is shutting down'* | \
            *'server closed the connection'* | *'connection to server was lost'*) ;;
        *) return 1 ;;
    esac
}

# hint_for_cause ERRORS FILE: where it is known what to do about these errors, which are from FILE
hint_for_cause() {
    case $1 in
        *'Connection refused'* | *'could not translate host name'* | \
            *'failed: No such file or directory'*)
            [ "$ASSETS_PG_BACKEND" != direct ] ||
                hint 'start the server, or set TB_POSTGRES_ENDPOINT to its host:port'
            ;;
        *'Peer authentication failed'*)
            hint 'set TB_POSTGRES_USER to your login name,' \
                'or TB_POSTGRES_ENDPOINT to host:port, to log in with a password'
            ;;
        *'is forbidden: User '*) hint_pod_rights ;;
        *'permission denied for database "postgres"'*)
            hint "run GRANT CONNECT ON DATABASE postgres TO \"$TB_POSTGRES_USER\":" \
                'each run connects to that database'
            ;;
        *'parameter "default_tablespace"'*)
            hint "create that tablespace on the server, and grant '$TB_POSTGRES_USER' CREATE on it"
            ;;
        *'permission denied for tablespace'*)
            hint "run GRANT CREATE ON TABLESPACE ... TO \"$TB_POSTGRES_USER\" for it"
            ;;
        *'permission denied for '*)
            [ "$2" = "$work/restore.errors" ] || hint_owner # it may be about the restricted role
            ;;
        *'does not support SSL'*)
            hint 'turn on TLS on the server; or, in a trusted network, set PGSSLMODE=prefer'
            ;;
        *'root certificate file'* | *'certificate verify failed'*)
            hint "set PGSSLROOTCERT to the certificate of the server's certificate authority"
            ;;
        *'does not match host name'*)
            hint "set TB_POSTGRES_ENDPOINT to a name that is in the server's certificate"
            ;;
        *'unlogged relations during recovery'*)
            hint 'use the primary server: a standby does not have the rows of unlogged tables'
            ;;
        *'pg_hba.conf entry for'*'"assets_'*)
            hint "in pg_hba.conf, allow user '$TB_POSTGRES_USER' for all databases;" \
                'for untrusted backups also the user that the error names'
            ;;
        *'pg_hba.conf'*'no encryption'*)
            hint 'set PGSSLMODE=require, if the server accepts only TLS connections'
            ;;
        *'database "postgres" does not exist'*)
            hint 'run CREATE DATABASE postgres: each run connects to that database'
            ;;
        *'violates not-null constraint'*)
            hint 'give the column a default in the live database, or restore the schema too'
            ;;
        *'too many clients already'* | *'connection slots are reserved'* | \
            *'PGSQL.'*' failed: Resource temporarily unavailable'*)
            if [ -n "$RESTORE_JOBS" ] && [ "$2" = "$work/restore.errors" ]; then
                hint "lower RESTORE_JOBS, which is $RESTORE_JOBS, or unset it"
            else
                hint 'disconnect some clients, or set a higher max_connections on the server'
            fi
            ;;
        *'too many connections for database'*)
            hint 'for the database in the message, run ALTER DATABASE ... CONNECTION LIMIT -1'
            ;;
        *'too many connections for role'*)
            hint "run ALTER ROLE \"$TB_POSTGRES_USER\" CONNECTION LIMIT -1, or set a higher limit"
            ;;
        *'affected by row-level security'*)
            hint "run ALTER ROLE \"$TB_POSTGRES_USER\" BYPASSRLS as a superuser;" \
                'or, for a table of this user, ALTER TABLE ... NO FORCE ROW LEVEL SECURITY'
            ;;
        *'for option -Z/--compress'* | *'invalid compression specification'*)
            hint 'set BACKUP_COMPRESSION=small, which uses what this pg_dump can do'
            ;;
        *'permission denied to create extension'*) hint_extensions ;;
        *'is being accessed by other users'*)
            hint 'disconnect the clients of that database, and run this again'
            ;;
        *'must be member of role'* | *'must be able to SET ROLE'*)
            [ -z "${trusted-}" ] || hint 'restore as a superuser, or with RESTORE_IN_PLACE=yes'
            ;;
        *' violates '*' constraint '* | *'could not create unique index'*) hint_keep_going "$2" ;;
        *'relation "'*'" does not exist'* | *'function '*' does not exist'*)
            hint_keep_going "$2"
            [ "$2" != "$work/live.errors" ] ||
                hint 'if a trigger function uses names without a schema, run' \
                    'ALTER FUNCTION ... SET search_path = ... for it'
            ;;
        *'No space left on device'*)
            hint "free some space on $server, or in the temporary directory of $client_host"
            ;;
    esac
}

hint_extensions() {
    hint 'run this as a superuser; or let a superuser create the extension in the live database,' \
        'and set RESTORE_IN_PLACE=yes, which keeps it'
}

# hint_keep_going FILE: if its errors are those of a restore that can go on without what failed
hint_keep_going() {
    if [ "$program-$1" = "restore-assets.sh-$work/restore.errors" ] && [ -z "${tables-}" ]; then
        hint 'restore-assets.sh --keep-going loads the rest, lists what failed, and asks before' \
            'the swap'
    fi
}

hint_owner() {
    hint "set TB_POSTGRES_USER to the owner of database '$TB_POSTGRES_DATABASE' and all in it," \
        "or let the owner grant user '$TB_POSTGRES_USER' the right"
}

# require_programs SENTENCE: ends the script with it where a client program is missing. Why the
# server does not answer is in the errors that led here.
require_programs() {
    missing_programs=$(run_remote missing-programs </dev/null 2>/dev/null) || return 0
    [ -n "$missing_programs" ] || return 0
    if [ "$ASSETS_PG_BACKEND" = direct ]; then
        hint_client_programs
    else
        hint 'use an image with the PostgreSQL client programs, such as postgres:16-alpine'
    fi
    die "$1: $client_host has no $(in_one_line "$missing_programs")"
}

# fail_behind_pooler REASON: its sessions may have locks and settings of somebody else's
fail_behind_pooler() {
    hint 'set TB_POSTGRES_ENDPOINT to the PostgreSQL server, not to a pooler'
    die "$server seems to be a connection pooler: it $1"
}

fail_locked() { # SENTENCE BLOCKER
    hint 'end that session, or wait until it has finished, and run this again'
    die "$1: tables of database '$TB_POSTGRES_DATABASE' are locked by ${2:-another session}"
}

# blocker ANY_LOCK: the session that keeps ours from the live database's tables, if there is one
blocker() {
    { psql_set any_lock "$1" && print_sql lock/blockers; } | ask lock
}

# require_number WHAT ANSWER: ends the script unless the server's answer is one
require_number() {
    is_number "$2" || fail_unexpected "a number for $1" "$2"
}

fail_unexpected() { # EXPECTED ANSWER
    die "unexpected answer from $server: expected $1, got '$2'"
}
