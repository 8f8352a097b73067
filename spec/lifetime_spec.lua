-- SPDX-License-Identifier: Apache-2.0
--
-- Ends at bad moments: scripts that stop, abort, exit, raise, sleep and collect garbage in every place where they run,
-- on the real program and a scripted master. The program ends, in time, with the right status, and uses nothing after
-- it is freed; a build with sanitizers finds more than the assertions here.

local master = require("support.master")
local program = require("support.program")

local HEAD = [[
    local mesos = require "mesos"
    local function say(...) print(...) io.stdout:flush() end
]]
local HOSTED = HEAD .. [[
    local scheduler = { framework = { name = "test", failover_timeout = 60 } }
]]

local function run_script(text, m)
    return program.start { args = { "--master", m.address, "-v", program.script(text) } }
end

-- A framework that the host runs, and its scripted master.
local function hosted(body, options)
    local m = master.start(options)
    return m, run_script(HOSTED .. body .. "\nreturn scheduler", m)
end

-- A script that runs drivers of its own.
local function own(body)
    local m = master.start()
    return m, run_script(HEAD .. body, m)
end

local function assert_clean(run)
    assert.is_nil(run.stderr:match("Sanitizer"), run.stderr)
    assert.is_nil(run.stderr:match("runtime error"), run.stderr)
end

local function ends(run, status, seconds)
    local code, signal = run:wait(seconds)
    assert_clean(run)
    assert.same({ status, 0 }, { code, signal }, run:report())
end

describe("a callback that waits", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    it("is named when it raises after its wait", function()
        local m, run = hosted [[
            function scheduler:statusUpdate() mesos.sleep(0.01) error("late") end
        ]]
        m:wait_for("SUBSCRIBE")
        m:send(m:update("t", "TASK_RUNNING"))
        run:wait_for("callback statusUpdate: [^\n]*late")
        run:kill("sigterm")
        ends(run, 0)
    end)

    it("does not hold up an exit that something else asks for", function()
        local m, run = hosted [[
            function scheduler:registered() mesos.after(0.05, function() os.exit(7) end) mesos.sleep(1000) end
        ]]
        m:wait_for("SUBSCRIBE")
        ends(run, 7, 4)
    end)

    it("holds up a signal for a few seconds at most", function()
        local m, run = hosted [[
            function scheduler:registered() say("in") mesos.sleep(1000) end
        ]]
        m:wait_for("SUBSCRIBE")
        run:wait_for("in\n")
        run:kill("sigterm")
        ends(run, 0, 9)
    end)
end)

describe("a driver of the script's own", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    it("may be collected before the script has come to its end", function()
        local _, run = own [[
            mesos.SchedulerDriver {
                framework = { name = "x" }, scheduler = { registered = function(_, driver) driver:stop() end },
            }:run()
            collectgarbage()
            collectgarbage()
            say("done")
        ]]
        ends(run, 0)
        assert.matches("done\n", run.stdout)
    end)

    it("may be left as it is: never started, running, finished, referenced by a global", function()
        local _, run = own [[
            local function new()
                return mesos.SchedulerDriver {
                    framework = { name = "x" }, scheduler = { registered = function(_, driver) driver:stop() end },
                }
            end
            never, running, finished = new(), new(), new()
            new()
            finished:run()
            running:start()
            say(never:status(), running:status(), finished:status(), finished:stop(), finished:abort())
        ]]
        ends(run, 0)
        assert.equal("DRIVER_NOT_STARTED\tDRIVER_RUNNING\t" .. ("DRIVER_STOPPED\t"):rep(2) .. "DRIVER_STOPPED\n", run.stdout)
    end)

    it("ends its join() when a function beside a waiting callback exits", function()
        local m, run = own [[
            local scheduler = {}
            function scheduler:registered() mesos.after(0.05, function() os.exit(7) end) mesos.sleep(1000) end
            mesos.SchedulerDriver { framework = { name = "x" }, scheduler = scheduler }:run()
            say("not reached")
        ]]
        m:wait_for("SUBSCRIBE")
        ends(run, 7, 4)
        assert.is_nil(run.stdout:match("not reached"))
    end)
end)

