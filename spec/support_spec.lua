-- SPDX-License-Identifier: Apache-2.0
--
-- The specs' own tools: the helper that runs programs, the scripted server and master.

local master = require("support.master")
local program = require("support.program")
local internals = require("internals")
local server = require("support.server")

local function curl(...)
    return program.run({ path = "/usr/bin/curl", args = { "-sS", "-m", "10", ... } })
end

after_each(function()
    program.cleanup()
    server.cleanup()
end)

describe("the helper for programs", function()
    it("collects output, exit status and signal", function()
        local run = program.run({ path = "/bin/sh", args = { "-c", "cat; echo oops >&2; exit 3" }, stdin = "hello\n" })
        assert.same({ "hello\n", "oops\n", 3, 0 }, { run.stdout, run.stderr, run.code, run.signal })
    end)

    it("waits for output and sends signals", function()
        local run = program.start({ path = "/bin/sh", args = { "-c", "echo ready; exec sleep 60" } })
        run:wait_for("ready")
        assert.is_true(program.alive(run.pid))
        run:kill("sigterm")
        local _, signal = run:wait()
        assert.equal(15, signal)
    end)

    it("gives a clean environment and removes its folders", function()
        local run = program.run({ path = "/usr/bin/env", env = { MARK = "x" } })
        assert.matches("MARK=x", run.stdout)
        assert.not_matches("MESOS_", (run.stdout:gsub("MESOS_REGISTRATION_BACKOFF_FACTOR", "")))
        local home = run.home
        program.cleanup()
        assert.is_nil(require("luv").fs_stat(home))
    end)

    it("says what it saw when a wait ends in vain", function()
        local run = program.start({ path = "/bin/sh", args = { "-c", "echo this; exec sleep 60" } })
        local ok, message = pcall(run.wait_for, run, "that", 0.3)
        assert.is_false(ok)
        assert.matches("no 'that'.*still runs.*this", message)
    end)
end)

describe("the scripted server", function()
    it("notes requests header by header and answers as told", function()
        local peer = server.start(function(connection)
            connection:read_request()
            connection:respond(400, "no")
        end)
        local run = curl("-w", "%{http_code}", "-H", "X-Mark: one", "-d", "body", "http://" .. peer.address .. "/path")
        assert.equal("no400", run.stdout)
        local request = peer.requests[1]
        assert.same({ "POST", "/path", "body", "one" },
            { request.method, request.path, request.body, request:header("x-mark") })
    end)

    it("closes at once, resets, and sends bytes as they are", function()
        local close = server.start(function() end)
        assert.equal(52, curl("http://" .. close.address).code)
        local reset = server.start(function(connection)
            connection:read_request()
            connection:reset()
        end)
        assert.equal(56, curl("http://" .. reset.address).code)
        local garbage = server.start(server.answering("SSH-2.0-OpenSSH\r\n"))
        assert.equal(1, curl("http://" .. garbage.address).code)
        assert.equal(7, curl("http://" .. server.unused_address()).code)
    end)
end)

describe("the scripted master", function()
    local CALL = "mesos.v1.scheduler.Call"

    local function post(m, call, ...)
        local body = program.files({ body = internals.encode(CALL, call) }) .. "/body"
        local args = {
            "-sSN", "-m", "10", "--data-binary", "@" .. body, "-H", "Content-Type: application/x-protobuf", "-H",
            "Accept: application/x-protobuf", "-w", "%{stderr}%{http_code}",
            "http://" .. m.address .. "/api/v1/scheduler", ...,
        }
        return program.start({ path = "/usr/bin/curl", args = args })
    end

    local SUBSCRIBE = { type = "SUBSCRIBE", subscribe = { framework_info = { user = "me", name = "test" } } }

    it("accepts a subscription, sends events and ends the stream", function()
        local m = master.start()
        local run = post(m, SUBSCRIBE)
        assert.equal("test", m:wait_for("SUBSCRIBE").call.subscribe.framework_info.name)
        m:send_offers()
        m:end_stream()
        assert.equal(0, run:wait())
        local types = {}
        for i, record in ipairs(assert(internals.recordio():feed(run.stdout))) do
            types[i] = internals.decode("mesos.v1.scheduler.Event", record).type
        end
        assert.same({ "SUBSCRIBED", "HEARTBEAT", "OFFERS" }, types)
    end)

    it("checks the framework and the stream id of calls", function()
        local m = master.start()
        local stream = post(m, SUBSCRIBE)
        m:wait_for("SUBSCRIBE")
        local decline = { type = "DECLINE", framework_id = m.framework_id, decline = { offer_ids = { "x" } } }
        local run = post(m, decline)
        run:wait()
        assert.equal("400", run.stderr)
        run = post(m, decline, "-H", "Mesos-Stream-Id: " .. m.stream.id)
        run:wait()
        assert.equal("202", run.stderr)
        m:answer("DECLINE", 503, "later")
        run = post(m, decline, "-H", "Mesos-Stream-Id: " .. m.stream.id)
        run:wait()
        assert.same({ "503", "later" }, { run.stderr, run.stdout })
        m:drop()
        stream:wait()
        assert.equal(3, #m:calls_of("DECLINE"))
    end)
end)
