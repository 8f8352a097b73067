-- SPDX-License-Identifier: Apache-2.0
--
-- run: resources of a task are written as a plain table.
--
-- says:
--   callback resourceOffers: SCRIPT:11: tasks[1].resources: list expected, got a table with the key 'cpus': mesos.resources { cpus = 1, mem = 32 } makes one

local scheduler = { framework = { name = "x" } }

function scheduler:resourceOffers(driver, offers)
    driver:launchTasks(offers[1].id, {
        {
            name = "t", task_id = "t", agent_id = offers[1].agent_id, command = { value = "true" },
            resources = { cpus = 1 },
        },
    })
end

return scheduler
