-- SPDX-License-Identifier: Apache-2.0
--
-- What starting programs costs, and what is left of them. 100 x mesos.exec in a script that holds 2 GB, against one that
-- holds 1 MB, in rounds that take turns; a launch of 3,000 tasks on the local cluster: until all of them have run, how
-- late a timer of 10 ms comes in the meantime, and that each update comes once; and how long what tasks have started
-- outlives a host that is killed. Fails if an update is missing or comes twice, or if anything is left after 10 s.
--
--   LUA_PATH='spec/?.lua;;' LUA_CPATH='build/spec/?.so;;' lua5.4 spec/bench/processes.lua

local program = require("support.program")
local uv = require("luv")

local ROUNDS, TASKS = 9, 3000

local function median(values)
    table.sort(values)
    return values[(#values + 1) // 2]
end

-- ---- mesos.exec ----

local EXEC = [[
local mesos = require "mesos"
local held = {}
for i = 1, tonumber(arg[1]) do held[i] = ("x"):rep(1024 * 1024 - 64) .. i end
collectgarbage()
collectgarbage()
local function round()
    local wall, cpu = mesos.now(), os.clock()
    for _ = 1, 100 do assert(mesos.exec { "true" }.status == 0) end
    print(mesos.now() - wall, os.clock() - cpu)
end
mesos.spawn(function()
    mesos.exec { "true" }
    print "ready"
    for _ in io.lines(arg[2] .. "/go") do round() end
end)
return {}]]

-- A program that holds so much and makes a round for each line that is written to its FIFO.
local function holder(megabytes)
    local directory = program.directory()
    assert(os.execute("mkfifo " .. directory .. "/go"))
    local run = program.start { args = { "-q", "--load-limit", "60", "-m", program.NO_MASTER, program.script(EXEC), megabytes,
        directory } }
    run:wait_for(function() return run.stdout:find("ready") end, 60)
    run.go = assert(io.open(directory .. "/go", "w"))
    run.go:setvbuf("no")
    return { run = run, walls = {}, cpus = {} }
end

local function make_round(one)
    local _, before = one.run.stdout:gsub("\n", "")
    one.run.go:write("\n")
    one.run:wait_for(function() return select(2, one.run.stdout:gsub("\n", "")) > before end, 60)
    local wall, cpu = one.run.stdout:match("(%S+)\t(%S+)\n$")
    table.insert(one.walls, tonumber(wall))
    table.insert(one.cpus, tonumber(cpu))
end

local function measure_exec()
    local small, large = holder(1), holder(2000)
    for _ = 1, ROUNDS do
        make_round(small)
        make_round(large)
    end
    for _, one in ipairs { small, large } do
        print(("100 x mesos.exec with %s: %.0f ms by the clock, %.0f ms of CPU of the host"):format(
            one == small and "1 MB" or "2 GB", median(one.walls) * 1e3, median(one.cpus) * 1e3))
    end
    print(("figure exec-memory %.2f"):format(median(large.walls) / median(small.walls)))
    program.cleanup()
end

-- ---- a launch of many tasks ----

local LAUNCH = [[
local mesos = require "mesos"
local s, count = { framework = { name = "bench" } }, tonumber(arg[1])
local seen, running, left, start, late = {}, 0, count, nil, 0
local function watch()
    local due = mesos.now() + 0.01
    mesos.after(0.01, function()
        late = math.max(late, mesos.now() - due)
        watch()
    end)
end
function s:resourceOffers(driver, offers)
    if start then return driver:declineOffer(offers:ids(), { refuse_seconds = 600 }) end
    local list, resources = {}, mesos.resources { cpus = 0.001, mem = 1 }
    for i = 1, count do
        list[i] = { name = "n", task_id = "task-" .. i, agent_id = offers[1].agent_id, command = { value = "true" },
            resources = resources }
    end
    start = mesos.now()
    driver:launchTasks(offers[1].id, list)
    watch()
end
function s:statusUpdate(driver, status)
    local key = status.task_id .. status.state
    assert(not seen[key], key .. " came twice")
    seen[key] = true
    if status.state == "TASK_RUNNING" then
        running = running + 1
        if running == count then print("running", mesos.now() - start) end
    elseif status.state == "TASK_FINISHED" then
        left = left - 1
        if left == 0 then
            print("finished", mesos.now() - start, late, os.clock())
            driver:stop()
        end
    end
end
return s]]

local function measure_launch()
    local running, late = {}, {}
    for _ = 1, 3 do
        local run = program.run { args = { "-q", "--resources", "cpus:20;mem:100000", program.script(LAUNCH), TASKS },
            seconds = 120 }
        local all = run.stdout:match("running\t(%S+)")
        local last, lateness, cpu = run.stdout:match("finished\t(%S+)\t(%S+)\t(%S+)")
        assert(run.code == 0 and all and last, run:report():sub(1, 2000))
        print(("%d tasks in one launch: all running after %.2f s, finished after %.2f s, %.2f s of CPU of the host, a timer " ..
            "at most %.0f ms late"):format(TASKS, all, last, cpu, lateness * 1e3))
        table.insert(running, tonumber(all))
        table.insert(late, lateness * 1e3)
    end
    print(("figure launch-running %.2f"):format(median(running)))
    print(("figure launch-late %.0f"):format(median(late)))
    program.cleanup()
end

-- ---- what is left ----

local LEAVE = [[
local mesos = require "mesos"
local s, started = { framework = { name = "bench" } }, false
local KINDS = { "sleep 600", "trap '' TERM; while :; do sleep 600; done", "sh -c 'sleep 600 & sleep 600' & sleep 600",
    "setsid sh -c 'trap \"\" TERM; setsid sleep 600 & sleep 600' & exec sleep 600" }
function s:resourceOffers(driver, offers)
    if started then return driver:declineOffer(offers:ids()) end
    started = true
    local list = {}
    for i = 1, 100 do
        list[i] = { name = "n", task_id = "task-" .. i, agent_id = offers[1].agent_id, command = { value = KINDS[i % #KINDS + 1],
            environment = { variables = { { name = "MARK", value = arg[1] } } } },
            resources = mesos.resources { cpus = 0.001, mem = 1 } }
    end
    driver:launchTasks(offers[1].id, list)
end
return s]]

local function count_marked(mark)
    local count, scan = 0, assert(uv.fs_scandir("/proc"))
    for name in uv.fs_scandir_next, scan do
        local environment = name:match("^%d+$") and program.read("/proc/" .. name .. "/environ")
        count = count + (environment and environment:find(mark, 1, true) and 1 or 0)
    end
    return count
end

local function measure_end()
    local mark = "MARK=bench-" .. uv.os_getpid()
    local run = program.start { args = { "-q", "--resources", "cpus:20;mem:100000", program.script(LEAVE), mark:sub(6) } }
    program.wait_for(function() return count_marked(mark) >= 275 end, 30)
    local count, start = count_marked(mark), uv.hrtime()
    run:kill("sigkill")
    program.wait_for(function() return count_marked(mark) == 0 end, 10)
    local seconds = (uv.hrtime() - start) / 1e9
    print(("SIGKILL of a host with 100 tasks: the last of %d processes is gone after %.2f s"):format(count, seconds))
    print(("figure left-behind %.2f"):format(seconds))
    program.cleanup()
end

-- ---- the process itself ----

local function memory_of(pid, name)
    local text = program.read(("/proc/%d/smaps_rollup"):format(pid)) or ""
    return tonumber(text:match("\n" .. name .. ":%s+(%d+)") or text:match("^" .. name .. ":%s+(%d+)")) / 1024
end

local function measure_memory()
    local run = program.start { args = { "-q", "-m", program.NO_MASTER, program.script(EXEC), 1, "/nowhere" } }
    run:wait_for("ready")
    local children = program.read(("/proc/%d/task/%d/children"):format(run.pid, run.pid))
    local spawner = math.tointeger(tonumber(children:match("%d+")))
    print(("the process that starts programs: %.1f MiB resident, %.2f MiB if those are shared out, %.2f MiB its own"):format(
        memory_of(spawner, "Rss"), memory_of(spawner, "Pss"), memory_of(spawner, "Private_Dirty")))
    print(("figure spawner-memory %.2f"):format(memory_of(spawner, "Pss")))
    program.cleanup()
end

measure_exec()
measure_launch()
measure_end()
measure_memory()
