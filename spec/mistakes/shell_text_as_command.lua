-- SPDX-License-Identifier: Apache-2.0
--
-- run: a command is a text.
--
-- says:
--   callback resourceOffers: SCRIPT:13: tasks[1].command: a table (CommandInfo) expected, got string: write { value = "echo hello" }

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:launchTasks(offers[1].id, {
        {
            name = "t", task_id = "t", agent_id = offers[1].agent_id, command = "echo hello",
            resources = mesos.resources { cpus = 1 },
        },
    })
end

return scheduler
