#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Instructions of a call through the pipeline, from being made to its answer, by callgrind: what 20,000 calls take more
# than 10,000. The functions that are counted with all that they call are those of the client; the master is a thread of
# its own and runs elsewhere.
set -eu

count() {
    file=$(mktemp)
    valgrind --tool=callgrind --callgrind-out-file="$file" --toggle-collect=run_pipeline build/bench/bench-calls "$1" \
        >/dev/null 2>&1
    callgrind_annotate --inclusive=yes "$file" | awk '/PROGRAM TOTALS/ { gsub(",", "", $1); print $1 }'
    rm -f "$file"
}

command -v valgrind >/dev/null || { echo "valgrind is not here: not measured"; exit 0; }
few=$(count 10000)
many=$(count 20000)
each=$(((many - few) / 10000))
echo "$each instructions a call"
echo "figure call-instructions $each"
