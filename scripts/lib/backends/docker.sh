# shellcheck shell=sh
# Backend docker: PostgreSQL's client programs in the container. CONTAINER_CLI may be podman.
# Needs: awk engine engine_host foreign_variables root verified work
# Sets: addresses container_name container_state server usual_container

usual_container=cb-tumblebug-postgres # as in docker-compose.yaml

# select_docker: can the container be reached? Sets server and addresses
select_docker() {
    find_container
    server=$container_name
    case $container_state in
        running) ;;
        paused) fail_paused ;;
        restarting)
            hint "see why with '$CONTAINER_CLI logs $TB_POSTGRES_CONTAINER'"
            die "PostgreSQL $container_name does not start: it keeps restarting"
            ;;
        *)
            hint_start
            die "PostgreSQL $container_name is not running"
            ;;
    esac
}

# hint_start: make up also takes changed settings over, and names what is wrong
hint_start() {
    if [ -z "$container_state" ]; then
        suggest "$TB_POSTGRES_CONTAINER" "$(ask_engine ps --format '{{.Names}}')"
        hint "start it with 'make up'"
        hint 'if the container has another name, set TB_POSTGRES_CONTAINER'
    elif [ "$(directory_of_creator)" = "$root" ]; then
        hint "start it with 'make up'"
    else
        hint "start it with '$CONTAINER_CLI start $TB_POSTGRES_CONTAINER'"
    fi
}

container_field() { # FIELD of what inspect prints
    "$CONTAINER_CLI" inspect --type container --format "{{$1}}" "$TB_POSTGRES_CONTAINER"
}

# directory_of_creator: that of the compose file; nothing where there was none
directory_of_creator() {
    container_field 'index .Config.Labels "com.docker.compose.project.working_dir"' 2>/dev/null
}

fail_paused() {
    hint "resume it with '$CONTAINER_CLI unpause $TB_POSTGRES_CONTAINER'"
    die "PostgreSQL $container_name is paused"
}

# find_container: also where it does not run. Sets what read_container_state does
find_container() {
    require_container_cli
    choose_engine
    choose_container
    read_container_state
}

# is_container_running: also where there is no engine
is_container_running() (
    find_container 4>/dev/null && [ "$container_state" = running ]
)

# run_on_docker PROGRAM [ARGUMENT...]: never with -t, because a terminal rewrites line ends. The
# password travels in the environment, not on a command line. LC_ALL=C: errors are read in English
run_on_docker() {
    if [ -n "$verified" ]; then
        run_verified exec_in_container "$@"
    else
        exec_in_child "$CONTAINER_CLI" exec -i -e LC_ALL=C -e PGUSER -e PGPASSWORD -e PGDATABASE \
            -e PGAPPNAME -e PGCONNECT_TIMEOUT -e PGOPTIONS -e PGCLIENTENCODING \
            "$TB_POSTGRES_CONTAINER" sh -c "unset $foreign_variables; exec \"\$@\"" sh "$@"
    fi
}

exec_in_container() {
    exec "$CONTAINER_CLI" exec -i "$TB_POSTGRES_CONTAINER" "$@"
}

# choose_container: by default, the running one with a usual name; the second name is M-CMP's
choose_container() {
    [ -z "$TB_POSTGRES_CONTAINER" ] || return 0
    TB_POSTGRES_CONTAINER=$usual_container
    for container in "$usual_container" mc-infra-manager-postgres; do
        if [ "$(in_time "$CONTAINER_CLI" inspect --type container --format '{{.State.Running}}' \
            "$container" 2>/dev/null)" = true ]; then
            TB_POSTGRES_CONTAINER=$container
            return 0
        fi
    done
}

# read_container_state: asks the engine. Sets container_name, container_state, and addresses: the
# published port and the container's own, for the Python helper, unless another machine has them
read_container_state() {
    container_name="container '$TB_POSTGRES_CONTAINER'${engine:+ of $engine}"
    inspected=$(in_time "$CONTAINER_CLI" inspect --type container --format '{{.State.Status}}
        {{- range .NetworkSettings.Networks}} {{.IPAddress}}:5432{{end}}
{{json (index .NetworkSettings.Ports "5432/tcp")}}' \
        "$TB_POSTGRES_CONTAINER" 2>"$work/inspect.errors") || explain_docker
    container_state=${inspected%%[!a-z]*}
    addresses=
    case $engine-$engine_host in
        -* | *-unix://*) addresses=$(printf '%s\n' "$inspected" | awk -f "$awk/addresses.awk") ;;
    esac
}

# container_names: its own, and those that it has in its networks, one a line
container_names() {
    echo "$TB_POSTGRES_CONTAINER"
    ask_engine inspect --type container "$TB_POSTGRES_CONTAINER" --format \
        '{{range .NetworkSettings.Networks}}{{range .Aliases}}{{println .}}{{end}}{{end}}'
}

# explain_docker: returns if the container does not exist, which is a state like any other
explain_docker() {
    engine_program=Docker
    ! is_podman || engine_program=podman
    case $engine-$engine_host-$(cat "$work/inspect.errors") in
        *[Nn]'o such container'* | *[Nn]'o such object'*) return 0 ;;
        -*'permission denied'*)
            hint "join the group docker (sudo usermod -aG docker $(user_name)) and log in again"
            hint 'or set ASSETS_PG_BACKEND=direct and TB_POSTGRES_ENDPOINT=host:port'
            die "user '$(user_name)' is not allowed to use $engine_program"
            ;;
        -*'no answer within'* | *-unix://*'no answer within'*) hint "restart $engine_program" ;;
        -* | *-unix://*) hint "start $engine_program, then run 'make up'" ;;
        *) hint "check the connection with '$CONTAINER_CLI version'" ;;
    esac
    engine_error=$({
        grep 'no answer within' "$work/inspect.errors" || first_error "$work/inspect.errors"
    } | sed -e 's/^error during connect: //' -e 's/[A-Z][a-z]* "http[^"]*": *//' \
        -e 's/\. Is the docker daemon running?$//')
    die "$engine_program does not answer about $container_name:" \
        "${engine_error:-no reason given}"
}
