-- SPDX-License-Identifier: Apache-2.0
--
-- What a simulated run measures, against cases that are computed by hand: books that observe a master on a virtual
-- clock, with tasks that end when they are told to.

local internals = require("internals")
local program = require("support.program")
local virtual_cluster = require("support.virtual_cluster")

local cluster, books

after_each(program.cleanup)

-- Time is 0. The allocator offers a moment after a framework has subscribed, and then each second.
local function start(agents, ...)
    cluster = virtual_cluster.start(agents)
    books = internals.books(cluster.master)
    local frameworks = {}
    for i, role in ipairs { ... } do
        frameworks[i] = cluster:subscribe { name = role, roles = { role }, failover_timeout = 1000 }
    end
    return table.unpack(frameworks)
end

local function agents(count, text)
    local list = {}
    for i = 1, count do
        list[i] = text
    end
    return list
end

local function submit(job)
    assert(books:submit(job))
end

-- A task; `more` are fields of it.
local function task(id, cpus, mem, more)
    local info = {
        name = id, task_id = { value = id }, command = { value = "wait" },
        resources = {
            { name = "cpus", type = "SCALAR", scalar = { value = cpus } },
            { name = "mem", type = "SCALAR", scalar = { value = mem } },
        },
    }
    for key, value in pairs(more or {}) do
        info[key] = value
    end
    return info
end

-- Launches tasks on the framework's oldest offer, or on one of an agent; the rest is refused for an hour.
local function launch(framework, tasks, agent_id)
    local held = framework:offers()
    local at = 1
    while agent_id and held[at].agent_id.value ~= agent_id do
        at = at + 1
    end
    local offer = table.remove(held, at)
    for _, info in ipairs(tasks) do
        info.agent_id = offer.agent_id
    end
    framework:accepted("ACCEPT", {
        offer_ids = { offer.id }, operations = { { type = "LAUNCH", launch = { task_infos = tasks } } },
        filters = { refuse_seconds = 3600 },
    })
    return offer.agent_id.value
end

local function kill(framework, id)
    framework:accepted("KILL", { task_id = { value = id } })
end

local function finish(status, count)
    assert.equal(count or 1, cluster.master:finish(count or 1, status or 0))
end

local function acknowledge(framework)
    framework:read()
    for _, status in ipairs(framework.updates) do
        if status.uuid then
            framework:accepted("ACKNOWLEDGE", { agent_id = status.agent_id, task_id = status.task_id, uuid = status.uuid })
        end
    end
    framework.updates = {}
end

local function near(expected, got, tolerance)
    assert(type(got) == "number" and math.abs(expected - got) <= (tolerance or 1e-9),
        ("expected %s, got %s"):format(expected, got))
end

