#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds mesos-lua and all benchmarks into build/, and runs one after the other. What the figures mean: README.md here.
#
#   sh spec/bench/run.sh [POLICY]    only the policies of dispatch whose names contain that, and nothing else
set -eu
cd "$(dirname "$0")/../.."

cmake -S . -B build -G Ninja >/dev/null
cmake --build build --target all bench >/dev/null

if [ $# -gt 0 ]; then
    exec build/bench/bench-dispatch "$1"
fi
status=0
for bench in build/bench/bench-*; do
    echo "== ${bench##*/bench-}"
    "$bench" || status=1
done
for bench in spec/bench/*.lua; do
    echo "== $(basename "$bench" .lua)"
    MESOS_LUA_BUILD=build MESOS_LUA="$PWD/build/mesos-lua" LUA_PATH='spec/?.lua;;' LUA_CPATH='build/spec/?.so;;' \
        lua5.4 "$bench" || status=1
done
exit $status
