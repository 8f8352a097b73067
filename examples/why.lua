-- SPDX-License-Identifier: Apache-2.0
--
-- Says why a task is not placed. It asks for more than any agent has, declines what does not fit, and prints the
-- reasons when nothing has fitted for some seconds.
--
--   mesos-lua --resources "cpus:2;mem:512" examples/why.lua [CPUS]
--
-- The same from outside, while it runs: mesos-lua ctl PID why cpus=64,mem=32,rack=b

local mesos = require "mesos"

local need = { cpus = tonumber(arg[1] or 64), mem = 32, attributes = { rack = "b" } }
local PATIENCE = 2 -- seconds

---@type mesos.Scheduler
local why = { framework = { name = "why" } }

function why:registered(driver)
    mesos.after(PATIENCE, function()
        local found = driver:explain(need)
        if found.fits > 0 then
            return
        end
        print(found.text)
        for _, reason in ipairs(found.reasons) do
            print(("%s is short on %d offers"):format(reason.name or reason.reason, reason.count + reason.lately))
        end
        driver:stop()
    end)
end

function why:resourceOffers(driver, offers)
    local offer = offers:best_fit(need)
    if offer then
        driver:launchTasks(offer.id, {
            {
                name = "why", task_id = "why-1", agent_id = offer.agent_id, command = { value = "echo placed" },
                resources = offers:take(offer, need),
            },
        })
    end
    driver:declineOffer(offers:ids(), { refuse_seconds = 60 })
end

function why:statusUpdate(driver, status)
    print(status.task_id, status.state, status.message)
    if status.state == "TASK_FINISHED" then
        driver:stop()
    end
end

return why
