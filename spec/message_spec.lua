-- SPDX-License-Identifier: Apache-2.0
--
-- The codec: what messages look like in Lua, what it refuses and in which words, and that nothing is lost on the way.

local recordings = require("support.recordings")
local internals = require("internals")

local EVENT, CALL = "mesos.v1.scheduler.Event", "mesos.v1.scheduler.Call"
local TASK, RESOURCE = "mesos.v1.TaskInfo", "mesos.v1.Resource"

-- What a message of that type raises when it is encoded as "task".
local function refusal(type, value)
    local ok, message = pcall(internals.encode, type, value, "task")
    assert.is_false(ok)
    return message
end

-- There and back again.
local function passed(type, value)
    local bytes = internals.encode(type, value)
    assert.is_true(internals.validate(type, bytes))
    return internals.decode(type, bytes)
end

local function task(changes)
    local value = { name = "t", task_id = "t1", agent_id = "a1" }
    for key, item in pairs(changes or {}) do
        value[key] = item
    end
    return value
end

local function with_scalar(scalar)
    return task({ resources = { { name = "cpus", type = "SCALAR" }, { name = "mem", type = "SCALAR", scalar = scalar } } })
end

local function refused_by_wire(type, bytes)
    local ok, message = internals.validate(type, bytes)
    assert.is_nil(ok)
    return message
end

