-- SPDX-License-Identifier: Apache-2.0
--
-- told: an operation launches a task with 0 mem.
--
-- says:
--   warning SCRIPT:21: acceptOffers: operations[1].launch.task_infos[2].resources: 'mem' is 0, which a master refuses: leave out what the task does not need

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

local function task(offer, id, mem)
    return {
        name = id, task_id = id, agent_id = offer.agent_id, command = { value = "true" },
        resources = mesos.resources { cpus = 0.1, mem = mem },
    }
end

function scheduler:resourceOffers(driver, offers)
    local tasks = { task(offers[1], "a", 32), task(offers[1], "b", 0) }
    driver:acceptOffers(offers[1].id, { { type = "LAUNCH", launch = { task_infos = tasks } } })
end

return scheduler
