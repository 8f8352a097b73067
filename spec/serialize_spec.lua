-- SPDX-License-Identifier: Apache-2.0
--
-- Plain data as bytes and back: what is stored comes back exactly, what cannot be stored is named by its path, and
-- damaged bytes are refused.

local internals = require("internals")

local function load(bytes)
    local ok, value = internals.serialize_load(bytes)
    assert(ok, value)
    return value
end

local function round(value)
    return load(assert(internals.serialize_save(value)))
end

-- True if a and b have the same shape: the same values, and the same tables at the same paths. `pairs_of` maps each table
-- of a to that of b, `back` the other way.
local function same(a, b, pairs_of, back)
    if type(a) ~= "table" then
        return math.type(a) == math.type(b) and type(a) == type(b) and (a == b or (a ~= a and b ~= b))
    elseif pairs_of[a] or back[b] then
        return pairs_of[a] == b and back[b] == a
    elseif type(b) ~= "table" then
        return false
    end
    pairs_of[a], back[b] = b, a
    for key, value in pairs(a) do
        if b[key] == nil or not same(value, b[key], pairs_of, back) then
            return false
        end
    end
    for key in pairs(b) do
        if a[key] == nil then
            return false
        end
    end
    return true
end

local function random_scalar()
    local kind = math.random(8)
    if kind == 1 then
        return math.random(0) -- any integer
    elseif kind == 2 then
        return math.random(-200, 200)
    elseif kind == 3 then
        return string.unpack("d", string.pack("j", math.random(0))) -- any float, NaN and infinity among them
    elseif kind == 4 then
        return math.random() * 10 ^ math.random(-20, 20)
    elseif kind == 5 then
        return math.random(2) == 1
    end
    local bytes = {}
    for i = 1, math.random(0, kind == 6 and 300 or 8) do
        bytes[i] = string.char(math.random(0, 255))
    end
    return table.concat(bytes)
end

local function random_key()
    if math.random(3) == 1 then
        return math.random(1, 8)
    end
    local key
    repeat
        key = random_scalar()
    until key == key
    return key
end

