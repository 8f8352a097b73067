-- SPDX-License-Identifier: Apache-2.0
--
-- Workload files in JSON: JSON lines, an object in each line, or one list of objects. A row has the fields of its
-- object; `columns` renames them, and false leaves one out.

local readers = require "sim.readers"

local M = {}

-- A function that renames the fields of a record, which it changes.
function M.renaming(columns)
    local names = {}
    for name, field in pairs(columns or {}) do
        names[#names + 1] = { name, field }
    end
    table.sort(names, function(a, b) return a[1] < b[1] end)
    return function(record)
        local values = {}
        for i, name in ipairs(names) do
            values[i], record[name[1]] = record[name[1]], nil
        end
        for i, name in ipairs(names) do
            if name[2] then
                record[name[2]] = values[i]
            end
        end
        return record
    end
end

function M.open(path, options)
    local rename = M.renaming(options.columns)
    return { path = path, reader = readers.json(path, options.partial), convert = rename }
end

return M
