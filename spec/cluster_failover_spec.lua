-- SPDX-License-Identifier: Apache-2.0
--
-- The master of the local cluster fails over: what a framework sees of the new one, with the registry of agents and
-- without; and several masters, of which one leads and the others redirect to it.

local client = require("support.cluster_client")
local control = require("support.control")
local http_client = require("support.http_client")
local program = require("support.program")

local SCHEDULER = "/api/v1/scheduler"

local function fault(words)
    local done = control.ctl(client.cluster, { "fault", words })
    assert.equal(0, done.code, done:report())
end

local function running(info)
    info.failover_timeout = info.failover_timeout or 60
    local stream = client.subscribe(info):subscribed()
    local offer = stream:offer()
    stream:launch(offer, { client.task(offer, "t", "sleep 1000") })
    repeat
        local status = stream:update()
    until status.state == "TASK_RUNNING"
    stream.agent = offer.agent_id
    return stream
end

local function resubscribe(old, info)
    info.id = old.framework_id
    info.failover_timeout = 60
    return client.subscribe(info):subscribed()
end

local function next_update(stream, seconds)
    local event = stream:find("UPDATE", seconds)
    return event and event.update.status
end

local function reconcile(stream, task, agent)
    stream:accepted("RECONCILE", { tasks = { { task_id = { value = task }, agent_id = agent } } })
end

-- Waits for the new master.
local function await_leader()
    program.wait_for(function()
        return (client.request(nil, { method = "GET", path = "/state" })) == 200
    end)
end

