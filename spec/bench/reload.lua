-- SPDX-License-Identifier: Apache-2.0
--
-- How long a reload holds up the events: swaps a script of 1,000 lines again and again, with outstanding offers and some
-- state, and takes the figures from the log.
--
--   LUA_PATH='spec/?.lua;;' LUA_CPATH='build/spec/?.so;;' lua5.4 spec/bench/reload.lua [LINES [TIMES]]

local LINES, TIMES = tonumber(arg[1]) or 1000, tonumber(arg[2]) or 100

local master = require("support.master")
local program = require("support.program")

local FUNCTION = [[
local function decide_%d(offer, task)
    local wanted = { cpus = task.cpus or 0.1, mem = task.mem or 32, disk = task.disk or 0 }
    for name, amount in pairs(wanted) do
        if offer[name] < amount then
            return nil, ("offer %%s has too little %%s"):format(offer.id, name)
        end
    end
    return { name = task.name, task_id = "decided-%d-" .. task.id, agent_id = offer.agent_id }
end
decisions[#decisions + 1] = decide_%d
]]

local function policy()
    local parts = { [[
local mesos = require "mesos"
local scheduler = { framework = { name = "bench" } }
local decisions = {}
mesos.state.tasks = mesos.state.tasks or {}
for i = 1, 1000 do mesos.state.tasks["task-" .. i] = { state = "TASK_RUNNING", agent = "agent-" .. i % 10 } end
function scheduler:resourceOffers(driver, offers) print(#offers) io.stdout:flush() end
do
]] }
    for i = 1, (LINES - 9) // 10 do
        parts[#parts + 1] = FUNCTION:format(i, i, i)
        if i % 100 == 0 then -- a function has at most 200 local variables
            parts[#parts + 1] = "end do\n"
        end
    end
    parts[#parts + 1] = "end\nreturn scheduler\n"
    return table.concat(parts)
end

local m = master.start()
local text = policy()
local run = program.start { args = { "--master", m.address, program.script(text) } }
run:wait_for("registered with")
local offers = {}
for i = 1, 100 do
    offers[i] = m:offer()
end
m:send_offers(offers)
run:wait_for("100")

local pauses = {}
for _ = 1, TIMES do
    local printed = #run.stdout
    run:kill("sighup")
    run:wait_for(function() return #run.stdout > printed end)
end
run:wait_for(function() return select(2, run.stderr:gsub("reloaded in", "")) == TIMES end)
for figure in run.stderr:gmatch("reloaded in ([%d.]+) ms") do
    pauses[#pauses + 1] = tonumber(figure)
end
program.cleanup()
master.cleanup()

table.sort(pauses)
local median = pauses[(#pauses + 1) // 2]
print(("%d reloads of %d lines: median %.1f ms, 90 of 100 within %.1f ms, longest %.1f ms"):format(#pauses,
    select(2, text:gsub("\n", "")), median, pauses[math.ceil(#pauses * 0.9)], pauses[#pauses]))
print(("figure reload %.1f"):format(median))
os.exit(true, true)
