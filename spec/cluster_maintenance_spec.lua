-- SPDX-License-Identifier: Apache-2.0
--
-- Maintenance on the local cluster: what an operator's schedule does to offers and frameworks, and the endpoints, with
-- the shapes and words of a real master.

local client = require("support.cluster_client")
local json = require("cjson")
local program = require("support.program")

local MACHINE = { hostname = "localhost", ip = "127.0.0.1" }
local TEXT = '{"hostname":"localhost","ip":"127.0.0.1"}'
local START, HOUR = 2000000000000000000, 3600000000000 -- a time to come

local function window(machines, start, duration)
    return { machine_ids = machines,
        unavailability = { start = { nanoseconds = start or START }, duration = duration and { nanoseconds = duration } } }
end

-- cjson would write large integers as 2e+18, which Mesos reads, too; the texts here are as people write them.
local function encode(value)
    return (json.encode(value):gsub("2e%+18", "2000000000000000000"):gsub("3600000000000%.0", "3600000000000"))
end

local function post(path, value)
    local status, text = client.request(type(value) == "string" and value or encode(value), { path = path })
    return status, text
end

local function get(path)
    local status, text, head = client.request(nil, { path = path, method = "GET" })
    assert.equal(200, status)
    assert.matches("\r\nContent%-Type: application/json", head)
    return text
end

local function done(path, value)
    assert.same({ 200, "" }, { post(path, value) }, path)
end

local function schedule(...)
    done("/maintenance/schedule", { windows = { ... } })
end

