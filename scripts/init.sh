#!/bin/sh
# init.sh: fills a new assets database, by the option that the user chooses. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock clean-up databases gzip backup-file embedded-manifest signature
use manifest fingerprints tumblebug

usage() {
    cat <<EOF_USAGE
Usage: $0 [-y] [--option X] [--providers X,...] [--with-prices]

Fills the assets database by one of these options, from a menu:

  a   restore from assets/assets.dump.gz (~1 minute)
  a+  the same, then update images from the latest list (~2 minutes)
  b   fetch fresh data, without Azure (~20-30 minutes)
  c   fetch fresh data, with Azure (~40+ minutes)
  d   fetch fresh data of the providers you choose, without prices

  -y, --yes      ask nothing: a if there is a backup, otherwise b
  --option X     use option X and ask nothing (INIT_OPTION=X); a and a+ then
                 replace a database that has rows
  --providers X  the providers of option d, separated by commas
  --with-prices  also fetch prices (b and c)

TUMBLEBUG_SERVER (localhost:1323) is CB-Tumblebug's server, required by every
option except a.
EOF_USAGE
}

main() {
    parse_options "$@"
    begin
    require_seconds TUMBLEBUG_WAIT_SECONDS "$TUMBLEBUG_WAIT_SECONDS"
    at_end report_interruption
    choose_option
    [ "$option" = a ] || require_tumblebug
    case $option in
        a | a+) restore_backup ;;
        *) fetch_assets ;;
    esac
    finish 'the initialization is complete'
    inform_if_reachable
}

parse_options() {
    unchanged='; the database is unchanged'
    unattended='' chosen_option='' providers='' with_prices=''
    parse_only_options take_option "$@"
}

take_option() {
    case $1 in
        -y | --yes) unattended=yes ;;
        --with-prices) with_prices=yes ;;
        --option)
            require_value "$1" "${2-}"
            chosen_option=$2 used=2
            ;;
        --providers)
            require_value "$1" "${2-}"
            providers=$2 used=2
            ;;
        *) common_option "$1" ;;
    esac
}

# --- the choice ---

# choose_option: from the command line, from INIT_OPTION, or by the menu. Sets option
choose_option() {
    backup_file=$project/assets/assets.dump.gz
    current_content=
    option=${chosen_option:-${INIT_OPTION:-${providers:+d}}}
    [ -n "$option" ] || [ -z "$unattended" ] || option=$(default_option)
    if [ -n "$option" ]; then
        unattended=yes
        require_option
    else
        ask_option
    fi
    require_matching_options
}

# require_option: ends the script unless the option is known and usable. Sets option, normalized
require_option() {
    normalize_option "$option" ||
        die_usage "unknown option '$option' (--option, INIT_OPTION): choose one of a, a+, b, c, d"
    needs_backup || return 0
    [ -e "$backup_file" ] || {
        hint 'fetch the assets with --option b or c, or copy a backup to that path'
        die "there is no backup '$backup_file' to restore"
    }
    require_backup
}

require_matching_options() {
    case $option in
        a | a+ | d) [ -z "$with_prices" ] || die_usage "option $option takes no --with-prices" ;;
    esac
    if [ "$option" != d ]; then
        [ -z "$providers" ] || die_usage "option $option takes no --providers"
    elif [ -n "$unattended" ] && [ -z "$providers" ]; then
        die_usage 'option d needs --providers'
    fi
}

default_option() {
    if [ -f "$backup_file" ]; then
        echo a
    else
        echo b
    fi
}

# ask_option: asks again after a wrong answer; the end of input cancels. Sets option
ask_option() {
    if ! [ -t 0 ]; then
        hint 'to run without a terminal, use -y, --option or INIT_OPTION'
        die 'cannot show the menu without a terminal'
    fi
    find_database
    show_menu
    warn_if_unreachable
    while ask_user 'Choose a, a+, b, c or d (Ctrl-C to leave): '; do
        if [ -z "$reply" ]; then
            say 'choose one of a, a+, b, c, d'
        elif ! normalize_option "$reply"; then
            say "there is no option '$reply': choose one of a, a+, b, c, d"
        elif needs_backup && has_backup_problem; then
            say "option $option is not available: $backup_problem"
            grep '^ hint: ' "$work/problem" >&4 || :
        else
            return 0
        fi
    done
    cancel
}

