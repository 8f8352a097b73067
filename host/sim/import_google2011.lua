-- SPDX-License-Identifier: Apache-2.0
--
-- The table task_events of Google's trace of 2011 (ClusterData2011_2): CSV without a header, 13 columns. Its parts are
-- one file if they are put behind each other.

local google = require "sim.import_google"
local readers = require "sim.readers"

local M = {}

local KINDS = { [0] = "submit", "schedule", "evict", "fail", "finish", "kill", "lost" } -- 7 and 8: changed requests

-- The columns that each pass reads, of time, missing info, job, index, machine, type, user, class, priority, cpus,
-- memory, disk, another machine.
local FIRST = { "time", false, "job", "index", false, "type", false, false, false, false, false, false, false }
local SECOND = {
    "time", false, "job", "index", false, false, "user", "class", "priority", "cpus", "mem", "disk", "anti_affinity",
}

local function event(record, place)
    local kind = google.number(record.type, "event type", place)
    local time = google.number(record.time, "time", place)
    if not (kind and time and record.job and record.index) then
        error(("%s: time, job, task index and event type expected"):format(tostring(place)), 0)
    end
    return KINDS[kind], record.job .. "-" .. record.index, time
end

local function row(record, source)
    local cpus = google.number(record.cpus, "cpu request", source)
    local mem = google.number(record.mem, "memory request", source)
    if not (cpus and mem) then
        return nil, "no request"
    end
    return {
        id = record.job .. "-" .. record.index, cpus = cpus, mem = mem, collection = record.job,
        disk = google.number(record.disk, "disk request", source), user = record.user,
        priority = google.number(record.priority, "priority", source), class = record.class,
        anti_affinity = record.anti_affinity == "1" or nil,
    }
end

function M.open(path, options, context)
    local reader = readers.csv(path, options.partial)
    reader:names(FIRST)
    return google.open(path, {
        reader = reader, event = event, row = row, second = function() reader:names(SECOND) end,
    }, options, context)
end

return M
