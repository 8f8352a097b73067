-- SPDX-License-Identifier: Apache-2.0
--
-- exception_tests.cpp: what aborting does, and what it ends.

local framework = require("support.framework")
local program = require("support.program")

local subscribed = framework.subscribed

describe("abort", function()
    after_each(framework.cleanup)

    it("leaves the framework without a stream, for its failover timeout to run", function()
        local m, run = subscribed [[
            function scheduler:registered(driver)
                say(driver:abort())
                mesos.every(0.01, function() end)
            end
        ]]
        assert.equal(1, run:wait())
        program.wait_for(function() return not m.stream end)
        assert.same({ "SUBSCRIBE" }, m:call_types())
    end)

    it("ends all operations", function()
        local m, run = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                local id = offers[1].id
                driver:abort()
                say(driver:launchTasks(id, { task("t", offers[1]) }), driver:declineOffer(id), driver:killTask("t"),
                    driver:reviveOffers(), driver:suppressOffers(), driver:reconcileTasks(), driver:stop(), driver:stop(true),
                    driver:abort(), driver:start(), driver:sendFrameworkMessage("e", "a", "d"))
            end
        ]]
        m:send_offers()
        assert.equal(1, run:wait())
        assert.equal(("DRIVER_ABORTED"):rep(11, "\t") .. "\n", run.stdout)
        assert.same({ "SUBSCRIBE" }, m:call_types())
    end)

    it("ends all callbacks, and a later stop sends nothing", function()
        local m, run = subscribed(framework.WATCH .. [[
            function scheduler:statusUpdate(driver, status)
                say(status.task_id, driver:abort())
                mesos.sleep(0.1)
                say("slept", driver:stop())
            end
        ]])
        for i = 1, 3 do
            m:send(m:update("t" .. i, "TASK_RUNNING"))
        end
        assert.equal(1, run:wait())
        assert.equal("registered\t" .. m.framework_id .. "\nt1\tDRIVER_ABORTED\nslept\tDRIVER_ABORTED\n", run.stdout)
        assert.same({ "SUBSCRIBE" }, m:call_types())
    end)
end)
