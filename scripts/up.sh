#!/bin/sh
# up.sh: starts the database container and waits until it is healthy. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend errors compose

usage() {
    cat <<EOF
Usage: $0

Starts the container of docker-compose.yaml and waits until it is healthy.
TB_POSTGRES_IMAGE names another image than postgres:16-alpine,
TB_POSTGRES_PORT another port than 5432.
EOF
}

main() {
    parse_no_options "$@"
    begin
    is_port "$TB_POSTGRES_PORT" ||
        refuse_setting TB_POSTGRES_PORT "$TB_POSTGRES_PORT" 'from 1 to 65535'
    require_container_cli
    choose_engine
    : "${TB_POSTGRES_CONTAINER:=$usual_container}"
    require_container_name
    read_container_state
    if [ "$container_state" = running ]; then
        report_running
    elif [ "$container_state" = paused ]; then
        fail_paused
    else
        refuse_foreign_container
        choose_data_path
        compose up -d || fail_to_start
    fi
    wait_until_healthy 60
    say "$container_name is healthy"
}

main "$@"