show_menu() {
    backup_summary='' backup_created=''
    find_backup_problem
    if [ -z "$backup_problem" ]; then
        find_manifest "$backup_file"
        [ -z "$manifest_found" ] || describes "$work/info" "$backup_file" || : >"$work/info"
        tr -d '\r' <"$work/info" >"$work/info.lines"
        backup_summary=$(sed -n 's/^summary: *//p' "$work/info.lines")
        backup_created=$(sed -n 's/^created: *//p' "$work/info.lines")
    fi
    run_helper menu --problem "$backup_problem" --holds "$backup_summary" \
        --created "$backup_created" --now "$current_summary" "$backup_file" >&4 || usage >&4
}

# warn_if_unreachable: says why find_database could not read the database; the user can start the
# server before answering
warn_if_unreachable() {
    while IFS= read -r told_line; do
        case $told_line in
            'error: '*) alert "${told_line#error: }" ;;
            ' hint: '*) tell_labelled 36 ' hint:' "${told_line# hint: }" ;;
        esac
    done <"$work/database.errors"
}

# normalize_option TEXT: fails where it is none. Sets option
normalize_option() {
    case $1 in
        [Aa]) option=a ;;
        [Aa]+) option=a+ ;;
        [Bb]) option=b ;;
        [Cc]) option=c ;;
        [Dd]) option=d ;;
        *) return 1 ;;
    esac
}

needs_backup() {
    case $option in a | a+) ;; *) return 1 ;; esac
}

# require_backup: ends the script if the file is missing or damaged, or if its manifest says that it
# has no rows
require_backup() {
    require_sound "$backup_file"
    [ -z "$manifest_found" ] || any_table_has_rows "$work/tables" || {
        hint 'fetch the assets with --option b or c, or copy another backup to that path'
        die "the backup '$backup_file' contains no rows"
    }
}

# find_backup_problem: why require_backup would end the script. Sets backup_problem, empty if not
find_backup_problem() {
    (unchanged='' && require_backup) 4>"$work/problem" || :
    backup_problem=$(sed -n 's/^error: //p' "$work/problem")
}

# has_backup_problem: checks a file that had a problem again; the restore checks any other
has_backup_problem() {
    [ -z "$backup_problem" ] || find_backup_problem
    [ -n "$backup_problem" ]
}

agrees() { # QUESTION
    [ -z "$unattended" ] && ask_user "$1 Type yes: " && is_yes
}

# --- a and a+ ---

# restore_backup: asks before it replaces any rows. Where it fails, the database is unchanged, and a
# fetch of 20 minutes or more starts only if the server can fetch and the user agrees
restore_backup() {
    [ -n "$unattended" ] || find_database # the server may have been started since the menu
    case $current_content in
        '' | *' 0 rows') ;;
        *)
            agrees "$(printable "$current_database has $current_content.") Replace them?" ||
                cancel
            ;;
    esac
    RESTORE_SKIP_CONFIRM=yes
    export RESTORE_SKIP_CONFIRM
    explained=yes # by the restore, whatever it is that ends it
    restored=0
    background_with_messages "$root/scripts/restore-assets.sh" ${quiet:+--quiet} \
        "$backup_file" >&3 2>&4
    wait "$child" || restored=$?
    case $restored in
        0) explained='' && return 0 ;;
        3) explained='' incomplete=yes && return 0 ;; # the restore has said why
    esac
    [ "$restored" -eq 1 ] || exit "$restored"
    [ -n "$unattended" ] || is_tumblebug_ready || exit 1
    agrees 'Fetch fresh data instead, without Azure (20-30 minutes)?' || exit 1
    explained=
    option=b
    fetch_assets
}

# --- b, c and d ---

fetch_assets() {
    [ "$option" != d ] || choose_providers
    create_namespace || fail_tumblebug 'could not create the namespace'
    unchanged='; the data that has arrived stays'
    case $option in
        b) fetch 'about 20 to 30 minutes' ;;
        c) fetch 'about 40 minutes or more' --azure ;;
        d) fetch 'some minutes for each provider' --providers "$providers" ;;
    esac
    [ "$option" = d ] || fetch_prices
}

