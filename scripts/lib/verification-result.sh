# shellcheck shell=sh
# FILE.verified: the last verification of a backup, which lists show and pruning respects.
# Needs: work

# remember_verification FILE LEVEL RESULT SHA256: in FILE.verified, with the time. The level is
# hash, read or restore, the result ok or failed. It counts as long as the backup's manifest has
# this sha256. A success does not replace the result of a higher level
remember_verification() {
    if [ "$3" = ok ] && has_higher_result "$1.verified" "$2" "$4"; then
        return 0
    fi
    partial_result=$(partial_of "$1.verified")
    at_end remove_partial_result # a signal may come before the rename
    result=$(printf '%s\t%s\t%s\t%s' "$(date -u '+%Y-%m-%d %H:%M:%S UTC')" "$2" "$3" "$4")
    if ! { printf '%s\n' "$result" >"$partial_result"; } 2>"$work/publish.errors" ||
        ! rename_file -f "$partial_result" "$1.verified"; then
        remove_partial_result
        warn "could not record this result in '$1.verified':" \
            "$(sed 's/.*: //; q' "$work/publish.errors")"
    fi
}

remove_partial_result() {
    rm -f "$partial_result"
}

has_higher_result() { # FILE LEVEL SHA256
    [ -f "$1" ] || return 1
    case $2-$(level_remembered "$1" "$3") in
        hash-read | hash-restore | read-restore) ;;
        *) return 1 ;;
    esac
}

level_remembered() { # FILE SHA256
    head -c 1000 "$1" | awk -F '\t' -v hash="$2" '$4 == hash { print $2; exit }'
}
