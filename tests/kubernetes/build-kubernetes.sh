#!/bin/sh
# build-kubernetes.sh: builds Kubernetes' API server and kubelet. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/scripts/lib/use.sh"

usage() {
    cat <<EOF_USAGE
Usage: $0

Builds kube-apiserver and kubelet from Debian 12's source package kubernetes
(6 minutes or more) and prints the directory that holds them. Does nothing if
they are there. Needs Debian 12 with golang-go, make and rsync; the tests also
need etcd-server.

The directory is in \$XDG_CACHE_HOME/tumblebug-assets-tests, by default in
~/.cache.
EOF_USAGE
}

main() {
    parse_options "$@"
    begin
    require_programs etcd
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/tumblebug-assets-tests
    built=$cache/kubernetes-bookworm
    [ -d "$built" ] || build
    printf '%s\n' "$built" >&3
}

parse_options() {
    case ${1-} in
        -h | --help) usage && exit 0 ;;
        '') ;;
        *) die_usage "unexpected argument: $1" ;;
    esac
}

require_programs() { # NAME...
    for program; do
        command -v "$program" >/dev/null || {
            hint 'on Debian 12: sudo apt install etcd-server golang-go make rsync'
            die "there is no '$program' on this machine"
        }
    done
}

build() {
    require_programs apt-get go make rsync
    fetch_source || fail_with_log 'could not fetch the source package'
    compile || fail_with_log 'could not build Kubernetes'
    mkdir -p "$cache"
    rm -rf "$built.partial"
    mkdir "$built.partial"
    mv "$work/source/_output/local/bin/linux/amd64/kube-apiserver" \
        "$work/source/_output/local/bin/linux/amd64/kubelet" "$built.partial/"
    mv "$built.partial" "$built"
}

fetch_source() {
    say 'fetching the source package'
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/source"
    echo "deb-src $(debian_archive) bookworm main" >"$work/apt/sources.list"
    {
        apt_get update &&
            (cd "$work" && apt_get source --download-only kubernetes) &&
            tar -xf "$work"/kubernetes_*.orig.tar.gz --strip-components=1 -C "$work/source"
    } >"$work/log" 2>&1
}

# apt_get ARGUMENT...: with lists and caches of its own: the system is unchanged
apt_get() {
    apt-get --quiet --option Dir::Etc::SourceList="$work/apt/sources.list" \
        --option Dir::Etc::SourceParts=- --option Dir::State::Lists="$work/apt/lists" \
        --option Dir::Cache="$work/apt/cache" --option APT::Sandbox::User=root "$@"
}

debian_archive() {
    # shellcheck disable=SC2016 # apt-get expands these
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Identifier: Packages' |
        awk '$1 == "Debian" && $2 == "bookworm" { print $3; exit }'
}

# compile: by its own Makefile, which first generates code. Lowering the OOM score, as the kubelet
# does for some processes, needs a right that root does not have in every container
compile() {
    say 'building kube-apiserver and kubelet'
    for source in qos/policy.go dockershim/docker_sandbox.go; do
        sed -i 's/\(Adj  *int = \)-99[789]$/\10/' "$work/source/pkg/kubelet/$source"
    done
    HOME=$work GOFLAGS='' GOCACHE=$work/cache make -C "$work/source" \
        WHAT='cmd/kube-apiserver cmd/kubelet' >"$work/log" 2>&1
}

fail_with_log() { # SENTENCE
    tail -n 20 "$work/log" >&2
    die "$1; the end of its log is above"
}

main "$@"
