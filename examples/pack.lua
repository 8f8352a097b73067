-- SPDX-License-Identifier: Apache-2.0
--
-- Packs tasks of different sizes into offers: the largest first, each where a policy says, several into one offer, with
-- ports. Prints where each task went and what was left of the offers.
--
--   mesos-lua examples/pack.lua [best_fit | first_fit | worst_fit] [TASKS]
--
-- best_fit fills few agents and leaves the others empty, worst_fit spreads the tasks, first_fit asks no questions.

local mesos = require "mesos"

local policy, count = arg[1] or "best_fit", math.tointeger(tonumber(arg[2] or 6))
if not ({ best_fit = true, first_fit = true, worst_fit = true })[policy] or not count or count < 1 then
    print("usage: mesos-lua pack.lua [best_fit | first_fit | worst_fit] [TASKS]")
    mesos.exit(2)
end

local pack = { framework = { name = "pack" } }
local waiting, running = {}, 0

for i = 1, count do
    local size = (i - 1) % 3 + 1
    waiting[i] = { id = "pack-" .. i, need = { cpus = 0.05 * size, mem = 8 * size, ports = 1 } }
end
table.sort(waiting, function(a, b)
    return a.need.mem > b.need.mem
end)

-- The first of the ports among the resources that were taken.
local function first_port(resources)
    for _, resource in ipairs(resources) do
        if resource.name == "ports" then
            return resource.ranges.range[1].begin
        end
    end
end

-- The task of a job on the offer that was chosen for it.
local function task_of(job, offer, resources)
    local port = first_port(resources)
    print(job.id, offer.agent_id, "port " .. port)
    return {
        name = job.id, task_id = job.id, agent_id = offer.agent_id, resources = resources,
        command = { value = "echo listening on port " .. port },
    }
end

-- What fits now, by offer; what does not waits for other offers.
local function place(offers)
    local tasks, later = {}, {}
    for _, job in ipairs(waiting) do
        local offer = offers[policy](offers, job.need)
        if offer then
            tasks[offer.id] = tasks[offer.id] or {}
            table.insert(tasks[offer.id], task_of(job, offer, assert(offers:take(offer, job.need))))
        else
            later[#later + 1] = job
        end
    end
    waiting = later
    return tasks
end

function pack:resourceOffers(driver, offers)
    local tasks = place(offers)
    local left = offers:sum()
    print(("left: %.2f cpus, %.0f MB of %d offers"):format(left.cpus, left.mem, #offers))
    io.stdout:flush()
    for id, list in pairs(tasks) do
        running = running + #list
        driver:launchTasks(id, list, { refuse_seconds = 0 })
    end
    driver:declineOffer(offers:ids())
end

local OVER = { TASK_FINISHED = 0, TASK_FAILED = 1, TASK_KILLED = 1, TASK_LOST = 1, TASK_ERROR = 1 }

function pack:statusUpdate(_, status)
    if not OVER[status.state] then
        return
    end
    running = running - 1
    if OVER[status.state] > 0 then
        mesos.log.error("%s is %s: %s", status.task_id, status.state, status.message)
        mesos.exit(1)
    elseif running == 0 and #waiting == 0 then
        mesos.exit(0)
    end
end

return pack
