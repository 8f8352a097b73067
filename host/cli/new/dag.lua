-- NAME: runs steps, each when those that it comes after are done, and ends.
--
--   mesos-lua NAME.lua                  on a local cluster of its own
--   mesos-lua -m HOST:PORT NAME.lua     on a real one
--   mesos-lua test                      its tests, spec/NAME_spec.lua

local mesos = require "mesos"
local states = require "mesos.states"

local STEPS = {
    { id = "fetch", command = "echo fetched", after = {} },
    { id = "count", command = "echo counted", after = { "fetch" } },
    { id = "sort", command = "echo sorted", after = { "fetch" } },
    { id = "report", command = "echo reported", after = { "count", "sort" } },
}
local NEED = { cpus = 0.1, mem = 32 }

---@type mesos.Scheduler
local scheduler = { framework = { name = "NAME" } }
local progress = {} -- of a step, by its id: nil, "running", "done"

local function is_ready(step)
    for _, id in ipairs(step.after) do
        if progress[id] ~= "done" then
            return false
        end
    end
    return progress[step.id] == nil
end

local function task_of(step, offer, resources)
    progress[step.id] = "running"
    return {
        name = step.id, task_id = step.id, agent_id = offer.agent_id, resources = resources,
        command = { value = step.command },
    }
end

function scheduler:resourceOffers(driver, offers)
    local tasks = {}
    for _, step in ipairs(STEPS) do
        local offer = is_ready(step) and offers:best_fit(NEED)
        if offer then
            tasks[offer.id] = tasks[offer.id] or {}
            table.insert(tasks[offer.id], task_of(step, offer, assert(offers:take(offer, NEED))))
        end
    end
    for id, list in pairs(tasks) do
        driver:launchTasks(id, list)
    end
    driver:declineOffer(offers:ids(), { refuse_seconds = 3600 }) -- until a step ends
end

local function all_done()
    for _, step in ipairs(STEPS) do
        if progress[step.id] ~= "done" then
            return false
        end
    end
    return true
end

function scheduler:statusUpdate(driver, status)
    mesos.log.info("%s is %s %s", status.task_id, status.state, status.message or "")
    if not states.is_terminal(status) then
        return
    elseif not states.is_success(status) then
        mesos.log.error("the step %s has failed, and what comes after it is not run", status.task_id)
        mesos.exit(1)
    end
    progress[status.task_id] = "done"
    if all_done() then
        mesos.exit(0)
    end
    driver:reviveOffers()
end

return scheduler
