# shellcheck shell=sh
# Printing what the database holds: by the Python helper, or plainly by psql where that cannot be.

# show table-statistics|database-size: the result of that SQL file, on standard output
show() {
    show_by_helper "$1" || show_plainly "$1"
}

# show_afterwards: the tables, when the work is done; exit 3 says that just this failed
show_afterwards() {
    show table-statistics && return
    warn "the work is done, but the statistics cannot be read: $(first_error "$work/sql.errors")"
    exit 3
}

show_by_helper() {
    python=$(find_python) || return 1
    addresses=$("addresses_$ASSETS_PG_BACKEND")
    # shellcheck disable=SC2086 # the addresses are words
    PYTHONPATH=$root PGDATABASE=$TB_POSTGRES_DATABASE \
        "$python" -m helpers "$1" --server-key "$key" "$sql/$1.sql" $addresses </dev/null
}

find_python() {
    for python in "$root/.venv/bin/python" python3; do
        "$python" -c 'import psycopg, tabulate' 2>/dev/null || continue
        printf '%s' "$python"
        return 0
    done
    return 1
}

show_plainly() {
    PGDATABASE=$TB_POSTGRES_DATABASE
    beside_server psql -X -q -P footer=off -v ON_ERROR_STOP=1 <"$sql/$1.sql" 2>"$work/sql.errors"
}
