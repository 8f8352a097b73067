-- SPDX-License-Identifier: Apache-2.0
--
-- First fit: each task goes to the first offer that it fits. What one learns: offers come in an order of the master's,
-- so this neither packs nor spreads on purpose, and still large jobs wait hardly longer than with best_fit.lua, since
-- small tasks gather on the agents in front. Ask whether a policy is worth its trouble:
--
--   mesos-lua sim --scenario examples/sim/scenario.lua --seeds 1..10 --against examples/sim/first_fit.lua \
--     examples/sim/best_fit.lua
--
--   mesos-lua sim --scenario examples/sim/scenario.lua examples/sim/first_fit.lua

local placer = require "placer"

return placer.scheduler("first-fit", function(offers, need)
    return offers:first_fit(need)
end)
