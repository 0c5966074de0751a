# shellcheck shell=sh
# The signature of a manifest: an HMAC under this machine's key, by which it knows its own backups.
# Needs: run_name work
# Sets: key_parent

key_parent= # of a key that this run has made: the directory that was there before

# key_file: empty where there is no place for a key, as without a home directory
key_file() {
    config=${XDG_CONFIG_HOME:-}
    [ -n "$config" ] || [ ! -d "${HOME-}" ] || config=$HOME/.config
    printf '%s' "${TB_ASSETS_KEY_FILE:-${config:+$config/tumblebug-assets/key}}"
}

has_key() {
    [ -f "$(key_file)" ] && [ -s "$(key_file)" ] && [ -r "$(key_file)" ]
}

# make_key: once, and says so; where that fails, backups are not signed, and a warning says so. Sets
# key_parent
make_key() {
    ! has_key || return 0
    key_parent=$(nearest_directory "$(dirname -- "$(key_file)")")
    if write_key 2>/dev/null; then
        say "created the key that signs this machine's backups: $(key_file)"
        return 0
    fi
    key_parent=
    unsigned='this backup is not signed, and every restore will treat it as untrusted'
    if [ -z "$(key_file)" ]; then
        warn "there is no home directory for the key; set TB_ASSETS_KEY_FILE; $unsigned"
    else
        warn "could not read or create the key '$(key_file)' (TB_ASSETS_KEY_FILE); $unsigned"
    fi
    return 1
}

write_key() (
    umask 077
    key=$(key_file)
    [ ! -s "$key" ] && mkdir -p "${key%/*}" &&
        od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >"$key.$run_name" && mv "$key.$run_name" "$key"
)

# signature_of FILE: the HMAC of its content
signature_of() (
    cat "$(key_file)" "$1" >"$work/signed" || return 1
    inner=$(sha256_of "$work/signed")
    { cat "$(key_file)" && echo "$inner"; } | sha256
)

# is_signed FILE SIGNATURE: by this machine?
is_signed() {
    has_key || {
        [ ! -e "$(key_file)" ] || warn "could not read the key '$(key_file)' (TB_ASSETS_KEY_FILE)"
        return 1
    }
    [ -n "$2" ] && [ "$(signature_of "$1")" = "$2" ]
}
