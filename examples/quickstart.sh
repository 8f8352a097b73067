#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh Debian 12 to a first task: installs what is missing, builds mesos-lua into build/, and runs a framework
# of twenty lines of Lua on a cluster that the program brings along.
set -eu
cd "$(dirname "$0")/.."

sh spec/install.sh build

echo "Building into build/"
log=build/quickstart.log
mkdir -p build
if ! { cmake -S . -B build -G Ninja && cmake --build build --target installed; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi

sandboxes=${MESOS_WORK_DIR-}
[ -n "$sandboxes" ] || sandboxes=$(mktemp -d "${TMPDIR:-/tmp}/mesos-lua-quickstart.XXXXXX")

echo "Running build/mesos-lua --work-dir $sandboxes examples/hello.lua"
build/mesos-lua --work-dir "$sandboxes" examples/hello.lua

find "$sandboxes" -name stdout -type f | while read -r output; do
    echo "The task wrote to $output:"
    sed 's/^/    /' "$output"
done
