-- SPDX-License-Identifier: Apache-2.0
--
-- Data that outlives a task: reserves resources for the framework's role, makes a persistent volume of the disk, and
-- launches a task that writes to it, all with one answer to one offer. operationStatusUpdate
-- reports the state of the operations that have an id.
--
--   mesos-lua --master HOST:5050 examples/reservations.lua
--
-- It needs a real master: the local cluster does not carry out RESERVE and CREATE yet. There the first answer is
-- OPERATION_ERROR and says so, and the example ends with status 1.

local mesos = require "mesos"

local ROLE = "data"
local reservations = { framework = { name = "reservations", roles = { ROLE } } }
local launched = false

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

local function operations(offer)
    local resources = reserved "cpus:0.1;mem:32"
    resources[#resources + 1] = volume()
    return {
        { type = "RESERVE", id = "reserve-1", reserve = { resources = reserved "cpus:0.1;mem:32;disk:64" } },
        { type = "CREATE", id = "create-1", create = { volumes = { volume() } } },
        { type = "LAUNCH", launch = { task_infos = { {
            name = "writer", task_id = "writer-1", agent_id = offer.agent_id, resources = resources,
            command = { value = "date >> data/log" },
        } } } },
    }
end

function reservations:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        if launched or offer.cpus < 0.1 or offer.mem < 32 or offer.disk < 64 then
            driver:declineOffer(offer.id)
        else
            launched = true
            driver:acceptOffers(offer.id, operations(offer))
        end
    end
end

local function show(id, status)
    print(id, status.state, status.message)
    io.stdout:flush()
end

function reservations:operationStatusUpdate(_, status)
    show(status.operation_id, status)
    if status.state ~= "OPERATION_FINISHED" then
        mesos.exit(1)
    end
end

local ON_THE_WAY = { TASK_STAGING = true, TASK_STARTING = true, TASK_RUNNING = true }

function reservations:statusUpdate(_, status)
    show(status.task_id, status)
    if not ON_THE_WAY[status.state] then
        mesos.exit(status.state == "TASK_FINISHED" and 0 or 1)
    end
end

return reservations
