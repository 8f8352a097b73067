-- Tests of NAME.lua, run by `mesos-lua test`: the test is the master, and time stands still.

local testing = require "mesos.testing"

describe("NAME", function()
    local t

    before_each(function()
        t = testing.load("NAME.lua", { args = { "2" } })
    end)

    it("starts so many instances, on several agents", function()
        t:register()
        t:offer({ cpus = 1, mem = 512 }, { cpus = 1, mem = 512 })
        local tasks = t:launched()
        assert.equal(2, #tasks)
        assert.not_equal(tasks[1].agent_id, tasks[2].agent_id)
        t:offer { cpus = 1, mem = 512 }
        assert.same({}, t:launched())
    end)

    it("starts another one for one that has ended, after a while", function()
        t:register()
        t:offer { cpus = 4, mem = 1024 }
        local first = t:launched()[1].task_id
        t:update(first, "TASK_RUNNING")
        t:update(first, "TASK_FAILED")
        t:offer { cpus = 4, mem = 1024 }
        assert.same({}, t:launched())
        t:advance(2)
        assert.equal(1, #t:calls("REVIVE"))
        t:offer { cpus = 4, mem = 1024 }
        assert.equal("NAME.3", t:launched()[1].task_id)
    end)

    it("keeps them over a new version of the script", function()
        t:register()
        t:offer { cpus = 4, mem = 1024 }
        t:launched()
        t:reload()
        t:offer { cpus = 4, mem = 1024 }
        assert.same({}, t:launched())
    end)

    it("replaces them one by one when the command is edited", function()
        t:cluster { agents = 2 }
        t:register()
        t:advance(5)
        assert.equal(2, #t:launched())
        local edited = os.tmpname()
        local from <close> = assert(io.open("NAME.lua"))
        local to <close> = assert(io.open(edited, "w"))
        to:write((from:read("a"):gsub("sleep 10", "sleep 5")))
        to:flush()
        t:reload(edited)
        os.remove(edited)
        t:advance(60)
        assert.equal(2, #t:launched())
        assert.equal(2, #t:calls("KILL"))
    end)

    it("survives instances that end all the time", function()
        t:cluster { agents = 2, runtime = 20 }
        t:register()
        t:advance(600)
        assert.is_true(#t:launched() > 5)
        assert.equal("DRIVER_RUNNING", t:status())
    end)
end)
