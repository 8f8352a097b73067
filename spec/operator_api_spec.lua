-- SPDX-License-Identifier: Apache-2.0
--
-- The v1 operator API of the local cluster: every call that reads, those that change the cluster, the events of
-- SUBSCRIBE, both forms, and the refusals of a master.

local client = require("support.cluster_client")
local internals = require("internals")
local json = require("cjson")
local program = require("support.program")

local API = { path = "/api/v1" }

local function call(kind, message)
    local status, text, head = client.request({ type = kind, [kind:lower()] = message }, API)
    return status, text, head
end

-- The message of the response.
local function ask(kind, message)
    local status, text, head = call(kind, message)
    assert.equal(200, status, text)
    assert.matches("Content%-Type: application/json\r\n", head)
    local response = json.decode(text)
    assert.equal(kind, response.type)
    return response[kind:lower()]
end

local function accepted(status, kind, message)
    local got, text = call(kind, message)
    assert.same({ status, "" }, { got, text })
end

local function refused(status, words, kind, message)
    local got, text = call(kind, message)
    assert.same({ status, words }, { got, text })
end

-- A subscription; its events come by next().
local function subscribe()
    local stream = { at = 1 }
    stream.run = program.start { path = "/usr/bin/curl", args = { "-s", "-N", "-H", "Content-Type: application/json", "-H", "Expect:",
        "--data-binary", '{"type":"SUBSCRIBE"}', "http://" .. client.address .. "/api/v1" } }
    function stream:next()
        return program.wait_for(function()
            local length, first = self.run.stdout:match("^(%d+)\n()", self.at)
            local last = length and first + length - 1
            if not last or #self.run.stdout < last then
                return nil
            end
            self.at = last + 1
            return json.decode(self.run.stdout:sub(first, last))
        end)
    end
    function stream:find(kind)
        repeat
            local event = self:next()
            if event.type == kind then
                return event[kind:lower()] or event
            end
        until false
    end
    return stream
end

local function scalar(name, value, more)
    local resource = { name = name, type = "SCALAR", scalar = { value = value } }
    for key, inner in pairs(more or {}) do
        resource[key] = inner
    end
    return resource
end

