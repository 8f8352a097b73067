-- SPDX-License-Identifier: Apache-2.0
--
-- `mesos-lua sim` as users start it: a policy in a scenario, to the end of the run and what is written of it. What the
-- parts say in detail is in sim_scenario_spec, sim_books_spec, sim_results_spec and sim_report_spec.

local program = require("support.program")
local json = require("mesos.json")
local uv = require("luv")

after_each(program.cleanup)

-- First in, first out, with what the parts of `more` add, which see `scheduler` and `queue`.
local function policy(more)
    return [[
local mesos = require "mesos"
local queue = {}
local scheduler = { framework = { name = "fifo", failover_timeout = 1000, checkpoint = true } }

function scheduler:submit(driver, job)
    queue[#queue + 1] = job
    driver:reviveOffers()
end

function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        local tasks, cpus, mem = {}, offer.cpus, offer.mem
        while queue[1] and queue[1].cpus <= cpus and queue[1].mem <= mem do
            local job = table.remove(queue, 1)
            cpus, mem = cpus - job.cpus, mem - job.mem
            tasks[#tasks + 1] = {
                name = job.id, task_id = job.id, agent_id = offer.agent_id, command = { value = "work" },
                resources = mesos.resources { cpus = job.cpus, mem = job.mem },
            }
        end
        driver:launchTasks({ offer.id }, tasks, { refuse_seconds = 1000 })
    end
end
]] .. (more or "") .. "\nreturn scheduler\n"
end

local WORLD = [[
return {
    agents = { { count = 3, resources = "cpus:4;mem:4096" } },
    workload = sim.poisson {
        every = "20s", to = "20m",
        job = { cpus = sim.choice { 1, 2 }, mem = 512, duration = sim.exponential { mean = 40 } },
    },
}
]]

-- A scenario of rows, each a second after the one before, with what `more` adds.
local function rows(count, more, duration)
    return ([[
local rows = {}
for i = 1, %d do
    rows[i] = { id = "job-" .. i, at = i, cpus = 1, mem = 100, duration = %g }
end
return { agents = { { count = 2, resources = "cpus:4;mem:4096" } }, workload = rows, %s }
]]):format(count, duration or 10, more or "")
end

-- Runs the simulator in a fresh folder with these files; policy.lua, if it is not among the arguments, is the policy.
local function sim(files, args, options)
    files["policy.lua"] = files["policy.lua"] or policy()
    files["world.lua"] = files["world.lua"] or WORLD
    local folder = program.files(files)
    local words = { "sim", "--scenario", "world.lua" }
    table.move(args or {}, 1, #(args or {}), #words + 1, words)
    words[#words + 1] = "policy.lua"
    options = options or {}
    local run = program.start { args = words, cwd = folder, stdin = options.stdin, env = options.env }
    run.folder = folder
    if not options.started then
        run:wait(options.seconds or 60)
    end
    return run
end

-- The one result of a run, from its JSON, and the run.
local function result_of(files, args, status)
    local words = table.move(args or {}, 1, #(args or {}), 3, { "--json", "out.json" })
    local run = sim(files, words)
    assert.equal(status or 0, run.code, run:report())
    local document = assert(json.decode(program.read(run.folder .. "/out.json")))
    return document.results[1], run
end

-- What a run has written on stderr, but for what is not the policy's.
local NO_SEED = "[^\n]*the seed of this Lua's hashes cannot be chosen[^\n]*\n" -- under sanitizers

local function errors_of(run)
    return (run.stderr:gsub("[^\n]*virtual time in[^\n]*\n", ""):gsub(NO_SEED, ""))
end

local function is_waiting(pid)
    local file <close> = io.open(("/proc/%d/stat"):format(pid))
    return file and file:read("a"):match("%) (%a)") == "S"
end

local function log_of(result)
    return table.concat(result.log, "\n")
end

describe("a simulated run", function()
    it("goes from the scenario to the table and the files", function()
        local run = sim({}, { "--json", "out.json", "--csv", "tables", "--report", "page.html",
            "--assert", "jobs.waiting == 0" })
        assert.equal(0, run.code, run:report())
        program.assert_has(run.stdout, "wait.p95", "jobs.finished", "1 of 1 assertions hold", "out.json", "tables",
            "page.html")
        local result = json.decode(program.read(run.folder .. "/out.json")).results[1]
        assert.equal("all jobs ended", result.ended)
        assert.is_true(result.summary.jobs.submitted > 20)
        assert.equal(result.summary.jobs.submitted, result.summary.jobs.finished)
        assert.is_nil(result.callbacks)
        program.assert_has(program.read(run.folder .. "/page.html"), "<html", "policy.lua")
        assert.is_truthy(program.read(run.folder .. "/tables/summary.csv"))
    end)

    it("has a row for each job, which agrees with the summary", function()
        local run = sim({}, { "--json", "out.json", "--csv", "tables" })
        assert.equal(0, run.code, run:report())
        local summary = json.decode(program.read(run.folder .. "/out.json")).results[1].summary
        local text = program.read(run.folder .. "/tables/jobs.csv")
        local head, body = text:match("^(.-)\n(.*)$")
        assert.matches("^script,seed,id,role,user,name,priority,tasks,cpus,mem,disk,gpus,at,duration,", head)
        local count, waits, slowdowns = 0, 0, 0
        for line in body:gmatch("[^\n]+") do
            local at, duration, launch, running, stop, wait, run_time, slowdown = line:match("^policy%.lua,1,job%-%d+,%*,,,0,1,%d,512,0,0,"
                .. ("([%d.]+),"):rep(8) .. "finished,1,1,0,false$")
            assert(at, line)
            count, waits, slowdowns = count + 1, waits + wait, slowdowns + slowdown
            assert(math.abs(running - at - wait) < 1e-8 and math.abs(stop - running - run_time) < 1e-8, line)
            assert(launch <= running and math.abs(run_time - duration) < 0.01, line)
        end
        assert.equal(summary.jobs.submitted, count)
        assert(math.abs(summary.wait.mean - waits / count) < 1e-9, waits / count)
        assert(math.abs(summary.slowdown.mean - slowdowns / count) < 1e-9, slowdowns / count)
        local again = sim({}, { "--wire", "--csv", "tables" })
        assert.equal(text, program.read(again.folder .. "/tables/jobs.csv"))
    end)

    it("says what it was made of, with paths as they were given", function()
        local run = sim({ ["rows.csv"] = "id,at,cpus,mem,duration\na,1,1,100,5\n" }, { "--workload", "rows.csv", "--seeds", "2..2",
            "--duration", "1h", "--assert", "lost == 0", "--json", "out.json", "--report", "page.html", "--jobs", "1" })
        assert.equal(0, run.code, run:report())
        local document = json.decode(program.read(run.folder .. "/out.json"))
        local command = "mesos-lua sim "
            .. "--scenario world.lua --workload rows.csv --seeds 2..2 --duration 3600 --assert 'lost == 0' policy.lua"
        assert.same({ "world.lua", "rows.csv", command }, { document.scenario, document.workload, document.command })
        assert.matches("^mesos%-lua %d+%.%d+%.%d+$", document.program)
        local page = program.read(run.folder .. "/page.html")
        program.assert_has(page, "<dt>Scenario</dt><dd><code>world.lua</code>", "<dt>Workload</dt><dd><code>rows.csv</code>",
            "<code>" .. command:gsub("'", "&#39;") .. "</code>", document.program)
        assert.is_nil(page:find(run.folder, 1, true))
    end)

    it("has agents with names of their own", function()
        local world = [[
return {
    agents = { { count = 2, resources = "cpus:1;mem:1000" }, { count = 1, resources = "cpus:1;mem:1000", hostname = "big-%d" },
        { count = 1, resources = "cpus:1;mem:1000" } },
    workload = sim.regular { every = 1, count = 4, job = { cpus = 1, mem = 100, duration = 2000 } },
    faults = { { at = 0, fault = "add" } },
}
]]
        local result = result_of({ ["world.lua"] = world, ["policy.lua"] = policy [[
local offered = scheduler.resourceOffers
function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        mesos.log.warning(offer.hostname .. " is " .. offer.agent_id:match("S%d+$"))
    end
    return offered(self, driver, offers)
end
]] })
        local seen, log = {}, log_of(result)
        for name, id in log:gmatch("(%S+) is (S%d+)") do
            seen[name] = id
        end
        assert.same({ ["agent-1"] = "S0", ["agent-2"] = "S1", ["big-1"] = "S2", ["agent-4"] = "S3", ["agent-5"] = "S4" }, seen)
        local labels = {}
        for i, row in ipairs(result.agents.rows) do
            labels[i] = row.label
        end
        assert.same({ "agent-1", "agent-2", "big-1", "agent-4", "agent-5" }, labels)
        assert.equal(4, #result.gantt)
        for _, row in ipairs(result.gantt) do
            assert.is_truthy(seen[row.agent])
        end
    end)

    it("gives the same bytes each time, and others for another seed", function()
        local text = policy [[
local known = {} -- the order of its keys decides
local submit = scheduler.submit
function scheduler:submit(driver, job)
    known[job.id] = job
    known[mesos.uuid()] = { cpus = 0, mem = 0 }
    queue = {}
    for _, each in pairs(known) do
        if each.id and math.random() < 2 then
            queue[#queue + 1] = each
        end
    end
    if SORTED then
        table.sort(queue, function(a, b) return a.at < b.at end)
    end
    driver:reviveOffers()
end
function scheduler:statusUpdate(_, status)
    known[status.task_id] = nil
    print(status.task_id, status.agent_id, status.uuid, status.timestamp, os.time(), os.clock(), math.random())
end
]]
        local probe = sim { ["world.lua"] = rows(1) }
        text = ("local SORTED = %s\n"):format(probe.stderr:find(NO_SEED) ~= nil) .. text
        local first, errors = {}, {}
        for i, args in ipairs { {}, {}, { "--wire" }, { "--seed", "2" } } do
            local result, run = result_of({ ["policy.lua"] = text }, args)
            assert.equal("all jobs ended", result.ended)
            first[i] = program.read(run.folder .. "/out.json")
            errors[i] = errors_of(run)
        end
        assert.equal(first[1], first[2])
        assert.equal(errors[1], errors[2])
        assert.equal(first[1], first[3]) -- over bytes that were packed anew, too
        assert.equal(errors[1], errors[3])
        assert.not_equal(first[1], first[4])
    end)

    it("lives in virtual time", function()
        local _, run = result_of({ ["world.lua"] = rows(1, "time = 86400"), ["policy.lua"] = policy [[
function scheduler:registered()
    print(os.time(), mesos.now(), os.clock(), os.date("%Y-%m-%d %H:%M"))
    mesos.sleep(7200)
    print(os.time(), os.clock(), os.date("%H:%M"))
end
]] })
        program.assert_has(run.stderr, "86400\t86400.0\t0.0\t1970-01-02 00:00\n", "93600\t7200.0\t02:00\n")
    end)

    it("ends when the policy has heard of the last job's end, which it may answer", function()
        local result, run = result_of {
            ["world.lua"] = rows(3),
            ["policy.lua"] = policy [[
                local ended = 0
                function scheduler:statusUpdate(driver, status)
                    if status.state == "TASK_FINISHED" then
                        ended = ended + 1
                        print(ended, "ended at", mesos.now() % 1000)
                    end
                    if ended == 3 then
                        driver:stop()
                    end
                end]],
        }
        assert.equal("all jobs ended", result.ended)
        assert.equal(3, result.summary.tasks.finished)
        assert.matches("3\tended at", run.stderr)
    end)

    it("ends at its duration, and counts what still runs", function()
        local result = result_of({ ["world.lua"] = rows(5, nil, 1000) }, { "--duration", "1m" })
        assert.equal("duration", result.ended)
        assert.equal(60, result.summary.duration)
        assert.equal(5, result.summary.jobs.running)
    end)

    it("ends when jobs that have failed are not tried again", function()
        local result = result_of { ["world.lua"] = rows(4, "runtime = function(task, job) return 5, job.at % 2 end") }
        assert.equal("all jobs ended", result.ended)
        assert.equal(2, result.summary.jobs.finished)
        assert.equal(2, result.summary.jobs.failed)
    end)

    it("tells why a policy that never launches ends", function()
        local result, run = result_of({ ["world.lua"] = rows(12),
            ["policy.lua"] = "return { framework = { name = 'never' }, submit = function() end }" }, {}, 1)
        assert.equal("nothing happens any more", result.ended)
        assert.matches("^nothing happens any more: 12 jobs wait%. job%-1: %S", result.problem)
        program.assert_has(run.stdout, "12 jobs wait")
        assert.is_true(result.summary.duration >= 3600 and result.summary.duration < 4000)
    end)

    it("ends with tasks that have no end", function()
        local result = result_of({ ["world.lua"] = rows(2), ["policy.lua"] = policy [[
local submit = scheduler.submit
function scheduler:submit(driver, job)
    return submit(self, driver, { id = "service of " .. job.id, cpus = 1, mem = 1 })
end
]] }, {}, 1)
        assert.matches("^nothing happens any more: 2 jobs wait, beside 2 tasks without end", result.problem)
    end)

    it("feeds many jobs of one moment, and asks for rows as they are due", function()
        local result = result_of({ ["world.lua"] = [[
local rows = {}
for i = 1, 4500 do
    rows[i] = { id = "j" .. i, at = 0, cpus = 0.01, mem = 1, duration = 1 }
end
return { agents = { { count = 20, resources = "cpus:8;mem:8192" } }, workload = rows }]] })
        assert.equal(4500, result.summary.jobs.finished)
    end)

    it("has more agents than a cluster of processes", function()
        local result = result_of({ ["world.lua"] = [[
return { agents = { { count = 10001, resources = "cpus:1;mem:100" } }, duration = 3,
    workload = { { id = "a", at = 1, cpus = 1, mem = 100, duration = 1 } } }]] })
        assert.equal(10001, result.summary.agents.count)
        assert.equal(1, result.summary.jobs.finished)
    end)
end)

describe("the policy", function()
    it("is refused without the callback submit", function()
        local run = sim { ["policy.lua"] = "return { framework = { name = 'x' } }" }
        assert.equal(2, run.code)
        program.assert_has(run.stderr, "policy.lua takes no jobs: its scheduler has no callback submit(driver, job)")
        assert.equal("", run.stdout)
    end)

    it("may refuse jobs and fail, as in production", function()
        local result = result_of { ["world.lua"] = rows(6), ["policy.lua"] = policy [[
local submit = scheduler.submit
function scheduler:submit(driver, job)
    if job.at == 2 then
        error("no, not this one")
    elseif job.at == 3 then
        return nil, "nor this"
    end
    return submit(self, driver, job)
end
]] }
        assert.equal(2, result.summary.jobs.refused)
        assert.equal(4, result.summary.jobs.finished)
        program.assert_has(log_of(result), "the job job-2 was refused: ", "no, not this one",
            "the job job-3 was refused: nor this", "2.0 s: callback submit: ")
    end)

    it("is asked what it took in real time, with --timing", function()
        local result = result_of({ ["world.lua"] = rows(6), ["policy.lua"] = policy [[
mesos.every(1, function() error("each time") end)
]] }, { "--timing" })
        assert.equal(6, result.callbacks.submit.count)
        assert.equal(0, result.callbacks.submit.failures)
        local offers = result.callbacks.resourceOffers
        assert.is_true(offers.count > 1 and offers.total > 0 and offers.max >= offers.p99 and offers.p99 > 0)
        local failures = 0
        for name, row in pairs(result.callbacks) do
            failures = failures + (name:find("^timer of .*policy.lua:%d+$") and row.failures or 0)
        end
        assert.is_true(failures > 5)
    end)

    it("is said to fail, and how, where its jobs wait for ever", function()
        local text = policy [[
local offers = scheduler.resourceOffers
function scheduler:resourceOffers(driver, list)
    for _, job in ipairs(queue) do
        driver:launchTasks({ list[1].id }, { { name = job.id, task_id = job.id, agent_id = list[1].agent_id,
            command = { value = "work" }, resources = { cpus = 1 } } })
    end
    if next(queue) == nil then offers(self, driver, list) end
end
]]
        local result, run = result_of({ ["world.lua"] = rows(12), ["policy.lua"] = text },
            { "--report", "page.html", "--csv", "tables" }, 1)
        local failure = result.failures[1]
        assert.equal(1, #result.failures)
        assert.equal("callback resourceOffers", failure.what)
        assert.is_true(failure.count > 100 and failure.at >= 1 and failure.at < 3)
        assert.matches("^policy%.lua:27: tasks%[1%]%.resources: list expected", failure.first)
        local start = ("callback resourceOffers failed %d times, first at "):format(failure.count)
        assert.matches("^nothing happens any more: 12 jobs wait%. " .. start .. "[%d.]+ m?s: policy%.lua:27: .*%. job%-1: ", result.problem)
        local shown, count = run.stdout:gsub("%s+", " "):gsub(start, "")
        assert.equal(1, count, shown) -- once, though there is a list of failures as well
        program.assert_has(shown, "policy.lua:27: tasks[1].resources: list expected")
        local page = program.read(run.folder .. "/page.html")
        program.assert_has(page:match('class="problems".-</ul>'), start, "policy.lua:27: tasks[1].resources")
        program.assert_has(program.read(run.folder .. "/tables/failures.csv"), "callback resourceOffers," .. failure.count .. ",",
            "policy.lua:27: tasks[1].resources")
    end)

    it("is said to fail, and how, where all goes well otherwise", function()
        local result, run = result_of({ ["world.lua"] = rows(6), ["policy.lua"] = policy [[
function scheduler:statusUpdate() error("each time") end
mesos.after(2, function() error("once") end)
]] }, { "--report", "page.html" })
        assert.is_nil(result.problem)
        assert.equal(6, result.summary.jobs.finished)
        assert.equal(2, #result.failures)
        local shown, page = run.stdout:gsub("%s+", " "), program.read(run.folder .. "/page.html")
        for _, text in ipairs { shown, page:match('class="problems".-</ul>') } do
            program.assert_has(text, "callback statusUpdate failed", " times, first at ", ": policy.lua:24: each time",
                "timer of policy.lua:25 failed once, at ", ": policy.lua:25: once")
        end
    end)

    it("is said to fail where no task was launched until the end of the duration", function()
        local result = result_of({ ["world.lua"] = rows(3), ["policy.lua"] = policy [[
function scheduler:resourceOffers() error("not now") end
]] }, { "--duration", "1m" }, 1)
        assert.equal("duration", result.ended)
        assert.matches("^no task was launched, and 3 jobs wait%. callback resourceOffers failed %d+ times, first at .* not now$",
            result.problem)
    end)

    for _, row in ipairs {
        { "mesos.exit", "mesos.exit(3)", 1, "the policy has failed", "the policy has called mesos.exit%(3%)" },
        { "driver:abort()", "driver:abort()", 1, "the policy has failed", "the driver was aborted" },
        { "an error of the master", "driver:acceptOffers({}, {}) driver:updateFramework { user = 'x', name = 'x', id = 'y' }", 0 },
        { "driver:stop()", "driver:stop()", 0, "the policy has stopped" },
        { "mesos.exit(0)", "mesos.exit()", 1, "the policy has stopped", "mesos.exit%(0%)" },
    } do
        if row[4] then
            it("ends by " .. row[1], function()
                local result = result_of({ ["world.lua"] = rows(6), ["policy.lua"] = policy([[
function scheduler:statusUpdate(driver, status)
    if status.task_id == "job-3" then ]] .. row[2] .. [[ end
end
]]) }, {}, row[3])
                assert.equal(row[4], result.ended)
                if row[5] then
                    assert.matches(row[5], result.problem)
                end
            end)
        end
    end

    it("names the line of a callback that does not end", function()
        local run = sim({ ["world.lua"] = rows(1), ["policy.lua"] = policy [[
function scheduler:statusUpdate()
    while true do end
end
]] }, { "--callback-limit", "0.3", "--json", "out.json" })
        assert.equal(1, run.code, run:report())
        local result = json.decode(program.read(run.folder .. "/out.json")).results[1]
        assert.equal("the limit of real time", result.partial)
        assert.matches("^callback statusUpdate: policy.lua:%d+: stopped after .*%-%-callback%-limit", result.problem)
    end)

    it("is named when it does not come to rest", function()
        local result = result_of({ ["world.lua"] = rows(1), ["policy.lua"] = policy [[
function scheduler:statusUpdate()
    local function again() mesos.after(0, again) end
    again()
end
]] }, {}, 1)
        assert.equal("the policy has failed", result.ended)
        program.assert_has(result.problem, "does not come to rest")
    end)

    it("gets a line for a script that cannot be loaded", function()
        local run = sim { ["policy.lua"] = "error 'broken'" }
        assert.equal(2, run.code)
        program.assert_has(run.stderr, "policy.lua:1: broken")
    end)

    it("may build no driver of its own", function()
        local run = sim { ["policy.lua"] = [[
local mesos = require "mesos"
mesos.SchedulerDriver { scheduler = {}, framework = { name = "own" } }:run()]] }
        assert.equal(2, run.code)
        program.assert_has(run.stderr, "mesos.testing and the simulator drive the scheduler that a script returns")
    end)
end)

describe("the world outside", function()
    it("answers as the stubs do, and says which one is missing", function()
        local result, run = result_of { ["world.lua"] = rows(1, [[
stubs = { exec = function(argv, options) return { status = 0, stdout = argv[1] .. options.cwd } end }]]),
            ["policy.lua"] = policy [[
function scheduler:registered()
    print(mesos.exec({ "date" }, { cwd = "/here" }).stdout)
    mesos.http { url = "http://localhost" }
end
]] }
        program.assert_has(run.stderr, "date/here\n")
        program.assert_has(log_of(result), "mesos.http: the scenario has no stub for it: stubs = { http = ")
    end)

    it("lets tasks last as the scenario says", function()
        local result = result_of { ["world.lua"] = rows(3, [[
runtime = function(task, job)
    return job.at * 100 + task.attempt, job.at == 3 and "TASK_FAILED" or nil
end]]) }
        assert.equal(2, result.summary.jobs.finished)
        assert.equal(1, result.summary.jobs.failed)
        assert.is_near(303, result.summary.makespan, 3)
    end)

    it("reports what a scenario's function gets wrong", function()
        local run = sim { ["world.lua"] = rows(3, "runtime = function() return 1, 'TASK_LOST' end") }
        assert.equal(2, run.code)
        program.assert_has(run.stderr, "TASK_LOST")
    end)

    it("takes think time from the real time of callbacks", function()
        local _, run = result_of({ ["world.lua"] = rows(1), ["policy.lua"] = policy [[
local clock = os.clock
function scheduler:registered()
    local count, began = 0, clock()
    for i = 1, 3000000 do count = count + i end
    print("within", clock() - began)
    mesos.after(0, function() print("after", clock() - began > 100) end)
end
]] }, { "--think-time", "100000" })
        program.assert_has(run.stderr, "within\t0.0\n", "after\ttrue\n")
    end)
end)

describe("faults", function()
    -- What the policy hears, in its order, as lines "callback what".
    local HEARS = [[
local function hear(name, what)
    scheduler[name] = function(_, _, first, second)
        print(("heard %.1f %s %s"):format(os.clock(), name, what and what(first, second) or ""))
    end
end
hear "disconnected"
hear "registered"
hear "reregistered"
hear "offerRescinded"
hear("slaveLost", function(id) return id:match("S%d+$") end)
hear("executorLost", function(id) return id end)
hear("statusUpdate", function(status) return status.task_id .. " " .. status.state end)
]]

    local function heard(faults, more, count)
        local result, run = result_of({ ["world.lua"] = rows(count or 2, "faults = { " .. faults .. " }", 100),
            ["policy.lua"] = policy(HEARS .. (more or "")) }, { "--duration", "10m" })
        return run.stderr, result
    end

    local function has_fault(result, pattern)
        for _, fault in ipairs(result.faults) do
            if fault.text:find(pattern) then
                return fault.at
            end
        end
        error("no fault '" .. pattern .. "' in " .. json.encode(result.faults))
    end

    it("lose agents, and bring them back", function()
        local text, result = heard [[{ at = 20, fault = "agent lost", agent = "all", ["for"] = 200 }]]
        program.assert_has(text, "slaveLost S0", "slaveLost S1", "job-1 TASK_LOST")
        assert.equal(20, has_fault(result, "^kill"))
        assert.equal(220, has_fault(result, "^kill .*has ended"))
        assert.equal(2, result.summary.agents.lost)
    end)

    it("cut the network between master and agents", function()
        local text, result = heard [[{ at = 20, fault = "partition", agent = "all", ["for"] = 300 }]]
        program.assert_has(text, "job-1 TASK_LOST")
        assert.equal(320, has_fault(result, "partition .*has ended"))
    end)

    it("let another master take over", function()
        local text, result = heard [[{ at = 20, fault = "master failover", ["for"] = 5 }]]
        local at = tonumber(text:match("heard ([%d.]+) reregistered"))
        assert.equal("20.0", text:match("heard ([%d.]+) disconnected"))
        assert.is_true(at >= 25 and at < 90, text)
        program.assert_has(text, "job-1 TASK_FINISHED", "job-2 TASK_FINISHED")
        assert.equal(2, result.summary.jobs.finished)
    end)

    it("break the stream", function()
        local text = heard [[{ at = 20, fault = "cut", framework = "all" }]]
        assert.equal("20.0", text:match("heard ([%d.]+) disconnected"))
        assert.matches("heard 2[%d.]+ reregistered", text)
    end)

    it("stall the stream, and what was sent meanwhile comes afterwards", function()
        local text = heard [[{ at = 20, fault = "stall", framework = "all", ["for"] = 60 }]]
        assert.is_nil(text:match("disconnected"), text)
        assert.matches("heard 101.0 statusUpdate job%-1 TASK_FINISHED", text)
        text = heard [[{ at = 90, fault = "stall", framework = "all", ["for"] = 60 }]]
        assert.matches("heard 150.0 statusUpdate job%-1 TASK_FINISHED", text)
    end)

    it("slow everything down", function()
        local text = heard [[{ at = 20, fault = "slow agent", value = "3s", ["for"] = 500 }]]
        local at = tonumber(text:match("heard ([%d.]+) statusUpdate job%-1 TASK_FINISHED"))
        assert.is_true(at >= 104 and at < 106, text)
    end)

    it("delay and double updates", function()
        local text = heard [[{ at = 20, fault = "update delayed", value = "7s" }, { at = 20, fault = "update doubled" }]]
        local _, count = text:gsub("job%-1 TASK_FINISHED", "")
        assert.equal(2, count)
        local at = tonumber(text:match("heard ([%d.]+) statusUpdate job%-1 TASK_FINISHED"))
        assert.is_true(at >= 108 and at < 110, text)
    end)

    it("drop updates, which come again", function()
        local text = heard [[{ at = 20, fault = "drop-updates" }]]
        local at = tonumber(text:match("heard ([%d.]+) statusUpdate job%-1 TASK_FINISHED"))
        assert.is_true(at >= 110 and at < 115, text)
    end)

    it("rescind offers", function()
        local text, result = heard([[{ at = 20, fault = "offers rescinded", agent = "all" }]], [[
function scheduler:resourceOffers() end]])
        program.assert_has(text, "20.0 offerRescinded")
        assert.is_true(result.summary.offers.rescinded > 0)
    end)

    it("lose executors", function()
        local text = heard([[{ at = 20, fault = "executor lost", agent = "all" }]], [[
function scheduler:resourceOffers(driver, offers)
    local offer, job = offers[1], table.remove(queue, 1)
    if not job then
        return driver:declineOffer(offers:ids())
    end
    local executor = { type = "DEFAULT", executor_id = "pod", framework_id = driver:frameworkId(),
        resources = mesos.resources { cpus = 0.1, mem = 32, disk = 0 } }
    driver:acceptOffers({ offer.id }, { { type = "LAUNCH_GROUP", launch_group = { executor = executor, task_group = {
        tasks = { { name = job.id, task_id = job.id, agent_id = offer.agent_id, command = { value = "work" },
            resources = mesos.resources { cpus = 1, mem = 100, disk = 0 } } } } } } })
end]], 1)
        program.assert_has(text, "executorLost pod", "job-1 TASK_FAILED")
    end)

    it("refuse calls", function()
        local text, result = heard([[{ at = 0, fault = "refuse 503 times 1" }]])
        program.assert_has(text, "job-1 TASK_FINISHED")
        has_fault(result, "^refuse")
    end)

    it("add agents, drain them and take them away", function()
        local text, result = heard [[
{ at = 10, fault = "add" }, { at = 20, fault = "drain", agent = "S0" }, { at = 20, fault = "remove", agent = "S1" },
{ at = 21, fault = "gone", agent = "S2" }, { at = 30, fault = "activate", agent = "S0" }]]
        program.assert_has(text, "slaveLost S1", "slaveLost S2")
        assert.equal(5, #result.faults)
    end)

    it("tell what could not be made", function()
        local _, result = heard [[{ at = 10, fault = "heal", agent = "S9" }]]
        assert.equal(10, has_fault(result, "^not made: .*S9"))
    end)

    it("give the same bytes with --wire", function()
        local texts = {}
        for i, args in ipairs { {}, { "--wire" } } do
            local _, run = result_of({ ["world.lua"] = rows(40, [[faults = {
                { every = 30, fault = "kill any for 20s" }, { at = 50, fault = "master failover" },
                { at = 90, fault = "cut", framework = "all" }, { at = 100, fault = "slow agent", value = "2s", ["for"] = 9 } }]],
                20), ["policy.lua"] = policy(HEARS) }, table.move(args, 1, #args, 3, { "--duration", "10m" }))
            texts[i] = program.read(run.folder .. "/out.json") .. errors_of(run)
        end
        assert.equal(texts[1], texts[2])
    end)
end)

describe("an end before the end", function()
    it("is Ctrl-C, which reports what there is", function()
        local run = sim({ ["world.lua"] = rows(1, "duration = '36500d'"), ["policy.lua"] = policy [[
function scheduler:statusUpdate() print "running" end
]] }, { "--json", "out.json" }, { started = true })
        run:wait_for("running\n", 30)
        run:kill("sigint")
        assert.equal(1, run:wait(60))
        local result = json.decode(program.read(run.folder .. "/out.json")).results[1]
        assert.equal("interrupted", result.partial)
        assert.equal(1, result.summary.jobs.submitted)
        program.assert_has(run.stdout, "partial: interrupted")
    end)

    it("stops a callback that does not end", function()
        local run = sim({ ["world.lua"] = rows(1), ["policy.lua"] = policy [[
function scheduler:statusUpdate()
    print "running"
    while true do end
end
]] }, { "--json", "out.json", "--callback-limit", "1000" }, { started = true })
        run:wait_for("running\n", 30)
        run:kill("sigint")
        assert.equal(1, run:wait(60))
        local result = json.decode(program.read(run.folder .. "/out.json")).results[1]
        assert.equal("interrupted", result.partial)
        assert.matches("^callback statusUpdate: policy.lua:%d+: stopped after .*by a signal", result.problem)
    end)

    it("is a limit of real time", function()
        local result = result_of({ ["world.lua"] = rows(1, "duration = '36500d'") }, { "--time-limit", "0.3" }, 1)
        assert.equal("the limit of real time", result.partial)
    end)
end)

describe("several runs", function()
    it("go through processes of their own, and are compared", function()
        local run = sim({ ["other.lua"] = policy() }, { "--seeds", "1..2", "--set", "pace=1,2", "--against", "other.lua",
            "--jobs", "2", "--json", "out.json", "--assert", "lost == 0" })
        assert.equal(2, run.code, run:report()) -- the scenario reads no such parameter
        program.assert_has(run.stderr, "--set pace=1: world.lua does not read sim.set.pace")
        local world = WORLD:gsub("mean = 40", "mean = 40 * sim.set.pace")
        run = sim({ ["other.lua"] = policy(), ["world.lua"] = world }, { "--seeds", "1..2", "--set", "pace=1,2",
            "--against", "other.lua", "--jobs", "2", "--json", "out.json", "--assert", "lost == 0" })
        assert.equal(0, run.code, run:report())
        local document = json.decode(program.read(run.folder .. "/out.json"))
        local found = {}
        for i, result in ipairs(document.results) do
            found[i] = ("%s %d %s"):format(result.script, result.seed, result.set.pace)
        end
        assert.same({ "policy.lua 1 1", "policy.lua 2 1", "policy.lua 1 2", "policy.lua 2 2", "other.lua 1 1",
            "other.lua 2 1", "other.lua 1 2", "other.lua 2 2" }, found)
        assert.same(document.results[1].summary, document.results[5].summary)
        program.assert_has(run.stdout, "With pace=1")
        assert.equal(4, #document.assertions)
        for _, verdict in ipairs(document.assertions) do
            assert.is_true(verdict.holds)
        end
    end)

    it("have their jobs in one file, in the order of the runs", function()
        local world = WORLD:gsub("mean = 40", "mean = 40 * sim.set.pace")
        local run = sim({ ["other.lua"] = policy(), ["world.lua"] = world }, { "--seeds", "1..2", "--set", "pace=1,2",
            "--against", "other.lua", "--jobs", "2", "--csv", "tables" })
        assert.equal(0, run.code, run:report())
        local head, body = program.read(run.folder .. "/tables/jobs.csv"):match("^(.-)\n(.*)$")
        assert.matches("^script,seed,set%.pace,id,role,", head)
        local order, counts = {}, {}
        for key in body:gmatch("([%w.]+,%d,%d),job%-[^\n]+\n") do
            if order[#order] ~= key then
                order[#order + 1] = key
            end
            counts[key] = (counts[key] or 0) + 1
        end
        assert.same({ "policy.lua,1,1", "policy.lua,2,1", "policy.lua,1,2", "policy.lua,2,2", "other.lua,1,1", "other.lua,2,1",
            "other.lua,1,2", "other.lua,2,2" }, order)
        assert.is_true(counts["policy.lua,1,1"] > 20)
        assert.equal(select(2, body:gsub("\n", "")), select(2, body:gsub("finished,1,1,0,false\n", "")))
        local list = program.run({ path = "/bin/ls", args = { "-A", run.folder .. "/tables" } }).stdout
        assert.is_nil(list:find("part", 1, true), list)
        assert.is_nil(list:find("new", 1, true), list)
    end)

    it("are the same as one by one", function()
        local alone = result_of({}, { "--seed", "2" })
        local run = sim({}, { "--seeds", "1..2", "--json", "out.json" })
        assert.same(alone, json.decode(program.read(run.folder .. "/out.json")).results[2])
    end)

    it("say which of them went wrong", function()
        local run = sim({ ["policy.lua"] = policy "error('bad')" }, { "--seeds", "1..2" })
        assert.equal(2, run.code)
        program.assert_has(run.stderr, "policy.lua, seed 1: ", "bad")
    end)

    it("leave no parts of files when one goes wrong", function()
        local world = WORLD:gsub("workload =", 'runtime = function() if sim.seed == 2 then error("bad", 0) end return 1 end, workload =')
        local run = sim({ ["world.lua"] = world }, { "--seeds", "1..2", "--csv", "tables" })
        assert.equal(2, run.code, run:report())
        program.assert_has(run.stderr, "policy.lua, seed 2: ", "bad")
        assert.equal("", program.run({ path = "/bin/ls", args = { "-A", run.folder .. "/tables" } }).stdout)
    end)
end)

describe("the command line", function()
    for _, row in ipairs {
        { { "--seeds", "3..1" }, "--seeds 3..1: A..B expected" },
        { { "--seeds", "1..99999" }, "--seeds 1..99999: these are more than 10000 runs" },
        { { "--set", "x" }, "--set x: NAME=VALUE expected" },
        { { "--assert", "wait.p59 < 3" }, "--assert 'wait.p59 < 3': unknown number 'wait.p59' (did you mean 'wait.p50'?)" },
        { { "--agents", "1000001" }, "--agents: a whole number from 1 to 1000 (for sim to 1000000) expected, got '1000001'" },
        { { "--duration", "soon" }, "--duration: a number of seconds" },
        { { "--json", "/nowhere/x.json" }, "--json /nowhere/x.json: cannot be written" },
        { { "--against", "policy.lua" }, "--against policy.lua: this is the script itself" },
        { { "--against", "missing.lua" }, "cannot open script 'missing.lua': No such file or directory" },
        { { "--master", "local" }, "option '--master' has no meaning for mesos-lua sim" },
        { { "--seed", "0" }, "--seed: a whole number from 1 to" },
    } do
        it("says what is wrong with " .. table.concat(row[1], " "), function()
            local run = sim({}, row[1])
            assert.equal(2, run.code, run:report())
            program.assert_has(run.stderr, row[2])
            assert.equal("", run.stdout)
        end)
    end

    it("tells of a script or a scenario that is not there", function()
        local run = program.run { args = { "sim", "missing.lua" } }
        assert.equal(2, run.code)
        program.assert_has(run.stderr, "mesos-lua: sim: cannot open script 'missing.lua'")
        run = sim({ ["world.lua"] = "return { agnts = {} }" })
        assert.equal(2, run.code)
        program.assert_has(run.stderr, "world.lua", "agnts", "did you mean 'agents'?")
    end)

    for _, row in ipairs {
        { "agents without resources", "return { agents = {\n { count = 3 } }, workload = { { id = 'a', at = 1 } } }",
            "world.lua:2: agents[1].resources: missing" },
        { "rows out of order", "return { agents = { { resources = 'cpus:1;mem:100' } }, workload = sim.file 'jobs.csv' }",
            "jobs.csv:3: at = 4 is before 5 in line 2", "id,at,cpus,mem,duration\na,5,1,1,1\nb,4,1,1,1\n" },
        { "a column that is lacking", "return { agents = { { resources = 'cpus:1;mem:100' } }, workload = sim.file 'jobs.csv' }",
            "jobs.csv:1: no column is called 'mem'", "id,at,cpus,duration\na,5,1,1\n" },
        { "a trace that ends in the middle of a line",
            "return { agents = { { resources = 'cpus:1;mem:100' } }, workload = sim.file('jobs.csv', { format = 'swf' }) }",
            "jobs.csv:2: the file ends in the middle of", "1 1 0 5 1 -1 -1 1 -1 1024 1 1 1 1 1 1 -1 -1\n2 9 0 5" },
    } do
        it("ends with status 2 at " .. row[1], function()
            local run = sim({ ["world.lua"] = row[2], ["jobs.csv"] = row[4] }, { "--json", "out.json" })
            assert.equal(2, run.code, run:report())
            program.assert_has(run.stderr, row[3])
            assert.equal("", run.stdout)
        end)
    end

    it("refuses its options elsewhere", function()
        local run = program.run { args = { "--scenario", "x.lua", "y.lua" } }
        assert.equal(2, run.code)
        program.assert_has(run.stderr, "option '--scenario' has no meaning for mesos-lua run")
    end)

    it("fails with status 3 if an assertion does not hold", function()
        local run = sim({}, { "--assert", "wait.mean < 0" })
        assert.equal(3, run.code, run:report())
        program.assert_has(run.stdout, "fails  wait.mean < 0")
    end)

    it("keeps what policies print from the output", function()
        local run = sim({ ["world.lua"] = rows(1), ["policy.lua"] = policy "print 'from the policy'" }, { "--json", "-" })
        assert.equal(0, run.code, run:report())
        assert.is_truthy(json.decode(run.stdout))
        program.assert_has(run.stderr, "from the policy\n", "wait.p95")
    end)

    it("waits for room in a standard output that does not block", function()
        local folder = program.files { ["policy.lua"] = policy(), ["world.lua"] = rows(1, "", 600):gsub("count = 2", "count = 200") }
        local ends, pieces, ended = uv.pipe({ nonblock = true }, {}), {}, false
        local run = program.start { args = { "sim", "--scenario", "world.lua", "--json", "-", "policy.lua" }, cwd = folder,
            stdout = ends.write }
        local input = uv.new_pipe()
        input:open(ends.write) -- from here on it does not block, for the program as well
        input:close()
        local output <close> = setmetatable({ pipe = uv.new_pipe() }, { __close = function(self) self.pipe:close() end })
        output.pipe:open(ends.read)
        run:wait_for(function() return run.code or is_waiting(run.pid) end) -- as the pipe is full
        output.pipe:read_start(function(_, piece)
            pieces[#pieces + 1], ended = piece, piece == nil
        end)
        assert.equal(0, run:wait(60), run:report())
        program.wait_for(function() return ended end, 60)
        assert.is_true(#assert(json.decode(table.concat(pieces))).results[1].agents.rows == 200)
    end)

    it("says why the standard output cannot be written to", function()
        local folder = program.files { ["policy.lua"] = policy(), ["world.lua"] = rows(1) }
        local words = ("cd %s && exec %s sim --scenario world.lua --json - policy.lua >/dev/full"):format(folder, program.path)
        local run = program.start { path = "/bin/sh", args = { "-c", words } }
        assert.equal(2, run:wait(60), run:report())
        program.assert_has(run.stderr, "mesos-lua: sim: the standard output cannot be written to: No space left on device\n")
    end)

    it("shows the log with --log-level, in virtual time", function()
        local run = sim({ ["world.lua"] = rows(1), ["policy.lua"] = policy [[
function scheduler:registered() mesos.log.info("here") end
function scheduler:statusUpdate() mesos.log.warning("there") end
]] }, { "--log-level", "info" })
        program.assert_has(run.stderr, "0.000 s: info: here\n", "s: warning: there\n")
        run = sim({ ["world.lua"] = rows(1), ["policy.lua"] = policy [[
function scheduler:statusUpdate() mesos.log.warning("there") end
]] })
        assert.is_nil(run.stderr:find("there", 1, true))
    end)
end)
