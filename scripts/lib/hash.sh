# shellcheck shell=sh
# SHA-256, by whichever program this machine has.

# sha256_of FILE
sha256_of() {
    sha256 <"$1"
}

# sha256: of standard input. It must not open a pipe again by name: its writer may have ended
sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum
    else
        shasum -a 256
    fi | cut -d ' ' -f 1
}
