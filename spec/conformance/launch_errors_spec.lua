-- SPDX-License-Identifier: Apache-2.0
--
-- The recorded launches that a real master refused, made once more on the local cluster: what it refuses, in which order
-- and in which words must be what was recorded. The ids of offers and agents are put in place of the recorded ones.

local client = require("support.cluster_client")
local exchanges = require("support.recorded_calls")
local program = require("support.program")
local recordings = require("support.recordings")
local internals = require("internals")

local SCENARIO = "06-launch-errors"
local CALL, EVENT = "mesos.v1.scheduler.Call", "mesos.v1.scheduler.Event"


-- The refusals of a recorded stream, as { task id, state, reason, message }, and the id of its framework.
local function recorded(name)
    local refusals, framework_id = {}, nil
    for _, record in ipairs(internals.recordio():feed(recordings.stream(SCENARIO .. "/" .. name).bytes)) do
        local event = internals.decode(EVENT, record)
        if event.subscribed then
            framework_id = event.subscribed.framework_id
        end
        local status = event.update and event.update.status
        if status and status.state == "TASK_ERROR" then
            refusals[#refusals + 1] = { status.task_id, status.state, status.reason, status.message }
        end
    end
    return refusals, framework_id
end

-- The launches of that framework with one offer that was good, each with the agent that made it.
local function launches(framework_id)
    local offers, used, list = exchanges.known(SCENARIO), {}, {}
    for _, exchange in ipairs(exchanges.of(SCENARIO)) do
        local call = exchange.call
        local accept = call and call.framework_id == framework_id and call.accept
        local id = accept and #(accept.offer_ids or {}) == 1 and accept.offer_ids[1]
        local first = accept and accept.operations and accept.operations[1]
        if id and offers[id] and not used[id] and first and first.launch and exchange.status == 202 then
            list[#list + 1] = { call = call, agent_id = offers[id].agent_id }
        end
        used[id or ""] = true
    end
    return list
end

local function each_task(call, visit)
    for _, operation in ipairs(call.accept.operations) do
        for _, task in ipairs(operation.launch and operation.launch.task_infos or {}) do
            visit(task)
        end
    end
end

local function cpus_of(offer)
    for _, resource in ipairs(offer.resources) do
        if resource.name == "cpus" then
            return resource.scalar.value
        end
    end
    return 0
end

-- An offer of all that is free: what a task gave back comes in an offer of its own, and such pieces are declined
-- together, to come again as one. REVIVE has offers made at once, not in the next round.
local function whole_offer(stream)
    local ids, sum = {}, 0
    repeat
        stream:accepted("REVIVE")
        local offer = stream:offer()
        ids[#ids + 1], sum = offer.id, sum + cpus_of(offer)
        if sum > 3.5 and #ids == 1 then
            return offer
        elseif sum > 3.5 then
            stream:accepted("DECLINE", { offer_ids = ids, filters = { refuse_seconds = 0 } })
            ids, sum = {}, 0
        end
    until false
end

-- Makes the call with ids of here; returns how many tasks are in it, and which of them run for ever.
local function play(stream, launch)
    local call, offer, count, endless = launch.call, whole_offer(stream), 0, {}
    call.framework_id, call.accept.offer_ids = stream.framework_id.value, { offer.id.value }
    each_task(call, function(task)
        count = count + 1
        endless[task.task_id] = task.command and task.command.value == "sleep 1000"
        task.agent_id = task.agent_id == launch.agent_id and offer.agent_id.value or task.agent_id
    end)
    local headers = { ["Mesos-Stream-Id"] = stream.id, ["Content-Type"] = "application/x-protobuf" }
    local status, text = client.request("@" .. program.script(internals.encode(CALL, call), "call"), { headers = headers })
    assert.same({ 202, "" }, { status, text })
    return count, endless
end

-- Agents have names of their own, and what is left of an agent depends on what ran before.
local function comparable(message)
    return (message:gsub("more than available .*", "more than available"):gsub("agent %S+", "agent ID"))
end

describe("the local cluster refuses launches as was recorded of a real master", function()
    before_each(function()
        client.start { "--resources", "cpus:4;mem:4096;disk:10240;ports:[31000-32000];tags:{ssd, hdd}" }
    end)
    after_each(client.stop)

    local frameworks = {
        ["events"] = {},
        ["events-partition-aware"] = {
            roles = { "web" },
            capabilities = { { type = "PARTITION_AWARE" }, { type = "MULTI_ROLE" }, { type = "RESERVATION_REFINEMENT" } },
        },
    }
    for name, info in pairs(frameworks) do
        it("to the framework of " .. name, function()
            local expected, framework_id = recorded(name)
            local stream, refusals = client.subscribe(info):subscribed(), {}
            for _, launch in ipairs(launches(framework_id)) do
                local left, endless = play(stream, launch)
                while left > 0 do
                    local status = stream:update()
                    local id = status.task_id.value
                    if status.state == "TASK_ERROR" then
                        refusals[#refusals + 1] = { id, status.state, status.reason, status.message }
                    end
                    local over = status.state == (endless[id] and "TASK_RUNNING" or "TASK_FINISHED")
                    left = left - ((over or status.state == "TASK_ERROR") and 1 or 0)
                end
            end
            assert.is_true(#refusals > 20)
            for i, refusal in ipairs(expected) do
                refusal[4] = comparable(refusal[4])
                refusals[i][4] = comparable(refusals[i][4])
                assert.same(refusal, refusals[i])
            end
            assert.same({}, { table.unpack(refusals, #expected + 1) })
        end)
    end
end)
