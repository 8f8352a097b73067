-- SPDX-License-Identifier: Apache-2.0
--
-- Runs commands at times of cron (UTC), or every so many seconds, and never the same one beside itself: a time that
-- comes while the last run goes on is left out. With --state FILE no time is missed or comes twice over a restart.
--
--   mesos-lua examples/cron.lua '*/5 * * * *' 'date' 10 'df -h'

local queue = require("mesos.jobs").queue {
    name = "cron",
    on_end = function(job) print(job.id, job.state) io.stdout:flush() end,
}
for i = 1, #arg, 2 do
    local seconds = tonumber(arg[i])
    queue:schedule { id = "entry-" .. i // 2 + 1, every = seconds, cron = not seconds and arg[i] or nil,
        command = arg[i + 1] }
end
return queue
