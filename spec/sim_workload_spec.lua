-- SPDX-License-Identifier: Apache-2.0
--
-- Workloads of the simulator: random numbers and distributions, generators, and files in all their formats.

local program = require("support.program")
local scenarios = require("support.scenarios")
local internals = require("internals")
local json = require("mesos.json")
local random = require("sim.random")
local rows = require("sim.rows")

after_each(program.cleanup)

local function ids(list)
    local found = {}
    for i, row in ipairs(list) do
        found[i] = row.id
    end
    return table.concat(found, " ")
end

local function field(list, name)
    local values = {}
    for i, row in ipairs(list) do
        values[i] = row[name]
    end
    return values
end

local function assert_says(expected, message)
    assert.is_truthy(message:find(expected, 1, true), message)
end

-- ---- random numbers ----

describe("random numbers", function()
    it("are the same on each machine", function()
        local stream = random.stream(1, "a", "b")
        assert.same({ "0x1.6503250ce6e61p-1", 4 }, { ("%a"):format(stream:uniform()), stream:integer(1, 6) })
        assert.same({ "0x1.ffcca94732707p-1", "0x1.aa80e31e9b393p-1" },
            { ("%a"):format(stream:normal()), ("%a"):format(stream:exponential()) })
        assert.same({ "0x1.193ea7aad030bp+0", "0x1.1ed3fe64fc541p+2" }, { ("%a"):format(random.ln(3)), ("%a"):format(random.exp(1.5)) })
    end)

    it("depend on all names of their stream", function()
        local seen = {}
        for _, stream in ipairs { random.stream(1), random.stream(2), random.stream(1, "a"), random.stream(1, "a", "b"),
            random.stream(1, "b", "a"), random.stream(1, "ab") } do
            local bits = stream:bits()
            assert.is_nil(seen[bits])
            seen[bits] = true
        end
    end)

    it("are whole numbers of an interval, each as often as the others", function()
        local stream, counts = random.stream(3), {}
        for _ = 1, 6000 do
            local value = stream:integer(-1, 4)
            counts[value] = (counts[value] or 0) + 1
        end
        for value = -1, 4 do
            assert.near(1000, counts[value], 3.5 * math.sqrt(1000 * 5 / 6))
        end
        assert.equal(7, stream:integer(7, 7))
        stream:integer(math.mininteger + 1, 0)
        assert.has_error(function() stream:integer(2, 1) end)
    end)

    it("come with logarithms, exponentials and cosines to the last bits", function()
        for _, x in ipairs { 5e-324, 1e-310, 1e-10, 0.1, 0.5, 0.99999, 1, 1.00001, 1.5, 2, math.pi, 1e10, 1.7e308 } do
            assert.near(math.log(x), random.ln(x), 4e-16 * math.max(1e-5, math.abs(math.log(x))))
        end
        for _, x in ipairs { -745, -744.5, -100, -1, -1e-9, 0, 0.3, 1, 2.5, 100, 709.7 } do
            assert.near(math.exp(x), random.exp(x), 4e-16 * math.exp(x) + 5e-324)
        end
        assert.equal(math.huge, random.exp(800))
        assert.equal(0, random.exp(-800))
        for turns = -1, 1, 0.0625 do
            assert.near(math.cos(2 * math.pi * turns), random.cosine_of_turns(turns), 1e-15)
        end
    end)
end)

-- ---- distributions ----

-- Mean and deviation of many values that a distribution of a scenario draws.
local function draw(expression, count)
    local list = scenarios.workload(("sim.regular { every = 1, count = %d, job = { cpus = 1, mem = 1, duration = 1, x = %s } }")
        :format(count, expression), { seed = 7 })
    return field(list, "x")
end

