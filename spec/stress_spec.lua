-- SPDX-License-Identifier: Apache-2.0
--
-- A hundred thousand status updates and twenty thousand offers, in bursts, through a script that answers all of them:
-- nothing is lost, nothing is answered twice, and the memory stays flat, since the tasks of the updates end. The master
-- sends records that were made beforehand, and takes the calls without decoding them.

local event_records = require("support.event_records")
local program = require("support.program")
local server = require("support.server")

local UPDATES, BURST = 100000, 1000
local OFFERS, OFFER_BURST = 20000, 500
local SECONDS = 60 -- about a tenth of it on an idle machine

local FRAMEWORK = "stress-framework"
local CALL_HEAD = "\x0a" .. string.char(#FRAMEWORK + 2) .. "\x0a" .. string.char(#FRAMEWORK) .. FRAMEWORK .. "\x10"
local ACCEPT, DECLINE, ACKNOWLEDGE, TEARDOWN = 3, 4, 8, 2

local SCRIPT = [[
local mesos = require "mesos"
local stress = { framework = { name = "stress" } }
local updates, offered = 0, 0
local resources = mesos.resources "cpus:1;mem:32"
function stress:resourceOffers(driver, offers)
    for i, offer in ipairs(offers) do
        offered = offered + 1
        if i % 10 == 0 then
            driver:declineOffer(offer.id, { refuse_seconds = 1 })
        else
            driver:launchTasks(offer.id, { { name = "t", task_id = "t" .. offered, agent_id = offer.agent_id,
                command = { value = "true" }, resources = resources } })
        end
    end
end
function stress:statusUpdate(_, status)
    assert(status.state == "TASK_FINISHED")
    updates = updates + 1
end
function stress:frameworkMessage(driver)
    print(updates, offered)
    driver:stop()
end
return stress
]]

local function offer_id(n)
    return ("stress-O%08d"):format(n)
end

local update_record = event_records.template({
    type = "UPDATE", update = { status = {
        task_id = "TASKTASK", state = "TASK_FINISHED", source = "SOURCE_EXECUTOR", agent_id = "stress-S0",
        executor_id = "e", timestamp = 1700000000.5, uuid = event_records.UUID, message = "as before",
    } },
}, {
    TASKTASK = function(n) return ("%08d"):format(n) end,
    [event_records.UUID] = event_records.uuid,
})

local function offer_burst(first)
    local offers = {}
    for i = 1, OFFER_BURST do
        local resources = {}
        for k, name in ipairs({ "cpus", "mem", "disk" }) do
            resources[k] = { name = name, type = "SCALAR", scalar = 4, allocation_info = { role = "*" } }
        end
        offers[i] = {
            id = offer_id(first + i), framework_id = FRAMEWORK, agent_id = "stress-S0", hostname = "agent.test",
            resources = resources, allocation_info = { role = "*" },
        }
    end
    return event_records.frame({ type = "OFFERS", offers = { offers = offers } })
end

local function resident(pid)
    return tonumber(program.read(("/proc/%d/statm"):format(pid)):match("^%d+ (%d+)")) * 4096
end

-- The answers that arrive: how many of each kind, and which came twice.
local function tally()
    local seen = { updates = {}, offers = {}, acknowledged = 0, answered = 0, twice = 0, strange = 0, ended = false }

    local function note_update(body)
        local _, n = string.unpack(">I8I8", body:sub(-16))
        seen.twice = seen.twice + (seen.updates[n] and 1 or 0)
        seen.updates[n] = true
        seen.acknowledged = seen.acknowledged + 1
    end

    local function note_offers(body)
        for id in body:gmatch("stress%-O(%d%d%d%d%d%d%d%d)") do
            local n = tonumber(id)
            seen.twice = seen.twice + (seen.offers[n] and 1 or 0)
            seen.offers[n] = true
            seen.answered = seen.answered + 1
        end
    end

    local notes = {
        [ACKNOWLEDGE] = note_update, [ACCEPT] = note_offers, [DECLINE] = note_offers,
        [TEARDOWN] = function() seen.ended = true end,
    }

    function seen.note(body)
        local known = body:sub(1, #CALL_HEAD) == CALL_HEAD and notes[body:byte(#CALL_HEAD + 1)]
        if known then
            known(body)
        else
            seen.strange = seen.strange + 1
        end
    end

    return seen
end

-- A function that takes the bytes of a connection and answers each request in them with 202.
local function acceptor(connection, seen)
    local rest = ""
    return function(bytes)
        rest = rest .. bytes
        local at, answers = 1, 0
        while true do
            local _, head_end = rest:find("\r\n\r\n", at, true)
            local length = head_end and tonumber(rest:match("Content%-Length: (%d+)", at))
            if not length or #rest < head_end + length then
                break
            end
            seen.note(rest:sub(head_end + 1, head_end + length))
            at, answers = head_end + length + 1, answers + 1
        end
        rest = rest:sub(at)
        if answers > 0 then
            connection:write(("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"):rep(answers))
        end
    end
end

local function start_master(seen)
    local master = {}
    master.server = server.start(function(connection)
        if master.stream then
            return connection:take_over(acceptor(connection, seen))
        end
        connection:read_request()
        connection:begin_stream({ ["Mesos-Stream-Id"] = "stress", ["Content-Type"] = "application/x-protobuf" })
        connection:chunk(event_records.frame({
            type = "SUBSCRIBED", subscribed = { framework_id = FRAMEWORK, heartbeat_interval_seconds = 600.0 },
        }))
        master.stream = connection
        connection:wait_close()
    end)
    return master
end

describe("under stress", function()
    after_each(function()
        program.cleanup()
        server.cleanup()
    end)

    it("100,000 updates and 20,000 offers are each answered once, in flat memory", function()
        local seen = tally()
        local master = start_master(seen)
        local run = program.start({ args = { "--master", master.server.address, program.script(SCRIPT) } })
        program.wait_for(function() return master.stream end)
        local quarter
        local offered, updated = 0, 0
        while updated < UPDATES do
            if offered < OFFERS and offered * UPDATES <= updated * OFFERS then
                master.stream:chunk(offer_burst(offered))
                offered = offered + OFFER_BURST
            end
            master.stream:chunk(event_records.burst(update_record, updated, BURST))
            updated = updated + BURST
            -- The next burst comes when all but two are answered.
            run:wait_for(function() return seen.acknowledged >= updated - 2 * BURST end, SECONDS)
            quarter = quarter or updated >= UPDATES / 4 and resident(run.pid)
        end
        run:wait_for(function() return seen.acknowledged >= UPDATES and seen.answered >= OFFERS end, SECONDS)
        local final = resident(run.pid)
        master.stream:chunk(event_records.frame({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }))
        run:wait_for(function() return seen.ended end)
        master.stream:finish()
        assert.equal(0, run:wait(), run:report())

        assert.equal(("%d\t%d\n"):format(UPDATES, OFFERS), run.stdout)
        assert.same({ UPDATES, OFFERS, 0, 0 }, { seen.acknowledged, seen.answered, seen.twice, seen.strange })
        -- The sanitizers' allocator keeps what was freed for a while.
        local flat = os.getenv("ASAN_OPTIONS") ~= nil or final < quarter * 1.25 + (8 << 20)
        assert.is_true(flat, ("%d bytes at a quarter, %d at the end"):format(quarter, final))
    end)
end)
