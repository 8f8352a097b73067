-- SPDX-License-Identifier: Apache-2.0
--
-- The two figures about agents: the heat map of how much of their CPUs was in use over time, and which of the first
-- tasks ran where and when.
--
-- A heat map's data is { kind = "heat", rows = labels, cells = list of texts, one character a step (columns.levels) };
-- that of tasks { kind = "tasks", lanes = labels, at = lanes from 0, start =, stop =, state =, names = }.

local columns = require("sim.report.columns")
local figures = require("sim.report.figures")
local format = require("sim.report.format")
local html = require("sim.report.html")

local M = {}

local escape, number = format.escape, format.number
local ROWS_MOST, TASKS_MOST, SPANS, LISTED = 200, 500, 8, 40

local function heading(policies, i, text)
    return (#policies > 1 and policies[i].letter .. " " .. policies[i].name .. ": " or "") .. text
end

local function heat_table(rows, series, last)
    local head, out = { "Agents" }, {}
    for n = 1, SPANS do
        head[n + 1] = "from " .. number(last * (n - 1) / SPANS, "time")
    end
    for i, row in ipairs(rows) do
        out[i] = { escape(row.label, 40) }
        for n = 1, SPANS do
            local from, to = last * (n - 1) / SPANS, last * n / SPANS
            out[i][n + 1] = number(columns.over(row.cpus, series.width, series.count, from, to), "share")
        end
    end
    return html.table { head = head, rows = out }
end

local SCALE = '<p class="scale">CPUs in use: 0 %% <i class="%s"></i> 100 %%. '
    .. "Agents that were not there are blank.</p>\n"

-- The heat map of a policy in a world.
---@return string? html
---@return table? data
function M.heat(id, world, policies, i, marks)
    local result = world.results[i]
    local all, series = result and result.agents and result.agents.rows or {}, result and result.series
    local rows = table.move(all, 1, math.min(#all, ROWS_MOST), 1, {})
    if #rows == 0 or not series or (series.count or 0) == 0 then
        return nil
    end
    local data = { kind = "heat", policy = i, width = series.width, count = series.count, rows = {}, cells = {},
        marks = marks, x = { title = "time since the start", unit = "s", min = 0, max = figures.end_of(world) },
        y = { title = "agents", unit = "row" } }
    for n, row in ipairs(rows) do
        data.rows[n] = format.clean((row.agents or 1) > 1 and ("%s (%d agents)"):format(row.label, row.agents)
            or row.label, 60)
        data.cells[n] = columns.levels(row.cpus, series.count)
    end
    return figures.frame(id, { title = heading(policies, i, "CPUs in use, by agent"), class = "heat",
        legend = SCALE:format(i == 2 and "b" or "a"),
        table = heat_table(rows, series, data.x.max) }), data
end

-- By name, with numbers in it as numbers: agent-2 before agent-10.
local function before(a, b)
    local function key(name)
        return (name:gsub("%d+", function(digits) return ("0"):rep(20 - #digits) .. digits end))
    end
    local x, y = key(a), key(b)
    return x < y or x == y and a < b
end

-- The lane of each task: an agent has as many lanes as tasks of it ran at the same time. Lanes are in order of agents.
local function lanes_of(tasks, last)
    local agents, order = {}, {}
    for i, task in ipairs(tasks) do
        local agent = tostring(task.agent or "")
        if not agents[agent] then
            agents[agent] = { ends = {}, at = {} }
            order[#order + 1] = agent
        end
        local ends, lane = agents[agent].ends, 1
        while ends[lane] and ends[lane] > task.start do
            lane = lane + 1
        end
        ends[lane] = task.stop or last
        table.insert(agents[agent].at, { task = i, lane = lane })
    end
    table.sort(order, before)
    local at, labels = {}, {}
    for _, agent in ipairs(order) do
        for _, place in ipairs(agents[agent].at) do
            at[place.task] = #labels + place.lane - 1
        end
        for lane = 1, #agents[agent].ends do
            labels[#labels + 1] = lane == 1 and format.clean(agent, 40) or ""
        end
    end
    return at, labels
end

local FINISHED, RUNNING, OTHER = 0, 1, 2

local function state_of(task)
    local state = tostring(task.state or "TASK_RUNNING")
    return state:find("FINISHED") and FINISHED or (state:find("RUNNING") or state:find("STAGING")
        or state:find("STARTING")) and RUNNING or OTHER
end

local function short_state(task)
    return (tostring(task.state or "TASK_RUNNING"):gsub("^TASK_", ""):lower())
end

local function tasks_table(tasks)
    local rows = {}
    for i = 1, math.min(#tasks, LISTED) do
        local task = tasks[i]
        rows[i] = { "<code>" .. escape(task.task, 60) .. "</code>", "<code>" .. escape(task.job or "", 60) .. "</code>",
            escape(task.agent or "", 40), escape(task.role or "", 40), number(task.start, "time"),
            number(task.stop, "time"), escape(short_state(task), 40) }
    end
    local shown = #tasks > LISTED and html.paragraph(("The first %d of %d."):format(LISTED, #tasks), "note") or ""
    return html.table { head = { "Task", "Job", "Agent", "Role", "start", "end", "State" }, rows = rows,
        text = { [2] = true, [3] = true, [4] = true, [7] = true } } .. shown
end

-- Where the axis of both policies' tasks ends.
local function end_of_tasks(world)
    local last = 0
    for i = 1, 2 do
        local gantt = world.results[i] and world.results[i].gantt or {}
        for n = 1, math.min(#gantt, TASKS_MOST) do
            last = math.max(last, gantt[n].stop or figures.end_of(world), gantt[n].start)
        end
    end
    return last
end

local LEGEND = '<ul class="legend"><li data-series="0"><i class="box %s"></i> finished</li>'
    .. '<li data-series="1"><i class="box %s running"></i> still running</li>'
    .. '<li data-series="2"><i class="box other"></i> failed, killed or lost</li></ul>\n'

-- The first tasks of a policy in a world: by agent, with a bar from start to end.
---@return string? html
---@return table? data
function M.tasks(id, world, policies, i, marks)
    local result = world.results[i]
    local tasks = table.move(result and result.gantt or {}, 1, TASKS_MOST, 1, {})
    if #tasks == 0 then
        return nil
    end
    table.sort(tasks, function(a, b)
        return a.start < b.start or a.start == b.start and tostring(a.task) < tostring(b.task)
    end)
    local last, starts, stops, states, names = end_of_tasks(world), {}, {}, {}, {}
    for n, task in ipairs(tasks) do
        starts[n], stops[n], states[n] = task.start, task.stop or last, state_of(task)
        names[n] = format.clean(("%s, %s"):format(format.clean(task.task, 40), short_state(task)), 64)
    end
    local at, labels = lanes_of(tasks, last)
    local letter = i == 2 and "b" or "a"
    return figures.frame(id, { title = heading(policies, i, ("the first %s tasks, by agent"):format(
        number(#tasks, "count"))), class = "tasks", legend = LEGEND:format(letter, letter),
        table = tasks_table(tasks) }), {
        kind = "tasks", policy = i, lanes = labels, at = at, start = columns.milliseconds(starts, #tasks),
        stop = columns.milliseconds(stops, #tasks), state = states, names = names, marks = marks,
        x = { title = "time since the start", unit = "s", min = 0, max = last },
        y = { title = "agents", unit = "lane" },
    }
end

return M
