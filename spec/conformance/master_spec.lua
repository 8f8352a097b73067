-- SPDX-License-Identifier: Apache-2.0
--
-- master_tests.cpp, master_maintenance_tests.cpp, teardown_tests.cpp, common/recordio_tests.cpp: offers used well and
-- badly, maintenance, small resources, the ends of a stream.

local framework = require("support.framework")
local program = require("support.program")

local subscribed, start, said = framework.subscribed, framework.start, framework.said

describe("offers", function()
    after_each(framework.cleanup)

    it("of one agent can be combined", function()
        local m = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                driver:launchTasks({ offers[1].id, offers[2].id }, { task("t", offers[1]) }, { refuse_seconds = 1 })
            end
        ]]
        local offers = m:send_offers({ m:offer(), m:offer() })
        local accept = m:wait_for("ACCEPT").call.accept
        assert.same({ offers[1].id, offers[2].id }, accept.offer_ids)
        assert.equal(1, #accept.operations)
        assert.equal(1, accept.filters.refuse_seconds)
    end)

    for _, state in ipairs({ "TASK_LOST", "TASK_DROPPED" }) do
        it(({
            TASK_LOST = "that do not fit together lose the tasks, as the master tells",
            TASK_DROPPED = "that do not fit together drop the tasks of a framework that knows of partitions",
        })[state], function()
            local m, run = subscribed(framework.WATCH .. [[
                function scheduler:resourceOffers(driver, offers)
                    driver:launchTasks({ offers[1].id, offers[2].id }, { task("t", offers[1]) })
                    say(#driver:offers())
                end
            ]])
            m:send_offers({ m:offer({ agent_id = "a" }), m:offer({ agent_id = "b" }) })
            m:wait_for("ACCEPT")
            m:send(m:update("t", state, { uuid = false, source = "SOURCE_MASTER", reason = "REASON_INVALID_OFFERS" }))
            said(run, "0\nupdate\tt\t" .. state .. "\tREASON_INVALID_OFFERS\n")
            assert.equal(0, #m:calls_of("ACKNOWLEDGE"))
        end)
    end

    it("that are named twice are told at once, and not sent", function()
        local m, run = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                local id = offers[1].id
                say(select(2, pcall(driver.launchTasks, driver, { id, id }, { task("t", offers[1]) })))
                driver:killTask("next")
            end
        ]]
        local offer = m:send_offers()[1]
        said(run, "offer '" .. offer.id .. "' is named twice")
        m:expect("KILL", { task_id = "next" })
        assert.equal(0, #m:calls_of("ACCEPT"))
    end)

    it("of several roles say whose they are", function()
        local m, run = subscribed [[
            scheduler.framework.roles = { "dev", "web" }
            function scheduler:resourceOffers(driver, offers)
                for _, offer in ipairs(offers) do say(offer.allocation_info.role) end
            end
        ]]
        m:send_offers({ m:offer({ allocation_info = { role = "dev" } }), m:offer({ allocation_info = { role = "web" } }) })
        said(run, "dev\nweb\n")
    end)

    it("that time out are rescinded, unless they were used or declined", function()
        local m, run = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                driver:declineOffer(offers[1].id)
                driver:launchTasks(offers[2].id, { task("t", offers[2]) })
            end
            function scheduler:offerRescinded(driver, id)
                say("rescinded", id, #driver:offers(), select(2, pcall(driver.declineOffer, driver, id)))
            end
        ]]
        local offers = m:send_offers({ m:offer(), m:offer(), m:offer() })
        m:wait_for("ACCEPT")
        m:send({ type = "RESCIND", rescind = { offer_id = offers[3].id } })
        said(run, "rescinded\t" .. offers[3].id .. "\t0\t")
        said(run, "it was rescinded")
        assert.same({ "SUBSCRIBE", "DECLINE", "ACCEPT" }, m:call_types())
    end)

    it("are counted to the thousandth, however small the parts", function()
        local m, run = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                local tasks = {}
                for i = 1, 3 do
                    tasks[i] = task("t" .. i, offers[1], { resources = mesos.resources "cpus:0.001;mem:0.1" })
                end
                say(offers[1].cpus == 0.3, offers[1].cpus)
                driver:launchTasks(offers[1].id, tasks)
            end
        ]]
        local resources = {}
        for i = 1, 3 do
            resources[i] = { name = "cpus", type = "SCALAR", scalar = 0.1, allocation_info = { role = "*" } }
        end
        m:send_offers({ m:offer({ resources = resources }) })
        said(run, "true\t0.3\n")
        local infos = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos
        for i = 1, 3 do
            assert.equal(0.001, infos[i].resources[1].scalar)
            assert.equal(0.1, infos[i].resources[2].scalar)
        end
    end)
