-- SPDX-License-Identifier: Apache-2.0
--
-- First fit in waves, for sim_truth_spec, on a cluster of processes and in the simulator. Each job belongs to a rack of
-- ten agents. When all jobs are here, and again each time all tasks of a rack have ended and all of its agents are
-- offered as a whole, the next jobs of the rack go, in their order, to the first agent by host name that has room. So
-- what is decided depends on what is offered, on the attributes and the resources, and on which tasks have ended; it
-- does not depend on which of two tasks of a wave ends first, which is chance where tasks are processes.
--
-- It prints a line for each callback: "launch JOB HOST WAVE", "JOB STATE", "all ended".

local mesos = require "mesos"

local JOBS <const>, AGENTS <const>, CPUS <const> = tonumber((...)), 10, 3

local racks, count, ended = {}, 0, 0
local states = { TASK_FINISHED = true, TASK_FAILED = true, TASK_LOST = true, TASK_ERROR = true }
local rack_of = {} -- by the task
local scheduler = { framework = { name = "waves" } }

local function rack_of_name(name)
    racks[name] = racks[name] or { queue = {}, agents = {}, running = 0, wave = 0 }
    return racks[name]
end

-- The agents of a rack by host name, if all are offered as a whole.
local function whole(self)
    local list = {}
    for _, agent in pairs(self.agents) do
        if agent.cpus > CPUS - 0.01 then
            list[#list + 1] = agent
        end
    end
    table.sort(list, function(a, b) return a.host < b.host end)
    return #list == AGENTS and list or nil
end

local function fit(agents, job)
    for _, agent in ipairs(agents) do
        if agent.cpus >= job.cpus - 1e-6 and agent.mem >= job.mem then
            return agent
        end
    end
end

local function launch(driver, self, agents)
    self.wave = self.wave + 1
    while self.queue[1] do
        local job = self.queue[1]
        local agent = fit(agents, job)
        if not agent then
            break
        end
        table.remove(self.queue, 1)
        agent.cpus, agent.mem = agent.cpus - job.cpus, agent.mem - job.mem
        table.insert(agent.tasks, {
            name = job.id, task_id = job.id, agent_id = agent.id, command = { value = job.command },
            resources = mesos.resources { cpus = job.cpus, mem = job.mem },
        })
        self.running = self.running + 1
        print(("launch %s %s %d"):format(job.id, agent.host, self.wave))
    end
    for _, agent in ipairs(agents) do
        driver:launchTasks(agent.offers, agent.tasks, { refuse_seconds = 0 })
    end
    self.agents = {}
end

local function consider(driver, self)
    local agents = count == JOBS and self.running == 0 and self.queue[1] and whole(self)
    if agents then
        launch(driver, self, agents)
    end
end

function scheduler:submit(driver, job)
    local rack = rack_of_name(job.rack)
    table.insert(rack.queue, job)
    count = count + 1
    rack_of[job.id] = rack
    if count == JOBS then
        for number = 1, 5 do
            consider(driver, rack_of_name("r" .. number))
        end
    end
end

function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        local rack = rack_of_name(offer:attribute("rack"))
        local agent = rack.agents[offer.hostname] or { host = offer.hostname, id = offer.agent_id, cpus = 0, mem = 0,
            offers = {}, tasks = {} }
        rack.agents[offer.hostname] = agent
        agent.cpus, agent.mem = agent.cpus + offer.cpus, agent.mem + offer.mem
        table.insert(agent.offers, offer.id)
        consider(driver, rack)
    end
end

function scheduler:statusUpdate(driver, status)
    print(status.task_id .. " " .. status.state)
    if states[status.state] then
        local rack = rack_of[status.task_id]
        rack.running, ended = rack.running - 1, ended + 1
        consider(driver, rack)
    end
    if ended == JOBS then
        print("all ended")
    end
end

return scheduler
