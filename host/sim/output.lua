-- SPDX-License-Identifier: Apache-2.0
--
-- The document of a simulation: all results, what they say together, and its text in JSON. The same results are the
-- same bytes: keys are in the order of the alphabet, and a number has the fewest digits that give it back.

local comparisons = require "sim.comparison"
local csv = require "sim.csv"
local files = require "sim.files"
local json = require "mesos.json"
local numbers = require "sim.numbers"

local M = {}

local OBJECT = { __jsontype = "object" }

-- An empty table in here is an object and not a list.
local function as_objects(value)
    if type(value) ~= "table" then
        return
    end
    if next(value) == nil then
        setmetatable(value, OBJECT)
    end
    for _, member in pairs(value) do
        as_objects(member)
    end
end

-- The same data without what JSON does not have and a trace or a script may have brought in: bytes that are not UTF-8
-- become "?", and members that are functions or numbers that are not finite are left out. A long run is not to be lost
-- for the name of a job.
local function sound(value)
    local kind = type(value)
    if kind == "string" then
        return utf8.len(value) and value or (value:gsub("[\x80-\xff]", "?"))
    elseif kind == "number" then
        return value == value and math.abs(value) < math.huge and value or nil
    elseif kind == "boolean" or kind == "nil" then
        return value
    elseif kind ~= "table" then
        return nil
    end
    local copy = {}
    for key, member in pairs(value) do
        copy[sound(key)] = sound(member)
    end
    return copy
end

-- Which of a result's tables are objects: as a whole, or with all that is in them.
local WHOLE = { "set", "summary", "callbacks" }
local OUTSIDE = { "waits_by_role", "series" }

local function prepare(result, timing)
    local copy = sound(result)
    if not timing then
        copy.callbacks = nil
    end
    for _, key in ipairs(WHOLE) do
        as_objects(copy[key])
    end
    for _, key in ipairs(OUTSIDE) do
        if copy[key] and next(copy[key]) == nil then
            setmetatable(copy[key], OBJECT)
        end
    end
    return copy
end

-- Items that tell of a set of parameters, each in the field `set`.
local function prepare_items(items)
    for _, item in ipairs(items or {}) do
        as_objects(item.set)
    end
    return items
end

-- The rows of all scripts, if one has several results.
local function sweep_of(results)
    local by_script, scripts, rows = {}, {}, {}
    for _, result in ipairs(results) do
        if not by_script[result.script] then
            by_script[result.script] = {}
            scripts[#scripts + 1] = result.script
        end
        table.insert(by_script[result.script], result)
    end
    if #results == #scripts then
        return nil
    end
    for _, script in ipairs(scripts) do
        for _, row in ipairs(comparisons.sweep(by_script[script])) do
            rows[#rows + 1] = row
        end
    end
    return rows
end

---@class sim.Document
---@field version integer 1
---@field program string? the name and version of this program
---@field command string? that made it
---@field scenario string? the file, as it was named
---@field workload string? the file, as it was named
---@field results table[] README.md; first those of the script, then those of the one it is compared with
---@field comparison sim.Comparison?
---@field sweep sim.SweepRow[]? if there are several results of a script
---@field assertions table[]? of assertions.check()

-- Puts together what files show. The times of callbacks, the one part that differs from run to run, are in it if
-- `timing` is true.
---@param parts table the fields of a document, and `timing`
---@return sim.Document
function M.document(parts)
    local document = {
        version = 1, program = sound(parts.program), command = sound(parts.command), scenario = sound(parts.scenario),
        workload = sound(parts.workload), results = {}, comparison = sound(parts.comparison),
        assertions = prepare_items(sound(parts.assertions)),
    }
    for i, result in ipairs(parts.results) do
        document.results[i] = prepare(result, parts.timing)
    end
    document.sweep = sweep_of(document.results)
    prepare_items(document.comparison and document.comparison.groups)
    return document
end

-- Calls put(text) with the document piece by piece, a result a line: together they may be longer than a text can be.
local function encode(document, put)
    local keys = numbers.sorted_keys(document)
    for i, key in ipairs(keys) do
        put((i == 1 and "{" or ",\n") .. json.encode(key) .. ":")
        if key == "results" then
            for n, result in ipairs(document.results) do
                put((n == 1 and "[\n" or ",\n") .. json.encode(result))
            end
            put(#document.results == 0 and "[]" or "\n]")
        else
            put(json.encode(document[key]))
        end
    end
    put("}\n")
end

-- The text of a document.
---@param document sim.Document
---@return string
function M.json(document)
    local pieces = {}
    encode(document, function(text) pieces[#pieces + 1] = text end)
    return table.concat(pieces)
end

---@param path string "-": standard output
---@param document sim.Document
function M.write_json(path, document)
    files.replace(path, function(file)
        encode(document, function(text) files.write(file, text) end)
    end)
end

-- What a run's process prints: its result, in one line.
---@param result table
---@return string
function M.result_text(result)
    return json.encode(prepare(result, true)) .. "\n"
end

-- What a run's process has printed. Raises unless it is a JSON object.
---@param text string
---@return table
function M.read_json(text)
    local value, message = json.decode(text)
    if type(value) ~= "table" then
        local start = text:sub(1, 80):gsub("%c", " ")
        error(("the run printed what is no result: %s: '%s'"):format(message or "an object expected", start), 0)
    end
    return value
end

M.check, M.write_text, M.write_csv, M.csv_files = files.check, files.write_text, csv.write, csv.files

return M
