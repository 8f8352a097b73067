-- SPDX-License-Identifier: Apache-2.0
--
-- The master of the local cluster as any client sees it: what it answers, byte for byte where a real one was recorded,
-- and what it does with tasks. curl is the client.

local client = require("support.cluster_client")
local program = require("support.program")

local refused, subscribe, task, sandbox = client.refused, client.subscribe, client.task, client.sandbox

local RAN = { "TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED" }
local INVALID = "Failed to validate scheduler::Call: "
local MULTI_ROLE = { { type = "MULTI_ROLE" } }

describe("the local master", function()
    before_each(function()
        client.start { "--resources", "cpus:4;mem:1024;disk:100;ports:[31000-31099]" }
    end)

    after_each(client.stop)

    it("checks calls in the order and the words of a real master", function()
        refused(405, "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.", nil, { method = "GET" })
        refused(400, "Expecting 'Content-Type' to be present", "{}", { headers = { ["Content-Type"] = "" } })
        for _, kind in ipairs { "text/plain", "application/json; charset=utf-8", "Application/JSON" } do
            refused(415, "Expecting 'Content-Type' of application/json or application/x-protobuf", "{}",
                { headers = { ["Content-Type"] = kind } })
        end
        refused(400, "Failed to parse body into Call protobuf", "x", { headers = { ["Content-Type"] = "application/x-protobuf" } })
        local wrong = {
            ["[]"] = "Failed to convert JSON into Call protobuf: Expecting a JSON object",
            ['{"framework_id":"x"}'] =
                "Failed to convert JSON into Call protobuf: Not expecting a JSON string for field 'framework_id'",
            ['{"type":6}'] = "Failed to convert JSON into Call protobuf: Not expecting a JSON number for field 'type'",
            ["{}"] = INVALID .. "Expecting 'type' to be present",
            ['{"type":"kill"}'] = INVALID .. "Expecting 'type' to be present",
            ['{"type":"KILL"}'] = INVALID .. "Expecting 'framework_id' to be present",
            ['{"type":"KILL","framework_id":{"value":"x"}}'] = INVALID .. "Expecting 'kill' to be present",
            ['{"type":"TEARDOWN","framework_id":{"value":"x"}}'] = "Framework cannot be found",
            ['{"type":"SUBSCRIBE","subscribe":{"framework_info":{"name":"x"}}}'] =
                "Failed to convert JSON into Call protobuf: Missing required fields: subscribe.framework_info.user",
        }
        for body, text in pairs(wrong) do
            refused(400, text, body)
        end
        refused(404, "404 Not Found.", "{}", { path = "/API/v1/scheduler" })
        refused(400, wrong["{}"], "{}", { path = "//master/api/v1/scheduler/?x=1" })
        local good = '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"x","name":"x"}}}'
        refused(406, "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'", good,
            { headers = { Accept = "text/html" } })
        refused(400, "Subscribe calls should not include the 'Mesos-Stream-Id' header", good,
            { headers = { ["Mesos-Stream-Id"] = "x" } })
    end)

    it("refuses a bad FrameworkInfo with 200, one ERROR and the end of the stream", function()
        local wrong = {
            ["'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"] =
                { role = "a", capabilities = MULTI_ROLE },
            ["'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable"] = { roles = { "a" } },
            ["'FrameworkInfo.roles' contains invalid role: Role '/a' cannot start with a slash"] =
                { roles = { "/a" }, capabilities = MULTI_ROLE },
            ["'FrameworkInfo.roles' contains duplicate items: { a }"] = { roles = { "a", "a" }, capabilities = MULTI_ROLE },
            ["The framework failover_timeout (1e+300) is invalid"] = { failover_timeout = 1e300 },
            ["'a/b' contains invalid characters"] = { id = { value = "a/b" } },
        }
        for text, info in pairs(wrong) do
            local stream = subscribe(info)
            assert.matches("^HTTP/1.1 200 OK\r\n", stream.head)
            assert.same({ type = "ERROR", error = { message = text } }, stream:next())
            assert.is_nil(stream:next())
            assert.equal(0, stream.run:wait()) -- curl saw the last chunk
        end
    end)

    it("sends SUBSCRIBED, a heartbeat and offers, in the format of the framework's capabilities", function()
        local stream = subscribe():subscribed()
        assert.matches("Content%-Type: application/json\r\n", stream.head)
        local offer = stream:offer()
        assert.matches('20\n{"type":"HEARTBEAT"}', stream.run.stdout, 1, true)
        assert.equal("*", offer.resources[1].role)
        assert.is_nil(offer.allocation_info)
        stream:accepted("TEARDOWN")
        assert.is_nil(stream:find("ERROR"))
        assert.equal(0, stream.run:wait())

        local refined = { { type = "MULTI_ROLE" }, { type = "RESERVATION_REFINEMENT" } }
        stream = subscribe({ roles = { "web" }, capabilities = refined }):subscribed()
        offer = stream:offer()
        assert.same({ role = "web" }, offer.allocation_info)
        for _, resource in ipairs(offer.resources) do
            assert.same({ role = "web" }, resource.allocation_info)
        end
    end)

    it("wants the stream id of the live subscription", function()
        local stream = subscribe():subscribed()
        local status, text = stream:call("REVIVE", nil, {})
        assert.same({ 400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header" }, { status, text })
        status, text = stream:call("REVIVE", nil, { ["Mesos-Stream-Id"] = "other" })
        local mismatch = "The stream ID 'other' included in this request didn't match the stream ID currently " ..
            "associated with framework ID " .. stream.framework_id.value
        assert.same({ 400, mismatch }, { status, text })
    end)

    it("runs commands and says how each ended", function()
        local stream = subscribe():subscribed()
        local offer = stream:offer()
        stream:launch(offer, {
            task(offer, "good", {
                value = "echo $GREETING $MESOS_TASK_ID; echo wrong >&2",
                environment = { variables = { { name = "GREETING", value = "hello" } } },
            }),
            task(offer, "bad", "exit 3"),
            task(offer, "signal", "kill -9 $$"),
            task(offer, "argv", { shell = false, value = "printf", arguments = { "printf", "%s.", "a b", "c" } }),
            task(offer, "missing", { shell = false, value = "/no/such", arguments = { "/no/such" } }),
            task(offer, "fetched", { value = "cat copy", uris = { { value = "file:///etc/hostname", output_file = "copy" } } }),
            task(offer, "far", { value = "true", uris = { { value = "hdfs://127.0.0.1/x" } } }),
            task(offer, "long", "sleep 100", { max_completion_time = { nanoseconds = 100000000 } }),
        })
        local states, last = stream:results(8)
        for _, id in ipairs { "good", "argv", "fetched" } do
            assert.same(RAN, states[id])
        end
        assert.equal("Command exited with status 0", last.good.message)
        assert.equal("good", last.good.executor_id.value)
        assert.equal("SOURCE_EXECUTOR", last.good.source)
        assert.equal("hello good\n", program.read(sandbox(offer, stream, "good") .. "stdout"))
        assert.equal("wrong\n", program.read(sandbox(offer, stream, "good") .. "stderr"))
        assert.equal("a b.c.", program.read(sandbox(offer, stream, "argv") .. "stdout"))
        assert.equal(program.read("/etc/hostname"), program.read(sandbox(offer, stream, "fetched") .. "stdout"))
        assert.equal("Command exited with status 3", last.bad.message)
        assert.equal("Command terminated with signal Killed", last.signal.message)
        assert.equal("Command exited with status 1: Failed to execute '/no/such': No such file or directory",
            last.missing.message)
        assert.matches("/no/such", program.read(sandbox(offer, stream, "missing") .. "stderr"), 1, true)
        assert.matches("the local cluster fetches from web servers", last.far.message, 1, true)
        assert.equal("REASON_MAX_COMPLETION_TIME_REACHED", last.long.reason)
        repeat -- what was offered meanwhile is given back, until all of it is in one offer again
            local free = stream:offer()
            stream:accepted("DECLINE", { offer_ids = { free.id }, filters = { refuse_seconds = 0 } })
        until pcall(assert.same, offer.resources, free.resources)
    end)

    it("refuses tasks that it cannot run, one by one", function()
        local stream = subscribe():subscribed()
        local offer = stream:offer()
        stream:launch(offer, {
            task(offer, "a/b", "true"), task(offer, "bare", "true", { resources = false }),
            task(offer, "large", "true", { resources = { { name = "cpus", type = "SCALAR", scalar = { value = 100 } } } }),
            task(offer, "elsewhere", "true", { agent_id = { value = "other" } }),
            task(offer, "image", "true", { container = { type = "DOCKER", docker = { image = "x" } } }),
            task(offer, "good", "true"), task(offer, "good", "true"),
        })
        local states, last, twin = { good = {} }, {}, nil
        for _ = 1, 9 do
            local status = stream:update()
            if status.state == "TASK_ERROR" and status.task_id.value == "good" then
                twin = status
            elseif status.task_id.value == "good" then
                table.insert(states.good, status.state)
            else
                last[status.task_id.value] = status
            end
        end
        assert.equal("'a/b' contains invalid characters", last["a/b"].message)
        assert.equal("Task uses no resources", last.bare.message)
        assert.equal("Total resources cpus(allocated: *):100 required by task and its executor is more than available " ..
            "cpus(allocated: *):4; mem(allocated: *):1024; disk(allocated: *):100; ports(allocated: *):[31000-31099]",
            last.large.message)
        assert.matches("^Task uses invalid agent other while agent ", last.elsewhere.message)
        assert.matches("^The local cluster does not carry out 'container.docker': ", last.image.message)
        assert.equal("Task has duplicate ID: good", twin.message)
        assert.is_nil(twin.uuid)
        assert.same(RAN, states.good)
        stream:launch(offer, { task(offer, "late", "true") })
        local status = stream:update()
        assert.same({ "TASK_LOST", "REASON_INVALID_OFFERS" }, { status.state, status.reason })
        assert.equal("Task launched with invalid offers: Offer " .. offer.id.value .. " is no longer valid", status.message)
    end)

    it("kills, answers about unknown tasks, and frees what a stubborn task held", function()
        local stream = subscribe({ capabilities = { { type = "PARTITION_AWARE" }, { type = "TASK_KILLING_STATE" } } }):subscribed()
        local offer = stream:offer()
        stream:launch(offer, { task(offer, "stubborn", "trap '' TERM; touch trapped; while :; do sleep 0.1; done") })
        assert.equal("TASK_STARTING", stream:update().state)
        assert.equal("TASK_RUNNING", stream:update().state)
        program.wait_for(function()
            return program.read(sandbox(offer, stream, "stubborn") .. "trapped")
        end)
        stream:accepted("KILL", { task_id = { value = "stubborn" }, agent_id = { value = "other" } })
        stream:accepted("KILL", { task_id = { value = "stubborn" }, kill_policy = { grace_period = { nanoseconds = 1e8 } } })
        assert.equal("TASK_KILLING", stream:update().state)
        local status = stream:update()
        assert.same({ "TASK_KILLED", "Command terminated with signal Killed" }, { status.state, status.message })
        stream:accepted("KILL", { task_id = { value = "stubborn" } })
        status = stream:update()
        assert.same({ "TASK_UNKNOWN", "Reconciliation: Task is unknown" }, { status.state, status.message })
        stream:accepted("RECONCILE", { tasks = { { task_id = { value = "x" }, agent_id = offer.agent_id } } })
        status = stream:update()
        assert.same({ "TASK_GONE", "Reconciliation: Task is unknown to the agent" }, { status.state, status.message })
    end)

    it("hands a framework over to a second subscription, with the updates that wait", function()
        local first = subscribe({ failover_timeout = 60 }):subscribed()
        local offer = first:offer()
        first:launch(offer, { task(offer, "one", "sleep 100") })
        local waiting = first:find("UPDATE").update.status
        local second = subscribe({ failover_timeout = 60, id = first.framework_id }):subscribed()
        assert.same(first.framework_id, second.framework_id)
        assert.equal("Framework failed over", first:find("ERROR").error.message)
        assert.equal(0, first.run:wait())
        local again = second:update()
        assert.same({ waiting.uuid, waiting.state }, { again.uuid, again.state })
        assert.equal("TASK_RUNNING", second:update().state)
        second.run:kill()
        second.run:wait()
        program.wait_for(function()
            return (second:call("REVIVE")) == 403
        end)
        local third = subscribe({ failover_timeout = 60, id = first.framework_id }):subscribed()
        third:accepted("RECONCILE", {})
        assert.equal("Reconciliation: Latest task state", third:update().message)
        third:accepted("TEARDOWN")
        assert.equal(0, third.run:wait())
        local fourth = subscribe({ id = first.framework_id })
        assert.equal("Framework has been removed", fourth:next().error.message)
    end)

    it("keeps filters and suppression per role", function()
        local stream = subscribe({ roles = { "a" }, capabilities = MULTI_ROLE }):subscribed()
        local offer = stream:offer()
        stream:accepted("DECLINE", { offer_ids = { offer.id }, filters = { refuse_seconds = 1000 } })
        stream:accepted("REVIVE", { roles = { "a", "other" } }) -- void as a whole
        assert.is_nil(stream:find("OFFERS", 1.3))
        stream:accepted("REVIVE", { roles = { "a" } })
        offer = stream:offer()
        stream:accepted("SUPPRESS")
        stream:accepted("DECLINE", { offer_ids = { offer.id }, filters = { refuse_seconds = 0 } })
        assert.is_nil(stream:find("OFFERS", 1.3))
        stream:accepted("REVIVE")
        assert.is_truthy(stream:offer())
    end)

    it("updates a framework and rescinds the offers of roles that it leaves", function()
        local user = os.getenv("USER") or "root"
        local stream = subscribe({ roles = { "a" }, capabilities = MULTI_ROLE }):subscribed()
        local offer = stream:offer()
        local info = { user = "bob", name = "n", id = stream.framework_id, roles = { "b" }, capabilities = MULTI_ROLE }
        local status, text = stream:call("UPDATE_FRAMEWORK", { framework_info = info })
        local unsupported = "FrameworkInfo update is not valid: Updating 'FrameworkInfo.user' is unsupported; " ..
            "attempted to update from '" .. user .. "' to 'bob'"
        assert.same({ 400, unsupported }, { status, text })
        info.user = user
        assert.equal(200, (stream:call("UPDATE_FRAMEWORK", { framework_info = info })))
        assert.same(offer.id, stream:find("RESCIND").rescind.offer_id)
        assert.same({ role = "b" }, stream:offer().allocation_info)
    end)
end)
