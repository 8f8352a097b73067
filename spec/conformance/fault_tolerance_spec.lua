-- SPDX-License-Identifier: Apache-2.0
--
-- fault_tolerance_tests.cpp and http_fault_tolerance_tests.cpp: masters and schedulers that fail over.

local framework = require("support.framework")
local master = require("support.master")

local subscribed, start, said = framework.subscribed, framework.start, framework.said
local WATCH = framework.WATCH

local function with_id(id)
    return ("scheduler.framework.id = %q\n"):format(id)
end

-- From now on the second master leads, as the file says, and the framework has noticed.
local function lead(path, one, two)
    local file = assert(io.open(path, "w"))
    file:write(two.address)
    file:close()
    one:drop()
    two:wait_for("SUBSCRIBE")
end

-- A master whose only answer to SUBSCRIBE is this ERROR.
local function refusing(message)
    local m = master.start({ quiet = true })
    m:answer("SUBSCRIBE", function(_, connection)
        m:answer("SUBSCRIBE")
        connection:begin_stream({ ["Mesos-Stream-Id"] = "s", ["Content-Type"] = "application/x-protobuf" })
        m.stream = { id = "s", connection = connection }
        m:send({ type = "ERROR", error = { message = message } })
        m:end_stream()
    end)
    return m
end

