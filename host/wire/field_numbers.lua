-- SPDX-License-Identifier: Apache-2.0
--
-- Prints wire/field_numbers.h: the numbers of all fields in the .proto files that are its arguments. The build runs it.
--
-- An enumerator is FIELD_, the path of the message, and the field, in upper case: FIELD_OFFER_AGENT_ID is the number of
-- Offer.agent_id. Messages of a package below mesos.v1 have its name first: FIELD_SCHEDULER_CALL_TYPE is that of
-- scheduler.Call.type. A map's entries are messages, as protoc has them: FIELD_..._ENTRY_KEY. The parser knows the part
-- of proto2 that Mesos uses, and fails at anything else, and where two fields would get the same name.

local LABELS = { required = true, optional = true, repeated = true }

-- A file's tokens with their lines; comments and space between them are dropped.
local function tokenize(path)
    local file <close> = assert(io.open(path))
    local text = file:read("a")
    local tokens, at, line = { path = path, at = 1 }, 1, 1
    while at <= #text do
        local piece = text:match("^%s+", at) or text:match("^//[^\n]*", at) or text:match("^/%*.-%*/", at)
        if not piece then
            piece = text:match("^[%w_.-]+", at) or text:match('^"[^"\n]*"', at) or text:match("^[{}=;,<>%[%]]", at)
            if not piece then
                error(("%s:%d: '%s' is not known here"):format(path, line, text:sub(at, at)), 0)
            end
            tokens[#tokens + 1] = { text = piece, line = line }
        end
        line = line + select(2, piece:gsub("\n", ""))
        at = at + #piece
    end
    return tokens
end

local function fail(tokens, expected)
    local token = tokens[tokens.at]
    local line, got = (token or tokens[#tokens]).line, token and "'" .. token.text .. "'" or "the end of the file"
    error(("%s:%d: %s expected, got %s"):format(tokens.path, line, expected, got), 0)
end

-- Takes the next token if it is that text.
local function accept(tokens, text)
    local token = tokens[tokens.at]
    if token and token.text == text then
        tokens.at = tokens.at + 1
        return true
    end
    return false
end

local function expect(tokens, text)
    if not accept(tokens, text) then
        fail(tokens, "'" .. text .. "'")
    end
end

local function take(tokens, pattern, what)
    local token = tokens[tokens.at]
    if not token or not token.text:find("^" .. pattern .. "$") then
        fail(tokens, what)
    end
    tokens.at = tokens.at + 1
    return token.text
end

local function take_name(tokens)
    return take(tokens, "[%a_][%w_]*", "a name")
end

local function take_type(tokens)
    return take(tokens, "[%a_.][%w_.]*", "a type")
end

-- To the token behind that one.
local function skip_past(tokens, text)
    while tokens[tokens.at] and tokens[tokens.at].text ~= text do
        tokens.at = tokens.at + 1
    end
    expect(tokens, text)
end

-- AgentID -> AGENT_ID, CSIInfo -> CSI_INFO
local function upper(name)
    return (name:gsub("(%l%d*)(%u)", "%1_%2"):gsub("(%u)(%u%l)", "%1_%2"):upper())
end

local fields, places = {}, {} -- in order; name -> where it was declared

local function add(tokens, message, field, number)
    local name = ("FIELD_%s_%s"):format(message, field:upper())
    local place = ("%s:%d"):format(tokens.path, tokens[tokens.at - 1].line)
    if places[name] then
        error(("%s: %s is the name of the field at %s already"):format(place, name, places[name]), 0)
    end
    places[name] = place
    fields[#fields + 1] = { name = name, number = number }
end

-- The end of a field, from its name.
local function read_field(tokens, message)
    local field = take_name(tokens)
    expect(tokens, "=")
    add(tokens, message, field, take(tokens, "%d+", "a field's number"))
    if accept(tokens, "[") then
        skip_past(tokens, "]")
    end
    expect(tokens, ";")
    return field
end

-- Behind `map`: its entries are messages of two fields.
local function read_map(tokens, message)
    expect(tokens, "<")
    take_type(tokens)
    expect(tokens, ",")
    take_type(tokens)
    expect(tokens, ">")
    local entry = message .. "_" .. read_field(tokens, message):upper() .. "_ENTRY"
    add(tokens, entry, "key", 1)
    add(tokens, entry, "value", 2)
end

local function read_oneof(tokens, message)
    take_name(tokens)
    expect(tokens, "{")
    while not accept(tokens, "}") do
        take_type(tokens)
        read_field(tokens, message)
    end
end

local function read_enum(tokens)
    take_name(tokens)
    expect(tokens, "{")
    skip_past(tokens, "}")
end

-- Behind `message`; `prefix` is what its name is put behind.
local function read_message(tokens, prefix)
    local message = prefix .. upper(take_name(tokens))
    expect(tokens, "{")
    while not accept(tokens, "}") do
        local word = take_type(tokens)
        if word == "message" then
            read_message(tokens, message .. "_")
        elseif word == "enum" then
            read_enum(tokens)
        elseif word == "oneof" then
            read_oneof(tokens, message)
        elseif word == "map" then
            read_map(tokens, message)
        elseif word == "reserved" then
            skip_past(tokens, ";")
        elseif LABELS[word] then
            take_type(tokens)
            read_field(tokens, message)
        else
            tokens.at = tokens.at - 1
            fail(tokens, "a field, a message, an enum or a oneof")
        end
    end
end

local function read_file(path)
    local tokens = tokenize(path)
    expect(tokens, "syntax")
    expect(tokens, "=")
    expect(tokens, '"proto2"')
    expect(tokens, ";")
    local prefix
    while tokens[tokens.at] do
        local word = take_name(tokens)
        if word == "package" then
            local package = take_type(tokens)
            prefix = package == "mesos.v1" and "" or upper(package:match("([%w_]+)$")) .. "_"
            expect(tokens, ";")
        elseif word == "import" then
            skip_past(tokens, ";")
        elseif word == "message" and prefix then
            read_message(tokens, prefix)
        elseif word == "enum" then
            read_enum(tokens)
        else
            tokens.at = tokens.at - 1
            fail(tokens, "a package and then messages")
        end
    end
end

for _, path in ipairs(arg) do
    read_file(path)
end

io.write([[
// SPDX-License-Identifier: Apache-2.0
//
// Generated by host/wire/field_numbers.lua, which says how a name comes to be: the numbers of all fields.

#ifndef MESOS_LUA_WIRE_FIELD_NUMBERS_H
#define MESOS_LUA_WIRE_FIELD_NUMBERS_H

enum {
]])
for _, field in ipairs(fields) do
    io.write(("    %s = %s,\n"):format(field.name, field.number))
end
io.write("};\n\n#endif\n")
