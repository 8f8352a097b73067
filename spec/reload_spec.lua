-- SPDX-License-Identifier: Apache-2.0
--
-- A script that is edited while its framework runs: every way of saving, every way of breaking it, and what must not
-- be lost on the way.

local master = require("support.master")
local program = require("support.program")
local server = require("support.server")
local uv = require("luv")

-- A policy that says what happens to it; `body` stands behind its callbacks.
local function policy(version, body, framework)
    return ([[
local mesos = require "mesos"
local scheduler = { framework = { %s } }
local version = "%s"
local function say(...) print(version, ...) io.stdout:flush() end
function scheduler:reloaded(driver) say("reloaded", driver:frameworkId() ~= nil) end
function scheduler:resourceOffers(driver, offers)
    local ids = {}
    for i, offer in ipairs(offers) do ids[i] = offer.id end
    table.sort(ids)
    say("offers", table.concat(ids, " "))
end
function scheduler:statusUpdate(driver, status) say("status", status.task_id, status.state) end
%s
return scheduler
]]):format(framework or 'name = "test"', version, body or "")
end

local function write(path, text, mode)
    local file <close> = assert(io.open(path, mode or "wb"))
    assert(file:write(text))
end

local function pause(seconds)
    local over = false
    local timer = uv.new_timer()
    timer:start(math.floor(seconds * 1000), 0, function()
        over = true
        timer:close()
    end)
    program.wait_for(function() return over end)
end

local function count(text, pattern)
    return select(2, text:gsub(pattern, ""))
end

-- A framework that runs from files: { master =, run =, path = of script.lua, folder = }.
local Framework = {}
Framework.__index = Framework

