-- SPDX-License-Identifier: Apache-2.0
--
-- What a job of mesos.jobs is before it runs: a task in short form (mesos.task), and when and where it may run.

local fields = require "mesos.fields"
local placement = require "mesos.placement"
local task = require "mesos.task"

---@class mesos.job_definition
local M = {}

---@class mesos.jobs.Definition : mesos.task.Spec
---@field id string? default: job-1, job-2, ... in the order of the main chunk
---@field user string? whose fair share it counts against
---@field run_as string? the user that runs the command
---@field priority number? higher ones first; default: 0
---@field after string|string[]|nil ids of jobs that have to finish before
---@field retries integer?
---@field not_before number? seconds since the Unix epoch
---@field constraints (string|string[])[]? see mesos.placement; they compare jobs with the same constraints

---@type table<string, string>
M.FIELDS = {
    id = "string", run_as = "string", priority = "number", after = "string|list", retries = "count",
    not_before = "amount", constraints = "list",
}
for name, kind in pairs(task.FIELDS) do
    M.FIELDS[name] = kind
end

-- The part of it that is a task's.
---@param definition mesos.jobs.Definition
---@return mesos.task.Spec
function M.task(definition)
    local spec = {}
    for name in pairs(task.FIELDS) do
        spec[name] = definition[name]
    end
    spec.user = definition.run_as
    return spec
end

-- Raises if something in it is wrong, with the path.
---@param definition mesos.jobs.Definition
---@param path string
function M.check(definition, path)
    fields.check(definition, M.FIELDS, path)
    task.check(M.task(definition), path)
    placement.constraints(definition.constraints)
end

-- The ids of the jobs that it comes after.
---@param definition mesos.jobs.Definition
---@return string[]
function M.after(definition)
    local after = definition.after
    return type(after) == "string" and { after } or after or {}
end

-- What it asks offers for.
---@param definition mesos.jobs.Definition
---@return mesos.Need
function M.need(definition)
    return task.need(M.task(definition))
end

-- The amounts that count for fair shares.
---@param definition mesos.jobs.Definition
---@return table<string, number>
function M.amounts(definition)
    local need = M.need(definition)
    return { cpus = need.cpus, mem = need.mem, disk = need.disk, gpus = need.gpus }
end

return M
