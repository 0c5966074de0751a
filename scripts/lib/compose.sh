# shellcheck shell=sh
# Starting and stopping the container of docker-compose.yaml.
# Needs: container_name container_state quiet root usual_container usual_password work

usual_image=docker.io/library/postgres:16-alpine # as in docker-compose.yaml

# compose ARGUMENT...: by the compose plugin, or else by the program for this engine. No variable
# is empty: old versions of podman-compose then take no default
compose() {
    : "${TB_POSTGRES_PASSWORD:=$usual_password}"
    export TB_POSTGRES_CONTAINER TB_POSTGRES_USER TB_POSTGRES_PASSWORD TB_POSTGRES_DATABASE
    choose_project
    compose_program=docker-compose packages='docker-compose-plugin or docker-compose'
    ! is_podman || compose_program=podman-compose packages=podman-compose
    if "$CONTAINER_CLI" compose version >/dev/null 2>&1; then
        run_compose "$CONTAINER_CLI" compose -p "$COMPOSE_PROJECT_NAME" \
            -f "$root/docker-compose.yaml" "$@"
    elif command -v "$compose_program" >/dev/null; then
        run_compose "$compose_program" -p "$COMPOSE_PROJECT_NAME" \
            -f "$root/docker-compose.yaml" "$@"
    else
        hint "on Debian and Ubuntu, install $packages"
        die "there is neither '$CONTAINER_CLI compose' nor $compose_program on this machine"
    fi
}

# choose_project: the project has the name of the directory, as by default, or of a container with
# another name. docker-compose.yaml names the volume after it: docker-compose 1 would otherwise also
# take the volume of a project whose name differs by a hyphen only. podman-compose before 1.1 takes
# the name only as an option
choose_project() {
    project_source=${root##*/}
    [ "$TB_POSTGRES_CONTAINER" = "$usual_container" ] ||
        project_source=$(printf '%s' "$TB_POSTGRES_CONTAINER" | tr . -)
    COMPOSE_PROJECT_NAME=$(printf '%s' "${COMPOSE_PROJECT_NAME:-$project_source}" |
        tr '[:upper:]' '[:lower:]' | LC_ALL=C tr -cd 'a-z0-9_-' | sed 's/^[-_]*//')
    : "${COMPOSE_PROJECT_NAME:=assets}"
    export COMPOSE_PROJECT_NAME
}

# require_container_name: ends the script before compose creates a volume for a container that the
# engine would then refuse
require_container_name() {
    case $TB_POSTGRES_CONTAINER in
        ? | [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]*)
            refuse_setting TB_POSTGRES_CONTAINER "$TB_POSTGRES_CONTAINER" \
                "two or more letters, digits, '_', '.' or '-', the first a letter or digit"
            ;;
    esac
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

# refuse_foreign_container: ends the script where another command has created the container, before
# compose creates a volume that it would not use
refuse_foreign_container() {
    [ -n "$container_state" ] || return 0
    choose_project
    [ "$(project_of_container)" = "$COMPOSE_PROJECT_NAME" ] || {
        hint_start
        hint "or rename or remove it, then run 'make up' again; its data is not taken over"
        die "$container_name is not running, and 'make up' did not create it" \
            "as project '$COMPOSE_PROJECT_NAME'"
    }
}

# choose_data_path: the volume goes where the image declares one: from PostgreSQL 18 on, one level
# higher. Sets TB_POSTGRES_DATA_PATH
choose_data_path() {
    export TB_POSTGRES_IMAGE="${TB_POSTGRES_IMAGE:-$usual_image}"
    "$CONTAINER_CLI" image inspect "$TB_POSTGRES_IMAGE" >/dev/null 2>&1 ||
        run_compose "$CONTAINER_CLI" pull "$TB_POSTGRES_IMAGE" || fail_to_start
    case $("$CONTAINER_CLI" image inspect --format '{{json .Config.Volumes}}' \
        "$TB_POSTGRES_IMAGE") in
        *'"/var/lib/postgresql"'*) export TB_POSTGRES_DATA_PATH=/var/lib/postgresql ;;
        *) export TB_POSTGRES_DATA_PATH=/var/lib/postgresql/data ;;
    esac
}

# report_running: says who created the running container; warns where its image or port differs from
# the settings
report_running() {
    creator=$(directory_of_creator)
    case $creator in
        "$root") say "$container_name is already running" ;;
        '') say "$container_name is already running;" \
            "'make up' did not create it" ;;
        *) say "$container_name is already running; it was created in" \
            "'$creator'" ;;
    esac
    has_image || warn_of_setting "uses the image $(container_field .Config.Image)" \
        "TB_POSTGRES_IMAGE=$TB_POSTGRES_IMAGE"
    published_ports=$("$CONTAINER_CLI" port "$TB_POSTGRES_CONTAINER" 5432/tcp 2>/dev/null) ||
        published_ports=
    case $published_ports: in
        *":$TB_POSTGRES_PORT"[!0-9]*) ;;
        *) [ "$TB_POSTGRES_PORT" = 0 ] || warn_of_setting \
            "publishes ${published_ports:-no port}" "port $TB_POSTGRES_PORT (TB_POSTGRES_PORT)" ;;
    esac
}

