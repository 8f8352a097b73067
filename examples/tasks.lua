-- SPDX-License-Identifier: Apache-2.0
--
-- Keeps N copies of a command running, without a table of its own: the driver's registry says how many run, where, and
-- since when. It knows each task from its launch to its end, also over a lost master and a reload. A copy that
-- is not running after a while is killed and replaced; tasks on a lost agent are reconciled.
--
--   mesos-lua examples/tasks.lua N COMMAND

local mesos = require "mesos"

local WANTED, COMMAND = tonumber(arg[1]), arg[2]
if not WANTED or not COMMAND then
    print("usage: mesos-lua examples/tasks.lua N COMMAND")
    os.exit(2)
end

local PATIENCE = 60 -- seconds that a copy may take until it runs

local keeper = { framework = { name = "tasks" } }

local STARTING = { "TASK_STAGING", "TASK_STARTING" }
local launched = 0

-- Those that run, or will; one that is on an unreachable agent may come back, but is not waited for.
local function missing(driver)
    return WANTED - #driver:tasks { state = { "TASK_STAGING", "TASK_STARTING", "TASK_RUNNING" } }
end

local function report(driver)
    local parts = {}
    for state, count in pairs(driver:taskCounts()) do
        parts[#parts + 1] = state .. " " .. count
    end
    table.sort(parts)
    print(table.concat(parts, ", "))
    io.stdout:flush()
end

function keeper:registered(driver)
    mesos.every(10, function()
        for task in driver:tasks { state = STARTING } do
            if not task.killing and mesos.now() - (task.launched_at or 0) > PATIENCE then
                mesos.log.warning("%s is %s since long: replacing it", task.task_id, task.state)
                driver:killTask(task.task_id, { agent_id = task.agent_id })
            end
        end
    end)
end

-- Prefers agents without a copy.
function keeper:resourceOffers(driver, offers)
    table.sort(offers, function(a, b)
        return #driver:tasks { agent_id = a.agent_id } < #driver:tasks { agent_id = b.agent_id }
    end)
    for _, offer in ipairs(offers) do
        if missing(driver) > 0 and offer.cpus >= 0.1 and offer.mem >= 32 then
            launched = launched + 1
            driver:launchTasks(offer.id, {
                {
                    name = COMMAND, task_id = ("%d-%d"):format(mesos.now() * 1000 // 1, launched),
                    agent_id = offer.agent_id, command = { value = COMMAND },
                    resources = mesos.resources { cpus = 0.1, mem = 32 },
                },
            })
        else
            driver:declineOffer(offer.id)
        end
    end
end

function keeper:statusUpdate(driver, status)
    local task = driver:task(status.task_id)
    if not task.active then
        mesos.log.info("%s has ended: %s, %s", task.task_id, task.state, task.reason or "for no reason given")
        driver:reviveOffers()
    end
    report(driver)
end

-- What the updates do not tell, the master does when it is asked.
function keeper:slaveLost(driver, agent_id)
    driver:reconcileTasks(driver:tasks { agent_id = agent_id })
end

function keeper:reregistered(driver)
    driver:reconcileTasks(driver:tasks())
end

return keeper
