-- SPDX-License-Identifier: Apache-2.0
--
-- Maintenance: an inverse offer asks for an agent that will be taken down. It is accepted if no task of this framework
-- runs there; otherwise it is declined, and the tasks are killed in time before the agent goes.
--
--   mesos-lua examples/maintenance.lua

local mesos = require "mesos"

local maintenance = { framework = { name = "maintenance" } }
local running = {} -- agent id -> { [task id] = true }

local function tasks_of(agent_id)
    running[agent_id] = running[agent_id] or {}
    return running[agent_id]
end

function maintenance:statusUpdate(_, status)
    tasks_of(status.agent_id)[status.task_id] = status.state == "TASK_RUNNING" or nil
end

-- Offers of agents that will be away soon are left alone.
function maintenance:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        driver:declineOffer(offer.id, { refuse_seconds = offer.unavailability and 3600 or 5 })
    end
end

local function leave(driver, agent_id)
    for task_id in pairs(tasks_of(agent_id)) do
        driver:killTask(task_id, { agent_id = agent_id })
    end
end

function maintenance:inverseOffers(driver, list)
    for _, inverse in ipairs(list) do
        local start = inverse.unavailability.start.nanoseconds / 1e9
        if next(tasks_of(inverse.agent_id)) == nil then
            driver:acceptInverseOffers(inverse.id)
        else
            driver:declineInverseOffers(inverse.id, { refuse_seconds = 60 })
            mesos.after(math.max(0, start - mesos.now() - 30), function()
                leave(driver, inverse.agent_id)
            end)
        end
    end
end

function maintenance:inverseOfferRescinded(_, id)
    mesos.log.info("inverse offer %s was taken back", id)
end

return maintenance
