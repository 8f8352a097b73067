-- SPDX-License-Identifier: Apache-2.0
--
-- run: variables of the environment are written as a table by name.
--
-- says:
--   callback resourceOffers: SCRIPT:13: tasks[1].command.environment: unknown field 'FOO' in Environment: write { variables = { { name = "FOO", value = "..." } } }

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:launchTasks(offers[1].id, {
        { name = "t", task_id = "t", agent_id = offers[1].agent_id, resources = mesos.resources { cpus = 1 },
            command = { value = "true", environment = { FOO = "secret" } } },
    })
end

return scheduler
