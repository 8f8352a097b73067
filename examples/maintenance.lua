-- SPDX-License-Identifier: Apache-2.0
--
-- Maintenance: an inverse offer asks for an agent that will be taken down. It is accepted if no task of this framework
-- runs there; otherwise it is declined, and the tasks are killed in time before the agent goes.
--
--   mesos-lua examples/maintenance.lua
--
-- With "drill" it plays the operator, too: while a task runs it schedules maintenance of the agent's machine, and when
-- the agent has been left it takes the machine down, and up again.
--
--   mesos-lua --listen 127.0.0.1:0 examples/maintenance.lua drill

local mesos = require "mesos"

local drill = ... == "drill"
local maintenance = { framework = { name = "maintenance" } }
local running = {} -- agent id -> { [task id] = true }

local function tasks_of(agent_id)
    running[agent_id] = running[agent_id] or {}
    return running[agent_id]
end

-- ---- the operator of the drill ----

local operator = {}

function operator:post(path, body)
    local reply = assert(mesos.http { url = self.master .. path, body = body })
    assert(reply.status == 200, reply.body)
    print("POST " .. path)
end

-- A machine is known by the host name and the ip of its agent, as offers have them.
function operator:choose(offer)
    self.machine = ('{"hostname": "%s", "ip": "%s"}'):format(offer.hostname, offer.url.address.ip)
end

function operator:schedule(seconds)
    local window = '{"machine_ids": [%s], "unavailability": {"start": {"nanoseconds": %d}}}'
    self:post("/maintenance/schedule", ('{"windows": [' .. window .. "]}"):format(self.machine,
        math.floor((mesos.now() + seconds) * 1e9)))
end

function operator:restart()
    self:post("/machine/down", "[" .. self.machine .. "]")
    self:post("/machine/up", "[" .. self.machine .. "]")
end

-- ---- the framework ----

function maintenance:registered(_, _, master)
    operator.master = ("http://%s:%d"):format(master.address.ip, master.address.port)
end

local function launch(driver, offer)
    driver:launchTasks(offer.id, { {
        name = "busy", task_id = "busy", agent_id = offer.agent_id, command = { value = "sleep 600" },
        resources = mesos.resources { cpus = 0.1, mem = 32 },
    } })
end

function maintenance:statusUpdate(driver, status)
    tasks_of(status.agent_id)[status.task_id] = status.state == "TASK_RUNNING" or nil
    if drill and status.state == "TASK_RUNNING" then
        operator:schedule(20)
    elseif drill and status.state == "TASK_KILLED" then
        driver:reviveOffers() -- so that the next inverse offer does not wait for the time of the declined one
    end
end

-- Offers of agents that will be away soon are left alone.
function maintenance:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        if drill and not operator.machine then
            operator:choose(offer)
            launch(driver, offer)
        else
            driver:declineOffer(offer.id, { refuse_seconds = offer.unavailability and 3600 or 5 })
        end
        if operator.done and not offer.unavailability then
            print("an agent is there again")
            driver:stop()
        end
    end
end

local function leave(driver, agent_id)
    for task_id in pairs(tasks_of(agent_id)) do
        driver:killTask(task_id, { agent_id = agent_id })
    end
end

function maintenance:inverseOffers(driver, list)
    for _, inverse in ipairs(list) do
        local start = inverse.unavailability.start.nanoseconds / 1e9
        local used = next(tasks_of(inverse.agent_id)) ~= nil
        print(("asked to leave an agent %s"):format(used and "in use" or "that is idle"))
        if not used then
            driver:acceptInverseOffers(inverse.id)
            if drill then
                operator:restart()
            end
        else
            driver:declineInverseOffers(inverse.id, { refuse_seconds = 60 })
            mesos.after(math.max(0, start - mesos.now() - 30), function()
                leave(driver, inverse.agent_id)
            end)
        end
    end
end

function maintenance:inverseOfferRescinded(_, id)
    mesos.log.info("inverse offer %s was taken back", id)
end

function maintenance:slaveLost()
    print("the agent is gone")
    operator.done = true
end

return maintenance
