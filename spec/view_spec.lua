-- SPDX-License-Identifier: Apache-2.0
--
-- Views: received offers and statuses read like tables, cannot be changed, and count what a framework may use.

local recordings = require("support.recordings")
local internals = require("internals")

local EVENT, OFFER, STATUS = "mesos.v1.scheduler.Event", "mesos.v1.Offer", "mesos.v1.TaskStatus"

local function scalar(name, value, changes)
    local resource = { name = name, type = "SCALAR", scalar = value }
    for key, item in pairs(changes or {}) do
        resource[key] = item
    end
    return resource
end

local function ports(ranges, changes)
    local resource = { name = "ports", type = "RANGES", ranges = { range = ranges } }
    for key, item in pairs(changes or {}) do
        resource[key] = item
    end
    return resource
end

local function offer(changes)
    local value = { id = "o1", framework_id = "f1", agent_id = "a1", hostname = "host" }
    for key, item in pairs(changes or {}) do
        value[key] = item
    end
    return internals.view(OFFER, internals.encode(OFFER, value))
end

local function allocated(role, resources)
    return offer({ allocation_info = { role = role }, resources = resources })
end

local function reserved(...)
    local reservations = {}
    for i, role in ipairs({ ... }) do
        reservations[i] = { type = "DYNAMIC", role = role }
    end
    return { reservations = reservations }
end

local function status(changes)
    local value = { task_id = "t1", state = "TASK_RUNNING", uuid = ("\0\200"):rep(8) }
    for key, item in pairs(changes or {}) do
        value[key] = item
    end
    return internals.view(STATUS, internals.encode(STATUS, value))
end

