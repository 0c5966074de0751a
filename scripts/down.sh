#!/bin/sh
# down.sh: stops the database container; its data stays in its volume. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend errors compose

usage() {
    cat <<EOF
Usage: $0

Stops and removes the container of docker-compose.yaml. The data stays in its
volume: up.sh starts the container with it again.
EOF
}

main() {
    parse_no_options "$@"
    begin
    require_container_cli
    choose_engine
    : "${TB_POSTGRES_CONTAINER:=$usual_container}"
    read_container_state
    if [ -z "$container_state" ]; then
        say "there is no $container_name to stop"
        return
    fi
    choose_project
    if [ "$(project_of_container)" = "$COMPOSE_PROJECT_NAME" ]; then
        remove_container
    else
        say "$container_name is unchanged ($container_state): 'make up' did not create it here"
    fi
}

remove_container() {
    created_in=$(directory_of_creator) || created_in=
    compose down || die "could not stop $container_name; see above"
    [ "$created_in" = "$root" ] || [ -z "$created_in" ] ||
        say "$container_name was created in '$created_in'"
    say 'stopped; the data stays in its volume'
}

main "$@"
