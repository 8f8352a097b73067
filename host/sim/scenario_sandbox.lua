-- SPDX-License-Identifier: Apache-2.0
--
-- What a scenario file can use: the functions of Lua that do nothing but compute, and the table `sim`. It has no files,
-- no clock and no random numbers of its own, so that it says the same each time. It protects against accidents.

local complaint = require "sim.complaint"
local distributions = require "sim.distributions"
local fields = require "mesos.fields"
local generators = require "sim.generators"
local importers = require "sim.importers"
local random = require "sim.random"

local M = {}

local GLOBALS = { "assert", "error", "ipairs", "next", "pairs", "pcall", "rawequal", "rawlen", "select", "tonumber",
    "tostring", "type" }
local LIBRARIES = { math = math, string = string, table = table, utf8 = utf8 }
local LEFT_OUT = { math = { randomseed = true }, string = { dump = true } }

-- A table whose missing fields are errors.
local function strict(set, what)
    return setmetatable(set, { __metatable = false, __index = function(_, name)
        if type(name) ~= "string" then
            return nil
        end
        complaint.raise("%s%s is not there in a scenario%s", what, name, fields.hint(name, set))
    end })
end

-- math.random of the scenario, drawn from a stream of the run's seed.
local function seeded(seed)
    local stream = random.stream(seed, "scenario")
    return function(first, last)
        if first == nil then
            return stream:uniform()
        end
        return last == nil and stream:integer(1, first) or stream:integer(first, last)
    end
end

local function libraries(environment, seed)
    for name, library in pairs(LIBRARIES) do
        local copy = {}
        for key, value in pairs(library) do
            if not (LEFT_OUT[name] and LEFT_OUT[name][key]) then
                copy[key] = value
            end
        end
        environment[name] = copy
    end
    environment.math.random = seeded(seed)
    for name in pairs(LIBRARIES) do
        strict(environment[name], name .. ".")
    end
end

-- sim.set: the texts of --set, numbers where they look so. Notes in `read` which were asked for.
local function parameters(set, read)
    local values = {}
    for name, text in pairs(set) do
        values[name] = tonumber(text) or text
    end
    return setmetatable({}, { __metatable = false, __index = function(_, name)
        read[name] = true
        return values[name]
    end, __newindex = function(_, name)
        complaint.raise("sim.set.%s: parameters come from --set and are not set here", tostring(name))
    end })
end

-- The environment of a scenario of that folder. options: seed, set; `read` gets the names of sim.set that it reads.
function M.environment(folder, options, read)
    local environment, sim = { _VERSION = _VERSION }, { seed = options.seed, set = parameters(options.set, read) }
    for _, name in ipairs(GLOBALS) do
        environment[name] = _G[name]
    end
    libraries(environment, options.seed)
    for _, makers in ipairs { distributions.makers, generators.makers, importers.makers(folder) } do
        for name, maker in pairs(makers) do
            sim[name] = maker
        end
    end
    environment.sim = strict(sim, "sim.")
    environment._G = environment
    return strict(environment, "")
end

return M
