-- SPDX-License-Identifier: Apache-2.0
--
-- Replays a recording of a real master to the local cluster: sends the recorded requests in their order, each once the
-- recorded events before it have come, and lists where the cluster's answers and events differ from those of the
-- recording. Ids, uuids and stream ids of the recording are translated into those of the cluster; times, hosts, ports and
-- process ids are not compared.
--
--   local differences = replay.run({ { name = "04-command-task", agents = { 1, 2 } }, ... })   -- by scenario, in parallel
--
-- Fields of a scenario: agents (numbers of the recording's agents), options (of `mesos-lua local`),
-- credentials (as of --cluster), restarts (agents, options and credentials of a new cluster, by the number of the exchange
-- before which it starts), pauses (seconds before an exchange, by its number),
-- acts (functions by the first words of the recorder's notes, called with the replay), together (the number of an exchange
-- that was sent together with the next), commands (what takes the place of a recorded command), masters (the recorded
-- addresses of several, in the order of those here), polls (exchanges that the recorder repeated until they had this answer),
-- after (functions to call after an exchange, by its number).
--
-- The order of two events counts unless they are independent: heartbeats, what is offered when (offer_matching.lua), and
-- updates of different tasks.

local assert = require("luassert")
local calls = require("support.recorded_calls")
local control = require("support.control")
local http_client = require("support.http_client")
local internals = require("internals")
local json = require("cjson")
local offer_matching = require("support.offer_matching")
local program = require("support.program")
local timeline = require("support.recorded_timeline")
local uv = require("luv")
local values = require("support.compare")

local M = {}

local CALL, EVENT = "mesos.v1.scheduler.Call", "mesos.v1.scheduler.Event"
local PAUSE, QUIET = 0.4, 1.2 -- before a call: the longest pause, and the one where the recorder watched that nothing comes

-- The agents of the recordings, as --cluster describes them.
local AGENTS = {
    {
        hostname = "agent1.test", domain = { region = "region-1", zone = "zone-a" },
        resources = { "cpus:4;mem:4096;disk:10240;ports:[31000-32000];tags:{ssd,hdd}" },
        attributes = { rack = "r1", os = "debian", level = 10, ports_open = { { 1000, 1500 }, { 2000, 2100 } } },
    },
    {
        hostname = "agent2.test", domain = { region = "region-1", zone = "zone-b" },
        resources = {
            "cpus:2;mem:2048;disk:8192;ports:[31000-31499,31600-31999]", { role = "web", resources = "cpus:1.5;mem:512" },
        },
        attributes = { rack = "r2", os = "debian", level = 2.5 },
    },
    {
        hostname = "agent3.test", resources = { "cpus:8;mem:8192;disk:20480;ports:[20000-20099]" },
        attributes = { rack = "r3", os = "fedora", gpu = "none" },
    },
}
local MASTER = { domain = { region = "region-1", zone = "zone-m" } }

local Replay = {}
Replay.__index = Replay

-- ---- waiting ----

local function now()
    return uv.hrtime() / 1e9
end

-- Suspends this replay until condition() is true; false after `seconds`.
local function await(condition, seconds)
    local limit = now() + seconds * program.patience
    while not condition() do
        if now() > limit then
            return false
        end
        coroutine.yield()
    end
    return true
end

local function pause(seconds)
    local start = now()
    await(function() return now() - start >= seconds end, seconds + 1)
end

function Replay:differs(text, ...)
    table.insert(self.differences, select("#", ...) > 0 and text:format(...) or text)
end

-- ---- translation of the recording's ids ----

local UUID = ("%x"):rep(8) .. ("%-" .. ("%x"):rep(4)):rep(3) .. "%-" .. ("%x"):rep(12)

-- The cluster's offers for one of the recording, or nil if it is none.
function Replay:offers_for(id)
    local offer = self.offers[id]
    return offer and offer.came
end

function Replay:translate_id(id)
    local offers = self:offers_for(id)
    local host = self.host_of_agent[id]
    return offers and offers[1].id or (host and self.agent_on[host]) or self.ids[id] or id
end

-- The text with `from`, to the letter, replaced.
local function replace(text, from, to)
    local first, last = text:find(from, 1, true)
    if not first then
        return text
    end
    return text:sub(1, first - 1) .. to .. replace(text:sub(last + 1), from, to)
end

function Replay:translate(value)
    if type(value) == "table" then
        local copy = {}
        for key, item in pairs(value) do
            copy[key] = self:translate(item)
        end
        return copy
    elseif type(value) ~= "string" then
        return value
    end
    for recorded, here in pairs(self.scenario.commands or {}) do
        value = replace(value, recorded, here)
        value = replace(value, recorded:gsub('"', '\\"'), here) -- quoted in a text
    end
    for recorded, here in pairs(self.addresses or {}) do
        value = replace(value, "localhost" .. recorded:match(":%d+$"), "localhost" .. here:match(":%d+$"))
    end
    return self.ids[value] or (value:gsub("(" .. UUID .. ")(%-?[OS]?%d*)", function(uuid, rest)
        return self:translate_id(uuid .. rest)
    end))
end

-- A list of offer ids; an offer of the recording may be several here, or two of them one.
function Replay:translate_offer_ids(ids)
    local list, seen = {}, {}
    for _, id in ipairs(ids) do
        local offers = self:offers_for(id)
        for _, offer in ipairs(offers or {}) do
            if not seen[offer.id] or seen[offer.id] == id then
                list[#list + 1] = offer.id
            end
            seen[offer.id] = id
        end
        if not offers then
            list[#list + 1] = self:translate(id)
        end
    end
    return list
end

local LISTS_OF_OFFERS = { "accept", "decline" }

function Replay:translate_call(call)
    local copy = self:translate(call)
    for _, name in ipairs(LISTS_OF_OFFERS) do
        if call[name] and call[name].offer_ids then
            copy[name].offer_ids = self:translate_offer_ids(call[name].offer_ids)
        end
    end
    return copy
end

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function to_base64(bytes)
    local bits, text = {}, {}
    for i = 1, #bytes do
        for bit = 7, 0, -1 do
            bits[#bits + 1] = bytes:byte(i) >> bit & 1
        end
    end
    for i = 1, #bits, 6 do
        local value = 0
        for bit = i, i + 5 do
            value = value << 1 | (bits[bit] or 0)
        end
        text[#text + 1] = ALPHABET:sub(value + 1, value + 1)
    end
    return table.concat(text) .. ("="):rep(-#text % 4)
end

-- A body in JSON, or bytes that are no Call: as text.
function Replay:translate_text(text)
    for recorded, here in pairs(self.scenario.commands or {}) do
        text = replace(text, json.encode(recorded), json.encode(here))
    end
    local listed = text:gsub('{%s*"value":%s*"(' .. UUID .. '%-O%d+)"%s*}', function(id)
        local list = {}
        for _, offer in ipairs(self:offers_for(id) or {}) do
            list[#list + 1] = ('{"value": "%s"}'):format(offer.id)
        end
        return #list > 0 and table.concat(list, ",") or nil
    end)
    return self:translate(listed:gsub('"([%w+/]+==)"', function(encoded)
        local id = self.ids[calls.base64(encoded)]
        return id and '"' .. to_base64(id) .. '"' or nil
    end))
end

-- ---- comparison ----

-- What is of the machine or of the moment: there must be a value, no matter which.
local VARIES = {
    "%.timestamp$", "unreachable_time", "executor_pid$", "ip_address$", "master_info.*%.hostname$", "%.port$", "%.pid$",
    "%.ip$",
}

local function varies(path)
    for _, pattern in ipairs(VARIES) do
        if path:find(pattern) then
            return true
        end
    end
    return false
end

local function by_resource(a, b)
    local function key(resource)
        return ("%s %s %d"):format(resource.name, resource.role or "", #(resource.reservations or {}))
    end
    return key(a) < key(b)
end

local function by_name(a, b)
    return a.name < b.name
end

-- A text with a list of resources: its parts in one order, as the order of resources is one of the moment.
local function in_order(text)
    local parts = {}
    for part in (text .. "; "):gsub(" more than available ", "; "):gsub(" required by ", "; required by "):gmatch("(.-); ") do
        parts[#parts + 1] = part
    end
    table.sort(parts)
    return table.concat(parts, "; ")
end

local function normalize(value)
    return type(value) == "string" and value:find(" more than available ", 1, true) and in_order(value) or value
end

-- Adds the paths at which the two values differ.
function Replay:compare(wanted, got, path, found)
    if type(wanted) == "table" and type(got) == "table" then
        local order = path:find("%.resources$") and by_resource or path:find("%.attributes$") and by_name
        if order then
            table.sort(wanted, order)
            table.sort(got, order)
        end
        for key, value in pairs(wanted) do
            self:compare(value, got[key], path .. (type(key) == "number" and "[]" or "." .. key), found)
        end
        for key, value in pairs(got) do
            if wanted[key] == nil then
                self:compare(nil, value, path .. (type(key) == "number" and "[]" or "." .. key), found)
            end
        end
    elseif type(wanted) == "string" and path:find("%.container_id%.value$") and type(got) == "string" then
        self.ids[wanted] = self.ids[wanted] or got
        wanted = self.ids[wanted]
    end
    wanted, got = normalize(wanted), normalize(got)
    if type(wanted) ~= "table" and (varies(path) and type(wanted) ~= type(got) or not varies(path) and wanted ~= got)
        or type(wanted) ~= type(got) then
        found[#found + 1] = ("%s: a real master has %s, here it is %s"):format(path, values.show(wanted), values.show(got))
    end
end

function Replay:compare_at(where, wanted, got)
    local found = {}
    self:compare(self:translate(wanted), values.plain(got), "", found)
    for _, text in ipairs(found) do
        self:differs("%s %s", where, text)
    end
end

-- ---- events ----

local Stream = {}
Stream.__index = Stream

local function status_of(event)
    return event.update and event.update.status
end

-- What two events must have in common to be the same.
local function subject(event)
    local status = status_of(event)
    if status then
        return ("%s %s %s %s"):format(status.task_id, status.state, status.source, status.reason or "")
    elseif event.failure then
        return ("%s of agent %s"):format(event.failure.executor_id or "", event.failure.agent_id or "")
    elseif event.message then
        return event.message.executor_id
    elseif event.rescind then
        return event.rescind.offer_id
    end
    return ""
end

function Stream:title(event)
    return ("%s, stream %d, %s %s"):format(self.replay.name, self.number, event.type, subject(event)):gsub(" +$", "")
end

local function lane_of(event)
    local status = status_of(event)
    return status and "update " .. tostring(status.task_id) or event.rescind and "rescind " .. event.rescind.offer_id
        or event.type
end

-- True if nothing says in which order these two come.
local function independent(a, b)
    if a.type == "SUBSCRIBED" or b.type == "SUBSCRIBED" or a.type == "ERROR" or b.type == "ERROR" then
        return false
    elseif a.type == "HEARTBEAT" or b.type == "HEARTBEAT" or a.type == "FAILURE" or b.type == "FAILURE" then
        return true
    end
    return a.type == b.type and lane_of(a) ~= lane_of(b)
end

function Stream:rescinds(expected, id)
    for _, offer in ipairs(self.replay:offers_for(expected.rescind.offer_id) or {}) do
        if offer.id == id then
            return true
        end
    end
    return false
end

-- An offer of the recording may be several here, of which each is rescinded.
function Stream:all_rescinded(item, id)
    item.rescinded = item.rescinded or {}
    item.rescinded[id] = true
    for _, offer in ipairs(self.replay:offers_for(item.message.rescind.offer_id)) do
        if not item.rescinded[offer.id] then
            return false
        end
    end
    return true
end

function Stream:is(expected, got)
    if expected.type ~= got.type then
        return false
    elseif got.rescind then
        return self:rescinds(expected, got.rescind.offer_id)
    end
    return subject(self.replay:translate(expected)) == subject(got)
end

-- The expected event that this one is, and is not too early for; nil if there is none.
function Stream:find(got)
    for _, item in ipairs(self.expected) do
        if not item.done and self:is(item.message, got) then
            return item
        elseif not item.done and not independent(item.message, got) then
            return nil
        end
    end
    return nil
end

local function learn_uuid(replay, wanted, got)
    if wanted and got and #wanted == 16 and not replay.ids[wanted] then
        replay.ids[wanted] = got
    end
end

function Stream:match(got)
    local item = self:find(got)
    if not item then
        return false
    end
    local wanted = item.message
    item.done = not got.rescind or self:all_rescinded(item, got.rescind.offer_id)
    if item.only_type then
        wanted = got
        self.framework_id = self.framework_id or (got.subscribed and got.subscribed.framework_id)
    elseif got.subscribed then
        self.replay.ids[wanted.subscribed.framework_id] = got.subscribed.framework_id
        self.replay.ids[wanted.subscribed.master_info.id] = got.subscribed.master_info.id
    elseif got.update then
        learn_uuid(self.replay, wanted.update.status.uuid, got.update.status.uuid)
    elseif got.rescind then
        wanted = got
    end
    self.replay:compare_at(self:title(item.message), wanted, got)
    return true
end

-- Events that came too early, or that a real master did not send, are tried again with each step.
function Stream:settle()
    local again = true
    while again do
        again = false
        for i, got in ipairs(self.unmatched) do
            if self:match(got) then
                table.remove(self.unmatched, i)
                again = true
                break
            end
        end
    end
end

function Stream:host_of(offer)
    self.replay.agent_on[offer.hostname] = offer.agent_id
    return offer.hostname
end

local function lane(host, offer)
    return host .. (offer.allocation_info and " " .. offer.allocation_info.role or "")
end

function Stream:got(event)
    if event.offers then
        for _, offer in ipairs(event.offers.offers) do
            self.matching:got(lane(self:host_of(offer), offer), offer)
        end
    elseif event.type ~= "HEARTBEAT" or not self.had_heartbeat then
        self.had_heartbeat = self.had_heartbeat or event.type == "HEARTBEAT"
        table.insert(self.unmatched, event)
        self:settle()
    end
end

-- Takes what has come out of the connection.
function Stream:read()
    for _, piece in ipairs(self.answer.pieces) do
        for _, record in ipairs(assert(self.decoder:feed(piece))) do
            self:got(self.json and calls.from_json(EVENT, record) or values.plain(internals.decode(EVENT, record)))
        end
    end
    self.answer.pieces = {}
end

function Stream:expect(items)
    local heartbeat
    for _, item in ipairs(items) do
        local event = item.message
        if event.offers then
            for _, offer in ipairs(event.offers.offers) do
                self.replay.offers[offer.id] = self.matching:expect(lane(offer.hostname, offer), offer)
                self.replay.host_of_agent[offer.agent_id] = offer.hostname
            end
        elseif event.type == "OFFERS" then
            self.unknown_offers, item.done = true, true
        elseif event.type == "HEARTBEAT" and heartbeat then
            item.done = true
        else
            heartbeat = heartbeat or event.type == "HEARTBEAT"
            table.insert(self.expected, item)
        end
    end
end

local function new_stream(replay, number, items)
    local stream = setmetatable({
        replay = replay, number = number, expected = {}, unmatched = {}, decoder = internals.recordio(),
    }, Stream)
    stream.matching = offer_matching.create(function(recorded, offers)
        if #recorded == 1 and #offers == 1 then
            replay:compare_at(("%s, stream %d, offer of %s"):format(replay.name, number, recorded[1].hostname), recorded[1],
                offers[1])
        end
    end)
    stream:expect(items)
    return stream
end

-- True once a recorded event has come.
local function has_come(replay, item)
    if not item.message.offers then
        return item.done
    end
    for _, offer in ipairs(item.message.offers.offers) do
        if not replay.offers[offer.id].came then
            return false
        end
    end
    return true
end

function Stream:finish()
    for _, event in ipairs(self.unmatched) do
        self.replay:differs("%s: a real master did not send it, or not then", self:title(event))
    end
    for _, text in ipairs(self.unknown_offers and {} or self.matching:surplus()) do
        self.replay:differs("%s, stream %d: %s", self.replay.name, self.number, text)
    end
    self.unmatched, self.finished = {}, true
end

-- ---- calls ----

-- The master that it is for.
function Replay:address_of(item)
    for _, header in ipairs(item.request.headers) do
        if header[1] == "Host" then
            return self.addresses and self.addresses[header[2]] or self.address
        end
    end
    return self.address
end

local function header_text(replay, item, length)
    local lines, headers = {}, item.request.headers
    for _, header in ipairs(headers) do
        local name, value = header[1], replay:translate(header[2])
        if name == "Content-Length" then
            value = length
        elseif name == "Host" then
            value = replay:address_of(item)
        end
        lines[#lines + 1] = ("%s: %s\r\n"):format(name, value)
    end
    return table.concat(lines)
end

-- Of some streams the recording has no bytes: their framework id is in the first call with their stream id.
function Replay:learn_framework(request)
    local message = request.body.message
    for _, header in ipairs(message and request.headers or {}) do
        local stream = header[1] == "Mesos-Stream-Id" and self.stream_of_id[header[2]]
        if stream and stream.framework_id and message.framework_id then
            self.ids[message.framework_id] = self.ids[message.framework_id] or stream.framework_id
        end
    end
end

function Replay:request_bytes(item)
    local request = item.request
    self:learn_framework(request)
    if request.raw then
        local raw = request.raw_is_cut and request.raw:gsub("%.%.%.$", ("a"):rep(100000) .. "\r\n\r\n") or request.raw
        return self:translate(raw)
    end
    local body = request.body.message and internals.encode(CALL, self:translate_call(request.body.message))
        or self:translate_text(request.body.bytes)
    local path = request.path:gsub("^http://[^/]+", "http://" .. self.address)
    return ("%s %s HTTP/1.1\r\n%s\r\n%s"):format(request.method, path, header_text(self, item, #body), body)
end

local NO_HEADERS = { Date = true, ["Content-Length"] = true, ["Mesos-Stream-Id"] = true, Location = true }

function Replay:compare_answer(item, answer)
    local where, wanted = ("%s, exchange %d:"):format(self.name, item.number), item.answer
    if wanted.status ~= answer.status then
        self:differs("%s a real master answers %s, here it is %s %s", where, wanted.status, answer.status, answer.body or "")
        return
    end
    if wanted.body and item.request.method ~= "HEAD" and self:translate(wanted.body) ~= answer.body then
        self:differs("%s a real master's body is %q, here it is %q", where, self:translate(wanted.body), answer.body)
    end
    local headers = {}
    for _, header in ipairs(wanted.headers) do
        headers[header[1]] = header[2]
    end
    if self.addresses and headers.Location and self:translate(headers.Location) ~= answer.headers.Location then
        self:differs("%s a real master redirects to %s, here it is %s", where, headers.Location, answer.headers.Location)
    end
    for name, value in pairs(headers) do
        if answer.headers[name] == nil or (not NO_HEADERS[name] and answer.headers[name] ~= value) then
            self:differs("%s a real master's %s is %s, here it is %s", where, name, value, answer.headers[name])
        end
    end
    for name, value in pairs(answer.headers) do
        if not headers[name] then
            self:differs("%s a real master sends no %s: %s", where, name, value)
        end
    end
end

-- What raw bytes were answered with, without the date and what depends on it.
local function plain_answer(bytes)
    return (bytes:gsub("\r\nDate: [^\r]*", ""):gsub("\r\n[%w-]+: [^\r]*", string.lower))
end

function Replay:compare_raw(item, connection)
    local wanted = item.answer.raw or { bytes = "", closed = true }
    local expected = plain_answer(self:translate(wanted.bytes))
    await(function()
        return #plain_answer(connection.received) >= #expected and (not wanted.closed or connection.closed)
    end, 5)
    pause(wanted.bytes == "" and not wanted.closed and 0.3 or 0)
    local got = plain_answer(connection.received)
    local where = ("%s, exchange %d:"):format(self.name, item.number)
    if got ~= expected then
        self:differs("%s a real master answers %q, here it is %q", where, expected, got)
    end
    if wanted.closed ~= (connection.closed ~= nil) then
        self:differs("%s a real master %s the connection", where, wanted.closed and "closes" or "does not close")
    end
end

-- The connections of the recording, each kept open as long as it was.
function Replay:connection(item)
    local connection = self.connections[item.connection]
    if not connection or connection.closed then
        connection = http_client.connect(self:address_of(item))
        self.connections[item.connection] = connection
    end
    return connection
end

function Replay:open_stream(item, answer)
    local stream = self.streams[item.stream]
    for _, header in ipairs(item.answer.headers) do
        if header[1] == "Mesos-Stream-Id" then
            self.ids[header[2]] = answer.headers["Mesos-Stream-Id"]
            self.stream_of_id[header[2]] = stream
        end
    end
    stream.behind = now() - item.time -- how much later than in the recording things may come
    stream.json = answer.headers["Content-Type"] == "application/json"
    stream.answer, stream.connection = answer.stream, self.connections[item.connection]
    self.open[#self.open + 1] = stream
end

function Replay:call_behind(item)
    for place = item.place + 1, #self.items do
        if self.items[place].kind == "call" then
            return self.items[place]
        end
    end
end

-- Sends a request again and again until its answer has the recorded status and words, which is looked at then.
function Replay:poll(item)
    local answer
    local function ask()
        local connection = http_client.connect(self:address_of(item))
        self.connections[item.connection] = connection
        connection:write(self:request_bytes(item))
        answer = nil
        await(function()
            answer = connection:answer()
            return answer or connection.closed
        end, 10)
        local found = answer and answer.status == item.answer.status and (not item.answer.body or item.answer.body == answer.body)
        if not found then
            connection:close()
        end
        return found
    end
    if not await(ask, 20) then
        self:differs("%s, exchange %d: the answer is never the recorded one, but %s %s", self.name, item.number,
            answer and answer.status, answer and answer.body)
        return
    end
    self:compare_answer(item, answer)
    if answer.stream and item.streams then
        self:open_stream(item, answer)
    end
end

-- Sends a request and looks at its answer; one that was sent together with the next is looked at after that.
function Replay:call(item)
    local connection = self:connection(item)
    if self.scenario.together == item.number then
        local next_one = self:connection(self:call_behind(item))
        await(function() return next_one.open and connection.open end, 5)
    end
    connection:write(self:request_bytes(item))
    if self.scenario.together == item.number then
        self.sent_before = item
        return
    end
    local before = self.sent_before
    self.sent_before = nil
    if before then
        self:take_answer(before, self.connections[before.connection])
    end
    self:take_answer(item, connection)
end

function Replay:take_answer(item, connection)
    if not item.answer.status then
        self:compare_raw(item, connection)
        return
    end
    local answer
    local came = await(function()
        answer = connection:answer(item.request.method == "HEAD")
        return answer or connection.closed
    end, 10)
    if not came or not answer then
        self:differs("%s, exchange %d: no answer (%s)", self.name, item.number, connection.closed or "still open")
        return
    end
    self:compare_answer(item, answer)
    if answer.stream and item.streams then
        self:open_stream(item, answer)
    end
end

-- ---- the replay ----

function Replay:read_streams()
    for _, stream in ipairs(self.open) do
        if not stream.finished then
            stream:read()
        end
    end
end

function Replay:start(cluster)
    if self.cluster then
        self.cluster:kill()
    end
    self.agents = cluster.agents or self.agents
    local plan = { agents = {}, master = MASTER, credentials = cluster.credentials }
    for i, number in ipairs(self.agents) do
        plan.agents[i] = AGENTS[number]
    end
    local args = { "local", "--work-dir", program.directory(), "--cluster", program.script(json.encode(plan), "cluster.json") }
    table.move(cluster.options or {}, 1, #(cluster.options or {}), #args + 1, args)
    self.cluster = program.start { args = args }
    assert(await(function()
        self.address = self.cluster.stdout:match("listening on ([%d.:]+)\n")
        return self.address or self.cluster.code
    end, 10) and self.address, self.cluster:report())
    self.agent_on, self.connections = {}, {}
    if self.scenario.masters then
        self:find_masters()
    end
end

-- Which recorded address is which of those here.
function Replay:find_masters()
    local others
    await(function()
        others = self.cluster.stdout:match("standing by on ([^\n]+)\n")
        return others
    end, 10)
    self.addresses = { [self.scenario.masters[1]] = self.address }
    for address in others:gmatch("[^, ]+") do
        for i = 2, #self.scenario.masters do
            if not self.addresses[self.scenario.masters[i]] then
                self.addresses[self.scenario.masters[i]] = address
                break
            end
        end
    end
end

function Replay:fault(words)
    local done = control.ctl(self.cluster, { "fault", words })
    assert(done.code == 0, done:report())
end

-- Makes a fault of an agent, such as "kill".
function Replay:agent_fault(name, host)
    self:fault(name .. " " .. self.agent_on[host]:match("S%d+$"))
end

local steps = {}

function steps.event(replay, item, gap)
    local stream = replay.streams[item.stream]
    if not stream.answer then
        return -- its call was answered otherwise, which is a difference of its own
    end
    local patience = stream.missed and 0.5 or 8 -- less than the ten seconds behind which agents repeat their updates
    local came = await(function()
        replay:read_streams()
        return has_come(replay, item)
    end, math.max(gap, item.time + stream.behind - now()) + patience)
    if not came then
        stream.missed = true
        item.done = true
        stream:settle()
        replay:differs("%s: it does not come here", stream:title(item.message))
    end
end

local ENDS = { TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true }

-- The offers that were recorded after this call and before the end of a task: what they hold was free before the call.
local function offers_before_an_end(items, call)
    for i = call.place + 1, #items do
        local event = items[i].message
        if event and event.offers then
            return items[i]
        elseif event and (event.subscribed or ENDS[event.update and event.update.status.state]) then
            return nil
        end
    end
end

-- A KILL frees resources: what is recorded to be offered apart from these is waited for.
local function wait_for_offers(replay, item)
    local message = item.request.body.message
    local offers = message and message.type == "KILL" and offers_before_an_end(replay.items, item)
    if offers then
        await(function()
            replay:read_streams()
            return has_come(replay, offers)
        end, 8)
    end
end

function steps.call(replay, item, gap)
    local pauses = replay.scenario.pauses or {}
    pause(replay.sent_before and 0 or pauses[item.number] or math.min(gap, gap > 3 and QUIET or PAUSE))
    wait_for_offers(replay, item)
    replay:read_streams()
    local cluster = replay.scenario.restarts and replay.scenario.restarts[item.number]
    if cluster then
        replay:start(cluster)
    end
    if replay.scenario.polls and replay.scenario.polls[item.number] then
        replay:poll(item)
    else
        replay:call(item)
    end
    local after = replay.scenario.after and replay.scenario.after[item.number]
    if after then
        pause(QUIET)
        after(replay)
    end
end

steps["end"] = function(replay, item, gap)
    local stream = replay.streams[item.stream]
    if not stream.answer then
        return
    elseif item.how == "closed by client" then
        pause(math.min(gap, PAUSE))
        replay:read_streams()
        stream.connection:close()
    else
        await(function() return stream.answer.ended end, 5)
        replay:read_streams()
        local wanted = item.how:match("^last%-chunk") or "EOF"
        if stream.answer.ended ~= wanted then
            replay:differs("%s, stream %d ends with %s at a real master, here: %s", replay.name, item.stream, wanted,
                stream.answer.ended)
        end
    end
    stream:finish()
end

function steps.note(replay, item)
    for words, act in pairs(replay.scenario.acts or {}) do
        if item.text:find(words, 1, true) == 1 then
            act(replay)
        end
    end
end

local function items_of_stream(items, number)
    local list = {}
    for _, item in ipairs(items) do
        if item.kind == "event" and item.stream == number then
            list[#list + 1] = item
        end
    end
    return list
end

local function run_one(replay)
    local items = timeline.of(replay.name)
    replay.items = items
    for place, item in ipairs(items) do
        item.place = place
        if item.kind == "call" and item.streams then
            replay.streams[item.stream] = new_stream(replay, item.stream, items_of_stream(items, item.stream))
        end
    end
    replay:start(replay.scenario)
    local last = 0
    for _, item in ipairs(items) do
        steps[item.kind](replay, item, item.time - last)
        last = item.time
    end
    pause(QUIET)
    replay:read_streams()
    for _, stream in ipairs(replay.open) do
        if not stream.finished then
            stream:finish()
        end
    end
    replay.cluster:kill()
end

local function new_replay(scenario)
    local replay = setmetatable({
        name = scenario.name, scenario = scenario, agents = scenario.agents, differences = {}, ids = {}, offers = {},
        host_of_agent = {}, agent_on = {}, stream_of_id = {}, connections = {}, streams = {}, open = {},
    }, Replay)
    replay.thread = coroutine.create(run_one)
    return replay
end

local function resume(replay)
    local ok, message = coroutine.resume(replay.thread, replay)
    if not ok then
        replay:differs("%s: %s", replay.name, debug.traceback(replay.thread, message))
    end
    return coroutine.status(replay.thread) ~= "dead"
end

-- Replays the scenarios at the same time; returns the list of differences of each, by its name.
function M.run(scenarios)
    local running, result = {}, {}
    for i, scenario in ipairs(scenarios) do
        running[i] = new_replay(scenario)
        result[scenario.name] = running[i].differences
    end
    local tick = uv.new_timer()
    tick:start(5, 5, function() end)
    while #running > 0 do
        uv.run("once")
        for i = #running, 1, -1 do
            if not resume(running[i]) then
                table.remove(running, i)
            end
        end
    end
    tick:close()
    http_client.cleanup()
    return result
end

return M
