-- SPDX-License-Identifier: Apache-2.0
--
-- The scenario: the world that a policy is put into. A Lua file, which runs in a sandbox (scenario_sandbox.lua) and
-- returns a table; or the short forms of the command line; or both, where the command line goes first. What it says is
-- checked here by name, and errors have the file, the line and the path of the field.

local agents = require "sim.scenario_agents"
local complaint = require "sim.complaint"
local constructor = require "sim.constructor"
local distributions = require "sim.distributions"
local fields = require "mesos.fields"
local generators = require "sim.generators"
local guard = require "sim.guard"
local importers = require "sim.importers"
local random = require "sim.random"
local rows = require "sim.rows"
local kinds = require "sim.scenario_fields"
local sandbox = require "sim.scenario_sandbox"

local M = {}

local TEXT_MOST <const> = 16 << 20 -- bytes of a scenario file

-- ---- the file ----

local function read_text(path)
    local file <close>, reason = io.open(path, "rb")
    local text = file and file:read(TEXT_MOST + 1)
    if not file or not text then
        error(("%s: %s"):format(path, reason and reason:gsub("^.*: ", "") or "the scenario is empty, or no file"), 0)
    elseif #text > TEXT_MOST then
        error(("%s: a scenario has at most %d MiB: put its rows into a file and name that with sim.file()"):format(path,
            TEXT_MOST >> 20), 0)
    end
    return text
end

-- A first line for a shell is left out.
local function compile(path, text, environment)
    local code = text:gsub("^#[^\n]*", "")
    local chunk, message = load(code, "@" .. path, "t", environment)
    if not chunk then
        error(message, 0)
    end
    complaint.chunks["@" .. path] = true
    return chunk
end

-- A parameter that is not read is a mistake in its name.
local function check_parameters(set, read, path, text)
    for _, name in ipairs(complaint.sorted(set)) do
        if not read[name] and not text:find(name, 1, true) then
            error(("--set %s=%s: %s does not read sim.set.%s%s"):format(name, set[name], path, name,
                fields.hint(name, read)), 0)
        end
    end
end

-- Runs the file. Returns what it returned, and a function that raises with file, line and path.
local function run(path, options)
    local text, read = read_text(path), {}
    local chunk = compile(path, text, sandbox.environment(path:match("^(.*/)") or "", options, read))
    local given = guard.call("the scenario", chunk)
    check_parameters(options.set, read, path, text)
    local lines
    local function raise(field, words)
        lines = lines or constructor.lines(text)
        local line = constructor.line(lines, field)
        error(("%s%s: %s%s"):format(path, line and ":" .. line or "", field == "" and "" or field .. ": ", words), 0)
    end
    if type(given) ~= "table" then
        raise("", "a scenario returns a table, such as { agents = { ... }, workload = ... }, and this returns " ..
            complaint.shown(given))
    end
    return given, raise
end

-- ---- faults ----

local FAULT = {
    fault = true, at = true, every = true, rate = true, from = true, to = true, agent = true, framework = true,
    value = true, ["for"] = true, times = true, forget = true,
}
local FAULT_TIMES = { "at", "every", "from", "to", "for" }

local function read_faults(given, path, raise)
    local list = kinds.plain(kinds.table_of(given, "a list of faults", path, raise), path, raise)
    for name, fault in pairs(list) do
        local where = kinds.in_field(path, name)
        kinds.table_of(fault, "a fault, a table such as { at = 60, fault = \"kill any for 30s\" },", where, raise)
        complaint.known(fault, FAULT, where, raise)
        kinds.text_of(fault.fault, "what happens, such as \"kill any for 30s\",", kinds.in_field(where, "fault"), raise)
        for _, time in ipairs(FAULT_TIMES) do
            fault[time] = fault[time] and kinds.seconds_of(fault[time], kinds.in_field(where, time), raise)
        end
    end
    return list
end

-- ---- how long tasks last ----

local STATES = {
    TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true, TASK_LOST = true, TASK_ERROR = true,
    TASK_DROPPED = true, TASK_GONE = true,
}

