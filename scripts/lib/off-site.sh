# shellcheck shell=sh
# Backups off site: on a remote, `remote:path`, which is any storage that rclone reaches.
# Needs: awk failure_text is_auto target work
# Sets: downloaded failure_text listed remote_exists remote_files name_filter

# copy_off_site FILE: copies it and FILE.info to BACKUP_REMOTE, if that is set, and compares what
# arrived by hash. If this fails, the run ends with 3
copy_off_site() {
    [ -n "$BACKUP_REMOTE" ] || return 0
    prepare_off_site "$1"
    copy_and_compare "$1"
}

# complete_off_site FILE: the same for a backup that has not changed, unless the remote has it
complete_off_site() {
    [ -n "$BACKUP_REMOTE" ] || return 0
    show_progress comparing
    prepare_off_site "$1"
    if compare_with_remote; then
        say "$remote_file has the same content"
    elif is_absent "$remote_status" || [ "$remote_status" -eq 0 ]; then
        copy_and_compare "$1"
    else
        end_without_copy "$(rclone_error)"
    fi
}

# prepare_off_site FILE: releases the lock, because a copy can take long, and hashes the file and
# FILE.info. Sets remote_file
prepare_off_site() {
    release_lock || : # the server has ended it
    remote_file=$(path_on "$BACKUP_REMOTE" "${1##*/}")
    hash_pair "$1"
}

copy_and_compare() { # FILE
    copy_started=$(date +%s)
    say "copying to $remote_file"
    finish "the backup is complete; its copy on $BACKUP_REMOTE is not"
    show_progress 'copying off site'
    remote_status=
    copy_pair "$1" || end_without_copy "$(rclone_error)"
    show_progress 'verifying'
    compare_with_remote || end_without_copy "$(difference_on_remote)"
    finish 'the backup and its copy are complete'
    say_done "copied to $remote_file and verified there in $(($(date +%s) - copy_started)) s"
}

# end_without_copy REASON: Sets failure_text
end_without_copy() {
    failure_text="could not copy the backup to $BACKUP_REMOTE: $1" # for a hook
    warn "$failure_text; the backup itself is complete"
    if [ -n "$is_auto" ] && is_other_copy; then
        hint 'another machine has a backup of this name there: give each machine a path of its own'
    else
        hint "$(rclone_advice "$BACKUP_REMOTE" \
            "free some space there: ./scripts/prune-backups.sh --keep 7 '$BACKUP_REMOTE'")"
        hint "then copy it: rclone copy '${target%/*}' '$BACKUP_REMOTE'" \
            "--include '${target##*/}{,.info}'"
    fi
    end_incomplete
}

# copy_pair FILE: the file first, so that no FILE.info describes one that is not there yet. `auto`
# replaces no file, such as that of another machine that began in the same second
copy_pair() {
    existing_copy=--ignore-times
    [ -z "$is_auto" ] || existing_copy=--ignore-existing
    for copied in "$1" "$1.info"; do
        case $copied in /* | ./*) ;; *) copied=./$copied ;; esac # otherwise `a:b/c` is a remote
        run_rclone copyto "$existing_copy" --copy-links "$copied" \
            "$(path_on "$BACKUP_REMOTE" "${copied##*/}")" || return 1
    done
}

# hash_pair FILE: writes its name and hash, and those of FILE.info, for compare_with_remote
hash_pair() {
    printf '%s\n' "${1##*/}" "${1##*/}.info" >"$work/remote-names"
    for hashed in "$1" "$1.info"; do
        printf '%s  %s\n' "$(sha256_of "$hashed")" "${hashed##*/}"
    done | LC_ALL=C sort >"$work/local-hashes"
}

# compare_with_remote: has it the same pair? rclone reads both files back, because not every remote
# can hash, and some only repeat the hash that came with the file. Sets remote_status
compare_with_remote() {
    remote_status=0
    run_rclone hashsum sha256 --download --files-from-raw "$work/remote-names" "$BACKUP_REMOTE" \
        >"$work/remote-hashes" || remote_status=$?
    [ "$remote_status" -eq 0 ] &&
        LC_ALL=C sort "$work/remote-hashes" | cmp -s - "$work/local-hashes"
}

difference_on_remote() {
    if [ "$remote_status" -ne 0 ]; then
        rclone_error
    elif is_other_copy; then
        echo 'the copy there differs from the backup'
    else
        echo 'the copy is no longer there'
    fi
}

