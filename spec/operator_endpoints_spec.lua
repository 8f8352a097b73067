-- SPDX-License-Identifier: Apache-2.0
--
-- The endpoints of the local cluster that operators' tools read and write, in the shapes that Mesos gives them.

local client = require("support.cluster_client")
local json = require("cjson")
local program = require("support.program")
local mesos_shapes = require("support.mesos_shapes")
local shapes = require("support.shapes")
local virtual_cluster = require("support.virtual_cluster")

local function get(path)
    local status, text, head = client.request(nil, { method = "GET", path = path, headers = { ["Content-Type"] = "" } })
    return status, text, head
end

local function document(path)
    local status, text, head = get(path)
    assert.equal(200, status, text)
    assert.matches("Content%-Type: application/json\r\n", head)
    return json.decode(text), text
end

local function first(list, id)
    for _, item in ipairs(list) do
        if item.id == id then
            return item
        end
    end
end

-- A framework in the roles, with a task that runs and one that has finished.
local function framework_with_tasks(info)
    local fields = { name = "busy", roles = { "web" }, capabilities = { { type = "MULTI_ROLE" } }, principal = "p",
        labels = { labels = { { key = "team", value = "x" } } } }
    for key, value in pairs(info or {}) do
        fields[key] = value
    end
    local stream = client.subscribe(fields):subscribed()
    local offer = stream:offer()
    stream:launch(offer, {
        client.task(offer, "runs", "sleep 1000 & sleep 1000 & wait", { labels = { labels = { { key = "a", value = "b" } } } }),
        client.task(offer, "ends", "true"),
    })
    stream:accepted("SUPPRESS", {}) -- what is left is for others
    local states = {}
    program.wait_for(function()
        local status = stream:update(0.2)
        if status then
            states[status.task_id.value] = status.state
        end
        return states.runs == "TASK_RUNNING" and states.ends == "TASK_FINISHED"
    end)
    return stream, offer
end

