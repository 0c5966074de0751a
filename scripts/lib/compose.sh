# shellcheck shell=sh
# Starting and stopping the container of docker-compose.yaml.
# Needs: quiet root work

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

# fail_to_start: after compose has said why
fail_to_start() {
    case $("$CONTAINER_CLI" inspect --format '{{.State.Error}}' "$TB_POSTGRES_CONTAINER") in
        *'address already in use'* | *'port is already allocated'*)
            hint 'end the program that uses it, or set TB_POSTGRES_PORT to another port'
            die "port $TB_POSTGRES_PORT of this machine is in use"
            ;;
    esac
    die "could not start container '$TB_POSTGRES_CONTAINER'; see above"
}

# wait_until_healthy SECONDS: by the container's own health check, where it has one
wait_until_healthy() {
    format='{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}'
    for second in $(seq "$1"); do
        health=$("$CONTAINER_CLI" inspect --format "$format" "$TB_POSTGRES_CONTAINER")
        case $health in
            healthy | running) return 0 ;;
            exited | dead) break ;;
        esac
        sleep 1
    done
    hint "see why with '$CONTAINER_CLI logs $TB_POSTGRES_CONTAINER'"
    die "container '$TB_POSTGRES_CONTAINER' is '$health' after $second s, not healthy"
}
