-- SPDX-License-Identifier: Apache-2.0
--
-- The Lua files of host/sim in the Lua of busted, with the module in C that reads workload files.
--
--     local scenarios = require("support.scenarios")
--     local scenario = scenarios.load("return { ... }", { seed = 2 })
--     assert.equal("scenario.lua:1: ...", scenarios.failure("return { agent = 1 }"))

local program = require("support.program")
require("mesos") -- what mesos.json and mesos.fields build on

package.path = "host/?.lua;" .. package.path
package.preload["sim.readers"] = package.preload["sim.readers"] or require("internals").sim_readers

local scenario = require("sim.scenario")

local M = { TRACES = "spec/support/traces/" }

-- The folder of a text is no part of what is expected.
local function without(text, folder)
    local at = text:find(folder, 1, true)
    while at do
        text = text:sub(1, at - 1) .. text:sub(at + #folder)
        at = text:find(folder, 1, true)
    end
    return text
end

-- Writes files into a fresh folder; returns it, with a slash at its end.
function M.folder(files)
    local folder = program.directory() .. "/"
    for name, text in pairs(files) do
        local file <close> = assert(io.open(folder .. name, "wb"))
        assert(file:write(text))
    end
    return folder
end

-- Loads the text of a scenario, beside other files.
function M.load(text, options, files)
    local folder = M.folder(files or {})
    local file <close> = assert(io.open(folder .. "scenario.lua", "wb"))
    assert(file:write(text))
    file:flush()
    local good, result = pcall(scenario.load, folder .. "scenario.lua", options)
    if not good then
        error(without(tostring(result), folder), 0)
    end
    return result, folder
end

-- What loading says that is wrong.
function M.failure(text, options, files)
    local good, message = pcall(M.load, text, options, files)
    return not good and message or "it was loaded"
end

-- All rows of a source.
function M.rows(source)
    local list = {}
    for row in function() return source:next() end do
        list[#list + 1] = row
    end
    return list
end

local HEAD = "return { agents = { { resources = 'cpus:1;mem:1' } }, duration = '30d', workload = "

-- The rows of a workload, an expression.
function M.workload(expression, options, files)
    return M.rows(M.load(HEAD .. expression .. " }", options, files).source)
end

-- What the workload says that is wrong, when it is loaded or read.
function M.workload_failure(expression, options, files)
    local folder
    local good, message = pcall(function()
        local result
        result, folder = M.load(HEAD .. expression .. " }", options, files)
        M.rows(result.source)
    end)
    return good and "nothing is wrong" or folder and without(message, folder) or message
end

-- A fixture of the traces, as rows and what was left out.
function M.trace(name, format, options)
    local loaded = scenario.load(nil, {
        agents = 1, resources = "cpus:1;mem:1", workload = M.TRACES .. name, format = format, seed = 1, set = options,
    })
    return M.rows(loaded.source), loaded.source.skipped
end

return M
