-- SPDX-License-Identifier: Apache-2.0
--
-- Reads the tables of the v1 API, spec/fixtures/api/*.tsv.

local M = {}

local function split(line)
    local cells = {}
    for cell in (line .. "\t"):gmatch("([^\t]*)\t") do
        cells[#cells + 1] = cell
    end
    return cells
end

-- The rows of a table as a list of tables by column name.
function M.rows(name)
    local file <close> = assert(io.open("spec/fixtures/api/" .. name .. ".tsv"))
    local columns, rows = split(file:read("l")), {}
    for line in file:lines() do
        local row = {}
        for i, cell in ipairs(split(line)) do
            row[columns[i]] = cell
        end
        rows[#rows + 1] = row
    end
    return rows
end

-- { [message name] = { [field number] = row } }
function M.messages()
    local messages = {}
    for _, row in ipairs(M.rows("messages")) do
        local fields = messages[row.message] or {}
        messages[row.message] = fields
        if row.flags ~= "empty" then
            fields[math.tointeger(tonumber(row.number))] = row
        end
    end
    return messages
end

-- { [enum name] = { [value name] = number } }
function M.enums()
    local enums = {}
    for _, row in ipairs(M.rows("enums")) do
        enums[row.enum] = enums[row.enum] or {}
        enums[row.enum][row.name] = math.tointeger(tonumber(row.value))
    end
    return enums
end

return M
