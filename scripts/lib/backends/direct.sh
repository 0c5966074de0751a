# shellcheck shell=sh
# Backend direct: the client programs of this host, over TCP or a socket directory.

find_direct() {
    server="server '$TB_POSTGRES_ENDPOINT'"
    [ -n "$TB_POSTGRES_ENDPOINT" ] ||
        die_usage 'ASSETS_PG_BACKEND=direct needs TB_POSTGRES_ENDPOINT=host:port'
    case $TB_POSTGRES_ENDPOINT in
        *:*) PGHOST=${TB_POSTGRES_ENDPOINT%:*} PGPORT=${TB_POSTGRES_ENDPOINT##*:} ;;
        *) PGHOST=$TB_POSTGRES_ENDPOINT PGPORT=5432 ;;
    esac
    PGHOST=${PGHOST#[} PGHOST=${PGHOST%]}
    export PGHOST PGPORT
    addresses=$PGHOST:$PGPORT
    [ -z "$PG_BINDIR" ] || PATH=$PG_BINDIR:$PATH
    command -v psql >/dev/null || {
        hint 'install the PostgreSQL client programs, or set PG_BINDIR to their folder'
        die 'there is no psql on this machine'
    }
}

# What they say is read here, in English.
beside_direct() {
    ${become-} env LC_ALL=C "$@"
}
