#!/bin/sh
# keep-archive.sh DIRECTORY BLOCKS: standard input into DIRECTORY/archive, at most BLOCKS blocks of
# 512 bytes. Prints its size in bytes, then its table of contents. Exits with 74 if it could not
# write it.
(ulimit -f "$2" && cat >"$1/archive")
written=$?
# shellcheck disable=SC2012 # the name is ours, and busybox's stat may be missing
ls -ln "$1/archive" | awk '{ print $5 }'
[ $written -eq 0 ] || exit 74
pg_restore --list "$1/archive"
