-- SPDX-License-Identifier: Apache-2.0
--
-- The plain facts of the page, as tables that need no JavaScript: what was run, the verdicts, the numbers of the
-- policies side by side.

local cases = require("sim.report.cases")
local format = require("sim.report.format")
local html = require("sim.report.html")

local M = {}

local escape, number = format.escape, format.number

---@alias sim.report.Row { [1]: string, [2]: string, [3]: string, better: "less"|"more"|nil } label, name, kind

-- The numbers of the first table: label, name in the summary, kind, and which of two is better.
local HEADLINES = {
    { "Waiting time, mean", "wait.mean", "time", better = "less" },
    { "Waiting time, median", "wait.p50", "time", better = "less" },
    { "Waiting time, 95th percentile", "wait.p95", "time", better = "less" },
    { "Waiting time, 99th percentile", "wait.p99", "time", better = "less" },
    { "Waiting time, longest", "wait.max", "time", better = "less" },
    { "Slowdown, mean", "slowdown.mean", "ratio", better = "less" },
    { "Slowdown, 95th percentile", "slowdown.p95", "ratio", better = "less" },
    { "Jobs submitted", "jobs.submitted", "count" },
    { "Jobs finished", "jobs.finished", "count", better = "more" },
    { "Jobs failed", "jobs.failed", "count", better = "less" },
    { "Jobs refused", "jobs.refused", "count", better = "less" },
    { "Jobs waiting at the end", "jobs.waiting", "count", better = "less" },
    { "Makespan", "makespan", "time", better = "less" },
    { "Throughput, jobs finished", "throughput", "rate", better = "more" },
    { "CPUs in use", "utilisation.cpus", "share", better = "more" },
    { "Memory in use", "utilisation.mem", "share", better = "more" },
    { "Disk in use", "utilisation.disk", "share", better = "more" },
    { "GPUs in use", "utilisation.gpus", "share", better = "more" },
    { "CPUs in use or in offers", "allocation.cpus", "share" },
    { "CPUs free where the median task does not fit", "fragmentation.cpus", "share", better = "less" },
    { "Memory free where the median task does not fit", "fragmentation.mem", "share", better = "less" },
    { "Fairness between roles (Jain)", "fairness.jain", "ratio", better = "more" },
    { "Fairness between roles (least by largest)", "fairness.maxmin", "ratio", better = "more" },
    { "Tasks launched", "tasks.launched", "count" },
    { "Tasks failed", "tasks.failed", "count", better = "less" },
    { "Tasks lost", "tasks.lost", "count", better = "less" },
    { "Tasks repeated", "tasks.repeated", "count", better = "less" },
    { "Work wasted", "work.wasted", "work", better = "less" },
    { "Agents lost", "agents.lost", "count" },
    { "Events", "events", "count" },
    { "Virtual time", "duration", "time" },
}

local OFFERS = {
    { "Offers made", "offers.made", "count" },
    { "Offers accepted", "offers.accepted", "count" },
    { "Offers declined", "offers.declined", "count" },
    { "Offers rescinded", "offers.rescinded", "count" },
    { "Offers held, mean", "offers.held.mean", "time" },
    { "Offers held, 95th percentile", "offers.held.p95", "time" },
    { "Offers held, longest", "offers.held.max", "time" },
    { "Status updates", "updates", "count" },
}

