-- SPDX-License-Identifier: Apache-2.0
--
-- Sources of rows that are read from a file: in the order of time, with what the options of sim.file() ask for. How the
-- records of the file become rows is for the importers (import_*.lua).

local complaint = require "sim.complaint"
local fields = require "mesos.fields"
local rows = require "sim.rows"

local M = {}

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
            if not (rows.is_number(name) and is_positive(factor)) then
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

-- The factors of fields; what the options do not name is as the kind of file has it.
local function scale_of(importer, options)
    local scale = {}
    for name, factor in pairs(importer.scale or {}) do
        scale[name] = factor
    end
    local given = type(options.scale) == "number" and { at = options.scale } or options.scale or {}
    for name, factor in pairs(given) do
        scale[name] = factor
    end
    return scale
end

-- A source of the rows of an importer, that is a table with
--     path
--     reader             next() -> record, line, offset, or nil, and a text if the file is torn; seek(offset, line)
--     convert(record, source, number, integer) -> row, or nil and a reason to leave the record out
--     order              nil, or a list of the records in the order of time, made by a first pass (readers.order())
--     sort, origin, scale    what holds for this kind of file if the options do not say
-- context: { skipped = list, lasts = has the scenario a `runtime`, label = prefix of ids that are missing }
function M.open(importer, options, context)
    local scale = scale_of(importer, options)
    local source = setmetatable({
        importer = importer, reader = importer.reader, options = options, skipped = context.skipped,
        lasts = context.lasts, label = context.label or "job", left = options.limit or math.maxinteger,
        origin = options.origin or importer.origin or 0, number = 0, latest = 0, latest_line = 0, line = 0,
        scale = scale, scaled = complaint.sorted(scale),
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
        local at = rows.seconds(row.at)
        if not at or at ~= at or math.abs(at) == math.huge then
            rows.check_time(row, self)
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
    local at = rows.seconds(row.at)
    if at then
        if self.origin == "first" then
            self.origin = at
        end
        row.at = at - self.origin
    end
    for _, name in ipairs(self.scaled) do
        local value = rows.read(name, row[name])
        row[name] = type(value) == "number" and value * scale[name] or value
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
    rows.check(row, self, self.lasts)
    check_order(self, row)
    return row
end

return M
