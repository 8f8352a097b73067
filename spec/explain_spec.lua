-- SPDX-License-Identifier: Apache-2.0
--
-- Why a task is not placed: driver:explain() and `mesos-lua ctl PID why`, in scenarios against the scripted master. A
-- row says what the master offers and what the script does, then what the explanation of a need has in it.

local control = require("support.control")
local framework = require("support.framework")
local program = require("support.program")
local testing = require("mesos.testing")

local said = framework.said

-- The script holds all offers, and does what the messages say. `tell` explains as Lua text.
local HOARD = [[
    local function write(value)
        if type(value) ~= "table" then return type(value) == "string" and ("%q"):format(value) or tostring(value) end
        local parts = {}
        for k, v in pairs(value) do parts[#parts + 1] = ("[%s]=%s"):format(write(k), write(v)) end
        return "{" .. table.concat(parts, ",") .. "}"
    end
    function explain(driver, need) say("explained return " .. write(driver:explain(need)) .. " end") end
    function scheduler:resourceOffers(_, offers) say("got", #offers) end
    function scheduler:frameworkMessage(driver, _, _, data)
        assert(load("local driver, mesos, say = ...; " .. data))(driver, mesos, say)
        say("done", data)
    end
]]

local function tell(m, run, code)
    m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = code } })
    said(run, "done\t" .. code)
end

local function explained(m, run, need)
    tell(m, run, ("explain(driver, %s)"):format(need))
    local last
    for text in run.stdout:gmatch("explained (return .-) end\n") do
        last = text
    end
    return assert(load(last))()
end

local function cpus(amount, fields)
    local resource = { name = "cpus", type = "SCALAR", scalar = amount }
    for name, value in pairs(fields or {}) do
        resource[name] = value
    end
    return resource
end

local function rack(value)
    return { name = "rack", type = "TEXT", text = value }
end

-- An offer of an agent of its own, with 4 cpus and 4096 MB.
local function offer(m, agent, fields)
    fields = fields or {}
    fields.agent_id, fields.hostname = agent, agent .. ".test"
    return m:offer(fields)
end

local function offers(...)
    local list = { ... }
    return function(m, run)
        for i, row in ipairs(list) do
            list[i] = offer(m, row[1], row[2])
        end
        local before = select(2, run.stdout:gsub("got\t", ""))
        m:send_offers(list)
        run:wait_for(function()
            return select(2, run.stdout:gsub("got\t", "")) > before
        end)
    end
end

local function does(code)
    return function(m, run)
        tell(m, run, code)
    end
end

local DECLINE = "for _, o in ipairs(driver:offers()) do driver:declineOffer(o.id%s) end"
local function declines(filters)
    return does(DECLINE:format(filters and ", " .. filters or ""))
end

-- What is wanted is there, tables part by part; a function is asked.
local function has(wanted, got, path)
    if type(wanted) == "function" then
        assert.is_true(wanted(got), ("%s: %s"):format(path, tostring(got)))
    elseif type(wanted) == "table" then
        assert.equal("table", type(got), path)
        for key, value in pairs(wanted) do
            has(value, got[key], path .. "." .. tostring(key))
        end
    else
        assert.equal(wanted, got, path)
    end
end

local function empty(list)
    return next(list) == nil
end

local function between(low, high)
    return function(value)
        return value >= low and value <= high
    end
end

