-- SPDX-License-Identifier: Apache-2.0
--
-- The FrameworkInfo of the frameworks that the library makes: mesos.jobs and mesos.services.

local fields = require "mesos.fields"

---@class mesos.framework
local M = {}

-- What the host sets when there are none, as a list that is given replaces it: MULTI_ROLE unless `role` is used.
local function host_defaults(info)
    return { info.role == nil and { type = "MULTI_ROLE" } or nil, { type = "RESERVATION_REFINEMENT" } }
end

local function has(capabilities, name)
    for _, capability in pairs(capabilities) do
        if capability.type == name then
            return true
        end
    end
    return false
end

-- A copy of the table, with the name, and with PARTITION_AWARE among its capabilities: without it a master says
-- TASK_LOST as soon as an agent is out of reach, and there is nothing to wait for.
---@param name string?
---@param info mesos.FrameworkInfo?
---@return mesos.FrameworkInfo
function M.with_defaults(name, info)
    local result = fields.copy(info or {})
    result.name = result.name or name
    local list = {}
    for _, capability in pairs(result.capabilities or host_defaults(result)) do
        list[#list + 1] = capability
    end
    if not has(list, "PARTITION_AWARE") then
        list[#list + 1] = { type = "PARTITION_AWARE" }
    end
    result.capabilities = list
    return result
end

return M