end)

describe("a task", function()
    after_each(framework.cleanup)

    for title, row in pairs({
        ["that is killed is told and acknowledged"] = { "TASK_KILLED", true },
        ["that the master does not know is lost when it is killed"] = { "TASK_LOST", false },
    }) do
        it(title, function()
            local m, run = subscribed(framework.WATCH .. [[ function scheduler:registered(d) d:killTask("t") end ]])
            m:expect("KILL", { task_id = "t" })
            m:send(m:update("t", row[1], { uuid = (row[2] or false) and nil }))
            said(run, "update\tt\t" .. row[1])
        end)
    end

    it("on an agent that does not return is told of only when asked for", function()
        local m, run = subscribed(framework.WATCH .. [[
            function scheduler:reregistered(driver) say("reregistered") driver:reconcileTasks() end
        ]])
        said(run, "registered")
        local again = m:restart()
        again:expect("RECONCILE", {})
        said(run, "disconnected\t0\nreregistered\n")
        assert.is_nil(run.stdout:find("update"))
    end)
end)

describe("each update", function()
    after_each(framework.cleanup)

    it("is acknowledged once, in the order of the callbacks", function()
        local m = subscribed(framework.WATCH)
        local uuids = {}
        for i = 1, 50 do
            local update = m:update("t" .. i % 7, "TASK_RUNNING")
            uuids[i] = update.update.status.uuid
            m:send(update)
        end
        m:wait_for("ACKNOWLEDGE", 50)
        for i, call in ipairs(m:calls_of("ACKNOWLEDGE")) do
            assert.equal(uuids[i], call.call.acknowledge.uuid)
        end
    end)
end)

describe("a framework", function()
    after_each(framework.cleanup)

    it("never sends an empty id", function()
        local m, run = subscribed(framework.WATCH .. [[ scheduler.framework.id = "" ]])
        local call = m:wait_for("SUBSCRIBE").call
        assert.is_nil(call.framework_id)
        assert.is_nil(call.subscribe.framework_info.id)
        said(run, "registered\t" .. m.framework_id)
        m:drop()
        assert.equal(m.framework_id, m:wait_for("SUBSCRIBE", 2).call.framework_id)
    end)

    it("with a failover timeout that is none hears of it", function()
        local m, run = start(framework.WATCH .. [[ scheduler.framework.failover_timeout = 1e300 ]], { quiet = true })
        m:wait_for("SUBSCRIBE")
        m:send({ type = "ERROR", error = { message = "The framework failover_timeout (1e+300) is invalid" } })
        m:end_stream()
        assert.equal(1, run:wait())
        assert.equal("error\tThe framework failover_timeout (1e+300) is invalid\tDRIVER_ABORTED\n", run.stdout)
    end)
end)

