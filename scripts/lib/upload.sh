# shellcheck shell=sh
# Copying the archive to the server, where pg_restore can load it with several jobs, and checking it on the way.

# bring_archive: copies the archive next to the server, where pg_restore can load it with several jobs, and
# checks it on the way
bring_archive() {
    confined=
    choose_limit
    make_far_folder
    flow unwrap_file keep_archive
    {
        read -r restore_version || restore_version=
        read -r far_bytes || far_bytes=
        cat >"$work/contents"
    } <"$work/kept"
    archive=$far_folder/archive
    [ -z "$restore_version" ] || require_number "pg_restore's version" "$restore_version"
    [ -z "$far_bytes" ] || require_number 'the size of the copy' "$far_bytes"
    [ "${far_bytes:-0}" -le "$limit" ] || outgrown
    [ "$consumed" -ne "$not_written" ] ||
        fail_with "$work/far.errors" 'the archive cannot be copied to the server; nothing was changed'
    [ "$produced" -eq 0 ] || die "backup file '$file' is damaged or cut short: $(gzip_error)"
    [ ! -s "$work/read.errors" ] || die "backup file '$file' cannot be read: $(head -n 1 "$work/read.errors")"
    [ -z "$proved" ] || [ "$(cat "$work/sha256")" = "$(manifest_value sha256)" ] || not_its_manifest "$file"
    [ "$consumed" -eq 0 ] || not_whole "$work/far.errors"
    [ -n "$proved" ] || read_through || not_whole "$work/restore.errors"
}

# unwrap_file: reads the file once, so that what is hashed is what is loaded, whatever gets its name meanwhile
unwrap_file() {
    {
        tee /dev/fd/3 2>"$work/read.errors" <"$file" | sha256 >"$work/sha256" 3>&-
    } 3>&1 | unwrap "$backup_kind"
}

# keep_archive: standard input into the folder next to the server, which takes no more than the limit; notes
# pg_restore's major version, the bytes, and the archive's table of contents, as far as it comes
keep_archive() {
    # shellcheck disable=SC2016 # it expands next to the server
    beside_server sh -c '
        echo "$(pg_restore --version | sed "s/[^0-9]*\([0-9]*\).*/\1/")"
        (ulimit -f "$2" && cat >"$1/archive")
        written=$?
        ls -ln "$1/archive" | awk "{ print \$5 }"
        [ $written -eq 0 ] || exit "$3"
        pg_restore --list "$1/archive"' \
        sh "$far_folder" "$((limit / 512 + 1))" "$not_written" >"$work/kept" 2>"$work/far.errors"
}
not_written=74

# read_through: to the last byte; a stranger's may unpack without an end, and gets ten minutes of a processor
read_through() {
    seconds=unlimited
    [ -n "$trusted" ] || seconds=600
    # shellcheck disable=SC2016 # it expands next to the server
    background beside_server sh -c 'ulimit -t "$1" && exec pg_restore --file=/dev/null "$2"' sh "$seconds" "$archive" \
        </dev/null 2>"$work/restore.errors"
    wait "$child"
}

not_whole() { # FILE with pg_restore's errors
    case $(cat "$1") in
        *'unsupported version'*)
            hint "restore it to a server of that version or newer"
            die "'$file' was made by a newer PostgreSQL than $server can read"
            ;;
        *) fail_with "$1" "'$file' is not a whole PostgreSQL archive" ;;
    esac
}

# choose_limit: how many bytes an archive may unpack to, and a staging database may grow to; not by a stranger's word
choose_limit() {
    [ -n "$trusted" ] || copy_size=$live_size
    limit=${RESTORE_MAX_BYTES:-$((copy_size * 4 + $(size_of "$file") * 20 + 1000000000))}
    is_number "$limit" || die_usage "RESTORE_MAX_BYTES is a number of bytes, not '$limit'"
}
