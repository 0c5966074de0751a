# shellcheck shell=sh
# Copying the archive to the server, where pg_restore can load it with several jobs, and checking it
# on the way.
# Needs: backup_file child client_host database_bytes manifest_found reader_status server_tmp
#   trusted work writer_status
# Sets: archive archive_limit

# upload_archive: to the server. Ends the script unless it is complete and the manifest's. Its table
# of contents goes to $work/contents. Sets archive
upload_archive() {
    choose_limit
    archive=$server_tmp/archive
    show_progress 'copying archive' archive_size
    pipe unpack_file keep_archive
    {
        read -r archive_bytes || archive_bytes=
        cat >"$work/contents"
    } <"$work/kept"
    require_upload
    [ -n "$manifest_found" ] || read_archive || fail_not_whole "$work/restore.errors"
}

require_upload() {
    note_crash "$reader_status" "$work/server.errors"
    [ "$reader_status" -ne 0 ] || require_number 'the size of the copy' "$archive_bytes"
    ! is_number "$archive_bytes" || [ "$archive_bytes" -le "$archive_limit" ] || fail_too_large
    [ "$reader_status" -ne 74 ] ||
        fail_with "$work/server.errors" \
            "could not copy the archive to the temporary directory of $client_host"
    [ ! -s "$work/read.errors" ] ||
        die "could not read backup file '$backup_file': $(head -n 1 "$work/read.errors")"
    [ "$reader_status" -eq 0 ] || is_said_by_pg_restore "$work/server.errors" ||
        fail_with "$work/server.errors" "could not copy the archive to $client_host"
    [ -z "$manifest_found" ] || [ "$(cat "$work/sha256")" = "$(manifest_field sha256)" ] ||
        fail_mismatch "$backup_file"
    if [ "$writer_status" -ne 0 ]; then
        [ "$reader_status" -ne 0 ] || blame_file # a failed reader ends the writer too
        fail_damaged "$backup_file"
    fi
    [ "$reader_status" -eq 0 ] || fail_not_whole "$work/server.errors"
    grep -q '^; *TOC Entries: [1-9]' "$work/contents" || {
        refuse_terminal_damage
        blame_file
        hint_get_again
        die "'$backup_file' is damaged: its table of contents could not be read"
    }
}

# unpack_file: reads the file once, so that what is hashed is what is loaded, even if another file
# gets its name meanwhile
unpack_file() {
    {
        head -c "$(content_bytes)" <"$backup_file" 2>"$work/read.errors" |
            tee /dev/fd/3 | sha256 >"$work/sha256" 3>&-
    } 3>&1 | unpack "$(file_kind "$backup_file")"
}

# content_bytes: how many bytes of the file come before its manifest
content_bytes() {
    if [ -n "$manifest_found" ]; then
        manifest_field bytes
    else
        size_of "$backup_file"
    fi
}

# keep_archive: standard input into a file on the server, which takes up to 512 bytes more than the
# limit
keep_archive() {
    with_input stream run_remote keep-archive "$server_tmp" "$((archive_limit / 512 + 1))" \
        >"$work/kept" 2>"$work/server.errors"
}

# read_archive: to its end
read_archive() {
    show_progress 'checking archive'
    background run_remote read-archive "$archive" "$(cpu_seconds_to_read)" 2>"$work/restore.errors"
    reading_status=0
    wait "$child" || reading_status=$?
    note_crash "$reading_status" "$work/restore.errors"
    return "$reading_status"
}

# cpu_seconds_to_read: how much processor time reading the archive may use; an untrusted one may
# unpack without end
cpu_seconds_to_read() {
    if [ -n "$trusted" ]; then echo unlimited; else echo 600; fi
}

# choose_limit: how many bytes an archive may unpack to, and a staging database may grow to; the
# manifest of an untrusted backup has no say. Sets archive_limit
choose_limit() {
    expected_size=$database_bytes
    [ -z "$trusted" ] || expected_size=$(expected_bytes)
    file_bytes=$(size_of "$backup_file")
    archive_limit=${RESTORE_MAX_BYTES:-$((expected_size * 4 + file_bytes * 20 + 1000000000))}
}

# expected_bytes: the size of the restored database, as the manifest says, or else the live one's
expected_bytes() {
    if [ -n "$manifest_found" ]; then
        manifest_field database-bytes
    else
        echo "$database_bytes"
    fi
}

# --- errors ---

fail_too_large() {
    hint 'RESTORE_MAX_BYTES=… allows more, if you expect it'
    die "backup file '$backup_file' unpacks to more than $(human_size "$archive_limit")"
}

# refuse_terminal_damage: ends the script if a terminal, such as that of 'docker exec -t', inserted
# a carriage return before each line feed of the archive
refuse_terminal_damage() {
    damaged_kind=$(file_kind "$backup_file")
    ! unpack "$damaged_kind" <"$backup_file" 2>/dev/null | head -c 10000 |
        LC_ALL=C grep -q "client_encoding = '.*';$(printf '\r')" || {
        blame_file
        hint "make it again without -t: docker exec CONTAINER pg_dump -F c ... | gzip >FILE.dump.gz"
        die "'$backup_file' was written through a terminal, which damaged it"
    }
}

fail_not_whole() { # FILE with pg_restore's errors
    case $(cat "$1") in
        *'unsupported version'*)
            if [ "$ASSETS_PG_BACKEND" = direct ]; then
                hint 'install newer PostgreSQL client programs, or set PG_BINDIR to their directory'
            else
                hint 'restore it to a server of that version or newer;' \
                    'docs/how-to.md says how to upgrade'
            fi
            origin=
            [ -z "$manifest_found" ] || origin=$(manifest_field server)
            die "'$backup_file'${origin:+ (from $origin)} was made by a newer pg_dump:" \
                "pg_restore $(server_fact pg_restore) on $client_host cannot read it"
            ;;
        *)
            require_space # a full temporary directory may be the cause
            refuse_terminal_damage
            is_said_by_pg_restore "$1" ||
                fail_with "$1" "could not read the archive of '$backup_file' on $client_host"
            blame_file
            hint_get_again
            fail_with "$1" "'$backup_file' is not a complete PostgreSQL archive"
            ;;
    esac
}

# is_said_by_pg_restore FILE: are the errors in it about the archive? Otherwise the program, the
# container or the server has ended
is_said_by_pg_restore() {
    grep -q '^pg_restore: error: ' "$1"
}

# note_crash STATUS FILE: pg_restore crashes on some damaged archives; not every shell says so
note_crash() {
    case $1 in # by SIGABRT, SIGBUS or SIGSEGV
        134 | 135 | 138 | 139) echo 'pg_restore: error: pg_restore crashed' >>"$2" ;;
    esac
}
