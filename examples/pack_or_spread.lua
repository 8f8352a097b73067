-- SPDX-License-Identifier: Apache-2.0
--
-- Where tasks go under two policies: packed on as few agents as will hold them, so that large tasks find a place
-- later, or spread over all, so that the loss of an agent costs few. A constraint may be added, as Marathon has them.
--
--   mesos-lua --agents=3 --resources='cpus:4;mem:512' examples/pack_or_spread.lua pack 6
--   mesos-lua --agents=3 --resources='cpus:4;mem:512' examples/pack_or_spread.lua spread 6
--   mesos-lua --agents=3 --resources='cpus:4;mem:512' examples/pack_or_spread.lua pack 6 hostname:MAX_PER:2

local queue = require("mesos.jobs").queue {
    name = "pack-or-spread", policy = arg[1],
    on_empty = function(queue, driver)
        local counts, agents = {}, 0
        for _, job in ipairs(queue:list()) do
            agents = agents + (counts[job.agent_id] and 0 or 1)
            counts[job.agent_id] = (counts[job.agent_id] or 0) + 1
        end
        print(("%d tasks on %d agents"):format(#queue:list(), agents))
        driver:stop()
    end,
}
for _ = 1, tonumber(arg[2] or 6) do
    queue:add { command = "sleep 0.3", cpus = 1, mem = 32, constraints = arg[3] and { arg[3] } }
end
return queue