describe("a master of the local cluster that fails over", function()
    after_each(client.stop)

    it("ends its streams without a last chunk, and is another one that knows the framework by its id", function()
        client.start { "--resources", "cpus:2;mem:512" }
        local stream = running {}
        local before = stream.framework_id.value:match("^(.*)%-0000$")
        fault(("failover for %ds"):format(2 * program.patience))
        local status, text = client.request({ type = "SUBSCRIBE" })
        assert.same({ 503, "Master has not finished recovery" }, { status, text })
        assert.not_equal(0, stream.run:wait()) -- the transfer was cut
        await_leader()
        local again = resubscribe(stream, {})
        assert.same(stream.framework_id, again.framework_id)
        local offer = again:offer()
        assert.same(stream.agent, offer.agent_id)
        local after = offer.id.value:match("^(.*)%-O%d+$")
        assert.not_equal(before, after)
        assert.equal(1.9, offer.resources[1].scalar.value)
        reconcile(again, "t", stream.agent)
        assert.equal("TASK_RUNNING", next_update(again).state)
        again:accepted("KILL", { task_id = { value = "t" } })
        assert.equal("TASK_KILLED", again:update().state)
        assert.equal(("%s-0000"):format(after), client.subscribe({}):subscribed().framework_id.value)
    end)

    it("sends an update that was not acknowledged again, with its uuid", function()
        client.start { "--resources", "cpus:2;mem:512" }
        local stream = client.subscribe({ failover_timeout = 60 }):subscribed()
        local offer = stream:offer()
        stream:launch(offer, { client.task(offer, "t", "true") })
        local first = next_update(stream)
        fault("failover for 100ms")
        await_leader()
        local again = resubscribe(stream, {})
        local second = next_update(again)
        assert.same({ first.state, first.uuid }, { second.state, second.uuid })
        again:acknowledge(second)
        local states = again:results(1)
        assert.same({ "TASK_RUNNING", "TASK_FINISHED" }, states.t)
    end)

    it("says nothing of the tasks of agents that have not registered yet, and makes no offers of them", function()
        client.start { "--agents", "1", "--resources", "cpus:2;mem:512", "--agent-timeout", "60" }
        local stream = running { checkpoint = true }
        fault("partition S0")
        fault("failover for 100ms")
        await_leader()
        local again = resubscribe(stream, {})
        reconcile(again, "t", stream.agent)
        reconcile(again, "other")
        again:accepted("RECONCILE", {})
        assert.is_nil(again:next(1.5))
        fault("heal S0")
        assert.equal("cpus", again:offer().resources[1].name)
        reconcile(again, "t", stream.agent)
        assert.equal("TASK_RUNNING", next_update(again).state)
    end)

    it("gives up on agents that do not register in time", function()
        client.start { "--agents", "1", "--resources", "cpus:2;mem:512", "--agent-timeout", tostring(3 * program.patience) }
        local stream = running { checkpoint = true, capabilities = { { type = "PARTITION_AWARE" } } }
        fault("kill S0")
        fault("failover for 50ms")
        await_leader()
        local again = resubscribe(stream, { capabilities = { { type = "PARTITION_AWARE" } } })
        assert.same(stream.agent, assert(again:find("FAILURE")).failure.agent_id)
        reconcile(again, "t", stream.agent)
        local status = next_update(again)
        assert.same({ "TASK_UNREACHABLE", "Reconciliation: Task is unreachable" }, { status.state, status.message })
        fault("heal S0")
        assert.equal("Unreachable agent re-reregistered", next_update(again).message)
    end)

    it("without its registry knows no agents, and hears of their tasks when they register", function()
        client.start { "--agents", "1", "--resources", "cpus:2;mem:512" }
        local stream = running { checkpoint = true }
        fault("partition S0")
        fault("failover for 50ms --forget")
        await_leader()
        local again = resubscribe(stream, { capabilities = { { type = "PARTITION_AWARE" } } })
        reconcile(again, "t", stream.agent)
        local unknown = next_update(again)
        assert.same({ "TASK_UNKNOWN", "Reconciliation: Task is unknown" }, { unknown.state, unknown.message })
        fault("heal S0")
        local status = next_update(again)
        assert.same({ "TASK_RUNNING", "REASON_AGENT_REREGISTERED", "Unknown agent reregistered" },
            { status.state, status.reason, status.message })
    end)

    it("remembers no frameworks that were removed, but those that agents know", function()
        client.start { "--resources", "cpus:2;mem:512" }
        local gone = client.subscribe({}):subscribed()
        gone:accepted("TEARDOWN")
        local stream = running {}
        fault("failover for 50ms")
        await_leader()
        local again = client.subscribe({ id = gone.framework_id }):subscribed()
        assert.same(gone.framework_id, again.framework_id)
        program.wait_for(function()
            local _, text = client.request(nil, { method = "GET", path = "/state" })
            return text:find(stream.framework_id.value, 1, true) and text:find('"connected":false', 1, true)
        end)
    end)

    it("fails over again and again", function()
        client.start { "--agents", "3", "--resources", "cpus:2;mem:512" }
        local stream = running {}
        for _ = 1, 5 do
            fault("failover for 10ms")
            await_leader()
        end
        local again = resubscribe(stream, {})
        repeat
            local offer = again:offer()
        until offer.agent_id.value == stream.agent.value
        reconcile(again, "t", stream.agent)
        assert.equal("TASK_RUNNING", next_update(again).state)
    end)

    it("cannot while none leads", function()
        client.start {}
        fault("failover for 1h")
        local done = control.ctl(client.cluster, { "fault", "failover" })
        assert.equal(1, done.code)
        assert.matches("no master leads at the moment", done.stderr)
    end)
end)

