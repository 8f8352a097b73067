-- SPDX-License-Identifier: Apache-2.0
--
-- The whole program beside a scheduler on mesos-go (spec/peers) on the same streams: 200 events of 500 offers, each read
-- for its id, cpus and mem and declined; and 100,000 updates, each acknowledged. The master is this process, so that what
-- is measured is the client alone: its CPU, that of the kernel included, and the most memory that it had resident. Both
-- take turns; the medians count. It needs Go: `sh spec/run.sh --peers` installs it and builds the scheduler.

local internals = require("internals")
local peers = require("support.peers")
local program = require("support.program")
local uv = require("luv")

local ROUNDS = tonumber(os.getenv("ROUNDS")) or 3
local EVENT = "mesos.v1.scheduler.Event"
local FRAMEWORK = "11111111-2222-4333-8444-555555555555-0000"

local SCRIPT = [[
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

-- ---- the stream ----

local function chunk(event)
    local bytes = internals.encode(EVENT, event)
    local record = ("%d\n%s"):format(#bytes, bytes)
    return ("%x\r\n%s\r\n"):format(#record, record)
end

local function scalar(name, value)
    return { name = name, type = "SCALAR", scalar = value, role = "*" }
end

local function offer(i)
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

local function offer_chunks(events, per_event)
    local chunks = {}
    for event = 1, events do
        local offers = {}
        for i = 1, per_event do
            offers[i] = offer(event * per_event + i)
        end
        chunks[event] = chunk { type = "OFFERS", offers = { offers = offers } }
    end
    return chunks
end

local function update_chunks(count)
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

local SUBSCRIBED = chunk { type = "SUBSCRIBED", subscribed = {
    framework_id = FRAMEWORK, heartbeat_interval_seconds = 15.0,
    master_info = { id = "11111111-2222-4333-8444-555555555555", ip = 16777343, port = 1 },
} }

-- ---- the master ----

local HEAD = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/x-protobuf\r\n"
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

-- A master that counts what was declined and acknowledged, and has the subscription's connection in `stream`.
local function start_master()
    local master = { done = 0, tcp = uv.new_tcp() }
    master.tcp:bind("127.0.0.1", 0)
    master.tcp:listen(16, function()
        local connection, received = uv.new_tcp(), ""
        master.tcp:accept(connection)
        connection:read_start(function(_, data)
            if not data then
                connection:close()
                return
            end
            local answers = {}
            received = take_requests(received .. data, function(body)
                if call_type(body) == SUBSCRIBE_TYPE then
                    master.stream = connection
                    connection:write(HEAD .. SUBSCRIBED)
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

-- ---- the clients ----

local CLIENTS = {
    ["mesos-go"] = function(master) return peers.scheduler(master.address, { quiet = true }).run end,
    ["mesos-lua"] = function(master)
        return program.start { args = { "-q", "--master", master.address, program.script(SCRIPT) } }
    end,
}

-- All processes that descend from that one, and itself.
local function family(root)
    local children, list = {}, { root }
    for pid in (io.popen("ps -e -o ppid=,pid=")):lines() do
        local parent, child = pid:match("(%d+)%s+(%d+)")
        children[tonumber(parent)] = children[tonumber(parent)] or {}
        table.insert(children[tonumber(parent)], tonumber(child))
    end
    local at = 1
    while list[at] do
        table.move(children[list[at]] or {}, 1, #(children[list[at]] or {}), #list + 1, list)
        at = at + 1
    end
    return list
end

-- Seconds of CPU of the client's processes so far, and their highest memory in MiB.
local function used(run)
    local ticks, memory = 0, 0
    for _, pid in ipairs(family(run.pid)) do
        local stat, status = program.read(("/proc/%d/stat"):format(pid)), program.read(("/proc/%d/status"):format(pid))
        local user, system = (stat or ""):match("%) %a" .. (" %-?%d+"):rep(10) .. " (%d+) (%d+)")
        ticks = ticks + (tonumber(user) or 0) + (tonumber(system) or 0)
        memory = memory + (tonumber((status or ""):match("VmHWM:%s*(%d+)")) or 0)
    end
    return ticks / 100, memory / 1024
end

-- Sends the chunks and waits until that many things are done: CPU in seconds, memory in MiB.
local function measure(start, chunks, count)
    local master = start_master()
    local run = start(master)
    program.wait_for(function() return master.stream end)
    local before = used(run)
    local text = table.concat(chunks)
    for at = 1, #text, 1 << 20 do
        master.stream:write(text:sub(at, at + (1 << 20) - 1))
    end
    program.wait_for(function() return master.done >= count end, 120, function()
        return ("%d of %d were answered\n%s"):format(master.done, count, run:report())
    end)
    local after, memory = used(run)
    run:kill("sigkill")
    run:wait()
    master.tcp:close()
    program.cleanup()
    return after - before, memory
end

local function median(values)
    table.sort(values)
    return values[(#values + 1) // 2]
end

local function compare(name, what, chunks, count)
    local cpu, memory = {}, {}
    for _ = 1, ROUNDS do
        for client, start in pairs(CLIENTS) do
            cpu[client], memory[client] = cpu[client] or {}, memory[client] or {}
            local seconds, most = measure(start, chunks, count)
            table.insert(cpu[client], seconds)
            table.insert(memory[client], most)
        end
    end
    for client in pairs(CLIENTS) do
        cpu[client], memory[client] = median(cpu[client]), median(memory[client])
        print(("%-10s %s: %.3f s of CPU, %.2f us each; %.1f MiB at most"):format(client, what, cpu[client],
            cpu[client] / count * 1e6, memory[client]))
    end
    print(("figure %s %.1f"):format(name, cpu["mesos-go"] / cpu["mesos-lua"]))
    print(("figure %s-memory %.1f"):format(name, memory["mesos-go"] / memory["mesos-lua"]))
end

local EVENTS, OFFERS, UPDATES = 200, 500, 100000
print(("an offer has %d bytes"):format(#internals.encode("mesos.v1.Offer", offer(100))))
compare("peers-offers", "200 events of 500 offers", offer_chunks(EVENTS, OFFERS), EVENTS * OFFERS)
compare("peers-updates", "100,000 updates", update_chunks(UPDATES), UPDATES)