-- Type 7: between the values beside the place.
local function quantile(sorted, p)
    local place = p * (#sorted - 1)
    local below = math.floor(place)
    local low, high = sorted[below + 1], sorted[math.min(below + 2, #sorted)]
    return low + (high - low) * (place - below)
end

local function sum(list)
    local total = 0
    for _, value in ipairs(list) do
        total = total + value
    end
    return total
end

-- A text of a value that is the same for equal values.
local function canonical(value)
    if type(value) ~= "table" then
        return type(value) == "number" and ("%.17g"):format(value) or tostring(value)
    end
    local keys, parts = {}, {}
    for key in pairs(value) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    for _, key in ipairs(keys) do
        parts[#parts + 1] = tostring(key) .. "=" .. canonical(value[key])
    end
    return "{" .. table.concat(parts, ",") .. "}"
end

describe("jobs of the books", function()
    it("are those of tasks by label, name, id, and the longest prefix up to a dot", function()
        start {}
        for _, id in ipairs { "a", "a.b", "n", "l" } do
            submit { id = id, cpus = 1 }
        end
        assert.equal("l", books:job_of("a.b", "n", "l"))
        assert.equal("n", books:job_of("a.b", "n", "unknown"))
        assert.equal("a.b", books:job_of("a.b", "unknown", nil))
        assert.equal("a.b", books:job_of("a.b.3.4", nil, nil))
        assert.equal("a", books:job_of("a.c", "x.y", nil))
        assert.is_nil(books:job_of("ab", "n.1", nil))
        assert.equal("a.b", books:job_of("a.b" .. ("."):rep(100000), nil, nil)) -- it has no time for all prefixes
        assert.is_nil(books:job_of(".a", nil, nil))
    end)

    it("have one id each", function()
        start {}
        submit { id = "a" }
        local good, message = books:submit { id = "a" }
        assert.same({ false, "the id 'a' was used by an earlier job" }, { good, message })
        good, message = books:submit { id = "" }
        assert.same({ false, "a job has no id: every row needs one" }, { good, message })
        good, message = books:submit { id = ("x"):rep(1001) }
        assert.is_false(good)
        assert.equal("the id of job '" .. ("x"):rep(40) .. "...' has 1001 bytes; at most 1000 fit", message)
        assert.equal(1, books:counts().submitted)
    end)

    it("wait from their time to the first task that runs, and are slowed down by that", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        cluster:advance(2)
        submit { id = "late", role = "r", user = "u", at = 0.5, duration = 3, cpus = 1, mem = 10 }
        submit { id = "never", role = "r", at = 2, cpus = 1, mem = 10 }
        cluster:advance(1)
        launch(framework, { task("late.1", 1, 10) })
        cluster:advance(4)
        local counts = books:counts()
        assert.same({ 2, 1, 1, 2, 1 },
            { counts.submitted, counts.running, counts.waiting, counts.unfinished, counts.live_tasks })
        finish()
        cluster:advance(3)
        local summary = books:result().summary
        -- late: 0.5 to 3, and ran for 4; never: 2 to 10.
        assert.equal(2, summary.wait.count)
        assert.equal(1, summary.wait.censored)
        near((2.5 + 8) / 2, summary.wait.mean)
        near(8, summary.wait.max)
        near(2.5 + 0.95 * 5.5, summary.wait.p95)
        assert.equal(1, summary.slowdown.count)
        near((2.5 + 4) / 4, summary.slowdown.mean)
        assert.same({ submitted = 2, finished = 1, failed = 0, running = 0, waiting = 1, refused = 0 }, summary.jobs)
        near(9.5, summary.makespan) -- one waits still
        near(3600 / 9.5, summary.throughput)
        near(10, summary.duration)
        near(2.5, summary.users.u.wait.mean)
        assert.equal(1, summary.users.u.jobs.finished)
    end)

    it("have a makespan up to the end of the last when all have ended", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        cluster:advance(2)
        submit { id = "a", at = 1, cpus = 1, mem = 10 }
        launch(framework, { task("a", 1, 10) })
        cluster:advance(5)
        finish()
        cluster:advance(20)
        near(6, books:result().summary.makespan)
    end)

    it("have finished when as many tasks have as they need", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        cluster:advance(1)
        submit { id = "a", cpus = 1, mem = 10, tasks = 2 }
        launch(framework, { task("a.1", 1, 10), task("a.2", 1, 10) })
        cluster:advance(2)
        finish()
        cluster:advance(1)
        assert.same({ 0, 1, 1 }, { books:counts().finished, books:counts().running, books:counts().live_tasks })
        finish()
        cluster:advance(1)
        assert.same({ 1, 0, 0 }, { books:counts().finished, books:counts().unfinished, books:counts().live_tasks })
        local summary = books:result().summary
        assert.same({ launched = 2, finished = 2, failed = 0, killed = 0, lost = 0, repeated = 0 }, summary.tasks)
        near(2 + 3, summary.work.useful)
    end)

    it("have failed when the last task ended badly and none follows", function()
        local framework = start(agents(3, "cpus:4;mem:400"), "r")
        cluster:advance(1)
        submit { id = "again", cpus = 1, mem = 10 }
        submit { id = "failed", cpus = 2, mem = 10 }
        launch(framework, { task("again.1", 1, 10) })
        launch(framework, { task("failed.1", 2, 10) })
        cluster:advance(3)
        finish(1) -- again.1
        kill(framework, "failed.1")
        cluster:advance(1)
        assert.same({ 2, 0 }, { books:counts().failed, books:counts().live_tasks })
        launch(framework, { task("again.2", 1, 10) })
        cluster:advance(2)
        finish()
        cluster:advance(1)
        local result = books:result()
        local summary = result.summary
        assert.same({ submitted = 2, finished = 1, failed = 1, running = 0, waiting = 0, refused = 0 }, summary.jobs)
        assert.same({ launched = 3, finished = 1, failed = 1, killed = 1, lost = 0, repeated = 1 }, summary.tasks)
        near(2, summary.work.useful)
        near(3 * 1 + 3 * 2, summary.work.wasted)
        assert.equal(2, sum(result.series.failed))
        assert.equal(1, sum(result.series.finished))
        assert.equal(2, sum(result.series.started))
        near((1 + 2) / 2, summary.slowdown.p50) -- it waits from 0 to 1, and its run is that of the task which finished
    end)

    it("may be refused by the policy, and by the master", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        cluster:advance(1)
        submit { id = "no", cpus = 1, mem = 10 }
        submit { id = "large", cpus = 8, mem = 10 }
        submit { id = "yes", cpus = 1, mem = 10 }
        books:refused("no")
        books:refused("unknown")
        launch(framework, { task("large", 8, 10), task("yes", 1, 10) })
        cluster:advance(1)
        local counts = books:counts()
        assert.same({ 1, 1, 1, 2 }, { counts.refused, counts.failed, counts.running, counts.unfinished })
        books:refused("yes") -- it runs already
        assert.equal(1, books:counts().refused)
        local summary = books:result().summary
        assert.same({ launched = 2, finished = 0, failed = 1, killed = 0, lost = 0, repeated = 0 }, summary.tasks)
        assert.equal(1, summary.wait.count)
        assert.equal(0, summary.wait.censored)
    end)

    it("are of a size by their cpus, a priority, a user and a role", function()
        start {}
        for i = 1, 9 do
            submit { id = "j" .. i, cpus = i, priority = i % 2 * 1.5, role = i < 4 and "few" or nil, user = "u" .. i % 3, at = 0 }
        end
        cluster:advance(1)
        local summary = books:result().summary
        local function submitted(groups)
            local counts = {}
            for name, group in pairs(groups) do
                counts[name] = group.jobs.submitted
            end
            return counts
        end
        assert.same({ small = 3, medium = 3, large = 3 }, submitted(summary.sizes))
        assert.same({ ["0"] = 4, ["1.5"] = 5 }, submitted(summary.priorities))
        assert.same({ u0 = 3, u1 = 3, u2 = 3 }, submitted(summary.users))
        assert.same({ few = 3, ["*"] = 6 }, submitted(summary.roles))
        assert.equal(9, summary.jobs.waiting)
    end)

    it("of the same cpus are of the same size", function()
        start {}
        for i = 1, 6 do
            submit { id = "j" .. i, cpus = i == 6 and 2 or 1 }
        end
        local sizes = books:result().summary.sizes
        assert.equal(5, sizes.small.jobs.submitted)
        assert.equal(1, sizes.large.jobs.submitted)
        assert.is_nil(sizes.medium)
    end)

    it("beyond a thousand users are of the others", function()
        start {}
        for i = 1, 1010 do
            submit { id = "j" .. i, user = "u" .. i }
        end
        local users = books:result().summary.users
        assert.equal(10, users["(others)"].jobs.submitted)
        assert.equal(1, users.u1000.jobs.submitted)
        assert.is_nil(users.u1001)
    end)

    it("take less than 200 bytes each, beside their ids", function()
        start {}
        local before, bytes, row = internals.heap(), 0, { cpus = 1, mem = 10, role = "r", user = "u", at = 0 }
        for i = 1, 100000 do
            row.id = "job-" .. i
            bytes = bytes + #row.id + 1
            books:submit(row)
        end
        assert.equal(100000, books:counts().waiting)
        local each = (internals.heap() - before - bytes) / 100000
        assert(each < 200, ("%.1f bytes"):format(each))
    end)
end)

describe("waiting times", function()
    it("have the quantiles of sorted values", function()
        start {}
        math.randomseed(7)
        local waits, by_role = {}, { a = {}, b = {} }
        for i = 1, 777 do
            local at, role = math.random(0, 50000) / 1000, i % 3 == 0 and "a" or "b"
            submit { id = "j" .. i, at = at, role = role }
            table.insert(waits, at)
            table.insert(by_role[role], at)
        end
        -- They are submitted at 0: what lies before its time does not wait longer than from then on.
        cluster:advance(60)
        local result = books:result()
        assert.equal(60, result.summary.wait.max)
        assert.equal(60, result.summary.wait.mean)
        assert.equal(201, #result.waits)
        start {}
        cluster:advance(60)
        for i, at in ipairs(waits) do
            submit { id = "j" .. i, at = at, role = i % 3 == 0 and "a" or "b" }
        end
        cluster:advance(20)
        result = books:result()
        local function check(list, distribution, quantiles)
            for i, at in ipairs(list) do
                list[i] = 80 - at
            end
            table.sort(list)
            near(sum(list) / #list, distribution.mean, 1e-6)
            near(quantile(list, 0.5), distribution.p50, 1e-6)
            near(quantile(list, 0.95), distribution.p95, 1e-6)
            near(quantile(list, 0.99), distribution.p99, 1e-6)
            near(list[#list], distribution.max, 1e-6)
            for i = 0, 200 do
                near(quantile(list, i / 200), quantiles[i + 1], 1e-6)
            end
        end
        check(waits, result.summary.wait, result.waits)
        for role, list in pairs(by_role) do
            check(list, result.summary.roles[role].wait, result.waits_by_role[role])
        end
    end)

    it("are absent where nothing has waited", function()
        start {}
        local result = books:result()
        assert.same({ count = 0, censored = 0 }, result.summary.wait)
        assert.same({}, result.waits)
        assert.same({}, result.waits_by_role)
        assert.same({}, result.longest)
        assert.is_nil(result.summary.makespan)
        assert.same({}, result.summary.utilisation)
        assert.equal(0, result.series.count)
    end)

    it("that are the longest come with the reason", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        local asked, most = {}, 0
        books:why(function(id, cpus)
            asked[id] = (asked[id] or 0) + 1
            most = most + 1
            return id ~= "j2" and ("%s wants %g cpus, %d"):format(id, cpus, asked[id]) or nil
        end)
        for i = 1, 30 do
            submit { id = "j" .. i, at = 0, cpus = i, user = "u" }
        end
        cluster:advance(0.5)
        assert.equal(0, most) -- none has waited for a second
        cluster:advance(1)
        assert.equal(2, most)
        launch(framework, { task("j1", 1, 10) })
        cluster:advance(1)
        assert.same({ j1 = 1, j2 = 2, j3 = 1 }, asked) -- again after twice the time
        cluster:advance(1)
        assert.same({ j1 = 1, j2 = 2, j3 = 1, j4 = 1, j5 = 1 }, asked)
        local longest = books:result().longest
        assert.equal(20, #longest)
        assert.same({ id = "j2", role = "*", user = "u", at = 0, wait = 3.5, state = "waiting" }, longest[1])
        assert.equal("j3 wants 3 cpus, 2", longest[2].why)
        assert.equal("j21 wants 21 cpus, 1", longest[20].why)
        assert.is_nil(asked.j22)
    end)

    it("keep the reason of a job that has started", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        books:why(function() return "so it is" end)
        submit { id = "j", at = 0, cpus = 1, mem = 10 }
        cluster:advance(2.5)
        launch(framework, { task("j", 1, 10) })
        cluster:advance(1)
        local first = books:result().longest[1]
        assert.same({ "j", "running", 2.5, "so it is" }, { first.id, first.state, first.wait, first.why })
    end)
end)

describe("the use of a cluster", function()
    it("is integrated over time, with what is offered", function()
        local framework = start({ "cpus:4;mem:400;disk:80;gpus:0" }, "r")
        cluster:advance(2)
        launch(framework, { task("a", 1, 100) })
        cluster:advance(2)
        finish()
        cluster:advance(4)
        local result = books:result()
        near(1 * 2 / (4 * 8), result.summary.utilisation.cpus)
        near(100 * 2 / (400 * 8), result.summary.utilisation.mem)
        near(0, result.summary.utilisation.disk)
        assert.is_nil(result.summary.utilisation.gpus)
        assert.same({ 0, 0, 1, 1, 0, 0, 0, 0 }, result.series.cpus_used)
        assert.same({ 0, 0, 100, 100, 0, 0, 0, 0 }, result.series.mem_used)
        assert.same({ 4, 4, 4, 4, 4, 4, 4, 4 }, result.series.cpus_total)
        assert.same({ 0, 1, 2, 3, 4, 5, 6, 7 }, result.series.time)
        -- It is offered at once until 2; the rest is refused for an hour, and what comes back with it.
        near(4, result.series.cpus_offered[2])
        near(0, result.series.cpus_offered[3])
        local offered = sum(result.series.cpus_offered)
        near((2 + offered) / 32, result.summary.allocation.cpus)
    end)

    it("has shares of roles, which are those of jobs, and is fair to a degree", function()
        local framework = start(agents(2, "cpus:5;mem:1000"), "r")
        submit { id = "a", role = "alpha", cpus = 3, mem = 10, tasks = 3 }
        submit { id = "b", role = "beta", cpus = 1, mem = 400, tasks = 3 }
        cluster:advance(5)
        launch(framework, { task("a.1", 3, 10) })
        launch(framework, { task("b.1", 1, 400) })
        cluster:advance(5)
        -- alpha has 0.3 of the cpus, beta 0.2 of the memory; before that neither has anything.
        local result = books:result()
        near((0.3 + 0.2) ^ 2 / (2 * (0.09 + 0.04)), result.summary.fairness.jain, 1e-8)
        near(0.2 / 0.3, result.summary.fairness.maxmin, 1e-8)
        near(0.15, result.summary.roles.alpha.share, 1e-8)
        near(0.1, result.summary.roles.beta.share, 1e-8)
        near(0.3, result.series["share:alpha"][7], 1e-8)
        assert.same({ 1, 1, 1, 1, 1, 0, 0, 0, 0, 0 }, result.series["waiting:alpha"])
        assert.equal("alpha", result.gantt[1].role)
    end)

    it("counts the role of a task that has no job", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        cluster:advance(1)
        launch(framework, { task("a", 1, 10) })
        cluster:advance(1)
        local summary = books:result().summary
        near(0.125, summary.roles.r.share, 1e-8)
        assert.equal(0, summary.roles.r.jobs.submitted)
        assert.is_nil(summary.fairness.jain)
        assert.equal(1, summary.tasks.launched)
    end)

    it("forgets roles without jobs for fairness", function()
        local framework = start(agents(2, "cpus:5;mem:1000"), "r")
        cluster:advance(1)
        submit { id = "a", role = "alpha", cpus = 4 }
        submit { id = "b", role = "beta", cpus = 1 }
        launch(framework, { task("a", 4, 10) })
        launch(framework, { task("b", 1, 10) })
        cluster:advance(2)
        finish() -- a; beta is alone from here on
        cluster:advance(10)
        local fairness = books:result().summary.fairness
        near(0.25 / (2 * 0.17), fairness.jain, 1e-8)
        near(0.1 / 0.4, fairness.maxmin, 1e-8)
    end)

    it("is fragmented where the median task does not fit", function()
        local framework = start(agents(2, "cpus:4;mem:400"), "r")
        for i, cpus in ipairs { 1, 3, 3 } do
            submit { id = "j" .. i, cpus = cpus, mem = 10 }
        end
        cluster:advance(1)
        launch(framework, { task("x", 2, 100) })
        cluster:advance(1)
        local result = books:result()
        -- 2 of 6 cpus and 300 of 700 MB are where 2 cpus are left.
        assert.equal(0, result.series.fragmentation_cpus[1])
        near(2 / 6, result.series.fragmentation_cpus[2])
        near(300 / 700, result.series.fragmentation_mem[2])
        near(2 / (8 + 6), result.summary.fragmentation.cpus)
        near(300 / (800 + 700), result.summary.fragmentation.mem)
    end)

    it("has a row for each agent, or for some of them", function()
        local framework = start(agents(3, "cpus:4;mem:400"), "r")
        cluster:agent("cpus:4;mem:400", "special")
        cluster:advance(2)
        launch(framework, { task("a", 1, 10) })
        cluster:advance(2)
        local rows = books:result().agents.rows
        assert.equal(4, #rows)
        assert.same({ label = "agent 1", agents = 1, cpus = { 0, 0, 0.25, 0.25 } }, rows[1])
        assert.equal("special", rows[4].label)
        assert.same({ 0, 0, 0, 0 }, rows[4].cpus)
    end)

    it("has at most 200 rows", function()
        local framework = start(agents(401, "cpus:4;mem:400"), "r")
        cluster:advance(1)
        for _ = 1, 5 do
            launch(framework, { task("t" .. _, 2, 10) })
        end
        cluster:advance(1)
        local rows = books:result().agents.rows
        assert.equal(101, #rows)
        assert.same({ "agent 1 ... agent 4", 4, 0.5 }, { rows[1].label, rows[1].agents, rows[1].cpus[2] })
        assert.same({ 0.125, "agent 5 ... agent 8" }, { rows[2].cpus[2], rows[2].label })
        assert.same({ "agent 401", 1 }, { rows[101].label, rows[101].agents })
    end)

    it("has rows of agents that had gone before", function()
        cluster = virtual_cluster.start(agents(401, "cpus:4;mem:400"))
        local framework, gone = cluster:subscribe { name = "r", roles = { "r" } }, { [2] = true, [4] = true, [400] = true }
        cluster:advance(1)
        for _, offer in ipairs(framework:offers()) do
            local id = offer.agent_id.value
            if gone[tonumber(id:match("S(%d+)$")) + 1] then
                internals.sim_fault(cluster.master, "gone", id)
            end
        end
        cluster:advance(1)
        books = internals.books(cluster.master)
        cluster:advance(1)
        local rows = books:result().agents.rows
        assert.equal(101, #rows)
        assert.same({ "agent 1 ... agent 3", 2 }, { rows[1].label, rows[1].agents })
        assert.same({ "agent 397 ... agent 399", 3 }, { rows[100].label, rows[100].agents })
    end)

    it("is cut where sums would not fit", function()
        start(agents(3, "cpus:1e15;mem:1e15"))
        submit { id = "a", cpus = 1e300, mem = 1 / 0 }
        submit { id = "b", cpus = 0 / 0, mem = -1 }
        cluster:advance(2)
        local result = books:result()
        near(3 * 9e9, result.series.cpus_total[1], 1)
        near(3 * 9e9, result.series.mem_total[1], 1)
    end)

    it("has the first 500 tasks", function()
        local framework = start({ "cpus:400;mem:40000" }, "r")
        cluster:advance(1)
        submit { id = "j", cpus = 0.1, mem = 1, tasks = 600 }
        local tasks = {}
        for i = 1, 501 do
            tasks[i] = task("j." .. i, 0.1, 1)
        end
        launch(framework, tasks)
        cluster:advance(1.5)
        finish()
        cluster:advance(1)
        local gantt = books:result().gantt
        assert.equal(500, #gantt)
        assert.same({ task = "j.1", job = "j", agent = "agent 1", role = "*", start = 1, stop = 2.5, state = "TASK_FINISHED" },
            gantt[1])
        assert.same({ task = "j.500", job = "j", agent = "agent 1", role = "*", start = 1, state = "TASK_RUNNING" }, gantt[500])
    end)
end)

describe("offers and calls", function()
    it("are counted, with how long offers were held", function()
        local framework = start(agents(4, "cpus:4;mem:400"), "r")
        cluster:advance(0.01)
        assert.equal(4, #framework:offers())
        cluster:advance(3)
        framework:decline(framework:offers()[1], 1000)
        launch(framework, { task("a", 1, 10) })
        internals.sim_fault(cluster.master, "remove", framework:offers()[1].agent_id.value)
        cluster:advance(2)
        cluster.master:close(framework.stream)
        local summary = books:result().summary
        local offers = summary.offers
        assert.same({ 4, 1, 1, 2 }, { offers.made, offers.accepted, offers.declined, offers.rescinded })
        -- Three for 3 seconds and what was left of the hundredth, one for 2 more.
        near(3, offers.held.mean - 0.5, 0.02)
        near(5, offers.held.max, 0.02)
        near(quantile({ 3, 3, 3, 5 }, 0.95), offers.held.p95, 0.02)
        assert.same({ ACCEPT = 1, DECLINE = 1, SUBSCRIBE = 1 }, summary.calls)
        assert.equal(1, summary.updates) -- the next waits for its acknowledgement
        assert.equal(0 + 4 + 3 + 1, summary.events)
    end)

    it("have a series", function()
        local framework = start(agents(2, "cpus:4;mem:400"), "r")
        cluster:advance(1.5)
        framework:decline_all(1000)
        cluster:advance(1)
        local series = books:result().series
        assert.same({ 2, 0, 0 }, series.offers)
        assert.same({ 1, 2, 0 }, series.calls)
        near(4, series.cpus_offered[2])
    end)
end)

describe("agents that are lost", function()
    it("take their tasks and resources with them", function()
        local framework = start(agents(2, "cpus:4;mem:400"), "r")
        cluster:advance(1)
        submit { id = "a", cpus = 2, mem = 10 }
        local agent_id = launch(framework, { task("a.1", 2, 10) })
        cluster:advance(3)
        internals.sim_fault(cluster.master, "gone", agent_id)
        cluster:advance(1)
        assert.same({ 1, 0, 0 }, { books:counts().failed, books:counts().running, books:counts().live_tasks })
        launch(framework, { task("a.2", 2, 10) })
        cluster:advance(2)
        finish()
        cluster:advance(1)
        local result = books:result()
        local summary = result.summary
        assert.same({ launched = 2, finished = 1, failed = 0, killed = 0, lost = 1, repeated = 1 }, summary.tasks)
        assert.equal(1, summary.lost)
        assert.same({ count = 2, lost = 1 }, summary.agents)
        near(4, summary.work.useful)
        near(6, summary.work.wasted)
        assert.same({ 8, 8, 8, 8, 4, 4, 4, 4 }, result.series.cpus_total)
        assert.same({ 2, 2, 2, 2, 1, 1, 1, 1 }, result.series.agents)
        assert.same({ 0, 2, 2, 2, 0, 2, 2, 0 }, result.series.cpus_used)
        near((6 + 4) / (8 * 4 + 4 * 4), summary.utilisation.cpus)
        assert.equal(1, summary.jobs.finished)
    end)

    it("come back with a task that was lost", function()
        local framework = start(agents(1, "cpus:4;mem:400"), "r")
        cluster:advance(1)
        submit { id = "a", cpus = 2, mem = 10 }
        local agent_id = launch(framework, { task("a.1", 2, 10) })
        cluster:advance(1)
        acknowledge(framework)
        internals.sim_fault(cluster.master, "silence", agent_id)
        cluster:advance(98) -- 75 until it is unreachable
        assert.same({ 1, 0 }, { books:counts().failed, books:counts().live_tasks })
        internals.sim_fault(cluster.master, "return", agent_id)
        cluster:advance(1)
        assert.same({ 0, 1, 1 }, { books:counts().failed, books:counts().running, books:counts().live_tasks })
        finish()
        cluster:advance(1)
        local result = books:result()
        local summary = result.summary
        assert.same({ launched = 1, finished = 1, failed = 0, killed = 0, lost = 0, repeated = 0 }, summary.tasks)
        assert.same({ count = 1, lost = 1 }, summary.agents)
        near(200, summary.work.useful) -- from 1 to 101, as it ran all the time
        near(0, summary.work.wasted)
        assert.equal(1, summary.jobs.finished)
        -- 77 to 100 without the agent.
        assert.same({ 4, 0, 0, 4 }, { result.series.cpus_total[77], result.series.cpus_total[78],
            result.series.cpus_total[100], result.series.cpus_total[101] })
        assert.same({ 2, 0, 0, 2 }, { result.series.cpus_used[77], result.series.cpus_used[78],
            result.series.cpus_used[100], result.series.cpus_used[101] })
        near((2 * (76 + 1)) / (4 * (77 + 2)), summary.utilisation.cpus)
    end)

    it("may have ended the task meanwhile", function()
        local framework = start(agents(1, "cpus:4;mem:400"), "r")
        cluster:advance(1)
        submit { id = "a", cpus = 2, mem = 10 }
        local agent_id = launch(framework, { task("a.1", 2, 10) })
        cluster:advance(1)
        acknowledge(framework)
        internals.sim_fault(cluster.master, "silence", agent_id)
        cluster:advance(100)
        finish()
        cluster:advance(1)
        internals.sim_fault(cluster.master, "return", agent_id)
        cluster:advance(1)
        local summary = books:result().summary
        assert.same({ launched = 1, finished = 1, failed = 0, killed = 0, lost = 0, repeated = 0 }, summary.tasks)
        assert.equal(1, summary.jobs.finished)
        near(0, summary.work.wasted)
    end)

    it("are counted once if they stay away from a new master", function()
        local framework = start(agents(2, "cpus:4;mem:400"), "r")
        cluster:advance(1)
        submit { id = "a", cpus = 2, mem = 10 }
        submit { id = "b", cpus = 2, mem = 10 }
        local agent_id = launch(framework, { task("a", 2, 10) })
        launch(framework, { task("b", 2, 10) })
        cluster:advance(1)
        acknowledge(framework)
        internals.sim_fault(cluster.master, "silence", agent_id)
        internals.sim_fault(cluster.master, "fail_over")
        cluster:advance(3)
        internals.sim_fault(cluster.master, "lead")
        cluster:advance(10)
        -- The tasks run on while no master leads, and the agents are there.
        assert.same({ 2, 2 }, { books:counts().running, books:counts().live_tasks })
        cluster:advance(90)
        assert.same({ 1, 1, 1 }, { books:counts().running, books:counts().live_tasks, books:counts().failed })
        local result = books:result()
        assert.same({ count = 2, lost = 1 }, result.summary.agents)
        assert.equal(1, result.summary.lost)
        assert.same({ 8, 4, 4 }, { result.series.cpus_total[20], result.series.cpus_used[20], result.series.cpus_used[4] })
        assert.same({ 4, 2 }, { result.series.cpus_total[100], result.series.cpus_used[100] })
    end)
end)

-- Random tasks, faults and failovers, with a look at the books after each.
describe("the books of random runs", function()
    local frameworks, ids, lost

    local function launch_some(framework)
        if #framework:offers() == 0 then
            return
        end
        local tasks = {}
        for i = 1, math.random(3) do
            ids = ids + 1
            tasks[i] = task(("j%d.%d"):format(math.random(40), ids), math.random(3) / 2, 10)
        end
        launch(framework, tasks)
    end

    local function fail_over()
        internals.sim_fault(cluster.master, "fail_over")
        cluster:advance(math.random(5))
        internals.sim_fault(cluster.master, "lead")
        for i, framework in ipairs(frameworks) do
            frameworks[i] = cluster:subscribe { name = framework.name, roles = { "r" }, id = framework.id,
                failover_timeout = 1000, checkpoint = i == 1,
                capabilities = { { type = "MULTI_ROLE" }, i == 1 and { type = "PARTITION_AWARE" } or nil } }
            frameworks[i].name = framework.name
        end
        cluster:advance(200) -- who does not register is lost
    end

    local function state()
        return require("cjson").decode((cluster.master:document("state")))
    end

    local function lose(kind)
        local slaves = state().slaves
        if #slaves > 1 then
            local id = slaves[math.random(#slaves)].id
            internals.sim_fault(cluster.master, kind, id)
            if kind == "silence" or kind == "kill" then
                table.insert(lost, id)
            end
            cluster:advance(math.random(2) == 1 and 100 or 0)
        end
    end

    local ACTIONS = {
        function() launch_some(frameworks[math.random(2)]) end,
        function() launch_some(frameworks[math.random(2)]) end,
        function() launch_some(frameworks[math.random(2)]) end,
        function() acknowledge(frameworks[1]) end,
        function() acknowledge(frameworks[2]) end,
        function() cluster.master:finish(math.random(3), math.random(0, 1)) end,
        function() cluster:advance(math.random() * 20) end,
        function() frameworks[1]:decline_all(math.random(10)) end,
        function() kill(frameworks[1], ("j%d.%d"):format(math.random(40), math.random(ids + 1))) end,
        function() lose("silence") end,
        function() lose("kill") end,
        function() lose(math.random(4) == 1 and "gone" or "silence") end,
        function() lose(math.random(4) == 1 and "remove" or "kill") end,
        function()
            if #lost > 0 then
                pcall(internals.sim_fault, cluster.master, "return", table.remove(lost))
            end
        end,
        function()
            if math.random(3) == 1 then
                fail_over()
            end
        end,
        function() cluster:agent("cpus:4;mem:4000") end,
    }

    local function compare()
        local count, total, used, offered = 0, 0, 0, 0
        for _, slave in ipairs(state().slaves) do
            count = count + 1
            total = total + slave.resources.cpus
            used = used + slave.used_resources.cpus
            offered = offered + slave.offered_resources.cpus
        end
        local expected = { count, math.floor(total * 1000), math.floor(used * 1000), math.floor(offered * 1000) }
        assert.same(expected, { books:now() })
    end

    local function run(seed)
        math.randomseed(seed)
        ids, lost = 0, {}
        frameworks = { start(agents(6, "cpus:4;mem:4000"), "r", "r") }
        for i, framework in ipairs(frameworks) do
            framework.name = "f" .. i
        end
        for i = 1, 40 do
            submit { id = "j" .. i, cpus = 1, mem = 10, role = "r" .. i % 3 }
        end
        for _ = 1, 100 do
            ACTIONS[math.random(#ACTIONS)]()
            cluster:advance(0.01)
            compare()
        end
        local counts = books:counts()
        local result = books:result()
        local tasks = result.summary.tasks
        assert.equal(tasks.launched, tasks.finished + tasks.failed + tasks.killed + tasks.lost + counts.live_tasks)
        local jobs = result.summary.jobs
        assert.equal(40, jobs.finished + jobs.failed + jobs.running + jobs.waiting)
        local used, total = 0, 0
        for i, value in ipairs(result.series.cpus_used) do
            local begin = (i - 1) * result.series.width
            local length = math.min(result.series.width, result.summary.duration - begin)
            used = used + value * length
            total = total + result.series.cpus_total[i] * length
        end
        near(used / total, result.summary.utilisation.cpus)
        assert(result.summary.fairness.jain <= 1 and result.summary.fairness.jain >= 1 / 3)
        return tasks
    end

    it("agree with the master", function()
        local launched, lost_tasks = 0, 0
        for seed = 1, 3 do
            local tasks = run(seed)
            launched, lost_tasks = launched + tasks.launched, lost_tasks + tasks.lost
        end
        assert(launched > 30 and lost_tasks > 10, ("%d of %d tasks were lost"):format(lost_tasks, launched))
    end)
end)

describe("the books", function()
    it("know a task while the master does", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        cluster:advance(1)
        submit { id = "j", cpus = 1, mem = 10, duration = 12 }
        local agent_id = launch(framework, { task("j.1", 1, 10), task("other", 2, 20, { name = "named" }) })
        assert.same({ job = "j", duration = 12, agent_id = agent_id, hostname = "localhost", name = "j.1", cpus = 1, mem = 10,
            attempt = 1 }, books:task("j.1"))
        assert.same({ duration = 0, agent_id = agent_id, hostname = "localhost", name = "named", cpus = 2, mem = 20,
            attempt = 1 }, books:task("other"))
        assert.is_nil(books:task("unknown"))
        near(1, books:counts().last_change)
        cluster:advance(3)
        finish(1)
        cluster:advance(1)
        near(4, books:counts().last_change)
        for _ = 1, 3 do
            acknowledge(framework)
            cluster:advance(2)
        end
        assert.is_nil(books:task("j.1"))
        near(4, books:counts().last_change)
    end)

    it("take the label `job` of a task", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        cluster:advance(1)
        submit { id = "j" }
        launch(framework, {
            task("x", 1, 10, { labels = { labels = { { key = "other", value = "k" }, { key = "job", value = "j" } } } }),
        })
        assert.equal("j", books:task("x").job)
    end)

    it("outlive the master, and may be kept twice", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        cluster:advance(1)
        submit { id = "j", cpus = 1, mem = 10 }
        launch(framework, { task("j", 1, 10) })
        local first = books
        first:finish()
        books = internals.books(cluster.master)
        cluster:advance(1)
        finish()
        cluster:advance(1)
        assert.equal(1, first:result().summary.tasks.launched)
        assert.equal(0, first:result().summary.tasks.finished)
        assert.equal(0, books:result().summary.tasks.launched)
        assert.equal(4, books:result().series.cpus_total[1])
    end)

    it("say the same of the same", function()
        local function run()
            local first, second = start(agents(5, "cpus:4;mem:400"), "a", "b")
            for i = 1, 20 do
                submit { id = "j" .. i, role = i % 2 == 0 and "a" or "b", user = "u" .. i % 3, at = i / 10, cpus = i % 3 + 1, mem = 10 }
            end
            for i = 1, 10 do
                cluster:advance(1.1)
                for j, framework in ipairs { first, second } do
                    if #framework:offers() > 0 then
                        launch(framework, { task(("j%d.%d"):format(2 * i + j - 1, i), 1, 10) })
                    end
                end
            end
            finish(0, 2)
            cluster:advance(3)
            return canonical(books:result())
        end
        local once = run()
        assert.equal(once, run())
    end)
end)

describe("a series", function()
    it("loses nothing when its steps double", function()
        math.randomseed(3)
        local series = internals.series(10)
        local now, value, integral, counted, late = 0, 0, 0, 0, 0
        local late_value = 0
        for i = 1, 5000 do
            local passed = math.random(0, 40)
            integral = integral + value * passed
            late = late + late_value * passed
            now = now + passed
            local difference = math.random(-5, 6)
            value = value + difference
            series:change(now, difference)
            series:count(now, i)
            counted = counted + i
            if i > 1000 then
                series:change_late(now, 3)
                late_value = late_value + 3
            end
        end
        series:merge(now)
        local result = series:finish(now)
        assert(#result.gauge <= 512 and #result.gauge > 255)
        assert.equal(10 * 2 ^ math.ceil(math.log(now / 10 / 512, 2)), result.width)
        assert.equal(integral + late, sum(result.gauge))
        assert.equal(counted, sum(result.counts))
        assert.equal(now, result.width * (#result.gauge - 1) + result.last)
    end)

    it("has the steps that it would have with that width", function()
        local fine, coarse = internals.series(10), internals.series(40)
        math.randomseed(5)
        local now = 0
        while now < 20000 do
            local difference = math.random(-5, 6)
            fine:change(now, difference)
            coarse:change(now, difference)
            now = now + math.random(1, 60)
        end
        local a, b = fine:finish(20000), coarse:finish(20000)
        assert.equal(40, a.width)
        assert.same(b, a)
        assert.equal(500, #a.gauge)
    end)

    it("ends at the end of a step", function()
        local series = internals.series(10)
        series:change(0, 2)
        local result = series:finish(20)
        assert.same({ 20, 20 }, result.gauge)
        assert.equal(10, result.last)
    end)

    it("jumps over idle time", function()
        local series = internals.series(1000000000)
        series:change(0, 1)
        local result = series:finish(86400 * 30 * 1000000000)
        assert.equal(86400 * 30 * 1000000000, sum(result.gauge))
        assert(#result.gauge <= 512)
    end)
end)

describe("the rows of jobs.csv", function()
    -- The rows by id, each a list of cells by column; cells in quotes are left as they are.
    local function rows_of(key)
        local path = program.directory() .. "/rows"
        local columns = assert(books:jobs_csv(path, key or ""))
        local text, names, rows = program.read(path), {}, {}
        for name in columns:gmatch("[^,]+") do
            names[#names + 1] = name
        end
        for line in text:gmatch("[^\n]+") do
            local row, count = {}, 0
            for cell in (line .. ","):gmatch("([^,]*),") do
                count = count + 1
                row[names[count]] = cell ~= "" and cell or nil
            end
            assert.equal(#names, count, line)
            rows[row.id] = row
        end
        return rows, text
    end

    it("have what the books know of each job", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        cluster:advance(1)
        submit { id = "two", role = "r", user = "anna", name = "sort", at = 0.25, cpus = 1.5, mem = 10, disk = 2, gpus = 1,
            duration = 12.5, priority = -3, tasks = 2 }
        submit { id = "bad", at = 0.5, cpus = 1, mem = 10, duration = 0.125 }
        submit { id = "late", at = 0.75, cpus = 100, mem = 1, duration = 1e-9 }
        submit { id = "no", at = 1, cpus = 0.001, mem = 1 }
        books:refused "no"
        launch(framework, { task("two.1", 1, 10), task("two.2", 1, 10), task("bad.1", 1, 10) })
        cluster:advance(3)
        finish(0)
        cluster:advance(2)
        finish(0)
        finish(7)
        acknowledge(framework)
        cluster:advance(4)
        books:result()
        local rows, text = rows_of()
        assert.same({ id = "two", role = "r", user = "anna", name = "sort", priority = "-3", tasks = "2", cpus = "1.5", mem = "10",
            disk = "2", gpus = "1", at = "0.25", duration = "12.5", first_launch = "1", first_running = "1", ["end"] = "6",
            wait = "0.75", run = "5", slowdown = "1.15", state = "finished", launched = "2", finished = "2", failed = "0",
            refused = "false" }, rows.two)
        assert.same({ id = "bad", role = "*", priority = "0", tasks = "1", cpus = "1", mem = "10", disk = "0", gpus = "0",
            at = "0.5", duration = "0.125", first_launch = "1", first_running = "1", ["end"] = "6", wait = "0.5",
            slowdown = "5", state = "failed", launched = "1", finished = "0", failed = "1", refused = "false" }, rows.bad)
        assert.same({ id = "late", role = "*", priority = "0", tasks = "1", cpus = "100", mem = "1", disk = "0", gpus = "0",
            at = "0.75", duration = "0.000000001", wait = "9.25", state = "waiting", launched = "0", finished = "0", failed = "0",
            refused = "false" }, rows.late)
        assert.same({ id = "no", role = "*", priority = "0", tasks = "1", cpus = "0.001", mem = "1", disk = "0", gpus = "0",
            at = "1", state = "refused", launched = "0", finished = "0", failed = "0", refused = "true" }, rows.no)
        assert.equal(text, select(2, rows_of()))
    end)

    it("count a task once that was lost and came back", function()
        local framework = start({ "cpus:4;mem:400" }, "r")
        cluster:advance(1)
        submit { id = "j", cpus = 1, mem = 1, duration = 100 }
        local agent_id = launch(framework, { task("j.1", 1, 10) })
        cluster:advance(1)
        internals.sim_fault(cluster.master, "silence", agent_id)
        cluster:advance(100)
        assert.equal(0, books:counts().live_tasks)
        internals.sim_fault(cluster.master, "return", agent_id)
        cluster:advance(1)
        assert.equal(1, books:counts().live_tasks)
        finish(0)
        cluster:advance(1)
        books:result()
        local row = rows_of().j
        assert.same({ "1", "1", "0", "finished" }, { row.launched, row.finished, row.failed, row.state })
    end)

    it("are quoted where they must be, and are UTF-8", function()
        start {}
        local long = ("n"):rep(999) .. "\u{e9}"
        for i, name in ipairs { 'a "b", c', "two\nlines", " blank", "end ", "\xe9t\u{e9}", "fine \u{e9}", "", "j8", long, long } do
            submit { id = "j" .. i, name = name, user = i == 1 and "a,b" or nil }
        end
        books:result()
        local path = program.directory() .. "/rows"
        assert(books:jobs_csv(path, '"a ""script""",1,'))
        local text, found = program.read(path), {}
        for cells in text:gsub(",0,1,0,0,0,0,0,,,,,0,,,waiting,0,0,0,false\n", "\1"):gmatch("([^\1]+)\1") do
            found[#found + 1] = cells:match('^"a ""script""",1,(.*)$')
        end
        assert.same({ 'j1,*,"a,b","a ""b"", c"', 'j2,*,,"two\nlines"', 'j3,*,," blank"', 'j4,*,,"end "', "j5,*,,?t??",
            "j6,*,,fine \u{e9}", "j7,*,,", "j8,*,,j8", "j9,*,," .. ("n"):rep(999), "j10,*,," .. ("n"):rep(999) }, found)
    end)

    it("are those that are documented", function()
        start {}
        books:result()
        local columns = assert(books:jobs_csv(program.directory() .. "/rows", ""))
        local row = program.read("lua/guide/simulator.md"):match("\n| `jobs.csv` |([^\n]*)")
        for column in columns:gmatch("[^,]+") do
            assert(row:find("`" .. column .. "`", 1, true), column)
        end
    end)

    it("say what could not be written, and leave nothing", function()
        start {}
        submit { id = "j" }
        books:result()
        local folder = program.directory()
        assert.same({ nil, ("cannot write '%s/a/b': No such file or directory"):format(folder) },
            { books:jobs_csv(folder .. "/a/b", "") })
        assert.same({ nil, "cannot write '/dev/full': No space left on device" }, { books:jobs_csv("/dev/full", "") })
    end)
end)

describe("a distribution of many numbers", function()
    local function fill(count)
        local quantiles, list = internals.quantiles(), {}
        math.randomseed(11)
        for i = 1, count do
            list[i] = math.floor(math.exp(math.random() * 30))
            quantiles:add(list[i])
        end
        table.sort(list)
        return quantiles, list
    end

    it("is exact up to 100,000", function()
        for _, count in ipairs { 1, 2, 3, 1000, 20000 } do
            local quantiles, list = fill(count)
            for i = 0, 20 do
                local expected = quantile(list, i / 20)
                near(expected, quantiles:at(i / 20), expected * 1e-12)
            end
            near(sum(list) / count, quantiles:mean(), sum(list) / count * 1e-12)
        end
    end)

    it("is wrong by 0.4 % at most beyond that", function()
        local quantiles, list = fill(120000)
        for i = 0, 100 do
            local expected = list[math.floor(i / 100 * (#list - 1)) + 1]
            near(expected, quantiles:at(i / 100), expected * 0.004 + 1)
        end
        near(list[#list], quantiles:at(1), list[#list] * 0.004)
        near(sum(list) / #list, quantiles:mean(), sum(list) / #list * 1e-12)
    end)

    it("of nothing has no values", function()
        local quantiles = internals.quantiles()
        assert.same({ 0, 0 }, { quantiles:at(0.5), quantiles:mean() })
    end)
end)
