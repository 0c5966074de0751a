#!/bin/sh
# check-make.sh TARGETS VARIABLES NAME FILE EMPTY ORIGIN ARGS: ends with an error if make, called
# with these words, would silently ignore one of them, if NAME is a path or FILE a name, or if ARGS
# begins with one. EMPTY are the variables without a value, ORIGIN is where make has NAME from.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/scripts/lib/use.sh"

main() {
    targets=$(in_lines "$1")
    variables=$(in_lines "$2")
    refuse_unknown_target
    refuse_unknown_variable
    with_backup='backup-assets restore-assets verify-backup diff-backup'
    for variable in FILE NAME; do
        # shellcheck disable=SC2086 # these are words
        refuse_idle_variable "$variable" $with_backup
    done
    refuse_idle_variable LEVEL verify-backup
    refuse_idle_variable FORCE backup-assets
    refuse_idle_variable WITH diff-backup
    for rule in KEEP KEEP_DAYS KEEP_DAILY KEEP_WEEKLY KEEP_MONTHLY; do
        refuse_idle_variable "$rule" prune-backups
    done
    refuse_idle_variable SCALE bench
    # shellcheck disable=SC2016,SC2046 # the text of the Makefile; these are words
    refuse_idle_variable ARGS $(targets_with '$(ARGS)')
    # shellcheck disable=SC2046 # these are words
    refuse_idle_variable PYTHON $(targets_with ' .venv/.')
    ! { is_in FILE "$variables" && is_in NAME "$variables"; } || die 'cannot combine FILE and NAME'
    refuse_empty_variable "$(in_lines "$5")"
    case $6 in environment*) refuse_name_of_environment "$3" ;; esac
    refuse_path_as_name "$3"
    refuse_name_as_path "$4"
    refuse_name_in_args "$7"
}

in_lines() {
    printf '%s' "$1" | tr -s ' ' '\n'
}

is_in() { # WORD LINES
    printf '%s\n' "$2" | grep -Fqx -e "$1"
}

refuse_unknown_target() {
    known=$(sed -n 's/^\([a-z][a-z0-9-]*\):.*/\1/p' "$root/Makefile")
    unknown=$(first_unknown "$targets" "$known" | grep -v '^\.venv/') || return 0
    case $unknown in
        */* | *.dump*) hint "to name a file: make restore-assets FILE='$unknown'" ;;
        *) suggest "$unknown" "$known" ;;
    esac
    hint "run 'make' to list the targets"
    die "there is no target '$unknown'"
}

# refuse_unknown_variable: settings go to the scripts by their environment
refuse_unknown_variable() {
    known=$(printf '%s\n' FILE NAME LEVEL WITH ARGS SCALE PYTHON SHELL TMPDIR NO_COLOR &&
        known_settings)
    unknown=$(first_unknown "$variables" "$known") || return 0
    suggest "$unknown" "$known"
    [ -n "$nearest" ] || suggest_setting "$unknown"
    die "make has no variable '$unknown'"
}

# suggest_setting NAME: what may have been meant: an option of the script, or the only setting of
# that last word
suggest_setting() {
    case $1 in [0-9]* | *[!A-Za-z0-9_]*) return 0 ;; esac
    word=$(printf '%s' "$1" | tr '[:upper:]_' '[:lower:]-' |
        sed -e 's/^backup-//' -e 's/^restore-//')
    meant=$(known_settings | grep "_$(printf '%s' "$1" | tr '[:lower:]' '[:upper:]')\$") || meant=
    if [ "$(printf '%s' "$meant" | grep -c .)" -eq 1 ]; then
        hint "did you mean $meant?"
    elif has_option "$word"; then
        hint "did you mean ARGS=--$word?"
    else
        hint "options of the script go into ARGS, such as ARGS=--dry-run;" \
            "other variables go before make: $1=… make …"
    fi
}

# has_option WORD: does a script of the targets have an option of that name?
has_option() (
    printf '%s\n' "$targets" | while IFS= read -r target; do
        [ ! -f "$root/scripts/$target.sh" ] || "$root/scripts/$target.sh" --help
    done 2>/dev/null | tr -cs 'a-z-' '\n' | grep -Fqx -e "--$1"
)

first_unknown() { # WORDS KNOWN
    printf '%s\n' "$1" | grep . | grep -Fxv -e "$2" | head -n 1 | grep .
}

# refuse_empty_variable VARIABLES: it comes from a script whose own variable is empty, and must not
# mean the shared backup
refuse_empty_variable() {
    for variable in FILE NAME LEVEL WITH; do
        ! is_in "$variable" "$1" || {
            hint "omit $variable to use the default"
            die "$variable is empty"
        }
    done
}

# refuse_name_of_environment NAME: WSL sets NAME to the name of the machine, which means no backup
refuse_name_of_environment() {
    # shellcheck disable=SC2086 # these are words
    if [ "$1" = "$(uname -n)" ] || ! is_one_wanted $with_backup; then
        return 0
    fi
    hint "to name a backup, write it after make: make restore-assets NAME='$1'"
    hint "otherwise run 'unset NAME'"
    die "NAME is set in the environment, which make ignores: '$1'"
}

# targets_with TEXT: whose rule in the Makefile contains it
targets_with() {
    awk -v text="$1" '/^[^\t]/ { target = /^[a-z0-9-]+:/ ? $1 : "" }
                      target && index($0, text) { print substr(target, 1, length(target) - 1) }' \
        "$root/Makefile"
}

# is_one_wanted TARGET...: is one of these to be made?
is_one_wanted() (
    for target; do
        ! is_in "$target" "$targets" || return 0
    done
    return 1
)

refuse_path_as_name() { # NAME
    case $1 in
        */*)
            hint "to name a file: FILE='$1'"
            die "NAME is the name of a backup in backups/postgres, not a path: '$1'"
            ;;
    esac
}

refuse_name_as_path() { # FILE
    case $1 in
        \~/*)
            hint "use FILE=\"\$HOME/${1#\~/}\", or FILE='./$1' for a directory of that name"
            die "the shell has not replaced ~ in FILE='$1'"
            ;;
        '' | */* | *.dump.gz | *.dump) ;;
        *)
            hint "use FILE='./$1' for a file in this directory, or" \
                "NAME='$1' for one in backups/postgres"
            die "FILE must contain a slash or end in .dump.gz or .dump, not be a name: '$1'"
            ;;
    esac
}

refuse_name_in_args() { # ARGS
    case $1 in
        '' | [-[:space:]]*) ;;
        *)
            # shellcheck disable=SC2086 # these are words
            is_one_wanted $with_backup || return 0
            hint "to name a backup: NAME='${1%% *}', or FILE='${1%% *}' for a path"
            die "ARGS takes options of the script, not '${1%% *}'"
            ;;
    esac
}

# refuse_idle_variable VARIABLE TARGET...: none of the targets that use it is to be made
refuse_idle_variable() {
    idle=$1
    shift
    is_in "$idle" "$variables" || return 0
    ! is_one_wanted "$@" || return 0
    die "$idle has no effect here: it is for $(in_one_line "$(printf '%s\n' "$@")")"
}

main "$@"
