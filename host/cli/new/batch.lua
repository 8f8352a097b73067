-- NAME: runs a list of commands, each until it succeeds, at most TRIES times, and ends.
--
--   mesos-lua NAME.lua                  on a local cluster of its own
--   mesos-lua -m HOST:PORT NAME.lua     on a real one
--   mesos-lua test                      its tests, spec/NAME_spec.lua

local mesos = require "mesos"
local states = require "mesos.states"

local COMMANDS = { "echo one", "echo two", "echo three" }
local NEED = { cpus = 0.1, mem = 32 }
local TRIES = 3

---@type mesos.Scheduler
local scheduler = { framework = { name = "NAME" } }
local waiting, running, failed = {}, {}, 0

for i, command in ipairs(COMMANDS) do
    waiting[i] = { id = "NAME-" .. i, command = command, tries = 0 }
end

local function task_of(job, offer, resources)
    job.tries = job.tries + 1
    local id = job.id .. "." .. job.tries
    running[id] = job
    return {
        name = job.id, task_id = id, agent_id = offer.agent_id, resources = resources,
        command = { value = job.command },
    }
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

function scheduler:statusUpdate(driver, status)
    mesos.log.info("%s is %s %s", status.task_id, status.state, status.message or "")
    local job = running[status.task_id]
    if not job or not states.is_terminal(status) then
        return
    end
    running[status.task_id] = nil
    if states.is_success(status) then
        mesos.log.info("%s is done", job.id)
    elseif job.tries < TRIES then
        table.insert(waiting, job)
        driver:reviveOffers()
    else
        failed = failed + 1
    end
    if #waiting == 0 and next(running) == nil then
        mesos.exit(failed == 0 and 0 or 1)
    end
end

return scheduler
