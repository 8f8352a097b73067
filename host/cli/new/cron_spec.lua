-- Tests of NAME.lua, run by `mesos-lua test`: the test is the master, and time stands still.

local testing = require "mesos.testing"

describe("NAME", function()
    local t

    -- The ids of the tasks that were launched on an offer.
    local function launched()
        t:offer { cpus = 4, mem = 1024 }
        local ids = {}
        for i, task in ipairs(t:launched()) do
            ids[i] = task.task_id
        end
        table.sort(ids)
        return ids
    end

    before_each(function()
        t = testing.load("NAME.lua") -- it is midnight
        t:register()
    end)

    it("runs a command when its time has come", function()
        t:advance(299)
        assert.same({}, launched())
        t:advance(1)
        assert.same({ "often@2026-01-01T00:05:00Z.1" }, launched())
    end)

    it("leaves a time out while the command still runs", function()
        t:advance(300)
        assert.same({ "often@2026-01-01T00:05:00Z.1" }, launched())
        t:advance(300)
        assert.same({}, launched())
        t:update("often@2026-01-01T00:05:00Z.1", "TASK_FINISHED")
        t:advance(300)
        assert.same({ "often@2026-01-01T00:15:00Z.1" }, launched())
    end)

    it("knows what still runs after an edit", function()
        t:advance(300)
        assert.same({ "often@2026-01-01T00:05:00Z.1" }, launched())
        t:reload()
        t:advance(300)
        assert.same({}, launched())
    end)

    it("runs both at the full hour", function()
        t:advance(3300)
        assert.same({ "often@2026-01-01T00:05:00Z.1" }, launched())
        t:update("often@2026-01-01T00:05:00Z.1", "TASK_FINISHED")
        t:advance(300)
        assert.same({ "hourly@2026-01-01T01:00:00Z.1", "often@2026-01-01T01:00:00Z.1" }, launched())
    end)
end)
