-- SPDX-License-Identifier: Apache-2.0
--
-- A gang: so many tasks that start together or not at all, on one agent or several. Offers are kept until all of the
-- gang fit, so two gangs that wait should not share a role.
--
--   mesos-lua --agents=2 --resources='cpus:2;mem:512' examples/gang.lua 3

local placement = require "mesos.placement"
local states = require "mesos.states"
local task = require "mesos.task"

local size, running = tonumber(arg[1] or 3), 0
local member = { command = "echo I am $MEMBER of the gang", cpus = 1, mem = 32 }
local gang = { framework = { name = "gang" } }

local function launch(driver, members)
    local launches = {}
    for i, place in ipairs(members) do
        member.env = { MEMBER = i }
        local list = launches[place.offer.id] or {}
        list[#list + 1] = task.build(member, "member-" .. i, place.offer.agent_id, place.resources)
        launches[place.offer.id] = list
    end
    for id, list in pairs(launches) do
        print(#list .. " on one agent")
        driver:launchTasks(id, list)
    end
    running = #members
end

function gang:resourceOffers(driver)
    local needs = {}
    for i = 1, size do
        needs[i] = task.need(member)
    end
    local members, reason = placement.gang(driver:offers(), needs)
    if members then
        launch(driver, members)
        driver:suppressOffers()
        driver:declineOffer(driver:offers():ids())
    else
        print(reason) -- the offers stay with the driver
        io.stdout:flush()
    end
end

function gang:statusUpdate(driver, status)
    if states.is_terminal(status) then
        running = running - 1
        if running == 0 then
            driver:stop()
        end
    end
end

return gang
