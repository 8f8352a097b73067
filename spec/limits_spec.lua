-- SPDX-License-Identifier: Apache-2.0
--
-- Limits of a script: how long it may run without a pause, how much memory it may allocate, timers that leave time for
-- others, and a collector that works while the program is idle.

local master = require("support.master")
local program = require("support.program")
local internals = require("internals")


local HEAD = [[
local mesos = require "mesos"
local function spin(seconds) local till = mesos.now() + seconds while mesos.now() < till do end end
local function forever() while true do end end
]]

-- Runs the text in a spawned function; ends when it says "done" or after the next timer.
local function run_spawned(args, text, after)
    local words = { "-m", program.NO_MASTER }
    table.move(args, 1, #args, 3, words)
    words[#words + 1] = program.script(HEAD .. "mesos.spawn(function()\n" .. text .. "\nend)\n" .. (after or
        "mesos.after(0, function() print 'done' os.exit(0) end)\n") .. "return {}")
    return program.run { args = words }
end

local function shows(done, text)
    assert.truthy(done.stderr:find(text, 1, true), ("no '%s' in %s"):format(text, done:report()))
end

after_each(function()
    program.cleanup()
    master.cleanup()
end)

describe("--callback-warn", function()
    it("names what is slow while it runs, with the line where it is, and how long it took", function()
        local done = run_spawned({ "--callback-warn", "0.2" }, "spin(0.6)")
        assert.equal("done\n", done.stdout, done:report())
        assert.matches("spawned function of %S+script.lua:4 is slow: it has run for %d+%.%d+ s without a pause, is at "
            .. "%S+script.lua:2 in 'spin', and no event is handled until it returns or waits %(%-%-callback%-warn%)", done.stderr)
        assert.matches("spawned function of %S+script.lua:4 ran for %d+%.%d+ s without a pause\n", done.stderr)
        assert.equal(1, select(2, done.stderr:gsub("is slow", "")))
    end)

    it("names what is slow in a call of a C function", function()
        local done = run_spawned({ "--callback-warn", "0.2" }, "os.execute 'sleep 0.5'")
        assert.matches("spawned function of %S+script.lua:4 ran for %d+%.%d+ s without a pause\n", done.stderr, done:report())
    end)

    local blocking = {
        { "os.execute 'sleep 0.4'", "was in os.execute", "mesos.exec runs a program without holding up events" },
        { "io.popen('sleep 0.4'):read('a')", "was in read", "it waits for input: mesos.exec runs a program" },
        { "io.popen('sleep 0.4'):close()", "was in close", "closing a pipe waits for the program at its end: mesos.exec" },
        { "pcall(pcall, os.execute, 'sleep 0.4')", "was in os.execute, called at ", "script.lua:5 (mesos.exec" },
        { "local t = {} for i = 1, 4e5 do t[i] = i * 7919 % 1000003 end table.sort(t, function(a, b) return a < b end)", "is at ",
            "script.lua:5" },
    }
    for _, row in ipairs(blocking) do
        it("says what blocks and what does not in: " .. row[1], function()
            local done = run_spawned({ "--callback-warn", "0.15" }, row[1])
            shows(done, "is slow: it has run for ")
            shows(done, row[2])
            shows(done, row[3])
        end)
    end

    it("tells of a call of a C function, and of a finalizer, while it lasts", function()
        for text, after in pairs {
            ["(('x'):rep(24000) .. 'y'):find(('x*'):rep(3) .. 'z')"] = "",
            ["setmetatable({}, { __gc = forever }) local t = {} for i = 1, 2e5 do t[i] = { i } end"] = "",
        } do
            local run = program.start { args = { "-m", program.NO_MASTER, "--callback-warn", "0.1", program.script(HEAD ..
                "mesos.spawn(function()\n" .. text .. "\nend)\n" .. after .. "return {}") } }
            run:wait_for("%d%d:%d%d:%d%d%.%d%d%d warning [^\n]* has been inside one call of a C function, or a finalizer, for about "
                .. "%d+ s: no event is handled, and nothing can stop it, until that returns %(%-%-callback%-warn%)\n")
            run:kill("sigkill")
        end
    end)

    it("counts from where a callback went on, not while it waited", function()
        local done = run_spawned({ "--callback-warn", "2" }, "spin(0.05) mesos.sleep(2.3) spin(0.05) os.exit(0)", "")
        assert.is_nil(done.stderr:find("without a pause"), done:report())
    end)

    it("is a second if it is not said, and can be never", function()
        shows(run_spawned({}, "os.execute 'sleep 1.2'"), "without a pause")
        assert.is_nil(run_spawned({ "--callback-warn", "0" }, "os.execute 'sleep 1.2'").stderr:find("without a pause"))
    end)

    it("leaves alone a script that runs its driver in its main chunk", function()
        local m = master.start()
        local run = program.start { args = { "-m", m.address, "--callback-warn", "1", "--callback-limit", "2",
            program.script [[
            local mesos = require "mesos"
            local driver = mesos.SchedulerDriver { scheduler = {
                registered = function(self, driver) mesos.after(2.5, function() driver:stop() end) end } }
            print(driver:run())]] } }
        m:wait_for("SUBSCRIBE")
        assert.equal(0, run:wait(), run:report())
        assert.equal("DRIVER_STOPPED\n", run.stdout)
        assert.is_nil(run.stderr:find("pause"), run:report())
    end)
end)

