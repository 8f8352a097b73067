-- SPDX-License-Identifier: Apache-2.0
--
-- told: offers of two agents are taken together.
--
-- says:
--   warning SCRIPT:13: launchTasks: offer offer-1 is of agent agent-1, and offer offer-2 of agent other: a master refuses them together, so launch on one agent at a time

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:launchTasks(offers:ids(), {
        {
            name = "t", task_id = "t", agent_id = offers[1].agent_id, command = { value = "true" },
            resources = mesos.resources { cpus = 8 },
        },
    })
end

return scheduler
