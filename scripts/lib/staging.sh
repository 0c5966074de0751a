# shellcheck shell=sh
# The staging database: filled from the archive in one of three ways, and proved.
#   whole    schema and rows from the archive
#   rows     the live database's schema, the archive's rows
#   tables   the same, for chosen tables, whose rows then replace those of the live database

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
    await "$child"
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

# choose_way: from the options and from what the archive holds; sets $way, and where the live database's
# schema is kept, what the archive's rows bring ($work/brought) and the columns they go to ($work/columns)
choose_way() {
    way=whole
    ! is_data_only || data_only=yes
    [ -z "$data_only" ] || way=rows
    [ -z "$tables" ] || way=tables
    : >"$work/columns"
    [ "$way" != whole ] || return 0
    require_database
    open_session live "$TB_POSTGRES_DATABASE"
    refuse_names_of_several_lines
    choose_tables
    list_brought
    compare_columns
}

is_data_only() {
    [ -z "$proved" ] || [ "$(manifest_value holds)" != 'data only' ] || return 0
    grep -q '^[0-9]*; 0 [0-9]* TABLE DATA ' "$work/contents" && ! grep -q '^[0-9]*; 1259 [0-9]* TABLE ' "$work/contents"
}

# list_brought: every table and column that the archive's rows fill
list_brought() {
    # shellcheck disable=SC2016 # it expands next to the server
    beside_server sh -c 'pg_restore --data-only --file=- "$1" | awk "$2"' sh "$archive" "$(cat "$root/scripts/lib/copied.awk")" \
        </dev/null >"$work/brought" 2>"$work/restore.errors" || not_whole "$work/restore.errors"
}

# refuse_names_of_several_lines: these ways go by lists of names, one a line
refuse_names_of_several_lines() {
    found=$(ask live <"$sql/names-of-several-lines.sql") || fail_with "$work/live.errors" 'the names cannot be read'
    [ -z "$found" ] || die "names with control characters can only be restored as a whole:" \
        "$(in_one_line "$found"); nothing was changed"
}

# choose_tables: the full names of the tables asked for and of their partitions, which hold the rows
choose_tables() {
    { psql_set tables "$tables" && cat "$sql/choose-tables.sql"; } | ask live >"$work/found" ||
        fail_with "$work/live.errors" 'the tables cannot be found'
    unknown=$(sed -n 's/^unknown //p' "$work/found")
    if [ -n "$unknown" ]; then
        hint 'make stats shows the tables there are'
        die "there is no table $(in_one_line "$unknown") in database '$TB_POSTGRES_DATABASE'; nothing was changed"
    fi
    moving=$(sed -n 's/^whole //p' "$work/found" | sort -u)
    if [ -n "$moving" ]; then
        hint "--table with the name of the whole table restores it"
        die "the rows of partitions of $(in_one_line "$moving") can move to other partitions; nothing was changed"
    fi
    sed -n 's/^table //p' "$work/found" >"$work/chosen"
}

# compare_columns: says by name where the backup's columns differ from the live ones, before anything is asked
compare_columns() {
    ask live <"$sql/live-columns.sql" >"$work/live-columns" || fail_with "$work/live.errors" 'the columns cannot be read'
    of_chosen_tables <"$work/live-columns" >"$work/live-columns.chosen"
    of_chosen_tables <"$work/brought" >"$work/columns"
    homeless=$(grep -Fxv -f "$work/live-columns.chosen" "$work/columns" | sed 's/^column //')
    defaulted=$(grep -Fxv -f "$work/columns" "$work/live-columns.chosen" | sed 's/^column //')
    if [ -n "$homeless" ]; then
        die "the live database has no place for what the backup brings (table, column): $(in_one_line "$homeless");" \
            'nothing was changed'
    fi
    require_partitions
    [ -s "$work/columns" ] || die "the backup holds no rows of the chosen tables; nothing was changed"
    [ -z "$defaulted" ] ||
        warn "not in the backup, and therefore empty or at its default (table, column): $(in_one_line "$defaulted")"
}

