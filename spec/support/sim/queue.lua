-- SPDX-License-Identifier: Apache-2.0
--
-- M/M/3: three agents for one task each, arrivals of Poisson, exponential durations of 1000 s.

-- luacheck: read globals sim
return {
    agents = { { count = 3, resources = "cpus:1;mem:100" } },
    workload = sim.poisson {
        name = "job", every = 1000 / 3 / sim.set.load, count = sim.set.count,
        job = { cpus = 1, mem = 100, duration = sim.exponential { mean = 1000 } },
    },
}