describe("the v1 operator API", function()
    local framework, offer, id, agent

    lazy_setup(function()
        client.start { "--agent", "cpus:4;mem:1024;disk:100;ports:[] zone=a", "--agent", "cpus:4;mem:1024;disk:100;ports:[]" }
        framework = client.subscribe({ roles = { "web" }, capabilities = { { type = "MULTI_ROLE" } } }):subscribed()
        id = framework.framework_id
        offer = framework:offer()
        agent = offer.agent_id
        framework:launch(offer, { client.task(offer, "runs", "exec sleep 1000"), client.task(offer, "ends", "printf hello") })
        local states = {}
        program.wait_for(function()
            local status = framework:update(0.2)
            if status then
                states[status.task_id.value] = status.state
            end
            return states.runs == "TASK_RUNNING" and states.ends == "TASK_FINISHED"
        end)
    end)
    lazy_teardown(client.stop)

    it("says what the master is", function()
        assert.same({ healthy = true }, ask("GET_HEALTH"))
        assert.equal("1.12.0", ask("GET_VERSION").version_info.version)
        assert.same({ level = 0 }, ask("GET_LOGGING_LEVEL"))
        local flags = {}
        for _, flag in ipairs(ask("GET_FLAGS").flags) do
            flags[flag.name] = flag.value
        end
        assert.equal(client.cluster.work_dir, flags.work_dir)
        local metrics = {}
        for _, metric in ipairs(ask("GET_METRICS", {}).metrics) do
            metrics[metric.name] = metric.value
        end
        assert.equal(1, metrics["master/tasks_running"])
        local master = ask("GET_MASTER")
        assert.equal("master@" .. client.address, master.master_info.pid)
        assert.truthy(master.start_time > 1.7e9 and master.elected_time >= master.start_time)
    end)

    it("has the whole state, and each part of it", function()
        local state
        local function compare()
            state = ask("GET_STATE")
            assert.same(state.get_tasks, ask("GET_TASKS"))
            assert.same(state.get_frameworks, ask("GET_FRAMEWORKS"))
            assert.same(state.get_agents, ask("GET_AGENTS"))
            assert.same(state.get_executors, ask("GET_EXECUTORS"))
        end
        program.wait_for(function() -- a round of the allocator may lie between two calls
            return (pcall(compare))
        end)
        local task = state.get_tasks.tasks[1]
        assert.same({ "runs", "TASK_RUNNING", "TASK_RUNNING", id.value, agent.value }, { task.name, task.state,
            task.status_update_state, task.framework_id.value, task.agent_id.value })
        assert.equal("ends", state.get_tasks.completed_tasks[1].task_id.value)
        assert.same({}, state.get_tasks.unreachable_tasks)
        local busy = state.get_frameworks.frameworks[1]
        assert.same({ true, true, false }, { busy.active, busy.connected, busy.recovered })
        assert.equal(id.value, busy.framework_info.id.value)
        assert.equal(0.1, busy.allocated_resources[1].scalar.value)
        assert.equal(2, #state.get_agents.agents)
        for _, one in ipairs(state.get_agents.agents) do
            assert.matches("^slave%([12]%)@127%.0%.0%.1:%d+$", one.pid)
            assert.equal("localhost", one.agent_info.hostname)
            assert.truthy(one.registered_time.nanoseconds > 1.7e18)
            assert.equal("MULTI_ROLE", one.capabilities[1].type)
        end
        local roles = ask("GET_ROLES").roles
        assert.same({ "web", 1, { id } }, { roles[1].name, roles[1].weight, roles[1].frameworks })
        assert.same({}, ask("GET_OPERATIONS").operations)
    end)

    it("lists and reads files", function()
        local path = ("/frameworks/%s/executors/ends/runs/latest"):format(id.value)
        local names = {}
        for _, file in ipairs(ask("LIST_FILES", { path = path }).file_infos) do
            names[file.path] = file.size
        end
        assert.equal(5, names[path .. "/stdout"])
        local piece = ask("READ_FILE", { path = path .. "/stdout", offset = 1, length = 3 })
        assert.same({ size = 5, data = "ZWxs" }, piece)
        refused(404, "", "READ_FILE", { path = path .. "/none", offset = 0 })
        refused(400, "Cannot read a directory.\n", "READ_FILE", { path = path, offset = 0 })
        refused(404, "", "LIST_FILES", { path = "/etc" })
    end)

    it("answers in protobuf as in JSON", function()
        for _, kind in ipairs { "GET_STATE", "GET_TASKS", "GET_AGENTS", "GET_FRAMEWORKS", "GET_ROLES", "GET_MASTER", "GET_FLAGS" } do
            local status, bytes, head = client.request(internals.encode("mesos.v1.master.Call", { type = kind }), { path = "/api/v1",
                headers = { ["Content-Type"] = "application/x-protobuf", Accept = "application/x-protobuf" } })
            assert.equal(200, status)
            assert.matches("Content%-Type: application/x%-protobuf\r\n", head)
            local response = internals.decode_plain("mesos.v1.master.Response", bytes)
            assert.equal(kind, response.type)
            local wanted, got = ask(kind), response[kind:lower()]
            for name, list in pairs(wanted) do
                if type(list) == "table" and #list > 0 then
                    assert.equal(#list, #got[name])
                end
            end
            if kind == "GET_STATE" then
                assert.equal("runs", got.get_tasks.tasks[1].name)
                assert.equal(#wanted.get_tasks.tasks[1].statuses, #got.get_tasks.tasks[1].statuses)
                -- What statuses have in common is kept once, and each of them has it all the same.
                local task = got.get_tasks.tasks[1]
                for _, update in ipairs(task.statuses) do
                    assert.same({ task.task_id.value, task.agent_id.value, task.task_id.value },
                        { update.task_id.value, update.agent_id.value, update.executor_id.value })
                    assert.same(task.statuses[1].container_status.container_id, update.container_status.container_id)
                    assert.truthy(update.container_status.executor_pid > 0)
                    assert.equal(16, #update.uuid)
                end
                assert.equal(2, #got.get_agents.agents)
            end
        end
    end)

    for kind, words in pairs {
        ["{}"] = "Failed to validate master::Call: Expecting 'type' to be present",
        ['{"type":"GET_METRICS"}'] = "Failed to validate master::Call: Expecting 'get_metrics' to be present",
        ['{"type":"TEARDOWN"}'] = "Failed to validate master::Call: Expecting 'teardown' to be present",
        ['{"type":"GROW_VOLUME","grow_volume":{"volume":{"name":"disk","type":"SCALAR"},"addition":{"name":"disk","type":"SCALAR"}}}'] =
        "Failed to validate master::Call: Expecting 'agent_id' to be present; only agent default resources are supported right now",
    } do
        it("refuses " .. kind, function()
            client.answered(400, words, kind, API)
        end)
    end

    it("checks the form of a request as a master does", function()
        client.answered(400, "Expecting 'Content-Type' to be present", "{}", { path = "/api/v1", headers = { ["Content-Type"] = "" } })
        client.answered(415, "Expecting 'Content-Type' of application/json or application/x-protobuf", "{}",
            { path = "/api/v1", headers = { ["Content-Type"] = "text/plain" } })
        client.answered(406, "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'", '{"type":"GET_HEALTH"}',
            { path = "/api/v1", headers = { Accept = "text/html" } })
        client.answered(405, "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.", nil,
            { path = "/api/v1", method = "GET" })
        client.answered(501, "Calls of this type are not implemented", '{"type":"UNKNOWN"}', API)
    end)

    it("sets weights and quota", function()
        accepted(200, "UPDATE_WEIGHTS", { weight_infos = { { role = "x", weight = 3 } } })
        assert.same({ { role = "x", weight = 3 } }, ask("GET_WEIGHTS").weight_infos)
        assert.equal(400, (call("UPDATE_WEIGHTS", { weight_infos = { { role = "x", weight = -1 } } })))
        accepted(200, "UPDATE_QUOTA", { quota_configs = { { role = "x", guarantees = { cpus = { value = 1 } },
            limits = { cpus = { value = 2 } } } } })
        assert.same({ { role = "x", guarantees = { cpus = { value = 1 } }, limits = { cpus = { value = 2 } } } },
            ask("GET_QUOTA").status.configs)
        accepted(200, "REMOVE_QUOTA", { role = "x" })
        accepted(200, "SET_QUOTA", { quota_request = { role = "y", guarantee = { scalar("cpus", 1) } } })
        assert.equal("y", ask("GET_QUOTA").status.infos[1].role)
        accepted(200, "REMOVE_QUOTA", { role = "y" })
        assert.is_nil(ask("GET_QUOTA").status.configs)
    end)

    it("reserves resources and makes volumes", function()
        local other
        for _, one in ipairs(ask("GET_AGENTS").agents) do
            other = one.agent_info.id.value ~= agent.value and one.agent_info.id or other
        end
        local reserved = scalar("disk", 50, { reservations = { { type = "DYNAMIC", role = "ads" } } })
        accepted(202, "RESERVE_RESOURCES", { agent_id = other, resources = { reserved } })
        local volume = scalar("disk", 50, { reservations = { { type = "DYNAMIC", role = "ads" } },
            disk = { persistence = { id = "v" }, volume = { mode = "RW", container_path = "v" } } })
        accepted(202, "CREATE_VOLUMES", { agent_id = other, volumes = { volume } })
        accepted(202, "SHRINK_VOLUME", { agent_id = other, volume = volume, subtract = { value = 10 } })
        volume.scalar.value = 40
        accepted(202, "GROW_VOLUME", { agent_id = other, volume = volume,
            addition = scalar("disk", 10, { reservations = { { type = "DYNAMIC", role = "ads" } } }) })
        volume.scalar.value = 50
        accepted(202, "DESTROY_VOLUMES", { agent_id = other, volumes = { volume } })
        accepted(202, "UNRESERVE_RESOURCES", { agent_id = other, resources = { reserved } })
        refused(400, "No agent found with specified ID", "RESERVE_RESOURCES", { agent_id = { value = "none" }, resources = { reserved } })
    end)

    it("plans maintenance", function()
        local window = { machine_ids = { { hostname = "away", ip = "10.0.0.1" } }, unavailability = { start = { nanoseconds = 1 } } }
        accepted(200, "UPDATE_MAINTENANCE_SCHEDULE", { schedule = { windows = { window } } })
        assert.same({ window }, ask("GET_MAINTENANCE_SCHEDULE").schedule.windows)
        assert.equal("away", ask("GET_MAINTENANCE_STATUS").status.draining_machines[1].id.hostname)
        accepted(200, "START_MAINTENANCE", { machines = window.machine_ids })
        assert.equal("away", ask("GET_MAINTENANCE_STATUS").status.down_machines[1].hostname)
        accepted(200, "STOP_MAINTENANCE", { machines = window.machine_ids })
        assert.equal(400, (call("START_MAINTENANCE", { machines = { { hostname = "unknown" } } })))
    end)
end)

describe("the v1 operator API of an agent", function()
    local framework, offer, path

    lazy_setup(function()
        client.start { "--agent", "cpus:4;mem:1024;disk:100;ports:[] zone=a" }
        path = "/slave(1)/api/v1"
        framework = client.subscribe():subscribed()
        offer = framework:offer()
        framework:launch(offer, { client.task(offer, "runs", "printf hello; exec sleep 1000"), client.task(offer, "ends", "true") })
        local states = {}
        program.wait_for(function()
            local status = framework:update(0.2)
            if status then
                states[status.task_id.value] = status.state
            end
            return states.runs == "TASK_RUNNING" and states.ends == "TASK_FINISHED"
        end)
    end)
    lazy_teardown(client.stop)

    local function ask_agent(kind, message)
        local status, text = client.request({ type = kind, [kind:lower()] = message }, { path = path })
        assert.equal(200, status, text)
        local response = json.decode(text)
        assert.equal(kind, response.type)
        return response[kind:lower()]
    end

    it("says what the agent is, and what it runs", function()
        assert.same({ healthy = true }, ask_agent("GET_HEALTH"))
        assert.equal("1.12.0", ask_agent("GET_VERSION").version_info.version)
        assert.equal(offer.agent_id.value, ask_agent("GET_AGENT").agent_info.id.value)
        assert.truthy(#ask_agent("GET_FLAGS").flags > 5)
        local state
        local function compare()
            state = ask_agent("GET_STATE")
            assert.same(state.get_tasks, ask_agent("GET_TASKS"))
            assert.same(state.get_executors, ask_agent("GET_EXECUTORS"))
            assert.same(state.get_frameworks, ask_agent("GET_FRAMEWORKS"))
            assert.equal(1, #state.get_tasks.completed_tasks)
        end
        program.wait_for(function() -- the executor of a task ends between two calls
            return (pcall(compare))
        end)
        assert.equal("runs", state.get_tasks.launched_tasks[1].task_id.value)
        assert.equal("ends", state.get_tasks.completed_tasks[1].task_id.value)
        assert.equal("runs", state.get_executors.executors[1].executor_info.executor_id.value)
        assert.equal("ends", state.get_executors.completed_executors[1].executor_info.executor_id.value)
        assert.same(framework.framework_id, state.get_frameworks.frameworks[1].framework_info.id)
        local containers = ask_agent("GET_CONTAINERS").containers
        assert.equal(1, #containers)
        assert.equal("runs", containers[1].executor_id.value)
        assert.truthy(containers[1].container_status.executor_pid > 0)
        assert.truthy(containers[1].resource_statistics.mem_rss_bytes > 0)
    end)

    it("lists and reads files", function()
        local directory = ("/frameworks/%s/executors/runs/runs/latest"):format(framework.framework_id.value)
        assert.same({ size = 5, data = "aGVsbG8=" }, ask_agent("READ_FILE", { path = directory .. "/stdout", offset = 0 }))
        assert.truthy(#ask_agent("LIST_FILES", { path = directory }).file_infos >= 2)
    end)

    for body, row in pairs {
        ["{}"] = { 400, "Failed to validate agent::Call: Expecting 'type' to be present" },
        ['{"type":"READ_FILE"}'] = { 400, "Failed to validate agent::Call: Expecting 'read_file' to be present" },
        ['{"type":"LAUNCH_CONTAINER"}'] = { 501, "The agents of the local cluster do not carry out LAUNCH_CONTAINER: they answer the "
            .. "calls that read their state, their files and their containers, and SET_LOGGING_LEVEL" },
    } do
        it("refuses " .. body, function()
            client.answered(row[1], row[2], body, { path = path })
        end)
    end
end)

describe("an operator's subscription", function()
    before_each(function()
        client.start { "--agent", "cpus:4;mem:1024;disk:0;ports:[]", "--agent", "cpus:4;mem:1024;disk:0;ports:[]" }
    end)
    after_each(client.stop)

    it("begins with the state, and has an event for all that changes", function()
        local operator = subscribe()
        local first = operator:next()
        assert.equal("SUBSCRIBED", first.type)
        assert.equal(15, first.subscribed.heartbeat_interval_seconds)
        assert.equal(2, #first.subscribed.get_state.get_agents.agents)
        assert.same({}, first.subscribed.get_state.get_tasks.tasks)
        assert.same({ type = "HEARTBEAT" }, operator:next())

        local framework = client.subscribe({ name = "seen", failover_timeout = 100 }):subscribed()
        local added = operator:find("FRAMEWORK_ADDED").framework
        assert.same({ "seen", true }, { added.framework_info.name, added.active })
        local offer = framework:offer()
        framework:launch(offer, { client.task(offer, "t", "true") })
        assert.equal("TASK_STAGING", operator:find("TASK_ADDED").task.state)
        framework:results(1)
        repeat -- each state that the master knows of once, and it may know of more than one at a time
            local update = operator:find("TASK_UPDATED")
            assert.equal(framework.framework_id.value, update.framework_id.value)
            assert.equal("t", update.status.task_id.value)
        until update.state == "TASK_FINISHED"

        local again = client.subscribe({ name = "seen", id = framework.framework_id, failover_timeout = 100 }):subscribed()
        assert.equal("seen", operator:find("FRAMEWORK_UPDATED").framework.framework_info.name)
        accepted(200, "TEARDOWN", { framework_id = again.framework_id })
        assert.equal("seen", operator:find("FRAMEWORK_REMOVED").framework_info.name)
        assert.equal("seen", ask("GET_FRAMEWORKS").completed_frameworks[1].framework_info.name)
        refused(400, "No framework found with specified ID", "TEARDOWN", { framework_id = again.framework_id })
    end)

    it("sees agents go, which an operator deactivates, drains and gives up", function()
        local operator = subscribe()
        local agents = operator:next().subscribed.get_state.get_agents.agents
        local one = agents[1].agent_info.id
        accepted(200, "DEACTIVATE_AGENT", { agent_id = one })
        local function deactivated()
            for _, agent in ipairs(ask("GET_AGENTS").agents) do
                if agent.agent_info.id.value == one.value then
                    return agent.deactivated
                end
            end
        end
        assert.is_true(deactivated())
        accepted(200, "REACTIVATE_AGENT", { agent_id = one })
        assert.is_false(deactivated())
        refused(400, "Agent is not deactivated", "REACTIVATE_AGENT", { agent_id = one })
        accepted(200, "DRAIN_AGENT", { agent_id = one, max_grace_period = { seconds = 1 } })
        assert.is_true(deactivated())
        refused(400, "Unknown agent", "DRAIN_AGENT", { agent_id = { value = "none" } })
        accepted(200, "MARK_AGENT_GONE", { agent_id = one })
        assert.equal(one.value, operator:find("AGENT_REMOVED").agent_id.value)
        assert.equal(1, #ask("GET_AGENTS").agents)
        refused(404, "Agent 'none' not found", "MARK_AGENT_GONE", { agent_id = { value = "none" } })
    end)

    it("ends when the client leaves", function()
        local operator = subscribe()
        operator:next()
        operator.run:kill("sigterm")
        operator.run:wait()
        program.wait_for(function()
            for _, metric in ipairs(ask("GET_METRICS", {}).metrics) do
                if metric.name == "master/operator_event_stream_subscribers" then
                    return metric.value == 0
                end
            end
        end)
    end)
end)
