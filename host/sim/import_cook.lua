-- SPDX-License-Identifier: Apache-2.0
--
-- Cook's traces and host files, as its simulator reads them. A trace is a list of jobs in any order, with times in
-- milliseconds that begin anywhere: the earliest becomes 0. A job that did not end as "finished" has its `status`.

local complaint = require "sim.complaint"
local readers = require "sim.readers"

local M = {}

local RESOURCES = {
    ["resource.type/cpus"] = "cpus", ["resource.type/mem"] = "mem", ["resource.type/gpus"] = "gpus",
    cpus = "cpus", mem = "mem", gpus = "gpus",
}

local function convert(record, source)
    local submit, last = record["submit-time-ms"], record["run-time-ms"]
    if type(submit) ~= "number" then
        return nil, "no submit-time-ms"
    elseif type(last) ~= "number" then
        return nil, "no run-time-ms"
    end
    local row = {
        id = record["job/uuid"], at = submit / 1000, duration = last / 1000, name = record["job/name"],
        user = record["job/user"], priority = record["job/priority"], command = record["job/command"],
        retries = record["job/max-retries"], status = record.status,
    }
    local resources = record["job/resource"]
    if type(resources) ~= "table" then
        return nil, "no job/resource"
    end
    for i, resource in ipairs(resources) do
        local kind = type(resource) == "table" and resource["resource/type"]
        if not kind then
            error(("%s: job/resource[%d]: resource/type and resource/amount expected"):format(tostring(source), i), 0)
        elseif RESOURCES[kind] then -- others, such as resource.type/uri, are no amounts
            row[RESOURCES[kind]] = resource["resource/amount"]
        end
    end
    return row
end

function M.open(path, options)
    return {
        path = path, reader = readers.json(path, options.partial), convert = convert, sort = true, origin = "first",
    }
end

-- ---- hosts ----

local function fail(path, line, field, text)
    error(("%s:%d: %s: %s"):format(path, line, field, text), 0)
end

-- The amount of a resource over its roles, which a host file has in a table by role.
local function amount(path, line, resources, name)
    local roles, sum = resources[name], 0
    if type(roles) ~= "table" or next(roles) == nil then
        fail(path, line, "resources." .. name, "an amount by role expected, such as { \"*\": 10 }")
    end
    for _, role in ipairs(complaint.sorted(roles)) do
        if type(roles[role]) ~= "number" then
            fail(path, line, ("resources.%s.%s"):format(name, role), "a number expected")
        end
        sum = sum + roles[role]
    end
    return sum
end

local function ports(path, line, resources)
    local list = {}
    for role, ranges in pairs(resources.ports or {}) do
        for i, range in ipairs(ranges) do
            local whole = type(range) == "table" and math.type(range.begin) == "integer"
            if not whole or math.type(range["end"]) ~= "integer" then
                fail(path, line, ("resources.ports.%s[%d]"):format(role, i), "begin and end expected")
            end
            list[#list + 1] = { range.begin, range["end"] }
        end
    end
    table.sort(list, function(a, b) return a[1] < b[1] end)
    return #list > 0 and list or nil
end

local function group(path, line, host)
    if type(host.resources) ~= "table" then
        fail(path, line, "resources", "what the host has is missing")
    end
    local resources = {
        cpus = amount(path, line, host.resources, "cpus"), mem = amount(path, line, host.resources, "mem"),
        ports = ports(path, line, host.resources),
    }
    if host.resources.gpus then
        resources.gpus = amount(path, line, host.resources, "gpus")
    end
    local attributes = type(host.attributes) == "table" and next(host.attributes) and host.attributes or nil
    return { count = 1, resources = resources, hostname = host.hostname, attributes = attributes }
end

-- The agents of a host file, each a group of its own.
function M.hosts(path)
    local reader = readers.json(path)
    local list = {}
    while true do
        local host, line = reader:next()
        if not host then
            return list
        end
        list[#list + 1] = group(path, line, host)
    end
end

return M
