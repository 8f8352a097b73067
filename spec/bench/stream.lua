-- SPDX-License-Identifier: Apache-2.0
--
-- What the benchmarks of whole clients share: streams of offers and updates, and a master in this process that sends
-- them, answers each call, and counts the offers that were declined and the updates that were acknowledged. What is
-- measured is the client alone, in processes of its own.

local internals = require("internals")
local uv = require("luv")

local M = {}

local EVENT = "mesos.v1.scheduler.Event"
local FRAMEWORK = "11111111-2222-4333-8444-555555555555-0000"

-- ---- the stream ----

local function chunk(event)
    local bytes = internals.encode(EVENT, event)
    local record = ("%d\n%s"):format(#bytes, bytes)
    return ("%x\r\n%s\r\n"):format(#record, record)
end

local function scalar(name, value)
    return { name = name, type = "SCALAR", scalar = value, role = "*" }
end

function M.offer(i)
    return {
        id = ("11111111-2222-4333-8444-555555555555-O%d"):format(i), framework_id = FRAMEWORK,
        agent_id = ("11111111-2222-4333-8444-555555555555-S%d"):format(i), hostname = ("agent%d.example"):format(i),
        resources = {
            scalar("cpus", 4.0), scalar("mem", 4096.0), scalar("disk", 10240.0),
            { name = "ports", type = "RANGES", ranges = { range = { { begin = 31000, ["end"] = 32000 } } }, role = "*" },
        },
        attributes = {
            { name = "rack", type = "TEXT", text = ("r"):rep(198) }, { name = "zone", type = "TEXT", text = ("z"):rep(198) },
        },
    }
end

-- The bytes of so many OFFERS events, as strings.
function M.offers(events, per_event)
    local chunks = {}
    for event = 1, events do
        local offers = {}
        for i = 1, per_event do
            offers[i] = M.offer(event * per_event + i)
        end
        chunks[event] = chunk { type = "OFFERS", offers = { offers = offers } }
    end
    return chunks
end

-- The bytes of so many UPDATE events.
function M.updates(count)
    local chunks = {}
    for i = 1, count do
        chunks[i] = chunk { type = "UPDATE", update = { status = {
            task_id = ("task-%d"):format(i), state = "TASK_RUNNING", source = "SOURCE_EXECUTOR", timestamp = 1.5,
            agent_id = "11111111-2222-4333-8444-555555555555-S0", executor_id = ("task-%d"):format(i),
            uuid = string.pack(">I4I4I4I4", i, 0x4000, 0x80000000, 7),
        } } }
    end
    return chunks
end

M.SUBSCRIBED = chunk { type = "SUBSCRIBED", subscribed = {
    framework_id = FRAMEWORK, heartbeat_interval_seconds = 15.0,
    master_info = { id = "11111111-2222-4333-8444-555555555555", ip = 16777343, port = 1 },
} }

-- ---- the master ----

M.HEAD = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/x-protobuf\r\n"
    .. "Mesos-Stream-Id: 99999999-2222-4333-8444-555555555555\r\n\r\n"
local ACCEPTED = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

-- The type of a Call: field 2, which both clients write before any field of a higher number.
local function call_type(body)
    local at = body:byte(1) == 10 and 3 + body:byte(2) or 1
    return body:byte(at) == 16 and body:byte(at + 1) or nil
end

local SUBSCRIBE_TYPE = 1

-- Takes the whole requests off `received`; returns the rest.
local function take_requests(received, request)
    local at = 1
    while true do
        local head = received:find("\r\n\r\n", at, true)
        local length = head and tonumber(received:sub(at, head):match("[Cc]ontent%-[Ll]ength: (%d+)"))
        if not head or #received < head + 3 + (length or 0) then
            return received:sub(at)
        end
        request(received:sub(head + 4, head + 3 + (length or 0)))
        at = head + 4 + (length or 0)
    end
end

-- A master that counts in `done` what was declined and acknowledged, and has the subscription's connection in `stream`.
-- bench-recv says with a full stop each time that it has read a batch; these are counted in `batches`.
function M.start_master()
    local master = { done = 0, batches = 0, tcp = uv.new_tcp() }
    master.tcp:bind("127.0.0.1", 0)
    master.tcp:listen(16, function()
        local connection, received = uv.new_tcp(), ""
        master.tcp:accept(connection)
        connection:read_start(function(_, data)
            if not data then
                connection:close()
                return
            elseif data == "." then
                master.batches = master.batches + 1
                return
            end
            local answers = {}
            received = take_requests(received .. data, function(body)
                if call_type(body) == SUBSCRIBE_TYPE then
                    master.stream = connection
                    connection:write(M.HEAD .. M.SUBSCRIBED)
                else
                    local _, offers = body:gsub("%-O%d", "")
                    master.done = master.done + math.max(offers, 1)
                    answers[#answers + 1] = ACCEPTED
                end
            end)
            if #answers > 0 then
                connection:write(table.concat(answers))
            end
        end)
    end)
    master.address = "127.0.0.1:" .. master.tcp:getsockname().port
    return master
end

-- Sends the text, in pieces that a socket takes.
function M.send(master, text)
    for at = 1, #text, 1 << 20 do
        master.stream:write(text:sub(at, at + (1 << 20) - 1))
    end
end

-- ---- the clients ----

M.SCRIPT = [[
local s = { framework = { name = "bench", user = "root" } }
local sum = 0
function s:resourceOffers(driver, offers)
    for _, o in ipairs(offers) do
        sum = sum + o.cpus + o.mem
        driver:declineOffer(o.id)
    end
end
function s:statusUpdate(_, status)
    sum = sum + (status.state == "TASK_RUNNING" and 1 or 0)
end
return s]]

return M
