-- SPDX-License-Identifier: Apache-2.0
--
-- The policy of the benchmark of the simulator: jobs in the order in which they came, each on the first offer that has
-- room for it; offers without a job are declined.

local mesos = require "mesos"

local policy = { framework = { name = "first-fit" } }

local queue, first, last = {}, 1, 0

function policy:submit(_, job)
    last = last + 1
    queue[last] = job
end

local function task_of(job, offer)
    return {
        name = job.id, task_id = job.id, agent_id = offer.agent_id, command = { value = "work" },
        resources = mesos.resources { cpus = job.cpus, mem = job.mem },
    }
end

-- The tasks of the jobs that fit into an offer, or nil.
local function fill(offer)
    local cpus, mem, tasks = offer.cpus, offer.mem, nil
    while first <= last do
        local job = queue[first]
        if job.cpus > cpus or job.mem > mem then
            return tasks
        end
        tasks = tasks or {}
        tasks[#tasks + 1] = task_of(job, offer)
        cpus, mem = cpus - job.cpus, mem - job.mem
        queue[first] = nil
        first = first + 1
    end
    return tasks
end

function policy:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        local tasks = first <= last and fill(offer)
        if tasks then
            driver:launchTasks(offer.id, tasks)
        else
            driver:declineOffer(offer.id)
        end
    end
end

function policy:statusUpdate()
end

return policy