-- Each: what it is; steps; the need, in Lua and as text; the explanation; sentences.
local SCENARIOS = {
    { "an offer that fits, held by the framework itself", { offers { "a" } }, "{ cpus = 1 }", "cpus=1",
        { fits = 1, offers = 1, reasons = empty, since = 0, withheld = { held = { offers = 1 }, registered = true } },
        { "1 of 1 outstanding offer fits, such as a.test (offer '", "the framework holds it, and has not used it for" } },

    { "too many cpus", { offers({ "a" }, { "b", { resources = { cpus(2.5), cpus(1) } } }) }, "{ cpus = 8, mem = 0 }", "cpus=8",
        { fits = 0, offers = 2, reasons = { { reason = "cpus", count = 2, lately = 0, needed = 8, best = 4, hostname = "a.test" } },
            nearest = { hostname = "a.test", outstanding = true, lacks = { cpus = 4 } } },
        { "None of the 2 outstanding offers fits.", "- cpus: 8 needed; 2 offers have less, the most is 4 on a.test (offer '",
            "The nearest is a.test (offer '", "it lacks 4 cpus." } },

    { "too much of two resources, on one offer each", { offers({ "a", { resources = { cpus(8) } } }, { "b" }) },
        "{ cpus = 6, mem = 1000 }", "cpus=6,mem=1000",
        { fits = 0, reasons = { { reason = "cpus", count = 1, best = 4, hostname = "b.test" },
            { reason = "mem", count = 1, best = 0, hostname = "a.test" } },
            nearest = { hostname = "b.test", lacks = { cpus = 2 } } },
        { "- mem: 1000 needed; 1 offer has less, the most is 0 on a.test" } },

    { "a resource that no agent has", { offers { "a" } }, "{ fpga = 1 }", "gpus=1",
        { fits = 0, reasons = { { reason = "fpga", count = 1, best = 0, needed = 1 } } }, { "- gpus: 1 needed; 1 offer has less" } },

    { "no ports left", { offers { "a", { resources = { cpus(4), { name = "ports", type = "RANGES",
        ranges = { range = { { begin = 31000, ["end"] = 31001 } } } } } } } }, "{ cpus = 1, ports = 3 }", "cpus=1,ports=3",
        { fits = 0, reasons = { { reason = "ports", count = 1, best = 2, needed = 3 } }, nearest = { lacks = { ports = 1 } } },
        { "- ports: 3 needed; 1 offer has less, the most is 2 on a.test" } },

    { "reserved for another role", { offers { "a", { resources = { cpus(1),
        cpus(7, { reservations = { { type = "STATIC", role = "db" } } }) } } } }, "{ cpus = 4 }", "cpus=4",
        { reasons = { { reason = "cpus", best = 1, reserved = 7, reserved_role = "db" } } },
        { "Up to 7 more of an offer is reserved for the role 'db'." } },

    { "revocable, and the need does not take those", { offers { "a", { resources = { cpus(1), cpus(6, { revocable = {} }) } } } },
        "{ cpus = 4 }", "cpus=4", { fits = 0, reasons = { { reason = "cpus", best = 1, revocable = 6 } } },
        { "Up to 6 of an offer is revocable, and counts with revocable=true only." } },

    { "revocable, and the need takes those", { offers { "a", { resources = { cpus(1), cpus(6, { revocable = {} }) } } } },
        "{ cpus = 4, revocable = true }", "cpus=4,revocable=true", { fits = 1 }, { "1 of 1 outstanding offer fits" } },

    { "a volume of its own", { offers { "a", { resources = { cpus(4), { name = "disk", type = "SCALAR", scalar = 100,
        disk = { source = { type = "MOUNT" } } } } } } }, "{ disk = 10 }", "disk=10",
        { fits = 0, reasons = { { reason = "disk", best = 0 } } }, { "- disk: 10 needed" } },

    { "offers to another role of the framework", { offers { "a", { allocation_info = { role = "batch" } } } },
        "{ cpus = 1, role = 'web' }", "cpus=1,role=web",
        { fits = 0, reasons = { { reason = "role", count = 1, wanted = "'web'", seen = { "batch" } } },
            withheld = { foreign_role = "web" } },
        { "- role: 'web' wanted; 1 offer made to 'batch'.", "has not subscribed with the role 'web', only with '*'" } },

    { "an attribute that no agent has", { offers { "a" } }, "{ cpus = 1, attributes = { rack = 'b' } }", "cpus=1,rack=b",
        { fits = 0, reasons = { { reason = "attribute", name = "rack", count = 1, absent = 1, wanted = "'b'", seen = empty } },
            nearest = { lacks = { rack = true } } },
        { "- attribute rack: 'b' wanted; 1 offer has none.", "it lacks the attribute rack." } },

    { "an attribute with other values",
        { offers({ "a", { attributes = { rack("a") } } }, { "b", { attributes = { rack("c") } } }, { "c" }) },
        "{ attributes = { rack = { 'x', 'y' } } }", "rack=x|y",
        { reasons = { { name = "rack", count = 3, absent = 1, wanted = "'x' or 'y'", seen = { "a", "c" } } } },
        { "- attribute rack: 'x' or 'y' wanted; 3 offers have 'a' or 'c', or none." } },

    { "an attribute of another type", { offers { "a", { attributes = { { name = "level", type = "SCALAR", scalar = 3 } } } } },
        "{ attributes = { level = 'high' } }", "level=high", { reasons = { { name = "level", seen = { "3" } } } },
        { "The offers have it in another type: a text is never equal to a number." } },

    { "an attribute that is met, given as a text and as a number",
        { offers { "a", { attributes = { { name = "level", type = "SCALAR", scalar = 3 } } } } },
        "{ attributes = { level = 3 } }", "level=3", { fits = 1 }, { "1 of 1 outstanding offer fits" } },

    { "a condition of the script", { offers({ "a" }, { "b" }) }, "{ cpus = 1, where = function(o) return false end }", "cpus=1",
        { fits = 0, reasons = { { reason = "where", count = 2 } }, nearest = { lacks = { where = true } } }, {} },

    { "filters that run", { offers({ "a" }, { "b", { resources = { cpus(1) } } }), declines("{ refuse_seconds = 300 }") },
        "{ cpus = 2 }", "cpus=2",
        { fits = 0, offers = 0, reasons = { { reason = "cpus", count = 0, lately = 1, best = 1 } },
            lately = { offers = 2, fits = 1, declined = 2 },
            withheld = { filter_count = 2, filters = { { hostname = "a.test", fits = true, role = "*", seconds = between(200, 300) },
                { hostname = "b.test", fits = false } } } },
        { "No offer is outstanding. The last that fitted ended 0.", "2 filters of the framework run",
            "a.test for the role '*': 4 min ", " more, and its offer would fit" } },

    { "filters that were dropped", { offers { "a" }, declines("{ refuse_seconds = 300 }"), does("driver:reviveOffers()") },
        "{ cpus = 2 }", "cpus=2", { lately = { fits = 1 }, withheld = { filters = empty, filter_count = 0 } },
        { "Earlier, 1 agent made offers that ended (1 declined); 1 of those that were not used would have fitted." } },

    { "filters of another role that was revived",
        { offers({ "a" }, { "b", { allocation_info = { role = "web" } } }), declines("{ refuse_seconds = 300 }"),
            does("driver:reviveOffers { 'web' }") },
        "{ cpus = 2 }", "cpus=2", { withheld = { filter_count = 1, filters = { { hostname = "a.test" } } } },
        { "1 filter of the framework runs" } },

    { "no filter with none asked for", { offers { "a" }, declines("{ refuse_seconds = 0 }") },
        "{ cpus = 2 }", "cpus=2", { withheld = { filter_count = 0 }, lately = { declined = 1, fits = 1 } }, {} },

    { "the usual filter", { offers { "a" }, declines() }, "{ cpus = 2 }", "cpus=2",
        { withheld = { filter_count = 1, filters = { { seconds = between(1, 5), fits = true } } } }, {} },

    { "an offer that was used, whose rest is filtered", { offers { "a" },
        does("local o = driver:offers()[1]; driver:launchTasks(o.id, { { name = 't', task_id = 't', agent_id = o.agent_id, " ..
            "command = { value = 'true' }, resources = mesos.resources 'cpus:1' } }, { refuse_seconds = 60 })") },
        "{ cpus = 2 }", "cpus=2",
        { lately = { offers = 1, fits = 0, used = 1 }, withheld = { filters = { { hostname = "a.test", fits = false } } } },
        { "(1 used)" } },

    { "offers that were rescinded", { offers { "a" }, function(m, run)
        m:send({ type = "RESCIND", rescind = { offer_id = m:offer().id:gsub("%d+$", function(n) return n - 1 end) } })
        tell(m, run, "assert(#driver:offers() == 0)")
    end }, "{ cpus = 2 }", "cpus=2", { offers = 0, lately = { rescinded = 1, fits = 1 } }, { "(1 rescinded)" } },

    { "an agent that was lost", { offers { "a" }, declines(), function(m)
        m:send({ type = "FAILURE", failure = { agent_id = "a" } })
    end }, "{ cpus = 2 }", "cpus=2",
        { lately = { fits = 0 }, reasons = { { reason = "agent lost", lately = 1, fits = 1 } }, withheld = { filter_count = 0 } },
        { "- 1 agent that made offers was lost; the offer of 1 would have fitted." } },

    { "only the last offer of an agent counts", { offers { "a" }, declines(), offers { "a", { resources = { cpus(1) } } }, declines() },
        "{ cpus = 2 }", "cpus=2", { lately = { offers = 1, fits = 0 }, reasons = { { reason = "cpus", lately = 1, best = 1 } },
            since = between(0, 5) }, { "1 earlier offer has less, the most is 1", "The last that fitted ended" } },

    { "suppressed roles", { does("driver:suppressOffers()") }, "{ cpus = 2 }", "cpus=2",
        { offers = 0, reasons = empty, withheld = { suppressed = { "*" } } },
        { "Offers are suppressed for the role '*' (driver:reviveOffers() ends that).", "None has fitted for 0." } },

    { "offer constraints", { does("driver:updateFramework({ id = driver:frameworkId(), name = 'test', roles = { '*' }, " ..
        "failover_timeout = 60 }, {}, { role_constraints = { ['*'] = { groups = { { attribute_constraints = { { " ..
        "selector = { attribute_name = 'rack' }, predicate = { exists = {} } } } } } } } })") },
        "{ cpus = 2 }", "cpus=2", { withheld = { constrained = { "*" } } },
        { "Offer constraints keep agents away for the role '*'." } },

    { "a master that is gone", { offers { "a" }, function(m, run)
        m:stop()
        run:wait_for("disconnected")
    end }, nil, "cpus=2", nil,
        { "The framework is not registered with a master, so nothing is offered to it.", "(1 void with the connection)" } },
}

