# shellcheck shell=sh
# The signature of a manifest: an HMAC under the user's key, by which a restore recognizes the
# user's own backups.
# Needs: project run_name work
# Sets: key_parent

key_parent= # of a key that this run has made: the directory that was there before

# key_file: empty where there is no place for a key, as without a home directory
key_file() {
    config=${XDG_CONFIG_HOME:-}
    [ -n "$config" ] || [ ! -d "${HOME-}" ] || config=$HOME/.config
    printf '%s' "${TB_ASSETS_KEY_FILE:-${config:+$config/tumblebug-assets/key}}"
}

has_key() {
    [ -z "$(key_problem)" ]
}

# lacks_key: is there a place for one, and nothing there yet, or an empty file?
lacks_key() {
    [ -n "$(key_file)" ] && { [ ! -e "$(key_file)" ] || [ -f "$(key_file)" ]; } &&
        ! [ -s "$(key_file)" ] &&
        [ -x "$(nearest_directory "$(dirname -- "$(key_file)")")" ]
}

# key_problem: why there is no key to use; nothing where there is one. Whoever else could read it
# could sign; a group may, because that is how Kubernetes gives a secret to a container
key_problem() (
    key=$(key_file)
    if [ -z "$key" ]; then
        echo 'there is no home directory for the key; set TB_ASSETS_KEY_FILE'
    elif lacks_key; then
        echo "there is no key '$key' yet"
    elif ! [ -f "$key" ] || ! [ -r "$key" ]; then
        echo "could not read the key '$key' (TB_ASSETS_KEY_FILE)"
    elif ! key_digits <"$key" >/dev/null; then
        echo "'$key' (TB_ASSETS_KEY_FILE) is not a key, which has 64 hexadecimal digits"
    elif is_open_to_others "$key"; then
        echo "every user of this machine can read or write the key '$key' (chmod 600 '$key')"
    fi
)

# key_digits: reads a key from standard input and prints its digits in lower case; fails if it is no
# key. One that was copied may end with a line break or have upper-case digits
key_digits() {
    head -c 100 | LC_ALL=C awk '
        { sub(/\r$/, "") }
        NR > 1 || length($0) != 64 || /[^0-9A-Fa-f]/ { exit 1 }
        { printf("%s", tolower($0)) }'
}

is_open_to_others() { # FILE
    case $(ls -ldL -- "$1") in
        ???????---*) return 1 ;;
    esac
}

# make_key: once, and says so; where that fails, backups are not signed, and a warning says so. Sets
# key_parent
make_key() {
    ! has_key || return 0
    key_parent=$(nearest_directory "$(dirname -- "$(key_file)")")
    if lacks_key && write_key 2>/dev/null && has_key; then
        say "created the key that signs your backups: $(key_file)"
        ! has_signed_backups || {
            hint 'if you have a copy of the old key, put it back before the next backup'
            alert "the new key '$(key_file)' did not sign the earlier backups in" \
                'backups/postgres: they are untrusted now'
        }
        return 0
    fi
    key_parent=
    ! has_key || return 0 # another run has created it meanwhile
    key_obstacle=$(key_problem)
    ! lacks_key || key_obstacle="could not create the key '$(key_file)' (TB_ASSETS_KEY_FILE)"
    alert "$key_obstacle; this backup is not signed, and every restore will treat it as untrusted"
    return 1
}

has_signed_backups() {
    find "$project/backups/postgres" -type f -name '*.info' -exec grep -l '^signature: ' {} + \
        2>/dev/null | grep -q .
}

# write_key: fails if another run has just created the key, because it may have signed a backup
write_key() (
    umask 077
    key=$(key_file)
    mkdir -p -- "$(dirname -- "$key")" || return 1
    [ ! -f "$key" ] || [ -s "$key" ] || rm -f "$key"
    od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >"$key.$run_name" && [ -s "$key.$run_name" ] &&
        { ln "$key.$run_name" "$key" || # not where there are no hard links
            { [ ! -e "$key" ] && mv "$key.$run_name" "$key"; }; }
    created=$?
    rm -f "$key.$run_name"
    return $created
)

# signature_of FILE: the HMAC of its content
signature_of() (
    signing_key=$(key_digits <"$(key_file)") || return 1
    { printf '%s' "$signing_key" && cat "$1"; } >"$work/signed" || return 1
    printf '%s%s\n' "$signing_key" "$(sha256_of "$work/signed")" | sha256
)

# is_signed FILE SIGNATURE: with this key?
is_signed() {
    has_key && [ -n "$2" ] && [ "$(signature_of "$1")" = "$2" ]
}

# warn_of_key: if there is one, and it is not usable
warn_of_key() {
    has_key || lacks_key || [ -z "$(key_file)" ] || warn "$(key_problem)"
}
