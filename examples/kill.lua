-- SPDX-License-Identifier: Apache-2.0
--
-- A deadline: runs a command, and kills it when it takes longer than it may. The kill asks it to end and gives it two
-- seconds to do so. Exits with 0 if the command finished in time.
--
--   mesos-lua examples/kill.lua 5 'make -C /src'

local mesos = require "mesos"

local seconds, command = tonumber(arg[1]) or 1, arg[2] or "sleep 60"
local kill = { framework = { name = "kill" } }
local launched = false

function kill:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        if launched then
            driver:declineOffer(offer.id)
        else
            launched = true
            driver:launchTasks(offer.id, { {
                name = "kill", task_id = "kill-1", agent_id = offer.agent_id, command = { value = command },
                resources = mesos.resources { cpus = 0.1, mem = 32 },
            } })
        end
    end
end

local function set_deadline(driver, status)
    mesos.after(seconds, function()
        mesos.log.warning("%s has run for %g seconds: killing it", status.task_id, seconds)
        driver:killTask(status.task_id, {
            agent_id = status.agent_id, kill_policy = { grace_period = { nanoseconds = 2000000000 } },
        })
    end)
end

local ON_THE_WAY = { TASK_STAGING = true, TASK_STARTING = true, TASK_KILLING = true }

function kill:statusUpdate(driver, status)
    if status.state == "TASK_RUNNING" then
        set_deadline(driver, status)
    elseif not ON_THE_WAY[status.state] then
        print(status.state)
        mesos.exit(status.state == "TASK_FINISHED" and 0 or 1)
    end
end

return kill
