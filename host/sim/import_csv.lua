-- SPDX-License-Identifier: Apache-2.0
--
-- Workload files in CSV. The first line names the columns; `columns` renames them, and false leaves one out. Columns
-- that no row has go to the row as they are, as texts. An empty field is absent.

local complaint = require "sim.complaint"
local fields = require "mesos.fields"
local readers = require "sim.readers"
local rows = require "sim.rows"

local M = {}

-- The names in the header of a reader, in order. Raises if there is none.
function M.header(reader, path)
    local record, line = reader:next()
    if not record then
        error(("%s: the file is empty: a line with the names of the columns expected"):format(path), 0)
    end
    local names, last = {}, 0
    for number, name in pairs(record) do
        names[number], last = name:match("^%s*(.-)%s*$"), math.max(number, last)
    end
    for number = 1, last do
        if names[number] == nil then
            error(("%s:%d: column %d has no name"):format(path, line, number), 0)
        end
    end
    return names, line
end

-- What rows call the columns: a list of names, false for what is left out.
local function rename(names, columns, path, line)
    local known, seen, list = {}, {}, {}
    for _, name in ipairs(names) do
        known[name] = true
    end
    for _, name in ipairs(complaint.sorted(columns)) do
        local field = columns[name]
        if not known[name] then
            error(("%s:%d: columns.%s: the file has no such column%s"):format(path, line, tostring(name),
                fields.hint(name, known)), 0)
        elseif field ~= false and type(field) ~= "string" then
            error(("%s:%d: columns.%s: the name of a field, or false, expected, got %s"):format(path, line, name,
                complaint.shown(field)), 0)
        end
    end
    for i, name in ipairs(names) do
        local field = columns[name]
        field = field == nil and name or field
        if field and seen[field] then
            error(("%s:%d: two columns are '%s'"):format(path, line, field), 0)
        end
        seen[field or ""], list[i] = true, field
    end
    return list, seen
end

local REQUIRED <const> = { "at", "cpus", "mem", "duration" }

-- A column that is missing is told at once, with those that there are.
local function check_columns(seen, options, path, line, lasts)
    local others = {}
    for name in pairs(seen) do
        others[name] = true
    end
    for _, name in ipairs(REQUIRED) do
        local given = seen[name] or options.defaults and options.defaults[name] ~= nil
        if not given and not (lasts and name == "duration") then
            local near = fields.nearest(name, others)
            error(("%s:%d: no column is called '%s'%s: `columns = { %s = \"%s\" }` in the options of sim.file() " ..
                "says which one it is, and `defaults = { %s = ... }` gives all rows the same"):format(path, line, name,
                fields.hint(name, others), near or "NAME", name, name), 0)
        end
    end
end

function M.open(path, options, context)
    local reader = readers.csv(path, options.partial, options.separator)
    local names, line = M.header(reader, path)
    local list, seen = rename(names, options.columns or {}, path, line)
    check_columns(seen, options, path, line, context.lasts)
    reader:names(list)
    return { path = path, reader = reader, convert = rows.reading(list) }
end

return M
