-- SPDX-License-Identifier: Apache-2.0
--
-- The modules between a policy and the master: mesos.placement, mesos.demand, mesos.reconcile.

local master = require("support.master")
local program = require("support.program")

local HEAD = [[
local mesos = require "mesos"
local placement = require "mesos.placement"
local task = require "mesos.task"
local function fails(f, ...)
    local ok, message = pcall(f, ...)
    return ok and "no error" or message
end
local NEED = { cpus = 1, mem = 100 }
local offers
-- The hosts to which tasks go, one after the other, under these constraints.
local function hosts(count, options)
    local list, stock = {}, mesos.offers(table.move(offers, 1, #offers, 1, {}))
    options.placed = options.placed or {}
    for i = 1, count do
        local offer, reason = placement.choose(stock, NEED, options)
        if not offer then list[i] = reason break end
        stock:take(offer, NEED)
        list[i] = offer.hostname
        table.insert(options.placed, placement.facts(offer, options.constraints))
    end
    return table.concat(list, " ")
end
-- The same for all members of a gang, and what is left of the offers in all.
local function gang(needs, options, before)
    local stock = mesos.offers(table.move(offers, 1, #offers, 1, {}))
    if before then stock:take(offers[1], before) end
    local members, reason = placement.gang(stock, needs, options)
    local list = {}
    for i, member in ipairs(members or {}) do
        list[i] = member.offer.hostname .. ":" .. member.resources[1].scalar
    end
    return (members and table.concat(list, " ") or reason) .. ", left " .. stock:sum("cpus")
end
local scheduler = { framework = { name = "x", capabilities = { { type = "REGION_AWARE" }, { type = "MULTI_ROLE" } } } }
]]

-- a: 4 cpus, rack 1, zone x; b: 3 cpus, rack 1, zone y; c: 2 cpus, rack 2, zone y; d: 1 cpu, no rack.
local function offers_of(m)
    local rows = { { "a", 4, "1", "x" }, { "b", 3, "1", "y" }, { "c", 2, "2", "y" }, { "d", 1, nil, "z" } }
    local list = {}
    for i, row in ipairs(rows) do
        list[i] = m:offer {
            hostname = row[1], agent_id = "agent-" .. row[1],
            resources = {
                { name = "cpus", type = "SCALAR", scalar = row[2], allocation_info = { role = "*" } },
                { name = "mem", type = "SCALAR", scalar = 1000, allocation_info = { role = "*" } },
            },
            attributes = row[3] and { { name = "rack", type = "TEXT", text = row[3] },
                { name = "size", type = "SCALAR", scalar = row[2] } },
            domain = { fault_domain = { region = { name = "eu" }, zone = { name = "eu-" .. row[4] } } },
        }
    end
    return list
end

describe("mesos.placement", function()
    local rows = {
        { "packs", [[hosts(4, {})]], "d c c b" },
        { "spreads", [[hosts(4, { policy = "spread" })]], "a b c a" },
        { "takes the first", [[hosts(5, { policy = "first" })]], "a a a a b" },
        { "says what is short", [[hosts(11, { policy = "first" })]], "a a a a b b b c c d cpus: 1 needed, most on one offer 0" },
        { "UNIQUE by host", [[hosts(5, { constraints = { "hostname:UNIQUE" } })]], "d c b a constraint hostname:UNIQUE" },
        { "UNIQUE by attribute", [[hosts(3, { constraints = { "rack:UNIQUE" } })]], "c b constraint rack:UNIQUE" },
        { "UNIQUE by zone", [[hosts(4, { constraints = { { "@zone", "UNIQUE" } } })]], "d c a constraint @zone:UNIQUE" },
        { "MAX_PER", [[hosts(4, { constraints = { "rack:MAX_PER:1" } })]], "c b constraint rack:MAX_PER:1" },
        { "CLUSTER", [[hosts(3, { constraints = { "@zone:CLUSTER" }, policy = "first" })]], "a a a" },
        { "CLUSTER around a value", [[hosts(3, { constraints = { "rack:CLUSTER:2" } })]], "c c constraint rack:CLUSTER:2" },
        { "GROUP_BY", [[hosts(6, { constraints = { "rack:GROUP_BY" } })]], "c b c b b constraint rack:GROUP_BY" },
        { "GROUP_BY with a number", [[hosts(3, { constraints = { "rack:GROUP_BY:3" } })]], "c b constraint rack:GROUP_BY:3" },
        { "LIKE", [[hosts(4, { constraints = { "hostname:LIKE:[ab]" } })]], "b b b a" },
        { "UNLIKE", [[hosts(4, { constraints = { "rack:UNLIKE:1|3" } })]], "d c c constraint rack:UNLIKE:1|3" },
        { "IS", [[hosts(2, { constraints = { "rack:IS:2" } })]], "c c" },
        { "IS a number", [[hosts(1, { constraints = { { "size", "IS", 3 } } })]], "b" },
        { "IS by region", [[hosts(1, { constraints = { "@region:IS:us" } })]], "constraint @region:IS:us" },
        { "several at once", [[hosts(3, { constraints = { "rack:IS:1", "hostname:UNIQUE" } })]], "b a constraint rack:IS:1" },
        { "facts that are plain data", [[(function() local f = placement.facts(offers[1], { "rack:UNIQUE" })
            return table.concat({ f.agent_id, f.hostname, f["@region"], f["@zone"], f.rack }, " ") end)()]],
            "agent-a a eu eu-x 1" },
        { "a function of the need beside them", [[(function() local offer, reason = placement.choose(offers, { cpus = 1,
            where = function(o) return o.hostname == "b" end }, { constraints = { "rack:IS:1" } }) return offer.hostname end)()]], "b" },
        -- gangs
        { "places a gang on several agents", [[gang({ { cpus = 3 }, { cpus = 4 }, { cpus = 2 } }, {})]], "b:3.0 a:4.0 c:2.0, left 1.0" },
        { "places a gang whole or not at all", [[gang({ { cpus = 3 }, { cpus = 4 }, { cpus = 3 } }, {})]],
            "member 3 of 3: cpus: 3 needed, most on one offer 2, left 10.0" },
        { "keeps a gang's constraints", [[gang({ NEED, NEED, NEED }, { constraints = { "rack:UNIQUE" } })]],
            "member 3 of 3: constraint rack:UNIQUE, left 10.0" },
        { "counts what was taken before a gang", [[gang({ { cpus = 3 }, { cpus = 3 } }, {}, { cpus = 2 })]],
            "member 2 of 2: cpus: 3 needed, most on one offer 2, left 8.0" },
        -- what is wrong
        { "an operator", [[fails(placement.constraints, { "rack:UNIQ" })]],
            "constraints[1]: there is no operator 'UNIQ' (did you mean 'UNIQUE'?)" },
        { "a value that is missing", [[fails(placement.constraints, { "rack:IS" })]], "constraints[1]: IS needs a value behind it" },
        { "a value too many", [[fails(placement.constraints, { "rack:UNIQUE:1" })]], "constraints[1]: UNIQUE has no value" },
        { "a count", [[fails(placement.constraints, { "a:IS:b", "rack:MAX_PER:x" })]],
            "constraints[2]: a whole number above 0 expected behind MAX_PER, got 'x'" },
        { "a special field", [[fails(placement.constraints, { "@rack:UNIQUE" })]],
            "constraints[1]: '@rack' is none of @hostname, @region and @zone" },
        { "no constraint", [[fails(placement.constraints, { "rack" })]],
            'constraints[1]: "FIELD:OPERATOR" or "FIELD:OPERATOR:VALUE" expected' },
        { "an expression", [[fails(placement.constraints, { "rack:LIKE:a{3}" })]], "regular expression 'a{3}': '{' is not known here" },
        { "an option", [[fails(placement.choose, offers, NEED, { polcy = "pack" })]],
            "placement.polcy: unknown field (did you mean 'policy'?)" },
        { "a policy", [[fails(placement.choose, offers, NEED, { policy = "best" })]],
            "placement.policy: one of pack, spread and first expected, got 'best'" },
        -- a task
        { "a task from an offer", [[(function() local spec = { command = "x", cpus = 2 }
            local info = task.info(spec, "t-1", mesos.offers { offers[1] }, offers[1])
            return info.agent_id .. " " .. info.resources[1].scalar end)()]], "agent-a 2.0" },
        { "a task that does not fit", [[select(2, task.on({ command = "x", cpus = 9 }, "t-1", offers[1]))]],
            "has too little left of cpus: 4.0 of 9.0" },
    }
    local results = {}

    setup(function()
        local lines = { HEAD, "function scheduler:resourceOffers(driver, list)", "offers = list" }
        for i, row in ipairs(rows) do
            lines[#lines + 1] = ("io.write(%d, '\\1', tostring(%s), '\\2')"):format(i, row[2])
        end
        lines[#lines + 1] = "driver:stop() end return scheduler"
        local m = master.start()
        local run = program.start { args = { "-m", m.address, program.script(table.concat(lines, "\n"), "rows.lua") } }
        m:wait_for("SUBSCRIBE")
        m:send_offers(offers_of(m))
        assert.equal(0, run:wait(), run:report())
        for number, text in run.stdout:gmatch("(%d+)\1(.-)\2") do
            results[tonumber(number)] = text
        end
        assert.equal(#rows, #results, run:report())
        program.cleanup()
        master.cleanup()
    end)

    for i, row in ipairs(rows) do
        it(row[1], function()
            assert.is_truthy(results[i]:sub(-#row[3]) == row[3] or results[i]:find(row[3], 1, true) and row[2]:find("^fails"),
                ("'%s', got '%s'"):format(row[3], results[i]))
        end)
    end
end)

-- A framework with this body; its master is quiet but for what the spec sends.
local function start(body)
    local m = master.start()
    local run = program.start { args = { "-m", m.address, program.script(body, "x.lua") } }
    m:wait_for("SUBSCRIBE")
    return m, run
end

-- A module of the library, with a clock that the case sets and timers that it fires.
local function with_clock(name)
    local clock = { time = 1000, waits = {} }
    package.loaded.mesos = {
        now = function() return clock.time end,
        after = function(seconds, fn)
            clock.waits[#clock.waits + 1], clock.fire = seconds, fn
            return { cancel = function() clock.fire = nil end }
        end,
    }
    local module = dofile("lua/mesos/" .. name .. ".lua")
    package.loaded.mesos = nil
    return module, clock
end

describe("mesos.alarm", function()
    it("looks at the clock again every 30 seconds, as it may be set", function()
        local alarm, clock = with_clock("alarm")
        local calls = 0
        alarm.new(function() calls = calls + 1 end):at(1100)
        for _, time in ipairs { 1030, 1020, 1095 } do
            clock.time = time
            clock.fire()
        end
        assert.same({ 30, 30, 30, 5 }, clock.waits)
        assert.equal(0, calls)
        clock.time = 1100
        clock.fire()
        assert.equal(1, calls)
    end)
end)

describe("mesos.demand with a clock", function()
    it("loses nothing when it is set back", function()
        local demand, clock = with_clock("demand")
        local one = demand.new { burst = 2, every = 10 }
        local driver = { reviveOffers = function() end }
        for _, time in ipairs { 1000, 5 } do
            clock.time = time
            one:hurry(driver)
            clock.fire()
        end
        assert.equal(2, one.revives)
    end)
end)

describe("mesos.demand", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    it("suppresses once, revives once for many reasons, and not when it changed its mind", function()
        local m, run = start [[
local mesos = require "mesos"
local demand = require("mesos.demand").new { debounce = 0.05 }
local scheduler = { framework = { name = "x" } }
function scheduler:registered(driver)
    demand:want(driver, false) demand:want(driver, false)
    demand:want(driver, true) demand:want(driver, false)
    mesos.sleep(0.2)
    for _ = 1, 100 do demand:want(driver, true) demand:hurry(driver) end
    mesos.sleep(0.2)
    demand:want(driver, true)
    mesos.sleep(0.2)
    print(demand.revives, demand.suppressed)
    driver:stop()
end
return scheduler]]
        assert.equal(0, run:wait(), run:report())
        assert.equal("1\tfalse\n", run.stdout)
        assert.equal(1, #m:calls_of("SUPPRESS"))
        assert.equal(1, #m:calls_of("REVIVE"))
    end)

    it("bounds revives by a bucket of tokens", function()
        local m, run = start [[
local mesos = require "mesos"
local demand = require("mesos.demand").new { debounce = 0, burst = 2, every = 1000 }
local scheduler = { framework = { name = "x" } }
function scheduler:registered(driver)
    for _ = 1, 20 do demand:hurry(driver) mesos.sleep(0.01) end
    print(demand.revives)
    driver:stop()
end
return scheduler]]
        assert.equal(0, run:wait(), run:report())
        assert.equal("2\n", run.stdout)
        assert.equal(2, #m:calls_of("REVIVE"))
    end)

    it("sends what had to wait for a token later", function()
        local m = start [[
local mesos = require "mesos"
local demand = require("mesos.demand").new { debounce = 0, burst = 1, every = 0.1 }
local scheduler = { framework = { name = "x" } }
function scheduler:registered(driver)
    for _ = 1, 4 do
        demand:hurry(driver)
        local before = demand.revives
        while demand.revives == before do mesos.sleep(0.01) end
    end
end
return scheduler]]
        m:wait_for("REVIVE", 4)
    end)

    it("speaks of its roles alone", function()
        local m = start [[
local demand = require("mesos.demand").new { roles = { "a" }, debounce = 0 }
local scheduler = { framework = { name = "x", roles = { "a", "b" } } }
function scheduler:registered(driver) demand:want(driver, false) demand:hurry(driver) end
return scheduler]]
        assert.same({ "a" }, m:wait_for("SUPPRESS").call.suppress.roles)
        assert.same({ "a" }, m:wait_for("REVIVE").call.revive.roles)
    end)
end)

describe("mesos.reconcile", function()
    after_each(function()
        program.cleanup()
        master.cleanup()
    end)

    local BODY = [[
local mesos = require "mesos"
local reconciler = require("mesos.reconcile").new { first = 0.05, most = 0.2, batch = 2, every = %s,
    tasks = function() return { { task_id = "a", agent_id = "s" }, { task_id = "b" }, { task_id = "c" } } end }
local scheduler = { framework = { name = "x" } }
function scheduler:registered(driver) reconciler:start(driver) end
function scheduler:statusUpdate(driver, status)
    reconciler:answered(status)
    if next(reconciler.waiting) then return end
    print("all") io.stdout:flush()
    mesos.sleep(0.5) -- longer than the longest interval
    driver:stop()
end
return scheduler]]

    local function ids(call)
        local list = {}
        for i, each in ipairs(call.call.reconcile.tasks) do
            list[i] = each.task_id
        end
        return table.concat(list, " ")
    end

    it("asks in batches, again for those without an answer, and then no more", function()
        local m, run = start(BODY:format("900"))
        local first, second = m:wait_for("RECONCILE"), m:wait_for("RECONCILE", 2)
        assert.equal("a b", ids(first))
        assert.equal("s", first.call.reconcile.tasks[1].agent_id)
        assert.equal("c", ids(second))
        m:send(m:update("b", "TASK_RUNNING"))
        m:wait_for("ACKNOWLEDGE")
        local count = #m:calls_of("RECONCILE")
        for i = count + 1, count + 4 do
            assert.equal("a c", ids(m:wait_for("RECONCILE", i)))
        end
        m:send(m:update("a", "TASK_RUNNING"))
        m:send(m:update("c", "TASK_LOST"))
        program.wait_for(function() return run.stdout:find("all") end)
        count = #m:calls_of("RECONCILE")
        assert.equal(0, run:wait(), run:report())
        assert.is_true(#m:calls_of("RECONCILE") - count <= 1) -- one may have been under way
    end)

    it("asks for all from time to time", function()
        local m = start(BODY:format("0.1"))
        m:send(m:update("a", "TASK_RUNNING"))
        for i = 1, 8 do -- the first three rounds have two batches each
            m:wait_for("RECONCILE", i)
        end
        local asked = 0
        program.wait_for(function()
            asked = 0
            for _, call in ipairs(m:calls_of("RECONCILE")) do
                asked = asked + (ids(call):find("a") and 1 or 0)
            end
            return asked >= 4
        end)
    end)
end)
