-- SPDX-License-Identifier: Apache-2.0
--
-- told: a task asks for 0 cpus.
--
-- says:
--   warning SCRIPT:16: launchTasks: tasks[1].resources: 'cpus' is 0, which a master refuses: leave out what the task does not need

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    local task = { name = "t", task_id = "t", agent_id = offers[1].agent_id, command = { value = "true" } }
    task.resources = mesos.resources { cpus = 0.1, mem = 32 }
    task.resources = mesos.resources { cpus = 0 }
    driver:launchTasks(offers[1].id, { task })
end

return scheduler
