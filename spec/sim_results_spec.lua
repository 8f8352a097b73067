-- SPDX-License-Identifier: Apache-2.0
--
-- What follows a run of the simulator: statistics, assertions, comparisons, the files, the terminal, and the processes
-- that runs are made in. All of it is Lua that the program has inside; here it runs in busted, on results by hand.

local program = require("support.program")
local internals = require("internals")
local uv = require("luv")

local build = os.getenv("MESOS_LUA_BUILD") or "build"

-- The modules of host/sim, with what the program has besides.
package.path = "host/?.lua;" .. package.path
package.preload["sim.system"] = function() return internals.sim_system end
local statistics = require "sim.statistics"
local numbers = require "sim.numbers"
local assertions = require "sim.assertions"
local comparison = require "sim.comparison"
local text = require "sim.text"
local output = require "sim.output"
local terminal = require "sim.terminal"
local json = require "mesos.json"

after_each(program.cleanup)

-- A result as README.md has it, with this summary and what else is given.
local function result_of(summary, more)
    local result = { script = "first.lua", seed = 1, ended = "all jobs ended", summary = summary }
    for key, value in pairs(more or {}) do
        result[key] = value
    end
    return result
end

describe("statistics", function()
    local rows = { { 1, 12.7062047362 }, { 2, 4.3026527297 }, { 4, 2.7764451052 }, { 9, 2.2621571628 },
        { 29, 2.0452296421 }, { 1000, 1.9623390808 } }
    for _, row in ipairs(rows) do
        it(("knows Student's t with %d degrees of freedom"):format(row[1]), function()
            assert.is_near(row[2], statistics.t_quantile(0.975, row[1]), 1e-8)
            assert.equal(-statistics.t_quantile(0.975, row[1]), statistics.t_quantile(0.025, row[1]))
        end)
    end

    it("knows it for other probabilities", function()
        assert.equal(0, statistics.t_quantile(0.5, 7))
        assert.is_near(4.6040948713, statistics.t_quantile(0.995, 4), 1e-8)
        assert.is_near(0.7406970841, statistics.t_quantile(0.75, 4), 1e-8)
        assert.is_near(318.3088389855, statistics.t_quantile(0.999, 1), 1e-6)
    end)

    it("knows the incomplete beta function", function()
        assert.is_near(0.3483, statistics.incomplete_beta(0.3, 2, 3), 1e-12) -- 6x^2 - 8x^3 + 3x^4
        assert.is_near(0.9163, statistics.incomplete_beta(0.7, 2, 3), 1e-12)
        assert.is_near(2 / math.pi * math.asin(math.sqrt(0.2)), statistics.incomplete_beta(0.2, 0.5, 0.5), 1e-12)
        assert.equal(0, statistics.incomplete_beta(0, 2, 3))
        assert.equal(1, statistics.incomplete_beta(1, 2, 3))
    end)

    it("refuses probabilities that are none", function()
        assert.has_error(function() statistics.t_quantile(1, 3) end)
        assert.has_error(function() statistics.t_quantile(0.5, 0) end)
    end)

    it("computes means, variances and intervals", function()
        assert.equal(5, statistics.mean { 2, 4, 4, 4, 5, 5, 7, 9 })
        assert.is_near(32 / 7, statistics.variance { 2, 4, 4, 4, 5, 5, 7, 9 }, 1e-12)
        assert.is_nil(statistics.mean {})
        assert.is_nil(statistics.variance { 1 })
        local interval = statistics.interval { 1, 2, 3, 4, 5 } -- 3 +- 2.7764 * sqrt(2.5 / 5)
        assert.same({ 3, 5 }, { interval.mean, interval.count })
        assert.is_near(3 - 1.9632432, interval.low, 1e-6)
        assert.is_near(3 + 1.9632432, interval.high, 1e-6)
        assert.same({ mean = 7, count = 1 }, statistics.interval { 7 })
    end)

    it("pairs", function()
        -- Worlds differ much, the two in each little: 1, 2, 3.
        local interval = statistics.paired({ 101, 52, 13 }, { 100, 50, 10 })
        assert.is_near(2, interval.mean, 1e-12)
        assert.is_near(2 - 4.3026527297 / math.sqrt(3), interval.low, 1e-8)
    end)
end)