# is_other_copy: has the remote both files, with another content?
is_other_copy() {
    [ "$remote_status" = 0 ] && [ "$(wc -l <"$work/remote-hashes")" -eq 2 ]
}

# --- a backup on a remote as operand ---

# download FILE: if it is on a remote, with its FILE.info; messages show its name there. Sets
# downloaded, the path to use instead of FILE
download() {
    downloaded=$1
    is_remote "$1" || return 0
    say "downloading $1"
    show_progress downloading
    downloaded=$work/remote/$1
    make_directory_for "$downloaded"
    remote_name=$(name_on_remote "$1")
    remote_directory=${1%"$remote_name"}
    printf '%s\n' "$remote_name" "$remote_name.info" >"$work/remote-names"
    run_rclone copy --files-from-raw "$work/remote-names" "$remote_directory" "$work/arrived" ||
        is_absent $? || fail_on_remote "could not download '$1'" "$1"
    require_space
    end_live_line
    mv "$work/arrived/$remote_name" "$downloaded" || {
        hint "to list the backups there: ./scripts/list-backups.sh '$remote_directory'"
        die "there is no backup file '$1'"
    }
    [ ! -f "$work/arrived/$remote_name.info" ] ||
        mv "$work/arrived/$remote_name.info" "$downloaded.info"
}

# make_directory_for PATH: for a download. From then on, messages leave the private directory out
# of names. Sets name_filter
make_directory_for() {
    case $1 in */../*) die "the path of a backup on a remote must not contain '..'" ;; esac
    mkdir -p "${1%/*}" 2>"$work/rclone.errors" || fail_temporary_directory
    name_filter="s|$(printf '%s' "$work/remote/" | sed 's/[][\.*^$|]/\\&/g')||g"
}

# --- the backups on a remote ---

# read_remote REMOTE: fills a directory that lists like the remote's: the FILE.info of each backup,
# and in place of the backup a file of its size and time without its content. Fails if rclone does.
# Sets listed
read_remote() {
    listed=$work/listed
    rm -rf "$listed"
    mkdir "$listed" || fail_temporary_directory
    list_remote "$1" || return 1
    [ "$remote_files" -gt 0 ] || return 0
    run_rclone copy --max-depth 1 --max-size 10M --include '/*.info' "$1" "$listed" || return 1
    while IFS=/ read -r remote_size remote_time remote_name; do
        put_placeholder "$listed/$remote_name" "$remote_size" "$(printf '%s' "$remote_time" |
            sed 's/[-: ]//g; s/..$/.&/')"
    done <"$work/remote-list"
}

# list_remote REMOTE: writes `SIZE/TIME/NAME` for each backup in that directory, which need not
# exist; a file of 1 TB or more is none. Fails if rclone does. Sets remote_exists and remote_files,
# how many there are
list_remote() {
    remote_exists=yes
    run_rclone lsf --files-only --format stp --separator / "$1" >"$work/remote-all" ||
        { is_absent $? && remote_exists=; } || return 1
    LC_ALL=C grep -E '^[0-9]{1,12}/[-0-9: ]+/[^/]+\.dump(\.gz)?$' "$work/remote-all" \
        >"$work/remote-list" || : # there are none
    remote_files=$(wc -l <"$work/remote-list" | tr -d ' ')
}

put_placeholder() { # PATH SIZE TIME
    : >"$1"
    [ "$2" -eq 0 ] || dd if=/dev/zero of="$1" bs=1 count=1 seek="$(($2 - 1))" 2>/dev/null ||
        fail_temporary_directory
    TZ=UTC0 touch -t "$3" "$1" 2>/dev/null || : # a remote may give any time
}

# with_remote_names REMOTE: the lines of the catalog on standard input, with the paths there
with_remote_names() {
    HERE=$listed/ THERE=$(path_on "$1" '') LC_ALL=C awk -f "$awk/remote-paths.awk"
}

# remove_from_remote REMOTE_FILE: the file first, because FILE.info alone is not a backup. Another
# run may have removed either
remove_from_remote() {
    { run_rclone deletefile "$1" || is_absent $?; } &&
        { run_rclone deletefile "$1.info" || is_absent $?; }
}

fail_to_list() { # REMOTE
    fail_on_remote "could not list the backups in '$1'" "$1"
}
