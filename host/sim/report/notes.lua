-- SPDX-License-Identifier: Apache-2.0
--
-- What the page says in words and lists: what was run, verdicts, problems, the jobs that waited longest and why,
-- callbacks, faults, rows that were skipped, the log.

local cases = require("sim.report.cases")
local failures = require("sim.failures")
local facts = require("sim.report.facts")
local format = require("sim.report.format")
local html = require("sim.report.html")

local M = {}

local escape, number = format.escape, format.number
local FAULTS_MOST, SKIPPED_MOST, LINES_MOST, CALLBACKS_MOST, LONGEST_MOST, ASSERTIONS_MOST = 100, 50, 100, 60, 20, 200

local function distinct(results, get)
    local list, seen = {}, {}
    for _, result in ipairs(results) do
        local value = get(result)
        if value and value ~= "" and not seen[value] then
            seen[value], list[#list + 1] = true, value
        end
    end
    return list
end

local function joined(list, most)
    local parts = {}
    for i = 1, math.min(#list, most) do
        parts[i] = escape(list[i], 120)
    end
    return table.concat(parts, ", ") .. (#list > most and (" and %d more"):format(#list - most) or "")
end

-- Seeds as "1, 2, 3" or, if they follow each other, "1 to 30".
local function seeds_text(results)
    local seeds = distinct(results, function(result) return result.seed or 1 end)
    table.sort(seeds)
    if #seeds > 3 and seeds[#seeds] - seeds[1] == #seeds - 1 then
        return ("%s to %s"):format(seeds[1], seeds[#seeds])
    end
    return joined(seeds, 20)
end

local function policy_facts(policies)
    local rows = {}
    for _, policy in ipairs(policies) do
        local arguments = #policy.arguments > 0 and " " .. escape(table.concat(policy.arguments, " "), 300) or ""
        rows[#rows + 1] = { #policies > 1 and "Policy " .. html.letter(policy) or "Policy",
            "<code>" .. escape(policy.script, 300) .. arguments .. "</code>" }
    end
    return rows
end

local function run_facts(results, all)
    local rows = {}
    for _, fact in ipairs { { "scenario", "Scenario" }, { "workload", "Workload" } } do
        local names = distinct(results, function(result) return result[fact[1]] end)
        rows[#rows + 1] = #names > 0 and { fact[2], "<code>" .. joined(names, 4) .. "</code>" } or nil
    end
    rows[#rows + 1] = { all.seeds > 1 and "Seeds" or "Seed", seeds_text(results) }
    local sets = distinct(all.sets, function(set) return set.label end)
    rows[#rows + 1] = #sets > 0 and { "Parameters", joined(sets, 8) } or nil
    rows[#rows + 1] = { "End", joined(distinct(results, function(result) return result.ended end), 6) }
    return rows
end

-- Scripts, arguments, scenario, seeds, parameters.
---@param document table
---@param all sim.report.Cases
function M.head(document, all)
    local rows = policy_facts(all.policies)
    for _, fact in ipairs { { "command", "Command" }, { "scenario", "Scenario" }, { "workload", "Workload" },
        { "program", "Program" } } do
        if document[fact[1]] then
            rows[#rows + 1] = { fact[2], "<code>" .. escape(document[fact[1]], 500) .. "</code>" }
        end
    end
    if #document.results > 0 then
        table.move(run_facts(document.results, all), 1, 5, #rows + 1, rows)
    end
    local parts = {}
    for _, row in ipairs(rows) do
        parts[#parts + 1] = row[2] ~= "" and ("<div><dt>%s</dt><dd>%s</dd></div>\n"):format(row[1], row[2]) or ""
    end
    return #parts > 0 and '<dl class="facts">\n' .. table.concat(parts) .. "</dl>\n" or ""
end

-- Why runs ended early, what is said about jobs that wait for ever, and what failed in the policy: each text once, with
-- the runs it is about.
---@param all sim.report.Cases
function M.problems(all)
    local texts, about = {}, {}
    local function add(text, title)
        if not about[text] then
            texts[#texts + 1], about[text] = text, {}
        end
        table.insert(about[text], title)
    end
    for _, set in ipairs(all.sets) do
        for _, world in ipairs(set.worlds) do
            for i, policy in ipairs(all.policies) do
                local result = world.results[i] or {}
                local title = format.clean(policy.name .. ", " .. world.label, 200)
                if result.partial then
                    add(("Partial: the run ended early (%s)."):format(tostring(result.partial)), title)
                end
                if result.problem then
                    add(tostring(result.problem), title)
                end
                for _, text in ipairs(failures.untold(result)) do
                    add(text, title)
                end
            end
        end
    end
    local parts = {}
    for i = 1, math.min(#texts, 20) do
        local titles = about[texts[i]]
        parts[i] = ('<li><strong>%s</strong> <span class="where">%s</span></li>\n'):format(escape(texts[i], 2000, true),
            joined(titles, 3))
    end
    return #parts > 0 and '<ul class="problems" aria-label="Problems">\n' .. table.concat(parts) .. "</ul>\n" or ""
end

local function value_text(value)
    if math.type(value) == "float" then
        return escape(("%.6g"):format(value))
    end
    return value == nil and format.none or escape(value, 60)
end

-- In which world an assertion does not hold.
local function world_of(assertion)
    local set = cases.set_label(assertion.set)
    return set ~= "" and ("%s with %s"):format(assertion.seed, set) or assertion.seed
end

-- The assertions of one text and one script together: { text =, script =, runs =, failed =, least =, largest =, seeds =
-- of the runs in which it does not hold }.
local function by_text(assertions)
    local list, index = {}, {}
    for _, one in ipairs(assertions) do
        local key = tostring(one.text) .. "\0" .. tostring(one.script)
        if not index[key] then
            index[key] = { text = one.text, script = one.script, runs = 0, failed = 0, seeds = {} }
            list[#list + 1] = index[key]
        end
        local row, value = index[key], one.value
        row.runs, row.failed = row.runs + 1, row.failed + (one.holds and 0 or 1)
        row.seeds[#row.seeds + 1] = not one.holds and world_of(one) or nil
        if type(value) == "number" then
            row.least, row.largest = math.min(row.least or value, value), math.max(row.largest or value, value)
        else
            row.other = row.other or value
        end
    end
    return list
end

-- The script, and if there are several runs those in which it does not hold.
local function where_of(row, all)
    local parts = {}
    for _, policy in ipairs(all.policies) do
        if policy.script == row.script and #all.policies > 1 then
            parts[1] = html.policy(policy, all.policies)
        end
    end
    if row.runs > 1 and row.failed > 0 then
        parts[#parts + 1] = ("fails in %d of %d runs%s"):format(row.failed, row.runs,
            #row.seeds > 0 and ": seeds " .. joined(row.seeds, 12) or "")
    elseif row.runs > 1 then
        parts[#parts + 1] = ("in all %d runs"):format(row.runs)
    end
    return #parts > 0 and "<small>" .. table.concat(parts, ", ") .. "</small>" or ""
end

local function values_of(row)
    if not row.least then
        return value_text(row.other)
    end
    local function text(value)
        return facts.is_time(tostring(row.text)) and number(value, "time") or value_text(value)
    end
    return row.least == row.largest and text(row.least) or format.range(text(row.least), text(row.largest))
end

-- A row for each assertion: does it hold, and the value that it was about.
---@param assertions table[]?
---@param all sim.report.Cases
function M.verdicts(assertions, all)
    local list, rows, failed = by_text(assertions or {}), {}, 0
    for i, row in ipairs(list) do
        failed = failed + (row.failed > 0 and 1 or 0)
        if i <= ASSERTIONS_MOST then
            local what = "<code>" .. escape(row.text, 200) .. "</code>" .. where_of(row, all)
            rows[i] = { row.failed == 0 and '<span class="holds">\u{2713} holds</span>'
                or '<span class="fails">\u{2717} does not hold</span>', what, values_of(row) }
        end
    end
    if #rows == 0 then
        return ""
    end
    local sum = failed == 0 and (#list == 1 and "It holds." or ("All %d hold."):format(#list))
        or ("%d of %d %s not hold."):format(failed, #list, failed == 1 and "does" or "do")
    return html.paragraph(sum, failed == 0 and "sum holds" or "sum fails")
        .. html.table { head = { "Verdict", "Assertion", "Value" }, rows = rows,
            text = { [2] = true } }
end

-- The first sentence, and what follows it to be opened.
local function why_of(text)
    local first, rest = format.clean(text or "", 1500, true):match("^([^\n]*)\n*(.*)$")
    return escape(first, 400) .. (rest ~= "" and html.details("more", '<div class="lines">' .. escape(rest, 1500, true)
        .. "</div>\n") or "")
end

local function longest_table(result, caption)
    local rows = {}
    for i = 1, math.min(#result.longest, LONGEST_MOST) do
        local job = result.longest[i]
        local whose = {}
        for _, name in ipairs { "role", "user" } do
            whose[#whose + 1] = job[name] and job[name] ~= "" and escape(job[name], 40) or nil
        end
        rows[i] = { "<code>" .. escape(job.id, 60) .. "</code>", number(job.wait, "time"), number(job.at, "time"),
            table.concat(whose, ", "), escape(job.state or "", 40), why_of(job.why) }
    end
    return html.table { caption = caption, head = { "Job", "waited", "submitted at", "Role, user", "State", "Why" },
        rows = rows, text = { [4] = true, [5] = true, [6] = true }, class = "longest" }
end

-- The jobs that waited longest, of each policy in a world.
function M.longest(world, policies)
    local parts = {}
    for i, policy in ipairs(policies) do
        local result = world.results[i]
        if result and result.longest and #result.longest > 0 then
            parts[#parts + 1] = longest_table(result, html.policy(policy, policies))
        end
    end
    return table.concat(parts)
end

local function callback_rows(callbacks)
    local names, rows = {}, {}
    for name in pairs(callbacks) do
        names[#names + 1] = name
    end
    table.sort(names, function(a, b)
        local x, y = callbacks[a].total or 0, callbacks[b].total or 0
        return x > y or x == y and a < b
    end)
    for i = 1, math.min(#names, CALLBACKS_MOST) do
        local one = callbacks[names[i]]
        rows[i] = { "<code>" .. escape(names[i], 60) .. "</code>", number(one.count, "count"),
            number(one.failures, "count"), number(one.total, "ms"), number(one.mean, "ms"), number(one.p99, "ms"),
            number(one.max, "ms") }
    end
    return rows
end

-- The policies' own time, in real milliseconds; only in documents that have it.
function M.callbacks(world, policies)
    local parts = {}
    for i, policy in ipairs(policies) do
        local result = world.results[i]
        local rows = result and result.callbacks and callback_rows(result.callbacks) or {}
        parts[#parts + 1] = #rows > 0 and html.table { caption = html.policy(policy, policies),
            head = { "Callback", "calls", "failures", "total", "mean", "p99", "longest" }, rows = rows } or nil
    end
    return #parts > 0 and table.concat(parts)
        .. html.paragraph("Real time: it differs from run to run.", "note") or ""
end

-- The faults of a world: those of the first policy, and of the second what is different.
---@return { at: number, text: string }[] faults at most 100
---@return integer count of all
function M.faults_of(world)
    local list, seen, count = {}, {}, 0
    for i = 1, 2 do
        for _, fault in ipairs(world.results[i] and world.results[i].faults or {}) do
            local key = ("%.6f %s"):format(fault.at, fault.text)
            if not seen[key] then
                seen[key], count = true, count + 1
                list[#list + 1] = fault
            end
        end
    end
    table.sort(list, function(a, b)
        return a.at < b.at or a.at == b.at and tostring(a.text) < tostring(b.text)
    end)
    return table.move(list, 1, FAULTS_MOST, 1, {}), count
end

function M.faults(world)
    local list, count = M.faults_of(world)
    local rows = {}
    for i, fault in ipairs(list) do
        rows[i] = { number(fault.at, "time"), escape(fault.text, 300) }
    end
    return #rows > 0 and html.table { head = { "At", "Fault" }, rows = rows, text = { [2] = true } }
        .. (count > #rows and html.paragraph(("The first %d of %d."):format(#rows, count), "note") or "") or ""
end

-- What the source of the workload left out; the policies of a world have the same.
function M.skipped(world)
    local result = world.results[1] or world.results[2] or {}
    local rows = {}
    for i = 1, math.min(#(result.skipped or {}), SKIPPED_MOST) do
        local skipped = result.skipped[i]
        rows[i] = { escape(skipped.reason, 200), number(skipped.count, "count"), escape(skipped.example or "", 200) }
    end
    return #rows > 0 and html.table { head = { "Reason", "rows", "Example" }, rows = rows, text = { [3] = true } } or ""
end

function M.log(world, policies)
    local parts = {}
    for i, policy in ipairs(policies) do
        local lines = {}
        for _, line in ipairs(world.results[i] and world.results[i].log or {}) do
            lines[#lines + 1] = escape(type(line) == "table" and (line.text or line.message) or line, 500)
        end
        lines = table.move(lines, math.max(1, #lines - LINES_MOST + 1), #lines, 1, {})
        if #lines > 0 then
            parts[#parts + 1] = ('<h3>%s</h3>\n<pre tabindex="0">%s</pre>\n'):format(html.policy(policy, policies),
                table.concat(lines, "\n"))
        end
    end
    return table.concat(parts)
end

return M
