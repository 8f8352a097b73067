-- SPDX-License-Identifier: Apache-2.0
--
-- The standard workload format of the Parallel Workloads Archive: 18 numbers in a line, -1 where one is not known, and
-- comments behind ';'. A job is its processors, which become cpus; its memory is that of all of them. Users and groups
-- are numbers, user17 and group3 here, and the queue goes to the row as it is.

local readers = require "sim.readers"
local row_source = require "sim.row_source"

local M = {}

local COLUMNS <const> = 18

-- What the fields are, by their place in the line.
local JOB <const>, SUBMIT <const>, RUN <const>, USED_CPUS <const>, USED_MEM <const> = 1, 2, 4, 5, 7
local CPUS <const>, LIMIT <const>, MEM <const>, STATUS <const>, USER <const>, GROUP <const> = 8, 9, 10, 11, 12, 13
local QUEUE <const> = 15

local MEM_UNKNOWN <const> = 1024 -- MB for each processor, if neither the file nor `defaults` says it

local PATTERN = "^" .. ("(%S+)%s+"):rep(COLUMNS - 1) .. "(%S+)%s*$"

-- The words of a line, 18 or fewer or more.
local function words_of(line)
    local list = { line:match(PATTERN) }
    if #list == 0 then
        for word in line:gmatch("%S+") do
            list[#list + 1] = word
        end
    end
    return list
end

-- Makes numbers of them.
local function numbers_of(list, source)
    for i = 1, #list do
        local number = tonumber(list[i])
        if not number then
            error(("%s: field %d: a number expected, got '%s'"):format(tostring(source), i, list[i]), 0)
        end
        list[i] = number
    end
    return list
end

local function known(number)
    return number and number >= 0 and number or nil
end

local function named(prefix, number)
    return known(number) and ("%s%d"):format(prefix, number) or nil
end

local function job_of(list, source, options)
    local cpus, run = known(list[CPUS]) or known(list[USED_CPUS]), known(list[RUN])
    if not run then
        return nil, "no run time"
    elseif not cpus or cpus == 0 then
        return nil, "no processors"
    end
    local mem = known(list[MEM]) or known(list[USED_MEM]) -- KB for each processor
    if not mem and not (options.defaults and options.defaults.mem) then
        row_source.skip(source.skipped, ("no memory is given, taken as %d MB for each processor: not left out"):format(
            MEM_UNKNOWN), tostring(source))
        mem = MEM_UNKNOWN * 1024
    end
    return {
        id = ("%d"):format(list[JOB]), at = list[SUBMIT], duration = run, cpus = cpus,
        mem = mem and mem * cpus / 1024, user = named("user", list[USER]), group = named("group", list[GROUP]),
        queue = known(list[QUEUE]), limit = known(list[LIMIT]), status = known(list[STATUS]),
    }
end

-- The records of the lines that are no comments.
local Records = {}
Records.__index = Records

function Records:next()
    while true do
        local text, line, offset, complete = self.lines:next()
        if not text then
            return nil, line
        end
        local data = text:match("^%s*([^;]*)")
        if data:find("%S") then
            return { data, complete }, line, offset
        end
    end
end

function Records:seek(offset, line)
    self.lines:seek(offset, line)
end

function M.open(path, options)
    local lines = readers.lines(path, options.partial)
    local function convert(record, source)
        local list = numbers_of(words_of(record[1]), source)
        if #list == COLUMNS then
            return job_of(list, source, options)
        elseif not record[2] and options.partial then
            return nil, "the file ends in the middle of this line"
        end
        local torn = not record[2] and "the file ends in the middle of this line (`partial = true` leaves it out): "
        error(("%s: %s%d fields, and there are %d in the standard workload format"):format(tostring(source),
            torn or "", #list, COLUMNS), 0)
    end
    return { path = path, reader = setmetatable({ lines = lines }, Records), convert = convert }
end

return M
