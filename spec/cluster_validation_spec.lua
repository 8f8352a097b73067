-- SPDX-License-Identifier: Apache-2.0
--
-- The local cluster takes nothing that it then ignores: what a real master or agent refuses is refused in its words and
-- in its order, and what a real one would carry out and the local cluster does not is refused with the field's name.

local client = require("support.cluster_client")
local program = require("support.program")
local internals = require("internals")

local subscribe, task = client.subscribe, client.task

local MULTI_ROLE = { { type = "MULTI_ROLE" } }

local function scalar(name, value, more)
    local resource = { name = name, type = "SCALAR", scalar = { value = value } }
    for key, field in pairs(more or {}) do
        resource[key] = field
    end
    return resource
end

local function ranges(...)
    local list = select("#", ...) > 0 and {} or nil -- JSON has no empty list of ours
    for i, pair in ipairs { ... } do
        list[i] = { begin = pair[1], ["end"] = pair[2] }
    end
    return { name = "ports", type = "RANGES", ranges = { range = list } }
end

local function set(...)
    return { name = "tags", type = "SET", set = { item = select("#", ...) > 0 and { ... } or nil } }
end

-- A task whose resources are these.
local function with(...)
    return { resources = { ... } }
end

local function command(fields)
    fields.value = fields.value or "true"
    return { command = fields }
end

local function variable(fields)
    return command { environment = { variables = { fields } } }
end

local function reserved(...)
    return with(scalar("cpus", 0.1, { reservations = { ... } }))
end

local function disk(info, more)
    return with(scalar("cpus", 0.1), scalar("disk", 8, { disk = info, role = more and more.role, revocable = more and more.revocable }))
end

local volume = { container_path = "data", mode = "RW" }

