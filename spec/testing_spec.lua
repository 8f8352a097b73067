-- SPDX-License-Identifier: Apache-2.0
--
-- mesos.testing: policies on the real driver, in virtual time, with a scripted master and with the embedded one. This
-- runs in the Lua of busted, with the module from a shared library; module_spec runs it in the program as well.

local program = require("support.program")
local testing = require("mesos.testing")

after_each(program.cleanup)

local function load(text, options)
    return testing.load(program.script("local mesos = require 'mesos'\n" .. text, "policy.lua"), options)
end

-- A policy that launches one task on each offer and keeps what it is told in mesos.state.
local PLAIN = [[
    local s = { framework = { name = "plain", roles = { "eng" }, failover_timeout = 60 } }
    mesos.state.told = {}
    local function tell(what) table.insert(mesos.state.told, what) end
    function s:registered(_, id) tell("registered " .. id) end
    function s:reregistered() tell("reregistered") end
    function s:disconnected() tell("disconnected") end
    function s:offerRescinded(_, id) tell("rescinded " .. id) end
    function s:slaveLost(_, id) tell("lost " .. id) end
    function s:frameworkMessage(_, executor, agent, data) tell(executor .. " on " .. agent .. ": " .. data) end
    function s:resourceOffers(driver, offers)
        for _, offer in ipairs(offers) do
            if offer.cpus < 1 then
                driver:declineOffer(offer.id)
            else
                driver:launchTasks(offer.id, { {
                    name = "t", task_id = "t-" .. offer.id, agent_id = offer.agent_id,
                    command = { value = "sleep 5" }, resources = mesos.resources { cpus = 1, mem = 32 },
                } })
            end
        end
    end
    function s:statusUpdate(driver, status)
        tell(status.task_id .. " " .. status.state)
        if status.state == "TASK_KILLING" then driver:killTask(status.task_id) end
    end
]]

local function plain(more, options)
    local t = load(PLAIN .. (more or "") .. "\nreturn s", options)
    t:register()
    return t
end

local function told(t)
    return t:state().told
end