describe("the endpoints of the local cluster", function()
    local stream, offer, id
    lazy_setup(function()
        client.start { "--agent", "cpus:4;mem:1024;disk:100;ports:[31000-31009] zone=a n=3", "--agent",
            "cpus(ads):2;cpus:1;mem:512;disk:0;ports:[]" }
        stream, offer = framework_with_tasks()
        id = stream.framework_id.value
    end)
    lazy_teardown(client.stop)

    for path, shape in pairs {
        ["/state"] = mesos_shapes.state, ["/master/state"] = mesos_shapes.state, ["/state/"] = mesos_shapes.state,
        ["/state-summary"] = mesos_shapes.state_summary, ["/slaves"] = mesos_shapes.slaves,
        ["/frameworks"] = mesos_shapes.frameworks, ["/roles"] = mesos_shapes.roles, ["/tasks"] = mesos_shapes.tasks,
        ["/flags"] = mesos_shapes.flags, ["/version"] = mesos_shapes.version,
        ["/metrics/snapshot"] = mesos_shapes.metrics, ["/metrics/snapshot?timeout=10secs"] = mesos_shapes.metrics,
        ["/slave(1)/version"] = mesos_shapes.version,
    } do
        it("answers " .. path .. " in Mesos's shape", function()
            shapes.check(shape, (document(path)))
        end)
    end

    it("writes numbers as a master does", function()
        local _, text = document("/state")
        for _, piece in ipairs { '"activated_slaves":2.0,', '"cpus":4.0', '"port":%d+,', '"ports":"%[31000%-31009%]"',
            '"attributes":{"zone":"a","n":3.0}', '"failover_timeout":0.0', '"unregistered_time":0.0',
            '"pid":"slave%(1%)@127.0.0.1:%d+"', '"pid":"master@127.0.0.1:%d+"' } do
            assert.matches(piece, text)
        end
        assert.matches('"TASK_RUNNING":1,', (select(2, document("/state-summary"))))
    end)

    it("shows a framework with what it uses, its tasks and those that have ended", function()
        local framework = first(document("/state").frameworks, id)
        assert.same({ "web" }, framework.roles)
        assert.is_nil(framework.role)
        assert.is_true(framework.active)
        assert.equal("p", framework.principal)
        assert.same({ { key = "team", value = "x" } }, framework.labels)
        assert.same({ "MULTI_ROLE" }, framework.capabilities)
        assert.equal(0.1, framework.used_resources.cpus)
        assert.equal(8, framework.used_resources.mem)
        assert.equal(1, #framework.tasks)
        local task = framework.tasks[1]
        assert.same({ "runs", "TASK_RUNNING", "web", "", offer.agent_id.value },
            { task.id, task.state, task.role, task.executor_id, task.slave_id })
        assert.same({ { key = "a", value = "b" } }, task.labels)
        local states = {}
        for _, status in ipairs(task.statuses) do
            states[#states + 1] = status.state
        end
        assert.same({ "TASK_STARTING", "TASK_RUNNING" }, states)
        assert.truthy(task.statuses[2].container_status.container_id.value)
        assert.equal("ends", framework.completed_tasks[1].id)
        assert.equal("TASK_FINISHED", framework.completed_tasks[1].state)
    end)

    it("shows an agent with what of it is used, offered and reserved", function()
        local state = document("/state")
        local used, offered, reserved = 0, 0, {}
        for _, slave in ipairs(state.slaves) do
            used, offered = used + slave.used_resources.cpus, offered + slave.offered_resources.cpus
            reserved[#reserved + 1] = slave.reserved_resources.ads and slave.reserved_resources.ads.cpus
        end
        assert.near(0.1, used, 1e-9)
        assert.near(0, (offered - first(state.frameworks, id).offered_resources.cpus), 1e-9)
        assert.same({ 2 }, reserved)
        local whole = document("/slaves?slave_id=" .. offer.agent_id.value).slaves
        assert.equal(1, #whole)
        assert.equal(offer.agent_id.value, whole[1].id)
        local list = {}
        for _, resource in ipairs(whole[1].used_resources_full) do
            list[resource.name] = { resource.scalar.value, resource.role, resource.allocation_info.role }
        end
        assert.same({ cpus = { 0.1, "*", "web" }, mem = { 8, "*", "web" } }, list)
        assert.same({}, document("/slaves?slave_id=none").slaves)
    end)

    it("selects frameworks and tasks", function()
        assert.equal(id, document("/frameworks?framework_id=" .. id).frameworks[1].id)
        assert.same({}, document("/frameworks?framework_id=none").frameworks)
        local function ids(query)
            local list = {}
            for _, task in ipairs(document("/tasks?framework_id=" .. id .. query).tasks) do
                list[#list + 1] = task.id
            end
            return list
        end
        assert.equal(2, #ids(""))
        assert.same({ "ends" }, ids("&task_id=ends"))
        local ascending, descending = ids("&order=asc"), ids("")
        assert.same({ ascending[1] }, ids("&order=asc&limit=1"))
        assert.same({ ascending[2] }, ids("&order=asc&limit=1&offset=1"))
        assert.same({ descending[2] }, ids("&offset=1&limit=x"))
        assert.same({}, ids("&offset=7"))
        assert.same({}, ids("&limit=0"))
    end)

    it("counts tasks of agents and frameworks in the summary, and says who is where", function()
        local summary = document("/state-summary")
        local framework, slave = first(summary.frameworks, id), first(summary.slaves, offer.agent_id.value)
        assert.same({ 1, 1, 0 }, { framework.TASK_RUNNING, framework.TASK_FINISHED, framework.TASK_KILLED })
        assert.same({ offer.agent_id.value }, framework.slave_ids)
        assert.truthy(slave.TASK_RUNNING >= 1)
        assert.truthy(table.concat(slave.framework_ids, " "):find(id, 1, true))
    end)

    it("sums up roles", function()
        local roles = {}
        for _, role in ipairs(document("/roles").roles) do
            roles[role.name] = role
        end
        assert.same({ cpus = 0.1, mem = 8 }, roles.web.allocated)
        assert.same({ id }, roles.web.frameworks)
        assert.same({ cpus = 2 }, roles.ads.reserved)
        assert.same({ cpus = 2 }, roles.ads.quota.consumed)
    end)

    it("counts what happens in the metrics", function()
        local before = document("/metrics/snapshot")
        assert.equal(1, before["master/tasks_running"])
        assert.equal(2, before["master/slaves_active"])
        assert.equal(7, before["master/cpus_total"])
        assert.near(0.1, before["master/cpus_used"], 1e-9)
        local other = framework_with_tasks { roles = { "other" } }
        other:accepted("KILL", { task_id = { value = "runs" } })
        other:results(1)
        local after = document("/metrics/snapshot")
        assert.equal(before["master/tasks_killed"] + 1, after["master/tasks_killed"])
        assert.equal(before["master/messages_kill_task"] + 1, after["master/messages_kill_task"])
        assert.equal(1, after["master/tasks_running"])
        assert.equal(before["master/tasks_finished"] + 1, after["master/tasks_finished"])
        client.request("frameworkId=" .. other.framework_id.value, { path = "/teardown" })
        local status, text = get("/metrics/snapshot?timeout=soon")
        assert.same({ 400, "Invalid timeout 'soon': Invalid duration 'soon'.\n" }, { status, text })
    end)

    it("shows an agent's own documents under its process name", function()
        local number = first(document("/state").slaves, offer.agent_id.value).pid:match("^slave%((%d+)%)@")
        local state = document(("/slave(%s)/state"):format(number))
        shapes.check(mesos_shapes.agent_state, state)
        assert.equal(offer.agent_id.value, state.id)
        local framework = first(state.frameworks, id)
        local executor = first(framework.executors, "runs")
        assert.same({ "runs", "TASK_RUNNING" }, { executor.tasks[1].id, executor.tasks[1].state })
        assert.equal(client.sandbox(offer, stream, "runs"):gsub("latest/$", executor.container), executor.directory)
        assert.equal("ends", first(framework.completed_executors, "ends").completed_tasks[1].id)
        local containers
        program.wait_for(function() -- the shell, and the two that it starts
            containers = document(("/slave(%s)/containers?executor_id=runs"):format(number))
            return containers[1].statistics.processes == 3
        end)
        shapes.check(mesos_shapes.containers, containers)
        assert.equal(executor.container, containers[1].container_id)
        assert.equal(3, containers[1].statistics.threads)
        assert.truthy(containers[1].statistics.mem_rss_bytes > 0)
        assert.equal(0.1, containers[1].statistics.cpus_limit)
        assert.same({}, document(("/slave(%s)/containers?executor_id=none"):format(number)))
        local statistics = document(("/slave(%s)/monitor/statistics"):format(number))
        shapes.check(mesos_shapes.statistics, statistics)
        assert.equal("runs", statistics[1].executor_id)
        assert.equal(client.cluster.work_dir, document(("/slave(%s)/flags"):format(number)).flags.work_dir)
        assert.same({}, document(("/slave(%d)/state"):format(3 - number)).frameworks)
    end)

    it("tears a framework down, and remembers it with its tasks", function()
        local gone = framework_with_tasks({ roles = { "other" } }).framework_id.value
        client.answered(200, "", "frameworkId=" .. gone:gsub("%-", "%%2D"), { path = "/teardown" })
        assert.is_nil(first(document("/state").frameworks, gone))
        local framework = first(document("/state").completed_frameworks, gone)
        shapes.check(mesos_shapes.framework, framework)
        assert.is_false(framework.active)
        assert.truthy(framework.unregistered_time >= framework.registered_time)
        local states = {}
        for _, task in ipairs(framework.completed_tasks) do
            states[task.id] = task.state .. " " .. task.statuses[#task.statuses].state
        end
        assert.same({ runs = "TASK_KILLED TASK_KILLED", ends = "TASK_FINISHED TASK_FINISHED" }, states)
        client.refused(400, "No framework found with specified ID", "frameworkId=" .. gone, { path = "/teardown" })
        client.refused(400, "Missing 'frameworkId' query parameter in the request body", "id=1", { path = "/teardown" })
    end)
end)

describe("an operator of the local cluster", function()
    after_each(client.stop)
    before_each(function()
        client.start { "--agent", "cpus:4;mem:1024;disk:10;ports:[]" }
    end)

    it("sets weights, and is told what is wrong with them", function()
        local put = { method = "PUT", path = "/weights" }
        client.answered(200, "", '[{"role": "web", "weight": 2.5}, {"role": " ads ", "weight": 1}]', put)
        local weights = document("/weights")
        table.sort(weights, function(a, b) return a.role < b.role end)
        assert.same({ { role = "ads", weight = 1 }, { role = "web", weight = 2.5 } }, weights)
        client.refused(400, "Failed to validate update weights request JSON for role 'web': Invalid weight '0': Weights must be "
            .. "positive", '[{"role": "web", "weight": 0}]', put)
        local status, text = client.request("[", put)
        assert.equal(400, status)
        assert.matches("^Failed to parse update weights request JSON '%[': ", text)
        status, text = client.request('[{"role": "web"}]', put)
        assert.equal(400, status)
        assert.matches("^Failed to convert weights JSON array to protobuf '%[{\"role\": \"web\"}%]': ", text)
        status, text = client.request("[]", { method = "DELETE", path = "/weights" })
        assert.same({ 405, "405 Method Not Allowed. Expecting one of { 'GET', 'PUT' }, but received 'DELETE'." }, { status, text })
    end)

    it("sets quota, shows it, and takes it back", function()
        local guarantee = { { name = "cpus", type = "SCALAR", scalar = { value = 2 } } }
        local request = { role = "web", guarantee = guarantee }
        client.answered(200, "", request, { path = "/quota" })
        local quota = document("/quota")
        assert.equal("web", quota.infos[1].role)
        assert.equal(2, quota.infos[1].guarantee[1].scalar.value)
        assert.same({ { role = "web", guarantees = { cpus = { value = 2 } }, limits = { cpus = { value = 2 } } } }, quota.configs)
        assert.same({ cpus = 2 }, document("/roles").roles[1].quota.guarantee)
        client.refused(400, "Failed to validate set quota request: Cannot set quota for role 'web' which already has quota", request,
            { path = "/quota" })
        guarantee[1].scalar.value = 100
        request.role = "ads"
        local status, text = client.request(request, { path = "/quota" })
        assert.equal(409, status, text)
        client.answered(200, "", nil, { method = "DELETE", path = "/master/quota/web" })
        client.refused(400, "Failed to remove quota for path '/master/quota/web': Role 'web' has no quota set", nil,
            { method = "DELETE", path = "/master/quota/web" })
        client.refused(400, "Failed to parse remove quota request for path '/quota': expected 3 tokens, found 2 tokens", nil,
            { method = "DELETE", path = "/quota" })
    end)

    it("reserves resources and makes volumes", function()
        local agent = document("/slaves").slaves[1].id
        local function post(path, fields)
            local parts = {}
            for name, value in pairs(fields) do
                value = type(value) == "table" and json.encode(value) or value
                parts[#parts + 1] = name .. "=" .. value:gsub("[^%w-]", function(c) return ("%%%02X"):format(c:byte()) end)
            end
            local status, text = client.request(table.concat(parts, "&"), { path = path })
            return { status, text }
        end
        local cpus = { name = "cpus", type = "SCALAR", scalar = { value = 1 }, reservations = { { type = "DYNAMIC", role = "a" } } }
        assert.same({ 202, "" }, post("/reserve", { slaveId = agent, resources = { cpus } }))
        local slave = document("/slaves").slaves[1]
        assert.equal(1, slave.reserved_resources.a.cpus)
        assert.same({ { type = "DYNAMIC", role = "a" } }, slave.reserved_resources_full.a[1].reservations)
        assert.equal("a", slave.reserved_resources_full.a[1].role)
        local again = { name = "cpus", type = "SCALAR", scalar = { value = 1 }, reservations = { { type = "DYNAMIC", role = "b" } } }
        assert.same({ 202, "" }, post("/reserve", { slaveId = agent, source = { cpus }, resources = { again } }))
        assert.equal(1, document("/slaves").slaves[1].reserved_resources.b.cpus)
        assert.same({ 202, "" }, post("/unreserve", { slaveId = agent, resources = { again } }))
        assert.same({}, document("/slaves").slaves[1].reserved_resources)
        assert.equal(409, post("/unreserve", { slaveId = agent, resources = { again } })[1])
        assert.same({ 400, "Missing 'slaveId' query parameter in the request body" }, post("/reserve", { resources = { cpus } }))
        assert.same({ 400, "Missing 'resources' query parameter in the request body" }, post("/reserve", { slaveId = agent }))
        assert.same({ 400, "Missing 'volumes' query parameter in the request body" }, post("/create-volumes", { slaveId = agent }))
        assert.same({ 400, "No agent found with specified ID" }, post("/reserve", { slaveId = "none", resources = { cpus } }))
        local answer = post("/destroy-volumes", { slaveId = agent, volumes = "[{]" })
        assert.equal(400, answer[1])
        assert.matches("^Error in parsing 'volumes' query parameter in the request body: ", answer[2])
    end)

    it("sees the executor of a task group, with what it uses", function()
        local stream = client.subscribe({ roles = { "web" }, capabilities = { { type = "MULTI_ROLE" } } }):subscribed()
        local offer = stream:offer()
        local task = client.task(offer, "t", "exec sleep 1000")
        local executor = { executor_id = { value = "e" }, type = "DEFAULT", framework_id = stream.framework_id,
            resources = { task.resources[1], { name = "mem", type = "SCALAR", scalar = { value = 32 } },
                { name = "disk", type = "SCALAR", scalar = { value = 1 } } } }
        stream:accepted("ACCEPT", { offer_ids = { offer.id }, operations = { { type = "LAUNCH_GROUP",
            launch_group = { executor = executor, task_group = { tasks = { task } } } } } })
        local status = stream:update()
        assert.equal("TASK_STARTING", status.state, status.message)
        local framework = document("/state").frameworks[1]
        shapes.check(mesos_shapes.framework, framework)
        assert.equal("e", framework.tasks[1].executor_id)
        local shown = framework.executors[1]
        assert.same({ "e", "DEFAULT", "web", offer.agent_id.value, 0.1 },
            { shown.executor_id, shown.type, shown.role, shown.slave_id, shown.resources.cpus })
        assert.same({ 0.2, 40 }, { framework.used_resources.cpus, framework.used_resources.mem })
        assert.equal(0.2, document("/slaves").slaves[1].used_resources.cpus)
        assert.equal(0.2, document("/roles").roles[1].allocated.cpus)
        local _, text = client.request({ type = "GET_EXECUTORS" }, { path = "/api/v1" })
        local got = json.decode(text).get_executors.executors[1]
        assert.same({ "e", offer.agent_id.value }, { got.executor_info.executor_id.value, got.agent_id.value })
    end)

    it("is sent to the leading master, which is this one", function()
        local status, text, head = get("/redirect")
        assert.same({ 307, "" }, { status, text })
        assert.matches("\r\nLocation: //localhost:" .. client.address:match("%d+$"), head)
    end)

    it("gets documents as a call of a function, unless a page of another site asks", function()
        local status, text, head = get("/flags?jsonp=show.it")
        assert.equal(200, status)
        assert.matches("^show%.it%({.*}%);$", text)
        assert.matches("Content%-Type: text/javascript", head)
        client.refused(400, "'jsonp' must be the name of a function", nil, { method = "GET", path = "/flags?jsonp=alert(1)" })
        client.refused(403, "'jsonp' is not for pages of other sites", nil,
            { method = "GET", path = "/flags?jsonp=a", headers = { ["Sec-Fetch-Site"] = "cross-site" } })
    end)

    for _, row in ipairs {
        { 404, "/no/such" }, { 404, "/slave(2)/version" }, { 404, "/slave(0)/version" }, { 404, "/slave(1)/state-summary" },
        { 405, "/teardown" }, { 200, "/slave(1)/health" }, { 200, "/health" }, { 405, "/state", "POST" }, { 200, "/state", "HEAD" },
    } do
        it(("answers %s %s with %d"):format(row[3] or "GET", row[2], row[1]), function()
            local run = program.run { path = "/usr/bin/curl", args = { "-s", "-o", "/dev/null", "-w", "%{http_code}",
                row[3] == "HEAD" and "-I" or "-X", row[3] == "HEAD" and "-s" or row[3] or "GET", "http://" .. client.address .. row[2] } }
            assert.equal(tostring(row[1]), run.stdout)
        end)
    end
end)

describe("a document about 10,000 tasks", function()
    -- A thousand tasks took 10 to 20 ms of processor time on the busy machine where this was written.
    -- OPERATOR_FIGURES=1 prints what they take.
    for name, needle in pairs { state = '"statuses":%[', json = '"statuses":%[', protobuf = "%-O%d+%-%d+" } do
        it("takes the loop for a short time: " .. name, function()
            local agents = {}
            for i = 1, 10 do
                agents[i] = "cpus:10000;mem:1000000"
            end
            local cluster = virtual_cluster.start(agents)
            local framework = cluster:subscribe { name = "many", roles = { "a" } }
            cluster:advance(1)
            for _ = 1, 10 do
                framework:launch(framework:offers()[1], { cpus = 1, mem = 32 }, 1000)
            end
            cluster:advance(1)
            local start = os.clock()
            local text = cluster.master:document(name)
            local took = os.clock() - start
            local _, count = text:gsub(needle, "")
            assert.truthy(count >= 10000, count)
            if os.getenv("OPERATOR_FIGURES") then
                print(name, #text, took)
            end
            assert.truthy(took < 2 * program.patience, took)
        end)
    end
end)
