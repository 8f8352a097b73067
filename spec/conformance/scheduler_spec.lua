-- SPDX-License-Identifier: Apache-2.0
--
-- scheduler_tests.cpp: the v1 library's scenarios, from the first subscription to messages.

local framework = require("support.framework")

local subscribed, said = framework.subscribed, framework.said

local function launch(operation)
    return ([[
        function scheduler:resourceOffers(driver, offers)
            local offer = offers[1]
            driver:acceptOffers(offer.id, { %s })
        end
    ]]):format(operation)
end

local GROUP = [[ { type = "LAUNCH_GROUP", %s launch_group = {
    executor = { type = "DEFAULT", executor_id = "e", resources = mesos.resources "cpus:0.1;mem:32" },
    task_group = { tasks = { task("t1", offer), task("t2", offer) } },
} } ]]

describe("the scheduler library of Mesos", function()
    after_each(framework.cleanup)

    it("subscribes", function()
        local m, run = subscribed(framework.WATCH)
        said(run, "registered\t" .. m.framework_id)
        local call = m:wait_for("SUBSCRIBE").call
        assert.is_nil(call.framework_id)
        assert.is_nil(call.subscribe.framework_info.id)
    end)

    it("sends only one SUBSCRIBE", function()
        local m = require("support.master").start()
        m:hold("SUBSCRIBE")
        local _, run = subscribed([[
            function scheduler:registered(driver)
                for _ = 1, 3 do driver:start() end
                say("registered")
            end
        ]], { master = m })
        m:wait_for("SUBSCRIBE")
        m:release("SUBSCRIBE")
        said(run, "registered")
        m:send_offers()
        m:wait_for("DECLINE")
        assert.equal(1, #m:calls_of("SUBSCRIBE"))
        assert.equal(2, #m.server.connections)
    end)

    it("hands over to a second instance with the same id", function()
        local m, first = subscribed(framework.WATCH)
        said(first, "registered")
        local _, second = framework.start(framework.WATCH .. ("scheduler.framework.id = %q"):format(m.framework_id),
            { master = m })
        assert.equal(1, first:wait())
        assert.matches("error\tFramework failed over\tDRIVER_ABORTED\n$", first.stdout)
        said(second, "registered\t" .. m.framework_id)
        local call = m:calls_of("SUBSCRIBE")[2].call
        assert.equal(m.framework_id, call.framework_id)
        assert.equal(m.framework_id, call.subscribe.framework_info.id)
        assert.equal(2, #m:calls_of("SUBSCRIBE"))
    end)

    it("comes back with its id to a master that was restarted", function()
        local m, run = subscribed(framework.WATCH)
        said(run, "registered")
        local again = m:restart()
        assert.equal(m.framework_id, again:wait_for("SUBSCRIBE").call.framework_id)
        said(run, ("registered\t%s\ndisconnected\t0\nreregistered\n"):format(m.framework_id))
    end)

    it("launches a task and hears that it runs", function()
        local m, run = subscribed(launch [[ { type = "LAUNCH", launch = { task_infos = { task("t", offer) } } } ]]
            .. "function scheduler:statusUpdate(_, status) say(status.task_id, status.state, #status.uuid) end")
        local offer = m:send_offers()[1]
        local resources = {
            { name = "cpus", type = "SCALAR", scalar = 1 }, { name = "mem", type = "SCALAR", scalar = 32 },
        }
        local accept = m:expect("ACCEPT", {
            offer_ids = { offer.id },
            operations = { { type = "LAUNCH", launch = { task_infos = { {
                name = "t", task_id = "t", agent_id = offer.agent_id, command = { value = "true" }, resources = resources,
            } } } } },
        })
        local update = m:update(accept.operations[1].launch.task_infos[1], "TASK_RUNNING")
        m:send(update)
        said(run, "t\tTASK_RUNNING\t16\n")
        m:expect("ACKNOWLEDGE", { agent_id = offer.agent_id, task_id = "t", uuid = update.update.status.uuid })
    end)

    it("launches a task group and hears of each task", function()
        local m, run = subscribed(launch(GROUP:format("")) .. framework.WATCH:gsub("function scheduler:resourceOffers[^\n]*", ""))
        m:send_offers()
        local operation = m:wait_for("ACCEPT").call.accept.operations[1]
        assert.equal("DEFAULT", operation.launch_group.executor.type)
        local tasks = operation.launch_group.task_group.tasks
        for _, state in ipairs({ "TASK_STARTING", "TASK_RUNNING" }) do
            for _, task in ipairs(tasks) do
                m:send(m:update(task, state))
            end
        end
        said(run, "t1\tTASK_STARTING\tnil\nupdate\tt2\tTASK_STARTING\tnil\nupdate\tt1\tTASK_RUNNING\tnil\nupdate\tt2\tTASK_RUNNING")
        m:wait_for("ACKNOWLEDGE", 4)
    end)

    it("reconciles a task and does not acknowledge the answer", function()
        local m, run = subscribed(framework.WATCH .. [[
            function scheduler:registered(driver) driver:reconcileTasks { { task_id = "t", agent_id = "a" } } end
        ]])
        m:expect("RECONCILE", { tasks = { { task_id = "t", agent_id = "a" } } })
        m:send(m:update("t", "TASK_RUNNING", { uuid = false, source = "SOURCE_MASTER", reason = "REASON_RECONCILIATION" }))
        said(run, "update\tt\tTASK_RUNNING\tREASON_RECONCILIATION")
        m:send(m:update("u", "TASK_RUNNING"))
        assert.equal("u", m:wait_for("ACKNOWLEDGE").call.acknowledge.task_id)
    end)

    it("kills a task and acknowledges its end", function()
        local m, run = subscribed(framework.WATCH .. [[
            function scheduler:registered(driver)
                driver:killTask("t", { agent_id = "a", kill_policy = { grace_period = { nanoseconds = 10 } } })
            end
        ]])
        m:expect("KILL", { task_id = "t", agent_id = "a", kill_policy = { grace_period = { nanoseconds = 10 } } })
        m:send(m:update("t", "TASK_KILLED"))
        said(run, "update\tt\tTASK_KILLED")
        m:wait_for("ACKNOWLEDGE")
    end)

    it("hears TASK_ERROR of launches with an operation id", function()
        for _, operation in ipairs({
            [[ { type = "LAUNCH", id = "op", launch = { task_infos = { task("t1", offer) } } } ]],
            GROUP:format([[ id = "op", ]]),
        }) do
            local m, run = subscribed(launch(operation)
                .. "function scheduler:statusUpdate(_, s) say(s.task_id, s.state, s.reason, s.message) end")
            m:send_offers()
            assert.equal("op", m:wait_for("ACCEPT").call.accept.operations[1].id)
            m:send(m:update("t1", "TASK_ERROR", {
                uuid = false, source = "SOURCE_MASTER", reason = "REASON_TASK_INVALID",
                message = "The `id` field cannot be set on LAUNCH operations",
            }))
            said(run, "t1\tTASK_ERROR\tREASON_TASK_INVALID\tThe `id` field cannot be set on LAUNCH operations")
        end
    end)

    it("hears OPERATION_ERROR of an operation that the agent cannot report on", function()
        local m, run = subscribed(launch [[ { type = "RESERVE", id = "op", reserve = {
            resources = mesos.resources { cpus = 1 } } } ]] .. [[
            function scheduler:operationStatusUpdate(_, s) say(s.operation_id, s.state, s.message) end
        ]])
        m:send_offers()
        assert.equal("op", m:wait_for("ACCEPT").call.accept.operations[1].id)
        m:send(m:operation_update("op", "OPERATION_ERROR", { uuid = false, message = "no feedback" }))
        said(run, "op\tOPERATION_ERROR\tno feedback")
        assert.equal(0, #m:calls_of("ACKNOWLEDGE_OPERATION_STATUS"))
    end)

    it("shuts an executor down and hears of its end", function()
        local m, run = subscribed(framework.WATCH .. [[
            function scheduler:registered(driver) driver:shutdownExecutor("e", "a") end
        ]])
        m:expect("SHUTDOWN", { executor_id = "e", agent_id = "a" })
        m:send({ type = "FAILURE", failure = { agent_id = "a", executor_id = "e", status = 1792 } })
        said(run, "executorLost\te\ta\t1792")
    end)

    it("declines, and is offered the resources again", function()
        local m, run = subscribed [[
            local count = 0
            function scheduler:resourceOffers(driver, offers)
                count = count + 1
                say("offer", count)
                driver:declineOffer(offers[1].id, { refuse_seconds = 0 })
            end
        ]]
        local offer = m:send_offers()[1]
        m:expect("DECLINE", { offer_ids = { offer.id }, filters = { refuse_seconds = 0 } })
        offer = m:send_offers()[1]
        said(run, "offer\t2")
        m:expect("DECLINE", { offer_ids = { offer.id }, filters = { refuse_seconds = 0 } })
    end)

    it("revives after a long filter", function()
        local m = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                driver:declineOffer(offers[1].id, { refuse_seconds = 1000 })
                driver:reviveOffers()
            end
        ]]
        m:send_offers()
        m:expect("REVIVE")
        assert.same({ "SUBSCRIBE", "DECLINE", "REVIVE" }, m:call_types())
    end)

    it("suppresses, then revives", function()
        local m, run = subscribed [[
            function scheduler:registered(driver)
                driver:suppressOffers()
                mesos.after(0.02, function() driver:reviveOffers() end)
            end
            function scheduler:reregistered() say("reregistered") end
        ]]
        m:expect("SUPPRESS")
        m:expect("REVIVE")
        m:drop()
        said(run, "reregistered")
        assert.same({}, m:calls_of("SUBSCRIBE")[2].call.subscribe.suppressed_roles)
    end)

    it("keeps all roles suppressed over registrations until it revives", function()
        local m, run = subscribed [[
            scheduler.framework.roles = { "dev", "web" }
            scheduler.suppressedRoles = { "dev", "web" }
            local times = 0
            function scheduler:reregistered(driver)
                times = times + 1
                say("again", times)
                if times == 2 then driver:reviveOffers() end
            end
        ]]
        m:drop()
        said(run, "again\t1")
        m:drop()
        m:expect("REVIVE")
        m:drop()
        said(run, "again\t3")
        local suppressed = {}
        for i, subscribe in ipairs(m:calls_of("SUBSCRIBE")) do
            suppressed[i] = table.concat(subscribe.call.subscribe.suppressed_roles, " ")
        end
        assert.same({ "dev web", "dev web", "dev web", "" }, suppressed)
    end)

    it("sends and takes messages byte for byte", function()
        local m, run = subscribed [[
            local bytes = {}
            for i = 0, 255 do bytes[i + 1] = string.char(i) end
            bytes = table.concat(bytes):rep(80) .. "\n12\n\0"
            function scheduler:registered(driver)
                driver:sendFrameworkMessage("e", "a", bytes)
                driver:sendFrameworkMessage("e", "a", "")
            end
            function scheduler:frameworkMessage(_, executor, agent, data) say(executor, agent, #data, data == bytes) end
        ]]
        local message = m:wait_for("MESSAGE").call.message
        assert.equal(256 * 80 + 5, #message.data)
        m:expect("MESSAGE", { executor_id = "e", agent_id = "a", data = message.data })
        m:expect("MESSAGE", { executor_id = "e", agent_id = "a", data = "" })
        m:send({ type = "MESSAGE", message = message })
        m:send({ type = "MESSAGE", message = { executor_id = "e", agent_id = "a", data = "" } })
        said(run, ("e\ta\t%d\ttrue\ne\ta\t0\tfalse\n"):format(#message.data))
    end)

    it("requests resources", function()
        local m = subscribed [[
            function scheduler:registered(driver)
                driver:requestResources { { agent_id = "a", resources = mesos.resources { cpus = 2 } } }
            end
        ]]
        m:expect("REQUEST", { requests = { {
            agent_id = "a", resources = { { name = "cpus", type = "SCALAR", scalar = 2 } },
        } } })
    end)

    it("reconnects when it is asked to", function()
        local m, run = subscribed(framework.WATCH .. [[
            function scheduler:resourceOffers(driver) say("reconnect", driver:reconnect(), #driver:offers()) end
        ]])
        m:send_offers()
        said(run, "reconnect\tDRIVER_RUNNING\t0\ndisconnected\t0\nreregistered\n")
        assert.equal(2, #m:calls_of("SUBSCRIBE"))
    end)

    it("keeps up with the surge of a reconciliation of very many tasks", function()
        local m, run = subscribed [[
            local COUNT, seen = 20000, 0
            function scheduler:registered(driver)
                local statuses = {}
                for i = 1, COUNT do statuses[i] = { task_id = "unknown-" .. i, state = "TASK_STAGING" } end
                driver:reconcileTasks(statuses)
            end
            function scheduler:statusUpdate(driver, status)
                seen = seen + 1
                assert(status.task_id == "unknown-" .. seen and status.state == "TASK_LOST")
                if seen == COUNT then say("all") driver:stop() end
            end
        ]]
        local tasks = m:wait_for("RECONCILE").call.reconcile.tasks
        assert.equal(20000, #tasks)
        local internals, records = require("internals"), {}
        for i, task in ipairs(tasks) do
            local record = internals.encode("mesos.v1.scheduler.Event", m:update(task.task_id, "TASK_LOST", {
                uuid = false, source = "SOURCE_MASTER", reason = "REASON_RECONCILIATION", agent_id = false,
            }))
            records[i] = #record .. "\n" .. record
        end
        m:send_bytes(table.concat(records))
        assert.equal(0, run:wait(30))
        assert.equal("all\n", run.stdout)
        assert.equal(0, #m:calls_of("ACKNOWLEDGE"))
    end)
end)
