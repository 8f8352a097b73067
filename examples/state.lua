-- SPDX-License-Identifier: Apache-2.0
--
-- A job queue that survives restarts: runs each command once, even if this program is stopped or killed meanwhile.
-- Start it again with the same state file, and it continues where it was; it finds the tasks that still run.
--
--   mesos-lua --master HOST:5050 --state jobs.state examples/state.lua 'sleep 5' 'make -C /src' ...
--
-- The commands are those of the first start. When all are done it says so, at each start, until the file is removed.
--
-- The order makes it safe: the script writes into mesos.state what it is about to do, and with --state no call is sent
-- before that is on disk. A task that was written but never launched, because the program died in between, is found by
-- reconciliation: the master does not know its id.

local mesos = require "mesos"

local TRIES = 3

local queue = { framework = { name = "queue", failover_timeout = 3600 } }

local state = mesos.state
if not state.jobs then -- the first start
    state.jobs = {}
    for number, command in ipairs(arg) do
        state.jobs[number] = { number = number, command = command, state = "waiting", tries = 0, losses = 0 }
    end
end
if #state.jobs == 0 then
    print("usage: mesos-lua --state FILE state.lua COMMAND...")
    mesos.exit(2)
end

local function count(what)
    local total = 0
    for _, job in ipairs(state.jobs) do
        total = total + (job.state == what and 1 or 0)
    end
    return total
end

local function finish_if_done(driver)
    local done, failed = count("done"), count("failed")
    if done + failed < #state.jobs then
        return
    end
    for _, job in ipairs(state.jobs) do
        print(("%4d  %-6s  %s"):format(job.number, job.state, job.command))
    end
    print(("%d done, %d failed"):format(done, failed))
    driver:stop()
end

-- Asks for the tasks that should run, by name: an answer comes also for those that the master never heard of. A master
-- that has just been elected may not answer yet, so this is done again now and then.
local function reconcile(driver)
    local tasks = {}
    for _, job in ipairs(state.jobs) do
        if job.state == "running" then
            tasks[#tasks + 1] = { task_id = job.task_id, agent_id = job.agent_id }
        end
    end
    if #tasks > 0 then
        driver:reconcileTasks(tasks)
    end
end

function queue:registered(driver)
    reconcile(driver)
    mesos.every(30, function() reconcile(driver) end)
    finish_if_done(driver)
end

function queue:reregistered(driver)
    reconcile(driver)
end

-- A framework that was away for longer than its failover timeout has lost its tasks: the queue goes on as a new one.
function queue:frameworkRemoved(_, message)
    mesos.log.warning("%s: going on as a new framework", message)
    return "reregister"
end

local function take_next(offer)
    for _, candidate in ipairs(state.jobs) do
        if candidate.state == "waiting" then
            candidate.state, candidate.tries = "running", candidate.tries + 1
            candidate.task_id = ("job-%d-%d"):format(candidate.number, candidate.tries + candidate.losses)
            candidate.agent_id = offer.agent_id
            return candidate
        end
    end
end

function queue:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        local tasks, room = {}, math.min(offer.cpus // 0.1, offer.mem // 32)
        while #tasks < room do
            local job = take_next(offer)
            if not job then
                break
            end
            tasks[#tasks + 1] = {
                name = "job " .. job.number, task_id = job.task_id, agent_id = offer.agent_id,
                command = { value = job.command }, resources = mesos.resources { cpus = 0.1, mem = 32 },
            }
        end
        driver:launchTasks(offer.id, tasks, { refuse_seconds = 1 })
    end
end

local ENDS = {
    TASK_FINISHED = "done", TASK_FAILED = "failed", TASK_KILLED = "failed", TASK_ERROR = "failed", TASK_LOST = "lost",
    TASK_DROPPED = "lost", TASK_GONE = "lost", TASK_UNKNOWN = "lost",
}

-- Updates may come twice, and late; only those of the attempt that is noted as running count.
function queue:statusUpdate(driver, status)
    local number = tonumber(status.task_id:match("^job%-(%d+)%-"))
    local job = state.jobs[number]
    local become = ENDS[status.state]
    if not job or job.task_id ~= status.task_id or job.state ~= "running" or not become then
        return
    end
    mesos.log.info("job %d: %s %s", number, status.state, status.message or "")
    if become == "lost" then
        job.tries, job.losses, become = job.tries - 1, job.losses + 1, "waiting"
    elseif become == "failed" and job.tries < TRIES then
        become = "waiting"
    end
    job.state = become
    finish_if_done(driver)
end

return queue
