-- SPDX-License-Identifier: Apache-2.0
--
-- The page of a simulation: one HTML file that holds all it needs, opens from disk and asks no host for anything. The
-- plain facts are HTML; the figures are drawn by page.js with Chart.js, from data in an element of JSON. Equal
-- documents give equal bytes.
--
-- Text from outside (names of jobs, lines of a log) comes into the page through format.escape and through encode()
-- below alone, and the page's policy lets no script run but the two whose hashes it names.

local json = require("mesos.json")

local agents = require("sim.report.agents")
local cases = require("sim.report.cases")
local columns = require("sim.report.columns")
local facts = require("sim.report.facts")
local figures = require("sim.report.figures")
local format = require("sim.report.format")
local html = require("sim.report.html")
local notes = require("sim.report.notes")
local time_figures = require("sim.report.time_figures")

local M = {}

local WORLDS_UNTIL = 1200000 -- bytes of HTML and data, without the library; worlds that come later are numbers alone
local SETS_MOST = 30 -- of a sweep, shown with all their numbers

-- JSON that ends no element and begins none: it has neither < nor >, and is of ASCII in what JavaScript takes for line
-- ends.
local ESCAPES = { ["<"] = "\\u003c", [">"] = "\\u003e", ["&"] = "\\u0026" }

local function encode(value)
    return (json.encode(value, { empty = "object" }):gsub("[<>&]", ESCAPES):gsub("\u{2028}", "\\u2028")
        :gsub("\u{2029}", "\\u2029"))
end

---@class sim.report.Page
---@field all sim.report.Cases
---@field data table<string, string> JSON of the figures by id
---@field ids string[]
---@field size integer bytes of the data, and of the HTML of sets and worlds

-- The HTML of a figure whose data is kept for the page; "" if there is no figure.
local function keep(page, id, text, data)
    if not text then
        return ""
    end
    local encoded = encode(data)
    page.ids[#page.ids + 1] = id
    page.data[id] = encoded
    page.size = page.size + #encoded + #id
    return text
end

-- ---- a set of parameters ----

local function role_waits(page, prefix, set)
    local roles = {}
    for i = 1, 2 do
        for _, result in ipairs(set.results[i]) do
            for role in pairs(result.waits_by_role or {}) do
                roles[role] = true
            end
        end
    end
    local names = {}
    for role in pairs(roles) do
        names[#names + 1] = role
    end
    table.sort(names)
    local parts = {}
    for n = 1, #names > 1 and math.min(#names, 9) or 0 do
        local id = ("%s-role-%d"):format(prefix, n)
        parts[n] = keep(page, id, figures.waits(id, "Role " .. names[n], set, page.all.policies, function(result)
            return result.waits_by_role and result.waits_by_role[names[n]]
        end, "small"))
    end
    return #parts > 0 and '<div class="figures">\n' .. table.concat(parts) .. "</div>\n" or ""
end

local function waiting(page, prefix, set)
    local id, censored = prefix .. "-waits", nil
    for i = 1, 2 do
        for _, result in ipairs(set.results[i]) do
            censored = math.max(censored or 0, cases.value(result, "summary.wait.censored") or 0)
        end
    end
    local text = keep(page, id, figures.waits(id, "How long jobs waited", set, page.all.policies, function(result)
        return result.waits
    end, "wide"))
    local note = text ~= "" and (censored or 0) > 0 and html.paragraph(("Up to %s jobs of a run still waited at its "
        .. "end; what they had waited by then counts."):format(format.number(censored, "count")), "note") or ""
    return text .. note .. role_waits(page, prefix, set)
end

-- The differences of a set by name, out of comparison.lua's, and how many pairs were left out.
local function differences_of(comparison, set)
    for _, group in ipairs(comparison and comparison.groups or {}) do
        if cases.set_label(group.set) == set.label then
            local by_name = {}
            for _, difference in ipairs(group.numbers or {}) do
                by_name[difference.name] = difference
            end
            return by_name, group.left_out or 0
        end
    end
    return {}, 0
end

local function set_part(page, n, document)
    local set, policies = page.all.sets[n], page.all.policies
    local prefix = "s" .. n
    local differences, left_out = differences_of(document.comparison, set)
    local first = n == 1 -- has the anchors of the page's own navigation
    local title = #page.all.sets > 1 and ("<h2 class=\"of\">With %s</h2>\n"):format(
        set.label == "" and "no parameters" or format.escape(set.label)) or ""
    local numbers = facts.numbers(set, policies, differences)
    if left_out > 0 then
        numbers = numbers .. html.paragraph(("Differences leave out %d runs that ended early or have no counterpart.")
            :format(left_out), "note")
    end
    return ('<div class="set" data-set="%d">\n'):format(n) .. title
        .. html.section(2, "Numbers", numbers, first and "numbers" or nil)
        .. html.section(2, "Waiting", waiting(page, prefix, set), first and "waiting" or nil)
        .. html.section(2, "Waiting by role, user, priority and size", facts.groups(set, policies))
        .. html.section(2, "Offers and calls", facts.offers(set, policies, differences), first and "offers" or nil)
        .. "</div>\n"
end

-- ---- a world ----

local function marks_of(world)
    local list = notes.faults_of(world)
    local at, texts = {}, {}
    for i, fault in ipairs(list) do
        at[i], texts[i] = fault.at, format.clean(fault.text, 100)
    end
    return #list > 0 and { at = columns.milliseconds(at, #at), texts = texts } or nil
end

local function grid(figures_list, note)
    local text = table.concat(figures_list)
    return text ~= "" and ('%s<div class="figures">\n%s</div>\n'):format(note or "", text) or ""
end

local function over_time(page, prefix, world, marks)
    local parts, roles = {}, {}
    for n, row in ipairs(time_figures.rows) do
        local id = ("%s-time-%d"):format(prefix, n)
        parts[n] = keep(page, id, figures.time(id, row, world, page.all.policies, marks))
    end
    local names, largest, count = time_figures.roles_of(world)
    for n, role in ipairs(#names > 1 and names or {}) do
        local id = ("%s-share-%d"):format(prefix, n)
        roles[n] = keep(page, id, figures.time(id, time_figures.role(role, largest), world, page.all.policies, marks))
    end
    local note = marks and html.paragraph("Vertical lines are faults; they are listed below.", "note") or ""
    local more = count > #names and html.paragraph(("%d of %d roles, those with the largest shares."):format(#names,
        count), "note") or ""
    return #parts > 0 and grid(parts, note) or "", #roles > 0 and grid(roles) .. more or ""
