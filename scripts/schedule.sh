#!/bin/sh
# schedule.sh: prints a nightly backup job for cron, systemd or Kubernetes. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"

usage() {
    cat <<EOF
Usage: $0 cron | systemd | kubernetes

Prints a nightly backup job: a line for cron, or a service and a timer for
systemd, with this project's path and your user name; or a CronJob for
Kubernetes that copies the backups to object storage. It installs nothing.
EOF
}

main() {
    parse_options "$@"
    case $operand in
        kubernetes) quoted_root=/opt/tumblebug-assets ;; # in the container
        *) quoted_root=$(quote_for_"$operand") ;;
    esac
    sed -e "s|/opt/tumblebug-assets|$(for_sed "$quoted_root")|g" \
        -e "s|^User=USER$|User=$(for_sed "$(user_name | sed 's/%/%%/g')")|" \
        "$root/docs/schedules/$operand" 2>/dev/null || die 'could not write the result'
}

# for_sed TEXT: as the replacement in an s command with |
for_sed() {
    printf '%s' "$1" | sed 's/[&|\\]/\\&/g'
}

# quote_for_cron: for single quotes of a shell; cron treats % as a line end
quote_for_cron() {
    printf '%s' "$root" | sed "s/'/'\\\\''/g; s/%/\\\\%/g"
}

# quote_for_systemd: for double quotes, in which systemd expands % and $
quote_for_systemd() {
    printf '%s' "$root" | sed 's/[\\"]/\\&/g; s/%/%%/g; s/\$/$$/g'
}

parse_options() {
    parse_arguments common_option "$@"
    case $operand in
        cron | systemd | kubernetes) ;;
        '') die_usage 'expected cron, systemd or kubernetes' ;;
        *) die_usage "expected cron, systemd or kubernetes, not '$operand'" ;;
    esac
}

main "$@"
