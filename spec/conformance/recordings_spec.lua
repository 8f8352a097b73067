-- SPDX-License-Identifier: Apache-2.0
--
-- Every recorded stream, played to a script: each event becomes the callback that it should with what it holds, each
-- update with a uuid is acknowledged once, and nothing else is sent.

local framework = require("support.framework")
local recordings = require("support.recordings")
local splits = require("support.chunks")

local SCRIPT = framework.WATCH .. [[
function scheduler:statusUpdate(_, s)
    say("update", s.task_id, s.state, s.source, s.reason, s.message, s.agent_id, s.executor_id, s.timestamp)
end
function scheduler:resourceOffers(_, offers)
    for _, o in ipairs(offers) do
        say("offer", o.id, o.agent_id, o.hostname, #o.resources, o.allocation_info and o.allocation_info.role)
    end
end
function scheduler:frameworkMessage(_, executor, agent, data)
    if data == "the end" then say(data) else say("message", executor, agent, #data, data:byte(1, 3)) end
end
]]

local function line(...)
    local words = table.pack(...)
    for i = 1, words.n do
        words[i] = tostring(words[i])
    end
    return table.concat(words, "\t")
end

-- What the script has to say to each type of event.
local wanted = {}

local registrations
function wanted.SUBSCRIBED(event)
    registrations = registrations + 1
    return registrations == 1 and { line("registered", event.subscribed.framework_id) } or { "reregistered" }
end

function wanted.OFFERS(event)
    local lines = {}
    for i, o in ipairs(event.offers.offers) do
        local allocation = rawget(o, "allocation_info")
        lines[i] = line("offer", o.id, o.agent_id, o.hostname, #o.resources, allocation and allocation.role)
    end
    return lines
end

function wanted.RESCIND(event)
    return { line("rescinded", event.rescind.offer_id) }
end

function wanted.UPDATE(event)
    local s = event.update.status
    return { line("update", s.task_id, s.state, s.source, s.reason, s.message, s.agent_id, s.executor_id, s.timestamp) }
end

function wanted.MESSAGE(event)
    local message = event.message
    return { line("message", message.executor_id, message.agent_id, #message.data, message.data:byte(1, 3)) }
end

function wanted.FAILURE(event)
    local failure = event.failure
    if failure.executor_id then
        return { line("executorLost", failure.executor_id, failure.agent_id, failure.status) }
    end
    return { line("slaveLost", failure.agent_id) }
end

function wanted.ERROR(event)
    return { line("error", event.error.message, "DRIVER_ABORTED") }
end

function wanted.HEARTBEAT()
    return {}
end

local function lines_for(events)
    local lines = {}
    registrations = 0
    for _, event in ipairs(events) do
        for _, text in ipairs(assert(wanted[event.type], event.type)(event)) do
            lines[#lines + 1] = text
        end
    end
    return lines
end

local function play(name, cut)
    local m, run = framework.subscribed(SCRIPT, { quiet = true })
    local events = m:play(name, { cut = cut })
    local lines, uuids = lines_for(events), {}
    for _, event in ipairs(events) do
        local uuid = event.type == "UPDATE" and event.update.status.uuid
        uuids[#uuids + 1] = uuid or nil
    end
    if events[#events].type == "ERROR" then
        assert.equal(1, run:wait())
    else
        lines[#lines + 1] = "the end"
        m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "the end" } })
        framework.said(run, "the end\n")
        if #uuids > 0 then
            m:wait_for("ACKNOWLEDGE", #uuids)
        end
        assert.equal(1 + #uuids, #m.calls)
        for i, uuid in ipairs(uuids) do
            assert.equal(uuid, m:calls_of("ACKNOWLEDGE")[i].call.acknowledge.uuid)
        end
    end
    assert.equal(table.concat(lines, "\n") .. "\n", run.stdout)
end

describe("a recorded stream", function()
    after_each(framework.cleanup)

    for _, stream in ipairs(recordings.streams()) do
        if not stream.json then
            it(stream.name .. " is told to the script as it is", function()
                play(stream.name)
            end)
        end
    end

    it("is told just so however it is cut", function()
        play("04-command-task/events", splits.bytewise)
        play("09-agent-lost/events-partition-aware", function(bytes) return splits.random(bytes, 17, 1) end)
        play("08-custom-executor/events", function(bytes) return splits.random(bytes, 4000, 2) end)
    end)
end)