describe("a policy under test", function()
    it("is registered when the test says so", function()
        local t = load(PLAIN .. "return s")
        assert.same({}, told(t))
        assert.equal("DRIVER_RUNNING", t:status())
        t:register { framework_id = "f-7" }
        assert.same({ "registered f-7" }, told(t))
        local calls = t:calls()
        assert.equal(1, #calls)
        assert.equal("plain", calls[1].subscribe.framework_info.name)
    end)

    it("gets its arguments", function()
        local t = load([[
            mesos.state.args = { ... }
            mesos.state.arg = arg[2]
            return {} ]], { args = { "10", "b" } })
        assert.same({ args = { "10", "b" }, arg = "b" }, t:state())
    end)

    it("gets offers in short form and whole, of one event for each call", function()
        local t = plain([[
            function s:resourceOffers(_, offers)
                for _, o in ipairs(offers) do
                    table.insert(mesos.state.told, { o.id, o.agent_id, o.cpus, o.mem, o.ports[1], o:attribute("rack"),
                        o:attribute("size"), o.hostname, o.allocation_info.role })
                end
            end ]])
        local first, second = t:offer({ cpus = 4, mem = 512, ports = { { 31000, 31009 } },
            attributes = { rack = "b", size = 7 } }, { resources = "cpus:2;mem:64", agent_id = "a9", hostname = "h" })
        assert.same({ "offer-1", "offer-2" }, { first, second })
        assert.same({ "registered framework-1",
            { "offer-1", "agent-1", 4.0, 512.0, { 31000, 31009 }, "b", 7.0, "agent-1", "eng" },
            { "offer-2", "a9", 2.0, 64.0, nil, nil, nil, "h", "eng" } }, told(t))
    end)

    it("shows what it launched, declined and called since the last look", function()
        local t = plain()
        t:offer({ cpus = 4, mem = 512 }, { cpus = 0.5, mem = 10 })
        assert.same({ "offer-2" }, t:declined())
        assert.same({}, t:declined())
        local tasks = t:launched()
        assert.equal(1, #tasks)
        assert.equal("t-offer-1", tasks[1].task_id)
        assert.equal("sleep 5", tasks[1].command.value)
        assert.equal(1, #t:calls("DECLINE"))
        assert.equal("SUBSCRIBE", t:calls()[1].type)
        assert.same({}, t:calls())
    end)

    it("gets updates of its tasks, which it acknowledges, and kills what it wants", function()
        local t = plain()
        t:offer { cpus = 1, mem = 32 }
        t:update("t-offer-1", "TASK_RUNNING")
        t:update("t-offer-1", "TASK_KILLING", { uuid = false, message = "m" })
        assert.same({ "registered framework-1", "t-offer-1 TASK_RUNNING", "t-offer-1 TASK_KILLING" }, told(t))
        assert.same({ "t-offer-1" }, t:killed())
        local acknowledged = t:calls("ACKNOWLEDGE")
        assert.equal(1, #acknowledged)
        assert.equal("agent-1", acknowledged[1].acknowledge.agent_id)
    end)

    it("loses offers and agents, and gets messages", function()
        local t = plain("function s:resourceOffers(driver, offers) if mesos.state.launch then driver:launchTasks(offers[1].id, "
            .. "{ { name = 't', task_id = 't', agent_id = offers[1].agent_id, command = { value = 'x' }, "
            .. "resources = mesos.resources { cpus = 1 } } }) end mesos.state.launch = true end")
        t:offer({ cpus = 1, mem = 32 }, { cpus = 2, mem = 32, agent_id = "a" })
        t:offer { cpus = 2, mem = 32, agent_id = "a" }
        t:rescind("offer-1")
        t:lose_agent("a")
        t:message("e", "agent-1", "hello")
        assert.same({ "registered framework-1", "rescinded offer-1", "t TASK_LOST", "rescinded offer-2", "lost a",
            "e on agent-1: hello" }, told(t))
        assert.has_error(function()
            t:rescind("offer-1")
        end)
    end)

    it("is disconnected and registered again", function()
        local t = plain()
        t:offer { cpus = 2, mem = 32 }
        t:disconnect()
        t:advance(600)
        assert.equal(1, #t:launched())
        t:reregister()
        t:reregister()
        assert.same({ "registered framework-1", "disconnected", "reregistered", "disconnected", "reregistered" }, told(t))
        assert.equal("framework-1", t:calls("SUBSCRIBE")[3].framework_id)
    end)

    it("answers jobs", function()
        local t = plain([[
            function s:submit(_, job)
                if job.refuse then return nil, "no room" end
                if job.wait then mesos.sleep(5) end
                return { got = job.id, list = { 1, 2 } }
            end ]])
        assert.same({ got = "a", list = { 1, 2 } }, t:submit { id = "a" })
        assert.same({ nil, "no room" }, { t:submit { refuse = true } })
        assert.equal(0, select("#", t:submit { wait = true }))
        t:advance(5)
        assert.same({ got = "b", list = { 1, 2 } }, t:submit { id = "b" })
    end)

    it("is replaced by another version, which has its state and the offers", function()
        local t = plain("function s:resourceOffers() end")
        t:offer { cpus = 2, mem = 32 }
        local next_version = PLAIN:gsub("mesos.state.told = {}", "") .. "function s:reloaded() tell('reloaded') end return s"
        t:reload(program.script("local mesos = require 'mesos'\n" .. next_version, "next.lua"))
        assert.same({ "registered framework-1", "reloaded" }, told(t))
        assert.equal("t-offer-1", t:launched()[1].task_id)
        local bad = program.script("return {", "bad.lua")
        assert.error_matches(function()
            t:reload(bad)
        end, "bad%.lua:1: .*expected")
        t:offer { cpus = 2, mem = 32 }
        assert.equal("t-offer-2", t:launched()[1].task_id)
    end)

    it("begins with the state that it is given", function()
        local t = load("mesos.state.n = mesos.state.n + 1 return {}", { state = { n = 41 } })
        assert.equal(42, t:state().n)
    end)

    it("ends when it stops its driver or asks for the end", function()
        local t = plain("function s:offerRescinded(driver) driver:stop() end function s:resourceOffers() end")
        t:offer { cpus = 1 }
        t:rescind("offer-1")
        assert.equal("DRIVER_STOPPED", t:status())
        assert.equal(1, #t:calls("TEARDOWN"))
        t = plain("function s:resourceOffers() mesos.exit(3) end")
        t:offer { cpus = 1 }
        assert.equal("DRIVER_STOPPED", t:status())
    end)

    it("may not ask for anything inside of its stubs", function()
        local t
        t = plain("function s:offerRescinded() mesos.http { url = 'x' } end function s:resourceOffers() end",
            { stubs = { http = function() t:advance(1) end } })
        t:offer { cpus = 1 }
        assert.error_matches(function()
            t:rescind("offer-1")
        end, "a test cannot use its policy inside of a stub")
    end)
end)

describe("the clock of a policy", function()
    it("stands still until it is advanced, and calls timers in order", function()
        local t = load([[
            mesos.state.at = {}
            local function note(what) table.insert(mesos.state.at, what .. " " .. mesos.now() - 1000) end
            mesos.every(10, function() note("every") end)
            mesos.after(25, function() note("after") end)
            mesos.spawn(function() note("spawned") mesos.sleep(10.5) note("slept") end)
            return {} ]], { time = 1000 })
        assert.same({ "spawned 0.0" }, t:state().at)
        t:advance(30)
        assert.same({ "spawned 0.0", "every 10.0", "slept 10.5", "every 20.0", "after 25.0", "every 30.0" }, t:state().at)
        assert.equal(1030, t:now())
    end)

    it("is that of os.time, os.date and os.clock", function()
        local t = load([[
            mesos.after(90, function()
                mesos.state = { os.time(), os.date("!%H:%M:%S"), os.clock(), os.time { year = 2001, month = 1, day = 1, hour = 12 },
                    os.date("!%Y", 0) }
            end)
            return {} ]])
        t:advance(90)
        assert.same({ 1767225690, "00:01:30", 90.0, os.time { year = 2001, month = 1, day = 1, hour = 12 }, "1970" }, t:state())
    end)

    it("gives the same random numbers each time", function()
        local function numbers(seed)
            return load("mesos.state.n = math.random(1 << 40) return {}", { seed = seed }):state().n
        end
        assert.equal(numbers(), numbers())
        assert.not_equal(numbers(), numbers(2))
    end)

    it("notices work without end at one moment", function()
        local t = load([[
            mesos.after(1, function() local function again() mesos.after(0, again) end again() end)
            return {} ]])
        assert.error_matches(function()
            t:advance(5)
        end, "does not come to rest")
    end)

    it("does not let timers of one test into another", function()
        local fired = {}
        for i = 1, 3 do
            local t <close> = load("mesos.every(1, function() mesos.exec { 'tick' } end) return {}",
                { stubs = { exec = function() fired[#fired + 1] = i return {} end } })
            if i == 2 then
                t:advance(2)
            end
        end
        collectgarbage()
        assert.same({ 2, 2 }, fired)
    end)
end)

describe("what is wrong with a policy", function()
    local function fails(pattern, what)
        local good, message = pcall(what)
        assert.is_false(good)
        assert.matches(pattern, message)
    end

    it("fails the test with the message of production", function()
        local t = plain([[
            function s:resourceOffers(driver, offers)
                driver:launchTasks(offers[1].id, { { name = "t", task_id = "t", agent_id = offers[1].agent_id, comand = {} } })
            end ]])
        fails("^callback resourceOffers: .*policy%.lua:%d+: tasks%[1%]: unknown field 'comand' in TaskInfo "
            .. "%(did you mean 'command'%?%)", function()
            t:offer { cpus = 1 }
        end)
        t:advance(1)
    end)

    it("fails it where a timer, a spawned function or a finished wait raises", function()
        local t = load([[
            mesos.after(5, function() error("late") end)
            mesos.spawn(function() mesos.sleep(7) error("slept") end)
            return {} ]])
        t:advance(4)
        fails("timer of .*policy%.lua:2: .*policy%.lua:2: late", function()
            t:advance(2)
        end)
        fails("policy%.lua:3: slept", function()
            t:advance(2)
        end)
        t:advance(100)
    end)

    it("fails the load, with its place", function()
        fails("policy%.lua:2: undeclared global 'prnt' %(did you mean 'print'%?%)", function()
            load("prnt(1) return {}")
        end)
        fails("cannot open script '/nowhere.lua': No such file", function()
            testing.load("/nowhere.lua")
        end)
        fails("returns no scheduler: mesos%.testing drives the scheduler that a script returns", function()
            load("mesos.SchedulerDriver { scheduler = {}, framework = { name = 'x' } }")
        end)
        fails("driver:start%(%) is the test's", function()
            load("mesos.SchedulerDriver { scheduler = {}, framework = { name = 'x' } }:run()")
        end)
        fails("it asked for the end of the program", function()
            load("mesos.exit(1)")
        end)
    end)

    it("stops a loop without end", function()
        local t = plain("function s:resourceOffers() while true do end end")
        fails("stopped after [%d.]+ s without a pause", function()
            t:offer { cpus = 1 }
        end)
    end)

    it("is logged, and the log is the test's", function()
        local t = load("mesos.log.warning('hm %d', 7) return { resourceOffer = function() end }")
        local log = t:log()
        assert.same({ level = "warning", text = "hm 7" }, log[1])
        assert.matches("no callback 'resourceOffer'; did you mean 'resourceOffers'%?", log[2].text)
        assert.same({}, t:log())
    end)

    it("has no world outside but stubs", function()
        local text = [[
            mesos.spawn(function()
                local run = mesos.exec({ "ls", "-l" }, { timeout = 3 })
                mesos.state.out = run.stdout
                mesos.state.more = { mesos.http { url = "http://x" } }
            end)
            return {} ]]
        fails("mesos%.exec: a test has no world outside: give testing%.load%(%) a function for it, { stubs = { exec =", function()
            load(text)
        end)
        local t = load(text, { stubs = {
            exec = function(argv, options)
                return { status = 0, stdout = table.concat(argv, " ") .. options.timeout }
            end,
            http = function()
                return nil, "refused", "ECONNREFUSED"
            end,
        } })
        assert.same({ out = "ls -l3", more = { [2] = "refused", [3] = "ECONNREFUSED" } }, t:state())
        fails("mesos%.exec: .*out of order", function()
            load(text, { stubs = { exec = function() error("out of order") end } })
        end)
    end)
end)

describe("what is wrong with a test", function()
    local function complains(text, what)
        local good, message = pcall(what)
        assert.is_false(good)
        assert.equal("spec/testing_spec.lua:" .. text, message:gsub(":%d+:", ":", 1))
    end

    it("is said where it is", function()
        local t = plain()
        complains(" offer[1]: unknown field 'cpu' in Offer (in short form: cpus, mem, disk, gpus, ports, attributes, role)",
            function() t:offer { cpu = 1 } end)
        complains(" attributes.rack: a text, a number, a list of texts or ranges expected, got boolean",
            function() t:offer { attributes = { rack = true } } end)
        complains(" update: no task 'x' was launched; there are: ", function() t:update("x", "TASK_RUNNING") end)
        complains(" event.update.status.state: TaskState has no value 'TASK_RUNING' (did you mean 'TASK_RUNNING'?)",
            function() t:update("x", "TASK_RUNING", { agent_id = "a" }) end)
        complains(" load has no field 'argv'; it has args, log, seed, state, stubs, time",
            function() testing.load("x.lua", { argv = {} }) end)
        complains(" event.rescind: unknown field 'offer' in Event.Rescind (did you mean 'offer_id'?)",
            function() t:event { type = "RESCIND", rescind = { offer = "x" } } end)
        t:disconnect()
        complains(" offer: the framework is not connected; t:register() comes first", function() t:offer { cpus = 1 } end)
        complains(" disconnect: the framework is not connected", function() t:disconnect() end)
    end)

    it("is a second registration, and one of a driver that has ended", function()
        local t = plain("function s:resourceOffers(driver) driver:stop() end")
        complains(" register: the driver does not ask for a subscription (DRIVER_RUNNING, and it is subscribed)",
            function() t:register() end)
        t:offer { cpus = 1 }
        complains(" register: the driver does not ask for a subscription (DRIVER_STOPPED)", function() t:register() end)
    end)
end)

describe("a policy on the embedded cluster", function()
    local function cluster(options, more)
        local t = load(PLAIN .. (more or "") .. "\nreturn s")
        t:cluster(options)
        t:register()
        return t
    end

    it("gets offers as time passes, and tasks last", function()
        local t = cluster { agents = { "cpus:1;mem:64 rack=b", { cpus = 1, mem = 64, count = 2 } }, runtime = 30 }
        assert.same({}, t:launched())
        t:advance(2)
        assert.equal(3, #t:launched())
        t:advance(27)
        assert.is_nil(table.concat(told(t), " "):find("FINISHED"))
        t:advance(5)
        assert.equal(3, select(2, table.concat(told(t), " "):gsub("TASK_FINISHED", "")))
    end)

    it("runs tasks for as long as a function says, with the status that it says", function()
        local seen = {}
        local t = cluster { agents = 1, runtime = function(task)
            seen[#seen + 1] = task.command
            return 10, 3
        end }
        t:advance(11.5)
        assert.equal("sleep 5", seen[1])
        assert.matches("TASK_FAILED", table.concat(told(t), " "))
    end)

    it("ends tasks and loses agents on the test's word", function()
        local t = cluster { agents = { { cpus = 1, mem = 64, attributes = { zone = { "a", "b" } } } } }
        t:advance(1.5)
        local task = t:launched()[1]
        t:advance(1000)
        t:update(task.task_id, "TASK_FINISHED")
        assert.matches(task.task_id .. " TASK_FINISHED", table.concat(told(t), " "), 1, true)
        t:advance(10)
        t:lose_agent(task.agent_id)
        assert.matches("TASK_LOST.*lost " .. task.agent_id:gsub("%p", "%%%0"), table.concat(told(t), " "))
    end)

    it("is disconnected and registered again, with its tasks", function()
        local t = cluster { agents = 1, runtime = 100 }
        t:advance(2)
        t:disconnect()
        t:advance(5)
        t:reregister()
        t:advance(10)
        local list = told(t)
        assert.matches("TASK_RUNNING disconnected reregistered", table.concat(list, " "))
    end)

    it("is told what a master refuses", function()
        local t = cluster({ agents = 1 }, [[
            function s:resourceOffers(driver, offers)
                driver:launchTasks(offers[1].id, { { name = "t", task_id = "t", agent_id = offers[1].agent_id,
                    command = { value = "x" }, resources = mesos.resources { cpus = 100, mem = 32 } } })
            end ]])
        t:advance(1.5)
        assert.matches("t TASK_ERROR", table.concat(told(t), " "))
    end)

    it("has its roles, weights and quota", function()
        local t = cluster { agents = 4, roles = { eng = { limits = { cpus = 4 } } } }
        t:advance(10)
        assert.equal(4, #t:launched())
    end)

    it("says what is wrong with it", function()
        local t = load(PLAIN .. "return s")
        assert.error_matches(function()
            t:cluster { agents = { { cpu = 1 } } }
        end, "agents%[1%] has no field 'cpu'; it has attributes, count, cpus")
        assert.error_matches(function()
            t:cluster { agents = { { resources = "cpus:x" } } }
        end, "cluster: agents%[1%]")
        t:register()
        assert.error_matches(function()
            t:cluster { agents = 1 }
        end, "a cluster comes before the framework is registered")
    end)
end)