describe("an explanation of", function()
    after_each(function()
        control.cleanup()
        framework.cleanup()
    end)

    for _, row in ipairs(SCENARIOS) do
        local what, steps, need, text, wanted, sentences = table.unpack(row, 1, 6)
        it(what, function()
            local m, run = framework.subscribed(HOARD)
            run:wait_for("registered with")
            for _, step in ipairs(steps) do
                step(m, run)
            end
            if need then
                has(wanted, explained(m, run, need), "explanation")
            end
            local asked = control.ctl(run, { "why", text })
            assert.equal(0, asked.code, asked:report())
            for _, sentence in ipairs(sentences) do
                assert.is_truthy(asked.stdout:find(sentence, 1, true), sentence .. " in: " .. asked:report())
            end
        end)
    end
end)

describe("driver:explain and ctl why", function()
    after_each(function()
        control.cleanup()
        framework.cleanup()
    end)

    it("say what is wrong with a need", function()
        local m, run = framework.subscribed(HOARD)
        offers { "a" }(m, run)
        for need, message in pairs {
            ["{ cpu = 1 }"] = "explain: cpu: no offer has such a resource (did you mean 'cpus'?)",
            ["{ cpus = '1' }"] = "explain: cpus: a number expected, got string",
            ["1"] = "explain: a table such as { cpus = 1, mem = 128 } expected, got number",
            ["{ where = function() error('no') end }"] = "no",
        } do
            tell(m, run, ("say('failed', select(2, pcall(driver.explain, driver, %s)))"):format(need))
            assert.is_truthy(run.stdout:find("failed\t[^\n]*" .. message:gsub("%p", "%%%0")), run:report())
        end
        for text, message in pairs {
            [""] = "why: what a task needs expected, such as: why cpus=4,mem=1024,rack=b",
            ["cpus"] = "why: cpus is neither a need, such as cpus=4,rack=b, nor an id: the scheduler has no method " ..
                "explain(id), as those of mesos.jobs and mesos.services have",
            ["cpus=1,mem"] = "why: 'mem': NAME=VALUE expected, such as cpus=4 or rack=b",
            [("x"):rep(1025)] = "why: an id of at most 1024 bytes expected",
            ["cpu=1"] = "why: no offer has a resource or an attribute 'cpu' (did you mean 'cpus'?)",
            ["cpus=many"] = "why: cpus: a number from 0 to 1e12 expected, got 'many'",
            ["ports=1.5"] = "why: ports: how many, a whole number expected, got '1.5'",
            ["revocable=1"] = "why: revocable: true or false expected, got '1'",
            ["rack=" .. ("a|"):rep(64) .. "b"] = "why: rack: more than 64 values",
        } do
            local asked = control.ctl(run, { "why", text })
            assert.equal(1, asked.code)
            assert.is_truthy(asked.stderr:find(message, 1, true), asked:report())
        end
    end)

    it("ask a scheduler that knows ids, also where its script calls something else so", function()
        local m, run = framework.subscribed [[
            local s = scheduler
            do
                local scheduler = "not this one"
                function s:resourceOffers(_, list) say("got", #list, scheduler) end
            end
            function s:explain(id)
                if id == "waits" then mesos.sleep(0.01) end
                if id == "raises" then error("no such thing") end
                return id .. " is known", id == "short" and { text = "which needs more" } or nil
            end ]]
        run:wait_for("registered with")
        for id, text in pairs {
            ["plain"] = "plain is known\n", ["waits"] = "waits is known\n",
            ["a 'b' \\ \"c\""] = "a 'b' \\ \"c\" is known\n", ["short"] = "short is known\nwhich needs more\n",
        } do
            local asked = control.ctl(run, { "why", id })
            assert.equal(0, asked.code, asked:report())
            assert.equal(text, asked.stdout)
        end
        local asked = control.ctl(run, { "why", "raises" })
        assert.equal(1, asked.code)
        assert.matches("script.lua:%d+: no such thing", asked.stderr)
        offers { "a" }(m, run)
    end)

    it("give the sentences to scripts, too", function()
        local m, run = framework.subscribed(HOARD)
        offers { "a" }(m, run)
        local text = explained(m, run, "{ cpus = 64 }").text
        assert.is_truthy(text:find("The outstanding offer does not fit.", 1, true), text)
        assert.equal(control.ctl(run, { "why", "cpus=64" }).stdout:match("^[^\n]*fit%."), text:match("^[^\n]*fit%."))
    end)

    it("count thousands of offers, each agent once", function()
        local m, run = framework.subscribed(HOARD)
        for _ = 1, 3 do
            local list = {}
            for i = 1, 1000 do
                list[i] = { "agent-" .. i }
            end
            offers(table.unpack(list))(m, run)
            declines("{ refuse_seconds = 100 }")(m, run)
        end
        local found = explained(m, run, "{ cpus = 5 }")
        has({ fits = 0, offers = 0, reasons = { { reason = "cpus", lately = 1000, best = 4 } },
            lately = { offers = 1000, declined = 1000 }, withheld = { filter_count = 1000 } }, found, "explanation")
        assert.equal(100, #found.withheld.filters)
    end)

    it("need a framework", function()
        local run = require("support.program").start { args = { "local" } }
        run:wait_for("listening on")
        local asked = control.ctl(run, { "why", "cpus=1" })
        assert.equal(1, asked.code)
        assert.is_truthy(asked.stderr:find("no script runs here", 1, true), asked:report())
    end)
end)

-- On a clock that stands still: how long ago things were is known exactly.
describe("what is known of the past", function()
    after_each(program.cleanup)

    local POLICY = [[
        local mesos = require "mesos"
        local roles = {}
        for i = 1, 66 do roles[i] = "r" .. i end
        local s = { framework = { name = "past", roles = roles, failover_timeout = 60 } }
        function s:resourceOffers() end
        function s:disconnected(driver) mesos.state.at_the_end = driver:explain { cpus = 2 }.since end
        function s:frameworkMessage(driver, _, _, code)
            mesos.state.found = assert(load("local driver = ...; " .. code))(driver)
        end
        return s
    ]]

    local function start()
        local t = testing.load(program.script(POLICY, "policy.lua"))
        t:register()
        t:advance(50)
        return t
    end

    local function run(t, code)
        t:message("executor", "agent", code)
        return t:state().found
    end

    local function decline(t, filters)
        run(t, DECLINE:format(", " .. filters))
    end

    local function explain(t)
        return run(t, "return driver:explain { cpus = 2 }")
    end

    local function long(length, cpus_there)
        return { cpus = cpus_there, role = "r1", attributes = { long = ("x"):rep(length) } }
    end

    it("is when offers became void with the connection", function()
        local t = start()
        t:offer { cpus = 4, role = "r1" }
        t:advance(1000)
        t:disconnect()
        assert.equal(0, t:state().at_the_end)
        t:advance(7)
        t:reregister()
        t:advance(20)
        has({ since = between(27, 27), lately = { offers = 1, fits = 1 } }, explain(t), "explanation")
    end)

    it("begins after offers that were too long to be kept", function()
        local t = start()
        t:offer(long(3 << 20, 4))
        decline(t, "{ refuse_seconds = 0 }")
        t:advance(10)
        has({ since = between(9.99, 10), lately = { offers = 0 } }, explain(t), "explanation")
    end)

    it("begins after offers that were too many to be kept, and is what it was", function()
        local t = start()
        for _, offered in ipairs { long(1040000, 1), long(1040000, 1), long(1040000, 4), long(3 << 20, 4) } do
            t:offer(offered)
        end
        decline(t, "{ refuse_seconds = 0 }")
        t:advance(10)
        has({ since = between(9.99, 10), lately = { offers = 2, fits = 0 } }, explain(t), "explanation")
    end)

    it("is a filter that runs, of an agent whose last offer is long gone", function()
        local t = start()
        t:offer { cpus = 2, role = "r1", agent_id = "a" }
        decline(t, "{ refuse_seconds = 10000 }")
        t:offer { cpus = 4, role = "r1", agent_id = "a" }
        decline(t, "{ refuse_seconds = 0 }")
        t:advance(2000)
        has({ withheld = { filter_count = 1, filters = { { seconds = between(7999, 8000) } } } }, explain(t), "explanation")
    end)

    it("is the role that was revived last, among many", function()
        local t = start()
        t:offer { cpus = 4, role = "r1" }
        decline(t, "{ refuse_seconds = 10000 }")
        assert.equal(1, explain(t).withheld.filter_count)
        run(t, "for i = 1, 64 do driver:reviveOffers { 'r' .. i } end driver:reviveOffers { 'r1' }")
        run(t, "driver:reviveOffers { 'r65' }")
        assert.equal(0, explain(t).withheld.filter_count)
    end)
end)
