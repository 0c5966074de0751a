# shellcheck shell=sh
# Starting and stopping the container of docker-compose.yaml.
# Needs: container_name quiet root work

# compose ARGUMENT...: by the compose plugin, or by docker-compose where there is no plugin
compose() {
    export TB_POSTGRES_CONTAINER TB_POSTGRES_USER TB_POSTGRES_PASSWORD TB_POSTGRES_DATABASE
    if "$CONTAINER_CLI" compose version >/dev/null 2>&1; then
        run_compose "$CONTAINER_CLI" compose -f "$root/docker-compose.yaml" "$@"
    elif command -v docker-compose >/dev/null; then
        run_compose docker-compose -f "$root/docker-compose.yaml" "$@"
    else
        hint 'on Debian and Ubuntu, install docker-compose-plugin or docker-compose'
        die "there is neither '$CONTAINER_CLI compose' nor docker-compose on this machine"
    fi
}

# run_compose COMMAND...: its own progress goes to the user; with --quiet only if it fails
run_compose() {
    if [ -z "$quiet" ]; then
        "$@" 2>&4
    elif ! "$@" 2>"$work/compose.errors"; then
        cat "$work/compose.errors" >&4
        return 1
    fi
}

# report_running: which container it is, if 'make up' did not create it, and its port
report_running() {
    creator=$(directory_of_creator)
    case $creator in
        "$root") say "$container_name is already running" ;;
        '') say "$container_name is already running;" \
            "'make up' did not create it" ;;
        *) say "$container_name is already running; it was created in" \
            "'$creator'" ;;
    esac
    published_ports=$("$CONTAINER_CLI" port "$TB_POSTGRES_CONTAINER" 5432/tcp 2>/dev/null) ||
        published_ports=
    case $published_ports: in
        *":$TB_POSTGRES_PORT"[!0-9]*) ;;
        *) [ "$TB_POSTGRES_PORT" = 0 ] ||
            warn "the running container publishes ${published_ports:-no port}, not" \
                "TB_POSTGRES_PORT=$TB_POSTGRES_PORT, which takes effect when 'make up' starts it" ;;
    esac
}

# directory_of_creator: that of the compose file; nothing where there was none
directory_of_creator() {
    "$CONTAINER_CLI" inspect --type container \
        --format '{{index .Config.Labels "com.docker.compose.project.working_dir"}}' \
        "$TB_POSTGRES_CONTAINER" 2>/dev/null
}

# fail_to_start: after compose has said why
fail_to_start() {
    if creator=$(directory_of_creator) && [ "$creator" != "$root" ]; then
        hint "'make up' did not create the container of that name:" \
            "start it with '$CONTAINER_CLI start $TB_POSTGRES_CONTAINER', or rename or remove it"
    fi
    case $("$CONTAINER_CLI" inspect --format '{{.State.Error}}' "$TB_POSTGRES_CONTAINER") in
        *'address already in use'* | *'port is already allocated'*)
            hint 'end the program that uses it, or set TB_POSTGRES_PORT to another port'
            die "port $TB_POSTGRES_PORT of this machine is in use"
            ;;
    esac
    "$CONTAINER_CLI" image inspect "${TB_POSTGRES_IMAGE:-postgres:16-alpine}" >/dev/null 2>&1 ||
        hint 'set TB_POSTGRES_IMAGE to an image that this machine has or can download'
    die "could not start $container_name; see above"
}

# wait_until_healthy SECONDS: by the container's own health check, or else by pg_isready
wait_until_healthy() {
    format='{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}'
    for second in $(seq "$1"); do
        health=$("$CONTAINER_CLI" inspect --format "$format" "$TB_POSTGRES_CONTAINER")
        case $health in
            healthy) return 0 ;;
            running) ! is_ready || return 0 ;;
            exited | dead) break ;;
        esac
        sleep 1
    done
    hint "see why with '$CONTAINER_CLI logs $TB_POSTGRES_CONTAINER'"
    die "$container_name is '$health' after $second s, not healthy"
}

# is_ready: does PostgreSQL accept connections? Ends the script if the container has none
is_ready() {
    ready=0
    "$CONTAINER_CLI" exec "$TB_POSTGRES_CONTAINER" pg_isready -q -h 127.0.0.1 \
        </dev/null 2>"$work/ready.errors" || ready=$?
    case $ready in
        126 | 127)
            hint 'set TB_POSTGRES_CONTAINER to another name, or remove that container'
            die "$container_name has no PostgreSQL"
            ;;
    esac
    return "$ready"
}
