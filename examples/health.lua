-- SPDX-License-Identifier: Apache-2.0
--
-- Health checks: a server that becomes unwell is ended by its agent, and replaced. A check that fails three times in a
-- row ends the task; each change comes as an update with `healthy`. The server here is well for two seconds; the script
-- stops when it has been replaced twice.
--
--   mesos-lua examples/health.lua

local mesos = require "mesos"

local scheduler = { framework = { name = "health" } }

local REPLACED = 2

local server = [[
touch well
(sleep 2; rm well) &
exec sleep 3600
]]

local count, running = 0, false

local function task(offer)
    return {
        name = "server", task_id = "server-" .. count, agent_id = offer.agent_id,
        command = { value = server },
        resources = mesos.resources { cpus = 0.1, mem = 32 },
        health_check = {
            type = "COMMAND", command = { value = "test -e well" },
            delay_seconds = 0.2, interval_seconds = 0.5, consecutive_failures = 3,
        },
    }
end

function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        if running or offer.cpus < 0.1 or offer.mem < 32 then
            driver:declineOffer(offer.id, { refuse_seconds = 1 })
        else
            running, count = true, count + 1
            driver:launchTasks(offer.id, { task(offer) }, { refuse_seconds = 0 })
        end
    end
end

local OVER = { TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true, TASK_ERROR = true, TASK_LOST = true }

function scheduler:statusUpdate(driver, status)
    if status.reason == "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED" then
        mesos.log.info("%s is %s", status.task_id, status.healthy and "well" or "unwell")
    elseif OVER[status.state] then
        local why = status.healthy == false and ", since it was unwell" or ""
        mesos.log.info("%s is %s%s", status.task_id, status.state, why)
        running = false
        if count > REPLACED then
            driver:stop()
        end
    end
end

return scheduler
