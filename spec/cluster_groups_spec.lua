-- SPDX-License-Identifier: Apache-2.0
--
-- Groups of tasks on the local cluster: the default executor starts them together, each in a folder of its own, and ends
-- them together if one fails or is killed.

local client = require("support.cluster_client")
local executor = require("support.executor_client")
local program = require("support.program")

local FRAMEWORK = { capabilities = { { type = "PARTITION_AWARE" }, { type = "TASK_KILLING_STATE" } } }

local function scalar(name, value)
    return { name = name, type = "SCALAR", scalar = { value = value } }
end

-- The executor of a pod.
local function pod(stream, id, more)
    local info = {
        type = "DEFAULT", executor_id = { value = id }, framework_id = stream.framework_id,
        resources = { scalar("cpus", 0.1), scalar("mem", 32), scalar("disk", 10) },
    }
    for key, value in pairs(more or {}) do
        info[key] = value or nil -- false: without it
    end
    return info
end

local function launch_group(stream, offer, info, tasks)
    stream:accepted("ACCEPT", {
        offer_ids = { offer.id }, filters = { refuse_seconds = 0 },
        operations = { { type = "LAUNCH_GROUP", launch_group = { executor = info, task_group = { tasks = tasks } } } },
    })
end

-- A cluster, a framework, and a group of tasks { id, command, more... }.
local function run_group(rows, options)
    options = options or {}
    client.start { "--resources", "cpus:4;mem:1024;disk:1000" }
    local stream = client.subscribe(options.framework or FRAMEWORK):subscribed()
    local offer = stream:offer()
    local tasks = {}
    for i, row in ipairs(rows) do
        tasks[i] = client.task(offer, row[1], row[2], row[3])
    end
    launch_group(stream, offer, pod(stream, "pod", options.executor), tasks)
    return stream, offer
end

-- Acknowledges updates until these tasks, "id id", have entered a state; returns their updates. Some may have come while
-- others were waited for.
local function wait_for(stream, ids, state)
    local found = {}
    stream.seen = stream.seen or {}
    for id in ids:gmatch("%S+") do
        found[id] = stream.seen[id .. state] or false
    end
    local function missing()
        for _, status in pairs(found) do
            if not status then
                return true
            end
        end
    end
    while missing() do
        local status = stream:update()
        stream.seen[status.task_id.value .. status.state] = status
        if status.state == state and found[status.task_id.value] == false then
            found[status.task_id.value] = status
        end
    end
    return found
end

-- The file has been written by a task.
local function wait_for_file(path)
    client.cluster:wait_for(function()
        local file = io.open(path)
        return file and file:close()
    end)
end

local FOREVER = "touch ready; sleep 100"