describe("an assertion", function()
    local summary = {
        wait = { mean = 12.5, p95 = 30, count = 4 }, lost = 0, utilisation = { cpus = 0.71 }, makespan = 7200,
        calls = { ACCEPT = 3 }, jobs = { failed = 1 },
        roles = { batch = { wait = { p95 = 31 }, share = 0.25 }, ["a.b"] = { wait = { p95 = 8 } }, ["x/y-z"] = { share = 0.5 } },
        priorities = { ["5"] = { jobs = { failed = 0 } } }, sizes = { large = { wait = { max = 99 } } },
    }

    local rows = {
        { "wait.p95 < 30", false }, { "wait.p95 <= 30", true }, { "wait.p95 >= 30", true }, { "wait.p95 > 30", false },
        { "wait.p95 == 30", true }, { "wait.p95 != 30", false }, { "lost==0", true }, { "  lost  ==  0.0  ", true },
        { "utilisation.cpus > 70%", true }, { "utilisation.cpus > 0.72", false }, { "makespan <= 2h", true },
        { "makespan < 120 m", false }, { "wait.mean < 1.25e1", false }, { "wait.mean < 12.6s", true }, { "makespan < 1d", true },
        { "lost > -1", true }, { "lost < +1e0", true }, { "calls.ACCEPT == 3", true }, { "calls.KILL == 0", true },
        { 'priorities["(others)"].jobs.failed == 0', false },
        { "roles.batch.wait.p95 < 31.5", true }, { "roles.batch.share == 25%", true }, { "roles.a.b.wait.p95 == 8", true },
        { 'roles["a.b"].wait.p95 == 8', true }, { "roles['a.b'].wait.p95 > 8", false }, { "roles.x/y-z.share >= .5", true },
        { "priorities.5.jobs.failed == 0", true }, { "sizes.large.wait.max < 100", true },
    }
    for _, row in ipairs(rows) do
        it(("says that %s %s"):format(row[1], row[2] and "holds" or "fails"), function()
            assert.equal(row[2], (assertions.parse(row[1]):holds(summary)))
        end)
    end

    local mistakes = {
        { "wait.p96 < 3", "unknown number 'wait.p96' (did you mean 'wait.p95'?)" },
        { "weit.p95 < 3", "did you mean 'wait.p95'?" },
        { "utilization.cpus > 1", "did you mean 'utilisation.cpus'?" },
        { "nonsense > 1", "unknown number 'nonsense'" },
        { "wait.p95", "NAME OP NUMBER expected, such as wait.p95 < 30" },
        { "wait.p95 <", "NAME OP NUMBER expected" },
        { "< 3", "NAME OP NUMBER expected" },
        { "", "NAME OP NUMBER expected" },
        { "lost = 0", "unknown operator '=' (did you mean '=='?)" },
        { "lost ~= 0", "unknown operator '~=' (did you mean '!='?)" },
        { "lost => 0", "(did you mean '>='?)" },
        { "lost <=> 0", "unknown operator '<=>': < <= > >= == or != expected" },
        { "lost == none", "'none' is no number" },
        { "lost == 0x10", "unknown unit 'x10'" },
        { "lost == 1.2.3", "'1.2.3' is no number" },
        { "lost == 1 2", "unknown unit '2'" },
        { "lost == nan", "'nan' is no number" },
        { "wait.p95 < 30 sec", "unknown unit 'sec': s, m, h or d of a time, or % of a share" },
        { "wait.p95 < 30 %", "'%' is no unit of wait.p95, which is a time" },
        { "utilisation.cpus > 3 s", "'s' is no unit of utilisation.cpus, which is a share" },
        { "roles.batch.wait.p96 < 3", "did you mean 'wait.p95'?" },
        { "roles.batch < 3", "roles.NAME and one of wait.count" },
        { "roles['a.b'.wait.p95 < 3", "the name in brackets has no end" },
        { "roles['a.b'] < 3", "a number expected behind the bracket" },
        { "users.anna.share > 0", "unknown number 'users.anna.share'" },
        { "priorities.high.wait.p95 < 3", "'high' is no priority, which is a number" },
        { "sizes.larg.wait.p95 < 3", "there is no size class 'larg' (did you mean 'large'?): they are small, medium, large" },
        { "sizes.a.wait.p95 < 3", "there is no size class 'a'" },
        { "difference.weit.p95 < 3", "did you mean 'wait.p95'?" },
    }
    for _, row in ipairs(mistakes) do
        it(("refuses '%s' before the run"):format(row[1]), function()
            local good, message = pcall(assertions.parse, row[1])
            assert.is_false(good)
            program.assert_has(message, ("--assert '%s': "):format(row[1]))
            program.assert_has(message, row[2])
        end)
    end

    it("fails, in words, where the run has no such number", function()
        local function words(what, of)
            local holds, value, why = assertions.parse(what):holds(of or summary)
            assert.is_false(holds)
            return value, why
        end
        assert.same({ nil, "slowdown.mean has no value in this run" }, { words "slowdown.mean != 3" })
        assert.same({ nil, "no 'web' among the roles of this run: a.b, batch, x/y-z" }, { words "roles.web.share >= 0" })
        assert.same({ nil, "no 'anna' among the users of this run: there are none" }, { words "users.anna.jobs.failed == 0" })
        assert.same({ nil, "roles.batch.wait.max has no value in this run" }, { words "roles.batch.wait.max < 3" })
        assert.same({ 30, "wait.p95 is 30 s" }, { words "wait.p95 < 30" })
        assert.same({ nil, "wait.mean has no value in this run" }, { words("wait.mean < 1", { wait = { count = 0 } }) })
    end)

    it("is checked on every run of the script, and tells which", function()
        local list = assertions.parse_all { "lost == 0", "wait.mean < 3" }
        local verdicts, all = assertions.check(list, {
            result_of({ lost = 0, wait = { mean = 1 } }, { seed = 1 }), result_of({ lost = 2, wait = { mean = 2 } }, { seed = 2 }),
        })
        assert.is_false(all)
        assert.same({
            { text = "lost == 0", holds = true, value = 0, seed = 1, script = "first.lua" },
            { text = "lost == 0", holds = false, value = 2, words = "lost is 2", seed = 2, script = "first.lua" },
            { text = "wait.mean < 3", holds = true, value = 1, seed = 1, script = "first.lua" },
            { text = "wait.mean < 3", holds = true, value = 2, seed = 2, script = "first.lua" },
        }, verdicts)
    end)

    it("fails on a run that proves nothing", function()
        local list = assertions.parse_all { "lost == 0" }
        local function words(more)
            local verdicts, all = assertions.check(list, { result_of({ lost = 0 }, more) })
            assert.is_false(all)
            return verdicts[1].words
        end
        assert.equal("the run ended early: interrupted", words { partial = "interrupted" })
        assert.equal("the policy has failed", words { ended = "the policy has failed" })
    end)

    it("may be about the difference of two scripts", function()
        local a, b = {}, {}
        for seed = 1, 4 do
            a[seed] = result_of({ wait = { p95 = 10 + seed } }, { seed = seed })
            b[seed] = result_of({ wait = { p95 = 15 + seed } }, { seed = seed, script = "other.lua" })
        end
        local list = assertions.parse_all({ "difference.wait.p95 < 0", "difference.lost == 0" }, true)
        local verdicts, all = assertions.check(list, a, comparison.of(a, b))
        assert.is_false(all)
        assert.same({ text = "difference.wait.p95 < 0", holds = true, value = -5, script = "first.lua" }, verdicts[1])
        assert.equal("the two scripts have no lost that could be compared", verdicts[2].words)
        local good, message = pcall(assertions.parse_all, { "difference.lost == 0" })
        assert.is_false(good)
        program.assert_has(message, "there is a difference only with --against")
    end)

    it("takes every name that a summary is said to have", function()
        for _, row in ipairs(numbers.rows) do
            assert.equal(row.name, assertions.parse(row.name .. " >= 0").name)
        end
        for _, row in ipairs(numbers.group_rows) do
            assert.equal("roles.a." .. row.name, assertions.parse(("roles.a.%s >= 0"):format(row.name)).name)
        end
    end)
end)

