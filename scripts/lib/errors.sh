# shellcheck shell=sh
# What an error of a client program means to the user.

# fail_with FILE SENTENCE [UNCHANGED]: ends the script with what a client program's errors in FILE mean to the user
fail_with() {
    missing=$(missing_programs)
    if [ -n "$missing" ]; then
        hint 'use an image with the PostgreSQL client programs, such as postgres:16-alpine'
        die "$2: there is no $missing next to $server"
    fi
    case $(cat "$1") in
        *'password authentication failed'* | *'no password supplied'*)
            hint 'set TB_POSTGRES_PASSWORD (and TB_POSTGRES_USER) to those of the server'
            die "wrong password for user '$TB_POSTGRES_USER' on $server"
            ;;
        *"role \"$TB_POSTGRES_USER\" does not exist"*)
            hint 'set TB_POSTGRES_USER to a user of the server'
            die "there is no user '$TB_POSTGRES_USER' on $server"
            ;;
        *"database \"$TB_POSTGRES_DATABASE\" does not exist"*)
            hint 'set TB_POSTGRES_DATABASE to a database of the server'
            die "there is no database '$TB_POSTGRES_DATABASE' on $server"
            ;;
        *'unsupported startup parameter'*)
            behind_pooler "refuses session settings ($(first_error "$1"))"
            ;;
        *'canceling statement due to '*' timeout'*) fail_locked "$2" "$(blocker true)" ;;
        *)
            reason=$(first_error "$1")
            die "$2: ${reason:-a program ended unexpectedly}${3-}"
            ;;
    esac
}

# behind_pooler REASON: a lock or a setting of a session may there belong to a session of others
behind_pooler() {
    hint 'set TB_POSTGRES_ENDPOINT to the PostgreSQL server, not to a pooler'
    die "$server seems to be a connection pooler: it $1; the database and the existing backup are unchanged"
}

fail_locked() { # SENTENCE BLOCKER
    hint 'end that session, or wait until it has finished, and run this again'
    die "$1: tables of database '$TB_POSTGRES_DATABASE' are locked by ${2:-another session}"
}

# blocker ANY_LOCK: the session that keeps ours from the live database's tables, if there is one
blocker() {
    { psql_set any_lock "$1" && cat "$sql/lock/blockers.sql"; } | ask lock
}

# shellcheck disable=SC2016 # it expands next to the server
missing_programs() {
    beside_server sh -c 'for program in psql pg_dump pg_restore; do
        command -v "$program" >/dev/null || printf "%s " "$program"
    done' </dev/null 2>/dev/null || : # why the server cannot be asked is in the errors that brought us here
}

# first_error FILE: with its detail, which may hold the reason
first_error() {
    awk '/(error|ERROR|FATAL|fatal): / {
             if (found) exit
             sub(/^.*(error|ERROR|FATAL|fatal): +/, "")
             first = $0
             found = 1
         }
         found && sub(/^DETAIL: +/, "") {
             sub(/\.$/, "")
             first = first " (" $0 ")"
             exit
         }
         NR == 1 && !found { first = $0 }
         END { print first }' "$1"
}

# require_number WHAT ANSWER: ends the script unless the server's answer is one
require_number() {
    is_number "$2" || unexpected_answer "a number as $1" "$2"
}

unexpected_answer() { # EXPECTED ANSWER
    die "unexpected answer from $server: expected $1, got '$2'; the database is unchanged"
}
