-- SPDX-License-Identifier: Apache-2.0
--
-- run: a task that lacks a required field.
--
-- says:
--   callback resourceOffers: SCRIPT:13: tasks[1].agent_id: required field of TaskInfo is missing

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:launchTasks(offers[1].id, {
        { name = "t", task_id = "t", command = { value = "true" }, resources = mesos.resources { cpus = 1 } },
    })
end

return scheduler
