-- SPDX-License-Identifier: Apache-2.0
--
-- What an offer costs the whole program, from the socket to its decline, that of the kernel included, against a bare loop
-- of recv() over the same bytes: events of 500 offers (677 bytes each), each offer read for id, cpus and mem and
-- declined. The clients stay, and take turns of some events each, so that what else the machine does meets all alike.
--
--   sh spec/bench/run.sh offers [PROGRAM...]      other builds of mesos-lua take turns, too

local program = require("support.program")
local stream = require("bench.stream")

local EVENTS, OFFERS, ROUNDS, WARM = 10, 500, 60, 3

local texts = {} -- two: a client meets no offer again before it was declined
for i = 1, 2 do
    texts[i] = table.concat(stream.offers(EVENTS * i, OFFERS), "", EVENTS * (i - 1) + 1)
end

local function seconds(pid)
    return tonumber(program.read(("/proc/%d/schedstat"):format(pid)):match("^(%d+)")) / 1e9
end

-- Each has a master of its own, which `done` asks whether a batch was dealt with.
local clients = {}

local function add(name, start, done)
    local client = { name = name, master = stream.start_master(), done = done, times = {} }
    client.run = start(client.master)
    program.wait_for(function() return client.master.stream end)
    clients[#clients + 1] = client
end

local function add_program(name, path)
    add(name, function(master)
        return program.start { path = path, args = { "-q", "--master", master.address, program.script(stream.SCRIPT) } }
    end, function(master, round) return master.done >= round * EVENTS * OFFERS end)
end

local function turn(client, round)
    local before = seconds(client.run.pid)
    stream.send(client.master, texts[(round - 1) % 2 + 1])
    program.wait_for(function() return client.done(client.master, round) end, 60, function() return client.run:report() end)
    if round > WARM then
        table.insert(client.times, seconds(client.run.pid) - before)
    end
end

local function median(values)
    table.sort(values)
    return values[(#values + 1) // 2]
end

add_program("mesos-lua", program.path)
for i, path in ipairs(arg) do
    add_program(("%d: %s"):format(i, path), path)
end
add("recv", function(master)
    local port = master.address:match("%d+$")
    return program.start { path = "build/bench/bench-recv", args = { port, tostring(#stream.HEAD + #stream.SUBSCRIBED),
        tostring(#texts[1]), tostring(#texts[2]) } }
end, function(master, round) return master.batches >= round end)

for round = 1, WARM + ROUNDS do
    for _, client in ipairs(clients) do
        turn(client, round)
    end
end
for _, client in ipairs(clients) do
    client.run:kill("sigkill")
    client.run:wait()
    client.median = median(client.times)
    print(("%-10s %.3f us an offer, %.3f at least"):format(client.name, client.median / EVENTS / OFFERS * 1e6,
        client.times[1] / EVENTS / OFFERS * 1e6))
end
print(("figure recv-offers %.2f"):format(clients[1].median / clients[#clients].median))
program.cleanup()
os.exit(true, true)
