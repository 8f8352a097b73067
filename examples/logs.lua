-- SPDX-License-Identifier: Apache-2.0
--
-- Runs commands as tasks and shows what they print, as they print it.
--
--   mesos-lua examples/logs.lua 'for i in 1 2 3; do echo $i; sleep 1; done' 'echo hello'

local mesos = require "mesos"
local files = require "mesos.files"
local states = require "mesos.states"

---@type mesos.Scheduler
local logs = { framework = { name = "logs" } }

local waiting, left = {}, #arg
for i, command in ipairs(arg) do
    waiting[i] = { id = "logs-" .. i, command = command }
end
if left == 0 then
    print("usage: mesos-lua logs.lua COMMAND...")
    mesos.exit(2)
end

local function show(driver, id)
    local offset, message = files.follow(driver, id, function(text)
        print(id .. ": " .. text:gsub("\n$", ""):gsub("\n", "\n" .. id .. ": "))
    end, { interval = 0.2 })
    if not offset then
        print(id .. ": " .. message)
    end
    local tail = driver:output(id, { file = "stderr", offset = -100 })
    if tail and tail ~= "" then
        print(id .. " ended with: " .. tail:gsub("\n$", ""))
    end
    left = left - 1
    if left == 0 then
        driver:stop()
    end
end

function logs:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        local tasks = {}
        for i = 1, math.min(#waiting, offer.cpus // 0.1 | 0) do
            local job = table.remove(waiting, 1)
            tasks[i] = {
                name = job.command, task_id = job.id, agent_id = offer.agent_id, command = { value = job.command },
                resources = mesos.resources { cpus = 0.1, mem = 32 },
            }
        end
        driver:launchTasks(offer.id, tasks)
        for _, task in ipairs(tasks) do
            mesos.spawn(show, driver, task.task_id)
        end
    end
end

function logs:statusUpdate(_, status)
    if states.is_terminal(status) and not states.is_success(status) then
        print(("%s is %s: %s"):format(status.task_id, status.state, status.message or ""))
    end
end

return logs
