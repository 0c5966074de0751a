# shellcheck shell=sh
# The catalog: one line for each backup in some directories. It opens only files whose size differs
# from that in FILE.info, and starts no process per file for the others.
# Needs: awk length_line_size listed manifest_found manifest_limit member_data member_frame
#   remote_exists work

# print_catalog DIRECTORY...: lines of fields separated by tabs: created, size, rows, tables,
# server, holds, state, level, result and time of the last verification, sha256, database, trust,
# path. What is not known is '-'. The state is
#   ok          the file has the size that FILE.info says
#   no-info     there is no FILE.info; the manifest in the file is whole
#   other-info  FILE.info is not the manifest in the file, which is whole
#   mismatch    the only manifest, FILE.info, is of another file, or the end of this one is damaged
#   damaged     the manifest was edited, or the file does not have the size that it says
#   unknown     there is no manifest of ours
#   empty, unreadable
# and the trust is trusted (signed with this key), untrusted or unsigned
print_catalog() {
    for listed_directory; do
        refuse_broken_link "$listed_directory"
    done
    catalog=$work/catalog
    rm -rf "$catalog"
    mkdir "$catalog" || fail_temporary_directory
    : >"$catalog/opened"
    # a second time, because a backup may have been deleted during the first
    list_files "$@" || list_files "$@" || die 'could not list the backups with their sizes'
    read_entries
    if open_unclear_files; then
        read_entries
    fi
    require_space
    cat "$catalog/joined"
}

# refuse_broken_link DIRECTORY: ends the script if it is a link to a directory that is not mounted
refuse_broken_link() {
    if [ -L "$1" ] && [ ! -d "$1/" ]; then
        hint 'create or mount that directory'
        die "'$1' is a symbolic link to a directory that does not exist"
    fi
}

# print_remote_catalog REMOTE: the same of a directory of a remote, which must exist. In storage
# that has no directories, such as S3, any one in a bucket does
print_remote_catalog() {
    read_remote "$1" || fail_to_list "$1"
    [ -n "$remote_exists" ] || {
        hint "to list what is there: rclone lsf '${1%%:*}:'"
        die "there is no directory '$1'"
    }
    print_listed_catalog "$1"
}

# print_listed_catalog REMOTE: the catalog of what read_remote has listed, with the names there
print_listed_catalog() {
    print_catalog "$listed" >"$work/listed.catalog"
    with_remote_names "$1" <"$work/listed.catalog"
}

# list_files DIRECTORY...: the backups and all files' sizes; fails if there are too few sizes
list_files() {
    : >"$catalog/unreadable"
    list_backup_files "$@"
    list_sizes "$@" >"$catalog/listing"
    [ "$(grep -c '^-' "$catalog/listing")" -ge "$(wc -l <"$catalog/paths")" ]
}

# list_backup_files DIRECTORY...: into the file `paths`, and the numbers of unreadable ones into
# `unreadable`; names with line breaks are skipped
list_backup_files() {
    line_break='
'
    listed_number=0
    for listed_directory; do
        for listed_file in "$listed_directory"/*.dump.gz "$listed_directory"/*.dump; do
            case $listed_file in *"$line_break"*) continue ;; esac
            [ -f "$listed_file" ] || continue
            listed_number=$((listed_number + 1))
            printf '%s\n' "$listed_file"
            [ -r "$listed_file" ] || echo "$listed_number" >>"$catalog/unreadable"
        done
    done >"$catalog/paths"
}

# list_sizes DIRECTORY...: by ls, without the variables that change its output; it fails where a
# link is broken. The files that changed last come first
list_sizes() {
    for listed_directory; do
        [ -d "$listed_directory" ] || continue
        printf 'in %s\n' "$listed_directory"
        env -i PATH="$PATH" LC_ALL=C ls -lnLtc "$listed_directory/" 2>/dev/null || :
    done
}

# read_entries: from the manifest taken from the file, if any, or else from FILE.info
read_entries() {
    read_key
    CATALOG=$catalog SIGNING_KEY=$signing_key LC_ALL=C \
        awk -v member_data="$member_data" -v member_frame="$member_frame" \
        -v length_line_size="$length_line_size" -v manifest_limit="$manifest_limit" \
        -f "$awk/catalog-read.awk" "$catalog/listing" >"$catalog/entries"
    {
        hash_parts checked
        [ -z "$signing_key" ] || sign_parts
    } >"$catalog/hashes"
    LC_ALL=C awk -f "$awk/catalog-join.awk" \
        "$catalog/hashes" "$catalog/entries" "$catalog/paths" >"$catalog/joined"
}

# read_key: Sets signing_key, empty where there is no key
read_key() {
    signing_key=
    ! has_key || signing_key=$(key_digits <"$(key_file)")
}

# sign_parts: prints 'HMAC  N.signed.hmac' for each N.signed: as signature_of does, for all at once
sign_parts() {
    hash_parts signed >"$catalog/inner"
    CATALOG=$catalog SIGNING_KEY=$signing_key LC_ALL=C awk '
        { file = ENVIRON["CATALOG"] "/" $2 ".hmac" }
        { print ENVIRON["SIGNING_KEY"] $1 >file; close(file) }' "$catalog/inner"
    hash_parts hmac
}

# hash_parts PART: prints 'SHA256  N.PART' for each file of that name
hash_parts() (
    cd "$catalog" || exit
    set -- *."$1"
    if ! [ -e "$1" ]; then
        return 0
    elif command -v sha256sum >/dev/null; then
        sha256sum "$@"
    else
        shasum -a 256 "$@"
    fi
)

# open_unclear_files: takes the manifest out of each file that does not fit its FILE.info; fails
# where there is no such file
open_unclear_files() {
    awk -F '\t' '$7 !~ /^(ok|unreadable)$/ { print NR }' "$catalog/joined" >"$catalog/opened"
    [ -s "$catalog/opened" ] || return 1
    while read -r path_number; do
        open_unclear_file "$(sed -n "${path_number}p" "$catalog/paths")" "$catalog/$path_number"
    done <"$catalog/opened"
}

# open_unclear_file FILE N: writes N.manifest, and N.beside if that is FILE.info; without a
# manifest, N.time: when the file was written
open_unclear_file() {
    find_manifest "$1"
    if [ -n "$manifest_found" ]; then
        mv "$work/info" "$2.manifest"
        is_manifest_inside "$1" || echo yes >"$2.beside"
    else
        date -u -r "$1" '+%Y-%m-%d %H:%M:%S UTC' >"$2.time" 2>/dev/null || : # macOS before 13
    fi
}
