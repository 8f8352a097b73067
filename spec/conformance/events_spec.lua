-- SPDX-License-Identifier: Apache-2.0
--
-- scheduler_event_call_tests.cpp: which event becomes which callback, and when there is none.

local framework = require("support.framework")

local subscribed, said = framework.subscribed, framework.said
local WATCH = framework.WATCH

describe("the event", function()
    after_each(framework.cleanup)

    it("SUBSCRIBED is registered", function()
        local m, run = subscribed [[
            function scheduler:registered(driver, id, master)
                say(id, master.id, master.hostname, master.version, master.address.ip, driver:master().port == master.port)
            end
        ]]
        said(run, ("%s\t%s\tlocalhost\t1.11.0\t127.0.0.1\ttrue\n"):format(m.framework_id, m.id))
    end)

    it("SUBSCRIBED of the same master after a break is reregistered", function()
        local m, run = subscribed(WATCH)
        said(run, "registered")
        m:reset()
        said(run, ("registered\t%s\ndisconnected\t0\nreregistered\n"):format(m.framework_id))
    end)

    it("SUBSCRIBED of a new master is reregistered, after disconnected", function()
        local m, run = subscribed(WATCH)
        said(run, "registered")
        m:restart():wait_for("SUBSCRIBE")
        said(run, ("registered\t%s\ndisconnected\t0\nreregistered\n"):format(m.framework_id))
    end)

    it("SUBSCRIBED of a framework that came with its id is registered", function()
        local m, run = subscribed(WATCH .. [[ scheduler.framework.id = "given" ]])
        assert.equal("given", m:wait_for("SUBSCRIBE").call.framework_id)
        said(run, "registered\tgiven\n")
    end)

    it("OFFERS is resourceOffers", function()
        local m, run = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                for i, offer in ipairs(offers) do say(i, offer.id, offer.allocation_info.role, #driver:offers()) end
            end
        ]]
        local offers = m:send_offers({ m:offer(), m:offer({ allocation_info = { role = "dev" } }) })
        said(run, ("1\t%s\t*\t2\n2\t%s\tdev\t2\n"):format(offers[1].id, offers[2].id))
    end)

    it("RESCIND is offerRescinded", function()
        local m, run = subscribed(WATCH .. [[
            function scheduler:offerRescinded(driver, id) say("rescinded", id, #driver:offers()) end
        ]])
        local offers = m:send_offers({ m:offer(), m:offer() })
        m:send({ type = "RESCIND", rescind = { offer_id = offers[1].id } })
        said(run, "rescinded\t" .. offers[1].id .. "\t1\n")
    end)

    it("UPDATE is statusUpdate, acknowledged only with a uuid", function()
        local m, run = subscribed(WATCH)
        m:send(m:update("without", "TASK_LOST", { uuid = false }))
        local update = m:update("with", "TASK_RUNNING")
        m:send(update)
        said(run, "update\twithout\tTASK_LOST\tnil\nupdate\twith\tTASK_RUNNING\tnil\n")
        local status = update.update.status
        m:expect("ACKNOWLEDGE", { agent_id = status.agent_id, task_id = "with", uuid = status.uuid })
        assert.equal(1, #m:calls_of("ACKNOWLEDGE"))
    end)

    it("MESSAGE is frameworkMessage", function()
        local m, run = subscribed(WATCH)
        m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "data" } })
        said(run, "message\te\ta\tdata\n")
    end)

    it("FAILURE is executorLost with an executor, slaveLost without", function()
        local m, run = subscribed(WATCH)
        m:send({ type = "FAILURE", failure = { agent_id = "a", executor_id = "e", status = 256 } })
        m:send({ type = "FAILURE", failure = { agent_id = "a" } })
        said(run, "executorLost\te\ta\t256\nslaveLost\ta\n")
    end)

    it("ERROR is error, and the driver is aborted", function()
        local m, run = subscribed(WATCH)
        m:send({ type = "ERROR", error = { message = "no" } })
        assert.equal(1, run:wait())
        assert.matches("error\tno\tDRIVER_ABORTED\n$", run.stdout)
        assert.equal(0, #m:calls_of("TEARDOWN"))
    end)

    it("INVERSE_OFFERS and RESCIND_INVERSE_OFFER have callbacks, which may be missing", function()
        local function send(m)
            m:send({ type = "INVERSE_OFFERS", inverse_offers = { inverse_offers = { {
                id = "i", framework_id = m.framework_id, agent_id = "a",
                unavailability = { start = { nanoseconds = 7 }, duration = { nanoseconds = 8 } },
            } } } })
            m:send({ type = "RESCIND_INVERSE_OFFER", rescind_inverse_offer = { inverse_offer_id = "i" } })
        end
        local m, run = subscribed [[
            function scheduler:inverseOffers(_, list)
                local i = list[1]
                say(i.id, i.agent_id, i.unavailability.start.nanoseconds, i.unavailability.duration.nanoseconds)
            end
            function scheduler:inverseOfferRescinded(driver, id)
                say(id, select(2, pcall(driver.acceptInverseOffers, driver, id)))
            end
        ]]
        send(m)
        said(run, "i\ta\t7\t8\n")
        said(run, "it was rescinded")
        m, run = subscribed(WATCH)
        send(m)
        m:send(m:update("t", "TASK_RUNNING"))
        said(run, "update\tt")
        m:wait_for("ACKNOWLEDGE")
        assert.same({ "SUBSCRIBE", "ACKNOWLEDGE" }, m:call_types())
    end)

    it("UPDATE_OPERATION_STATUS is operationStatusUpdate", function()
        local m, run = subscribed(WATCH)
        m:send(m:operation_update("op", "OPERATION_FINISHED"))
        said(run, "operation\top\tOPERATION_FINISHED\n")
    end)

    it("HEARTBEAT calls no callback", function()
        local m, run = subscribed(WATCH)
        for _ = 1, 5 do
            m:heartbeat()
        end
        m:send(m:update("t", "TASK_RUNNING"))
        said(run, "registered\t" .. m.framework_id .. "\nupdate\tt\tTASK_RUNNING\tnil\n")
    end)
end)

describe("no callback", function()
    after_each(framework.cleanup)

    it("comes after stop or abort, but error after the abort that it tells of", function()
        local m, run = subscribed(WATCH .. [[
            function scheduler:statusUpdate(driver, status)
                say("update", status.task_id)
                if status.task_id == "stop" then driver:stop(true) end
                if status.task_id == "abort" then driver:abort() end
            end
        ]])
        local internals, bytes = require("internals"), ""
        for _, event in ipairs({ m:update("stop", "TASK_RUNNING"), m:update("next", "TASK_RUNNING"),
            { type = "ERROR", error = { message = "late" } } }) do
            local record = internals.encode("mesos.v1.scheduler.Event", event)
            bytes = bytes .. #record .. "\n" .. record
        end
        m:send_bytes(bytes)
        assert.equal(0, run:wait())
        assert.matches("update\tstop\n$", run.stdout)

        m, run = subscribed(WATCH .. [[
            function scheduler:statusUpdate(driver) driver:abort() end
        ]])
        m:send_bytes(bytes)
        assert.equal(1, run:wait())
        assert.equal("registered\t" .. m.framework_id .. "\n", run.stdout)
    end)

    it("`disconnected` comes before the first registration", function()
        local m, run = subscribed(WATCH, { quiet = true })
        m:drop()
        m:wait_for("SUBSCRIBE", 2)
        m.quiet = nil
        m:drop()
        said(run, "registered\t" .. m.id)
        assert.equal("registered\t" .. m.framework_id .. "\n", run.stdout)
    end)
end)