-- Is what an assertion is about, by its first name, a time?
---@param text string
---@return boolean
function M.is_time(text)
    local name = text:match("^%s*([^%s<>=!~]+)") or ""
    for _, list in ipairs { HEADLINES, OFFERS } do
        for _, row in ipairs(list) do
            if row[3] == "time" and ("." .. name):sub(-#row[2] - 1) == "." .. row[2] then
                return true
            end
        end
    end
    return false
end

local UNLIKE_ZERO = { ["utilisation.disk"] = true, ["utilisation.gpus"] = true, ["jobs.refused"] = true,
    ["tasks.lost"] = true, ["tasks.failed"] = true, ["tasks.repeated"] = true, ["agents.lost"] = true,
    ["work.wasted"] = true, ["offers.rescinded"] = true }

local function summary_value(name)
    return function(result)
        return cases.value(result.summary, name)
    end
end

-- "12 s", or of several seeds the mean with the least and the largest below it.
local function value_cell(results, row)
    local mean, least, largest = cases.mean(results, summary_value(row[2]))
    local text = number(mean, row[3])
    if mean and least < largest then
        text = ("%s<small>%s</small>"):format(text, format.range(number(least, row[3]), number(largest, row[3])))
    end
    return text, mean
end

local SAME = '<span class="same">the same</span>'

-- The difference A - B and what is to be said about it; `interval` is a sim.Difference of comparison.lua, or nil.
local function difference_cell(row, a, b, interval, policies)
    if not a or not b then
        return format.none
    end
    local difference = interval and interval.difference or a - b
    local text = format.difference(difference, row[3])
    if not interval or not interval.low then
        local less = math.abs(difference) < 0.0005 * math.max(math.abs(a), math.abs(b))
        return difference == 0 and SAME or less and '<span class="same">about the same</span>' or text
    end
    local range = format.range(format.difference(interval.low, row[3]), format.difference(interval.high, row[3]))
    if interval.low <= 0 and interval.high >= 0 then
        return interval.low == interval.high and SAME
            or ("no difference seen<small>%s (%s)</small>"):format(text, range)
    end
    local better = row.better and ((difference < 0) == (row.better == "less") and policies[1] or policies[2])
    return ("%s%s<small>%s</small>"):format(better and html.letter(better) .. " better " or "", text, range)
end

local function number_row(row, set, policies, intervals)
    local cells, values, seen = { row[1] }, {}, false
    for i in ipairs(policies) do
        cells[i + 1], values[i] = value_cell(set.results[i], row)
        seen = seen or values[i] ~= nil and not (values[i] == 0 and UNLIKE_ZERO[row[2]])
    end
    if #policies == 2 then
        cells[4] = difference_cell(row, values[1], values[2], intervals[row[2]], policies)
    end
    return seen and cells or nil
end

local function number_table(list, set, policies, intervals)
    local head, rows = { "" }, {}
    for i, policy in ipairs(policies) do
        head[i + 1] = #policies > 1 and html.policy(policy, policies) or "Value"
    end
    head[#head + 1] = #policies == 2 and "Difference, A less B" or nil
    for _, row in ipairs(list) do
        rows[#rows + 1] = number_row(row, set, policies, intervals)
    end
    return #rows > 0 and html.table { head = head, rows = rows, class = "numbers" } or ""
end

local function how_to_read(set, policies, seeds)
    local parts = {}
    if seeds > 1 then
        parts[1] = ("Means over %d seeds; below them the least and the largest."):format(#set.worlds)
    end
    if #policies == 2 then
        parts[#parts + 1] = seeds > 1
            and "Differences are of pairs with the same seed, below them the interval of 95 % confidence; where it "
            .. "holds zero, no difference was seen."
            or "One seed: differences are of this run alone, and nothing tells how far they can be trusted."
    end
    return #parts > 0 and html.paragraph(table.concat(parts, " "), "note") or ""
end

-- The numbers side by side, for one set of parameters.
---@param set sim.report.Set
---@param policies sim.report.Policy[]
---@param intervals table<string, sim.Difference> by name
function M.numbers(set, policies, intervals)
    local tables = number_table(HEADLINES, set, policies, intervals)
    return tables ~= "" and tables .. how_to_read(set, policies, #set.worlds) or ""
end

local function calls_of(set, policies)
    local names, seen = {}, {}
    for i in ipairs(policies) do
        for _, result in ipairs(set.results[i]) do
            for name, value in pairs(result.summary and result.summary.calls or {}) do
                if type(value) == "number" and not seen[name] then
                    seen[name], names[#names + 1] = true, name
                end
            end
        end
    end
    table.sort(names)
    local rows = {}
    for i = 1, math.min(#names, 40) do
        rows[i] = { "<code>" .. escape(names[i], 60) .. "</code>", "calls." .. names[i], "count" }
    end
    return rows
end

-- What became of offers, and the calls by type.
function M.offers(set, policies, intervals)
    local offers = number_table(OFFERS, set, policies, intervals)
    local calls = number_table(calls_of(set, policies), set, policies, intervals)
    local parts = { offers ~= "" and "<div>\n<h3>Offers</h3>\n" .. offers .. "</div>\n" or "",
        calls ~= "" and "<div>\n<h3>Calls by type</h3>\n" .. calls .. "</div>\n" or "" }
    local content = table.concat(parts)
    return content ~= "" and '<div class="pair">\n' .. content .. "</div>\n" or ""
end

local SWEEP = {
    { "waiting time, median", "wait.p50", "time" }, { "waiting time, p95", "wait.p95", "time" },
    { "CPUs in use", "utilisation.cpus", "share" }, { "jobs finished", "jobs.finished", "count" },
    { "makespan", "makespan", "time" },
}
local SETS_MOST = 200

-- The sets of a sweep, a row each.
---@param all sim.report.Cases
function M.sweep(all)
    if #all.sets < 2 then
        return ""
    end
    local head, rows = { "Parameters" }, {}
    for _, column in ipairs(SWEEP) do
        for _, policy in ipairs(all.policies) do
            head[#head + 1] = (#all.policies > 1 and html.letter(policy) .. " " or "") .. column[1]
        end
    end
    for i = 1, math.min(#all.sets, SETS_MOST) do
        local set = all.sets[i]
        local cells = { set.label == "" and "none" or escape(set.label) }
        for _, column in ipairs(SWEEP) do
            for policy in ipairs(all.policies) do
                cells[#cells + 1] = number(cases.mean(set.results[policy], summary_value(column[2])), column[3])
            end
        end
        rows[i] = cells
    end
    return html.table { head = head, rows = rows, class = "sweep" }
        .. (#all.sets > SETS_MOST and html.paragraph(("%d of %d sets of parameters."):format(SETS_MOST, #all.sets),
            "note") or "")
end

-- ---- groups of jobs ----

local GROUPS = { { "roles", "Role" }, { "users", "User" }, { "priorities", "Priority" }, { "sizes", "Size" } }
local MEMBERS_MOST = 20
local SIZE_ORDER = { small = 1, medium = 2, large = 3 }

local function members_of(set, group)
    local names, jobs = {}, {}
    for i = 1, 2 do
        for _, result in ipairs(set.results[i]) do
            for name, member in pairs(result.summary and result.summary[group] or {}) do
                name = tostring(name)
                if not jobs[name] then
                    names[#names + 1] = name
                end
                jobs[name] = math.max(jobs[name] or 0, cases.value(member, "jobs.submitted") or 0)
            end
        end
    end
    table.sort(names, function(a, b)
        if SIZE_ORDER[a] and SIZE_ORDER[b] then
            return SIZE_ORDER[a] < SIZE_ORDER[b]
        elseif jobs[a] ~= jobs[b] then
            return jobs[a] > jobs[b]
        end
        return a < b
    end)
    return names
end

local COLUMNS = {
    { "jobs", "jobs.submitted", "count" }, { "median", "wait.p50", "time" }, { "p95", "wait.p95", "time" },
    { "longest", "wait.max", "time" }, { "slowdown", "slowdown.mean", "ratio" }, { "share", "share", "share" },
}

local function member_value(group, member, name)
    return function(result)
        local members = result.summary and result.summary[group]
        return members and cases.value(members[member] or members[math.tointeger(member) or member], name)
    end
end

-- The columns that any member of the group has.
local function columns_of(set, group, names)
    local columns = {}
    for _, column in ipairs(COLUMNS) do
        local seen = false
        for _, name in ipairs(names) do
            for i = 1, 2 do
                seen = seen or cases.mean(set.results[i], member_value(group, name, column[2])) ~= nil
            end
        end
        columns[#columns + 1] = seen and column or nil
    end
    return columns
end

local function group_table(set, policies, group, title)
    local names = members_of(set, group)
    local more = #names > MEMBERS_MOST and #names
    names = table.move(names, 1, MEMBERS_MOST, 1, {})
    local columns = columns_of(set, group, names)
    if #names == 0 or #columns == 0 or #names == 1 and group ~= "roles" then
        return ""
    end
    local head, rows = { title }, {}
    for _, column in ipairs(columns) do
        for _, policy in ipairs(policies) do
            head[#head + 1] = (#policies > 1 and html.letter(policy) .. " " or "") .. column[1]
        end
    end
    for i, name in ipairs(names) do
        local cells = { escape(name, 40) }
        for _, column in ipairs(columns) do
            for policy in ipairs(policies) do
                local mean = cases.mean(set.results[policy], member_value(group, name, column[2]))
                cells[#cells + 1] = number(mean, column[3])
            end
        end
        rows[i] = cells
    end
    return html.table { head = head, rows = rows }
        .. (more and html.paragraph(("%d of %d, those with most jobs."):format(MEMBERS_MOST, more), "note") or "")
end

-- Waiting times, slowdowns and shares by role, user, priority and size.
function M.groups(set, policies)
    local parts = {}
    for _, group in ipairs(GROUPS) do
        local text = group_table(set, policies, group[1], group[2])
        parts[#parts + 1] = text ~= "" and "<div>\n" .. text .. "</div>\n" or nil
    end
    local class = #policies > 1 and "stack" or "pair"
    return #parts > 0 and ('<div class="%s">\n%s</div>\n'):format(class, table.concat(parts)) or ""
end

return M
