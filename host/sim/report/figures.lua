-- SPDX-License-Identifier: Apache-2.0
--
-- The figures of the page: for each, what page.js draws with the library, as plain data, and the HTML around it, with a
-- title, a legend and a table of the same numbers, which is all that is there without JavaScript.
--
-- A figure's data is { kind = "line", x = axis, y = axis, series = list, marks = faults }; an axis is { title =,
-- unit =, min =, max =, log = }, a series { name =, policy = 1|2, style = "solid"|"dashed"|"faint", x =, y = } with
-- columns as columns.lua packs them, or x = { width =, count = } for steps of equal width. Quantiles have no y: they
-- are at equal distances from 0 to 1.

local cases = require("sim.report.cases")
local columns = require("sim.report.columns")
local format = require("sim.report.format")
local html = require("sim.report.html")

local M = {}

local escape, number = format.escape, format.number
local SPANS, QUANTILES = 16, { 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1 }
local FAINT_MOST = 5 -- seeds of which the curve is drawn by itself

local function legend(series)
    local parts = {}
    for i, one in ipairs(series) do
        if one.style ~= "faint" then
            parts[#parts + 1] = ('<li data-series="%d"><i class="line %s %s"></i> %s</li>'):format(i - 1,
                one.policy == 2 and "b" or "a", one.style, escape(one.name, 100))
        end
    end
    parts[#parts + 1] = series[1].style == "faint" and "<li>faint: single seeds</li>" or nil
    return '<ul class="legend">' .. table.concat(parts) .. "</ul>\n"
end

-- The HTML of a figure. `parts` has the title, as text, and legend and table, as HTML.
function M.frame(id, parts)
    local class = parts.class and (' class="%s"'):format(parts.class) or ""
    return ('<figure id="%s"%s>\n<figcaption><h3>%s</h3>%s</figcaption>\n'
        .. '<div class="plot"><canvas></canvas></div>\n%s</figure>\n'):format(id, class, escape(parts.title, 120),
        parts.legend, html.details("Numbers", parts.table))
end

local function name_of(policies, i, what)
    local name = #policies > 1 and policies[i].letter .. " " .. policies[i].name or ""
    return name .. (what and (name ~= "" and ", " .. what or what) or name == "" and policies[i].name or "")
end

-- ---- the distribution of waiting times ----

-- The means of quantiles over results, and their count.
local function mean_waits(list)
    local mean = {}
    for i = 1, #(list[1] or {}) do
        local sum, count = 0, 0
        for _, waits in ipairs(list) do
            if waits[i] then
                sum, count = sum + waits[i], count + 1
            end
        end
        mean[i] = sum / count
    end
    return mean
end

local function wait_lists(results, get)
    local list = {}
    for _, result in ipairs(results) do
        local waits = get(result)
        list[#list + 1] = waits and #waits > 1 and waits or nil
    end
    return list
end

local function quantile(waits, q)
    return waits[math.floor(q * (#waits - 1) + 0.5) + 1]
end

local function wait_axis(means)
    local largest, median = 0, nil
    for _, waits in pairs(means) do
        largest = math.max(largest, waits[#waits])
        local middle = quantile(waits, 0.5)
        median = math.min(median or middle, middle)
    end
    local log = median and largest > 60 * math.max(median, 0.05) and largest > 10
    local axis = { title = "waiting time" .. (log and ", logarithmic" or ""), unit = "s",
        max = largest > 0 and largest or 1 }
    axis.log = log or nil
    axis.min = log and 10 ^ math.max(-2, math.floor(math.log(largest / 1e5, 10))) or 0
    return axis
end

local function wait_series(policies, lists, means)
    local series = {}
    for i in ipairs(policies) do
        for n = 1, #lists[i] > 1 and math.min(#lists[i], FAINT_MOST) or 0 do
            series[#series + 1] = { name = name_of(policies, i, "one seed"), policy = i, style = "faint",
                x = columns.milliseconds(lists[i][n], #lists[i][n]), quantiles = true }
        end
    end
    for i in ipairs(policies) do
        if means[i] then
            series[#series + 1] = { name = name_of(policies, i, #lists[i] > 1 and "mean of the seeds" or nil),
                policy = i, style = "solid", x = columns.milliseconds(means[i], #means[i]), quantiles = true }
        end
    end
    return series
end

local function wait_table(policies, means)
    local head, rows = { "Share of the jobs" }, {}
    for i, policy in ipairs(policies) do
        head[i + 1] = #policies > 1 and html.letter(policy) .. " waited at most" or "waited at most"
    end
    for n, q in ipairs(QUANTILES) do
        rows[n] = { number(q, "share") }
        for i in ipairs(policies) do
            rows[n][i + 1] = number(means[i] and quantile(means[i], q), "time")
        end
    end
    return html.table { head = head, rows = rows }
end

-- How long jobs waited: the share of the jobs by waiting time. `get` takes the quantiles out of a result.
---@return string? html
---@return table? data
function M.waits(id, title, set, policies, get, class)
    local lists, means = {}, {}
    for i in ipairs(policies) do
        lists[i] = wait_lists(set.results[i], get)
        means[i] = #lists[i] > 0 and mean_waits(lists[i]) or nil
    end
    if not next(means) then
        return nil
    end
    local series = wait_series(policies, lists, means)
    local parts = { title = title, legend = legend(series), table = wait_table(policies, means), class = class }
    return M.frame(id, parts), {
        kind = "line", series = series, x = wait_axis(means),
        y = { title = "share of the jobs", unit = "share", min = 0, max = 1 },
    }
end

-- ---- over time ----

-- The end of a world's time: of the longest run in it.
function M.end_of(world)
    local last = 0
    for i = 1, 2 do
        local series = world.results[i] and world.results[i].series
        last = math.max(last, series and (series.width or 0) * (series.count or 0) or 0,
            cases.value(world.results[i], "summary.duration") or 0)
    end
    return last
end

-- The columns of a figure: { policy =, what =, values =, series =, style = } for each line of each policy.
local function time_columns(world, policies, lines)
    local list = {}
    for i in ipairs(policies) do
        local series = world.results[i] and world.results[i].series
        for _, line in ipairs(series and (series.count or 0) > 0 and lines or {}) do
            local values = line.get(series)
            if values then
                list[#list + 1] = { policy = i, what = line.what, values = values, width = series.width,
                    count = series.count, style = line.style or "solid" }
            end
        end
    end
    return list
end

local function time_table(list, policies, last, kind, sums)
    local head, rows = { "From" }, {}
    for i, column in ipairs(list) do
        head[i + 1] = (#policies > 1 and html.letter(policies[column.policy]) .. " " or "") .. escape(column.what)
    end
    for n = 1, last > 0 and SPANS or 0 do
        local from, to = last * (n - 1) / SPANS, last * n / SPANS
        rows[n] = { number(from, "time") }
        for i, column in ipairs(list) do
            local value = columns.over(column.values, column.width, column.count, from, to, sums)
            rows[n][i + 1] = number(value and sums and tonumber(("%.0f"):format(value)) or value, kind)
        end
    end
    return html.table { head = head, rows = rows }
end

-- A figure over time; nil if no result has any of its columns. `figure` is a row of time_figures.lua.
---@return string? html
---@return table? data
function M.time(id, figure, world, policies, marks)
    local list = time_columns(world, policies, figure.lines)
    if #list == 0 or figure.skip and figure.skip(list) then
        return nil
    end
    local last, series, largest = M.end_of(world), {}, 0
    for i, column in ipairs(list) do
        local packed = columns.packed(column.values, column.count)
        local what = (#figure.lines > 1 or #policies == 1) and column.what or nil
        series[i] = { name = name_of(policies, column.policy, what), policy = column.policy, style = column.style,
            y = packed, x = { width = column.width, count = column.count } }
        for n = 1, column.count do
            largest = math.max(largest, column.values[n] or 0)
        end
    end
    local y = { title = figure.axis, unit = figure.kind, min = 0, max = figure.max or nil }
    if figure.kind == "count" and largest < 5 then
        y.max = 5
    end
    return M.frame(id, { title = figure.title, legend = legend(series), class = figure.class,
        table = time_table(list, policies, last, figure.kind, figure.sums) }), {
        kind = "line", time = true, series = series, y = y, marks = marks,
        x = { title = "time since the start", unit = "s", min = 0, max = last },
    }
end

return M
