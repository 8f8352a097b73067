-- SPDX-License-Identifier: Apache-2.0
--
-- Agents that an operator drains, deactivates or loses, and what the operator's documents say of them: the states, reasons
-- and words of a real master.

local client = require("support.cluster_client")
local control = require("support.control")
local json = require("cjson")
local program = require("support.program")

local AWARE = { { type = "PARTITION_AWARE" }, { type = "TASK_KILLING_STATE" } }
-- Ends only when it is killed for good; it says when it is ready for that.
local STUBBORN = "trap '' TERM; touch ready; while :; do sleep 0.05; done"

local function call(kind, message)
    return client.request({ type = kind, [kind:lower()] = message }, { path = "/api/v1" })
end

local function accepted(kind, message)
    local status, text = call(kind, message)
    assert.same({ 200, "" }, { status, text })
end

local function refused(words, kind, message)
    local status, text = call(kind, message)
    assert.same({ 400, words }, { status, text })
end

local function get(path)
    local status, text = client.request(nil, { path = path, method = "GET" })
    assert.equal(200, status)
    return json.decode(text)
end

local function fault(words)
    local done = control.ctl(client.cluster, { "fault", words })
    assert.equal(0, done.code, done:report())
end

-- The only agent, as GET_AGENTS and as /slaves has it.
local function agent()
    local status, text = call("GET_AGENTS")
    assert.equal(200, status)
    local agents = json.decode(text).get_agents.agents or {}
    assert.equal(#agents, #get("/slaves").slaves)
    return agents[1], get("/slaves").slaves[1]
end

local function drain_state(state)
    local message, document = agent()
    assert.equal(state, message.drain_info.state)
    assert.same(message.drain_info, document.drain_info)
    return message, document
end

-- A framework with a task on the agent.
local function running(command, info)
    info = info or {}
    info.capabilities = info.capabilities or AWARE
    info.failover_timeout = 60
    local stream = client.subscribe(info):subscribed()
    local offer = stream:offer()
    stream:launch(offer, { client.task(offer, "t", command, { kill_policy = { grace_period = { nanoseconds = 3600e9 } } }) })
    repeat
        local status = stream:update()
    until status.state == "TASK_RUNNING"
    stream.agent, stream.path = offer.agent_id, client.sandbox(offer, stream, "t")
    return stream
end

local function wait_for_file(path)
    client.cluster:wait_for(function()
        local file <close> = io.open(path)
        return file ~= nil
    end)
end

describe("an agent that an operator", function()
    before_each(function()
        client.start { "--agent", "cpus:2;mem:512", "--agent-timeout", "0.3" }
    end)
    after_each(client.stop)

    it("drains kills its tasks within the longest grace period, and is drained when all is acknowledged", function()
        local stream = running(STUBBORN)
        wait_for_file(stream.path .. "ready")
        accepted("DRAIN_AGENT", { agent_id = stream.agent, max_grace_period = { seconds = 0, nanos = 200000000 } })
        local message, document = drain_state("DRAINING")
        assert.same({ max_grace_period = { nanoseconds = 200000000 }, mark_gone = false }, message.drain_info.config)
        assert.same({ false, true }, { message.active, message.deactivated })
        assert.same({ false, true }, { document.active, document.deactivated })
        assert.is_true(document.estimated_drain_start_time_seconds > document.registered_time)
        assert.equal(math.floor(document.estimated_drain_start_time_seconds),
            message.estimated_drain_start_time.nanoseconds // 1000000000)
        refused("Agent is still in the DRAINING state", "REACTIVATE_AGENT", { agent_id = stream.agent })
        assert.equal("TASK_KILLING", stream:update().state)
        local killed = assert(stream:find("UPDATE")).update.status
        assert.same({ "TASK_KILLED", "REASON_AGENT_DRAINING" }, { killed.state, killed.reason })
        drain_state("DRAINING") -- the master knows of the task until its end is acknowledged
        stream:acknowledge(killed)
        client.cluster:wait_for("agent %S+ is drained\n")
        drain_state("DRAINED")

        accepted("REACTIVATE_AGENT", { agent_id = stream.agent })
        message = agent()
        assert.same({ true, false }, { message.active, message.deactivated })
        assert.is_nil(message.drain_info)
        assert.is_nil(message.estimated_drain_start_time)
        assert.equal(stream.agent.value, stream:offer().agent_id.value)
        refused("Agent is not deactivated", "REACTIVATE_AGENT", { agent_id = stream.agent })
    end)

    it("drains and marks gone says so of its tasks, and is gone when they have ended", function()
        local stream = running("sleep 1000")
        accepted("DRAIN_AGENT", { agent_id = stream.agent, mark_gone = true })
        assert.same({ mark_gone = true }, drain_state("DRAINING").drain_info.config)
        assert.equal("TASK_KILLING", stream:update().state)
        local gone = stream:update()
        assert.same({ "TASK_GONE_BY_OPERATOR", "REASON_AGENT_DRAINING", "SOURCE_EXECUTOR" },
            { gone.state, gone.reason, gone.source })
        assert.equal(stream.agent.value, stream:failure().agent_id.value)
        assert.is_nil(agent())
        refused("Unknown agent", "DRAIN_AGENT", { agent_id = stream.agent })
        stream:accepted("RECONCILE", { tasks = { { task_id = { value = "t" }, agent_id = stream.agent } } })
        assert.equal("TASK_GONE_BY_OPERATOR", stream:update().state)
    end)

    it("drains is drained at once without tasks, and a framework without PARTITION_AWARE hears TASK_KILLED", function()
        local stream = running("sleep 1000", { capabilities = { { type = "SHARED_RESOURCES" } } })
        accepted("DRAIN_AGENT", { agent_id = stream.agent, mark_gone = true })
        assert.equal("TASK_KILLED", stream:update().state)
        assert.is_truthy(stream:failure())
        fault("add")
        local offer
        repeat -- one of the first agent may have come before it was gone
            offer = stream:offer()
        until offer.agent_id.value ~= stream.agent.value
        accepted("DRAIN_AGENT", { agent_id = offer.agent_id })
        assert.equal(offer.id.value, assert(stream:find("RESCIND")).rescind.offer_id.value)
        drain_state("DRAINED")
    end)

    it("drains while it is away does so when it is back", function()
        local stream = running("sleep 1000", { checkpoint = true })
        fault("partition S0")
        assert.equal("TASK_UNREACHABLE", stream:update().state)
        accepted("DRAIN_AGENT", { agent_id = stream.agent })
        fault("heal S0")
        local states = {}
        repeat
            local status = stream:update()
            states[#states + 1] = status.state
        until status.state == "TASK_KILLED"
        assert.same({ "TASK_RUNNING", "TASK_KILLING", "TASK_KILLED" }, states)
        client.cluster:wait_for("agent %S+ is drained\n")
        assert.is_nil(drain_state("DRAINED").estimated_drain_start_time)
        assert.is_nil(stream:find("OFFERS", 1.2))
    end)

    it("drains takes no task that was on its way, and stays drained with a new master", function()
        local stream = client.subscribe({ capabilities = AWARE, failover_timeout = 60 }):subscribed()
        local offer = stream:offer()
        fault(("slow %ds"):format(2 * program.patience))
        stream:launch(offer, { client.task(offer, "late", "sleep 1000") })
        fault("drain S0") -- which waits for no message
        fault("slow 0")
        local late = stream:update()
        assert.same({ "TASK_DROPPED", "REASON_AGENT_DRAINING", "Task was received while agent was already draining" },
            { late.state, late.reason, late.message })
        client.cluster:wait_for("agent %S+ is drained\n")
        fault("failover for 100ms")
        client.cluster:wait_for("agent %S+ has registered again")
        drain_state("DRAINED")
    end)

    it("drains takes tasks from a new master that knows nothing of it", function()
        accepted("DRAIN_AGENT", { agent_id = agent().agent_info.id })
        drain_state("DRAINED")
        fault("failover --forget for 100ms")
        client.cluster:wait_for("agent %S+ has registered again")
        local stream = client.subscribe({ capabilities = AWARE }):subscribed()
        local offer = stream:offer()
        stream:launch(offer, { client.task(offer, "t", "true") })
        assert.equal("TASK_STARTING", stream:update().state)
    end)

    it("drains must not be scheduled for maintenance", function()
        local id = agent().agent_info.id
        local host = agent().agent_info.hostname
        accepted("UPDATE_MAINTENANCE_SCHEDULE", { schedule = { windows = { { machine_ids = { { hostname = host,
            ip = "127.0.0.1" } }, unavailability = { start = { nanoseconds = 1 } } } } } })
        refused(("Agent %s is part of a maintenance schedule under Machine %s (127.0.0.1)"):format(id.value, host),
            "DRAIN_AGENT", { agent_id = id })
    end)

    it("loses is not among those of /state, but counted, and its task is unreachable until it is back", function()
        local stream = running("sleep 1000", { checkpoint = true })
        local before = get("/state")
        assert.same({ 1, 0, 0 }, { before.activated_slaves, before.deactivated_slaves, before.unreachable_slaves })
        assert.is_nil(before.slaves[1].reregistered_time)
        fault("partition S0")
        assert.equal("TASK_UNREACHABLE", stream:update().state)
        local lost = get("/state")
        assert.same({ 0, 0, 1 }, { lost.activated_slaves, lost.deactivated_slaves, lost.unreachable_slaves })
        assert.same({ {}, {} }, { lost.slaves, lost.recovered_slaves })
        local framework = lost.frameworks[1]
        assert.same({ {}, {} }, { framework.tasks, framework.completed_tasks })
        assert.same({ "t", "TASK_UNREACHABLE", stream.agent.value }, { framework.unreachable_tasks[1].id,
            framework.unreachable_tasks[1].state, framework.unreachable_tasks[1].slave_id })
        fault("heal S0")
        assert.equal("TASK_RUNNING", stream:update().state)
        local back = get("/state")
        assert.same({ 1, 0, 0 }, { back.activated_slaves, back.deactivated_slaves, back.unreachable_slaves })
        assert.equal("TASK_RUNNING", back.frameworks[1].tasks[1].state)
        assert.same({}, back.frameworks[1].unreachable_tasks)
        assert.is_true(back.slaves[1].reregistered_time >= before.slaves[1].registered_time)
        local message = agent()
        assert.is_truthy(message.reregistered_time)
    end)
end)

describe("the log of the cluster", function()
    before_each(function()
        client.start {}
    end)
    after_each(client.stop)

    local function toggle(query)
        local status, text = client.request(nil, { path = "/logging/toggle" .. query, method = "GET" })
        return { status, text }
    end

    local function level(path)
        local _, text = client.request({ type = "GET_LOGGING_LEVEL" }, { path = path or "/api/v1" })
        return json.decode(text).get_logging_level.level
    end

    it("says more for a while, on command of an operator", function()
        assert.same({ 200, "0\n" }, toggle(""))
        assert.same({ 400, "Expecting 'duration=value' in query.\n" }, toggle("?level=1"))
        assert.same({ 400, "Expecting 'level=value' in query.\n" }, toggle("?duration=1secs"))
        assert.same({ 400, "Failed to convert 'x' to number.\n" }, toggle("?level=x&duration=1secs"))
        assert.same({ 400, "Invalid level '-1'.\n" }, toggle("?level=-1&duration=1secs"))
        assert.same({ 400, "Invalid duration 'long'.\n" }, toggle("?level=1&duration=long"))
        assert.is_nil(client.cluster.stderr:find(" debug ", 1, true))
        assert.same({ 200, "" }, toggle("?level=3&duration=1hrs"))
        assert.equal(3, level())
        client.subscribe {}:subscribed()
        assert.same({ 200, "" }, toggle("?level=3&duration=10ms"))
        client.cluster:wait_for("the verbosity of the log is what it was")
        assert.is_truthy(client.cluster.stderr:find(" debug ", 1, true))
        assert.same({ 200, "0\n" }, toggle(""))
    end)

    it("is set by the calls of the master and of its agents", function()
        accepted("SET_LOGGING_LEVEL", { level = 2, duration = { nanoseconds = 3600e9 } })
        assert.equal(2, level("/slave(1)/api/v1"))
        local status = client.request({ type = "SET_LOGGING_LEVEL", set_logging_level = { level = 1,
            duration = { nanoseconds = 3600e9 } } }, { path = "/slave(1)/api/v1" })
        assert.same({ 200, 1 }, { status, level() })
        accepted("SET_LOGGING_LEVEL", { level = 0, duration = { nanoseconds = 1 } })
        assert.equal(0, level())
    end)
end)
