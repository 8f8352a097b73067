-- SPDX-License-Identifier: Apache-2.0
--
-- A framework with an executor of its own, examples/executor.lua: it launches some tasks on one executor, prints what
-- they report, kills one that would take too long, and shuts the executor down when it has nothing left to do. Exits
-- with 0 if all went so.
--
--   mesos-lua examples/own_executor.lua [PROGRAM]
--
-- PROGRAM is mesos-lua as an agent finds it. On a real cluster the executor's files come with `command.uris`.

local mesos = require "mesos"

local LIMITS = { 5000, 10000, 20000, 1e9 } -- the last one is killed
local LONGEST = #LIMITS

local own = { framework = { name = "own_executor" } }
local launched, over, agent = false, 0, nil

-- An executor is started in a folder of its own.
local function absolute(path)
    return assert(mesos.exec { "realpath", path }).stdout:match("[^\n]+")
end

-- Tasks with the same ExecutorInfo share one process.
local function executor()
    local program = arg[1] and absolute(arg[1]) or "mesos-lua"
    local script = absolute(arg[0]):gsub("[^/]*$", "executor.lua")
    return {
        executor_id = "primes", type = "CUSTOM", name = "counts primes",
        command = { value = ("exec '%s' executor '%s'"):format(program, script) },
        resources = mesos.resources { cpus = 0.1, mem = 64 },
    }
end

function own:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        if launched then
            driver:declineOffer(offer.id)
        else
            launched, agent = true, offer.agent_id
            local tasks = {}
            for i, limit in ipairs(LIMITS) do
                tasks[i] = {
                    name = "primes", task_id = "primes-" .. i, agent_id = agent, executor = executor(),
                    data = ("%d"):format(limit), resources = mesos.resources { cpus = 0.1, mem = 32 },
                }
            end
            driver:launchTasks(offer.id, tasks)
        end
    end
end

function own:frameworkMessage(_, executorId, _, data)
    print(executorId .. " says " .. data)
end

local ENDS = { TASK_FINISHED = true, TASK_KILLED = true }
local ON_THE_WAY = { TASK_STAGING = true, TASK_STARTING = true, TASK_RUNNING = true, TASK_KILLING = true }

function own:statusUpdate(driver, status)
    mesos.log.info("%s is %s %s", status.task_id, status.state, status.message or "")
    if ENDS[status.state] then
        over = over + 1
    elseif not ON_THE_WAY[status.state] then
        mesos.exit(1)
    end
    if over == LONGEST - 1 and status.state == "TASK_FINISHED" then
        driver:killTask("primes-" .. LONGEST, { agent_id = agent })
    elseif over == LONGEST then
        driver:shutdownExecutor("primes", agent)
    end
end

function own:executorLost(driver, executorId, _, status)
    mesos.log.info("%s has ended with status %d", executorId, status)
    if over == LONGEST and status == 0 then
        driver:stop()
    else
        mesos.exit(1)
    end
end

return own
