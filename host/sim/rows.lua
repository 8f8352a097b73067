-- SPDX-License-Identifier: Apache-2.0
--
-- Rows of a workload, each a job: what each field may be, and sources of rows that were read from a file: in the order
-- of time, scaled, cut off after so many. README.md says what a row has.

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

local function is_count(value)
    return value >= 0 and value < 1e6 and value % 1 == 0
end

local AMOUNT <const> = "a number of 0 or more"

-- Of numbers: the test, in words, and how a text is read.
local NUMBERS = {
    at = { is_amount, "at least 0 " .. M.DURATION, M.seconds },
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
    if not (row.id and row.at and row.cpus and row.mem and (row.duration or lasts)) or not is_plainly_right(row) then
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

-- ---- what was left out ----

local reasons = setmetatable({}, { __mode = "k" }) -- of each list: reason -> entry

-- Counts a row, or so many, that are left out in the list `skipped`, for a reason, with the first as an example.
function M.skip(skipped, reason, example, count)
    local known = reasons[skipped] or {}
    reasons[skipped] = known
    local entry = known[reason]
    if not entry then
        entry = { reason = reason, count = 0, example = example }
        skipped[#skipped + 1] = entry
        known[reason] = entry
    end
    entry.count = entry.count + (count or 1)
end

-- ---- sources ----

local function is_positive(value)
    return type(value) == "number" and value > 0 and value < math.huge
end

-- The options that all files have: name -> what is expected, and the test.
M.OPTIONS = {
    limit = { "a whole number of rows, at least 1", function(value)
        return math.type(value) == "integer" and value > 0
    end },
    scale = { "a number above 0 for the times, or a table such as { at = 0.5, cpus = 64 }", function(value)
        if type(value) ~= "table" then
            return is_positive(value)
        end
        for name, factor in pairs(value) do
            if not (NUMBERS[name] and is_positive(factor)) then
                return false
            end
        end
        return true
    end },
    sort = { "true or false", function(value) return type(value) == "boolean" end },
    partial = { "true or false", function(value) return type(value) == "boolean" end },
    origin = { "the time that becomes 0: a number of seconds, or \"first\"", function(value)
        return value == "first" or type(value) == "number" and value == value
    end },
    defaults = { "a table of fields that rows may lack, such as { mem = 128 }", function(value)
        return type(value) == "table"
    end },
    columns = { "a table of names in the file to names of fields, or false to leave one out", function(value)
        return type(value) == "table"
    end },
    separator = { "one character", function(value) return type(value) == "string" and #value == 1 end },
}

-- Raises, by raise(path, text), what is wrong with the options of a file.
function M.check_options(options, raise)
    complaint.known(options, M.OPTIONS, "", raise)
    for _, name in ipairs(complaint.sorted(options)) do
        local kind = M.OPTIONS[name]
        if not kind[2](options[name]) then
            raise(name, kind[1] .. " expected, got " .. complaint.shown(options[name]))
        end
    end
end

local Source = {}
Source.__index = Source

-- A source of the rows of an importer, that is a table with
--     path
--     reader             next() -> record, line, offset, or nil, and a text if the file is torn; seek(offset, line)
--     convert(record, source, number, integer) -> row, or nil and a reason to leave the record out
--     order              nil, or a list of the records in the order of time, made by a first pass (readers.order())
--     sort, origin, scale    what holds for this kind of file if the options do not say
-- context: { skipped = list, lasts = has the scenario a `runtime`, label = prefix of ids that are missing }
function M.source(importer, options, context)
    local scale = options.scale or importer.scale
    if type(scale) == "number" then
        scale = { at = scale }
    end
    local source = setmetatable({
        importer = importer, reader = importer.reader, options = options, skipped = context.skipped,
        lasts = context.lasts, label = context.label or "job", left = options.limit or math.maxinteger,
        origin = options.origin or importer.origin or 0, number = 0, latest = 0, latest_line = 0, line = 0,
        scale = scale, scaled = scale and complaint.sorted(scale) or {},
    }, Source)
    local sort = options.sort
    if sort == nil then
        sort = importer.sort
    end
    source.order = importer.order or sort and source:sort() or nil
    return source
end

function Source:__tostring()
    return ("%s:%d"):format(self.importer.path, self.line)
end

-- The record of the file, made a row. Returns nil at the end.
function Source:read()
    local reader, convert = self.reader, self.importer.convert
    while true do
        local record, line, offset = reader:next()
        if record == nil then
            if line then -- what the reader says of a torn end
                M.skip(self.skipped, "the file ends in the middle of it", line)
            end
            return nil
        end
        self.line = line
        local row, reason = convert(record, self)
        if row then
            return row, offset
        end
        M.skip(self.skipped, reason, tostring(self))
    end
end

-- The first pass of two: the times of all rows, and where in the file they are.
function Source:sort()
    local order = require("sim.readers").order()
    local row, offset = self:read()
    while row do
        local at = M.seconds(row.at)
        if not at or at ~= at or math.abs(at) == math.huge then
            check_number(row, "at", row.at, self)
        end
        order:add(at, offset, self.line)
        row, offset = self:read()
    end
    order:sort()
    if self.origin == "first" then
        self.origin = order:least() or 0
    end
    return order
end

-- The next row in the order of time.
function Source:ordered()
    while true do
        local offset, line, number, integer, at = self.order:next()
        if not offset then
            return nil
        end
        self.reader:seek(offset, line)
        self.line, self.at = line, at
        local row, reason = self.importer.convert((self.reader:next()), self, number, integer)
        if row then
            return row
        end
        M.skip(self.skipped, reason, tostring(self))
    end
end

local function complete(self, row)
    local defaults, scale = self.options.defaults, self.scale
    if row.id == nil then
        row.id = ("%s-%d"):format(self.label, self.number)
    end
    if defaults then
        for name, value in next, defaults do
            if row[name] == nil then
                row[name] = type(value) == "table" and fields.copy(value) or value
            end
        end
    end
    local at = M.seconds(row.at)
    if at then
        if self.origin == "first" then
            self.origin = at
        end
        row.at = at - self.origin
    end
    for _, name in ipairs(self.scaled) do
        local value = row[name] and NUMBERS[name][3](row[name])
        row[name] = value and value * scale[name] or row[name]
    end
end

local function check_order(self, row)
    if row.at < self.latest then
        error(("%s: at = %.14g is before %.14g in line %d: rows stand in the order of time. `sort = true` in the " ..
            "options of sim.file() puts them in order, with a first pass over the file"):format(tostring(self), row.at,
            self.latest, self.latest_line), 0)
    end
    self.latest, self.latest_line = row.at, self.line
end

-- The next row, or nil at the end. Raises what is wrong, with file, line and field.
function Source:next()
    if self.left <= 0 then
        return nil
    end
    local row
    if self.order then
        row = self:ordered()
    else
        row = self:read()
    end
    if not row then
        self.left = 0
        return nil
    end
    self.left = self.left - 1
    self.number = self.number + 1
    complete(self, row)
    M.check(row, self, self.lasts)
    check_order(self, row)
    return row
end

return M
