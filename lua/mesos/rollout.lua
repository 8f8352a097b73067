-- SPDX-License-Identifier: Apache-2.0
--
-- What to start and what to end so that a service comes to have the wanted number of instances, all of the latest
-- version, and has enough that are ready on the way. It only counts: mesos.services does what it says.
--
--     local plan = rollout.plan({ version = 2, instances = {
--       a = { version = 1, ready = true }, b = { version = 1, ready = true } } }, { instances = 2, surge = 1, down = 0 })
--     --> plan.launch is 1, plan.kill is empty: only when the new one is ready, an old one may go

---@class mesos.rollout
local M = {}

---@class mesos.rollout.Plan
---@field launch integer how many to start
---@field kill mesos.services.Instance[] those to end
---@field ready integer instances of the latest version that are ready
---@field old integer instances of other versions, those that are being ended included
---@field done boolean nothing is left to do

-- Those that go first come first: not ready ones, then the oldest.
local function sorted(list)
    table.sort(list, function(a, b)
        if a.ready ~= b.ready then
            return not a.ready
        elseif (a.launched or 0) ~= (b.launched or 0) then
            return (a.launched or 0) < (b.launched or 0)
        end
        return tostring(a.task_id) < tostring(b.task_id)
    end)
    return list
end

local function divide(service)
    local new, old, ready, stopping = {}, {}, { new = 0, old = 0 }, 0
    for _, instance in pairs(service.instances) do
        local latest = instance.version == service.version
        if instance.stopping then
            stopping = stopping + (latest and 0 or 1)
        else
            table.insert(latest and new or old, instance)
            local which = latest and "new" or "old"
            ready[which] = ready[which] + (instance.ready and 1 or 0)
        end
    end
    return sorted(new), sorted(old), ready, stopping
end

-- Old instances that may go: those that are not ready, as they serve nothing; all, if the new version is complete;
-- else so many that enough ready ones are left.
local function old_to_kill(old, ready, new_count, wanted)
    local spare = ready.new + ready.old - math.max(wanted.instances - wanted.down, 0)
    local complete = ready.new >= wanted.instances and new_count >= wanted.instances
    local kill = {}
    for _, instance in ipairs(old) do
        if complete or not instance.ready or spare > 0 then
            kill[#kill + 1] = instance
            spare = spare - (instance.ready and 1 or 0)
        end
    end
    return kill
end

-- The next step.
---@param service { version: integer, instances: table<any, mesos.services.Instance> }
---@param wanted { instances: integer, surge: integer, down: integer }
---@return mesos.rollout.Plan
function M.plan(service, wanted)
    local new, old, ready, stopping = divide(service)
    local kill = old_to_kill(old, ready, #new, wanted)
    for i = 1, #new - wanted.instances do
        kill[#kill + 1] = new[i]
    end
    local surge = #old + stopping > 0 and math.max(wanted.surge, wanted.down > 0 and 0 or 1) or 0
    local room = wanted.instances + surge - (#new + #old - #kill)
    local launch = math.max(math.min(wanted.instances - #new, room), 0)
    return {
        launch = launch, kill = kill, ready = ready.new, old = #old + stopping,
        done = launch == 0 and #kill == 0 and #old + stopping == 0 and #new == wanted.instances
            and ready.new >= wanted.instances,
    }
end

return M
