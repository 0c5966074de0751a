# shellcheck shell=sh
# PostgreSQL's client programs on the server: are they new enough, and what can they do? After
# prepare_server.
# Needs: server server_release server_version work
# Sets: dump_version

# require_dump_version: ends the script if pg_dump is older than the server, which it then refuses
# to read. Sets dump_version, a major one
require_dump_version() {
    dump_version=$(server_fact pg_dump)
    [ -n "$dump_version" ] ||
        fail_with "$work/server.errors" "could not determine pg_dump's version"
    [ "$dump_version" -ge "$((server_version / 10000))" ] || {
        [ "$ASSETS_PG_BACKEND" != direct ] ||
            hint "install the client programs of PostgreSQL $((server_version / 10000));" \
                'PG_BINDIR names their directory'
        die "pg_dump $dump_version is too old for $server (PostgreSQL $server_release)"
    }
}

has_zstd() {
    [ "$dump_version" -ge 16 ] && [ "$(server_fact zstd)" = yes ]
}
