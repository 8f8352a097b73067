-- SPDX-License-Identifier: Apache-2.0
--
-- reconciliation_tests.cpp and operation_reconciliation_tests.cpp: what a master may answer, and that no answer is
-- acknowledged. agent_operation_feedback_tests.cpp: the updates of operations that are.

local framework = require("support.framework")

local subscribed, said = framework.subscribed, framework.said

-- Each row: what a master may answer for one task, or nothing.
local TASKS = {
    ["the state of a task is told when the script thought of another one"] = { "TASK_RUNNING" },
    ["the state of a task is told when the script knew it"] = { "TASK_FINISHED" },
    ["a task on an agent that was never seen is unknown"] = { "TASK_UNKNOWN" },
    ["a task that its agent does not know is lost"] = { "TASK_LOST" },
    ["a task that its agent does not know is gone, for a framework that knows of partitions"] = { "TASK_GONE" },
    ["a terminal task that was not acknowledged is told"] = { "TASK_KILLED" },
    ["the last state that was forwarded is told"] = { "TASK_STARTING" },
    ["an agent that is being removed still has its tasks"] = { "TASK_RUNNING" },
    ["a task on an unreachable agent is told with the time"] = {
        "TASK_UNREACHABLE", { unreachable_time = { nanoseconds = 5 } },
    },
    ["a task on an agent that was marked gone is told"] = { "TASK_GONE_BY_OPERATOR" },
}

describe("in reconciling tasks,", function()
    after_each(framework.cleanup)

    for title, row in pairs(TASKS) do
        it(title, function()
            local m, run = subscribed [[
                function scheduler:registered(driver)
                    driver:reconcileTasks { { task_id = "t", agent_id = "a", state = "TASK_STAGING" } }
                end
                function scheduler:statusUpdate(driver, s)
                    local time = s.unreachable_time and s.unreachable_time.nanoseconds
                    say(s.task_id, s.state, s.reason, s.uuid, time)
                    driver:killTask("next")
                end
            ]]
            m:expect("RECONCILE", { tasks = { { task_id = "t", agent_id = "a" } } })
            local fields = { uuid = false, source = "SOURCE_MASTER", reason = "REASON_RECONCILIATION" }
            for name, value in pairs(row[2] or {}) do
                fields[name] = value
            end
            m:send(m:update("t", row[1], fields))
            local time = row[2] and row[2].unreachable_time.nanoseconds
            said(run, ("t\t%s\tREASON_RECONCILIATION\tnil\t%s\n"):format(row[1], time))
            m:expect("KILL", { task_id = "next" })
            assert.equal(0, #m:calls_of("ACKNOWLEDGE"))
        end)
    end

    it("silence is an answer, and nothing is made up", function()
        local m, run = subscribed(framework.WATCH .. [[
            function scheduler:registered(driver)
                driver:reconcileTasks { { task_id = "on a recovered agent" } }
                driver:reconcileTasks {}
                driver:reconcileTasks()
            end
        ]])
        m:expect("RECONCILE", { tasks = { { task_id = "on a recovered agent" } } })
        m:expect("RECONCILE", {})
        m:expect("RECONCILE", {})
        m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } })
        said(run, "message")
        assert.is_nil(run.stdout:find("update"))
    end)

    it("an empty list asks for all tasks, and the answers have no end mark", function()
        local m, run = subscribed(framework.WATCH .. [[ function scheduler:registered(d) d:reconcileTasks() end ]])
        m:expect("RECONCILE", {})
        for i = 1, 3 do
            m:send(m:update("t" .. i, "TASK_RUNNING", { uuid = false, reason = "REASON_RECONCILIATION" }))
        end
        said(run, "t1\tTASK_RUNNING\tREASON_RECONCILIATION\nupdate\tt2\tTASK_RUNNING\tREASON_RECONCILIATION\n"
            .. "update\tt3\tTASK_RUNNING\tREASON_RECONCILIATION\n")
        assert.same({ "SUBSCRIBE", "RECONCILE" }, m:call_types())
    end)

    it("the kill of an unknown task is answered like a reconciliation", function()
        local m, run = subscribed(framework.WATCH .. [[ function scheduler:registered(d) d:killTask("unknown") end ]])
        m:expect("KILL", { task_id = "unknown" })
        m:send(m:update("unknown", "TASK_LOST", { uuid = false, source = "SOURCE_MASTER", reason = "REASON_RECONCILIATION" }))
        said(run, "update\tunknown\tTASK_LOST\tREASON_RECONCILIATION")
        assert.same({ "SUBSCRIBE", "KILL" }, m:call_types())
    end)

    it("a status as it came can be given again", function()
        local m = subscribed [[
            function scheduler:statusUpdate(driver, status)
                driver:reconcileTasks { status, status:table() }
            end
        ]]
        local status = m:update("t", "TASK_RUNNING").update.status
        m:send({ type = "UPDATE", update = { status = status } })
        local task = { task_id = "t", agent_id = status.agent_id }
        m:expect("RECONCILE", { tasks = { task, task } })
    end)
