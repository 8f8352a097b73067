-- SPDX-License-Identifier: Apache-2.0
--
-- partition_tests.cpp: agents that go and come back, as a scheduler sees it. What a real master sent in most of these
-- cases is recorded and played by recordings_spec.lua; here it is the order of what the script hears, and that none of
-- it is taken for the end of a task id.

local framework = require("support.framework")

local subscribed, said = framework.subscribed, framework.said

-- Each event: TYPE or task state, then what belongs to it.
local function event_of(m, word, detail)
    if word == "FAILURE" then
        return { type = "FAILURE", failure = { agent_id = detail } }
    elseif word == "RESCIND" then
        return { type = "RESCIND", rescind = { offer_id = detail } }
    elseif detail == "acknowledged" then
        return m:update("t", word)
    end
    return m:update("t", word, { uuid = false, source = "SOURCE_MASTER", reason = detail })
end

local SCENARIOS = {
    ["an agent that is silent: its offers go, its tasks are lost, then the agent"] = {
        { "RESCIND", "o" }, { "TASK_LOST", "REASON_AGENT_REMOVED" }, { "FAILURE", "a" },
    },
    ["an agent that is silent, and a framework that knows of partitions"] = {
        { "RESCIND", "o" }, { "TASK_UNREACHABLE", "REASON_AGENT_REMOVED" }, { "FAILURE", "a" },
    },
    ["an agent that comes back with a task that was unreachable"] = {
        { "TASK_UNREACHABLE", "REASON_AGENT_REMOVED" }, { "FAILURE", "a" },
        { "TASK_RUNNING", "REASON_AGENT_REREGISTERED" }, { "TASK_FINISHED", "acknowledged" },
    },
    ["an agent that comes back with a task that was lost"] = {
        { "TASK_LOST", "REASON_AGENT_REMOVED" }, { "FAILURE", "a" }, { "TASK_RUNNING", "REASON_AGENT_REREGISTERED" },
        { "TASK_KILLED", "acknowledged" },
    },
    ["a task that ended while its agent was away"] = {
        { "TASK_UNREACHABLE", "REASON_AGENT_REMOVED" }, { "FAILURE", "a" }, { "TASK_FINISHED", "acknowledged" },
    },
    ["a terminal task on an agent that goes keeps its state"] = {
        { "TASK_FINISHED", "acknowledged" }, { "FAILURE", "a" }, { "TASK_FINISHED", "REASON_RECONCILIATION" },
    },
    ["a launch that was under way to an agent that goes"] = {
        { "TASK_UNREACHABLE", "REASON_AGENT_REMOVED" }, { "FAILURE", "a" },
    },
    ["an agent whose health checks fail twice goes once"] = { { "FAILURE", "a" } },
    ["an unreachable task that the master forgets is unknown"] = {
        { "TASK_UNREACHABLE", "REASON_RECONCILIATION" }, { "TASK_UNKNOWN", "REASON_RECONCILIATION" },
    },
}

describe("a scheduler sees", function()
    after_each(framework.cleanup)

    for title, events in pairs(SCENARIOS) do
        it(title, function()
            local m, run = subscribed(framework.WATCH .. [[
                function scheduler:resourceOffers() end
            ]])
            m:send_offers({ m:offer({ id = "o", agent_id = "a" }) })
            local lines, acknowledged = { "registered\t" .. m.framework_id }, 0
            for _, row in ipairs(events) do
                local word, detail = row[1], row[2]
                m:send(event_of(m, word, detail))
                if word == "FAILURE" then
                    lines[#lines + 1] = "slaveLost\t" .. detail
                elseif word == "RESCIND" then
                    lines[#lines + 1] = "rescinded\t" .. detail
                else
                    local own = detail == "acknowledged"
                    acknowledged = acknowledged + (own and 1 or 0)
                    lines[#lines + 1] = ("update\tt\t%s\t%s"):format(word, own and "nil" or detail)
                end
            end
            said(run, lines[#lines] .. "\n")
            assert.equal(table.concat(lines, "\n") .. "\n", run.stdout)
            if acknowledged > 0 then
                m:wait_for("ACKNOWLEDGE", acknowledged)
            end
            assert.equal(1 + acknowledged, #m.calls)
        end)
    end

    it("what became of its tasks only when it asks, after it was away itself", function()
        local m, run = subscribed(framework.WATCH .. [[
            function scheduler:reregistered(driver) driver:reconcileTasks { { task_id = "t", agent_id = "a" } } end
        ]])
        said(run, "registered")
        m:drop()
        m:expect("RECONCILE", { tasks = { { task_id = "t", agent_id = "a" } } })
        m:send(event_of(m, "TASK_UNREACHABLE", "REASON_RECONCILIATION"))
        said(run, "disconnected\t0\nupdate\tt\tTASK_UNREACHABLE\tREASON_RECONCILIATION\n")
    end)

    it("a master that lost it, though the stream looks alive, by the answer to a call", function()
        local m, run = subscribed(framework.WATCH .. [[
            function scheduler:slaveLost(driver) driver:reconcileTasks() end
        ]])
        said(run, "registered")
        m:answer("RECONCILE", 403, "Framework is not subscribed")
        m:send({ type = "FAILURE", failure = { agent_id = "a" } })
        said(run, "disconnected\t0\nreregistered\n")
        assert.equal(2, #m:calls_of("SUBSCRIBE"))
    end)

    it("a master that falls silent by the heartbeats that do not come", function()
        local m, run = subscribed(framework.WATCH, { heartbeat_interval = 0.05 })
        said(run, "registered")
        framework.logged(run, "disconnected: no heartbeat or other event in 0.25 seconds", 5)
        said(run, "disconnected\t0\nreregistered\n")
        assert.is_true(#m:calls_of("SUBSCRIBE") >= 2)
    end)
end)
