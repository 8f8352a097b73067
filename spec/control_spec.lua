-- SPDX-License-Identifier: Apache-2.0
--
-- Looking into a running script: the control socket, and `mesos-lua ctl` at its other end.

local cjson = require("cjson")
local control = require("support.control")
local master = require("support.master")
local program = require("support.program")
local uv = require("luv")

local POLICY = [[
local mesos = require "mesos"
local limit, launched = 2, {}
threshold = 7
local function room() return limit - #launched end
local scheduler = { framework = { name = "seen" } }
function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        if room() > 0 then
            launched[#launched + 1] = "t" .. #launched
            driver:launchTasks(offer.id, { { name = "t", task_id = launched[#launched], agent_id = offer.agent_id,
                command = { value = "true" }, resources = mesos.resources { cpus = 0.1, mem = 32 } } })
        end
    end
end
function scheduler:statusUpdate(driver, status)
    if status.state == "TASK_FAILED" then error("do not like it") end
end
return scheduler
]]

local function cleanup()
    control.cleanup()
    program.cleanup()
    master.cleanup()
end

local function start(text, args)
    local m = master.start()
    local words = { "--master", m.address }
    table.move(args or {}, 1, #(args or {}), 3, words)
    words[#words + 1] = program.script(text or POLICY, "policy.lua")
    local run = program.start { args = words }
    run:wait_for("registered with")
    return run, m
end

local function evaluate(run, code)
    local done = control.ctl(run, { "eval", code })
    return done.code == 0 and done.stdout or done:report()
end

describe("the control socket", function()
    after_each(cleanup)

    it("is its owner's alone, and gone at the end", function()
        local run = start()
        local path = control.path(run)
        assert.equal("700", ("%o"):format(uv.fs_stat(run.home .. "/mesos-lua").mode & 511))
        assert.equal("600", ("%o"):format(uv.fs_stat(path).mode & 511))
        run:kill()
        assert.equal(0, run:wait())
        assert.is_nil(uv.fs_stat(path))
    end)

    it("is where --control says, and found by the process id all the same", function()
        local path = program.directory() .. "/here.sock"
        local run = start(nil, { "--control", path })
        assert.equal("600", ("%o"):format(uv.fs_stat(path).mode & 511))
        program.assert_has(control.ctl(run, { "status" }, { target = path }).stdout, "framework             seen\n")
        program.assert_has(control.ctl(run, { "status" }).stdout, "framework             seen\n")
        run:kill()
        run:wait()
        assert.is_nil(uv.fs_lstat(path))
        assert.is_nil(uv.fs_lstat(control.path(run)))
    end)

    it("takes the place of one that a killed host left, but of nothing else", function()
        local folder = program.directory()
        local path = folder .. "/here.sock"
        local first = start(nil, { "--control", path })
        local words = { "--master", "127.0.0.1:1", "--control", path, program.script "return {}" }
        local second = program.run { args = words }
        assert.equal(2, second.code)
        program.assert_has(second.stderr, "--control: another process listens at " .. path)
        first:kill("sigkill")
        first:wait()
        assert.is_truthy(uv.fs_stat(path))
        local third = start(nil, { "--control", path })
        program.assert_has(control.ctl(third, { "status" }, { target = path }).stdout, "seen")

        local file = folder .. "/file"
        io.open(file, "w"):close()
        words[4] = file
        local fourth = program.run { args = words }
        assert.equal(2, fourth.code)
        program.assert_has(fourth.stderr, "--control: " .. file .. " is there and is no socket")
        words[4] = folder .. "/" .. ("x"):rep(120)
        program.assert_has(program.run({ args = words }).stderr, "is too long for a socket")
    end)

    it("cleans up what hosts that are no more left behind", function()
        local home = program.directory()
        uv.fs_mkdir(home .. "/mesos-lua", tonumber("700", 8))
        local stale, other = home .. "/mesos-lua/999999999.sock", home .. "/mesos-lua/notes.txt"
        io.open(stale, "w"):close()
        io.open(other, "w"):close()
        local run = program.start {
            args = { "--master", "127.0.0.1:1", program.script "return {}" }, env = { XDG_RUNTIME_DIR = home },
        }
        program.wait_for(function() return uv.fs_stat(("%s/mesos-lua/%d.sock"):format(home, run.pid)) end)
        assert.is_nil(uv.fs_stat(stale))
        assert.is_truthy(uv.fs_stat(other))
    end)

    it("is not put into a folder that others may enter", function()
        local home = program.directory()
        uv.fs_mkdir(home .. "/mesos-lua", tonumber("777", 8))
        uv.fs_chmod(home .. "/mesos-lua", tonumber("777", 8))
        local run = program.start {
            args = { "-v", "--master", "127.0.0.1:1", program.script "return {}" }, env = { XDG_RUNTIME_DIR = home },
        }
        local path = run:wait_for("the control socket is (%S+)")
        assert.matches("^/tmp/mesos%-lua%-%d+/%d+%.sock$", path)
        assert.equal("700", ("%o"):format(uv.fs_stat(path:match("^(.*)/")).mode & 511))
        run:kill()
        run:wait()
    end)

    -- Only root can become another user.
    if uv.getuid() == 0 then
        it("refuses other users, whatever the modes of its files", function()
            local folder = program.directory()
            local path = folder .. "/here.sock"
            local run = start(nil, { "--control", path })
            local function try()
                return program.run {
                    path = "/usr/bin/setpriv", keep_stdin = true,
                    args = { "--reuid", "65534", "--clear-groups", "socat", "-t5", "-", "UNIX:" .. path },
                }
            end
            uv.fs_chmod(folder, tonumber("755", 8))
            program.assert_has(try().stderr, "Permission denied")
            uv.fs_chmod(path, tonumber("666", 8))
            assert.equal('{"ok":false,"error":"this host belongs to another user"}\n', try().stdout)
            run:wait_for("a process of user 65534 was refused at the control socket")
        end)
    end

    it("is not opened by check", function()
        local run = program.run { args = { "check", program.script(POLICY) } }
        assert.equal(0, run.code, run:report())
        assert.is_nil(uv.fs_stat(run.home .. "/mesos-lua"))
    end)
end)

describe("a client", function()
    after_each(cleanup)

    it("speaks JSON or plain words, several requests at once, and gets the replies in order", function()
        local run = start()
        local client = control.connect(control.path(run))
        client:write('{"command":"eval","argument":"1"}\neval 2\r\n\n{"command":"eval","argument":"mesos.sleep(0.05) return 3"}\neval 4\n')
        for i = 1, 4 do
            assert.same({ ok = true, output = i .. "\n" }, client:reply())
        end
        client:write("log-level")
        client:shutdown()
        assert.same({ ok = true, output = "info\n" }, client:reply())
        assert.is_nil(client:reply())
    end)

    it("is told what is wrong with garbage", function()
        local run = start()
        local client = control.connect(control.path(run))
        for text, message in pairs {
            ["{"] = "the request is not JSON", ['{"command":1}'] = 'the request is not {"command"',
            ["{}"] = 'the request is not {"command"', ["nonsense"] = "unknown command 'nonsense'",
            ["evel 1"] = "did you mean 'eval'?", ["eval"] = "eval: Lua code expected",
            ["a\0b"] = "zero byte", ["repl"] = "repl is a command of mesos-lua ctl", ["\xff\xfe"] = "unknown command",
            ['{"command":"\xff"}'] = "the request is not JSON", ["log-level loud"] = "log-level: debug, info",
            ["status --xml"] = "status: nothing or --json", [("["):rep(100000)] = "unknown command",
            ['{"command":' .. ("["):rep(100000)] = "the request is not JSON", ["stop now"] = "stop: nothing, failover",
        } do
            client:write(text .. "\n")
            local reply = client:reply()
            assert.is_false(reply.ok)
            program.assert_has(reply.error, message)
        end
    end)

    it("may not send more than a megabyte", function()
        local run = start()
        local client = control.connect(control.path(run))
        client:write(("x"):rep(2 << 20))
        program.assert_has(client:reply().error, "longer than 1 MiB")
        assert.is_nil(client:reply())
        program.assert_has(evaluate(run, "1"), "1\n")
    end)

    it("gets no more than is kept of an output", function()
        local run = start(nil, { "--load-limit", "60" })
        local client = control.connect(control.path(run))
        local reply = client:ask("eval", "for i = 1, 100000 do print('line', i) end return 'end'")
        assert.is_true(reply.ok)
        assert.is_true(#reply.output < 300000 and #reply.output > 200000)
        program.assert_has(reply.output:sub(-100), "... (more than is kept of an output)")
        reply = client:ask("eval", "error(('x'):rep(1 << 20))")
        assert.is_true(#reply.error < 100000)
    end)

    it("that goes away in the middle disturbs no other", function()
        local run = start()
        for _, text in ipairs { "", '{"command":', "eval mesos.sleep(0.05) print(1)\n", "eval ('x'):rep(100000)\n", "status\nstatus\n" } do
            local client = control.connect(control.path(run))
            client:write(text)
            client:close()
        end
        assert.equal("1\n", evaluate(run, "mesos.sleep(0.1) return 1"))
    end)

    it("that does not read or says nothing costs nothing", function()
        local run, m = start()
        local path = control.path(run)
        for i = 1, 40 do
            local client = assert(control.connect(path))
            client.pipe:read_stop()
            client:write(i % 2 == 0 and "" or ("eval ('x'):rep(50000)\n"):rep(50))
        end
        assert.equal("1\n", evaluate(run, "1"))
        m:send_offers { m:offer() }
        m:wait_for("ACCEPT")
        local open = tonumber(control.ctl(run, { "status" }).stdout:match("open files%s+(%d+)"))
        assert.is_true(open < 60, open)
    end)

    it("that waits for its result hears of the end", function()
        local run = start()
        local client = control.connect(control.path(run))
        client:write("eval mesos.sleep(1000)\n")
        assert.equal("1\n", evaluate(run, "1"))
        run:kill()
        program.assert_has(client:reply().error, "the script was ended")
        assert.equal(0, run:wait())
    end)
end)

describe("ctl", function()
    after_each(cleanup)

    it("says what is wrong with its command line", function()
        local folder = program.files { file = "" }
        local cases = {
            { {}, "no target was given: mesos-lua ctl TARGET COMMAND", "status [--json]" },
            { { "1" }, "no command was given" },
            { { "1", "stats" }, "unknown command 'stats' (did you mean 'status'?)" },
            { { "1", "frobnicate" }, "unknown command 'frobnicate' (help lists the commands)" },
            { { "999999999", "status" }, "there is no process 999999999" },
            { { ("%d"):format(uv.os_getpid()), "status" }, "has no control socket where it could be found" },
            { { folder .. "/none", "status" }, "there is no such socket, and no running host has a script of that path" },
            { { "b.lua", "status" }, "'b.lua' is neither a process nor a control socket, and no running host has a script" },
            { { folder .. "/file", "status" }, "/file: there is no such socket, and no running host" },
            { { folder .. "/" .. ("x"):rep(200), "status" }, "there is no such socket" },
        }
        for _, case in ipairs(cases) do
            local done = program.run { args = { "ctl", table.unpack(case[1]) } }
            assert.equal(2, done.code, done:report())
            program.assert_has(done.stderr, table.unpack(case, 2))
        end
    end)

    it("completes names at a terminal", function()
        local run = start()
        local terminal = program.start {
            path = "/usr/bin/script", args = { "-qec", ("%s ctl %d repl"):format(program.path, run.pid), "/dev/null" },
            env = { XDG_RUNTIME_DIR = run.home, TERM = "xterm" }, keep_stdin = true,
        }
        terminal:wait_for("> ")
        local rows = {
            { "driver:framew\t()\n", '"' .. evaluate(run, "driver:frameworkId()"):match('"(.*)"') .. '"' }, -- a method
            { "sche\t.framework.na\t .. 'x'\n", '"seenx"' }, -- a name that is always there, and a field
            { "thresh\t + 1\n", "\n8\r" }, -- a global of the script
            { "driver:rec\t\t\21", "driver:reconcileTasks" }, -- several: they are shown
            { ":log-l\t debug\n", "\ndebug\r" }, -- a command
            { "nothing.at.al\t\21'no ' .. 'names'\n", '"no names"' }, -- nothing there, and nothing called
        }
        -- libedit prints its prompt first and takes the terminal over then: until that, the terminal itself takes the
        -- control keys.
        local child = assert(io.open(("/proc/%d/task/%d/children"):format(terminal.pid, terminal.pid))):read("n")
        local tty = assert(uv.fs_readlink(("/proc/%d/fd/0"):format(child)))
        local function is_read_by_the_editor()
            local settings = program.run { path = "/usr/bin/stty", args = { "-F", tty, "-a" } }.stdout
            return settings:find("-icanon", 1, true) and terminal.stdout:find("> [^\n]*$")
        end
        local function type_in(keys)
            program.wait_for(is_read_by_the_editor, nil, function() return terminal.stdout end)
            terminal.input:write(keys)
        end
        for _, row in ipairs(rows) do
            type_in(row[1])
            program.wait_for(function() return terminal.stdout:find(row[2], 1, true) end, nil, function() return terminal.stdout end)
        end
        type_in(":quit\n")
        terminal:wait()
    end)

    it("has a help of its own", function()
        local done = program.run { args = { "ctl", "--help" } }
        assert.equal(0, done.code, done:report())
        program.assert_has(done.stdout, "mesos-lua ctl TARGET COMMAND", "interrupt", "log-level [LEVEL]")
        assert.is_nil(done.stdout:find("--master", 1, true))
    end)

    it("shows what could control a terminal as text on a terminal, and as it is elsewhere", function()
        local path, server = program.directory() .. "/fake.sock", uv.new_pipe(false)
        server:bind(path)
        server:listen(4, function()
            local peer = uv.new_pipe(false)
            server:accept(peer)
            peer:read_start(function(_, data)
                if data then
                    peer:write(cjson.encode { ok = true, output = "\27]0;owned\7\r\127\194\155 a\tb\n" } .. "\n")
                else
                    peer:close()
                end
            end)
        end)
        local function shown(how)
            local done = program.start {
                path = "/usr/bin/socat", args = { "-", ("EXEC:%s ctl %s status%s"):format(program.path, path, how) },
            }
            done:wait_for("a\tb\r?\n")
            return done.stdout
        end
        assert.equal("\\x1b]0;owned\\x07\\x0d\\x7f\\xc2\\x9b a\tb\r\n", shown(",pty,setsid"))
        assert.equal("\27]0;owned\7\r\127\194\155 a\tb\n", shown(""))
        server:close()
    end)

    -- Only root can become another user.
    if uv.getuid() == 0 then
        -- A socket of that user where that of process `pid`, of the other one, would be; the folder has that mode.
        local function pretend(owner, user, mode)
            local folder = ("/tmp/mesos-lua-%d"):format(user)
            assert(not uv.fs_lstat(folder), folder .. " is there")
            local victim = program.start {
                path = "/usr/bin/setpriv", args = { "--reuid", tostring(user), "--clear-groups", "sleep", "100" },
            }
            program.wait_for(function()
                local status = program.read(("/proc/%d/status"):format(victim.pid))
                return status and status:match("Uid:%s+(%d+)") == tostring(user)
            end)
            uv.fs_mkdir(folder, tonumber("700", 8))
            uv.fs_chown(folder, owner, owner)
            local path = ("%s/%d.sock"):format(folder, victim.pid)
            local fake = program.start { path = "/usr/bin/setpriv", keep_stdin = true, args = { "--reuid", tostring(owner),
                "--clear-groups", "socat", "-", "UNIX-LISTEN:" .. path .. ",mode=777" } }
            program.wait_for(function() -- the flags are those of a socket that listens
                return program.read("/proc/net/unix"):match(" 00010000 %d+ %d+ +%d+ " .. path:gsub("%p", "%%%0") .. "\n")
            end)
            uv.fs_chmod(folder, tonumber(mode, 8))
            return victim, fake, function()
                uv.fs_unlink(path)
                uv.fs_rmdir(folder)
            end
        end

        local USER = math.tointeger(2000 + 2 * (uv.os_getpid() % 29000)) -- another one in each run, as its folder is in /tmp
        local OTHER = USER + 1

        it("sends nothing into a folder of another user, or that others may enter", function()
            for _, case in ipairs { { OTHER, "700" }, { OTHER, "755" }, { USER, "711" } } do
                local victim, fake, clean = pretend(case[1], USER, case[2])
                local done = program.run { args = { "ctl", tostring(victim.pid), "eval", "'secret'" } }
                clean()
                assert.equal(2, done.code, done:report())
                program.assert_has(done.stderr, ("the folder /tmp/mesos-lua-%d belongs to user %d and has mode %s: "
                    .. "that of process %d has to be of its user, %d, and 700; nothing was sent there"):format(
                    USER, case[1], case[2], victim.pid, USER))
                assert.equal("", fake.stdout)
            end
        end)

        it("sends nothing to a process of another user", function()
            local victim, fake, clean = pretend(OTHER, USER, "700")
            uv.fs_chown(("/tmp/mesos-lua-%d"):format(USER), USER, USER)
            local done = program.run { args = { "ctl", tostring(victim.pid), "eval", "'secret'" } }
            clean()
            assert.equal(2, done.code, done:report())
            program.assert_has(done.stderr, ("a process of user %d listens at "):format(OTHER), "nothing was sent there")
            assert.equal("", fake.stdout)
        end)
    end

    it("tells the status as text and as JSON", function()
        local run, m = start()
        m:send_offers { m:offer(), m:offer(), m:offer() }
        local accept = m:wait_for("ACCEPT", 2)
        local task = accept.call.accept.operations[1].launch.task_infos[1]
        m:send(m:update(task, "TASK_RUNNING"))
        m:wait_for("ACKNOWLEDGE")
        m:send(m:update(task, "TASK_FAILED"))
        run:wait_for("do not like it")
        local text = control.ctl(run, { "status" }).stdout
        program.assert_has(text, "framework             seen\n", "driver                DRIVER_RUNNING\n",
            "connection            connected\n",
            "offers held           1\n", "tasks launched        2\n", "status updates        TASK_RUNNING 1, TASK_FAILED 1\n",
            "callbacks failed      statusUpdate 1\n", "ACCEPT 2", "resourceOffers 1 of ", "statusUpdate 2 of ")
        local status = cjson.decode(control.ctl(run, { "status", "--json" }).stdout)
        assert.equal("seen", status.framework_name)
        assert.equal(m.framework_id or status.framework_id, status.framework_id)
        assert.equal(tostring(run.pid), status.pid)
        assert.same({ 1, 1, 1, 2 }, {
            status.connected, status.driver_running, status.outstanding_offers, status.tasks_launched,
        })
        assert.same({ SUBSCRIBE = 1, ACCEPT = 2, ACKNOWLEDGE = 1 }, status.calls)
        assert.same({ registered = 1, resourceOffers = 1, statusUpdate = 2 }, status.callbacks)
        assert.equal(2, status.callback_duration_seconds.statusUpdate.count)
        assert.is_true(status.script_memory_bytes > 10000)
        m:end_stream()
        run:wait_for("disconnected")
    end)

    it("shows values readably", function()
        local run = start()
        for code, shown in pairs {
            ["nil"] = "nil\n", ["true, 1, 1.5, 'a\\n\"'"] = 'true\n1\n1.5\n"a\\n\\""\n', ["local x = 1"] = "", ["{}"] = "{}\n",
            ["{ 1, 2, a = 'b', ['x y'] = {}, ['end'] = 1, [3.5] = false }"] =
                '{ 1, 2, a = "b", ["end"] = 1, ["x y"] = {}, [3.5] = false }\n',
            ["(function() local t = {} t.t = t return t end)()"] = "{ t = { a table around it } }\n",
            ["{{{{{{{{{{}}}}}}}}}}"] = "{ { { { { { { { { ... } } } } } } } } }\n",
            ["'\\xff\\0\\27'"] = '"\\xff\\x00\\x1b"\n', ["print('ä', nil, '\\xff')"] = "ä\tnil\t\\xff\n",
            ["setmetatable({}, { __tostring = function() return 'me' end })"] = "me\n",
            ["setmetatable({}, { __index = error, __len = error, __pairs = error, __tostring = error })"] =
                "(its __tostring fails: ",
            ["scheduler.statusUpdate"] = "function (", ["print"] = "function (C)\n",
            ["('x'):rep(5000)"] = '" ... (5000 bytes)\n', ["table.pack(('x'):rep(1000):byte(1, -1))"] = "... (800 more)",
            ["{ aaaaaaaaaaaaaaaaaaaaaaaaaa = 1, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb = 2, cccccccccccccccccccccccccc = { 1 } }"] =
                "{\n  aaaaaaaaaaaaaaaaaaaaaaaaaa = 1,\n  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb = 2,\n  cccccccccccccccccccccccccc = { 1 }\n}\n",
        } do
            local done = control.ctl(run, { "eval", code })
            assert.equal(0, done.code, code .. ": " .. done:report())
            program.assert_has(done.stdout, shown)
        end
    end)

    it("shows offers and messages with their fields", function()
        local run = start("return {}")
        program.assert_has(evaluate(run, "driver:master()"), "MasterInfo {", 'hostname = "')
        assert.equal("{}\n", evaluate(run, "driver:offers()"))
        local other, n = start("local kept return { resourceOffers = function(_, d, offers) kept = offers end }")
        n:send_offers { n:offer() }
        program.wait_for(function() return evaluate(other, "kept and #kept or 0") == "1\n" end)
        program.assert_has(evaluate(other, "kept"), "Offer {", "agent_id = \"", "resources = {")
        evaluate(other, "driver:declineOffer(kept[1].id)")
        n:wait_for("DECLINE")
        assert.equal("{}\n", evaluate(other, "driver:offers()"))
    end)

    it("reads and changes the script's own variables", function()
        local run, m = start()
        assert.equal("2\n0\n7\n2\n", evaluate(run, "limit, #launched, threshold, room()"))
        m:send_offers { m:offer(), m:offer(), m:offer() }
        m:wait_for("ACCEPT", 2)
        assert.equal("", evaluate(run, "limit = 3"))
        assert.equal("", evaluate(run, "threshold = threshold + 1"))
        assert.equal("3\n8\n", evaluate(run, "limit, _G and scheduler and threshold"))
        m:send_offers { m:offer(), m:offer() }
        m:wait_for("ACCEPT", 3)
        program.wait_for(function() return evaluate(run, "#launched") == "3\n" end)
        assert.equal("", evaluate(run, "mine = { limit } function double(x) return 2 * x end"))
        assert.equal("{ 3 }\n8\n", evaluate(run, "mine, double(4)"))
        assert.equal("nil\n", evaluate(run, "rawget(_G, 'mine')"))
        assert.equal("", evaluate(run, "function scheduler:statusUpdate(d, status) print('now', status.state) end"))
        m:send { type = "HEARTBEAT" }
        m:send(m:update({ task_id = "t0", agent_id = "a" }, "TASK_FAILED"))
        m:wait_for("ACKNOWLEDGE")
    end)

    it("tells of errors with a traceback, after what was printed", function()
        local run = start(nil, { "--load-limit", "60" }) -- which endless recursion may need on a busy machine
        local done = control.ctl(run, { "eval", "print('before')", "\n", "local t = nil", "\n", "return t.x" })
        assert.equal(1, done.code)
        assert.equal("before\n", done.stdout)
        program.assert_has(done.stderr, "eval:3: attempt to index a nil value (local 't')", "stack traceback:")
        for code, message in pairs {
            ["x = = 1"] = "eval:1: unexpected symbol near '='", ["limt"] = "nothing is called 'limt' here",
            ["error({})"] = "eval:1: an error that is no text but a table (give error() a text",
            ["\27Lua"] = "attempt to load a binary chunk",
            ["coroutine.yield()"] = "attempt to yield from outside a coroutine",
            ["driver:launchTasks(3)"] = "tasks: a list expected, got nil",
            ["local function f() return f() + 1 end f()"] = "stack overflow",
            ["1 + * 2"] = "eval:1: unexpected symbol near '*'", ["#driver:offers("] = "near <eof>", [")"] = "near ')'",
        } do
            done = control.ctl(run, { "eval", code })
            assert.equal(1, done.code, done:report())
            program.assert_has(done.stderr, message)
        end
        assert.is_nil(run.stderr:find("error", 1, true), run.stderr)
        program.assert_has(control.ctl(run, { "status" }).stdout, "errors of the script  0\n")
    end)

    it("waits for code that waits, while the script goes on", function()
        local run, m = start()
        local waiting = control.start_ctl(run, { "eval", "mesos.sleep(0.3) return #launched" })
        m:send_offers { m:offer() }
        m:wait_for("ACCEPT")
        assert.equal("1\n", evaluate(run, "#launched"))
        assert.equal(0, waiting:wait())
        assert.equal("1\n", waiting.stdout)
    end)

    it("leaves timers behind, which print where the script prints", function()
        local run = start()
        assert.equal("", evaluate(run, "mesos.after(0.02, function() print('later', limit) io.stdout:flush() end) return"))
        run:wait_for("later\t2")
    end)

    it("takes code from its input", function()
        local run = start()
        local done = control.ctl(run, { "eval", "-" }, { stdin = "local a = 1\nreturn a +\n  limit\n" })
        assert.equal("3\n", done.stdout)
    end)

    it("reloads, and tells how it went", function()
        local run = start()
        local done = control.ctl(run, { "reload" })
        assert.equal(0, done.code, done:report())
        program.assert_has(done.stdout, "policy.lua reloaded in ", "(ctl reload): no file changed")
        local path = control.ctl(run, { "status" }).stdout:match("\nscript%s+(%S+)")
        local file = assert(io.open(path, "w"))
        file:write("return return")
        file:close()
        done = control.ctl(run, { "reload" })
        assert.equal(1, done.code, done:report())
        program.assert_has(done.stderr, "was not reloaded", "policy.lua:1:")
        program.assert_has(control.ctl(run, { "status" }).stdout, "reloads               swapped 1, failed ")
        assert.equal("2\n", evaluate(run, "limit"))
    end)

    it("tells code that waits that the script was replaced, and forgets what it named", function()
        local run = start()
        local client = control.connect(control.path(run))
        assert.is_true(client:ask("eval", "mine = 1").ok)
        client:write("eval mesos.sleep(1000)\n")
        assert.equal("1\n", evaluate(run, "mine"))
        assert.equal(0, control.ctl(run, { "reload" }).code)
        program.assert_has(client:reply().error, "replaced by a new version")
        program.assert_has(evaluate(run, "mine"), "nothing is called 'mine' here")
    end)

    it("cannot reload a script that runs its drivers itself, but look into it", function()
        local m = master.start()
        local run = program.start {
            args = {
                "--master", m.address, program.script [[
                    local mesos = require "mesos"
                    local seen = 5
                    return mesos.SchedulerDriver { scheduler = { registered = function() seen = seen + 1 end } }:run()
                ]],
            },
        }
        run:wait_for("registered with")
        assert.equal("6\n", evaluate(run, "seen"))
        program.assert_has(control.ctl(run, { "status" }).stdout, "DRIVER_RUNNING")
        local done = control.ctl(run, { "reload" })
        assert.equal(1, done.code)
        program.assert_has(done.stderr, "one that runs its drivers itself cannot")
        control.ctl(run, { "stop" })
        run:wait()
    end)

    it("changes the log level", function()
        local run = start()
        assert.equal("info\n", control.ctl(run, { "log-level" }).stdout)
        assert.equal("debug\n", control.ctl(run, { "log-level", "DEBUG" }).stdout)
        evaluate(run, "mesos.log.debug('seen now')")
        run:wait_for("seen now")
        assert.equal(1, control.ctl(run, { "log-level", "loud" }).code)
    end)

    it("stops it: as a signal, with failover, or with a teardown", function()
        for _, case in ipairs { { nil, true }, { "teardown", true }, { "failover", false } } do
            local run, m = start()
            local done = control.ctl(run, { "stop", case[1] })
            assert.equal(0, done.code, done:report())
            assert.equal(0, run:wait())
            assert.equal(case[2], #m:calls_of("TEARDOWN") == 1)
        end
    end)

    it("asks line by line", function()
        local run = start()
        local done = control.ctl(run, { "repl" }, {
            stdin = "limit\nfor i = 1, 2 do\n  print(i)\nend\n\nx = 5\nx +\n1\n:log-level\n:nope\nlimt\n" ..
                "print(\n\n'still there'\n:help\n:quit\nlimit\n",
        })
        assert.equal(0, done.code, done:report())
        program.assert_has(done.stdout, '2\n1\n2\n6\ninfo\n"still there"\nLua code runs in the script')
        program.assert_has(done.stderr, "unknown command 'nope'", "nothing is called 'limt' here", "near <eof>")
        local ended = control.start_ctl(run, { "repl" }, { keep_stdin = true })
        ended.input:write("1\n")
        ended:wait_for("1\n")
        run:kill()
        run:wait()
        ended.input:write("2\n")
        assert.equal(1, ended:wait())
        program.assert_has(ended.stderr, "the host")
    end)

    it("edits lines and remembers them at a terminal", function()
        local run = start()
        local home = program.directory()
        local function session(lines)
            local terminal = program.start {
                path = "/usr/bin/socat", keep_stdin = true, env = { XDG_RUNTIME_DIR = run.home, HOME = home, TERM = "xterm" },
                args = { "-", ("EXEC:%s ctl %d repl,pty,setsid,ctty"):format(program.path, run.pid) },
            }
            terminal:wait_for("> ")
            for _, line in ipairs(lines) do
                terminal.input:write(line[1])
                terminal:wait_for(line[2])
            end
            terminal.input:write(":quit\n")
            terminal:wait_for(function() return terminal.code end)
            terminal.input:close()
            return terminal
        end
        session { { "limit + 4\n", "\n6\r" }, { "limix\bt + 5\n", "\n7\r" } }
        assert.equal("600", ("%o"):format(uv.fs_stat(home .. "/.mesos_lua_history").mode & 511))
        session { { "\27[A\27[A\n", "\n7\r" } }
    end)
end)
