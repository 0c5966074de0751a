#!/bin/sh
# docker-entrypoint.sh: starts PostgreSQL as the official image does, with its messages and its variables
# POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD, PGDATA.
set -eu

main() {
    case ${1:-} in -*) set -- postgres "$@" ;; esac
    [ "${1:-}" = postgres ] || exec "$@"
    [ "$(id -u)" != 0 ] || become_postgres "$@"
    read_settings
    if [ -s "$PGDATA/PG_VERSION" ]; then
        say 'PostgreSQL Database directory appears to contain a database; Skipping initialization'
    else
        refuse_old_data
        require_password
        create_cluster
        start_private_server "$@"
        create_database
        run_initial_scripts
        stop_private_server
        say 'PostgreSQL init process complete; ready for start up.'
    fi
    exec "$@"
}

say() {
    printf '\n%s\n\n' "$*"
}

# The server refuses to run as root; a mounted volume may belong to anyone.
become_postgres() {
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
    # shellcheck disable=SC2016
    exec su postgres -s /bin/sh -c 'exec "$0" "$@"' -- "$0" "$@"
}

read_settings() {
    : "${POSTGRES_USER:=postgres}"
    : "${POSTGRES_PASSWORD:=}"
    : "${POSTGRES_DB:=$POSTGRES_USER}"
    : "${POSTGRES_INITDB_ARGS:=}"
    : "${POSTGRES_HOST_AUTH_METHOD:=}"
    export POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB
}

# From version 18 on, as the official image: a volume of an earlier version is not initialised again, nor is one
# that is mounted where the earlier versions want it.
refuse_old_data() {
    [ "$PGDATA" = "/var/lib/postgresql/$PG_MAJOR/docker" ] || return 0
    old=
    for directory in /var/lib/postgresql /var/lib/postgresql/data /var/lib/postgresql/*/docker; do
        [ ! -s "$directory/PG_VERSION" ] || old="$old $directory"
    done
    if [ -z "$old" ] && mountpoint -q /var/lib/postgresql/data; then
        old=' /var/lib/postgresql/data (unused mount/volume)'
    fi
    [ -n "$old" ] || return 0
    cat >&2 <<EOF
Error: in 18+, these Docker images are configured to store database data in a
       format which is compatible with "pg_ctlcluster" (specifically, using
       major-version-specific directory names).

       Counter to that, there appears to be PostgreSQL data in:
        $old
EOF
    exit 1
}

require_password() {
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
        echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
        exit 1
    fi
}

# Trust on the socket and on the container's own loopback, a password for everyone else. The official image's
# socket is in /var/run/postgresql; the client programs of the wheel seek it in /tmp.
create_cluster() {
    printf '%s\n' "$POSTGRES_PASSWORD" |
        eval "initdb --username=\"\$POSTGRES_USER\" --pwfile=/dev/stdin $POSTGRES_INITDB_ARGS"
    printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
    cat >>"$PGDATA/postgresql.conf" <<'EOF'
listen_addresses = '*'
unix_socket_directories = '/var/run/postgresql,/tmp'
EOF
}

# On the socket only: nobody can connect from outside before the database is there.
start_private_server() {
    "$@" -c listen_addresses='' &
    server=$!
    until pg_isready --quiet --username "$POSTGRES_USER" --dbname postgres; do
        kill -0 "$server"
        sleep 0.1
    done
}

stop_private_server() {
    kill -INT "$server"
    wait "$server"
}

create_database() {
    [ "$POSTGRES_DB" != postgres ] || return 0
    run_sql --dbname postgres --set database="$POSTGRES_DB" <<'EOF'
CREATE DATABASE :"database";
EOF
}

run_initial_scripts() {
    for script in /docker-entrypoint-initdb.d/*; do
        # shellcheck source=/dev/null
        case $script in
            *.sh) . "$script" ;;
            *.sql) run_sql --file "$script" ;;
            *.sql.gz) gunzip -c "$script" | run_sql ;;
        esac
    done
}

run_sql() {
    psql --no-psqlrc --no-password --set ON_ERROR_STOP=1 \
        --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" "$@"
}

main "$@"
