-- SPDX-License-Identifier: Apache-2.0
--
-- First in, first out, for agents that hold one task each: sim_truth_spec compares it with queueing theory. It keeps
-- the offers of agents that are free, so that a job that finds one starts at once, and asks for the others as soon as
-- their tasks have ended; without that it would wait for the master's next allocation, up to a second.

local mesos = require "mesos"

local queue, first, last = {}, 1, 0 -- ids of jobs that wait, from `first` to `last`
local free = {} -- offers
local scheduler = { framework = { name = "fifo" } }

local function place(driver)
    while first <= last and #free > 0 do
        local id, offer = queue[first], table.remove(free)
        queue[first], first = nil, first + 1
        driver:launchTasks(offer.id, { {
            name = id, task_id = id, agent_id = offer.agent_id, command = { value = "work" },
            resources = mesos.resources { cpus = 1, mem = 100 },
        } })
    end
    if first <= last then
        driver:reviveOffers()
    end
end

function scheduler:submit(driver, job)
    last = last + 1
    queue[last] = job.id
    place(driver)
end

function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        free[#free + 1] = { id = offer.id, agent_id = offer.agent_id }
    end
    if first <= last then
        place(driver)
    end
end

function scheduler:statusUpdate(driver, status)
    if status.state == "TASK_FINISHED" and first <= last then
        driver:reviveOffers()
    end
end

return scheduler
