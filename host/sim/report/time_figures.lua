-- SPDX-License-Identifier: Apache-2.0
--
-- Which figures over time the page has, a row each: title, the axis and its unit, and the lines, of which `get` takes
-- the values out of the series of a result (host/sim/README.md), or nil if it has none. `sums`: the values are counts
-- in a step, and not means.

local columns = require("sim.report.columns")

local M = {}

local function plain(name)
    return function(series) return series[name] end
end

local function share(name, total)
    return function(series) return columns.ratio(series[name], series[total], series.count) end
end

-- In running tasks and in offers, of all.
local function allocated(name)
    return function(series)
        local sum = columns.sum(series[name .. "_used"], series[name .. "_offered"], series.count)
        return columns.ratio(sum, series[name .. "_total"], series.count)
    end
end

-- True if no line ever differs from its first value.
local function never_changes(list)
    for _, line in ipairs(list) do
        for i = 2, line.count do
            if line.values[i] ~= line.values[1] then
                return false
            end
        end
    end
    return true
end

local function always_zero(list)
    return never_changes(list) and (list[1].values[1] or 0) == 0
end

M.rows = {
    { title = "CPUs", axis = "share of all CPUs", kind = "share", max = 1, lines = {
        { what = "in use", get = share("cpus_used", "cpus_total") },
        { what = "in use or in offers", get = allocated("cpus"), style = "dashed" },
    } },
    { title = "Memory", axis = "share of all memory", kind = "share", max = 1, lines = {
        { what = "in use", get = share("mem_used", "mem_total") },
        { what = "in use or in offers", get = allocated("mem"), style = "dashed" },
    } },
    { title = "Queue", axis = "jobs", kind = "count", lines = { { what = "jobs waiting", get = plain("waiting") } } },
    { title = "Running", axis = "jobs", kind = "count", lines = { { what = "jobs running", get = plain("running") } } },
    { title = "Fragmentation", axis = "share of what is free", kind = "share", max = 1, lines = {
        { what = "CPUs", get = plain("fragmentation_cpus") },
        { what = "memory", get = plain("fragmentation_mem"), style = "dashed" },
    } },
    { title = "Offers and calls", axis = "in a step", kind = "count", sums = true, lines = {
        { what = "offers made", get = plain("offers") }, { what = "calls", get = plain("calls"), style = "dashed" },
    } },
    { title = "Jobs failed", axis = "in a step", kind = "count", sums = true, skip = always_zero, lines = {
        { what = "jobs failed", get = plain("failed") },
    } },
    { title = "Disk in use", axis = "MB", kind = "count", skip = always_zero, lines = {
        { what = "in use", get = plain("disk_used") },
    } },
    { title = "GPUs in use", axis = "GPUs", kind = "count", skip = always_zero, lines = {
        { what = "in use", get = plain("gpus_used") },
    } },
    { title = "Agents", axis = "agents", kind = "count", skip = never_changes, lines = {
        { what = "agents", get = plain("agents") },
    } },
}

-- The figure of a role: its dominant share, and in the table also how many of its jobs waited.
---@param role string
---@param max number of the axis, the same for all roles
function M.role(role, max)
    return { title = "Share of " .. role, axis = "dominant share", kind = "share", max = max, class = "small", lines = {
        { what = "share", get = plain("share:" .. role) },
    } }
end

local ROLES_MOST = 9

-- The roles of a world, those with the largest shares first, and where an axis for all their shares ends.
---@param world sim.report.World
---@return string[] roles
---@return number largest
---@return integer count
function M.roles_of(world)
    local sums, names, largest = {}, {}, 0
    for i = 1, 2 do
        local series = world.results[i] and world.results[i].series or {}
        for name, values in pairs(series) do
            local role = name:match("^share:(.*)$")
            if role and type(values) == "table" then
                if not sums[role] then
                    sums[role], names[#names + 1] = 0, role
                end
                local sum = 0
                for n = 1, series.count do
                    sum = sum + (values[n] or 0)
                    largest = math.max(largest, values[n] or 0)
                end
                sums[role] = math.max(sums[role], sum / series.count)
            end
        end
    end
    table.sort(names, function(a, b)
        return sums[a] > sums[b] or sums[a] == sums[b] and a < b
    end)
    largest = largest > 0 and math.min(1, math.ceil(largest * 20) / 20) or 1
    return table.move(names, 1, ROLES_MOST, 1, {}), largest, #names
end

return M
