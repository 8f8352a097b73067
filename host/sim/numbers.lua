-- SPDX-License-Identifier: Apache-2.0
--
-- The numbers of a run's summary (README.md): their names, what they are counted in, and which of two is better.
-- Assertions, comparisons, the columns of summary.csv and the table on the terminal come from these rows.
--
-- A name is the way through the summary, with dots: `wait.p95`. Below `roles.`, `users.`, `priorities.` and `sizes.`
-- stand the numbers of one role, user, priority or size class: `roles.batch.wait.p95`, or, if the name has characters
-- that would be misread, `roles["a.b"].wait.p95`. The summary itself may have more than is listed here (calls of a type
-- that is new); what it has is found by flatten().

local M = {}

---@class sim.Number
---@field name string
---@field kind "time"|"share"|"count"|"ratio"|"rate"|"work" seconds, 0 to 1, things, ..., things an hour, cpu seconds
---@field better "less"|"more"|nil nil: neither
---@field headline boolean? it is in the table on the terminal
---@field about string

local ROWS, BY_NAME = {}, {}

local function add(name, kind, better, about, headline)
    local row = { name = name, kind = kind, better = better, about = about, headline = headline or nil }
    ROWS[#ROWS + 1] = row
    BY_NAME[name] = row
end

-- Each of `names`, "mean! p50 ..." (! marks headlines), below `prefix`.
local function add_all(prefix, names, kind, better, about)
    for name, mark in names:gmatch("([%w_]+)(!?)") do
        add(prefix .. name, kind, better, about:format(name), mark == "!")
    end
end

add("wait.count", "count", nil, "jobs whose waiting time is counted")
add_all("wait.", "mean! p50! p95! p99! max!", "time", "less", "waiting time of the jobs: %s")
add("wait.censored", "count", "less", "jobs in `wait` that had not started at the end")
add("slowdown.count", "count", nil, "jobs whose slowdown is counted")
add_all("slowdown.", "mean! p50 p95! p99 max", "ratio", "less", "(waiting time + run time) / run time: %s")
add_all("jobs.", "submitted!", "count", nil, "jobs %s")
add_all("jobs.", "finished!", "count", "more", "jobs %s")
add_all("jobs.", "failed! waiting! refused", "count", "less", "jobs %s")
add_all("jobs.", "running", "count", nil, "jobs %s")
add_all("tasks.", "launched finished", "count", nil, "tasks %s")
add_all("tasks.", "failed! killed lost repeated!", "count", "less", "tasks %s")
add("lost", "count", "less", "tasks lost", true)
add("makespan", "time", "less", "from the first row to the end of the last job", true)
add("throughput", "rate", "more", "finished jobs an hour", true)
add_all("utilisation.", "cpus! mem! disk gpus", "share", "more", "share of all %s in running tasks")
add_all("allocation.", "cpus! mem disk gpus", "share", "more", "share of all %s in running tasks and in offers")
add_all("fragmentation.", "cpus! mem", "share", "less",
    "share of free %s on agents where the median task does not fit")
add("fairness.jain", "share", "more", "Jain's index of the dominant shares of roles with jobs, over time", true)
add("fairness.maxmin", "share", "more", "smallest by largest dominant share of roles with jobs, over time")
add_all("offers.", "made! accepted declined! rescinded", "count", nil, "offers %s")
add_all("offers.held.", "mean! p95 max", "time", nil, "how long offers were held: %s")
for _, call in ipairs { "ACCEPT", "ACCEPT_INVERSE_OFFERS", "ACKNOWLEDGE", "ACKNOWLEDGE_OPERATION_STATUS", "DECLINE",
    "DECLINE_INVERSE_OFFERS", "KILL", "MESSAGE", "RECONCILE", "RECONCILE_OPERATIONS", "REQUEST", "REVIVE", "SHUTDOWN",
    "SUBSCRIBE", "SUPPRESS", "TEARDOWN", "UPDATE_FRAMEWORK" } do
    add("calls." .. call, "count", nil, "calls of the type " .. call)
end
add("updates", "count", nil, "status updates")
add("agents.count", "count", nil, "agents at the start")
add("agents.lost", "count", nil, "agents lost")
add("work.useful", "work", "more", "cpu seconds of tasks that finished")
add("work.wasted", "work", "less", "cpu seconds of tasks that did not", true)
add("events", "count", nil, "jobs submitted, offers made, calls, status updates")
add("duration", "time", nil, "virtual time of the run", true)

-- What the summary has again for each role, user, priority and size class.
local GROUPS = { "roles", "users", "priorities", "sizes" }
local GROUP_ROWS, GROUP_BY_NAME = {}, {}

for _, row in ipairs(ROWS) do
    if row.name:find("^wait%.") or row.name:find("^slowdown%.") or row.name:find("^jobs%.") then
        GROUP_ROWS[#GROUP_ROWS + 1] = row
        GROUP_BY_NAME[row.name] = row
    end
end
local SHARE = { name = "share", kind = "share", about = "mean dominant share; of roles alone" }
GROUP_ROWS[#GROUP_ROWS + 1] = SHARE
GROUP_BY_NAME.share = SHARE

M.rows, M.group_rows, M.groups = ROWS, GROUP_ROWS, GROUPS ---@type sim.Number[], sim.Number[], string[]
M.sizes = { "small", "medium", "large" } ---@type string[]

function M.is_size(name)
    return name == "small" or name == "medium" or name == "large"
end

local IS_GROUP = {}
for _, group in ipairs(GROUPS) do
    IS_GROUP[group] = true
end

-- Is it "roles", "users", "priorities" or "sizes"?
function M.is_group(name)
    return IS_GROUP[name] == true
end

-- The row of a name that is in no group, or nil.
---@return sim.Number?
function M.find(name)
    return BY_NAME[name]
end

-- The row of a number of a group, `wait.p95`, or nil. Only roles have a share.
---@return sim.Number?
function M.find_in_group(group, name)
    local row = GROUP_BY_NAME[name]
    return row ~= SHARE and row or group == "roles" and row or nil
end

-- "roles", "a.b", "wait.p95" as a name: one that is a word stands with dots, any other in brackets.
function M.group_name(group, member, name)
    if member:find("^[%w_*][%w_/*-]*$") then
        return ("%s.%s.%s"):format(group, member, name)
    end
    local quote = member:find('"', 1, true) and "'" or '"'
    return ("%s[%s%s%s].%s"):format(group, quote, member, quote, name)
end

-- The number at a way through the summary, or nil and how far the way led: nil, 2. Calls that were never made are none.
---@param summary table
---@param path string[]
function M.at(summary, path)
    local value = summary
    for i, key in ipairs(path) do
        local inner = type(value) == "table" and value[key] or nil
        if inner == nil and i == 2 and path[1] == "calls" then
            return 0
        elseif inner == nil then
            return nil, i
        end
        value = inner
    end
    if type(value) ~= "number" then
        return nil, #path
    end
    return value
end

-- The way of a name that is in no group; behind what is in `path` already.
---@return string[]
function M.split(name, path)
    path = path or {}
    for key in name:gmatch("[^.]+") do
        path[#path + 1] = key
    end
    return path
end

-- The name of a way.
---@param path string[]
---@return string
function M.name_of(path)
    if IS_GROUP[path[1]] then
        return M.group_name(path[1], path[2], table.concat(path, ".", 3))
    end
    return table.concat(path, ".")
end

-- The number of that name, which is in no group, or nil.
function M.value(summary, name)
    return (M.at(summary, M.split(name)))
end

-- A name as text or, of a priority, as number, to order by.
local function sorted_keys(map)
    local keys = {}
    for key in pairs(map) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        local x, y = tonumber(a), tonumber(b)
        if x and y and x ~= y then
            return x < y
        end
        return tostring(a) < tostring(b)
    end)
    return keys
end
M.sorted_keys = sorted_keys

-- One tree of numbers with what either has.
function M.merge(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then
        return a == nil and b or a
    end
    local merged = {}
    for key, value in pairs(a) do
        merged[key] = value
    end
    for key, value in pairs(b) do
        merged[key] = M.merge(merged[key], value)
    end
    return merged
end

local function collect(map, prefix, out)
    for _, key in ipairs(sorted_keys(map)) do
        local value, name = map[key], prefix .. key
        if type(value) == "table" then
            collect(value, name .. ".", out)
        elseif type(value) == "number" then
            out[name] = value
        end
    end
end

-- All numbers of a summary by name, and the names in order: those of the rows as they are there, then what else there
-- is by name, then the groups.
---@param summary table
---@return table<string, number> values
---@return string[] names
function M.flatten(summary)
    local values, names, plain = {}, {}, {}
    for key, value in pairs(summary) do
        plain[key] = not IS_GROUP[key] and value or nil
    end
    collect(plain, "", values)
    for _, row in ipairs(ROWS) do
        names[#names + 1] = values[row.name] and row.name
    end
    for _, name in ipairs(sorted_keys(values)) do
        names[#names + 1] = not BY_NAME[name] and name or nil
    end
    for _, group in ipairs(GROUPS) do
        for _, member in ipairs(sorted_keys(summary[group] or {})) do
            local found = {}
            collect(summary[group][member], "", found)
            for _, name in ipairs(sorted_keys(found)) do
                local whole = M.group_name(group, tostring(member), name)
                values[whole] = found[name]
                names[#names + 1] = whole
            end
        end
    end
    return values, names
end

-- The row of any name that flatten() gives; of one that is not known, a count.
---@return sim.Number
function M.row_of(name)
    local row = BY_NAME[name]
    if row then
        return row
    end
    local rest, last = name:match("([%w_]+%.[%w_]+)$"), name:match("([%w_]+)$")
    return GROUP_BY_NAME[rest] or GROUP_BY_NAME[last] or { name = name, kind = "count", about = "" }
end

-- ---- as text ----

local UNITS = { time = " s", work = " cpu s", rate = "/h" }

-- With all its digits, for verdicts: "31.25 s".
function M.exact(value, kind)
    return ("%.10g%s"):format(value, UNITS[kind] or "")
end

local STEPS = { { 2 * 86400, 86400, "d" }, { 2 * 3600, 3600, "h" }, { 120, 60, "min" } }

local function three_digits(value)
    return (math.abs(value) >= 1000 and "%.0f" or "%.3g"):format(value)
end

local function time_text(value, like)
    for _, step in ipairs(STEPS) do
        if math.abs(like or value) >= step[1] then
            return ("%.1f %s"):format(value / step[2], step[3])
        end
    end
    if math.abs(like or value) >= 1 or value == 0 then
        return three_digits(value) .. " s"
    end
    return three_digits(value * 1000) .. " ms"
end

-- 1234567 with separators, which are blanks.
local function count_text(value)
    if value ~= math.floor(value) and math.abs(value) < 1000 then
        return ("%.1f"):format(value)
    end
    local text = ("%.0f"):format(value):reverse():gsub("(%d%d%d)", "%1 "):reverse()
    return (text:gsub("^(-?) ", "%1"))
end

local TEXTS = {
    time = time_text,
    share = function(value) return ("%.1f %%"):format(value * 100) end,
    ratio = function(value) return ("%.4g"):format(value) end,
    rate = function(value) return count_text(value) .. "/h" end,
    work = function(value, like) return (time_text(value, like):gsub(" ", " cpu ")) end,
    count = count_text,
}

-- As a person reads it: "5.2 min", "71.3 %", "1 234 567". A time is in the unit that suits `like`, if that is given.
---@param value number
---@param kind string of a sim.Number
---@param like number?
---@return string
function M.text(value, kind, like)
    return TEXTS[kind](value, like)
end

-- The same of a value and how far off it may be: "5.2 +- 0.3 min".
---@param value number
---@param half number
---@param kind string
---@param sign string "+-"
---@return string
function M.text_with(value, half, kind, sign)
    local number, unit = M.text(value, kind):match("^(.-)(%s%a[%a%s]*)$")
    if not number then
        number, unit = M.text(value, kind):match("^(.-)([%s/][h%%])$")
    end
    return ("%s %s %s"):format(number or M.text(value, kind), sign, M.text(half, kind, unit and value or nil))
end

return M