describe("when a master fails over, a framework", function()
    after_each(framework.cleanup)

    it("is disconnected, and reregistered with the same id", function()
        local m, run = subscribed(WATCH)
        local offer = m:send_offers()[1]
        said(run, "offer\t" .. offer.id)
        local again = m:restart()
        again:wait_for("SUBSCRIBE")
        said(run, ("registered\t%s\noffer\t%s\ndisconnected\t0\nreregistered\n"):format(m.framework_id, offer.id))
        assert.equal(m.framework_id, again.framework_id)
    end)

    it("hears `disconnected` before anything of the new leader, and its old offers are void", function()
        local one, two = master.start(), master.start()
        local path = require("support.program").files({ ["master"] = one.address }) .. "/master"
        local _, run = subscribed(WATCH .. [[
            local old
            function scheduler:resourceOffers(driver, offers)
                say("offer", #driver:offers(), old and select(2, pcall(driver.declineOffer, driver, old)))
                old = offers[1].id
            end
        ]], { master = one, address = "file://" .. path })
        one:send_offers()
        said(run, "offer\t1\tnil")
        lead(path, one, two)
        said(run, "disconnected\t0\nreregistered\n")
        assert.equal(one.framework_id, two.framework_id)
        two:send_offers()
        said(run, "cannot be used: it was made void when the master was lost")
    end)

    it("reregisters once, however often the reply is lost", function()
        local m, run = subscribed(WATCH)
        said(run, "registered")
        local lost = 0
        m:answer("SUBSCRIBE", function(_, connection)
            lost = lost + 1
            if lost > 2 then
                return true
            end
            connection:close()
        end)
        m:drop()
        said(run, "disconnected\t0\nreregistered\n", 30)
        assert.equal(4, #m:calls_of("SUBSCRIBE"))
        assert.equal(1, select(2, run.stdout:gsub("disconnected", "")))
        assert.equal(1, select(2, run.stdout:gsub("reregistered", "")))
    end)

    it("registers once when the first reply is lost, without failing over to itself", function()
        local m, run = start(WATCH, { quiet = true })
        m:wait_for("SUBSCRIBE")
        m:drop()
        m.quiet = nil
        m:wait_for("SUBSCRIBE", 2)
        said(run, "registered\t" .. m.framework_id)
        m:send_offers()
        said(run, "offer")
        assert.is_nil(run.stdout:find("disconnected")) -- it was not connected before
        assert.is_nil(run.stdout:find("reregistered"))
        assert.is_nil(run.stdout:find("error"))
    end)

    it("shows its whole FrameworkInfo to each master", function()
        local body = [[
            scheduler.framework = { name = "whole", roles = { "dev", "web" }, failover_timeout = 100, user = "u",
                hostname = "h", webui_url = "http://w", checkpoint = true,
                capabilities = { { type = "MULTI_ROLE" }, { type = "PARTITION_AWARE" } },
                labels = { labels = { { key = "k", value = "v" } } } }
        ]]
        local m, run = subscribed(body .. WATCH)
        said(run, "registered")
        m:drop()
        local values = require("support.compare")
        local first = values.plain(m:wait_for("SUBSCRIBE").call.subscribe.framework_info)
        local second = values.plain(m:wait_for("SUBSCRIBE", 2).call.subscribe.framework_info)
        first.id = m.framework_id
        assert.same(first, second)
        assert.same({ "dev", "web" }, first.roles)
        assert.equal("v", first.labels.labels[1].value)
    end)

    it("shows the FrameworkInfo that it has now to a scheduler's successor's master", function()
        local m, run = subscribed(WATCH)
        said(run, "registered")
        local _, second = start([[ scheduler.framework = { name = "renamed", roles = { "new" }, failover_timeout = 7 } ]]
            .. with_id(m.framework_id) .. WATCH, { master = m })
        said(second, "registered\t" .. m.framework_id)
        local info = m:calls_of("SUBSCRIBE")[2].call.subscribe.framework_info
        assert.same({ "renamed", 7, { "new" }, m.framework_id },
            { info.name, info.failover_timeout, require("support.compare").plain(info.roles), info.id })
    end)
end)

describe("when a scheduler fails over", function()
    after_each(framework.cleanup)

    it("the first instance hears of it and is aborted, the second is registered", function()
        local m, first = subscribed(WATCH)
        said(first, "registered")
        local _, second = start(with_id(m.framework_id) .. WATCH, { master = m })
        said(second, "registered\t" .. m.framework_id)
        assert.equal(1, first:wait())
        assert.matches("error\tFramework failed over\tDRIVER_ABORTED\n$", first.stdout)
        assert.is_nil(first.stdout:find("disconnected"))
        assert.is_nil(second.code)
    end)

    it("the second instance gets the update that was not acknowledged, and acknowledges it", function()
        local m, first = subscribed(WATCH .. [[ function scheduler:statusUpdate(driver) driver:stop(true) end ]])
        local update = m:update("t", "TASK_RUNNING")
        m:send(update)
        assert.equal(0, first:wait())
        assert.same({ "SUBSCRIBE" }, m:call_types())
        local _, second = start(with_id(m.framework_id) .. WATCH, { master = m })
        m:wait_for("SUBSCRIBE", 2)
        m:send(update)
        said(second, "update\tt\tTASK_RUNNING")
        assert.equal(update.update.status.uuid, m:wait_for("ACKNOWLEDGE").call.acknowledge.uuid)
    end)

    it("the second instance gets the executor's messages", function()
        local m, first = subscribed(WATCH)
        said(first, "registered")
        local _, second = start(with_id(m.framework_id) .. WATCH, { master = m })
        m:wait_for("SUBSCRIBE", 2)
        first:wait()
        m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "hello" } })
        said(second, "message\te\ta\thello")
        assert.is_nil(first.stdout:find("message"))
    end)

    it("the second instance sends messages to the executor", function()
        local m, first = subscribed(WATCH)
        said(first, "registered")
        start(with_id(m.framework_id) .. [[
            function scheduler:registered(driver) driver:sendFrameworkMessage("e", "a", "hello") end
        ]], { master = m })
        m:expect("MESSAGE", { executor_id = "e", agent_id = "a", data = "hello" })
        assert.equal(m.stream.id, m:calls_of("MESSAGE")[1].request:header("Mesos-Stream-Id"))
    end)

    it("calls of the old instance are refused and do no harm", function()
        local m, first = subscribed(WATCH .. [[
            function scheduler:error(driver, message) say(message, driver:killTask("t")) end
        ]])
        said(first, "registered")
        local _, second = start(with_id(m.framework_id) .. WATCH, { master = m })
        assert.equal(1, first:wait())
        assert.matches("Framework failed over\tDRIVER_ABORTED\n$", first.stdout)
        said(second, "registered")
        assert.equal(0, #m:calls_of("KILL"))
    end)

    it("leaves executors to the master when it exits", function()
        local m, run = subscribed("function scheduler:registered(driver) driver:stop() end")
        assert.equal(0, run:wait())
        assert.same({ "SUBSCRIBE", "TEARDOWN" }, m:call_types())
        m, run = subscribed("function scheduler:registered(driver) driver:stop(true) end")
        assert.equal(0, run:wait())
        assert.same({ "SUBSCRIBE" }, m:call_types())
        require("support.program").wait_for(function() return not m.stream end)
    end)
end)

