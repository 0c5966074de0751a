# shellcheck shell=sh
# The signature of a manifest: a keyed hash, by which a machine knows its own backups.

# key_file: empty where there is no place for a key
key_file() {
    config=${XDG_CONFIG_HOME:-${HOME:+$HOME/.config}}
    printf '%s' "${TB_ASSETS_KEY_FILE:-${config:+$config/tumblebug-assets/key}}"
}

has_key() {
    [ -f "$(key_file)" ] && [ -s "$(key_file)" ] && [ -r "$(key_file)" ]
}

# make_key: once; without one a backup is not signed, and a warning says so
make_key() {
    ! has_key || return 0
    (
        umask 077
        key_file=$(key_file)
        [ ! -s "$key_file" ] && mkdir -p "${key_file%/*}" &&
            od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >"$key_file.$run" && mv "$key_file.$run" "$key_file"
    ) 2>/dev/null || {
        warn "could not read or create the key '$(key_file)' (TB_ASSETS_KEY_FILE);" \
            'this backup is not signed, and every restore will treat it as untrusted'
        return 1
    }
}

# seal_of FILE: its hash under this machine's key
seal_of() {
    cat "$(key_file)" "$1" >"$work/sealed" || return 1
    inner=$(sha256_of "$work/sealed")
    { cat "$(key_file)" && echo "$inner"; } >"$work/sealed"
    sha256_of "$work/sealed"
}

is_our_own() {
    [ -n "$proved" ] || return 1
    has_key || {
        [ ! -e "$(key_file)" ] || warn "could not read the key '$(key_file)' (TB_ASSETS_KEY_FILE)"
        return 1
    }
    sed '$d' "$work/manifest" >"$work/unsealed" # the signature is the last line
    seal=$(seal_of "$work/unsealed") && [ -n "$seal" ] && [ "$(manifest_value signature)" = "$seal" ]
}
