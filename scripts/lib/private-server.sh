# shellcheck shell=sh
# A private server that ends with the run, for verbs that need a server but not the live database.
# Needs: child json private quiet root
# Sets: explained json on_private_server

# needs_private_server: does the user want one, or is no server set and none reachable?
needs_private_server() {
    case $private-$ASSETS_PG_BACKEND-$TB_POSTGRES_ENDPOINT$TB_POSTGRES_CONTAINER in
        yes-*) ;;
        -auto-) ! names_pod && ! (select_server) 4>/dev/null ;;
        *) return 1 ;;
    esac
}

# run_on_private_server SCRIPT ARGUMENT...: runs the script again with that server; this run ends
# with its status. Sets explained and json
run_on_private_server() {
    find_python >/dev/null || {
        hint "start the database with 'make up', or install Python 3.10 or later"
        die 'there is no server to restore the backup into; a private server needs Python'
    }
    say 'using a private server'
    script_name=$1
    shift
    # --trust has set it in this shell only
    [ "$RESTORE_TRUST" != yes ] || set -- --trust "$@"
    asked_json=$json
    explained=yes json='' # that run reports, however it ends
    on_private_server=yes
    export on_private_server
    private_status=0
    background_with_messages run_helper private-server "$root/scripts/$script_name" \
        ${quiet:+--quiet} "$@" >&3 2>&4
    wait "$child" || private_status=$?
    case $private_status in
        69)
            json=$asked_json
            hint "run 'make demo', which installs it, or start the database with 'make up'"
            die 'there is no server to restore the backup into,' \
                'and the private server is not installed'
            ;;
        70)
            json=$asked_json
            die 'could not start a private server; the reason is above'
            ;;
    esac
    exit "$private_status"
}
