-- SPDX-License-Identifier: Apache-2.0
--
-- run: one task where a list of tasks is expected.
--
-- says:
--   callback resourceOffers: SCRIPT:13: tasks: a list expected, got a table with the field 'name': put braces around it: { { name = ... } }

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:launchTasks(offers[1].id, {
        name = "t", task_id = "t", agent_id = offers[1].agent_id, command = { value = "true" },
        resources = mesos.resources { cpus = 1 },
    })
end

return scheduler
