-- SPDX-License-Identifier: Apache-2.0
--
-- Reads what `mesos-lua --tables` prints: rows of commands, options, variables and commands of ctl.
--
--   local tables = require("tables")
--   local rows = tables.read(path)       rows.option[1].name ...; a field without a value is nil
--   tables.applying(rows, "local")       the options that a command has

local M = {}

local COLUMNS = {
    command = { "name", "usage", "help" },
    option = { "name", "short", "value", "env", "default", "choices", "commands", "help" },
    variable = { "name", "default", "help" },
    ctl = { "name", "usage", "help" },
}

function M.read(path)
    local rows = { command = {}, option = {}, variable = {}, ctl = {} }
    for line in io.lines(path) do
        local kind, rest = line:match("^(%l+)\t(.*)$")
        local row, column = {}, 0
        for field in (rest .. "\t"):gmatch("([^\t]*)\t") do
            column = column + 1
            row[COLUMNS[kind][column]] = field ~= "" and field or nil
        end
        assert(column == #COLUMNS[kind], line)
        table.insert(rows[kind], row)
    end
    return rows
end

-- True if a list "a,b" has the word.
function M.has(list, word)
    return ("," .. (list or "") .. ","):find("," .. word .. ",", 1, true) ~= nil
end

function M.applying(rows, command)
    local list = {}
    for _, option in ipairs(rows.option) do
        if M.has(option.commands, command) then
            list[#list + 1] = option
        end
    end
    return list
end

return M
