-- SPDX-License-Identifier: Apache-2.0
--
-- The table instance_events of Google's traces of 2019 (ClusterData2019), as BigQuery exports it: JSON lines, or CSV
-- with a header. Instances of alloc sets are reservations, inside of which others run, and are left out.

local csv = require "sim.import_csv"
local google = require "sim.import_google"
local readers = require "sim.readers"
local row_source = require "sim.row_source"

local M = {}

local KINDS = {
    [0] = "submit", "queue", "enable", "schedule", "evict", "fail", "finish", "kill", "lost", "update", "update",
    SUBMIT = "submit", QUEUE = "queue", ENABLE = "enable", SCHEDULE = "schedule", EVICT = "evict", FAIL = "fail",
    FINISH = "finish", KILL = "kill", LOST = "lost", UPDATE_PENDING = "update", UPDATE_RUNNING = "update",
}
local ALLOC_SETS = { [1] = true, ["1"] = true, ALLOC_SET = true }

-- A field of a message in the record, which CSV has as a column of its own.
local function inner(record, name, field)
    local message = record[name]
    if type(message) == "table" then
        return message[field]
    end
    return record[name .. "." .. field] or record[name .. "_" .. field]
end

local function event_of(skipped)
    return function(record, place)
        local kind = KINDS[tonumber(record.type) or record.type]
        local time = google.number(record.time, "time", place)
        if not (kind and time and record.collection_id and record.instance_index) then
            local unknown = record.type and not kind
            error(("%s: time, type, collection_id and instance_index expected%s"):format(tostring(place),
                unknown and (", and '%s' is no type of an event"):format(tostring(record.type)) or ""), 0)
        elseif ALLOC_SETS[record.collection_type] then
            if kind == "submit" then
                row_source.skip(skipped, "an instance of an alloc set, which is a reservation", tostring(place))
            end
            return nil
        end
        return kind, ("%s-%s"):format(record.collection_id, record.instance_index), time
    end
end

local function row(record, source)
    local cpus = google.number(inner(record, "resource_request", "cpus"), "resource_request.cpus", source)
    local mem = google.number(inner(record, "resource_request", "memory"), "resource_request.memory", source)
    if not (cpus and mem) then
        return nil, "no request"
    end
    return {
        id = ("%s-%s"):format(record.collection_id, record.instance_index), cpus = cpus, mem = mem,
        collection = tostring(record.collection_id), class = record.scheduling_class,
        priority = google.number(record.priority, "priority", source),
    }
end

local function is_json(path)
    local reader = readers.lines(path, true)
    local text = reader:next()
    reader:close()
    return text and text:find("^%s*{") ~= nil
end

local COLUMNS <const> = { "time", "type", "collection_id", "instance_index" }

local function open_csv(path, options)
    local reader = readers.csv(path, options.partial)
    local names, line = csv.header(reader, path)
    local there = {}
    for _, name in ipairs(names) do
        there[name] = true
    end
    for _, name in ipairs(COLUMNS) do
        if not there[name] then
            error(("%s:%d: no column is called '%s', which the table instance_events has"):format(path, line, name), 0)
        end
    end
    reader:names(names)
    return reader
end

function M.open(path, options, context)
    local reader = is_json(path) and readers.json(path, options.partial) or open_csv(path, options)
    return google.open(path, { reader = reader, event = event_of(context.skipped), row = row }, options, context)
end

return M