# require_partitions: what the backup fills and the live database lacks could be a chosen table's partitions
require_partitions() {
    partitioned=$(sed -n 's/^partitioned //p' "$work/found")
    [ -n "$partitioned" ] || return 0
    filled=$(sed -n 's/^rows \(.*\) [0-9]*$/\1/p' "$work/brought")
    lacking=$({ psql_set names "$filled" && cat "$sql/lacking-tables.sql"; } | ask live) ||
        fail_with "$work/live.errors" 'the tables cannot be compared'
    [ -z "$lacking" ] || {
        hint 'create them first, or restore the whole backup'
        die "the live database lacks tables of the backup that could be partitions of $(in_one_line "$partitioned"):" \
            "$(in_one_line "$lacking"); nothing was changed"
    }
}

# of_chosen_tables: the "column TABLE NAME" lines on standard input that belong to a chosen table
of_chosen_tables() {
    if [ "$way" = rows ]; then
        sed -n '/^column /p'
    else
        awk 'NR == FNR { prefix["column " $0 " "]; next }
             { for (p in prefix) if (index($0, p) == 1) print }' "$work/chosen" -
    fi
}

# stage_backup: loads the archive beside the live database, which nobody notices
stage_backup() {
    say 'loading the backup into a staging database'
    create_staging "${proved:+$(manifest_value encoding)}"
    : >"$work/restore.errors"
    "stage_$way"
}

stage_whole() {
    if [ -n "$trusted" ]; then
        choose_owners
        load_with_grants --no-privileges ${no_owner:+--no-owner}
    else
        create_loader
        ! list_grants || warn 'the grants of a backup that this machine did not make are left out'
        load_confined --no-owner --no-privileges "$archive"
    fi
}

stage_rows() {
    stage_live_schema
    load_rows "$archive"
    load --section=post-data "$schema"
    sql "$staging" <"$sql/refresh-views.sql" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" "a materialized view cannot be refreshed, and database '$TB_POSTGRES_DATABASE' is as it was"
}

stage_tables() {
    stage_live_schema
    list_chosen_rows
    load_rows --use-list="$far_folder/list" "$archive"
}

load_rows() { # OPTION... ARCHIVE
    if [ -n "$trusted" ]; then
        load --data-only "$@"
    else
        create_loader
        load_confined --data-only "$@"
    fi
}

# load OPTION... ARCHIVE: into staging; the first error ends the restore, but with --keep-going
load() {
    [ -n "$keep_going" ] || sets_what_is_unknown || set -- --exit-on-error "$@"
    show_progress "$staging" "$work/tables" staging_bytes
    background run_load --jobs="$jobs" "$@" </dev/null
    await "$child" && return
    if [ -n "$confined" ] && ask_staging end-loader >/dev/null; then
        end_watch
    fi
    ! is_loaded "$work/restore.errors" || return 0
    ! { [ -n "$keep_going" ] && went_to_the_end "$work/restore.errors"; } || return 0
    fail_with "$work/restore.errors" "the backup cannot be loaded, and database '$TB_POSTGRES_DATABASE' is as it was"
}

# sets_what_is_unknown: from version 17 on, pg_restore sets transaction_timeout in each of its connections, which
# servers before 17 do not know: an error that must not end the load
sets_what_is_unknown() {
    [ "$server_version" -lt 170000 ] && [ "$restore_version" -ge 17 ]
}

# is_loaded ERRORS: whether that setting is all that pg_restore passed over; takes it out of the errors
is_loaded() {
    awk 'held != "" {
             if ($0 == "Command was: SET transaction_timeout = 0;") { held = ""; next }
             print held
             held = ""
         }
         /could not execute query: / { held = $0; next }
         { print }
         END { if (held != "") print held }' "$1" >"$work/other.errors"
    cp "$work/other.errors" "$1"
    went_to_the_end "$1" && ! grep -q 'error: ' "$1"
}

# went_to_the_end ERRORS: pg_restore counts at its end what it passed over; one that died has not counted
went_to_the_end() {
    tail -n 1 "$1" | grep -q 'errors ignored on restore'
}

# What helps a load and is safe for a database that nobody uses yet; the swap's commit makes it durable.
run_load() {
    [ -z "$confined" ] || be_loader
    PGOPTIONS="$PGOPTIONS -c synchronous_commit=off -c maintenance_work_mem=256MB"
    PGOPTIONS="$PGOPTIONS -c default_toast_compression=$toast_compression"
    beside_server pg_restore --dbname="$staging" "$@" 2>>"$work/restore.errors"
}

