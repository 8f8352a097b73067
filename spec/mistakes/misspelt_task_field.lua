-- SPDX-License-Identifier: Apache-2.0
--
-- run: a field of a task is misspelt.
--
-- says:
--   callback resourceOffers: SCRIPT:13: tasks[1]: unknown field 'resource' in TaskInfo (did you mean 'resources'?)

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:launchTasks(offers[1].id, {
        {
            name = "t", task_id = "t", agent_id = offers[1].agent_id, command = { value = "true" },
            resource = mesos.resources { cpus = 1 },
        },
    })
end

return scheduler
