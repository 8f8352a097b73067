-- SPDX-License-Identifier: Apache-2.0
--
-- told: the id of a task has a line end in it.
--
-- says:
--   warning SCRIPT:16: launchTasks: tasks[1].task_id has a control character in it, which a master refuses

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    local task = { name = "t", task_id = "t", agent_id = offers[1].agent_id, command = { value = "true" } }
    task.resources = mesos.resources { cpus = 0.1, mem = 32 }
    task.task_id = "a\nb"
    driver:launchTasks(offers[1].id, { task })
end

return scheduler
