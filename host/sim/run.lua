-- SPDX-License-Identifier: Apache-2.0
--
-- One run: a request, which is plain data, becomes the result of the run. A request has what the command line says
-- (script, arguments, scenario, agents, resources, workload, format, duration, wire, think, limit, callback_limit,
-- load_limit, memory_limit, show_log), one seed, and one set of parameters; and, for jobs.csv, where its rows go and
-- how they begin (jobs_file, jobs_key). What is wrong is raised.

local core = require "sim.core"
local failed = require "sim.failures"
local json = require "mesos.json"
local scenario = require "sim.scenario"

local M = {}

local FAILURES_MOST <const> = 3 -- that a problem tells

-- The world of a request.
function M.load(request)
    return scenario.load(request.scenario, {
        seed = request.seed, set = request.set, agents = request.agents, resources = request.resources,
        workload = request.workload, format = request.format, duration = request.duration,
    })
end

-- What answers mesos.exec and its like, with lists that have their length in `n`.
local function stubs_of(world)
    local stubs = world.stubs or {}
    return function(name, arguments)
        if not stubs[name] then
            error(("the scenario has no stub for it: stubs = { %s = function(...) ... end }"):format(name), 0)
        end
        return table.pack(stubs[name](table.unpack(arguments, 1, arguments.n)))
    end
end

-- Why the first of the jobs that still wait does.
local function add_reason(result)
    for _, job in ipairs(result.longest or {}) do
        if job.state == "waiting" and job.why and job.why ~= "" then
            local why = job.why:gsub("%s*\n%s*", " "):gsub(" $", "")
            result.problem = ("%s. %s: %s"):format(result.problem, job.id, why)
            return
        end
    end
end

-- What failed in the policy, where jobs wait for ever or none was launched: that is probably why.
local function add_failures(result)
    local summary, list = result.summary, result.failures or {}
    local none = summary.jobs.waiting > 0 and summary.tasks.launched == 0
    if #list == 0 or not (result.problem or none) then
        return
    end
    local sentences = { result.problem or ("no task was launched, and %d job%s wait%s"):format(summary.jobs.waiting,
        summary.jobs.waiting == 1 and "" or "s", summary.jobs.waiting == 1 and "s" or "") }
    for i = 1, math.min(#list, FAILURES_MOST) do
        sentences[#sentences + 1] = failed.text(list[i])
    end
    if #list > FAILURES_MOST then
        sentences[#sentences + 1] = ("and %d others failed"):format(#list - FAILURES_MOST)
    end
    result.problem = table.concat(sentences, ". ")
end

-- The world may have been loaded before. progress(state) may return true, which ends the run.
---@param request table
---@param world table? of M.load()
---@param progress function?
---@return table result
function M.run(request, world, progress)
    world = world or M.load(request)
    local source = world.source
    local result, message = core.run {
        script = request.script, arguments = request.arguments, seed = request.seed, time = world.time,
        plan = json.encode(world.plan),
        faults = world.faults and #world.faults > 0 and json.encode(world.faults) or nil,
        duration = request.duration or world.duration, think = request.think, wire = request.wire,
        limit = request.limit, callback_limit = request.callback_limit, load_limit = request.load_limit,
        memory_limit = request.memory_limit, jobs_file = request.jobs_file, jobs_key = request.jobs_key,
        show_log = request.show_log, workload = source ~= nil,
        next = source and function() return source:next() end, runtime = world.runtime, stub = stubs_of(world),
        progress = progress,
    }
    if not result then
        error(message, 0)
    end
    result.set, result.skipped = request.set, source and source.skipped or {}
    add_failures(result)
    if result.ended == "nothing happens any more" then
        add_reason(result)
    end
    return result
end

return M
