-- SPDX-License-Identifier: Apache-2.0
--
-- The results of a simulation as CSV files in a folder, each a table: columns that say which run a row is of, and then
-- those of the rows below, which the guide lua/guide/simulator.md explains. Lines end in "\n"; cells are quoted as
-- RFC 4180 says where they must be; what has no value is an empty cell.

local comparisons = require "sim.comparison"
local files = require "sim.files"
local numbers = require "sim.numbers"

local M = {}

local function number_text(value)
    if math.type(value) == "integer" then
        return ("%d"):format(value)
    elseif value == math.floor(value) and math.abs(value) < 1e15 then
        return ("%.0f"):format(value)
    end
    for digits = 15, 17 do
        local text = ("%." .. digits .. "g"):format(value)
        if tonumber(text) == value or digits == 17 then
            return text
        end
    end
end

local function cell(value)
    if value == nil then
        return ""
    elseif type(value) == "number" then
        return number_text(value)
    end
    local text = tostring(value)
    if text:find('[",\r\n]') or text:find("^%s") or text:find("%s$") then
        return '"' .. text:gsub('"', '""') .. '"'
    end
    return text
end

local function line(values, count)
    local cells = {}
    for i = 1, count do
        cells[i] = cell(values[i])
    end
    return table.concat(cells, ",") .. "\n"
end

