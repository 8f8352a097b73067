-- SPDX-License-Identifier: Apache-2.0
--
-- Faults of the local cluster on command (`mesos-lua ctl TARGET fault ...`), and what frameworks see of each: the states,
-- reasons and words of a real master.

local client = require("support.cluster_client")
local control = require("support.control")
local http_client = require("support.http_client")
local program = require("support.program")
local uv = require("luv")

local TWO_AGENTS = { "--agent", "cpus:2;mem:512 name=a", "--agent", "cpus:1;mem:256 name=b" }
local AWARE = { { type = "PARTITION_AWARE" } }

local function start(more)
    local options = { "--agent-timeout", "0.3" }
    table.move(TWO_AGENTS, 1, #TWO_AGENTS, #options + 1, options)
    table.move(more or {}, 1, #(more or {}), #options + 1, options)
    client.start(options)
end

-- Makes a fault; what was printed.
local function fault(words)
    local done = control.ctl(client.cluster, { "fault", words })
    assert.equal(0, done.code, done:report())
    return done.stdout
end

local function refused(words)
    local done = control.ctl(client.cluster, { "fault", words })
    assert.equal(1, done.code, done:report())
    return done.stderr
end

-- Offers of the next events until those of both agents are there: by the name of the agent.
local function offers_of_both(stream)
    local found = {}
    repeat
        local event = assert(stream:find("OFFERS"))
        for _, offer in ipairs(event.offers.offers) do
            found[offer.attributes[1].text.value] = offer
        end
    until found.a and found.b
    return found
end

-- A framework with a task that runs on agent S0, and an offer of S1.
local function running(info)
    info.failover_timeout = info.failover_timeout or 60
    local stream = client.subscribe(info):subscribed()
    local offers = offers_of_both(stream)
    stream:launch(offers.a, { client.task(offers.a, "t", "sleep 1000") })
    repeat
        local status = stream:update()
    until status.state == "TASK_RUNNING"
    stream.agent = offers.a.agent_id
    return stream
end

-- The next event that is of no use here is passed over: RESCIND, OFFERS.
local function next_update(stream, seconds)
    local event = stream:find("UPDATE", seconds)
    return event and event.update.status
end

local function reconcile(stream, task, agent)
    stream:accepted("RECONCILE", { tasks = { { task_id = { value = task }, agent_id = agent } } })
end

local function check(status, expected)
    for name, value in pairs(expected) do
        assert.equal(value, status[name] or false, name .. " of " .. require("cjson").encode(status))
    end
    assert.is_nil(status.uuid)
    assert.equal("SOURCE_MASTER", status.source)
end

describe("an agent of the local cluster", function()
    after_each(client.stop)

    -- What is done to the agent, what its task's framework is like, and what it hears.
    local LOSSES = {
        { "partition S0", { capabilities = AWARE }, "TASK_UNREACHABLE", "REASON_AGENT_REMOVED", "health check timed out" },
        { "freeze S0", {}, "TASK_LOST", "REASON_AGENT_REMOVED", "health check timed out" },
        { "kill S0", { capabilities = AWARE, checkpoint = true }, "TASK_UNREACHABLE", "REASON_AGENT_REMOVED", "health check timed out" },
        { "kill S0", { checkpoint = true }, "TASK_LOST", "REASON_AGENT_REMOVED", "health check timed out" },
        { "kill S0", { capabilities = AWARE }, "TASK_LOST", "REASON_AGENT_DISCONNECTED", "Agent localhost disconnected" },
        { "kill S0", {}, "TASK_LOST", "REASON_AGENT_DISCONNECTED", "Agent localhost disconnected" },
        { "remove S0", { capabilities = AWARE }, "TASK_LOST", "REASON_AGENT_REMOVED", "Agent localhost removed: the agent unregistered" },
        { "gone S0", { capabilities = AWARE }, "TASK_GONE_BY_OPERATOR", "REASON_AGENT_REMOVED_BY_OPERATOR",
            "Agent has been marked gone" },
        { "gone S0", {}, "TASK_LOST", "REASON_AGENT_REMOVED", "Agent has been marked gone" },
    }
    for _, row in ipairs(LOSSES) do
        local words, info, state, reason, message = table.unpack(row)
        it(("is lost by '%s', of which a framework %s PARTITION_AWARE and %s checkpoint hears %s"):format(words,
            info.capabilities and "with" or "without", info.checkpoint and "with" or "without", state), function()
            start()
            local stream = running(info)
            fault(words)
            local unreachable = message:find("timed out") and true or false
            local status = next_update(stream)
            check(status, { state = state, reason = reason, message = message, executor_id = false })
            assert.equal(unreachable, status.unreachable_time ~= nil)
            assert.same(stream.agent, assert(stream:find("FAILURE")).failure.agent_id)
        end)
    end

    it("takes its offers along", function()
        for _, words in ipairs { "kill S1", "remove S1" } do
            start()
            local stream = client.subscribe {}:subscribed()
            local offers = offers_of_both(stream)
            fault(words)
            assert.same(offers.b.id, assert(stream:find("RESCIND")).rescind.offer_id)
            if words == "kill S1" then
                client.stop()
            end
        end
    end)

    -- State and message of the answer to RECONCILE, by the fault.
    local ANSWERS = {
        { "partition S0", "TASK_UNREACHABLE", "Reconciliation: Task is unreachable" },
        { "gone S0", "TASK_GONE_BY_OPERATOR", "Reconciliation: Task is gone" },
        { "remove S0", "TASK_UNKNOWN", "Reconciliation: Task is unknown" },
    }
    for _, row in ipairs(ANSWERS) do
        it("is reconciled after '" .. row[1] .. "' as " .. row[2], function()
            start()
            local stream = running { capabilities = AWARE }
            fault(row[1])
            assert(stream:find("FAILURE"))
            reconcile(stream, "t", stream.agent)
            local status = next_update(stream)
            check(status, { state = row[2], message = row[3], reason = "REASON_RECONCILIATION" })
            assert.equal(row[2] == "TASK_UNREACHABLE", status.unreachable_time ~= nil)
            reconcile(stream, "t")
            check(next_update(stream), { state = "TASK_UNKNOWN", message = "Reconciliation: Task is unknown" })
        end)
    end

    for _, info in ipairs { { checkpoint = true }, { checkpoint = true, capabilities = AWARE } } do
        it("comes back with its tasks, of which a framework " .. (info.capabilities and "with" or "without")
            .. " PARTITION_AWARE hears that they run", function()
            start()
            local stream = running(info)
            fault("kill S0")
            assert(stream:find("FAILURE"))
            fault("heal S0")
            local status = next_update(stream)
            check(status, { state = "TASK_RUNNING", reason = "REASON_AGENT_REREGISTERED",
                message = "Unreachable agent re-reregistered" })
            assert.truthy(status.container_status.container_id)
            stream:accepted("KILL", { task_id = { value = "t" }, agent_id = stream.agent })
            assert.equal("TASK_KILLED", stream:update().state)
            assert.equal("a", stream:offer().attributes[1].text.value)
        end)
    end

    it("reports what has happened while it was unreachable", function()
        start()
        local stream = client.subscribe {}:subscribed()
        local offers = offers_of_both(stream)
        local go = client.cluster.work_dir .. "/go"
        local command = ("until [ -e %s ]; do sleep 0.05; done; touch %sne; exit 3"):format(go, go)
        stream:launch(offers.a, { client.task(offers.a, "t", command) })
        assert.equal("TASK_STARTING", stream:update().state)
        assert.equal("TASK_RUNNING", stream:update().state)
        fault("partition S0")
        assert.equal("TASK_LOST", next_update(stream).state)
        assert(io.open(go, "w")):close()
        program.wait_for(function()
            return program.read(go .. "ne")
        end)
        fault("heal S0")
        local status
        repeat
            status = stream:update()
        until status.state == "TASK_FAILED" and status.uuid
        assert.equal("Command exited with status 3", status.message)
        local offer
        repeat -- one may have been made before the end was known
            offer = stream:offer()
            stream:accepted("DECLINE", { offer_ids = { offer.id }, filters = { refuse_seconds = 0 } })
        until offer.agent_id.value == offers.a.agent_id.value and offer.resources[1].scalar.value == 2
    end)

    it("that is back in time is not noticed, and its messages have waited", function()
        client.start { "--agent-timeout", "60", table.unpack(TWO_AGENTS) }
        local stream = running {}
        fault("partition S0")
        stream:accepted("KILL", { task_id = { value = "t" }, agent_id = stream.agent })
        assert.is_nil(next_update(stream, 0.3))
        fault("heal S0")
        assert.equal("TASK_KILLED", stream:update().state)
    end)

    it("that was killed and restarts in time keeps the tasks of frameworks that checkpoint, and kills what it was told to", function()
        client.start { "--agent-timeout", "60", table.unpack(TWO_AGENTS) }
        local stream = running { checkpoint = true }
        fault("kill S0")
        stream:accepted("KILL", { task_id = { value = "t" }, agent_id = stream.agent })
        assert.is_nil(next_update(stream, 0.3))
        fault("heal S0")
        assert.equal("TASK_KILLED", stream:update().state)
    end)

    it("ends the tasks of a framework that was removed meanwhile", function()
        start()
        local stream = running { checkpoint = true }
        fault("partition S0")
        assert(stream:find("FAILURE"))
        stream:accepted("TEARDOWN")
        fault("heal S0")
        local other = client.subscribe {}:subscribed()
        assert.equal(2, offers_of_both(other).a.resources[1].scalar.value)
        client.cluster:wait_for("agent %S+%-S0 has registered again")
    end)

    it("is drained: its tasks are killed with that reason, and it is not offered until it is activated", function()
        start()
        local stream = running { capabilities = { { type = "TASK_KILLING_STATE" } } }
        fault("drain S0 grace 1s")
        for _, state in ipairs { "TASK_KILLING", "TASK_KILLED" } do
            local status = stream:update()
            assert.same({ state, "REASON_AGENT_DRAINING", "SOURCE_EXECUTOR" }, { status.state, status.reason, status.source })
        end
        assert.is_nil(stream:find("OFFERS", 1.5))
        fault("activate S0")
        assert.equal("a", stream:offer().attributes[1].text.value)
    end)

    it("is added while the cluster runs", function()
        start()
        local stream = client.subscribe {}:subscribed()
        offers_of_both(stream)
        fault("add cpus:3;mem:64 name=c")
        local offer = stream:offer()
        assert.equal("c", offer.attributes[1].text.value)
        assert.matches("%-S2$", offer.agent_id.value)
    end)

    it("has its offers rescinded, and is offered again", function()
        start()
        local stream = client.subscribe {}:subscribed()
        local offers = offers_of_both(stream)
        fault("rescind S1")
        assert.same(offers.b.id, assert(stream:find("RESCIND")).rescind.offer_id)
        assert.equal("b", stream:offer().attributes[1].text.value)
    end)

    it("that fails for a time is back by itself, and is on the list until then", function()
        start()
        local stream = running { checkpoint = true }
        fault("kill S0 for 1h")
        assert.matches("^kill %S+%-S0, for 3%d%d%d%.%d s more\n$", fault("list"))
        assert.equal("TASK_LOST", next_update(stream).state)
        fault("kill S0 for 700ms") -- in place of the hour
        assert.equal("TASK_RUNNING", next_update(stream).state)
        assert.equal("", fault("list"))
        assert.matches("fault: kill %S+%-S0 has ended", client.cluster.stderr)
    end)
end)

describe("a stream of the local cluster", function()
    after_each(client.stop)

    it("is cut, and the framework may come back within its failover timeout", function()
        start()
        local stream = running {}
        fault("cut " .. stream.framework_id.value)
        assert.is_nil(stream:find("FAILURE"))
        assert.not_equal(0, stream.run:wait()) -- curl: the transfer was not complete
        local again = client.subscribe { id = stream.framework_id, failover_timeout = 60 }:subscribed()
        assert.same(stream.framework_id, again.framework_id)
        reconcile(again, "t", stream.agent)
        assert.equal("TASK_RUNNING", next_update(again).state)
    end)

    it("stalls, and brings afterwards what was sent meanwhile", function()
        start()
        local stream = running {}
        fault("stall all")
        reconcile(stream, "t", stream.agent)
        assert.is_nil(next_update(stream, 0.3))
        assert.matches("^stall %S+%-0000\n$", fault("list"))
        fault("resume all")
        assert.equal("TASK_RUNNING", next_update(stream).state)
    end)

    it("brings updates late, twice, or not at all until they are sent again", function()
        start()
        local stream = client.subscribe {}:subscribed()
        local function run(id, command)
            local offer = stream:offer()
            stream:launch(offer, { client.task(offer, id, command) })
        end
        fault("double-updates")
        run("twice", "true")
        local first, second = next_update(stream), next_update(stream)
        assert.same({ "TASK_STARTING", first.uuid }, { second.state, second.uuid })
        stream:acknowledge(first)
        assert.equal("TASK_RUNNING", stream:update().state)
        assert.equal("TASK_FINISHED", stream:update().state)
        fault("delay-updates 500ms")
        local started = uv.hrtime()
        run("late", "true")
        assert.equal("TASK_STARTING", next_update(stream).state)
        assert.is_true(uv.hrtime() - started >= 500 * 1000 * 1000)
        fault("delay-updates 0")
        fault("drop-updates times 1")
        run("dropped", "true")
        client.cluster:wait_for("an update of task dropped is dropped")
    end)

    it("is slow", function()
        start()
        local stream = running {}
        fault("slow 400ms")
        local asked = uv.hrtime()
        assert.equal(200, (client.request(nil, { method = "GET", path = "/state" })))
        assert.is_true(uv.hrtime() - asked >= 400 * 1000 * 1000)
        asked = uv.hrtime()
        reconcile(stream, "t", stream.agent)
        assert.is_true(uv.hrtime() - asked >= 400 * 1000 * 1000)
        assert.equal("TASK_RUNNING", next_update(stream).state)
        assert.is_true(uv.hrtime() - asked >= 800 * 1000 * 1000)
        fault("slow 0")
        reconcile(stream, "t", stream.agent)
        assert.equal("TASK_RUNNING", next_update(stream).state)
    end)

    it("is slow with requests that came together once, and ends with requests that wait", function()
        start()
        fault("slow 1h")
        local waiting = http_client.connect(client.address)
        local request = ("GET /state HTTP/1.1\r\nHost: %s\r\n\r\n"):format(client.address)
        waiting:write(request)
        client.cluster:wait_for(function() return waiting.open end)
        fault("slow 500ms")
        local connection = http_client.connect(client.address)
        connection:write(request:rep(20))
        local asked = uv.hrtime()
        for _ = 1, 20 do
            local answer
            client.cluster:wait_for(function()
                answer = connection:answer()
                return answer
            end)
            assert.equal(200, answer.status)
        end
        local took = uv.hrtime() - asked
        assert.is_true(took >= 500 * 1000 * 1000 and took < 20 * 500 * 1000 * 1000)
        assert.equal("", waiting.received)
    end)

    it("does without calls that are refused", function()
        start()
        local stream = running {}
        fault("refuse 503 times 2")
        for _ = 1, 2 do
            local status, text = stream:call("REVIVE")
            assert.same({ 503, "A fault of the local cluster: 503" }, { status, text })
        end
        stream:accepted("REVIVE")
    end)
end)

describe("a fault", function()
    after_each(client.stop)

    it("that is none is refused in words, and there is help", function()
        start()
        local mistakes = {
            ["kil S0"] = "unknown fault 'kil' %(did you mean 'kill'%?%)",
            ["explode"] = "unknown fault 'explode' %(`fault help` lists them%)",
            ["kill"] = "kill: an agent expected, got nothing: kill AGENT %[for T%]",
            ["kill S7"] = "kill: there is no agent 'S7'",
            ["cut all"] = "cut: there is no framework 'all'",
            ["kill S0 for ever"] = "kill: a time, such as 10 or 500ms, expected, got 'ever'",
            ["kill S0 now"] = "kill: nothing more expected, got 'now'",
            ["refuse 200"] = "refuse: a status from 400 to 599 expected, got '200'",
            ["drop-updates times none"] = "drop%-updates: a number of times expected, got 'none'",
            ["heal S1 for 3"] = "heal: nothing more expected",
            ["add cpu:1 x=1"] = "unknown resource 'cpu'",
        }
        for words, message in pairs(mistakes) do
            assert.matches(message, refused(words))
        end
        fault("gone S1")
        assert.matches("never comes back", refused("heal S1"))
        for _, name in ipairs { "kill AGENT %[for T%]", "failover %[for T%] %[%-%-forget%]", "slow T" } do
            assert.matches("\n?  " .. name, fault("help"))
        end
        assert.equal("", fault("list"))
    end)
end)

describe("a scenario", function()
    after_each(client.stop)

    local function write(text, name)
        local path = program.directory() .. "/" .. (name or "faults.lua")
        local file <close> = assert(io.open(path, "w"))
        file:write(text)
        return path
    end

    -- What was made of the plan, without the ids of the master.
    local function course(options)
        start(options)
        local list = {}
        program.wait_for(function()
            return client.cluster.stderr:find("fault: failover", 1, true)
        end)
        for line in client.cluster.stderr:gmatch("fault: ([^;\n]*)") do
            list[#list + 1] = line:gsub("%x+%-%x+%-%x+%-%x+%-%x+%-", "")
        end
        client.stop()
        return table.concat(list, "\n")
    end

    local PLAN = [[
        local seed = %s
        return { seed = seed, faults = {
            { every = 0.05, to = 0.8, fault = "rescind any" },
            { at = 0.1, fault = "agent lost", agent = "S1", ["for"] = 0.1 },
            { rate = 20, from = 0.3, to = 0.8, fault = "update doubled", times = 2 },
            { at = 0.9, fault = "master failover", forget = true },
        } }]]

    it("happens as the seed has it, each time alike", function()
        local first = course { "--faults", write(PLAN:format(3)) }
        assert.matches("at 0%.100 s: kill S1 for 0%.1\nkill S1\n", first)
        assert.matches("double%-updates times 2", first)
        assert.matches("rescind S0", first)
        assert.matches("rescind S1", first)
        assert.matches("at 0%.900 s: failover %-%-forget\nfailover$", first)
        assert.equal(first, course { "--faults", write(PLAN:format(3)) })
        assert.equal(first, course { "--faults", write(PLAN:format(1)), "--fault-seed", "3" })
        assert.not_equal(first, course { "--faults", write(PLAN:format(4)) })
        start() -- for after_each
    end)

    it("may stand in the file of the cluster, and in JSON", function()
        client.start { "--cluster", write([[{ "seed": 2, "agents": [ { "count": 2, "resources": "cpus:1;mem:64" } ],
            "faults": [ { "at": 0, "fault": "gone S1" } ] }]], "cluster.json") }
        client.cluster:wait_for("agent %S+%-S1 is marked gone")
    end)

    it("is read before anything starts, and says where it is wrong", function()
        start()
        local mistakes = {
            ["{ faults = { { fault = 'kill S0' } } }"] = "faults%[1%]: one of `at`",
            ["{ { at = 1, every = 2, fault = 'kill S0' } }"] = "%[1%]: one of `at`",
            ["{ { at = 1 } }"] = "%[1%]: `fault` is missing",
            ["{ { at = 1, fault = 'kil S0' } }"] = "%[1%]: unknown fault 'kil' %(did you mean 'kill'%?%)",
            ["{ { at = 1, fault = 'kill', agents = 'S0' } }"] = "did you mean 'agent'",
            ["{ { at = -1, fault = 'kill S0' } }"] = "%[1%]%.at: ",
            ["{ fault = {} }"] = "did you mean 'faults'",
            ["{ seed = 0 }"] = "seed: ",
        }
        for text, message in pairs(mistakes) do
            local run = program.run { args = { "local", "--faults", write("return " .. text) } }
            assert.equal(2, run.code, run:report())
            assert.matches("%-%-faults: [^\n]*" .. message, run.stderr)
        end
    end)
end)

describe("a host without a local cluster", function()
    after_each(program.cleanup)

    it("has no faults", function()
        local run = program.start { args = { "-m", "127.0.0.1:1", program.script [[
            return { framework = { name = "alone" } }]] } }
        run:wait_for("127.0.0.1:1")
        local done = control.ctl(run, { "fault", "list" })
        assert.equal(1, done.code)
        assert.matches("faults are for a local cluster", done.stderr)
        run:kill("sigterm")
        run:wait()
    end)
end)
