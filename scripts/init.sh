#!/bin/sh
# init.sh: fills a new assets database, by the option that the user chooses. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/lib/common.sh"

usage() {
    cat <<EOF
Usage: $0

Shows a menu of ways to fill the assets database, and does what is chosen:

  a    restore from assets/assets.dump.gz (~1 minute)
  b    fetch fresh from the clouds, without Azure (~20-30 minutes)
  c    fetch fresh from the clouds, with Azure (~40+ minutes)

INIT_OPTION=a chooses without asking.
EOF
}

main() {
    parse_no_options "$@"
    begin
    show_menu
    choose
    case $option in
        a) restore ;;
        b | c) fetch ;;
    esac
}

show_menu() {
    PYTHONPATH=$root python3 -m helpers menu "$root/assets/assets.dump.gz" >&2 || usage >&2
}

# choose: from INIT_OPTION or from the terminal; a wrong answer asks again, end of input cancels
choose() {
    option=$INIT_OPTION
    if [ -z "$option" ] && ! [ -t 0 ]; then
        hint 'to run without a terminal, set INIT_OPTION=a'
        die 'there is no terminal to choose on; nothing was changed'
    fi
    while ! known "$option"; do
        [ -z "$INIT_OPTION" ] || die_usage "unknown option '$INIT_OPTION': it is a, b or c"
        printf 'Choose a, b or c: ' >&2
        read -r option || die 'cancelled; nothing was changed'
    done
}

known() {
    case $1 in
        [Aa]) option=a ;;
        [Bb]) option=b ;;
        [Cc]) option=c ;;
        *) return 1 ;;
    esac
}

# The choice was the confirmation.
restore() {
    RESTORE_SKIP_CONFIRM=yes "$root/scripts/restore-assets.sh" "$root/assets/assets.dump.gz"
}

fetch() {
    hint "CB-Tumblebug's init/init.py fetches; afterwards make backup-assets saves the result"
    die 'fetching from the clouds is not yet part of this tool; nothing was changed'
}

main "$@"