-- A graph of tables that all hang on the first, with shared references and cycles.
local function random_graph()
    local tables = { {} }
    for _ = 1, math.random(0, 120) do
        local holder = tables[math.random(#tables)]
        local kind = math.random(4)
        local value = kind == 1 and {} or kind == 2 and tables[math.random(#tables)] or random_scalar()
        if kind == 1 then
            tables[#tables + 1] = value
        end
        if math.random(2) == 1 then
            holder[#holder + 1] = value
        else
            holder[random_key()] = value
        end
    end
    return tables[1]
end

describe("plain data", function()
    it("is kept exactly, value by value", function()
        for _, value in ipairs {
            true, false, 0, 1, -1, 63, 64, -64, -65, math.maxinteger, math.mininteger, 0.0, -0.0, 0.1, 1e308, 5e-324, 3.0,
            math.huge, -math.huge, "", "a", "\0\255\n", ("x"):rep(100000),
        } do
            local kept = round(value)
            assert.equal(value, kept)
            assert.equal(math.type(value), math.type(kept))
            assert.equal(("%q"):format(value), ("%q"):format(kept))
        end
        assert.is_nil(round(nil))
        local nan = round(0 / 0)
        assert.is_true(nan ~= nan)
    end)

    it("keeps nested tables, shared references and cycles", function()
        local shared = { 1, 2, { deep = true } }
        local value = { a = shared, b = shared, list = { shared, {}, { [1.5] = "float", [true] = 1, [-1] = 2 } } }
        value.self, shared.up = value, value
        local kept = round(value)
        assert.is_true(same(value, kept, {}, {}))
        assert.equal(kept.a, kept.b)
        assert.equal(kept.a, kept.list[1])
        assert.equal(kept, kept.self)
        assert.equal(kept, kept.a.up)
    end)

    it("keeps lists with holes, and long chains of tables", function()
        local holes = { 1, 2, nil, 4, [100] = 5 }
        holes[2 ^ 40 // 1] = 6
        assert.is_true(same(holes, round(holes), {}, {}))
        local chain = {}
        local last = chain
        for i = 1, 9990 do
            last.next = { i }
            last = last.next
        end
        local kept, count = round(chain), 0
        while kept.next do
            kept, count = kept.next, count + 1
            assert(kept[1] == count)
        end
        assert.equal(9990, count)
    end)

    it("keeps random graphs, and saves what was loaded to as many bytes", function()
        local seed = tonumber(os.getenv("SPEC_SEED")) or os.time()
        math.randomseed(seed)
        for i = 1, 2000 do
            local graph = random_graph()
            local bytes = assert(internals.serialize_save(graph))
            local kept = load(bytes)
            local place = ("graph %d of SPEC_SEED=%d"):format(i, seed)
            assert(same(graph, kept, {}, {}), place)
            assert(#bytes == #assert(internals.serialize_save(kept)), place)
        end
    end)

    it("raises when Lua is out of memory, and leaves nothing behind", function()
        math.randomseed(9)
        for _ = 1, 20 do
            local graph = { { {} }, ("x"):rep(100), random_graph() }
            assert.is_true(internals.state_load_starved(assert(internals.serialize_save(graph))) > 3)
        end
    end)

    it("reads raw: no metamethod and no script runs", function()
        debug.setmetatable("", { __index = function() error("looked at") end })
        local fine = pcall(round, { "x" })
        debug.setmetatable("", { __index = string })
        assert.is_true(fine)
    end)
end)

describe("what cannot be kept", function()
    local file = io.stdout
    local deep = {}
    do
        local last = deep
        for _ = 1, 10000 do
            last[1] = {}
            last = last[1]
        end
    end
    local long = {}
    do
        local last = long
        for i = 1, 20 do
            last["k" .. i] = {}
            last = last["k" .. i]
        end
        last.f = print
    end
    for message, value in pairs {
        ["value: a function cannot be kept"] = print,
        ["value.jobs[3].callback: a function cannot be kept"] = { jobs = { 1, {}, { callback = print } } },
        ['value["a b"][1.5][true][-7]: a userdata cannot be kept (of an offer or a status, keep its :table())'] =
            { ["a b"] = { [1.5] = { [true] = { [-7] = file } } } },
        ['value["a\\x22\\x00\\xff"]: a coroutine cannot be kept'] = { ["a\"\0\255"] = coroutine.create(print) },
        ["value.x: a table with a metatable cannot be kept (only plain data)"] = { x = setmetatable({}, {}) },
        ["value.x: a key that is no string, number or boolean cannot be kept"] = { x = { [{}] = 1 } },
        ["value: a key that is no string, number or boolean cannot be kept"] = { [print] = 1 },
        ['value["' .. ("x"):rep(40) .. '..."]: a function cannot be kept'] = { [("x"):rep(41)] = print },
        ["value[1][1][1][1][1] ... [1][1][1][1][1]: tables are nested too deeply to be kept"] = deep,
        ["value.k1.k2.k3.k4.k5 ... .k17.k18.k19.k20.f: a function cannot be kept"] = long,
    } do
        it("is named: " .. message, function()
            local bytes, problem = internals.serialize_save(value)
            assert.is_nil(bytes)
            assert.equal(message, problem)
        end)
    end

    it("is what takes more room than there is", function()
        assert.is_string(internals.serialize_save({ "abc" }, 11))
        for limit = 0, 10 do
            local bytes, problem = internals.serialize_save({ "abc" }, limit)
            assert.is_nil(bytes)
            assert.equal(("value is too large to be kept: it takes more than %d bytes"):format(limit), problem)
        end
    end)
end)

describe("bytes that were harmed", function()
    local function refused(bytes, reason)
        local ok, problem = internals.serialize_load(bytes)
        assert.is_nil(ok)
        assert.is_truthy(problem:find(reason, 1, true), problem)
    end

    for _, row in ipairs {
        { "", "it does not begin as kept data does at byte 0" }, { "mls", "does not begin" }, { "MLS\1n", "does not begin" },
        { "mls\2n", "kept data has format 2, this version of mesos-lua reads format 1" },
        { "mls\1", "it ends too early at byte 4" }, { "mls\1nn", "something is left over at byte 5" },
        { "mls\1x", "an unknown kind of value at byte 4" }, { "mls\1}", "an unknown kind of value" },
        { "mls\1=", "an unknown kind of value" }, { "mls\1i", "it ends in a number" },
        { "mls\1i\128\0", "a malformed number" }, { "mls\1i" .. ("\255"):rep(9) .. "\2", "a malformed number" },
        { "mls\1i" .. ("\255"):rep(10), "a malformed number" }, { "mls\1d1234567", "it ends in a value" },
        { "mls\1s\4abc", "it ends in a value" }, { "mls\1s" .. ("\255"):rep(9) .. "\1", "it ends in a value" },
        { "mls\1{", "it ends too early" }, { "mls\1{i\2", "it ends too early" }, { "mls\1@\0", "not there" },
        { "mls\1{@\1}", "a reference to a table that is not there" }, { "mls\1{n}", "nil in a table" },
        { "mls\1{=nt}", "a key that cannot be one" }, { "mls\1{={}t}", "a key that cannot be one" },
        { "mls\1{=@\0t}", "a key that cannot be one" }, { "mls\1{=tn}", "nil in a table" },
        { "mls\1{=tt=tt}", "a key that was there before" }, { "mls\1{i\2=i\2t}", "a key that was there before" },
        { "mls\1{=i\2t=d\0\0\0\0\0\0\240\63t}", "a key that was there before" },
        { "mls\1{=d\0\0\0\0\0\0\248\127t}", "a key that is not a number" },
        { "mls\1" .. ("{"):rep(10001), "tables are nested too deeply" },
    } do
        it("are refused: " .. row[1]:sub(1, 20):gsub("[^%g ]", "."), function()
            refused(row[1], row[2])
        end)
    end

    it("are refused when they are cut anywhere", function()
        math.randomseed(7)
        for _ = 1, 20 do
            local bytes = assert(internals.serialize_save(random_graph()))
            for length = 0, #bytes - 1 do
                assert.is_nil((internals.serialize_load(bytes:sub(1, length))))
            end
        end
    end)

    it("never crash, whatever was changed", function()
        math.randomseed(8)
        for _ = 1, 2000 do
            local bytes = assert(internals.serialize_save(random_graph()))
            local at = math.random(#bytes)
            local ok, value = internals.serialize_load(bytes:sub(1, at - 1) .. string.char(math.random(0, 255)) .. bytes:sub(at + 1))
            assert(ok or type(value) == "string")
        end
    end)
end)
