-- SPDX-License-Identifier: Apache-2.0
--
-- Executors of frameworks on the local cluster: how the agent starts them, the v1 executor API that it serves, and what a
-- scheduler hears of them.

local base64 = require("support.base64")
local client = require("support.cluster_client")
local control = require("support.control")
local executor = require("support.executor_client")
local json = require("cjson")
local program = require("support.program")

local PA = { capabilities = { { type = "PARTITION_AWARE" }, { type = "TASK_KILLING_STATE" } } }

-- A cluster, a framework, and an executor that runs, has subscribed and was given the task "t".
local function run_one(options)
    options = options or {}
    client.start(options.cluster or { "--resources", "cpus:4;mem:1024" })
    local stream = client.subscribe(options.framework or PA):subscribed()
    local offer = stream:offer()
    stream:launch(offer, { executor.task(offer, "t", executor.info("e", options.info), options.task) })
    local e = executor.started(offer, stream, "e")
    if options.subscribe ~= false then
        e:subscribe()
        assert.equal("t", e:find("LAUNCH").launch.task.task_id.value)
    end
    return stream, e, offer
end

local function launch_more(stream, tasks)
    local offer = stream:offer()
    stream:launch(offer, tasks(offer))
    return offer
end

describe("an executor of a framework", function()
    after_each(executor.stop)

    it("is started with what an agent gives it, and its own variables", function()
        local stream, e, offer = run_one {
            subscribe = false, info = {
                shutdown_grace_period = { nanoseconds = 1500000000 },
                command = {
                    value = "env > fresh; mv fresh env; sleep 100",
                    environment = { variables = { { name = "OWN", value = "own" } } },
                },
            },
        }
        local expected = {
            MESOS_FRAMEWORK_ID = stream.framework_id.value, MESOS_EXECUTOR_ID = "e", MESOS_SLAVE_ID = offer.agent_id.value,
            MESOS_SLAVE_PID = "slave(1)@" .. client.address, MESOS_AGENT_ENDPOINT = client.address, MESOS_CHECKPOINT = "0",
            MESOS_HTTP_COMMAND_EXECUTOR = "0", MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD = "1500ms", LIBPROCESS_PORT = "0", OWN = "own",
        }
        for name, value in pairs(expected) do
            assert.equal(value, e:variable(name), name)
        end
        assert.equal(e:variable "MESOS_DIRECTORY", e:variable "MESOS_SANDBOX")
        assert.matches("/executors/e/runs/%x+%-[%x-]+$", e:variable "MESOS_SANDBOX")
        for _, name in ipairs { "MESOS_RECOVERY_TIMEOUT", "MESOS_EXECUTOR_AUTHENTICATION_TOKEN", "HOME" } do
            assert.is_nil(e:variable(name), name)
        end
    end)

    it("of a framework with checkpoints may outlive its agent, and is told for how long", function()
        local _, e = run_one { subscribe = false, framework = { checkpoint = true } }
        assert.equal("1", e:variable "MESOS_CHECKPOINT")
        assert.equal("15mins", e:variable "MESOS_RECOVERY_TIMEOUT")
        assert.equal("2secs", e:variable "MESOS_SUBSCRIPTION_BACKOFF_MAX")
        assert.equal("5secs", e:variable "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD")
    end)

    it("that does not register in time is killed, and its task has failed", function()
        client.start { "--resources", "cpus:4;mem:1024", "--executor-registration-timeout", "0.3" }
        local stream = client.subscribe(PA):subscribed()
        local offer = stream:offer()
        stream:launch(offer, { executor.task(offer, "t", executor.info("e", { command = { value = "sleep 100" } })) })
        local status = stream:update()
        assert.same({ "TASK_FAILED", "REASON_EXECUTOR_REGISTRATION_TIMEOUT", "Executor did not register within 300ms" },
            { status.state, status.reason, status.message })
        assert.equal(9, stream:failure().status)
        local _, text = client.request(nil, { method = "GET", path = "/slave(1)/flags" })
        assert.equal("300ms", json.decode(text).flags.executor_registration_timeout)
    end)

    it("subscribes, gets its tasks, and reports what happens to them", function()
        local stream, e, offer = run_one {
            subscribe = false, task = { data = base64.encode "\0\1", labels = { labels = { { key = "k" } } } },
        }
        e:subscribe()
        assert.is_nil(e.events.id) -- as with a real agent, there is no Mesos-Stream-Id
        local subscribed = e:find("SUBSCRIBED").subscribed
        assert.equal("e", subscribed.executor_info.executor_id.value)
        assert.equal(stream.framework_id.value, subscribed.framework_info.id.value)
        assert.equal("spec", subscribed.framework_info.name)
        assert.same({ offer.agent_id.value, offer.hostname }, { subscribed.agent_info.id.value, subscribed.agent_info.hostname })
        assert.truthy(e:variable("MESOS_SANDBOX"):find(subscribed.container_id.value, 1, true))
        local task = e:find("LAUNCH").launch.task
        assert.same({ "t", base64.encode "\0\1", "k" }, { task.task_id.value, task.data, task.labels.labels[1].key })
        local sent = e:update("t", "TASK_RUNNING", { message = "here", data = base64.encode "\255" })
        local status = stream:update()
        assert.same({ "TASK_RUNNING", "here", base64.encode "\255", "SOURCE_EXECUTOR", sent.uuid },
            { status.state, status.message, status.data, status.source, status.uuid })
        assert.equal(offer.agent_id.value, status.agent_id.value)
        assert.equal(subscribed.container_id.value, status.container_status.container_id.value)
        assert.equal("127.0.0.1", status.container_status.network_infos[1].ip_addresses[1].ip_address)
        assert.is_true(status.container_status.executor_pid > 0 and status.timestamp > 0)
        e:update("t", "TASK_FINISHED")
        assert.equal("TASK_FINISHED", stream:update().state)
    end)

    it("runs several tasks, whose resources it shares, and is named in offers while it runs", function()
        local stream, e = run_one()
        local second = launch_more(stream, function(offer)
            return { executor.task(offer, "u", executor.info("e")), executor.task(offer, "v", executor.info("e")) }
        end)
        assert.same({ { value = "e" } }, second.executor_ids)
        assert.equal("u", e:find("LAUNCH").launch.task.task_id.value)
        assert.equal("v", e:find("LAUNCH").launch.task.task_id.value)
        for _, id in ipairs { "t", "u", "v" } do
            e:update(id, "TASK_FINISHED")
            assert.equal("TASK_FINISHED", stream:update().state)
        end
        e:exit(0)
        assert.same({ executor_id = { value = "e" }, agent_id = second.agent_id, status = 0 }, stream:failure())
        local cpus, offer = 0
        repeat -- the offer with what the executor had may be the next but one
            offer = stream:offer()
            for _, resource in ipairs(offer.resources) do
                cpus = resource.name == "cpus" and resource.scalar.value or cpus
            end
            stream:accepted("DECLINE", { offer_ids = { offer.id }, filters = { refuse_seconds = 0 } })
        until cpus == 4
        assert.is_nil((offer.executor_ids or {})[1])
    end)

    it("exchanges messages with its framework, bytes and empty ones, in order", function()
        local stream, e, offer = run_one()
        for _, data in ipairs { "one", "\0\255", "", ("x"):rep(20000) } do
            stream:accepted("MESSAGE", { agent_id = offer.agent_id, executor_id = { value = "e" }, data = base64.encode(data) })
            assert.equal(base64.encode(data), e:find("MESSAGE").message.data)
            e:accepted("MESSAGE", { data = base64.encode("echo:" .. data) })
            local event = stream:find("MESSAGE").message
            assert.same({ "e", offer.agent_id.value, base64.encode("echo:" .. data) },
                { event.executor_id.value, event.agent_id.value, event.data })
        end
        for _, to in ipairs { { offer.agent_id.value, "other" }, { "other", "e" } } do
            stream:accepted("MESSAGE", { agent_id = { value = to[1] }, executor_id = { value = to[2] }, data = "" })
            stream:accepted("SHUTDOWN", { agent_id = { value = to[1] }, executor_id = { value = to[2] } })
        end
    end)

    it("is told of kills, with the policy, and decides how its tasks end", function()
        local stream, e = run_one()
        stream:accepted("KILL", { task_id = { value = "t" } })
        assert.same({ task_id = { value = "t" } }, e:find("KILL").kill)
        stream:accepted("KILL", { task_id = { value = "t" }, kill_policy = { grace_period = { nanoseconds = 7 } } })
        assert.equal(7, e:find("KILL").kill.kill_policy.grace_period.nanoseconds)
        e:update("t", "TASK_KILLED", { reason = "REASON_TASK_KILLED_DURING_LAUNCH", healthy = true })
        local status = stream:update()
        assert.same({ "TASK_KILLED", "REASON_TASK_KILLED_DURING_LAUNCH", true }, { status.state, status.reason, status.healthy })
    end)

    it("that has not subscribed yet loses a task that is killed, and ends if it was the only one", function()
        local stream, e, offer = run_one { subscribe = false }
        stream:accepted("KILL", { task_id = { value = "t" } })
        local status = stream:update()
        assert.same({ "TASK_KILLED", "REASON_TASK_KILLED_DURING_LAUNCH", "Killed before delivery to the executor", "SOURCE_AGENT", "e" },
            { status.state, status.reason, status.message, status.source, status.executor_id.value })
        e:subscribe()
        assert.equal("SHUTDOWN", e.events:next().type)
        e:exit(3)
        assert.same({ agent_id = offer.agent_id, executor_id = { value = "e" }, status = 3 << 8 }, stream:failure())
    end)

    local ENDS = {
        { "exits", "7", 7 << 8 },
        { "is killed", "$(kill -9 $$)", 9 },
    }
    local EVALUATES = { value = "env > fresh; mv fresh env; while ! test -s end; do sleep 0.05; done; eval exit $(cat end)" }
    for _, row in ipairs(ENDS) do
        it(row[1] .. ": the framework hears of it, and of the tasks that ran", function()
            local stream, e, offer = run_one { info = { command = EVALUATES } }
            e:update("t", "TASK_RUNNING")
            stream:update()
            launch_more(stream, function(o)
                return { executor.task(o, "u", executor.info("e", { command = EVALUATES })) }
            end)
            assert.equal("u", e:find("LAUNCH").launch.task.task_id.value)
            e:exit(row[2])
            assert.same({ agent_id = offer.agent_id, executor_id = { value = "e" }, status = row[3] }, stream:failure())
            for _, id in ipairs { "t", "u" } do
                local status = stream:update()
                assert.same({ id, "TASK_FAILED", "REASON_EXECUTOR_TERMINATED", "Executor terminated", "SOURCE_AGENT", "e" },
                    { status.task_id.value, status.state, status.reason, status.message, status.source, status.executor_id.value })
                assert.is_string(status.uuid)
            end
            assert.is_nil(e.events:find("ERROR")) -- its stream has ended
        end)
    end

    it("is lost by a fault of the cluster, and its tasks with it", function()
        local stream, e, offer = run_one()
        e:update("t", "TASK_RUNNING")
        stream:update()
        local function fault(words)
            return control.ctl(client.cluster, { "fault", words })
        end
        local done = fault("lose-executor S0 other")
        assert.equal(1, done.code, done:report())
        assert.matches("agent %S+%-S0 runs no executor other", done.stderr)
        done = fault("lose-executor S0 e")
        assert.equal(0, done.code, done:report())
        assert.same({ agent_id = offer.agent_id, executor_id = { value = "e" }, status = 9 }, stream:failure())
        local status = stream:update()
        assert.same({ "t", "TASK_FAILED", "REASON_EXECUTOR_TERMINATED" },
            { status.task_id.value, status.state, status.reason })
        assert.matches("runs no executor of a framework", fault("lose-executor any").stderr)
        assert.equal(0, fault("lose-executor all").code)
    end)

    it("that cannot be started ends with its tasks", function()
        local stream, offer
        client.start()
        stream = client.subscribe(PA):subscribed()
        offer = stream:offer()
        stream:launch(offer, { executor.task(offer, "t", executor.info("e", {
            command = { value = "true", uris = { { value = "/no/such/file" } } },
        })) })
        assert.same({ agent_id = offer.agent_id, executor_id = { value = "e" }, status = -1 }, stream:failure())
        local status = stream:update()
        assert.same({ "TASK_FAILED", "REASON_CONTAINER_LAUNCH_FAILED" }, { status.state, status.reason })
        assert.matches("^Failed to launch container: Failed to fetch all URIs for container '%x", status.message)
    end)

    it("is shut down by its framework, and gets no further tasks", function()
        local stream, e, offer = run_one()
        stream:accepted("SHUTDOWN", { agent_id = offer.agent_id, executor_id = { value = "e" } })
        assert.equal("SHUTDOWN", e.events:find("SHUTDOWN").type)
        launch_more(stream, function(o) return { executor.task(o, "u", executor.info("e")) } end)
        local dropped = stream:update()
        assert.same({ "u", "TASK_DROPPED", "REASON_EXECUTOR_TERMINATED", "Executor terminating", "SOURCE_AGENT" },
            { dropped.task_id.value, dropped.state, dropped.reason, dropped.message, dropped.source })
        e:update("t", "TASK_KILLED")
        assert.equal("TASK_KILLED", stream:update().state)
        e:exit(0)
        assert.equal(0, stream:failure().status)
    end)

    it("that does not end in its grace period is killed", function()
        local stream, e, offer = run_one { info = { shutdown_grace_period = { nanoseconds = 100000000 } } }
        stream:accepted("SHUTDOWN", { agent_id = offer.agent_id, executor_id = { value = "e" } })
        assert.equal("SHUTDOWN", e.events:find("SHUTDOWN").type)
        assert.equal(9, stream:failure().status)
        local status = stream:update()
        assert.same({ "TASK_FAILED", "REASON_EXECUTOR_TERMINATED" }, { status.state, status.reason })
    end)

    it("ends with its framework, of which it may still report", function()
        local stream, e = run_one { info = { shutdown_grace_period = { nanoseconds = 20000000000 } } }
        stream:accepted("TEARDOWN")
        assert.equal("SHUTDOWN", e.events:find("SHUTDOWN").type)
        e:accepted("UPDATE", { status = executor.status("t", "TASK_KILLED") })
        local again = e:subscribe()
        assert.equal("SHUTDOWN", again.events:next().type)
        assert.is_nil(again.events:next())
        e:exit(0)
        client.cluster:wait_for(function()
            local status, text = e:call("MESSAGE", { data = "" })
            return status == 400 and text == "Framework cannot be found"
        end)
    end)

    it("that connects again gets no task twice, and what it reports again is not an update more", function()
        local stream, e = run_one()
        local sent = e:update("t", "TASK_RUNNING")
        assert.equal(sent.uuid, stream:update().uuid)
        launch_more(stream, function(o)
            return { executor.task(o, "lost", executor.info("e")), executor.task(o, "kept", executor.info("e")) }
        end)
        local kept
        repeat
            kept = e:find("LAUNCH").launch.task
        until kept.task_id.value == "kept"
        e.events.run:kill("sigkill")
        local late = executor.status("kept", "TASK_STARTING")
        e:subscribe { unacknowledged_tasks = { kept }, unacknowledged_updates = { { status = sent }, { status = late } } }
        assert.equal("SUBSCRIBED", e.events:next().type)
        assert.same({ sent.uuid, late.uuid }, { e:find("ACKNOWLEDGED").acknowledged.uuid, e:find("ACKNOWLEDGED").acknowledged.uuid })
        local seen = {}
        for _ = 1, 2 do
            local status = stream:update()
            seen[status.task_id.value] = ("%s %s %s"):format(status.state, status.reason, status.message)
        end
        assert.same({ kept = "TASK_STARTING nil nil", lost = "TASK_DROPPED REASON_AGENT_RESTARTED Task launched during agent restart" },
            seen)
        assert.is_nil(stream:update(0.3))
    end)

    it("is held to the memory of its tasks and its own", function()
        local stream = run_one {
            subscribe = false, info = {
                command = { value = [[env > fresh; mv fresh env; lua5.4 -e 'x = ("x"):rep(2^27) os.execute("sleep 20")']] },
            },
        }
        assert.equal(9, stream:failure().status)
        local status = stream:update()
        assert.same({ "TASK_FAILED", "REASON_CONTAINER_LIMITATION_MEMORY" }, { status.state, status.reason })
        assert.matches("^Memory limit exceeded: Requested: 40MB Maximum Used: ", status.message)
        assert.equal("mem", status.limitation.resources[1].name)
    end)

    it("can be written with mesos-lua executor", function()
        local script = program.script([[
            local executor = {}
            function executor:launchTask(driver, task)
                driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING" }
            end
            function executor:frameworkMessage(driver, data)
                driver:sendStatusUpdate { task_id = data, state = "TASK_FINISHED", message = "asked" }
            end
            function executor:shutdown(driver) driver:stop() end
            return executor]])
        client.start()
        local stream = client.subscribe(PA):subscribed()
        local offer = stream:offer()
        stream:launch(offer, { executor.task(offer, "t", executor.info("lua", {
            command = { value = ("exec '%s' executor '%s'"):format(program.path, script) },
        })) })
        assert.equal("TASK_RUNNING", stream:update().state)
        stream:accepted("MESSAGE", { agent_id = offer.agent_id, executor_id = { value = "lua" }, data = base64.encode "t" })
        assert.equal("asked", stream:update().message)
        stream:accepted("SHUTDOWN", { agent_id = offer.agent_id, executor_id = { value = "lua" } })
        assert.equal(0, stream:failure().status)
    end)
end)

