# shellcheck shell=sh
# What remote/verified-call.sh reads: the code that runs a program, and the program's input.
# Needs: call foreign_variables root run_name
# Sets: input_kind

input_kind=whole # see remote/verified-call.sh

# with_input KIND COMMAND...: runs the command in a child, with this kind of input, which only
# verified calls use
with_input() {
    input_kind=$1
    shift
    "$@"
}

# code_of_call PROGRAM [ARGUMENT...]: the code that runs it there. It goes through standard input,
# because it has the password
code_of_call() (
    for name in PGUSER PGPASSWORD PGDATABASE PGAPPNAME PGCONNECT_TIMEOUT PGOPTIONS \
        PGCLIENTENCODING; do
        eval "value=\$$name"
        printf 'export %s=%s\n' "$name" "$(quoted "$value")"
    done
    printf 'unset %s\nexport LC_ALL=C\nset --' "$foreign_variables"
    size=0 hash=-
    if [ "$input_kind" = whole ]; then
        size=$(count_bytes <"$call/input")
        hash=$(sha256 <"$call/input")
    fi
    for argument in "$input_kind" "$(end_mark)" "$size" "$hash" "$@"; do
        printf ' %s' "$(quoted "$argument")"
    done
    echo
    cat "$root/scripts/remote/verified-call.sh"
)

# in_block: standard input as a block of a session's input
in_block() {
    block=$(cat && echo .)
    block=${block%.}
    printf '%s %s\n%s' "$(printf %s "$block" | count_bytes)" "$(printf %s "$block" | sha256)" \
        "$block"
}

# end_mark: what the last line from the pod begins with; an untrusted author does not know it
end_mark() {
    echo "ended-${run_name##*.}"
}

count_bytes() {
    wc -c | tr -d ' '
}
