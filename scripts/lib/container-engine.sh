# shellcheck shell=sh
# The container engine: Docker or podman, on this machine or another. CONTAINER_CLI names its
# command.
# Needs: work
# Sets: engine engine_host verified

require_container_cli() {
    command -v "$CONTAINER_CLI" >/dev/null || {
        case $CONTAINER_CLI in
            docker) advice='install Docker' ;;
            podman) advice='install podman' ;;
            *) advice='set CONTAINER_CLI to docker or podman' ;;
        esac
        case $ASSETS_PG_BACKEND-$TB_POSTGRES_ENDPOINT in
            direct-* | auto-?*)
                hint "a server without a container needs neither 'make up' nor 'make down'"
                ;;
            *-) hint "$advice, or, for a server without a container, set" \
                'TB_POSTGRES_ENDPOINT=host:port' ;;
            *) hint "$advice, or set ASSETS_PG_BACKEND=direct to use $TB_POSTGRES_ENDPOINT" ;;
        esac
        die "there is no '$CONTAINER_CLI' command on this machine"
    }
    is_podman || use_podman_of_wrapper
}

# use_podman_of_wrapper: a docker command that only calls podman ignores docker's contexts. Sets
# CONTAINER_CLI
use_podman_of_wrapper() {
    cli_path=$(command -v "$CONTAINER_CLI")
    cli_program=$(readlink -f -- "$cli_path" 2>/dev/null) || cli_program=
    case $cli_program in
        */podman)
            CONTAINER_CLI=$cli_program
            return 0
            ;;
    esac
    if [ "$(head -c 2 "$cli_path" 2>/dev/null | tr -d '\0')" = '#!' ] &&
        grep -q '^exec .*podman' "$cli_path" && command -v podman >/dev/null; then
        CONTAINER_CLI=podman
    fi
}

# choose_engine: the same one in the whole run. One that DOCKER_HOST, a context or a connection of
# podman names may be on another machine: messages name it, and streams are verified; those of
# podman always, because podman exec loses output if a program ends before its input does. Sets
# engine, which is empty for this machine's own, engine_host and verified
choose_engine() {
    engine='' engine_host=''
    if is_podman; then
        choose_podman_engine
        verified=yes
    else
        choose_docker_engine
        [ -z "$engine" ] || verified=yes
    fi
}

# choose_podman_engine: its configuration may name a connection. Sets engine and engine_host
choose_podman_engine() {
    if [ -z "${CONTAINER_HOST-}${CONTAINER_CONNECTION-}" ] &&
        [ "$(ask_engine info --format '{{.Host.ServiceIsRemote}}')" = true ]; then
        CONTAINER_CONNECTION=$(ask_engine system connection list \
            --format '{{if .Default}}{{.Name}}{{end}}' | sed '/^$/d')
        export CONTAINER_CONNECTION
    fi
    [ -z "${CONTAINER_CONNECTION-}" ] || engine="connection '$CONTAINER_CONNECTION'"
    [ -z "${CONTAINER_HOST-}" ] || engine="engine '$CONTAINER_HOST'"
    engine_host=${CONTAINER_HOST-}
}

ask_engine() {
    in_time "$CONTAINER_CLI" "$@" 2>/dev/null </dev/null
}

is_podman() {
    case ${CONTAINER_CLI##*/} in podman*) ;; *) return 1 ;; esac
}

# choose_docker_engine: as the docker command chooses. Sets engine and engine_host
choose_docker_engine() {
    may_be_other_engine || {
        export DOCKER_CONTEXT=default
        return 0
    }
    context=$(in_time "$CONTAINER_CLI" context inspect \
        --format '{{.Name}} {{.Endpoints.docker.Host}}' 2>"$work/context.errors") || {
        ! grep -q 'context.* not \(found\|exist\)' "$work/context.errors" || fail_without_context
        return 0 # docker before 19.03 has no contexts
    }
    engine_host=${context#* }
    engine="context '${context%% *}'"
    if [ -n "${DOCKER_HOST-}" ]; then
        engine="engine '$DOCKER_HOST'"
    else
        export DOCKER_CONTEXT="${context%% *}"
    fi
    case $engine_host in
        unix:///var/run/docker.sock | unix:///run/docker.sock | npipe:*) engine= ;;
    esac
}

# may_be_other_engine: the configuration tells faster than the docker command
may_be_other_engine() {
    [ -n "${DOCKER_HOST-}${DOCKER_CONTEXT-}" ] ||
        grep -q '"currentContext"' "${DOCKER_CONFIG:-${HOME-}/.docker}/config.json" 2>/dev/null
}

fail_without_context() {
    hint "'docker context ls' lists the contexts; DOCKER_CONTEXT names one"
    die "could not choose a Docker engine: $(first_error "$work/context.errors")"
}
