#!/bin/sh
# init.sh: fills a new assets database, by the option that the user chooses. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock report tumblebug

usage() {
    cat <<EOF_USAGE
Usage: $0 [-y] [--option OPTION] [--providers NAME,...] [--with-prices]

Shows a menu of ways to fill the assets database, and does what is chosen:

  a   restore from assets/assets.dump.gz (~1 minute)
  a+  the same, then the newest list of images on top (~2 minutes)
  b   fetch fresh from the clouds, without Azure (~20-30 minutes)
  c   fetch fresh from the clouds, with Azure (~40+ minutes)
  d   fetch fresh from the clouds you choose, without prices

  -y             no questions: a where there is a backup, otherwise b
  --option X     no menu: this option; INIT_OPTION=x says the same
  --providers X  the clouds of option d, with commas between
  --with-prices  after b or c fetch prices too

TUMBLEBUG_SERVER (localhost:1323) is CB-Tumblebug's server, which all options but a need.
EOF_USAGE
}

main() {
    parse_options "$@"
    begin
    at_end say_that_it_goes_on
    choose_option
    unchanged=
    [ "$option" = a ] || require_tumblebug
    case $option in
        a | a+) restore_backup ;;
        *) fetch_assets ;;
    esac
    finish
}

parse_options() {
    unattended='' chosen_option='' chosen_clouds='' with_prices=''
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) show_help ;;
            -y | --yes) unattended=yes ;;
            --with-prices) with_prices=yes ;;
            --option | --providers) [ $# -gt 1 ] || die_usage "$1 needs a value" ;;
        esac
        case $1 in
            -y | --yes | --with-prices) ;;
            --option) chosen_option=$2 && shift ;;
            --option=*) chosen_option=${1#--option=} ;;
            --providers) chosen_clouds=$2 && shift ;;
            --providers=*) chosen_clouds=${1#--providers=} ;;
            -?*) die_usage "unknown option: $1" ;;
            *) die_usage "unexpected argument: $1" ;;
        esac
        shift
    done
}

# --- the choice ---

# choose_option: from the command line, from INIT_OPTION, or by the menu
choose_option() {
    backup=$root/assets/assets.dump.gz
    option=${chosen_option:-$INIT_OPTION}
    [ -n "$option" ] || [ -z "$chosen_clouds" ] || option=d
    [ -n "$option" ] || [ -z "$unattended" ] || option=$(usual_option)
    if [ -n "$option" ]; then
        unattended=yes
        is_option "$option" || die_usage "unknown option '$option': it is a, a+, b, c or d"
        is_available || die "there is no backup '$backup' to restore; nothing was changed"
    else
        ask_option
    fi
    [ "$option" != d ] || [ -n "$chosen_clouds" ] || [ -z "$unattended" ] || die_usage 'option d needs --providers'
}

usual_option() {
    if [ -f "$backup" ]; then
        echo a
    else
        echo b
    fi
}

# ask_option: a wrong answer asks again, end of input cancels
ask_option() {
    if ! [ -t 0 ]; then
        hint 'to run without a terminal, use -y, --option or INIT_OPTION'
        die 'there is no terminal to choose on; nothing was changed'
    fi
    show_menu
    while ask_user 'Choose a, a+, b, c or d: '; do
        if ! is_option "$reply"; then
            say "there is no option '$reply'"
        elif ! is_available; then
            say "option $option is not available: there is no backup '$backup'"
        else
            return 0
        fi
    done
    die 'cancelled; nothing was changed'
}

show_menu() {
    { find_python && PYTHONPATH=$root "$python" -m helpers menu "$backup"; } >&4 || usage >&4
}

is_option() {
    case $1 in
        [Aa]) option=a ;;
        [Aa]+) option=a+ ;;
        [Bb]) option=b ;;
        [Cc]) option=c ;;
        [Dd]) option=d ;;
        *) return 1 ;;
    esac
}

is_available() {
    case $option in a | a+) [ -f "$backup" ] ;; esac
}

# ask_user QUESTION: sets $reply; fails at the end of input
ask_user() {
    tell '%s' "$1"
    read -r reply
}

agrees() { # QUESTION
    [ -z "$unattended" ] && ask_user "$1 Type yes: " && [ "$reply" = yes ]
}

# --- a and a+ ---

