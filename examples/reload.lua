-- SPDX-License-Identifier: Apache-2.0
--
-- A policy to be edited while it runs. It keeps a number of tasks alive:
--
--   build/mesos-lua examples/reload.lua
--
-- While it runs, change WANTED or COMMAND below and save: a moment later the log says what was reloaded, and the policy
-- launches what is missing or kills the surplus; the other tasks go on. Then break something, for example misspell a
-- name in `resourceOffers`: the previous version is restored, or stays, and the log says why.
-- Ctrl-C ends it, and the tasks with it.

local mesos = require "mesos"

local WANTED = 2
local COMMAND = "while true; do date; sleep 1; done"

local scheduler = { framework = { name = "reload" } }

-- What has to outlive this version of the script is plain data in mesos.state; locals do not.
local state = mesos.state
state.tasks = state.tasks or {} -- the command of each task that lives, by its id
state.launched = state.launched or 0

local FINAL = {
    TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true, TASK_ERROR = true, TASK_LOST = true,
    TASK_DROPPED = true, TASK_GONE = true,
}

local function living()
    local count = 0
    for _ in pairs(state.tasks) do
        count = count + 1
    end
    return count
end

local function new_task(offer)
    state.launched = state.launched + 1
    local id = ("task-%d"):format(state.launched)
    state.tasks[id] = COMMAND
    return {
        name = id, task_id = id, agent_id = offer.agent_id, command = { value = COMMAND },
        resources = mesos.resources { cpus = 0.1, mem = 16 },
    }
end

function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        local tasks = {}
        local room = math.min(offer.cpus // 0.1, offer.mem // 16)
        while living() < WANTED and #tasks < room do
            tasks[#tasks + 1] = new_task(offer)
        end
        driver:launchTasks(offer.id, tasks) -- an empty list declines
    end
end

function scheduler:statusUpdate(driver, status)
    mesos.log.info("%s is %s", status.task_id, status.state)
    if FINAL[status.state] and state.tasks[status.task_id] then
        state.tasks[status.task_id] = nil
        driver:reviveOffers()
    end
end

-- The first call into a version that was loaded while the framework ran.
function scheduler:reloaded(driver)
    local surplus = living() - WANTED
    for id, command in pairs(state.tasks) do
        if command ~= COMMAND or surplus > 0 then
            driver:killTask(id)
            surplus = surplus - 1
        end
    end
    mesos.log.info("%d tasks live, %d are wanted", living(), WANTED)
    driver:reviveOffers() -- those that were declined a moment ago come back at once
end

return scheduler