end

local function of_each(page, prefix, make, world, marks)
    local parts = {}
    for i in ipairs(page.all.policies) do
        local id = ("%s-%d"):format(prefix, i)
        parts[i] = keep(page, id, make(id, world, page.all.policies, i, marks))
    end
    local text = table.concat(parts)
    return text ~= "" and '<div class="figures two">\n' .. text .. "</div>\n" or ""
end

local function world_part(page, n, world, set)
    local policies, prefix, marks = page.all.policies, "w" .. n, marks_of(world)
    local time, roles = over_time(page, prefix, world, marks)
    local function id(name)
        return n == 1 and name or nil
    end
    return ('<div class="world" data-set="%d" data-world="%d">\n<h2 class="of">%s</h2>\n'):format(set, n,
        "Run with " .. format.escape(world.label))
        .. html.section(2, "Over time", time, id "time")
        .. html.section(2, "Fairness: shares of roles over time", roles, id "fairness")
        .. html.section(2, "Agents", of_each(page, prefix .. "-heat", agents.heat, world, marks), id "agents")
        .. html.section(2, "Tasks", of_each(page, prefix .. "-tasks", agents.tasks, world, marks), id "tasks")
        .. html.section(2, "Jobs that waited longest, and why", notes.longest(world, policies), id "longest")
        .. html.section(2, "Time in callbacks", notes.callbacks(world, policies), id "callbacks")
        .. html.section(2, "Faults", notes.faults(world), id "faults")
        .. html.section(2, "Rows of the workload that were skipped", notes.skipped(world), id "skipped")
        .. html.section(2, "Log: warnings and errors", notes.log(world, policies), id "log")
        .. "</div>\n"
end

-- ---- the page ----