describe("the loop below a script", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    it("is not starved by timers without delay", function()
        for _, body in ipairs {
            "local function again() mesos.after(0, again) end again()",
            "mesos.every(1e-9, function() end)",
            "mesos.spawn(function() while true do mesos.sleep(0) end end)",
        } do
            local _, run = hosted(body .. "\nfunction scheduler:registered(driver) driver:stop() end")
            ends(run, 0)
        end
    end)

    it("calls disconnected after reconnect() has returned", function()
        local _, run = hosted [[
            function scheduler:registered(driver)
                mesos.after(0, function() say("before") driver:reconnect() say("after") end)
            end
            function scheduler:disconnected() say("disconnected") end
            function scheduler:reregistered(driver) driver:stop() end
        ]]
        ends(run, 0)
        assert.equal("before\nafter\ndisconnected\n", run.stdout)
    end)

    it("still sends the last calls of a callback that kept it busy", function()
        local m, run = hosted [[
            function scheduler:registered(driver)
                local over = mesos.now() + 6
                while mesos.now() < over do end
                driver:stop()
            end
        ]]
        ends(run, 0, 20)
        assert.equal(1, #m:calls_of("TEARDOWN"))
        assert.is_nil(run.stderr:match("had no answer"), run.stderr)
    end)
end)

describe("a driver that would start when the program ends", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    it("does not: the main chunk ends there", function()
        local m, run = own [[
            while true do
                mesos.SchedulerDriver { framework = { name = "x", failover_timeout = 60 }, scheduler = {} }:run()
                say("over")
            end
        ]]
        m:wait_for("SUBSCRIBE")
        run:wait_for("registered with")
        run:kill("sigterm")
        ends(run, 0)
        assert.equal("over\n", run.stdout)
    end)

    it("raises in what still runs beside it", function()
        local _, run = hosted [[
            function scheduler:registered(driver)
                mesos.spawn(function()
                    while true do
                        mesos.sleep(0)
                        mesos.SchedulerDriver {
                            framework = { name = "x" }, scheduler = {}, master = "127.0.0.1:1",
                        }:start()
                    end
                end)
                mesos.after(0.05, function() driver:stop() end)
            end
        ]]
        ends(run, 0)
    end)
end)

describe("a refusal without words", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    it("is logged", function()
        local m, run = hosted [[
            function scheduler:registered(driver) driver:killTask("x") driver:reconcileTasks() driver:stop(true) end
        ]]
        m:answer("KILL", 400, "")
        ends(run, 0)
        assert.matches("refused KILL", run.stderr)
    end)
end)

describe("a signal", function()
    after_each(function()
        program.cleanup()
    end)

    it("ends a main chunk that never ends by itself, the second time", function()
        local run = program.start { args = { "--load-limit", "0", program.script("print('in') io.stdout:flush() while true do end") } }
        run:wait_for("in\n")
        run:kill("sigint")
        run:wait_for("SIGINT: stopping when it returns or waits")
        run:kill("sigint")
        assert.equal(0, run:wait(), run:report())
    end)
end)

-- ---- every place, every end ----

local PLACES = {
    "registered", "resourceOffers", "offerRescinded", "statusUpdate", "frameworkMessage", "slaveLost", "executorLost",
    "inverseOffers", "inverseOfferRescinded", "operationStatusUpdate", "disconnected", "reregistered", "error",
    "timer", "spawned", "coroutine", "finalizer",
}

-- Where it is done behind a wait as well.
local WAITING = { registered = true, statusUpdate = true, disconnected = true, error = true, timer = true }

-- What a script does there, and the status of the program then: 1 if it goes on until the ERROR at the end.
local ACTS = {
    { "stop", "driver:stop()", 0 },
    { "stop with failover", "driver:stop(true) driver:stop() driver:abort()", 0 },
    { "abort", "driver:abort() driver:stop()", 1 },
    { "exit", "os.exit(5)", 5 },
    { "exit out of pcall", "pcall(mesos.exit, 5) os.exit(6)", 5 },
    { "error", "error({})", 1 },
    { "error with a bad text", "error(setmetatable({}, { __tostring = function() error('worse') end }))", 1 },
    { "reconnect twice", "if not scheduler.done then scheduler.done = driver:reconnect() driver:reconnect() end", 1 },
    { "collect", "collectgarbage() collectgarbage('step', 1000)", 1 },
    { "forget", "scheduler.framework = nil scheduler.%s = nil package.loaded.mesos = nil collectgarbage()", 1 },
    { "answer twice", [[
        for _, offer in ipairs(driver:offers()) do
            driver:declineOffer(offer.id)
            pcall(driver.launchTasks, driver, offer.id, {})
        end
        driver:reviveOffers() driver:suppressOffers() driver:killTask("t") driver:reconcileTasks()]], 1 },
    { "join", "assert(not pcall(driver.join, driver)) assert(not pcall(driver.run, driver))", 1 },
    { "another driver", [[
        local other = mesos.SchedulerDriver { scheduler = {}, framework = { name = "y" }, master = "127.0.0.1:1" }
        other:start()
        mesos.SchedulerDriver { scheduler = {}, framework = { name = "z" }, master = "127.0.0.1:1" }
        mesos.after(0.05, function() other:abort() end)]], 1 },
}

local EVENTS = {
    function(m) return { type = "OFFERS", offers = { offers = { m:offer(), m:offer() } } } end,
    { type = "RESCIND", rescind = { offer_id = "o" } },
    function(m) return m:update("t", "TASK_RUNNING") end,
    { type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "d" } },
    { type = "FAILURE", failure = { agent_id = "a" } },
    { type = "FAILURE", failure = { agent_id = "a", executor_id = "e", status = 9 } },
    { type = "INVERSE_OFFERS", inverse_offers = { inverse_offers = {
        { id = "i", framework_id = "f", unavailability = { start = { nanoseconds = 1 } } },
    } } },
    { type = "RESCIND_INVERSE_OFFER", rescind_inverse_offer = { inverse_offer_id = "i" } },
    { type = "UPDATE_OPERATION_STATUS", update_operation_status = { status = {
        operation_id = "op", state = "OPERATION_FINISHED", uuid = ("u"):rep(16), agent_id = "a",
    } } },
}

