-- NAME: keeps COUNT instances of a command alive, and starts others for those that end, not too soon.
--
--   mesos-lua NAME.lua [COUNT]                  on a local cluster of its own
--   mesos-lua -m HOST:PORT NAME.lua [COUNT]     on a real one
--   mesos-lua test                              its tests, spec/NAME_spec.lua

local mesos = require "mesos"
local states = require "mesos.states"

local COUNT = math.tointeger(tonumber(arg[1] or 2)) or error("NAME.lua: COUNT is a whole number")
local COMMAND = "while true; do date; sleep 10; done"
local NEED = { cpus = 0.1, mem = 32 }
local LONGEST = 60 -- seconds between the end of an instance and the start of the next

---@type mesos.Scheduler
local scheduler = { framework = { name = "NAME", failover_timeout = 3600 } }

-- Kept over edits of this file: the instances, the number of the last one, failures in a row.
local state = mesos.state
state.live, state.number, state.failures = state.live or {}, state.number or 0, state.failures or 0
local paused = false

local function missing()
    local count = COUNT
    for _ in pairs(state.live) do
        count = count - 1
    end
    return paused and 0 or math.max(count, 0)
end

local function task_of(offer, resources)
    state.number = state.number + 1
    local id = "NAME-" .. state.number
    state.live[id] = true
    return {
        name = "NAME", task_id = id, agent_id = offer.agent_id, resources = resources, command = { value = COMMAND },
    }
end

function scheduler:resourceOffers(driver, offers)
    local tasks = {}
    for _ = 1, missing() do
        local offer = offers:worst_fit(NEED) -- spreads the instances
        if not offer then
            break
        end
        tasks[offer.id] = tasks[offer.id] or {}
        table.insert(tasks[offer.id], task_of(offer, assert(offers:take(offer, NEED))))
    end
    for id, list in pairs(tasks) do
        driver:launchTasks(id, list)
    end
    driver:declineOffer(offers:ids(), { refuse_seconds = missing() > 0 and 1 or 3600 })
end

-- The next instance waits the longer, the more have failed in a row.
local function pause(driver)
    state.failures = state.failures + 1
    paused = true
    mesos.after(math.min(2 ^ state.failures, LONGEST), function()
        paused = false
        driver:reviveOffers()
    end)
end

-- The new version may want more instances, and has no pause.
function scheduler:reloaded(driver)
    driver:reviveOffers()
end

function scheduler:statusUpdate(driver, status)
    mesos.log.info("%s is %s %s", status.task_id, status.state, status.message or "")
    if status.state == "TASK_RUNNING" then
        state.failures = 0
    elseif states.is_terminal(status) and state.live[status.task_id] then
        state.live[status.task_id] = nil
        pause(driver)
    end
end

return scheduler
