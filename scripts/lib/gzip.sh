# shellcheck shell=sh
# Compressing a backup file, and reading it.
# Needs: awk root work

# unpack KIND: from the file on standard input to the archive
unpack() {
    case $1 in
        gzip) exec_in_child "$(gzip_program)" -dc 2>"$work/gzip.errors" ;;
        archive) exec_in_child cat 2>"$work/gzip.errors" ;;
        *) return 1 ;;
    esac
}

# pack COMPRESSION: from the archive on standard input to the file. An archive that is compressed
# is only stored in gzip, which the file's name promises, where a program can do that
pack() {
    if [ "$1" = none ]; then
        exec_in_child "$(gzip_program)"
    elif command -v pigz >/dev/null; then
        exec_in_child pigz -0
    elif python3 -c 'import zlib' 2>/dev/null; then
        PYTHONPATH=$root exec_in_child python3 -m helpers.gzip_store
    else
        exec_in_child gzip -1
    fi
}

# require_gzip: ends the script without a program that reads and writes gzip
require_gzip() {
    command -v pigz >/dev/null || command -v gzip >/dev/null || {
        hint 'install gzip'
        die 'there is no gzip on this machine'
    }
}

# gzip_program: pigz, which is faster, or gzip
gzip_program() {
    command -v pigz || echo gzip
}

# gzip_error: what pigz or gzip has reported, in the same words
gzip_error() {
    awk -f "$awk/gzip-error.awk" "$work/gzip.errors"
}
