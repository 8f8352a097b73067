-- SPDX-License-Identifier: Apache-2.0
--
-- A pod: two tasks that an agent starts together, in folders beside each other, and ends together if one of them
-- fails or is killed. Here a server, with a health check, and a client that waits for it. When the client has finished
-- the server is killed, and the script stops when the executor of the pod has ended.
--
--   mesos-lua examples/pod.lua

local mesos = require "mesos"

local pod = { framework = { name = "pod" } }

-- Each command starts in the folder of its task, beside which `tasks/NAME` of the executor leads to the others.
local server = "echo hello > page; touch well; exec sleep 3600"
local client = "until cat ../../tasks/server/page; do sleep 0.1; done"

local function task(offer, name, command, more)
    local info = {
        name = name, task_id = name, agent_id = offer.agent_id, command = { value = command },
        resources = mesos.resources { cpus = 0.1, mem = 32 },
    }
    for key, value in pairs(more or {}) do
        info[key] = value
    end
    return info
end

local function group(driver, offer)
    return {
        type = "LAUNCH_GROUP",
        launch_group = {
            executor = {
                type = "DEFAULT", executor_id = "pod", framework_id = driver:frameworkId(),
                resources = mesos.resources { cpus = 0.1, mem = 32, disk = 10 },
            },
            task_group = { tasks = {
                task(offer, "server", server, { health_check = {
                    type = "COMMAND", command = { value = "test -e well" }, delay_seconds = 0.1, interval_seconds = 0.5,
                } }),
                task(offer, "client", client),
            } },
        },
    }
end

local launched = false

function pod:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        if launched or offer.cpus < 0.3 or offer.mem < 96 then
            driver:declineOffer(offer.id)
        else
            launched = true
            driver:acceptOffers(offer.id, { group(driver, offer) })
        end
    end
end

local healthy, finished = false, false

function pod:statusUpdate(driver, status)
    mesos.log.info("%s is %s%s", status.task_id, status.state, status.healthy and " and well" or "")
    if status.state == "TASK_ERROR" or status.state == "TASK_FAILED" then
        return driver:stop()
    end
    healthy = healthy or status.healthy
    finished = finished or status.state == "TASK_FINISHED"
    if healthy and finished and status.state ~= "TASK_KILLED" then
        driver:killTask "server"
    end
end

function pod:executorLost(driver, executor, _, status)
    mesos.log.info("the executor %s has ended with wait status %d", executor, status)
    driver:stop()
end

return pod
