# shellcheck shell=sh
# The settings of a service in libpq's service file. libpq itself does not read it: it would let
# the service's database take the place of the staging one.
# Needs: awk
# Sets: service_file service_settings

service_settings= # the names of those that it gives

# read_service NAME: takes its settings, unless they are set. Sets service_file and
# service_settings
read_service() {
    service_file=${PGSERVICEFILE:-${HOME-}/.pg_service.conf}
    elsewhere="set PGSERVICEFILE to the file that has service '$1'"
    [ -f "$service_file" ] || refuse_service "$elsewhere" "there is no service file '$service_file'"
    [ -r "$service_file" ] ||
        refuse_service "$elsewhere" "could not read service file '$service_file'"
    service_lines=$(awk -v service="$1" -f "$awk/service.awk" "$service_file") ||
        refuse_service "$elsewhere" "there is no service '$1' in '$service_file'"
    while IFS= read -r service_line; do
        case $service_line in
            'skipped '*) alert "service '$1': $service_line, which these scripts do not use" ;;
            'error '*)
                refuse_service "correct '$service_file'" "service '$1': ${service_line#error }"
                ;;
            *)
                set_default "${service_line%%=*}" "${service_line#*=}"
                service_settings="$service_settings ${service_line%%=*}"
                ;;
        esac
    done <<EOF
$service_lines
EOF
}

# set_default NAME VALUE: unless that variable is set, even to nothing
set_default() {
    eval ": \"\${$1=\$2}\""
}

# refuse_service ADVICE REASON: ends the script
refuse_service() {
    hint "$1, or unset TB_POSTGRES_SERVICE"
    fail 2 "$2"
}
