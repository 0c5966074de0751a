#!/bin/sh
# schedule.sh: prints a nightly backup job for cron, systemd or Kubernetes. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"

usage() {
    cat <<EOF
Usage: $0 [cron | systemd | kubernetes]

Prints a nightly backup job: a line for cron (the default), or a service and a
timer for systemd, with this project's path and your user name; or a CronJob
for Kubernetes that copies the backups to object storage. It installs nothing.
EOF
}

main() {
    parse_options "$@"
    if [ "$operand" != kubernetes ]; then
        warn_of_environment
        warn_of_other_environment
    fi
    case $operand in
        kubernetes) quoted_root=/opt/tumblebug-assets ;; # in the container
        *) quoted_root=$("quote_for_$operand") ;;
    esac
    job=$(sed -e "s|/opt/tumblebug-assets|$(for_sed "$quoted_root")|g" \
        -e "s|^User=USER$|User=$(for_sed "$(user_name | sed 's/%/%%/g')")|" \
        "$root/docs/schedules/$operand")
    printf '%s\n' "$job" 2>/dev/null || die 'could not write the result'
}

parse_options() {
    parse_arguments common_option "$@"
    operand=${operand:-cron}
    case $operand in
        cron | systemd | kubernetes) ;;
        *) die_usage "expected cron, systemd or kubernetes, not '$operand'" ;;
    esac
}

# warn_of_environment: of misspelt settings, and of those that neither cron nor systemd will have
warn_of_environment() {
    name_misspelt "$project/.env"
    missing_there=$(settings_only_here) || missing_there=
    [ -z "$missing_there" ] ||
        warn "$operand will not have these settings of your environment:" \
            "$(in_one_line "$missing_there"); put them into '$project/.env'"
}

# warn_of_other_environment: what neither cron nor systemd will have, and .env cannot hold
warn_of_other_environment() {
    not_there=$(variables_set_here)
    [ -z "$not_there" ] ||
        warn "$operand will not have these variables of your environment:" \
            "$(in_one_line "$not_there"); set them in the job: '.env' cannot"
}

variables_set_here() (
    for name in DOCKER_HOST DOCKER_CONTEXT CONTAINER_HOST CONTAINER_CONNECTION KUBECONFIG \
        XDG_CONFIG_HOME; do
        eval "[ -z \"\${$name-}\" ]" || echo "$name"
    done
    if [ -n "${BACKUP_REMOTE-}" ] || grep -q '^BACKUP_REMOTE=.' "$root/.env" 2>/dev/null; then
        env | sed -n -e 's/^\(RCLONE_[A-Z0-9_]*\)=..*/\1/p' -e 's/^\(AWS_[A-Z0-9_]*\)=..*/\1/p' |
            sort
    fi
)

# settings_only_here: names whose value would be another one without the environment
settings_only_here() (
    names=$(env | sed -n 's/^\([A-Z0-9_]*\)=..*/\1/p' | sort | grep -Fx -e "$(known_settings)" |
        grep -e '^TB_\(POSTGRES\|K8S\|ASSETS\)_' -e '^\(ASSETS\|BACKUP\|CONTAINER\)_' \
            -e '^\(POSTGRES\|K8S\)_' -e '^PG')
    for name in $names; do
        eval "here_$name=\$$name"
        unset "$name"
    done
    load_settings 4>/dev/null
    for name in $names; do
        eval "[ \"\$here_$name\" = \"\${$name-}\" ]" || echo "$name"
    done
)

# for_sed TEXT: as the replacement in an s command with |
for_sed() {
    printf '%s' "$1" | sed 's/[&|\\]/\\&/g'
}

# quote_for_cron: for single quotes of a shell; cron treats % as a line end
quote_for_cron() {
    printf '%s' "$root" | sed "s/'/'\\\\''/g; s/%/\\\\%/g"
}

# quote_for_systemd: for an argument in double quotes, in which systemd expands % and $
quote_for_systemd() {
    printf '%s' "$root" | sed 's/[\\"]/\\&/g; s/%/%%/g; s/\$/$$/g'
}

main "$@"
