-- SPDX-License-Identifier: Apache-2.0
--
-- A framework that keeps instances of a program alive, whatever happens to the cluster:
--
--   mesos-lua --agents 3 --masters 3 --agent-timeout 0.5 --registration-backoff 0.2 \
--     --faults examples/chaos_faults.lua examples/chaos.lua
--
-- An instance that is lost, or on an agent that cannot be reached, is started again under another id; one that comes
-- back although it was replaced is killed. Calls and updates may be lost on the way, so it asks for the state of its
-- tasks every second. When the faults are over it waits until all is well, asks the master once more, and ends: with 0
-- if exactly the instances that it wants are running.

local mesos = require "mesos"

local INSTANCES, SECONDS = tonumber(arg[1]) or 6, tonumber(arg[2]) or 7
local NEED = { cpus = 0.1, mem = 16 }
local ALIVE = { TASK_STAGING = true, TASK_STARTING = true, TASK_RUNNING = true, TASK_KILLING = true }

local chaos = {
    framework = {
        name = "chaos", failover_timeout = 600, checkpoint = true, roles = { "*" },
        capabilities = { { type = "PARTITION_AWARE" }, { type = "MULTI_ROLE" }, { type = "RESERVATION_REFINEMENT" } },
    },
}
local current = {} -- number of the instance -> its task: { id =, agent =, state = }
local instance = {} -- task id -> the number
local started, answers = 0, nil

local function launch(driver, offers)
    for number = 1, INSTANCES do
        local offer = not current[number] and offers:best_fit(NEED)
        if offer then
            started = started + 1
            local id = ("instance-%d.%d"):format(number, started)
            current[number] = { id = id, agent = offer.agent_id, state = "TASK_STAGING" }
            instance[id] = number
            driver:launchTasks(offer.id, { {
                name = "instance", task_id = id, agent_id = offer.agent_id, command = { value = "exec sleep 600" },
                resources = mesos.resources(NEED),
            } }, { refuse_seconds = 0 })
            offers = mesos.offers(offers:filter(function(other) return other.id ~= offer.id end))
        end
    end
    return offers
end

function chaos:resourceOffers(driver, offers)
    for _, offer in ipairs(launch(driver, offers)) do
        driver:declineOffer(offer.id, { refuse_seconds = 0.2 })
    end
end

function chaos:statusUpdate(driver, status)
    local id, number = status.task_id, instance[status.task_id]
    local task = number and current[number]
    if answers then
        answers[id] = status.state
    end
    if task and task.id == id then
        task.state = status.state
        if not ALIVE[status.state] then
            mesos.log.info("%s is %s (%s): another one starts", id, status.state, status.reason or "no reason")
            current[number] = nil
        end
    elseif ALIVE[status.state] and status.state ~= "TASK_KILLING" then
        mesos.log.info("%s is back, and was replaced: it is killed", id)
        driver:killTask(id, { agent_id = status.agent_id })
    end
end

local function reconcile(driver)
    local tasks = {}
    for _, task in pairs(current) do
        tasks[#tasks + 1] = { task_id = task.id, agent_id = task.agent, state = task.state }
    end
    if #tasks > 0 then
        driver:reconcileTasks(tasks)
    end
end

-- True if the master knows the instances that there should be, and no others.
local function is_well(driver)
    answers = {}
    driver:reconcileTasks {}
    mesos.sleep(1)
    local known = answers
    answers = nil
    local running = 0
    for id, state in pairs(known) do
        local task = current[instance[id]]
        if state ~= "TASK_RUNNING" or not task or task.id ~= id then
            return false
        end
        running = running + 1
    end
    return running == INSTANCES
end

function chaos:registered(driver)
    mesos.spawn(function()
        local start = mesos.now()
        while mesos.now() < start + SECONDS do
            mesos.sleep(1)
            reconcile(driver)
        end
        for _ = 1, 30 do
            reconcile(driver)
            if is_well(driver) then
                print(("%d instances run, %d were started, none is lost"):format(INSTANCES, started))
                return driver:stop()
            end
        end
        print("some instances are lost")
        mesos.exit(1)
    end)
end

return chaos
