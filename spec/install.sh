#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs from Debian's packages what is missing, and says so in one line; silent when everything is there.
#
#   sh spec/install.sh build     what it takes to build and run mesos-lua
#   sh spec/install.sh test      that and what the specs need
#   sh spec/install.sh peers     Go, and mesos-go's libraries, for spec/peers
#   sh spec/install.sh packages  what makes a clean Debian for spec/packages, shells that read the completion, LuaRocks
set -eu

build="ca-certificates gcc libc6-dev cmake ninja-build pkg-config protobuf-c-compiler lua5.4 liblua5.4-dev libuv1-dev
libcurl4-openssl-dev libssl-dev libprotobuf-c-dev libmicrohttpd-dev libjansson-dev libzookeeper-st-dev libedit-dev
libjs-chart.js"
test="lua-busted lua-luv lua-cjson lua-filesystem lua-check clang-format clang libclang-rt-14-dev g++ valgrind curl procps
zookeeper openjdk-17-jre-headless openssl socat zip unzip mandoc chromium-headless-shell"
peers="golang-go golang-github-mesos-mesos-go-dev"
packages="mmdebstrap dpkg-dev zsh fish luarocks"

case "${1-}" in
build) wanted=$build ;;
test) wanted="$build $test" ;;
peers) wanted=$peers ;;
packages) wanted=$packages ;;
*)
    echo "usage: sh spec/install.sh build|test|peers|packages" >&2
    exit 2
    ;;
esac

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for package in $wanted; do
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "This needs Debian's packages, or their like:$missing" >&2
    exit 1
fi
root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Missing packages; as root: apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    root="sudo"
fi

quietly() {
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

echo "Installing from Debian's packages:$missing"
quietly $root env DEBIAN_FRONTEND=noninteractive apt-get update
quietly $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
