-- SPDX-License-Identifier: Apache-2.0
--
-- The driver, seen from both sides: a real script on the real program, and a scripted master that notes each call.

local master = require("support.master")
local program = require("support.program")
local internals = require("internals")

-- Starts a framework whose script is `body` behind a few helpers; returns the scripted master and the run.
local function start(body, options)
    options = options or {}
    local m = options.master or master.start(options)
    local script = program.script([[
        local mesos = require "mesos"
        local scheduler = { framework = { name = "test", failover_timeout = 60 } }
        local function say(...) print(...) io.stdout:flush() end
    ]] .. body .. "\nreturn scheduler")
    local run = program.start { args = { "--master", m.address, "-v", script }, env = options.env }
    return m, run
end

local function subscribed(body, options)
    local m, run = start(body, options)
    m:wait_for("SUBSCRIBE")
    return m, run
end

describe("the driver", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    it("subscribes with the headers that a master wants, and no others", function()
        local m = subscribed("")
        local request = m:wait_for("SUBSCRIBE").request
        local names = {}
        for i, header in ipairs(request.headers) do
            names[i] = header.name
        end
        table.sort(names)
        assert.same({ "Accept", "Content-Length", "Content-Type", "Host", "User-Agent" }, names)
        assert.equal("/api/v1/scheduler", request.path)
        assert.equal("HTTP/1.1", request.version)
        assert.equal("application/x-protobuf", request:header("Accept"))
        assert.equal("application/x-protobuf", request:header("Content-Type"))
    end)

    it("sends calls with the stream's id and no other header", function()
        local m = subscribed "function scheduler:registered(driver) driver:reconcileTasks() end"
        local request = m:wait_for("RECONCILE").request
        local names = {}
        for i, header in ipairs(request.headers) do
            names[i] = header.name
        end
        table.sort(names)
        assert.same({ "Accept", "Content-Length", "Content-Type", "Host", "Mesos-Stream-Id", "User-Agent" }, names)
        assert.equal(m.stream.id, request:header("Mesos-Stream-Id"))
        assert.not_equal(m:calls_of("SUBSCRIBE")[1].connection, m:calls_of("RECONCILE")[1].connection)
    end)

    it("fills in what the framework left out", function()
        local m = subscribed("")
        local info = m:wait_for("SUBSCRIBE").call.subscribe.framework_info
        assert.equal("test", info.name)
        assert.is_string(info.user)
        assert.is_string(info.hostname)
        assert.same({ "*" }, info.roles)
        assert.equal("MULTI_ROLE", info.capabilities[1].type)
        assert.equal("RESERVATION_REFINEMENT", info.capabilities[2].type)
        assert.is_nil(info.id)
    end)

    it("calls registered with the id and the master's info", function()
        local m, run = subscribed [[
            function scheduler:registered(driver, id, info)
                say("registered", id, info.port, driver:frameworkId() == id, driver:master().id == info.id)
            end
        ]]
        assert.equal(m.id .. "-0000\t" .. m.server.port .. "\ttrue\ttrue", run:wait_for("registered\t(%C[^\n]*)"))
    end)

    it("launches, is told, acknowledges after the callback, and tears down", function()
        local m, run = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                for _, offer in ipairs(offers) do
                    say("offer", offer.id, offer.cpus, offer.mem, offer.hostname)
                    driver:launchTasks(offer.id, {
                        { name = "t", task_id = "t1", agent_id = offer.agent_id, command = { value = "true" },
                          resources = mesos.resources "cpus:1;mem:32" },
                    })
                end
            end
            function scheduler:statusUpdate(driver, status)
                say("status", status.task_id, status.state)
                if status.state == "TASK_FINISHED" then driver:stop() end
            end
        ]]
        local offer = m:send_offers()[1]
        local accept = m:wait_for("ACCEPT").call.accept
        assert.same({ offer.id }, accept.offer_ids)
        assert.equal("LAUNCH", accept.operations[1].type)
        local task = accept.operations[1].launch.task_infos[1]
        assert.equal("t1", task.task_id)
        assert.equal(1, task.resources[1].scalar)

        local update = m:update(task, "TASK_RUNNING")
        m:send(update)
        local acknowledge = m:wait_for("ACKNOWLEDGE").call.acknowledge
        assert.equal("t1", acknowledge.task_id)
        assert.equal(update.update.status.uuid, acknowledge.uuid)
        assert.equal(update.update.status.agent_id, acknowledge.agent_id)

        m:send(m:update(task, "TASK_FINISHED"))
        m:wait_for("TEARDOWN")
        assert.equal(0, run:wait())
        -- The driver was stopped inside the callback: that update is not acknowledged.
        assert.equal(1, #m:calls_of("ACKNOWLEDGE"))
        assert.matches("offer\t" .. offer.id:gsub("%-", "%%-") .. "\t4.0\t4096.0\tagent1.test", run.stdout)
        assert.matches("status\tt1\tTASK_RUNNING\nstatus\tt1\tTASK_FINISHED\n", run.stdout)
    end)

    it("does not acknowledge an update whose callback raised, nor one without a uuid", function()
        local m, run = subscribed [[
            function scheduler:statusUpdate(driver, status)
                say("status", status.task_id)
                if status.task_id == "bad" then error("no") end
            end
        ]]
        m:send(m:update("bad", "TASK_RUNNING"))
        m:send(m:update("plain", "TASK_LOST", { uuid = false }))
        m:send(m:update("good", "TASK_RUNNING"))
        m:wait_for("ACKNOWLEDGE")
        assert.equal("good", m:calls_of("ACKNOWLEDGE")[1].call.acknowledge.task_id)
        run:wait_for("callback statusUpdate: [^\n]*script.lua:%d+: no")
        run:wait_for("stack traceback:")
        assert.equal(1, #m:calls_of("ACKNOWLEDGE"))
    end)

    it("declines all offers of one turn in one call for each filter value", function()
        local m = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                for i, offer in ipairs(offers) do
                    driver:declineOffer(offer.id, { refuse_seconds = i <= 3 and 1 or 60 })
                end
            end
        ]]
        local offers = {}
        for i = 1, 5 do
            offers[i] = m:offer()
        end
        m:send_offers(offers)
        m:wait_for("DECLINE", 2)
        local first, second = m:calls_of("DECLINE")[1].call.decline, m:calls_of("DECLINE")[2].call.decline
        assert.same({ offers[1].id, offers[2].id, offers[3].id }, first.offer_ids)
        assert.equal(1, first.filters.refuse_seconds)
        assert.same({ offers[4].id, offers[5].id }, second.offer_ids)
        assert.equal(60, second.filters.refuse_seconds)
    end)

    it("declines offers that the script left, or that a failed callback left", function()
        local m = subscribed ""
        local offer = m:send_offers()[1]
        assert.same({ offer.id }, m:wait_for("DECLINE").call.decline.offer_ids)

        m = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                driver:declineOffer(offers[1].id, { refuse_seconds = 9 })
                error("half way")
            end
        ]]
        local offers = m:send_offers { m:offer(), m:offer(), m:offer() }
        m:wait_for("DECLINE", 2)
        assert.same({ offers[1].id }, m:calls_of("DECLINE")[1].call.decline.offer_ids)
        assert.same({ offers[2].id, offers[3].id }, m:calls_of("DECLINE")[2].call.decline.offer_ids)
        assert.is_nil(m:calls_of("DECLINE")[2].call.decline.filters)
    end)

    it("takes an offer that stands twice in an event for one", function()
        local m = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                for _, offer in ipairs(offers) do driver:declineOffer(offer.id) end
            end
        ]]
        local offer = m:offer()
        m:send_offers { offer, m:offer(), offer }
        assert.equal(2, #m:wait_for("DECLINE").call.decline.offer_ids)
    end)

    it("counts the calls that were lost with the connection", function()
        local m, run = subscribed [[
            function scheduler:registered(driver) driver:killTask("a") driver:killTask("b") driver:reviveOffers() end
            function scheduler:reregistered(driver) driver:stop(true) end
        ]]
        m:answer("KILL", function(_, connection)
            m:drop()
            connection:close()
            return false
        end)
        assert.equal(0, run:wait())
        assert.matches("3 calls had no answer, and may not have reached the master", run.stderr)
        assert.equal(1, #m:calls_of("KILL"))
    end)

    it("gives back the memory of a large call", function()
        local function resident(pid)
            return tonumber(program.read(("/proc/%d/status"):format(pid)):match("VmRSS:%s*(%d+)")) / 1024
        end
        local m, run = subscribed([[
            function scheduler:registered(driver)
                driver:sendFrameworkMessage("e", "a", ("x"):rep(16000000))
                collectgarbage()
                collectgarbage()
                mesos.after(0.01, collectgarbage)
            end
            function scheduler:frameworkMessage(driver) driver:stop(true) end
        ]], { env = { MALLOC_MMAP_THRESHOLD_ = "131072" } }) -- so that what is freed is seen to be
        assert.equal(16000000, #m:wait_for("MESSAGE", 1, 30).call.message.data)
        if not os.getenv("ASAN_OPTIONS") and not os.getenv("MESOS_LUA_WRAPPER") then
            program.wait_for(function()
                return resident(run.pid) < 24
            end, 10)
        end
        m:send { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } }
        assert.equal(0, run:wait())
    end)

    it("knows a capability by its number", function()
        local m = subscribed [[
            scheduler.framework.capabilities = { { type = 6 } }
        ]]
        local info = m:wait_for("SUBSCRIBE").call.subscribe.framework_info
        assert.equal("MULTI_ROLE", info.capabilities[1].type)
        assert.same({ "*" }, info.roles)
    end)

    it("remembers which roles are suppressed, of those that it has", function()
        local m, run = subscribed [[
            scheduler.framework.roles = { "a", "b", "c" }
            function scheduler:registered(driver)
                driver:suppressOffers { "b", "typo" }
                driver:suppressOffers {}
                mesos.after(0.1, function() driver:reconnect() end)
            end
            function scheduler:disconnected(driver) driver:suppressOffers { "c" } driver:reviveOffers { "b", "x" } end
            function scheduler:reregistered(driver) driver:stop(true) end
        ]]
        assert.same({ "b", "typo" }, m:wait_for("SUPPRESS").call.suppress.roles)
        assert.same({ "c" }, m:wait_for("SUBSCRIBE", 2).call.subscribe.suppressed_roles)
        assert.equal(0, run:wait())
        assert.equal(1, #m:calls_of("SUPPRESS"))
        assert.equal(0, #m:calls_of("REVIVE"))
    end)

    it("tells at once of an offer that cannot be used", function()
        local m, run = subscribed [[
            local seen
            function scheduler:resourceOffers(driver, offers)
                seen = offers[1].id
                driver:declineOffer(seen)
                say(pcall(driver.declineOffer, driver, seen))
                say(pcall(driver.launchTasks, driver, { "nonsense" }, {}))
                say(pcall(driver.launchTasks, driver, { offers[2].id, offers[2].id }, {}))
                mesos.after(0, function() say(#driver:offers()) end)
            end
            function scheduler:offerRescinded(driver, id)
                say("rescinded", pcall(driver.declineOffer, driver, id))
            end
        ]]
        local offers = m:send_offers { m:offer(), m:offer() }
        run:wait_for("offer '" .. offers[1].id:gsub("%-", "%%-") .. "' cannot be used: it was declined already")
        run:wait_for("offer 'nonsense' cannot be used: no such offer is outstanding")
        run:wait_for("is named twice")
        run:wait_for("\n1\n")
        m:send { type = "RESCIND", rescind = { offer_id = offers[2].id } }
        run:wait_for("rescinded\tfalse\t[^\n]*cannot be used: it was rescinded")
    end)

    it("comes back after the stream was lost, and says so", function()
        for _, way in ipairs { "end_stream", "drop", "reset" } do
            local m, run = subscribed [[
                function scheduler:registered() say("registered") end
                function scheduler:reregistered(driver, info) say("reregistered", info.port) end
                function scheduler:disconnected(driver) say("disconnected", #driver:offers()) end
                function scheduler:resourceOffers() say("offers") end
            ]]
            run:wait_for("registered")
            m:send_offers()
            run:wait_for("offers\n")
            m[way](m)
            local again = m:wait_for("SUBSCRIBE", 2)
            assert.equal(m.framework_id, again.call.framework_id)
            assert.equal(m.framework_id, again.call.subscribe.framework_info.id)
            assert.is_nil(again.request:header("Mesos-Stream-Id"))
            run:wait_for("registered\noffers\ndisconnected\t0\nreregistered\t" .. m.server.port)
        end
    end)

    it("aborts on ERROR, then calls error, and does not come back", function()
        local m, run = subscribed [[
            function scheduler:error(driver, message) say("error", message, driver:status()) end
            function scheduler:disconnected() say("disconnected") end
        ]]
        m:send { type = "ERROR", error = { message = "Framework failed over" } }
        m:end_stream()
        assert.equal(1, run:wait())
        assert.equal("error\tFramework failed over\tDRIVER_ABORTED\n", run.stdout)
        assert.equal(1, #m:calls_of("SUBSCRIBE"))
        assert.equal(0, #m:calls_of("TEARDOWN"))
    end)

    it("does nothing but tell its status when it does not run", function()
        local m, run = subscribed [[
            function scheduler:registered(driver)
                say(driver:start(), driver:stop(true), driver:stop(), driver:abort())
                say(driver:killTask("x"), driver:launchTasks("o", {}), driver:reconcileTasks(), driver:reviveOffers())
            end
        ]]
        assert.equal(0, run:wait())
        assert.equal("DRIVER_RUNNING\tDRIVER_STOPPED\tDRIVER_STOPPED\tDRIVER_STOPPED\n"
            .. ("DRIVER_STOPPED\t"):rep(3) .. "DRIVER_STOPPED\n", run.stdout)
        assert.same({ "SUBSCRIBE" }, m:call_types())
    end)

    it("sends what was called before stop(true)", function()
        local m, run = subscribed [[
            function scheduler:registered(driver)
                for i = 1, 20 do driver:killTask("t" .. i) end
                driver:stop(true)
            end
        ]]
        assert.equal(0, run:wait())
        assert.equal(20, #m:calls_of("KILL"))
        assert.equal("t20", m:calls_of("KILL")[20].call.kill.task_id)
        assert.equal(0, #m:calls_of("TEARDOWN"))
    end)

    it("waits for the answer to TEARDOWN before it closes the stream", function()
        local m, run = subscribed "function scheduler:registered(driver) driver:stop() end"
        local asked
        m:answer("TEARDOWN", function(_, connection)
            asked = connection
            return false
        end)
        program.wait_for(function() return asked end)
        assert.is_truthy(m.stream)
        assert.is_nil(run.code)
        asked:respond(202)
        assert.equal(0, run:wait())
    end)

    it("keeps calls in order", function()
        local m = subscribed [[
            function scheduler:resourceOffers(driver, offers)
                driver:declineOffer(offers[1].id)
                driver:killTask("a", { agent_id = "agent", kill_policy = { grace_period = { nanoseconds = 5 } } })
                driver:reconcileTasks { { task_id = "a", agent_id = "agent" }, { task_id = "b" } }
                driver:reconcileTasks()
                driver:reviveOffers()
                driver:suppressOffers({ "*" })
            end
        ]]
        m:send_offers()
        m:wait_for("SUPPRESS")
        assert.same({ "SUBSCRIBE", "DECLINE", "KILL", "RECONCILE", "RECONCILE", "REVIVE", "SUPPRESS" }, m:call_types())
        local kill = m:calls_of("KILL")[1].call.kill
        assert.equal("agent", kill.agent_id)
        assert.equal(5, kill.kill_policy.grace_period.nanoseconds)
        assert.equal(2, #m:calls_of("RECONCILE")[1].call.reconcile.tasks)
        assert.equal(0, #m:calls_of("RECONCILE")[2].call.reconcile.tasks)
        assert.same({ "*" }, m:calls_of("SUPPRESS")[1].call.suppress.roles)
        for i = 2, #m.calls do
            assert.is_string(m.calls[i].request:header("Mesos-Stream-Id"))
            assert.equal(m.framework_id, m.calls[i].call.framework_id)
        end
    end)

    it("shows a refusal with the master's words, and goes on", function()
        local m, run = subscribed [[
            function scheduler:registered(driver) driver:killTask("x") driver:reconcileTasks() end
        ]]
        m:answer("KILL", 400, "Failed to validate scheduler::Call: because")
        run:wait_for("the master refused KILL %(HTTP status 400%): Failed to validate scheduler::Call: because")
        m:wait_for("RECONCILE")
        assert.equal(1, #m:calls_of("SUBSCRIBE"))
    end)

    it("takes a new subscription when an answer says that the old one is lost", function()
        for _, answer in ipairs {
            { 403, "Framework is not subscribed" },
            { 400, "The stream ID 'x' included in this request didn't match the stream ID currently associated with y" },
        } do
            local m, run = start [[
                function scheduler:registered(driver) driver:killTask("x") end
                function scheduler:reregistered(driver) say("again") driver:stop(true) end
            ]]
            m:answer("KILL", table.unpack(answer))
            assert.equal(0, run:wait())
            assert.equal("again\n", run.stdout)
            assert.equal(2, #m:calls_of("SUBSCRIBE"))
        end
    end)

    it("loses launches locally while it is disconnected", function()
        for state, capabilities in pairs {
            TASK_LOST = "nil",
            TASK_DROPPED = "{ { type = 'MULTI_ROLE' }, { type = 'PARTITION_AWARE' } }",
        } do
            local m, run = subscribed([[
                scheduler.framework.capabilities = ]] .. capabilities .. [[

                local offer
                function scheduler:resourceOffers(_, offers) offer = offers[1] say("offers") end
                function scheduler:disconnected(driver)
                    local task = function(id) return { name = "t", task_id = id, agent_id = offer.agent_id } end
                    driver:launchTasks(offer.id, { task "t1", task "t2" })
                    driver:killTask("t1")
                    say("launched")
                end
                function scheduler:statusUpdate(driver, status)
                    say(status.task_id, status.state, status.reason, status.source, status.message, status.uuid)
                    if status.task_id == "t2" then driver:stop(true) end
                end
            ]])
            m:send_offers()
            run:wait_for("offers\n")
            m:answer("SUBSCRIBE", 503, "Master has not finished recovery")
            m:drop()
            assert.equal(0, run:wait())
            local line = "\t" .. state .. "\tREASON_MASTER_DISCONNECTED\tSOURCE_MASTER\tMaster disconnected\tnil\n"
            assert.equal("offers\nlaunched\nt1" .. line .. "t2" .. line, run.stdout)
            assert.equal(0, #m:calls_of("ACCEPT") + #m:calls_of("KILL"))
            assert.matches("KILL dropped: not connected", run.stderr)
        end
    end)

    it("is an error when SUBSCRIBE is refused for good, and patience otherwise", function()
        local m, run = start("function scheduler:error(_, message) say(message) end")
        m:answer("SUBSCRIBE", 400, "Failed to validate scheduler::Call: wrong")
        assert.equal(1, run:wait())
        assert.matches("HTTP status 400: Failed to validate scheduler::Call: wrong", run.stdout)

        m, run = start("function scheduler:registered(driver) driver:stop(true) end", { quiet = true })
        m:answer("SUBSCRIBE", 503, "Master has not finished recovery")
        run:wait_for("HTTP status 503: Master has not finished recovery; trying again")
        m.quiet = nil
        m:answer("SUBSCRIBE")
        assert.equal(0, run:wait())
    end)

    it("is one in a script that requires nothing as well", function()
        local m = master.start()
        local run = program.start {
            args = { "--master", m.address, program.script [[
                return {
                    resourceOffers = function(_, driver, offers)
                        print(offers[1].cpus, driver:status())
                        driver:stop(true)
                    end,
                }
            ]] },
        }
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        assert.equal(0, run:wait())
        assert.equal("4.0\tDRIVER_RUNNING\n", run.stdout)
    end)

    it("takes events that it does not know for nothing", function()
        local m, run = subscribed "function scheduler:statusUpdate(_, status) say(status.state, status.reason) end"
        m:send_record("\8\99") -- type 99
        m:send_record("")      -- no type
        m:send_record("\8\4")  -- UPDATE without its message
        local status = m:update("t", "TASK_RUNNING").update.status
        local bytes = internals.encode("mesos.v1.TaskStatus", status) .. "\x50\x87\x01" .. "\xfa\x01\3new" -- reason 135, field 31
        local update = "\x0a" .. string.char(#bytes & 127 | 128, #bytes >> 7) .. bytes
        m:send_record("\8\4\x2a" .. string.char(#update & 127 | 128, #update >> 7) .. update)
        run:wait_for("TASK_RUNNING\t135")
    end)
end)
