# shellcheck shell=sh
# Reaching the server: which backend, and running client programs there.
# Needs: addresses program root run_name server work
# Sets: client_host foreign_variables usual_password
#
# A backend is a file in backends/ with two functions: select_NAME ends the script if the server is
# out of reach, and says why; run_on_NAME runs a program there, standard input and output
# passed through. Only a busybox shell and its tools may be assumed there.

usual_password=tumblebug # as in CB-Tumblebug's docker-compose.yaml

# variables that would choose another server or change results; unset here and in a container
foreign_variables='PGSERVICE PGHOSTADDR PGTZ PGDATESTYLE PGGEQO PG_COLOR'

use time-limit call-input verified-call container-engine
use backends/docker backends/direct backends/kubectl

# select_server: chooses the backend and prepares the environment of every client program. Sets
# client_host, where they run
select_server() {
    set_client_environment
    case $ASSETS_PG_BACKEND-$TB_POSTGRES_ENDPOINT in
        direct-* | auto-?*) require_direct_settings ;;
    esac
    [ "$ASSETS_PG_BACKEND" != auto ] || choose_backend
    case $ASSETS_PG_BACKEND in
        docker | direct | kubectl) "select_$ASSETS_PG_BACKEND" ;;
        *) refuse_setting ASSETS_PG_BACKEND "$ASSETS_PG_BACKEND" \
            'auto, docker, direct or kubectl' ;;
    esac
    forget_hints
    client_host=$server
    [ "$ASSETS_PG_BACKEND" != direct ] || client_host='this machine'
}

# choose_backend: a running container, or else the endpoint; where neither is there, the container,
# so that the error is about that. A pod only if the user names it or its context
choose_backend() {
    if names_pod; then
        refuse_pod_and_other
        ASSETS_PG_BACKEND=kubectl
    elif [ -z "$TB_POSTGRES_ENDPOINT" ]; then
        ASSETS_PG_BACKEND=docker
        [ -z "$TB_K8S_NAMESPACE" ] ||
            hint "for a pod in namespace '$TB_K8S_NAMESPACE', set ASSETS_PG_BACKEND=kubectl"
    elif is_container_running; then
        ASSETS_PG_BACKEND=docker
        refuse_two_servers
    else
        refuse_stopped_container
        ASSETS_PG_BACKEND=direct
    fi
}

# refuse_stopped_container: ends the script if the user has named a container, too: a restore must
# not go to the endpoint only because the container is not running
refuse_stopped_container() {
    if [ -n "$TB_POSTGRES_CONTAINER" ] && command -v "$CONTAINER_CLI" >/dev/null; then
        hint 'start the container, or set ASSETS_PG_BACKEND=direct to use the endpoint'
        die "container '$TB_POSTGRES_CONTAINER' is not running, and" \
            "TB_POSTGRES_ENDPOINT=$TB_POSTGRES_ENDPOINT may be another server"
    fi
}

# refuse_two_servers: ends the script unless the container is the server at the endpoint: both have
# one identifier or, if the endpoint could not be queried from here, it names the container
refuse_two_servers() {
    select_docker
    endpoint="TB_POSTGRES_ENDPOINT=$TB_POSTGRES_ENDPOINT"
    at_endpoint=$(identify direct) || at_endpoint=
    if [ -z "$at_endpoint" ] && is_address_of_container "$TB_POSTGRES_ENDPOINT"; then
        say "using $server, whose name or published port matches $endpoint"
        return 0
    fi
    [ -n "$at_endpoint" ] || refuse_unqueried "$endpoint" direct
    in_container=$(identify docker) || in_container=
    [ -n "$in_container" ] || refuse_unqueried "$server" docker
    if [ "$at_endpoint" = "$in_container" ]; then
        say "using $server, which is the server at $endpoint"
    else
        hint_backends
        die "$server and $endpoint are two different servers"
    fi
}

# identify BACKEND: prints the identifier of its server; errors go to $work/BACKEND.errors
identify() (
    "select_$1" 4>&2 && system_identifier "$1"
) 2>"$work/$1.errors"

