-- SPDX-License-Identifier: Apache-2.0
--
-- A text with a zero byte arrives whole, or is refused with the path of its field, in both directions.

local framework = require("support.framework")
local program = require("support.program")
local internals = require("internals")

local logged, said = framework.logged, framework.said

local ZERO = "a\0b"

describe("a zero byte in a text", function()
    after_each(framework.cleanup)

    it("arrives whole at the master, wherever a script may write it", function()
        local m = framework.subscribed([[
            local zero = "a\0b"
            function scheduler:resourceOffers(driver, offers)
                local offer = offers[1]
                driver:launchTasks(offer.id, { task(zero, offer, {
                    name = zero, agent_id = zero, command = { value = zero, environment = { variables = {
                        { name = zero, value = zero } } } }, labels = { labels = { { key = zero, value = zero } } },
                    executor = nil, data = zero,
                }) })
                driver:killTask(zero, { agent_id = zero })
                driver:sendFrameworkMessage(zero, zero, zero)
                driver:reconcileTasks { { task_id = zero, agent_id = zero } }
                driver:reconcileTasks(driver:tasks())
                driver:shutdownExecutor(zero, zero)
            end
        ]])
        m:send_offers()
        local info = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos[1]
        local variable, label = info.command.environment.variables[1], info.labels.labels[1]
        assert.same({ ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO }, {
            info.task_id, info.name, info.agent_id, info.command.value, variable.name, variable.value, label.key,
            label.value, info.data,
        })
        m:expect("KILL", { task_id = ZERO, agent_id = ZERO })
        m:expect("MESSAGE", { executor_id = ZERO, agent_id = ZERO, data = ZERO })
        m:expect("RECONCILE", { tasks = { { task_id = ZERO, agent_id = ZERO } } })
        m:expect("RECONCILE", { tasks = { { task_id = ZERO, agent_id = ZERO } } })
        m:expect("SHUTDOWN", { executor_id = ZERO, agent_id = ZERO })
    end)

    it("arrives whole at the script, and in what is acknowledged", function()
        local m, run = framework.subscribed([[
            local function show(text) return (text:gsub("%z", "0")) end
            function scheduler:statusUpdate(driver, status)
                local known = driver:task(status.task_id)
                say("update", show(status.task_id), show(status.message), show(known.task_id), show(known.executor_id),
                    show(known.agent_id))
            end
            function scheduler:frameworkMessage(_, executor, agent, data) say("message", show(executor), show(agent), show(data)) end
            function scheduler:offerRescinded(_, id) say("rescinded", show(id)) end
            function scheduler:resourceOffers(driver, offers)
                local offer = offers[1]
                say("offer", show(offer.id), show(offer.hostname), show(offer:attribute("a\0b")), #offers:filter {
                    attributes = { ["a\0b"] = "a\0b" }, role = "a\0b" })
                driver:declineOffer(offer.id)
            end
            function scheduler:error(_, message) say("error", show(message)) end
        ]])
        m:send(m:update(ZERO, "TASK_RUNNING", { message = ZERO, executor_id = ZERO, agent_id = ZERO }))
        said(run, "update\ta0b\ta0b\ta0b\ta0b\ta0b\n")
        assert.equal(ZERO, m:wait_for("ACKNOWLEDGE").call.acknowledge.task_id)
        assert.equal(ZERO, m:wait_for("ACKNOWLEDGE").call.acknowledge.agent_id)
        m:send({ type = "MESSAGE", message = { agent_id = ZERO, executor_id = ZERO, data = ZERO } })
        said(run, "message\ta0b\ta0b\ta0b\n")
        m:send_offers({ m:offer({
            id = ZERO, hostname = ZERO, attributes = { { name = ZERO, type = "TEXT", text = ZERO } },
            allocation_info = { role = ZERO },
        }) })
        said(run, "offer\ta0b\ta0b\ta0b\t1\n")
        m:expect("DECLINE", { offer_ids = { ZERO } })
        m:send({ type = "RESCIND", rescind = { offer_id = ZERO } })
        said(run, "rescinded\ta0b\n")
        m:send({ type = "ERROR", error = { message = ZERO } })
        said(run, "error\ta0b\n")
    end)

    it("is in the update of a task that was launched without a master", function()
        local m, run = framework.subscribed([[
            function scheduler:disconnected(driver)
                driver:launchTasks("o", { task("a\0b", { agent_id = "a" }) })
            end
            function scheduler:statusUpdate(_, status) say(#status.task_id, status.state, status.reason) end
        ]])
        logged(run, "registered with")
        m:drop()
        said(run, "3\tTASK_LOST\tREASON_MASTER_DISCONNECTED\n")
    end)

    it("is refused with its place where it would be cut", function()
        local m, run = framework.subscribed([[
            function scheduler:registered(driver)
                for _, f in ipairs {
                    function() driver:updateFramework({ name = "a\0b" }, {}) end,
                    function() driver:updateFramework({ name = "a", roles = { "a", "b\0" } }, {}) end,
                    function() driver:updateFramework({ name = "a", labels = { labels = { { key = "\0" } } } }, {}) end,
                    function() driver:updateFramework({ name = "a" }, { "\0" }) end,
                    function() driver:suppressOffers { "a", "b\0" } end,
                    function() driver:reviveOffers { "\0" } end,
                    function() mesos.resources "cpus:1\0;mem:1" end,
                    function() mesos.resources { ["cpus\0"] = 1 } end,
                    function() mesos.offers():best_fit { ["cpus\0"] = 1 } end,
                    function() driver:tasks { state = "TASK_RUNNING\0" } end,
                } do say((select(2, pcall(f)):gsub("^[^:]+:%d+: ", ""):gsub("%z", "0"))) end
            end
        ]])
        said(run, table.concat({
            "framework_info.name: it has a zero byte in it", "framework_info.roles[2]: it has a zero byte in it",
            "framework_info.labels.labels[1].key: it has a zero byte in it", "suppressed_roles[1]: it has a zero byte in it",
            "roles[2]: it has a zero byte in it", "roles[1]: it has a zero byte in it",
            "mesos.resources: the text has a zero byte in it", "mesos.resources: the name 'cpus...' has a zero byte in it",
            "best_fit: the name 'cpus...' has a zero byte in it", "filter.state: there is no TaskState 'TASK_RUNNING'",
        }, "\n"))
        assert.equal(1, #m:calls_of("SUBSCRIBE"))
        for text, message in pairs({
            ["framework = { name = 'a\\0b' }"] = "framework.name: it has a zero byte in it",
            ["framework = { id = 'a\\0b' }"] = "framework.id: it has a zero byte in it",
            ["suppressedRoles = { 'a\\0b' }"] = "suppressedRoles[1]: it has a zero byte in it",
        }) do
            local done = program.run({ args = { "check", program.script("return { " .. text .. " }") } })
            assert.equal(2, done.code)
            assert.is_truthy(done.stderr:find(message, 1, true), done.stderr)
        end
    end)

    it("in the framework's id is an event that cannot be read", function()
        local m, run = framework.start("", { quiet = true })
        m:wait_for("SUBSCRIBE")
        m:send({ type = "SUBSCRIBED", subscribed = { framework_id = "f\0" } })
        logged(run, "the master sent a framework id that has a zero byte in it; trying again")
        assert.is_nil(run.stderr:find("registered with", 1, true))
    end)

    it("is in a registry's ids of executors", function()
        local tasks = internals.tasks()
        tasks:update(internals.encode("mesos.v1.TaskStatus", { task_id = ZERO, state = "TASK_RUNNING", executor_id = "e\0f" }))
        assert.same({ ZERO, "e\0f" }, { tasks:find(ZERO).task_id, tasks:find(ZERO).executor_id })
    end)
end)