local function words(text)
    local list = {}
    for word in text:gmatch("%S+") do
        list[#list + 1] = word
    end
    return list
end

local function names_of(rows)
    local names = {}
    for i, row in ipairs(rows) do
        names[i] = row.name
    end
    return names
end

-- A file that has a row for each item of a list of the result, whose columns are the item's fields.
local function of_list(key, columns)
    columns = words(columns)
    return columns, function(result, add)
        for _, item in ipairs(result[key] or {}) do
            local row = {}
            for i, column in ipairs(columns) do
                row[i] = item[column]
            end
            add(row)
        end
    end
end

local function summary_rows(result, add)
    local row = { result.partial or "", result.ended }
    for i, number in ipairs(numbers.rows) do
        row[i + 2] = numbers.value(result.summary, number.name)
    end
    add(row)
end

local function group_rows(result, add)
    for _, group in ipairs(numbers.groups) do
        local members = result.summary[group] or {}
        for _, member in ipairs(numbers.sorted_keys(members)) do
            local row = { group, member }
            for i, number in ipairs(numbers.group_rows) do
                row[i + 2] = numbers.value(members[member], number.name)
            end
            add(row)
        end
    end
end

local SERIES = words [[time submitted started finished failed waiting running cpus_used mem_used disk_used gpus_used
    cpus_offered mem_offered cpus_total mem_total fragmentation_cpus fragmentation_mem agents offers calls]]

local function series_rows(result, add)
    local series = result.series or {}
    for step = 1, series.count or 0 do
        local row = {}
        for i, column in ipairs(SERIES) do
            row[i] = series[column] and series[column][step]
        end
        add(row)
    end
end

-- The roles that a series has columns for.
local function roles_of(series)
    local roles = {}
    for key in pairs(series) do
        roles[key:match("^share:(.*)$") or key:match("^waiting:(.*)$") or false] = true
    end
    roles[false] = nil
    return numbers.sorted_keys(roles)
end

local function role_rows(result, add)
    local series = result.series or {}
    for _, role in ipairs(roles_of(series)) do
        local share, waiting = series["share:" .. role] or {}, series["waiting:" .. role] or {}
        for step = 1, series.count or 0 do
            add { role, series.time and series.time[step], share[step], waiting[step] }
        end
    end
end

local function agent_rows(result, add)
    local times = result.series and result.series.time or {}
    for _, row in ipairs(result.agents and result.agents.rows or {}) do
        for step, share in ipairs(row.cpus) do
            add { row.label, row.agents, times[step], share }
        end
    end
end

local function wait_rows(result, add)
    local function add_quantiles(role, values)
        for i, wait in ipairs(values or {}) do
            add { role, (i - 1) / (#values - 1), wait }
        end
    end
    add_quantiles("", result.waits)
    local by_role = result.waits_by_role or {}
    for _, role in ipairs(numbers.sorted_keys(by_role)) do
        add_quantiles(role, by_role[role])
    end
end

local CALLBACKS = words "count failures total mean p99 max"

local function callback_rows(result, add)
    local callbacks = result.callbacks or {}
    for _, name in ipairs(numbers.sorted_keys(callbacks)) do
        local row = { name }
        for i, column in ipairs(CALLBACKS) do
            row[i + 1] = callbacks[name][column]
        end
        add(row)
    end
end

local FILES = {}

local function add_file(name, columns, rows)
    FILES[#FILES + 1] = { name = name, columns = columns, rows = rows }
end

local function joined(first, names)
    return table.move(names, 1, #names, #first + 1, first)
end

add_file("summary.csv", joined({ "partial", "ended" }, names_of(numbers.rows)), summary_rows)
add_file("groups.csv", joined({ "kind", "name" }, names_of(numbers.group_rows)), group_rows)
add_file("series.csv", SERIES, series_rows)
add_file("roles.csv", { "role", "time", "share", "waiting" }, role_rows)
add_file("agents.csv", { "label", "agents", "time", "cpus" }, agent_rows)
add_file("waits.csv", { "role", "quantile", "wait" }, wait_rows)
add_file("gantt.csv", of_list("gantt", "task job role agent start stop state"))
add_file("longest.csv", of_list("longest", "id role user at wait state why"))
add_file("faults.csv", of_list("faults", "at text"))
add_file("failures.csv", of_list("failures", "what count at first"))
add_file("skipped.csv", of_list("skipped", "reason count example"))
add_file("callbacks.csv", joined({ "callback" }, CALLBACKS), callback_rows)

-- What was run, in front of the columns of each file: the names of these columns, and of the parameters. Results may
-- also be requests.
function M.key_columns(results)
    local parameters = {}
    for _, result in ipairs(results) do
        for name in pairs(result.set or {}) do
            parameters[name] = true
        end
    end
    parameters = numbers.sorted_keys(parameters)
    local columns = { "script", "seed" }
    for i, name in ipairs(parameters) do
        columns[i + 2] = "set." .. name
    end
    return columns, parameters
end

local function key_of(result, parameters)
    local key = { result.script, result.seed }
    for i, name in ipairs(parameters) do
        key[i + 2] = result.set and result.set[name]
    end
    return key
end

-- Writes a table: put_rows(add) calls add(row).
local function write_table(path, columns, put_rows)
    files.replace(path, function(file)
        files.write(file, line(columns, #columns))
        put_rows(function(row) files.write(file, line(row, #columns)) end)
    end)
end

-- The cells of these columns, each with a comma behind it.
---@param request { script: string, seed: integer, set: table<string, string>? }
---@param parameters string[]
---@return string
function M.key_text(request, parameters)
    local cells = {}
    for i, value in pairs(key_of(request, parameters)) do
        cells[i] = cell(type(value) == "string" and not utf8.len(value) and value:gsub("[\x80-\xff]", "?") or value)
    end
    for i = 1, #parameters + 2 do
        cells[i] = cells[i] or ""
    end
    return table.concat(cells, ",") .. ","
end

local function write_file(folder, file, results)
    local keys, parameters = M.key_columns(results)
    local count = #keys
    write_table(folder .. "/" .. file.name, joined(keys, file.columns), function(add)
        for _, result in ipairs(results) do
            local key = key_of(result, parameters)
            file.rows(result, function(row)
                local whole = table.move(key, 1, count, 1, {})
                for i = 1, #file.columns do
                    whole[count + i] = row[i]
                end
                add(whole)
            end)
        end
    end)
end

local COMPARISON = words "name kind a b difference relative low high count verdict"

local function write_comparison(path, comparison)
    write_table(path, joined({ "set" }, COMPARISON), function(add)
        for _, group in ipairs(comparison and comparison.groups or {}) do
            for _, number in ipairs(group.numbers) do
                local row = { comparisons.set_text(group.set) }
                for i, column in ipairs(COMPARISON) do
                    row[i + 1] = number[column]
                end
                add(row)
            end
        end
    end)
end

local ASSERTIONS = "script seed set text holds value words"

local function write_assertions(path, verdicts)
    write_table(path, words(ASSERTIONS), function(add)
        for _, verdict in ipairs(verdicts or {}) do
            add { verdict.script, verdict.seed, comparisons.set_text(verdict.set), verdict.text, verdict.holds,
                verdict.value, verdict.words }
        end
    end)
end

-- The names of the files in the order of writing, and the columns of each, for the documentation's spec.
---@return { name: string, columns: string[] }[]
function M.files()
    local list = {}
    for i, file in ipairs(FILES) do
        list[i] = { name = file.name, columns = joined({ "script", "seed" }, file.columns) }
    end
    list[#list + 1] = { name = "comparison.csv", columns = joined({ "set" }, COMPARISON) }
    list[#list + 1] = { name = "assertions.csv", columns = words(ASSERTIONS) }
    return list
end

-- Writes the files of a document into a folder, which files.check() has made. callbacks.csv is written only if the
-- document has the times of callbacks.
---@param folder string
---@param document sim.Document
---@return string[] names of the files
function M.write(folder, document)
    local written, timed = {}, false
    for _, result in ipairs(document.results) do
        timed = timed or result.callbacks ~= nil
    end
    for _, file in ipairs(FILES) do
        if file.name ~= "callbacks.csv" or timed then
            write_file(folder, file, document.results)
            written[#written + 1] = file.name
        end
    end
    write_comparison(folder .. "/comparison.csv", document.comparison)
    write_assertions(folder .. "/assertions.csv", document.assertions)
    written[#written + 1] = "comparison.csv"
    written[#written + 1] = "assertions.csv"
    return written
end

return M
