-- SPDX-License-Identifier: Apache-2.0
--
-- Rows of a workload, each a job: what each field may be. README.md says what a row has.

local complaint = require "sim.complaint"
local fields = require "mesos.fields"

local M = {}

-- ---- durations ----

local UNITS = { ms = 0.001, s = 1, m = 60, min = 60, h = 3600, d = 86400, w = 604800 }

-- The seconds of a number, or of a text such as "90s", "2h", "1h30m", "250ms"; nil if it is neither.
function M.seconds(value)
    if type(value) == "number" then
        return value
    elseif type(value) ~= "string" then
        return nil
    elseif tonumber(value) then
        return tonumber(value)
    end
    local sum, at = 0, 1
    while at <= #value do
        local number, unit, after = value:match("^([%d.]+)%s*(%a+)%s*()", at)
        if not (tonumber(number) and UNITS[unit]) then
            return nil
        end
        sum, at = sum + tonumber(number) * UNITS[unit], after
    end
    return at > 1 and sum or nil
end

M.DURATION = "seconds as a number, or a text such as \"90s\", \"2h\", \"30d\""

-- ---- the fields of a row ----

local TEXT_MOST <const> = 255

local function is_amount(value)
    return value >= 0 and value < math.huge
end

-- So is the longest --duration: time without end is a mistake of units.
local TIME_MOST <const> = 36500 * 86400 -- seconds

local function is_time(value)
    return value >= 0 and value <= TIME_MOST
end

local function is_count(value)
    return value >= 0 and value < 1e6 and value % 1 == 0
end

local AMOUNT <const> = "a number of 0 or more"

-- Of numbers: the test, in words, and how a text is read.
local NUMBERS = {
    at = { is_time, "from 0 to 36500 days, " .. M.DURATION, M.seconds },
    cpus = { is_amount, AMOUNT, tonumber },
    mem = { is_amount, AMOUNT .. " (MB)", tonumber },
    disk = { is_amount, AMOUNT .. " (MB)", tonumber },
    duration = { is_amount, "at least 0 " .. M.DURATION, M.seconds },
    gpus = { is_count, "a whole number of 0 or more: Mesos does not divide a GPU", tonumber },
    ports = { is_count, "how many, a whole number of 0 or more", tonumber },
    priority = { function(value) return value == value and math.abs(value) < math.huge end, "a number", tonumber },
    tasks = {
        function(value) return is_count(value) and value >= 1 end, "a whole number of tasks, at least 1", tonumber,
    },
}
local TEXTS = { id = true, role = true, user = true, name = true, command = true }
local KNOWN = { attributes = true }
local ORDER = complaint.sorted(NUMBERS)
for name in pairs(NUMBERS) do
    KNOWN[name] = true
end
for name in pairs(TEXTS) do
    KNOWN[name] = true
end

-- The fields that a row can have beside those that only the policy knows.
M.KNOWN = KNOWN

-- Raises what is wrong at `where`, a text or what tostring() makes one.
local function fail(where, format, ...)
    error(("%s: %s"):format(tostring(where), format:format(...)), 0)
end

local function check_number(row, name, value, where)
    local kind = NUMBERS[name]
    local number = type(value) == "number" and value or type(value) == "string" and kind[3](value)
    if not number or not kind[1](number) then
        fail(where, "%s: %s expected, got %s", name, kind[2], complaint.shown(value))
    end
    row[name] = number
end

local function check_text(row, name, value, where)
    if math.type(value) == "integer" then
        value = tostring(value)
        row[name] = value
    end
    if type(value) ~= "string" or value == "" or #value > TEXT_MOST or value:find("%c") then
        fail(where, "%s: a text of 1 to %d bytes without control characters expected, got %s", name, TEXT_MOST,
            complaint.shown(value))
    end
end

local DEEPEST <const> = 20

local function check_plain(value, path, where, depth)
    local kind = type(value)
    if kind == "table" then
        if depth > DEEPEST then
            fail(where, "%s: tables lie more than %d deep in one another", path, DEEPEST)
        end
        for key, field in pairs(value) do
            local name = type(key) == "string" and path .. "." .. key or ("%s[%s]"):format(path, tostring(key))
            check_plain(key, name, where, depth + 1)
            check_plain(field, name, where, depth + 1)
        end
    elseif kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
        fail(where, "%s: plain data expected (numbers, texts, true, false and tables of them), got a %s", path, kind)
    end
