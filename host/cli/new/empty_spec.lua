-- Tests of NAME.lua, run by `mesos-lua test`: the test is the master, and time stands still.

local testing = require "mesos.testing"

describe("NAME", function()
    it("gives all offers back", function()
        local t = testing.load("NAME.lua")
        t:register()
        local id = t:offer { cpus = 4, mem = 1024 }
        assert.same({ id }, t:declined())
        assert.same({}, t:launched())
    end)
end)
