#!/bin/sh
# keep-archive.sh DIRECTORY BLOCKS: standard input into DIRECTORY/archive, which may take so many
# blocks of 512 bytes. Prints its size in bytes, then its table of contents. Exits with 74 when it
# could not write it.
(ulimit -f "$2" && cat >"$1/archive")
written=$?
# shellcheck disable=SC2012 # the name is ours, and busybox's stat may be missing
ls -ln "$1/archive" | awk '{ print $5 }'
[ $written -eq 0 ] || exit 74
pg_restore --list "$1/archive"
