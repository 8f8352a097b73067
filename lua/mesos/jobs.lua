-- SPDX-License-Identifier: Apache-2.0
--
-- A queue of work. Each job is a task that runs until it has succeeded once: with retries, priorities, dependencies,
-- fair shares between users, and schedules. A queue is a scheduler table, so a script can return it:
--
--     local queue = require("mesos.jobs").queue { name = "nightly", at_once = 10, retries = 2 }
--     queue:add { id = "fetch", command = "./fetch", cpus = 1, mem = 256 }
--     queue:add { id = "index", command = "./index", after = { "fetch" } }
--     queue:schedule { id = "report", cron = "0 6 * * *", command = "./report" }
--     return queue
--
-- The queue lies in mesos.state, so it survives a reload, and with --state a restart: jobs that ran go on, and the
-- master is asked for them. Adding a job whose id is known changes nothing, unless it still waits: then the new
-- definition counts. The tasks of a job have the ids ID.1, ID.2, ...
--
-- A scheduler of its own that has a queue beside other things calls queue:start(driver) in registered, reregistered and
-- reloaded, queue:statusUpdate, and queue:place(driver, offers), which leaves to others what it does not use.

local mesos = require "mesos"
local alarm = require "mesos.alarm"
local backoff = require "mesos.backoff"
local definitions = require "mesos.job_definition"
local demand = require "mesos.demand"
local fair = require "mesos.fair"
local fields = require "mesos.fields"
local framework = require "mesos.framework"
local life = require "mesos.job_life"
local placing = require "mesos.job_placing"
local reconcile = require "mesos.reconcile"
local schedules = require "mesos.schedules"
local states = require "mesos.states"

---@class mesos.jobs
local M = {}

---@class mesos.jobs.Options
---@field name string? of the framework; default: that of the script
---@field framework mesos.FrameworkInfo? the rest of it; with --state, a failover_timeout for the time of a restart
---@field key string? under which name the script's state has the queue; default: "jobs"
---@field at_once integer? jobs that run at the same time; default: as many as fit
---@field retries integer? of a job that fails, unless it says so itself; default: 0
---@field losses integer? tries that are lost without the job's fault until it counts as failed; default: 10
---@field backoff mesos.backoff.Options? before a retry
---@field unreachable number? seconds that a job's agent may be out of reach before the job is run again; default: 300
---@field policy ("pack"|"spread"|"first")? default: "pack"
---@field weights table<string, number>? user -> weight; default: 1 each
---@field keep integer? jobs that have ended and are still known, beside those of the main chunk; default: 1000
---@field refuse number? seconds for which offers that no job fits do not come again; default: 5
---@field on_update (fun(job: mesos.Job, status: mesos.TaskStatus, driver: mesos.SchedulerDriver))? each status
---@field on_end (fun(job: mesos.Job, driver: mesos.SchedulerDriver))? the job has finished, failed or was cancelled; may wait; not called again after a crash
---@field on_empty (fun(queue: mesos.Queue, driver: mesos.SchedulerDriver))? no job waits or runs any more

local OPTIONS = {
    name = "string", framework = "table", key = "string", at_once = "count", retries = "count", losses = "count",
    backoff = "table", unreachable = "positive", policy = "string", weights = "table", keep = "count",
    refuse = "amount", on_update = "function", on_end = "function", on_empty = "function",
}

local DEFAULTS = { retries = 0, losses = 10, unreachable = 300, keep = 1000, refuse = 5 }

---@class mesos.Job plain data
---@field id string
---@field state "waiting"|"running"|"finished"|"failed"|"cancelled"
---@field number integer the order of jobs
---@field definition mesos.jobs.Definition
---@field tries integer that were made
---@field failures integer of them, by the job's own fault
---@field losses integer of them, without it
---@field due number not before that time
---@field retry number? nor before this one, after a try that ended badly
---@field task_id mesos.TaskID? of the latest try
---@field agent_id mesos.AgentID? of it
---@field message string? why it waits or failed, or what the latest status said
---@field added number when it was added; and when the latest try began, and when the job ended:
---@field started number?
---@field ended number?

---@class mesos.Queue : mesos.Scheduler
---@field framework mesos.FrameworkInfo
local Queue = {}
Queue.__index = Queue

-- ---- what goes on ----

-- Asks for offers if a job could use them now. With `hurry`, those that were declined come again, too.
local function ask_for_offers(queue, hurry)
    if not queue.driver then
        return
    end
    local wanted = queue.ready.count > 0 and not placing.is_full(queue)
    queue.demand:want(queue.driver, wanted)
    if hurry and wanted then
        queue.demand:hurry(queue.driver)
    end
