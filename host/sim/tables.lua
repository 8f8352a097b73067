-- SPDX-License-Identifier: Apache-2.0
--
-- The numbers of a simulation as tables on a terminal: those of one run, the means over seeds, two scripts side by
-- side, and a row for each set of parameters of a sweep. No line is wider than the terminal: columns on the right are
-- left out. The files have all numbers; here stand the headlines of numbers.lua, and how long jobs of each role waited.

local comparisons = require "sim.comparison"
local numbers = require "sim.numbers"
local text = require "sim.text"

local M = {}

local MARKS = { bold = "\27[1m", red = "\27[31m", green = "\27[32m", dim = "\27[2m" }

function M.marked(options, mark, what)
    return options.color and MARKS[mark] .. what .. "\27[0m" or what
end

-- A script's name for the head of a column.
function M.short_name(path)
    return text.clean((path or "?"):match("[^/]+$") or path)
end

-- Rows of cells, the first column to the left and the others to the right, as lines, and how many columns they have:
-- the last ones are left out if the width does not suffice.
function M.aligned(rows, width)
    local widths, lines = {}, {}
    for _, row in ipairs(rows) do
        for i, cell in ipairs(row) do
            widths[i] = math.max(widths[i] or 0, text.width(cell))
        end
    end
    local columns, total = 0, -2
    for i, column in ipairs(widths) do
        total = total + column + 2
        columns = (total <= width or i == 1) and columns == i - 1 and i or columns
    end
    for n, row in ipairs(rows) do
        local cells = {}
        for i = 1, columns do
            cells[i] = text.pad(row[i] or "", widths[i], i > 1)
        end
        lines[n] = text.cut((table.concat(cells, "  "):gsub(" +$", "")), width)
    end
    return lines, columns
end

