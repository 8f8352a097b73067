-- SPDX-License-Identifier: Apache-2.0
--
-- Updates that must not be lost: each is written to a journal, and acknowledged only when the journal is on disk.
-- Until then the master sends it again, also to the next instance of this framework.
--
--   mesos-lua examples/explicit_acknowledgements.lua journal.log

local mesos = require "mesos"

local journal = assert(io.open(arg[1] or "journal.log", "a"))
local waiting = {} -- functions that acknowledge what the journal holds since it was flushed last

local acknowledging = { framework = { name = "journal" }, implicitAcknowledgements = false }

local function record(line, acknowledge)
    journal:write(line, "\n")
    waiting[#waiting + 1] = acknowledge
end

function acknowledging:statusUpdate(driver, status)
    record(("task %s %s"):format(status.task_id, status.state), function()
        driver:acknowledgeStatusUpdate(status)
    end)
end

function acknowledging:operationStatusUpdate(driver, status)
    record(("operation %s %s"):format(status.operation_id, status.state), function()
        driver:acknowledgeOperationStatus(status)
    end)
end

-- Once a second is enough: many updates share one write.
mesos.every(1, function()
    assert(journal:flush())
    local safe = waiting
    waiting = {}
    for _, acknowledge in ipairs(safe) do
        acknowledge()
    end
end)

return acknowledging
