-- SPDX-License-Identifier: Apache-2.0
--
-- A recording as one list in the order of its times: requests with their answers (http.txt), the records of the streams
-- (events*.recordio), the ends of streams, and the recorder's notes of what happened outside.

local calls = require("support.recorded_calls")
local internals = require("internals")
local recordings = require("support.recordings")
local textformat = require("support.textformat")
local values = require("support.compare")

local M = {}

local CALL, EVENT = "mesos.v1.scheduler.Call", "mesos.v1.scheduler.Event"
local descriptors = internals.descriptors()

-- ---- bodies ----

-- The bytes of a text in Python's notation, b'...'.
local function python_bytes(text)
    local quoted = text:match("^b'(.*)'$") or text:match('^b"(.*)"$')
    return quoted and (quoted:gsub("\\(.)(%x?%x?)", function(kind, digits)
        if kind == "x" then
            return string.char(tonumber(digits, 16))
        end
        return (({ n = "\n", r = "\r", t = "\t" })[kind] or kind) .. digits
    end))
end

-- A protobuf field of bytes, which are fewer than 128.
local function field(number, bytes)
    return string.char(number << 3 | 2, #bytes) .. bytes
end

local function subscribe(info, more)
    return "\x10\x01" .. field(3, field(1, info) .. (more or ""))
end

local USER, MULTI_ROLE, REFINEMENT, PARTITION_AWARE = field(1, "root"), "\x52\2\8\6", "\x52\2\8\7", "\x52\2\8\5"

-- Calls that lack a required field, which the codec does not write, and one of which the recorder shows more than it sent.
local BYTES = {
    ["02-roles-constraints/10"] = subscribe(
        USER .. field(2, "fixture-02-unknown-selector") .. MULTI_ROLE .. REFINEMENT .. PARTITION_AWARE .. field(12, "web"),
        field(3, field(1, field(1, "web") .. field(2, field(1, field(1, field(2, field(1, "")))))))),
    ["15-http-errors/105"] = subscribe(field(2, "x")),
    ["15-http-errors/106"] = subscribe(USER),
    ["15-http-errors/108"] = "\x10\x01",
}

local LABELS = 5000

local function big_subscribe()
    local labels = {}
    for i = 1, LABELS do
        labels[i] = { key = ("key-%d"):format(i), value = ("v"):rep(180) }
    end
    local info = { user = "root", name = "big", labels = { labels = labels } }
    return { type = "SUBSCRIBE", subscribe = { framework_info = info } }
end

-- Calls that the recorder names and does not show.
local NAMED = {
    ["# SUBSCRIBE"] = { type = "SUBSCRIBE", subscribe = { framework_info = { user = "root", name = "fixture-15-start" } } },
    ["15-http-errors # REVIVE, protobuf"] = { type = "REVIVE", framework_id = "6c1de296-a5cd-4e06-9daf-a23ab8933f17-0000" },
    ["16-ha # REVIVE, protobuf"] = { type = "REVIVE", framework_id = "x" },
}

-- What was sent as body: { message = a Call } or { bytes = }.
local function body_of(scenario, number, text)
    local size, protobuf = text:match("^   # (%d+) bytes of protobuf: (.*)$")
    text = calls.unindent(text):gsub("\n+$", "")
    local named = NAMED[text] or NAMED[scenario .. " " .. text]
    local bytes = BYTES[("%s/%d"):format(scenario, number)]
    if named or bytes then
        return { message = named, bytes = bytes }
    elseif not size then
        return { bytes = text ~= "(no body)" and (python_bytes(text) or text) or "" }
    elseif protobuf:find("^SUBSCRIBE with 5000 labels") then
        return { message = big_subscribe() }
    end
    local message = textformat.parse(descriptors, CALL, calls.unindent(protobuf:gsub("^Call\n", "")))
    if #internals.encode(CALL, message) ~= tonumber(size) then
        message.framework_id = nil -- the recorder showed an id that it had not sent
    end
    return { message = message }
end

-- ---- exchanges ----

-- The lines that begin with `mark`, as first line and headers, and the text behind them.
local function head_of(text, mark)
    local lines, rest = {}, text
    while rest:sub(1, 2) == mark do
        local line, after = rest:match("^.. ?([^\n]*)\n?(.*)$")
        lines[#lines + 1], rest = line, after
    end
    local headers = {}
    for i = 2, #lines do
        local name, value = lines[i]:match("^([^:]+): ?(.*)$")
        if name then
            headers[#headers + 1] = { name, value }
        end
    end
    return lines[1], headers, rest
end

local function request_of(scenario, number, text)
    local first, headers, rest = head_of(text, ">>")
    local raw = rest:match("^   # bytes sent: (b['\"].*['\"])\n*$")
    local method, path = first:match("^(%S+) (%S+) HTTP/1.1$")
    return { method = method, path = path, headers = headers, raw = raw and python_bytes(raw), body = body_of(scenario, number, rest),
        raw_is_cut = raw and raw:find("%.%.%.'$") ~= nil }
end

-- What came back on a connection on which raw bytes were sent: { bytes =, closed = }
local function raw_answer_of(text)
    local bytes, after = text:match("^<< no response: raw bytes received: (b['\"].*['\"]); then: ([^\n]*)")
    return bytes and { bytes = python_bytes(bytes), closed = after:find("^EOF") ~= nil }
end

local function answer_of(text)
    local first, headers, rest = head_of(text, "<<")
    local body = rest:gsub("\n   end of stream:.*$", ""):gsub("^   end of stream:.*$", "")
    return {
        status = math.tointeger((first or ""):match("^HTTP/1.1 (%d+)")), headers = headers,
        body = not rest:find("^   chunked body") and calls.unindent(body):gsub("\n+$", "") or nil,
        raw = raw_answer_of(text),
    }
end

-- The records of a stream that has no file of its own: ERROR is whole, of others only the type is known.
local function short_records(stream, text, add)
    local encoded = text:match("body bytes %(after dechunking%) in base64: (%S+)")
    local messages = encoded and internals.recordio():feed(calls.base64(encoded)) or {}
    local at = 0
    for time, type in text:gmatch("\n     %x+  %d+  %+([%d.]+)  ([A-Z]+)") do
        at = at + 1
        local message = messages[at] and values.plain(internals.decode(EVENT, messages[at]))
        add { kind = "event", time = tonumber(time), stream = stream, message = message or { type = type },
            only_type = message == nil }
    end
end

local function exchange(scenario, text, has_file, add)
    local digits, time, connection, rest = text:match("^(%d+)  t=%+([%d.]+)  conn (%d+)([^\n]*\n.*)$")
    local number = math.tointeger(tonumber(digits))
    local stream = math.tointeger(tonumber(rest:match("^  %(stream (%d+)%)")))
    local request, answer = rest:match("\n(>>.-\n)(<<.*)$")
    local item = {
        kind = "call", number = number, time = tonumber(time), stream = stream,
        connection = connection, request = request_of(scenario, number, request), answer = answer_of(answer),
    }
    add(item)
    item.streams = answer:find("\n   chunked body") ~= nil
    if item.streams and not has_file[stream] then
        short_records(stream, answer, add)
    end
    local how, when = answer:match("\n   end of stream: (.-) at t=%+([%d.]+)")
    if item.streams and how then
        add { kind = "end", time = tonumber(when), stream = stream, how = how }
    end
end

-- ---- the list ----

-- At equal times: what a client waits for, its call, and what the master answers at once.
local function rank(item)
    local status = item.message and item.message.update and item.message.update.status
    return status and status.reason == "REASON_RECONCILIATION" and 3 or item.kind == "call" and 2 or 1
end

local function by_time(a, b)
    if a.time ~= b.time then
        return a.time < b.time
    elseif rank(a) ~= rank(b) then
        return rank(a) < rank(b)
    end
    return a.index < b.index
end

-- All that happened in a scenario: items with `kind` and `time` (s), and
--   call   number, connection, stream, request = { method, path, headers, body, raw }, answer = { status, headers, body }
--   event  stream, message, and only_type if no more than its type is known
--   end    stream, how
--   note   text
function M.of(scenario)
    local items, has_file = {}, {}
    local function add(item)
        item.index = #items + 1
        items[item.index] = item
    end
    for _, stream in ipairs(recordings.streams()) do
        if stream.name:find(scenario .. "/", 1, true) == 1 then
            has_file[stream.number] = true
            for i, message in ipairs(calls.events(stream)) do
                add { kind = "event", time = stream.records[i].time, stream = stream.number, message = message }
            end
        end
    end
    for kind, text in recordings.exchanges(scenario) do
        if kind == "exchange" then
            exchange(scenario, text, has_file, add)
        else
            local time, note = text:match("^t=%+([%d.]+) NOTE: ([^\n]*)")
            add { kind = "note", time = tonumber(time), text = note }
        end
    end
    table.sort(items, by_time)
    return items
end

return M
