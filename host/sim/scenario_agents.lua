-- SPDX-License-Identifier: Apache-2.0
--
-- The agents of a scenario: groups, as those of a --cluster file (cluster/cluster_plan.h), but that nothing is taken
-- from this machine, on which the results of a simulation must not depend.

local complaint = require "sim.complaint"
local kinds = require "sim.scenario_fields"

local M = {}

local GROUP = { count = true, resources = true, attributes = true, hostname = true, domain = true }
local EXAMPLE <const> = "such as resources = \"cpus:32;mem:131072\""

-- What groups of a --cluster file do not name is this machine's, which a simulation must not depend on.
local NONE = { { "disk", "disk:0" }, { "ports", "ports:[]" } }

-- Do these resources, in any form, name one?
local function has(resources, name)
    if type(resources) == "string" then
        return (";" .. resources):find("[;%s]" .. name .. "%s*[:({]") ~= nil
    elseif type(resources) ~= "table" then
        return false
    elseif resources[1] == nil then
        return resources[name] ~= nil or has(resources.resources, name)
    end
    for _, part in ipairs(resources) do
        if has(part, name) then
            return true
        end
    end
    return false
end

-- Raises unless the resources name what each agent needs.
local function check_resources(resources, path, raise)
    if resources == nil then
        raise(path, "missing: what an agent has, " .. EXAMPLE .. ": nothing is taken from this machine")
    elseif type(resources) ~= "string" and type(resources) ~= "table" or resources == "" then
        raise(path, "a text or a table expected, " .. EXAMPLE .. ", got " .. complaint.shown(resources))
    end
    for _, name in ipairs { "cpus", "mem" } do
        if not has(resources, name) then
            raise(path, ("%s: missing, %s: nothing is taken from this machine"):format(name, EXAMPLE))
        end
    end
end

-- A group, checked and copied.
function M.check_group(given, path, raise)
    kinds.table_of(given, "a group of agents, a table such as { count = 10, resources = \"cpus:4;mem:8192\" },", path,
        raise)
    complaint.known(given, GROUP, path, raise)
    local count = given.count
    kinds.want(count, count == nil or type(count) == "number" and count >= 1 and math.tointeger(count) ~= nil,
        "how many agents, a whole number of at least 1,", kinds.in_field(path, "count"), raise)
    check_resources(given.resources, kinds.in_field(path, "resources"), raise)
    local group = kinds.plain(given, path, raise)
    group.count = count and math.tointeger(count)
    if given.attributes ~= nil then
        kinds.table_of(given.attributes, "a table of names and values", kinds.in_field(path, "attributes"), raise)
        group.attributes = next(group.attributes) and group.attributes
    end
    if given.hostname ~= nil then
        kinds.text_of(given.hostname, "a text such as \"node-%d\"", kinds.in_field(path, "hostname"), raise)
    end
    if given.domain ~= nil then
        local domain = kinds.in_field(path, "domain")
        kinds.table_of(given.domain, "{ region = ..., zone = ... }", domain, raise)
        complaint.known(given.domain, { region = true, zone = true }, domain, raise)
    end
    return group
end

-- Groups, and lists of them such as those of sim.cook_hosts(), as one list.
function M.read(given, path, raise)
    kinds.table_of(given, "a list of groups of agents", path, raise)
    local list = {}
    if #given == 0 then
        raise(path, next(given) and "a list of groups of agents expected: { { count = 10, resources = ... } }"
            or "there are no agents")
    end
    for _, name in ipairs(complaint.sorted(given)) do
        kinds.want(name, type(name) == "number", "a list of groups of agents", kinds.in_field(path, name), raise)
        local value = given[name]
        if type(value) == "table" and value[1] ~= nil then
            table.move(M.read(value, kinds.in_field(path, name), raise), 1, #value, #list + 1, list)
        else
            list[#list + 1] = M.check_group(value, kinds.in_field(path, name), raise)
        end
    end
    return list
end

-- No agent has anything of this machine.
function M.complete(group)
    local missing = {}
    for _, row in ipairs(NONE) do
        if not has(group.resources, row[1]) then
            missing[#missing + 1] = row[2]
        end
    end
    local text = table.concat(missing, ";")
    if text == "" then
        return
    elseif type(group.resources) == "string" then
        group.resources = group.resources .. ";" .. text
    elseif group.resources[1] ~= nil then
        table.insert(group.resources, text)
    else
        group.resources = { group.resources, text }
    end
end

return M
