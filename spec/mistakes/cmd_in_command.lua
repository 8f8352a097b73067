-- SPDX-License-Identifier: Apache-2.0
--
-- run: a field of another API is written into the command.
--
-- says:
--   callback resourceOffers: SCRIPT:13: tasks[1].command: unknown field 'cmd' in CommandInfo (did you mean 'value'?)

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:launchTasks(offers[1].id, {
        {
            name = "t", task_id = "t", agent_id = offers[1].agent_id, command = { cmd = "true" },
            resources = mesos.resources { cpus = 1 },
        },
    })
end

return scheduler