describe("several masters", function()
    local addresses

    before_each(function()
        client.start { "--masters", "3", "--resources", "cpus:2;mem:512" }
        local rest = client.cluster:wait_for("standing by on ([^\n]+)\n")
        addresses = { client.address }
        for address in rest:gmatch("[^, ]+") do
            table.insert(addresses, address)
        end
    end)
    after_each(client.stop)

    local function ask(address, path, method)
        client.address = address
        local status, body, head = client.request(method == "POST" and "no call" or nil, { method = method or "GET", path = path })
        return status, head:match("Location: ([^\r]+)"), body
    end

    local function port(address)
        return address:match(":(%d+)$")
    end

    it("listen each, and those that do not lead redirect to the one that does, whatever is asked", function()
        assert.equal(3, #addresses)
        local leader = "//localhost:" .. port(addresses[1])
        local rows = {
            { SCHEDULER, "POST", 307, leader .. "/master/api/v1/scheduler" },
            { "/master" .. SCHEDULER .. "?a=b", "POST", 307, leader .. "/master/api/v1/scheduler?a=b" },
            { "/state", "GET", 307, leader .. "/master/state" },
            { SCHEDULER, "GET", 307, leader .. "/master/api/v1/scheduler" },
            { "/redirect", "GET", 307, leader },
            { "/master/redirect", "GET", 307, leader },
            { "/health", "GET", 200, nil },
            { "/nothing", "GET", 404, nil },
        }
        for i = 2, 3 do
            for _, row in ipairs(rows) do
                local status, location = ask(addresses[i], row[1], row[2])
                assert.same({ row[3], row[4] }, { status, location }, row[1])
            end
        end
        local status, location = ask(addresses[1], "/redirect")
        assert.same({ 307, leader }, { status, location })
        assert.equal(200, (ask(addresses[1], "/state")))
    end)

    it("elect the next one when the leader is gone", function()
        client.address = addresses[1]
        local stream = running {}
        fault(("failover for %ds"):format(3 * program.patience))
        local dead = "//localhost:" .. port(addresses[1])
        for i = 2, 3 do
            local status, location = ask(addresses[i], "/state")
            assert.same({ 307, dead .. "/master/state" }, { status, location })
        end
        for _, path in ipairs { "/state", "/redirect", "/nothing", SCHEDULER } do
            local connection = http_client.connect(addresses[1])
            connection:write(("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n"):format(path, addresses[1]))
            client.cluster:wait_for(function()
                return connection.closed
            end)
            assert.equal("", connection.received)
        end
        client.address = addresses[2]
        await_leader()
        local again = resubscribe(stream, {})
        assert.same(stream.framework_id, again.framework_id)
        for _, i in ipairs { 1, 3 } do
            assert.equal("//localhost:" .. port(addresses[2]), (select(2, ask(addresses[i], "/redirect"))))
        end
    end)
end)

describe("a scheduler of ours", function()
    after_each(program.cleanup)

    it("follows its masters from one to the next, and loses no task", function()
        local run = program.start { args = { "--masters", "3", "--resources", "cpus:2;mem:512", program.script [[
            local mesos = require "mesos"
            local s = { framework = { name = "follower", failover_timeout = 60, checkpoint = true } }
            local launched = false
            function s:resourceOffers(driver, offers)
                if launched then return driver:declineOffer(offers[1].id, { refuse_seconds = 0.1 }) end
                launched = true
                driver:launchTasks(offers[1].id, { { name = "t", task_id = "t", agent_id = offers[1].agent_id,
                    command = { value = "sleep 100" }, resources = mesos.resources { cpus = 0.1, mem = 16 } } })
            end
            function s:reregistered(driver, master)
                mesos.log.info("again at %d", master.port)
                driver:reconcileTasks {}
            end
            function s:statusUpdate(driver, status)
                mesos.log.info("%s %s", status.state, status.reason or "")
            end
            return s]] } }
        run:wait_for("TASK_RUNNING")
        local ports, seen = 0, {}
        for i = 1, 2 do
            assert.equal(0, control.ctl(run, { "fault", "failover for 100ms" }).code)
            program.wait_for(function()
                return select(2, run.stderr:gsub("again at %d+\n", "")) >= i
            end)
        end
        for port in run.stderr:gmatch("again at (%d+)") do
            ports = ports + (seen[port] and 0 or 1)
            seen[port] = true
        end
        assert.equal(2, ports)
        run:kill("sigterm")
        run:wait()
    end)
end)