end)

-- What a master may answer for an operation.
local OPERATIONS = {
    ["a pending operation"] = { "OPERATION_PENDING" },
    ["a pending and a finished operation"] = { "OPERATION_PENDING", "OPERATION_FINISHED" },
    ["an unknown operation on a recovered agent"] = { "OPERATION_RECOVERING" },
    ["an unknown operation on a known agent"] = { "OPERATION_UNKNOWN" },
    ["an unknown operation on an unreachable agent"] = { "OPERATION_UNREACHABLE" },
    ["an unknown operation on an agent that was marked gone"] = { "OPERATION_GONE_BY_OPERATOR" },
    ["an unknown operation on an unknown agent"] = { "OPERATION_UNKNOWN" },
    ["an operation that the agent had not acknowledged"] = { "OPERATION_FINISHED" },
    ["an operation on a provider that is not subscribed"] = { "OPERATION_RECOVERING" },
}

describe("in reconciling operations,", function()
    after_each(framework.cleanup)

    for title, states in pairs(OPERATIONS) do
        it(title .. " is told and not acknowledged", function()
            local m, run = subscribed [[
                function scheduler:registered(driver)
                    driver:reconcileOperations { { operation_id = "op1", agent_id = "a" },
                        { operation_id = "op2", agent_id = "a", resource_provider_id = "p" } }
                end
                function scheduler:operationStatusUpdate(driver, s)
                    say(s.operation_id, s.state, s.uuid)
                    driver:killTask("next")
                end
            ]]
            m:expect("RECONCILE_OPERATIONS", { operations = {
                { operation_id = "op1", agent_id = "a" },
                { operation_id = "op2", agent_id = "a", resource_provider_id = "p" },
            } })
            for i, state in ipairs(states) do
                m:send(m:operation_update("op" .. i, state, { uuid = false }))
                said(run, ("op%d\t%s\tnil\n"):format(i, state))
                m:expect("KILL", { task_id = "next" })
            end
            assert.equal(0, #m:calls_of("ACKNOWLEDGE_OPERATION_STATUS"))
        end)
    end

    it("an empty list asks for all", function()
        local m = subscribed [[ function scheduler:registered(d) d:reconcileOperations() d:reconcileOperations {} end ]]
        m:expect("RECONCILE_OPERATIONS", {})
        m:expect("RECONCILE_OPERATIONS", {})
    end)
end)

describe("the update of an operation", function()
    after_each(framework.cleanup)

    it("is acknowledged with its uuid, agent and operation, again if it comes again", function()
        local m, run = subscribed [[
            function scheduler:operationStatusUpdate(_, s) say(s.operation_id, s.state, s.agent_id, s.uuid.value or s.uuid) end
        ]]
        local update = m:operation_update("op", "OPERATION_FINISHED", { resource_provider_id = "p" })
        local status = update.update_operation_status.status
        local wanted = {
            agent_id = status.agent_id, resource_provider_id = "p", uuid = status.uuid, operation_id = "op",
        }
        for _ = 1, 2 do
            m:send(update)
            m:expect("ACKNOWLEDGE_OPERATION_STATUS", wanted)
        end
        said(run, "op\tOPERATION_FINISHED\t" .. status.agent_id)
    end)

    it("of a dropped operation is told like any other, also twice", function()
        local m, run = subscribed(framework.WATCH)
        local update = m:operation_update("op", "OPERATION_DROPPED")
        m:send(update)
        m:send(update)
        said(run, "operation\top\tOPERATION_DROPPED\noperation\top\tOPERATION_DROPPED\n")
        m:wait_for("ACKNOWLEDGE_OPERATION_STATUS", 2)
    end)

    it("whose callback raised, or that lacks uuid or agent, is not acknowledged", function()
        local m, run = subscribed [[
            function scheduler:operationStatusUpdate(_, s)
                say(s.operation_id)
                if s.operation_id == "bad" then error "no" end
            end
        ]]
        m:send(m:operation_update("bad", "OPERATION_FINISHED"))
        m:send(m:operation_update("no uuid", "OPERATION_FINISHED", { uuid = false }))
        m:send(m:operation_update("no agent", "OPERATION_FINISHED", { agent_id = false }))
        m:send({ type = "UPDATE_OPERATION_STATUS", update_operation_status = { status = { state = "OPERATION_FINISHED" } } })
        m:send(m:operation_update("good", "OPERATION_FINISHED"))
        said(run, "bad\nno uuid\nno agent\nnil\ngood\n")
        assert.equal("good", m:wait_for("ACKNOWLEDGE_OPERATION_STATUS").call.acknowledge_operation_status.operation_id)
        assert.equal(1, #m:calls_of("ACKNOWLEDGE_OPERATION_STATUS"))
    end)

    it("is left to a script that acknowledges for itself", function()
        local m, run = subscribed [[
            scheduler.implicitAcknowledgements = false
            function scheduler:operationStatusUpdate(driver, s)
                say(s.operation_id)
                if s.operation_id == "second" then driver:acknowledgeOperationStatus(s) end
            end
        ]]
        m:send(m:operation_update("first", "OPERATION_FINISHED"))
        m:send(m:operation_update("second", "OPERATION_FINISHED"))
        said(run, "first\nsecond\n")
        assert.equal("second", m:wait_for("ACKNOWLEDGE_OPERATION_STATUS").call.acknowledge_operation_status.operation_id)
    end)

    it("is acknowledged as it was received, whatever a script hands back, and once", function()
        local m, run = subscribed [[
            scheduler.implicitAcknowledgements = false
            function scheduler:operationStatusUpdate(driver, s)
                driver:acknowledgeOperationStatus { state = "OPERATION_FINISHED", operation_id = "made up", agent_id = "x",
                    uuid = "0123456789abcdef" }
                driver:acknowledgeOperationStatus { state = "OPERATION_FINISHED", operation_id = "op", agent_id = "another",
                    uuid = s.uuid }
                driver:acknowledgeOperationStatus(s)
                driver:killTask("next")
            end
        ]]
        local update = m:operation_update("op", "OPERATION_FINISHED")
        local status = update.update_operation_status.status
        m:send(update)
        m:expect("KILL", { task_id = "next" })
        m:expect("ACKNOWLEDGE_OPERATION_STATUS", { agent_id = status.agent_id, uuid = status.uuid, operation_id = "op" })
        framework.logged(run, "the status of operation made up is not acknowledged: no such status was received")
        framework.logged(run, "the status of operation op is not acknowledged")
        assert.equal(1, #m:calls_of("ACKNOWLEDGE_OPERATION_STATUS"))
    end)
end)
