-- SPDX-License-Identifier: Apache-2.0
--
-- Runs shell commands as tasks, so many at a time, each once more if it fails, and prints how they ended and what they
-- wrote on standard output.
--
--   mesos-lua examples/run.lua 4 'make test' 'make lint' 'sleep 1' 'exit 3'
--
-- examples/batch.lua is the same without the library, with more options.

local mesos = require "mesos"

local queue = require("mesos.jobs").queue {
    name = "run", at_once = tonumber(arg[1]), retries = 1,
    on_end = function(job, driver)
        print(job.state, job.definition.command, job.message)
        io.write(driver:output(job.task_id) or "")
    end,
    on_empty = function(queue) mesos.exit(queue:counts().failed > 0 and 1 or 0) end,
}
assert(arg[2], "usage: run.lua N COMMAND...")
for i = 2, #arg do
    queue:add { command = arg[i], cpus = 0.1, mem = 32 }
end
return queue