-- What each task has, and what a real master says.
local REFUSALS = {
    -- times
    { { kill_policy = { grace_period = { nanoseconds = -1 } } }, "Task's 'kill_policy.grace_period' must be non-negative" },
    { { max_completion_time = { nanoseconds = -1 } }, "Task's `max_completion_time` must be non-negative" },
    -- checks
    { { check = { http = { port = 1 } } }, "Task uses invalid check: CheckInfo must specify 'type'" },
    { { check = { type = "UNKNOWN" } }, "Task uses invalid check: 'UNKNOWN' is not a valid check type" },
    { { check = { type = "COMMAND" } }, "Task uses invalid check: Expecting 'command' to be set for COMMAND check" },
    { { check = { type = "COMMAND", command = { command = { shell = false } } } },
        "Task uses invalid check: Command check must contain 'executable path'" },
    { { check = { type = "COMMAND", command = { command = { value = "x", environment = { variables = { { name = "A" } } } } } } },
        "Task uses invalid check: Check's `CommandInfo` is invalid: Environment variable 'A' of type 'VALUE' must have a value set" },
    { { check = { type = "HTTP" } }, "Task uses invalid check: Expecting 'http' to be set for HTTP check" },
    { { check = { type = "HTTP", http = { port = 1, path = "x" } } },
        "Task uses invalid check: The path 'x' of HTTP check must start with '/'" },
    { { check = { type = "TCP" } }, "Task uses invalid check: Expecting 'tcp' to be set for TCP check" },
    { { check = { type = "TCP", tcp = { port = 1 }, delay_seconds = -1 } },
        "Task uses invalid check: Expecting 'delay_seconds' to be non-negative" },
    { { check = { type = "TCP", tcp = { port = 1 }, interval_seconds = -1 } },
        "Task uses invalid check: Expecting 'interval_seconds' to be non-negative" },
    { { check = { type = "TCP", tcp = { port = 1 }, timeout_seconds = -1 } },
        "Task uses invalid check: Expecting 'timeout_seconds' to be non-negative" },
    { { health_check = { tcp = { port = 1 } } }, "Task uses invalid health check: HealthCheck must specify 'type'" },
    { { health_check = { type = "UNKNOWN" } }, "Task uses invalid health check: 'UNKNOWN' is not a valid health check type" },
    { { health_check = { type = "COMMAND" } },
        "Task uses invalid health check: Expecting 'command' to be set for COMMAND health check" },
    { { health_check = { type = "COMMAND", command = { arguments = { "x" } } } },
        "Task uses invalid health check: Command health check must contain 'shell command'" },
    { { health_check = { type = "HTTP" } }, "Task uses invalid health check: Expecting 'http' to be set for HTTP health check" },
    { { health_check = { type = "HTTP", http = { port = 1, scheme = "ftp" } } },
        "Task uses invalid health check: Unsupported HTTP health check scheme: 'ftp'" },
    { { health_check = { type = "HTTP", http = { port = 1, path = "x" } } },
        "Task uses invalid health check: The path 'x' of HTTP health check must start with '/'" },
    { { health_check = { type = "TCP" } }, "Task uses invalid health check: Expecting 'tcp' to be set for TCP health check" },
    { { health_check = { type = "TCP", tcp = { port = 1 }, grace_period_seconds = -1 } },
        "Task uses invalid health check: Expecting 'grace_period_seconds' to be non-negative" },
    { { health_check = { type = "TCP", tcp = { port = 1 }, interval_seconds = -1 } },
        "Task uses invalid health check: Expecting 'interval_seconds' to be non-negative" },
    -- resources
    { { resources = false }, "Task uses no resources" },
    { with(scalar("cpus", 0.1), scalar("gpus", 0.5)),
        "Task uses invalid resources: Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer" },
    { with(scalar("gpus", 0.5), scalar("gpus", 1)),
        "Task uses invalid resources: Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer" },
    { disk { persistence = { id = "v" }, volume = volume },
        "Task uses invalid resources: Invalid DiskInfo: Persistent volumes cannot be created from unreserved resources" },
    { disk({ persistence = { id = "v" }, volume = volume }, { revocable = { _ = nil } }),
        "Task uses invalid resources: Invalid DiskInfo: Persistent volumes cannot be created from revocable resources" },
    { disk({ persistence = { id = "v" } }, { role = "a" }),
        "Task uses invalid resources: Invalid DiskInfo: Expecting 'volume' to be set for persistent volume" },
    { disk({ persistence = { id = "v/w" }, volume = volume }, { role = "a" }),
        "Task uses invalid resources: Invalid DiskInfo: Invalid persistence ID for persistent volume: 'v/w' contains invalid characters" },
    { disk { volume = volume }, "Task uses invalid resources: Invalid DiskInfo: Non-persistent volume not supported" },
    { with(scalar("cpus", 0.1, { allocation_info = { role = "a" } }), scalar("mem", 8, { allocation_info = { role = "b" } })),
        "Invalid task resources: The resources have multiple allocation roles ('b' and 'a') but only one allocation role is allowed" },
    { with(scalar("cpus", 0.1, { revocable = { _ = nil } }), scalar("cpus", 0.1)),
        "Task mixes revocable and non-revocable resources: Cannot use both revocable and non-revocable 'cpus' at the same time" },
    { with(scalar("cpus", 64)),
        "Total resources cpus(allocated: *):64 required by task and its executor is more than available " ..
        "cpus(allocated: *):4; mem(allocated: *):1024; ports(allocated: *):[31000-31099]" },
    { with(scalar("cpus", 0.1), scalar("mem", 8, { provider_id = { value = "p" } })), "^Total resources .* is more than available " },
    { with(scalar("cpus", 0.1), scalar("unobtainium", 1)), "^Total resources .* is more than available " },
    { with(scalar("cpus", 0.1), ranges({ 1, 2 })), "^Total resources .* is more than available " },
    -- command
    { variable { name = "A" },
        "Task's `CommandInfo` is invalid: Environment variable 'A' of type 'VALUE' must have a value set" },
    { variable { name = "A", value = "x", secret = { type = "VALUE", value = { data = "eA==" } } },
        "Task's `CommandInfo` is invalid: Environment variable 'A' of type 'VALUE' must not have a secret set" },
    { variable { name = "A", value = "x", type = "UNKNOWN" },
        "Task's `CommandInfo` is invalid: Environment variable of type 'UNKNOWN' is not allowed" },
    { variable { name = "A", type = "SECRET" },
        "Task's `CommandInfo` is invalid: Environment variable 'A' of type 'SECRET' must have a secret set" },
    { variable { name = "A", type = "SECRET", value = "x", secret = { type = "VALUE", value = { data = "eA==" } } },
        "Task's `CommandInfo` is invalid: Environment variable 'A' of type 'SECRET' must not have a value set" },
    { variable { name = "A", type = "SECRET", secret = { type = "REFERENCE" } },
        "Task's `CommandInfo` is invalid: Environment variable 'A' specifies an invalid secret: " ..
        "Secret of type REFERENCE must have the 'reference' field set" },
    { variable { name = "A", type = "SECRET", secret = { type = "VALUE", value = { data = "AA==" } } },
        "Task's `CommandInfo` is invalid: Environment variable 'A' specifies a secret containing null bytes, " ..
        "which is not allowed in the environment" },
    { { command = { shell = true } }, "Shell command of task '1' is not specified" },
    { { command = { shell = false, arguments = { "x" } } }, "Executable of task '1' is not specified" },
    { { command = false }, "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present" },
    { { executor = { executor_id = { value = "e" }, command = { value = "x" } } },
        "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present" },
    -- container
    { { container = { type = "DOCKER" } },
        "Task's `ContainerInfo` is invalid: DockerInfo 'docker' is not set for DOCKER typed ContainerInfo" },
    { { container = { type = "DOCKER", docker = { image = "x", parameters = { { key = "name", value = "n" } } } } },
        "Task's `ContainerInfo` is invalid: Parameter in DockerInfo must not be 'name'" },
    { { container = { type = "MESOS", volumes = { { container_path = "x", mode = "RW" } } } },
        "Task's `ContainerInfo` is invalid: Invalid volume: Only one of them should be set: 'host_path', 'image' and 'source'" },
    { { container = { type = "MESOS", volumes = { { container_path = "x", mode = "RW", source = { type = "SECRET" } } } } },
        "Task's `ContainerInfo` is invalid: Invalid volume: 'source.secret' is not set for SECRET volume" },
    { { container = { type = "MESOS", linux_info = { share_cgroups = false } } },
        "Only tasks in a task group may have 'share_cgroups' set to 'false'" },
}

