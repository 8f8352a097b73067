-- SPDX-License-Identifier: Apache-2.0
--
-- Lua code that does not end, wherever it stands: what stops it, what can be asked meanwhile, and that the framework
-- goes on, or ends in order, afterwards.

local cjson = require("cjson")
local control = require("support.control")
local master = require("support.master")
local program = require("support.program")
local uv = require("luv")


local GOOD = [[
local mesos = require "mesos"
local s = { framework = { name = "%s" } }
function s:statusUpdate(driver, status)
    while status.task_id == "bad" do pcall(function() while true do end end) end
end
return s
]]

local function cleanup()
    control.cleanup()
    program.cleanup()
    master.cleanup()
end

local function write(path, text)
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
end

-- A registered framework with that text.
local function start(text, args)
    local m = master.start()
    local words = { "--master", m.address }
    table.move(args or {}, 1, #(args or {}), 3, words)
    words[#words + 1] = program.script(text, "policy.lua")
    local run = program.start { args = words }
    run:wait_for("registered with")
    return run, m, words[#words]
end

-- Sends it the update that its callback statusUpdate loops at; returns where it is then.
local function make_loop(run, m)
    m:send(m:update("bad", "TASK_RUNNING"))
    local inside
    program.wait_for(function()
        local done = control.ctl(run, { "status", "--json" })
        inside = cjson.decode(done.stdout).running
        return inside ~= cjson.null
    end)
    return inside
end

local function start_looping(args, text)
    local run, m, path = start(text or GOOD:format("loops"), args)
    return run, m, path, make_loop(run, m)
end

local ENDLESS = "while true do pcall(function() while true do end end) end"

describe("--load-limit", function()
    after_each(cleanup)

    local STOPPED = "script.lua:2: stopped after %d+%.%d+ s without a pause; the limit is "

    it("ends the first load of a main chunk, with the line and the option", function()
        local path = program.script("\n" .. ENDLESS)
        local done = program.run { args = { "-m", program.NO_MASTER, "--load-limit", "0.3", path } }
        assert.equal(2, done.code, done:report())
        assert.matches(STOPPED .. "0.3 s %(%-%-load%-limit%)", done.stderr)
        assert.equal(1, select(2, done.stderr:gsub("stopped after", "")))
    end)

    it("is two seconds if it is not said, and holds for modules and for check", function()
        local folder = program.files { ["script.lua"] = "return require 'm'", ["m.lua"] = "\n" .. ENDLESS }
        local done = program.run { args = { "check", folder .. "/script.lua" } }
        assert.equal(2, done.code, done:report())
        assert.matches("m.lua:2: stopped after 2%.%d+ s without a pause; the limit is 2 s %(%-%-load%-limit%)", done.stderr)
    end)

    it("can be never, and gives way to a lesser --callback-limit", function()
        local path = program.script("local t = os.clock() + 0.5 while os.clock() < t do end os.exit(7)")
        assert.equal(7, program.run({ args = { "-m", program.NO_MASTER, "--load-limit", "0", path } }).code)
        local done = program.run { args = { "-m", program.NO_MASTER, "--callback-limit", "0.2", path } }
        assert.equal(2, done.code, done:report())
        program.assert_has(done.stderr, "the limit is 0.2 s (--callback-limit)")
    end)

    it("counts a main chunk anew behind a driver that it ran", function()
        local m = master.start()
        local done = program.start { args = { "-m", m.address, "--load-limit", "5", program.script [[
            local mesos = require "mesos"
            local function spin() local t = mesos.now() + 2.6 while mesos.now() < t do end end
            spin()
            mesos.SchedulerDriver { scheduler = { registered = function(_, driver) driver:stop() end } }:run()
            spin()
            os.exit(5)]] } }
        assert.equal(5, done:wait(), done:report())
    end)

    it("keeps a version out, says so once, and takes the next one", function()
        local run, _, path = start(GOOD:format("first"), { "--load-limit", "0.4" })
        write(path, "\n" .. ENDLESS)
        run:wait_for("policy.lua was not reloaded %(a file changed%), the version that runs goes on: "
            .. "%S+policy.lua:2: stopped after %d+%.%d+ s without a pause; the limit is 0.4 s %(%-%-load%-limit%)")
        program.assert_has(control.ctl(run, { "eval", "scheduler.framework.name" }).stdout, "first")
        write(path, GOOD:format("second"))
        run:wait_for("reloaded in")
        program.assert_has(control.ctl(run, { "eval", "scheduler.framework.name" }).stdout, "second")
        assert.equal(1, select(2, run.stderr:gsub("stopped after", "")))
    end)

    it("goes back to the old text without a word more than that", function()
        local run, _, path = start(GOOD:format("first"), { "--load-limit", "0.4" })
        write(path, ENDLESS)
        run:wait_for("was not reloaded")
        write(path, GOOD:format("first"))
        run:wait_for("is as it was again: the version that runs goes on")
    end)

    it("stops what an operator types, but not while it waits", function()
        local run = start(GOOD:format("x"), { "--load-limit", "0.3" })
        local done = control.ctl(run, { "eval", ENDLESS })
        assert.equal(1, done.code, done:report())
        assert.matches("eval:1: stopped after %d+%.%d+ s without a pause; the limit is 0.3 s %(%-%-load%-limit%)", done.stderr)
        assert.equal("9\n", control.ctl(run, { "eval", "mesos.sleep(0.5) return 9" }).stdout)
        done = control.ctl(run, { "repl" }, { stdin = ENDLESS .. "\n=1+1\n:quit\n" })
        program.assert_has(done.stderr, "(--load-limit)")
        assert.equal("2\n", done.stdout)
        assert.equal("3\n", control.ctl(run, { "eval", "=1+2" }).stdout)
    end)
end)

describe("an eval", function()
    after_each(cleanup)

    -- Runs the code for a client that leaves as soon as it has begun; it says how it ended.
    local function abandoned(code, leave)
        local run = start(GOOD:format("x"), { "--log-level", "debug", "--load-limit", "0" })
        local client = control.connect(control.path(run))
        client:write(("eval mesos.log.info('begun') local ending <close> = setmetatable({}, "
            .. "{ __close = function() mesos.log.info('closed') end }) %s\n"):format(code))
        run:wait_for("begun")
        leave(client)
        return run
    end

    for name, leave in pairs {
        ["that leaves"] = function(client) client:close() end,
        ["that leaves, after it said that it would send nothing else"] = function(client)
            client:shutdown()
            client:close()
        end,
    } do
        for _, wait in ipairs { "mesos.sleep(1e9)", "mesos.exec { 'sleep', '1000' }",
            "coroutine.wrap(function() mesos.sleep(1e9) end)()" } do
            it(("that waits in %s ends with its client %s"):format(wait, name), function()
                local run = abandoned(wait, leave)
                run:wait_for("the client of an eval has disconnected: the evaluation is aborted")
                if not wait:find("coroutine") then
                    run:wait_for("closed")
                end
                assert.equal("1\n", control.ctl(run, { "eval", "1" }).stdout)
                run:kill()
                assert.equal(0, run:wait(), run:report())
            end)
        end
    end

    it("that runs ends with its client", function()
        local run = abandoned(ENDLESS, function(client) client:close() end)
        assert.equal("1\n", control.ctl(run, { "eval", "1" }).stdout)
    end)

    it("goes on for a client that only says that it will send nothing else", function()
        local run = start(GOOD:format("x"))
        local client = control.connect(control.path(run))
        client:write("eval mesos.sleep(0.7) return 5\n")
        client:shutdown()
        assert.same({ ok = true, output = "5\n" }, client:reply())
        assert.is_nil(client:reply())
    end)
end)

describe("while Lua code runs", function()
    after_each(cleanup)

    for name, args in pairs { ["with the limits as they are"] = {}, ["without any limit"] = { "--callback-warn", "0" } } do
        it("ctl interrupt stops it, and the update comes again, " .. name, function()
            local run, m, _, inside = start_looping(args)
            assert.matches("^callback statusUpdate, which has run for %d+%.%d+ s and is at %S+policy.lua:4$", inside)
            local done = control.ctl(run, { "interrupt" })
            assert.equal(0, done.code, done:report())
            assert.matches("^interrupted callback statusUpdate, which has run for ", done.stdout)
            run:wait_for("callback statusUpdate: %S+policy.lua:4: stopped after %d+%.%d+ s without a pause, by ctl interrupt\n"
                .. "%s*stack traceback:")
            m:send(m:update("good", "TASK_RUNNING"))
            assert.equal("good", m:wait_for("ACKNOWLEDGE").call.acknowledge.task_id)
            assert.equal(1, #m:calls_of("ACKNOWLEDGE"))
        end)
    end

    it("there is something to interrupt, and otherwise not", function()
        local run = start(GOOD:format("x"))
        local done = control.ctl(run, { "interrupt" })
        assert.equal(1, done.code)
        program.assert_has(done.stderr, "nothing to interrupt: no Lua code runs now")
    end)

    it("what looks is answered, several times by one client, and what needs the loop waits", function()
        local run = start_looping()
        local client = control.connect(control.path(run))
        for _ = 1, 3 do
            client:write("status\nlog-level\nhelp\nmetrics\nnonsense\n")
            for _, part in ipairs { "in callback           statusUpdate", "info\n", "interrupt", "mesos_lua_uptime_seconds" } do
                program.assert_has(client:reply().output, part)
            end
            program.assert_has(client:reply().error, "unknown command 'nonsense'")
        end
        client:write("eval 6 * 7\nlog-level\n")
        assert.is_true(control.connect(control.path(run)):ask("interrupt").ok)
        assert.equal("42\n", client:reply().output)
        assert.equal("info\n", client:reply().output)
    end)

    it("a client that leaves while its request waits has not asked", function()
        local run = start_looping()
        local client = control.connect(control.path(run))
        client:write("eval mesos.log.info('never said')\n")
        client:write("status\n")
        client:close()
        local other = control.connect(control.path(run))
        assert.is_true(other:ask("log-level").ok)
        assert.is_true(other:ask("interrupt").ok)
        assert.equal("1\n", other:ask("eval", "1").output)
        assert.is_nil(run.stderr:find("never said"))
    end)

    it("ctl says what the host is inside of, and how to get it out", function()
        local run = start_looping()
        local waiting = control.start_ctl(run, { "eval", "1" })
        waiting:wait_for("no answer yet: the host is inside callback statusUpdate, which has run for %d+%.%d+ s and is at "
            .. "%S+policy.lua:4; this goes on when that returns or waits %('mesos%-lua ctl " .. run.pid .. " interrupt' stops it%)\n")
        control.ctl(run, { "interrupt" })
        assert.equal(0, waiting:wait())
        assert.equal("1\n", waiting.stdout)
    end)

    it("ctl stop stops when it ends, and then it does", function()
        local run, m = start_looping()
        local done = control.ctl(run, { "stop", "failover" })
        assert.equal(0, done.code, done:report())
        assert.matches("^stopping when it returns or waits: callback statusUpdate, which has run for .* %(interrupt stops it%)\n$",
            done.stdout)
        control.ctl(run, { "interrupt" })
        assert.equal(0, run:wait(), run:report())
        assert.equal(0, #m:calls_of("TEARDOWN"))
    end)

    it("a call of a C function is beyond all that, and ctl says so", function()
        local go = program.directory() .. "/go"
        local run, m = start(([[
            local s = {}
            function s:statusUpdate()
                io.stdout:write("begun\n") io.stdout:flush()
                os.execute("until test -e %s; do sleep 0.05; done")
            end
            return s]]):format(go))
        m:send(m:update("t", "TASK_RUNNING"))
        run:wait_for("begun")
        local done = control.start_ctl(run, { "status" })
        done:wait_for("no answer yet, and the host does not answer other requests either: it is inside one call of a C function")
        write(go, "")
        assert.equal(0, done:wait(), done:report())
    end)
end)

describe("a signal while Lua code runs", function()
    after_each(cleanup)

    it("is logged at once with the line, and the next one stops it and ends all in order", function()
        local directory = program.directory()
        local state = directory .. "/state"
        local run, m = start([[
            local mesos = require "mesos"
            local s = { framework = { name = "kept", failover_timeout = 60 } }
            function s:registered()
                mesos.spawn(function() mesos.exec { "sh", "-c", "echo $$ > ]] .. directory .. [[/pid; exec sleep 1000" } end)
            end
            function s:statusUpdate()
                mesos.state.seen = "this is kept"
                while true do pcall(function() while true do end end) end
            end
            return s]], { "--state", state, "--callback-warn", "0" })
        local child = tonumber(program.wait_for(function() return (program.read(directory .. "/pid") or ""):match("(%d+)\n") end))
        make_loop(run, m)
        local path = control.path(run)
        run:kill("sigint")
        run:wait_for("info    SIGINT: stopping when it returns or waits: callback statusUpdate, which has run for %d+%.%d+ s and "
            .. "is at %S+policy.lua:8 %(another signal stops it%)\n")
        assert.is_nil(run.code)
        run:kill("sigterm")
        assert.equal(0, run:wait(), run:report())
        program.assert_has(run.stderr, "SIGTERM again: stopping callback statusUpdate", "without a pause, by a second signal\n")
        assert.is_nil(uv.fs_lstat(path))
        program.assert_has(program.read(state), "this is kept")
        assert.equal(0, #m:calls_of("ACKNOWLEDGE"))
        program.wait_for(function() return not program.alive(child) end)
    end)

    it("stops what begins to loop afterwards, too", function()
        local run = start_looping({}, [[
            local mesos = require "mesos"
            local s = {}
            function s:registered() mesos.every(0.001, function() while mesos.state.bad do end end) end
            function s:statusUpdate() mesos.state.bad = true while true do end end
            return s]])
        run:kill()
        run:wait_for("SIGTERM: stopping")
        run:kill()
        assert.equal(0, run:wait(), run:report())
    end)

    it("ends a first load in the same way", function()
        local run = program.start { args = { "-m", program.NO_MASTER, "--load-limit", "0", program.script("\n" .. ENDLESS) } }
        program.wait_for(function()
            local client = control.connect(control.path(run))
            local reply = client and client:ask("status", "--json")
            return reply and cjson.decode(reply.output).running ~= cjson.null
        end)
        run:kill()
        run:wait_for("SIGTERM: stopping when it returns or waits: script %S+script.lua, which has run for")
        run:kill()
        assert.equal(0, run:wait(), run:report())
        program.assert_has(run.stderr, "script.lua:2: stopped after")
    end)

    it("does not start what was loaded meanwhile", function()
        local m = master.start()
        local go = program.directory() .. "/go"
        local run = program.start { args = { "-m", m.address, "--load-limit", "60", program.script(([[
            print "begun" io.stdout:flush()
            local file
            repeat file = io.open(%q) until file
            return {}]]):format(go)) } }
        run:wait_for("begun")
        run:kill()
        run:wait_for("SIGTERM: stopping when")
        write(go, "")
        assert.equal(0, run:wait(), run:report())
        assert.equal(0, #m:calls_of("SUBSCRIBE"))
    end)

    it("is told of when nothing can be done about it, and then the next one ends the process", function()
        local run, m = start([[
            local s = {}
            function s:statusUpdate()
                io.stdout:write("begun\n") io.stdout:flush()
                ;(("x"):rep(24000) .. "y"):find(("x*"):rep(3) .. "z")
            end
            return s]], { "--callback-warn", "0" })
        m:send(m:update("t", "TASK_RUNNING"))
        run:wait_for("begun")
        local path = control.path(run)
        run:kill()
        run:wait_for("warning SIGTERM: the program is inside one call of a C function, or a finalizer %(__gc%), which nothing can "
            .. "stop: it stops when that returns; another signal ends it at once\n")
        run:kill()
        assert.equal(128 + 15, run:wait(), run:report())
        assert.is_nil(uv.fs_lstat(path))
    end)

    it("twice, while none runs, ends at once and leaves no socket", function()
        local run, m = start([[return { framework = { name = "x" } }]])
        local path = control.path(run)
        m:hold("TEARDOWN")
        run:kill()
        m:wait_for("TEARDOWN")
        run:kill()
        assert.equal(128 + 15, run:wait(), run:report())
        assert.is_nil(uv.fs_lstat(path))
    end)
end)
