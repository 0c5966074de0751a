# shellcheck shell=sh
# Backend docker: the client programs in the container.

find_docker() {
    server="container '$TB_POSTGRES_CONTAINER'"
    require_container_cli
    container_runs && return
    if [ "$state" = paused ]; then
        hint "$CONTAINER_CLI unpause $TB_POSTGRES_CONTAINER"
        die "PostgreSQL container '$TB_POSTGRES_CONTAINER' is paused"
    fi
    hint 'make up starts it'
    die "PostgreSQL container '$TB_POSTGRES_CONTAINER' is not running"
}

# Never -t: a terminal rewrites line ends and ruins a dump. The password travels by name, not by value.
beside_docker() {
    ${become-} "$CONTAINER_CLI" exec -i -e PGUSER -e PGPASSWORD -e PGDATABASE -e PGAPPNAME \
        -e PGCONNECT_TIMEOUT -e PGOPTIONS -e PGCLIENTENCODING "$TB_POSTGRES_CONTAINER" "$@"
}

require_container_cli() {
    command -v "$CONTAINER_CLI" >/dev/null || {
        hint 'install Docker, or set TB_POSTGRES_ENDPOINT=host:port to use a server without it'
        die "there is no '$CONTAINER_CLI' command on this machine"
    }
}

# container_runs: asks the engine; sets $state, and $addresses: the published port, the container's own
container_runs() {
    inspected=$(in_time "$CONTAINER_CLI" inspect --type container --format '{{.State.Status}}
        {{- range index .NetworkSettings.Ports "5432/tcp"}} {{.HostIp}}:{{.HostPort}}{{end}}
        {{- range .NetworkSettings.Networks}} {{.IPAddress}}:5432{{end}}' \
        "$TB_POSTGRES_CONTAINER" 2>"$work/inspect.errors") || explain_docker
    state=${inspected%% *}
    addresses=$(printf '%s' "${inspected#"$state"}" | sed 's/ 0\.0\.0\.0:/ 127.0.0.1:/g; s/ :::/ [::1]:/g')
    [ "$state" = running ]
}

# in_time COMMAND...: an engine that hangs must not hang us; its first call tells
in_time() {
    if command -v timeout >/dev/null; then
        timeout 30 "$@" || {
            [ $? -ne 124 ] || echo 'it was asked, and 30 s have passed' >&2
            return 1
        }
    else
        "$@"
    fi
}

explain_docker() {
    case $(cat "$work/inspect.errors") in
        *[Nn]'o such '*) ;; # not there is not running
        *'permission denied'*)
            hint "add yourself to the group docker (sudo usermod -aG docker $(user_name)) and log in again"
            die "user '$(user_name)' has no rights on the Docker socket"
            ;;
        *)
            hint 'start Docker, then make up'
            die "Docker does not answer: $(first_error "$work/inspect.errors")"
            ;;
    esac
}
