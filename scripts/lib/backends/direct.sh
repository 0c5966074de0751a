# shellcheck shell=sh
# Backend direct: PostgreSQL's client programs on this host, over TCP or a socket directory.
# Needs: awk
# Sets: addresses server

# require_direct_settings: before any server is asked
require_direct_settings() {
    case $TB_POSTGRES_ENDPOINT in
        *://* | ?*@*) refuse_endpoint "${TB_POSTGRES_ENDPOINT%%:*}:…" ;; # it may have a password
        :* | '[]'* | *:0) refuse_endpoint "$TB_POSTGRES_ENDPOINT" ;;
        *:*) is_port "${TB_POSTGRES_ENDPOINT##*:}" || refuse_endpoint "$TB_POSTGRES_ENDPOINT" ;;
    esac
    case ${PGSSLMODE-} in
        '' | disable | allow | prefer | require | verify-ca | verify-full) ;;
        *) refuse_setting PGSSLMODE "$PGSSLMODE" \
            'disable, allow, prefer, require, verify-ca or verify-full' ;;
    esac
    [ -z "$PG_BINDIR" ] || [ -x "$PG_BINDIR/psql" ] ||
        refuse_setting PG_BINDIR "$PG_BINDIR" 'a directory that contains psql'
}

refuse_endpoint() { # SHOWN
    refuse_setting TB_POSTGRES_ENDPOINT "$1" 'host:port with a port from 1 to 65535'
}

# select_direct: are there client programs? Sets server and addresses
select_direct() {
    : "${TB_POSTGRES_ENDPOINT:=localhost:5432}"
    server="server '$TB_POSTGRES_ENDPOINT'"
    case $TB_POSTGRES_ENDPOINT in
        *:*) PGHOST=${TB_POSTGRES_ENDPOINT%:*} PGPORT=${TB_POSTGRES_ENDPOINT##*:} ;;
        *) PGHOST=$TB_POSTGRES_ENDPOINT PGPORT=5432 ;;
    esac
    PGHOST=${PGHOST#[} PGHOST=${PGHOST%]}
    export PGHOST PGPORT
    addresses=$PGHOST:$PGPORT
    export_connection_settings
    ! has_own_password || unset PGPASSWORD
    [ -z "$PG_BINDIR" ] || PATH=$PG_BINDIR:$PATH
    command -v psql >/dev/null || {
        hint_client_programs
        die 'there is no psql on this machine'
    }
}

hint_client_programs() {
    hint 'install the PostgreSQL client programs, or set PG_BINDIR to their directory'
}

# export_connection_settings: those of libpq's own that may be in .env
export_connection_settings() {
    for connection_setting in PGSSLMODE PGSSLROOTCERT PGSSLCERT PGSSLKEY PGPASSFILE; do
        eval "[ -z \"\${$connection_setting-}\" ] || export $connection_setting"
    done
}

# has_own_password: does the user's password file have a line for this server and user? libpq does
# not read a file that others may read. A password in TB_POSTGRES_PASSWORD comes first
has_own_password() (
    password_file=${PGPASSFILE:-${HOME-}/.pgpass}
    [ -z "$TB_POSTGRES_PASSWORD" ] && [ -f "$password_file" ] && [ -r "$password_file" ] &&
        is_private "$password_file" &&
        awk -f "$awk/pgpass.awk" "$password_file"
)

is_private() { # FILE
    case $(ls -ldL "$1") in
        ????------*) ;;
        *) return 1 ;;
    esac
}

# run_on_direct PROGRAM [ARGUMENT...]: in English, because its errors are read here. It must not ask
# for a password on the terminal
run_on_direct() {
    case $1 in
        psql | pg_dump | pg_restore)
            client_program=$1
            shift
            set -- "$client_program" --no-password "$@"
            ;;
    esac
    exec_in_child env LC_ALL=C "$@"
}