staging_bytes() {
    echo "SELECT pg_database_size(current_database());" | sql "$staging"
}

# choose_owners: the archive's own where this server has all of those roles, otherwise the user who restores
choose_owners() {
    no_owner=
    strangers=$({ psql_set entries "$(entries)" && cat "$sql/missing-roles.sql"; } | ask lock) ||
        fail_with "$work/lock.errors" 'the roles cannot be read; nothing was changed'
    [ -n "$strangers" ] || return 0
    no_owner=yes
    warn "not on this server, so that their tables go to '$TB_POSTGRES_USER': roles $(in_one_line "$strangers")"
}

# entries: of the table of contents, each with its owner at its end
entries() {
    sed -n 's/^[0-9][0-9]*; [0-9]* [0-9]* //p' "$work/contents" | sort -u
}

# load_with_grants OPTION...: what acts by itself, as it comes, comes after the grants: it may need them, or bar them;
# event triggers come last: they act on whatever follows them
load_with_grants() {
    if grep '^[0-9]*; [0-9]* [0-9]* \(MATERIALIZED VIEW DATA\|EVENT TRIGGER\|COMMENT - EVENT TRIGGER\) ' \
        "$work/contents" >"$work/acting"; then
        grep -Fxv -f "$work/acting" "$work/contents" >"$work/others"
        load_list "$@" <"$work/others"
        load_grants
        for what in -e -v; do
            grep $what ' MATERIALIZED VIEW DATA ' "$work/acting" >"$work/others" || continue
            load_list "$@" <"$work/others"
        done
    else
        load "$@" "$archive"
        load_grants
    fi
}

# load_list OPTION...: the entries on standard input
load_list() {
    write_beside_server "$far_folder/list" || list_not_copied
    load "$@" --use-list="$far_folder/list" "$archive"
}

# load_grants: one by one: a grant to a role that is not here is worth a warning
load_grants() {
    list_grants || return 0
    write_beside_server "$far_folder/list" <"$work/grants" || list_not_copied
    beside_server pg_restore --dbname="$staging" --use-list="$far_folder/list" "$archive" </dev/null 2>"$work/grants.errors" ||
        is_loaded "$work/grants.errors" || warn "some grants were left out: $(first_error "$work/grants.errors")"
}

list_grants() {
    grep '^[0-9]*; [0-9]* [0-9]* \(DEFAULT \)\{0,1\}ACL ' "$work/contents" >"$work/grants"
}

list_not_copied() {
    fail_with "$work/far.errors" 'a list of entries cannot be copied to the server; nothing was changed'
}

# stage_live_schema: tables, and not yet what checks or follows their rows
stage_live_schema() {
    schema=$far_folder/schema
    PGDATABASE=$TB_POSTGRES_DATABASE
    beside_server pg_dump --format=custom --schema-only --lock-wait-timeout=5000 --file="$schema" </dev/null 2>"$work/dump.errors" ||
        fail_with "$work/dump.errors" 'the live schema cannot be read; nothing was changed'
    load --section=pre-data "$schema"
}

list_chosen_rows() {
    sed -n 's/^entry / /p' "$work/found" >"$work/entries"
    grep -F -f "$work/entries" "$work/contents" |
        write_beside_server "$far_folder/list" || list_not_copied
}

# prove_staging: it holds what the manifest says, to the last value; the planner's statistics are fresh
prove_staging() {
    background analyse </dev/null
    analysing=$child
    if [ -n "$proved" ]; then
        say 'proving its content by the manifest'
        expected >"$work/expected"
        fingerprints_of "$(cat "$work/columns")" | sql "$staging" >"$work/staged" 2>"$work/sql.errors" ||
            fail_with "$work/sql.errors" 'the staging database cannot be read; nothing was changed'
        cmp -s "$work/expected" "$work/staged" || [ -n "$keep_going" ] || die "what was loaded is not what was" \
            "backed up: $(differences "$work/staged"); database '$TB_POSTGRES_DATABASE' is as it was"
    fi
    await "$analysing" ||
        fail_with "$work/analyse.errors" 'the staging database cannot be analysed; nothing was changed'
    [ -z "$keep_going" ] || confirm_what_failed
}

