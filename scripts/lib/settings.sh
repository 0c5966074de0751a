# shellcheck shell=sh
# Settings. Precedence: options, environment, .env, defaults.

load_settings() {
    read_env_file "$root/.env"
    : "${TB_POSTGRES_CONTAINER:=cb-tumblebug-postgres}"
    : "${TB_POSTGRES_USER:=tumblebug}"
    : "${TB_POSTGRES_DATABASE:=tumblebug}"
    : "${TB_POSTGRES_PASSWORD:=tumblebug}"
    : "${TB_POSTGRES_ENDPOINT:=}"
    : "${ASSETS_PG_BACKEND:=auto}"
    : "${CONTAINER_CLI:=docker}"
    : "${PG_BINDIR:=}"
    : "${BACKUP_COMPRESSION:=auto}"
    : "${RESTORE_SKIP_CONFIRM:=}"
    : "${RESTORE_KEEP_PREVIOUS:=}"
    : "${RESTORE_TRUST:=}"
    : "${RESTORE_MAX_BYTES:=}"
    : "${RESTORE_JOBS:=}"
    : "${TB_ASSETS_KEY_FILE:=}"
    : "${CLEAN_SKIP_CONFIRM:=}"
    : "${INIT_OPTION:=}"
    : "${TUMBLEBUG_SERVER:=localhost:1323}"
    : "${TB_API_USERNAME:=default}"
    : "${TB_API_PASSWORD:=default}"
    : "${TMPDIR:=/tmp}"
    require_switch RESTORE_SKIP_CONFIRM "$RESTORE_SKIP_CONFIRM"
    require_switch RESTORE_KEEP_PREVIOUS "$RESTORE_KEEP_PREVIOUS"
    require_switch RESTORE_TRUST "$RESTORE_TRUST"
    require_switch CLEAN_SKIP_CONFIRM "$CLEAN_SKIP_CONFIRM"
}

# require_switch NAME VALUE: who wrote 1 or true did not mean no
require_switch() {
    case $2 in
        yes | no | '') ;;
        *) die_usage "$1 is yes or no, not '$2'" ;;
    esac
}

# Lines are data: NAME=VALUE for the names that are ours; nothing in the file is ever run.
read_env_file() {
    [ -f "$1" ] || return 0
    [ -r "$1" ] || die "'$1' cannot be read by user '$(user_name)'; nothing was changed"
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line#export }
        name=${line%%=*}
        case $line in [A-Z]*=*) ;; *) continue ;; esac
        case $name in
            *[!A-Z0-9_]*) continue ;;
            TB_* | TUMBLEBUG_SERVER | ASSETS_* | BACKUP_* | RESTORE_* | CLEAN_* | INIT_* | CONTAINER_CLI | PG_BINDIR) ;;
            *) continue ;;
        esac
        value=$(unquoted "${line#*=}")
        eval ": \"\${$name=\$value}\""
    done <"$1"
}

unquoted() { # VALUE, as written after NAME= in a .env file
    case $1 in
        \"*\") set -- "${1#\"}" && printf '%s' "${1%\"}" ;;
        \'*\') set -- "${1#\'}" && printf '%s' "${1%\'}" ;;
        *) printf '%s' "$1" | sed 's/[[:space:]]#.*//; s/[[:space:]]*$//' ;;
    esac
}