describe("maintenance", function()
    after_each(framework.cleanup)

    local ANSWERING = [[
        function scheduler:inverseOffers(driver, list)
            driver:acceptInverseOffers({ list[1].id }, { refuse_seconds = 2 })
            driver:declineInverseOffers(list[2].id, { refuse_seconds = 3 })
            driver:acceptInverseOffers(list[3].id)
            for _, operation in ipairs { "acceptInverseOffers", "declineInverseOffers" } do
                say(select(2, pcall(driver[operation], driver, list[1].id)))
                say(select(2, pcall(driver[operation], driver, "unknown")))
            end
        end
    ]]

    local function send(m)
        local list = {}
        for i = 1, 3 do
            list[i] = { id = "i" .. i, framework_id = m.framework_id, agent_id = "a",
                unavailability = { start = { nanoseconds = 1 } } }
        end
        m:send({ type = "INVERSE_OFFERS", inverse_offers = { inverse_offers = list } })
    end

    it("that is planned is seen in offers", function()
        local m, run = subscribed [[
            function scheduler:resourceOffers(_, offers)
                say(offers[1].unavailability.start.nanoseconds, offers[1].unavailability.duration.nanoseconds)
            end
        ]]
        m:send_offers({ m:offer({ unavailability = { start = { nanoseconds = 10 }, duration = { nanoseconds = 20 } } }) })
        said(run, "10\t20\n")
    end)

    it("asks with inverse offers, which are accepted and declined with filters", function()
        local m = subscribed(ANSWERING)
        send(m)
        m:expect("ACCEPT_INVERSE_OFFERS", { inverse_offer_ids = { "i1" }, filters = { refuse_seconds = 2 } })
        m:expect("DECLINE_INVERSE_OFFERS", { inverse_offer_ids = { "i2" }, filters = { refuse_seconds = 3 } })
        m:expect("ACCEPT_INVERSE_OFFERS", { inverse_offer_ids = { "i3" } })
    end)

    it("tells at once of inverse offers that cannot be answered", function()
        local m, run = subscribed(ANSWERING)
        send(m)
        for _, words in ipairs({ "offer 'i1' cannot be used: it was accepted already",
            "offer 'unknown' cannot be used: no such offer is outstanding" }) do
            program.wait_for(function() return select(2, run.stdout:gsub(words, "")) == 2 end)
        end
    end)

    it("calls no callback that the script does not have", function()
        local m, run = subscribed(framework.WATCH)
        send(m)
        m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } })
        said(run, "message")
        assert.same({ "SUBSCRIBE" }, m:call_types())
    end)
end)

describe("a teardown by an operator", function()
    after_each(framework.cleanup)

    it("ends the stream, and the id is refused from then on", function()
        local m, run = subscribed(framework.WATCH)
        said(run, "registered")
        m:answer("SUBSCRIBE", function(_, connection)
            connection:begin_stream({ ["Mesos-Stream-Id"] = "s", ["Content-Type"] = "application/x-protobuf" })
            m.stream = { id = "s", connection = connection }
            m:send({ type = "ERROR", error = { message = "Framework has been removed" } })
            m:end_stream()
        end)
        m:end_stream()
        assert.equal(1, run:wait())
        assert.matches("disconnected\t0\nerror\tFramework has been removed\tDRIVER_ABORTED\n$", run.stdout)
    end)
end)

describe("the end of a stream", function()
    after_each(framework.cleanup)

    local function ending(bytes, finish)
        local m, run = subscribed(framework.WATCH)
        said(run, "registered")
        if bytes then
            m:send_bytes(bytes)
        end
        if m.stream and finish then
            m[finish](m)
        end
        said(run, "disconnected\t0\nreregistered\n")
        return run.stderr:match("disconnected: ([^\n]*)")
    end

    it("between two records is an end", function()
        assert.not_matches("in the middle", ending(nil, "end_stream"))
        assert.not_matches("in the middle of a record", ending(nil, "drop"))
    end)

    it("within a record is a failure", function()
        assert.matches("in the middle of a record", ending("10\n12345", "end_stream"))
        assert.matches("in the middle of a record", ending("10", "end_stream"))
    end)

    it("is a length that is none", function()
        assert.matches("record length expected", ending("1x\n"))
        assert.matches("record", ending("99999999999999999999999999\n"))
        assert.matches("record", ending("1000000000\n"))
    end)
end)