describe("the names of numbers", function()
    it("come from the summary in order, and lead back", function()
        local summary = {
            zebra = 1, lost = 2, wait = { mean = 3, count = 4 }, calls = { ZAP = 5, ACCEPT = 6 },
            roles = { ["b.c"] = { share = 7 }, a = { wait = { p50 = 8 } } },
            priorities = { ["10"] = { jobs = { failed = 9 } }, ["9"] = { jobs = { failed = 10 } } },
        }
        local values, names = numbers.flatten(summary)
        assert.same({ "wait.count", "wait.mean", "lost", "calls.ACCEPT", "calls.ZAP", "zebra", "roles.a.wait.p50",
            'roles["b.c"].share', "priorities.9.jobs.failed", "priorities.10.jobs.failed" }, names)
        assert.equal(7, values['roles["b.c"].share'])
        for _, name in ipairs(names) do
            if numbers.row_of(name).about ~= "" then
                assert.equal(values[name], select(2, assertions.parse(name .. " >= 0"):holds(summary)))
            end
        end
    end)

    it("are those of README.md", function()
        local readme = program.read("host/sim/README.md"):match("### `summary`\n(.-)\n### ")
        for _, row in ipairs(numbers.rows) do
            for part in row.name:gmatch("%l+") do
                assert(part:find("^p%d*$") or readme:find(part, 1, true), row.name)
            end
        end
    end)

    it("have values as people read them", function()
        local rows = {
            { 12.345, "time", "12.3 s" }, { 119, "time", "119 s" }, { 312, "time", "5.2 min" }, { 9000, "time", "2.5 h" },
            { 259200, "time", "3.0 d" }, { 0.7134, "share", "71.3 %" }, { 1234567, "count", "1 234 567" }, { 999, "count", "999" },
            { -1234, "count", "-1 234" }, { -123456, "count", "-123 456" }, { 2.5, "count", "2.5" }, { 3, "count", "3" },
            { 1.23456, "ratio", "1.235" },
            { 1234.6, "rate", "1 235/h" }, { 12.34, "rate", "12.3/h" }, { -4154.8, "count", "-4 155" },
            { 7200, "work", "2.0 cpu h" }, { 0, "time", "0 s" }, { 0.0015, "time", "1.5 ms" }, { 1e-9, "time", "1e-06 ms" },
        }
        for _, row in ipairs(rows) do
            assert.equal(row[3], numbers.text(row[1], row[2]))
        end
        assert.equal("-7.7 +- 1.6 min", numbers.text_with(-462, 96, "time", "+-"))
        assert.equal("704 +- 8930 ms", numbers.text_with(0.704, 8.93, "time", "+-"))
        assert.equal("71.3 +- 2.0 %", numbers.text_with(0.7134, 0.02, "share", "+-"))
        assert.equal("-4 155 +- 12.5", numbers.text_with(-4154.8, 12.5, "count", "+-"))
        assert.equal("86.9 +- 1.2/h", numbers.text_with(86.9, 1.2, "rate", "+-"))
        assert.equal("2.0 +- 0.5 cpu h", numbers.text_with(7200, 1800, "work", "+-"))
        assert.equal("1.235 +- 1e-05", numbers.text_with(1.23456, 1e-5, "ratio", "+-"))
    end)
end)

