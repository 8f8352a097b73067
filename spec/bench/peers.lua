-- SPDX-License-Identifier: Apache-2.0
--
-- The whole program beside a scheduler on mesos-go (spec/peers) on the same streams: 200 events of 500 offers, each read
-- for its id, cpus and mem and declined; and 100,000 updates, each acknowledged. The master is this process, so that what
-- is measured is the client alone: its CPU, that of the kernel included, and the most memory that it had resident. Both
-- take turns; the medians count. It needs Go: `sh spec/run.sh --peers` installs it and builds the scheduler.

local internals = require("internals")
local peers = require("support.peers")
local program = require("support.program")
local stream = require("bench.stream")

local ROUNDS = tonumber(os.getenv("ROUNDS")) or 3

-- ---- the clients ----

local CLIENTS = {
    ["mesos-go"] = function(master) return peers.scheduler(master.address, { quiet = true }).run end,
    ["mesos-lua"] = function(master)
        return program.start { args = { "-q", "--master", master.address, program.script(stream.SCRIPT) } }
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
    local master = stream.start_master()
    local run = start(master)
    program.wait_for(function() return master.stream end)
    local before = used(run)
    stream.send(master, table.concat(chunks))
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
print(("an offer has %d bytes"):format(#internals.encode("mesos.v1.Offer", stream.offer(100))))
compare("peers-offers", "200 events of 500 offers", stream.offers(EVENTS, OFFERS), EVENTS * OFFERS)
compare("peers-updates", "100,000 updates", stream.updates(UPDATES), UPDATES)
