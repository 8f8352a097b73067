-- SPDX-License-Identifier: Apache-2.0
--
-- A custom executor: many small tasks in one process. Each counts the primes below the number in its data, in slices,
-- so that they take turns; it reports its progress to the scheduler and can be killed between two slices.
--
-- An agent starts it; examples/own_executor.lua is the framework that asks for that.

local mesos = require "mesos"

local SLICE = 2000 -- numbers

local executor = {}
local killed = {}

local function is_prime(n)
    for i = 2, math.floor(math.sqrt(n)) do
        if n % i == 0 then
            return false
        end
    end
    return true
end

function executor:registered(_, executorInfo, _, agentInfo)
    mesos.log.info("%s runs on %s", executorInfo.executor_id, agentInfo.hostname)
end

-- It lasts as long as the task; other launches and kills are not held up, as it waits between the slices.
function executor:launchTask(driver, task)
    local id, limit, found = task.task_id, tonumber(task.data), 0
    driver:sendStatusUpdate { task_id = id, state = "TASK_RUNNING" }
    for n = 2, limit do
        found = found + (is_prime(n) and 1 or 0)
        if n % SLICE == 0 then
            mesos.sleep(0)
            if killed[id] then
                driver:sendStatusUpdate { task_id = id, state = "TASK_KILLED", message = "stopped at " .. n }
                return
            end
            driver:sendFrameworkMessage(("%s: %d primes below %d"):format(id, found, n))
        end
    end
    driver:sendStatusUpdate { task_id = id, state = "TASK_FINISHED", message = found .. " primes" }
end

function executor:killTask(_, taskId)
    killed[taskId] = true
end

function executor:shutdown()
    setmetatable(killed, { __index = function() return true end }) -- all of them
end

return executor
