# shellcheck shell=sh
# Publishing a backup: the file, which has its manifest in it, and FILE.info, a copy of that
# manifest, are written under temporary names and renamed one after the other.
# Needs: key_parent project run_name work

require_writable_directory() { # DIRECTORY
    if write_error=$(LC_ALL=C touch "$1/.test.partial.$run_name" 2>&1); then
        rm -f "$1/.test.partial.$run_name"
        return 0
    fi
    case $write_error in
        *'Permission denied'*) hint_permission "$1" ;;
        *'Read-only file system'*)
            hint 'make the file system writable, or choose a directory on another one'
            ;;
    esac
    die "directory '$1' is not writable for user '$(user_name)': ${write_error##*: }"
}

# partial_of FILE: its temporary name, which ends with the run's
partial_of() {
    printf '%s/.%s.partial.%s' "${1%/*}" "${1##*/}" "$run_name"
}

# rename_file -f|-n FROM TO: in one directory; -f replaces a file, -n does not. Leaves the reason of
# a failure in $work/publish.errors
rename_file() {
    mv "$1" "$2" "$3" 2>"$work/publish.errors" || return
    [ ! -e "$2" ] || {
        echo 'mv had no effect' >"$work/publish.errors"
        return 1
    }
}

# choose_sync: does sync take file names? Some ignore or refuse them, and write everything
choose_sync() {
    sync_takes_files=yes
    if output=$(LC_ALL=C sync /nonexistent/file 2>&1); then
        sync_takes_files=
    else
        case $output in *[Uu]sage* | *operand* | *argument*) sync_takes_files= ;; esac
    fi
}

# sync_files FILE...: returns when they are on disk
sync_files() {
    [ -n "$sync_takes_files" ] || set --
    LC_ALL=C sync "$@" 2>"$work/sync.errors"
}

# sync_directory DIRECTORY: which some file systems cannot do alone
sync_directory() {
    sync_files "$1" || { grep -q 'Invalid argument' "$work/sync.errors" && sync; }
}

# sync_with_parents DIRECTORY TOP: and those above it up to TOP, which was there before them
sync_with_parents() {
    synced_directory=$1
    until [ "$synced_directory" = "$2" ] || [ "$synced_directory" = / ]; do
        sync_directory "$synced_directory/" || return 1
        synced_directory=$(dirname -- "$synced_directory")
    done
    sync_directory "$2/"
}

# sync_new_key: if this run has made it: without the key, the backup would be untrusted
sync_new_key() {
    [ -n "$key_parent" ] || return 0
    sync_files "$(key_file)" && sync_with_parents "$(dirname -- "$(key_file)")" "$key_parent"
}

# clean_up_backups [DIRECTORY/]: in the usual directories and this one, renames each FILE.info that
# a crash has left under its temporary name, whoever made it, and removes other partial files of
# this host's crashed runs
clean_up_backups() {
    for partial_file in "$project"/assets/.*.partial.* "$project"/backups/postgres/.*.partial.* \
        ${1:+"$1".*.partial.*}; do
        if [ -f "$partial_file" ] && [ ! -L "$partial_file" ]; then
            clean_up_partial "$partial_file"
        fi
    done
}

clean_up_partial() { # FILE
    published=${1##*/.}
    published=${1%/*}/${published%.partial.*}
    if is_info_of "$1" "$published"; then
        clean_up_file "$1" "completed the backup of a crashed run: $published" \
            mv -f "$1" "$published"
    elif has_crashed "${1##*.partial.}"; then
        clean_up_file "$1" "removed the partial file of a crashed run: $1" rm -f "$1"
    fi
}

# clean_up_file FILE MESSAGE COMMAND...: a directory that is not writable is no reason to fail
clean_up_file() {
    cleaned_file=$1
    message=$2
    shift 2
    if "$@" 2>"$work/clean-up.errors"; then
        say "$message"
    elif [ -e "$cleaned_file" ]; then # otherwise another run was faster
        warn "could not clean up after a crashed run: $(head -n 1 "$work/clean-up.errors")"
    fi
}

# is_info_of PARTIAL PUBLISHED: is it the copy of the manifest inside the file beside it?
is_info_of() {
    case $2 in *.info) ;; *) return 1 ;; esac
    [ -f "$1" ] && [ -f "${2%.info}" ] || return 1
    embedded_manifest "${2%.info}" >"$work/published-manifest" &&
        cmp -s "$1" "$work/published-manifest"
}
