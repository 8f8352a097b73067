-- SPDX-License-Identifier: Apache-2.0
--
-- The script of host.c: pays for a task out of the program's budget as long as there is any, and stops when the last
-- one has ended. Edit it and send the program a SIGHUP: it goes on with the new version.

local mesos = require "mesos"
local budget = require "budget" -- the C functions of host.c

local PRICE = 1
local COMMAND = "echo hello"

local state = mesos.state
state.launched = state.launched or 0
state.living = state.living or 0

local policy = { framework = { name = "policy" } }

local FINAL = {
    TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true, TASK_ERROR = true, TASK_LOST = true,
    TASK_DROPPED = true, TASK_GONE = true,
}

local function new_task(offer)
    state.launched = state.launched + 1
    state.living = state.living + 1
    local id = ("task-%d"):format(state.launched)
    return {
        name = id, task_id = id, agent_id = offer.agent_id, command = { value = COMMAND },
        resources = mesos.resources { cpus = 0.1, mem = 32 },
    }
end

function policy:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        local tasks = {}
        local room = math.min(offer.cpus // 0.1, offer.mem // 32)
        while #tasks < room and budget.spend(PRICE) do
            tasks[#tasks + 1] = new_task(offer)
        end
        driver:launchTasks(offer.id, tasks) -- an empty list declines
    end
end

function policy:statusUpdate(driver, status)
    mesos.log.info("%s is %s", status.task_id, status.state)
    if not FINAL[status.state] then
        return
    end
    state.living = state.living - 1
    if status.state ~= "TASK_FINISHED" then
        budget.refund(PRICE)
    end
    if state.living == 0 then
        driver:stop()
    end
end

return policy
