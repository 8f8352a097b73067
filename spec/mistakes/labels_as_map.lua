-- SPDX-License-Identifier: Apache-2.0
--
-- run: labels are written as a table by key.
--
-- says:
--   callback resourceOffers: SCRIPT:13: tasks[1].labels: unknown field 'team' in Labels: write { labels = { { key = "team", value = "..." } } }

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:launchTasks(offers[1].id, {
        { name = "t", task_id = "t", agent_id = offers[1].agent_id, resources = mesos.resources { cpus = 1 },
            command = { value = "true" }, labels = { team = "b" } },
    })
end

return scheduler
