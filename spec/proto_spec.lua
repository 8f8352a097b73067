-- SPDX-License-Identifier: Apache-2.0
--
-- The messages that are generated from proto/ are those of the v1 API: no message, field or enum value is missing, none
-- is extra, and number, name, label, type, default and oneof of each are the same.

local tables = require("support.api_tables")
local internals = require("internals")

local function sorted_keys(map)
    local keys = {}
    for key in pairs(map) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    return keys
end

-- The keys that only one of the two has.
local function difference(wanted, got)
    local missing, extra = {}, {}
    for key in pairs(wanted) do
        missing[#missing + 1] = got[key] == nil and key or nil
    end
    for key in pairs(got) do
        extra[#extra + 1] = wanted[key] == nil and key or nil
    end
    return { missing = missing, extra = extra }
end

local SAME = { missing = {}, extra = {} }

local function by_number(fields)
    local map = {}
    for _, field in ipairs(fields) do
        map[field.number] = field
    end
    return map
end

-- A default of the table in the type of the field.
local function default_of(row)
    if row.default == "" then
        return nil
    elseif row.type == "bool" then
        return row.default == "true"
    end
    return tonumber(row.default) or row.default
end

describe("proto/", function()
    local generated = internals.descriptors()
    local messages, enums = tables.messages(), tables.enums()
    messages["mesos.v1.Value"] = {} -- never sent itself: the name space of Scalar, Ranges, Set and Text

    it("has exactly the messages of the API", function()
        assert.same(SAME, difference(messages, generated.messages))
    end)

    it("has exactly the enums of the API", function()
        assert.same(SAME, difference(enums, generated.enums))
    end)

    for _, name in ipairs(sorted_keys(messages)) do
        it("has the fields of " .. name, function()
            local fields = by_number(generated.messages[name])
            assert.same(SAME, difference(messages[name], fields))
            for number, row in pairs(messages[name]) do
                local field = fields[number]
                assert.same({ row.name, row.label, row.type, default_of(row) },
                    { field.name, field.label, field.type, field.default })
                assert.equal(row.flags:find("deprecated") ~= nil, field.deprecated)
            end
        end)
    end

    for _, name in ipairs(sorted_keys(enums)) do
        it("has the values of " .. name, function()
            assert.same(enums[name], generated.enums[name])
        end)
    end

    it("groups the members of a oneof as the API does", function()
        for name, rows in pairs(messages) do
            local fields = by_number(generated.messages[name])
            local groups = {}
            for number, row in pairs(rows) do
                local group = fields[number].oneof
                assert.equal(row.oneof ~= "", group ~= nil, name .. "." .. row.name)
                if group then
                    groups[group] = groups[group] or row.oneof
                    assert.equal(groups[group], row.oneof, name .. "." .. row.name)
                end
            end
        end
    end)
end)
