-- SPDX-License-Identifier: Apache-2.0
--
-- A task larger than any one offer: keeps offers until those of one agent hold it together, and launches it on all of
-- them at once. Offers that are taken back meanwhile do not count.
--
--   mesos-lua examples/collect.lua CPUS 'command'

local mesos = require "mesos"

local cpus, command = tonumber(arg[1]) or 1, arg[2] or "true"
local collect = { framework = { name = "collect" } }

-- The agents with outstanding offers: agent id -> { cpus =, ids = }
local function sums(driver)
    local agents = {}
    for _, offer in ipairs(driver:offers()) do
        local agent = agents[offer.agent_id] or { cpus = 0, ids = {} }
        agent.cpus = agent.cpus + offer.cpus
        agent.ids[#agent.ids + 1] = offer.id
        agents[offer.agent_id] = agent
    end
    return agents
end

function collect:resourceOffers(driver)
    for agent_id, agent in pairs(sums(driver)) do
        if agent.cpus >= cpus and not self.launched then
            self.launched = true
            driver:launchTasks(agent.ids, { {
                name = "collect", task_id = "collect-1", agent_id = agent_id, command = { value = command },
                resources = mesos.resources { cpus = cpus, mem = 32 },
            } })
            driver:suppressOffers()
        end
    end
end

function collect:offerRescinded(driver, id)
    mesos.log.info("offer %s was taken back, %d are left", id, #driver:offers())
end

function collect:statusUpdate(driver, status)
    print(status.state)
    if status.state == "TASK_FINISHED" then
        driver:stop()
    end
end

return collect
