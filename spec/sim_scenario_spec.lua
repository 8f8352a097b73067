-- SPDX-License-Identifier: Apache-2.0
--
-- Scenarios of the simulator: what a file may say, what is wrong with it and in which line, and the short forms of the
-- command line.

local program = require("support.program")
local scenarios = require("support.scenarios")
local constructor = require("sim.constructor")
local guard = require("sim.guard")
local scenario = require("sim.scenario")

after_each(program.cleanup)

local WORKLOAD = "workload = { { at = 1, cpus = 1, mem = 2, duration = 3 } }"

local function with(fields)
    return ("return {\n    agents = { { count = 2, resources = 'cpus:4;mem:1024' } },\n    %s,\n%s\n}\n"):format(WORKLOAD, fields)
end

describe("a scenario", function()
    it("is all that a run needs to know", function()
        local loaded = scenarios.load [[
            local big = { cpus = 32, mem = 65536, gpus = 2 }
            return {
                agents = {
                    { count = 10, resources = "cpus:4;mem:8192;disk:100;ports:[1-5]", attributes = { rack = "r1", row = 3 },
                      hostname = "small-%d", domain = { region = "eu", zone = "a" } },
                    { resources = big },
                },
                workload = sim.poisson { every = "10s", count = 3, job = { cpus = 1, mem = 128, duration = "1m" } },
                roles = { eng = { weight = 2, guarantees = { cpus = 8 } } },
                master = { domain = { region = "eu", zone = "a" } },
                faults = { { at = "1m", fault = "kill any", ["for"] = "30s" }, { every = "1h", from = 60, fault = "rescind" } },
                duration = "2h", time = 1700000000,
                asserts = { "lost == 0", "wait.p95 < 30" },
            }
        ]]
        assert.same({
            agents = {
                { count = 10, resources = "cpus:4;mem:8192;disk:100;ports:[1-5]", attributes = { rack = "r1", row = 3 },
                    hostname = "small-%d", domain = { region = "eu", zone = "a" } },
                { resources = { { cpus = 32, mem = 65536, gpus = 2 }, "disk:0;ports:[]" } },
            },
            roles = { eng = { weight = 2, guarantees = { cpus = 8 } } },
            master = { domain = { region = "eu", zone = "a" } },
        }, loaded.plan)
        assert.same({ { at = 60, fault = "kill any", ["for"] = 30 }, { every = 3600, from = 60, fault = "rescind" } }, loaded.faults)
        assert.equal(7200, loaded.duration)
        assert.equal(1700000000, loaded.time)
        assert.same({ "lost == 0", "wait.p95 < 30" }, loaded.asserts)
        assert.equal(3, #scenarios.rows(loaded.source))
        assert.same({}, loaded.source.skipped)
    end)

    it("gives agents nothing of this machine", function()
        local loaded = scenarios.load([[return { agents = {
            { resources = "cpus:4;mem:1" }, { resources = { cpus = 1, mem = 1 } },
            { resources = { "cpus:1", { resources = "mem:1", role = "eng" } } },
            { resources = { resources = { cpus = 1, mem = 1 }, role = "eng" } },
            { resources = "cpus(eng):1;mem(eng):5;disk:3" },
        }, ]] .. WORKLOAD .. "}")
        assert.same({
            "cpus:4;mem:1;disk:0;ports:[]", { { cpus = 1, mem = 1 }, "disk:0;ports:[]" },
            { "cpus:1", { resources = "mem:1", role = "eng" }, "disk:0;ports:[]" },
            { { resources = { cpus = 1, mem = 1 }, role = "eng" }, "disk:0;ports:[]" },
            "cpus(eng):1;mem(eng):5;disk:3;ports:[]",
        }, (function()
            local list = {}
            for i, group in ipairs(loaded.plan.agents) do
                list[i] = group.resources
            end
            return list
        end)())
    end)

    it("has groups of agents in lists, as those of sim.cook_hosts() are", function()
        local loaded = scenarios.load(("return { agents = { sim.cook_hosts('%s'), { resources = 'cpus:1;mem:1' } }, %s }"):format(
            "hosts.json", WORKLOAD), nil, { ["hosts.json"] = program.read(scenarios.TRACES .. "cook_hosts.json") })
        assert.same({
            { count = 1, hostname = "host-1", attributes = { rack = "r1" },
                resources = { { cpus = 12, mem = 20000, ports = { { 31000, 31099 } } }, "disk:0" } },
            { count = 1, hostname = "host-2", resources = { { cpus = 4, mem = 8000 }, "disk:0;ports:[]" } },
            { resources = "cpus:1;mem:1;disk:0;ports:[]" },
        }, loaded.plan.agents)
    end)

    it("keeps the order of many groups", function()
        local groups, counts = {}, {}
        for i = 1, 12 do
            groups[i], counts[i] = ("{ count = %d, resources = 'cpus:1;mem:1' }"):format(i), i
        end
        local found = {}
        local loaded = scenarios.load(("return { agents = { %s }, %s }"):format(table.concat(groups, ", "), WORKLOAD))
        for i, group in ipairs(loaded.plan.agents) do
            found[i] = group.count
        end
        assert.same(counts, found)
    end)

    it("has the nodes of openb as agents", function()
        local loaded = scenarios.load(("return { agents = sim.openb_nodes 'nodes.csv', %s }"):format(WORKLOAD), nil,
            { ["nodes.csv"] = program.read(scenarios.TRACES .. "openb_nodes.csv") })
        assert.same({
            { count = 1, hostname = "node-1", resources = { { cpus = 32, mem = 262144 }, "disk:0;ports:[]" } },
            { count = 1, hostname = "node-2", attributes = { gpu_model = "V100M32" },
                resources = { { cpus = 96, mem = 786432, gpus = 8 }, "disk:0;ports:[]" } },
        }, loaded.plan.agents)
    end)

    it("is given seed and parameters, which are numbers where they look so", function()
        local loaded = scenarios.load([[
            local set = sim.set
            return {
                agents = { { count = set.n, resources = "cpus:4;mem:1", attributes = { zone = set.zone or "none", seed = sim.seed } } },
                workload = sim.regular { every = set.every, count = 2, job = { cpus = set.absent or 7, mem = 1, duration = 1 } },
            }
        ]], { seed = 9, set = { n = "3", zone = "b", every = "1e1" } })
        assert.same({ zone = "b", seed = 9 }, loaded.plan.agents[1].attributes)
        assert.equal(3, loaded.plan.agents[1].count)
        local rows = scenarios.rows(loaded.source)
        assert.same({ 0, 10, 7 }, { rows[1].at, rows[2].at, rows[2].cpus })
    end)
end)

describe("a mistake in a scenario", function()
    local cases = {
        { "an unknown field", with "agent = 1", "scenario.lua:4: agent: unknown field (did you mean 'agents'?)" },
        { "a field of a group",
            "return {\n  agents = {\n    { resources = 'cpus:1;mem:1' },\n    { count = 2,\n      resource = 3 },\n  },\n}",
            "scenario.lua:5: agents[2].resource: unknown field (did you mean 'resources'?)" },
        { "agents without resources", "return {\n agents = {\n  { count = 4 },\n }, " .. WORKLOAD .. "}",
            "scenario.lua:3: agents[1].resources: missing: what an agent has, such as resources = \"cpus:32;mem:131072\": " ..
            "nothing is taken from this machine" },
        { "agents without memory", "return { agents = {\n { resources = 'cpus:4' } }, " .. WORKLOAD .. "}",
            "scenario.lua:2: agents[1].resources: mem: missing, such as" },
        { "a count of the wrong kind", "return { agents = { { count = 'x', resources = 'cpus:1;mem:1' } }, " .. WORKLOAD .. "}",
            "scenario.lua:1: agents[1].count: how many agents, a whole number of at least 1, expected, got the string 'x'" },
        { "a count of nothing", "return { agents = { { count = 0, resources = 'cpus:1;mem:1' } }, " .. WORKLOAD .. "}",
            "agents[1].count: how many agents, a whole number of at least 1, expected, got 0" },
        { "no agents", "return { " .. WORKLOAD .. "}", "scenario.lua: agents: there are none" },
        { "an empty list of agents", "return { agents = {}, " .. WORKLOAD .. "}", "scenario.lua:1: agents: there are no agents" },
        { "agents that are no list", "return { agents = { count = 1, resources = '' }, " .. WORKLOAD .. "}",
            "scenario.lua:1: agents: a list of groups of agents expected" },
        { "a function among the attributes",
            "return { agents = { { resources = 'cpus:1;mem:1',\nattributes = { x = print or type } } }, " .. WORKLOAD .. "}",
            "scenario.lua:2: print is not there in a scenario" },
        { "an attribute of the wrong kind",
            "return { agents = { { resources = 'cpus:1;mem:1',\nattributes = { x = type } } }, " .. WORKLOAD .. "}",
            "scenario.lua:2: agents[1].attributes.x: numbers, texts, true, false and tables of them expected, got a function" },
        { "no workload", "return { agents = { { resources = 'cpus:1;mem:1' } } }", "scenario.lua: workload: there is none" },
        { "a workload of the wrong kind", "return { agents = { { resources = 'cpus:1;mem:1' } },\n workload = 3 }",
            "scenario.lua:2: workload: a workload expected, such as sim.poisson{ ... }" },
        { "a workload without an end",
            "return { agents = { { resources = 'cpus:1;mem:1' } },\n workload = sim.poisson { every = 1, job = { cpus = 1, mem = 1 } } }",
            "scenario.lua:2: workload: it has no end: give it `count` or `to`, or the scenario `duration` (--duration)" },
        { "a duration", with "duration = 'tomorrow'", "scenario.lua:4: duration: seconds as a number, or a text such as \"90s\", " ..
            "\"2h\", \"30d\" expected, got the string 'tomorrow'" },
        { "a fault without a name", with "faults = { { at = 1 } }", "scenario.lua:4: faults[1].fault: what happens" },
        { "a fault's field", with "faults = {\n{ at = 1, fault = 'x', agnet = 'S0' } }",
            "scenario.lua:5: faults[1].agnet: unknown field (did you mean 'agent'?)" },
        { "a fault's time", with "faults = { { every = 'x', fault = 'y' } }", "scenario.lua:4: faults[1].every: seconds" },
        { "a stub of another name", with "stubs = { https = type }", "scenario.lua:4: stubs.https: unknown field (did you mean 'http'?)" },
        { "a stub that is no function", with "stubs = { http = 3 }", "scenario.lua:4: stubs.http: a function expected, got 3" },
        { "an assertion that is no text", with "asserts = { 3 }", "scenario.lua:4: asserts[1]: a text" },
        { "a role's field", with "roles = { eng = { wieght = 2 } }",
            "scenario.lua:4: roles.eng.wieght: unknown field (did you mean 'weight'?)" },
        { "the master's field", with "master = { region = 'x' }", "scenario.lua:4: master.region: unknown field; there are domain" },
        { "a time", with "time = 'now'", "scenario.lua:4: time: seconds since the Unix epoch expected, got the string 'now'" },
        { "no table", "return 4",
            "scenario.lua:1: a scenario returns a table, such as { agents = { ... }, workload = ... }, and this returns 4" },
        { "syntax", "return {\n  agents = = 3\n}", "scenario.lua:2: unexpected symbol near '='" },
        { "an error of its own", "local x\nreturn x.y", "scenario.lua:2: attempt to index a nil value (local 'x')" },
        { "bytecode", string.dump(function() return {} end), "attempt to load a binary chunk" },
        { "a global that is not there", "local x = os.time()", "scenario.lua:1: os is not there in a scenario" },
        { "another", "require 'x'", "scenario.lua:1: require is not there in a scenario" },
        { "a function of math", "math.randomseed(1)", "scenario.lua:1: math.randomseed is not there in a scenario" },
        { "a function of sim", "\nsim.poison {}", "scenario.lua:2: sim.poison is not there in a scenario (did you mean 'poisson'?)" },
        { "parameters that are set", "sim.set.x = 3", "scenario.lua:1: sim.set.x: parameters come from --set and are not set here" },
        { "an assertion of its own", "assert(false, 'not with these')", "not with these" },
    }
    for _, case in ipairs(cases) do
        it("is told: " .. case[1], function()
            local message = scenarios.failure(case[2])
            assert.is_truthy(message:find(case[3], 1, true), message)
        end)
    end

    it("is told: a parameter that nothing reads", function()
        local text = "local n = sim.set.agents or 1\n" .. with "duration = 5"
        assert.is_truthy(scenarios.load(text, { set = { agents = "4" } }))
        local message = scenarios.failure(text, { set = { agnets = "4" } })
        assert.is_truthy(message:find("--set agnets=4: scenario.lua does not read sim.set.agnets (did you mean 'agents'?)", 1, true),
            message)
    end)

    it("is told: a file that is not there, or a folder", function()
        local _, message = pcall(scenario.load, "/no/such/scenario.lua", {})
        assert.equal("/no/such/scenario.lua: No such file or directory", message)
        _, message = pcall(scenario.load, "/tmp", {})
        assert.is_truthy(message:find("^/tmp: "), message)
    end)
end)

describe("a scenario that runs for ever", function()
    local limit = guard.limit
    before_each(function() guard.limit = 300000 end)
    after_each(function() guard.limit = limit end)

    it("is stopped, and the line is named", function()
        local message = scenarios.failure("local x = 1\nwhile true do\n    x = x + 1\nend")
        assert.is_truthy(message:find("^scenario.lua:[23]: the scenario has run for 300000 instructions without an end"), message)
        assert.is_nil(debug.gethook())
    end)

    it("is stopped inside of pcall()", function()
        local message = scenarios.failure("while true do pcall(function() while true do end end) end")
        assert.is_truthy(message:find("^scenario.lua:1: the scenario has run for"), message)
        assert.is_nil(debug.gethook())
    end)

    it("is stopped in its functions", function()
        local loaded = scenarios.load(with "runtime = function(task, row)\n    while true do end\nend")
        local good, message = pcall(loaded.runtime, { task_id = "a" }, {})
        assert.is_false(good)
        assert.is_truthy(message:find("scenario.lua:5: runtime has run for 300000 instructions", 1, true), message)
        message = scenarios.workload_failure("sim.regular { every = 1, count = 1, job = function(n)\nwhile n do end end }")
        assert.is_truthy(message:find("scenario.lua:2: sim.regular: job has run for", 1, true), message)
        assert.is_nil(debug.gethook())
    end)
end)

describe("runtime", function()
    local function runtime(expression)
        return scenarios.load(with("runtime = " .. expression)).runtime
    end

    it("is a function of task and row", function()
        local f = runtime "function(task, row) return row.duration * 2, task.attempt == 1 and 'TASK_FAILED' or nil end"
        assert.same({ 20, "TASK_FAILED" }, { f({ task_id = "a", attempt = 1 }, { duration = 10 }) })
        assert.same({ 20 }, { f({ task_id = "a", attempt = 2 }, { duration = 10 }) })
        assert.same({ 90, 3 }, { runtime("function() return '90s', 3 end")({}, {}) })
        assert.is_nil(runtime("function() end")({}, {}))
    end)

    it("is a number, or a distribution that depends on the task alone", function()
        assert.equal(60, runtime("'1m'")({}, {}))
        local f = runtime "sim.exponential(100)"
        local first = f { task_id = "a", attempt = 1 }
        assert.not_equal(first, f { task_id = "a", attempt = 2 })
        assert.not_equal(first, f { task_id = "b", attempt = 1 })
        assert.equal(first, runtime("sim.exponential(100)") { task_id = "a", attempt = 1 })
        f = runtime "function(task, row, random) return random:uniform() end"
        assert.equal(f({ task_id = "a" }, {}), f({ task_id = "a" }, {}))
    end)

    it("lets rows be without a duration", function()
        local rows = scenarios.rows(scenarios.load([[
            return { agents = { { resources = "cpus:1;mem:1" } }, workload = { { at = 0, cpus = 1, mem = 1 } }, runtime = 5 }
        ]]).source)
        assert.same({ { id = "job-1", at = 0, cpus = 1, mem = 1 } }, rows)
    end)

    for _, case in ipairs {
        { "function() return -1 end", "scenario.lua:4: runtime: seconds as a number" },
        { "function() return 'x' end", "scenario.lua:4: runtime: seconds as a number" },
        { "function() return 0/0 end", "scenario.lua:4: runtime: seconds as a number" },
        { "function() return 1, 256 end", "scenario.lua:4: runtime: an exit status (0 to 255) or a state" },
        { "function() return 1, 'TASK_FAILD' end", "got the string 'TASK_FAILD' (did you mean 'TASK_FAILED'?)" },
        { "function(task) return task.x.y end", "scenario.lua:4: attempt to index a nil value (field 'x')" },
    } do
        it("is told what is wrong: " .. case[1], function()
            local f = runtime(case[1])
            local good, message = pcall(f, { task_id = "a" }, {})
            assert.is_false(good)
            assert.is_truthy(message:find(case[2], 1, true), message)
        end)
    end
end)

describe("the short forms", function()
    local function load(options, path)
        local good, result = pcall(scenario.load, path, options)
        return result, not good and result
    end

    it("work without a file", function()
        local loaded = load { agents = 5, resources = "cpus:4;mem:8", workload = scenarios.TRACES .. "jobs.csv" }
        assert.same({ { count = 5, resources = "cpus:4;mem:8;disk:0;ports:[]" } }, loaded.plan.agents)
        assert.equal(3, #scenarios.rows(loaded.source))
    end)

    it("go in front of what the file says", function()
        local loaded = scenarios.load(with "duration = 5", {
            agents = 7, resources = "cpus:1;mem:1", workload = scenarios.TRACES .. "jobs.swf", format = "swf",
        })
        assert.equal(7, loaded.plan.agents[1].count)
        assert.equal("user3", scenarios.rows(loaded.source)[1].user)
    end)

    for _, case in ipairs {
        { { agents = 3 }, "--agents: the resources of an agent are missing: --resources" },
        { { resources = "cpus:1" }, "--resources: how many agents have these is missing: --agents N" },
        { { agents = 0, resources = "cpus:1;mem:1" }, "--agents: how many agents, a whole number" },
        { { agents = 1, resources = "cpus:1" }, "--resources: mem: missing" },
        { { agents = 1, resources = "cpus:1;mem:1" }, "--workload: workload: there is none" },
        { { agents = 1, resources = "cpus:1;mem:1", format = "csv" }, "--format: this is the format of --workload FILE" },
        { { agents = 1, resources = "cpus:1;mem:1", workload = "x.txt" }, "--format: the format of 'x.txt' is not known by its ending" },
        { { agents = 1, resources = "cpus:1;mem:1", workload = "x", format = "cvs" },
            "--format: 'cvs': there is no such format (did you mean 'csv'?)" },
        { { agents = 1, resources = "cpus:1;mem:1", workload = "/no/such.csv" }, "/no/such.csv: No such file or directory" },
    } do
        it("say: " .. case[2], function()
            local _, message = load(case[1])
            assert.is_truthy(message and message:find(case[2], 1, true), message)
        end)
    end
end)

describe("the lines of a scenario's fields", function()
    it("are found through comments, texts, functions and calls", function()
        local lines = constructor.lines([==[
#!/usr/bin/mesos-lua
local function f() return { agents = 1 } end -- return { x = 1 }
local t = { [[
return { duration = 3 }]], "}" }
return {
    agents = f(),
    ["roles"] = { eng = {
        weight = 2 } },
    runtime = function(a)
        if a then return { b = 1 } end
        for i = 1, 2 do while i do end end
        repeat local x until true
    end,
    workload = sim.rows {
        { at = 1 }, --[[ two
        lines ]] { at = 2,
          cpus = f{ 1, 2 } };
    },
    faults = sim.merge({
        7 }),
    duration = #t > 1 and 3 or 4,
}
]==])
        assert.equal(5, lines[""])
        local found = {}
        for path in ("agents roles roles.eng.weight runtime workload[1].at workload[2] workload[2].cpus faults[1] duration")
            :gmatch("%S+") do
            found[path] = lines[path]
        end
        assert.same({
            agents = 6, roles = 7, ["roles.eng.weight"] = 8, runtime = 9, ["workload[1].at"] = 15, ["workload[2]"] = 16,
            ["workload[2].cpus"] = 17, ["faults[1]"] = 20, duration = 21,
        }, found)
        assert.equal(17, constructor.line(lines, "workload[2].cpus.more"))
        assert.equal(5, constructor.line(lines, "nothing"))
        assert.is_nil(lines["runtime.b"])
    end)
end)
