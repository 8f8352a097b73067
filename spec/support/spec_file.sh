#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# One run of busted for spec/run.sh: sh spec/support/spec_file.sh BUSTED'S ARGUMENT... What it prints comes out in one
# piece, since several run at a time, and its line of counts is added to SPEC_COUNTS. A run that died before it counted,
# or that failed after it had counted only what passed, counts as one failure. SPEC_PRELOAD is loaded into the
# interpreter, SPEC_WRAPPER put in front of it.
output=$(mktemp "${TMPDIR:-/tmp}/mesos-lua-spec.XXXXXX")
own=$output.counts
: >"$own"
SPEC_COUNTS=$own ${SPEC_PRELOAD:+env LD_PRELOAD="$SPEC_PRELOAD"} ${SPEC_WRAPPER-} lua5.4 /usr/bin/busted "$@" >"$output" 2>&1
status=$?
if [ ! -s "$own" ] || { [ $status != 0 ] && [ "$(tail -n 1 "$own" | cut -d' ' -f2)" = 0 ]; }; then
    echo "FAILED: $* ended with status $status" >>"$output"
    echo "0 1 0" >>"$own"
fi
cat "$output"
cat "$own" >>"$SPEC_COUNTS"
rm -f "$output" "$own"
exit 0