# has_image: does the container run the image that the user has set, by this name or another one?
has_image() {
    case $TB_POSTGRES_IMAGE in '' | "$(container_field .Config.Image)") return 0 ;; esac
    [ "$("$CONTAINER_CLI" image inspect --format '{{.Id}}' "$TB_POSTGRES_IMAGE" 2>/dev/null)" = \
        "$(container_field .Image)" ]
}

# warn_of_setting WHAT_IT_HAS SETTING: 'make down' stops only what 'make up' created
warn_of_setting() {
    when_changed="; a changed setting takes effect after 'make down' and 'make up'"
    [ -n "$creator" ] || when_changed=
    warn "the running container $1, not $2$when_changed"
}

project_of_container() {
    container_field 'index .Config.Labels "com.docker.compose.project"' 2>/dev/null
}

# fail_to_start: after compose has said why
fail_to_start() {
    if ! "$CONTAINER_CLI" image inspect "$TB_POSTGRES_IMAGE" >/dev/null 2>&1; then
        hint 'set TB_POSTGRES_IMAGE to an image that this machine has or can download'
    elif port_was_in_use; then
        hint 'end the program that uses it, or set TB_POSTGRES_PORT to another port'
        die "port $TB_POSTGRES_PORT of this machine is in use"
    fi
    die "could not start $container_name; see above"
}

# port_was_in_use: did the last start fail because of the port?
port_was_in_use() {
    case $(container_field .State.Error) in
        *'address already in use'* | *'port is already allocated'*) ;;
        *) return 1 ;;
    esac
}

# wait_until_healthy SECONDS: by the container's own health check, or by pg_isready. Podman's state
# of health is empty without a check, and remains 'starting' without systemd, which runs checks
wait_until_healthy() {
    format='{{if ne .State.Status "running"}}{{.State.Status}}{{else if .State.Health}}
        {{- .State.Health.Status}}{{else}}running{{end}}'
    for second in $(seq "$1"); do
        health=$("$CONTAINER_CLI" inspect --format "$format" "$TB_POSTGRES_CONTAINER")
        case $health in
            healthy) return 0 ;;
            '' | running) ! poll_ready || return 0 ;;
            starting) ! is_podman || ! poll_ready || return 0 ;;
            created | exited | dead) break ;;
            restarting) refuse_other_version ;;
        esac
        sleep 1
    done
    refuse_other_version
    hint "see why with '$CONTAINER_CLI logs $TB_POSTGRES_CONTAINER'"
    die "$container_name is '$health' after $second s, not healthy"
}

# refuse_other_version: ends the script if the log says that the volume is of another version
refuse_other_version() {
    case $("$CONTAINER_CLI" logs --tail 100 "$TB_POSTGRES_CONTAINER" 2>&1) in
        *'database files are incompatible with server'* | *'appears to be PostgreSQL data in'*)
            data_version=$(version_of_data)
            ;;
        *'exists but is not empty'*) # from an image before 18, or after a crash in its first start
            data_version=$(version_of_data)
            [ -n "$data_version" ] || return 0 # after a crash
            ;;
        *) return 0 ;;
    esac
    "$CONTAINER_CLI" stop "$TB_POSTGRES_CONTAINER" >/dev/null 2>&1 || : # or else it goes on trying
    hint "use an image of the version of the data${data_version:+, PostgreSQL $data_version};" \
        'docs/how-to.md says how to upgrade'
    die "the volume of $container_name holds data of another major version of PostgreSQL" \
        "than its image; the data is unchanged"
}

# version_of_data: the major version of the data in the volume, where any image puts it; or nothing
version_of_data() {
    "$CONTAINER_CLI" run --rm --network none --volumes-from "$TB_POSTGRES_CONTAINER" \
        --entrypoint sh "$(container_field .Image)" -c 'cd /var/lib/postgresql
        cat PG_VERSION */PG_VERSION */docker/PG_VERSION */*/docker/PG_VERSION' \
        </dev/null 2>/dev/null | sort -n | tail -n 1
}

# poll_ready: fails if PostgreSQL does not accept connections yet; ends the script if the container
# has no PostgreSQL
poll_ready() {
    ready=0
    "$CONTAINER_CLI" exec "$TB_POSTGRES_CONTAINER" pg_isready -q -h 127.0.0.1 \
        </dev/null 2>"$work/ready.errors" || ready=$?
    case $ready in
        126 | 127)
            refuse_other_version
            hint 'set TB_POSTGRES_CONTAINER to another name, or remove that container'
            die "$container_name has no PostgreSQL"
            ;;
    esac
    return "$ready"
}
