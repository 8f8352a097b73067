-- SPDX-License-Identifier: Apache-2.0
--
-- How jobs of mesos.jobs come onto offers: in the order of their turns (mesos.fair), each where the policy and its
-- constraints want it (mesos.placement).

local mesos = require "mesos"
local definition = require "mesos.job_definition"
local json = require "mesos.json"
local life = require "mesos.job_life"
local placement = require "mesos.placement"
local task = require "mesos.task"

---@class mesos.job_placing
local M = {}

local LOOKS = 10000 -- at jobs that do not fit, in one round

-- The facts of the running jobs that have the same constraints.
local function facts_beside(queue, job)
    local list = {}
    for _, facts in pairs(queue.beside[life.group(job)] or {}) do
        list[#list + 1] = facts
    end
    return list
end

-- An offer, or nil and the reason. `short` has the reasons for needs that were looked for in this round.
local function choose(queue, job, offers, short)
    local need = definition.need(job.definition)
    local key = not job.definition.constraints and json.encode(need)
    if key and short[key] then
        return nil, short[key]
    end
    local offer, reason = placement.choose(offers, need, {
        policy = queue.options.policy, constraints = job.definition.constraints,
        placed = job.definition.constraints and facts_beside(queue, job),
    })
    if key and not offer then
        short[key] = reason or "no offer"
    end
    return offer, reason
end

-- Begins a try. It is in mesos.state before the launch is sent, so that a task is never launched unknown.
local function begin_try(queue, job, offers, offer)
    local id = ("%s.%d"):format(job.id, job.tries + 1)
    local info, message = task.info(definition.task(job.definition), id, offers, offer)
    if not info then
        return nil, message
    end
    life.take_out(queue, job)
    job.state, job.tries, job.task_id, job.agent_id = "running", job.tries + 1, id, offer.agent_id
    job.started, job.message = mesos.now(), nil
    job.facts = job.definition.constraints and placement.facts(offer, job.definition.constraints)
    life.count(queue, job, true)
    return info
end

-- All that is there to be shared: what is offered, and what the queue's jobs have already.
local function total_of(queue, offers)
    local total = offers:sum()
    for _, used in pairs(queue.ready.used) do
        for name, amount in pairs(used) do
            total[name] = (total[name] or 0) + amount
        end
    end
    return total
end

-- True if no more jobs may run now.
---@param queue mesos.Queue
---@return boolean
function M.is_full(queue)
    return queue.running >= (queue.options.at_once or math.huge)
end

-- The host refused a launch, so no status will come for its tasks: their tries end here.
local function not_launched(queue, offer_id, tasks, message)
    mesos.log.warning("%s: nothing is launched on offer %s: %s", queue.framework.name or "jobs", offer_id, message)
    local gone = message:find("rescinded", 1, true)
    for _, info in ipairs(tasks) do
        local job = queue.jobs[info.task_id:match("^(.*)%.%d+$")]
        job.message = message
        if gone then
            life.lose(queue, job)
        else
            life.end_try(queue, job, { state = "TASK_ERROR", reason = "REASON_TASK_INVALID", message = message })
        end
    end
end

-- Launches jobs on the offers, as many as fit and may run. One offer whose launch is refused does not hold up others.
---@param queue mesos.Queue
---@param driver mesos.SchedulerDriver
---@param offers mesos.Offers
function M.place(queue, driver, offers)
    local launches, short, looks = {}, {}, 0
    queue.ready:of(total_of(queue, offers))
    for entry in queue.ready:each() do
        if M.is_full(queue) or looks > LOOKS then
            break
        end
        local job, info = entry.job, nil
        local offer, reason = choose(queue, job, offers, short)
        if offer then
            info, reason = begin_try(queue, job, offers, offer)
        end
        if info then
            launches[offer.id] = launches[offer.id] or {}
            table.insert(launches[offer.id], info)
        else
            job.message, looks = reason, looks + 1
        end
    end
    for id, tasks in pairs(launches) do
        local done, message = pcall(driver.launchTasks, driver, id, tasks, { refuse_seconds = queue.options.refuse })
        if not done then
            not_launched(queue, id, tasks, tostring(message))
        end
    end
end

return M