-- One that is malformed spoils the whole operation; the resource is named.
local MALFORMED = {
    { scalar("cpus", -1), "Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0" },
    { scalar("cpus", 0.0001), "Resource 'cpus:0.0001' is invalid: Invalid scalar resource: value <= 0" },
    { scalar("cpus", 1e300), "Resource 'cpus:1e+300' is invalid: Invalid scalar resource: value <= 0" },
    { scalar("", 1), "Resource ':1' is invalid: Empty resource name" },
    { { name = "cpus", type = "SCALAR" }, "Resource 'cpus:0' is invalid: Invalid scalar resource" },
    { { name = "cpus", type = "SCALAR", scalar = { value = 1 }, set = { item = { "x" } } },
        "Resource 'cpus:1' is invalid: Invalid scalar resource" },
    { { name = "x", type = "TEXT" }, "Resource 'x:' is invalid: Unsupported resource type" },
    { ranges({ 5, 1 }), "Resource 'ports:[5-1]' is invalid: Invalid ranges resource: begin > end" },
    { ranges({ 1, 5 }, { 5, 9 }), "Resource 'ports:[1-5, 5-9]' is invalid: Invalid ranges resource: overlapping ranges" },
    { { name = "ports", type = "RANGES" }, "Resource 'ports:[]' is invalid: Invalid ranges resource" },
    { set("a", "b", "a"), "Resource 'tags:{a, b, a}' is invalid: Invalid set resource: duplicated elements" },
    { scalar("cpus", 1, { disk = { source = { type = "PATH" } } }),
        "Resource 'cpus[PATH]:1' is invalid: DiskInfo should not be set for cpus resource" },
    { scalar("disk", 1, { disk = { source = { type = "RAW", path = { root = "x" } } } }),
        "Resource 'disk[RAW]:1' is invalid: Path should not be set for RAW disk source" },
    { scalar("cpus", 1, { role = "/a" }), "Resource 'cpus:1' is invalid: Role '/a' cannot start with a slash" },
    { scalar("cpus", 1, { role = "a", reservation = { role = "a" } }),
        "Resource 'cpus:1' is invalid: 'Resource.ReservationInfo.role' must not be set for the 'Resource.reservation' field" },
    { scalar("cpus", 1, { reservation = { principal = "p" } }),
        "Resource 'cpus:1' is invalid: Invalid reservation: role \"*\" cannot be dynamically reserved" },
    { scalar("cpus", 1, { shared = { _ = nil } }), "Resource 'cpus<SHARED>:1' is invalid: Resource cpus cannot be shared" },
    { scalar("disk", 1, { shared = { _ = nil } }), "Resource 'disk<SHARED>:1' is invalid: Only persistent volumes can be shared" },
    { reserved({ role = "a" }).resources[1], "Invalid reservation: 'Resource.ReservationInfo.type' field must be set." },
    { reserved({ type = "STATIC" }).resources[1], "Invalid reservation: 'Resource.ReservationInfo.role' field must be set." },
    { reserved({ type = "STATIC", role = "*" }).resources[1], 'Invalid reservation: role "*" cannot be reserved' },
    { reserved({ type = "STATIC", role = "a b" }).resources[1], "because it contains backspace or whitespace" },
    { reserved({ type = "STATIC", role = "a" }, { type = "STATIC", role = "a/b" }).resources[1],
        "Invalid refined reservation: A refined reservation cannot be STATIC" },
    { reserved({ type = "STATIC", role = "a" }, { type = "DYNAMIC", role = "b" }).resources[1],
        "Invalid refined reservation: role 'b' is not a refinement of 'a'" },
    { scalar("cpus", 1, { role = "b", reservations = { { type = "STATIC", role = "a" } } }),
        "Invalid resource format: 'Resource.role' field with 'b' does not match the role 'a' in 'Resource.reservations'" },
    { scalar("cpus", 1, { role = "a", reservations = { { type = "DYNAMIC", role = "a" } } }),
        "must either be both set or both not set if the single reservation in 'Resource.reservations' is DYNAMIC" },
}

