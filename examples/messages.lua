-- SPDX-License-Identifier: Apache-2.0
--
-- Messages to an executor and back: starts one, examples/messages_executor.lua, sends it lines, prints its answers, and
-- shuts it down. Messages are bytes and may be lost: a line that has no answer yet is sent again after a second.
--
--   mesos-lua examples/messages.lua 'a line' ['another line'...]
--
-- The agent starts mesos-lua as MESOS_LUA in the environment says. On a real cluster the executor's files come with
-- `command.uris`.

local mesos = require "mesos"

local TASK, EXECUTOR = "listens", "capitals"

local messages = { framework = { name = "messages" } }
local agent -- that runs the executor
local waiting = {} -- lines without an answer, in their order
local launched, finished = false, false

for i = 1, #arg do
    waiting[i] = assert(#arg[i] > 0 and arg[i], "an empty line")
end
assert(#waiting > 0, "usage: messages.lua LINE...")

-- An executor is started in a folder of its own.
local function absolute(path)
    return assert(mesos.exec { "realpath", path }).stdout:match("[^\n]+")
end

local function executor()
    local program = os.getenv "MESOS_LUA"
    local script = absolute(arg[0]):gsub("[^/]*$", "messages_executor.lua")
    return {
        executor_id = EXECUTOR, type = "CUSTOM",
        command = { value = ("exec '%s' executor '%s'"):format(program and absolute(program) or "mesos-lua", script) },
        resources = mesos.resources { cpus = 0.1, mem = 64 },
    }
end

function messages:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        if launched then
            driver:declineOffer(offer.id)
        else
            launched, agent = true, offer.agent_id
            driver:launchTasks(offer.id, { {
                name = TASK, task_id = TASK, agent_id = agent, executor = executor(),
                resources = mesos.resources { cpus = 0.1, mem = 32 },
            } })
        end
    end
end

local function send_again(driver)
    for _, line in ipairs(waiting) do
        driver:sendFrameworkMessage(EXECUTOR, agent, line)
    end
end

-- The executor is there when its task runs.
function messages:statusUpdate(driver, status)
    if status.state == "TASK_RUNNING" then
        send_again(driver)
        mesos.every(1, function() send_again(driver) end)
    elseif not finished then
        mesos.log.error("%s is %s: %s", status.task_id, status.state, status.message or "")
        mesos.exit(1)
    end
end

function messages:frameworkMessage(driver, executorId, agentId, data)
    for i, line in ipairs(waiting) do
        if line:upper() == data then
            table.remove(waiting, i)
            print(data)
            break
        end
    end
    if #waiting == 0 and not finished then
        finished = true
        driver:shutdownExecutor(executorId, agentId)
    end
end

function messages:executorLost(driver, executorId, _, status)
    mesos.log.info("%s has ended with wait status %d", executorId, status)
    if finished then
        driver:stop()
    else
        mesos.exit(1)
    end
end

return messages