describe("a view", function()
    it("reads like the message", function()
        local it = status({ healthy = false, timestamp = 1.5, source = "SOURCE_EXECUTOR", labels = { labels = { { key = "k" } } } })
        assert.equal("t1", it.task_id)
        assert.equal("TASK_RUNNING", it.state)
        assert.equal(("\0\200"):rep(8), it.uuid)
        assert.is_false(it.healthy)
        assert.equal(1.5, it.timestamp)
        assert.equal("k", it.labels.labels[1].key)
        assert.is_nil(it.message)
        assert.is_nil(it.container_status)
    end)

    it("gives the same table each time", function()
        local it = offer({ resources = { scalar("cpus", 1) } })
        assert.equal(it.resources, it.resources)
        assert.equal(it.attributes, it.attributes)
        assert.same({}, it.attributes)
        assert.equal(it.ports, it.ports)
    end)

    it("gives the same tables, however many it has, and in any order", function()
        local names = {
            "url", "resources", "ports", "attributes", "domain", "executor_ids", "unavailability", "allocation_info",
        }
        for _, hostname in ipairs { "short", ("h"):rep(2000) } do
            local it, found = offer({
                hostname = hostname, resources = { ports({ { 1, 2 } }) }, url = { scheme = "http", address = { port = 1 } },
                unavailability = { start = { nanoseconds = 1 } }, allocation_info = { role = "r" },
                domain = { fault_domain = { region = { name = "r" }, zone = { name = "z" } } },
            }), {}
            for _, name in ipairs(names) do
                found[name] = it[name]
                assert.equal("table", type(found[name]))
            end
            collectgarbage()
            for i = #names, 1, -1 do
                assert.equal(found[names[i]], it[names[i]])
            end
            assert.equal("r", it.allocation_info.role)
            assert.equal(hostname, it.hostname)
            assert.same({ { 1, 2 } }, it.ports)
        end
    end)

    it("reads the last of several numbers or texts, whether few fields are read or many", function()
        local bytes = internals.encode(STATUS, { task_id = "t1", state = "TASK_RUNNING", timestamp = 1.5, message = "first" })
        local again = "\16\2" .. "\34\4last" .. "\192\62\1" -- state, message, and a field of a number above 15
        for _, more in ipairs { again, again .. ("\34\200\1" .. ("x"):rep(200)), again .. "\34\0" .. ("\194\62\1x"):rep(3) } do
            local message = #more > 200 and ("x"):rep(200) or more == again and "last" or ""
            local it = internals.view(STATUS, bytes .. more)
            for _ = 1, 3 do
                assert.same({ "TASK_FINISHED", message, 1.5 }, { it.state, it.message, it.timestamp })
                assert.is_nil(it.reason)
                assert.is_nil(it.uuid)
            end
        end
    end)

    it("reads like the message whatever its size", function()
        for length = 65430, 65560 do
            local it = offer({
                hostname = ("h"):rep(length), resources = { scalar("cpus", 1.5), ports({ { 1, 2 } }) },
                attributes = { { name = "rack", type = "TEXT", text = "r1" } }, allocation_info = { role = "r" },
            })
            assert.equal("o1 a1 1.5 r1 r 2", ("%s %s %g %s %s %d"):format(it.id, it.agent_id, it.cpus,
                it:attribute("rack"), it.allocation_info.role, it.ports[1][2]))
            assert.equal(length, #it.hostname)
        end
    end)

    it("knows its fields", function()
        assert.error_matches(function()
            return status().stat
        end, "TaskStatus has no field 'stat' %(did you mean 'state'%?%)$")
        assert.error_matches(function()
            return offer()[1]
        end, "Offer has no field '1'$")
    end)

    it("cannot be changed", function()
        assert.error_matches(function()
            status().state = "TASK_LOST"
        end, "TaskStatus is read%-only; use :table%(%) for a copy$")
    end)

    it("iterates over what it has, in the order of the fields", function()
        local keys, values = {}, {}
        for key, value in pairs(offer({ hostname = "h", resources = { scalar("cpus", 1) } })) do
            keys[#keys + 1] = key
            values[key] = value
        end
        assert.same({ "id", "framework_id", "agent_id", "hostname", "resources" }, keys)
        assert.equal("h", values.hostname)
        assert.equal("cpus", values.resources[1].name)
    end)

    it("gives plain copies", function()
        local it = status({ labels = { labels = { { key = "k" } } } })
        local copy = it:table()
        assert.is_nil(getmetatable(copy))
        copy.state = "TASK_LOST"
        assert.equal("TASK_RUNNING", it.state)
        assert.equal(internals.encode(STATUS, it), internals.encode(STATUS, it:table()))
        assert.error_matches(function()
            it.table()
        end, "message %(call it as view:table%(%)%) expected")
    end)

    it("prints like the table", function()
        local it = status({ uuid = "\1" })
        assert.equal('TaskStatus { task_id = "t1", state = "TASK_RUNNING", uuid = "\\x01" }', tostring(it))
        assert.equal(tostring(internals.decode(STATUS, internals.encode(STATUS, it))), tostring(it))
    end)

    it("equals another one of the same bytes", function()
        assert.is_true(status() == status())
        assert.is_false(status() == status({ state = "TASK_LOST" }))
        assert.is_false(status() == offer())
    end)

    it("is taken where its message is, and only there", function()
        local it = offer()
        assert.same({ type = "OFFERS", offers = { offers = { it:table() } } },
            internals.decode_plain(EVENT, internals.encode(EVENT, { type = "OFFERS", offers = { offers = { it } } })))
        local ok, message = pcall(internals.encode, EVENT, { type = "OFFERS", offers = { offers = { status() } } })
        assert.is_false(ok)
        assert.equal("offers.offers[1]: Offer expected, got TaskStatus", message)
        ok, message = pcall(internals.encode, "mesos.v1.OfferID", it, "id")
        assert.is_false(ok)
        assert.equal("id: OfferID expected, got Offer", message)
        ok, message = pcall(internals.encode, STATUS, { task_id = "x", state = "TASK_LOST", message = it })
        assert.is_false(ok)
        assert.equal("message: string expected, got Offer", message)
    end)

    it("is a plain value for a message that is one", function()
        assert.equal("o1", internals.view("mesos.v1.OfferID", internals.encode("mesos.v1.OfferID", "o1")))
    end)

    it("adds up a message that comes in pieces", function()
        local first = internals.encode(STATUS, { task_id = "a", state = "TASK_LOST", labels = { labels = { { key = "1" } } } })
        local second = internals.encode(STATUS, { task_id = "b", state = "TASK_LOST", labels = { labels = { { key = "2" } } } })
        local it = internals.view(STATUS, first .. second)
        assert.equal("b", it.task_id)
        assert.same({ { key = "1" }, { key = "2" } }, it.labels.labels)
        assert.equal("a", internals.view(STATUS, first .. "\10\0").task_id)
    end)

    it("keeps its bytes as long as it lives", function()
        local views = {}
        for i = 1, 200 do
            views[i] = status({ task_id = "task-" .. i, message = ("m"):rep(1000) })
            if i % 50 == 0 then
                collectgarbage()
            end
        end
        collectgarbage()
        for i = 1, 200 do
            assert.equal("task-" .. i, views[i].task_id)
            assert.equal(1000, #views[i].message)
        end
    end)

    it("does not confuse its functions' arguments", function()
        local meta = getmetatable(offer())
        assert.has_error(function()
            meta.__index("x", "id")
        end)
        assert.has_error(function()
            meta.__index(status(), "id")
        end)
        assert.has_error(function()
            offer().attribute(status(), "rack")
        end)
    end)
end)

describe("an offer", function()
    it("has sums of its scalars, in thousandths", function()
        local it = offer({ resources = {
            scalar("cpus", 0.1), scalar("cpus", 0.2), scalar("mem", 512), scalar("disk", 1024.0004), scalar("bandwidth", 5),
        } })
        assert.equal(0.3, it.cpus)
        assert.equal(512.0, it.mem)
        assert.equal(1024.0, it.disk)
        assert.equal(0.0, it.gpus)
    end)

    it("does not take a name that goes on behind a zero byte for one of them", function()
        local it = offer({ resources = { scalar("mem", 512), scalar("mem\0", 2), scalar("cpus\0", 2), scalar("cpu", 2) } })
        assert.equal(512.0, it.mem)
        assert.equal(0.0, it.cpus)
    end)

    it("counts its role's reservations and no other's, in the new format", function()
        local it = allocated("web", {
            scalar("cpus", 1), scalar("cpus", 2, reserved("web")), scalar("cpus", 4, reserved("db")),
            scalar("cpus", 8, reserved("web", "web/a")), scalar("cpus", 16, reserved("db", "web")),
        })
        assert.equal(1.0 + 2.0 + 16.0, it.cpus)
    end)

    it("counts its role's reservations and no other's, in the old format", function()
        local it = allocated("web", {
            scalar("cpus", 1, { role = "*" }), scalar("cpus", 2, { role = "web" }), scalar("cpus", 4, { role = "db" }),
            scalar("cpus", 8, { role = "web", reservation = { principal = "p" } }),
            scalar("cpus", 16, { role = "db", reservation = { principal = "p" } }),
        })
        assert.equal(1.0 + 2.0 + 8.0, it.cpus)
    end)

    it("counts any reservation where no role is named", function()
        local it = offer({ resources = { scalar("cpus", 1, { role = "*" }), scalar("cpus", 2, { role = "web" }) } })
        assert.equal(3.0, it.cpus)
    end)

    it("takes the last role of a resource that names several", function()
        local function again(first, last)
            local it = allocated("db", { scalar("cpus", 2, { role = first }) })
            local bytes = internals.encode(OFFER, { id = "o1", framework_id = "f1", agent_id = "a1", hostname = "h",
                allocation_info = { role = "db" } })
            local resource = internals.encode("mesos.v1.Resource", it.resources[1]) .. "\50" .. string.char(#last) .. last
            return internals.view(OFFER, bytes .. "\42" .. string.char(#resource) .. resource).cpus
        end
        assert.equal(2.0, again("web", "*"))
        assert.equal(2.0, again("web", "db"))
        assert.equal(0.0, again("*", "web"))
    end)

    it("takes a reservation before a role, in whichever order they come", function()
        local offer_bytes = internals.encode(OFFER, { id = "o1", framework_id = "f1", agent_id = "a1", hostname = "h",
            allocation_info = { role = "db" } })
        local resource = internals.encode("mesos.v1.Resource", scalar("cpus", 2, reserved("db"))) .. "\50\3web"
        assert.equal(2.0, internals.view(OFFER, offer_bytes .. "\42" .. string.char(#resource) .. resource).cpus)
    end)

    it("never counts what is revocable", function()
        local it = allocated("web", {
            scalar("cpus", 1), scalar("cpus", 2, { revocable = {} }),
            ports({ { 1, 2 } }, { revocable = {} }), ports({ { 5, 6 } }),
        })
        assert.equal(1.0, it.cpus)
        assert.same({ { 5, 6 } }, it.ports)
    end)

    it("has ports, sorted and joined", function()
        local it = allocated("web", {
            ports({ { 31005, 31006 }, { 31000, 31002 } }), ports({ { 31003, 31003 }, { 31010, 31020 } }, reserved("web")),
            ports({ { 31015, 31017 } }), ports({ { 1, 65535 } }, reserved("db")),
        })
        assert.same({ { 31000, 31003 }, { 31005, 31006 }, { 31010, 31020 } }, it.ports)
        assert.same({}, offer().ports)
        assert.same({ { 7, 7 } }, offer({ resources = { ports({ { 9, 8 }, { 7, 7 } }) } }).ports)
    end)

    it("has the ports that the bytes say, however they are written", function()
        local base = internals.encode(OFFER, { id = "o1", framework_id = "f1", agent_id = "a1", hostname = "h" })
        local function field(number, bytes)
            return string.char(number * 8 + 2, #bytes) .. bytes
        end
        for bytes, expected in pairs {
            ["\8\1\16\2"] = "1-2", ["\16\2\8\1"] = "1-2", ["\8\1\16\2\8\0"] = "0-2", ["\8\128\0\16\2"] = "0-2",
            ["\8\255\255\127\16\255\255\127"] = "2097151-2097151", ["\8\1\16\2\24\7"] = "1-2",
            ["\8\128\128\128\1\16\128\128\128\1"] = "2097152-2097152", ["\8\2\16\1"] = "", ["\24\7\8\1\16\2"] = "1-2",
        } do
            local resource = field(1, "ports") .. "\16\1" .. field(4, field(1, bytes))
            local it = internals.view(OFFER, base .. field(5, resource))
            local range = it.ports[1]
            assert.equal(expected, range and ("%d-%d"):format(range[1], range[2]) or "")
        end
    end)

    it("has as many ports as there are", function()
        local ranges, expected = {}, {}
        for i = 40, 1, -1 do
            ranges[#ranges + 1] = { 1000 * i, 1000 * i + 5 }
            expected[i] = { 1000 * i, 1000 * i + 5 }
        end
        assert.same(expected, offer({ resources = { ports(ranges) } }).ports)
    end)

    it("finds attributes whose names are written in an unusual way", function()
        local function bytes(number, text)
            return string.char(number << 3 | 2, #text & 0x7f | 0x80, #text >> 7) .. text
        end
        local head = internals.encode(OFFER, { id = "o1", framework_id = "f1", agent_id = "a1", hostname = "host" })
        local text, type = bytes(5, bytes(1, "value")), "\x10\x03"
        local long = ("n"):rep(200)
        local it = internals.view(OFFER, head .. bytes(7, type .. text .. bytes(1, "behind")) ..
            bytes(7, bytes(1, "first") .. bytes(1, "last") .. type .. text) ..
            bytes(7, bytes(1, long) .. type .. text) .. bytes(7, bytes(1, "usual") .. type .. text))
        for _, name in ipairs({ "behind", "last", long, "usual" }) do
            assert.equal("value", it:attribute(name))
        end
        assert.is_nil(it:attribute("first"))
        assert.is_nil(it:attribute(""))
    end)

    it("keeps what was read of it, and its bytes, through a collection", function()
        local long, short = offer({ hostname = ("h"):rep(2000), resources = { ports({ { 1, 2 } }) } }), status()
        local found = long.ports
        for _ = 1, 3 do
            collectgarbage()
        end
        assert.equal(found, long.ports)
        assert.equal(long.url, long.url)
        assert.equal(("h"):rep(2000), long.hostname)
        assert.equal("o1", long.id)
        assert.equal("t1", short.task_id)
        assert.equal(short.labels, short.labels)
        collectgarbage()
        assert.equal(("\0\200"):rep(8), short.uuid)
    end)

    it("finds the value of an attribute by its name", function()
        local it = offer({ attributes = {
            { name = "rack", type = "TEXT", text = "r1" }, { name = "rack", type = "TEXT", text = "r2" },
            { name = "level", type = "SCALAR", scalar = 2.5 },
            { name = "zones", type = "SET", set = { item = { "a", "b" } } },
            { name = "span", type = "RANGES", ranges = { range = { { 1, 2 }, { 4, 5 } } } },
            { name = "odd", type = 99 },
        } })
        assert.equal("r1", it:attribute("rack"))
        assert.equal(2.5, it:attribute("level"))
        assert.same({ "a", "b" }, it:attribute("zones"))
        assert.same({ { begin = 1, ["end"] = 2 }, { begin = 4, ["end"] = 5 } }, it:attribute("span"))
        assert.is_nil(it:attribute("odd"))
        assert.is_nil(it:attribute("nosuch"))
        assert.has_error(function()
            it:attribute({})
        end)
    end)

    it("does not count its short cuts as fields", function()
        local it = offer({ resources = { scalar("cpus", 1) } })
        assert.equal(1.0, it.cpus)
        assert.is_nil(it:table().cpus)
        for key in pairs(it) do
            assert.is_not_equal("cpus", key)
        end
    end)
end)

-- The records of a recorded stream, decoded.
local function events(stream)
    local all = {}
    for i, record in ipairs(stream.json and {} or stream.records) do
        local start = stream.bytes:find("\n", record.offset + 1, true) + 1
        all[i] = internals.decode(EVENT, stream.bytes:sub(start, start + record.length - 1))
    end
    return all
end

local function compare(type, message)
    local bytes = internals.encode(type, message)
    local view, read = internals.view(type, bytes), {}
    for key, value in pairs(view) do
        read[key] = value
    end
    assert.same(internals.decode(type, bytes), read)
    assert.same(internals.decode_plain(type, bytes), view:table())
    assert.equal(tostring(internals.decode(type, bytes)), tostring(view))
    assert.equal(bytes, internals.encode(type, view))
end

describe("recorded messages", function()
    it("are the same as views and as tables", function()
        local seen = { offers = 0, update = 0 }
        for _, stream in ipairs(recordings.streams()) do
            for _, event in ipairs(events(stream)) do
                for _, message in ipairs(event.offers and event.offers.offers or {}) do
                    compare(OFFER, message)
                    seen.offers = seen.offers + 1
                end
                if event.update then
                    compare(STATUS, event.update.status)
                    seen.update = seen.update + 1
                end
            end
        end
        assert.is_true(seen.offers > 100 and seen.update > 100)
    end)

    it("of inverse offers as well", function()
        compare("mesos.v1.InverseOffer", {
            id = "io1", framework_id = "f1", agent_id = "a1", resources = { scalar("cpus", 1) },
            unavailability = { start = { nanoseconds = 1795349017282800000 }, duration = { nanoseconds = 5 } },
        })
    end)

    it("have the sums that an agent had", function()
        local event = events(recordings.stream("01-subscribe-offers/events"))
        local found = 0
        for _, it in ipairs(event) do
            for _, message in ipairs(it.offers and it.offers.offers or {}) do
                local view, cpus = internals.view(OFFER, internals.encode(OFFER, message)), 0
                for _, resource in ipairs(message.resources) do
                    cpus = cpus + (resource.name == "cpus" and resource.role == "*" and resource.scalar or 0)
                end
                assert.equal(cpus, view.cpus)
                found = found + 1
            end
        end
        assert.is_true(found > 0)
    end)
end)
