# shellcheck shell=sh
# Settings. Precedence: options, environment, .env, a service file, defaults.
# Needs: project service_file service_settings

load_settings() {
    require_programs_for_settings
    read_env_file "$project/.env"
    name_misspelt "$project/.env"
    : "${TB_POSTGRES_SERVICE:=}"
    [ -z "$TB_POSTGRES_SERVICE" ] || read_service "$TB_POSTGRES_SERVICE"
    : "${TB_POSTGRES_CONTAINER:=}"
    : "${TB_POSTGRES_USER:=${POSTGRES_USER:-tumblebug}}"
    : "${TB_POSTGRES_DATABASE:=${POSTGRES_DB:-tumblebug}}"
    : "${TB_POSTGRES_PASSWORD:=${POSTGRES_PASSWORD:-}}"
    : "${TB_POSTGRES_ENDPOINT:=}"
    : "${TB_POSTGRES_IMAGE:=}"
    : "${TB_POSTGRES_PORT:=5432}"
    : "${TB_POSTGRES_POD:=}"
    : "${TB_POSTGRES_POD_SELECTOR:=}"
    : "${TB_K8S_CONTEXT:=${K8S_CONTEXT:-}}"
    : "${TB_K8S_NAMESPACE:=${K8S_NAMESPACE:-}}"
    : "${TB_K8S_CONTAINER:=}"
    : "${ASSETS_PG_BACKEND:=auto}"
    : "${CONTAINER_CLI:=docker}"
    : "${PG_BINDIR:=}"
    : "${BACKUP_COMPRESSION:=auto}"
    : "${BACKUP_REMOTE:=}"
    : "${BACKUP_ON_SUCCESS:=}"
    : "${BACKUP_ON_FAILURE:=}"
    : "${FORCE:=}"
    : "${RESTORE_SKIP_CONFIRM:=}"
    : "${RESTORE_KEEP_PREVIOUS:=}"
    : "${RESTORE_KEEP_COPY:=}"
    : "${RESTORE_IN_PLACE:=}"
    : "${RESTORE_SCHEMA:=auto}"
    : "${RESTORE_TRUST:=}"
    : "${RESTORE_MAX_BYTES:=}"
    : "${RESTORE_MAX_SECONDS:=3600}"
    : "${RESTORE_JOBS:=}"
    : "${TB_ASSETS_KEY_FILE:=}"
    : "${DIFF_IGNORE:=uid fetched_time}"
    : "${CLEAN_SKIP_CONFIRM:=}"
    : "${ROLLBACK_SKIP_CONFIRM:=}"
    : "${KEEP:=}"
    : "${KEEP_DAYS:=}"
    : "${KEEP_DAILY:=}"
    : "${KEEP_WEEKLY:=}"
    : "${KEEP_MONTHLY:=}"
    : "${PRUNE_SKIP_CONFIRM:=}"
    : "${INIT_OPTION:=}"
    : "${TUMBLEBUG_SERVER:=localhost:1323}"
    : "${TUMBLEBUG_WAIT_SECONDS:=30}"
    : "${TB_API_USERNAME:=default}"
    : "${TB_API_PASSWORD:=default}"
}

# --- what a setting can be: each script checks those that it uses ---

require_restore_settings() {
    for setting in SKIP_CONFIRM KEEP_PREVIOUS KEEP_COPY IN_PLACE TRUST; do
        eval "require_yes_or_no RESTORE_$setting \"\$RESTORE_$setting\""
    done
    case $RESTORE_SCHEMA in
        backup | live | auto) ;;
        *) refuse_setting RESTORE_SCHEMA "$RESTORE_SCHEMA" 'backup, live or auto' ;;
    esac
    require_count RESTORE_JOBS "$RESTORE_JOBS" 999
    [ -z "$RESTORE_MAX_BYTES" ] || is_number "$RESTORE_MAX_BYTES" ||
        refuse_setting RESTORE_MAX_BYTES "$RESTORE_MAX_BYTES" 'a number of bytes'
    require_seconds RESTORE_MAX_SECONDS "$RESTORE_MAX_SECONDS"
}

# require_backup_settings: those of its restore test too
require_backup_settings() {
    case $BACKUP_COMPRESSION in
        auto | fast | small | smallest | none | [0-9] | gzip | lz4 | zstd) ;;
        gzip:[1-9] | lz4:[1-9] | lz4:1[0-2] | zstd:[1-9] | zstd:1[0-9] | zstd:2[0-2]) ;;
        gzip:*[!0-9]* | lz4:*[!0-9]* | zstd:*[!0-9]*) ;; # only pg_dump knows these
        *) refuse_setting BACKUP_COMPRESSION "$BACKUP_COMPRESSION" \
            'auto, fast, small, smallest, none or a value of pg_dump --compress, such as zstd:7' ;;
    esac
    require_count RESTORE_JOBS "$RESTORE_JOBS" 999
    require_remote
}