local function check_end(seconds, ending, where)
    local number = seconds ~= nil and rows.seconds(seconds) or nil
    if seconds ~= nil and not (number and number >= 0 and number < math.huge) then
        error(("%s: runtime: %s, or nil for the row's duration, expected, got %s"):format(where, rows.DURATION,
            complaint.shown(seconds)), 0)
    end
    local status = math.type(ending) == "integer" and ending >= 0 and ending <= 255
    if ending ~= nil and not status and not STATES[ending] then
        local hint = type(ending) == "string" and fields.hint(ending, STATES) or ""
        error(("%s: runtime: an exit status (0 to 255) or a state such as \"TASK_FAILED\" expected as the second " ..
            "value, got %s%s"):format(where, complaint.shown(ending), hint), 0)
    end
    return number, ending
end

-- `runtime` as a function(task, row): a function, seconds, or a distribution. What is random depends on the task's id
-- and attempt, so that two policies see the same.
local function read_runtime(given, path, raise, seed)
    local function stream_of(task)
        return random.stream(seed, "runtime", tostring(task.task_id), tostring(task.attempt or 1))
    end
    if type(given) == "function" then
        local info = debug.getinfo(given, "S")
        local where = ("%s:%d"):format(info.short_src, info.linedefined)
        local parameters = debug.getinfo(given, "u")
        local random_too = parameters.nparams > 2 or parameters.isvararg
        return function(task, row)
            local seconds, ending = guard.call("runtime", given, task, row, random_too and stream_of(task) or nil)
            if distributions.is(seconds) then
                seconds = seconds.draw(stream_of(task))
            end
            return check_end(seconds, ending, where)
        end
    elseif distributions.is(given) then
        return function(task)
            return (math.max(0, given.draw(stream_of(task))))
        end
    end
    local seconds = kinds.seconds_of(given, path, raise)
    return function()
        return seconds
    end
end

-- ---- the rest ----

local STUBS = { exec = true, http = true, process = true, serve = true }

local function read_stubs(given, path, raise)
    kinds.table_of(given, "a table of functions, such as { http = function(request) ... end },", path, raise)
    complaint.known(given, STUBS, path, raise)
    local stubs = {}
    for name, f in pairs(given) do
        kinds.want(f, type(f) == "function", "a function", kinds.in_field(path, name), raise)
        stubs[name] = guard.wrap("stubs." .. name, f)
    end
    return stubs
end

local function read_asserts(given, path, raise)
    local list = type(given) == "string" and { given }
        or kinds.table_of(given, "a list of texts such as \"wait.p95 < 30\"", path, raise)
    local copy = {}
    for i, text in ipairs(list) do
        copy[i] = kinds.text_of(text, "a text such as \"wait.p95 < 30\"", kinds.in_field(path, i), raise)
    end
    return copy
end

local function read_roles(given, path, raise)
    local roles = kinds.plain(kinds.table_of(given, "a table of roles", path, raise), path, raise)
    for name, role in pairs(roles) do
        local where = kinds.in_field(path, name)
        kinds.table_of(role, "a table such as { weight = 2 }", where, raise)
        complaint.known(role, { weight = true, guarantees = true, limits = true }, where, raise)
    end
    return roles
end

local function read_master(given, path, raise)
    complaint.known(kinds.table_of(given, "a table", path, raise), { domain = true }, path, raise)
    return kinds.plain(given, path, raise)
end

local function read_time(given, path, raise)
    return kinds.want(given, type(given) == "number" and given >= 0 and given < 1e11,
        "seconds since the Unix epoch", path, raise)
end

local function read_workload(given, path, raise)
    if not generators.is(given) and not (type(given) == "table" and (given[1] ~= nil or next(given) == nil)) then
        raise(path, "a workload expected, such as sim.poisson{ ... }, sim.file(\"jobs.csv\") or a list of rows, got " ..
            complaint.shown(given))
    end
    return generators.of(given)
end

local READERS = {
    agents = agents.read, workload = read_workload, faults = read_faults, runtime = read_runtime, stubs = read_stubs,
    asserts = read_asserts, roles = read_roles, master = read_master, time = read_time, duration = kinds.seconds_of,
}

