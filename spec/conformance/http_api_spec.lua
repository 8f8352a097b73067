-- SPDX-License-Identifier: Apache-2.0
--
-- scheduler_http_api_tests.cpp and the HTTP half of the authentication suites: what a master answers with, and what a
-- client makes of it. The scripted master refuses as a real one does; that is shown here with requests written by hand.

local framework = require("support.framework")
local master = require("support.master")
local program = require("support.program")
local recordings = require("support.recordings")
local internals = require("internals")
local server = require("support.server")
local uv = require("luv")

local subscribed, start, said = framework.subscribed, framework.start, framework.said

local TYPE = "application/x-protobuf"
local SUBSCRIBE = internals.encode("mesos.v1.scheduler.Call", {
    type = "SUBSCRIBE", subscribe = { framework_info = { user = "u", name = "n" } },
})

-- Sends one request as it is written; returns status, body and headers of the answer as text.
local function request(m, method, headers, body)
    local lines = { method .. " /api/v1/scheduler HTTP/1.1", "Host: x", "Content-Length: " .. #body }
    for name, value in pairs(headers) do
        lines[#lines + 1] = name .. ": " .. value
    end
    local tcp, got = uv.new_tcp(), ""
    tcp:connect("127.0.0.1", m.server.port, function()
        tcp:write(table.concat(lines, "\r\n") .. "\r\n\r\n" .. body)
        tcp:read_start(function(_, data)
            got = got .. (data or "")
        end)
    end)
    program.wait_for(function()
        local length = got:match("\r\nContent%-Length: (%d+)\r\n")
        local first = got:find("\r\n\r\n", 1, true)
        return first and (not length or #got >= first + 3 + length)
    end)
    tcp:close()
    local head, rest = got:match("^(.-\r\n)\r\n(.*)$")
    return tonumber(head:match("^HTTP/1.1 (%d+)")), rest, head
end

describe("the scripted master", function()
    after_each(framework.cleanup)

    local function refuses(status, words, method, headers, body)
        local m = master.start()
        m.framework_id = m.id .. "-0000"
        local got, text = request(m, method, headers, body)
        assert.equal(status, got, text)
        assert.is_truthy(text:find(words, 1, true), text)
    end

    local function call(message)
        return internals.encode("mesos.v1.scheduler.Call", message)
    end

    it("wants a Content-Type", function()
        refuses(400, "Expecting 'Content-Type' to be present", "POST", {}, SUBSCRIBE)
    end)

    it("wants a Content-Type that it knows", function()
        for _, type in ipairs({ "text/plain", TYPE .. "; charset=utf-8", "Application/x-protobuf" }) do
            refuses(415, "Expecting 'Content-Type' of", "POST", { ["Content-Type"] = type }, SUBSCRIBE)
        end
    end)

    it("wants a Call", function()
        refuses(400, "Failed to parse body into Call protobuf", "POST", { ["Content-Type"] = TYPE }, "garbage")
    end)

    it("wants an Accept that it can serve", function()
        refuses(406, "Expecting 'Accept' to allow", "POST", { ["Content-Type"] = TYPE, Accept = "foo" }, SUBSCRIBE)
    end)

    it("wants POST", function()
        refuses(405, "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.", "GET", {}, "")
    end)

    it("wants no stream id with SUBSCRIBE, and one with all else", function()
        local headers = { ["Content-Type"] = TYPE, Accept = TYPE, ["Mesos-Stream-Id"] = "x" }
        refuses(400, "Subscribe calls should not include the 'Mesos-Stream-Id' header", "POST", headers, SUBSCRIBE)
        local m = subscribed("")
        local teardown = call({ type = "TEARDOWN", framework_id = m.framework_id })
        local status, text = request(m, "POST", { ["Content-Type"] = TYPE }, teardown)
        assert.same({ 400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header" }, { status, text })
        status, text = request(m, "POST", { ["Content-Type"] = TYPE, ["Mesos-Stream-Id"] = "x" }, teardown)
        assert.equal(400, status)
        assert.matches("The stream ID 'x' included in this request didn't match the stream ID currently", text)
        assert.is_truthy(m.stream)
    end)

    it("wants a uuid of 16 bytes in an acknowledgement", function()
        local m = subscribed("")
        local status, text = request(m, "POST", { ["Content-Type"] = TYPE, ["Mesos-Stream-Id"] = m.stream.id }, call({
            type = "ACKNOWLEDGE", framework_id = m.framework_id,
            acknowledge = { agent_id = "a", task_id = "t", uuid = "short" },
        }))
        assert.same({ 400, "Failed to validate scheduler::Call: Not a valid UUID" }, { status, text })
    end)

    it("gives a stream with an id, SUBSCRIBED and a HEARTBEAT", function()
        local m = master.start()
        local status, _, head = request(m, "POST", { ["Content-Type"] = TYPE, Accept = TYPE }, SUBSCRIBE)
        assert.equal(200, status)
        assert.matches("\r\nMesos%-Stream%-Id: [%x-]+\r\n", head)
        assert.matches("\r\nTransfer%-Encoding: chunked\r\n", head)
    end)

    it("gives a second stream of the same framework another stream id", function()
        local m, run = subscribed(framework.WATCH)
        said(run, "registered")
        local first = m.stream.id
        m:drop()
        said(run, "reregistered")
        assert.not_equal(first, m.stream.id)
    end)
end)

describe("a client", function()
    after_each(framework.cleanup)

    it("sends what a master wants, in each of its calls", function()
        local m, run = subscribed [[
            function scheduler:resourceOffers(driver, offers) driver:declineOffer(offers[1].id) driver:stop() end
        ]]
        local id = m.stream.id
        m:send_offers()
        assert.equal(0, run:wait())
        for i, each in ipairs(m.calls) do
            assert.equal("POST", each.request.method)
            assert.equal("/api/v1/scheduler", each.request.path)
            assert.equal(TYPE, each.request:header("Content-Type"))
            assert.equal(i > 1 and id or nil, each.request:header("Mesos-Stream-Id"))
        end
        assert.equal(TYPE, m.calls[1].request:header("Accept"))
        assert.same({ "SUBSCRIBE", "DECLINE", "TEARDOWN" }, m:call_types())
    end)

    for title, row in pairs({
        ["gives up when it is not authorised before it was ever registered"] = { 401, "401 Unauthorized." },
        ["gives up when it is forbidden before it was ever registered"] = { 403, "Forbidden" },
        ["gives up when its SUBSCRIBE is called wrong"] = { 400, "Failed to validate scheduler::Call: no" },
    }) do
        it(title, function()
            local m = master.start()
            m:answer("SUBSCRIBE", row[1], row[2], { ["WWW-Authenticate"] = 'Basic realm="mesos-master-scheduler"' })
            local _, run = start(framework.WATCH, { master = m })
            assert.equal(1, run:wait())
            local message = run.stdout:match("^error\t(.*)\tDRIVER_ABORTED\n$")
            assert.is_truthy(message:find(tostring(row[1]), 1, true), message)
            assert.equal(row[2], message:sub(-#row[2]))
            assert.equal(1, #m:calls_of("SUBSCRIBE"))
        end)
    end

    it("tries again when it is not authorised after it was registered", function()
        local m, run = subscribed(framework.WATCH)
        said(run, "registered")
        m:answer("SUBSCRIBE", 401, "401 Unauthorized.")
        m:drop()
        framework.logged(run, "401 Unauthorized.; trying again")
        m:answer("SUBSCRIBE")
        said(run, "reregistered", 20)
    end)

    for _, status in ipairs({ 404, 405, 406, 415, 429, 500, 502, 503 }) do
        it(("tries again after a %d"):format(status), function()
            local m, run = start(framework.WATCH, { master = (function()
                local m = master.start()
                m:answer("SUBSCRIBE", function(_, connection)
                    m:answer("SUBSCRIBE")
                    connection:respond(status, "not now")
                end)
                return m
            end)() })
            said(run, "registered", 20)
            framework.logged(run, ("HTTP status %d: not now; trying again"):format(status))
            assert.equal(2, #m:calls_of("SUBSCRIBE"))
        end)
    end

    it("hears of an invalid role by an ERROR in the stream", function()
        local m, run = start(framework.WATCH .. [[ scheduler.framework.roles = { "/test/test1" } ]], { quiet = true })
        m:wait_for("SUBSCRIBE")
        local words = "'FrameworkInfo.roles' contains invalid role: Role '/test/test1' cannot start with a slash"
        m:send({ type = "ERROR", error = { message = words } })
        m:end_stream()
        assert.equal(1, run:wait())
        assert.equal("error\t" .. words .. "\tDRIVER_ABORTED\n", run.stdout)
    end)

    it("reads the bytes that a real master answered with", function()
        for _, name in ipairs({ "01-subscribe-offers/response-refined-web", "16-ha/response" }) do
            local s = server.start(function(connection)
                connection:read_request()
                connection:write(recordings.response(name))
                connection:wait_close()
            end)
            local _, run = start(framework.WATCH, { address = s.address, master = master.start() })
            said(run, "registered\t")
            run:kill()
        end
    end)

    it("takes a 200 with another Content-Type for no master", function()
        local m = master.start()
        m:answer("SUBSCRIBE", function(_, connection)
            m:answer("SUBSCRIBE")
            connection:begin_stream({ ["Mesos-Stream-Id"] = "x", ["Content-Type"] = "application/json" })
        end)
        local _, run = start(framework.WATCH, { master = m })
        framework.logged(run, "not a Mesos master: its answer 200 has Content-Type 'application/json'")
        said(run, "registered", 20)
    end)
end)