describe("a comparison", function()
    local function runs(script, waits, more)
        local list = {}
        for seed, wait in ipairs(waits) do
            list[seed] = result_of({ wait = { mean = wait }, lost = 0, utilisation = { cpus = 0.5 + wait / 1000 } },
                { seed = seed, script = script, set = more and more.set })
        end
        return list
    end

    local function number(group, name)
        for _, row in ipairs(group.numbers) do
            if row.name == name then
                return row
            end
        end
    end

    it("pairs by seed, whatever the order", function()
        local a, b = runs("a.lua", { 101, 52, 13 }), runs("b.lua", { 100, 50, 10 })
        b[1], b[3] = b[3], b[1]
        local found = comparison.of(a, b)
        local group = found.groups[1]
        assert.same({ 1, { 1, 2, 3 }, 0, "a.lua", "b.lua" }, { #found.groups, group.seeds, group.left_out, found.a.script, found.b.script })
        local wait = number(group, "wait.mean")
        assert.is_near(2, wait.difference, 1e-12)
        assert.is_near(-0.4841377, wait.low, 1e-6)
        assert.is_near(2 / (160 / 3), wait.relative, 1e-12)
        assert.same({ "none", "no difference seen", 3, true, "time" }, { wait.verdict, wait.words, wait.count, wait.headline, wait.kind })
    end)

    it("says less or more, and what is better, where the interval is off zero", function()
        local group = comparison.of(runs("a.lua", { 11, 22, 31.5 }), runs("b.lua", { 21, 31, 41 })).groups[1]
        assert.same({ "less", "less, which is better" }, { number(group, "wait.mean").verdict, number(group, "wait.mean").words })
        assert.equal("less, which is worse", number(group, "utilisation.cpus").words)
        assert.equal("no difference seen", number(group, "lost").words)
        assert.is_nil(number(group, "lost").relative)
    end)

    it("has no interval with one seed, and says so", function()
        local wait = number(comparison.of(runs("a.lua", { 11 }), runs("b.lua", { 21 })).groups[1], "wait.mean")
        assert.same({ -10, "unknown", "one seed, so no interval" }, { wait.difference, wait.verdict, wait.words })
        assert.is_nil(wait.low)
    end)

    it("leaves out runs that ended early, and numbers that one side lacks", function()
        local a, b = runs("a.lua", { 1, 2, 3 }), runs("b.lua", { 1, 2, 3 })
        b[2].partial = "interrupted"
        a[1].summary.wait.mean = nil
        local group = comparison.of(a, b).groups[1]
        assert.same({ { 1, 3 }, 1, 1 }, { group.seeds, group.left_out, number(group, "wait.mean").count })
        b[1].seed, b[3].seed = 8, 9
        group = comparison.of(a, b).groups[1]
        assert.same({ {}, 3, {} }, { group.seeds, group.left_out, group.numbers })
    end)

    it("makes a group for each set of parameters", function()
        local a, b = runs("a.lua", { 1, 2 }, { set = { n = "1" } }), runs("b.lua", { 2, 4 }, { set = { n = "1" } })
        table.move(runs("a.lua", { 5, 6 }, { set = { n = "2" } }), 1, 2, 3, a)
        table.move(runs("b.lua", { 5, 6 }, { set = { n = "2" } }), 1, 2, 3, b)
        local groups = comparison.of(a, b).groups
        assert.same({ 2, { n = "1" }, { n = "2" } }, { #groups, groups[1].set, groups[2].set })
        assert.same({ -1.5, 0 }, { number(groups[1], "wait.mean").difference, number(groups[2], "wait.mean").difference })
        local sweep = comparison.sweep(a)
        assert.same({ 2, "a.lua", { 1, 2 }, 0 }, { #sweep, sweep[1].script, sweep[2].seeds, sweep[2].left_out })
        local wait = number(sweep[1], "wait.mean")
        assert.same({ 1.5, 2 }, { wait.mean, wait.count })
        assert.is_near(1.5 - 12.7062047362 * 0.5, wait.low, 1e-8)
        assert.equal("a=1,b=x", comparison.set_text { b = "x", a = "1" })
    end)
end)

describe("text", function()
    it("is made harmless", function()
        assert.equal("a?[31m b ??", text.clean("a\27[31m\nb \xff\xfe"))
        assert.equal("\u{e9}?x", text.clean("\u{e9}\u{9b}x"))
    end)

    it("is cut and wrapped at characters", function()
        assert.equal("\u{e9}\u{e9}..", text.cut(("\u{e9}"):rep(9), 4))
        assert.equal("abcd", text.cut("abcd", 4))
        assert.equal("ab..", text.cut("abcde", 4))
        assert.equal("..", text.cut("abcde", 2))
        assert.same({ "one two", "three", "fourf.." }, text.wrap("one two three fourfivesix", 7))
    end)

    it("shows curves", function()
        assert.equal(" .=@", text.curve({ 0, 0.01, 0.5, 1 }, 4, 1))
        assert.equal(" \u{2581}\u{2584}\u{2588}", text.curve({ 0, 0.01, 0.5, 1 }, 4, 1, true))
        assert.equal("==", text.curve({ 0, 1, 0, 1 }, 2, 1))
        assert.equal("@@@@  ", text.curve({ 3, 3, 0 }, 6, 3))
        assert.equal("   ", text.curve({ 0, 0 }, 3, 0))
    end)
end)

-- Two runs of a script and one of another, with everything that a result may have.
local function whole_results()
    local series = {
        width = 10, count = 2, time = { 0, 10 }, waiting = { 1, 0.5 }, cpus_used = { 3, 4.25 }, cpus_total = { 8, 8 },
        ["share:a"] = { 0.1, 0.2 }, ["waiting:a"] = { 1, 0 }, ["share:*"] = { 0.3, 0.4 },
    }
    local first = result_of({
        wait = { mean = 0.1 + 0.2, p95 = 3.0, count = 2 }, lost = 0, calls = { ACCEPT = 12 }, makespan = 20.5, jobs = { finished = 2 },
        utilisation = { cpus = 0.453125 }, roles = { a = { wait = { mean = 1.5 }, share = 0.25 } }, users = {},
    }, {
        set = { n = "5" }, arguments = {}, series = series, agents = { rows = { { label = "S0, S1", agents = 2, cpus = { 0.5, 0.75 } } } },
        gantt = { { task = "t\"1", job = "j,1", agent = "S0", start = 0.5, stop = 2, state = "TASK_FINISHED", role = "a" } },
        waits = { 0, 0.25, 3 }, waits_by_role = { a = { 0, 1, 2 } },
        longest = { { id = "j,1", role = "a", user = "u", at = 0, wait = 3, state = "running", why = "cpus: 4 needed,\nmost 2" } },
        callbacks = { resourceOffers = { count = 3, failures = 0, total = 1.5, mean = 0.5, p99 = 1, max = 1 } },
        faults = { { at = 5, text = "agent S0 lost" } }, skipped = { { reason = "no duration", count = 2, example = "line 7" } },
    })
    local second = result_of({ wait = { mean = 1 }, lost = 2 }, { seed = 2, set = { n = "5" }, partial = "interrupted" })
    local other = result_of({ wait = { mean = 1 }, lost = 2 }, { script = "other.lua", set = { n = "5" } })
    return { first, second, other }
end

local function whole_document(timing)
    local results = whole_results()
    local list = assertions.parse_all { "lost == 0", "wait.p95 < 5" }
    return output.document {
        results = results, comparison = comparison.of({ results[1], results[2] }, { results[3] }), timing = timing,
        assertions = (assertions.check(list, { results[1], results[2] })),
    }
end

describe("the JSON document", function()
    it("is the same bytes for the same results, and can be read", function()
        local written = output.json(whole_document())
        assert.equal(written, output.json(whole_document()))
        local read = json.decode(written)
        assert.same({ 1, 3, 2, 4 }, { read.version, #read.results, #read.sweep, #read.assertions })
        assert.equal(0.1 + 0.2, read.results[1].summary.wait.mean)
        assert.is_nil(read.results[1].callbacks)
        program.assert_has(written, '"mean":0.30000000000000004,"p95":3.0}')
        program.assert_has(written, '"users":{}')
        program.assert_has(written, '"set":{"n":"5"}')
        -- What a process has printed and this one has read is written as it was.
        local again = output.document { results = read.results, comparison = read.comparison, assertions = read.assertions }
        assert.equal(written, output.json(again))
    end)

    it("has the times of callbacks if they are asked for", function()
        assert.equal(3, json.decode(output.json(whole_document(true))).results[1].callbacks.resourceOffers.count)
    end)

    it("replaces its file as a whole", function()
        local folder = program.directory()
        local path = folder .. "/out.json"
        output.write_json(path, whole_document())
        assert.equal(output.json(whole_document()), program.read(path))
        -- What cannot be written leaves the old file, and nothing besides.
        assert.has_error(function() output.write_json(path, { version = 1, results = { { broken = print } } }) end)
        assert.equal(output.json(whole_document()), program.read(path))
        assert.equal("out.json\n", program.run({ path = "/bin/ls", args = { "-A", folder } }).stdout)
    end)

    it("goes through a link, and to what is no file", function()
        local folder = program.directory()
        assert(uv.fs_symlink(folder .. "/real", folder .. "/link"))
        output.write_text(folder .. "/real", "old")
        output.write_text(folder .. "/link", "new")
        assert.equal("new", program.read(folder .. "/real"))
        assert.equal("link", uv.fs_lstat(folder .. "/link").type)
        output.write_text("/dev/null", "gone")
        assert.equal("char", uv.fs_stat("/dev/null").type)
    end)

    it("tells lists and objects apart where they are empty", function()
        local a, b = result_of({ lost = 0 }, { set = {} }), result_of({ lost = 0 }, { set = {}, seed = 2 })
        local written = output.json(output.document { results = { a, b }, comparison = comparison.of({ a }, { b }),
            assertions = (assertions.check(assertions.parse_all { "lost == 0" }, { a })) })
        assert.equal(5, select(2, written:gsub('"set":{}', ""))) -- two results, a group, a row over seeds, a verdict
        program.assert_has(written, '"seeds":[]')
        assert.is_nil(written:find('"set":[]', 1, true))
    end)

    it("goes to what stands for the standard output, by the name -", function()
        local files, pieces = require "sim.files", {}
        local before = files.stdout
        files.stdout = { write = function(self, piece)
            pieces[#pieces + 1] = piece
            return self
        end }
        output.write_json("-", whole_document())
        assert.equal(output.json(whole_document()), table.concat(pieces))
        files.stdout = { write = function() return nil, "closed" end }
        local good, message = pcall(output.write_text, "-", "text")
        files.stdout = before
        assert.same({ false, "closed" }, { good, message })
    end)

    it("is not lost for the name of a job, or a number that is none", function()
        local sent = output.result_text(result_of({ roles = { ["a\xff"] = { share = 1 } }, lost = 0 / 0, makespan = math.huge }, {
            set = {}, waits_by_role = {}, longest = { { id = "\xe9t\u{e9}", why = "fine \u{e9}" } }, print = print }))
        assert.equal('{"ended":"all jobs ended","longest":[{"id":"?t??","why":"fine \u{e9}"}],"script":"first.lua","seed":1,"set":{},'
            .. '"summary":{"roles":{"a?":{"share":1}}},"waits_by_role":{}}\n', sent)
    end)

    it("comes from a run's process, or an error says what came", function()
        assert.same({ a = 1 }, output.read_json '{"a":1}')
        local good, message = pcall(output.read_json, "Segmentation\nfault")
        assert.is_false(good)
        program.assert_has(message, "the run printed what is no result: ")
        program.assert_has(message, "'Segmentation fault'")
    end)
end)

describe("files", function()
    local function refused(files)
        local good, message = pcall(output.check, files)
        assert.is_false(good)
        return message
    end

    it("are tried before the run, and leave nothing", function()
        local folder = program.directory()
        output.check { json = folder .. "/a.json", csv = folder .. "/csv", report = folder .. "/a.html" }
        output.check { json = "-", report = "/dev/null", csv = folder .. "/csv" }
        assert.equal("csv\n", program.run({ path = "/usr/bin/find", args = { folder, "-mindepth", "1", "-printf", "%f\n" } }).stdout)
    end)

    it("that cannot be written are named", function()
        local folder = program.directory()
        local file = program.script("x", "file")
        assert.equal(("--json %s/no/a.json: cannot be written: No such file or directory"):format(folder),
            refused { json = folder .. "/no/a.json" })
        assert.equal(("--report %s: is a folder, where a file was expected"):format(folder), refused { report = folder })
        assert.equal(("--csv %s: the folder cannot be made: Not a directory"):format(file), refused { csv = file })
        assert.equal(("--csv %s/a/b: the folder cannot be made: No such file or directory"):format(folder),
            refused { csv = folder .. "/a/b" })
        assert.matches("^%-%-csv /proc: cannot be written: ", refused { csv = "/proc" })
    end)

    it("that are lost on a full disk are an error", function()
        local good, message = pcall(output.write_text, "/dev/full", ("x"):rep(100000))
        assert.is_false(good)
        assert.equal("cannot write '/dev/full': No space left on device", message)
    end)
end)

describe("the CSV files", function()
    local function written(timing)
        local folder = program.directory()
        local names = output.write_csv(folder, whole_document(timing))
        return folder, names, function(name)
            return program.read(folder .. "/" .. name)
        end
    end

    it("have what was run in front, and quote what must be", function()
        local _, _, read = written()
        assert.equal('script,seed,set.n,task,job,role,agent,start,stop,state\n'
            .. 'first.lua,1,5,"t""1","j,1",a,S0,0.5,2,TASK_FINISHED\n', read "gantt.csv")
        assert.equal('script,seed,set.n,id,role,user,at,wait,state,why\n'
            .. 'first.lua,1,5,"j,1",a,u,0,3,running,"cpus: 4 needed,\nmost 2"\n', read "longest.csv")
        assert.equal('script,seed,set.n,label,agents,time,cpus\nfirst.lua,1,5,"S0, S1",2,0,0.5\nfirst.lua,1,5,"S0, S1",2,10,0.75\n',
            read "agents.csv")
        assert.equal("script,seed,set.n,role,time,share,waiting\nfirst.lua,1,5,*,0,0.3,\nfirst.lua,1,5,*,10,0.4,\n"
            .. "first.lua,1,5,a,0,0.1,1\nfirst.lua,1,5,a,10,0.2,0\n", read "roles.csv")
        assert.equal("script,seed,set.n,role,quantile,wait\nfirst.lua,1,5,,0,0\nfirst.lua,1,5,,0.5,0.25\nfirst.lua,1,5,,1,3\n"
            .. "first.lua,1,5,a,0,0\nfirst.lua,1,5,a,0.5,1\nfirst.lua,1,5,a,1,2\n", read "waits.csv")
        assert.equal("script,seed,set.n,at,text\nfirst.lua,1,5,5,agent S0 lost\n", read "faults.csv")
        assert.equal("script,seed,set.n,reason,count,example\nfirst.lua,1,5,no duration,2,line 7\n", read "skipped.csv")
        assert.equal('script,seed,set,text,holds,value,words\nfirst.lua,1,n=5,lost == 0,true,0,\n'
            .. 'first.lua,2,n=5,lost == 0,false,2,lost is 2\nfirst.lua,1,n=5,wait.p95 < 5,true,3,\n'
            .. 'first.lua,2,n=5,wait.p95 < 5,false,,wait.p95 has no value in this run\n', read "assertions.csv")
    end)

    it("have a row for each run with all its numbers", function()
        local _, _, read = written()
        local lines = {}
        for line in read("summary.csv"):gmatch("[^\n]+") do
            local cells = {}
            for cell in (line .. ","):gmatch("(.-),") do
                cells[#cells + 1] = cell
            end
            lines[#lines + 1] = cells
        end
        assert.equal(4, #lines)
        local first = {}
        for i, column in ipairs(lines[1]) do
            first[column] = lines[2][i]
        end
        assert.same({ "all jobs ended", "", "0.30000000000000004", "3", "12", "" },
            { first.ended, first.partial, first["wait.mean"], first["wait.p95"], first["calls.ACCEPT"], first["slowdown.mean"] })
        assert.same({ "first.lua", "2", "5", "interrupted" }, { table.unpack(lines[3], 1, 4) })
        local groups = read "groups.csv"
        assert.equal(2, select(2, groups:gsub("\n", "")))
        program.assert_has(groups, "\nfirst.lua,1,5,roles,a,,1.5,")
        local series = read "series.csv"
        program.assert_has(series, "\nfirst.lua,1,5,10,,,,,0.5,,4.25,")
        local compared = read "comparison.csv"
        assert.matches("\nn=5,wait%.mean,time,0%.30000000000000004,1,%-0%.7,%-0%.7,,,1,unknown\n", compared)
    end)

    it("are those that are documented, column by column", function()
        local _, names = written(true)
        local guide = program.read("lua/guide/simulator.md")
        for i, file in ipairs(output.csv_files()) do
            assert.is_true(file.name == names[i])
            program.assert_has(guide, "`" .. file.name .. "`")
            if file.name ~= "summary.csv" and file.name ~= "groups.csv" then
                local row = guide:match("\n| `" .. file.name .. "` |([^\n]*)")
                for _, column in ipairs(file.columns) do
                    assert(row:find("`" .. column .. "`", 1, true) or column == "script" or column == "seed", file.name .. ": " .. column)
                end
            end
        end
        for _, row in ipairs(numbers.rows) do
            local parent, name = row.name:match("^(.-)%.?([%w_]+)$")
            local line = guide:match("\n| `" .. parent:gsub("%.", "%%.") .. "` |([^\n]*)") or guide:match("\n| `" .. name .. "` |([^\n]*)")
            assert(line and (parent == "" or line:find(name, 1, true)), row.name)
        end
    end)

    it("have no callbacks unless those are asked for", function()
        local folder, names, read = written()
        assert.is_nil(read "callbacks.csv")
        assert.is_nil(table.concat(names, " "):find("callbacks", 1, true))
        assert.equal(#names, select(2, program.run({ path = "/bin/ls", args = { "-A", folder } }).stdout:gsub("\n", "")))
        read = select(3, written(true))
        assert.equal("script,seed,set.n,callback,count,failures,total,mean,p99,max\nfirst.lua,1,5,resourceOffers,3,0,1.5,0.5,1,1\n",
            read "callbacks.csv")
    end)
end)

describe("a terminal", function()
    local function options(env, tty, columns)
        for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG", "TERM", "NO_COLOR" } do
            env[name] = env[name] or ""
        end
        env.LUA_PATH = "host/?.lua;;"
        local done = program.run { path = "/usr/bin/lua5.4", env = env, args = { "-e", ([[
            local options = require "sim.terminal".options(%s, %s)
            print(options.tty, options.width, options.color, options.utf8)]]):format(tty, columns) } }
        assert.equal(0, done.code, done:report())
        return done.stdout
    end

    it("has colours unless NO_COLOR forbids them, UTF-8 if the locale has, and a width with limits", function()
        assert.equal("true\t80\ttrue\ttrue\n", options({ LANG = "en_GB.UTF-8" }, true, 80))
        assert.equal("true\t160\tfalse\ttrue\n", options({ LC_ALL = "C.utf8", LANG = "C", NO_COLOR = "1" }, true, 300))
        assert.equal("true\t20\tfalse\tfalse\n", options({ LC_ALL = "C", LANG = "en_GB.UTF-8", TERM = "dumb" }, true, 5))
        assert.equal("true\t80\ttrue\tfalse\n", options({ NO_COLOR = "" }, true))
        assert.equal("false\t80\tfalse\ttrue\n", options({ LC_CTYPE = "de_DE.UTF-8" }, false, 120))
    end)
end)

describe("the line of progress", function()
    local state = { time = 3600, duration = 7200, jobs = 12345, finished = 12000, events = 2000000, elapsed = 2 }

    it("tells how far the run is", function()
        assert.equal("60.0 min of 2.0 h, 2 s left, 12 000 of 12 345 jobs, 1 000 000 events/s", terminal.progress(state, 100))
        assert.equal("run 3 of 12, 60 s left", terminal.progress({ runs = 12, runs_ended = 3, elapsed = 20 }, 80))
        -- Three runs took 15 s, so nine take 45, of which 5 are over.
        assert.equal("run 3 of 12, 40 s left", terminal.progress({ runs = 12, runs_ended = 3, elapsed = 20, ended_at = 15 }, 80))
        assert.equal("run 3 of 12, 1 s left", terminal.progress({ runs = 12, runs_ended = 3, elapsed = 99, ended_at = 15 }, 80))
        assert.equal("run 0 of 12", terminal.progress({ runs = 12, runs_ended = 0, elapsed = 99 }, 80))
        assert.equal("0 s", terminal.progress({ time = 0, elapsed = 0, events = 0 }, 80))
    end)

    it("is never wider than the terminal", function()
        for width = 1, 100 do
            assert.is_true(#terminal.progress(state, width) <= width)
        end
        assert.equal("60.0 min of 2.0 h, 2 s left", terminal.progress(state, 40))
        assert.equal("60.0 min of 2...", terminal.progress(state, 16))
    end)

    it("overwrites itself on a terminal, and is absent elsewhere", function()
        local written = {}
        local stream = { flush = function() end }
        function stream:write(...)
            table.move({ ... }, 1, select("#", ...), #written + 1, written)
        end
        local meter = terminal.meter(stream, { tty = true, width = 20 })
        meter:clear()
        assert.same({}, written)
        meter:show(state)
        meter:clear()
        assert.same({ "\r", "60.0 min of 2.0 h", "\27[K", "\r\27[K" }, written)
        written = {}
        meter = terminal.meter(stream, { tty = true, width = 40 })
        for elapsed = 10, 12, 2 do
            meter:show { runs = 2, runs_ended = 1, elapsed = elapsed }
        end
        assert.same({ "run 1 of 2, 10 s left", "run 1 of 2, 8 s left" }, { written[2], written[5] })
        written = {}
        meter = terminal.meter(stream, { tty = false, width = 20 })
        meter:show(state)
        meter:clear()
        assert.same({}, written)
    end)
end)

describe("the table on the terminal", function()
    local function widest(shown)
        local most = 0
        for line in shown:gsub("\27%[%d*m", ""):gmatch("[^\n]+") do
            most = math.max(most, text.width(line))
        end
        return most
    end

    local function single(more)
        local result = whole_results()[1]
        for key, value in pairs(more or {}) do
            result[key] = value
        end
        return output.document { results = { result } }
    end

    it("has the headlines of a run, curves, why jobs wait, and the files", function()
        local shown = terminal.table(single { problem = "nothing happens any more: 12 jobs wait" },
            { json = "out.json", report = "out.html" }, { width = 80 })
        assert.equal([[
wait.mean         300 ms
wait.p95             3 s
jobs.finished          2
lost                   0
makespan          20.5 s
utilisation.cpus  45.3 %

cpus in use   -------------------------=========================  of 100 %
jobs waiting  @@@@@@@@@@@@@@@@@@@@@@@@@=========================  at most 1

first.lua, seed 1: nothing happens any more: 12 jobs wait

j,1 waited 3 s: cpus: 4 needed, most 2

left out of the workload: 2 rows: no duration, such as line 7

report: out.html
JSON: out.json
]], shown)
    end)

    it("fits into any width, with and without UTF-8 and colours", function()
        for width = 20, 100, 5 do
            for _, timing in ipairs { true, false } do
                local options = { width = width, utf8 = timing, color = timing }
                assert.is_true(widest(terminal.table(whole_document(), { csv = ("folder"):rep(30) }, options)) <= width)
                assert.is_true(widest(terminal.table(single { partial = ("words "):rep(50) }, {}, options)) <= width)
            end
        end
    end)

    it("shows two scripts side by side, with what differs", function()
        local a, b = {}, {}
        for seed = 1, 3 do
            a[seed] = result_of({ wait = { mean = 10 + seed / 10 }, lost = 0, utilisation = { cpus = 0.5 } }, { seed = seed })
            b[seed] = result_of({ wait = { mean = 20 + seed }, lost = 0, utilisation = { cpus = 0.6 } },
                { seed = seed, script = "x/other.lua" })
        end
        local document = output.document { results = table.move(b, 1, 3, 4, { table.unpack(a) }), comparison = comparison.of(a, b) }
        assert.equal([[
3 seeds: means, and half of their 95 % intervals
                  first.lua  other.lua                difference
wait.mean            10.2 s       22 s  -11.8 +- 2.24 s (better)  -53.6 %
lost                      0          0        no difference seen
utilisation.cpus     50.0 %     60.0 %           -10.0 % (worse)  -16.7 %
]], terminal.table(document, {}, { width = 100 }))
        assert.equal([[
3 seeds: means, and half of their 95 % intervals
                  first.lua  other.lua          difference
wait.mean            10.2 s       22 s    -11.8 s (better)
lost                      0          0  no difference seen
utilisation.cpus     50.0 %     60.0 %     -10.0 % (worse)
]], terminal.table(document, {}, { width = 60 }))
        program.assert_has(terminal.table(document, {}, { width = 50 }), "wait.mean            10.2 s    -11.8 s (better)\n")
        local shown = terminal.table(document, {}, { width = 100, color = true, utf8 = true })
        program.assert_has(shown,
            "\27[32mwait.mean            10.2 s       22 s  -11.8 \u{b1} 2.24 s (better)  -53.6 %\27[0m\n")
        document = output.document { results = { a[1], b[1] }, comparison = comparison.of({ a[1] }, { b[1] }) }
        program.assert_has(terminal.table(document, {}, { width = 100 }), "One seed: how far differences can be trusted is not known; "
            .. "try --seeds 1..10.\n")
        document = output.document { results = { a[1], b[2] }, comparison = comparison.of({ a[1] }, { b[2] }) }
        program.assert_has(terminal.table(document, {}, { width = 100 }), "no whole run in the same world: nothing can be compared.\n")
    end)

    it("has a row for each set of parameters of a sweep", function()
        local results = {}
        for n = 1, 2 do
            for seed = 1, 2 do
                results[#results + 1] = result_of({ wait = { mean = n * 10 + seed, p95 = n }, lost = 0 },
                    { seed = seed, set = { agents = tostring(n) } })
            end
        end
        assert.equal([[
2 seeds: means, and half of their 95 % intervals
parameters       wait.mean  wait.p95  jobs.finished  utilisation.cpus  fragmentation.cpus  lost
agents=1    11.5 +- 6.35 s       1 s              -                 -                   -     0
agents=2    21.5 +- 6.35 s       2 s              -                 -                   -     0
]], terminal.table(output.document { results = results }, {}, { width = 120 }))
    end)

    it("tells which assertions fail, where and why", function()
        local shown = terminal.table(whole_document(), {}, { width = 100 })
        program.assert_has(shown, "\nfails  lost == 0 (1 of 2 runs)\n       n=5, seed 2: lost is 2\n"
            .. "fails  wait.p95 < 5 (1 of 2 runs)\n       n=5, seed 2: wait.p95 has no value in this run\n0 of 2 assertions hold\n")
        program.assert_has(shown, "\nfirst.lua, seed 2: partial: interrupted\n")
    end)

    it("tells of an assertion once, however many runs there are", function()
        local function shown(count, value)
            local results = {}
            for seed = 1, count do
                results[seed] = result_of({ lost = value, makespan = 5 }, { seed = seed })
            end
            local verdicts = assertions.check(assertions.parse_all { "lost == 0", "makespan < 1m" }, results)
            return terminal.table(output.document { results = results, assertions = verdicts }, {}, { width = 60 })
        end
        assert.matches("\nholds  lost == 0\nholds  makespan < 1m\n2 of 2 assertions hold\n$", shown(1, 0))
        assert.matches("\nfails  lost == 0: lost is 3\nholds  makespan < 1m\n1 of 2 assertions hold\n$", shown(1, 3))
        assert.matches("\nholds  lost == 0 %(20 runs%)\nholds  makespan < 1m %(20 runs%)\n2 of 2 assertions hold\n$", shown(20, 0))
        local many = shown(20, 3)
        assert.matches("\nfails  lost == 0 %(20 of 20 runs%)\n       seed 1: lost is 3\n", many)
        assert.matches("\n       seed 10: lost is 3\n       and in 10 others\nholds  makespan", many)
    end)

    it("gives the main reason why jobs wait, and the roles where there are several", function()
        local why = "No offer is outstanding.\n- cpus: 8 needed; the most is 4 on a (offer 'O-7').\n- mem: 9 needed.\n"
        local shown = terminal.table(single { longest = { { id = "a", wait = 3, state = "waiting", why = why } } }, {}, { width = 80 })
        program.assert_has(shown, "\na waits 3 s: cpus: 8 needed; the most is 4 on a.\n")
        assert.is_nil(shown:find("roles", 1, true))
        local roles = { a = { wait = { mean = 1 } }, b = { wait = { mean = 2 } } }
        shown = terminal.table(output.document { results = { result_of { lost = 0, roles = roles } } }, {}, { width = 80 })
        assert.equal("lost                 0\nroles.a.wait.mean  1 s\nroles.b.wait.mean  2 s\n", shown)
    end)

    it("has the end of the log, and the times of callbacks if they are asked for", function()
        local result = result_of({ lost = 0 }, { log = { "1 s: a", "2 s: b", "3 s: c", "4 s: d\27[2J" }, callbacks = {
            submit = { count = 12, failures = 1, total = 6, mean = 0.5, p99 = 0.75, max = 16.1 },
            statusUpdate = { count = 0, failures = 0 },
        } })
        local function shown(timing)
            return terminal.table(output.document { results = { result }, timing = timing }, {}, { width = 60 })
        end
        assert.equal([[
lost  0

warnings and errors in the log, the last of 4:
  2 s: b
  3 s: c
  4 s: d?[2J
]], shown())
        program.assert_has(shown(true), [[

callback      count  failures      mean       p99        max
statusUpdate      0         0         -         -          -
submit           12         1  0.500 ms  0.750 ms  16.100 ms
]])
    end)

    it("lets no text move the cursor", function()
        local shown = terminal.table(single { problem = "a\27[2Jb", longest = { { id = "\27]0;x\7", wait = 1, why = "\r\8" } },
            script = "\27c.lua" }, {}, { width = 80 })
        assert.is_nil(shown:find("[\0-\9\11-\31\127]"))
    end)
end)

describe("the processes of runs", function()
    -- Runs the text in another Lua, where `run` is children.run with sh as the program and one request for each text.
    local function start(code, ...)
        return program.start { path = "/usr/bin/lua5.4", args = { program.script([[
            package.cpath = ("@/spec/?.so;"):gsub("@", arg[1]) .. package.cpath
            local children = require "internals".sim_children
            local function run(texts, options)
                local requests = {}
                for i, text in ipairs(texts) do
                    requests[i] = { arguments = { "-c", text } }
                end
                options = options or {}
                options.program = options.program or "/bin/sh"
                return children.run(requests, options)
            end
            local function show(results, stopped)
                for i, r in ipairs(results) do
                    io.write(i, ": ", r.missing and "missing" or r.output or r.error, r.log and r.log ~= "" and " | " .. r.log or "", "\n")
                end
                print(stopped)
            end
            ]] .. code), build, ... }, env = { LD_PRELOAD = os.getenv("LD_PRELOAD") } }
    end

    local function shown(code)
        local run = start(code)
        assert.equal(0, run:wait(20), run:report())
        return run.stdout
    end

    it("give their outputs in the order of the requests, however they end", function()
        local folder = program.directory()
        -- The first waits for the second, and the third for a place.
        assert.equal("1: one\n2: two\n3: three\nfalse\n", shown(([[
            show(run({ "while ! test -e %s/go; do sleep 0.01; done; printf one", "touch %s/go; printf two", "printf three" }, { jobs = 2 }))
        ]]):format(folder, folder)))
    end)

    it("run at most so many at a time", function()
        local folder = program.directory()
        local mark = ("mkdir %s/run && printf alone; rmdir %s/run"):format(folder, folder)
        assert.equal("1: alone\n2: alone\n3: alone\nfalse\n", shown(("local mark = %q show(run { mark, mark, mark })"):format(mark)))
    end)

    it("are errors if they fail, die, or print too much, with the end of what they said", function()
        assert.equal("1: it exited with status 3 | why\n\n2: it was ended by signal 9 (Killed)\n"
            .. "3: its output was longer than 1000 bytes, and it was killed\n4: fine\nfalse\n", shown [[
            show(run({ "echo why >&2; printf lost; exit 3", "kill -9 $$", "yes", "printf fine" }, { jobs = 3, limit = 1000 }))]])
        local out = shown [[show(run({ "i=0; while test $i -lt 2000; do echo line $i >&2; i=$((i+1)); done; exit 1" }))]]
        assert.matches("^1: it exited with status 1 | line 1%d%d%d\n", out)
        assert.matches("\nline 1999\n\nfalse\n$", out)
        assert.is_true(#out < 4200)
        assert.equal("1: cannot run '/nonexistent': no such file or directory\nfalse\n", shown [[
            show(run({ "" }, { program = "/nonexistent" }))]])
    end)

    it("read their input, and are this program if no other is named", function()
        assert.equal("given 5\n", shown [[
            local results = children.run({ { arguments = { "-e", "io.write('given ', #io.read('a'))" }, input = "a\0b\0c" } })
            print(results[1].output)]])
    end)

    it("can be stopped: those that run report, the others are missing", function()
        local run = start [[
            io.stdout:setvbuf "no"
            local text = "trap 'printf partial; exit 0' INT; echo ready >&2; while :; do sleep 0.02; done"
            local told
            show(run({ text, text, text }, { jobs = 2, progress = function(state)
                if not told and state.running == 2 then
                    told = true
                    print(("%d of %d"):format(state.ended, state.count))
                end
            end }))]]
        run:wait_for(function() return run.stdout == "0 of 3\n" end)
        uv.kill(run.pid, "sigint")
        assert.equal(0, run:wait(20), run:report())
        assert.matches("^0 of 3\n1: partial[^\n]*ready\n\n2: partial[^\n]*ready\n\n3: missing\ntrue\n$", run.stdout)
    end)

    it("are killed by a second signal", function()
        local run = start [[
            io.stdout:setvbuf "no"
            local text = "trap 'echo heard >&2' INT; while :; do sleep 0.02; done"
            show(run({ text }, { progress = function() print "turns" end }))]]
        run:wait_for(function() return run.stdout:find("turns") end)
        uv.kill(run.pid, "sigint")
        local before = #run.stdout
        run:wait_for(function() return #run.stdout > before + 6 end)
        uv.kill(run.pid, "sigterm")
        assert.equal(0, run:wait(20), run:report())
        assert.matches("1: it was ended by signal 9 %(Killed%)[^\n]*\n.*true\n$", run.stdout)
    end)

    it("end with an error of the function that follows them, and when it says so", function()
        assert.equal("false\tenough\n1: stopped\n2: missing\ntrue\n", shown [[
            local text = "trap 'printf stopped; exit 0' INT; while :; do sleep 0.02; done"
            print(pcall(run, { text }, { progress = function() error("enough", 0) end }))
            show(run({ text, text }, { progress = function() return true end }))]])
    end)

    it("are refused if what is asked for makes no sense", function()
        assert.equal([[
jobs: a number from 1 to 1024 expected
jobs: a number from 1 to 1024 expected
sim.children: option 'job' is unknown (did you mean 'jobs'?)
requests[2]: a table expected, got boolean
requests[1].arguments: a list of texts expected, got nil
requests[1].arguments[1]: a text without zero bytes expected
requests[1].input: a text expected, got table
0
]], shown [[
            local function refused(requests, options)
                print((select(2, pcall(children.run, requests, options)):gsub("^.-:%d+: ", "")))
            end
            refused({ {} }, { jobs = 0 })
            refused({ {} }, { jobs = "some" })
            refused({}, { job = 1 })
            refused({ { arguments = { "-v" } }, true }, { jobs = 2 })
            refused({ {} })
            refused({ { arguments = { "a\0b" } } })
            refused({ { arguments = { "-v" }, input = {} } })
            print(#children.run({}))]])
    end)
end)
