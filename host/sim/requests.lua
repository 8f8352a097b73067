-- SPDX-License-Identifier: Apache-2.0
--
-- What is to be run: the options of the command line as a list of requests (run.lua), one for each script, set of
-- parameters and seed. What is wrong with an option is raised, with its name.

local M = {}

local RUNS_MOST <const> = 10000

local function fail(text, ...)
    error(text:format(...), 0)
end

-- "3..7", or the one seed.
function M.seeds(options)
    if not options.seeds then
        return { options.seed or 1 }
    end
    local first, last = options.seeds:match("^(%d+)%.%.(%d+)$")
    first, last = math.tointeger(tonumber(first)), math.tointeger(tonumber(last))
    if not first or not last or first < 1 or last < first then
        fail("--seeds %s: A..B expected, two whole numbers from 1, of which the first is not above the second, such " ..
            "as 1..10", options.seeds)
    elseif last - first >= RUNS_MOST then
        fail("--seeds %s: these are more than %d runs", options.seeds, RUNS_MOST)
    end
    local seeds = {}
    for seed = first, last do
        seeds[#seeds + 1] = seed
    end
    return seeds
end

-- The parameters in the order in which they are given, each with its values: "a=1,2,b=x" has two of `a` and one of `b`.
local function parameters(texts)
    local list, by_name = {}, {}
    for _, text in ipairs(texts) do
        local current
        for part in (text .. ","):gmatch("(.-),") do
            local name, value = part:match("^%s*([%a_][%w_]*)%s*=(.*)$")
            if name then
                current = by_name[name] or { name = name, values = {} }
                if not by_name[name] then
                    by_name[name] = current
                    list[#list + 1] = current
                end
            elseif not current then
                fail("--set %s: NAME=VALUE expected, such as load=0.8, or load=0.7,0.8 for a run with each", text)
            end
            table.insert(current.values, value or part)
        end
    end
    return list
end

-- All combinations of their values, those of the last parameter changing first.
function M.sets(texts)
    local sets = { {} }
    for _, parameter in ipairs(parameters(texts or {})) do
        local more = {}
        for _, set in ipairs(sets) do
            for _, value in ipairs(parameter.values) do
                local copy = {}
                for name, text in pairs(set) do
                    copy[name] = text
                end
                copy[parameter.name] = value
                more[#more + 1] = copy
            end
        end
        sets = more
        if #sets > RUNS_MOST then
            fail("--set: these are more than %d runs", RUNS_MOST)
        end
    end
    return sets
end

local SHARED = { "scenario", "agents", "resources", "workload", "format", "duration", "wire", "think", "limit",
    "callback_limit", "load_limit", "memory_limit", "show_log" }

local function request(options, script, set, seed)
    local made = { script = script, arguments = options.arguments, set = set, seed = seed }
    for _, name in ipairs(SHARED) do
        made[name] = options[name]
    end
    return made
end

-- Those of the script, and behind them those of the one that it is compared with.
function M.of(options)
    if options.against == options.script then
        fail("--against %s: this is the script itself: another one is needed to compare with", options.against)
    end
    local requests, sets, seeds = {}, M.sets(options.set), M.seeds(options)
    for _, script in ipairs { options.script, options.against } do
        for _, set in ipairs(sets) do
            for _, seed in ipairs(seeds) do
                requests[#requests + 1] = request(options, script, set, seed)
            end
        end
    end
    if #requests > RUNS_MOST then
        fail("these are %d runs: at most %d are made at once", #requests, RUNS_MOST)
    end
    return requests
end

-- ---- the command ----

-- A word as a shell takes it.
local function quoted(text)
    return text:find("^[%w_@%%+=:,./-]+$") and text or "'" .. text:gsub("'", "'\\''") .. "'"
end

local function put_option(words, name, value)
    for _, each in ipairs(type(value) == "table" and value or { value }) do
        words[#words + 1] = "--" .. name
        words[#words + 1] = quoted(type(each) == "number" and ("%.14g"):format(each) or each)
    end
end

-- The options that decide what the results are, and their names in the table of options. What does not (--wire, --jobs)
-- and where the results go is left out, so the same results have the same command.
local TOLD = {
    { "scenario", "scenario" }, { "agents", "agents" }, { "resources", "resources" }, { "workload", "workload" },
    { "format", "format" }, { "seed", "seed" }, { "seeds", "seeds" }, { "set", "set" }, { "duration", "duration" },
    { "think-time", "think" }, { "against", "against" }, { "assert", "asserts" },
}

-- The command line that makes these results, with paths as they were given.
function M.command(options)
    local words = { "mesos-lua", "sim" }
    for _, row in ipairs(TOLD) do
        if row[1] ~= "seed" or not options.seeds then
            put_option(words, row[1], options[row[2]])
        end
    end
    words[#words + 1] = options.script:find("^%-") and "--" or nil
    words[#words + 1] = quoted(options.script)
    for _, argument in ipairs(options.arguments or {}) do
        words[#words + 1] = quoted(argument)
    end
    return table.concat(words, " ")
end

return M