local function moments(values)
    local sum, squares = 0, 0
    for _, value in ipairs(values) do
        sum = sum + value
    end
    local mean = sum / #values
    for _, value in ipairs(values) do
        squares = squares + (value - mean) ^ 2
    end
    return mean, math.sqrt(squares / #values)
end

-- The largest distance of the values' shares from those that the function tells: for 1 in 1000 above 1.95 / sqrt(n).
local function distance(values, share)
    table.sort(values)
    local most = 0
    for i, value in ipairs(values) do
        local expected = share(value)
        most = math.max(most, math.abs(i / #values - expected), math.abs((i - 1) / #values - expected))
    end
    return most
end

describe("a distribution", function()
    local COUNT = 4000
    local function normal_share(z) -- by Simpson's rule
        local sum, step = 1 + math.exp(-z * z / 2), z / 16
        for i = 1, 15 do
            sum = sum + (i % 2 == 1 and 4 or 2) * math.exp(-(i * step) ^ 2 / 2)
        end
        return 0.5 + sum * step / 3 / math.sqrt(2 * math.pi)
    end
    local cases = {
        { "sim.uniform(2, 4)", 3, math.sqrt(4 / 12), function(x) return (x - 2) / 2 end },
        { "sim.uniform { high = '1m' }", 30, 60 / math.sqrt(12), function(x) return x / 60 end },
        { "sim.exponential(5)", 5, 5, function(x) return 1 - math.exp(-x / 5) end },
        { "sim.normal { mean = 10, deviation = 3 }", 10, 3, function(x) return normal_share((x - 10) / 3) end },
        { "sim.lognormal { median = 60, sigma = 0.5 }", 60 * math.exp(0.125), 60 * math.exp(0.125) * math.sqrt(math.exp(0.25) - 1),
            function(x) return normal_share(math.log(x / 60) / 0.5) end },
        { "sim.lognormal { mean = 60, sigma = 0.5 }", 60, 60 * math.sqrt(math.exp(0.25) - 1),
            function(x) return normal_share((math.log(x / 60) + 0.125) / 0.5) end },
        { "sim.pareto { scale = 2, shape = 5 }", 2.5, 2 / 4 * math.sqrt(5 / 3), function(x) return 1 - (2 / x) ^ 5 end },
        { "sim.weibull { scale = 3, shape = 2 }", 3 * math.sqrt(math.pi) / 2, 3 * math.sqrt(1 - math.pi / 4),
            function(x) return 1 - math.exp(-(x / 3) ^ 2) end },
        { "sim.empirical { { 0, 1 }, { 0.5, 3 }, { 1, 11 } }", 4.5, nil,
            function(x) return x < 3 and (x - 1) / 4 or 0.5 + (x - 3) / 16 end },
    }
    for _, case in ipairs(cases) do
        it("has its shape: " .. case[1], function()
            local values = draw(case[1], COUNT)
            local mean, deviation = moments(values)
            assert.near(case[2], mean, 3 * (case[3] or deviation) / math.sqrt(COUNT))
            assert.is_true(distance(values, case[4]) < 1.95 / math.sqrt(COUNT), tostring(distance(values, case[4])))
        end)
    end

    local function counts(expression)
        local found = {}
        for _, value in ipairs(draw(expression, COUNT)) do
            found[value] = (found[value] or 0) + 1
        end
        return found
    end

    it("is a choice", function()
        local found = counts "sim.choice { 'a', { 'b', weight = 2 }, { 'c', weight = 0.5 } }"
        for value, share in pairs { a = 2 / 7, b = 4 / 7, c = 1 / 7 } do
            assert.near(share * COUNT, found[value], 3 * math.sqrt(COUNT * share * (1 - share)))
        end
    end)

    it("is Zipf's", function()
        local found = counts "sim.zipf { count = 3, s = 1 }"
        for value, weight in ipairs { 1, 1 / 2, 1 / 3 } do
            local share = weight / (11 / 6)
            assert.near(share * COUNT, found[value], 3 * math.sqrt(COUNT * share * (1 - share)))
        end
        found = counts "sim.zipf { of = { 'x', 'y' }, s = 2 }"
        assert.near(0.8 * COUNT, found.x, 3 * math.sqrt(COUNT * 0.16))
        assert.equal(COUNT, found.x + found.y)
    end)

    it("is of what was measured", function()
        local found = counts "sim.empirical { 5, 5, 7, 9 }"
        assert.near(COUNT / 2, found[5], 3 * math.sqrt(COUNT / 4))
        assert.near(COUNT / 4, found[9], 3 * math.sqrt(COUNT * 3 / 16))
    end)

    it("can be kept between two values, and whole", function()
        for _, value in ipairs(draw("sim.normal { mean = 3, deviation = 5, least = 1, most = 6, whole = true }", 200)) do
            assert.is_true(value >= 1 and value <= 6 and value % 1 == 0)
        end
        assert.same({ 4, 4 }, draw("sim.constant(4)", 2))
    end)

    for _, case in ipairs {
        { "sim.exponential()", "sim.exponential: mean: a number expected, or a text such as \"90s\", got nil" },
        { "sim.exponential(0)", "sim.exponential: mean: a number above 0 expected, got 0" },
        { "sim.exponential { maen = 3 }", "sim.exponential: maen: unknown field (did you mean 'mean'?)" },
        { "sim.exponential(1, 2)", "sim.exponential: 1 numbers at most: mean" },
        { "sim.uniform(3, 2)", "sim.uniform: low is above high" },
        { "sim.normal { mean = 1 / 0, deviation = 1 }", "sim.normal: mean: a number expected" },
        { "sim.lognormal { sigma = 1 }", "sim.lognormal: one of median and mean expected" },
        { "sim.pareto { scale = 'x', shape = 1 }", "sim.pareto: scale: a number expected, or a text such as \"90s\", got the string 'x'" },
        { "sim.normal { mean = 0, deviation = 1, least = 3, most = 2 }", "sim.normal: least is above most" },
        { "sim.normal { mean = 0, deviation = 1, whole = 3 }", "sim.normal: whole: true or false expected, got 3" },
        { "sim.choice {}", "sim.choice: a list of values expected" },
        { "sim.choice { { 1, weight = -1 } }", "sim.choice: [1].weight: a number above 0 expected, got -1" },
        { "sim.choice { { weight = 1 } }", "sim.choice: [1]: a value and its weight expected" },
        { "sim.choice { { 1, 2, weight = 1 } }", "sim.choice: [1].[2]: unknown field" },
        { "sim.zipf { count = 0.5 }", "sim.zipf: count: a whole number from 1 to 1000000 expected, got 0.5" },
        { "sim.empirical { { 0, 1 }, { 0.5, 2 } }", "sim.empirical: [2]: the last share is 1" },
        { "sim.empirical { { 0.5, 1 }, { 0.2, 2 } }", "sim.empirical: [2]: shares go from 0 up to 1" },
        { "sim.empirical { 1, mots = 3 }", "sim.empirical: mots: unknown field" },
    } do
        it("is told what is wrong: " .. case[1], function()
            assert_says("scenario.lua:2: " .. case[2], scenarios.failure("local x = 1\nlocal y = " .. case[1] .. "\nreturn {}"))
        end)
    end
end)

-- ---- generators ----

local JOB = "job = { cpus = 1, mem = 2, duration = 3 }"

describe("a generator", function()
    it("is Poisson's", function()
        local list = scenarios.workload("sim.poisson { rate = 0.1, count = 4000, " .. JOB .. " }")
        local gaps, latest = {}, 0
        for i, row in ipairs(list) do
            gaps[i], latest = row.at - latest, row.at
        end
        local mean = moments(gaps)
        assert.near(10, mean, 3 * 10 / math.sqrt(4000))
        assert.is_true(distance(gaps, function(x) return 1 - math.exp(-x / 10) end) < 1.95 / math.sqrt(4000))
        assert.equal("job-1", list[1].id)
        assert.equal("job-4000", list[4000].id)
        list = scenarios.workload("sim.poisson { every = 1, count = 2, job = { cpus = '2', mem = 1, user = sim.choice { 'u' }, " ..
            "duration = '1m', tasks = sim.choice { '3' }, disk = sim.choice { '4' }, x = sim.choice { '5' } } }")
        for i = 1, 2 do
            assert.same({ id = "job-" .. i, at = list[i].at, cpus = 2, mem = 1, user = "u", duration = 60, tasks = 3, disk = 4, x = "5" },
                list[i])
        end
    end)

    it("is regular, without drifting", function()
        local list = scenarios.workload("sim.regular { every = 0.1, from = '1m', to = 160, name = 'tick', " .. JOB .. " }")
        assert.equal(1000, #list)
        assert.same({ "tick-1", 60, "tick-1000", 60 + 999 * 0.1 }, { list[1].id, list[1].at, list[1000].id, list[1000].at })
    end)

    it("follows the time of day", function()
        local list = scenarios.workload("sim.diurnal { every = '1m', to = '10d', peak = '14h', swing = 0.8, " .. JOB .. " }")
        local hours = {}
        for _, row in ipairs(list) do
            local hour = row.at % 86400 // 3600
            hours[hour] = (hours[hour] or 0) + 1
        end
        assert.near(14400, #list, 4 * math.sqrt(14400))
        assert.near(600 * 1.8, hours[13] / 2 + hours[14] / 2, 4 * math.sqrt(540))
        assert.near(600 * 0.2, hours[1] / 2 + hours[2] / 2, 4 * math.sqrt(60))
        assert.near(600, hours[7] / 2 + hours[8] / 2, 4 * math.sqrt(300))
    end)

    it("comes in bursts", function()
        local list = scenarios.workload("sim.bursts { every = '1h', size = 5, gap = 2, count = 50, " .. JOB .. " }")
        assert.equal(50, #list)
        for i = 1, 50, 5 do
            assert.same({ 2, 2, 2, 2 }, { list[i + 1].at - list[i].at, list[i + 2].at - list[i + 1].at,
                list[i + 3].at - list[i + 2].at, list[i + 4].at - list[i + 3].at })
        end
        list = scenarios.workload("sim.bursts { every = 10, size = sim.choice { 0, 1, 7 }, to = 1000, " .. JOB .. " }")
        assert.is_true(#list > 50 and list[#list].at < 1000)
    end)

    it("makes jobs of values, distributions and functions, which see the rest", function()
        local list = scenarios.workload [[sim.regular { every = 1, count = 3, job = {
            cpus = sim.choice { 2, 4 }, mem = function(row) return row.cpus * 1024 end, duration = "1m", role = "eng",
            attributes = { rack = "r1" }, label = function(row, random) return row.id .. "/" .. random:integer(5, 5) end,
        } }]]
        for i, row in ipairs(list) do
            assert.same({ id = "job-" .. i, at = i - 1, cpus = row.cpus, mem = row.cpus * 1024, duration = 60, role = "eng",
                attributes = { rack = "r1" }, label = ("job-%d/5"):format(i) }, row)
        end
        assert.not_equal(list[1].attributes, list[2].attributes)
    end)

    it("draws jobs from classes, whose fields are drawn as well", function()
        local list = scenarios.workload [[sim.regular { every = 1, count = 60, job = sim.choice {
            { { cpus = 1, mem = 1, duration = sim.uniform(1, 2) }, weight = 3 }, { cpus = 8, mem = 1, duration = sim.uniform(10, 20) },
        } }]]
        local large = 0
        for _, row in ipairs(list) do
            large = large + (row.cpus == 8 and 1 or 0)
            assert.is_true(row.duration >= (row.cpus == 8 and 10 or 1) and row.duration <= (row.cpus == 8 and 20 or 2))
        end
        assert.is_true(large > 5 and large < 30)
        list = scenarios.workload "sim.regular { every = 1, count = 2, job = function(n) return { cpus = n, mem = 1, duration = 1 } end }"
        assert.same({ 1, 2 }, field(list, "cpus"))
    end)

    it("draws each field from a stream of its own", function()
        local function times(fields, seed)
            local list = scenarios.workload(("sim.poisson { every = 1, count = 20, job = { cpus = 1, mem = 1, %s } }"):format(fields),
                { seed = seed })
            return field(list, "at"), field(list, "duration")
        end
        local at, duration = times("duration = sim.exponential(9)", 1)
        local at2, duration2 = times("duration = sim.exponential(9), other = sim.uniform(0, 1)", 1)
        assert.same({ at, duration }, { at2, duration2 })
        at2, duration2 = times("duration = sim.exponential(18)", 1)
        assert.same(at, at2)
        assert.equal(2 * duration[1], duration2[1])
        at2, duration2 = times("duration = sim.exponential(9)", 2)
        assert.not_same(at, at2)
        assert.not_same(duration, duration2)
    end)

    it("is not shifted by another", function()
        local a = "sim.poisson { every = 1, count = 5, name = 'a', " .. JOB .. " }"
        local b = "sim.poisson { every = 1, count = 5, name = 'b', " .. JOB .. " }"
        local function of(name, expression)
            local list = {}
            for _, row in ipairs(scenarios.workload(expression)) do
                list[#list + 1] = row.id:find(name, 1, true) and row.at or nil
            end
            return list
        end
        local alone = of("a", a)
        assert.equal(5, #alone)
        assert.same(alone, of("a", ("sim.merge { %s, %s }"):format(b, a)))
        assert.same(alone, of("a", ("sim.merge { %s, sim.merge { %s } }"):format(b, a)))
        assert.not_same(alone, of("b", b))
    end)

    it("is merged with others in the order of time", function()
        local list = scenarios.workload [[sim.merge {
            sim.regular { every = 2, count = 3, job = { cpus = 1, mem = 1, duration = 1 } },
            { { at = 1, cpus = 2, mem = 1, duration = 1 }, { at = 2, cpus = 2, mem = 1, duration = 1, id = "x" } },
            sim.merge { sim.rows {}, sim.regular { every = 1, from = 3, count = 1, job = { cpus = 3, mem = 1, duration = 1 } } },
        }]]
        assert.equal("job1-1 job2-1 job1-2 x job3_2-1 job1-3", ids(list))
        assert.same({ 0, 1, 2, 2, 3, 4 }, field(list, "at"))
    end)

    it("is changed by a function, or left out", function()
        local loaded = scenarios.load([[return { agents = { { resources = "cpus:1;mem:1" } }, workload = sim.map(
            sim.regular { every = 1, count = 4, job = { cpus = 1, mem = 1, duration = 1 } },
            function(row, random)
                row.cpus, row.u = row.at, random:uniform()
                return row.at ~= 2 and row or nil
            end) }]])
        assert.same({ 0, 1, 3 }, field(scenarios.rows(loaded.source), "cpus"))
        assert.same({ { reason = "sim.map left it out", count = 1, example = "job-3" } }, loaded.source.skipped)
    end)

    for _, case in ipairs {
        { "sim.poisson { every = 1 }", "sim.poisson: job: missing" },
        { "sim.poisson { evry = 1, " .. JOB .. " }", "sim.poisson: evry: unknown field (did you mean 'every'?)" },
        { "sim.poisson { count = 1, " .. JOB .. " }", "sim.poisson: one of `every` (seconds between two) and `rate` (a second) expected" },
        { "sim.poisson { every = 1, rate = 1, " .. JOB .. " }", "sim.poisson: one of `every`" },
        { "sim.poisson { rate = -1, " .. JOB .. " }", "sim.poisson: rate: a number of jobs a second above 0 expected, got -1" },
        { "sim.poisson { every = 'x', " .. JOB .. " }", "sim.poisson: every: seconds as a number" },
        { "sim.poisson { every = 1, count = 1.5, " .. JOB .. " }", "sim.poisson: count: a whole number of jobs expected, got 1.5" },
        { "sim.poisson { every = 1, ['until'] = 5, " .. JOB .. " }", "sim.poisson: until: unknown field (did you mean 'to'?)" },
        { "sim.poisson { every = 1, from = 5, to = 5, " .. JOB .. " }", "sim.poisson: to is not after from" },
        { "sim.poisson { every = 1, name = 'a b', " .. JOB .. " }", "sim.poisson: name: letters, digits" },
        { "sim.poisson { every = 1, count = 1, job = { cpu = 1, mem = 1, duration = 1 } }", "sim.poisson: job.cpu: did you mean 'cpus'?" },
        { "sim.poisson { every = 1, count = 1, job = { 1 } }", "sim.poisson: job: a table of fields expected, got a list" },
        { "sim.poisson { every = 1, count = 1, job = 1 }", "sim.poisson: job: a table of fields, a distribution of such" },
        { "sim.poisson { every = 1, count = 1, job = { cpus = 1, mem = 1 } }", "sim.poisson: job 1: duration is missing" },
        { "sim.poisson { every = 1, count = 1, job = { cpus = -1, mem = 1, duration = 1 } }",
            "sim.poisson: job 1: cpus: a number of 0 or more expected, got -1" },
        { "sim.poisson { every = 1, count = 9, job = { cpus = 1, mem = 1, duration = sim.uniform(-1, 1) } }", ": duration: at least 0" },
        { "sim.poisson { every = 1, count = 99, job = { cpus = 1, mem = 1, duration = 1, user = sim.choice { 'a', '\\n' } } }",
            ": user: a text" },
        { "sim.poisson { every = 1, count = 99, job = sim.choice { { cpus = 1, mem = 1, duration = 1 }, { cpus = -1, mem = 1 } } }",
            ": cpus: a number of 0 or more expected, got -1" },
        { "sim.poisson { every = 1, count = 1, job = { cpus = 1, mem = 1, duration = 1, gpus = 0.5 } }",
            "sim.poisson: job 1: gpus: a whole number" },
        { "sim.poisson { every = 1, count = 1, job = function() end }", "sim.poisson: job: a table of fields expected, got nil" },
        { "sim.poisson { every = 1, count = 1, job = function() error('mine') end }", "mine" },
        { "sim.poisson(3)", "sim.poisson: a table expected" },
        { "sim.diurnal { every = 1, count = 1, swing = 2, " .. JOB .. " }", "sim.diurnal: swing: a number from 0 (always the same) to 1" },
        { "sim.bursts { every = 1, count = 1, " .. JOB .. " }", "sim.bursts: size: how many jobs a burst has is missing" },
        { "sim.bursts { size = 1, count = 1, " .. JOB .. " }", "sim.bursts: every: missing" },
        { "sim.bursts { every = 1, size = sim.constant('x'), count = 1, " .. JOB .. " }",
            "sim.bursts: size: a number of 0 or more expected" },
        { "sim.merge {}", "sim.merge: a list of workloads expected" },
        { "sim.merge { 3 }", "sim.merge: [1]: a workload expected" },
        { "sim.map({}, 3)", "sim.map: the second argument: function(row, random) expected, got 3" },
        { "sim.map({ { at = 0, cpus = 1, mem = 1, duration = 1 } }, function() return 3 end)", "sim.map: its function returned 3" },
        { "sim.map({ { at = 0, cpus = 1, mem = 1, duration = 1 } }, function(row) row.cpus = 'x' return row end)",
            "sim.map: job-1: cpus: a number of 0 or more expected, got the string 'x'" },
        { "sim.map(sim.regular { every = 1, count = 2, " .. JOB .. " }, function(row) row.at = -row.at return row end)",
            "sim.map: job-2: at: from 0 to 36500 days" },
        { "sim.map(sim.regular { every = 1, from = 5, count = 2, " .. JOB .. " }, function(row) row.at = 10 - row.at return row end)",
            "sim.map: job-2: its function set `at` to 4, which is before the row in front of it (5)" },
        { "sim.rows { 3 }", "workload[1]: a row expected, which is a table, got 3" },
        { "sim.rows(3)", "sim.rows: a list of rows expected" },
        { "{ { at = 2, cpus = 1, mem = 1, duration = 1 },\n{ at = 1, cpus = 1, mem = 1, duration = 1 } }",
            "scenario.lua:2: workload[2]: at = 1 is before the 2 of the row in front of it" },
        { "{ { at = 2, cpus = 1, memory = 1, duration = 1 } }", "workload[1]: mem is missing ('memory' is there: did you mean 'mem'?)" },
        { "{ { at = 2, cpus = 1, mem = 1, duration = 1, x = { y = type } } }", "workload[1]: x.y: plain data expected" },
        { "{ { at = 2, cpus = 1, mem = 1, duration = 1, id = 'a\\nb' } }", "workload[1]: id: a text of 1 to 255 bytes" },
        { "{ { at = 2, cpus = 1, mem = 1, duration = 1, attributes = 3 } }", "workload[1]: attributes: a table expected, got 3" },
        { "{ { at = 2, cpus = 1, mem = 1, duration = 1, tasks = 0 } }", "workload[1]: tasks: a whole number of tasks, at least 1" },
    } do
        it("is told what is wrong: " .. case[1], function()
            local message = scenarios.workload_failure(case[1])
            assert_says(case[2], message)
            assert_says("scenario.lua:", message)
        end)
    end
end)

-- ---- files ----

local function of_file(text, options, name)
    name = name or "jobs.csv"
    return ("sim.file('%s', %s)"):format(name, options or "{}"), nil, { [name] = text }
end

describe("a file of rows", function()
    it("is CSV with named columns", function()
        assert.same({
            { id = "a", at = 0, cpus = 1, mem = 128, duration = 60, role = "eng", rack = "r1", comment = "first, with a comma" },
            { id = "b", at = 1.5, cpus = 2, mem = 256, duration = 120, role = "ops", rack = "r2", comment = "of two\nlines" },
            { id = "c", at = 10, cpus = 0.5, mem = 64, duration = 30 },
        }, (scenarios.trace("jobs.csv")))
    end)

    it("is JSON lines, or a list", function()
        assert.same({
            { id = "a", at = 0, cpus = 1, mem = 128, duration = 60, attributes = { zone = "x" } },
            { id = "17", at = 2.5, cpus = 2, mem = 256, duration = 90, tags = { "p", "q" } },
            { id = "c", at = 3600, cpus = 0.5, mem = 64, duration = 1, tasks = 3 },
        }, (scenarios.trace("jobs.jsonl")))
        assert.same({
            { id = "a", at = 0, cpus = 1, mem = 128, duration = 60, note = "a } and a \" and a \\" },
            { id = "b", at = 3, cpus = 1, mem = 128, duration = 60 },
        }, (scenarios.trace("jobs.json")))
        assert.same({}, scenarios.workload(of_file("[ ]", nil, "x.json")))
        assert.same({}, scenarios.workload(of_file("", nil, "x.json")))
    end)

    it("has its columns renamed, left out, completed, scaled and cut off", function()
        local list = scenarios.workload(of_file("\xEF\xBB\xBFtime;n;cores;x\r\n100;j1;2;8\r\n\r\n\"103\";j2;4;9\r\n104;j3;1;1\r\n", [[{
            columns = { time = "at", n = "id", cores = "cpus", x = false }, separator = ";", limit = 2, origin = "first",
            defaults = { mem = 64, duration = "1m", attributes = { zone = "a" } }, scale = { at = 0.5, mem = 2 } }]]))
        assert.same({
            { id = "j1", at = 0, cpus = 2, mem = 128, duration = 60, attributes = { zone = "a" } },
            { id = "j2", at = 1.5, cpus = 4, mem = 128, duration = 60, attributes = { zone = "a" } },
        }, list)
        assert.not_equal(list[1].attributes, list[2].attributes)
        list = scenarios.workload(of_file('{"t":7,"cpus":1,"mem":1,"duration":1}\n', '{ columns = { t = "at" }, origin = 5, scale = 3 }',
            "x.jsonl"))
        assert.same({ { id = "job-1", at = 6, cpus = 1, mem = 1, duration = 1 } }, list)
    end)

    it("is put in order with `sort`", function()
        local text = "id,at,cpus,mem,duration\nc,30,1,1,1\na,10,1,1,1\nb,10,1,1,1\nd,5,1,1,1\n"
        assert.equal("d a b c", ids(scenarios.workload(of_file(text, "{ sort = true }"))))
        assert.equal("a b d", ids(scenarios.workload(of_file('[{"id":"b","at":2,"cpus":1,"mem":1,"duration":1},\n' ..
            '{"id":"a","at":1,"cpus":1,"mem":1,"duration":1}, {"id":"d","at":9,"cpus":1,"mem":1,"duration":1}]',
            "{ sort = true }", "x.json"))))
        assert.same({ 0, 5, 5, 25 }, field(scenarios.workload(of_file(text, "{ sort = true, origin = 'first' }")), "at"))
        local large = { "id,at,cpus,mem,duration,pad\n" } -- over many blocks
        for i = 1, 3000 do
            large[#large + 1] = ("j%d,%d,1,1,1,%s\n"):format(i, i * 7919 % 3001, ("x"):rep(i % 97))
        end
        local list = scenarios.workload(of_file(table.concat(large), "{ sort = true }"))
        assert.equal(3000, #list)
        for i, row in ipairs(list) do
            assert.equal(i, row.at)
            assert.equal(i, tonumber(row.id:sub(2)) * 7919 % 3001)
            assert.equal(tonumber(row.id:sub(2)) % 97, #(row.pad or ""))
        end
    end)

    it("may end in the middle with `partial`", function()
        for _, case in ipairs {
            { "x.csv", "id,at,cpus,mem,duration\na,1,1,1,1\nb,2,1", 3 },
            { "x.csv", "id,at,cpus,mem,duration\na,1,1,1,1\nb,2,1,\"1\n", 3 },
            { "x.jsonl", '{"id":"a","at":1,"cpus":1,"mem":1,"duration":1}\n{"id":"b","at"', 2 },
            { "x.json", '[{"id":"a","at":1,"cpus":1,"mem":1,"duration":1},\n\n{"id":"b","at"', 3 },
            { "x.json", '[{"id":"a","at":1,"cpus":1,"mem":1,"duration":1}\n', 2 },
            { "x.swf", "1 1 0 5 1 -1 -1 1 -1 1024 1 1 1 1 1 1 -1 -1\n2 9 0 5", 2 },
        } do
            local name, text, line = table.unpack(case)
            local message = scenarios.workload_failure(of_file(text, nil, name))
            assert_says(("%s:%d: "):format(name, line), message)
            assert_says("the file ends in the middle of", message)
            assert_says("`partial = true`", message)
            for _, sort in ipairs { "false", "true" } do
                local loaded = scenarios.load(("return { agents = { { resources = 'cpus:1;mem:1' } }, workload = %s }"):format(
                    (of_file(text, "{ partial = true, sort = " .. sort .. " }", name))), nil, { [name] = text })
                assert.equal(1, #scenarios.rows(loaded.source))
                assert.equal(1, #loaded.source.skipped)
                assert_says("the file ends in the middle of", loaded.source.skipped[1].reason)
            end
        end
        assert.equal(1, #scenarios.workload(of_file("id,at,cpus,mem,duration\na,1,1,1,1"))) -- a line without its newline
    end)

    for _, case in ipairs {
        { "a missing column", "id,at,cores,mem,duration\n", nil,
            "jobs.csv:1: no column is called 'cpus': `columns = { NAME = \"cpus\" }`" },
        { "a column with nearly that name", "id,at,cpu,mem,duration\n", nil,
            "jobs.csv:1: no column is called 'cpus' (did you mean 'cpu'?): `columns = { cpu = \"cpus\" }`" },
        { "a column that is not there", "id,at,cpus,mem,duration\n", "{ columns = { tiem = 'at' } }",
            "jobs.csv:1: columns.tiem: the file has no such column" },
        { "two columns of one name", "id,at,cpus,mem,duration,cpu\n", "{ columns = { cpu = 'cpus' } }",
            "jobs.csv:1: two columns are 'cpus'" },
        { "a column without a name", "id,,cpus\n", nil, "jobs.csv:1: column 2 has no name" },
        { "an empty file", "", nil, "jobs.csv: the file is empty" },
        { "too few fields", "id,at,cpus,mem,duration\na,1\nb,1,1,1,1\n", nil, "jobs.csv:2: 2 fields, and there are 5 columns" },
        { "a text that is no number", "id,at,cpus,mem,duration\na,1,x,1,1\n", nil,
            "jobs.csv:2: cpus: a number of 0 or more expected, got the string 'x'" },
        { "an empty field", "id,at,cpus,mem,duration\na,1,,1,1\n", nil, "jobs.csv:2: cpus is missing" },
        { "a quote inside", "id,at,cpus,mem,duration\na,1,1,1,1\nb\"c,1,1,1,1\n", nil, "jobs.csv:3: a quote stands inside a field" },
        { "a carriage return inside", "id,at,cpus,mem,duration\na,1,1\r1,1\n", nil, "jobs.csv:2: a carriage return stands inside a line" },
        { "a carriage return before a quote", "id,at,cpus,mem,duration\na,1,1,1,1\r\"b\n\"\n", nil, "jobs.csv:2: a carriage" },
        { "rows out of order", "id,at,cpus,mem,duration\na,5,1,1,1\nb,4.5,1,1,1\n", nil,
            "jobs.csv:3: at = 4.5 is before 5 in line 2: rows stand in the order of time. `sort = true`" },
        { "rows without a time, sorted", "id,at,cpus,mem,duration\na,,1,1,1\n", "{ sort = true }", "jobs.csv:2: at: from 0 to 36500 days" },
        { "a time without end", "id,at,cpus,mem,duration\na,1e30,1,1,1\n", "{}", "jobs.csv:2: at: from 0 to 36500 days" },
        { "an unknown option", "", "{ sotr = true }", "sim.file: sotr: unknown field (did you mean 'sort'?)" },
        { "an option of the wrong kind", "", "{ limit = 0 }", "sim.file: limit: a whole number of rows, at least 1 expected, got 0" },
        { "another", "", "{ scale = { rack = 3 } }", "sim.file: scale: a number above 0 for the times, or a table" },
        { "columns of a trace", "", "{ format = 'cook', columns = {} }", "sim.file: columns: this is for the formats csv and json only" },
        { "a separator in JSON", "", "{ format = 'json', separator = ';' }", "sim.file: separator: this is for the formats csv only" },
        { "events that are not sorted", "", "{ format = 'google2011', sort = false }", "sim.file: sort: rows of the format google2011" },
        { "an unknown format", "", "{ format = 'xml' }", "sim.file: format: 'xml': there is no such format; there are cook, csv" },
        { "compressed", "\x1f\x8b\x08\x00", nil, "jobs.csv: the file is compressed: unpack it first, such as with gunzip -k" },
    } do
        it("is told what is wrong: " .. case[1], function()
            assert_says(case[4], scenarios.workload_failure(of_file(case[2], case[3])))
        end)
    end

    for _, case in ipairs {
        { "no object", "3\n", "x.json:1: an object in one line expected (JSON lines), or a list of objects in the whole file" },
        { "no object in a list", "[\n3 ]", "x.json:2: an object expected, and there is '3'" },
        { "bad syntax", '{"id":"a","at":0,"cpus":1,"mem":1,"duration":1}\n{"id":}\n', "x.json:2: column 7: unexpected token near '}'" },
        { "bad syntax in a list", '[ {"id":"a","at":0,"cpus":1,"mem":1,"duration":1},\n{"id":\n x} ]',
            "x.json:3: column 2: invalid token near 'x'" },
        { "no comma", '[{"id":"a","at":0,"cpus":1,"mem":1,"duration":1}\n {} ]',
            "x.json:2: ',' and an object, or ']', expected, and there is '{'" },
        { "a comma too many", '[{"id":"a","at":0,"cpus":1,"mem":1,"duration":1},\n]', "x.json:2: an object expected, and there is ']'" },
        { "something behind", '[{"id":"a","at":0,"cpus":1,"mem":1,"duration":1}]\nx', "x.json:2: something stands behind the list" },
        { "a field that is missing", '{"id":"a","at":0,"cpu":1,"mem":1,"duration":1}\n',
            "x.json:1: cpus is missing (`columns = { cpu = \"cpus\" }` in the options of sim.file() renames 'cpu')" },
        { "a line that is too long", '{"a":"' .. ("x"):rep(1 << 20) .. '"}\n', "x.json:1: the line has more than 1048576 bytes" },
        { "an object that is too large", '[\n{"a":"' .. ("x"):rep(1 << 20) .. '"}]', "x.json:2: the object has more than 1048576 bytes" },
    } do
        it("in JSON is told what is wrong: " .. case[1], function()
            assert_says(case[3], scenarios.workload_failure(of_file(case[2], nil, "x.json")))
        end)
    end

    it("is told what is wrong: a folder, or no plain file that is read twice", function()
        local message = scenarios.workload_failure("sim.file('/tmp', { format = 'csv' })")
        assert_says("/tmp: this is a folder, and a file is expected", message)
    end)
end)

describe("a reader", function()
    local readers = require("sim.readers")

    it("goes back to what it has read, also from a record that is wrong", function()
        local folder = scenarios.folder { ["a.csv"] = "a,b\n\"1\n\",2\n3,4\nx\ry\"z\n", ["a.json"] = '[{"a":1}, {"a":2},\n{"a":}]' }
        for name, expected in pairs { ["a.csv"] = { { "a", "b" }, { "1\n", "2" }, { "3", "4" } }, ["a.json"] = { { a = 1 }, { a = 2 } } } do
            local reader, items = readers[name:match("%w+$")](folder .. name), {}
            local good, item, line, offset
            repeat
                good, item, line, offset = pcall(reader.next, reader)
                items[#items + 1] = good and { item, line, offset } or nil
            until not good
            assert.equal(#expected, #items)
            for i = #items, 1, -1 do
                assert.same(expected[i], items[i][1])
                reader:seek(items[i][3], items[i][2])
                local again, line_again, offset_again = reader:next()
                assert.same(items[i], { again, line_again, offset_again })
            end
            reader:close()
            assert.has_error(function() reader:next() end, "the file is closed")
        end
    end)

    it("takes no other arguments than it should", function()
        local folder = scenarios.folder { ["a.csv"] = "a,b\n", ["a.json"] = "{}" }
        local reader = readers.csv(folder .. "a.csv")
        assert.has_error(function() reader:seek(-1, 1) end)
        assert.has_error(function() reader:seek(0, 0) end)
        assert.has_error(function() reader:names("a") end)
        assert.has_error(function() readers.json(folder .. "a.json"):names({}) end)
        assert.has_error(function() readers.csv() end)
        assert.has_error(function() reader.next({}) end)
    end)

    it("gives rows in the order of time, and those of one time as they stand in the file", function()
        local order, list = readers.order(), {}
        for offset, at in ipairs { 5, 1, 5, -3.5, 1 } do
            order:add(at, offset, offset + 10, at * 2, offset)
        end
        order:sort()
        assert.equal(-3.5, order:least())
        for offset, line, number, integer, at in function() return order:next() end do
            assert.same({ offset + 10, at * 2, offset }, { line, number, integer })
            list[#list + 1] = offset
        end
        assert.same({ 4, 2, 5, 1, 3 }, list)
        assert.error_matches(function() order:add(0 / 0, 1, 1) end, "a time expected, got NaN")
        order = readers.order()
        order:sort()
        assert.is_nil(order:least())
        assert.is_nil(order:next())
    end)
end)

describe("a trace of", function()
    it("Cook is put in order and begins at 0", function()
        local list, skipped = scenarios.trace("cook.json", "cook")
        assert.same({
            { id = "00000000-0000-0000-0000-000000000002", at = 0, cpus = 1, mem = 500, duration = 30.5, user = "bob", priority = 75 },
            { id = "00000000-0000-0000-0000-000000000001", at = 2, cpus = 2, mem = 2000, duration = 60, user = "ann", priority = 50,
                name = "late", command = "sleep 10", retries = 5, status = "failed" },
        }, list)
        assert.same({ { reason = "no run-time-ms", count = 1, example = scenarios.TRACES .. "cook.json:22" } }, skipped)
    end)

    it("openb has its pods", function()
        local list, skipped = scenarios.trace("openb_pods.csv", "openb")
        assert.same({
            { id = "pod-1", at = 0, duration = 1000, cpus = 12, mem = 16384, qos = "LS", phase = "Running" },
            { id = "pod-2", at = 200, duration = 600, cpus = 4, mem = 10240, gpus = 1, gpu_milli = 460,
                gpu_spec = "V100M16|V100M32", qos = "BE", phase = "Failed" },
            { id = "pod-3", at = 250, duration = 10, cpus = 1.5, mem = 512, gpus = 8, gpu_milli = 1000, qos = "LS", phase = "Pending" },
        }, list)
        assert.same({ { reason = "no deletion_time: it had not ended", count = 1, example = scenarios.TRACES .. "openb_pods.csv:5" } },
            skipped)
    end)

    it("Google's of 2011 has a row for each task that ended", function()
        local list, skipped = scenarios.trace("google2011.csv", "google2011")
        assert.equal("100-0-1 200-0-3 200-1-5 200-1-12", ids(list))
        assert.same({ 0, 0, 2, 16 }, field(list, "at"))
        assert.same({ 40, 10, 10, 10.5 }, field(list, "duration"))
        assert.same({ "killed", "finished", "failed", "finished" }, field(list, "outcome"))
        assert.same({ id = "200-0-3", at = 0, duration = 10, cpus = 16, mem = 8192, disk = 104.8576, user = "bob", priority = 0,
            class = "0", collection = "200", outcome = "finished", anti_affinity = true }, list[2])
        local reasons = {}
        for _, entry in ipairs(skipped) do
            reasons[entry.reason] = entry.count .. " " .. entry.example:match("%d+$")
        end
        assert.same({
            ["a task ended that was not submitted in this file"] = "1 20", ["no request"] = "1 16",
            ["had not ended at the end of the trace"] = "1 24", ["was not scheduled in the trace"] = "1 21",
        }, reasons)
    end)

    it("Google's of 2019 is CSV or JSON lines, without alloc sets", function()
        for _, name in ipairs { "google2019.csv", "google2019.jsonl" } do
            local list, skipped = scenarios.trace(name, "google2019")
            assert.same({ { id = name:find("csv") and "7001-0-2" or "7001-0-1", at = 0, duration = 10, cpus = 8, mem = 16384,
                priority = 103, class = "2", collection = "7001", outcome = "finished" } }, list)
            assert.same({ 1, "an instance of an alloc set, which is a reservation" }, { skipped[1].count, skipped[1].reason })
        end
    end)

    it("the Parallel Workloads Archive has processors, memory and users", function()
        local list, skipped = scenarios.trace("jobs.swf")
        assert.same({
            { id = "1", at = 0, cpus = 4, mem = 8, duration = 3600, user = "user3", group = "group1", queue = 1, limit = 7200, status = 1 },
            { id = "3", at = 12, cpus = 8, mem = 8192, duration = 60, user = "user4", group = "group2", queue = 2, limit = 600,
                status = 1 },
        }, list)
        assert.same({ "no run time", "no memory is given, taken as 1024 MB for each processor: not left out" },
            { skipped[1].reason, skipped[2].reason })
    end)

    it("is scaled as the options say", function()
        local text = program.read(scenarios.TRACES .. "google2011.csv")
        local list = scenarios.workload(of_file(text, "{ format = 'google2011', scale = { cpus = 100, mem = 1000, at = 2 }, limit = 3 }"))
        assert.same({ 25, 50, 12.5 }, field(list, "cpus"))
        assert.same({ 0, 0, 4 }, field(list, "at"))
        list = scenarios.workload(of_file(text, "{ format = 'google2011', scale = 2, limit = 1, origin = 500 }"))
        assert.same({ 200, 8, 16384 }, { list[1].at, list[1].cpus, list[1].mem })
    end)

    for _, case in ipairs {
        { "cook", '[{"submit-time-ms":1,"run-time-ms":1,"job/resource":[{"resource/amount":1}]}]', "job/resource[1]: resource/type and" },
        { "openb", "name,cpu_milli\n", ":1: no column is called 'memory_mib'" },
        { "openb", "name,cpu_milli,memory_mib,num_gpu,creation_time,deletion_time,scheduled_time\na,1,1,0,x,1,1\n",
            ":2: creation_time: a number expected, got 'x'" },
        { "google2011", "1,,2,3\n", ":1: 4 fields, and there are 13 columns" },
        { "google2011", "1,,2,3,,x,u,0,0,0,0,0,0\n", ":1: event type: a number expected, got 'x'" },
        { "google2011", "1,,2,3,,0,u,0,0,0,0,0,0\n1,,2,3", ":2: the file ends in the middle of" },
        { "google2019", '{"time":1,"type":"WALK","collection_id":1,"instance_index":0}\n', "and 'WALK' is no type of an event" },
        { "google2019", "time,type\n", ":1: no column is called 'collection_id'" },
        { "swf", "1 2 3\n", ":1: 3 fields, and there are 18 in the standard workload format" },
        { "swf", "1 x 3\n", ":1: field 2: a number expected, got 'x'" },
    } do
        it(case[1] .. " is told what is wrong: " .. case[3], function()
            assert_says(case[3], scenarios.workload_failure(of_file(case[2], ("{ format = '%s' }"):format(case[1]), "trace")))
        end)
    end
end)

describe("a large file", function()
    local function write(name, line, total)
        local folder = scenarios.folder {}
        local file <close> = assert(io.open(folder .. name, "wb"))
        file:setvbuf("full", 1 << 20)
        if name:find("csv$") then
            assert(file:write("id,at,cpus,mem,duration,role,user,comment\n"))
        end
        for i = 1, total do
            file:write(line:format(i, i))
        end
        return folder .. name
    end

    -- The most that Lua and C had in use, in KB, above what they had before.
    local function peak(path, total)
        local scenario = require("sim.scenario")
        collectgarbage()
        local lua, c = collectgarbage("count"), internals.sim_memory()
        local source = scenario.load(nil, { agents = 1, resources = "cpus:1;mem:1", workload = path }).source
        local count, most_lua, most_c = 0, 0, 0
        while source:next() do
            count = count + 1
            if count % 1000 == 0 then
                local grown = collectgarbage("count") - lua -- which is C's as well
                most_lua = math.max(most_lua, grown)
                most_c = math.max(most_c, internals.sim_memory() - c - grown * 1024)
            end
        end
        assert.equal(total, count)
        return most_lua, most_c / 1024
    end

    for _, case in ipairs {
        { "jobs.csv", "job-%d,%d,1,128,60,eng,ann,\"a comment, which is quoted\"\n", 200000 },
        { "jobs.jsonl", '{"id":"job-%d","at":%d,"cpus":1,"mem":128,"duration":60,"role":"eng","user":"ann"}\n', 50000 },
    } do
        it("is read in bounded memory: " .. case[1], function()
            local lua, c = peak(write(case[1], case[2], case[3]), case[3])
            assert.is_true(lua < 4096, "Lua: " .. lua)
            assert.is_true(c < 2048, "C: " .. c)
        end)
    end
end)

describe("rows", function()
    it("have durations as texts", function()
        for text, seconds in pairs { ["90s"] = 90, ["2h"] = 7200, ["30d"] = 2592000, ["1h30m"] = 5400, ["250ms"] = 0.25, ["1.5 m"] = 90,
            ["7"] = 7, ["1w"] = 604800, ["5min"] = 300 } do
            assert.equal(seconds, rows.seconds(text), text)
        end
        for _, text in ipairs { "", "s", "1x", "1h 2", "h1", "1..2s" } do
            assert.is_nil(rows.seconds(text), text)
        end
        assert.is_nil(rows.seconds(true))
    end)

    it("are plain data, also as JSON", function()
        local list = scenarios.workload("sim.poisson { every = 1, count = 3, " .. JOB .. " }")
        assert.equal(3, #json.decode(json.encode(list)))
    end)
end)
