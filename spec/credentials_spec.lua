-- SPDX-License-Identifier: Apache-2.0
--
-- Credentials of a framework: principals and secrets, tokens, where they come from, and the messages when the master
-- refuses them.

local master = require("support.master")
local program = require("support.program")

local BASIC = { Authorization = 'Basic realm="mesos-master-scheduler"' }
local HELLO = "Basic YWxpY2U6c2VzYW1l" -- alice:sesame
local OTHER = "Basic YWxpY2U6b3Blbg==" -- alice:open

local CHALLENGE = { ["WWW-Authenticate"] = BASIC.Authorization }

-- A master that takes `m.authorization` only.
local function guarded(authorization)
    local m = master.start()
    m.authorization = authorization
    local function guard(call, connection)
        local request = m.calls[#m.calls].request
        if request:header("Authorization") == m.authorization then
            return true
        end
        connection:respond(401, "401 Unauthorized.", CHALLENGE)
        return call == nil
    end
    m:answer("SUBSCRIBE", guard)
    m:answer("RECONCILE", guard)
    m:answer("REVIVE", guard)
    return m
end

local SCRIPT = [[
    local mesos = require "mesos"
    local scheduler = { framework = { name = "test", failover_timeout = 60 } }
    local function say(...) print(...) io.stdout:flush() end
    function scheduler:registered() say("registered") end
    function scheduler:reregistered() say("reregistered") end
    function scheduler:disconnected() say("disconnected") end
    function scheduler:error(driver, message) say("error", message) end
]]

describe("credentials", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    local function start(m, args, body, env)
        local all = { "--registration-backoff", "20ms", "--master", m.address or m }
        table.move(args or {}, 1, #(args or {}), #all + 1, all)
        all[#all + 1] = program.script(SCRIPT .. (body or "") .. "\nreturn scheduler")
        return program.start { args = all, env = env }
    end

    local function file(text, mode)
        local path = program.script(text, "secret")
        assert(require("luv").fs_chmod(path, tonumber(mode or "600", 8)))
        return path
    end

    local function write(path, text)
        local out <close> = assert(io.open(path, "w"))
        out:write(text)
    end

    local function authorization(m, type)
        return m:wait_for(type or "SUBSCRIBE").request:header("Authorization")
    end

    local function principal(m)
        return m:wait_for("SUBSCRIBE").call.subscribe.framework_info.principal
    end

    it("are not sent if there are none", function()
        local m = master.start()
        start(m)
        assert.is_nil(authorization(m))
        assert.is_nil(principal(m))
    end)

    it("are a principal and its secret, without the line end of its file, with every call", function()
        for _, text in ipairs { "sesame", "sesame\n", "sesame\r\n" } do
            local m = guarded(HELLO)
            start(m, { "--principal", "alice", "--secret-file", file(text) },
                "function scheduler:registered(driver) driver:reconcileTasks() end")
            assert.equal(HELLO, authorization(m))
            assert.equal("alice", principal(m))
            assert.equal(HELLO, authorization(m, "RECONCILE"))
        end
    end)

    it("come in JSON or as two words as well", function()
        for _, text in ipairs {
            '{"principal": "alice", "secret": "sesame"}', ' { "secret": "sesame", "principal": "alice" }\n',
            "alice sesame", "alice\tsesame\n",
        } do
            local m = guarded(HELLO)
            start(m, { "--credential", file(text) }):wait_for("registered")
            assert.equal("alice", principal(m))
        end
    end)

    it("may be a token, of any kind", function()
        for text, header in pairs {
            ["abc.def\n"] = "Bearer abc.def", [" Bearer abc "] = "Bearer abc", ["token=xyz\n"] = "token=xyz",
        } do
            local m = guarded(header)
            start(m, { "--token-file", file(text), "--principal", "bob" }):wait_for("registered")
            assert.equal("bob", principal(m))
        end
    end)

    it("may be a name without a secret", function()
        local m = master.start()
        start(m, { "--principal", "alice" })
        assert.is_nil(authorization(m))
        assert.equal("alice", principal(m))
    end)

    it("leave the principal of a framework that has one", function()
        local m = master.start()
        start(m, { "--principal", "alice" }, "scheduler.framework.principal = 'carol'")
        assert.equal("carol", principal(m))
    end)

    it("are kept by updateFramework", function()
        local m = guarded(HELLO)
        start(m, { "--principal", "alice", "--secret-file", file("sesame") }, [[
            function scheduler:registered(driver) driver:updateFramework({ name = "other" }, {}) end
        ]])
        local update = m:wait_for("UPDATE_FRAMEWORK")
        assert.equal("alice", update.call.update_framework.framework_info.principal)
        assert.equal(HELLO, update.request:header("Authorization"))
    end)

    it("come from the script that makes its own driver", function()
        local m = guarded(HELLO)
        local run = program.start {
            args = { "--master", m.address, program.script(SCRIPT .. [[
                scheduler.framework.name = nil
                function scheduler:registered(driver) say("registered") driver:stop() end
                mesos.SchedulerDriver {
                    scheduler = scheduler, credential = { principal = "alice", secret = "sesame" },
                }:run()
            ]]) },
        }
        run:wait_for("registered")
        assert.equal("alice", principal(m))
        assert.equal(0, run:wait())
    end)

    it("come from the master's address, and reach no log", function()
        local m = guarded(HELLO)
        local run = start("http://alice:sesame@" .. m.address, { "-v" })
        run:wait_for("registered")
        assert.equal("alice", principal(m))
        m:drop()
        run:wait_for("reregistered")
        assert.is_nil(run.stderr:find("sesame", 1, true), run.stderr)
        assert.is_nil(run.stderr:find("alice", 1, true), run.stderr)
        assert.is_nil(run.stderr:find(HELLO:sub(7), 1, true), run.stderr)
    end)

    it("of an address are for all masters of a list, and for a standby's leader", function()
        local m = guarded(HELLO)
        local standby = guarded(HELLO)
        standby:answer("SUBSCRIBE", 307, "", { Location = "//" .. m.address .. "/api/v1/scheduler" })
        start(("http://alice:%%73esame@%s,http://127.0.0.1:1"):format(standby.address)):wait_for("registered")
        assert.equal(HELLO, authorization(standby))
        assert.equal(HELLO, authorization(m))
    end)

    it("do not reach the log from a file that is no address", function()
        local path = file("zk://alice:sesame@host:x/")
        local run = start("file://" .. path)
        run:wait_for("what it contains is not the address of a master, such as host:port or zk://")
        assert.is_nil(run.stderr:find("sesame", 1, true))
    end)

    it("of an address may stand in a file, and change there", function()
        local m = guarded(HELLO)
        local path = file("http://alice:sesame@" .. m.address)
        local run = start("file://" .. path)
        run:wait_for("registered")
        assert.equal("alice", principal(m))
        m.authorization = OTHER
        write(path, "http://alice:open@" .. m.address .. "\n")
        m:drop()
        run:wait_for("reregistered")
    end)

    it("of options count more than those of an address", function()
        local m = guarded(HELLO)
        start("http://bob:wrong@" .. m.address, { "--principal", "alice", "--secret-file", file("sesame") })
            :wait_for("registered")
    end)

    it("are warned about once where there is no TLS", function()
        local m = guarded(HELLO)
        local run = start(m, { "--principal", "alice", "--secret-file", file("sesame") })
        run:wait_for("registered")
        m:drop()
        run:wait_for("reregistered")
        local _, times = run.stderr:gsub("the credentials are sent to http://[%d.:]+ without TLS", "")
        assert.equal(1, times, run:report())
        m = master.start()
        run = start(m, { "--principal", "alice" })
        run:wait_for("registered")
        assert.is_nil(run.stderr:find("without TLS", 1, true))
    end)

    it("are not sent to the local cluster, which takes the principal", function()
        local run = program.run {
            args = { "--principal", "alice", "--secret-file", file("sesame"), program.script(SCRIPT .. [[
                function scheduler:registered(driver) say("registered") driver:stop() end
                return scheduler
            ]]) },
        }
        assert.equal("registered\n", run.stdout, run:report())
        assert.is_nil(run.stderr:find("without TLS", 1, true))
    end)

    it("in a file that everybody can read are warned about", function()
        local m = guarded(HELLO)
        local path = file("sesame", "644")
        local run = start(m, { "--principal", "alice", "--secret-file", path })
        run:wait_for("registered")
        assert.truthy(run.stderr:find(path .. " can be read by all users of this machine: chmod 600", 1, true))
        run = start(m, { "--principal", "alice", "--secret-file", file("sesame") })
        run:wait_for("registered")
        assert.is_nil(run.stderr:find("can be read", 1, true))
    end)

    it("are read again for each SUBSCRIBE", function()
        local m = guarded(HELLO)
        local path = file("sesame")
        local run = start(m, { "--principal", "alice", "--secret-file", path })
        run:wait_for("registered")
        write(path, "open\n")
        m.authorization = OTHER
        m:drop()
        run:wait_for("reregistered")
        assert.matches("the credentials have changed; the new ones are used from now on", run.stderr)
        assert.is_nil(run.stderr:find("(401", 1, true), run.stderr)
    end)

    it("are read again for calls that were refused, and these are sent again, in order", function()
        local m = guarded(HELLO)
        local path = file("sesame")
        local run = start(m, { "--principal", "alice", "--secret-file", path }, [[
            function scheduler:frameworkMessage(driver)
                driver:reconcileTasks() driver:reviveOffers()
            end
        ]])
        run:wait_for("registered")
        write(path, "open")
        m.authorization = OTHER
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }
        m:wait_for("REVIVE", 2)
        assert.equal(HELLO, m:calls_of("RECONCILE")[1].request:header("Authorization"))
        assert.equal(OTHER, m:calls_of("RECONCILE")[2].request:header("Authorization"))
        assert.same({ "SUBSCRIBE", "RECONCILE", "REVIVE", "RECONCILE", "REVIVE" }, m:call_types())
    end)

    it("that are refused for a call are told of, and the call is not repeated for ever", function()
        local m = guarded(HELLO)
        local run = start(m, { "--principal", "alice", "--secret-file", file("sesame") }, [[
            function scheduler:frameworkMessage(driver)
                driver:reconcileTasks() driver:reviveOffers()
            end
        ]])
        run:wait_for("registered")
        m.authorization = OTHER
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }
        m:wait_for("REVIVE")
        run:wait_for("the master refused RECONCILE: the master does not take principal 'alice' with the secret of "
            .. "[^ ]+ %(401, Basic realm=\"mesos%-master%-scheduler\"%): one of them is wrong")
        assert.equal(1, #m:calls_of("RECONCILE"))
    end)

    it("stay as they were while their file cannot be used, and say so once", function()
        local m = guarded(HELLO)
        local path = file("sesame")
        local run = start(m, { "--principal", "alice", "--secret-file", path })
        run:wait_for("registered")
        write(path, "")
        m:drop()
        m:wait_for("SUBSCRIBE", 2)
        run:wait_for("reregistered")
        m:drop()
        m:wait_for("SUBSCRIBE", 3)
        local _, times = run.stderr:gsub("%-%-secret%-file [^ ]+: the secret is empty; the credentials stay as they were", "")
        assert.equal(1, times, run:report())
    end)

    it("cannot change their principal", function()
        local m = guarded(HELLO)
        local path = file("alice sesame")
        local run = start(m, { "--credential", path })
        run:wait_for("registered")
        write(path, "bob sesame")
        m:drop()
        run:wait_for("names another principal, which takes a restart")
        run:wait_for("reregistered")
        assert.equal(HELLO, m:wait_for("SUBSCRIBE", 2).request:header("Authorization"))
    end)

    it("may come through a pipe, which is read once", function()
        local m = guarded(HELLO)
        local run = program.start {
            path = "bash", args = { "-c", ("%s -m %s --registration-backoff 10ms --principal alice --secret-file "
                .. "<(echo sesame) %s"):format(program.path, m.address, program.script(SCRIPT .. "return scheduler")) },
        }
        run:wait_for("registered")
        m:drop()
        run:wait_for("reregistered")
        assert.is_nil(run.stderr:find("stay as they were", 1, true))
    end)

    -- ---- refusals ----

    it("that are missing or wrong end the driver before it was registered, with what to do", function()
        local rows = {
            { {}, 'the master asks for credentials (401, Basic realm="mesos-master-scheduler"): give --principal and '
                .. "--secret-file, or --credential" },
            { { "--principal", "alice", "--secret-file", file("no") },
                "the master does not take principal 'alice' with the secret of " },
            { { "--token-file", file("abc") }, "it asks for --principal and --secret-file" },
        }
        for _, row in ipairs(rows) do
            local m = guarded(HELLO)
            local run = start(m, row[1])
            run:wait()
            assert.equal(1, run.code, run:report())
            assert.truthy(run.stdout:find("error\t", 1, true), run:report())
            assert.truthy(run.stdout:find(row[2], 1, true), run:report())
            assert.equal(1, #m:calls_of("SUBSCRIBE"))
        end
    end)

    it("are asked for by the kind of the master's challenge", function()
        local m = master.start()
        m:answer("SUBSCRIBE", 401, "", { ["WWW-Authenticate"] = 'Bearer realm="x"' })
        local run = start(m)
        run:wait()
        assert.truthy(run.stdout:find('asks for credentials (401, Bearer realm="x"): give --token-file', 1, true))
    end)

    it("that are forbidden end the driver, with the master's words", function()
        local m = master.start()
        m:answer("SUBSCRIBE", 403, "not you")
        local run = start(m, { "--principal", "alice" })
        assert.equal(1, (run:wait()))
        assert.truthy(run.stdout:find("the master forbids it to principal 'alice' (403): its operator has to allow "
            .. "it; it says: not you", 1, true), run:report())
    end)

    it("that are refused after the registration are tried again for as long as it takes", function()
        for _, status in ipairs { 401, 403 } do
            local m = master.start()
            local run = start(m)
            run:wait_for("registered")
            m:answer("SUBSCRIBE", status, "no")
            m:drop()
            m:wait_for("SUBSCRIBE", 4)
            run:wait_for("cannot subscribe at http://[%d.:]+: the master [^\n]*" .. status .. "[^\n]*; trying again")
            assert.is_nil(run.stdout:find("error", 1, true))
            m:answer("SUBSCRIBE", nil)
            run:wait_for("reregistered")
        end
    end)

    -- ---- mistakes ----

    local mistakes = {
        { { "--secret-file", "sesame" }, "--secret-file needs --principal" },
        { { "--principal", "alice", "--secret-file", false }, "--secret-file /nowhere/secret: No such file or directory" },
        { { "--token-file", false }, "--token-file /nowhere/secret: No such file or directory" },
        { { "--credential", false }, "--credential /nowhere/secret: No such file or directory" },
        { { "--principal", "alice", "--secret-file", "\n" }, "the secret is empty" },
        { { "--principal", "alice", "--secret-file", "a:b" }, "the secret has a ':' in it, which no Mesos master can take" },
        { { "--principal", "al:ice" }, "the principal has a ':' in it" },
        { { "--principal", "alice", "--secret-file", "a\nb" }, "the secret has a line end" },
        { { "--token-file", " \n" }, "there is no token in it" },
        { { "--token-file", "a\r\nb" }, "the token has a line end" },
        { { "--credential", "alice" }, "a principal and its secret expected" },
        { { "--credential", "alice a b" }, "a principal and its secret expected" },
        { { "--credential", '{"principal": 1}' }, '{"principal": "...", "secret": "..."} expected' },
        { { "--credential", "{\n'" }, 'line 2 is not JSON: {"principal": "...", "secret": "..."} expected' },
        { { "--credential", "a b", "--token-file", "c" }, "more than one kind of credentials is given" },
        { { "--credential", "a b", "--principal", "alice" }, "names one as well" },
        { { "--token-file", ("x"):rep(70000) }, "it is longer than 65536 bytes" },
        { { "--token-file", "a\0b" }, "there is a zero byte in it" },
        { { "-m", "http://alice:a%3ab@127.0.0.1:1" }, "master address '127.0.0.1:1': the secret has a ':' in it" },
    }
    for _, row in ipairs(mistakes) do
        it("say '" .. row[2] .. "'", function()
            local args = { "check", "--master", "127.0.0.1:1" }
            for i, word in ipairs(row[1]) do
                local is_file = i > 1 and tostring(row[1][i - 1]):match("^%-%-[%a-]*file$") or row[1][i - 1] == "--credential"
                args[#args + 1] = is_file and (word and file(word) or "/nowhere/secret") or word
            end
            args[#args + 1] = program.script(SCRIPT .. "return scheduler")
            local run = program.run { args = args }
            assert.equal(2, run.code, run:report())
            assert.truthy(run.stderr:find(row[2], 1, true), run:report())
            assert.is_nil(run.stderr:find("a:b", 1, true))
        end)
    end

    it("of a driver are checked where they are written", function()
        for setting, message in pairs {
            ["{ principal = 'a' }"] = "credential.secret: string expected, got nil",
            ["{ secret = 'a' }"] = "credential.principal: string expected, got nil",
            ["{ principal = 'a', secret = 'b:c' }"] = "the secret has a ':' in it",
            ["{ principal = 'a', secret = 'b\\0c' }"] = "credential.secret: it has a zero byte in it",
        } do
            local run = program.run {
                args = { "-m", "127.0.0.1:1", program.script(SCRIPT
                    .. "mesos.SchedulerDriver { scheduler = scheduler, credential = " .. setting .. " }") },
            }
            assert.equal(2, run.code, run:report())
            assert.truthy(run.stderr:find(message, 1, true), run:report())
        end
    end)

    it("and other variables that mean nothing here are named once", function()
        local m = master.start()
        local run = start(m, nil, nil, {
            MESOS_MODULES = "x", MESOS_ATTRIBUTES = "rack:b", GLOG_logtostderr = "1", GLOG_v = "0", MESOS_TASK_ID = "t",
            LIBPROCESS_SSL_ENABLED = "0", LIBPROCESS_IP = "127.0.0.1",
        })
        run:wait_for("registered")
        local names = run.stderr:match("warning +([%a_, ]+) are set and have no meaning here")
        local list = {}
        for name in names:gmatch("[%a_]+") do
            list[#list + 1] = name
        end
        table.sort(list)
        assert.same({ "GLOG_logtostderr", "LIBPROCESS_IP", "MESOS_ATTRIBUTES", "MESOS_MODULES" }, list)
    end)
end)
