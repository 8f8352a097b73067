-- SPDX-License-Identifier: Apache-2.0
--
-- The pieces of the page that repeat: tables, legends, sections. Cells and titles are HTML already: text from outside
-- has gone through format.escape before.

local format = require("sim.report.format")

local M = {}

-- The letter of a policy, in its colour.
---@param policy sim.report.Policy
function M.letter(policy)
    return ('<b class="letter %s">%s</b>'):format(policy.letter:lower(), policy.letter)
end

-- Letter and name; of a single policy the name alone.
---@param policy sim.report.Policy
---@param policies sim.report.Policy[]
function M.policy(policy, policies)
    return (#policies > 1 and M.letter(policy) .. " " or "") .. format.escape(policy.name)
end

-- A table. Columns from the second on are numbers, aligned to the right, unless `text` has their number. The first cell
-- of a row is its heading.
---@param options { caption: string?, head: string[], rows: string[][], text: table<integer, boolean>?, class: string? }
---@return string
function M.table(options)
    local text = options.text or {}
    local function class(i)
        return (i > 1 and not text[i]) and ' class="n"' or ""
    end
    local label = (options.caption or table.concat(options.head, ", ")):gsub("<[^>]*>", "")
    local parts = { ('<div class="scroll" tabindex="0" role="region" aria-label="Table: %s">'):format(label),
        ("<table%s>"):format(options.class and (' class="%s"'):format(options.class) or "") }
    if options.caption then
        parts[#parts + 1] = "<caption>" .. options.caption .. "</caption>"
    end
    parts[#parts + 1] = "<thead><tr>"
    for i, cell in ipairs(options.head) do
        parts[#parts + 1] = ('<th scope="col"%s>%s</th>'):format(class(i), cell)
    end
    parts[#parts + 1] = "</tr></thead>\n<tbody>\n"
    for _, row in ipairs(options.rows) do
        parts[#parts + 1] = '<tr><th scope="row">' .. row[1] .. "</th>"
        for i = 2, #row do
            parts[#parts + 1] = ("<td%s>%s</td>"):format(class(i), row[i])
        end
        parts[#parts + 1] = "</tr>\n"
    end
    parts[#parts + 1] = "</tbody></table></div>\n"
    return table.concat(parts)
end

-- A section with a heading; nothing if it has no content.
---@param level integer 2 or 3
---@param title string
---@param content string
---@param id string?
function M.section(level, title, content, id)
    if content == "" then
        return ""
    end
    return ("<section%s>\n<h%d>%s</h%d>\n%s</section>\n"):format(id and (' id="%s"'):format(id) or "", level, title,
        level, content)
end

function M.paragraph(text, class)
    return ("<p%s>%s</p>\n"):format(class and (' class="%s"'):format(class) or "", text)
end

-- What can be opened, by mouse and keyboard.
function M.details(summary, content)
    return ("<details><summary>%s</summary>\n%s</details>\n"):format(summary, content)
end

return M
