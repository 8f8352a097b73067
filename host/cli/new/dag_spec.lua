-- Tests of NAME.lua, run by `mesos-lua test`: the test is the master, and time stands still.

local testing = require "mesos.testing"

describe("NAME", function()
    local t

    before_each(function()
        t = testing.load("NAME.lua")
    end)

    -- Makes an offer; returns the ids of the tasks that were launched on it, in order.
    local function launched()
        t:offer { cpus = 4, mem = 1024 }
        local ids = {}
        for i, task in ipairs(t:launched()) do
            ids[i] = task.task_id
        end
        table.sort(ids)
        return ids
    end

    it("runs each step after those that it needs", function()
        t:register()
        assert.same({ "fetch.1" }, launched())
        assert.same({}, launched())
        t:update("fetch.1", "TASK_FINISHED")
        assert.same({ "count.1", "sort.1" }, launched())
        t:update("sort.1", "TASK_FINISHED")
        assert.same({}, launched())
        t:update("count.1", "TASK_FINISHED")
        assert.same({ "report.1" }, launched())
        t:update("report.1", "TASK_FINISHED")
        assert.equal("DRIVER_STOPPED", t:status())
    end)

    it("ends when a step fails", function()
        t:register()
        launched()
        t:update("fetch.1", "TASK_FAILED")
        assert.equal("DRIVER_STOPPED", t:status())
    end)

    it("gets through on a cluster", function()
        t:cluster { agents = 1, runtime = 10 }
        t:register()
        t:advance(120)
        assert.equal(4, #t:launched())
        assert.equal("DRIVER_STOPPED", t:status())
    end)
end)
