-- SPDX-License-Identifier: Apache-2.0
--
-- Steps that come after each other, side by side where they can: a graph without circles. Each runs when those that it
-- comes after have finished; what comes after a step that failed fails with it.
--
--   mesos-lua examples/dag.lua

local mesos = require "mesos"

local queue = require("mesos.jobs").queue {
    name = "dag",
    on_end = function(job) print(job.id, job.state) end,
    on_empty = function(queue) mesos.exit(queue:counts().failed > 0 and 1 or 0) end,
}
queue:add { id = "fetch", command = "sleep 0.1" }
queue:add { id = "words", command = "sleep 0.2", after = "fetch" }
queue:add { id = "lines", command = "sleep 0.1", after = "fetch" }
queue:add { id = "report", command = "echo done", after = { "words", "lines" } }
return queue
