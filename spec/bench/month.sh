#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A month of 10,000 agents that are 70 % full, by the whole command: what `mesos-lua sim` takes of the processor for it,
# with its books and its results. The policy (policies/hold.lua) keeps its offers; jobs are few and long, or many and
# short, as JOBS says.
#
#   sh spec/bench/run.sh month [JOBS]
set -eu
jobs=${1:-300000}
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

cat >"$directory/month.lua" <<'END'
local DAYS, AGENTS, CPUS, LOAD = 30, 10000, 8, 0.7
local seconds = DAYS * 86400
local jobs = tonumber(sim.set.jobs)

-- Half of the jobs: so many cpus, and memory in the same share of an agent.
local function half(cpus)
    return sim.poisson {
        every = seconds / jobs * 2, to = seconds,
        job = {
            cpus = cpus, mem = cpus * 4096,
            duration = sim.exponential { mean = LOAD * AGENTS * CPUS * seconds / jobs / 1.5 },
        },
    }
end

return {
    agents = { { count = AGENTS, resources = "cpus:8;mem:32768" } },
    duration = seconds,
    workload = sim.merge { half(1), half(2) },
}
END

"$MESOS_LUA" -q sim --scenario "$directory/month.lua" --set jobs="$jobs" --json "$directory/result.json" \
    --assert 'jobs.finished > 0' --assert 'tasks.failed == 0' spec/bench/policies/hold.lua 2>&1
times >"$directory/times" # as its last line the time of children, which a subshell would not have
cpu=$(awk 'NR == 2 { split($1, user, /[ms]/); split($2, kernel, /[ms]/)
    print 60 * (user[1] + kernel[1]) + user[2] + kernel[2] }' \
    "$directory/times")
echo "$cpu s of CPU for a month with $jobs jobs"
echo "figure sim-month $cpu"