local function add_all(lines, more)
    for _, line in ipairs(more) do
        lines[#lines + 1] = line
    end
end

-- A number with how far its interval goes: "31.2 +- 1.5 s".
local function with_interval(mean, low, kind, options)
    if not low or mean == low then
        return numbers.text(mean, kind)
    end
    return numbers.text_with(mean, mean - low, kind, options.utf8 and "\u{b1}" or "+-")
end

local ROLES_MOST = 8

-- Those numbers of a list, { name =, headline = }, that are shown. A role alone is no news, and many are too many.
local function headlines(list)
    local chosen, of_roles = {}, {}
    for _, number in ipairs(list) do
        if number.headline then
            chosen[#chosen + 1] = number
        elseif number.name:find("^roles") and number.name:find("%.wait%.mean$") then
            of_roles[#of_roles + 1] = number
        end
    end
    if #of_roles > 1 and #of_roles <= ROLES_MOST then
        table.move(of_roles, 1, #of_roles, #chosen + 1, chosen)
    end
    return chosen
end

local function single_table(result)
    local list, rows = {}, {}
    local values, names = numbers.flatten(result.summary)
    for i, name in ipairs(names) do
        local row = numbers.row_of(name)
        list[i] = { name = name, kind = row.kind, headline = row.name == name and row.headline }
    end
    for i, number in ipairs(headlines(list)) do
        rows[i] = { text.clean(number.name), numbers.text(values[number.name], number.kind) }
    end
    return rows
end

local function seeds_table(row, options)
    local rows = {}
    for i, number in ipairs(headlines(row.numbers)) do
        rows[i] = { text.clean(number.name), with_interval(number.mean, number.low, number.kind, options) }
    end
    return rows
end

local function signed(value, kind)
    return (value > 0 and "+" or "") .. numbers.text(value, kind)
end

-- What differs, with its interval and whether that is good; or that nothing was seen. `short`: without the interval.
local function difference_text(number, options, short)
    if number.verdict == "none" then
        return number.words
    end
    local value = with_interval(number.difference, not short and number.low or nil, number.kind, options)
    local judged = number.low and number.words:match("(%l+)$") or nil
    return ("%s%s%s"):format(number.difference > 0 and "+" or "", value,
        number.better and judged and (" (%s)"):format(judged) or "")
end

local DIFFERENCE_COLUMN = 4
local VERDICTS = { better = "green", worse = "red" }

local function comparison_rows(group, comparison, options, short)
    local rows = { { "", M.short_name(comparison.a.script), M.short_name(comparison.b.script), "difference" } }
    for i, number in ipairs(headlines(group.numbers)) do
        local relative = number.verdict ~= "none" and number.relative or 0
        rows[i + 1] = {
            text.clean(number.name), numbers.text(number.a, number.kind), numbers.text(number.b, number.kind),
            difference_text(number, options, short), relative ~= 0 and signed(relative, "share") or "",
        }
    end
    return rows
end

-- Where there is no room for all of it, the intervals are left out, then the numbers of the other script.
local function comparison_lines(group, comparison, options)
    local lines, columns = M.aligned(comparison_rows(group, comparison, options), options.width)
    if columns < DIFFERENCE_COLUMN then
        local rows = comparison_rows(group, comparison, options, true)
        lines, columns = M.aligned(rows, options.width)
        if columns < DIFFERENCE_COLUMN then
            for _, row in ipairs(rows) do
                table.remove(row, DIFFERENCE_COLUMN - 1)
            end
            lines = M.aligned(rows, options.width)
        end
    end
    for i, number in ipairs(headlines(group.numbers)) do
        local mark = VERDICTS[number.words:match("(%l+)$")]
        lines[i + 1] = mark and M.marked(options, mark, lines[i + 1]) or lines[i + 1]
    end
    return lines
end

-- Columns of the table of a sweep.
local SWEEP = { "wait.mean", "wait.p95", "jobs.finished", "utilisation.cpus", "fragmentation.cpus", "lost" }

local function sweep_table(sweep, options)
    local rows, several = { { "parameters" } }, false
    for _, row in ipairs(sweep) do
        several = several or row.script ~= sweep[1].script
    end
    table.move(SWEEP, 1, #SWEEP, 2, rows[1])
    for _, row in ipairs(sweep) do
        local by_name, name = {}, comparisons.set_text(row.set)
        for _, number in ipairs(row.numbers) do
            by_name[number.name] = number
        end
        local cells = { text.clean(several and ("%s %s"):format(M.short_name(row.script), name) or name) }
        for i, column in ipairs(SWEEP) do
            local number = by_name[column]
            cells[i + 1] = number and with_interval(number.mean, number.low, number.kind, options) or "-"
        end
        rows[#rows + 1] = cells
    end
    return rows
end

local SEEDS = "%d seeds: means, and half of their 95 %% intervals"
local ALONE = "One seed: how far differences can be trusted is not known; try --seeds 1..10."
local NOTHING = "The two scripts have no whole run in the same world: nothing can be compared."

local function add_comparison(lines, comparison, options)
    local function say(words)
        add_all(lines, words and text.wrap(text.clean(words), options.width) or {})
    end
    for i, group in ipairs(comparison.groups) do
        local set = comparisons.set_text(group.set)
        lines[#lines + 1] = i > 1 and "" or nil
        say(set ~= "" and ("With %s:"):format(set))
        say(#group.seeds > 1 and SEEDS:format(#group.seeds))
        add_all(lines, #group.numbers > 0 and comparison_lines(group, comparison, options) or {})
        say(#group.numbers == 0 and NOTHING or #group.seeds == 1 and ALONE)
    end
end

local function say_seeds(lines, row, options)
    if #row.seeds > 1 then
        add_all(lines, text.wrap(SEEDS:format(#row.seeds), options.width))
    end
end

local function add_seeds(lines, sweep, options)
    for _, row in ipairs(sweep) do
        say_seeds(lines, row, options)
        add_all(lines, M.aligned(seeds_table(row, options), options.width))
    end
end

-- Is there more than one set of parameters?
local function is_swept(sweep)
    for _, row in ipairs(sweep) do
        if comparisons.set_text(row.set) ~= comparisons.set_text(sweep[1].set) then
            return true
        end
    end
    return false
end

-- The lines of all numbers of a document.
---@param document sim.Document
---@param options sim.TerminalOptions with `width`
---@return string[]
function M.lines(document, options)
    local lines, results, comparison, sweep = {}, document.results, document.comparison, document.sweep or {}
    if comparison then
        add_comparison(lines, comparison, options)
    end
    if is_swept(sweep) then
        lines[#lines + 1] = comparison and "" or nil
        say_seeds(lines, sweep[1], options)
        add_all(lines, M.aligned(sweep_table(sweep, options), options.width))
    elseif not comparison and #results > 1 then
        add_seeds(lines, sweep, options)
    elseif not comparison and results[1] then
        add_all(lines, M.aligned(single_table(results[1]), options.width))
    end
    return lines
end

return M
