-- SPDX-License-Identifier: Apache-2.0
--
-- Data that outlives a task. One answer to an offer reserves resources for the framework's role, makes a persistent
-- volume of the disk and launches a task that writes to it; a second task reads what the first has written; then the
-- volume is destroyed, and the reservation is taken back. operationStatusUpdate reports the operations.
--
--   mesos-lua examples/reservations.lua                          on a cluster of its own
--   mesos-lua --master HOST:5050 examples/reservations.lua       on a real one

local mesos = require "mesos"

local ROLE = "data"
local reservations = { framework = { name = "reservations", roles = { ROLE } } }
local step = "write" -- then "read", "clean up", "done"
local waiting = false -- for what the last answer to an offer began

-- The resources as they are once they are reserved for the role.
local function reserved(text)
    local resources = mesos.resources(text)
    for _, resource in ipairs(resources) do
        resource.reservations = { { type = "DYNAMIC", role = ROLE } }
    end
    return resources
end

local function volume()
    local disk = reserved("disk:64")[1]
    disk.disk = {
        persistence = { id = "data-1" },
        volume = { container_path = "data", mode = "RW" },
    }
    return disk
end

local function launch(offer, name, command)
    local resources = reserved "cpus:0.1;mem:32"
    resources[#resources + 1] = volume()
    return { type = "LAUNCH", launch = { task_infos = { {
        name = name, task_id = name .. "-1", agent_id = offer.agent_id, resources = resources,
        command = { value = command },
    } } } }
end

-- What each step makes of an offer that has enough.
local OPERATIONS = {
    write = function(offer)
        return {
            { type = "RESERVE", id = "reserve-1", reserve = { resources = reserved "cpus:0.1;mem:32;disk:64" } },
            { type = "CREATE", id = "create-1", create = { volumes = { volume() } } },
            launch(offer, "writer", "echo written by $MESOS_TASK_ID >> data/log"),
        }
    end,
    read = function(offer)
        return { launch(offer, "reader", "grep 'written by writer-1' data/log") }
    end,
    ["clean up"] = function()
        return {
            { type = "DESTROY", id = "destroy-1", destroy = { volumes = { volume() } } },
            { type = "UNRESERVE", id = "unreserve-1", unreserve = { resources = reserved "cpus:0.1;mem:32;disk:64" } },
        }
    end,
}

local function has_volume(offer)
    for _, resource in ipairs(offer.resources) do
        if resource.disk and resource.disk.persistence and resource.disk.persistence.id == "data-1" then
            return true
        end
    end
    return false
end

local function suits(offer)
    if step == "write" then
        return offer.cpus >= 0.1 and offer.mem >= 32 and offer.disk >= 64
    end
    return has_volume(offer)
end

function reservations:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        if OPERATIONS[step] and not waiting and suits(offer) then
            waiting = true
            driver:acceptOffers(offer.id, OPERATIONS[step](offer), { refuse_seconds = 0 })
        else
            driver:declineOffer(offer.id, { refuse_seconds = 1 })
        end
    end
end

local function show(id, status)
    print(id, status.state, status.message or "")
    io.stdout:flush()
end

function reservations:operationStatusUpdate(_, status)
    show(status.operation_id, status)
    if status.state ~= "OPERATION_FINISHED" then
        mesos.exit(1)
    elseif status.operation_id == "unreserve-1" then
        mesos.exit(0)
    end
end

local ON_THE_WAY = { TASK_STAGING = true, TASK_STARTING = true, TASK_RUNNING = true }

function reservations:statusUpdate(_, status)
    show(status.task_id, status)
    if ON_THE_WAY[status.state] then
        return
    elseif status.state ~= "TASK_FINISHED" then
        mesos.exit(1)
    end
    step, waiting = step == "write" and "read" or "clean up", false
end

return reservations