describe("the endpoints of maintenance", function()
    setup(function()
        client.start()
    end)
    teardown(client.stop)
    after_each(function()
        post("/machine/up", { MACHINE })
        done("/maintenance/schedule", "{}")
    end)

    it("give back the schedule that was posted", function()
        assert.equal("{}", get("/maintenance/schedule"))
        schedule(window({ MACHINE }, START, HOUR), window({ { hostname = "other" } }))
        assert.equal('{"windows":[{"machine_ids":[' .. TEXT .. '],"unavailability":{"duration":{"nanoseconds":3600000000000},'
            .. '"start":{"nanoseconds":2000000000000000000}}},{"machine_ids":[{"hostname":"other"}],"unavailability":'
            .. '{"start":{"nanoseconds":2000000000000000000}}}]}', get("/master/maintenance/schedule"))
        assert.equal('{"draining_machines":[{"id":' .. TEXT .. '},{"id":{"hostname":"other"}}]}', get("/maintenance/status"))
        schedule(window { MACHINE })
        assert.equal('{"draining_machines":[{"id":' .. TEXT .. '}]}', get("/maintenance/status"))
    end)

    it("take machines down and up, and drop them from the schedule then", function()
        schedule(window { MACHINE, { hostname = "other" } }, window { { ip = "10.0.0.1" } })
        done("/machine/down", { { ip = "10.0.0.1" }, { hostname = "OTHER" } })
        assert.equal('{"down_machines":[{"hostname":"other"},{"ip":"10.0.0.1"}],"draining_machines":[{"id":' .. TEXT .. '}]}',
            get("/maintenance/status"))
        done("/machine/up", { { ip = "10.0.0.1" }, { hostname = "other" } })
        assert.equal('{"draining_machines":[{"id":' .. TEXT .. '}]}', get("/maintenance/status"))
        assert.equal('{"windows":[{"machine_ids":[' .. TEXT .. '],"unavailability":{"start":{"nanoseconds":'
            .. '2000000000000000000}}}]}', get("/maintenance/schedule"))
    end)

    -- Posted while "down.test" is down and this machine is neither scheduled nor down.
    local REFUSED = {
        { "/maintenance/schedule", "[]", "Unexpected JSON type parsed" },
        { "/maintenance/schedule", '{"windows":x}', "syntax error at line 1 near: x}" },
        { "/maintenance/schedule", '{"windows":[1]}', "Not expecting a JSON number for field 'windows'" },
        { "/maintenance/schedule", '{"windows":[{"machine_ids":{}}]}', "Not expecting a JSON object for field 'machine_ids'" },
        { "/maintenance/schedule", '{"windows":[{"machine_ids":[{"hostname":1}]}]}',
            "Not expecting a JSON number for field 'hostname'" },
        { "/maintenance/schedule", '{"windows":[{"machine_ids":[{"hostname":"a"}]}]}',
            "Missing required fields: windows[0].unavailability" },
        { "/maintenance/schedule", '{"windows":[{"unavailability":{}}]}',
            "Missing required fields: windows[0].unavailability.start" },
        { "/maintenance/schedule", '{"windows":[{"unavailability":{"start":{}}}]}',
            "Missing required fields: windows[0].unavailability.start.nanoseconds" },
        { "/maintenance/schedule", '{"windows":[{"unavailability":{"start":{"nanoseconds":1},"duration":{}}}]}',
            "Missing required fields: windows[0].unavailability.duration.nanoseconds" },
        { "/maintenance/schedule", { windows = { { unavailability = { start = { nanoseconds = 1 } } } } },
            "List of machines in the maintenance window is empty" },
        { "/maintenance/schedule", { windows = { window({ MACHINE }, 1, -1) } }, "Unavailability 'duration' is negative" },
        { "/maintenance/schedule", { windows = { window { { hostname = "" } } } },
            "Both 'hostname' and 'ip' for a machine are empty" },
        { "/maintenance/schedule", { windows = { window { { hostname = "a", ip = "::1" } } } }, "Failed to parse IPv4: ::1" },
        { "/maintenance/schedule", { windows = { window { MACHINE }, window { { hostname = "LOCALHOST", ip = "127.0.0.1" } } } },
            [[Machine '{"hostname":"LOCALHOST","ip":"127.0.0.1"}' appears more than once in the schedule]] },
        { "/maintenance/schedule", "{}",
            [[Machine '{"hostname":"down.test"}' is deactivated and cannot be removed from the schedule]] },
        { "/machine/down", "{}", "Unexpected JSON type parsed" },
        { "/machine/down", "[]", "List of machines is empty" },
        { "/machine/down", "[7]", "Expecting a JSON object" },
        { "/machine/down", { MACHINE, MACHINE }, "Machine '" .. TEXT .. "' appears more than once in the schedule" },
        { "/machine/down", { { hostname = "nobody" } },
            [[Machine '{"hostname":"nobody"}' is not part of a maintenance schedule]] },
        { "/machine/down", { MACHINE }, "Machine '" .. TEXT .. "' is not in DRAINING mode and cannot be brought down" },
        { "/machine/up", { { hostname = "nobody" } }, [[Machine '{"hostname":"nobody"}' is not part of a maintenance schedule]] },
        { "/machine/up", { MACHINE }, "Machine '" .. TEXT .. "' is not in DOWN mode and cannot be brought up" },
    }

    it("refuse what a master refuses, in its words", function()
        schedule(window { { hostname = "down.test" } })
        done("/machine/down", { { hostname = "down.test" } })
        for _, row in ipairs(REFUSED) do
            assert.same({ 400, row[3] }, { post(row[1], row[2]) })
        end
        assert.equal('{"down_machines":[{"hostname":"down.test"}]}', get("/maintenance/status"))
        done("/machine/up", { { hostname = "down.test" } })
    end)

    it("take the methods of a master only", function()
        local GET_POST = "405 Method Not Allowed. Expecting one of { 'GET', 'POST' }, but received 'PUT'."
        client.refused(405, GET_POST, "{}", { path = "/maintenance/schedule", method = "PUT" })
        client.refused(405, "405 Method Not Allowed. Expecting one of { 'GET' }, but received 'POST'.", "{}",
            { path = "/maintenance/status" })
        client.refused(405, "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.", nil,
            { path = "/machine/down", method = "GET" })
    end)

    it("refuse a schedule that is too long", function()
        local function file(value)
            return "@" .. program.script(encode(value), "body")
        end
        local machines = {}
        for i = 1, 10001 do
            machines[i] = { hostname = "h" .. i }
        end
        assert.same({ 400, "The local cluster takes schedules of up to 10000 machines, this one has 10001" },
            { post("/maintenance/schedule", file { windows = { window(machines) } }) })
        table.remove(machines)
        done("/maintenance/schedule", file { windows = { window(machines) } })
        done("/machine/down", file(machines))
        done("/machine/up", file(machines))
    end)
end)