-- Fields of the wire, by hand.
local function varint(number)
    local bytes = {}
    repeat
        local low = number & 0x7f
        number = number >> 7
        bytes[#bytes + 1] = string.char(number ~= 0 and low | 0x80 or low)
    until number == 0
    return table.concat(bytes)
end

local function field(number, content)
    return varint(number << 3 | 2) .. varint(#content) .. content
end

local function integer(number, value)
    return varint(number << 3) .. varint(value)
end

describe("a message in Lua", function()
    it("is a table by field name", function()
        local got = passed(TASK, task({ command = { value = "true", shell = false } }))
        assert.same({ name = "t", task_id = "t1", agent_id = "a1", command = { value = "true", shell = false } }, got)
    end)

    it("is its value, if that is its only field", function()
        assert.equal("o1", passed("mesos.v1.OfferID", "o1"))
        assert.equal(0.5, passed("mesos.v1.Value.Scalar", 0.5))
        assert.equal("\0\255", passed("mesos.v1.UUID", "\0\255"))
        assert.same({ value = "c" }, passed("mesos.v1.ContainerID", { value = "c" }))
    end)

    it("may be given with its value in a table all the same", function()
        assert.equal(internals.encode(TASK, task()), internals.encode(TASK, task({ task_id = { value = "t1" } })))
        assert.equal("task.task_id: unknown field 'valeu' in TaskID (did you mean 'value'?)",
            refusal(TASK, task({ task_id = { valeu = "t1" } })))
        assert.equal("task.task_id.value: required field of TaskID is missing", refusal(TASK, task({ task_id = {} })))
    end)

    it("counts a value that was left out as empty", function()
        assert.equal("", internals.decode("mesos.v1.OfferID", ""))
        assert.equal(0.0, internals.decode("mesos.v1.Value.Scalar", ""))
    end)

    it("has enums by name, and takes numbers", function()
        assert.equal("SCALAR", passed(RESOURCE, { name = "a", type = "SCALAR" }).type)
        assert.equal("RANGES", passed(RESOURCE, { name = "a", type = 1 }).type)
        assert.equal(77, passed(RESOURCE, { name = "a", type = 77 }).type)
        assert.equal(-3, passed(RESOURCE, { name = "a", type = -3 }).type)
    end)

    it("leaves bytes and strings untouched", function()
        local bytes = {}
        for i = 0, 255 do
            bytes[#bytes + 1] = string.char(i)
        end
        local all = table.concat(bytes)
        local got = passed(TASK, task({ name = all, data = all }))
        assert.equal(all, got.name)
        assert.equal(all, got.data)
    end)

    it("has 64-bit integers as Lua integers", function()
        for _, number in ipairs({ 0, 1, math.maxinteger, math.mininteger, -1 }) do
            assert.equal(number, passed("mesos.v1.TimeInfo", { nanoseconds = number }).nanoseconds)
            local range = passed("mesos.v1.Value.Range", { begin = number, ["end"] = 5 })
            assert.equal(number, range.begin)
        end
        assert.equal("integer", math.type(passed("mesos.v1.TimeInfo", { nanoseconds = 7.0 }).nanoseconds))
    end)

    it("has any double", function()
        for _, number in ipairs({ 0.1, -0.0, 1e300, math.huge, -math.huge }) do
            assert.equal(number, passed("mesos.v1.Value.Scalar", number))
        end
        local nan = passed("mesos.v1.Value.Scalar", 0 / 0)
        assert.is_true(nan ~= nan)
        assert.equal("float", math.type(passed("mesos.v1.Value.Scalar", 3)))
    end)

    it("has a map as a table by key", function()
        local value = task({ limits = { cpus = 1.5, mem = math.huge } })
        assert.same(value.limits, passed(TASK, value).limits)
    end)

    it("completes entries of a map that lack a half", function()
        local cpus = field(15, field(1, "cpus"))
        local nothing = field(15, field(2, "\9" .. string.pack("<d", 2)))
        local got = internals.decode_plain(TASK, cpus .. nothing)
        assert.same({ cpus = 0.0, [""] = 2.0 }, got.limits)
    end)

    it("takes a range as first and last", function()
        local named = { range = { { begin = 1, ["end"] = 2 }, { begin = 5, ["end"] = 9 } } }
        assert.same(named, passed("mesos.v1.Value.Ranges", { range = { { 1, 2 }, { 5, 9 } } }))
        assert.matches("^task.range%[1%]: Value.Range expected", refusal("mesos.v1.Value.Ranges", { range = { { 1 } } }))
        assert.matches("^task.range%[1%]: Value.Range expected", refusal("mesos.v1.Value.Ranges", { range = { { 1, 2, 3 } } }))
        assert.equal("task.range[1][2]: number expected, got string",
            refusal("mesos.v1.Value.Ranges", { range = { { 1, "2" } } }))
    end)

    it("reads what is absent as nil, lists and maps as empty ones that stay", function()
        local got = internals.decode(TASK, internals.encode(TASK, task()))
        assert.is_nil(got.command)
        assert.same({}, got.resources)
        assert.same({}, got.limits)
        got.resources[1] = { name = "cpus", type = "SCALAR", scalar = 1 }
        assert.equal("cpus", internals.decode(TASK, internals.encode(TASK, got)).resources[1].name)
    end)

    it("knows its fields when it is read and written", function()
        local got = internals.decode(TASK, internals.encode(TASK, task()))
        assert.error_matches(function()
            return got.taskid
        end, "TaskInfo has no field 'taskid' %(did you mean 'task_id'%?%)$")
        assert.error_matches(function()
            return got[1]
        end, "TaskInfo has no field '1'$")
        assert.error_matches(function()
            got.comand = {}
        end, "unknown field 'comand' in TaskInfo %(did you mean 'command'%?%)$")
        got.data = "x"
        assert.equal("x", rawget(got, "data"))
    end)

    it("is a table like any other when it is plain", function()
        local got = internals.decode_plain(TASK, internals.encode(TASK, task({ command = { value = "x" } })))
        assert.is_nil(getmetatable(got))
        assert.is_nil(getmetatable(got.command))
        assert.is_nil(got.resources)
        assert.is_nil(got.anything)
    end)

    it("prints in one line", function()
        local value = task({ resources = { { name = "p", type = "RANGES", ranges = { range = { { 1, 2 } } } } }, data = "\1\255" })
        assert.equal('TaskInfo { name = "t", task_id = "t1", agent_id = "a1", resources = { { name = "p", type = "RANGES", '
            .. 'ranges = { range = { { begin = 1, ["end"] = 2 } } } } }, data = "\\x01\\xff" }', tostring(passed(TASK, value)))
        assert.equal('TaskInfo { name = "say \\"\\n\\"" }', tostring(internals.decode(TASK, field(1, 'say "\n"'))))
        assert.equal("mesos.v1.TaskInfo", getmetatable(passed(TASK, value)).__name)
    end)
end)

describe("a refusal", function()
    it("names the path of what is missing", function()
        assert.equal("task.task_id: required field of TaskInfo is missing", refusal(TASK, { name = "x" }))
        assert.equal("task.resources[2].type: required field of Resource is missing",
            refusal(TASK, task({ resources = { { name = "a", type = "SET" }, { name = "b" } } })))
    end)

    it("names an unknown field and the one that was meant", function()
        assert.equal("task: unknown field 'comand' in TaskInfo (did you mean 'command'?)", refusal(TASK, { comand = {} }))
        assert.equal("task: unknown field 'qqq' in TaskInfo", refusal(TASK, { qqq = {} }))
        assert.equal("task.resources[1].disk: unknown field 'persistance' in Resource.DiskInfo "
            .. "(did you mean 'persistence'?)",
            refusal(TASK, task({ resources = { { name = "a", type = "SET", disk = { persistance = {} } } } })))
    end)

    it("names what was expected and what came", function()
        assert.equal("task.resources[2].scalar: number expected, got string", refusal(TASK, with_scalar("3")))
        assert.equal("task.resources[2].scalar: number expected, got boolean", refusal(TASK, with_scalar(false)))
        assert.equal("task.name: string expected, got number", refusal(TASK, task({ name = 3 })))
        assert.equal("task.task_id: string expected, got number", refusal(TASK, task({ task_id = 3 })))
        assert.equal("task.command: a table (CommandInfo) expected, got string: write { value = \"echo hello\" }",
            refusal(TASK, task({ command = "echo" })))
        assert.equal("task.command: CommandInfo expected, got a list", refusal(TASK, task({ command = { "echo" } })))
        assert.equal("task.command.shell: boolean expected, got number", refusal(TASK, task({ command = { shell = 1 } })))
        assert.equal("task: a table (TaskInfo) expected, got nil", refusal(TASK, nil))
        assert.equal("task.limits: table by key expected, got string", refusal(TASK, task({ limits = "x" })))
        assert.equal("task.limits[cpus]: number expected, got string", refusal(TASK, task({ limits = { cpus = "1" } })))
        assert.equal("task.limits[1]: string expected, got number", refusal(TASK, task({ limits = { 1 } })))
    end)

    it("names an enum's value and the one that was meant", function()
        assert.equal("task.type: Value.Type has no value 'SCALER' (did you mean 'SCALAR'?)",
            refusal(RESOURCE, { name = "x", type = "SCALER" }))
        assert.equal("task.type: Value.Type has no value 'scalar' (did you mean 'SCALAR'?)",
            refusal(RESOURCE, { name = "x", type = "scalar" }))
        assert.matches("has no value", refusal(RESOURCE, { name = "x", type = "SCALAR\0" }))
        assert.equal("task.type: Value.Type expected, got table", refusal(RESOURCE, { name = "x", type = {} }))
        assert.matches("^task.type: number from %-2147483648 to 2147483647 expected, got 2147483648",
            refusal(RESOURCE, { name = "x", type = 1 << 31 }))
    end)

    it("keeps integers whole and in range", function()
        local function port(number)
            return { number = number }
        end
        local PORT = "mesos.v1.Port"
        assert.equal(4294967295, passed(PORT, port(4294967295)).number)
        assert.equal(80, passed(PORT, port(80.0)).number)
        assert.equal("task.number: number from 0 to 4294967295 expected, got -1", refusal(PORT, port(-1)))
        assert.equal("task.number: number from 0 to 4294967295 expected, got 4294967296", refusal(PORT, port(1 << 32)))
        assert.equal("task.number: whole number of at most 64 bits expected, got 1.5", refusal(PORT, port(1.5)))
        assert.equal("task.number: whole number of at most 64 bits expected, got 1e+300", refusal(PORT, port(1e300)))
        assert.matches("whole number", refusal(PORT, port(0 / 0)))
        assert.equal("task.number: number expected, got string", refusal(PORT, port("80")))
    end)

    it("wants lists to be lists", function()
        assert.equal("task.resources: list expected, got a table with the key 'name': put braces around it: { { name = ... } }",
            refusal(TASK, task({ resources = { name = "cpus" } })))
        assert.equal("task.resources: list with a hole: element 2 is nil, but there is a 3",
            refusal(TASK, task({ resources = { { name = "a", type = 0 }, nil, { name = "b", type = 0 } } })))
        assert.equal("task.resources: list expected, got string", refusal(TASK, task({ resources = "cpus:1" })))
        assert.matches("the key '1.5':", refusal(TASK, task({ resources = { [1.5] = {} } })))
        assert.matches("element 1 is nil", refusal(TASK, task({ resources = { [math.maxinteger] = {} } })))
    end)

    it("meets two members of a oneof", function()
        local PREDICATE = "mesos.v1.scheduler.AttributeConstraint.Predicate"
        assert.same({ text_equals = "x" }, passed(PREDICATE, { text_equals = "x" }))
        local message = refusal(PREDICATE, { text_equals = "x", exists = {} })
        assert.equal("task: 'exists' and 'text_equals' of AttributeConstraint.Predicate exclude each other", message)
    end)

    it("meets a table that holds itself", function()
        local id = { value = "x" }
        id.parent = id
        assert.matches("nested too deeply %(more than 64%)$", refusal("mesos.v1.ContainerID", id))
    end)

    it("says where on the small stack of a coroutine, however deep", function()
        local id = { value = "x" }
        id.parent = id
        for _ = 1, 500 do
            local message = coroutine.wrap(refusal)("mesos.v1.ContainerID", id)
            assert.equal("task" .. (".parent"):rep(64) .. ": nested too deeply (more than 64)", message)
        end
    end)

    it("leaves the path out where there is none, and says which line it was", function()
        local ok, message = pcall(function()
            internals.encode(TASK, {})
        end)
        assert.is_false(ok)
        assert.matches("^[^ ]*message_spec.lua:%d+: name: required field of TaskInfo is missing$", message)
    end)

    it("reads tables raw", function()
        local trap = setmetatable({}, {
            __index = function()
                error("trapped")
            end,
            __pairs = function()
                error("trapped")
            end,
            __len = function()
                error("trapped")
            end,
        })
        trap.resources = setmetatable({}, getmetatable(trap))
        assert.equal("task.name: required field of TaskInfo is missing", refusal(TASK, trap))
    end)
end)

describe("the wire", function()
    it("is checked before anything is believed", function()
        local id = field(1, field(1, "x"))
        assert.is_true(internals.validate("mesos.v1.Labels", id))
        assert.equal("labels[0].key: length runs past the end", refused_by_wire("mesos.v1.Labels", "\10\3\10\9x"))
        assert.equal("labels[1].key: required field is missing", refused_by_wire("mesos.v1.Labels", id .. field(1, "")))
        assert.equal("labels[1]: field number out of range", refused_by_wire("mesos.v1.Labels", id .. field(1, "\2\0")))
        assert.equal("labels[0].key: wire type is not that of the field",
            refused_by_wire("mesos.v1.Labels", field(1, "\8\1")))
        assert.matches("^labels: length runs past the end", (refused_by_wire("mesos.v1.Labels", "\10\5"):gsub("%[0%]", "")))
        assert.equal("Labels: varint is cut short or longer than 10 bytes", refused_by_wire("mesos.v1.Labels", "\255"))
    end)

    it("passes over unknown groups, at every level, and refuses broken ones with their place", function()
        local start, stop = varint(50 << 3 | 3), varint(50 << 3 | 4)
        local inner = start .. field(1, "x") .. integer(2, 3) .. start .. stop .. "\x31" .. ("8"):rep(8) .. "\x35four" .. stop
        local id = field(1, "t1")
        local status = inner .. field(1, inner .. id .. inner) .. inner .. integer(2, 1) .. inner
        assert.is_true(internals.validate("mesos.v1.TaskStatus", status))
        assert.same({ task_id = "t1", state = "TASK_RUNNING" }, internals.decode_plain("mesos.v1.TaskStatus", status))
        local view = internals.view("mesos.v1.TaskStatus", status)
        assert.same({ "t1", "TASK_RUNNING" }, { view.task_id, view.state })
        for content, message in pairs({
            [start] = "^field 50: group has no end$",
            [start .. field(1, "x")] = "^field 50: group has no end$",
            [start .. field(1, "x"):sub(1, -2)] = "^field 50: length runs past the end$",
            [start .. varint(51 << 3 | 4)] = "^field 50: group ends with the number of another$",
            [stop] = "^field 50: wire type is the end of a group that has not begun, or none at all$",
            [start:rep(64) .. stop:rep(63)] = "^field 50: group has no end$",
            [start:rep(65) .. stop:rep(65)] = "^field 50: groups are nested more than 64 deep$",
            [start:rep(100000)] = "^field 50: groups are nested more than 64 deep$",
            [field(1, id .. start) .. integer(2, 1)] = "^task_id.field 50: group has no end$",
            [varint(1 << 3 | 3) .. varint(1 << 3 | 4)] = "^task_id: wire type is not that of the field$",
        }) do
            assert.matches(message, refused_by_wire("mesos.v1.TaskStatus", content))
        end
        assert.is_true(internals.validate("mesos.v1.TaskStatus", status .. start:rep(64) .. stop:rep(64)))
    end)

    it("refuses field 0, known or not", function()
        assert.matches("field number", refused_by_wire("mesos.v1.Labels", "\0\0"))
        for length = 1, 20 do
            assert.equal("tasks[0]: field number out of range",
                refused_by_wire("mesos.v1.TaskGroupInfo", field(1, ("\0"):rep(length))))
        end
    end)

    it("may hold what we do not know", function()
        local unknown = integer(100, 5) .. field(101, "x") .. varint(102 << 3 | 1) .. ("\1"):rep(8) .. varint(103 << 3 | 5) .. "\1\2\3\4"
        local bytes = unknown .. field(1, "the key") .. unknown
        assert.is_true(internals.validate("mesos.v1.Label", bytes))
        assert.same({ key = "the key" }, internals.decode("mesos.v1.Label", bytes))
        assert.equal("field 101: length runs past the end", refused_by_wire("mesos.v1.Label", field(1, "k") .. "\170\6\9"))
    end)

    it("may repeat fields: the last value counts, messages add up, members of a oneof replace each other", function()
        assert.same({ key = "b" }, internals.decode("mesos.v1.Label", field(1, "a") .. field(1, "b")))
        local first = field(1, field(1, "a"))
        local second = field(1, field(1, "b"))
        local command = field(7, first .. field(3, "old")) .. field(7, second .. field(3, "new"))
        local got = internals.decode_plain(TASK, field(1, "t") .. field(2, field(1, "t")) .. field(3, field(1, "a")) .. command)
        assert.same({ value = "new", uris = { { value = "a" }, { value = "b" } } }, got.command)
        local SELECTOR = "mesos.v1.scheduler.AttributeConstraint.Selector"
        assert.same({ attribute_name = "x" }, internals.decode(SELECTOR, integer(1, 1) .. field(2, "x")))
        assert.same({ pseudoattribute_type = "HOSTNAME" }, internals.decode(SELECTOR, field(2, "x") .. integer(1, 1)))
    end)

    it("may bring a required field in any of the pieces that add up", function()
        local FAULT = "mesos.v1.URL"
        local address = field(1, "host")
        assert.matches("required", refused_by_wire(FAULT, field(1, "s") .. field(2, address)))
        assert.is_true(internals.validate(FAULT, field(1, "s") .. field(2, address) .. field(2, integer(3, 80))))
        local got = internals.decode(FAULT, field(1, "s") .. field(2, address) .. field(2, integer(3, 80)))
        assert.same({ hostname = "host", port = 80 }, got.address)
    end)

    it("may be packed", function()
        local CAPABILITIES = "mesos.v1.CapabilityInfo"
        local packed = field(1, varint(1000) .. varint(1001))
        assert.is_true(internals.validate(CAPABILITIES, packed .. integer(1, 1002)))
        assert.same({ capabilities = { "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH" } },
            internals.decode(CAPABILITIES, packed .. integer(1, 1002)))
        assert.equal("capabilities[0]: packed value is cut short", refused_by_wire(CAPABILITIES, field(1, "\232")))
    end)

    it("has a floor", function()
        local function nested(depth)
            local bytes = field(1, "c")
            for _ = 2, depth do
                bytes = field(1, "c") .. field(2, bytes)
            end
            return bytes
        end
        local deep = nested(64)
        assert.is_true(internals.validate("mesos.v1.ContainerID", deep))
        assert.equal(deep, internals.encode("mesos.v1.ContainerID", internals.decode("mesos.v1.ContainerID", deep)))
        assert.matches("^parent%..*%.parent: nested more than 64 deep$", refused_by_wire("mesos.v1.ContainerID", nested(65)))
        assert.error_matches(function()
            internals.decode("mesos.v1.ContainerID", nested(65))
        end, "nested too deeply")
        assert.is_nil(internals.validate("mesos.v1.ContainerID", nested(3000)))
    end)

    it("says malformed when unchecked bytes are", function()
        for _, bytes in ipairs({ "\255", "\10\5", "\8\1", "\10" }) do
            assert.error_matches(function()
                internals.decode(TASK, bytes)
            end, "malformed TaskInfo$")
        end
    end)

    it("has lengths of any size", function()
        for _, size in ipairs({ 0, 1, 126, 127, 128, 129, 16382, 16383, 16384, 2097151, 2097152 }) do
            local value = { labels = { { key = ("k"):rep(size) }, { key = "next" } } }
            assert.same(value, passed("mesos.v1.Labels", value))
        end
    end)
end)

describe("every recorded event", function()
    for _, stream in ipairs(recordings.streams()) do
        it("comes back from Lua as it was: " .. stream.name, function()
            if stream.json then
                assert.equal("{", stream.bytes:match("^%d+\n(.)"))
                return
            end
            for _, record in ipairs(stream.records) do
                local start = stream.bytes:find("\n", record.offset + 1, true) + 1
                local bytes = stream.bytes:sub(start, start + record.length - 1)
                assert.is_true(internals.validate(EVENT, bytes))
                local event = internals.decode(EVENT, bytes)
                assert.equal(record.type, event.type)
                local again = internals.encode(EVENT, event)
                assert.same(event, internals.decode(EVENT, again))
                assert.equal(again, internals.encode(EVENT, internals.decode_plain(EVENT, bytes)))
            end
        end)
    end

    it("survives being damaged: refused, or read without a crash", function()
        local samples, refused, read = {}, 0, 0
        for _, stream in ipairs(recordings.streams()) do
            for _, record in ipairs(stream.json and {} or stream.records) do
                local start = stream.bytes:find("\n", record.offset + 1, true) + 1
                samples[#samples + 1] = stream.bytes:sub(start, start + record.length - 1)
            end
        end
        math.randomseed(42)
        for _ = 1, 5000 do
            local bytes = samples[math.random(#samples)]
            local at = math.random(#bytes)
            local damaged = bytes:sub(1, at - 1) .. string.char(math.random(0, 255)) .. bytes:sub(at + math.random(0, 2))
            local decoded, value = pcall(internals.decode, EVENT, damaged)
            if internals.validate(EVENT, damaged) then
                assert.is_true(decoded, value)
                assert.is_true(internals.validate(EVENT, internals.encode(EVENT, value)))
                read = read + 1
            else
                refused = refused + 1
            end
        end
        assert.is_true(read > 500 and refused > 500)
    end)
end)

describe("a call", function()
    it("is written as other implementations write it", function()
        local bytes = internals.encode(CALL, {
            framework_id = "f", type = "DECLINE", decline = { offer_ids = { "o1", "o2" }, filters = { refuse_seconds = 5 } },
        })
        local decline = field(1, field(1, "o1")) .. field(1, field(1, "o2")) .. field(2, "\9" .. string.pack("<d", 5))
        assert.equal(field(1, field(1, "f")) .. integer(2, 4) .. field(5, decline), bytes)
    end)

    it("does not depend on the order in which a table was filled", function()
        local a, b = {}, {}
        local names = { "name", "task_id", "agent_id", "data" }
        for i = 1, 4 do
            a[names[i]] = "x"
            b[names[5 - i]] = "x"
        end
        assert.equal(internals.encode(TASK, a), internals.encode(TASK, b))
    end)
end)

describe("a suggestion", function()
    local names = { "resourceOffers", "statusUpdate", "offerRescinded", "id" }
    it("is the nearest name", function()
        for word, name in pairs({
            resourceOffer = "resourceOffers", resourceoffers = "resourceOffers", statusUpdtae = "statusUpdate",
            offerRescind = "offerRescinded", ip = "id",
        }) do
            assert.equal(name, internals.suggest(word, names))
        end
    end)

    it("is none where nothing is near", function()
        for _, word in ipairs({ "", "x", "framework", "ids!?", ("x"):rep(100) }) do
            assert.is_nil(internals.suggest(word, names))
        end
        assert.is_nil(internals.suggest("name", {}))
    end)
end)