end

local function fail_missing(row, name, where)
    local others = {}
    for key in pairs(row) do
        if not KNOWN[key] then
            others[key] = true
        end
    end
    local near = fields.nearest(name, others)
    local hint = near and type(where) == "table" and (" (`columns = { %s = \"%s\" }` in the options of sim.file() " ..
        "renames '%s')"):format(near, name, near)
        or near and (" ('%s' is there: did you mean '%s'?)"):format(near, name) or ""
    fail(where, "%s is missing%s: a row has id, at, cpus, mem and duration", name, hint)
end

-- Raises unless the row has a time.
function M.check_time(row, where)
    check_number(row, "at", row.at, where)
end

-- Raises what is wrong with a row, the first field in order, and makes numbers of texts.
local function check_closely(row, where, lasts)
    for i = 1, #ORDER do
        local name = ORDER[i]
        local value = row[name]
        if value ~= nil then
            check_number(row, name, value, where)
        end
    end
    for name, value in next, row do
        if TEXTS[name] then
            check_text(row, name, value, where)
        elseif name == "attributes" and type(value) ~= "table" then
            fail(where, "attributes: a table expected, got %s", complaint.shown(value))
        elseif type(name) ~= "string" then
            fail(where, "[%s]: the fields of a row have names", tostring(name))
        elseif type(value) ~= "string" and type(value) ~= "number" then
            check_plain(value, name, where, 0)
        end
    end
    if not (row.id and row.at and row.cpus and row.mem and (row.duration or lasts)) then
        for _, name in ipairs { "id", "at", "cpus", "mem", "duration" } do
            if row[name] == nil and not (lasts and name == "duration") then
                fail_missing(row, name, where)
            end
        end
    end
end

local AN_AMOUNT <const>, A_COUNT <const>, A_TEXT <const>, OTHER <const> = 1, 2, 3, 4

local KINDS = {
    at = AN_AMOUNT, cpus = AN_AMOUNT, mem = AN_AMOUNT, disk = AN_AMOUNT, duration = AN_AMOUNT, gpus = A_COUNT,
    ports = A_COUNT, id = A_TEXT, role = A_TEXT, user = A_TEXT, name = A_TEXT, command = A_TEXT, priority = OTHER,
    tasks = OTHER, attributes = OTHER,
}

-- Is that a field for a number?
function M.is_number(name)
    return NUMBERS[name] ~= nil
end

-- A value for a field, as a number if it is the text of one and the field is for numbers.
function M.read(name, value)
    local kind = NUMBERS[name]
    return kind and type(value) == "string" and kind[3](value) or value
end

-- Is that a field for a number of 0 or more?
function M.is_amount(name)
    return KINDS[name] == AN_AMOUNT
end

-- Is the row as it should be, seen in one go? If not, it may still be right.
local function is_plainly_right(row)
    for name, value in next, row do
        local kind, is = KINDS[name], type(value)
        if kind == AN_AMOUNT then
            if is ~= "number" or not (value >= 0 and value < math.huge) then
                return false
            end
        elseif kind == A_TEXT then
            if is ~= "string" or value == "" or #value > TEXT_MOST or value:find("%c") then
                return false
            end
        elseif kind == A_COUNT and not (is == "number" and is_count(value)) or kind == OTHER then
            return false
        elseif is ~= "string" and is ~= "number" or type(name) ~= "string" then
            return false
        end
    end
    return true
end

-- Looks at a row, by the names of its fields, and makes numbers of texts that are numbers. Raises what is wrong, with
-- `where` in front. Without a duration if `lasts` is given: then the scenario's `runtime` says how long tasks last.
-- Whether an id comes twice is for the books to see.
function M.check(row, where, lasts)
    if not (row.id and row.at and row.cpus and row.mem and (row.duration or lasts)) or not is_plainly_right(row)
        or row.at > TIME_MOST then
        check_closely(row, where, lasts)
    end
    return row
end

-- A function that makes numbers of the texts of these columns, where they are numbers.
function M.reading(names)
    local list = {}
    for _, name in ipairs(names) do
        list[#list + 1] = NUMBERS[name] and name
    end
    return function(row)
        for i = 1, #list do
            local name = list[i]
            local text = row[name]
            row[name] = text and (tonumber(text) or M.read(name, text))
        end
        return row
    end
end

return M