describe("a framework that comes back", function()
    after_each(framework.cleanup)

    for title, message in pairs({
        ["too late hears that it has been removed"] = "Framework has been removed",
        ["after its teardown hears that it has been removed"] = "Framework has been removed",
        ["with another principal is refused"] = "Changing framework's principal is not allowed.",
    }) do
        it(title, function()
            local m = refusing(message)
            local _, run = start(with_id("old-0001") .. WATCH, { master = m })
            assert.equal(1, run:wait())
            assert.equal("error\t" .. message .. "\tDRIVER_ABORTED\n", run.stdout)
            assert.equal("old-0001", m:calls_of("SUBSCRIBE")[1].call.framework_id)
            assert.equal(1, #m:calls_of("SUBSCRIBE"))
        end)
    end
end)

describe("what is launched while disconnected", function()
    after_each(framework.cleanup)

    local function launching(capabilities)
        local m, run = subscribed(([[
            scheduler.framework.capabilities = { { type = "MULTI_ROLE" } %s }
            local offer
            function scheduler:resourceOffers(_, offers) offer = offers[1] say("offer") end
            function scheduler:disconnected(driver)
                driver:launchTasks(offer.id, { task("t1", offer), task("t2", offer) })
                driver:acceptOffers(offer.id, {
                    { type = "LAUNCH_GROUP", launch_group = {
                        executor = { type = "DEFAULT", executor_id = "e" }, task_group = { tasks = { task("t3", offer) } } } },
                    { type = "RESERVE", reserve = { resources = mesos.resources { cpus = 1 } } },
                })
                say("launched")
            end
            function scheduler:statusUpdate(driver, s)
                say(s.task_id, s.state, s.reason, s.source, s.message, s.uuid, s.timestamp > 1e9)
                if s.task_id == "t3" then driver:stop(true) end
            end
        ]]):format(capabilities))
        m:send_offers()
        said(run, "offer\n")
        m:answer("SUBSCRIBE", 503, "No leader elected")
        m:drop()
        assert.equal(0, run:wait())
        assert.equal(0, #m:calls_of("ACCEPT"))
        return (run.stdout:gsub("\tREASON_MASTER_DISCONNECTED\tSOURCE_MASTER\tMaster disconnected\tnil\ttrue", ""))
    end

    it("is lost locally", function()
        assert.equal("offer\nlaunched\nt1\tTASK_LOST\nt2\tTASK_LOST\nt3\tTASK_LOST\n", launching(""))
    end)

    it("is dropped locally, for a framework that knows of partitions", function()
        assert.equal("offer\nlaunched\nt1\tTASK_DROPPED\nt2\tTASK_DROPPED\nt3\tTASK_DROPPED\n",
            launching(", { type = 'PARTITION_AWARE' }"))
    end)
end)

describe("while disconnected", function()
    after_each(framework.cleanup)

    it("suppress, revive and updateFramework are remembered, the rest is dropped and told", function()
        local m, run = subscribed [[
            scheduler.framework.roles = { "a", "b", "c" }
            scheduler.suppressedRoles = { "a" }
            function scheduler:registered() say("registered") end
            function scheduler:disconnected(driver)
                driver:killTask("t") driver:reconcileTasks() driver:sendFrameworkMessage("e", "a", "d")
                driver:requestResources({}) driver:shutdownExecutor("e", "a") driver:reconcileOperations()
                driver:declineOffer("o") driver:acceptInverseOffers("i") driver:declineInverseOffers("i")
                driver:updateFramework({ name = "renamed", roles = { "a", "b", "c", "d" }, failover_timeout = 60 },
                    { "a", "d" }, nil)
                driver:suppressOffers { "b" }
                driver:reviveOffers { "a" }
                say("disconnected")
            end
            function scheduler:reregistered(driver) say("reregistered") driver:killTask("last") end
        ]]
        said(run, "registered")
        m:drop()
        said(run, "reregistered")
        local subscribe = m:wait_for("SUBSCRIBE", 2).call.subscribe
        assert.equal("renamed", subscribe.framework_info.name)
        assert.same({ "d", "b" }, require("support.compare").plain(subscribe.suppressed_roles))
        m:expect("KILL", { task_id = "last" })
        assert.same({ "SUBSCRIBE", "SUBSCRIBE", "KILL" }, m:call_types())
        for _, name in ipairs({ "KILL", "RECONCILE", "MESSAGE", "REQUEST", "SHUTDOWN", "RECONCILE_OPERATIONS", "DECLINE",
            "ACCEPT_INVERSE_OFFERS", "DECLINE_INVERSE_OFFERS" }) do
            framework.logged(run, name .. " dropped: not connected to a master")
        end
    end)

    it("what changes after SUBSCRIBE was sent follows with an UPDATE_FRAMEWORK", function()
        local path = require("support.program").directory() .. "/now"
        local m, run = subscribed(([[
            function scheduler:registered() say("registered") end
            function scheduler:disconnected(driver)
                local timer
                timer = mesos.every(0.02, function()
                    if io.open(%q) then
                        timer:cancel()
                        driver:suppressOffers()
                        say("suppressed")
                    end
                end)
            end
        ]]):format(path))
        said(run, "registered")
        m.quiet = true
        m:drop()
        m:wait_for("SUBSCRIBE", 2)
        assert(io.open(path, "w")):close()
        said(run, "suppressed")
        m:send({ type = "SUBSCRIBED", subscribed = { framework_id = m.framework_id, master_info = m:info() } })
        local update = m:wait_for("UPDATE_FRAMEWORK").call.update_framework
        assert.same({ "*" }, update.suppressed_roles)
        assert.equal(m.framework_id, update.framework_info.id)
    end)
end)

describe("events", function()
    after_each(framework.cleanup)

    it("of a master that leads no more are not delivered", function()
        local one, two = master.start(), master.start()
        local path = require("support.program").files({ ["master"] = one.address }) .. "/master"
        local _, run = subscribed(WATCH .. [[ function scheduler:frameworkMessage() say("busy") mesos.sleep(0.3) end ]],
            { master = one, address = "file://" .. path })
        said(run, "registered")
        -- While the script is busy offers and a rescission wait; then their master stops leading.
        one:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } })
        said(run, "busy")
        local offer = one:send_offers()[1]
        one:send({ type = "RESCIND", rescind = { offer_id = offer.id } })
        lead(path, one, two)
        said(run, "busy\ndisconnected\t0\nreregistered\n")
        two:send_offers({ two:offer({ id = "new" }) })
        said(run, "offer\tnew")
        assert.is_nil(run.stdout:find(offer.id, 1, true))
    end)

    it("may come in any order around the end of an executor", function()
        local m, run = subscribed(WATCH)
        m:send({ type = "FAILURE", failure = { agent_id = "a", executor_id = "e", status = 9 } })
        m:send(m:update("t", "TASK_FINISHED", { executor_id = "e" }))
        m:send(m:update("t", "TASK_FAILED", { executor_id = "unknown" }))
        said(run, "executorLost\te\ta\t9\nupdate\tt\tTASK_FINISHED\tnil\nupdate\tt\tTASK_FAILED\tnil\n")
        m:wait_for("ACKNOWLEDGE", 2)
    end)
end)
