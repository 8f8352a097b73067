-- SPDX-License-Identifier: Apache-2.0
--
-- A framework at rest, seen from outside: updates at 90 a second, each acknowledged, by a master in another process that
-- answers each call. What one update costs: system calls (by strace, where it is there), wake-ups (times that the
-- process gave the processor back) and time of the processor. A bare loop of epoll_wait(), recv() and send() (echo.c)
-- takes turns, with a master of its own: what is below it is the kernel's. Then idle: wake-ups a minute with heartbeats
-- alone.
--
--   sh spec/bench/run.sh rest [UPDATES]        1,000 by default

local UPDATES, PAUSE_MS, IDLE_SECONDS = tonumber(arg[1]) or 1000, 11, 30

local BLOCKS = 10

local internals = require("internals")
local master = require("support.master")
local program = require("support.program")
local uv = require("luv")

local POLICY = [[
local scheduler, last = { framework = { name = "rest" } }
function scheduler:statusUpdate(driver, status) last = status.state end
return scheduler
]]

local function read(path)
    local file <close> = assert(io.open(path))
    return file:read("a")
end

-- Seconds of the processor, and how often the process gave it back.
local function usage(pid)
    return tonumber(read(("/proc/%d/schedstat"):format(pid)):match("^(%d+)")) / 1e9,
        tonumber(read(("/proc/%d/status"):format(pid)):match("\nvoluntary_ctxt_switches:%s+(%d+)"))
end

local function has(tool)
    return os.execute("command -v " .. tool .. " >/dev/null 2>&1") == true
end

local sent = {}

-- Sends so many updates at the pace, and waits until each is acknowledged.
local function update(m, count)
    for _ = 1, count do
        sent[m] = (sent[m] or 0) + 1
        m:send(m:update("t", "TASK_RUNNING"))
        m:wait_for("ACKNOWLEDGE", sent[m])
        local due = uv.now() + PAUSE_MS
        program.wait_for(function() return uv.now() >= due end)
    end
end

-- Median seconds of the processor and mean wake-ups for an update, of each of these clients in turns.
local function measure(clients)
    for _ = 1, BLOCKS do
        for _, client in ipairs(clients) do
            local seconds, wakes = usage(client.pid)
            update(client.master, UPDATES // BLOCKS)
            local after, wakes_after = usage(client.pid)
            table.insert(client.seconds, (after - seconds) / (UPDATES // BLOCKS))
            client.wakes = client.wakes + (wakes_after - wakes) / (UPDATES // BLOCKS) / BLOCKS
        end
    end
    for _, client in ipairs(clients) do
        table.sort(client.seconds)
        client.median = client.seconds[(BLOCKS + 1) // 2] * 1e6
    end
end

-- The bare loop, subscribed at that master.
local function start_echo(m)
    local CALL, id = "mesos.v1.scheduler.Call", "echo"
    local folder = program.files {
        subscribe = internals.encode(CALL, { framework_id = id, type = "SUBSCRIBE",
            subscribe = { framework_info = { user = "root", name = "echo", id = id } } }),
        acknowledge = internals.encode(CALL, { framework_id = id, type = "ACKNOWLEDGE",
            acknowledge = { agent_id = m.id .. "-S0", task_id = "t", uuid = ("u"):rep(16) } }),
    }
    local run = program.start { path = "build/bench/bench-echo", args = { tostring(m.server.port), folder } }
    m:wait_for("ACKNOWLEDGE", 1)
    sent[m] = 1
    return run
end

-- The system calls of the process meanwhile, by name.
local function traced(pid, work)
    local path = program.directory() .. "/strace"
    local strace = program.start { path = "/usr/bin/strace", args = { "-o", path, "-p", tostring(pid) } }
    strace:wait_for("attached")
    work()
    strace:kill("sigint")
    strace:wait()
    local calls, total = {}, 0
    for name in read(path):gmatch("([%w_]+)%(") do
        calls[name] = (calls[name] or 0) + 1
        total = total + 1
    end
    return total, calls
end

local m = master.start()
local run = program.start { args = { "--master", m.address, "-q", program.script(POLICY) } }
m:wait_for("SUBSCRIBE")
update(m, 50)

local echo_master = master.start()
local echo = start_echo(echo_master)
update(echo_master, 50)

local ours = { master = m, pid = run.pid, seconds = {}, wakes = 0 }
local floor = { master = echo_master, pid = echo.pid, seconds = {}, wakes = 0 }
measure { ours, floor }
print(("%.1f us of the processor and %.2f wake-ups an update; the bare loop %.1f us and %.2f"):format(ours.median,
    ours.wakes, floor.median, floor.wakes))
print(("figure rest-cpu %.1f"):format(ours.median))
print(("figure rest-floor %.2f"):format(ours.median / floor.median))
print(("figure rest-wakes %.2f"):format(ours.wakes))
echo:kill("sigkill")
echo:wait()

if has("strace") then
    local total, calls = traced(run.pid, function() update(m, UPDATES) end)
    local names = {}
    for name, count in pairs(calls) do
        names[#names + 1] = ("%s %.2f"):format(name, count / UPDATES)
    end
    table.sort(names)
    print(("%.2f system calls an update: %s"):format(total / UPDATES, table.concat(names, ", ")))
    print(("figure rest-system-calls %.2f"):format(total / UPDATES))
end

local seconds, wakes = usage(run.pid)
local due = uv.now() + IDLE_SECONDS * 1000
program.wait_for(function() return uv.now() >= due end, IDLE_SECONDS + 5)
local after, wakes_after = usage(run.pid)
print(("idle: %.1f wake-ups and %.2f ms of the processor a minute"):format((wakes_after - wakes) * 60 / IDLE_SECONDS,
    (after - seconds) * 1e3 * 60 / IDLE_SECONDS))
print(("figure rest-idle-wakes %.1f"):format((wakes_after - wakes) * 60 / IDLE_SECONDS))
run:kill()
run:wait()
master.cleanup()
program.cleanup()