local function start(files, args)
    if type(files) == "string" then
        files = { ["script.lua"] = files }
    end
    local folder = program.files(files)
    local m = master.start()
    local words = { "--master", m.address }
    table.move(args or {}, 1, #(args or {}), 3, words)
    words[#words + 1] = folder .. "/script.lua"
    local run = program.start { args = words }
    m:wait_for("SUBSCRIBE")
    run:wait_for("registered with")
    run.args = words
    return setmetatable({ master = m, run = run, folder = folder, path = folder .. "/script.lua" }, Framework)
end

-- Saves it as a whole: a version that is cut off is one that fails.
function Framework:save(text, name)
    local path = self.folder .. "/" .. (name or "script.lua")
    write(path .. ".saved", text)
    assert(uv.fs_rename(path .. ".saved", path))
end

-- The same in place, by one write of as many bytes as the file has from then on.
function Framework:overwrite(text)
    local file <close> = assert(io.open(self.path, "r+b"))
    assert(#text < 4000)
    file:write(text, ("\n"):rep(4000 - #text))
end

-- Waits until stderr has matched the pattern n times.
function Framework:wait_count(pattern, n)
    self.run:wait_for(function()
        return count(self.run.stderr, pattern) >= n
    end)
end

function Framework:reloads()
    return count(self.run.stderr, "reloaded in")
end

-- Sends an update; waits for its acknowledgement.
function Framework:update(task, state)
    local before = #self.master:calls_of("ACKNOWLEDGE")
    self.master:send(self.master:update(task, state or "TASK_RUNNING"))
    return self.master:wait_for("ACKNOWLEDGE", before + 1)
end

-- True if an update reaches that version.
function Framework:says(version)
    self.probes = (self.probes or 0) + 1
    local name = ("probe%d"):format(self.probes)
    self:update(name)
    self.run:wait_for(version .. "\tstatus\t" .. name .. "\t")
end

local function cleanup()
    program.cleanup()
    master.cleanup()
end

describe("saving", function()
    after_each(cleanup)

    local ways = {
        { "in place", function(path, text) write(path, text) end },
        { "by truncating first and writing later", function(path, text)
            write(path, "")
            pause(0.25)
            write(path, text)
        end },
        { "by overwriting bytes", function(path, text)
            local file <close> = assert(io.open(path, "r+b"))
            file:write(text)
        end },
        { "by renaming a new file over it", function(path, text)
            write(path .. ".new", text)
            assert(uv.fs_rename(path .. ".new", path))
        end },
        { "by renaming it away and creating it", function(path, text)
            assert(uv.fs_rename(path, path .. "~"))
            write(path, text)
            assert(uv.fs_unlink(path .. "~"))
        end },
        { "by deleting it and creating it later", function(path, text)
            assert(uv.fs_unlink(path))
            pause(0.25)
            write(path, text)
        end },
        { "keeping size and time", function(path, text)
            local stat = assert(uv.fs_stat(path))
            write(path, text)
            local seconds = stat.mtime.sec + stat.mtime.nsec / 1e9
            assert(uv.fs_utime(path, seconds, seconds))
        end },
        { "in pieces", function(path, text)
            local file <close> = assert(io.open(path, "wb"))
            for i = 1, #text, 40 do
                file:write(text:sub(i, i + 39))
                file:flush()
                pause(0.002)
            end
        end },
    }
    for _, row in ipairs(ways) do
        local name, save = table.unpack(row)
        it(name .. " reloads once", function()
            local f = start(policy("v1"))
            save(f.path, policy("v2"))
            f.run:wait_for("v2\treloaded\ttrue")
            f:says("v2")
            assert.matches("script.lua reloaded in [%d.]+ ms %(a file changed%): changed [^\n]*script.lua\n", f.run.stderr)
            pause(0.2)
            assert.equal(1, f:reloads(), f.run:report())
        end)
    end

    it("through a link that is pointed elsewhere reloads", function()
        local m = master.start()
        local folder = program.files { ["one/script.lua"] = policy("v1"), ["two/script.lua"] = policy("v2") }
        assert(uv.fs_symlink("one", folder .. "/data"))
        assert(uv.fs_symlink("data/script.lua", folder .. "/script.lua"))
        local run = program.start { args = { "--master", m.address, folder .. "/script.lua" } }
        run:wait_for("registered with")
        assert(uv.fs_symlink("two", folder .. "/data.new"))
        assert(uv.fs_rename(folder .. "/data.new", folder .. "/data"))
        run:wait_for("v2\treloaded")
        write(folder .. "/two/script.lua", policy("v3"))
        run:wait_for("v3\treloaded")
    end)

    it("many times in a burst reloads once", function()
        local f = start(policy("v1"))
        local begin = uv.hrtime()
        for i = 1, 30 do
            f:save(policy("burst" .. i))
        end
        local seconds = (uv.hrtime() - begin) / 1e9
        f.run:wait_for("burst30\treloaded")
        f:says("burst30")
        -- On a machine that is busy a burst may have pauses in it.
        assert.is_true(f:reloads() <= 1 + seconds / 0.05, f.run:report())
    end)

    it("what was there already does nothing, nor does touching it", function()
        local f = start(policy("v1"))
        f:save(policy("v1"))
        pause(0.3)
        assert(uv.fs_utime(f.path, os.time(), os.time()))
        write(f.folder .. "/other.lua", "return 1")
        pause(0.3)
        assert.equal(0, f:reloads(), f.run:report())
        f.run:kill("sighup")
        f.run:wait_for("script.lua reloaded in [%d.]+ ms %(SIGHUP%): no file changed\n")
        assert.equal(1, f:reloads())
    end)

    it("does nothing with --no-watch, but SIGHUP does", function()
        local f = start(policy("v1"), { "--no-watch" })
        f:save(policy("v2"))
        pause(0.4)
        f:says("v1")
        f.run:kill("sighup")
        f.run:wait_for("v2\treloaded")
        f:says("v2")
        assert.equal(1, f:reloads())
    end)

    it("a module that was required reloads, wherever it is, and however late it was required", function()
        local f = start {
            ["script.lua"] = policy("v1", [[
                local lib, deep = require "lib", require "deep.part"
                function scheduler:statusUpdate(driver, status)
                    say("status", status.task_id, lib, deep, require("late"))
                end]]),
            ["lib.lua"] = "return 'lib1'", ["deep/part/init.lua"] = "return 'deep1'", ["late.lua"] = "return 'late1'",
        }
        f:update("a")
        f.run:wait_for("status\ta\tlib1\tdeep1\tlate1")
        f:save("return 'lib2'", "lib.lua")
        f:wait_count("reloaded in", 1)
        f:update("b")
        f.run:wait_for("status\tb\tlib2\tdeep1\tlate1")
        f:save("return 'deep2'", "deep/part/init.lua")
        f:wait_count("reloaded in", 2)
        f:update("c")
        f.run:wait_for("status\tc\tlib2\tdeep2\tlate1")
        f:update("another") -- when that is done, what the one before required is watched
        f:save("return 'late2'", "late.lua")
        f:wait_count("reloaded in", 3)
        f:update("d")
        f.run:wait_for("status\td\tlib2\tdeep2\tlate2")
        assert.matches("changed [^\n ]*lib.lua\n.*changed [^\n ]*init.lua\n.*changed [^\n ]*late.lua\n", f.run.stderr)
    end)

    it("a file that the main chunk runs reloads, and comes back with its version", function()
        local f = start({
            ["script.lua"] = policy("v1", [[
                local conf = assert(loadfile(FOLDER .. "/conf.lua"))()
                function scheduler:statusUpdate(driver, status)
                    if conf.bad then error(conf.text) end
                    say("status", status.task_id, conf.text, dofile(FOLDER .. "/data.lua"))
                end]]):gsub("FOLDER", "arg[0]:match('^(.*)/')"),
            ["conf.lua"] = "return { text = 'one' }", ["data.lua"] = "return 'data1'",
        })
        f:update("a")
        f.run:wait_for("status\ta\tone\tdata1")
        f:save("return { text = 'two' }", "conf.lua")
        f:wait_count("reloaded in", 1)
        f:save("return 'data2'", "data.lua") -- read by a callback alone
        f:update("b")
        f.run:wait_for("status\tb\ttwo\tdata2")
        f:save("return { bad = true, text = 'three' }", "conf.lua")
        f:wait_count("reloaded in", 2)
        f:update("c")
        f.run:wait_for("status\tc\ttwo\tdata2")
        assert.matches("conf.lua", f.run.stderr)
    end)

    it("a module that was missing brings the version that wants it", function()
        local f = start(policy("v1"))
        f:save(policy("v2", "say(require('new.thing'))"))
        f.run:wait_for("was not reloaded %(a file changed%), the version that runs goes on: [^\n]*module 'new.thing' not found")
        f:says("v1")
        uv.fs_mkdir(f.folder .. "/new", tonumber("755", 8))
        f:save("return 'here'", "new/thing.lua")
        f.run:wait_for("v2\treloaded")
        assert.matches("v2\there\t", f.run.stdout)
        assert.matches("changed [^\n]*script.lua, [^\n]*thing.lua %(new%)\n", f.run.stderr)
    end)
end)

describe("a new version that", function()
    teardown(cleanup)

    local bad = {
        { "does not parse", "local x = = 1", "script.lua:1: unexpected symbol near '='" },
        { "raises", "local mesos = require 'mesos'\nlocal t\nprint(t.x)", "script.lua:3: attempt to index a nil value" },
        { "returns nothing", "local x = 1", "script.lua: it returned nothing: a script returns its scheduler" },
        { "returns something else", "return 42", "script.lua: it returned a number: a script returns its scheduler" },
        { "has no table for a framework", "return { framework = 'x' }", "framework: table expected, got string" },
        { "misspells a framework field", "return { framework = { name = 'test', roels = {} } }",
            "framework: unknown field 'roels' in FrameworkInfo (did you mean 'roles'?)" },
        { "has a field of the wrong type", "return { framework = { name = 1 } }", "framework.name: string expected" },
        { "has a wrong setting", "return { framework = { name = 'test' }, suppressedRoles = 'x' }",
            "suppressedRoles: table expected, got string" },
        { "ends the program", "os.exit(3)", "script.lua: it asked for the end of the program while it was loaded" },
        { "ends the program in a protected call", "pcall(require('mesos').exit, 3) return {}",
            "script.lua: it asked for the end of the program while it was loaded" },
        { "yields", "coroutine.yield()", "script.lua:1: attempt to yield from outside a coroutine" },
        { "waits", "require('mesos').sleep(1)", "script.lua:1: mesos.sleep cannot wait here" },
        { "requires what is not there", "require 'nowhere'", "script.lua:1: module 'nowhere' not found" },
        { "reads an undeclared global", "return schedular", "script.lua:1: undeclared global 'schedular'" },
        { "recurses for ever", "local function f() return 1 + f() end f()", "script.lua:1: stack overflow" },
        { "runs a driver itself",
            "require('mesos').SchedulerDriver { scheduler = {}, framework = { name = 'test' } }:run()",
            "script.lua:1: a new version cannot run a driver itself" },
        { "has state that cannot be kept",
            "require('mesos').state.f = print return { framework = { name = 'test' } }", "mesos.state.f: a function" },
        { "changes the user", "return { framework = { name = 'test', user = 'bob' } }",
            "framework.user: Mesos does not let a framework change its user while it is registered" },
        { "changes the principal", "return { framework = { name = 'test', principal = 'p' } }", "framework.principal: " },
        { "changes checkpoint", "return { framework = { name = 'test', checkpoint = true } }", "framework.checkpoint: " },
        { "is compiled", string.dump(function() end), "it is compiled Lua" },
    }
    local f, failed -- all of them in one run
    for _, row in ipairs(bad) do
        local name, text, message = table.unpack(row)
        it(name, function()
            if not f then
                f, failed = start(policy("v1", "mesos.state.n = 1"), { "--load-limit", "60" }), 0
                f.master:send_offers()
                f.run:wait_for("v1\toffers")
            end
            local before = #f.run.stderr
            f:save(text)
            failed = failed + 1
            f:wait_count("script.lua was not reloaded %(a file changed%), the version that runs goes on: ", failed)
            assert.truthy(f.run.stderr:find(message, before, true), f.run:report())
            f:says("v1")
        end)
    end

    it("leaves the old one at work, whatever it does", function()
        pause(0.2)
        assert.equal(#bad, count(f.run.stderr, "was not reloaded"))
        assert.equal(0, f:reloads())
        assert.equal(0, #f.master:calls_of("UPDATE_FRAMEWORK"))
        assert.equal(0, #f.master:calls_of("DECLINE"))
        assert.equal(1, #f.master:calls_of("SUBSCRIBE"))
        f:save(policy("v2"))
        f.run:wait_for("v2\treloaded")
        f:says("v2")
        f.run:kill()
        assert.equal(0, f.run:wait(), f.run:report())
    end)
end)

describe("a new version that is no good", function()
    after_each(cleanup)

    it("wants more memory than there is", function()
        if os.getenv("ASAN_OPTIONS") then
            return pending("the sanitizer needs more address space than that")
        end
        local folder = program.files { ["script.lua"] = policy("v1") }
        local m = master.start()
        local run = program.start {
            path = "/bin/sh", args = { "-c", "ulimit -v 1000000; exec " .. program.path .. " --master " .. m.address
                .. " " .. folder .. "/script.lua" },
        }
        m:wait_for("SUBSCRIBE")
        write(folder .. "/script.lua", "return ('x'):rep(1 << 30)")
        run:wait_for("was not reloaded %(a file changed%), the version that runs goes on: not enough memory")
        m:send_offers()
        run:wait_for("v1\toffers")
    end)

    it("is tried again when asked for, and left when the old text is back", function()
        local f = start(policy("v1"))
        f:save("x =")
        f:wait_count("was not reloaded", 1)
        f:save("x =")
        pause(0.2)
        f.run:kill("sighup")
        f:wait_count("was not reloaded", 2)
        f:save(policy("v1"))
        f.run:wait_for("is as it was again: the version that runs goes on")
        assert.equal(0, f:reloads())
        f:says("v1")
    end)

    it("keeps its module apart from the old one's", function()
        local f = start { ["script.lua"] = policy("v1", "say(require('lib'))"), ["lib.lua"] = "return 'good'" }
        f:save("return = 'bad'", "lib.lua")
        f.run:wait_for("error loading module 'lib' from file '[^\n]*lib.lua':\n\t[^\n]*lib.lua:1: unexpected symbol")
        f:says("v1")
        f:save("return 'better'", "lib.lua")
        f.run:wait_for("v1\tbetter")
    end)

    it("missing at SIGHUP is said", function()
        local f = start(policy("v1"))
        uv.fs_unlink(f.path)
        f.run:kill("sighup")
        f.run:wait_for("was not reloaded %(SIGHUP%), [^\n]*: cannot open script '[^\n]*script.lua': No such file")
        f:says("v1")
        f:save(policy("v2"))
        f.run:wait_for("v2\treloaded")
    end)

    it("is not known for a script that runs its own driver", function()
        local m = master.start()
        local run = program.start { args = { "--master", m.address, program.script [[
            require("mesos").SchedulerDriver { scheduler = {}, framework = { name = "own" } }:run() ]] } }
        run:wait_for("registered with")
        run:kill("sighup")
        run:wait_for("SIGHUP: nothing to reload; a script that returns its scheduler can be reloaded")
        run:kill()
        assert.equal(0, run:wait())
    end)
end)

describe("a swap", function()
    after_each(cleanup)

    it("carries mesos.state, nested and shared, and nothing else", function()
        local f = start(policy("v1", [[
            mesos.state.jobs = { { id = 1 }, { id = 2 } }
            mesos.state.last = mesos.state.jobs[2]
            declared = 1]]))
        f:save(policy("v2", [[
            say(#mesos.state.jobs, mesos.state.jobs[1].id, mesos.state.last == mesos.state.jobs[2], rawget(_G, "declared"))
            mesos.state.jobs[3] = {}]]))
        f.run:wait_for("v2\t2\t1\ttrue\tnil")
        f:save(policy("v3", "say(#mesos.state.jobs) error('no')"))
        f.run:wait_for("v3\t3\n")
        f:save(policy("v4", "say(#mesos.state.jobs)"))
        f.run:wait_for("v4\t3\n")
    end)

    it("hands the outstanding offers over, behind reloaded, and they can be used", function()
        local f = start(policy("v1", [[
            function scheduler:offerRescinded(driver, id) say("rescinded", id) end
            function scheduler:statusUpdate(driver, status) driver:declineOffer(driver:offers()[1].id) end]]))
        local offers = f.master:send_offers { f.master:offer(), f.master:offer(), f.master:offer() }
        f.master:send_offers { f.master:offer() }
        f.master:send { type = "RESCIND", rescind = { offer_id = offers[2].id } }
        f.run:wait_for("v1\trescinded")
        f:update("x")
        f.master:wait_for("DECLINE")
        f:save(policy("v2", [[
            function scheduler:reloaded(driver) say("reloaded", #driver:offers()) end
            function scheduler:offerRescinded(driver, id) end
            function scheduler:resourceOffers(driver, offers)
                say("offers", #offers, offers[1].cpus, offers[2].hostname)
                driver:launchTasks({ offers[1].id, offers[2].id }, {
                    { name = "t", task_id = "t", agent_id = offers[1].agent_id, command = { value = "true" },
                      resources = mesos.resources "cpus:1" } })
            end]]))
        local accept = f.master:wait_for("ACCEPT").call.accept
        assert.same({ offers[3].id, f.master.id .. "-O4" }, accept.offer_ids)
        assert.matches("v2\treloaded\t2\nv2\toffers\t2\t4.0\tagent1.test\n", f.run.stdout)
        f:says("v2")
        assert.equal(1, #f.master:calls_of("DECLINE"))
    end)

    it("hands nothing over that reloaded has used", function()
        local f = start(policy("v1"))
        f.master:send_offers()
        f.run:wait_for("v1\toffers")
        f:save(policy("v2", "function scheduler:reloaded(driver) driver:declineOffer(driver:offers()[1].id) end"))
        f.master:wait_for("DECLINE")
        f:says("v2")
        assert.equal(0, count(f.run.stdout, "v2\toffers"))
    end)

    it("ends the timers, coroutines and driver object of the old version", function()
        local f = start(policy("v1", [[
            mesos.every(0.02, function() say("tick") end)
            mesos.spawn(function() while true do mesos.sleep(0.02) say("tock") end end)
            local last
            function scheduler:resourceOffers(driver)
                last = last or setmetatable({}, { __gc = function()
                    say("gone", (select(2, pcall(driver.status, driver))))
                end })
            end]]))
        f.master:send_offers()
        f.run:wait_for("tock")
        f:save(policy("v2", "mesos.after(0.2, function() say('over') end)"))
        f.run:wait_for("v2\tover")
        assert.matches("^[^v]*v2\toffers[^\n]*\nv2\tover\n$", f.run.stdout:match("v2\treloaded\ttrue\n(.*)"))
        f.run:wait_for("v1\tgone\tthis driver is gone: its script was replaced")
    end)

    it("waits for the end of a callback that waits", function()
        local f = start(policy("v1", [[
            function scheduler:statusUpdate(driver, status)
                say("begins", status.task_id)
                while status.task_id == "slow" and not GO do mesos.sleep(0.02) end
                say("ends", status.task_id)
            end
            GO = false
            mesos.every(0.02, function()
                local file <close> = io.open(arg[0]:match("^(.*)/") .. "/go")
                GO = file ~= nil
            end)]]))
        f.master:send(f.master:update("slow", "TASK_RUNNING"))
        f.run:wait_for("v1\tbegins\tslow")
        f:save(policy("v2"))
        f.master:send(f.master:update("next", "TASK_RUNNING"))
        f.run:wait_for("the reload of [^\n]* has been waiting for 1 s")
        f:save("", "go")
        f.run:wait_for("v2\tstatus\tnext")
        f.master:wait_for("ACKNOWLEDGE", 2)
        assert.matches("v1\tbegins\tslow\nv1\tends\tslow\nv2\treloaded\ttrue\nv2\tstatus\tnext\t", f.run.stdout)
        assert.equal("slow", f.master:calls_of("ACKNOWLEDGE")[1].call.acknowledge.task_id)
    end)

    it("gives up a callback that waits too long, and its event comes again", function()
        local f = start(policy("v1", [[
            function scheduler:statusUpdate(driver, status) say("begins") mesos.sleep(60) say("ends") end]]))
        f.master:send(f.master:update("stuck", "TASK_RUNNING"))
        f.run:wait_for("v1\tbegins")
        f:save(policy("v2"))
        f.run:wait_for("the reload of [^\n]* has been waiting for 1 s for the end of callback statusUpdate, which is given up after 5 s")
        f.run:wait_for("v2\tstatus\tstuck\tTASK_RUNNING")
        assert.equal("stuck", f.master:wait_for("ACKNOWLEDGE").call.acknowledge.task_id)
        f.run:wait_for("callback statusUpdate is given up for the reload of [^\n]*; its event comes again")
        f.run:kill()
        assert.equal(0, f.run:wait(), f.run:report())
        assert.equal(0, count(f.run.stdout, "ends"))
    end)

    it("says which callbacks came and went", function()
        local f = start(policy("v1", "function scheduler:slaveLost() end"))
        f:save(policy("v2", "function scheduler:offerRescinded() end function scheduler:executorLots() end"))
        f.run:wait_for("callbacks added: offerRescinded; callbacks removed: slaveLost\n")
        f.run:wait_for("no callback 'executorLots'; did you mean 'executorLost'%?")
    end)

    it("works before there is a master, and subscribes with what is new", function()
        local folder = program.files { ["script.lua"] = policy("v1") }
        local address = server.unused_address()
        local run = program.start { args = { "--master", address, folder .. "/script.lua" } }
        run:wait_for("cannot subscribe")
        write(folder .. "/script.lua", policy("v2", nil, "name = 'second'"))
        run:wait_for("v2\treloaded\tfalse")
        local m = master.start { port = tonumber(address:match("%d+$")) }
        assert.equal("second", m:wait_for("SUBSCRIBE").call.subscribe.framework_info.name)
        run:wait_for("registered with")
        assert.equal(0, #m:calls_of("UPDATE_FRAMEWORK"))
    end)

    it("sends a changed framework, whole, and no other", function()
        local f = start(policy("v1", "scheduler.suppressedRoles = { 'b' }", "name = 'test', roles = { 'a', 'b' }"))
        f:save(policy("v2", "scheduler.suppressedRoles = { 'b' }",
            "roles = { 'b', 'a', 'c' }, name = 'better', failover_timeout = 60"))
        local update = f.master:wait_for("UPDATE_FRAMEWORK").call.update_framework
        assert.equal("better", update.framework_info.name)
        assert.equal(f.master.framework_id, update.framework_info.id)
        assert.same({ "b", "a", "c" }, update.framework_info.roles)
        assert.same({ "b" }, update.suppressed_roles)
        assert.equal(f.master:calls_of("SUBSCRIBE")[1].call.subscribe.framework_info.user, update.framework_info.user)
        f.run:wait_for("script.lua; framework: name, failover_timeout, roles\n")
        f:save(policy("v3", "scheduler.suppressedRoles = { 'b' }",
            "name = 'better', roles = { 'a', 'c', 'b' }, failover_timeout = 60"))
        f.run:wait_for("v3\treloaded")
        f:says("v3")
        assert.equal(1, #f.master:calls_of("UPDATE_FRAMEWORK"))
    end)

    it("does not subscribe with a framework that the master has refused", function()
        local f = start(policy("v1", "function scheduler:registered() end", "name = 'test', roles = { 'a', 'b' }"))
        f.master:answer("UPDATE_FRAMEWORK", 403, "Not authorized to register framework with roles { c }")
        f:save(policy("v2", "function scheduler:statusUpdate(driver) driver:suppressOffers { 'b' } driver:reconnect() end",
            "name = 'better', roles = { 'c' }"))
        f.run:wait_for("the master refused UPDATE_FRAMEWORK %(HTTP status 403%): Not authorized")
        f.run:wait_for("the framework stays as the master knows it")
        f.master:send(f.master:update("x", "TASK_RUNNING"))
        local subscribe = f.master:wait_for("SUBSCRIBE", 2).call.subscribe
        assert.equal("test", subscribe.framework_info.name)
        assert.same({ "a", "b" }, subscribe.framework_info.roles)
        assert.same({ "b" }, subscribe.suppressed_roles)
        f.run:wait_for("reregistered with")
        f.master:answer("UPDATE_FRAMEWORK", nil)
        f:save(policy("v3", "", "name = 'better', roles = { 'a' }"))
        assert.equal("better", f.master:wait_for("UPDATE_FRAMEWORK", 2).call.update_framework.framework_info.name)
    end)

    it("hands inverse offers over, too", function()
        local body = "function scheduler:inverseOffers(driver, offers) say('inverse', #offers, offers[1].id) end"
        local f = start(policy("v1", body))
        f.master:send {
            type = "INVERSE_OFFERS",
            inverse_offers = {
                inverse_offers = {
                    { id = "I1", framework_id = f.master.framework_id, unavailability = { start = { nanoseconds = 1 } } },
                },
            },
        }
        f.run:wait_for("v1\tinverse\t1\tI1")
        f:save(policy("v2", body))
        f.run:wait_for("v2\tinverse\t1\tI1")
    end)

    it("keeps what the old version changed at run time, unless the table says otherwise now", function()
        local framework = "name = 'test', roles = { 'a', 'b' }"
        local f = start(policy("v1", "function scheduler:statusUpdate(driver) driver:suppressOffers { 'a' } end", framework))
        f:update("x")
        f.master:wait_for("SUPPRESS")
        f:save(policy("v2", nil, framework .. ", webui_url = 'http://x'"))
        local update = f.master:wait_for("UPDATE_FRAMEWORK").call.update_framework
        assert.same({ "a" }, update.suppressed_roles)
        f:save(policy("v3", "scheduler.suppressedRoles = { 'b' }", framework .. ", webui_url = 'http://x'"))
        update = f.master:wait_for("UPDATE_FRAMEWORK", 2).call.update_framework
        assert.same({ "b" }, update.suppressed_roles)
        f.run:wait_for("changed suppressedRoles\n")
    end)

    it("sends changed offer constraints, and changes who acknowledges", function()
        local constraints = [[
            scheduler.offerConstraints = { role_constraints = { ["*"] = { groups = { { attribute_constraints = { {
                selector = { attribute_name = "rack" },
                predicate = { exists = {} } } } } } } } }]]
        local f = start(policy("v1"))
        f:save(policy("v2", constraints .. " scheduler.implicitAcknowledgements = false"))
        local update = f.master:wait_for("UPDATE_FRAMEWORK").call.update_framework
        assert.equal("rack",
            update.offer_constraints.role_constraints["*"].groups[1].attribute_constraints[1].selector.attribute_name)
        f.run:wait_for("changed offerConstraints, implicitAcknowledgements\n")
        f.master:send(f.master:update("explicit", "TASK_RUNNING"))
        f.run:wait_for("v2\tstatus\texplicit")
        f:save(policy("v3"))
        f.master:wait_for("UPDATE_FRAMEWORK", 2)
        f:says("v3")
        assert.equal(1, #f.master:calls_of("ACKNOWLEDGE"))
    end)
end)

describe("probation", function()
    after_each(cleanup)

    it("gives the failed update to the version before, which is taken from memory", function()
        local f = start({
            ["script.lua"] = policy("v1", "mesos.state.n = mesos.state.n or 1 say('n', mesos.state.n, (require('lib')))"),
            ["lib.lua"] = "return 'old'",
        })
        f.run:wait_for("v1\tn\t1\told")
        f:save("return 'new'", "lib.lua")
        f:wait_count("reloaded in", 1)
        f:update("settles")
        f:save(policy("v2", [[
            mesos.state.n = 7
            uv = require('lib')
            function scheduler:statusUpdate(driver, status) mesos.state.n = mesos.state.n + 1 error("oh no") end]]))
        f.run:wait_for("v2\treloaded")
        uv.fs_unlink(f.folder .. "/lib.lua")
        f.master:send(f.master:update("precious", "TASK_RUNNING"))
        f.run:wait_for("v1\tstatus\tprecious\tTASK_RUNNING")
        local acknowledge = f.master:wait_for("ACKNOWLEDGE", 2).call.acknowledge
        assert.equal("precious", acknowledge.task_id)
        f.run:wait_for("callback statusUpdate: [^\n]*script.lua:%d+: oh no\n    stack traceback")
        f.run:wait_for("script.lua: the version before is back after [%d.]+ ms and is given the event again; the new one, "
            .. "which raised in callback statusUpdate: [^\n]*script.lua:%d+: oh no, is tried again when a file changes")
        assert.matches("v1\tn\t8\tnew\nv1\treloaded\ttrue\nv1\tstatus\tprecious", f.run.stdout)
        pause(0.3)
        assert.equal(1, count(f.run.stderr, "the version before is back"))
        assert.equal(2, f:reloads())
        assert.equal(2, #f.master:calls_of("ACKNOWLEDGE"))
        f:says("v1")
    end)

    it("gives failed offers to the version before, and declines none", function()
        local f = start(policy("v1"))
        local first = f.master:send_offers()[1]
        f.run:wait_for("v1\toffers")
        f:save(policy("v2", "function scheduler:resourceOffers() error('no offers') end"))
        f.run:wait_for("the version before is back")
        f.run:wait_for("v1\treloaded\ttrue\nv1\toffers\t" .. first.id:gsub("%-", "%%-"))
        f:says("v1")
        assert.equal(0, #f.master:calls_of("DECLINE"))
    end)

    it("goes back when reloaded raises, or a callback that has waited", function()
        local f = start(policy("v1"))
        f:save(policy("v2", "function scheduler:reloaded() error('at once') end"))
        f:wait_count("the version before is back", 1)
        f:save(policy("v3", [[function scheduler:statusUpdate() mesos.sleep(0.05) error('later') end]]))
        f.run:wait_for("v3\treloaded")
        f:says("v1")
        f:wait_count("the version before is back", 2)
    end)

    for what, body in pairs {
        ["timer of"] = 'mesos.every(0.02, function() error "of a timer" end)',
        ["spawned function of"] = 'mesos.spawn(function() mesos.sleep(0.02) error "of a timer" end)',
    } do
        it("goes back when a " .. what .. " it raises, and repeats no event", function()
            local f = start(policy("v1"))
            f:save(policy("v2", body))
            f.run:wait_for("script.lua: the version before is back after %d+%.%d+ ms; the new one, which raised in " .. what
                .. " %S+script.lua:%d+: %S+script.lua:%d+: of a timer, is tried again when a file changes")
            f:says("v1")
            f:save(policy("v3"))
            f:wait_count("reloaded in", 2)
            f:says("v3")
        end)
    end

    it("is not ended by a timer of the first version, nor behind the probation", function()
        local f = start(policy("v1", 'mesos.every(0.02, function() error "first" end)'), { "--reload-probation", "1" })
        f:wait_count("first", 2)
        f:save(policy("v2", 'mesos.every(0.02, function() if mesos.state.late then error "later" end end)\n'
            .. 'function scheduler:statusUpdate() mesos.state.late = true end'))
        f:wait_count("reloaded in", 1)
        f.run:wait_for("v2\treloaded")
        f:update("t")
        f:wait_count("later", 2)
        assert.is_nil(f.run.stderr:find("the version before is back"))
    end)

    it("is over after N callbacks, and off with 0", function()
        local f = start(policy("v1"), { "--reload-probation", "3" })
        local fails = policy("v2", [[
            local n = 0
            function scheduler:statusUpdate() n = n + 1 if n == 3 then error("third") end end]])
        f:save(fails) -- reloaded and two updates pass
        f.run:wait_for("v2\treloaded")
        f:update("1")
        f:update("2")
        f.master:send(f.master:update("3", "TASK_RUNNING"))
        f.run:wait_for("third")
        f:update("4")
        assert.equal(0, count(f.run.stderr, "the version before"))
        cleanup()

        f = start(policy("v1"), { "--reload-probation", "0" })
        f:save(policy("v2", "function scheduler:statusUpdate() error('first') end"))
        f.run:wait_for("v2\treloaded")
        f.master:send(f.master:update("1", "TASK_RUNNING"))
        f.run:wait_for("first\n    stack")
        pause(0.1)
        assert.equal(0, count(f.run.stderr, "the version before"))
    end)

    it("does not try the same text again until it changes, or a reload is asked for", function()
        local bad = policy("v2", "function scheduler:reloaded() error('always') end")
        local f = start(policy("v1"))
        f:save(bad)
        f:wait_count("the version before is back", 1)
        f:save(bad)
        pause(0.3)
        assert.equal(1, f:reloads())
        f.run:kill("sighup")
        f:wait_count("the version before is back", 2)
        f:save(policy("v3"))
        f.run:wait_for("v3\treloaded")
        f:says("v3")
    end)
end)

describe("with --state", function()
    after_each(cleanup)

    it("what a new version notes is kept over a restart, what a bad one notes is not", function()
        local f = start(policy("v1", "mesos.state.by = 'v1'", "name = 'kept', failover_timeout = 60"),
            { "--state", program.directory() .. "/state" })
        f:save(policy("v2", "mesos.state.by = 'v2'", "name = 'kept', failover_timeout = 60"))
        f.run:wait_for("v2\treloaded")
        f:says("v2")
        f:save("require('mesos').state.by = 'v3' error('no')")
        f.run:wait_for("was not reloaded")
        f.run:kill()
        assert.equal(0, f.run:wait(), f.run:report())
        f:save(policy("v4", "say(mesos.state.by)", "name = 'kept', failover_timeout = 60"))
        local again = program.start { args = f.run.args }
        again:wait_for("v4\tv2\n")
        assert.equal(f.master.framework_id, f.master:wait_for("SUBSCRIBE", 2).call.framework_id)
    end)
end)

describe("examples/reload.lua", function()
    after_each(cleanup)

    it("does what its first lines say", function()
        local text = program.read("examples/reload.lua")
        local folder = program.files { ["reload.lua"] = text }
        local m = master.start()
        local run = program.start { args = { "--master", m.address, "reload.lua" }, cwd = folder }
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        local tasks = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos
        assert.equal(2, #tasks)
        m:send(m:update(tasks[1], "TASK_RUNNING"))
        m:send(m:update(tasks[2], "TASK_RUNNING"))
        m:send_offers()
        m:wait_for("DECLINE")
        write(folder .. "/reload.lua", (text:gsub("local WANTED = 2", "local WANTED = 3")))
        m:wait_for("REVIVE")
        m:send_offers()
        assert.equal(1, #m:wait_for("ACCEPT", 2).call.accept.operations[1].launch.task_infos)
        write(folder .. "/reload.lua", (text:gsub("ipairs%(offers%)", "ipairs(ofers)")))
        m:wait_for("KILL") -- one more than it wants
        m:send_offers()
        run:wait_for("the version before is back[^\n]*undeclared global 'ofers'")
        write(folder .. "/reload.lua", (text:gsub("local WANTED = 2", "local WANTED = 0")))
        m:wait_for("KILL", 4)
    end)
end)

-- What a master and its agents do: offers as long as there is room, updates until they are acknowledged.
local function full_speed(f)
    local m = f.master
    local world = { answered = {}, sent = {}, finished = 0, accepted = 0, offered = 0, open = 0 }
    local timer = uv.new_timer()

    local function update(task, state)
        local event = m:update(task, state)
        world.sent[event.update.status.uuid] = { event = event, times = 1, at = uv.hrtime(), task = task, state = state }
        m:send(event)
    end

    local function offer()
        while world.open < 20 and not world.ending do
            local o = m:offer()
            world.offered = world.offered + 1
            world.open = world.open + 1
            world.answered[o.id] = 0
            m:send_offers { o }
        end
    end

    local function answer(ids)
        for _, id in ipairs(ids) do
            world.answered[id] = world.answered[id] + 1
            world.open = world.open - 1
        end
    end

    m:answer("ACCEPT", function(call, connection)
        connection:respond(202)
        answer(call.accept.offer_ids)
        for _, task in ipairs(call.accept.operations[1].launch.task_infos) do
            world.accepted = world.accepted + 1
            update(task, "TASK_RUNNING")
        end
        offer()
    end)
    m:answer("DECLINE", function(call, connection)
        connection:respond(202)
        answer(call.decline.offer_ids)
        offer()
    end)
    m:answer("ACKNOWLEDGE", function(call, connection)
        connection:respond(202)
        local sent = world.sent[call.acknowledge.uuid]
        if sent.acknowledged then
            return
        end
        sent.acknowledged = true
        if sent.state == "TASK_RUNNING" then
            update(sent.task, "TASK_FINISHED")
        else
            world.finished = world.finished + 1
        end
    end)
    timer:start(50, 50, function()
        for _, sent in pairs(world.sent) do
            if not sent.acknowledged and (uv.hrtime() - sent.at) / 1e9 > 1 * program.patience then
                sent.at, sent.times = uv.hrtime(), sent.times + 1
                m:send(sent.event)
            end
        end
        offer()
    end)
    function world.stop()
        timer:close()
    end
    offer()
    return world
end

local POLICY = [[
local mesos = require "mesos"
local scheduler = { framework = { name = "speed", failover_timeout = 60 } }
local state = mesos.state
state.handled = state.handled or 0
function scheduler:resourceOffers(driver, offers)
    %s
    for _, offer in ipairs(offers) do
        driver:launchTasks(offer.id, { { name = "t", task_id = "task-" .. offer.id, agent_id = offer.agent_id,
            command = { value = "true" }, resources = mesos.resources "cpus:1;mem:32" } })
    end
end
function scheduler:statusUpdate(driver, status)
    %s
    state.handled = state.handled + 1
    print(("handled %%s %%s"):format(status.state, status.task_id))
end
function scheduler:reloaded(driver) print("version %d") end
%s
return scheduler
]]

-- Every third version is broken, in these ways one after the other.
local BREAKAGES = {
    { nil, nil, "return = 1" },
    { nil, "error('update')", nil },
    { nil, nil, "error('main')" },
    { "if true then error('offers') end", nil, nil },
    { nil, nil, "do return 17 end" },
    { nil, "if true then local t; t.x = 1 end", nil },
    { nil, nil, "scheduler.framework.nmae = 'x'" },
    { "if state.handled then mesos.sleep(0.001) error('later') end", nil, nil },
    { nil, nil, "mesos.exit(1)" },
    { nil, nil, "scheduler.framework.user = 'nobody-else'" },
    { nil, nil, "state.bad = function() end" },
    { nil, nil, "function scheduler:reloaded() error('reloaded') end" },
}

describe("a hundred edits at full speed", function()
    after_each(cleanup)

    it("lose no event and no call, and repeat none", function()
        local f = start(POLICY:format("", "", 0, ""))
        local world = full_speed(f)
        local broken = 0
        for i = 1, 100 do
            local text
            if i % 3 == 0 then
                broken = broken + 1
                local how = BREAKAGES[(broken - 1) % #BREAKAGES + 1]
                text = POLICY:format(how[1] or "", how[2] or "", i, how[3] or "")
            else
                text = POLICY:format("", "", i, "")
            end
            if i % 2 == 0 then
                f:overwrite(text)
            else
                f:save(text)
            end
            local failed, back = count(f.run.stderr, "was not reloaded"), count(f.run.stderr, "the version before is back")
            f.run:wait_for(function()
                return f.run.stdout:find(("version %d\n"):format(i), 1, true)
                    or count(f.run.stderr, "was not reloaded") > failed
                    or count(f.run.stderr, "the version before is back") > back
            end)
            local finished = world.finished
            f.run:wait_for(function() return world.finished > finished + 5 end)
        end
        world.ending = true
        f.run:wait_for(function()
            return world.open == 0 and world.finished == world.accepted
        end)
        world.stop()
        for id, times in pairs(world.answered) do
            assert.equal(1, times, id)
        end
        f.run:kill() -- what it printed is read to the end
        assert.equal(0, f.run:wait(), f.run:report())
        local handled = {}
        for state, task in f.run.stdout:gmatch("handled (%S+) (%S+)\n") do
            local key = state .. " " .. task
            handled[key] = (handled[key] or 0) + 1
        end
        for _, sent in pairs(world.sent) do
            local times = handled[sent.state .. " " .. sent.task.task_id] or 0
            assert.truthy(sent.acknowledged)
            assert.is_true(times >= 1 and times <= sent.times, sent.task.task_id)
        end
        assert.equal(1, #f.master:calls_of("SUBSCRIBE"))
        assert.equal(33, count(f.run.stderr, "was not reloaded") + count(f.run.stderr, "the version before is back"))
    end)
end)

describe("a thousand reloads", function()
    after_each(cleanup)

    local function descriptors(pid)
        return count(program.run { path = "/bin/ls", args = { ("/proc/%d/fd"):format(pid) } }.stdout, "\n")
    end

    local function memory(pid) -- KiB that are resident
        return tonumber(program.read(("/proc/%d/status"):format(pid)):match("VmRSS:%s*(%d+)"))
    end

    local function start_quiet(files)
        local m = master.start()
        local folder = program.files(files)
        local run = program.start { args = { "--master", m.address, "--log-level", "warning", folder .. "/script.lua" } }
        m:wait_for("SUBSCRIBE")
        return run, m
    end

    it("leave memory and file descriptors as they were", function()
        local text = policy("v1", [[
            local lib = require "lib"
            mesos.every(0.001, function() lib.n = lib.n + 1 end)
            mesos.spawn(function() mesos.sleep(100) end)
            function scheduler:reloaded() say("again") end]])
        local run, m = start_quiet({ ["script.lua"] = text, ["lib.lua"] = "return { n = 0, ballast = ('x'):rep(100000) }" })
        m:send_offers()
        local function reload(times)
            for _ = 1, times do
                local before = #run.stdout
                run:kill("sighup")
                run:wait_for(function() return #run.stdout > before end)
            end
        end
        pause(0.2)
        reload(200)
        local open, resident = descriptors(run.pid), memory(run.pid)
        reload(800)
        assert.equal(open, descriptors(run.pid))
        if not os.getenv("ASAN_OPTIONS") then
            assert.is_true(memory(run.pid) < resident + 1024, ("%d KiB became %d"):format(resident, memory(run.pid)))
        end
        run:kill()
        assert.equal(0, run:wait(), run:report())
    end)
end)
