-- SPDX-License-Identifier: Apache-2.0
--
-- told: a task is for another agent than the offer.
--
-- says:
--   warning SCRIPT:16: launchTasks: tasks[1].agent_id is 'other', but the offer is of agent 'agent-1': give that of the offer

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    local task = { name = "t", task_id = "t", agent_id = offers[1].agent_id, command = { value = "true" } }
    task.resources = mesos.resources { cpus = 0.1, mem = 32 }
    task.agent_id = "other"
    driver:launchTasks(offers[1].id, { task })
end

return scheduler
