#!/bin/sh
# missing-programs.sh: prints which of PostgreSQL's client programs are missing here, one a line.
for program in psql pg_dump pg_restore; do
    command -v "$program" >/dev/null || echo "$program"
done