local function answer(status, text)
    return { status, text }
end

describe("the executor API", function()
    after_each(executor.stop)

    it("checks calls in the order and the words of a real agent", function()
        local _, e = run_one { subscribe = false }
        local status = executor.status
        local rows = {
            { 403, "Executor is not subscribed", "MESSAGE", { data = "" } },
            { 400, "Failed to validate Executor::Call: Expecting 'subscribe' to be present", "SUBSCRIBE" },
            { 400, "Failed to validate Executor::Call: Expecting 'update' to be present", "UPDATE" },
            { 400, "Failed to validate Executor::Call: Expecting 'message' to be present", "MESSAGE" },
            { 400, "Failed to validate Executor::Call: Expecting 'type' to be present", "nonsense" },
            { 202, "", "HEARTBEAT" },
            { 400, "Failed to validate Executor::Call: Expecting 'uuid' to be present", "UPDATE",
                { status = status("t", "TASK_RUNNING", { uuid = false }) } },
            { 400, "Failed to validate Executor::Call: Not a valid UUID", "UPDATE",
                { status = status("t", "TASK_RUNNING", { uuid = "AAAA" }) } },
            { 400, "Failed to validate Executor::Call: ExecutorID in Call: e does not match ExecutorID in TaskStatus: x", "UPDATE",
                { status = status("t", "TASK_RUNNING", { executor_id = { value = "x" } }) } },
            { 400, ("Failed to validate Executor::Call: Received Call from executor e of framework %s with invalid source, "
                .. "expecting 'SOURCE_EXECUTOR'"):format(e.framework_id.value), "UPDATE",
                { status = status("t", "TASK_RUNNING", { source = "SOURCE_MASTER" }) } },
            { 400, ("Failed to validate Executor::Call: Received TASK_STAGING from executor e of framework %s which is not allowed")
                :format(e.framework_id.value), "UPDATE", { status = status("t", "TASK_STAGING") } },
            { 400, "Failed to validate Executor::Call: CheckStatusInfo must specify 'type'", "UPDATE",
                { status = status("t", "TASK_RUNNING", { check_status = { tcp = {} } }) } },
            { 400, "Failed to validate Executor::Call: Expecting 'tcp' to be set for TCP check's status", "UPDATE",
                { status = status("t", "TASK_RUNNING", { check_status = { type = "TCP" } }) } },
        }
        for _, row in ipairs(rows) do
            assert.same({ row[1], row[2] }, answer(e:call(row[3], row[4])))
        end
        assert.same({ 406, "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'" },
            answer(e:call("SUBSCRIBE", {}, { headers = { Accept = "text/plain" } })))
        assert.same({ 400, "Executor cannot be found" },
            answer(client.request({
                type = "MESSAGE", message = { data = "" }, framework_id = e.framework_id, executor_id = { value = "x" },
            }, { path = "/slave(1)/api/v1/executor" })))
        e.framework_id = { value = "x" }
        assert.same({ 400, "Framework cannot be found" }, answer(e:call("MESSAGE", { data = "" })))
        client.refused(415, "Expecting 'Content-Type' of application/json or application/x-protobuf", "x",
            { path = "/slave(1)/api/v1/executor", headers = { ["Content-Type"] = "text/plain" } })
        client.refused(400, "Failed to parse body into Call protobuf", "x",
            { path = "/slave(1)/api/v1/executor", headers = { ["Content-Type"] = "application/x-protobuf" } })
        client.refused(405, "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.", nil,
            { path = "/slave(1)/api/v1/executor", method = "GET" })
    end)

    it("acknowledges, but does not pass on, an update of a task that has ended or is not the executor's", function()
        local stream, e = run_one()
        e:update("t", "TASK_FINISHED")
        stream:update()
        e:update("t", "TASK_FAILED")
        e:update("other", "TASK_RUNNING")
        e:accepted("MESSAGE", { data = "" })
        local event
        repeat
            event = stream:next()
        until event.type ~= "OFFERS"
        assert.equal("MESSAGE", event.type)
    end)

    it("is reached by the path of any agent", function()
        client.start { "--agents", "3", "--resources", "cpus:1;mem:256" }
        local stream = client.subscribe({ roles = { "a" }, capabilities = { { type = "MULTI_ROLE" } } }):subscribed()
        local event = stream:find("OFFERS")
        local offer = event.offers.offers[#event.offers.offers]
        stream:launch(offer, { executor.task(offer, "t", executor.info("e")) })
        local e = executor.started(offer, stream, "e"):subscribe()
        assert.equal(offer.agent_id.value, e:find("SUBSCRIBED").subscribed.agent_info.id.value)
        for _, path in ipairs { "/slave(1)/api/v1/executor", "/slave(3)/api/v1/executor", "/api/v1/executor" } do
            e:accepted("MESSAGE", { data = "" }, { path = path })
            assert.equal(offer.agent_id.value, stream:find("MESSAGE").message.agent_id.value)
        end
    end)

    it("takes the token of the executor, and nothing else, where the cluster requires credentials", function()
        local token = program.script("secret-token-of-the-cluster\n", "token")
        local header = { Authorization = "Bearer secret-token-of-the-cluster" }
        client.start { "--token-file", token }
        local call = { type = "SUBSCRIBE", subscribe = { framework_info = { user = "root", name = "spec" } } }
        local stream = client.open(call, nil, header):subscribed()
        local offer = stream:offer()
        local status, text = stream:call("ACCEPT", {
            offer_ids = { offer.id }, operations = { { type = "LAUNCH", launch = { task_infos = {
                executor.task(offer, "t", executor.info "e"), executor.task(offer, "u", executor.info "f"),
            } } } },
        }, { ["Mesos-Stream-Id"] = stream.id, Authorization = header.Authorization })
        assert.same({ 202, "" }, { status, text })
        local e, f = executor.started(offer, stream, "e"), executor.started(offer, stream, "f")
        local own = e:variable "MESOS_EXECUTOR_AUTHENTICATION_TOKEN"
        assert.is_true(#own >= 32 and own ~= f:variable "MESOS_EXECUTOR_AUTHENTICATION_TOKEN")
        for _, wrong in ipairs { "", "Bearer x", header.Authorization } do
            local refused, words, head = e:call("MESSAGE", { data = "" }, { headers = { Authorization = wrong } })
            assert.same({ 401, "401 Unauthorized." }, { refused, words })
            assert.matches('WWW%-Authenticate: Bearer realm="mesos%-agent%-executor"', head)
        end
        assert.equal(403, (f:call("MESSAGE", { data = "" }, { headers = { Authorization = "Bearer " .. own } })))
        e:subscribe(nil, { Authorization = "Bearer " .. own })
        assert.equal("t", e:find("LAUNCH").launch.task.task_id.value)
    end)
end)

-- ---- what a master refuses ----

local CPUS = { name = "cpus", type = "SCALAR", scalar = { value = 0.1 } }

local REFUSED = {
    { { type = "DEFAULT" }, "'ExecutorInfo.command' must not be set for 'DEFAULT' executor" },
    { { type = "DEFAULT", command = false }, "'ExecutorInfo.type' must be 'CUSTOM'" },
    { { command = false }, "'ExecutorInfo.command' must be set for 'CUSTOM' executor" },
    { { type = false, command = false }, "'ExecutorInfo.command' must be set" },
    { { executor_id = { value = "a/b" } }, "'a/b' contains invalid characters" },
    { { executor_id = { value = "" } }, "ID must not be empty" },
    { { shutdown_grace_period = { nanoseconds = -1 } }, "ExecutorInfo's 'shutdown_grace_period' must be non-negative" },
    { { command = { value = "x", environment = { variables = { { name = "A" } } } } },
        "Executor's `CommandInfo` is invalid: Environment variable 'A' of type 'VALUE' must have a value set" },
    { { container = { type = "DOCKER" } },
        "Executor's `ContainerInfo` is invalid: DockerInfo 'docker' is not set for DOCKER typed ContainerInfo" },
    { { framework_id = { value = "x" } }, "ExecutorInfo has an invalid FrameworkID (Actual: x vs Expected: FRAMEWORK)" },
    { { resources = { { name = "gpus", type = "SCALAR", scalar = { value = 0.5 } } } },
        "Executor uses invalid resources: Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer" },
    { { resources = { CPUS, { name = "cpus", type = "SCALAR", scalar = { value = 1 }, allocation_info = { role = "x" } } } },
        "Invalid executor resources: The resources have multiple allocation roles ('x' and '*') but only one allocation role is allowed" },
    { { resources = { CPUS, { name = "cpus", type = "SCALAR", scalar = { value = 1 }, revocable = {} } } },
        "Executor mixes revocable and non-revocable resources: Cannot use both revocable and non-revocable 'cpus' at the same time" },
    { { resources = { { name = "cpus", type = "SCALAR", scalar = { value = 4 } } } },
        "Total resources cpus(allocated: *):4.1; mem(allocated: *):8 required by task and its executor is more than available "
        .. "cpus(allocated: *):4; mem(allocated: *):1024" },
    { { container = { type = "MESOS", linux_info = { share_cgroups = true } } },
        "The 'share_cgroups' field cannot be set to 'true' on executor containers" },
    { { container = { type = "MESOS", mesos = { image = { type = "DOCKER", docker = { name = "x" } } } } },
        "The local cluster does not carry out 'executor.container.mesos.image'" },
    { { command = { value = "x", environment = { variables = { { name = "A", type = "SECRET", secret = {
        type = "REFERENCE", reference = { name = "x" } } } } } } },
        "The local cluster does not carry out 'executor.command.environment.variables[1].secret'" },
}

describe("an executor that a master refuses", function()
    after_each(executor.stop)

    it("makes an error of its task, in the words of a real one", function()
        client.start { "--resources", "cpus:4;mem:1024;disk:0;ports:[]" }
        local stream = client.subscribe():subscribed()
        for _, row in ipairs(REFUSED) do
            local offer = stream:offer()
            stream:launch(offer, { executor.task(offer, "t", executor.info("e", row[1])) })
            local status = stream:update()
            local expected = row[2]:gsub("FRAMEWORK", stream.framework_id.value)
            assert.same({ "TASK_ERROR", "REASON_TASK_INVALID", expected },
                { status.state, status.reason, status.message:sub(1, #expected) })
        end
    end)

    it("is one that differs from the one that runs with its id, of which both are shown", function()
        local stream = run_one { framework = {} }
        launch_more(stream, function(offer)
            return { executor.task(offer, "u", executor.info("e", { command = { value = "other \"x\"" }, source = "s" })) }
        end)
        local status = stream:update()
        assert.same({ "TASK_ERROR", "REASON_TASK_INVALID" }, { status.state, status.reason })
        local function show(command, more)
            return ("executor_id {\n  value: \"e\"\n}\nresources {\n  name: \"cpus\"\n  type: SCALAR\n  scalar {\n    value: 0.1\n  }\n"
                .. "  allocation_info {\n    role: \"*\"\n  }\n}\nresources {\n  name: \"mem\"\n  type: SCALAR\n  scalar {\n    value: 32\n"
                .. "  }\n  allocation_info {\n    role: \"*\"\n  }\n}\ncommand {\n  value: \"%s\"\n}\nframework_id {\n  value: \"%s\"\n}\n"
                .. "name: \"spec\"\n%stype: CUSTOM\n\n"):format(command, stream.framework_id.value, more)
        end
        local rule = ("-"):rep(60) .. "\n"
        assert.equal("ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID.\n" .. rule
            .. "Existing ExecutorInfo:\n" .. show(executor.info("e").command.value, "") .. rule .. "ExecutorInfo:\n"
            .. show("other \\\"x\\\"", "source: \"s\"\n") .. rule, status.message)
    end)

    it("is one whose id a command task has, or the other way round", function()
        local stream = run_one { framework = PA }
        launch_more(stream, function(offer) return { client.task(offer, "e", "sleep 100") } end)
        local status = stream:update()
        assert.same({ "TASK_DROPPED", "REASON_TASK_INVALID", "Cannot reuse an already existing executor for a command task" },
            { status.state, status.reason, status.message })
    end)
end)
