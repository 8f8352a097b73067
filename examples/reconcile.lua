-- SPDX-License-Identifier: Apache-2.0
--
-- Reconciliation after a master or an agent was away: asks for each task whose state is not known, and again, with
-- backoff, while there is no answer. Silence is legal: a master does not answer for agents that it still waits for.
--
--   mesos-lua examples/reconcile.lua TASK_ID...

local mesos = require "mesos"

local FIRST_DELAY, LONGEST_DELAY = 1, 300 -- seconds

local reconcile = { framework = { name = "reconcile", failover_timeout = 3600 } }

local unknown = {} -- task id -> agent id, or "" where it is not known
for _, task_id in ipairs(arg) do
    unknown[task_id] = ""
end

local round = 0 -- a later one puts an end to those before

local function ask(driver)
    local statuses = {}
    for task_id, agent_id in pairs(unknown) do
        statuses[#statuses + 1] = { task_id = task_id, agent_id = agent_id ~= "" and agent_id or nil }
    end
    if #statuses > 0 then
        driver:reconcileTasks(statuses)
    end
    return #statuses
end

local function ask_until_all_is_known(driver)
    round = round + 1
    local mine = round
    mesos.spawn(function()
        local delay = FIRST_DELAY
        while mine == round and ask(driver) > 0 do
            mesos.sleep(delay)
            delay = math.min(2 * delay, LONGEST_DELAY)
        end
    end)
end

function reconcile:registered(driver)
    driver:reconcileTasks() -- all tasks that the master knows, in our list or not
    driver:reconcileOperations()
    ask_until_all_is_known(driver)
end

function reconcile:reregistered(driver)
    ask_until_all_is_known(driver)
end

function reconcile:disconnected()
    round = round + 1
end

function reconcile:slaveLost(driver, agent_id)
    mesos.log.warning("agent %s is gone; its tasks may come back with it", agent_id)
    driver:reconcileTasks()
end

function reconcile:statusUpdate(_, status)
    unknown[status.task_id] = nil
    print(status.task_id, status.state)
    io.stdout:flush()
end

function reconcile:operationStatusUpdate(_, status)
    print(status.operation_id, status.state)
    io.stdout:flush()
end

return reconcile
