-- SPDX-License-Identifier: Apache-2.0
--
-- Runs a task for each line that a program prints, as it prints it. The program is ended when it has printed nothing
-- for some seconds, the framework when all its tasks have ended.
--
--   mesos-lua examples/process.lua SECONDS PROGRAM [ARG...]

local mesos = require "mesos"

local seconds = tonumber(arg[1])
if not seconds or not arg[2] then
    print("usage: mesos-lua process.lua SECONDS PROGRAM [ARG...]")
    mesos.exit(2)
end

local feed = { framework = { name = "process" } }
local waiting, active, ended = {}, 0, false
local program, silence

local function wait_for_more()
    if silence then
        silence:cancel()
    end
    silence = mesos.after(seconds, function()
        mesos.log.info("ending process %s", program:pid())
        program:kill()
    end)
end

local function on_output(text)
    for line in text:gmatch("[^\n]+") do
        table.insert(waiting, line)
    end
    wait_for_more()
end

local function end_if_done(driver)
    if ended and #waiting == 0 and active == 0 then
        driver:stop()
    end
end

function feed:registered(driver)
    program = assert(mesos.process(table.move(arg, 2, #arg, 1, {}), { stdout = on_output }))
    wait_for_more()
    mesos.spawn(function()
        local result = assert(program:wait())
        mesos.log.info("it has ended with %s", result.signal and "signal " .. result.signal or result.status)
        silence:cancel()
        ended = true
        end_if_done(driver)
    end)
end

function feed:resourceOffers(driver, offers)
    local need = { cpus = 0.1, mem = 32 }
    while #waiting > 0 do
        local offer = offers:best_fit(need)
        if not offer then
            break
        end
        active = active + 1
        local line = table.remove(waiting, 1)
        driver:launchTasks(offer.id, { { name = line, task_id = mesos.uuid(), agent_id = offer.agent_id,
            command = { value = line }, resources = offers:take(offer, need) } })
    end
    driver:declineOffer(offers:ids(), { refuse_seconds = 0.2 })
end

function feed:statusUpdate(driver, status)
    local task = driver:task(status.task_id)
    if not task.active then
        active = active - 1
        mesos.state[task.task_id] = { task = task:table(), status = status:table() } -- plain copies can be kept
        print(task.name, task.state)
        end_if_done(driver)
    end
end

return feed
