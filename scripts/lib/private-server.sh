# shellcheck shell=sh
# A private server that ends with the run, for verbs that need a server but not the live database.
# Needs: child json private quiet root work
# Sets: explained json

# needs_private_server: does the user want one, or is no server set and none reachable?
needs_private_server() {
    case $private-$ASSETS_PG_BACKEND-$TB_POSTGRES_ENDPOINT$TB_POSTGRES_CONTAINER in
        yes-*) ;;
        -auto-) ! names_pod && ! (select_server) 4>/dev/null ;;
        *) return 1 ;;
    esac
}

# run_on_private_server SCRIPT ARGUMENT...: runs the script again with that server; this run ends
# with its status, or with an error if the server does not start. Sets explained and json
run_on_private_server() {
    find_python >/dev/null ||
        fail_without_private_server 'install Python 3.10 or later' 'a private server needs Python'
    say 'using a private server'
    script_name=$1
    shift
    # --trust has set it in this shell only
    [ "$RESTORE_TRUST" != yes ] || set -- --trust "$@"
    private_status=0
    set -- env on_private_server=yes "$root/scripts/$script_name" ${quiet:+--quiet} "$@"
    set -- private-server "$work/private.problem" "$@"
    if [ -n "$json" ]; then
        background_with_messages run_helper "$@" >"$work/private.json" 2>&4
    else
        background_with_messages run_helper "$@" >&3 2>&4
    fi
    wait "$child" || private_status=$?
    [ "$private_status" -ge 128 ] || explained=yes # by that run
    case $private_status in
        69)
            fail_without_private_server "install it with 'make demo'" \
                'the private server is not installed'
            ;;
        70)
            private_hint=$(sed -n 2p "$work/private.problem")
            [ -z "$private_hint" ] || hint "$private_hint"
            die "$(sed -n 1p "$work/private.problem")"
            ;;
    esac
    [ -z "$json" ] || [ ! -s "$work/private.json" ] || pass_private_json
    exit "$private_status"
}

# pass_private_json: the result of the other run is the result of this one. Sets json
pass_private_json() {
    cat "$work/private.json" >&3 || die 'could not write the result'
    json=
}

fail_without_private_server() { # HINT SENTENCE
    hint "$1"
    [ "$private" = yes ] || hint "or start the database with 'make up'"
    die "$2"
}
