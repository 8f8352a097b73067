-- SPDX-License-Identifier: Apache-2.0
--
-- Reads protobuf's text format into Lua values by the mapping of the contract: a message is a table by field name, a
-- message whose only field is `value` is that value, enums are names, a map is a table by key. Written apart from the
-- codec, and from the descriptors alone, so that the two can be compared.

local M = {}

local ESCAPES = {
    n = "\n", r = "\r", t = "\t", a = "\a", b = "\b", f = "\f", v = "\v", ["\\"] = "\\", ["'"] = "'", ['"'] = '"',
}

-- One escape at `at`, just behind its backslash: the character, and where the text goes on.
local function unescape_one(text, at)
    local octal = text:match("^[0-7][0-7]?[0-7]?", at)
    if octal then
        return string.char(tonumber(octal, 8)), at + #octal
    end
    local hex = text:match("^[xX](%x%x?)", at)
    if hex then
        return string.char(tonumber(hex, 16)), at + 1 + #hex
    end
    local escape = text:sub(at, at)
    return assert(ESCAPES[escape], "unknown escape \\" .. escape), at + 1
end

local function unescape(text)
    local parts, at = {}, 1
    while true do
        local backslash = text:find("\\", at, true)
        if not backslash then
            parts[#parts + 1] = text:sub(at)
            return table.concat(parts)
        end
        parts[#parts + 1] = text:sub(at, backslash - 1)
        parts[#parts + 1], at = unescape_one(text, backslash + 1)
    end
end

local INTEGERS = { int32 = true, uint32 = true, int64 = true, uint64 = true, sint32 = true, sint64 = true }

local function scalar(descriptors, type, text)
    if type == "string" or type == "bytes" then
        return unescape(assert(text:match('^"(.*)"$'), "no string: " .. text))
    elseif INTEGERS[type] then
        return assert(math.tointeger(tonumber(text)), "no integer: " .. text)
    elseif (type == "double" or type == "float") and text == "nan" then
        return 0 / 0
    elseif type == "double" or type == "float" then
        return assert(tonumber(text), "no number: " .. text) + 0.0
    elseif type == "bool" then
        return text == "true"
    end
    assert(descriptors.enums[type], "unknown type " .. type)
    return tonumber(text) or assert(descriptors.enums[type][text] and text, "no value of " .. type .. ": " .. text)
end

local function is_wrapper(fields)
    return #fields == 1 and fields[1].name == "value" and fields[1].label ~= "repeated"
end

-- Maps are repeated fields of a message `<Field>Entry` with the fields key and value.
local function is_map(descriptors, owner, field)
    local fields = descriptors.messages[field.type]
    local entry = field.name:gsub("^%l", string.upper):gsub("_(%l)", string.upper) .. "Entry"
    return fields and field.type == owner .. "." .. entry and #fields == 2 and fields[1].name == "key"
end

local function field_of(descriptors, type, name)
    for _, field in ipairs(descriptors.messages[type]) do
        if field.name == name then
            return field
        end
    end
    error(("%s has no field %s"):format(type, name))
end

local parse_message

-- Puts one value of a field into the message's table.
local function add(descriptors, owner, message, field, value)
    if is_map(descriptors, owner, field) then
        local map = message[field.name] or {}
        message[field.name] = map
        map[value.key] = value.value
    elseif field.label == "repeated" then
        local list = message[field.name] or {}
        message[field.name] = list
        list[#list + 1] = value
    else
        assert(message[field.name] == nil, "twice: " .. field.name)
        message[field.name] = value
    end
end

function parse_message(descriptors, type, next_line)
    local message = {}
    while true do
        local line = next_line()
        if not line or line == "}" then
            break
        end
        local nested = line:match("^([%w_]+) {$")
        local name, text = line:match("^([%w_]+): (.*)$")
        local field = field_of(descriptors, type, assert(nested or name, "cannot read: " .. line))
        if nested then
            add(descriptors, type, message, field, parse_message(descriptors, field.type, next_line))
        else
            add(descriptors, type, message, field, scalar(descriptors, field.type, text))
        end
    end
    if is_wrapper(descriptors.messages[type]) then
        return message.value
    end
    return message
end

-- The Lua value of a message in text format.
function M.parse(descriptors, type, text)
    local lines = text:gmatch("[^\n]+")
    return parse_message(descriptors, type, function()
        local line = lines()
        return line and line:match("^%s*(.-)%s*$")
    end)
end

return M