describe("a framework whose agent will be away", function()
    before_each(function()
        client.start { "--resources", "cpus:2;mem:256;ports:[31000-31009]" }
    end)
    after_each(client.stop)

    -- Subscribed, with its first offer.
    local function subscribed(info)
        local stream = client.subscribe(info or { roles = { "*" }, capabilities = { { type = "MULTI_ROLE" } } }):subscribed()
        return stream, stream:offer()
    end

    local function running(stream, offer, command)
        stream:launch(offer, { client.task(offer, "t", command or "sleep 600") })
        repeat
            local status = stream:update()
        until status.state == "TASK_RUNNING"
    end

    local function inverse_offer(stream, seconds)
        local event = stream:find("INVERSE_OFFERS", seconds)
        return event and event.inverse_offers.inverse_offers[1]
    end

    local function answer(stream, kind, inverse, refuse)
        stream:accepted(kind .. "_INVERSE_OFFERS", { inverse_offer_ids = { inverse.id },
            filters = refuse and { refuse_seconds = refuse } })
    end

    it("loses its offers, and gets others that say from when on", function()
        local stream, offer = subscribed()
        assert.is_nil(offer.unavailability)
        schedule(window({ MACHINE }, START, HOUR))
        assert.same(offer.id, stream:find("RESCIND").rescind.offer_id)
        local event = stream:find("OFFERS")
        assert.same({ start = { nanoseconds = START }, duration = { nanoseconds = HOUR } },
            event.offers.offers[1].unavailability)
    end)

    it("is asked to leave an agent that it uses, once, and again after the time that it named", function()
        local stream, offer = subscribed()
        running(stream, offer)
        schedule(window { MACHINE })
        local inverse = inverse_offer(stream)
        assert.same({ offer.agent_id, stream.framework_id, { start = { nanoseconds = START } }, offer.url },
            { inverse.agent_id, inverse.framework_id, inverse.unavailability, inverse.url })
        assert.is_nil(inverse_offer(stream, 1.5))
        for _, kind in ipairs { "DECLINE", "ACCEPT" } do
            answer(stream, kind, inverse, 1)
            local status = json.decode(get("/maintenance/status")).draining_machines[1].statuses[1]
            assert.same({ kind, stream.framework_id }, { status.status, status.framework_id })
            assert.is_true(math.abs(status.timestamp.nanoseconds / 1e9 - os.time()) < 60)
            local again = inverse_offer(stream)
            assert.is_false(again.id.value == inverse.id.value)
            inverse = again
        end
        answer(stream, "DECLINE", inverse, 600)
        assert.is_nil(inverse_offer(stream, 2.5))
        stream:accepted("REVIVE")
        assert.is_table(inverse_offer(stream))
    end)

    it("is not asked by an agent that it neither uses nor is offered", function()
        local stream = client.subscribe({ roles = { "*" }, capabilities = { { type = "MULTI_ROLE" } } },
            { suppressed_roles = { "*" } }):subscribed()
        schedule(window { MACHINE })
        assert.is_nil(inverse_offer(stream, 1.5))
        stream:accepted("REVIVE")
        assert.is_table(inverse_offer(stream))
    end)

    it("is not asked because of another machine", function()
        local stream = subscribed()
        schedule(window { { hostname = "localhost" } }, window { { ip = "127.0.0.1" } },
            window { { hostname = "localhost", ip = "127.0.0.2" } })
        assert.is_nil(inverse_offer(stream, 1.5))
    end)

    it("hears that it is not asked any more when the plan changes", function()
        local stream, offer = subscribed()
        running(stream, offer)
        schedule(window { MACHINE })
        local first = inverse_offer(stream)
        answer(stream, "ACCEPT", first, 600)
        schedule(window({ MACHINE }, START + 1e9)) -- a new plan is a new question
        local second = inverse_offer(stream)
        assert.equal(START + 1e9, second.unavailability.start.nanoseconds)
        assert.equal('{"draining_machines":[{"id":' .. TEXT .. '}]}', get("/maintenance/status"))
        done("/maintenance/schedule", "{}")
        assert.same(second.id, stream:find("RESCIND_INVERSE_OFFER").rescind_inverse_offer.inverse_offer_id)
        assert.equal("{}", get("/maintenance/status"))
        answer(stream, "ACCEPT", second) -- too late: ignored
        assert.equal("{}", get("/maintenance/status"))
    end)

    it("is asked anew after a failover", function()
        local stream, offer = subscribed({ failover_timeout = 60 })
        running(stream, offer)
        schedule(window { MACHINE })
        local first = inverse_offer(stream)
        local again = client.subscribe({ id = stream.framework_id, failover_timeout = 60 }):subscribed()
        assert.is_false(inverse_offer(again).id.value == first.id.value)
    end)

    it("loses the agent that is taken down, with its tasks, and gets another one when the machine is up", function()
        local stream, offer = subscribed({ capabilities = { { type = "PARTITION_AWARE" } } })
        local pids = client.cluster.work_dir .. "/pid"
        running(stream, offer, "trap '' TERM; echo $$ > " .. pids .. "; while :; do sleep 0.1; done")
        local pid = tonumber(program.wait_for(function()
            return (program.read(pids) or ""):match("%d+\n")
        end))
        schedule(window { MACHINE })
        local inverse = inverse_offer(stream)
        done("/machine/down", { MACHINE })
        local update = stream:find("UPDATE").update.status
        assert.same({ "TASK_LOST", "SOURCE_MASTER", "REASON_AGENT_REMOVED",
            "Agent localhost removed: Operator initiated 'Machine DOWN'" },
            { update.state, update.source, update.reason, update.message })
        assert.is_nil(update.uuid)
        assert.same(inverse.id, stream:find("RESCIND_INVERSE_OFFER").rescind_inverse_offer.inverse_offer_id)
        assert.same({ agent_id = offer.agent_id }, stream:find("FAILURE").failure)
        assert.equal('{"down_machines":[' .. TEXT .. "]}", get("/maintenance/status"))
        stream:accepted("RECONCILE", { tasks = { { task_id = { value = "t" }, agent_id = offer.agent_id } } })
        assert.equal("TASK_UNKNOWN", stream:find("UPDATE").update.status.state)
        program.wait_until_gone(pid)
        stream.passed = {}
        done("/machine/up", { MACHINE })
        local fresh = stream:offer()
        assert.is_false(fresh.agent_id.value == offer.agent_id.value)
        assert.same({ offer.resources, nil }, { fresh.resources, fresh.unavailability })
        running(stream, fresh)
    end)

    it("may end while its agent leaves", function()
        local stream, offer = subscribed()
        running(stream, offer, "trap '' TERM; while :; do sleep 0.1; done")
        schedule(window { MACHINE })
        done("/machine/down", { MACHINE })
        stream:accepted("TEARDOWN")
        client.cluster:kill("sigterm")
        assert.equal(0, client.cluster:wait(), client.cluster:report())
    end)
end)

describe("an inverse offer that is not answered", function()
    after_each(client.stop)

    it("is rescinded with --offer-timeout, and made again", function()
        client.start { "--offer-timeout", "0.3" }
        local stream = client.subscribe():subscribed()
        schedule(window { MACHINE })
        local first = stream:find("INVERSE_OFFERS").inverse_offers.inverse_offers[1]
        assert.same(first.id, stream:find("RESCIND_INVERSE_OFFER").rescind_inverse_offer.inverse_offer_id)
        assert.is_table(stream:find("INVERSE_OFFERS"))
    end)
end)