-- The scenario as it is in the file, each field read. Order matters for the first error only.
local function read_scenario(given, raise, seed)
    complaint.known(given, READERS, "", raise)
    local scenario = {}
    for _, name in ipairs(complaint.sorted(READERS)) do
        if given[name] ~= nil then
            scenario[name] = READERS[name](given[name], name, raise, seed)
        end
    end
    return scenario
end

-- ---- the command line ----

local function raise_option(field, text)
    error(("--%s: %s"):format(field, text), 0)
end

local function read_options(options)
    if options.agents and not options.resources then
        raise_option("agents", "the resources of an agent are missing: --resources 'cpus:4;mem:8192'")
    elseif options.resources and not options.agents then
        raise_option("resources", "how many agents have these is missing: --agents N")
    elseif options.format and not options.workload then
        raise_option("format", "this is the format of --workload FILE, which is missing")
    end
    local scenario = {}
    if options.agents then
        local group = { count = options.agents, resources = options.resources }
        scenario.agents = { agents.check_group(group, "", function(path, text)
            raise_option(path:find("count") and "agents" or "resources", text)
        end) }
    end
    if options.workload then
        scenario.workload = importers.generator(options.workload, { format = options.format }, function(field, text)
            raise_option(field == "format" and "format" or "workload", text)
        end)
    end
    return scenario
end

-- ---- all together ----

local function check_whole(scenario, path, options)
    local where = path or "--workload"
    if not scenario.agents then
        error(("%s: agents: there are none: agents = { { count = 100, resources = \"cpus:32;mem:131072\" } }, or " ..
            "--agents N --resources TEXT"):format(where), 0)
    elseif not scenario.workload then
        error(("%s: workload: there is none: workload = sim.poisson{ ... }, a list of rows, or --workload FILE"):format(
            where), 0)
    elseif scenario.workload.endless and not (scenario.duration or options.duration) then
        error(("%s: workload: it has no end: give it `count` or `to`, or the scenario `duration` (--duration)"):format(
            scenario.workload.place or where), 0)
    end
end

-- The scenario of a file, or of the options alone if path is nil. options:
--     seed = integer, set = { NAME = text }, agents = N, resources = text, workload = path, format = name,
--     duration = seconds or text: that of the command line, if it was given
-- Returns
--     plan       { agents =, roles =, master = }, a --cluster file (cluster/cluster_plan.h)
--     source     the rows: next(), skipped
--     runtime    nil, or function(task, row) -> seconds or nil for the row's duration, exit status or state or nil
--     faults     nil, or a list (cluster/fault_plan.h)
--     stubs      nil, or functions by name;     asserts  nil, or a list of texts
--     duration   nil, or seconds;               time     nil, or seconds since the epoch
function M.load(path, given_options)
    local options = { seed = 1, set = {} }
    for name, value in pairs(given_options or {}) do
        options[name] = value
    end
    local scenario, raise = {}, nil
    if path then
        local given
        given, raise = run(path, options)
        scenario = read_scenario(given, raise, options.seed)
    end
    for name, value in pairs(read_options(options)) do
        scenario[name] = value
    end
    check_whole(scenario, path, options)
    for _, group in ipairs(scenario.agents) do
        agents.complete(group)
    end
    local skipped = {}
    local source = scenario.workload:open {
        seed = options.seed, label = "job", path = "", skipped = skipped, lasts = scenario.runtime ~= nil,
        where = raise and function(number) return M.where(raise, number) end or nil,
    }
    source.skipped = skipped
    return {
        plan = { agents = scenario.agents, roles = scenario.roles, master = scenario.master }, source = source,
        runtime = scenario.runtime, faults = scenario.faults, stubs = scenario.stubs, duration = scenario.duration,
        time = scenario.time, asserts = scenario.asserts,
    }
end

-- "file:line: workload[number]".
function M.where(raise, number)
    local _, text = pcall(raise, ("workload[%d]"):format(number), "")
    return (text:gsub(": $", ""))
end

return M
