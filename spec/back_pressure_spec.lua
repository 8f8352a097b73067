-- SPDX-License-Identifier: Apache-2.0
--
-- Back-pressure: a master that takes the calls slowly while events come as fast as they can. The driver holds the events
-- back: no call is dropped, none waits without need, and memory stays bounded. The master sends records that were made
-- beforehand, and takes the calls without decoding them.

local event_records = require("support.event_records")
local program = require("support.program")
local server = require("support.server")

local UPDATES, BURST = 110000, 1000
local SECONDS = 120
local ANSWER = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

local SCRIPT = [[
local mesos = require "mesos"
local s = { framework = { name = "pressure" } }
local seen = 0
function s:statusUpdate(driver, status)
    seen = seen + 1
    assert(status.task_id == ("%08d"):format(seen))
end
function s:frameworkMessage(driver)
    print(seen)
    driver:stop()
end
return s
]]

-- The records of the updates behind `first`, with a message of that length.
local function burst(first, length)
    return event_records.burst(event_records.template({
        type = "UPDATE", update = { status = {
            task_id = "TASKTASK", state = "TASK_RUNNING", agent_id = "S0", uuid = event_records.UUID,
            message = ("m"):rep(length),
        } },
    }, {
        TASKTASK = function(n) return ("%08d"):format(n) end,
        [event_records.UUID] = event_records.uuid,
    }), first, BURST)
end

-- A master whose calls are given to `take(body, master)`; those it answers with false wait in `master.owed`.
local function start_master(take)
    local master = { owed = 0 }
    local function on_calls(connection)
        local rest = ""
        master.calls = connection
        return function(bytes)
            rest = rest .. bytes
            local at, answers = 1, 0
            while true do
                local _, head = rest:find("\r\n\r\n", at, true)
                local length = head and tonumber(rest:match("Content%-Length: (%d+)", at))
                if not length or #rest < head + length then
                    break
                end
                answers = answers + 1
                take(rest:sub(head + 1, head + length), master)
                at = head + length + 1
            end
            rest = rest:sub(at)
            master.owed = master.owed + answers
            master:answer()
        end
    end
    function master:answer()
        if not self.silent and self.owed > 0 then
            self.calls:write(ANSWER:rep(self.owed))
            self.owed = 0
        end
    end
    master.server = server.start(function(connection)
        if master.stream then
            return connection:take_over(on_calls(connection))
        end
        connection:read_request()
        connection:begin_stream({ ["Mesos-Stream-Id"] = "pressure", ["Content-Type"] = "application/x-protobuf" })
        connection:chunk(event_records.frame({
            type = "SUBSCRIBED", subscribed = { framework_id = "framework", heartbeat_interval_seconds = 600.0 },
        }))
        master.stream = connection
        connection:wait_close()
    end)
    return master
end

local function message()
    return event_records.frame({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } })
end

local function resident(pid)
    return tonumber(program.read(("/proc/%d/statm"):format(pid)):match("^%d+ (%d+)")) * 4096
end

