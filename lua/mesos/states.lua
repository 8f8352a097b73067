-- SPDX-License-Identifier: Apache-2.0
--
-- What the state of a task means, and who was at fault when it ended badly.
--
--     local states = require "mesos.states"
--     if states.is_terminal(status) and not states.is_success(status) then retry(states.fault(status)) end
--
-- The functions take a state or anything that has one: a status, a task of driver:tasks(), a table. A text that is no
-- state of Mesos raises. A state that this version does not know is a number, and nothing is true of it.

---@class mesos.states
local M = {}

---@alias mesos.StateLike mesos.TaskState|integer|{ state: mesos.TaskState|integer }

---@alias mesos.Fault
---| "task" the task itself: its command, its limits, its health check
---| "cluster" the agent, the network or the master: the next try may be made at once
---| "definition" what the scheduler sent: another try ends in the same way

-- State -> its kind.
local KINDS = {
    TASK_STAGING = "active", TASK_STARTING = "active", TASK_RUNNING = "active", TASK_KILLING = "active",
    TASK_FINISHED = "success", TASK_FAILED = "failure", TASK_ERROR = "failure", TASK_KILLED = "killed",
    TASK_LOST = "lost", TASK_DROPPED = "lost", TASK_GONE = "lost", TASK_GONE_BY_OPERATOR = "lost",
    TASK_UNKNOWN = "lost", TASK_UNREACHABLE = "unreachable",
}

-- Reason -> whose fault it is; others are judged by the state.
local FAULTS = {
    REASON_TASK_INVALID = "definition", REASON_TASK_GROUP_INVALID = "definition",
    REASON_TASK_UNAUTHORIZED = "definition", REASON_TASK_GROUP_UNAUTHORIZED = "definition",
    REASON_INVALID_FRAMEWORKID = "definition",
    REASON_INVALID_OFFERS = "cluster", REASON_RESOURCES_UNKNOWN = "cluster", REASON_GC_ERROR = "cluster",
    REASON_CONTAINER_PREEMPTED = "cluster", REASON_CONTAINER_UPDATE_FAILED = "cluster",
    REASON_EXECUTOR_REGISTRATION_TIMEOUT = "cluster", REASON_EXECUTOR_REREGISTRATION_TIMEOUT = "cluster",
    REASON_EXECUTOR_UNREGISTERED = "cluster", REASON_IO_SWITCHBOARD_EXITED = "cluster",
    REASON_MASTER_DISCONNECTED = "cluster",
    REASON_AGENT_DISCONNECTED = "cluster", REASON_AGENT_DRAINING = "cluster", REASON_AGENT_REMOVED = "cluster",
    REASON_AGENT_REMOVED_BY_OPERATOR = "cluster", REASON_AGENT_REREGISTERED = "cluster",
    REASON_AGENT_RESTARTED = "cluster", REASON_AGENT_UNKNOWN = "cluster",
}

local FAULTS_BY_KIND = { failure = "task", lost = "cluster", unreachable = "cluster" }

-- The names of masters before 1.0 and of the scheduler API v0.
local function current_name(reason)
    return type(reason) == "string" and reason:gsub("^REASON_SLAVE_", "REASON_AGENT_") or reason
end

local function unknown(state)
    local near = type(state) == "string" and "TASK_" .. state:upper():gsub("^TASK_", "")
    error(("%s is no state of a task%s"):format(type(state) == "string" and "'" .. state .. "'" or type(state),
        KINDS[near] and (" (did you mean '%s'?)"):format(near) or ""), 4)
end

-- The kind of a state or of what has one; nil for a state of a later Mesos.
local function kind_of(value)
    local state = value
    if type(value) == "table" or type(value) == "userdata" then
        state = value.state
    end
    return KINDS[state] or math.type(state) ~= "integer" and unknown(state) or nil
end

-- It has ended, or the master knows nothing of it (TASK_UNKNOWN), so nothing more is to be waited for.
-- TASK_UNREACHABLE is not one of these, as the agent may come back with the task.
---@param status mesos.StateLike
---@return boolean
function M.is_terminal(status)
    local kind = kind_of(status)
    return kind ~= nil and kind ~= "active" and kind ~= "unreachable"
end

-- TASK_FINISHED.
---@param status mesos.StateLike
---@return boolean
function M.is_success(status)
    return kind_of(status) == "success"
end

-- It ended by itself, badly: TASK_FAILED or TASK_ERROR.
---@param status mesos.StateLike
---@return boolean
function M.is_failure(status)
    return kind_of(status) == "failure"
end

-- It ended without its own doing, or never began: TASK_LOST, TASK_DROPPED, TASK_GONE, TASK_GONE_BY_OPERATOR,
-- TASK_UNKNOWN. Another try is no repetition of an error.
---@param status mesos.StateLike
---@return boolean
function M.is_lost(status)
    return kind_of(status) == "lost"
end

-- It runs, or is about to begin or to end: TASK_STAGING, TASK_STARTING, TASK_RUNNING, TASK_KILLING.
---@param status mesos.StateLike
---@return boolean
function M.is_active(status)
    return kind_of(status) == "active"
end

-- The master has no contact to the agent: TASK_UNREACHABLE. The task may still run.
---@param status mesos.StateLike
---@return boolean
function M.is_unreachable(status)
    return kind_of(status) == "unreachable"
end

-- Whose fault it is that a task does not run, by the reason of the status where it has one. Nil while it runs, when it
-- finished, and when it was killed without one of the reasons that tell more.
---@param status { state: mesos.TaskState|integer, reason: mesos.TaskStatus.Reason|integer|nil }
---@return mesos.Fault?
function M.fault(status)
    local kind = kind_of(status)
    if kind == nil or kind == "active" or kind == "success" then
        return nil
    end
    return FAULTS[current_name(status.reason)] or FAULTS_BY_KIND[kind]
end

-- All states that is_terminal() is true of, in alphabetical order: for driver:tasks { state = ... }.
---@return mesos.TaskState[]
function M.terminal()
    local list = {}
    for state in pairs(KINDS) do
        if M.is_terminal(state) then
            list[#list + 1] = state
        end
    end
    table.sort(list)
    return list
end

return M
