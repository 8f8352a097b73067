-- SPDX-License-Identifier: Apache-2.0
--
-- A framework for a long time: reconnects, reloads, offers, updates and child processes again and again, and whether
-- the descriptors and the memory of the program stay as they are. Run by hand; a fault ends it with status 1.
--
--   sh spec/bench/run.sh soak [SECONDS]        60 by default; half an hour is what a release is given

local SECONDS = tonumber(arg[1]) or 60
local UPDATES, OFFERS, WARM_UP = 200, 20, 0.2 -- of a round; the part of the time that is not looked at
local GROWTH_MOST, DESCRIPTORS_MOST = 1.5 * 1024, 2 -- KiB, and descriptors, that the end may have more than the start

local master = require("support.master")
local program = require("support.program")
local uv = require("luv")

local POLICY = [[
local mesos = require "mesos"
local scheduler = { framework = { name = "soak", failover_timeout = 3600 } }
mesos.state.runs = mesos.state.runs or 0
mesos.every(0.02, function()
    local child = mesos.exec({ "sh", "-c", "echo out; (sleep 0.01 &) ; exit 3" })
    if child and child.status == 3 then mesos.state.runs = mesos.state.runs + 1 end
end)
function scheduler:resourceOffers(driver, offers) for _, o in ipairs(offers) do driver:declineOffer(o.id) end end
function scheduler:statusUpdate(driver, status) mesos.state.last = status.task_id end
function scheduler:reloaded() mesos.state.reloads = (mesos.state.reloads or 0) + 1 end
return scheduler
]]

local function children_of(pid)
    local file <close> = assert(io.open(("/proc/%d/task/%d/children"):format(pid, pid)))
    local list = {}
    for child in file:read("a"):gmatch("%d+") do
        list[#list + 1] = tonumber(child)
    end
    return list
end

local function resident(pid)
    local file <close> = assert(io.open(("/proc/%d/status"):format(pid)))
    return tonumber(file:read("a"):match("VmRSS:%s+(%d+)"))
end

local function descriptors(pid)
    local count = 0
    for _ in function(dir) return uv.fs_scandir_next(dir) end, assert(uv.fs_scandir(("/proc/%d/fd"):format(pid))) do
        count = count + 1
    end
    return count
end

local m = master.start()
local run = program.start { args = { "--master", m.address, "-q", program.script(POLICY) } }
m:wait_for("SUBSCRIBE")
local pid = run.pid
local spawner = children_of(pid)[1]

-- The most of each figure in the first and in the last part of the time that counts.
local first, last = {}, {}
local function note(passed)
    local now = { resident(pid), spawner and resident(spawner) or 0, descriptors(pid) }
    local part = passed < 0.4 and first or passed > 0.8 and last
    if passed > WARM_UP and part then
        for i, value in ipairs(now) do
            part[i] = math.max(part[i] or 0, value)
        end
    end
end

local started, rounds, updates = uv.hrtime(), 0, 0
repeat
    rounds = rounds + 1
    local offers = {}
    for i = 1, OFFERS do
        offers[i] = m:offer()
    end
    m:send_offers(offers)
    for i = 1, UPDATES do
        m:send(m:update("task-" .. (updates + i), "TASK_FINISHED"))
    end
    updates = updates + UPDATES
    m:wait_for("ACKNOWLEDGE", updates, 60)
    if rounds % 2 == 0 then
        run:kill("sighup")
    else
        m:drop()
        m:wait_for("SUBSCRIBE", rounds // 2 + 2, 60)
    end
    local passed = (uv.hrtime() - started) / 1e9 / SECONDS
    note(passed)
until passed >= 1

run:kill("sigterm")
run:wait(30)
program.cleanup()
master.cleanup()

local names = { "KiB resident", "KiB resident, the spawner", "descriptors" }
local most = { GROWTH_MOST, GROWTH_MOST, DESCRIPTORS_MOST }
local grown = false
print(("%d rounds in %d s: %d updates, %d subscriptions, %d reloads"):format(rounds, SECONDS, updates,
    (rounds + 1) // 2 + 1, rounds // 2))
for i, name in ipairs(names) do
    print(("%s: %d at first, %d in the end"):format(name, first[i], last[i]))
    grown = grown or last[i] > first[i] + most[i]
end
os.exit(not grown, true)
