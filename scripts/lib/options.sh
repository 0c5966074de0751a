# shellcheck shell=sh
# Options that every script has, and what a misspelt word may have meant.
# Needs: awk operand root used
# Sets: nearest operand quiet used

# common_option ARGUMENT: one that every script has; any other ends the script. Sets quiet
common_option() {
    case $1 in
        -h | --help) show_help ;;
        -q | --quiet) quiet=yes ;;
        --json) require_json ;;
        --version) show_version ;;
        *)
            suggest "$1" "$(known_options)"
            die_usage "unknown option: $1"
            ;;
    esac
}

# require_json: only a script whose help lists it has a result as JSON
require_json() {
    usage | grep -q '^  --json ' || die_usage 'unknown option: --json'
}

# show_help: and do nothing else, even where nobody can read it
show_help() {
    print_help 2>/dev/null || exit 1
    exit 0
}

print_help() {
    usage && cat <<EOF_HELP

Every script has these options too:

  -h, --help     print this help
  -q, --quiet    print only errors, questions, results, and the warnings that
                 matter most
  --version      print the version
EOF_HELP
}

# show_version: it is in one place, where Python's packaging reads it too
show_version() {
    version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$root/helpers/__init__.py" 2>/dev/null) || :
    printf 'tumblebug-assets %s\n' "${version:-(unknown version)}" 2>/dev/null || exit 1
    exit 0
}

# take_operands TEXT...: what is no option; at most one in all. Sets operand
take_operands() {
    for argument; do
        [ -n "$argument" ] || die_usage 'the name is empty'
        case $argument in
            *://*) die_usage "expected a file, not a URL: download '$argument' first" ;;
        esac
        ! is_assignment "$argument" || {
            hint "set a variable before the command: $argument $0"
            die_usage "expected an argument, not a variable: '$argument'"
        }
        [ -z "$operand" ] || fail_second_operand "$argument"
        operand=$argument
    done
}

# fail_second_operand TEXT: ends the script. Make adds the backup that it has chosen to ARGS
fail_second_operand() {
    [ "$1" != "${MAKE_CHOSEN-}" ] || {
        hint "to name a backup: NAME='$operand', or FILE='$operand' for a path"
        die_usage "expected one backup, got '$operand' in ARGS and '$1'"
    }
    die_usage "expected one argument, got '$operand' and '$1'"
}

# is_assignment TEXT: such as FORCE=yes
is_assignment() {
    case ${1%%=*} in "$1" | '' | [0-9]* | *[!A-Z0-9_]*) return 1 ;; esac
}

# require_value OPTION VALUE [WHAT]: ends the script without one; a Makefile puts -- after ARGS
require_value() {
    case $2 in '' | --) die_usage "$1 needs ${3:-a value}" ;; esac
}

# parse_no_options ARGUMENT...: for a script that takes only the common ones
parse_no_options() {
    parse_only_options common_option "$@"
}

# parse_only_options FUNCTION ARGUMENT...: for a script without an operand
parse_only_options() {
    parse_arguments "$@"
    [ -z "$operand" ] || die_usage "unexpected argument: $operand"
}

# parse_arguments FUNCTION ARGUMENT...: FUNCTION gets each option and what follows, and sets used=2
# if it took the next argument as its value. Sets operand, or empty
parse_arguments() {
    take_option=$1
    shift
    operand=
    while [ $# -gt 0 ]; do
        used=1
        case $1 in
            --) shift && break ;;
            --*=*) take_option_with_value "${1%%=*}" "${1#*=}" ;;
            -?*) "$take_option" "$@" ;;
            *) take_operands "$1" ;;
        esac
        shift "$used"
    done
    take_operands "$@"
}

# take_option_with_value OPTION VALUE: both were in one argument
take_option_with_value() {
    "$take_option" "$@"
    [ "$used" -eq 2 ] || die_usage "$1 takes no value"
    used=1
}

# known_options: the long ones, one a line, from the help
known_options() {
    print_help | tr -cs 'a-z-' '\n' | grep '^--[a-z]'
}

# suggest WORD CANDIDATES: a hint, if the word is near one of these lines. Sets nearest, or empty
suggest() {
    nearest=$(nearest_to "$1" "$2")
    [ -z "$nearest" ] || hint "did you mean $nearest?"
}

# nearest_to WORD CANDIDATES: prints the one of these lines that the word is near, if there is one
nearest_to() {
    printf '%s\n' "$1" | nearest_of "$2" | cut -f 2
}

# nearest_of CANDIDATES: for each line of standard input that is near one of these lines and is none
# of them, `LINE TAB CANDIDATE`
nearest_of() {
    CANDIDATES=$1 awk -f "$awk/nearest.awk"
}
