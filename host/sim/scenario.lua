-- SPDX-License-Identifier: Apache-2.0
--
-- The scenario: the world that a policy is put into. A Lua file, which runs in a sandbox (scenario_sandbox.lua) and
-- returns a table; or the short forms of the command line; or both, where the command line goes first. What it says is
-- checked here by name, and errors have the file, the line and the path of the field.

local complaint = require "sim.complaint"
local constructor = require "sim.constructor"
local distributions = require "sim.distributions"
local fields = require "mesos.fields"
local generators = require "sim.generators"
local guard = require "sim.guard"
local importers = require "sim.importers"
local random = require "sim.random"
local rows = require "sim.rows"
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

-- ---- kinds of fields ----

local function want(value, test, words, path, raise)
    if not test then
        raise(path, words .. " expected, got " .. complaint.shown(value))
    end
    return value
end

local function table_of(value, words, path, raise)
    local is = type(value) == "table" and not generators.is(value) and not distributions.is(value)
    return want(value, is, words, path, raise)
end

local function text_of(value, words, path, raise)
    return want(value, type(value) == "string" and value ~= "", words, path, raise)
end

local function seconds_of(value, path, raise)
    local seconds = rows.seconds(value)
    return want(seconds or value, seconds and seconds >= 0 and seconds < math.huge, rows.DURATION, path, raise)
end

local function in_field(path, name)
    if type(name) == "number" then
        return ("%s[%d]"):format(path, name)
    end
    return path == "" and name or path .. "." .. name
end

-- A copy of plain data, of which functions and the like are errors.
local function plain(value, path, raise, depth)
    if type(value) ~= "table" then
        local kind = type(value)
        return want(value, kind == "string" or kind == "boolean" or kind == "number" and value == value
            and math.abs(value) < math.huge, "numbers, texts, true, false and tables of them", path, raise)
    elseif (depth or 0) > 20 or getmetatable(value) ~= nil then
        raise(path, generators.is(value) and "plain data expected, got a workload"
            or distributions.is(value) and "plain data expected, got a distribution"
            or getmetatable(value) and "plain data expected, got a table with a metatable"
            or "tables lie too deep in one another")
    end
    local copy = {}
    for _, name in ipairs(complaint.sorted(value)) do
        copy[name] = plain(value[name], in_field(path, name), raise, (depth or 0) + 1)
    end
    return copy
end

-- ---- agents ----

local GROUP = { count = true, resources = true, attributes = true, hostname = true, domain = true }
local EXAMPLE <const> = "such as resources = \"cpus:32;mem:131072\""

-- What groups of a --cluster file do not name is this machine's, which a simulation must not depend on.
local NONE = { { "disk", "disk:0", 0 }, { "ports", "ports:[]", {} } }

-- Do these resources, in any form, name one?
local function has(resources, name)
    if type(resources) == "string" then
        return (";" .. resources):find("[;%s]" .. name .. "%s*[:({]") ~= nil
    elseif type(resources) ~= "table" then
        return false
    elseif resources[1] == nil then
        return resources[name] ~= nil or has(resources.resources, name)
    end
    for _, part in ipairs(resources) do
        if has(part, name) then
            return true
        end
    end
    return false
end

-- Raises unless the resources name what each agent needs.
local function check_resources(resources, path, raise)
    if resources == nil then
        raise(path, "missing: what an agent has, " .. EXAMPLE .. ": nothing is taken from this machine")
    elseif type(resources) ~= "string" and type(resources) ~= "table" or resources == "" then
        raise(path, "a text or a table expected, " .. EXAMPLE .. ", got " .. complaint.shown(resources))
    end
    for _, name in ipairs { "cpus", "mem" } do
        if not has(resources, name) then
            raise(path, ("%s: missing, %s: nothing is taken from this machine"):format(name, EXAMPLE))
        end
    end
end

local function check_group(given, path, raise)
    table_of(given, "a group of agents, a table such as { count = 10, resources = \"cpus:4;mem:8192\" },", path, raise)
    complaint.known(given, GROUP, path, raise)
    local count = given.count
    want(count, count == nil or math.type(count) == "integer" and count >= 1 or math.type(count) == "float"
        and count % 1 == 0 and count >= 1, "how many agents, a whole number of at least 1,", in_field(path, "count"),
        raise)
    check_resources(given.resources, in_field(path, "resources"), raise)
    local group = plain(given, path, raise)
    group.count = count and math.tointeger(count)
    if given.attributes ~= nil then
        table_of(given.attributes, "a table of names and values", in_field(path, "attributes"), raise)
        group.attributes = next(group.attributes) and group.attributes
    end
    if given.hostname ~= nil then
        text_of(given.hostname, "a text such as \"node-%d\"", in_field(path, "hostname"), raise)
    end
    if given.domain ~= nil then
        local domain = in_field(path, "domain")
        table_of(given.domain, "{ region = ..., zone = ... }", domain, raise)
        complaint.known(given.domain, { region = true, zone = true }, domain, raise)
    end
    return group
