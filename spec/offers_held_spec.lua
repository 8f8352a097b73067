-- SPDX-License-Identifier: Apache-2.0
--
-- Offers that stay with a framework: those that it holds for long are pointed out, and those that the master takes back
-- while a callback waits are of no use from that moment on.

local cjson = require("cjson")
local control = require("support.control")
local framework = require("support.framework")

local said, logged = framework.said, framework.logged

local function status(run)
    return cjson.decode(control.ctl(run, { "status", "--json" }).stdout)
end

local function count(text, pattern)
    return select(2, text:gsub(pattern, ""))
end

describe("an offer that is held", function()
    after_each(framework.cleanup)

    local HOARD = [[
        function scheduler:resourceOffers(_, offers) say("got", #offers) end
        function scheduler:frameworkMessage(driver, _, _, data)
            assert(load("local driver = ...; " .. data))(driver)
            say("done", data)
        end
    ]]

    local function tell(m, run, code)
        m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = code } })
        said(run, "done\t" .. code)
    end

    it("is pointed out once, with the others of that time, and again only for later ones", function()
        local m, run = framework.subscribed(HOARD, { args = { "--offer-warn", "1.2" } })
        local first = m:send_offers({ m:offer(), m:offer() })
        m:send_offers({ m:offer() })
        run:wait_for("3 offers are held without an answer for 1%.2 seconds, the oldest %('" .. first[1].id:gsub("%-", "%%-")
            .. "' of agent1%.test%) for %d%.%d: held offers go to no other framework, so decline what is not needed "
            .. "%(driver:declineOffer%); %-%-offer%-warn says after how long this is said")
        m:send_offers({ m:offer() })
        logged(run, "1 offer is held without an answer for 1.2 seconds")
        assert.equal(2, count(run.stderr, "without an answer"))
    end)

    it("is not pointed out when it was declined, used or rescinded, nor ever with 0", function()
        for _, seconds in ipairs({ "1.2", "0" }) do
            local m, run = framework.subscribed(HOARD, { args = { "--offer-warn", seconds } })
            local offers = m:send_offers({ m:offer(), m:offer(), m:offer() })
            m:send({ type = "RESCIND", rescind = { offer_id = offers[1].id } })
            if seconds ~= "0" then
                tell(m, run, "driver:declineOffer('" .. offers[2].id .. "')")
                tell(m, run, "driver:acceptOffers({ '" .. offers[3].id .. "' }, {})")
            end
            tell(m, run, "require('mesos').sleep(1.8)")
            assert.is_nil(run.stderr:find("without an answer", 1, true))
        end
    end)

    it("is in the status, with how long the oldest is held", function()
        local m, run = framework.subscribed(HOARD)
        assert.equal(0, status(run).oldest_offer_seconds)
        m:send_offers({ m:offer(), m:offer() })
        said(run, "got\t2")
        run:wait_for(function()
            return status(run).oldest_offer_seconds > 0.05
        end)
        assert.equal(2, status(run).outstanding_offers)
        local text = control.ctl(run, { "status" }).stdout
        assert.matches("offers held +2\n", text)
        assert.matches("oldest offer held for +%d[%d.]* m?s\n", text)
    end)

    it("keeps the time of its arrival when another version of the script gets it", function()
        local m, run = framework.subscribed(HOARD, { args = { "--offer-warn", "1.2" } })
        m:send_offers()
        logged(run, "1 offer is held without an answer")
        run:kill("sighup")
        run:wait_for(function()
            return count(run.stdout, "got\t1") == 2
        end)
        tell(m, run, "require('mesos').sleep(1.8)")
        assert.equal(1, count(run.stderr, "without an answer"))
    end)
end)

describe("an offer that is rescinded while a callback waits", function()
    after_each(framework.cleanup)

    local WAIT = [[
        local names = { "best_fit", "first_fit", "worst_fit" }
        local seen = 0
        function scheduler:resourceOffers(driver, offers)
            seen = seen + 1
            say("offers", seen, #offers)
            if seen > 1 then return end
            scheduler.go = false
            while not scheduler.go do mesos.sleep(0.01) end
            for _, name in ipairs(names) do say(name, (offers[name](offers, { cpus = 1 })).id) end
            say("take", offers:take(offers[1], { cpus = 1 }))
            say("ids", #offers:ids(), #driver:offers())
            say("launch", select(2, pcall(driver.launchTasks, driver, offers[1].id, { task("t", offers[1]) })))
            say("decline", select(2, pcall(driver.declineOffer, driver, offers[1].id)))
        end
        function scheduler:offerRescinded(_, id) say("rescinded", id) end
        function scheduler:statusUpdate() say("update") end
        function scheduler:submit() scheduler.go = true end
        mesos.every(0.01, function()
            local file = io.open(arg[1])
            if file then file:close() scheduler.go = true end
        end)
    ]]

    local function start()
        local program = require("support.program")
        local flag = program.directory() .. "/go"
        local m = require("support.master").start()
        local run = program.start({ args = {
            "--master", m.address, "-v", program.script([[
                local mesos = require "mesos"
                local scheduler = { framework = { name = "test", failover_timeout = 60 } }
                local function say(...) print(...) io.stdout:flush() end
                local function task(id, offer)
                    return { name = id, task_id = id, agent_id = offer.agent_id, command = { value = "true" },
                        resources = mesos.resources "cpus:1;mem:32" }
                end
            ]] .. WAIT .. "\nreturn scheduler"), flag,
        } })
        m:wait_for("SUBSCRIBE")
        return m, run, function()
            assert(io.open(flag, "w")):close()
        end
    end

    it("is void at once for lists and launches, and the callback comes in its turn", function()
        local m, run, go = start()
        local offers = m:send_offers({ m:offer(), m:offer() })
        said(run, "offers\t1\t2")
        m:send(m:update("x", "TASK_RUNNING"))
        m:send({ type = "RESCIND", rescind = { offer_id = offers[1].id } })
        local late = m:send_offers({ m:offer(), m:offer() })
        m:send({ type = "RESCIND", rescind = { offer_id = late[1].id } })
        local gone = m:send_offers({ m:offer() })
        m:send({ type = "RESCIND", rescind = { offer_id = gone[1].id } })
        run:wait_for(function()
            return status(run).scheduler_event_queue_messages == 6
        end)
        go()
        local id = offers[1].id
        said(run, table.concat({
            "best_fit\t" .. offers[2].id, "first_fit\t" .. offers[2].id, "worst_fit\t" .. offers[2].id,
            ("take\tnil\toffer '%s' cannot be used: it is not outstanding any more"):format(id),
            "ids\t1\t1",
            ("launch\toffer '%s' cannot be used: it was rescinded"):format(id),
            ("decline\toffer '%s' cannot be used: it was rescinded"):format(id),
            "update", "rescinded\t" .. id, "offers\t2\t1", "rescinded\t" .. late[1].id, "rescinded\t" .. gone[1].id, "",
        }, "\n"))
    end)

    it("is void at once also when the subscription is lost, and not of the next one", function()
        local m, run, go = start()
        local offers = m:send_offers({ m:offer(), m:offer() })
        said(run, "offers\t1\t2")
        m:end_stream()
        m:wait_for("SUBSCRIBE", 2)
        m:send_offers()
        run:wait_for(function()
            return status(run).scheduler_event_queue_messages == 3
        end)
        assert.equal(0, status(run).outstanding_offers)
        go()
        logged(run, "attempt to index a nil value")
        said(run, "offers\t2\t1")
        assert.is_nil(run.stdout:find("rescinded\t" .. offers[1].id, 1, true))
    end)
end)
