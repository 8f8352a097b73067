#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds mesos-lua and all benchmarks into build/, runs one after the other, and ends with a table of the figures that
# have a goal (goals.txt), as it stands in README.md. The status is that of the benchmarks: 1 if one of them did not do
# its work, no matter what it reached.
#
#   sh spec/bench/run.sh [BENCHMARK [ARGUMENT...]]     only that one: client, or dispatch update; peers and soak run
#                                                     only so (peers needs `sh spec/run.sh --peers` before)
set -eu
cd "$(dirname "$0")/../.."

cmake -S . -B build -G Ninja >/dev/null
cmake --build build --target all bench >/dev/null

export MESOS_LUA_BUILD=build MESOS_LUA="$PWD/build/mesos-lua" LUA_PATH='spec/?.lua;;' LUA_CPATH='build/spec/?.so;;'
output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0

run() {
    bench=$1
    shift
    echo "== $bench"
    if [ -f "spec/bench/$bench.lua" ]; then
        set -- lua5.4 "spec/bench/$bench.lua" "$@"
    elif [ -f "spec/bench/$bench.sh" ]; then
        set -- sh "spec/bench/$bench.sh" "$@"
    else
        set -- "build/bench/bench-$bench" "$@"
    fi
    "$@" >"$output.one" || status=1
    cat "$output.one"
    cat "$output.one" >>"$output"
    rm -f "$output.one"
}

if [ $# -gt 0 ]; then
    run "$@"
else
    for bench in spec/bench/*.c spec/bench/*.lua spec/bench/instructions.sh; do
        bench=$(basename "$bench")
        bench=${bench%.*}
        case $bench in
        fixture | fake_master | stream | recv | echo | soak | peers) ;;
        *) run "$bench" ;;
        esac
    done
fi
echo
awk -f spec/bench/table.awk spec/bench/goals.txt "$output"
exit $status
