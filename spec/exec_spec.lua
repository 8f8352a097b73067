-- SPDX-License-Identifier: Apache-2.0
--
-- mesos.exec: what comes back from a child process, what goes in, and that nothing of it is left when it takes too
-- long, says too much, or when its script or the host ends.

local master = require("support.master")
local program = require("support.program")


local HEAD = [[
local mesos = require "mesos"
local function show(result, message, code, partial)
    local r = result or partial or {}
    print(r.status, r.signal, r.stdout, r.stderr, message, code)
end
]]

-- Runs the text in a spawned function; the program ends behind it.
local function run_spawned(text, options)
    options = options or {}
    return program.run {
        args = { "-m", program.NO_MASTER, program.script(HEAD .. "mesos.spawn(function()\n" .. text .. "\nos.exit(0)\nend)\nreturn {}") },
        env = options.env,
    }
end

describe("mesos.exec", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    local rows = {
        { "gives status and outputs", [[show(mesos.exec { "sh", "-c", "printf out; printf err >&2; exit 3" })]],
            "3\tnil\tout\terr\tnil\tnil\n" },
        { "takes numbers as words", [[show(mesos.exec { "printf", "%s-", 1, 2.5, "x y" })]], "0\tnil\t1-2.5-x y-\t\tnil\tnil\n" },
        { "gives the signal", [[show(mesos.exec { "sh", "-c", "kill -TERM $$" })]], "nil\t15\t\t\tnil\tnil\n" },
        { "feeds a text", [[show(mesos.exec({ "cat" }, { stdin = "a\0b\n" }))]], "0\tnil\ta\0b\n\t\tnil\tnil\n" },
        { "feeds an empty text, and without one nothing", [[show(mesos.exec({ "cat" }, { stdin = "" }))
            show(mesos.exec { "cat" })]], "0\tnil\t\t\tnil\tnil\n0\tnil\t\t\tnil\tnil\n" },
        { "does not mind a child that does not read", [[show(mesos.exec({ "true" }, { stdin = ("x"):rep(1 << 20) }))]],
            "0\tnil\t\t\tnil\tnil\n" },
        { "runs in a folder", [[show(mesos.exec({ "pwd" }, { cwd = "/usr" }))]], "0\tnil\t/usr\n\t\tnil\tnil\n" },
        { "adds to the environment and takes away", [[show(mesos.exec({ "sh", "-c", "echo $A $B ${C-none} ${D-none}" },
            { env = { A = 1, B = "x y", C = false } }))]], "0\tnil\t1 x y none d\n\t\tnil\tnil\n" },
        { "lets a child open its output again", [[show(mesos.exec { "sh", "-c", "echo x > /dev/stdout" })]],
            "0\tnil\tx\n\t\tnil\tnil\n" },
        { "keeps a megabyte", [[local r = mesos.exec { "head", "-c", "1048576", "/dev/zero" }
            print(#r.stdout, r.status)]], "1048576\t0\n" },
        { "tells what cannot be run", [[show(mesos.exec { "no-such-program" })]],
            "nil\tnil\tnil\tnil\tcannot run 'no-such-program': no such file or directory\tENOENT\n" },
        { "tells what may not be run", [[show(mesos.exec { "/etc/passwd" })]],
            "nil\tnil\tnil\tnil\tcannot run '/etc/passwd': permission denied\tEACCES\n" },
        { "tells that a folder is missing", [[show(mesos.exec({ "ls" }, { cwd = "/nowhere" }))]],
            "nil\tnil\tnil\tnil\tcannot run 'ls' in the folder '/nowhere': No such file or directory\tENOENT\n" },
        { "kills what takes too long", [[show(mesos.exec({ "sh", "-c", "echo begun; sleep 60" }, { timeout = 2 }))]],
            "nil\t9\tbegun\n\t\t'sh' was killed: it had not ended after 2 s (timeout)\tETIMEDOUT\n" },
        { "kills what says too much", [[show(mesos.exec({ "sh", "-c", "yes | tr -d '\\n'" }, { limit = 10 }))]],
            "nil\t9\tyyyyyyyyyy\t\t'sh' was killed: it wrote more than 10 bytes to one of its outputs (limit)\tENOBUFS\n" },
        { "counts what was left in the pipe", [[show(mesos.exec({ "printf", "12345" }, { limit = 4 }))]],
            "0\tnil\t1234\t\t'printf' was killed: it wrote more than 4 bytes to one of its outputs (limit)\tENOBUFS\n" },
    }
    for _, row in ipairs(rows) do
        it(row[1], function()
            local done = run_spawned(row[2], { env = { C = "c", D = "d" } })
            assert.equal(0, done.code, done:report())
            -- A child that is killed may have ended by itself a moment before.
            assert.equal(row[3], row[1]:find("left in the pipe") and done.stdout:gsub("^nil\t9", "0\tnil") or done.stdout,
                done:report())
        end)
    end

    it("refuses what it does not understand", function()
        local done = run_spawned [[
for _, arguments in ipairs {
    { "ls" }, { {} }, { { "ls", {} } }, { { "a\0b" } }, { { "ls" }, 3 }, { { "ls" }, { timout = 1 } },
    { { "ls" }, { timeout = 0 } }, { { "ls" }, { limit = -1 } }, { { "ls" }, { stdin = 3 } },
    { { "ls" }, { env = { "x" } } }, { { "ls" }, { env = { X = {} } } }, { { "ls" }, { cwd = {} } },
} do print((select(2, pcall(mesos.exec, table.unpack(arguments))))) end]]
        assert.equal([[
mesos.exec: a list of the program and its arguments expected, such as { 'ls', '-l' } or { 'sh', '-c', text }, got string
mesos.exec: the list of the program and its arguments is empty
argv[2]: a text expected, got table
argv[1]: contains a zero byte
bad argument #2 to 'mesos.exec' (table expected, got number)
mesos.exec: option 'timout' is unknown (did you mean 'timeout'?)
timeout: a number of seconds above 0 expected, got 0
limit: a whole number of bytes from 0 to 1073741824 expected, got -1
stdin: a text expected, got number
env: names of variables expected as keys, got 1
env.X: a text, or false to take it away, expected, got table
cwd: a text expected, got table
]], done.stdout, done:report())
    end)

    it("cannot be called where nothing can wait", function()
        local done = program.run { args = { "-m", program.NO_MASTER, program.script "require('mesos').exec { 'ls' }" } }
        assert.equal(2, done.code)
        assert.truthy(done.stderr:find("script.lua:1: mesos.exec cannot wait here", 1, true), done:report())
    end)

    it("holds up the next event and nothing else", function()
        local m = master.start()
        local go = program.directory() .. "/go"
        local run = program.start { args = { "--master", m.address, program.script(([[
            local mesos = require "mesos"
            local s, ticks, tick = {}, 0, nil
            local function say(...) print(...) io.stdout:flush() end
            function s:resourceOffers(driver, offers)
                driver:launchTasks(offers[1].id, { { name = "t", task_id = "t", agent_id = offers[1].agent_id } })
            end
            function s:statusUpdate(driver, status)
                say("begin", status.state)
                tick = tick or mesos.every(0.01, function()
                    ticks = ticks + 1
                    if ticks == 5 then say("ticks") end
                end)
                assert(mesos.exec { "sh", "-c", "until test -e %s; do sleep 0.05; done" })
                say("end", status.state)
                if status.state == "TASK_FINISHED" then driver:stop() end
            end
            return s]]):format(go)) } }
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        local task = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos[1]
        m:send(m:update(task, "TASK_RUNNING"))
        m:send(m:update(task, "TASK_FINISHED"))
        run:wait_for("begin\tTASK_RUNNING\nticks\n")
        assert.equal(0, #m:calls_of("ACKNOWLEDGE"))
        assert(io.open(go, "w")):close()
        assert.equal(0, run:wait(), run:report())
        assert.equal("begin\tTASK_RUNNING\nticks\nend\tTASK_RUNNING\nbegin\tTASK_FINISHED\nend\tTASK_FINISHED\n",
            run.stdout)
        assert.equal(1, #m:calls_of("ACKNOWLEDGE"))
    end)

    it("runs many at a time, in user coroutines too, up to a number", function()
        local done = run_spawned [[
local ended = 0
for i = 1, 20 do
    mesos.spawn(function()
        local step = coroutine.wrap(function()
            coroutine.yield(mesos.exec({ "cat" }, { stdin = "child " .. i }).stdout)
        end)
        assert(step() == "child " .. i)
        ended = ended + 1
    end)
end
while ended < 20 do mesos.sleep(0.01) end
local refused = 0
for i = 1, 260 do
    mesos.spawn(function()
        local ok, _, code = mesos.exec { "sleep", "30" }
        if not ok and code == "EAGAIN" then refused = refused + 1 end
    end)
end
while refused < 4 do mesos.sleep(0.01) end
print(ended, refused)]]
        assert.equal("20\t4\n", done.stdout, done:report())
    end)

    -- A script with a child that lives, and a grandchild: prints both pids.
    local LASTING = HEAD .. [[
mesos.spawn(function()
    mesos.exec { "sh", "-c", "sleep 600 & echo $$ $! > " .. arg[1] .. "/pids.new; mv " .. arg[1] .. "/pids.new " ..
        arg[1] .. "/pids; wait" }
    print "never"
end)
return {}]]

    local function start_lasting()
        local directory = program.directory()
        local run = program.start { args = { "-m", program.NO_MASTER, program.script(LASTING), directory } }
        local text = program.wait_for(function() return program.read(directory .. "/pids") end)
        local child, grandchild = text:match("(%d+) (%d+)")
        return run, tonumber(child), tonumber(grandchild)
    end

    it("leaves nothing behind when the host ends", function()
        local run, child, grandchild = start_lasting()
        run:kill()
        assert.equal(0, run:wait(), run:report())
        program.wait_until_gone(child)
        program.wait_until_gone(grandchild)
        assert.equal("", run.stdout)
    end)

    it("leaves nothing behind when its version of the script goes", function()
        local run, child, grandchild = start_lasting()
        run:kill("sighup")
        run:wait_for("reloaded")
        program.wait_until_gone(child)
        program.wait_until_gone(grandchild)
    end)

    it("leaves nothing behind that it put into the background", function()
        local done = run_spawned [[print(mesos.exec { "sh", "-c", "sleep 600 & echo $!" }.stdout)]]
        program.wait_until_gone(tonumber(done.stdout:match("%d+")))
    end)

    it("leaves nothing behind when a second signal ends the host at once", function()
        local directory = program.directory()
        local m = master.start()
        m:hold("TEARDOWN")
        local run = program.start { args = { "-m", m.address, program.script(LASTING), directory } }
        local text = program.wait_for(function() return program.read(directory .. "/pids") end)
        run:wait_for("registered with")
        run:kill()
        m:wait_for("TEARDOWN")
        run:kill()
        run:wait()
        program.wait_until_gone(tonumber(text:match("^%d+")))
        program.wait_until_gone(tonumber(text:match(" (%d+)")))
    end)

    it("leaves nothing behind when signals end a host whose script never pauses", function()
        local directory = program.directory()
        local path = directory .. "/pids"
        local run = program.start { args = { "-m", program.NO_MASTER, program.script((LASTING:gsub("return {}", [[
mesos.every(0.01, function()
    if io.open(arg[1] .. "/pids") then
        print "spins"
        io.stdout:flush()
        while true do end
    end
end)
return {}]]))), directory } }
        run:wait_for("spins")
        local child, grandchild = program.read(path):match("(%d+) (%d+)")
        run:kill()
        run:wait_for("SIGTERM: stopping when it returns or waits: timer of")
        run:kill()
        assert.equal(0, run:wait(), run:report())
        program.wait_until_gone(tonumber(child))
        program.wait_until_gone(tonumber(grandchild))
    end)
end)
