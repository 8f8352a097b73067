-- SPDX-License-Identifier: Apache-2.0
--
-- Alibaba's trace openb (cluster-trace-gpu-v2023): a CSV of pods, which are the jobs, and one of nodes. Times are
-- seconds. A pod lasts from when it was scheduled until it was deleted. Mesos divides no GPU, so a pod that takes a
-- part of one counts as one GPU, and has the thousandths in `gpu_milli`, for policies that share GPUs themselves.

local csv = require "sim.import_csv"
local readers = require "sim.readers"

local M = {}

local function number(record, name, source)
    local text = record[name]
    local value = tonumber(text)
    if text and not value then
        error(("%s: %s: a number expected, got '%s'"):format(tostring(source), name, text), 0)
    end
    return value
end

local function convert(record, source)
    local at, stop = number(record, "creation_time", source), number(record, "deletion_time", source)
    if not at then
        return nil, "no creation_time"
    elseif not stop then
        return nil, "no deletion_time: it had not ended"
    end
    local start = number(record, "scheduled_time", source) or at
    if stop < start then
        return nil, "deleted before it was scheduled"
    end
    local row = {
        id = record.name, at = at, duration = stop - start, cpus = (number(record, "cpu_milli", source) or 0) / 1000,
        mem = number(record, "memory_mib", source) or 0, qos = record.qos, phase = record.pod_phase,
        gpu_spec = record.gpu_spec,
    }
    local gpus = number(record, "num_gpu", source) or 0
    if gpus > 0 then
        row.gpus, row.gpu_milli = gpus, number(record, "gpu_milli", source)
    end
    return row
end

-- Opens a CSV with a header that has these columns.
local function open(path, partial, wanted)
    local reader = readers.csv(path, partial)
    local names, line = csv.header(reader, path)
    local there = {}
    for _, name in ipairs(names) do
        there[name] = true
    end
    for _, name in ipairs(wanted) do
        if not there[name] then
            error(("%s:%d: no column is called '%s', which this file of Alibaba's has"):format(path, line, name), 0)
        end
    end
    reader:names(names)
    return reader
end

function M.open(path, options)
    local reader = open(path, options.partial,
        { "name", "cpu_milli", "memory_mib", "num_gpu", "creation_time", "deletion_time", "scheduled_time" })
    return { path = path, reader = reader, convert = convert, sort = true, origin = "first" }
end

-- The agents of a CSV of nodes, each a group of its own; the model of the GPUs is the attribute gpu_model.
function M.nodes(path)
    local reader, list = open(path, false, { "sn", "cpu_milli", "memory_mib", "gpu", "model" }), {}
    while true do
        local node, line = reader:next()
        if not node then
            return list
        end
        local where = ("%s:%d"):format(path, line)
        local cpus, mem = number(node, "cpu_milli", where), number(node, "memory_mib", where)
        local resources = { cpus = (cpus or 0) / 1000, mem = mem or 0 }
        local gpus = number(node, "gpu", where) or 0
        if gpus > 0 then
            resources.gpus = gpus
        end
        list[#list + 1] = {
            count = 1, hostname = node.sn, resources = resources,
            attributes = node.model and { gpu_model = node.model } or nil,
        }
    end
end

return M
