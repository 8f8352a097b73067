-- SPDX-License-Identifier: Apache-2.0
--
-- One task: takes the first offer that is large enough, runs a shell command there, and stops when it has finished.
--
--   mesos-lua examples/hello.lua

local mesos = require "mesos"

local hello = { framework = { name = "hello" } }

local launched = false

function hello:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        if launched or offer.cpus < 0.1 or offer.mem < 32 then
            driver:declineOffer(offer.id)
        else
            launched = true
            driver:launchTasks({ offer.id }, {
                {
                    name = "hello", task_id = "hello-1", agent_id = offer.agent_id,
                    command = { value = "echo Hello from $(uname -n)" },
                    resources = mesos.resources { cpus = 0.1, mem = 32 },
                },
            })
        end
    end
end

local OVER = { TASK_FAILED = true, TASK_KILLED = true, TASK_ERROR = true, TASK_LOST = true }

function hello:statusUpdate(driver, status)
    mesos.log.info("%s is %s %s", status.task_id, status.state, status.message or "")
    if status.state == "TASK_FINISHED" then
        driver:stop()
    elseif OVER[status.state] then
        mesos.exit(1)
    end
end

return hello
