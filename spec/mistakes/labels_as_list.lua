-- SPDX-License-Identifier: Apache-2.0
--
-- run: the list of labels stands where the message around it is wanted.
--
-- says:
--   callback resourceOffers: SCRIPT:13: tasks[1].labels: Labels expected, got a list: write { labels = { { key = "...", value = "..." } } }

local mesos = require "mesos"

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:launchTasks(offers[1].id, {
        { name = "t", task_id = "t", agent_id = offers[1].agent_id, resources = mesos.resources { cpus = 1 },
            command = { value = "true" }, labels = { { key = "a", value = "b" } } },
    })
end

return scheduler
