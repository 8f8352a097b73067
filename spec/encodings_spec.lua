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

describe("messages written by hand", function()
    it("are those of protobuf-c for updates", function()
        check("TaskStatus", status)
    end)

    it("are those of protobuf-c for containers", function()
        check("ContainerStatus", container)
    end)

    it("are those of protobuf-c for resources, which are read again as they were", function()
        check("Resource", resource)
        math.randomseed(8)
        for _ = 1, 1500 do
            local bytes = internals.encoded(TYPES .. "Resource", internals.encode(TYPES .. "Resource", resource()))
            assert.equal(bytes, internals.reread(bytes))
        end
    end)
end)
