-- SPDX-License-Identifier: Apache-2.0
--
-- Documents of simulations, made up and not run, for specs of what is made from them (host/sim/README.md, "The result of a
-- run"). Equal calls give equal documents.
--
--   M.result { script =, seed =, steps =, agents =, tasks =, ... }    one result
--   M.one(), M.two_policies(), M.partial(), M.empty(), M.hostile(text), M.large()

local M = {}

-- A sequence of numbers from 0 to 1, the same everywhere.
local function sequence(seed)
    local state = seed * 7919 + 17
    return function()
        state = (state * 1103515245 + 12345) % 2147483648
        return state / 2147483648
    end
end

local function column(count, get)
    local values = {}
    for i = 1, count do
        values[i] = get(i, i / count)
    end
    return values
end

local ROLES = { "batch", "service" }

local function series_of(options, random, last)
    local count = options.steps
    local function load(x)
        return math.max(0, math.min(1, options.load * math.sin(math.pi * math.min(1, x * 1.08)) + 0.08 * (random() - 0.5)))
    end
    local total = options.agents * 8
    local series = { width = last / count, count = count, cpus_total = column(count, function() return total end),
        mem_total = column(count, function() return total * 4096 end) }
    series.time = column(count, function(i) return (i - 1) * series.width end)
    series.cpus_used = column(count, function(_, x) return total * load(x) end)
    series.mem_used = column(count, function(i) return series.cpus_used[i] * 4096 * 0.7 end)
    series.cpus_offered = column(count, function(i) return (total - series.cpus_used[i]) * 0.5 * random() end)
    series.mem_offered = column(count, function(i) return series.cpus_offered[i] * 4096 end)
    series.disk_used = column(count, function() return 0 end)
    series.gpus_used = series.disk_used
    series.waiting = column(count, function(_, x) return math.floor(40 * options.load ^ 3 * load(x) ^ 4) end)
    series.running = column(count, function(i) return series.cpus_used[i] / 2 end)
    for _, name in ipairs { "submitted", "started", "finished" } do
        series[name] = column(count, function() return math.floor(4 * random()) end)
    end
    series.failed = series.disk_used
    series.fragmentation_cpus = column(count, function(_, x) return 0.3 * load(x) end)
    series.fragmentation_mem = column(count, function(_, x) return 0.15 * load(x) end)
    series.agents = column(count, function(_, x) return options.agents - (x > 0.5 and x < 0.7 and 1 or 0) end)
    series.offers = column(count, function() return math.floor(30 * random()) end)
    series.calls = column(count, function(i) return series.offers[i] + math.floor(5 * random()) end)
    for n, role in ipairs(options.roles) do
        series["share:" .. role] = column(count, function(i) return series.cpus_used[i] / total * (n == 1 and 0.62 or 0.38) end)
        series["waiting:" .. role] = column(count, function(i) return series.waiting[i] // n end)
    end
    return series
end

local function heat_of(options, random)
    local rows = {}
    for n = 1, options.agents do
        local shift = n / options.agents
        rows[n] = { label = ("agent-%d"):format(n), agents = 1, cpus = column(options.steps, function(_, x)
            local gone = n == 3 and x > 0.5 and x < 0.7
            local use = math.floor(8 * options.load * math.sin(math.pi * x) * (0.6 + 0.8 * (1 - shift)) + random()) / 8
            return gone and -1 or math.max(0, math.min(1, use))
        end) }
    end
    return { rows = rows }
end

local STATES = { "TASK_FINISHED", "TASK_FINISHED", "TASK_FINISHED", "TASK_FINISHED", "TASK_FAILED" }

local function gantt_of(options, random, last)
    local list = {}
    for n = 1, options.tasks do
        local start = last * 0.8 * n / options.tasks
        local stop = start + 20 + last * 0.12 * random()
        list[n] = { task = ("job-%d.1"):format(n), job = "job-" .. n,
            agent = ("agent-%d"):format(1 + math.floor(options.agents * random())),
            start = start, stop = stop < last and stop or nil, role = options.roles[n % 2 + 1],
            state = stop < last and STATES[n % 5 + 1] or "TASK_RUNNING" }
    end
    return list
end

local function waits_of(scale)
    return column(201, function(i)
        local q = (i - 1) / 200
        return q < 0.2 and 0 or scale * -math.log(1 - q * 0.998)
    end)
end

local function distribution(waits, count)
    local sum = 0
    for _, wait in ipairs(waits) do
        sum = sum + wait
    end
    return { count = count, mean = sum / #waits, p50 = waits[101], p95 = waits[191], p99 = waits[199], max = waits[201], censored = 2 }
end

local function group_of(waits, jobs, share)
    return { wait = distribution(waits, jobs), slowdown = { count = jobs, mean = 1.5, p50 = 1.1, p95 = 3.2, p99 = 5, max = 9 },
        jobs = { submitted = jobs, finished = jobs - 2, failed = 0, running = 0, waiting = 2, refused = 0 }, share = share }
end

local function summary_of(options, result, last)
    local jobs, waits = options.jobs, result.waits
    local summary = group_of(waits, jobs)
    summary.tasks = { launched = jobs + 7, finished = jobs - 2, failed = 5, killed = 0, lost = 2, repeated = 7 }
    summary.lost, summary.makespan, summary.throughput = 2, last - 12, (jobs - 2) / last * 3600
    summary.utilisation = { cpus = options.load * 0.62, mem = options.load * 0.45, disk = 0, gpus = 0 }
    summary.allocation = { cpus = options.load * 0.62 + 0.15, mem = options.load * 0.45 + 0.2, disk = 0, gpus = 0 }
    summary.fragmentation = { cpus = 0.17, mem = 0.08 }
    summary.fairness = { jain = 0.93, maxmin = 0.61 }
    summary.offers = { made = 7421, accepted = 602, declined = 6800, rescinded = 19, held = { mean = 0.2, p95 = 0.9, max = 4.5 } }
    summary.calls = { SUBSCRIBE = 1, ACCEPT = 602, DECLINE = 6800, ACKNOWLEDGE = 1210, REVIVE = 40 }
    summary.updates, summary.agents, summary.events = 1210, { count = options.agents, lost = 1 }, 16044
    summary.work, summary.duration = { useful = 91000, wasted = 1800 }, last
    summary.roles, summary.users, summary.priorities = {}, {}, {}
    summary.sizes = { small = group_of(waits, 200), medium = group_of(waits, 200), large = group_of(waits, 200) }
    for n, role in ipairs(options.roles) do
        summary.roles[role] = group_of(result.waits_by_role[role], jobs // n, n == 1 and 0.4 or 0.2)
    end
    summary.users.ada, summary.users.bob = group_of(waits, 350), group_of(waits, 250)
    return summary
end

-- A result that has all there is. Options: script, arguments, seed, set, load (0 to 1), scale (seconds of a usual wait),
-- steps, agents, tasks, jobs, roles.
function M.result(options)
    local defaults = { script = "policies/packer.lua", arguments = {}, seed = 1, load = 0.8, scale = 12, steps = 256, agents = 24,
        tasks = 120, jobs = 600, roles = ROLES }
    options = setmetatable(options or {}, { __index = defaults })
    local random, last = sequence(options.seed), 7200 + 60 * options.seed
    local result = { script = options.script, arguments = options.arguments, seed = options.seed, set = options.set,
        ended = "all jobs ended", waits_by_role = {} }
    result.waits = waits_of(options.scale * (1 + 0.1 * random()))
    for n, role in ipairs(options.roles) do
        result.waits_by_role[role] = waits_of(options.scale * n)
    end
    result.series = series_of(options, random, last)
    result.agents = heat_of(options, random)
    result.gantt = gantt_of(options, random, last)
    result.summary = summary_of(options, result, last)
    result.longest = {
        { id = "job-417", role = options.roles[1], user = "ada", at = 3100, wait = options.scale * 7, state = "finished",
            why = "No agent had 6 cpus free: 22 of 24 had fewer, the largest offer was 5.5 cpus." },
        { id = "job-590", role = options.roles[2], user = "bob", at = 6900, wait = options.scale * 6, state = "waiting",
            why = "Its role's quota was used up for 71 s." },
    }
    result.faults = { { at = last * 0.5, text = "agent-3 lost" }, { at = last * 0.7, text = "agent-3 back" } }
    result.skipped = { { reason = "no duration", count = 12, example = "line 81: {\"id\": \"x\"}" } }
    result.log = { "W packer.lua:17: job-12: no offer fits, trying again in 5 s", "E job-99 is unknown" }
    return result
end

function M.one()
    local result = M.result()
    result.callbacks = { resourceOffers = { count = 7421, failures = 0, total = 812, mean = 0.109, p99 = 0.8, max = 3.1 } }
    return { version = 1, results = { result }, assertions = {
        { text = "wait.p95 < 60", holds = true, value = 36.2, seed = 1, script = result.script },
        { text = "lost == 0", holds = false, value = 2, seed = 1, script = result.script },
    } }
end

-- Two policies in the worlds of three seeds, compared as comparison.lua does.
function M.two_policies()
    local document = { version = 1, results = {}, assertions = {} }
    for seed = 1, 3 do
        for n, script in ipairs { "policies/packer.lua", "policies/spread.lua" } do
            document.results[#document.results + 1] = M.result { script = script, seed = seed, load = n == 1 and 0.85 or 0.75,
                scale = n == 1 and 12 or 19 }
            document.assertions[#document.assertions + 1] = { text = "wait.p95 < 60", holds = n == 1, value = n == 1 and 36.2 or 61.3,
                seed = seed, script = script }
        end
    end
    document.comparison = { a = { script = "policies/packer.lua" }, b = { script = "policies/spread.lua" }, confidence = 0.95,
        groups = { { seeds = { 1, 2, 3 }, left_out = 0, numbers = {
            { name = "wait.p95", kind = "time", better = "less", a = 36, b = 57, difference = -21, low = -24.5, high = -17.5, count = 3,
                verdict = "less", words = "less, which is better" },
            { name = "makespan", kind = "time", better = "less", a = 7200, b = 7201, difference = -1, low = -9, high = 7, count = 3,
                verdict = "none", words = "no difference seen" },
        } } } }
    return document
end

-- A run that was interrupted before any job had started.
function M.partial()
    local result = M.result { tasks = 0, jobs = 12 }
    result.partial, result.ended, result.waits, result.waits_by_role = "interrupted", "interrupted", nil, {}
    result.summary.wait, result.summary.slowdown, result.longest = { count = 0 }, { count = 0 }, {}
    result.problem = "12 jobs wait.\nThe policy has never launched a task."
    return { version = 1, results = { result } }
end

-- Nothing at all has happened.
function M.empty()
    return { version = 1, results = { { script = "idle.lua", arguments = {}, seed = 1, ended = "duration", summary = {},
        series = { width = 1, count = 0 }, agents = { rows = {} }, gantt = {}, waits = {}, waits_by_role = {}, longest = {},
        faults = {}, skipped = {}, log = {} } } }
end

-- The text in every place that a user's data reaches.
function M.hostile(text)
    local result = M.result { script = text, arguments = { text }, set = { [text] = text }, roles = { text, "b" }, agents = 4, tasks = 4 }
    result.partial, result.problem, result.ended = text, text, text
    result.longest[1] = { id = text, role = text, user = text, at = 1, wait = 2, state = text, why = text }
    result.gantt[1].task, result.gantt[1].job, result.gantt[1].agent, result.gantt[1].state = text, text, text, text
    result.agents.rows[1].label, result.faults[1].text, result.log[1] = text, text, text
    result.skipped[1] = { reason = text, count = 1, example = text }
    result.summary.users[text], result.summary.calls[text] = result.summary.users.ada, 1
    result.callbacks = { [text] = { count = 1, failures = 0, total = 1, mean = 1, p99 = 1, max = 1 } }
    return { version = 1, results = { result }, scenario = text, assertions = { { text = text, holds = true, value = text, seed = 1,
        script = text } } }
end

-- As large as results get: two policies, and `seeds` seeds.
function M.large(seeds)
    local document = { version = 1, results = {} }
    local roles = {}
    for n = 1, 12 do
        roles[n] = "role-" .. n
    end
    for seed = 1, seeds do
        for _, script in ipairs { "a.lua", "b.lua" } do
            document.results[#document.results + 1] = M.result { script = script, seed = seed, steps = 512, agents = 200, tasks = 500,
                roles = roles }
        end
    end
    return document
end

return M
