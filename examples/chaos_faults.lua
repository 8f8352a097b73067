-- SPDX-License-Identifier: Apache-2.0
--
-- What happens to the cluster of chaos.lua, in its first seconds: with one seed always the same. `mesos-lua ctl PID
-- fault` lists the faults that there are.

return {
    seed = 7,
    faults = {
        { at = 1, fault = "kill S0 for 1s" },
        { at = 2, fault = "master failover" },
        { every = 1, from = 1, to = 6, fault = "partition any for 700ms" },
        { every = 1, from = 1, to = 6, fault = "restart any for 200ms" },
        { every = 2, from = 1, to = 6, fault = "cut all" },
        { rate = 1, from = 1, to = 6, fault = "offers rescinded", agent = "any" },
        { every = 2, from = 1, to = 6, fault = "refuse 503 times 2" },
        { every = 1, from = 1, to = 6, fault = "update doubled", times = 3 },
        { at = 3, fault = "slow 200ms for 1s" },
        { at = 5, fault = "failover --forget" },
    },
}
