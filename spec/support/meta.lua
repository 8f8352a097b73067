-- SPDX-License-Identifier: Apache-2.0
--
-- Makes lua/meta/messages.lua, the LuaCATS declarations of the messages, from the descriptors. Run it after a change in
-- proto/ (a spec compares):
--
--   LUA_CPATH='build/spec/?.so;;' lua5.4 spec/support/meta.lua > lua/meta/messages.lua

local HEAD = [[
---@meta

-- SPDX-License-Identifier: Apache-2.0
--
-- Mesos's messages as Lua sees them. Made from proto/ by spec/support/meta.lua; not to be edited.
--
-- A message whose only field is `value` is that value. A repeated field or map that is absent reads as an empty table.
]]

local EVENT, CALL = "mesos.v1.scheduler.Event", "mesos.v1.scheduler.Call"
local EXECUTOR_EVENT, EXECUTOR_CALL = "mesos.v1.executor.Event", "mesos.v1.executor.Call"

local SCALARS = {
    string = "string", bytes = "string", bool = "boolean", double = "number", float = "number",
    int32 = "integer", uint32 = "integer", int64 = "integer", uint64 = "integer",
}

-- Required fields that a script may leave out nevertheless, and their defaults.
local FILLED_IN = {
    ["mesos.v1.FrameworkInfo"] = { user = "the user of the process", name = "that of the script" },
}

local KEYWORDS = { ["end"] = true }

local M = {}

local function short(name)
    return (name:gsub("^mesos%.v1%.", "mesos."):gsub("^mesos%.scheduler%.", "mesos."))
end

local function is_wrapper(fields)
    return #fields == 1 and fields[1].name == "value" and fields[1].label ~= "repeated"
end

local function is_map_entry(descriptors, field)
    return field.label == "repeated" and field.type:find("Entry$") and descriptors.messages[field.type]
end

-- All types that a message leads to, itself included, as a set.
local function reach(descriptors, name, found)
    if found[name] then
        return found
    end
    found[name] = true
    for _, field in ipairs(descriptors.messages[name] or {}) do
        if not SCALARS[field.type] then
            reach(descriptors, field.type, found)
        end
    end
    return found
end

local function lua_type(field_type)
    return SCALARS[field_type] or short(field_type)
end

local function field_type(descriptors, field)
    if is_map_entry(descriptors, field) then
        local entry = descriptors.messages[field.type]
        return ("table<%s, %s>"):format(lua_type(entry[1].type), lua_type(entry[2].type))
    elseif field.label == "repeated" then
        return lua_type(field.type) .. "[]"
    end
    return lua_type(field.type)
end

-- True if a script may find it absent, or leave it out. Lists in messages that are only received are always there.
local function may_be_nil(field, sent)
    return field.label == "optional" or field.label == "repeated" and sent
end

local function class(descriptors, name, sent)
    local fields = descriptors.messages[name]
    if is_wrapper(fields) then
        return { ("---@alias %s %s"):format(short(name), lua_type(fields[1].type)) }
    end
    local lines = { "---@class " .. short(name) }
    for _, field in ipairs(fields) do
        local filled = (FILLED_IN[name] or {})[field.name]
        local default = filled or field.default
        local key = KEYWORDS[field.name] and ('["%s"]'):format(field.name) or field.name
        lines[#lines + 1] = ("---@field %s %s%s%s"):format(key, field_type(descriptors, field),
            (filled or may_be_nil(field, sent)) and "?" or "",
            default ~= nil and (" default: %s"):format(tostring(default)) or "")
    end
    return lines
end

local function enum(descriptors, name)
    local values = {}
    for value, number in pairs(descriptors.enums[name]) do
        values[#values + 1] = { name = value, number = number }
    end
    table.sort(values, function(a, b)
        return a.number < b.number or a.number == b.number and a.name < b.name
    end)
    local lines = { "---@alias " .. short(name) }
    for _, value in ipairs(values) do
        lines[#lines + 1] = ('---| "%s"'):format(value.name)
    end
    return lines
end

-- The whole file as a string.
function M.text(descriptors)
    local sent = reach(descriptors, EXECUTOR_CALL, reach(descriptors, CALL, {}))
    local names = {}
    local all = reach(descriptors, EVENT, reach(descriptors, CALL, {}))
    for name in pairs(reach(descriptors, EXECUTOR_EVENT, reach(descriptors, EXECUTOR_CALL, all))) do
        local inner = name:find("^mesos%.v1%.%l+%.Event") or name:find("^mesos%.v1%.%l+%.Call")
        if not inner and not name:find("Entry$") then
            names[#names + 1] = name
        end
    end
    table.sort(names)
    local parts = { HEAD }
    for _, name in ipairs(names) do
        local lines = descriptors.enums[name] and enum(descriptors, name) or class(descriptors, name, sent[name])
        parts[#parts + 1] = table.concat(lines, "\n") .. "\n"
    end
    return table.concat(parts, "\n")
end

if arg and arg[0]:find("meta%.lua$") then
    io.write(M.text(require("internals").descriptors()))
end

return M
