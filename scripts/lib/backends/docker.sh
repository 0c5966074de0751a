# shellcheck shell=sh
# Backend docker: PostgreSQL's client programs in the container. CONTAINER_CLI may be podman.
# Needs: work
# Sets: addresses container_state server

usual_containers='cb-tumblebug-postgres mc-infra-manager-postgres'

# select_docker: can the container be reached? Sets server and addresses
select_docker() {
    require_container_cli
    choose_container
    server="container '$TB_POSTGRES_CONTAINER'"
    read_container_state
    case $container_state in
        running) ;;
        paused)
            hint "resume it with '$CONTAINER_CLI unpause $TB_POSTGRES_CONTAINER'"
            die "PostgreSQL container '$TB_POSTGRES_CONTAINER' is paused"
            ;;
        *)
            hint "start it with 'make up'"
            die "PostgreSQL container '$TB_POSTGRES_CONTAINER' is not running"
            ;;
    esac
}

# run_on_docker PROGRAM [ARGUMENT...]: never with -t, because a terminal rewrites line ends. The
# password travels in the environment, not on a command line
run_on_docker() {
    exec_in_child "$CONTAINER_CLI" exec -i -e PGUSER -e PGPASSWORD -e PGDATABASE -e PGAPPNAME \
        -e PGCONNECT_TIMEOUT -e PGOPTIONS -e PGCLIENTENCODING "$TB_POSTGRES_CONTAINER" "$@"
}

require_container_cli() {
    command -v "$CONTAINER_CLI" >/dev/null || {
        case $CONTAINER_CLI in
            docker) advice='install Docker' ;;
            podman) advice='install podman' ;;
            *) advice='set CONTAINER_CLI to docker or podman' ;;
        esac
        hint "$advice, or set TB_POSTGRES_ENDPOINT=host:port to use a server without a container"
        die "there is no '$CONTAINER_CLI' command on this machine"
    }
}

# choose_container: by default, that of the usual names which runs; M-CMP calls the same database by
# the second
choose_container() {
    [ -z "$TB_POSTGRES_CONTAINER" ] || return 0
    TB_POSTGRES_CONTAINER=${usual_containers%% *}
    for container in $usual_containers; do
        if [ "$(in_time "$CONTAINER_CLI" inspect --type container --format '{{.State.Running}}' \
            "$container" 2>/dev/null)" = true ]; then
            TB_POSTGRES_CONTAINER=$container
            return 0
        fi
    done
}

# read_container_state: asks the engine. Sets container_state, and addresses: the published port and
# the container's own, for the Python helper
read_container_state() {
    inspected=$(in_time "$CONTAINER_CLI" inspect --type container --format '{{.State.Status}}
        {{- range index .NetworkSettings.Ports "5432/tcp"}} {{.HostIp}}:{{.HostPort}}{{end}}
        {{- range .NetworkSettings.Networks}} {{.IPAddress}}:5432{{end}}' \
        "$TB_POSTGRES_CONTAINER" 2>"$work/inspect.errors") || explain_docker
    container_state=${inspected%% *}
    addresses=$(printf '%s' "${inspected#"$container_state"}" |
        sed 's/ 0\.0\.0\.0:/ 127.0.0.1:/g; s/ :::/ [::1]:/g')
}

# in_time COMMAND...: an engine that hangs must not hang the run; its first call tells
in_time() {
    if command -v timeout >/dev/null; then
        timeout 30 "$@" || {
            [ $? -ne 124 ] || echo 'no answer within 30 s' >&2
            return 1
        }
    else
        "$@"
    fi
}

# explain_docker: returns if the container does not exist, which is a state like any other
explain_docker() {
    case $(cat "$work/inspect.errors") in
        *[Nn]'o such '*) ;;
        *'permission denied'*)
            hint "join the group docker (sudo usermod -aG docker $(user_name)) and log in again"
            die "user '$(user_name)' is not allowed to use Docker"
            ;;
        *)
            hint "start Docker, then run 'make up'"
            engine_error=$(first_error "$work/inspect.errors" |
                sed 's/^error during connect: //; s/[A-Z][a-z]* "http[^"]*": *//')
            die "Docker does not answer about container '$TB_POSTGRES_CONTAINER':" \
                "${engine_error:-no reason given}"
            ;;
    esac
}
