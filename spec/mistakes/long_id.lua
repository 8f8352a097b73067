-- SPDX-License-Identifier: Apache-2.0
--
-- told: the id of a task is too long.
--
-- says:
--   warning SCRIPT:16: launchTasks: tasks[1].task_id has 300 characters: a master takes at most 255

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    local task = { name = "t", task_id = "t", agent_id = offers[1].agent_id, command = { value = "true" } }
    task.resources = mesos.resources { cpus = 0.1, mem = 32 }
    task.task_id = ("x"):rep(300)
    driver:launchTasks(offers[1].id, { task })
end

return scheduler
