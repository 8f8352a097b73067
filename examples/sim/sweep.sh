#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# How many agents does the load of scenario.lua need? Runs it with several numbers of agents and three seeds each, in
# parallel, and prints a row for each number; the tables lie in the folder sweep. What one learns: waiting does not grow
# in step with the load, but suddenly, where the bursts of large jobs do not fit any more.
#
#   sh examples/sim/sweep.sh [FIRST..LAST seed]
set -eu
folder=$(dirname "$0")

exec "${MESOS_LUA:-mesos-lua}" sim --scenario "$folder/scenario.lua" --set agents=12,16,20 --seeds "${1:-1..3}" --csv sweep \
    "$folder/best_fit.lua"
