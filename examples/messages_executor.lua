-- SPDX-License-Identifier: Apache-2.0
--
-- The executor of examples/messages.lua: it answers each message in capital letters. Its task runs until it is killed,
-- or until the executor is shut down.

local executor = {}
local running = {}

function executor:launchTask(driver, task)
    running[task.task_id] = true
    driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING" }
end

function executor:frameworkMessage(driver, data)
    driver:sendFrameworkMessage(data:upper())
end

function executor:killTask(driver, id)
    running[id] = nil
    driver:sendStatusUpdate { task_id = id, state = "TASK_KILLED" }
end

function executor:shutdown(driver)
    for id in pairs(running) do
        driver:sendStatusUpdate { task_id = id, state = "TASK_KILLED" }
    end
end

return executor