-- What is valid, and the local cluster does not do: the field that the answer names.
local NOT_DONE = {
    { { limits = { cpus = { value = 2 } } }, "limits" },
    { { container = { type = "DOCKER", docker = { image = "x" } } }, "container.docker" },
    { { container = { type = "MESOS", mesos = { image = { type = "DOCKER", docker = { name = "x" } } } } },
        "container.mesos.image" },
    { { container = { type = "MESOS", volumes = { { container_path = "x", host_path = "/tmp", mode = "RW" } } } },
        "container.volumes" },
    { { container = { type = "MESOS", hostname = "x" } }, "container.hostname" },
    { { container = { type = "MESOS", network_infos = { { labels = { labels = nil } }, { name = "net" } } } },
        "container.network_infos[2].name" },
    { { container = { type = "MESOS", linux_info = { shm_size = 8 } } }, "container.linux_info" },
    { { container = { type = "MESOS", linux_info = { ipc_mode = "PRIVATE" } } }, "container.linux_info" },
    { { container = { type = "MESOS", rlimit_info = { rlimits = { { type = "RLMT_NOFILE" } } } } }, "container.rlimit_info" },
    { { container = { type = "MESOS", tty_info = { window_size = { rows = 1, columns = 1 } } } }, "container.tty_info" },
    { variable { name = "A", type = "SECRET", secret = { type = "VALUE", value = { data = "eA==" } } },
        "command.environment.variables[1].secret" },
}

local HARMLESS = {
    labels = { labels = { { key = "a", value = "b" } } }, data = "eA==",
    discovery = { visibility = "CLUSTER", name = "x", ports = { ports = { { number = 1 } } } },
    container = { type = "MESOS", network_infos = { { labels = { labels = nil } } } },
}

-- Launches one task for each row, named by its number, and returns the first update of each by its number.
local function first_updates(rows)
    local stream = subscribe():subscribed()
    local offer, tasks, found, count = stream:offer(), {}, {}, 0
    for i, row in ipairs(rows) do
        tasks[i] = task(offer, tostring(i), "true", row[1])
    end
    stream:launch(offer, tasks)
    while count < #rows do
        local status = stream:update()
        local i = tonumber(status.task_id.value)
        if not found[i] then
            found[i], count = status, count + 1
        end
    end
    return found
end

