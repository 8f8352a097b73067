-- SPDX-License-Identifier: Apache-2.0
--
-- Looks at what is offered and ends: the agents, the largest first, and where a task would go by each policy.
--
--   mesos-lua --agent 'cpus:1;mem:64 rack=a' --agent 'cpus:4;mem:512 rack=b' examples/choose.lua [CPUS]

local mesos = require "mesos"

local need = { cpus = tonumber(arg[1] or 0.5), mem = 32 }
local scheduler = { framework = { name = "choose" } }

local function say(policy, offer, reason)
    print(policy, offer and offer:attribute("rack") or reason)
end

function scheduler:resourceOffers(driver, offers)
    for _, offer in ipairs(offers:sort_by("cpus", true)) do
        print(offer:attribute("rack"), offers:left(offer, "cpus") .. " cpus", offers:left(offer, "mem") .. " MB")
    end
    say("best_fit", offers:best_fit(need))
    say("first_fit", offers:first_fit(need))
    say("worst_fit", offers:worst_fit(need))
    mesos.log.debug("the first offer has %d resources", #offers[1]:table().resources)
    driver:declineOffer(offers:ids())
    driver:stop()
end

return scheduler
