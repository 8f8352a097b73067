-- SPDX-License-Identifier: Apache-2.0
--
-- A world for the policies of this folder: two groups of users share a cluster, of which one agent is lost for a while.
-- `web` has many small jobs of some minutes; `science` submits a few large ones at a time, each half an agent. What one
-- learns: look at the groups, as `roles.science.wait.mean`; the mean of all jobs is that of `web`, which has most.
--
--   mesos-lua sim --scenario examples/sim/scenario.lua --report report.html examples/sim/best_fit.lua
--   mesos-lua sim --scenario examples/sim/scenario.lua --set agents=12,16,20 examples/sim/best_fit.lua

return {
    agents = {
        { count = sim.set.agents or 16, resources = "cpus:16;mem:65536" },
    },

    workload = sim.merge {
        sim.poisson {
            name = "web", every = 6, to = "1h",
            job = {
                role = "web", user = sim.choice { "anna", "ben" }, cpus = 1, mem = 2048,
                duration = sim.exponential { mean = 480, least = 1 },
            },
        },
        sim.bursts {
            name = "science", every = "5m", to = "1h", size = 5,
            job = {
                role = "science", user = "carla", cpus = 8, mem = 24576,
                duration = sim.lognormal { median = 900, sigma = 0.5, most = 3600 },
            },
        },
    },

    faults = { { at = "20m", fault = "kill any for 10m" } },

    asserts = { "jobs.waiting == 0", "roles.web.wait.p95 < 5m" },
}
