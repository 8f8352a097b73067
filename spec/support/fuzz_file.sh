#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# One fuzz target for spec/run.sh: sh spec/support/fuzz_file.sh TARGET SECONDS, a program in build-fuzz/fuzz/. What it
# prints comes out in one piece, since several run at a time, and its line of counts is added to SPEC_COUNTS. Of a run
# that failed it shows the output and, in base64, the input, for the log of a run whose machine is gone.
name=$(basename "$1")
scratch=$(mktemp -d "${TMPDIR:-/tmp}/mesos-lua-fuzz.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/inputs" "$scratch/failed"
lua5.4 spec/fuzz/seeds.lua "$name" "$scratch/inputs"
if "$1" -max_total_time="$2" -timeout=60 -rss_limit_mb=2048 -max_len=65536 -artifact_prefix="$scratch/failed/" \
    -print_final_stats=1 "$scratch/inputs" >"$scratch/output" 2>&1; then
    echo "$name for $2 s: fine"
    echo "1 0 0" >>"$SPEC_COUNTS"
    exit 0
fi
{
    echo "FAILED: $name"
    cat "$scratch/output"
    for input in "$scratch"/failed/*; do
        [ ! -f "$input" ] || { echo "$(basename "$input"):" && base64 "$input" | head -n 400; }
    done
} >"$scratch/report"
cat "$scratch/report"
echo "0 1 0" >>"$SPEC_COUNTS"
