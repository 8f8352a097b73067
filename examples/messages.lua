-- SPDX-License-Identifier: Apache-2.0
--
-- Messages to an executor: sends it lines, prints its answers, and shuts it down. Messages are bytes and may be lost;
-- one that must not be lost is sent again.
--
--   mesos-lua examples/messages.lua AGENT_ID EXECUTOR_ID 'a line' ['another line'...]

local mesos = require "mesos"

local agent_id, executor_id = assert(arg[1], "an agent id"), assert(arg[2], "an executor id")
local messages = { framework = { name = "messages" } }
local answers = 0

function messages:registered(driver)
    for i = 3, #arg do
        driver:sendFrameworkMessage(executor_id, agent_id, arg[i])
    end
end

function messages:frameworkMessage(driver, executor, agent, data)
    print(executor, agent, data)
    answers = answers + 1
    if answers == #arg - 2 then
        driver:shutdownExecutor(executor, agent)
    end
end

function messages:executorLost(driver, executor, _, status)
    mesos.log.info("%s has ended with wait status %d", executor, status)
    driver:stop()
end

return messages