-- Sends all kinds of events, breaks the stream, and ends the next one with an ERROR.
local function play(m, run)
    m:wait_for("SUBSCRIBE")
    for _, event in ipairs(EVENTS) do
        if m.stream then
            m:send(type(event) == "function" and event(m) or event)
        end
    end
    run:wait_for(function()
        return run.stdout:match("all seen") or #m:calls_of("SUBSCRIBE") > 1
    end)
    local last
    if m.stream and #m:calls_of("SUBSCRIBE") == 1 then
        m:drop()
    end
    run:wait_for("again")
    program.wait_for(function()
        if m.stream and m.stream ~= last then
            m:send { type = "ERROR", error = { message = "the end" } }
        end
        last = m.stream
        return run.code
    end)
end

local FRAME = HOSTED .. [[
    scheduler.framework.failover_timeout = 0.1 -- it comes back in a hundredth of a second
    local place, rest = %q, %q
    local driver
    local function act() ACT end
    local function at(name, ...)
        if name == place then
            if rest ~= "" then mesos.sleep(tonumber(rest)) end
            return act()
        end
    end
    local starts = {
        timer = function() mesos.after(0, function() at("timer") end) mesos.every(0.01, function() at("timer") end) end,
        spawned = function() mesos.spawn(at, "spawned") end,
        coroutine = function() coroutine.wrap(at)("coroutine") end,
        finalizer = function()
            if place == "finalizer" then setmetatable({}, { __gc = act }) collectgarbage() collectgarbage() end
        end,
    }
    for _, name in ipairs { CALLBACKS } do
        scheduler[name] = function(_, given, ...)
            driver = given
            if name == "registered" then
                for _, start in pairs(starts) do start() end
            end
            if name == "operationStatusUpdate" then say("all seen") end
            if name == "reregistered" then say("again") end
            return at(name)
        end
    end
]]

local function callbacks()
    local names = {}
    for i = 1, 13 do
        names[i] = ("%q"):format(PLACES[i])
    end
    return table.concat(names, ", ")
end

local function script_for(place, act, sleep)
    local code = act:gsub("%%s", place)
    return (FRAME:format(place, sleep):gsub("ACT", function() return code end):gsub("CALLBACKS", callbacks))
end

describe("a script", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    local function lives_through(place, act, sleep)
        local name, code, status = table.unpack(act)
        local m, run = hosted(script_for(place, code, sleep):sub(#HOSTED + 1))
        pcall(play, m, run) -- it may have ended at any moment
        run:wait()
        local label = ("%s in %s: %s"):format(name, place, run:report())
        assert.is_nil(run.stderr:match("Sanitizer"), label)
        assert.is_nil(run.stderr:match("runtime error"), label)
        local ended = place == "error" and status == 0 and 1 or status
        assert.same({ ended, 0 }, { run.code, run.signal }, label)
    end

    for _, act in ipairs(ACTS) do
        it("may " .. act[1] .. " wherever it runs", function()
            for _, place in ipairs(PLACES) do
                lives_through(place, act, "")
                if WAITING[place] then
                    lives_through(place, act, "0.001")
                end
            end
        end)
    end
end)
