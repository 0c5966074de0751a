#!/bin/sh
# prepare.sh PREFIX [NAME DATA_DIRECTORY]: removes the temporary directories of crashed runs, whose
# names start with PREFIX, and of crashed calls (verified-call.sh), and prints 'removed PATH' or
# 'failed PATH' for each. With NAME, it also makes a directory of that name, and prints what can be
# known only here, as 'FACT VALUE'; sizes in KiB.

# is_running_call DIRECTORY: the name of a call's has the number of its process
is_running_call() (
    process=${1##*/tumblebug-assets.call.}
    [ "$process" != "$1" ] && kill -0 "${process%%.*}" 2>/dev/null
)

parent=${TMPDIR:-/tmp}
for directory in "$parent/$1".* "$parent"/tumblebug-assets.call.*; do
    # Another user may have put something there under such a name, or a link.
    if [ -d "$directory" ] && [ ! -L "$directory" ] && [ -O "$directory" ] &&
        ! is_running_call "$directory"; then
        rm -rf "$directory" && echo "removed $directory" || echo "failed $directory"
    fi
done
[ $# -gt 1 ] || exit 0

free_in() { # DIRECTORY
    df -Pk -- "$1" 2>/dev/null | awk 'NR == 2 { print $4 }'
}

# has_log_elsewhere DATA_DIRECTORY: is the write-ahead log known to be on another disk?
has_log_elsewhere() {
    case $(disk_of "$1/pg_wal") in '' | "$(disk_of "$1")") return 1 ;; esac
}

disk_of() { # DIRECTORY
    df -Pk -- "$1" 2>/dev/null | awk 'NR == 2 { print $NF }'
}

major_version() { # PROGRAM
    "$1" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'
}

# knows_zstd: pg_dump says so before it looks for a server
knows_zstd() {
    ! pg_dump --format=custom --compress=zstd --host=/nowhere 2>&1 | grep -q 'not support'
}

mkdir -m 700 "$parent/$2" || exit
echo "tmp $parent/$2"
echo "tmp-parent $parent"
echo "tmp-free $(free_in "$parent")"
echo "data-free $(free_in "$3")"
! has_log_elsewhere "$3" || echo "wal-elsewhere yes"
echo "pg_dump $(major_version pg_dump)"
echo "pg_restore $(major_version pg_restore)"
! knows_zstd || echo "zstd yes"
