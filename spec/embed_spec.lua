-- SPDX-License-Identifier: Apache-2.0
--
-- mesos_driver.h, the driver for C programs: its operations and callbacks one by one (spec/support/embed/shell.c), from
-- several threads (spec/support/embed/hammer.c); mesos_lua.h, the script host for them (spec/support/embed/guest.c);
-- and the examples built against an installed package, all against a scripted master.

local control = require("support.control")
local master = require("support.master")
local program = require("support.program")
local tls = require("support.tls")
local internals = require("internals")
local uv = require("luv")

local build = os.getenv("MESOS_LUA_BUILD") or "build"
local wrapped = (os.getenv("MESOS_LUA_WRAPPER") or "") ~= ""

-- A program of build/spec/, under the wrapper if there is one.
local function start(name, args, options)
    options = options or {}
    local words = {}
    for word in (os.getenv("MESOS_LUA_WRAPPER") or ""):gmatch("%S+") do
        words[#words + 1] = word
    end
    words[#words + 1] = build .. "/spec/" .. name
    for _, word in ipairs(args) do
        words[#words + 1] = word
    end
    return program.start({
        path = table.remove(words, 1), args = words, keep_stdin = options.keep_stdin,
        env = options.env or { TSAN_OPTIONS = os.getenv("TSAN_OPTIONS") },
    })
end

local function rewrite(path, text)
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
end

after_each(function()
    program.cleanup()
    master.cleanup()
end)

describe("mesos_driver.h", function()
    -- A shell over the driver: shell.type "kill t1" writes a line, shell.tells "pattern" waits for output behind what
    -- was waited for before.
    local function shell(args, options)
        local m = master.start(options)
        local run = start("embed-shell", { m.address, table.unpack(args or {}) }, { keep_stdin = true })
        local at = 1
        local it = { m = m, run = run }
        function it.tells(pattern)
            local last = program.wait_for(function()
                return select(2, run.stdout:find(pattern, at))
            end, nil, function()
                return ("no '%s'; %s"):format(pattern, run:report())
            end)
            at = last + 1
        end
        function it.type(line, pattern)
            run.input:write(line .. "\n")
            if pattern then
                it.tells((pattern:gsub("%-", "%%-")))
            end
        end
        function it.subscribed()
            it.type("start", "start\tDRIVER_RUNNING\t\n")
            it.tells("registered\t")
            return it
        end
        function it.finish()
            run.input:close()
            assert.equal(0, run:wait(), run:report())
        end
        return it
    end

    it("follows the original from status to status", function()
        local s = shell()
        s.type("status", "status\tDRIVER_NOT_STARTED\t\n")
        s.type("kill x", "kill\tDRIVER_NOT_STARTED\t\n")
        s.type("stop", "stop\tDRIVER_NOT_STARTED\t\n")
        s.type("abort", "abort\tDRIVER_NOT_STARTED\t\n")
        s.type("join", "join\tDRIVER_NOT_STARTED\t\n")
        s.subscribed()
        s.type("start", "start\tDRIVER_RUNNING\t\n")
        s.type("abort", "abort\tDRIVER_ABORTED\t\n")
        s.type("join", "join\tDRIVER_ABORTED\t\n")
        s.type("kill x", "kill\tDRIVER_ABORTED\t\n")
        s.type("stop", "stop\tDRIVER_ABORTED\t\n")
        s.type("stop", "stop\tDRIVER_STOPPED\t\n")
        s.type("start", "start\tDRIVER_STOPPED\t\n")
        s.finish()
        assert.same({ "SUBSCRIBE" }, s.m:call_types())
    end)

    it("waits in join for the answer to TEARDOWN", function()
        local s = shell().subscribed()
        local asked
        s.m:answer("TEARDOWN", function(_, connection)
            asked = connection
            return false
        end)
        s.type("stop", "stop\tDRIVER_STOPPED\t\n")
        s.type("join")
        program.wait_for(function()
            return asked
        end)
        assert.is_nil(s.run.stdout:find("join", 1, true))
        assert.is_truthy(s.m.stream)
        asked:respond(202)
        s.tells("join\tDRIVER_STOPPED\t\n")
        s.finish()
    end)

    it("takes user and password of an address", function()
        local m = master.start()
        local run = start("embed-shell", { "http://alice:sesame@" .. m.address }, { keep_stdin = true })
        run.input:write("start\n")
        local subscribe = m:wait_for("SUBSCRIBE")
        assert.equal("Basic YWxpY2U6c2VzYW1l", subscribe.request:header("Authorization"))
        assert.equal("alice", subscribe.call.subscribe.framework_info.principal)
    end)

    -- One with TLS in front of its master, and whether it has registered.
    local function secure(options, args)
        local m = master.start()
        local front = tls.front(m.server, options)
        local run = start("embed-shell", { front.address, table.unpack(args) }, { keep_stdin = true })
        run.input:write("start\n")
        return m, run, front
    end

    it("speaks TLS with the authorities, the certificate and the token that it is given", function()
        local authority = tls.authority("spec authority")
        local own = authority:issue { subject = "shell" }
        local token = program.script("sesame\n", "token")
        local m, run = secure({ certificate = authority:issue(), clients = authority },
            { "ca-file", authority.cert, "cert", own.cert, "key", own.key, "token-file", token })
        run:wait_for("registered\t")
        assert.equal("Bearer sesame", m:wait_for("SUBSCRIBE").request:header("Authorization"))
    end)

    it("takes an address without a scheme for https, and any certificate, if it is told so", function()
        local authority = tls.authority("spec authority")
        local m = master.start()
        local front = tls.front(m.server, { certificate = authority:issue() })
        local file = program.script("alice sesame", "credential")
        local run = start("embed-shell", { "localhost:" .. front.port, "tls", "insecure", "credential", file },
            { keep_stdin = true })
        run.input:write("start\n")
        run:wait_for("registered\t")
        local subscribe = m:wait_for("SUBSCRIBE")
        assert.equal("Basic YWxpY2U6c2VzYW1l", subscribe.request:header("Authorization"))
        assert.equal("alice", subscribe.call.subscribe.framework_info.principal)
    end)

    it("trusts no certificate of an authority that it does not know", function()
        local m, run = secure({ certificate = tls.authority("spec authority"):issue() }, {})
        run:wait_for("cannot subscribe")
        assert.equal(0, #m.server.requests)
    end)

    it("fills in what the FrameworkInfo lacks, and sends the rest of the options", function()
        local s = shell({ "suppress", "*", "constrain" }).subscribed()
        local subscribe = s.m:calls_of("SUBSCRIBE")[1].call.subscribe
        local info = subscribe.framework_info
        assert.equal("shell", info.name)
        assert.is_truthy(#info.user > 0 and #info.hostname > 0)
        assert.same({ "*" }, info.roles)
        assert.equal("MULTI_ROLE", info.capabilities[1].type)
        assert.equal("RESERVATION_REFINEMENT", info.capabilities[2].type)
        assert.same({ "*" }, subscribe.suppressed_roles)
        assert.is_table(subscribe.offer_constraints)
        s.finish()
    end)

    it("says why there is no driver", function()
        for _, case in ipairs({
            { { "nameless", "host:1" }, "options%.framework%.name is missing" },
            { { "sizeless", "host:1" }, "options%.size is not set" },
            { { "", "" }, "options%.master is missing" },
            { { "", "local" }, "options%.master: 'local' is for the program" },
            { { "", "zk://host/path" }, "master: ZooKeeper" },
            { { "", "host:99999" }, "master: .*99999" },
            { { "ca-file", "host:1", "/nowhere" }, "options: %-%-ca%-file /nowhere: No such file" },
            { { "key", "host:1", "/nowhere" }, "options: %-%-key needs %-%-cert" },
            { { "token-file", "host:1", "/nowhere" }, "options: %-%-token%-file /nowhere: " },
            { { "secret-file", "host:1", "/nowhere" }, "options: %-%-secret%-file needs %-%-principal" },
        }) do
            local run = start("embed-shell", { case[1][2], case[1][1], case[1][3] })
            assert.equal(2, run:wait())
            assert.matches("cannot\t" .. case[2], run.stdout)
        end
    end)

    it("makes each callback with its arguments", function()
        local s = shell()
        s.type("start")
        s.tells("registered\t" .. s.m.id:gsub("%-", "%%-") .. "%-0000\t" .. s.m.server.port .. "\t1\n")
        local m = s.m
        local offers = m:send_offers({ m:offer(), m:offer({ hostname = "b" }) })
        s.tells("offer\t" .. offers[1].id:gsub("%-", "%%-") .. "\tagent1.test\t4\noffer\t")
        m:send({ type = "RESCIND", rescind = { offer_id = offers[2].id } })
        s.tells("rescinded\t" .. offers[2].id:gsub("%-", "%%-") .. "\n")
        m:send(m:update("t1", "TASK_FAILED", { message = "no luck" }))
        s.tells("status\tt1\t3\tno luck\n")
        m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "hello" } })
        s.tells("message\te\ta\thello\n")
        m:send({ type = "FAILURE", failure = { agent_id = "a" } })
        s.tells("slave_lost\ta\n")
        m:send({ type = "FAILURE", failure = { agent_id = "a", executor_id = "e", status = 256 } })
        s.tells("executor_lost\te\ta\t256\n")
        m:send({
            type = "INVERSE_OFFERS",
            inverse_offers = {
                inverse_offers = {
                    {
                        id = "i1", framework_id = m.framework_id,
                        unavailability = { start = { nanoseconds = 5 } },
                    },
                },
            },
        })
        s.tells("inverse\ti1\n")
        m:send({ type = "RESCIND_INVERSE_OFFER", rescind_inverse_offer = { inverse_offer_id = "i1" } })
        s.tells("inverse_rescinded\ti1\n")
        m:send({
            type = "UPDATE_OPERATION_STATUS",
            update_operation_status = {
                status = { operation_id = "o1", state = "OPERATION_FINISHED", uuid = "123", agent_id = "a" },
            },
        })
        s.tells("operation\to1\t%d+\n")
        assert.equal("123", m:wait_for("ACKNOWLEDGE_OPERATION_STATUS").call.acknowledge_operation_status.uuid)
        assert.equal("t1", m:wait_for("ACKNOWLEDGE").call.acknowledge.task_id)
        m:end_stream()
        s.tells("disconnected\n")
        s.tells("reregistered\t" .. m.server.port)
        m:send({ type = "ERROR", error = { message = "enough" } })
        s.tells("error\tenough\tDRIVER_ABORTED\n")
        s.type("join", "join\tDRIVER_ABORTED\t\n")
        s.type("stop", "stop\tDRIVER_ABORTED\t\n")
        s.finish()
    end)

    it("turns each operation into its call", function()
        local s = shell().subscribed()
        local m = s.m
        local sent = {}
        local function check(line, call_type)
            s.type(line, line:match("%S+") .. "\tDRIVER_RUNNING\t\n")
            sent[call_type] = (sent[call_type] or 0) + 1
            local call = m:wait_for(call_type, sent[call_type]).call
            return call[call_type:lower()]
        end
        local offers = m:send_offers({ m:offer(), m:offer(), m:offer(), m:offer(), m:offer() })
        s.tells("offer\t" .. offers[5].id:gsub("%-", "%%-"))

        local accept = check(("launch %s agent t1"):format(offers[1].id), "ACCEPT")
        assert.same({ offers[1].id }, accept.offer_ids)
        assert.equal("LAUNCH", accept.operations[1].type)
        assert.equal("t1", accept.operations[1].launch.task_infos[1].task_id)
        assert.equal(7, accept.filters.refuse_seconds)
        accept = check(("accept %s %s"):format(offers[2].id, offers[3].id), "ACCEPT")
        assert.same({ offers[2].id, offers[3].id }, accept.offer_ids)
        assert.equal("RESERVE", accept.operations[1].type)
        local decline = check(("decline %s"):format(offers[4].id), "DECLINE")
        assert.same({ offers[4].id }, decline.offer_ids)
        assert.is_nil(decline.filters)
        decline = check(("launch %s agent"):format(offers[5].id), "DECLINE")
        assert.same({ offers[5].id }, decline.offer_ids)
        assert.equal(7, decline.filters.refuse_seconds)

        local kill = check("kill t1 agent 5", "KILL")
        assert.same({ "t1", "agent", 5 }, { kill.task_id, kill.agent_id, kill.kill_policy.grace_period.nanoseconds })
        assert.is_nil(check("kill t1", "KILL").agent_id)
        assert.equal("t2", check("reconcile t2", "RECONCILE").tasks[1].task_id)
        assert.same({}, check("reconcile", "RECONCILE").tasks)
        assert.equal("o", check("reconcile_operations o", "RECONCILE_OPERATIONS").operations[1].operation_id)
        assert.same({ "a", "b" }, check("revive a b", "REVIVE").roles)
        assert.is_nil(check("revive", "REVIVE"))
        assert.same({ "a" }, check("suppress a", "SUPPRESS").roles)
        assert.is_nil(check("suppress", "SUPPRESS"))
        s.type("revive none", "revive\tDRIVER_RUNNING\t\n")
        assert.equal("agent", check("request agent", "REQUEST").requests[1].agent_id)
        local message = check("message e a hello", "MESSAGE")
        assert.same({ "e", "a", "hello" }, { message.executor_id, message.agent_id, message.data })
        local shutdown = check("shutdown e a", "SHUTDOWN")
        assert.same({ "e", "a" }, { shutdown.executor_id, shutdown.agent_id })

        local update = check("update other", "UPDATE_FRAMEWORK")
        local before = m:calls_of("SUBSCRIBE")[1].call.subscribe.framework_info
        assert.equal("other", update.framework_info.name)
        assert.equal(m.framework_id, update.framework_info.id)
        assert.equal(before.user, update.framework_info.user)
        assert.equal(before.hostname, update.framework_info.hostname)
        update = check(("update more %s r"):format(m.framework_id), "UPDATE_FRAMEWORK")
        assert.same({ "r" }, update.suppressed_roles)

        s.type("reconnect")
        m:wait_for("SUBSCRIBE", 2)
        s.tells("reregistered")
        assert.equal(2, #m:calls_of("REVIVE"))
        s.type("stop failover", "stop\tDRIVER_STOPPED\t\n")
        s.type("join", "join\tDRIVER_STOPPED\t\n")
        s.finish()
        assert.equal(0, #m:calls_of("TEARDOWN"))
    end)

    for words, going in pairs({ ["a framework that was removed ends"] = false, ["or goes on as a new one"] = true }) do
        it("asks what to do when " .. words, function()
            local s = shell().subscribed()
            if going then
                s.type("insist", "insist\tDRIVER_RUNNING\t\n")
            end
            s.m:answer("SUBSCRIBE", function(call, connection)
                s.m:answer("SUBSCRIBE", nil)
                s.m.framework_id, s.m.id = nil, "second"
                assert.is_string(call.framework_id)
                connection:begin_stream({ ["Mesos-Stream-Id"] = "x", ["Content-Type"] = "application/x-protobuf" })
                local event = { type = "ERROR", error = { message = "Framework has been removed" } }
                local record = internals.encode("mesos.v1.scheduler.Event", event)
                connection:chunk(#record .. "\n" .. record)
                connection:finish()
            end)
            s.m:end_stream()
            s.tells("removed\tFramework has been removed\n")
            if going then
                s.tells("registered\tsecond%-0000\t")
                assert.is_nil(s.m:calls_of("SUBSCRIBE")[3].call.framework_id)
                s.type("stop", "stop\tDRIVER_STOPPED\t\n")
            else
                s.tells("error\tFramework has been removed")
            end
            s.type("join", going and "join\tDRIVER_STOPPED\t\n" or "join\tDRIVER_ABORTED\t\n")
            s.finish()
        end)
    end

    it("answers inverse offers", function()
        local s = shell().subscribed()
        local function inverse(id)
            return { id = id, framework_id = s.m.framework_id, unavailability = { start = { nanoseconds = 5 } } }
        end
        s.m:send({
            type = "INVERSE_OFFERS", inverse_offers = { inverse_offers = { inverse("i1"), inverse("i2") } },
        })
        s.tells("inverse\ti2\n")
        s.type("accept_inverse i1", "accept_inverse\tDRIVER_RUNNING\t\n")
        s.type("decline_inverse i2", "decline_inverse\tDRIVER_RUNNING\t\n")
        s.type("decline_inverse i1", "offer 'i1' cannot be used: it was accepted already\n")
        assert.same({ "i1" }, s.m:wait_for("ACCEPT_INVERSE_OFFERS").call.accept_inverse_offers.inverse_offer_ids)
        assert.same({ "i2" }, s.m:wait_for("DECLINE_INVERSE_OFFERS").call.decline_inverse_offers.inverse_offer_ids)
        s.finish()
    end)

    it("ends with error when updateFramework is called with another id", function()
        local s = shell().subscribed()
        s.type("update x other")
        s.tells("error\tupdateFramework: the id in the FrameworkInfo is 'other'[^\n]*\tDRIVER_ABORTED\n")
        s.type("status", "status\tDRIVER_ABORTED\t\n")
        s.finish()
    end)

    it("acknowledges when it is asked to, with explicit acknowledgements", function()
        local s = shell({ "explicit" }).subscribed()
        s.m:send(s.m:update("a", "TASK_RUNNING"))
        local second = s.m:update("b", "TASK_RUNNING")
        s.m:send(second)
        s.tells("status\tb")
        s.type("acknowledge 1", "acknowledge\tDRIVER_RUNNING\t\n")
        local acknowledge = s.m:wait_for("ACKNOWLEDGE").call.acknowledge
        assert.equal("b", acknowledge.task_id)
        assert.equal(second.update.status.uuid, acknowledge.uuid)
        assert.equal(1, #s.m:calls_of("ACKNOWLEDGE"))
        s.m:send({
            type = "UPDATE_OPERATION_STATUS",
            update_operation_status = {
                status = { operation_id = "o1", state = "OPERATION_FINISHED", uuid = "123", agent_id = "a" },
            },
        })
        s.tells("operation\to1")
        s.type("acknowledge_operation", "acknowledge_operation\tDRIVER_RUNNING\t\n")
        s.m:wait_for("ACKNOWLEDGE_OPERATION_STATUS")
        s.finish()
    end)

    it("tells what was wrong with an operation, and does nothing", function()
        local s = shell().subscribed()
        local offers = s.m:send_offers({ s.m:offer(), s.m:offer() })
        s.tells("offer\t" .. offers[2].id:gsub("%-", "%%-"))
        s.m:send({ type = "RESCIND", rescind = { offer_id = offers[2].id } })
        s.tells("rescinded")
        s.type(("decline %s"):format(offers[1].id), "decline\tDRIVER_RUNNING\t\n")
        for line, text in pairs({
            ["decline " .. offers[1].id] = "cannot be used: it was declined already",
            ["decline " .. offers[2].id] = "cannot be used: it was rescinded",
            ["decline nonsense"] = "offer 'nonsense' cannot be used: no such offer is outstanding",
            ["launch - agent t"] = "offer_ids[0].value is missing",
            ["launch x agent -"] = "tasks[0].task_id.value is missing",
            ["kill -"] = "task_id.value is missing",
            ["acknowledge_operation"] = "status is missing",
            ["acknowledge"] = "status is missing",
            ["misuse null"] = "task_id is missing",
            ["misuse empty"] = "task_id.value is missing",
            ["misuse raw"] = "task_id is not initialised: start from mesos.v1.TaskID with the generated ..._INIT",
            ["misuse type"] = "task_id is a mesos.v1.OfferID, mesos.v1.TaskID was expected",
            ["misuse element"] = "offer_ids[1] is missing",
            ["misuse list"] = "offer_ids has a length and no elements",
            ["misuse none"] = "offer_ids: at least one is needed",
            ["misuse twice"] = "offer 'x' is named twice",
            ["update -"] = "framework.name is missing",
        }) do
            s.type(line)
            s.tells(line:match("%S+") .. "\tDRIVER_RUNNING\t[^\n]*" .. text:gsub("[%-%[%].]", "%%%0") .. "\n")
        end
        s.type("misuse driver", "misuse\tDRIVER_NOT_STARTED\tdriver is missing\n")
        s.m:send(s.m:update("a", "TASK_RUNNING"))
        s.tells("status\ta")
        s.type("acknowledge 0", "this driver acknowledges by itself")
        s.type("kill x", "kill\tDRIVER_RUNNING\t\n")
        s.m:wait_for("KILL")
        s.m:wait_for("ACKNOWLEDGE")
        local types = s.m:call_types()
        table.sort(types)
        assert.same({ "ACKNOWLEDGE", "DECLINE", "KILL", "SUBSCRIBE" }, types)
        s.finish()
    end)

    it("knows its framework, its master and the outstanding offers", function()
        local s = shell()
        s.type("know", "knows\t-\t0\t0\t-\n")
        s.subscribed()
        local offers = s.m:send_offers({ s.m:offer(), s.m:offer() })
        s.tells("offer\t" .. offers[2].id:gsub("%-", "%%-"))
        s.type("know", ("knows\t%s\t%d\t2\t%s\n"):format(s.m.framework_id, s.m.server.port, offers[1].id))
        s.type("decline " .. offers[1].id, "decline\tDRIVER_RUNNING\t\n")
        s.type("know", ("knows\t%s\t%d\t1\t%s\n"):format(s.m.framework_id, s.m.server.port, offers[2].id))
        s.m:end_stream()
        s.tells("reregistered")
        s.type("know", ("knows\t%s\t%d\t0\t-\n"):format(s.m.framework_id, s.m.server.port))
        s.finish()
    end)

    it("gives launches back as TASK_LOST while it is disconnected", function()
        local s = shell({}, { quiet = true })
        s.type("start", "start\tDRIVER_RUNNING")
        s.type("launch x agent t1", "launch\tDRIVER_RUNNING\t\n")
        s.tells("status\tt1\t5\tMaster disconnected\n")
        s.finish()
    end)

    it("hands its log to the program", function()
        local s = shell().subscribed()
        s.run:wait_for("log 1 registered with http://127.0.0.1:%d+ as framework [%x-]+\n")
        s.finish()
    end)
end)

describe("several threads at mesos_driver.h", function()
    local COUNT = wrapped and 20 or program.patience > 1 and 60 or 200

    -- Plays a scene; meanwhile the master sends `events` updates to each new stream.
    local function play(scene, events)
        local m = master.start()
        local run = start("embed-hammer", { m.address, scene, tostring(COUNT) })
        local fed
        program.wait_for(function()
            if m.stream and m.stream ~= fed and events then
                fed = m.stream
                events(m)
            end
            return run.code and run.open == 0
        end, 30, function()
            return run:report()
        end)
        assert.equal(0, run.code, run:report())
        assert.matches("fine\n$", run.stdout)
        assert.equal("", run.stderr)
        return m, run
    end

    local function updates(m)
        for i = 1, COUNT do
            m:send(m:update("task-" .. i, "TASK_RUNNING"))
        end
    end

    local function check_acknowledged_once(m, most)
        local seen = {}
        for i, each in ipairs(m:calls_of("ACKNOWLEDGE")) do
            assert.equal("task-" .. i, each.call.acknowledge.task_id)
            assert.is_nil(seen[each.call.acknowledge.uuid])
            seen[each.call.acknowledge.uuid] = true
        end
        assert.is_true(#m:calls_of("ACKNOWLEDGE") <= (most or COUNT))
    end

    -- The calls KILL of each of the threads, of which the hammer numbers them "thread-number".
    local function check_kills(m)
        local next_number = { 0, 0, 0, 0 }
        for _, each in ipairs(m:calls_of("KILL")) do
            local thread, number = each.call.kill.task_id:match("^(%d)%-(%d+)$")
            thread = tonumber(thread) + 1
            assert.equal(next_number[thread], tonumber(number))
            next_number[thread] = next_number[thread] + 1
        end
        assert.same({ COUNT, COUNT, COUNT, COUNT }, next_number)
    end

    it("may call operations all at once: none is lost, each thread's stay in order, an offer has one taker", function()
        local offers = 0
        local m, run = play("operations", function(m)
            for i = 1, COUNT do
                m:send(m:update("task-" .. i, "TASK_RUNNING"))
                if i % 10 == 0 then
                    m:send_offers({ m:offer(), m:offer(), m:offer() })
                    offers = offers + 3
                end
            end
        end)
        check_kills(m)
        check_acknowledged_once(m)
        assert.equal(COUNT, #m:calls_of("ACKNOWLEDGE"))
        local declined, taken = 0, {}
        for _, each in ipairs(m:calls_of("DECLINE")) do
            for _, id in ipairs(each.call.decline.offer_ids) do
                assert.is_nil(taken[id], "declined twice")
                taken[id] = true
                declined = declined + 1
            end
        end
        assert.equal(offers, declined)
        assert.equal(offers, tonumber(run.stdout:match("won\t(%d+)")))
        assert.equal(4 * math.ceil(COUNT / 16), #m:calls_of("RECONCILE"))
    end)

    it("stop counts at once, and wakes all that wait in join", function()
        local m = play("stop", function(m)
            updates(m)
            updates(m)
        end)
        assert.equal(0, #m:calls_of("TEARDOWN"))
        assert.equal(0, #m:calls_of("RECONCILE"))
    end)

    it("an update during whose callback another thread stops is not acknowledged", function()
        local m = play("stop-in-update", updates)
        assert.equal(0, #m:calls_of("ACKNOWLEDGE"))
    end)

    it("abort inside a callback is the end, and another driver can follow in the same process", function()
        local m = play("abort", updates)
        assert.same({ "SUBSCRIBE", "SUBSCRIBE" }, m:call_types())
    end)

    for _, scene in ipairs({
        "destroy", "destroy-in-run", "destroy-in-reconnect", "destroy-in-reconnect-from-outside", "loop-destroy",
    }) do
        it("may see it destroyed inside a callback: " .. scene, function()
            local m = play(scene, scene ~= "destroy-in-reconnect-from-outside" and updates or nil)
            assert.equal(1, #m:calls_of("SUBSCRIBE"))
            assert.equal(0, #m:calls_of("ACKNOWLEDGE"))
            assert.equal(0, #m:calls_of("TEARDOWN"))
        end)
    end

    it("may destroy it while it runs", function()
        local m = play("destroy-running", function(m)
            updates(m)
            updates(m)
        end)
        assert.equal(0, #m:calls_of("TEARDOWN"))
    end)

    it("may destroy it without having used it", function()
        play("destroy-unused")
        play("loop-unused")
    end)

    it("may call operations of a driver on the program's own loop", function()
        local m = play("loop", updates)
        check_kills(m)
        check_acknowledged_once(m)
        assert.equal(1, #m:calls_of("TEARDOWN"))
    end)

    it("may drive drivers of their own, while the log is being moved", function()
        play("log")
    end)
end)

describe("an installed mesos-lua", function()
    local prefix, flags

    local function run(path, args, env)
        local finished = program.run({ path = path, args = args, env = env, seconds = 120 })
        assert.equal(0, finished.code, path .. ": " .. finished:report())
        return finished
    end

    local function cached(name)
        return (program.read(build .. "/CMakeCache.txt") or ""):match("\n" .. name .. ":[A-Z]+=([^\n]*)")
    end

    -- A sanitizer's library has to be the first of the program.
    setup(function()
        local sanitizers = cached("MESOS_LUA_SANITIZE")
        flags = sanitizers ~= "" and "-fsanitize=" .. sanitizers or nil
    end)

    before_each(function()
        prefix = program.directory() .. "/usr"
        run("/usr/bin/cmake", { "--install", build, "--prefix", prefix })
    end)

    -- Where the libraries went: lib, or Debian's folder of the architecture in it.
    local function library()
        return prefix .. "/" .. cached("CMAKE_INSTALL_LIBDIR")
    end

    local function with_pkg_config(name)
        name = name or "driver"
        local source = program.directory()
        local env = { PKG_CONFIG_PATH = library() .. "/pkgconfig" }
        local packages = name == "host" and { "mesos-lua", "lua5.4", "libuv" } or { "mesos-lua" }
        local words = run("/usr/bin/pkg-config", { "--cflags", "--libs", table.unpack(packages) }, env).stdout
        local args = {
            "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", ("examples/embed/%s.c"):format(name), "-o",
            source .. "/" .. name, flags,
        }
        for word in words:gmatch("%S+") do
            args[#args + 1] = word
        end
        if name == "host" then
            table.insert(args, 1, "-D_GNU_SOURCE") -- for uv.h
        end
        run("/usr/bin/cc", args)
        return source .. "/" .. name
    end

    local function with_find_package(name)
        local tree = program.directory()
        run("/usr/bin/cmake", {
            "-S", "examples/embed", "-B", tree, "-G", "Ninja", "-DCMAKE_PREFIX_PATH=" .. prefix,
            "-DCMAKE_C_FLAGS=" .. (flags or ""),
        })
        run("/usr/bin/cmake", { "--build", tree })
        return tree .. "/" .. (name or "driver")
    end

    local function embed(path, args)
        return program.start({ path = path, args = args, env = { LD_LIBRARY_PATH = library() } })
    end

    -- Plays the master of examples/embed/driver.c: three tasks, of which one is lost and one fails.
    local function check_driver(path)
        local m = master.start()
        local framework = embed(path, { m.address, "echo hello", "3" })
        m:wait_for("SUBSCRIBE")
        local offers = m:send_offers({
            m:offer(), m:offer({ resources = { { name = "cpus", type = "SCALAR", scalar = 4 } } }),
        })
        local accept = m:wait_for("ACCEPT").call.accept
        assert.same({ offers[1].id }, accept.offer_ids)
        assert.same({ offers[2].id }, m:wait_for("DECLINE").call.decline.offer_ids)
        local tasks = accept.operations[1].launch.task_infos
        assert.equal(3, #tasks)
        assert.equal("echo hello", tasks[1].command.value)
        assert.equal(0.1, tasks[1].resources[1].scalar)
        assert.equal(32, tasks[1].resources[2].scalar)
        m:send(m:update(tasks[1], "TASK_RUNNING"))
        m:send(m:update(tasks[1], "TASK_FINISHED"))
        m:send(m:update(tasks[2], "TASK_FAILED", { message = "no luck" }))
        m:send(m:update(tasks[3], "TASK_LOST", { uuid = false }))
        m:wait_for("ACKNOWLEDGE", 3)
        m:send_offers()
        local again = m:wait_for("ACCEPT", 2).call.accept.operations[1].launch.task_infos
        assert.equal(1, #again)
        m:send(m:update(again[1], "TASK_FINISHED"))
        m:wait_for("TEARDOWN")
        assert.equal(1, framework:wait(), framework:report())
        assert.matches("^registered as [%x-]+%-0000\n", framework.stdout)
        assert.matches("embed%-2 is TASK_FAILED: no luck\n", framework.stdout)
        assert.matches("2 finished, 1 failed, 5 updates, DRIVER_STOPPED\n$", framework.stdout)
        assert.equal("", framework.stderr)
    end

    it("builds the embedded framework with pkg-config, and runs it", function()
        local path = with_pkg_config()
        check_driver(path)
        assert.equal(2, embed(path, { "host:1", "true", "none" }):wait())
        local wrong = embed(path, { "zk://host/x", "true", "1" })
        assert.equal(2, wrong:wait())
        assert.matches("driver: master: ", wrong.stderr)
    end)

    it("runs real tasks from C on a local cluster", function()
        local cluster = program.start({ args = { "local" } })
        local address = cluster:wait_for("listening on (%S+)")
        local framework = embed(with_pkg_config(), { address, "exit 0", "5" })
        assert.equal(0, framework:wait(60), framework:report())
        assert.matches("5 finished, 0 failed, %d+ updates, DRIVER_STOPPED\n$", framework.stdout)
        framework = embed(with_pkg_config(), { address, "exit 3", "1" })
        assert.equal(1, framework:wait(60), framework:report())
        assert.matches("0 finished, 1 failed, %d+ updates, DRIVER_STOPPED\n$", framework.stdout)
        cluster:kill("sigterm")
        cluster:wait()
    end)

    it("builds the embedded framework with find_package, and runs it", function()
        check_driver(with_find_package())
    end)

    -- Plays the master of examples/embed/host.c with a budget of three: one task fails and is refunded, which the next
    -- version of the script, that costs two, cannot pay.
    local function check_host(path)
        local m = master.start()
        local script = program.script(assert(program.read("examples/embed/policy.lua")))
        local framework = embed(path, { m.address, script, "3" })
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        local tasks = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos
        assert.equal(3, #tasks)
        assert.equal("echo hello", tasks[1].command.value)
        m:send(m:update(tasks[1], "TASK_FAILED"))
        m:wait_for("ACKNOWLEDGE")
        rewrite(script, "syntax error")
        framework:kill("sighup")
        framework:wait_for("old policy: .-was not reloaded")
        rewrite(script, (program.read("examples/embed/policy.lua"):gsub("PRICE = 1", "PRICE = 2")))
        framework:kill("sighup")
        framework:wait_for("new policy: .-reloaded in")
        m:send_offers()
        assert.truthy(m:wait_for("DECLINE"))
        m:send(m:update(tasks[2], "TASK_FINISHED"))
        m:send(m:update(tasks[3], "TASK_FINISHED"))
        m:wait_for("TEARDOWN")
        assert.equal(0, framework:wait(), framework:report())
        assert.matches("2 spent, 1 left\n$", framework.stdout)
    end

    it("builds the embedded host with pkg-config, and runs and reloads its script", function()
        local path = with_pkg_config("host")
        check_host(path)
        assert.equal(2, embed(path, { "host:1", "policy.lua", "none" }):wait())
        local missing = embed(path, { "host:1", "/no/policy.lua", "1" })
        assert.equal(2, missing:wait())
        assert.matches("host: .*/no/policy.lua", missing.stderr)
        assert.matches("0 spent, 1 left\n$", missing.stdout)
    end)

    it("builds the embedded host with find_package, and runs and reloads its script", function()
        check_host(with_find_package("host"))
    end)

    it("runs the embedded host with a local cluster in it", function()
        local framework = embed(with_pkg_config("host"), { "local", "examples/embed/policy.lua", "4" })
        assert.equal(0, framework:wait(60), framework:report())
        assert.matches("4 spent, 0 left\n$", framework.stdout)
        framework = embed(with_pkg_config("host"), {
            "local", program.script((program.read("examples/embed/policy.lua"):gsub("echo hello", "sleep 1000"))), "1",
        })
        framework:wait_for("task%-1 is TASK_RUNNING")
        framework:kill("sigterm")
        assert.equal(0, framework:wait(60), framework:report())
    end)

    it("brings the program, which runs from there", function()
        assert.matches("^mesos%-lua %d", run(prefix .. "/bin/mesos-lua", { "--version" }).stdout)
    end)

    it("shows of its functions the public ones alone", function()
        local symbols = run("/usr/bin/nm", { "-D", "--defined-only", library() .. "/libmesos-lua.so" }).stdout
        local count = 0
        for name in symbols:gmatch(" [TDRBVW] ([^\n@]+)") do
            assert.matches("^mesos_", name)
            count = count + 1
        end
        assert.is_true(count > 40)
    end)

    it("has headers that each compile alone, also as C++", function()
        local folder = program.directory()
        for _, name in ipairs({ "mesos_driver.h", "mesos_lua.h", "mesos_log.h", "mesos/v1/scheduler/scheduler.pb-c.h" }) do
            local source = folder .. "/only.c"
            local file <close> = assert(io.open(source, "w"))
            file:write("#include <" .. name .. ">\nint main(void) { return 0; }\n")
            file:close()
            local include = "-I" .. prefix .. "/include/mesos-lua"
            run("/usr/bin/cc", { "-std=c11", "-pedantic", "-Wall", "-Werror", "-fsyntax-only", include, source })
            run("/usr/bin/cc", { "-x", "c++", "-Wall", "-Werror", "-fsyntax-only", include, source })
        end
    end)
end)

describe("mesos_lua.h", function()
    local SCRIPT = [[
local mesos, guest = require "mesos", require "guest"
local scheduler = { framework = { name = "guest" } }
function scheduler:registered() mesos.log.info("registered") end
function scheduler:frameworkMessage(_, _, _, text)
    mesos.log.info("%s to version 1", text)
    if text == "exit" then mesos.exit(5) end
    if guest[text] then mesos.log.info("%s: %s", text, tostring(guest[text]())) end
end
if ... == "never" then mesos.exit(1) end
return scheduler
]]

    local function tell(m, text)
        m:send({ type = "MESSAGE", message = {
            agent_id = { value = "a" }, executor_id = { value = "e" }, data = text,
        } })
    end

    local function run(mode, text)
        local m = master.start()
        local path = program.script(text or SCRIPT)
        return start("embed-guest", { mode, m.address, path }), m, path
    end

    -- What a framework is told by its callback, in each way of running the loop.
    for _, mode in ipairs({ "own", "loop", "late" }) do
        it("stops, exits, reloads and is destroyed from inside the script: " .. mode, function()
            local ends = { stop = 0, exit = 5, destroy = mode == "own" and 0 or nil }
            for text, code in pairs(ends) do
                local guest, m, path = run(mode)
                guest:wait_for("registered")
                tell(m, "reload")
                guest:wait_for("swapped: .-no file changed")
                rewrite(path, (SCRIPT:gsub("version 1", "version 2")))
                guest:wait_for("swapped: [^\n]- changed %S*script.lua")
                tell(m, text)
                assert.equal(0, guest:wait(), guest:report())
                assert.matches(text .. " to version 2", guest.stderr)
                if mode == "own" then
                    assert.matches("run: " .. code .. "\n", guest.stdout)
                else
                    assert.matches("loop: closed\n", guest.stdout)
                end
                if text ~= "destroy" then
                    assert.matches("ended: " .. code .. "\n", guest.stdout)
                end
            end
        end)
    end

    it("is destroyed in a callback of the script", function()
        local guest, m = run("loop")
        guest:wait_for("registered")
        tell(m, "destroy")
        assert.equal(0, guest:wait(), guest:report())
        assert.equal("loop: closed\n", guest.stdout)
        m:wait_for("TEARDOWN")
    end)

    it("is destroyed while it runs, by its embedder", function()
        local guest, m = run("early")
        assert.equal(0, guest:wait(), guest:report())
        assert.equal("loop: closed\n", guest.stdout)
        m:wait_for("TEARDOWN")
    end)

    it("runs two frameworks on one loop", function()
        local m = master.start()
        local guest = start("embed-guest", { "twice", m.address, program.script((SCRIPT:gsub("return scheduler", [[
            function scheduler:registered(driver) driver:stop() end
            return scheduler]]))) })
        assert.equal(0, guest:wait(), guest:report())
        m:wait_for("TEARDOWN", 2)
        assert.equal("ended: 0\nended: 0\nloop: closed\n", guest.stdout)
    end)

    it("runs a script that runs its driver itself, and one that exits while it is loaded", function()
        local own = [[
            local mesos = require "mesos"
            assert(... == "one" and arg[2] == "two")
            local driver = mesos.SchedulerDriver { framework = { name = "g" }, scheduler = {
                registered = function(_, driver) driver:stop() end,
            } }
            driver:run()
        ]]
        for _, mode in ipairs({ "own", "loop", "late" }) do
            for text, code in pairs({ [own] = 0, ["require('mesos').exit(7)"] = 7 }) do
                local guest = run(mode, text)
                assert.equal(0, guest:wait(), guest:report())
                assert.matches("ended: " .. code .. "\n", guest.stdout)
            end
        end
    end)

    it("says what is wrong with a script, and goes on", function()
        for _, mode in ipairs({ "own", "loop", "late" }) do
            local guest = run(mode, "return {")
            assert.equal(0, guest:wait(), guest:report())
            assert.matches("error: .-script.lua:1: .-expected.-\nstatus: 2\n", guest.stdout)
        end
    end)

    it("destroys a host while its script is being loaded", function()
        for _, rest in ipairs({ "", "return {}" }) do
            local guest = run("loop", "require('guest').destroy() " .. rest)
            assert.equal(0, guest:wait(), guest:report())
            assert.equal("error: the host was destroyed by its script\nloop: closed\n", guest.stdout)
        end
    end)

    local PAIR = [[
local mesos, guest = require "mesos", require "guest"
local which = ...
name = which
local scheduler = { framework = { name = which } }
function scheduler:registered() mesos.log.warning("%s is here", which) guest.count() end
function scheduler:frameworkMessage() return guest, which end
return scheduler
]]

    it("runs two hosts that share the loop and the log, and nothing else", function()
        local cluster = program.start({ args = { "local" } })
        local address = cluster:wait_for("listening on ([%d.:]+)\n")
        local folder = program.directory()
        local guest = start("embed-guest", {
            "pair", address, program.script(PAIR), "control=" .. folder .. "/#.sock", "metrics=127.0.0.1:0",
        })
        local function ask(number, ...)
            local done = control.ctl(guest, { ... }, { target = ("%s/%d.sock"):format(folder, number) })
            return done.code == 0 and done.stdout or done:report()
        end
        guest:wait_for("log here 2: one is here\n")
        guest:wait_for("log here 2: other is here\n")
        assert.equal('"one"\n"one"\n2\n', ask(1, "eval", "name, which, guest.count()"))
        assert.equal('"other"\n"other"\n2\n', ask(2, "eval", "name, which, guest.count()"))
        assert.equal("", ask(1, "eval", "name = 'changed'"))
        assert.equal('"other"\n', ask(2, "eval", "name"))
        assert.matches("framework +one\n", ask(1, "status"))
        local urls = {}
        for url in guest.stdout:gmatch("metrics are at (http://[%d.:]+)/metrics") do
            urls[#urls + 1] = url
        end
        assert.equal(2, #urls)
        for number, name in ipairs({ "one", "other" }) do
            local got = program.run({ path = "/usr/bin/curl", args = { "-s", urls[number] .. "/status" } })
            assert.is_truthy(got.stdout:find('"framework_name": ?"' .. name .. '"'), got.stdout)
            got = program.run({ path = "/usr/bin/curl", args = { "-s", urls[number] .. "/metrics" } })
            assert.matches('mesos_lua_callbacks_total{callback="registered"} 1\n', got.stdout)
        end
        assert.equal("stopping\n", ask(1, "stop"))
        guest:wait_for("ended: 0\n")
        assert.equal('"other"\n', ask(2, "eval", "name"))
        assert.equal("stopping\n", ask(2, "stop"))
        assert.equal(0, guest:wait(), guest:report())
        assert.matches("ended: 0\n.*ended: 0\nloop: closed\n", guest.stdout)
        assert.equal("", guest.stderr)
    end)

    it("has no control socket unless it is told where", function()
        local guest = run("own")
        guest:wait_for("registered")
        assert.is_nil(uv.fs_stat(guest.home .. "/mesos-lua"))
        guest:kill("sigkill")
    end)

    it("takes its options from the environment if it is told to, and what is set counts more", function()
        local m = master.start()
        local path = program.script(SCRIPT)
        local env = { MESOS_MASTER = m.address, MESOS_LOGGING_LEVEL = "ERROR" }
        local guest = start("embed-guest", { "surround", "-", path }, { env = env })
        m:wait_for("SUBSCRIBE")
        tell(m, "exit")
        assert.equal(0, guest:wait(), guest:report())
        assert.equal("", guest.stderr)
        guest = start("embed-guest", { "surround", "-", path, "log-level=info" }, { env = env })
        guest:wait_for("info    registered\n")
        tell(m, "exit")
        assert.equal(0, guest:wait(), guest:report())
        env.MESOS_LOGGING_LEVEL = "loud"
        guest = start("embed-guest", { "surround", "-", path }, { env = env })
        assert.equal(0, guest:wait(), guest:report())
        assert.matches("error: [^\n]*MESOS_LOGGING_LEVEL", guest.stdout)
        guest = start("embed-guest", { "own", m.address, path }, { env = { MESOS_MASTER = "127.0.0.1:1" } })
        guest:wait_for("registered")
        guest:kill("sigkill")
    end)

    it("keeps what --state keeps, and is limited as the program is", function()
        local m = master.start()
        local state = program.directory() .. "/state"
        local path = program.script([[
            local mesos = require "mesos"
            local scheduler = { framework = { name = "kept", failover_timeout = 60 } }
            function scheduler:registered()
                mesos.state.runs = (mesos.state.runs or 0) + 1
                while mesos.state.runs == 2 do end
            end
            function scheduler:frameworkMessage(driver) driver:stop(true) end
            scheduler.reregistered = scheduler.registered
            return scheduler]])
        local words = { "own", m.address, path, "state=" .. state, "callback-limit=0.2", "sandbox" }
        local guest = start("embed-guest", words)
        guest:wait_for("registered with")
        tell(m, "x")
        assert.equal(0, guest:wait(), guest:report())
        guest = start("embed-guest", words)
        guest:wait_for("callback re?g?i?s?t?e?r?e?d?%a+: %S+script.lua:5: stopped after")
        assert.equal(m:calls_of("SUBSCRIBE")[2].call.framework_id, m.framework_id)
        tell(m, "x")
        assert.equal(0, guest:wait(), guest:report())
    end)

    it("says what is wrong with a call", function()
        local guest = run("errors", "return {}")
        assert.equal(0, guest:wait(), guest:report())
        assert.equal([[
error: options: size is 1, which is that of no version up to this one: it must be sizeof(struct mesos_lua_options)
error: an option needs a name
error: unknown option '--mastr' (did you mean '--master'?)
error: --help is for the command line only
error: --agents: a whole number from 1 to 1000 (for sim to 1000000) expected, got 'many'
error: --master needs a value: --master URL
error: --no-watch: a number, true or false expected, got 'perhaps'
error: module 'mesos': there is one of that name
error: a module needs a name and a function that opens it
error: the host cannot be started: no script is loaded
error: the host cannot reload its script: no script is loaded
error: a path is needed
run: 0
error: the host cannot load a script: its script is loaded
error: the host cannot take options: its script is loaded
status: 0
]], guest.stdout)
    end)
end)