# fingerprints_of COLUMNS: the SQL that takes them, of these columns only, or of all where there are none
fingerprints_of() {
    psql_set only "$1"
    cat "$sql/fingerprints.sql"
}

analyse() {
    beside_server vacuumdb --analyze-only --jobs="$jobs" --quiet --dbname="$staging" 2>"$work/analyse.errors"
}

# expected: the manifest's lines of the tables that this restore fills
expected() {
    if [ "$way" = whole ]; then
        cat "$work/tables"
    else
        awk 'NR == FNR { lines[NR] = $0; next }
             { name = $0; sub(/^[^ ]* [^ ]* /, "", name); name = "column " name " "
               for (i in lines) if (index(lines[i], name) == 1) { print; next } }' "$work/columns" "$work/tables"
    fi
}

# differences FILE: the tables whose rows or fingerprints in FILE are not the expected ones
differences() {
    in_one_line "$({
        grep -Fxv -f "$1" "$work/expected"
        grep -Fxv -f "$work/expected" "$1"
    } | sed 's/^[^ ]* [^ ]* //' | sort -u)"
}

# confirm_what_failed: --keep-going lists every object that failed, and asks again where there is any
confirm_what_failed() {
    failed=$(sed -n 's/^pg_restore: error: \(could not execute query: \)\{0,1\}//p; s/^Command was: /    in /p' "$work/restore.errors")
    [ -z "$proved" ] || lost=$(differences "$work/staged")
    [ -n "$failed" ] || [ -n "${lost-}" ] || return 0
    printf '%s\n' "$failed" | while IFS= read -r line; do
        say "$line"
    done
    [ -z "${lost-}" ] || say "tables that are not as they were backed up: $lost"
    warn 'the backup was loaded without what is listed here'
    confirm "$RESTORE_SKIP_CONFIRM" 'Swap the databases all the same?' RESTORE_SKIP_CONFIRM
}

# replace_tables: the chosen tables' rows, from staging to the live database, in one transaction that
# commits only what has been proved; a session that ends before that has changed nothing
replace_tables() {
    require_own_session
    say 'replacing the rows in one transaction'
    { echo 'BEGIN;' && cat "$sql/empty-chosen.sql"; } | ask live >"$work/copies" || rows_stay
    while IFS= read -r copied && IFS= read -r copy; do
        copy_rows "$copied" "$copy"
    done <"$work/copies"
    ask live <"$sql/finish-chosen.sql" >/dev/null || rows_stay
    if [ -n "$proved" ]; then
        fingerprints_of "$(cat "$work/columns")" | ask live >"$work/replaced" || rows_stay
        cmp -s "$work/expected" "$work/replaced" ||
            die "the replaced rows are not what was backed up: $(differences "$work/replaced"); nothing was changed"
    fi
    echo 'COMMIT;' | ask live >/dev/null || rows_stay
}

# copy_rows 'TABLE (COLUMN, ...)' 'COPY ... TO STDOUT': from psql to psql next to the server: in the session's own
# input, a row could be a command to it, and so could what is not a name
copy_rows() {
    # shellcheck disable=SC2016 # it expands next to the server
    copy_staged='psql -X -q -v ON_ERROR_STOP=1 -c "$COPY" "$STAGING"'
    name='([a-z_][a-z0-9_]*|"([^"]|"")*")'
    printf '%s\n' "$1" | LC_ALL=C grep -Eqx "$name\.$name( \($name(, $name)*\))?" ||
        die "$server reports no table but '$1'; the database is unchanged"
    case $2 in
        'COPY '*) ;;
        *) die "$server reports no COPY but '$2'; the database is unchanged" ;;
    esac
    {
        psql_set copy "$2"
        psql_set staging "$staging"
        printf '\\setenv COPY :copy\n\\setenv STAGING :staging\n'
        printf '\\copy %s FROM PROGRAM '\''%s'\''\n' "$1" "$copy_staged"
    } | ask live || rows_stay
}

rows_stay() {
    fail_with "$work/live.errors" "the rows cannot be replaced, and database '$TB_POSTGRES_DATABASE' is as it was"
}
