#!/bin/sh
# list-rows.sh ARCHIVE SECONDS AWK_PROGRAM: prints every table and column that the archive's rows
# fill, then the line `~end`; it may use at most SECONDS of processor time.
# shellcheck disable=SC3045 # busybox and dash know -t
ulimit -t "$2" && { pg_restore --data-only --file=- "$1" && echo '~end'; } | awk "$3"