end

-- Calls on_end, which may wait; meanwhile the queue does not count as empty.
local function tell_end(queue, job)
    local _ <close> = setmetatable({}, { __close = function() queue.telling = queue.telling - 1 end })
    queue.telling, queue.news = queue.telling + 1, true
    if queue.options.on_end then
        queue.options.on_end(job, queue.driver)
    end
end

-- Tells the script which jobs have ended, and, once for each time that it comes to that, that nothing is left to do.
local function tell(queue)
    while queue.driver and queue.over[1] do
        tell_end(queue, table.remove(queue.over, 1))
    end
    local busy = queue.running > 0 or queue.ready.count > 0 or next(queue.later) ~= nil or queue.telling > 0
    if queue.driver and queue.news and not busy then
        queue.news = false
        if queue.options.on_empty then
            queue.options.on_empty(queue, queue.driver)
        end
    end
end

local function end_try(queue, job, status)
    life.end_try(queue, job, status)
    ask_for_offers(queue)
    tell(queue)
end

local function sort_in_due(queue, now)
    local due = {}
    for _, job in pairs(queue.later) do
        if job.due <= now then
            due[#due + 1] = job
        else
            queue.alarm:at(job.due)
        end
    end
    for _, job in ipairs(due) do
        life.sort_in(queue, job)
    end
end

local function give_up_unreachable(queue, now)
    for _, job in ipairs(queue:list("running")) do
        local limit = job.unreachable and job.unreachable + queue.options.unreachable
        if limit and limit <= now then
            life.end_try(queue, job, { state = "TASK_UNREACHABLE" })
        elseif limit then
            queue.alarm:at(limit)
        end
    end
end

-- What is due: jobs that waited for a time, agents that were out of reach for too long, schedules.
local function on_alarm(queue)
    sort_in_due(queue, mesos.now())
    give_up_unreachable(queue, mesos.now())
    queue.alarm:at(queue.schedules:run())
    ask_for_offers(queue, true)
    tell(queue)
end

-- ---- callbacks ----

-- Takes up the work with a driver: after a registration, or in a new version of the script. Each time the master is
-- asked at once for the tasks that run: a new version does not know what the one before it still asked for.
---@param driver mesos.SchedulerDriver
function Queue:start(driver)
    self.driver = driver
    self.schedules:forget_others()
    for _, job in ipairs(self:list("running")) do
        if job.cancelled then
            driver:killTask(job.task_id) -- a KILL may have been lost
        end
    end
    self.reconciler:start(driver)
    on_alarm(self) -- the last, as a callback of the script may wait or raise in it
end

local function place(queue, driver, offers)
    queue.driver = driver
    placing.place(queue, driver, offers)
    ask_for_offers(queue)
end

-- Launches jobs on the offers, as many as fit and may run. What is not used stays with the caller.
---@param driver mesos.SchedulerDriver
---@param offers mesos.Offers
function Queue:place(driver, offers)
    place(self, driver, offers)
    tell(self)
end

-- Places jobs, and declines what is left.
---@param driver mesos.SchedulerDriver
---@param offers mesos.Offers
function Queue:resourceOffers(driver, offers)
    place(self, driver, offers)
    driver:declineOffer(offers:ids(), { refuse_seconds = self.options.refuse })
    tell(self)
end

local function note_status(queue, job, status)
    job.message = status.message or status.reason and tostring(status.reason)
    job.unreachable = states.is_unreachable(status) and (job.unreachable or mesos.now()) or nil
    queue.alarm:at(job.unreachable and job.unreachable + queue.options.unreachable or math.huge)
    if queue.options.on_update then
        queue.options.on_update(job, status, queue.driver)
    end
end

-- Handles a status. True if its task is, or was, one of the queue's.
---@param driver mesos.SchedulerDriver
---@param status mesos.TaskStatus
---@return boolean
function Queue:statusUpdate(driver, status)
    local job = self.jobs[status.task_id:match("^(.*)%.%d+$")]
    self.driver = driver
    self.reconciler:answered(status)
    if not job then
        return false
    elseif job.task_id == status.task_id and job.state == "running" then
        note_status(self, job, status)
        if states.is_terminal(status) then
            end_try(self, job, status)
        end
    elseif states.is_active(status) and status.state ~= "TASK_KILLING" then
        driver:killTask(status.task_id) -- an earlier try, which was given up, is back
    end
    return true
end

-- Starts.
---@param driver mesos.SchedulerDriver
function Queue:registered(driver)
    self:start(driver)
end

-- Starts again, and asks for all tasks that should run.
---@param driver mesos.SchedulerDriver
function Queue:reregistered(driver)
    self:start(driver)
end

-- Starts in a new version of the script.
---@param driver mesos.SchedulerDriver
function Queue:reloaded(driver)
    self:start(driver)
end

-- The master has forgotten the framework and ended its tasks: what ran waits again.
---@param driver mesos.SchedulerDriver
---@param message string
---@return "reregister"
function Queue:frameworkRemoved(driver, message)
    mesos.log.warning("%s: the queue goes on as a new framework", message)
    for _, job in ipairs(self:list("running")) do
        life.lose(self, job)
    end
    return "reregister"
end

-- A job from outside (mesos-lua ctl TARGET submit). One with a duration and no command sleeps for so long.
---@param driver mesos.SchedulerDriver
---@param row table
---@return { id: string }
function Queue:submit(driver, row)
    local definition = {}
    for name, value in pairs(row) do
        definition[name] = value
    end
    definition.command = definition.command or definition.duration and ("sleep %s"):format(definition.duration)
    definition.duration, definition.at = nil, nil
    self.driver = driver
    return { id = self:add(definition) }
end

-- ---- for scripts ----

local function next_id(queue)
    if queue.driver then
        queue.state.submitted = (queue.state.submitted or 0) + 1
        return "submitted-" .. queue.state.submitted
    end
    queue.unnamed = queue.unnamed + 1
    return "job-" .. queue.unnamed
end

local function check_job(queue, path, definition)
    definitions.check(definition, path)
    for _, other in ipairs(definitions.after(definition)) do
        if not queue.jobs[other] then
            fields.raise("%s: there is no job '%s' to come after; jobs are added in their order%s", path, other,
                fields.hint(other, queue.jobs))
        end
    end
end

local function new_job(queue, id)
    queue.state.number = queue.state.number + 1
    return {
        id = id, state = "waiting", number = queue.state.number, tries = 0, failures = 0, losses = 0,
        added = mesos.now(),
    }
end

-- Puts a job among the others. The definition is the queue's own from here on.
local function put(queue, id, definition)
    local job = queue.jobs[id]
    check_job(queue, ("job '%s'"):format(id), definition)
    if job then
        life.take_out(queue, job)
    else
        job = new_job(queue, id)
    end
    job.definition, job.due = definition, math.max(job.retry or 0, definition.not_before or 0)
    queue.jobs[id] = job
    life.follow(queue, job)
    life.sort_in(queue, job)
    return id
end

-- Adds a job, behind those that it comes after, and returns its id.
---@param definition mesos.jobs.Definition
---@return string id
function Queue:add(definition)
    local id = definition.id or next_id(self)
    self.listed[id] = self.listed[id] or not self.driver or nil
    if self.jobs[id] and self.jobs[id].state ~= "waiting" then
        return id
    end
    put(self, id, fields.copy(definition))
    ask_for_offers(self, true)
    tell(self)
    return id
end

-- Adds a job again and again, at times of cron or every so many seconds, but never one beside the other. To be called
-- in the main chunk: a schedule that a new version of the script does not have is forgotten. The jobs have the ids
-- ID@TIME.
---@param definition mesos.jobs.Definition|mesos.schedules.Timing
function Queue:schedule(definition)
    local job, timing = {}, {}
    for name, value in pairs(fields.copy(definition)) do
        (schedules.FIELDS[name] and timing or job)[name] = value
    end
    fields.kind(job.id, "string", "schedule.id")
    check_job(self, ("schedule '%s'"):format(job.id), job)
    self.recurring[job.id] = job
    self.schedules:set(job.id, timing)
    if self.driver then
        on_alarm(self)
    end
end

-- What is known of a job, as it lies in mesos.state; nil if there is none of that id, or no longer.
---@param id string
---@return mesos.Job?
function Queue:get(id)
    return self.jobs[id]
end

-- The jobs in a state, or all, in the order in which they were added.
---@param state string?
---@return mesos.Job[]
function Queue:list(state)
    local list = {}
    for _, job in pairs(self.jobs) do
        if not state or job.state == state then
            list[#list + 1] = job
        end
    end
    table.sort(list, function(a, b) return a.number < b.number end)
    return list
end

-- How many jobs are in each state.
---@return table<string, integer>
function Queue:counts()
    local counts = { waiting = 0, running = 0, finished = 0, failed = 0, cancelled = 0 }
    for _, job in pairs(self.jobs) do
        counts[job.state] = counts[job.state] + 1
    end
    return counts
end

-- Ends a job: one that waits at once, one that runs when its task has been killed. False if it has ended already.
---@param id string
---@return boolean
function Queue:cancel(id)
    local job = self.jobs[id]
    if not job or life.has_ended(job) then
        return false
    end
    job.cancelled = true
    if job.state == "running" then
        if self.driver then -- in the main chunk there is none yet: start() kills it
            self.driver:killTask(job.task_id)
        end
    else
        life.close(self, job, "cancelled")
        tell(self)
    end
    return true
end

local function why_it_waits(queue, job)
    local message = job.message and ": " .. job.message or ""
    local before = life.obstacle(queue, job)
    if before then
        return ("for %s, which is %s"):format(before, queue.jobs[before].state)
    elseif job.due > mesos.now() then
        return ("for another %.0f s, after %d failures and %d losses%s"):format(job.due - mesos.now(), job.failures,
            job.losses, message)
    elseif placing.is_full(queue) then
        return ("for its turn: %d jobs run, which is the most"):format(queue.running)
    end
    return "for an offer" .. message, definitions.need(job.definition)
end

local function explain_schedule(queue, id)
    local kept = queue.state.schedules[id]
    local last = kept.last and queue.jobs[kept.last]
    local time = kept.next and os.date("!%Y-%m-%d %H:%M:%S UTC", math.tointeger(kept.next // 1)) or "never"
    return ("%s is a schedule; its next job comes: %s%s"):format(id, time,
        last and ("; %s is %s"):format(last.id, last.state) or "")
end

-- Why a job is where it is, or when a schedule comes, in a sentence; if the job waits for an offer, also what
-- driver:explain() says of its need. `mesos-lua ctl TARGET why ID` prints both.
---@param id string
---@return string
---@return table? offers
function Queue:explain(id)
    local job = self.jobs[id]
    if not job and self.recurring[id] then
        return explain_schedule(self, id)
    elseif not job then
        return ("there is no job '%s'%s"):format(id, fields.hint(id, self.jobs))
    elseif job.state ~= "waiting" then
        return ("%s is %s%s"):format(id, job.state, job.message and ": " .. job.message or "")
    end
    local text, need = why_it_waits(self, job)
    return ("%s waits %s"):format(id, text), need and self.driver and self.driver:explain(need)
end

-- ---- making a queue ----

local function merged(...)
    local result = {}
    for _, part in ipairs { ... } do
        for name, value in pairs(part) do
            result[name] = value
        end
    end
    return result
end

local function add_recurring(queue, id, at)
    local name, job = id .. os.date("!@%Y-%m-%dT%H:%M:%SZ", math.tointeger(at // 1)), fields.copy(queue.recurring[id])
    job.id = name
    for number = 2, math.huge do -- more than one in a second
        if not queue.jobs[job.id] then
            return put(queue, job.id, job)
        end
        job.id = name .. "-" .. number
    end
end

-- What lies in mesos.state is taken up: nothing that is needed beside it is kept.
local function take_up(queue)
    for _, job in pairs(queue.jobs) do
        life.follow(queue, job)
        if job.state == "running" then
            life.count(queue, job, true)
        end
    end
    for _, job in ipairs(queue:list("waiting")) do
        life.sort_in(queue, job)
    end
end

-- A queue with the jobs that lie in mesos.state.
---@param options mesos.jobs.Options?
---@return mesos.Queue
function M.queue(options)
    options = fields.check(options or {}, OPTIONS, "queue")
    backoff.check(options.backoff, "queue.backoff")
    local key = options.key or "jobs"
    mesos.state[key] = mesos.state[key] or { jobs = {}, ended = {}, schedules = {}, number = 0 }
    local state = mesos.state[key]
    local queue = setmetatable({
        framework = framework.with_defaults(options.name, options.framework), options = merged(DEFAULTS, options),
        state = state, jobs = state.jobs, later = {}, followers = {}, beside = {}, recurring = {}, listed = {},
        over = {}, running = 0, telling = 0, unnamed = 0,
        ready = fair.new { weights = options.weights }, demand = demand.new(),
    }, Queue)
    queue.alarm = alarm.new(function() on_alarm(queue) end)
    queue.reconciler = reconcile.new { tasks = function() return queue:list("running") end }
    queue.schedules = schedules.new {
        kept = state.schedules, add = function(id, at) return add_recurring(queue, id, at) end,
        is_busy = function(id) return queue.jobs[id] ~= nil and not life.has_ended(queue.jobs[id]) end,
    }
    take_up(queue)
    return queue
end

return M