require_remote() {
    [ -z "$BACKUP_REMOTE" ] || has_remote "$BACKUP_REMOTE" ||
        refuse_setting BACKUP_REMOTE "$BACKUP_REMOTE" 'remote:path'
}

# require_remote_operand PATH: ends the script unless it is a directory of a remote
require_remote_operand() {
    has_remote "$1" || die_usage "expected a directory of a remote, remote:path, not '$1'"
}

# has_remote PATH: does it begin with the name of a remote and a colon? A leading dash would make it
# an option
has_remote() {
    case ${1%%:*} in "$1" | */* | -*) return 1 ;; esac
}

require_prune_settings() {
    require_yes_or_no PRUNE_SKIP_CONFIRM "$PRUNE_SKIP_CONFIRM"
    require_count KEEP "$KEEP" 9999
    require_count KEEP_DAYS "$KEEP_DAYS" 9999
    require_count KEEP_DAILY "$KEEP_DAILY" 9999
    require_count KEEP_WEEKLY "$KEEP_WEEKLY" 9999
    require_count KEEP_MONTHLY "$KEEP_MONTHLY" 9999
}

# require_count NAME VALUE MOST: ends the script unless it is empty or from 1 to MOST
require_count() {
    [ -z "$2" ] || is_count "$2" "$3" || refuse_setting "$1" "$2" "from 1 to $3"
}

is_count() { # VALUE MOST
    is_number "$1" && [ "$1" -ge 1 ] && [ "$1" -le "$2" ]
}

# is_port TEXT: 0 is any free one
is_port() {
    is_number "$1" && [ "$1" -le 65535 ]
}

# refuse_setting NAME VALUE EXPECTED: ends the script
refuse_setting() {
    case "$1 $service_settings " in
        FORCE\ *) hint 'correct FORCE on the command line or in the environment' ;;
        *" $1 "*) hint "correct service '$TB_POSTGRES_SERVICE' in '$service_file'" ;;
        *) hint "correct $1 on the command line, in the environment, or in '$project/.env'" ;;
    esac
    fail 2 "$1 must be $3, not '$2'"
}

# require_yes_or_no NAME VALUE: a user who writes 1 or true does not mean no
require_yes_or_no() {
    case $2 in
        yes | no | '') ;;
        *) refuse_setting "$1" "$2" 'yes or no' ;;
    esac
}

# require_seconds NAME VALUE: the server calculates with it
require_seconds() {
    is_count "$2" 999999999 ||
        refuse_setting "$1" "$2" 'a number of seconds, from 1 to 999999999'
}

# name_misspelt FILE: warns of names in this .env file that are near one of ours; in the environment
# only of names that start like ours, because other programs have theirs there
name_misspelt() {
    misspelt=$({
        [ ! -f "$1" ] || names_in_env_file "$1"
        names_in_environment
    } | sort -u | with_meaning | sort)
    [ -n "$misspelt" ] || return 0
    while IFS=$(printf '\t') read -r misspelling meant; do
        alert "$misspelling: unknown setting; did you mean $meant?"
    done <<EOF
$misspelt
EOF
}

# with_meaning: for each name on standard input that is near a setting, or is what other programs
# call one, `NAME TAB SETTING`
with_meaning() {
    tab=$(printf '\t')
    sed -e "s/^TB_POSTGRES_HOST\$/&${tab}TB_POSTGRES_ENDPOINT/" \
        -e "s/^TB_POSTGRES_DB\$/&${tab}TB_POSTGRES_DATABASE/" \
        -e "s/^TB_POSTGRES_DBNAME\$/&${tab}TB_POSTGRES_DATABASE/" \
        -e "s/^TB_POSTGRES_NAME\$/&${tab}TB_POSTGRES_DATABASE/" |
        nearest_of "$(known_settings)"
}

# names_in_env_file FILE: except CB-Spider's, which are in CB-Tumblebug's .env too, and PGSERVICE,
# which other programs may need
names_in_env_file() {
    sed -n 's/^ *\(export  *\)\{0,1\}\([A-Za-z0-9_]*\)[[:space:]]*=.*/\2/p' "$1" |
        sed -e '/^SP_/d' -e '/^PGSERVICE$/d'
}

names_in_environment() {
    env | sed -n 's/^\([A-Z]*_[A-Z0-9_]*\)=.*/\1/p' |
        grep -e '^\(BACKUP\|RESTORE\|DIFF\|CLEAN\|ROLLBACK\|PRUNE\|KEEP\|INIT\)_' \
            -e '^\(ASSETS\|TB_POSTGRES\|TB_K8S\|TUMBLEBUG\)_'
}
