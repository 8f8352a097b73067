-- SPDX-License-Identifier: Apache-2.0
--
-- run: one message where a list of them is expected.
--
-- says:
--   callback resourceOffers: SCRIPT:13: tasks[1].command.uris: list expected, got a table with the key 'value': put braces around it: { { value = ... } }

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:launchTasks(offers[1].id, {
        { name = "t", task_id = "t", agent_id = offers[1].agent_id, resources = mesos.resources { cpus = 1 },
            command = { value = "true", uris = { value = "/etc/hosts" } } },
    })
end

return scheduler
