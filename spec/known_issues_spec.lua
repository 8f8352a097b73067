-- SPDX-License-Identifier: Apache-2.0
--
-- Known issues of other Mesos clients, which do not happen here. spec/CONFORMANCE.md lists all of them, with the other
-- specs that cover the rest.

local framework = require("support.framework")
local master = require("support.master")
local program = require("support.program")
local splits = require("support.chunks")
local internals = require("internals")
local uv = require("luv")

local subscribed, start, said = framework.subscribed, framework.start, framework.said
local WATCH = framework.WATCH

-- One event of each kind, but ERROR.
local function send_all(m)
    local offers = m:send_offers({ m:offer(), m:offer() })
    m:send({ type = "RESCIND", rescind = { offer_id = offers[2].id } })
    m:send(m:update("t", "TASK_RUNNING"))
    m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "d" } })
    m:send({ type = "FAILURE", failure = { agent_id = "a" } })
    m:send({ type = "FAILURE", failure = { agent_id = "a", executor_id = "e", status = 1 } })
    m:send({ type = "INVERSE_OFFERS", inverse_offers = { inverse_offers = { {
        id = "i", framework_id = m.framework_id, unavailability = { start = { nanoseconds = 1 } },
    } } } })
    m:send({ type = "RESCIND_INVERSE_OFFER", rescind_inverse_offer = { inverse_offer_id = "i" } })
    m:send(m:operation_update("op", "OPERATION_FINISHED"))
end

