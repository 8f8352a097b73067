-- SPDX-License-Identifier: Apache-2.0
--
-- Takes jobs from outside for as long as it runs, and runs each as a task.
--
--   mesos-lua examples/submit.lua
--   mesos-lua ctl submit submit '{"command": "echo hello", "cpus": 0.5}'
--   generate-jobs | mesos-lua ctl submit submit -

local mesos = require "mesos"

---@type mesos.Scheduler
local submit = { framework = { name = "submit" } }

local waiting = {} -- jobs, in the order in which they came

-- What is returned is the answer; nil and a message refuse the job.
function submit:submit(driver, job)
    if type(job.command) ~= "string" then
        return nil, "a job has a command, which is a text for the shell"
    end
    mesos.state.count = (mesos.state.count or 0) + 1
    local id = "job-" .. mesos.state.count
    waiting[#waiting + 1] = { id = id, command = job.command, need = { cpus = job.cpus or 0.1, mem = job.mem or 32 } }
    driver:reviveOffers()
    return { id = id, ahead = #waiting - 1 }
end

-- The tasks of the jobs that fit into an offer.
local function fill(offers, offer)
    local tasks, later = {}, {}
    for _, job in ipairs(waiting) do
        local resources = offers:take(offer, job.need)
        if resources then
            tasks[#tasks + 1] = {
                name = job.command, task_id = job.id, agent_id = offer.agent_id, command = { value = job.command },
                resources = resources,
            }
        else
            later[#later + 1] = job
        end
    end
    waiting = later
    return tasks
end

function submit:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        driver:launchTasks(offer.id, fill(offers, offer))
    end
    if #waiting == 0 then
        driver:suppressOffers()
    end
end

function submit:statusUpdate(_, status)
    print(("%s is %s%s"):format(status.task_id, status.state, status.message and ": " .. status.message or ""))
end

return submit