describe("a master that is slow to take calls", function()
    after_each(function()
        program.cleanup()
        server.cleanup()
    end)

    -- Notes the acknowledgements, which come in the order of the updates, and none twice.
    local function acknowledgements()
        local seen = { count = 0, strange = 0 }
        function seen.take(body)
            if #body < 32 then
                return -- TEARDOWN
            end
            local _, n = string.unpack(">I8I8", body:sub(-16))
            if n == seen.count + 1 then
                seen.count = n
            else
                seen.strange = seen.strange + 1
            end
        end
        return seen
    end

    local function start(take, args, script)
        local master = start_master(take)
        local control = program.directory() .. "/control"
        -- What the master is slow to read is not answered for as long as the machine takes to send the rest.
        local all = { "--log-level", "debug", "--control", control, "--master", master.server.address, "--answer-timeout", "3600" }
        table.move(args or {}, 1, #(args or {}), #all + 1, all)
        all[#all + 1] = program.script(script or SCRIPT)
        local run = program.start { args = all }
        program.wait_for(function() return master.stream end)
        return master, run, control
    end

    local function status(control)
        return program.run({ args = { "ctl", control, "status", "--json" } }).stdout
    end

    local function finish(master, run, seen)
        run:wait_for(function() return seen.count >= UPDATES end, SECONDS)
        master.stream:chunk(message())
        run:wait_for(("%d\n"):format(UPDATES))
        master.stream:finish()
        assert.equal(0, run:wait(), run:report():sub(1, 2000))
        assert.equal(UPDATES, seen.count)
        assert.is_nil(run.stderr:find("no answer", 1, true))
        assert.is_nil(run.stderr:find("did not reach", 1, true))
    end

    for _, way in ipairs {
        { name = "reads none for a while" }, { name = "reads none for a while, behind --state", state = true },
    } do
        it(way.name .. ": all updates are acknowledged in order", function()
            local seen = acknowledgements()
            local args = way.state and { "--state", program.directory() .. "/state" }
            local master, run, control = start(seen.take, args)
            local before
            for first = 0, UPDATES - BURST, BURST do
                master.stream:chunk(burst(first, 1000))
                if first == 0 then
                    run:wait_for(function() return seen.count == BURST end, SECONDS)
                    before = resident(run.pid)
                    master.calls.tcp:read_stop()
                end
            end
            run:wait_for("the master is slow to take calls and 64 MiB of events are waiting: reading pauses", SECONDS)
            local grown = resident(run.pid) - before
            local text = status(control)
            master.calls.tcp:read_start(function(_, data)
                if data then
                    master.calls.take_bytes(data)
                end
            end)
            finish(master, run, seen)
            assert.equal(0, seen.strange)
            assert.matches("reading goes on", run.stderr)
            assert.is_true(tonumber(text:match('"calls_waiting":(%d+)') or 0) > 1000, text)
            local flat = os.getenv("ASAN_OPTIONS") ~= nil or grown < 128 << 20
            assert.is_true(flat, ("grew by %d bytes"):format(grown))
        end)
    end

    it("reads them and answers late: events wait, and all are acknowledged in order", function()
        local seen = acknowledgements()
        local master, run = start(seen.take)
        master.silent = true
        for first = 0, UPDATES - BURST, BURST do
            master.stream:chunk(burst(first, 10))
        end
        run:wait_for("calls wait for the master: events are held back", SECONDS)
        assert.is_true(seen.count <= 256)
        master.silent = false
        master:answer()
        finish(master, run, seen)
        assert.equal(0, seen.strange)
    end)

    it("takes no call of a loop that makes too many, and says so where it makes them", function()
        local sizes, longest = {}, 1 << 20
        local master, run = start(function(body)
            sizes[#sizes + 1] = #body
        end, nil, [[
            local mesos = require "mesos"
            local s = { framework = { name = "pressure" } }
            local long = ("x"):rep(1 << 20)
            function s:registered(driver)
                local made, ok, message = 0, true, nil
                while ok do
                    ok, message = pcall(driver.sendFrameworkMessage, driver, "e", "a", long)
                    made = made + (ok and 1 or 0)
                end
                print(made, message)
                print(pcall(driver.killTask, driver, "t"))
            end
            function s:statusUpdate(driver)
                driver:killTask("t")
                print("killed")
                driver:stop()
            end
            return s
        ]])
        run:wait_for("128\t[^\n]*: 128 calls are waiting for the master, 128 MiB of them, and no more are taken: make fewer ")
        run:wait_for("false\t[^\n]*: 128 calls are waiting")
        master.stream:chunk(burst(0, 1))
        run:wait_for("killed", SECONDS)
        program.wait_for(function() return #sizes == 130 end, SECONDS) -- with KILL and TEARDOWN
        for i = 1, 128 do
            assert.is_true(sizes[i] > longest)
        end
        assert.is_true(sizes[129] < 100)
        master.stream:finish()
        assert.equal(0, run:wait(), run:report():sub(1, 2000))
        assert.is_nil(run.stderr:find("did not reach", 1, true))
    end)
end)
