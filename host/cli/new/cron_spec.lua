-- Tests of NAME.lua, run by `mesos-lua test`: the test is the master, and time stands still.

local testing = require "mesos.testing"

describe("NAME", function()
    local t

    -- The names of the tasks that were launched on an offer.
    local function launched()
        t:offer { cpus = 4, mem = 1024 }
        local names = {}
        for i, task in ipairs(t:launched()) do
            names[i] = task.name
        end
        table.sort(names)
        return names
    end

    before_each(function()
        t = testing.load("NAME.lua") -- it is midnight
        t:register()
    end)

    it("runs a command when its time has come", function()
        t:advance(299)
        assert.same({}, launched())
        t:advance(1)
        assert.same({ "often" }, launched())
    end)

    it("leaves a time out while the command still runs", function()
        t:advance(300)
        assert.same({ "often" }, launched())
        t:advance(300)
        assert.same({}, launched())
        assert.matches("often still runs", t:log()[2].text)
        t:update("often-1767225900", "TASK_FINISHED")
        t:advance(300)
        assert.same({ "often" }, launched())
    end)

    it("knows what still runs after an edit", function()
        t:advance(300)
        assert.same({ "often" }, launched())
        t:reload()
        t:advance(300)
        assert.same({}, launched())
        t:update("often-1767225900", "TASK_FINISHED")
        t:advance(300)
        assert.same({ "often" }, launched())
    end)

    it("runs both at the full hour", function()
        t:advance(3600)
        assert.same({ "hourly", "often" }, launched())
    end)
end)
