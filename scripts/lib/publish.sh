# shellcheck shell=sh
# Publishing a backup: file and manifest are written under temporary names, and renamed as a pair.

# partial_of FILE: where it is written until it is whole; the name ends with that of the run
partial_of() {
    printf '%s/.%s.partial.%s' "${1%/*}" "${1##*/}" "$run"
}

# choose_sync: whether the sync program takes files; some ignore or refuse them and write everything
choose_sync() {
    sync_takes_files=yes
    if said=$(LC_ALL=C sync /nonexistent/file 2>&1); then
        sync_takes_files=
    else
        case $said in *[Uu]sage* | *operand* | *argument*) sync_takes_files= ;; esac
    fi
}

# sync_files FILE...: they are on the disk, or it fails
sync_files() {
    [ -n "$sync_takes_files" ] || set --
    LC_ALL=C sync "$@" 2>"$work/sync.errors"
}

sync_folder() { # FOLDER: some file systems cannot sync one
    sync_files "$1" || { grep -q 'Invalid argument' "$work/sync.errors" && sync; }
}

# mend_backups FOLDER: completes the pairs that a crash has left between their two renames, whoever made them,
# and removes the other partial files of crashed runs of this host
mend_backups() {
    for unfinished in "$1"/.*.partial.*; do
        if ! [ -f "$unfinished" ] || [ -L "$unfinished" ]; then
            continue
        fi
        published=${unfinished##*/.}
        published=$1/${published%.partial.*}
        if completes_pair "$unfinished" "$published"; then
            mend "completed the backup of a crashed run: $published" mv -f "$unfinished" "$published"
        elif has_crashed "${unfinished##*.partial.}"; then
            mend "removed the partial file of a crashed run: $unfinished" rm -f "$unfinished"
        fi
    done
}

# mend SENTENCE COMMAND...: in a folder that cannot be written it warns, and stops nothing
mend() {
    sentence=$1
    shift
    if "$@" 2>"$work/mend.errors"; then
        say "$sentence"
    elif [ -e "$unfinished" ]; then # or another run was faster
        warn "could not clean up after a crashed run: $(head -n 1 "$work/mend.errors")"
    fi
}

# completes_pair PARTIAL PUBLISHED: whether the pair does not match now, and does with the partial file
completes_pair() {
    case $2 in
        *.info) describes "$1" "${2%.info}" && ! describes "$2" "${2%.info}" ;;
        *) describes "$2.info" "$1" && ! describes "$2.info" "$2" ;;
    esac
}