-- The parts of all worlds that find room, and the list to choose from.
local function worlds_part(page)
    local parts, options, left_out = {}, {}, 0
    for set_number, set in ipairs(page.all.sets) do
        for _, world in ipairs(set.worlds) do
            if page.size >= WORLDS_UNTIL and #parts > 0 or set_number > SETS_MOST then
                left_out = left_out + 1
            else
                local n = #parts + 1
                local before = #page.ids
                local text = world_part(page, n, world, set_number)
                page.size = page.size + #text
                if n > 1 and page.size > WORLDS_UNTIL then
                    for i = before + 1, #page.ids do
                        page.data[page.ids[i]], page.ids[i] = nil, nil
                    end
                    page.size, left_out = WORLDS_UNTIL, left_out + 1
                else
                    parts[n] = text
                    options[n] = ('<option value="%d">%s</option>'):format(n, format.escape(world.label))
                end
            end
        end
    end
    local choice = #parts > 1 and '<form id="choice" hidden><label>Show the run with <select>'
        .. table.concat(options) .. "</select></label></form>\n" or ""
    local note = left_out > 0 and html.paragraph(("Figures over time of %d more runs are left out, to keep this page "
        .. "small; their numbers are in the tables, and all of it is in the files of --csv and --json."):format(
        left_out), "note") or ""
    return choice, table.concat(parts) .. note
end

local SECTIONS = { { "verdicts", "Assertions" }, { "numbers", "Numbers" }, { "waiting", "Waiting" },
    { "offers", "Offers" }, { "time", "Over time" }, { "fairness", "Fairness" }, { "agents", "Agents" },
    { "tasks", "Tasks" }, { "longest", "Longest waits" }, { "callbacks", "Callbacks" }, { "faults", "Faults" },
    { "skipped", "Skipped rows" }, { "log", "Log" } }

local function navigation(body)
    local parts = {}
    for _, section in ipairs(SECTIONS) do
        if body:find(('<section id="%s">'):format(section[1]), 1, true) then
            parts[#parts + 1] = ('<a href="#%s">%s</a>'):format(section[1], section[2])
        end
    end
    return #parts > 1 and '<nav aria-label="Sections">' .. table.concat(parts, "\n") .. "</nav>\n" or ""
end

local function title_of(policies)
    local names = {}
    for i, policy in ipairs(policies) do
        names[i] = policy.name
    end
    return #names > 0 and table.concat(names, " against ") or "no runs"
end

local function data_of(page)
    local parts, names = {}, {}
    for i, id in ipairs(page.ids) do
        parts[i] = ("%s:%s"):format(encode(id), page.data[id])
    end
    for i, policy in ipairs(page.all.policies) do
        names[i] = policy.name
    end
    return ('{"figures":{%s},"policies":%s}'):format(table.concat(parts, ",\n"), #names > 0 and encode(names) or "[]")
end

local function body_of(page, document)
    local all = page.all
    local sets = {}
    for n = 1, math.min(#all.sets, SETS_MOST) do
        sets[n] = set_part(page, n, document)
        page.size = page.size + #sets[n]
    end
    local choice, worlds = worlds_part(page)
    return html.section(2, "Assertions", notes.verdicts(document.assertions, all), "verdicts")
        .. html.section(2, "Sets of parameters", facts.sweep(all), "sweep")
        .. choice .. table.concat(sets) .. worlds
        .. (#document.results == 0 and html.paragraph("There is no result: nothing was run.", "empty") or "")
end

-- The page of a document (README.md), as text.
---@param document table
---@return string
function M.html(document)
    local texts = require("sim.report.texts")
    local page = { all = cases.of(document.results), data = {}, ids = {}, size = 0 }
    local body = body_of(page, document)
    local title = title_of(page.all.policies)
    local heading = {}
    for i, policy in ipairs(page.all.policies) do
        heading[i] = html.policy(policy, page.all.policies)
    end
    local values = {
        title = format.escape(title), style = texts.style, chart = texts.chart, script = texts.script,
        style_hash = texts.style_hash, chart_hash = texts.chart_hash, script_hash = texts.script_hash,
        heading = #heading > 0 and table.concat(heading, " <span>against</span> ") or "No runs",
        head = notes.head(document, page.all), problems = notes.problems(page.all), navigation = navigation(body),
        body = body, data = data_of(page), licence = texts.licence,
    }
    return (texts.page:gsub("{{([%w_]+)}}", values))
end

return M