describe("the local cluster", function()
    before_each(function()
        client.start { "--resources", "cpus:4;mem:1024;disk:0;ports:[31000-31099]" }
    end)
    after_each(client.stop)

    it("refuses each task that a real master refuses, in its words", function()
        for i, status in ipairs(first_updates(REFUSALS)) do
            local expected = REFUSALS[i][2]:gsub("^(S%a+ %a+ of task '1')", function(text)
                return (text:gsub("'1'", "'" .. i .. "'"))
            end):gsub("of task '1'", "of task '" .. i .. "'")
            assert.same({ "TASK_ERROR", "REASON_TASK_INVALID", "SOURCE_MASTER" }, { status.state, status.reason, status.source },
                expected)
            if expected:sub(1, 1) == "^" then
                assert.matches(expected, status.message)
            else
                assert.equal(expected, status.message)
            end
            assert.is_nil(status.uuid)
        end
    end)

    it("refuses ids that a real master refuses, and no other", function()
        local long = ("x"):rep(256)
        local wrong = {
            [""] = "ID must not be empty", [long] = "ID must not be greater than 255 characters",
            ["."] = "'.' is disallowed", [".."] = "'..' is disallowed",
        }
        for _, id in ipairs { "a/b", "a\\b", "a\nb", "a\tb", "\1", "a\127b" } do
            wrong[id] = "'" .. id .. "' contains invalid characters"
        end
        local stream = subscribe():subscribed()
        local offer, tasks, left = stream:offer(), {}, {}
        for id, words in pairs(wrong) do
            tasks[#tasks + 1], left[id] = task(offer, id, "true"), words
        end
        for _, id in ipairs { "a b", "-a", "...", "a:b", "\u{e4}" } do
            tasks[#tasks + 1], left[id] = task(offer, id, "true"), "TASK_STARTING"
        end
        stream:launch(offer, tasks)
        while next(left) do
            local status = stream:update()
            local id = status.task_id.value
            if left[id] then
                assert.equal(left[id], status.message or status.state, id)
                left[id] = nil
            end
        end
    end)

    it("refuses a whole operation for one malformed resource, and names it", function()
        local stream = subscribe():subscribed()
        local offer, operations = stream:offer(), {}
        for i, row in ipairs(MALFORMED) do
            local tasks = { task(offer, "good" .. i, "true"), task(offer, "bad" .. i, "true", with(row[1])) }
            operations[i] = { type = "LAUNCH", launch = { task_infos = tasks } }
        end
        stream:accepted("ACCEPT", { offer_ids = { offer.id }, operations = operations })
        for i, row in ipairs(MALFORMED) do
            for _, name in ipairs { "good", "bad" } do
                local status = stream:update()
                assert.same({ "TASK_ERROR", "REASON_TASK_INVALID", name .. i },
                    { status.state, status.reason, status.task_id.value }, row[2])
                assert.truthy(status.message:find(row[2], 1, true), status.message)
            end
        end
    end)

    it("takes resources of 0 and empty ones as a real master does, which drops them", function()
        local stream = subscribe():subscribed()
        local offer = stream:offer()
        stream:launch(offer, {
            task(offer, "none", "true", with(scalar("cpus", 0.1), scalar("mem", 0), ranges(), set())),
        })
        assert.equal("TASK_STARTING", stream:update().state)
    end)

    it("refuses what it does not carry out, names the field and says what to do", function()
        for i, status in ipairs(first_updates(NOT_DONE)) do
            assert.same({ "TASK_ERROR", "REASON_TASK_INVALID" }, { status.state, status.reason }, NOT_DONE[i][2])
            local words = "The local cluster does not carry out '" .. NOT_DONE[i][2] .. "': "
            assert.equal(words, status.message:sub(1, #words))
            assert.is_true(#status.message > #words + 20)
        end
    end)

    it("takes what describes a task only", function()
        local stream = subscribe():subscribed()
        local offer = stream:offer()
        stream:launch(offer, { task(offer, "described", "true", HARMLESS) })
        assert.equal("TASK_FINISHED", select(2, stream:results(1)).described.state)
    end)

    it("looks at uris before it fetches the first, as an agent does", function()
        local wrong = {
            [{ value = "/etc/it's" }] = "Could not fetch: Illegal characters in URI",
            [{ value = "file:///" }] = "Could not fetch: Malformed URI (missing path): file:///",
            [{ value = "/etc/hostname", output_file = "" }] = "Could not fetch: URI output file path is empty",
            [{ value = "/etc/hostname", output_file = "/tmp/x" }] =
                "Could not fetch: URI output file must be within the sandbox directory",
            [{ value = "relative" }] = "Failed to fetch 'relative': the local cluster fetches from web servers",
            [{ value = "/etc/hostname", output_file = "../x" }] = "'../x' is not the name of a file in the sandbox",
        }
        for uri, text in pairs(wrong) do
            local stream = subscribe():subscribed()
            local offer = stream:offer()
            stream:launch(offer, { task(offer, "t", { value = "true", uris = { { value = "/etc/hostname" }, uri } }) })
            local status = stream:update()
            assert.same({ "TASK_FAILED", "REASON_CONTAINER_LAUNCH_FAILED", "SOURCE_AGENT" },
                { status.state, status.reason, status.source }, text)
            assert.truthy(status.message:find("Failed to launch container: ", 1, true))
            assert.truthy(status.message:find(text, 1, true), status.message)
            stream:accepted("TEARDOWN")
        end
    end)

    it("has no limit of time for a task whose max_completion_time is 0", function()
        local stream = subscribe():subscribed()
        local offer = stream:offer()
        stream:launch(offer, { task(offer, "t", "true", { max_completion_time = { nanoseconds = 0 } }) })
        assert.equal("TASK_FINISHED", select(2, stream:results(1)).t.state)
    end)

    it("looks at all offers of a call by one rule before the next", function()
        local stream = subscribe():subscribed()
        local offer, unknown = stream:offer(), { value = "none" }
        stream:accepted("ACCEPT", {
            offer_ids = { unknown, offer.id, offer.id },
            operations = { { type = "LAUNCH", launch = { task_infos = { task(offer, "t", "true") } } } },
        })
        assert.equal("Task launched with invalid offers: Duplicate offer " .. offer.id.value .. " in offer list",
            stream:update().message)
    end)

    it("answers a text with a NUL in it with 400 and its path", function()
        local function field(number, bytes)
            return string.char(number << 3 | 2, #bytes) .. bytes
        end
        local call = field(1, field(1, "f")) .. "\x10\x06" .. field(6, field(1, field(1, "a\0b"))) -- KILL
        client.refused(400, "Failed to parse body into Call protobuf: kill.task_id.value: the text has a NUL in it",
            "@" .. program.script(call, "call"), { headers = { ["Content-Type"] = "application/x-protobuf" } })
        local status, text = client.request('{"type":"KILL","framework_id":{"value":"a\\u0000b"},"kill":{"task_id":{"value":"x"}}}')
        assert.equal(400, status)
        assert.matches("^Failed to parse body into JSON: ", text)
    end)

    it("refuses the FrameworkInfo that a real master refuses", function()
        local filters = function(quantities)
            return { offer_filters = { ["*"] = { min_allocatable_resources = { quantities = quantities } } } }
        end
        local wrong = {
            { { roles = { "/a", "/a" }, capabilities = MULTI_ROLE }, "'FrameworkInfo.roles' contains duplicate items: { /a }" },
            { { role = "a b" }, "'FrameworkInfo.role' is not a valid role: Role component 'a b' is invalid because it " ..
                "contains backspace or whitespace" },
            { { id = { value = ("x"):rep(256) } }, "ID must not be greater than 255 characters" },
            { { failover_timeout = -1e300 }, "The framework failover_timeout (-1e+300) is invalid" },
            { filters { { quantities = nil } }, "Resource quantities must contain at least one quantity" },
            { filters { { quantities = { cpus = { value = -1 } } } },
                "Invalid resource quantity for 'cpus': Negative values not supported" },
        }
        for _, row in ipairs(wrong) do
            local stream = subscribe(row[1])
            assert.equal(row[2], stream:next().error.message)
            stream.run:kill()
        end
        assert.is_truthy(subscribe({ role = "a\bb" }):subscribed().framework_id) -- only 0x7f counts as backspace there
    end)

    it("offers no less than offer_filters ask for, and less than usual if they say so", function()
        local function least(quantities)
            return { offer_filters = { ["*"] = { min_allocatable_resources = { quantities = { { quantities = quantities } } } } } }
        end
        local stream = subscribe(least { cpus = { value = 5 } }):subscribed()
        assert.is_nil(stream:find("OFFERS", 1.3))
        stream:accepted("TEARDOWN")
        stream = subscribe(least { ports = { value = 100 } }):subscribed()
        assert.is_truthy(stream:offer())
        stream:accepted("TEARDOWN")
    end)
end)

describe("the table of fields of the local cluster", function()
    it("has a row for each field that a framework can set, and no other", function()
        assert.same({}, internals.cluster_fields_without_support())
        assert.same({}, internals.cluster_support_without_field())
    end)

    it("is told in full where the list of conformance says how the local cluster differs", function()
        local list = program.read("spec/CONFORMANCE.md")
        local refused = internals.cluster_refused()
        assert.is_true(#refused > 10)
        for _, field in ipairs(refused) do
            assert.truthy(list:find("`" .. field .. "`", 1, true), field)
        end
    end)
end)
