-- SPDX-License-Identifier: Apache-2.0
--
-- Messages that the master writes and reads by hand are, byte for byte, those of protobuf-c: with any of their fields,
-- with what is seldom there, and with fields that are not known.

local internals = require("internals")

local TYPES = "mesos.v1."

-- Each value is there or not; of a list of values one is taken. Returns a message with what is drawn.
local function draw(fields)
    local message = {}
    for name, values in pairs(fields) do
        local place = math.random(0, #values)
        message[name] = values[place]
    end
    return message
end

local function one_of(values)
    return values[math.random(#values)]
end

-- Of wire type 0 and 2, with numbers that no message has.
local function unknown()
    return one_of { "", "", "", "\xf8\x7f\x05", "\xfa\x7f\x02hi" }
end

local ADDRESS = {
    { { ip_address = "10.0.0.1" } }, { { ip_address = "" } }, { { ip_address = "::1", protocol = "IPv6" } },
    { { ip_address = "10.0.0.1" }, { ip_address = "10.0.0.2" } }, { { protocol = "IPv4" } }, {},
}
local NETWORKS = {
    {}, { name = "net" }, { groups = { "public" } }, { labels = { labels = { { key = "k", value = "v" } } } },
    { port_mappings = { { host_port = 31000, container_port = 80 } } },
}

local function container()
    local network = one_of(NETWORKS)
    network.ip_addresses = one_of(ADDRESS)
    return draw {
        container_id = { { value = "c" }, { value = "" }, { value = "c", parent = { value = "p" } } },
        network_infos = { { network }, { network }, { network, network }, {} },
        executor_pid = { 0, 1, 4294967295 },
        cgroup_info = { {}, { net_cls = { classid = 7 } } },
    }
end

local function status()
    local message = draw {
        message = { "", "why", ("x"):rep(300) }, data = { "", "a\0b" }, agent_id = { { value = "S1" }, { value = "" } },
        executor_id = { { value = "e" } }, timestamp = { 0, 1.5, -1e300 }, healthy = { true, false },
        source = { "SOURCE_MASTER", 77 }, reason = { "REASON_RECONCILIATION", -1, 2147483647 },
        uuid = { ("\xff"):rep(16), "" }, container_status = { container(), container() },
    }
    if math.random(4) == 1 then
        local rare = draw {
            labels = { { labels = { { key = "k" } } }, {} }, unreachable_time = { { nanoseconds = 5 } },
            check_status = { { type = "COMMAND", command = { exit_code = 0 } } },
            limitation = { { resources = { { name = "mem", type = "SCALAR", scalar = { value = 1 } } } } },
        }
        for name, value in pairs(rare) do
            message[name] = value
        end
    end
    message.task_id = { value = one_of { "", "t", ("t"):rep(200) } }
    message.state = one_of { "TASK_RUNNING", "TASK_FINISHED", -1, 2147483647 }
    return message
end

local function resource()
    local message = draw {
        scalar = { { value = 0 }, { value = 1.001 }, { value = -1 / 0 } },
        ranges = { { range = { { 1, 2 }, { 5, math.maxinteger } } }, { range = { { 0, 0 } } }, {} },
        allocation_info = { { role = "a/b" }, { role = "" }, {} },
    }
    if math.random(4) == 1 then
        local rare = draw {
            role = { "*", "r" }, provider_id = { { value = "p" } }, revocable = { {} }, shared = { {} },
            disk = { { persistence = { id = "v", principal = "p" }, volume = { mode = "RW", container_path = "/" } } },
            reservations = { { { type = "STATIC", role = "r" } } }, set = { { item = { "a" } }, {} },
        }
        for name, value in pairs(rare) do
            message[name] = value
        end
    end
    message.name = one_of { "cpus", "", "mem", ("n"):rep(300) }
    message.type = one_of { "SCALAR", "RANGES", "SET" }
    return message
end

local function check(type, make)
    math.randomseed(7)
    for _ = 1, 1500 do
        local bytes = internals.encode(TYPES .. type, make()) .. unknown()
        local own, other = internals.encoded(TYPES .. type, bytes)
        assert.equal(other, own)
    end
end

-- A task with what a command seldom has, or not; its resources are any.
local function task_info()
    local message = { name = "n", task_id = { value = "t" }, agent_id = { value = "S1" }, resources = {} }
    for i = 1, math.random(0, 3) do
        message.resources[i] = resource()
    end
    if math.random(3) == 1 then
        for name, value in pairs(draw {
            labels = { { labels = { { key = "k", value = "v" } } } }, kill_policy = { {} }, data = { "a\0b", "" },
            command = { { value = "x", user = "u", arguments = { "a", "" }, environment = { variables = {
                { name = "A", value = "b" } } } } },
            container = { { type = "DOCKER", docker = { image = "i" } } },
            limits = { { mem = { value = 1.5 } } },
        }) do
            message[name] = value
        end
    end
    return message
end

local function encode(type, message)
    return internals.encode(TYPES .. type, message)
end

local function decode(type, bytes)
    return internals.decode(TYPES .. type, bytes)
end

describe("messages written by hand", function()
    it("are those of protobuf-c for updates, with their containers", function()
        check("TaskStatus", status)
    end)

    it("are those of protobuf-c for resources, which are read again as they were", function()
        check("Resource", resource)
        math.randomseed(8)
        for _ = 1, 1500 do
            local bytes = internals.encoded(TYPES .. "Resource", internals.encode(TYPES .. "Resource", resource()))
            assert.equal(bytes, internals.reread(bytes))
        end
    end)

    it("stand in the event that a framework is sent", function()
        math.randomseed(9)
        for _ = 1, 500 do
            local bytes = encode("TaskStatus", status())
            local event = { type = "UPDATE", update = { status = decode("TaskStatus", bytes) } }
            assert.equal(encode("scheduler.Event", event), internals.update_event(bytes))
        end
    end)

    it("are copied in one block with all that they have", function()
        math.randomseed(10)
        for _ = 1, 1500 do
            local type, make = "TaskStatus", status
            if math.random(2) == 1 then
                type, make = "TaskInfo", task_info
            end
            local bytes = encode(type, make()) .. unknown()
            local copy = internals.copied(TYPES .. type, bytes)
            assert.same({ #bytes, decode(type, bytes) }, { #copy, decode(type, copy) })
        end
    end)
end)

describe("a task that a master remembers", function()
    local function remembered(info, statuses)
        return decode("Task", internals.remembered(encode("TaskInfo", info), table.unpack(statuses)))
    end

    it("has what the framework said of it, with its state and its origin", function()
        math.randomseed(11)
        for _ = 1, 500 do
            local info = task_info()
            local task, given = remembered(info, {}), decode("TaskInfo", encode("TaskInfo", info))
            assert.same({ "n", "t", "S1", "F1", "TASK_STAGING" },
                { task.name, task.task_id, task.agent_id, task.framework_id, task.state })
            for _, name in ipairs { "resources", "labels", "container", "kill_policy", "limits" } do
                assert.same(given[name], task[name])
            end
            assert.equal(given.command and given.command.user, task.user)
        end
    end)

    it("has its statuses as they were sent, but for their data, and of equal states the latest", function()
        math.randomseed(12)
        for _ = 1, 300 do
            local sent, expected = {}, {}
            for i = 1, math.random(6) do
                local drawn = status()
                drawn.task_id, drawn.state = { value = "t" }, one_of { "TASK_STARTING", "TASK_RUNNING" }
                drawn.agent_id = ({ { value = "S1" } })[math.random(2)]
                drawn.executor_id = ({ { value = "t" }, { value = "e" } })[math.random(3)]
                sent[i] = encode("TaskStatus", drawn)
                local again = #expected > 0 and expected[#expected].state == drawn.state
                local kept = decode("TaskStatus", sent[i])
                kept.data = nil
                expected[again and #expected or #expected + 1] = kept
            end
            assert.same(expected, remembered(task_info(), sent).statuses)
        end
    end)

    it("has the first of many statuses, and the last ones", function()
        local sent, expected, messages = {}, {}, {}
        for i = 1, 45 do
            local state = i % 2 == 0 and "TASK_RUNNING" or "TASK_STARTING"
            sent[i] = encode("TaskStatus", { task_id = { value = "t" }, state = state, message = "m" .. i })
        end
        for i = 1, 32 do
            expected[i] = i == 1 and "m1" or "m" .. i + 13
        end
        for i, each in ipairs(remembered(task_info(), sent).statuses) do
            messages[i] = each.message
        end
        assert.same(expected, messages)
    end)
end)
