-- SPDX-License-Identifier: Apache-2.0
--
-- Spread: each task goes to the offer that stays emptiest with it. What one learns: each agent has some small tasks, so
-- few have room for a job of `science`, although the cluster is half empty, and these jobs wait much longer than with
-- best_fit.lua. In return a lost agent costs about as much whichever it is: four or five tasks with most seeds.
--
--   mesos-lua sim --scenario examples/sim/scenario.lua examples/sim/spread.lua

local placer = require "placer"

return placer.scheduler("spread", function(offers, need)
    return offers:worst_fit(need)
end)
