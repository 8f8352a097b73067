-- SPDX-License-Identifier: Apache-2.0
--
-- Staying subscribed: the real program on real connections, with masters that refuse, fall silent, send slowly, do not
-- read, or send to a script that is busy. What takes minutes by the clock is in subscription_spec.lua.

local event_records = require("support.event_records")
local master = require("support.master")
local program = require("support.program")
local server = require("support.server")
local uv = require("luv")

local SCRIPT = [[
    local mesos = require "mesos"
    local scheduler = { framework = { name = "test", failover_timeout = 600 } }
    local function say(...) print(...) io.stdout:flush() end
    function scheduler:registered() say("registered") end
    function scheduler:reregistered() say("reregistered") end
    function scheduler:disconnected() say("disconnected") end
    function scheduler:error(driver, message) say("error", message) end
    local function busy(seconds) os.execute("sleep " .. seconds) end
]]

describe("staying subscribed", function()
    local tickers

    before_each(function()
        tickers = {}
    end)

    after_each(function()
        for _, ticker in ipairs(tickers) do
            ticker:close()
        end
        program.cleanup()
        master.cleanup()
    end)

    local function every(seconds, fn)
        local ticker = uv.new_timer()
        local milliseconds = math.floor(seconds * 1000)
        ticker:start(milliseconds, milliseconds, fn)
        tickers[#tickers + 1] = ticker
    end

    local function start(address, args, body)
        local all = { "--registration-backoff", "20ms", "--master", address }
        table.move(args or {}, 1, #(args or {}), #all + 1, all)
        all[#all + 1] = program.script(SCRIPT .. (body or "") .. "\nreturn scheduler")
        return program.start { args = all }
    end

    local function count(text, pattern)
        return select(2, text:gsub(pattern, ""))
    end

    -- Lets that time pass. Returns how much it was: more, on a busy machine.
    local function pass(seconds)
        local began = uv.hrtime()
        program.wait_for(function()
            return uv.hrtime() - began > seconds * 1e9
        end, seconds + 5)
        return (uv.hrtime() - began) / 1e9
    end

    -- True if there is a time in which none of it happens.
    local function quiet_for(seconds, run, pattern)
        local before = count(run.stdout .. run.stderr, pattern)
        pass(seconds)
        assert.equal(before, count(run.stdout .. run.stderr, pattern), run:report())
    end

    it("goes through everything that may come before a registration", function()
        local m = master.start()
        local answers = {
            { 503, "No leader elected" }, { 404, "" }, { 500, "oh" }, { 200, "hello", { ["Content-Type"] = "text/html" } },
            { 307, "", { Location = "//127.0.0.1:1/" } }, { 307, "" }, { 200, "" }, { 429, "slowly" },
        }
        m:answer("SUBSCRIBE", function(_, connection)
            local answer = table.remove(answers, 1)
            if not answer then
                return true
            elseif #answers == 2 then
                connection:reset()
            else
                connection:respond(table.unpack(answer, 1, 3))
            end
            return false
        end)
        local run = start(m.address)
        run:wait_for("registered")
        assert.is_nil(run.stdout:find("error", 1, true))
        assert.equal(9, #m:calls_of("SUBSCRIBE"))
    end)

    it("waits for a master that is not there yet", function()
        local port = tonumber(server.unused_address():match("%d+$"))
        local run = start("127.0.0.1:" .. port)
        program.wait_for(function()
            return count(run.stderr, "cannot connect: Connection refused; trying again") > 2
        end)
        master.start { port = port }
        run:wait_for("registered")
    end)

    it("comes back within a tenth of the failover timeout", function()
        local m = master.start()
        m:answer("SUBSCRIBE", 503, "")
        start(m.address, { "--registration-backoff", "1h" }, "scheduler.framework.failover_timeout = 5")
        m:wait_for("SUBSCRIBE", 5, 20)
    end)

    it("bounds its tries, whatever the failover timeout is", function()
        local m = master.start()
        m:answer("SUBSCRIBE", 503, "")
        start(m.address, { "--registration-backoff", "1h" }, "scheduler.framework.failover_timeout = 0.001")
        local seconds = pass(2)
        assert.is_true(#m:calls_of("SUBSCRIBE") < 20 * seconds)
    end)

    it("follows a circle of redirects for a few steps only, and gets out of it", function()
        local one, other = master.start(), master.start()
        one:answer("SUBSCRIBE", 307, "", { Location = "//" .. other.address .. "/api/v1/scheduler" })
        other:answer("SUBSCRIBE", 307, "", { Location = "//" .. one.address .. "/api/v1/scheduler" })
        local run = start(one.address, { "--registration-backoff", "500ms" })
        local seconds = pass(2)
        assert.is_true(#one:calls_of("SUBSCRIBE") + #other:calls_of("SUBSCRIBE") <= 30 * seconds)
        other:answer("SUBSCRIBE")
        run:wait_for("registered")
        assert.equal(other:calls_of("SUBSCRIBE")[1].request.body, one:calls_of("SUBSCRIBE")[1].request.body)
    end)

    it("gives up on a master that takes a connection and says nothing", function()
        local m = master.start()
        m:answer("SUBSCRIBE", false)
        local run = start(m.address, { "--answer-timeout", "200ms" })
        run:wait_for("no answer within 0%.2 seconds; trying again")
        m:answer("SUBSCRIBE")
        run:wait_for("registered")
    end)

    it("gives up on a refusal that has no end", function()
        local peer = server.start(function(connection)
            connection:read_request()
            connection:write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1000\r\n\r\nwait")
            connection:wait_close()
        end)
        local run = start(peer.address, { "--answer-timeout", "200ms" })
        run:wait_for("HTTP status 503: wait; trying again")
    end)

    it("gives up on a master that accepts and sends no event", function()
        local m = master.start { quiet = true }
        local run = start(m.address, { "--answer-timeout", "200ms" })
        run:wait_for("no SUBSCRIBED event in 0%.2 seconds; trying again")
        m.quiet = false
        run:wait_for("registered")
    end)

    it("notices a master that fell silent, with its connection still open", function()
        local m = master.start { heartbeat_interval = 0.1 }
        local run = start(m.address)
        run:wait_for("disconnected: no heartbeat or other event in 0%.5 seconds")
        run:wait_for("registered\ndisconnected\nreregistered\n")
    end)

    it("notices a master that trickles and never ends a record", function()
        local m = master.start { heartbeat_interval = 0.5 }
        local run = start(m.address)
        run:wait_for("registered")
        m:send_bytes("100000\n")
        every(0.05, function()
            if m.stream and #m:calls_of("SUBSCRIBE") == 1 then
                m:send_bytes("x")
            end
        end)
        run:wait_for("disconnected: no heartbeat")
        run:wait_for("reregistered")
    end)

    it("stays with a master that sends heartbeats only", function()
        local m = master.start { heartbeat_interval = 1 }
        local run = start(m.address)
        run:wait_for("registered")
        every(0.1, function()
            m:heartbeat()
        end)
        quiet_for(6, run, "disconnected") -- longer than the watchdog takes
    end)

    it("notices that it is not heard any more", function()
        local m = master.start()
        local run = start(m.address, { "--answer-timeout", "300ms" }, [[
            function scheduler:registered(driver) say("registered") driver:reconcileTasks() end
        ]])
        m:answer("RECONCILE", false)
        every(0.05, function()
            if m.stream then
                m:heartbeat()
            end
        end)
        run:wait_for("disconnected: the master did not answer RECONCILE: no answer within 0%.3 seconds")
        run:wait_for("reregistered")
        assert.equal(1, #m:calls_of("RECONCILE"))
    end)

    it("notices that its calls break off", function()
        local m = master.start()
        local run = start(m.address, nil, [[
            function scheduler:registered(driver) say("registered") driver:reconcileTasks() driver:reviveOffers() end
        ]])
        m:answer("RECONCILE", function(_, connection)
            connection:reset()
        end)
        run:wait_for("disconnected: the master did not answer RECONCILE: ")
        run:wait_for("reregistered")
        assert.equal(1, #m:calls_of("RECONCILE"))
        assert.equal(0, #m:calls_of("REVIVE"))
    end)

    it("sends calls again on a connection that was closed while it was idle", function()
        local m = master.start()
        local run = start(m.address, nil, [[
            function scheduler:registered(driver) say("registered") driver:reconcileTasks() end
            function scheduler:frameworkMessage(driver) say("message") driver:reviveOffers() end
        ]])
        local connection = m:wait_for("RECONCILE").connection
        connection:close()
        program.wait_for(function() return connection.tcp:is_closing() end) -- the end is on its way
        run:wait_for("registered")
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }
        m:wait_for("REVIVE")
        quiet_for(0.3, run, "disconnected")
    end)

    -- ---- a script that is busy ----

    it("does not take the time in which the script was busy for a silence of the master", function()
        local m = master.start { heartbeat_interval = 0.8 }
        local run = start(m.address, { "--answer-timeout", "4s" }, [[
            function scheduler:frameworkMessage(driver)
                driver:reconcileTasks()
                busy(4.5)
                driver:reviveOffers()
                say("worked")
            end
        ]])
        run:wait_for("registered")
        every(0.1, function()
            if m.stream then
                m:heartbeat()
            end
        end)
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }
        program.wait_for(function()
            return count(run.stdout, "worked") == 2
        end, nil, function()
            return run:report()
        end)
        m:wait_for("REVIVE", 2)
        quiet_for(1, run, "disconnected")
        assert.equal("registered\nworked\nworked\n", run.stdout)
        assert.is_nil(run.stderr:find("had no answer", 1, true), run.stderr)
        assert.same({ "SUBSCRIBE", "RECONCILE", "REVIVE", "RECONCILE", "REVIVE" }, m:call_types())
    end)

    it("keeps all events for a script that waits, and reads on when it does not", function()
        local m = master.start { heartbeat_interval = 1 }
        local run = start(m.address, nil, [[
            local expected = 1
            function scheduler:frameworkMessage(driver, executor, agent, data)
                if expected == 1 then
                    while not GO do mesos.sleep(0.05) end
                end
                assert(#data == 1000000 and tonumber(executor) == expected)
                expected = expected + 1
                if expected > 100 then say("all") end
            end
            GO = false
            mesos.every(0.05, function() local go = io.open(os.getenv("HOME") .. "/go") GO = GO or go ~= nil end)
        ]])
        run:wait_for("registered")
        local message = event_records.template({
            type = "MESSAGE", message = { agent_id = "a", executor_id = "NUMBER", data = ("x"):rep(1000000) },
        }, { NUMBER = function(n) return ("%06d"):format(n) end })
        for i = 1, 100 do
            m:send_bytes(message(i))
        end
        every(0.1, function()
            if m.stream then
                m:heartbeat()
            end
        end)
        run:wait_for("the script is busy and 64 MiB of events are waiting: reading pauses")
        quiet_for(6, run, "disconnected") -- longer than the watchdog takes
        assert(io.open(run.home .. "/go", "w")):close()
        run:wait_for("reading goes on")
        run:wait_for("all")
        assert.equal("registered\nall\n", run.stdout)
        quiet_for(1, run, "disconnected")
    end)

    it("delivers updates that waited while the master was lost", function()
        local m = master.start()
        local run = start(m.address, nil, [[
            function scheduler:frameworkMessage()
                while not io.open(os.getenv("HOME") .. "/go") do mesos.sleep(0.02) end
            end
            function scheduler:statusUpdate(driver, status) say(status.task_id) end
            function scheduler:resourceOffers() say("offers") end
        ]])
        run:wait_for("registered")
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }
        m:send(m:update("t1", "TASK_RUNNING"))
        m:send_offers()
        m:drop()
        run:wait_for("warning disconnected")
        assert(io.open(run.home .. "/go", "w")):close()
        run:wait_for("\nreregistered\n")
        assert.equal("registered\nt1\ndisconnected\nreregistered\n", run.stdout)
    end)
end)