describe("--callback-limit", function()
    local never = {
        { "a plain loop", "while true do end" },
        { "a loop inside pcall inside a loop", "while true do pcall(function() while true do end end) end" },
        { "a loop inside pcall", "pcall(function() while true do end end) print 'caught'" },
        { "a loop inside xpcall whose handler never ends", "xpcall(forever, forever) print 'caught'" },
        { "a loop in a coroutine of the script", "while true do coroutine.resume(coroutine.create(forever)) end" },
        { "a loop in a wrapped coroutine inside pcall", "while true do pcall(coroutine.wrap(forever)) end" },
        { "a coroutine made before", "local c = coroutine.wrap(function() coroutine.yield() forever() end) c() mesos.sleep(0) "
            .. "while true do pcall(c) end" },
        { "a loop in a __close at the end of a block", "do local x <close> = setmetatable({}, { __close = forever }) end" },
        { "a loop in a __close while it is being stopped",
            "pcall(function() local x <close> = setmetatable({}, { __close = forever }) forever() end) print 'caught'" },
        { "a loop in a comparison", "table.sort({ 1, 2, 3 }, forever)" },
        { "a loop in a reader of load", "while true do pcall(load, forever) end" },
        { "a loop in a metamethod", "local t = setmetatable({}, { __index = forever }) pcall(function() return t.x end) print 'caught'" },
        { "a loop that takes the hook away", "while true do pcall(debug.sethook) end" },
        { "what returns from one C function to another", "pcall(pcall, os.execute, 'sleep 0.6') print 'went on'" },
        { "many short calls", "while true do string.rep('x', 1000) end" },
        { "a loop behind a wait", "mesos.sleep(0.01) while true do end" },
    }
    for _, row in ipairs(never) do
        it("stops " .. row[1], function()
            local done = run_spawned({ "--callback-limit", "0.4", "--callback-warn", "0" }, row[2],
                "mesos.after(0.1, function() print 'done' os.exit(0) end)\n")
            assert.equal("done\n", done.stdout, done:report())
            assert.matches("error +spawned function of %S+script.lua:4: %S+script.lua:%d+: stopped after %d+%.%d+ s without a pause; "
                .. "the limit is 0.4 s %(%-%-callback%-limit%)\n    stack traceback:\n", done.stderr)
            assert.truthy(done.stderr:find("script.lua:5: in function <", 1, true) or row[1]:find("close at"), done:report())
        end)
    end

    it("stops the __close of a function that failed before", function()
        local done = run_spawned({ "--callback-limit", "0.2" },
            "local x <close> = setmetatable({}, { __close = forever }) error 'before'",
            "mesos.after(0.1, function() print 'done' os.exit(0) end)\n")
        assert.equal("done\n", done.stdout, done:report())
        shows(done, ": before\n")
        shows(done, "stopped after")
    end)

    it("shows who resumed the coroutine that was stopped", function()
        local done = run_spawned({ "--callback-limit", "0.2" }, "coroutine.wrap(function() forever() end)()")
        assert.matches("script.lua:3: in upvalue 'forever'.*resumed by\n    stack traceback:.*script.lua:5: in function", done.stderr)
    end)

    it("stops a script that never ends loading, and a text that never gets made", function()
        local done = program.run { args = { "-m", program.NO_MASTER, "--callback-limit", "0.2", program.script "while true do end" } }
        assert.equal(2, done.code, done:report())
        shows(done, "script.lua:1: stopped after")
        done = run_spawned({ "--callback-limit", "0.2" },
            "error(setmetatable({}, { __tostring = function() while true do end end }))")
        assert.equal("done\n", done.stdout, done:report())
        shows(done, "cannot be printed")
    end)

    it("keeps a version out that never ends loading", function()
        local path = program.script(HEAD .. "mesos.every(0.05, function() print 'old' io.stdout:flush() end) return {}")
        local run = program.start { args = { "-m", program.NO_MASTER, "--callback-limit", "0.2", path } }
        run:wait_for("old")
        local file <close> = assert(io.open(path, "w"))
        file:write("while true do end")
        file:flush()
        run:wait_for("stopped after")
        local before = #run.stdout
        program.wait_for(function() return #run.stdout > before end)
    end)

    it("does not acknowledge the update that a stopped callback handled", function()
        local m = master.start()
        local run = program.start { args = { "-m", m.address, "--callback-limit", "0.2", program.script [[
            local s = {}
            function s:statusUpdate(driver, status)
                while status.task_id == "bad" do end
            end
            return s]] } }
        m:wait_for("SUBSCRIBE")
        m:send(m:update("bad", "TASK_RUNNING"))
        m:send(m:update("good", "TASK_RUNNING"))
        assert.equal("good", m:wait_for("ACKNOWLEDGE").call.acknowledge.task_id)
        run:wait_for("callback statusUpdate: %S+script.lua:3: stopped after")
        assert.equal(1, #m:calls_of("ACKNOWLEDGE"))
    end)

    it("gives a hook of the script back", function()
        local done = run_spawned({ "--callback-warn", "0.2" }, [[
            local lines = 0
            debug.sethook(function() lines = lines + 1 end, "l")
            spin(0.5)
            local before = lines
            local x = 1
            debug.sethook()
            print(lines > before)]])
        assert.equal("true\ndone\n", done.stdout, done:report())
        shows(done, "is slow")
    end)
end)

describe("--memory-limit", function()
    local HINT = "not enough memory: the script is at its limit of 8388608 bytes (--memory-limit)"

    it("gives an error to a script above it, which goes on", function()
        local done = run_spawned({ "--memory-limit", "8M" }, [[
            local function hoard() local t = {} for i = 1, math.huge do t[i] = { i } end end
            print(pcall(hoard))
            print(coroutine.resume(coroutine.create(hoard)))
            print(pcall(coroutine.wrap(hoard)))
            print(xpcall(hoard, function() return "handler" end))
            print(pcall(string.rep, "x", 1 << 30))
            mesos.spawn(hoard)
            mesos.spawn(function() print(collectgarbage 'count' < 8192) mesos.sleep(0) os.exit(0) end)]], "")
        assert.equal(("false\t" .. HINT .. "\n"):rep(5) .. "true\n", done.stdout, done:report())
        assert.truthy(done.stderr:find(HINT .. "\n    stack traceback:\n", 1, true), done:report())
    end)

    it("keeps the host alive when the script holds on to what it has, until a better version comes", function()
        local m = master.start()
        local path = program.script [[
            local s, keep = {}, {}
            function s:statusUpdate(driver, status)
                while true do keep[#keep + 1] = { #keep } end
            end
            return s]]
        local run = program.start { args = { "-m", m.address, "--memory-limit", "8M", path } }
        m:wait_for("SUBSCRIBE")
        for _ = 1, 5 do
            m:send(m:update("hoard", "TASK_RUNNING"))
        end
        run:wait_for("callback statusUpdate: not enough memory[^\n]*%-%-memory%-limit")
        local file <close> = assert(io.open(path, "w"))
        file:write("return { statusUpdate = function() end }")
        file:flush()
        run:wait_for("reloaded")
        m:send(m:update("better", "TASK_RUNNING"))
        assert.equal("better", m:wait_for("ACKNOWLEDGE").call.acknowledge.task_id)
        run:kill()
        assert.equal(0, run:wait(), run:report())
    end)

    it("tells a script that does not fit at all", function()
        local done = program.run { args = { "-m", program.NO_MASTER, "--memory-limit", "1M",
            program.script "local t = {} for i = 1, 1e6 do t[i] = {} end" } }
        assert.equal(2, done.code, done:report())
        shows(done, "not enough memory: the script is at its limit of 1048576 bytes (--memory-limit)")
    end)
end)

describe("the allocator", function()
    it("keeps blocks apart and counts exactly", function()
        math.randomseed(11)
        local heap = internals.allocator()
        local sizes, used = {}, 0
        for step = 1, 60000 do
            local number = math.random(0, 2000)
            local kind = math.random(10)
            local size = kind <= 4 and 0 or kind <= 9 and math.random(1, 600) or math.random(1, 20000)
            assert.is_true(heap:resize(number, size))
            used = used - (sizes[number] or 0) + size
            sizes[number] = size
            if step % 500 == 0 then
                assert.equal(used, heap:used())
            end
        end
        for number in pairs(sizes) do
            heap:resize(number, 0)
        end
        assert.equal(0, heap:used())
    end)

    it("refuses what is above its limit and nothing else", function()
        local heap = internals.allocator(1000)
        assert.is_true(heap:resize(1, 600))
        assert.is_true(heap:resize(2, 400))
        assert.is_false(heap:resize(3, 1))
        assert.is_false(heap:resize(2, 401))
        assert.is_true(heap:resize(2, 100))
        assert.is_true(heap:resize(3, 300))
        assert.equal(1000, heap:used())
    end)

    it("uses memory that has become free for blocks of other sizes", function()
        local heap = internals.allocator()
        for number = 0, 4000 do
            heap:resize(number, 32)
        end
        local held = heap:held()
        for number = 0, 4000 do
            heap:resize(number, 0)
        end
        heap:trim(1000)
        for number = 0, 200 do
            heap:resize(number, 480)
        end
        assert.equal(held, heap:held())
    end)
end)

describe("timers", function()
    it("that are due at the same time let events through", function()
        local m = master.start()
        local run = program.start { args = { "-m", m.address, program.script(HEAD .. [[
            local s, calls, over = {}, 0, false
            function s:registered(driver)
                for i = 1, 10000 do mesos.after(0, function() if not over then calls = calls + 1 spin(0.001) end end) end
                mesos.after(0, function() print "begun" io.stdout:flush() end)
            end
            function s:statusUpdate(driver, status)
                print(calls < 10000)
                over = true
                driver:stop()
            end
            function s:resourceOffers(driver) print(calls < 10000) io.stdout:flush() end
            return s]]) } }
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        m:send(m:update("t", "TASK_RUNNING"))
        assert.equal(0, run:wait(), run:report())
        assert.equal("true\ntrue\n", (run.stdout:gsub("begun\n", "")))
    end)

    it("that start themselves again let events through", function()
        local m = master.start()
        local run = program.start { args = { "-m", m.address, program.script(HEAD .. [[
            local s = {}
            local function again() mesos.after(0, again) end
            for i = 1, 100 do again() end
            mesos.every(0.001, function() spin(0.002) end)
            local function spawn() mesos.spawn(spawn) end
            spawn()
            function s:statusUpdate(driver) driver:stop() end
            return s]]) } }
        m:wait_for("SUBSCRIBE")
        m:send(m:update("t", "TASK_RUNNING"))
        assert.equal(0, run:wait(), run:report())
    end)
end)

describe("the collector", function()
    local function cpu_ticks(pid)
        local user, system = program.read(("/proc/%d/stat"):format(pid)):match("%) %S" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
        return tonumber(user) + tonumber(system)
    end

    it("works when nothing else does, and then lets the host sleep", function()
        local run = program.start { args = { "-m", program.NO_MASTER, "-q", program.script [[
            local mesos = require "mesos"
            mesos.after(0.1, function()
                local t = {}
                for i = 1, 1e5 do t[i] = { i } end
                print(collectgarbage "count" > 5000)
            end)
            mesos.after(0.5, function()
                local timer
                timer = mesos.every(0.1, function()
                    if collectgarbage "count" < 2000 then
                        timer:cancel()
                        print "collected"
                        io.stdout:flush()
                    end
                end)
            end)
            return {}]] } }
        run:wait_for("true\ncollected\n")
        local timer, ticks, sleeps = require("luv").new_timer(), cpu_ticks(run.pid), false
        timer:start(1000, 1000, function()
            local before = ticks
            ticks = cpu_ticks(run.pid)
            sleeps = ticks - before <= 1
        end)
        program.wait_for(function() return sleeps end)
        timer:close()
    end)
end)
