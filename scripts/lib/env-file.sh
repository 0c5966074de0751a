# shellcheck shell=sh
# The settings in a .env file.
# Needs: problem root
# Sets: problem

# read_env_file FILE: takes lines NAME=VALUE with names of ours; nothing in the file is executed
read_env_file() {
    [ ! -d "$1" ] || alert "skipped '$1', which is a directory"
    [ -f "$1" ] || return 0
    [ -r "$1" ] || {
        hint_permission "$1"
        die "could not read '$1' as user '$(user_name)'"
    }
    case $(head -c 2 "$1" | od -An -tx1 | tr -d ' \n') in
        fffe | feff)
            hint 'save it as UTF-8'
            die "'$1' is in UTF-16"
            ;;
    esac
    byte_order_mark=$(printf '\357\273\277')
    line_number=0 names_in_file=' ' known_names=" $(known_settings | tr '\n' ' ')"
    while IFS= read -r line || [ -n "$line" ]; do
        line_number=$((line_number + 1))
        line=${line#"$byte_order_mark"}
        line=${line#"${line%%[![:space:]]*}"}
        line=${line#export }
        line=${line#"${line%%[![:space:]]*}"}
        name=${line%%=*}
        name=${name%"${name##*[![:space:]]}"}
        problem='is not NAME=VALUE'
        case $line in
            '' | '#'*) continue ;;
            '<<<<<<< '*)
                hint 'resolve the conflict, then run this again'
                die "'$1' has an unresolved merge conflict in line $line_number"
                ;;
            *=*)
                find_other_place "$name"
                [ -z "$other_place" ] || {
                    alert "skipped line $line_number of '$1': set $name $other_place instead"
                    continue
                }
                is_known "$name" || continue # another program's
                ;;
        esac
        take_setting "$line" || alert "skipped line $line_number of '$1', which $problem"
    done <"$1"
}

# find_other_place NAME: where to set a variable that the file cannot set. Sets other_place, empty
# for all others
find_other_place() {
    other_place=
    case $1 in
        FORCE) other_place='on the command line' ;;
        TMPDIR) other_place='in the environment' ;; # it is always set by now
        DOCKER_HOST | DOCKER_CONTEXT | CONTAINER_HOST | CONTAINER_CONNECTION | KUBECONFIG | \
            XDG_CONFIG_HOME)
            eval "[ -n \"\${$1-}\" ]" || other_place='in the environment'
            ;;
    esac
}

# known_settings: those of load_settings, and those of other programs that .env may set, one a line
known_settings() {
    sed -n 's/^ *: "${\([A-Z0-9_]*\):=.*/\1/p' "$root/scripts/lib/settings.sh"
    printf '%s\n' POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB COMPOSE_PROJECT_NAME \
        K8S_CONTEXT K8S_NAMESPACE PGSSLMODE PGSSLROOTCERT PGSSLCERT PGSSLKEY PGPASSFILE \
        PGSERVICEFILE
}

is_known() { # NAME
    case $known_names in *" $1 "*) ;; *) return 1 ;; esac
}

# take_setting LINE: unless the environment has that name; without spaces around =. Sets problem
take_setting() {
    case $1 in *=*) ;; *) return 1 ;; esac
    problem='has an unclosed quote'
    value=$(unquoted "$(printf '%s' "${1#*=}" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')") ||
        return 1
    problem='has a path that starts with ~ or $; only ~/ is expanded'
    value=$(absolute_path "$name" "$value") || return 1
    case $names_in_file in
        *" $name "*) ;; # the last line counts, as in a shell
        *)
            eval "[ -z \"\${$name+set}\" ]" || return 0
            names_in_file="$names_in_file$name "
            ;;
    esac
    eval "$name=\$value"
}

# absolute_path NAME VALUE: prints the value; if that variable holds a path, ~/ becomes the home
# directory, and a relative path starts at the project's directory. Fails for what a shell would
# expand to anything else
absolute_path() {
    case $1=$2 in
        PGSSLROOTCERT=system) ;;
        PGSSLROOTCERT=?* | PGSSLCERT=?* | PGSSLKEY=?* | PGPASSFILE=?* | PGSERVICEFILE=?* | \
            PG_BINDIR=?* | TB_ASSETS_KEY_FILE=?*)
            case $2 in
                /*) ;;
                \~/*)
                    [ -n "${HOME-}" ] || return 1
                    set -- "$1" "$HOME${2#\~}"
                    ;;
                \~* | \$*) return 1 ;;
                *) set -- "$1" "$root/$2" ;;
            esac
            ;;
    esac
    printf '%s' "$2"
}

# unquoted VALUE: as written after NAME= in a .env file, without its comment; fails where a quote is
# not closed
unquoted() {
    case $1 in
        \"* | \'*)
            set -- "${1#?}" "${1%"${1#?}"}"
            set -- "$(printf '%s\n' "$1" |
                LC_ALL=C sed -n "s/$2\([[:space:]]\{1,\}#.*\)\{0,1\}\$/./p")"
            [ -n "$1" ] && printf '%s' "${1%.}"
            ;;
        *) printf '%s' "$1" | sed 's/[[:space:]]#.*//; s/[[:space:]]*$//' ;;
    esac
}
