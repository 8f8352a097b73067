-- SPDX-License-Identifier: Apache-2.0
--
-- RECONCILE of many tasks on the local cluster, in the shape of Mesos's own benchmark: from the call to the end of the
-- last callback, with master and framework in one process, whose CPU time, that of the kernel included, is the figure, as
-- it is busy all the time and others may be busy too. The master does not know the tasks
-- and makes an update for each; those have no uuid, and are not acknowledged. In the second half the script answers
-- each with an acknowledgement of its own making, and the time ends when the master has taken the last one, which shows
-- by the answer to one more RECONCILE behind them. Fails if an update is missing.
--
--   LUA_PATH='spec/?.lua;;' LUA_CPATH='build/spec/?.so;;' lua5.4 spec/bench/reconcile.lua

local program = require("support.program")

local SCRIPT = [[
local mesos = require "mesos"
local SIZES, TIMES = { 1000, 10000, 50000, 100000 }, 5
local acknowledges = arg[1] == "acknowledge"
local UUID, LAST = "\x10\x32\x54\x76\x98\xba\x4c\xfe\x81\x01\x23\x45\x67\x89\xab\xcd", "last"
local s = { framework = { name = "bench" }, implicitAcknowledgements = not acknowledges }
local sizes, round, size, seen, start, cpu = 1, 0

local function begin(driver)
    round = round + 1
    if round > TIMES then
        sizes, round = sizes + 1, 1
    end
    size = SIZES[sizes]
    if not size then
        return driver:stop()
    end
    local statuses = {}
    for i = 1, size do
        statuses[i] = { task_id = "task-" .. i, agent_id = "unknown-S0", state = "TASK_STAGING" }
    end
    seen, start, cpu = 0, mesos.now(), os.clock()
    driver:reconcileTasks(statuses)
end

local function finish(driver)
    print(size, mesos.now() - start, os.clock() - cpu)
    mesos.after(0.1, function() begin(driver) end) -- rounds begin with a quiet process
end

function s:registered(driver)
    begin(driver)
end

function s:statusUpdate(driver, status)
    if status.task_id == LAST then
        return finish(driver)
    end
    seen = seen + 1
    if status.task_id ~= "task-" .. seen or status.state ~= "TASK_LOST" then
        error(status.task_id .. " came as the " .. seen .. "th")
    end
    if acknowledges then
        driver:acknowledgeStatusUpdate { task_id = status.task_id, agent_id = status.agent_id, uuid = UUID,
            state = status.state }
        if seen == size then
            driver:reconcileTasks { { task_id = LAST, agent_id = "unknown-S0" } }
        end
    elseif seen == size then
        finish(driver)
    end
end

return s
]]

local function median(values)
    table.sort(values)
    return values[(#values + 1) // 2]
end

local function measure(...)
    local run = program.run { args = { "--log-level", "error", program.script(SCRIPT), ... }, seconds = 120 }
    assert(run.code == 0 and run.stderr == "", run:report():sub(1, 1000))
    local walls, times = {}, {}
    for size, wall, cpu in run.stdout:gmatch("(%d+)\t(%S+)\t(%S+)\n") do
        size = math.tointeger(size)
        walls[size], times[size] = walls[size] or {}, times[size] or {}
        table.insert(walls[size], tonumber(wall))
        table.insert(times[size], tonumber(cpu))
    end
    for size, values in pairs(times) do
        assert(#values == 5, "rounds are missing")
        times[size], walls[size] = median(values), median(walls[size])
    end
    assert(times[100000], "the largest is missing")
    return times, walls
end

local function report(what, name, times, walls)
    local largest = 100000
    for _, size in ipairs { 1000, 10000, 50000, largest } do
        print(("%-20s %7d tasks %8.1f ms of CPU, %6.2f us each, %8.1f ms by the clock"):format(what, size,
            times[size] * 1e3, times[size] / size * 1e6, walls[size] * 1e3))
    end
    print(("figure %s %.2f"):format(name, times[largest]))
    print(("figure %s-exponent %.2f"):format(name, math.log(times[largest] / times[1000], largest / 1000)))
end

report("reconcile", "reconcile", measure())
report("with own answers", "reconcile-acknowledge", measure("acknowledge"))
program.cleanup()
