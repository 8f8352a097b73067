-- SPDX-License-Identifier: Apache-2.0
--
-- Best fit: each task goes to the offer that it fills most. What one learns: small tasks gather on few agents, so the
-- large jobs of `science` find room and wait two minutes on average, where those of spread.lua wait seven. What a lost
-- agent costs is a matter of luck: no task at all if it was empty, sixteen if it was full of small ones.
--
--   mesos-lua sim --scenario examples/sim/scenario.lua --against examples/sim/spread.lua --seeds 1..10 \
--     examples/sim/best_fit.lua

local placer = require "placer"

return placer.scheduler("best-fit", function(offers, need)
    return offers:best_fit(need)
end)
