-- SPDX-License-Identifier: Apache-2.0
--
-- The policy of the benchmark of a month: keeps every offer until a job takes it, so that the master need not make them
-- again and again. Offers are kept by how many whole cpus they have; in that world each has memory in proportion.

local mesos = require "mesos"

local MOST = 8 -- cpus of an agent

local policy = { framework = { name = "hold" } }

local waiting, first, last = {}, 1, 0
local kept, held = {}, {} -- offers by cpus; whether an offer is still ours, by its id
for cpus = 1, MOST do
    kept[cpus] = {}
end

local function take(job)
    for cpus = job.cpus, MOST do
        local list = kept[cpus]
        while #list > 0 do
            local offer = table.remove(list)
            if held[offer.id] then
                held[offer.id] = nil
                return offer
            end
        end
    end
end

local function place(driver, job)
    local offer = take(job)
    if offer then
        driver:launchTasks(offer.id, { {
            name = job.id, task_id = job.id, agent_id = offer.agent_id, command = { value = "work" },
            resources = mesos.resources { cpus = job.cpus, mem = job.mem },
        } })
    end
    return offer ~= nil
end

function policy:submit(driver, job)
    if first <= last or not place(driver, job) then
        last = last + 1
        waiting[last] = job
    end
end

function policy:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        held[offer.id] = true
        table.insert(kept[offer.cpus // 1], offer)
    end
    while first <= last and place(driver, waiting[first]) do
        waiting[first] = nil
        first = first + 1
    end
end

function policy:offerRescinded(_, offer_id)
    held[offer_id] = nil
end

return policy
