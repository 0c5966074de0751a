# shellcheck shell=sh
# The settings of a service in libpq's service file. libpq itself does not read it: it would let
# the service's database take the place of the staging one.
# Needs: root

# read_service NAME: takes its settings, unless they are set
read_service() {
    service_file=${PGSERVICEFILE:-${HOME-}/.pg_service.conf}
    [ -f "$service_file" ] || refuse_service "$1" "there is no service file '$service_file'"
    [ -r "$service_file" ] || refuse_service "$1" "could not read service file '$service_file'"
    service_lines=$(awk -v service="$1" -f "$root/scripts/lib/awk/service.awk" "$service_file") ||
        refuse_service "$1" "there is no service '$1' in '$service_file'"
    while IFS= read -r service_line; do
        case $service_line in
            'skipped '*) warn "service '$1': $service_line" ;;
            *=*) set_default "${service_line%%=*}" "${service_line#*=}" ;;
        esac
    done <<EOF
$service_lines
EOF
}

# refuse_service NAME REASON: ends the script
refuse_service() {
    hint "set PGSERVICEFILE to the file that has service '$1', or unset TB_POSTGRES_SERVICE"
    fail 2 "$2"
}
