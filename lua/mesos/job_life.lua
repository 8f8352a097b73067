-- SPDX-License-Identifier: Apache-2.0
--
-- The life of a job of mesos.jobs: it waits (ready, or for a time, or for another job), runs, waits again after a try
-- that failed, and ends. A job is plain data in mesos.state; what this keeps beside can be made anew from it.

local mesos = require "mesos"
local backoff = require "mesos.backoff"
local definition = require "mesos.job_definition"
local json = require "mesos.json"
local states = require "mesos.states"

---@class mesos.job_life
local M = {}

local ENDED = { finished = true, failed = true, cancelled = true }

-- True if the job will not run any more.
---@param job mesos.Job?
---@return boolean
function M.has_ended(job)
    return job ~= nil and ENDED[job.state] or false
end

-- The first of the jobs before it that has not finished, and true if it never will.
---@param queue mesos.Queue
---@param job mesos.Job
---@return string?
---@return boolean?
function M.obstacle(queue, job)
    for _, id in ipairs(definition.after(job.definition)) do
        local other = queue.jobs[id]
        if not other or other.state ~= "finished" then
            return id, not other or M.has_ended(other)
        end
    end
end

local function entry_of(job)
    return { number = job.number, user = job.definition.user, priority = job.definition.priority, job = job }
end

-- Puts a waiting job where it belongs: among the ready ones, or those for which the time or another job has to come.
---@param queue mesos.Queue
---@param job mesos.Job
function M.sort_in(queue, job)
    local before, never = M.obstacle(queue, job)
    queue.later[job.id] = nil
    if never then
        job.message = ("'%s', which it comes after, has not finished"):format(before)
        M.close(queue, job, "failed")
    elseif before or job.due > mesos.now() then
        queue.later[job.id] = job
        queue.alarm:at(before and math.huge or job.due)
    else
        queue.ready:add(entry_of(job))
    end
end

-- The contrary: it does not wait any more, or has another definition.
---@param queue mesos.Queue
---@param job mesos.Job
function M.take_out(queue, job)
    queue.later[job.id] = nil
    queue.ready:remove(entry_of(job))
end

-- Notes which jobs come after which.
---@param queue mesos.Queue
---@param job mesos.Job
function M.follow(queue, job)
    for _, id in ipairs(definition.after(job.definition)) do
        queue.followers[id] = queue.followers[id] or {}
        queue.followers[id][job.id] = true
    end
end

-- Jobs with the same constraints are compared with each other: a text that they have in common.
---@param job mesos.Job
---@return string
function M.group(job)
    return json.encode(job.definition.constraints or {})
end

-- Counts the job among those that run, with its share and its place, or no longer.
---@param queue mesos.Queue
---@param job mesos.Job
---@param runs boolean
function M.count(queue, job, runs)
    queue.running = queue.running + (runs and 1 or -1)
    queue.ready:use(job.definition.user, definition.amounts(job.definition), runs and 1 or -1)
    if job.facts then
        local group = M.group(job)
        queue.beside[group] = queue.beside[group] or {}
        queue.beside[group][job.id] = runs and job.facts or nil
    end
end

-- ---- the end ----

local function is_needed(queue, id)
    if queue.listed[id] then
        return true -- it would be added again, and run again, with the next version of the script
    end
    for follower in pairs(queue.followers[id] or {}) do
        local job = queue.jobs[follower]
        if job and not M.has_ended(job) then
            return true
        end
    end
    return false
end

-- What schedules name in `after`, for the jobs that they will add.
local function needed_by_schedules(queue)
    local needed = {}
    for _, recurring in pairs(queue.recurring) do
        for _, id in ipairs(definition.after(recurring)) do
            needed[id] = true
        end
    end
    return needed
end

-- Forgets the jobs that ended first, but not those that the main chunk lists or that others still come after.
local function trim(queue)
    local kept, surplus, needed = {}, #queue.state.ended - queue.options.keep, needed_by_schedules(queue)
    for _, id in ipairs(queue.state.ended) do
        if surplus > 0 and not needed[id] and not is_needed(queue, id) then
            queue.jobs[id], queue.followers[id] = nil, nil
            surplus = surplus - 1
        else
            kept[#kept + 1] = id
        end
    end
    queue.state.ended, queue.trimmed = kept, #kept
end

-- Before there is a driver it is not known yet what the main chunk lists.
local function trim_if_many(queue)
    if queue.driver and #queue.state.ended > math.max(queue.options.keep, queue.trimmed or 0) + 100 then
        trim(queue)
    end
end

-- Ends a job, and lets those go on that come after it. The script is told later: on_end may wait or raise.
---@param queue mesos.Queue
---@param job mesos.Job
---@param state "finished"|"failed"|"cancelled"
function M.close(queue, job, state)
    M.take_out(queue, job)
    job.state, job.ended, job.unreachable = state, mesos.now(), nil
    table.insert(queue.state.ended, job.id)
    table.insert(queue.over, job) -- for on_end, when all of this is done
    for id in pairs(queue.followers[job.id] or {}) do
        local follower = queue.later[id]
        if follower then
            M.sort_in(queue, follower)
        end
    end
    trim_if_many(queue)
end

local function wait_again(queue, job, failures)
    job.state, job.unreachable = "waiting", nil
    job.retry = mesos.now() + backoff.delay(failures, queue.options.backoff)
    job.due = math.max(job.definition.not_before or 0, job.retry)
    M.sort_in(queue, job)
end

local function on_loss(queue, job)
    job.losses = job.losses + 1
    if job.losses > queue.options.losses then
        M.close(queue, job, "failed")
    else
        wait_again(queue, job, job.losses - 1) -- the first time at once
    end
end

local function on_failure(queue, job, hopeless)
    job.failures = job.failures + 1
    if hopeless or job.failures > (job.definition.retries or queue.options.retries) then
        M.close(queue, job, "failed")
    else
        wait_again(queue, job, job.failures)
    end
end

-- The latest try of a job has ended with that status: what becomes of the job depends on whose fault it was.
---@param queue mesos.Queue
---@param job mesos.Job
---@param status { state: mesos.TaskState|integer, reason: mesos.TaskStatus.Reason|integer|nil }
function M.end_try(queue, job, status)
    local fault = states.fault(status)
    M.count(queue, job, false)
    if states.is_success(status) then
        M.close(queue, job, "finished")
    elseif job.cancelled then
        M.close(queue, job, "cancelled")
    elseif fault == "cluster" then
        on_loss(queue, job)
    else
        on_failure(queue, job, fault == "definition")
    end
end

-- The task is gone without an update, and no fault is known: the job waits as before, unless it was cancelled.
---@param queue mesos.Queue
---@param job mesos.Job
function M.lose(queue, job)
    M.count(queue, job, false)
    if job.cancelled then
        M.close(queue, job, "cancelled")
    else
        wait_again(queue, job, 0)
    end
end

return M
