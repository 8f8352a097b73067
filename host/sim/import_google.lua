-- SPDX-License-Identifier: Apache-2.0
--
-- The two traces of Google's clusters are events of tasks; this makes rows of them. A first pass over the file keeps
-- the tasks that are open, and of those that have ended 32 bytes: when and where they were submitted, and how long they
-- ran.
--
-- A row is a task from SUBMIT until FINISH, FAIL or KILL, and lasts from the last SCHEDULE until then. What an EVICT or
-- LOST has ended was for nothing and is not counted: the task waits again, and the row begins with its first SUBMIT. A
-- task that is submitted again after its end is another row; so the id is job, index and the line of the SUBMIT. What
-- was there before the trace (time 0) begins with it. Times are microseconds; requests are shares of the largest
-- machine, of which `scale` says what it had.

local readers = require "sim.readers"
local row_source = require "sim.row_source"

local M = {}

-- An assumption: the traces do not tell what the largest machine had.
M.SCALE = { cpus = 32, mem = 131072, disk = 1048576 }

local AFTER <const> = 9.2e18 -- "after the end of the trace", 2^63 - 1

local ENDS = { finish = 0, fail = 1, kill = 2 }
local OUTCOMES = { [0] = "finished", "failed", "killed" }

local Pass = {}
Pass.__index = Pass

function Pass:submit(key, time, line, offset)
    if not self.at[key] then
        self.at[key], self.line[key], self.offset[key] = time, line, offset
    end
end

function Pass:schedule(key, time)
    self.start[key] = self.at[key] and time
end

function Pass:wait_again(key)
    self.start[key] = nil
end

function Pass:forget(key)
    self.at[key], self.line[key], self.offset[key], self.start[key] = nil, nil, nil, nil
end

function Pass:finish(key, time, outcome, place)
    local at, start = self.at[key], self.start[key]
    if not at then
        row_source.skip(self.skipped, "a task ended that was not submitted in this file", place)
    elseif not start then
        row_source.skip(self.skipped, "ended before it was scheduled", place)
    elseif time >= AFTER then
        row_source.skip(self.skipped, "had not ended at the end of the trace", place)
    else
        local first = self.first or time
        local lasted = time - (start > first and start or first)
        self.order:add((at > first and at or first) / 1e6, self.offset[key], self.line[key], lasted / 1e6, outcome)
    end
    self:forget(key)
end

-- Takes an event in. Times are numbers of microseconds.
function Pass:event(kind, key, time, line, offset)
    if time > 0 and time < AFTER and not self.first then
        self.first = time
    end
    if kind == "submit" then
        self:submit(key, time, line, offset)
    elseif kind == "schedule" then
        self:schedule(key, time)
    elseif kind == "evict" or kind == "lost" then
        self:wait_again(key)
    elseif ENDS[kind] then
        self:finish(key, time, ENDS[kind], ("%s:%d"):format(self.path, line))
    end
end

-- Counts the tasks that are open at the end of the file.
function Pass:close()
    local ran, waited = { "had not ended at the end of the trace" }, { "was not scheduled in the trace" }
    for key, line in pairs(self.line) do -- in any order
        local group = self.start[key] and ran or waited
        group.count, group.line = (group.count or 0) + 1, math.min(line, group.line or line)
    end
    for _, group in ipairs { ran, waited } do
        if group.count then
            row_source.skip(self.skipped, group[1], ("%s:%d"):format(self.path, group.line), group.count)
        end
    end
    self.order:sort()
end

-- Goes through the file once. format: { reader =, event(record, place) -> kind, key, time; kind nil: of no interest }
local function first_pass(path, format, options, skipped)
    local pass = setmetatable({
        path = path, at = {}, line = {}, offset = {}, start = {}, skipped = skipped, order = readers.order(),
    }, Pass)
    local place = setmetatable({ line = 0 }, { __tostring = function(self)
        return ("%s:%d"):format(path, self.line)
    end })
    while true do
        local record, line, offset = format.reader:next()
        if not record then
            if line then
                row_source.skip(skipped, "the file ends in the middle of it", line)
            end
            break
        end
        place.line = line
        local kind, key, time = format.event(record, place)
        if kind then
            pass:event(kind, key, time, line, offset)
        end
    end
    pass:close()
    return pass
end

-- The importer of a file. format.row(record) -> the fields of a row that a SUBMIT has.
function M.open(path, format, options, context)
    local pass = first_pass(path, format, options, context.skipped)
    if format.second then
        format.second()
    end
    local function convert(record, source, lasted, outcome)
        local row, reason = format.row(record, source)
        if not row then
            return nil, reason
        end
        row.id = ("%s-%d"):format(row.id, source.line)
        row.duration, row.outcome = lasted, OUTCOMES[outcome]
        row.at = source.at
        return row
    end
    return {
        path = path, reader = format.reader, convert = convert, order = pass.order, origin = (pass.first or 0) / 1e6,
        scale = M.SCALE,
    }
end

-- A number of a record, or nil. Raises what is none.
function M.number(value, name, place)
    if value == nil or value == "" then
        return nil
    end
    local number = tonumber(value)
    if not number then
        error(("%s: %s: a number expected, got '%s'"):format(tostring(place), name, tostring(value)), 0)
    end
    return number
end

return M
