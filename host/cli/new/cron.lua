-- NAME: runs commands at times of cron, never one of them twice at a time.
--
--   mesos-lua NAME.lua                  on a local cluster of its own
--   mesos-lua -m HOST:PORT NAME.lua     on a real one
--   mesos-lua test                      its tests, spec/NAME_spec.lua

local cron = require "mesos.cron"
local mesos = require "mesos"
local states = require "mesos.states"

local JOBS = {
    { id = "often", at = "*/5 * * * *", command = "date" },
    { id = "hourly", at = "@hourly", command = "echo one more hour" },
}
local NEED = { cpus = 0.1, mem = 32 }

---@type mesos.Scheduler
local scheduler = { framework = { name = "NAME" } }
local waiting = {} -- jobs

-- Kept over edits of this file: task id -> id of its job.
local running = mesos.state.running or {}
mesos.state.running = running

local function task_of(job, offer, resources)
    local id = ("%s-%d"):format(job.id, mesos.now() // 1)
    running[id] = job.id
    return {
        name = job.id, task_id = id, agent_id = offer.agent_id, resources = resources,
        command = { value = job.command },
    }
end

local function is_busy(job)
    for _, id in pairs(running) do
        if id == job.id then
            return true
        end
    end
    for _, other in ipairs(waiting) do
        if other == job then
            return true
        end
    end
    return false
end

local function start_due(driver, job)
    if is_busy(job) then
        mesos.log.warning("%s still runs: this time is left out", job.id)
        return
    end
    table.insert(waiting, job)
    driver:reviveOffers()
end

-- Calls itself at each time of the job.
local function schedule(driver, job)
    local now = mesos.now()
    mesos.after(cron.parse(job.at):next(now) - now, function()
        start_due(driver, job)
        schedule(driver, job)
    end)
end

function scheduler:registered(driver)
    for _, job in ipairs(JOBS) do
        schedule(driver, job)
    end
end

function scheduler:reloaded(driver)
    self:registered(driver)
end

function scheduler:resourceOffers(driver, offers)
    local tasks = {}
    for _ = 1, #waiting do
        local offer = offers:best_fit(NEED)
        if not offer then
            break
        end
        tasks[offer.id] = tasks[offer.id] or {}
        table.insert(tasks[offer.id], task_of(table.remove(waiting, 1), offer, assert(offers:take(offer, NEED))))
    end
    for id, list in pairs(tasks) do
        driver:launchTasks(id, list)
    end
    driver:declineOffer(offers:ids(), { refuse_seconds = #waiting > 0 and 1 or 3600 })
end

function scheduler:statusUpdate(_, status)
    mesos.log.info("%s is %s %s", status.task_id, status.state, status.message or "")
    if states.is_terminal(status) then
        running[status.task_id] = nil
    end
end

return scheduler
