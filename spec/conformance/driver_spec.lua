-- SPDX-License-Identifier: Apache-2.0
--
-- scheduler_driver_tests.cpp: acknowledgements, suppressed roles, the first registration.

local framework = require("support.framework")

local subscribed, start, said = framework.subscribed, framework.start, framework.said

local EXPLICIT = [[
    scheduler.implicitAcknowledgements = false
    function scheduler:statusUpdate(driver, status)
        say("update", status.task_id, driver:acknowledgeStatusUpdate(status))
    end
]]

local TWO_ROLES = [[
    scheduler.framework.roles = { "dev", "web" }
    function scheduler:registered() say("registered") end
    function scheduler:reregistered() say("reregistered") end
]]

describe("the driver of Mesos", function()
    after_each(framework.cleanup)

    it("backs off before it subscribes again, also with a failover timeout of 0", function()
        local m, run = start([[
            scheduler.framework.failover_timeout = 0
            function scheduler:registered(driver) say("registered") driver:stop() end
        ]])
        m:answer("SUBSCRIBE", function(_, connection)
            if #m:calls_of("SUBSCRIBE") > 3 then
                return true
            end
            connection:close()
        end)
        said(run, "registered", 30)
        assert.equal(0, run:wait())
        -- Four tries, and not one more for the same loss.
        assert.equal(4, #m:calls_of("SUBSCRIBE"))
        assert.equal(3, select(2, run.stderr:gsub("; trying again", "")))
    end)

    it("sends no acknowledgement when it was stopped and aborted inside the callback", function()
        local m, run = subscribed [[
            function scheduler:statusUpdate(driver, status) say(driver:stop(true), driver:abort()) end
        ]]
        m:send(m:update("t", "TASK_RUNNING"))
        assert.equal(0, run:wait())
        assert.equal("DRIVER_STOPPED\tDRIVER_STOPPED\n", run.stdout)
        assert.same({ "SUBSCRIBE" }, m:call_types())
    end)

    it("leaves acknowledging to a script that wants to do it", function()
        local m, run = subscribed [[
            scheduler.implicitAcknowledgements = false
            function scheduler:statusUpdate(driver, status)
                say("update")
                mesos.after(0.05, function() driver:reviveOffers() driver:acknowledgeStatusUpdate(status) end)
            end
        ]]
        local update = m:update("t", "TASK_RUNNING")
        m:send(update)
        said(run, "update")
        local status = update.update.status
        m:expect("ACKNOWLEDGE", { agent_id = status.agent_id, task_id = "t", uuid = status.uuid })
        assert.same({ "SUBSCRIBE", "REVIVE", "ACKNOWLEDGE" }, m:call_types())
    end)

    it("drops the acknowledgement of an update that the master made", function()
        local m, run = subscribed(EXPLICIT)
        m:send(m:update("made by the master", "TASK_LOST", { uuid = false, source = "SOURCE_MASTER" }))
        m:send(m:update("real", "TASK_RUNNING"))
        said(run, "update\treal\tDRIVER_RUNNING")
        assert.equal("real", m:wait_for("ACKNOWLEDGE").call.acknowledge.task_id)
        assert.equal(1, #m:calls_of("ACKNOWLEDGE"))
    end)

    it("drops the acknowledgement of an update without an agent", function()
        local m, run = subscribed(EXPLICIT)
        m:send(m:update("nowhere", "TASK_RUNNING", { agent_id = false }))
        m:send(m:update("somewhere", "TASK_RUNNING"))
        said(run, "update\tsomewhere\tDRIVER_RUNNING")
        assert.equal("somewhere", m:wait_for("ACKNOWLEDGE").call.acknowledge.task_id)
        framework.logged(run, "the status of nowhere needs no acknowledgement")
        assert.equal(1, #m:calls_of("ACKNOWLEDGE"))
    end)

    it("subscribes again with the roles that were suppressed meanwhile", function()
        local m, run = subscribed(TWO_ROLES .. [[
            function scheduler:resourceOffers(driver) driver:suppressOffers() say("suppressed") end
        ]])
        m:send_offers()
        m:expect("SUPPRESS")
        m:drop()
        said(run, "reregistered")
        assert.same({ "dev", "web" }, m:calls_of("SUBSCRIBE")[2].call.subscribe.suppressed_roles)
    end)

    it("subscribes with the roles that are suppressed from the start", function()
        local m = subscribed(TWO_ROLES .. [[ scheduler.suppressedRoles = { "web" } ]])
        local subscribe = m:wait_for("SUBSCRIBE").call.subscribe
        assert.same({ "dev", "web" }, subscribe.framework_info.roles)
        assert.same({ "web" }, subscribe.suppressed_roles)
    end)

    it("suppresses a single role", function()
        local m, run = subscribed(TWO_ROLES .. [[
            function scheduler:registered(driver) driver:suppressOffers { "dev" } end
        ]])
        m:expect("SUPPRESS", { roles = { "dev" } })
        m:drop()
        said(run, "reregistered")
        assert.same({ "dev" }, m:calls_of("SUBSCRIBE")[2].call.subscribe.suppressed_roles)
    end)

    it("revives a single role", function()
        local m, run = subscribed(TWO_ROLES .. [[
            scheduler.suppressedRoles = { "dev", "web" }
            function scheduler:registered(driver) driver:reviveOffers { "dev" } end
        ]])
        m:expect("REVIVE", { roles = { "dev" } })
        m:drop()
        said(run, "reregistered")
        assert.same({ "web" }, m:calls_of("SUBSCRIBE")[2].call.subscribe.suppressed_roles)
    end)
end)

describe("the status of a driver", function()
    after_each(framework.cleanup)

    -- Runs a script that makes its own drivers, with the master's address as its first argument.
    local function own(body)
        local master, program = require("support.master"), require("support.program")
        local m = master.start()
        local run = program.start({
            args = { "-v", program.script([[
                local mesos = require "mesos"
                local function say(...) print(...) io.stdout:flush() end
                local function new(scheduler, options)
                    options = options or {}
                    options.scheduler, options.master = scheduler, arg[1]
                    options.framework = options.framework or { name = "own" }
                    return mesos.SchedulerDriver(options)
                end
            ]] .. body), m.address },
        })
        return m, run
    end

    it("is the only thing an operation gives before the start and after the end", function()
        local m, run = own [[
            local driver = new {}
            local function all()
                return driver:launchTasks("o", {}), driver:acceptOffers("o", {}), driver:declineOffer("o"),
                    driver:killTask("t"), driver:reviveOffers(), driver:suppressOffers(), driver:reconcileTasks(),
                    driver:sendFrameworkMessage("e", "a", "d"), driver:requestResources({}),
                    driver:acceptInverseOffers("o"), driver:declineInverseOffers("o"), driver:shutdownExecutor("e", "a"),
                    driver:reconcileOperations(), driver:reconnect(), driver:updateFramework({ name = "x" }, {}, nil)
            end
            local function same(...)
                local first = ...
                for i = 1, select("#", ...) do assert((select(i, ...)) == first) end
                return first, select("#", ...)
            end
            say(driver:status(), driver:join(), driver:stop(), driver:abort())
            say(same(all()))
            driver = new { registered = function(_, d) say(d:start()) d:stop(true) end }
            say(driver:run())
            say(same(all()))
            say(driver:start(), driver:join(), driver:status())
        ]]
        assert.equal(0, run:wait())
        assert.equal(table.concat({
            ("DRIVER_NOT_STARTED"):rep(4, "\t"), "DRIVER_NOT_STARTED\t15", "DRIVER_RUNNING", "DRIVER_STOPPED",
            "DRIVER_STOPPED\t15", ("DRIVER_STOPPED"):rep(3, "\t"), "",
        }, "\n"), run.stdout)
        assert.same({ "SUBSCRIBE" }, m:call_types())
    end)

    it("is what join and run return at the end", function()
        local _, run = own [[
            local function ending(operation, ...)
                local arguments = { ... }
                local driver = new { registered = function(_, d) d[operation](d, table.unpack(arguments)) end }
                driver:start()
                return driver:join(), driver:join()
            end
            say("stop", ending("stop"))
            say("stop true", ending("stop", true))
            say("abort", ending("abort"))
            say("error", ending("updateFramework", { id = "another", name = "x" }, {}, nil))
        ]]
        assert.equal(1, run:wait())
        assert.equal("stop\tDRIVER_STOPPED\tDRIVER_STOPPED\nstop true\tDRIVER_STOPPED\tDRIVER_STOPPED\n"
            .. "abort\tDRIVER_ABORTED\tDRIVER_ABORTED\nerror\tDRIVER_ABORTED\tDRIVER_ABORTED\n", run.stdout)
    end)

    it("starts anew with another driver after one that was aborted", function()
        local m, run = own [[
            local id
            local first = new { registered = function(_, d, given) id = given d:abort() end }
            say(first:run(), first:stop())
            local second = new({
                registered = function(_, d, given) say("registered", given == id) d:stop() end,
                reregistered = function() say("reregistered") end,
            }, { framework = { name = "own", id = id } })
            say(second:run(), first:status())
        ]]
        assert.equal(0, run:wait())
        assert.equal("DRIVER_ABORTED\tDRIVER_ABORTED\nregistered\ttrue\nDRIVER_STOPPED\tDRIVER_ABORTED\n", run.stdout)
        assert.same({ "SUBSCRIBE", "SUBSCRIBE", "TEARDOWN" }, m:call_types())
    end)

    it("may be changed inside any callback", function()
        local events = {
            registered = function() end,
            resourceOffers = function(m) m:send_offers() end,
            offerRescinded = function(m) m:send({ type = "RESCIND", rescind = { offer_id = "o" } }) end,
            statusUpdate = function(m) m:send(m:update("t", "TASK_RUNNING")) end,
            frameworkMessage = function(m)
                m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "d" } })
            end,
            slaveLost = function(m) m:send({ type = "FAILURE", failure = { agent_id = "a" } }) end,
            executorLost = function(m)
                m:send({ type = "FAILURE", failure = { agent_id = "a", executor_id = "e", status = 9 } })
            end,
            operationStatusUpdate = function(m) m:send(m:operation_update("op", "OPERATION_FINISHED")) end,
            inverseOffers = function(m)
                m:send({ type = "INVERSE_OFFERS", inverse_offers = { inverse_offers = { {
                    id = "i", framework_id = m.framework_id, unavailability = { start = { nanoseconds = 1 } },
                } } } })
            end,
            inverseOfferRescinded = function(m)
                m:send({ type = "RESCIND_INVERSE_OFFER", rescind_inverse_offer = { inverse_offer_id = "i" } })
            end,
            disconnected = function(m) m:drop() end,
        }
        for _, way in ipairs({ "stop", "abort" }) do
            for callback, cause in pairs(events) do
                local m, run = subscribed(([[
                    function scheduler:%s(driver) say(driver:%s(%s)) end
                ]]):format(callback, way, way == "stop" and callback == "disconnected" and "true" or ""))
                cause(m)
                assert.equal(way == "abort" and 1 or 0, run:wait(), callback .. ": " .. run:report())
                assert.equal(way == "abort" and "DRIVER_ABORTED\n" or "DRIVER_STOPPED\n", run.stdout)
                local torn_down = way == "stop" and callback ~= "disconnected"
                assert.equal(torn_down and 1 or 0, #m:calls_of("TEARDOWN"), callback)
                assert.equal(0, #m:calls_of("ACKNOWLEDGE") + #m:calls_of("ACKNOWLEDGE_OPERATION_STATUS"), callback)
            end
        end
    end)

    it("survives that the driver is let go of inside a callback", function()
        local m, run = own [[
            local driver
            driver = new {
                registered = function(_, d) driver = nil collectgarbage() collectgarbage() say(d:status()) end,
                statusUpdate = function(_, d) d:abort() d = nil collectgarbage() collectgarbage() say("over") end,
            }
            driver:start()
            mesos.after(30, function() end)
            driver:join()
        ]]
        m:wait_for("SUBSCRIBE")
        m:send(m:update("t", "TASK_RUNNING"))
        said(run, "DRIVER_RUNNING\nover\n")
    end)
end)