end

-- Groups, and lists of them such as those of sim.cook_hosts(), as one list.
local function read_agents(given, path, raise)
    table_of(given, "a list of groups of agents", path, raise)
    local list = {}
    if #given == 0 then
        raise(path, next(given) and "a list of groups of agents expected: { { count = 10, resources = ... } }"
            or "there are no agents")
    end
    for _, name in ipairs(complaint.sorted(given)) do
        want(name, type(name) == "number", "a list of groups of agents", in_field(path, name), raise)
        local value = given[name]
        if type(value) == "table" and value[1] ~= nil then
            table.move(read_agents(value, in_field(path, name), raise), 1, #value, #list + 1, list)
        else
            list[#list + 1] = check_group(value, in_field(path, name), raise)
        end
    end
    return list
end

-- ---- faults ----

local FAULT = {
    fault = true, at = true, every = true, rate = true, from = true, to = true, agent = true, framework = true,
    value = true, ["for"] = true, times = true, forget = true,
}
local FAULT_TIMES = { "at", "every", "from", "to", "for" }

local function read_faults(given, path, raise)
    local list = plain(table_of(given, "a list of faults", path, raise), path, raise)
    for name, fault in pairs(list) do
        local where = in_field(path, name)
        table_of(fault, "a fault, a table such as { at = 60, fault = \"kill any for 30s\" },", where, raise)
        complaint.known(fault, FAULT, where, raise)
        text_of(fault.fault, "what happens, such as \"kill any for 30s\",", in_field(where, "fault"), raise)
        for _, time in ipairs(FAULT_TIMES) do
            fault[time] = fault[time] and seconds_of(fault[time], in_field(where, time), raise)
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
    local seconds = seconds_of(given, path, raise)
    return function()
        return seconds
    end
end

-- ---- the rest ----

local STUBS = { exec = true, http = true, process = true, serve = true }

local function read_stubs(given, path, raise)
    complaint.known(table_of(given, "a table of functions, such as { http = function(request) ... end },", path, raise),
        STUBS, path, raise)
    local stubs = {}
    for name, f in pairs(given) do
        want(f, type(f) == "function", "a function", in_field(path, name), raise)
        stubs[name] = guard.wrap("stubs." .. name, f)
    end
    return stubs
end

local function read_asserts(given, path, raise)
    local list = type(given) == "string" and { given }
        or table_of(given, "a list of texts such as \"wait.p95 < 30\"", path, raise)
    local copy = {}
    for i, text in ipairs(list) do
        copy[i] = text_of(text, "a text such as \"wait.p95 < 30\"", in_field(path, i), raise)
    end
    return copy
end

local function read_roles(given, path, raise)
    local roles = plain(table_of(given, "a table of roles", path, raise), path, raise)
    for name, role in pairs(roles) do
        local where = in_field(path, name)
        table_of(role, "a table such as { weight = 2 }", where, raise)
        complaint.known(role, { weight = true, guarantees = true, limits = true }, where, raise)
    end
    return roles
end

local function read_master(given, path, raise)
    complaint.known(table_of(given, "a table", path, raise), { domain = true }, path, raise)
    return plain(given, path, raise)
end

local function read_time(given, path, raise)
    return want(given, type(given) == "number" and given >= 0 and given < 1e11,
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
    agents = read_agents, workload = read_workload, faults = read_faults, runtime = read_runtime, stubs = read_stubs,
    asserts = read_asserts, roles = read_roles, master = read_master, time = read_time, duration = seconds_of,
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
        scenario.agents = { check_group(group, "", function(path, text)
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

-- No agent has anything of this machine.
local function without_machine(group)
    local resources = group.resources
    for _, row in ipairs(NONE) do
        local name, text, value = table.unpack(row)
        if has(resources, name) then
            goto continue
        elseif type(resources) == "string" then
            resources = resources .. ";" .. text
        elseif resources[1] ~= nil then
            table.insert(resources, text)
        elseif resources.resources ~= nil then
            resources = { resources, text }
        else
            resources[name] = value
        end
        ::continue::
    end
    group.resources = resources
end

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
        without_machine(group)
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
