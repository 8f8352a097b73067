-- SPDX-License-Identifier: Apache-2.0
--
-- The calls of the recordings, read from spec/fixtures/wire/*/http.txt: what a client once sent to a real master, and
-- what the master answered.

local cjson = require("cjson")
local lfs = require("lfs")
local recordings = require("support.recordings")
local internals = require("internals")
local textformat = require("support.textformat")
local values = require("support.compare")

local M = {}

local ROOT = "spec/fixtures/wire"
local CALL, EVENT = "mesos.v1.scheduler.Call", "mesos.v1.scheduler.Event"
local descriptors = internals.descriptors()

local function read(path)
    local file <close> = assert(io.open(path, "rb"))
    return file:read("a")
end

-- ---- JSON ----

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

function M.base64(text)
    local bits, bytes, value = 0, {}, 0
    for letter in text:gmatch("[%w+/]") do
        value = value << 6 | (ALPHABET:find(letter, 1, true) - 1)
        bits = bits + 6
        if bits >= 8 then
            bits = bits - 8
            bytes[#bytes + 1] = string.char(value >> bits & 255)
        end
    end
    return table.concat(bytes)
end

-- Turns what JSON writes as text into what it is, in place: bytes, and 64-bit numbers.
local function fix_texts(type, message)
    for _, field in ipairs(descriptors.messages[type] or {}) do
        local value = message[field.name]
        if value ~= nil and field.type == "bytes" then
            message[field.name] = M.base64(value)
        elseif _G.type(value) == "string" and field.type:find("int64") then
            message[field.name] = math.tointeger(tonumber(value))
        elseif _G.type(value) == "table" and descriptors.messages[field.type] then
            local list = field.label == "repeated" and value or { value }
            for _, item in pairs(list) do
                fix_texts(field.type, item)
            end
        end
    end
end

-- The message of that type that a JSON text is, as Lua values; nil if it is none.
function M.from_json(type, text)
    local read_it, message = pcall(cjson.decode, text)
    if not read_it or _G.type(message) ~= "table" or message == cjson.null then
        return nil
    end
    fix_texts(type, message)
    local encoded, bytes = pcall(internals.encode, type, message)
    return encoded and values.plain(internals.decode(type, bytes)) or nil
end

-- ---- exchanges ----

function M.unindent(text)
    return (text:gsub("\n   ", "\n"):gsub("^   ", ""))
end

local function call_of(body)
    local text = body:match("\n   # %d+ bytes of protobuf: Call\n(.*)$")
    if text then
        return textformat.parse(descriptors, CALL, M.unindent(text)), "protobuf"
    end
    text = body:match("\n>>[ ]*\n(   [{].*)$")
    if text then
        return M.from_json(CALL, M.unindent(text)), "json"
    end
end

local function exchange_of(scenario, part)
    local number = math.tointeger(part:match("^(%d+)"))
    local request, response = part:match("^(.-\n)<< (.*)$")
    if not request then
        request, response = part, ""
    end
    local call, encoding = call_of(request)
    return {
        scenario = scenario, number = number, call = call, encoding = encoding,
        status = math.tointeger(response:match("^HTTP/1.1 (%d+)")),
    }
end

function M.scenarios()
    local names = {}
    for name in lfs.dir(ROOT) do
        if not name:find("^%.") then
            names[#names + 1] = name
        end
    end
    table.sort(names)
    return names
end

-- The exchanges of a scenario in order: { scenario =, number =, call =, encoding =, status = }; `call` is nil where the
-- request was no Call.
function M.of(scenario)
    local exchanges = {}
    local text = read(("%s/%s/http.txt"):format(ROOT, scenario)):gsub("\n==== exchange ", "\1"):gsub("\n%-%-%-%- [^\n]*", "\n")
    for part in text:gmatch("\1([^\1]*)") do
        exchanges[#exchanges + 1] = exchange_of(scenario, part)
    end
    return exchanges
end

-- ---- what the master had sent ----

-- The messages of a stream of support.recordings, as Lua values.
function M.events(stream)
    local events = {}
    for i, record in ipairs(internals.recordio():feed(stream.bytes)) do
        events[i] = stream.json and M.from_json(EVENT, record) or values.plain(internals.decode(EVENT, record))
    end
    return events
end

-- All offers and all updates of a scenario's streams: offers by id, statuses by uuid.
function M.known(scenario)
    local offers, statuses = {}, {}
    for _, stream in ipairs(recordings.streams()) do
        if stream.name:find(scenario .. "/", 1, true) == 1 then
            for _, event in ipairs(M.events(stream)) do
                for _, offer in ipairs(event.offers and event.offers.offers or {}) do
                    offers[offer.id] = offer
                end
                local status = event.update and event.update.status
                if status and status.uuid then
                    statuses[status.uuid] = status
                end
            end
        end
    end
    return offers, statuses
end

return M