# restore_backup: the choice was the confirmation. Where it fails, the database is as it was; nobody gets a fetch
# of 40 minutes unasked.
restore_backup() {
    restored=0
    RESTORE_SKIP_CONFIRM=yes
    export RESTORE_SKIP_CONFIRM
    background_speaking "$root/scripts/restore-assets.sh" "$backup" 2>&4
    wait "$child" || restored=$?
    case $restored in
        0) return 0 ;;
        3) missing_part=yes && return 0 ;; # said by the restore itself
    esac
    explained=yes # by the restore itself
    [ "$restored" -eq 1 ] || exit "$restored"
    agrees 'Fetch fresh from the clouds instead, without Azure (20-30 minutes)?' || exit 1
    explained=
    option=b
    require_tumblebug
    fetch_assets
}

# --- b, c and d ---

fetch_assets() {
    [ "$option" != d ] || choose_clouds
    prepare_namespace || die "the namespace cannot be made: $(reason)"
    case $option in
        b) fetch_from_clouds 'about 20 to 30 minutes' ;;
        c) fetch_from_clouds 'about 40 minutes or more' --azure ;;
        d) fetch_from_clouds 'some minutes for each cloud' --providers "$chosen_clouds" ;;
    esac
    [ "$option" = d ] || fetch_prices
}

fetch_prices() {
    [ -n "$with_prices" ] || agrees 'Fetch prices too?' || return 0
    say 'fetching prices'
    ask_tumblebug fetch-prices || left_out "prices: $(reason)"
}

# choose_clouds: by number or name, of those that the server knows
choose_clouds() {
    ask_tumblebug providers || die "its list of clouds cannot be had: $(reason)"
    cp "$work/answer" "$work/clouds"
    [ -s "$work/clouds" ] || die 'CB-Tumblebug knows no clouds; nothing was changed'
    if [ -n "$chosen_clouds" ]; then
        known_clouds "$chosen_clouds" || die_usage "unknown cloud '$unknown_cloud'; there are: $(in_one_line "$(cat "$work/clouds")")"
        return
    fi
    awk '{ printf("  %2d  %s\n", NR, $0) }' "$work/clouds" | printable_lines >&4
    while ask_user 'Which clouds, by number or name, with commas between: '; do
        ! known_clouds "$reply" || return 0
        say "there is no cloud '$unknown_cloud'"
    done
    die 'cancelled; nothing was changed'
}

# known_clouds LIST: sets $chosen_clouds, names with commas between; fails with $unknown_cloud where it is not one
known_clouds() {
    printf '%s\n' "$1" | tr -s ', ' '[\n*]' | awk '
        NR == FNR { names[$0]; numbers[FNR] = $0; next }
        $0 == "" { next }
        $0 in numbers { $0 = numbers[$0] }
        { print ($0 in names ? "known" : "unknown") " " $0 }' "$work/clouds" - | sort -u >"$work/chosen"
    unknown_cloud=$(sed -n 's/^unknown //p' "$work/chosen" | head -n 1)
    chosen_clouds=$(sed -n 's/^known //p' "$work/chosen" | paste -s -d , -)
    [ -z "$unknown_cloud" ] && [ -n "$chosen_clouds" ]
}

# --- the end ---

# finish: an option that needs only the database does without CB-Tumblebug
finish() {
    if [ "$option" = a ] && ! { find_python && ask_tumblebug ready; }; then
        say "CB-Tumblebug does not answer at $TUMBLEBUG_SERVER; left out: the namespace 'system' and its own summary"
    else
        tell_tumblebug
    fi
    [ -z "${missing_part-}" ] || end_incomplete
}

# tell_tumblebug: what it has to know, and what it then says that it holds
tell_tumblebug() {
    case $option in a | a+) prepare_namespace || left_out "the namespace: $(reason)" ;; esac # the others have it
    [ "$option" != a+ ] || update_images
    if ask_tumblebug summary; then
        cat "$work/answer"
    else
        left_out "the summary: $(reason)"
    fi
    ask_tumblebug mark-initialised || warn "CB-Tumblebug could not be told that it is initialised: $(reason)"
    case $option in b | c | d) offer_backup ;; esac
}

update_images() {
    say 'putting the newest list of images on top'
    ask_tumblebug update-images || left_out "the newest images: $(reason)"
}

offer_backup() {
    if agrees 'Save it as assets/assets.dump.gz (make backup-assets)?'; then
        "$root/scripts/backup-assets.sh" "$backup" 2>&4 || left_out 'the backup: see above'
    else
        say 'make backup-assets saves what was fetched'
    fi
}

main "$@"
