-- SPDX-License-Identifier: Apache-2.0
--
-- Arithmetic of resources, exact in thousandths as Mesos's own: ten times 0.1 cpus is 1.
--
--     local resources = require "mesos.resources"
--     local free = resources.subtract(offer.resources, resources.parse "cpus:1;ports:[31000-31001]")
--     if resources.contains(free, { cpus = 0.5 }) then print(resources.format(free)) end
--
-- Wherever resources are wanted, three forms will do: a list of Resource as offers and tasks have it; the text form
-- of Mesos; and a table of amounts as mesos.resources() takes it. The results are lists. Reservations, volumes and
-- revocable resources are kinds of their own: they add up only with their like.

local mesos = require "mesos"
local internal = require "mesos.internal.resources"

---@class mesos.resources
local M = {}

---@alias mesos.ResourcesLike mesos.Resource[]|string|table<string, number|mesos.Value.Range[]|integer[][]|string[]>

-- The list that a value stands for.
---@param value mesos.ResourcesLike
---@return mesos.Resource[]
function M.parse(value)
    if type(value) == "string" or type(value) == "table" and value[1] == nil then
        return mesos.resources(value)
    end
    return value
end

-- The text form: "cpus:0.5;mem:128". What is reserved is marked with its role, cpus(web):2. parse() reads it again,
-- without what the text cannot tell: labels of reservations, volumes, allocations.
---@param value mesos.ResourcesLike
---@return string
function M.format(value)
    return internal.format(M.parse(value))
end

-- All of them together; resources of one kind become one.
---@param first mesos.ResourcesLike
---@param ... mesos.ResourcesLike
---@return mesos.Resource[]
function M.add(first, ...)
    local sum = M.parse(first)
    for _, more in ipairs { ... } do
        sum = internal.add(sum, M.parse(more))
    end
    return sum
end

-- What is left of the first without the second. What the first does not have is not missed: nothing becomes negative.
---@param from mesos.ResourcesLike
---@param what mesos.ResourcesLike
---@return mesos.Resource[]
function M.subtract(from, what)
    return internal.subtract(M.parse(from), M.parse(what))
end

-- True if the second is in the first, kind by kind.
---@param whole mesos.ResourcesLike
---@param part mesos.ResourcesLike
---@return boolean
function M.contains(whole, part)
    return internal.contains(M.parse(whole), M.parse(part))
end

-- How much there is of a resource, over all its kinds. Ranges and sets are counted: of ports, how many.
---@param value mesos.ResourcesLike
---@param name string
---@return number
function M.quantity(value, name)
    return internal.quantity(M.parse(value), name)
end

-- True if both have the same.
---@param a mesos.ResourcesLike
---@param b mesos.ResourcesLike
---@return boolean
function M.equal(a, b)
    return M.contains(a, b) and M.contains(b, a)
end

return M
