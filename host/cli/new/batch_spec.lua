-- Tests of NAME.lua, run by `mesos-lua test`: the test is the master, and time stands still.

local testing = require "mesos.testing"

describe("NAME", function()
    local t

    before_each(function()
        t = testing.load("NAME.lua")
    end)

    it("runs each command once, and ends", function()
        t:register()
        t:offer { cpus = 4, mem = 1024 }
        local tasks = t:launched()
        assert.equal(3, #tasks)
        for _, task in ipairs(tasks) do
            assert.equal("DRIVER_RUNNING", t:status())
            t:update(task.task_id, "TASK_FINISHED")
        end
        assert.equal("DRIVER_STOPPED", t:status())
    end)

    it("waits for an offer that is large enough", function()
        t:register()
        t:offer { cpus = 0.05, mem = 1024 }
        assert.same({}, t:launched())
    end)

    it("tries a command that failed again, after a while", function()
        t:register()
        t:offer { cpus = 4, mem = 1024 }
        t:launched()
        t:update("NAME-1.1", "TASK_FAILED")
        t:advance(60)
        t:offer { cpus = 4, mem = 1024 }
        assert.equal("NAME-1.2", t:launched()[1].task_id)
    end)

    it("gives up a command that fails each time", function()
        t:cluster { agents = 1, runtime = function(task) return 10, task.command == "echo two" and 1 or 0 end }
        t:register()
        t:advance(600)
        assert.equal(5, #t:launched())
        assert.equal("DRIVER_STOPPED", t:status())
    end)

    it("gets through on a small cluster", function()
        t:cluster { agents = { { cpus = 0.1, mem = 64 } }, runtime = 10 }
        t:register()
        t:advance(120)
        assert.equal("DRIVER_STOPPED", t:status())
    end)
end)