describe("streams and calls:", function()
    after_each(framework.cleanup)

    it("calls after a reconnect carry the new stream id, and none made under the old one is sent", function()
        local m, run = subscribed [[
            function scheduler:disconnected(driver) driver:killTask("between") end
            function scheduler:registered(driver) say("registered") end
            function scheduler:reregistered(driver) driver:killTask("after") end
        ]]
        said(run, "registered")
        local first = m.stream.id
        m:drop()
        m:expect("KILL", { task_id = "after" })
        assert.equal(m.stream.id, m:calls_of("KILL")[1].request:header("Mesos-Stream-Id"))
        assert.not_equal(first, m.stream.id)
        assert.equal(1, #m:calls_of("KILL"))
    end)

    it("an answer that was late for a stream that is gone does not end the new one", function()
        local m, run = subscribed(WATCH .. [[ function scheduler:slaveLost(driver) driver:killTask("t") end ]])
        said(run, "registered")
        m:hold("KILL")
        m:send({ type = "FAILURE", failure = { agent_id = "a" } })
        m:wait_for("KILL")
        m:drop()
        said(run, "reregistered")
        m:release("KILL")
        m:send_offers()
        said(run, "offer")
        assert.equal(2, #m:calls_of("SUBSCRIBE"))
    end)

    it("bodies of answers are read, however long, and the next answer is understood", function()
        local m, run = subscribed [[
            function scheduler:registered(driver) driver:killTask("t") driver:reconcileTasks() driver:stop() end
        ]]
        m:answer("KILL", 400, ("long "):rep(50000))
        m:answer("RECONCILE", 202, ("{}\n"):rep(100))
        assert.equal(0, run:wait())
        framework.logged(run, "the master refused KILL (HTTP status 400): long long")
        assert.same({ "SUBSCRIBE", "KILL", "RECONCILE", "TEARDOWN" }, m:call_types())
    end)

    it("a call made by a timer goes out at once, with nothing else to wake the loop", function()
        local m = subscribed [[
            function scheduler:registered(driver)
                mesos.after(0.1, function() driver:killTask("timer") end)
                mesos.spawn(function() mesos.sleep(0.2) driver:killTask("spawned") end)
            end
        ]]
        m:expect("KILL", { task_id = "timer" }, 5) -- before the next heartbeat
        m:expect("KILL", { task_id = "spawned" }, 5)
    end)

    it("a record of more than 4 MiB is read, and limits can be set", function()
        local body = [[ function scheduler:frameworkMessage(_, _, _, data) say(#data) end ]]
        local big = { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = ("x"):rep(6 << 20) } }
        local m, run = subscribed(body)
        m:send(big)
        said(run, tostring(6 << 20))
        m, run = subscribed(body, { args = { "--record-limit", "1M" } })
        m:send(big)
        framework.logged(run, "disconnected: ")
        assert.matches("disconnected: [^\n]*1048576", run.stderr)
    end)

    it("a record of 64 MiB is read, and one of a byte more is not", function()
        local body = [[ function scheduler:frameworkMessage(_, _, _, data) say(#data) end ]]
        local event = { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }
        local rest = 2 * 3 -- what the two lengths around the text take more
        local length = (64 << 20) - #internals.encode("mesos.v1.scheduler.Event", event) - rest
        event.message.data = ("x"):rep(length)
        local record = internals.encode("mesos.v1.scheduler.Event", event)
        assert.equal(64 << 20, #record)
        local m, run = subscribed(body)
        m:send_record(record)
        run:wait_for("%f[%d]" .. length .. "\n")
        m:send_bytes((64 << 20) + 1 .. "\n")
        framework.logged(run, "disconnected: ")
        assert.matches("at most 67108864 bytes", run.stderr)
    end)

    it("newlines, digits and letters of several bytes in a record are only bytes", function()
        local data = "12\n\8\4\n\n\195\164\226\130\172\240\159\152\128\r\n0\r\n\r\n"
        local m, run = subscribed(("local DATA = %q\n"):format(data) .. [[
            function scheduler:frameworkMessage(_, executor, agent, data) say(executor, agent, data == DATA) end
        ]])
        local record = internals.encode("mesos.v1.scheduler.Event", {
            type = "MESSAGE", message = { agent_id = "\195\164", executor_id = "\226\130\172", data = data },
        })
        m:send_pieces(splits.bytewise(#record .. "\n" .. record))
        said(run, "\226\130\172\t\195\164\ttrue\n")
    end)

    it("a master is never held up by a script that is busy", function()
        local m, run = subscribed [[
            local count = 0
            function scheduler:registered()
                say("busy")
                while not io.open(os.getenv("HOME") .. "/go") do mesos.sleep(0.02) end
                say("idle")
            end
            function scheduler:frameworkMessage() count = count + 1 if count == 200 then say("all") end end
        ]]
        said(run, "busy")
        for _ = 1, 200 do
            m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = ("x"):rep(100000) } })
        end
        program.wait_for(function() return m.stream.connection.tcp:get_write_queue_size() == 0 end)
        assert.is_nil(run.stdout:find("idle"), "the master had to wait for the script")
        assert(io.open(run.home .. "/go", "w")):close()
        said(run, "idle\nall\n")
    end)

    it("a framework with a short failover timeout tries ten times in it", function()
        local m = master.start()
        local run
        m, run = start(WATCH .. "scheduler.framework.failover_timeout = 1", { master = m })
        said(run, "registered")
        m:answer("SUBSCRIBE", 503, "No leader elected")
        m:drop()
        m:wait_for("SUBSCRIBE", 11, 5) -- the delays would double beyond that
    end)
end)

describe("running user code:", function()
    after_each(framework.cleanup)

    local RAISING = {}
    for name in framework.WATCH:gmatch("function scheduler:(%a+)") do
        RAISING[#RAISING + 1] = ("function scheduler:%s(driver) say('raising') error('in %s') end"):format(name, name)
    end
    RAISING[#RAISING + 1] = "function scheduler:inverseOffers() say('raising') error('in inverseOffers') end"
    RAISING[#RAISING + 1] = "function scheduler:inverseOfferRescinded() say('raising') error('in inverseOfferRescinded') end"
    RAISING = table.concat(RAISING, "\n")

    it("a script that raises in every callback is never torn down, and goes on", function()
        local m, run = subscribed(RAISING)
        send_all(m)
        program.wait_for(function() return select(2, run.stdout:gsub("raising\n", "")) == 10 end)
        m:drop()
        m:wait_for("SUBSCRIBE", 2)
        for _, name in ipairs({ "registered", "resourceOffers", "offerRescinded", "statusUpdate", "frameworkMessage",
            "slaveLost", "executorLost", "inverseOffers", "inverseOfferRescinded", "operationStatusUpdate", "disconnected",
            "reregistered" }) do
            framework.logged(run, "callback " .. name .. ": ")
            framework.logged(run, "in " .. name)
        end
        assert.is_nil(run.code)
        assert.equal(0, #m:calls_of("TEARDOWN") + #m:calls_of("ACKNOWLEDGE") + #m:calls_of("ACKNOWLEDGE_OPERATION_STATUS"))
    end)

    it("a script that has no callback at all answers what must be answered", function()
        local m = subscribed ""
        send_all(m)
        m:wait_for("ACKNOWLEDGE_OPERATION_STATUS")
        assert.same({ "SUBSCRIBE", "DECLINE", "ACKNOWLEDGE", "ACKNOWLEDGE_OPERATION_STATUS" }, m:call_types())
    end)

    it("an error that is not handled is printed, and ends the program with 1", function()
        local m, run = subscribed ""
        m:send({ type = "ERROR", error = { message = "Framework has been removed" } })
        assert.equal(1, run:wait())
        assert.matches("error +Framework has been removed\n", run.stderr)
    end)

    it("an error in the error callback still ends the program with 1", function()
        local m, run = subscribed [[ function scheduler:error() error("again") end ]]
        m:send({ type = "ERROR", error = { message = "no" } })
        assert.equal(1, run:wait())
        assert.matches("callback error: ", run.stderr)
    end)

    it("operations inside a callback do not wait, and join says why it would", function()
        local m, run = subscribed [[
            function scheduler:statusUpdate(driver)
                for _ = 1, 100 do driver:reconcileTasks() end
                say(select(2, pcall(driver.join, driver)))
                driver:stop()
            end
        ]]
        m:hold("RECONCILE")
        m:send(m:update("t", "TASK_RUNNING"))
        said(run, "driver:join() waits for the end of the driver and would never see it here")
        m:release("RECONCILE")
        assert.equal(0, run:wait())
        assert.equal(100, #m:calls_of("RECONCILE"))
        assert.equal(1, #m:calls_of("TEARDOWN"))
    end)

    for title, timeout in pairs({
        ["a signal leaves the tasks of a framework that can come back"] = 60,
        ["a signal tears a framework down that could not come back anyway"] = 0,
    }) do
        it(title, function()
            for _, signal in ipairs({ "sigterm", "sigint" }) do
                local m, run = subscribed(WATCH .. ("scheduler.framework.failover_timeout = %d"):format(timeout))
                said(run, "registered")
                run:kill(signal)
                assert.equal(0, run:wait())
                assert.equal(timeout == 0 and 1 or 0, #m:calls_of("TEARDOWN"))
            end
        end)
    end
end)

describe("addresses:", function()
    after_each(framework.cleanup)

    it("an IPv6 address in brackets is taken in every form", function()
        local ok, m = pcall(master.start, { host = "::1" })
        if not ok then
            return pending("this machine has no IPv6")
        end
        for _, form in ipairs({ "[::1]:%d", "http://[::1]:%d", "master@[::1]:%d" }) do
            local _, run = start(WATCH, { master = m, address = form:format(m.server.port) })
            said(run, "registered")
            run:kill("sigkill")
            run:wait()
        end
        local standby = master.start()
        standby:answer("SUBSCRIBE", 307, "", { Location = ("//[::1]:%d/api/v1/scheduler"):format(m.server.port) })
        local _, run = start(WATCH, { master = standby })
        said(run, "registered")
    end)

    it("a password in an address is never shown", function()
        for _, address in ipairs({ "http://me:s3cret@127.0.0.1:1", "zk://me:s3cret@127.0.0.1:1/mesos",
            "http://me:s3cret@:x:y" }) do
            local run = program.start({ args = { "-v", "--master", address, program.script("return {}") } })
            run:wait_for(function() return run.code or run.stderr:find("trying again") or run.stderr:find("127.0.0.1:1") end)
            assert.is_nil(run.stderr:find("s3cret", 1, true), run.stderr)
            run:kill("sigkill")
        end
    end)

    it("no master has to call back: nothing listens", function()
        local _, run = subscribed(WATCH)
        said(run, "registered")
        local sockets = {}
        for fd in require("lfs").dir(("/proc/%d/fd"):format(run.pid)) do
            local link = uv.fs_readlink(("/proc/%d/fd/%s"):format(run.pid, fd)) or ""
            sockets[link:match("^socket:%[(%d+)%]$") or ""] = true
        end
        for _, name in ipairs({ "tcp", "tcp6" }) do
            for line in (program.read(("/proc/%d/net/%s"):format(run.pid, name)) or ""):gmatch("[^\n]+") do
                local words = {}
                for word in line:gmatch("%S+") do
                    words[#words + 1] = word
                end
                assert.is_false(words[4] == "0A" and sockets[words[10]] == true, line)
            end
        end
    end)
end)
