# shellcheck shell=sh
# Running rclone, and what its errors mean to the user.
# Needs: awk child room_advice work

# path_on REMOTE NAME
path_on() {
    case $1 in
        *: | */) printf '%s%s\n' "$1" "$2" ;;
        *) printf '%s/%s\n' "$1" "$2" ;;
    esac
}

# name_on_remote REMOTE_FILE: without its directory
name_on_remote() {
    case $1 in
        */*) printf '%s\n' "${1##*/}" ;;
        *) printf '%s\n' "${1#*:}" ;;
    esac
}

# run_rclone ARGUMENT...: it ends with the run, asks for no password, and does not try for long
run_rclone() {
    command -v rclone >/dev/null || {
        echo 'there is no rclone on this machine' >"$work/rclone.errors"
        return 127
    }
    background exec_in_child env TZ=UTC rclone "$@" --ask-password=false --contimeout 10s \
        --timeout 20s --retries 1 --low-level-retries 2 --log-file= --use-json-log=false \
        2>"$work/rclone.errors"
    wait "$child"
}

# is_absent STATUS: did rclone find no such directory or file?
is_absent() {
    [ "$1" -eq 3 ] || [ "$1" -eq 4 ]
}

# fail_on_remote SENTENCE REMOTE: ends the script
fail_on_remote() {
    hint "$(rclone_advice "$2")"
    die "$1: $(rclone_error)"
}

# rclone_error: its last one, without the names of its own steps
rclone_error() {
    awk -f "$awk/rclone-error.awk" "$work/rclone.errors"
}

# rclone_advice REMOTE [ROOM_ADVICE]: what to do about that error, by default of a download
rclone_advice() {
    case $(rclone_error) in
        'there is no rclone '*) echo 'install rclone, see https://rclone.org/install' ;;
        *'in config file'*) echo "create this remote with 'rclone config'" ;;
        *Forbidden* | *AccessDenied* | *AccessKey* | *Signature* | *nauthorized*)
            echo 'correct the keys in the configuration of rclone, or in the environment'
            ;;
        *'disk space'* | *'o space left'*) echo "${2:-$room_advice}" ;;
        *'must not be empty'*) echo 'name a bucket: remote:bucket' ;;
        *) echo "to test the remote: rclone lsf '$1'" ;;
    esac
}
