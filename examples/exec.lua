-- SPDX-License-Identifier: Apache-2.0
--
-- Asks a program what to run, and tells a web server the results: each line that the program prints is a shell
-- command, and becomes a task. Both wait without holding up anything but the callback.
--
--   mesos-lua examples/exec.lua seq -f 'sleep %g' 5
--   NOTE_TO=http://127.0.0.1:8080/results mesos-lua examples/exec.lua ./what-is-to-do --today

local mesos = require "mesos"

local PATIENCE = 30 -- seconds that the program may take

local runner = { framework = { name = "exec" } }

if #arg == 0 then
    print("usage: mesos-lua exec.lua PROGRAM [ARG...]")
    mesos.exit(2)
end

local waiting, launched, over, failed = {}, 0, 0, 0

local function ask()
    local result, message = mesos.exec({ table.unpack(arg) }, { timeout = PATIENCE })
    if not result or result.status ~= 0 then
        mesos.log.error("%s: %s", arg[1], message or result.stderr)
        mesos.exit(1)
    end
    local commands = {}
    for line in result.stdout:gmatch("[^\n]+") do
        commands[#commands + 1] = line
    end
    return commands
end

local function note()
    local url = os.getenv("NOTE_TO")
    local reply, message = nil, "NOTE_TO is not set"
    if url then
        reply, message = mesos.http { url = url, body = ("%d failed\n"):format(failed), timeout = 5 }
    end
    if reply then
        mesos.log.info("noted: %d", reply.status)
    else
        mesos.log.info("not noted: %s", message)
    end
end

function runner:registered()
    waiting = ask() -- offers come when this has returned
    print(("%d to do"):format(#waiting))
end

function runner:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        local tasks = {}
        for _ = 1, math.min(offer.cpus // 0.1, #waiting) do
            local command = table.remove(waiting, 1)
            launched = launched + 1
            tasks[#tasks + 1] = {
                name = command, task_id = ("exec-%d"):format(launched), agent_id = offer.agent_id,
                command = { value = command }, resources = mesos.resources { cpus = 0.1, mem = 16 },
            }
        end
        driver:launchTasks(offer.id, tasks)
    end
end

local OVER = { TASK_FINISHED = 0, TASK_FAILED = 1, TASK_KILLED = 1, TASK_ERROR = 1, TASK_LOST = 1 }

function runner:statusUpdate(driver, status)
    if not OVER[status.state] then
        return
    end
    over, failed = over + 1, failed + OVER[status.state]
    print(("%s is %s"):format(status.task_id, status.state))
    if over == launched and #waiting == 0 then
        note()
        driver:stop()
    end
end

return runner
