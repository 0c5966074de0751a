# shellcheck shell=sh
# The result of a run as one JSON object on standard output, where --json was given.
# Needs: awk failure_text json name_filter work
# Sets: json_failed

json_failed=

# an error in the command line comes before `begin`, which has the same for every later end
[ -z "$json" ] || trap 'print_json $?' EXIT

# add_text NAME TEXT: a member of the result; no text is null
add_text() {
    printf '"%s": %s\n' "$1" "$(json_string "$2")" >>"$work/json"
}

# add_number NAME NUMBER: the same for a number
add_number() {
    printf '"%s": %s\n' "$1" "${2:-null}" >>"$work/json"
}

# add_rows NAME COLUMNS: an array with an object for each line of standard input. COLUMNS names its
# fields, which tabs separate; a field is a number where the name ends in '#', null where it is '-'
add_rows() {
    printf '"%s": %s\n' "$1" \
        "$(json_awk rows -v columns="$2")" >>"$work/json"
}

# add_lines NAME: an array with a text for each line of standard input
add_lines() {
    printf '"%s": %s\n' "$1" "$(json_lines)" >>"$work/json"
}

# add_json NAME JSON: as the server made it, in one line; no JSON is an empty array
add_json() {
    printf '"%s": %s\n' "$1" "$(printf '%s' "${2:-[]}" | tr '\n' ' ')" >>"$work/json"
}

# print_json STATUS: the object, at the end of the run: the result, if there is one, and the error.
# Sets json_failed
print_json() {
    if [ "$1" -eq 0 ] && ! [ -s "$work/json" ]; then
        return 0 # only help or the version was wanted
    fi
    {
        printf '{"schema": 1, "command": "%s", "exit_code": %s' "$(command_name)" "$1"
        [ ! -s "$work/json" ] ||
            printf ', "result": {%s}' "$(paste -s -d , - <"$work/json" | printable_lines)"
        case $1 in 0 | 3) ;; *) print_json_error "$1" ;; esac
        echo '}'
    } 2>/dev/null || json_failed=yes
}

# print_json_error STATUS: the message, and the hints in the lines after it
print_json_error() (
    lines=${failure_text:-the run ended unexpectedly}
    [ "$1" -lt 128 ] || lines=interrupted
    printf ', "error": {"message": %s, "hints": %s}' \
        "$(json_string "$(printf '%s\n' "$lines" | head -n 1)")" \
        "$(printf '%s\n' "$lines" | sed 1d | json_lines)"
)

command_name() (
    script_name=${0##*/}
    printf '%s' "${script_name%.sh}" | LC_ALL=C tr -cd 'a-z-'
)

json_string() { # TEXT
    if [ -n "$1" ]; then
        printf '%s\n' "$1" | json_awk text
    else
        echo null
    fi
}

json_lines() {
    json_awk lines
}

# json_awk NAME [OPTION...]: runs awk/json-NAME.awk
json_awk() (
    json_program=$awk/json-$1.awk
    shift
    LC_ALL=C sed "$name_filter" |
        LC_ALL=C awk "$@" -f "$awk/json.awk" -f "$json_program"
)