fetch_prices() {
    [ -n "$with_prices" ] || agrees 'Fetch prices too?' || return 0
    say 'fetching prices'
    ask_interruptibly fetch-prices || report_skipped "prices: $(tumblebug_answer)"
}

# choose_providers: by number or name, of those that the server knows. Sets providers
choose_providers() {
    ask_tumblebug providers || fail_tumblebug 'could not get the list of providers'
    cp "$work/answer" "$work/providers"
    [ -s "$work/providers" ] || die 'CB-Tumblebug knows no providers'
    if [ -n "$providers" ]; then
        select_providers "$providers" || {
            [ -n "$unknown_provider" ] || die_usage '--providers names no provider'
            die_usage "unknown provider '$unknown_provider'; there are:" \
                "$(in_one_line "$(cat "$work/providers")")"
        }
        return
    fi
    awk '{ printf("  %2d  %s\n", NR, $0) }' "$work/providers" | printable_lines >&4
    while ask_user 'Which providers, by number or name, separated by commas: '; do
        ! select_providers "$reply" || return 0
        if [ -n "$unknown_provider" ]; then
            say "there is no provider '$unknown_provider'"
        else
            say 'enter at least one number or name'
        fi
    done
    cancel
}

# select_providers LIST: fails where one is unknown. Sets providers, names separated by commas, and
# unknown_provider
select_providers() {
    printf '%s\n' "$1" | tr -s ', ' '\n' |
        awk -f "$awk/select-names.awk" "$work/providers" - |
        sort -u >"$work/selected"
    unknown_provider=$(sed -n 's/^unknown //p' "$work/selected" | head -n 1)
    providers=$(sed -n 's/^known //p' "$work/selected" | paste -s -d , -)
    [ -z "$unknown_provider" ] && [ -n "$providers" ]
}

# --- the end ---

# inform_if_reachable: option a works without CB-Tumblebug
inform_if_reachable() {
    skipped_steps="creating namespace 'system', showing the server's summary, and marking it as"
    skipped_steps="$skipped_steps initialised"
    if [ "$option" = a ] && ! has_new_python; then
        say "$python_needed; skipped: $skipped_steps"
    elif [ "$option" != a ] || is_tumblebug_ready; then
        inform_tumblebug
    elif ! tumblebug_answered; then
        say "$(tumblebug_answer); skipped: $skipped_steps"
    elif wait_until_ready; then
        inform_tumblebug
    else
        clear_line
        hint_credentials
        warn "$(tumblebug_answer); skipped: $skipped_steps"
        incomplete=yes
    fi
    [ -z "$incomplete" ] || end_incomplete
}

# inform_tumblebug: creates what the server needs, prints its summary, marks it as initialised
inform_tumblebug() {
    case $option in
        a | a+) create_namespace || report_skipped "the namespace: $(tumblebug_answer)" ;;
    esac
    [ "$option" != a+ ] || update_images
    if ask_tumblebug summary; then
        [ -n "$quiet" ] || cat "$work/answer" >&3
    else
        report_skipped "the summary: $(tumblebug_answer)"
    fi
    ask_tumblebug mark-initialised ||
        warn "could not tell CB-Tumblebug that it is initialised: $(tumblebug_answer)"
    case $option in b | c | d) offer_backup ;; esac
}

update_images() {
    say 'updating images from the latest list'
    ask_interruptibly update-images || report_skipped "the latest images: $(tumblebug_answer)"
}

offer_backup() {
    if agrees 'Back up the database to assets/assets.dump.gz?'; then
        offered_status=0 # in the foreground: it may ask
        "$root/scripts/backup-assets.sh" ${quiet:+--quiet} "$backup_file" >&3 2>&4 ||
            offered_status=$?
        case $offered_status in
            0) ;;
            3) incomplete=yes ;;
            *) report_skipped 'the backup: see above' ;;
        esac
    else
        say "run 'make backup-assets' to back up the database"
    fi
}

main "$@"