describe("a group of tasks", function()
    after_each(client.stop)

    it("is started as a whole, and each task reports its states", function()
        local stream, offer = run_group { { "a", FOREVER }, { "b", FOREVER } }
        local order = {}
        for i = 1, 4 do
            -- All updates of the start are waiting, as none is acknowledged before the first of each task is seen.
            local status = stream:update()
            order[i] = status.state .. " " .. status.task_id.value
            assert.same({ "SOURCE_EXECUTOR", "pod", offer.agent_id.value },
                { status.source, status.executor_id.value, status.agent_id.value })
            assert.is_nil(status.reason)
            local container = status.container_status
            assert.equal("127.0.0.1", container.network_infos[1].ip_addresses[1].ip_address)
            assert.equal(status.state == "TASK_RUNNING", container.executor_pid ~= nil)
            assert.is_string(container.container_id.parent.value)
        end
        table.sort(order)
        assert.same({ "TASK_RUNNING a", "TASK_RUNNING b", "TASK_STARTING a", "TASK_STARTING b" }, order)
        assert.same({ { value = "pod" } }, stream:offer().executor_ids)
    end)

    it("has its folders where the default executor has them, and the environment of its tasks", function()
        local stream, offer = run_group {
            { "a", {
                value = "env > env; echo out; echo err >&2; touch ready; sleep 100",
                environment = { variables = { { name = "OWN", value = "own" } } },
            } },
            { "b", FOREVER },
        }
        local folder = client.sandbox(offer, stream, "pod")
        wait_for_file(folder .. "tasks/a/ready")
        wait_for_file(folder .. "tasks/b/ready")
        local running = wait_for(stream, "a", "TASK_RUNNING").a
        local id = running.container_status.container_id
        wait_for_file(folder .. "containers/" .. id.value .. "/stdout")
        assert.equal(id.parent.value, io.popen(("basename $(realpath '%s')"):format(folder)):read("l"))
        local function read(name)
            local file <close> = assert(io.open(folder .. "tasks/a/" .. name))
            return file:read("a")
        end
        assert.same({ "out\n", "err\n" }, { read("stdout"), read("stderr") })
        local env = "\n" .. read("env")
        assert.truthy(env:find("\nMESOS_SANDBOX=[^\n]*/containers/" .. id.value:gsub("%-", "%%-") .. "\n"))
        assert.truthy(env:find("\nMESOS_CONTAINER_IP=127.0.0.1\n", 1, true))
        assert.truthy(env:find("\nMESOS_ALLOCATION_ROLE=*\n", 1, true))
        assert.truthy(env:find("\nOWN=own\n", 1, true))
        assert.is_nil(env:find("MESOS_EXECUTOR_ID", 1, true))
    end)

    it("ends when all have ended, and with it its executor", function()
        local stream, offer = run_group { { "a", "true" }, { "b", "sleep 0.2" } }
        local ends = wait_for(stream, "a b", "TASK_FINISHED")
        assert.same({ "Command exited with status 0", "Command exited with status 0" }, { ends.a.message, ends.b.message })
        assert.same({ agent_id = offer.agent_id, executor_id = { value = "pod" }, status = 0 }, stream:failure())
    end)

    it("is killed if one of its tasks fails", function()
        local stream = run_group { { "a", FOREVER }, { "b", FOREVER }, { "c", "exit 7" } }
        local failed = wait_for(stream, "c", "TASK_FAILED").c
        assert.same({ "Command exited with status 7" }, { failed.message, failed.reason })
        local killed = wait_for(stream, "a b", "TASK_KILLED")
        for _, status in pairs(killed) do
            assert.same({ "Command terminated with signal Terminated", "SOURCE_EXECUTOR" },
                { status.message, status.source, status.reason })
        end
        assert.equal(0, stream:failure().status)
    end)

    it("is killed if one of its tasks is killed, with TASK_KILLING for those that know it", function()
        local stream = run_group { { "a", FOREVER }, { "b", FOREVER } }
        wait_for(stream, "a b", "TASK_RUNNING")
        stream:accepted("KILL", { task_id = { value = "b" } })
        local states = {}
        for _ = 1, 4 do
            local status = stream:update()
            states[#states + 1] = status.task_id.value .. " " .. status.state
        end
        table.sort(states)
        assert.same({ "a TASK_KILLED", "a TASK_KILLING", "b TASK_KILLED", "b TASK_KILLING" }, states)
        assert.equal(0, stream:failure().status)
    end)

    it("that ignores SIGTERM is killed after its grace period: that of the call, of the task, or 3 s", function()
        local stubborn = "trap '' TERM; touch ready; while :; do sleep 0.05; done"
        local stream, offer = run_group({ { "a", stubborn }, { "b", FOREVER } }, { framework = {} })
        wait_for_file(client.sandbox(offer, stream, "pod") .. "tasks/a/ready")
        wait_for(stream, "a b", "TASK_RUNNING")
        stream:accepted("KILL", { task_id = { value = "a" }, kill_policy = { grace_period = { nanoseconds = 100000000 } } })
        local killed = wait_for(stream, "a b", "TASK_KILLED")
        assert.equal("Command terminated with signal Killed", killed.a.message)
        assert.equal("Command terminated with signal Terminated", killed.b.message)
    end)

    it("shares its executor with another group, which lives longer", function()
        local stream = run_group { { "a", FOREVER } }
        wait_for(stream, "a", "TASK_RUNNING")
        local offer = stream:offer()
        launch_group(stream, offer, pod(stream, "pod"), { client.task(offer, "b", FOREVER), client.task(offer, "c", FOREVER) })
        wait_for(stream, "b c", "TASK_RUNNING")
        stream:accepted("KILL", { task_id = { value = "a" } })
        assert.equal("Command terminated with signal Terminated", wait_for(stream, "a", "TASK_KILLED").a.message)
        assert.is_nil(stream:find("FAILURE", 0.3))
        assert.equal(0, #stream.failures)
        stream:accepted("KILL", { task_id = { value = "c" } })
        wait_for(stream, "b c", "TASK_KILLED")
        assert.equal(0, stream:failure().status)
    end)

    it("fails as a whole if a task cannot be started", function()
        local stream = run_group {
            { "a", FOREVER }, { "b", { value = "true", uris = { { value = "/no/such/file" } } } },
        }
        assert.matches("^Failed to fetch all URIs for container '%x", wait_for(stream, "b", "TASK_FAILED").b.message)
        wait_for(stream, "a", "TASK_KILLED")
    end)

    it("has its checks: a task that is not healthy is killed, and the group with it", function()
        local sick = program.directory() .. "/sick"
        local stream = run_group {
            { "a", FOREVER, {
                health_check = {
                    type = "COMMAND", command = { value = "test ! -e " .. sick }, delay_seconds = 0, interval_seconds = 0.1,
                    grace_period_seconds = 0, consecutive_failures = 2,
                },
            } },
            { "b", FOREVER, { check = { type = "COMMAND", command = { command = { value = "exit 4" } }, delay_seconds = 0 } } },
        }
        local healths, last, check = 0, {}, nil
        while not (last.a and last.b) do
            local status = stream:update()
            local id = status.task_id.value
            if status.reason == "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED" then
                healths = healths + (status.healthy and 0 or 1)
                assert.equal("a", id)
            elseif status.reason == "REASON_TASK_CHECK_STATUS_UPDATED" then
                check = status.check_status.command.exit_code
                assert(io.open(sick, "w")):close()
            end
            last[id] = status.state == "TASK_KILLED" and status or nil
        end
        assert.is_true(healths >= 1 and check == 4)
        assert.same({ false, false }, { last.a.healthy, last.b.healthy }) -- as the default executor says it of all
    end)

    it("ends a task at its max_completion_time", function()
        local stream = run_group { { "a", FOREVER, { max_completion_time = { nanoseconds = 300000000 } } } }
        local status = wait_for(stream, "a", "TASK_FAILED").a
        assert.equal("REASON_MAX_COMPLETION_TIME_REACHED", status.reason)
    end)

    it("uses the memory of all together, and is killed as a whole if a task uses more than that", function()
        local stream = run_group {
            { "a", [[lua5.4 -e 'x = ("x"):rep(2^27) os.execute("sleep 20")']] }, { "b", FOREVER },
        }
        wait_for(stream, "a b", "TASK_RUNNING")
        assert.equal(9, stream:failure().status)
        for _, status in pairs(wait_for(stream, "a b", "TASK_FAILED")) do
            assert.same({ "REASON_CONTAINER_LIMITATION_MEMORY", "SOURCE_AGENT", "mem" },
                { status.reason, status.source, status.limitation.resources[1].name })
            assert.matches("^Memory limit exceeded: Requested: 48MB Maximum Used: ", status.message)
        end
    end)

    it("is shut down with its executor, and killed where it does not end in time", function()
        local stubborn = "trap '' TERM; touch ready; while :; do sleep 0.05; done"
        local stream, offer = run_group({ { "a", stubborn }, { "b", FOREVER } },
            { executor = { shutdown_grace_period = { nanoseconds = 2000000000 } } })
        wait_for(stream, "a b", "TASK_RUNNING")
        wait_for_file(client.sandbox(offer, stream, "pod") .. "tasks/a/ready")
        stream:accepted("SHUTDOWN", { agent_id = offer.agent_id, executor_id = { value = "pod" } })
        local states, last = stream:results(2)
        assert.same({ a = { "TASK_KILLING", "TASK_FAILED" }, b = { "TASK_KILLING", "TASK_KILLED" } }, states)
        assert.same({ "REASON_EXECUTOR_TERMINATED", "Executor terminated", "SOURCE_AGENT" },
            { last.a.reason, last.a.message, last.a.source })
        assert.equal(9, stream:failure().status)
    end)

    it("leaves no process when its framework is gone", function()
        local stream = run_group { { "a", FOREVER }, { "b", FOREVER } }
        local running = wait_for(stream, "a b", "TASK_RUNNING")
        stream:accepted("TEARDOWN")
        for _, status in pairs(running) do
            client.cluster:wait_for(function()
                return not io.open(("/proc/%d/stat"):format(status.container_status.executor_pid))
            end)
        end
    end)

    it("may have an executor of the framework, which gets it as one event", function()
        client.start { "--resources", "cpus:4;mem:1024;disk:1000" }
        local stream = client.subscribe(FRAMEWORK):subscribed()
        local offer = stream:offer()
        local info = executor.info("e", {
            framework_id = stream.framework_id, resources = { scalar("cpus", 0.1), scalar("mem", 32), scalar("disk", 10) },
        })
        launch_group(stream, offer, info, { client.task(offer, "a", nil), client.task(offer, "b", nil) })
        local e = executor.started(offer, stream, "e"):subscribe()
        local tasks = e:find("LAUNCH_GROUP").launch_group.task_group.tasks
        assert.same({ "a", "b" }, { tasks[1].task_id.value, tasks[2].task_id.value })
        e:update("b", "TASK_FINISHED")
        assert.equal("TASK_FINISHED", stream:update().state)
        e:exit("0")
        assert.equal("a", wait_for(stream, "a", "TASK_FAILED").a.task_id.value)
    end)

    it("that is killed before its executor has it is killed as a whole", function()
        client.start { "--resources", "cpus:4;mem:1024;disk:1000" }
        local stream = client.subscribe(FRAMEWORK):subscribed()
        local offer = stream:offer()
        local info = executor.info("e", {
            framework_id = stream.framework_id, resources = { scalar("cpus", 0.1), scalar("mem", 32), scalar("disk", 10) },
        })
        launch_group(stream, offer, info, { client.task(offer, "a", nil), client.task(offer, "b", nil) })
        local e = executor.started(offer, stream, "e")
        stream:accepted("KILL", { task_id = { value = "b" } })
        for _, status in pairs(wait_for(stream, "a b", "TASK_KILLED")) do
            assert.same({ "REASON_TASK_KILLED_DURING_LAUNCH", "A task within the task group was killed before delivery to the executor" },
                { status.reason, status.message })
        end
        e:exit("0")
    end)
end)

-- ---- what a master refuses ----

-- How the group of the tasks "a" and "b" is changed, and what is said of each.
local REFUSED = {
    { "task 'a' is invalid", function(_, tasks) tasks[1].resources = nil end, "Task 'a' is invalid: Task uses no resources" },
    { "executor without an id of its framework", function(info) info.framework_id = nil end, "'ExecutorInfo.framework_id' must be set" },
    { "executor with a command", function(info) info.command = { value = "x" } end,
        "'ExecutorInfo.command' must not be set for 'DEFAULT' executor" },
    { "executor without a type", function(info) info.type = nil end, "'ExecutorInfo.type' must be set" },
    { "executor in a Docker container", function(info)
        info.type = "CUSTOM"
        info.command = { value = "x" }
        info.container = { type = "DOCKER", docker = { image = "x" } }
    end, "Docker ContainerInfo is not supported on the executor" },
    { "executor in another container", function(info) info.container = { type = "DOCKER", docker = { image = "x" } } end,
        "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor" },
    { "executor with an image", function(info)
        info.container = { type = "MESOS", mesos = { image = { type = "DOCKER", docker = { name = "x" } } } }
    end, "'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor" },
    { "task with another executor", function(info, tasks)
        tasks[2].executor = { executor_id = { value = "other" }, resources = info.resources }
    end, "The `ExecutorInfo` of task 'b' is different from executor 'pod'" },
    { "executor without cpus", function(info) info.resources = { scalar("mem", 32), scalar("disk", 10) } end,
        "Executor 'pod' uses less CPUs (None) than the minimum required (0.01)" },
    { "executor with few cpus", function(info) info.resources[1] = scalar("cpus", 0.005) end,
        "Executor 'pod' uses less CPUs (0.005) than the minimum required (0.01)" },
    { "executor without memory", function(info) info.resources = { scalar("cpus", 0.1), scalar("disk", 10) } end,
        "Executor 'pod' uses less memory (None) than the minimum required (32MB)" },
    { "executor with little memory", function(info) info.resources[2] = scalar("mem", 16.5) end,
        "Executor 'pod' uses less memory (16896KB) than the minimum required (32MB)" },
    { "executor without disk", function(info) info.resources = { scalar("cpus", 0.1), scalar("mem", 32) } end,
        "Executor 'pod' uses no disk" },
    { "more than there is", function(_, tasks) tasks[1].resources[1] = scalar("cpus", 100) end,
        "Total resources cpus(allocated: *):100.2; mem(allocated: *):48; disk(allocated: *):10 required by task group and its executor "
        .. "are more than available " },
    { "ports that overlap", function(_, tasks)
        for _, task in ipairs(tasks) do
            table.insert(task.resources, { name = "ports", type = "RANGES", ranges = { range = { { begin = 31000, ["end"] = 31001 } } } })
        end
    end, "There are overlapping resources in the task group's task resources { cpus(allocated: *):0.1" },
    { "health check by network in a container network", function(_, tasks)
        tasks[1].health_check = { type = "TCP", tcp = { port = 1 } }
        tasks[1].container = { type = "MESOS", network_infos = { { name = "x" } } }
    end, "Task 'a' is invalid: HTTP and TCP health checks are not supported for nested containers not joining parent's network" },
    { "task in a Docker container", function(_, tasks) tasks[1].container = { type = "DOCKER", docker = { image = "x" } } end,
        "Task 'a' is invalid: Docker ContainerInfo is not supported on the task" },
    { "limits", function(_, tasks) tasks[2].limits = { mem = { value = 64 } } end,
        "Task 'b' is invalid: Resource limits may only be set for tasks within a task group when the 'share_cgroups' field is set to "
        .. "'false'." },
    { "no command", function(_, tasks) tasks[2].command = nil end, "Task 'b' is invalid: the default executor of the local cluster" },
    { "what is not carried out", function(_, tasks) tasks[2].container = { type = "MESOS", hostname = "x" } end,
        "The local cluster does not carry out 'task_group.tasks[2].container.hostname'" },
}

describe("a group that a master refuses", function()
    after_each(client.stop)

    it("makes errors of all its tasks, in the words of a real one", function()
        client.start { "--resources", "cpus:4;mem:1024;disk:1000;ports:[31000-31010]" }
        local stream = client.subscribe(FRAMEWORK):subscribed()
        for _, row in ipairs(REFUSED) do
            local offer = stream:offer()
            local info, tasks = pod(stream, "pod"), { client.task(offer, "a", "true"), client.task(offer, "b", "true") }
            row[2](info, tasks)
            launch_group(stream, offer, info, tasks)
            for _, id in ipairs { "a", "b" } do
                local status = stream:update()
                assert.same({ row[1], id, "TASK_ERROR", "REASON_TASK_GROUP_INVALID", row[3] },
                    { row[1], status.task_id.value, status.state, status.reason, status.message:sub(1, #row[3]) })
            end
        end
    end)
end)
