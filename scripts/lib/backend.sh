# shellcheck shell=sh
# Where the server is, and running PostgreSQL's client programs next to it. Sourcing this file runs nothing.
#
# A backend is two functions: find_NAME says clearly why the server cannot be reached and sets $addresses,
# where a helper on this host might reach it; beside_NAME runs a program next to it, standard input and output
# passed through. Next to the server, only a busybox shell and its tools may be assumed.
# --- docker: the client programs inside the container ---
# --- direct: the client programs of this host, over TCP or a socket folder ---
# --- SQL: values go in with -v NAME=VALUE and come out of :'NAME', never pasted into the text ---

use backends/docker backends/direct

# find_server: chooses the backend and prepares the environment that every client program shares
find_server() {
    [ "$ASSETS_PG_BACKEND" != auto ] || ASSETS_PG_BACKEND=$(likely_backend)
    pin_client_environment
    case $ASSETS_PG_BACKEND in
        docker | direct) "find_$ASSETS_PG_BACKEND" ;;
        *) die_usage "unknown ASSETS_PG_BACKEND '$ASSETS_PG_BACKEND': it is auto, docker or direct" ;;
    esac
}

likely_backend() {
    if [ -n "$TB_POSTGRES_ENDPOINT" ]; then
        printf direct
    else
        printf docker
    fi
}

# beside_server PROGRAM [ARGUMENT...]: runs it next to the server. It reads standard input: always give
# it one. The sessions' descriptors stay here, so that a session ends with the script, not with a child.
beside_server() {
    "beside_$ASSETS_PG_BACKEND" "$@" 5>&- 6<&- 7>&- 8<&-
}

# write_beside_server FILE: standard input into a file next to the server
write_beside_server() {
    # shellcheck disable=SC2016 # it expands next to the server
    beside_server sh -c 'cat >"$1"' sh "$1" 2>"$work/far.errors"
}

# What a user or a database has set must not change what we dump, load or compare.
pin_client_environment() {
    unset PGSERVICE PGHOSTADDR PGTZ PGDATESTYLE PGGEQO PG_COLOR
    PGUSER=$TB_POSTGRES_USER
    PGPASSWORD=$TB_POSTGRES_PASSWORD
    PGDATABASE=$TB_POSTGRES_DATABASE
    PGAPPNAME="$program $(user_name)@$(uname -n) $$"
    PGCONNECT_TIMEOUT=10
    PGCLIENTENCODING=UTF8
    run_mark=${run##*.}
    PGOPTIONS="-c assets.run=$run_mark"
    PGOPTIONS="$PGOPTIONS -c statement_timeout=0 -c lock_timeout=5s -c idle_in_transaction_session_timeout=0"
    PGOPTIONS="$PGOPTIONS -c idle_session_timeout=0 -c default_transaction_read_only=off"
    PGOPTIONS="$PGOPTIONS -c search_path= -c client_min_messages=warning -c row_security=off"
    PGOPTIONS="$PGOPTIONS -c DateStyle=ISO,YMD -c IntervalStyle=postgres -c TimeZone=UTC"
    PGOPTIONS="$PGOPTIONS -c standard_conforming_strings=on -c transform_null_equals=off -c quote_all_identifiers=off"
    PGOPTIONS="$PGOPTIONS -c extra_float_digits=1 -c array_nulls=on -c bytea_output=hex -c lc_monetary=C"
    export PGUSER PGPASSWORD PGDATABASE PGAPPNAME PGCONNECT_TIMEOUT PGCLIENTENCODING PGOPTIONS
}