# is_address_of_container HOST[:PORT]: if it could not be queried from here: is it a name that the
# container has in its networks, or, without a psql here, a port that it publishes?
is_address_of_container() {
    case $1 in *:*) ;; *) set -- "$1:5432" ;; esac
    case $(first_error "$work/direct.errors") in
        *'could not translate host name'*)
            container_names | grep -Fqx -e "${1%:*}"
            ;;
        'there is no psql '*)
            container_names | grep -Fqx -e "${1%:*}" ||
                printf '%s\n' "$addresses" | tr ' ' '\n' |
                grep -Fqx -e "$(printf '%s' "$1" | sed 's/^localhost:/127.0.0.1:/')"
            ;;
        *) return 1 ;;
    esac
}

refuse_unqueried() { # SERVER BACKEND
    hint_backends
    die "cannot choose between $server and $endpoint:" \
        "$1 could not be queried: $(first_error "$work/$2.errors")"
}

hint_backends() {
    hint 'set ASSETS_PG_BACKEND to docker for the container, to direct for the endpoint'
}

# refuse_pod_and_other: ends the script where there is another server than the pod
refuse_pod_and_other() {
    other=
    if [ -n "$TB_POSTGRES_ENDPOINT" ]; then
        other="TB_POSTGRES_ENDPOINT=$TB_POSTGRES_ENDPOINT is set"
    elif is_container_running; then
        choose_container
        other="container '$TB_POSTGRES_CONTAINER' runs"
    fi
    [ -n "$other" ] || return 0
    hint 'set ASSETS_PG_BACKEND to kubectl for the pod, or to docker or direct for the other server'
    die "cannot choose between two servers: a variable for Kubernetes is set, and $other"
}

# system_identifier BACKEND: of the server that it reaches
system_identifier() (
    PGDATABASE=postgres
    PGCONNECT_TIMEOUT=3
    echo 'SELECT system_identifier FROM pg_control_system();' |
        "run_on_$1" psql -X -q -A -t
)

# on_server PROGRAM [ARGUMENT...]: runs it there. It reads standard input: always give it one. It
# gets no descriptor of a session: a session ends with the script, not with a child
on_server() {
    "run_on_$ASSETS_PG_BACKEND" "$@" 5>&- 6<&- 7>&- 8<&-
}

# write_on_server FILE: standard input into a file on the server
write_on_server() {
    # shellcheck disable=SC2016 # expands on the server
    on_server sh -c 'cat >"$1"' sh "$1" 2>"$work/server.errors"
}

# run_remote NAME [ARGUMENT...]: runs scripts/remote/NAME.sh on the server
run_remote() {
    remote_program=$(cat "$root/scripts/remote/$1.sh")
    shift
    on_server sh -c "$remote_program" sh "$@"
}

# set_client_environment: settings of the user or the database must not change what is dumped,
# loaded or compared
set_client_environment() {
    # shellcheck disable=SC2086 # a list of names
    unset $foreign_variables
    PGUSER=$TB_POSTGRES_USER
    PGPASSWORD=${TB_POSTGRES_PASSWORD:-$usual_password}
    PGDATABASE=$TB_POSTGRES_DATABASE
    PGAPPNAME=$(session_name '')
    PGCONNECT_TIMEOUT=10
    PGCLIENTENCODING=UTF8
    PGOPTIONS=
    set_options "assets.run=${run_name##*.}" statement_timeout=0 lock_timeout=5s \
        idle_in_transaction_session_timeout=0 idle_session_timeout=0 \
        default_transaction_read_only=off search_path= client_min_messages=warning \
        row_security=off DateStyle=ISO,YMD IntervalStyle=postgres TimeZone=UTC \
        standard_conforming_strings=on transform_null_equals=off quote_all_identifiers=off \
        extra_float_digits=1 array_nulls=on bytea_output=hex lc_monetary=C xmloption=content \
        'default_transaction_isolation=read\ committed'
    export PGUSER PGPASSWORD PGDATABASE PGAPPNAME PGCONNECT_TIMEOUT PGCLIENTENCODING PGOPTIONS
}

# session_name KEY: in ASCII, which the server shows unchanged
session_name() {
    printf '%s' "$program ${1:+$1 }$(user_name)@$(uname -n) $$" | LC_ALL=C tr -c ' -~' '?'
}

# set_options NAME=VALUE...: for every later connection
set_options() {
    for pair; do
        PGOPTIONS="$PGOPTIONS -c $pair"
    done
}
