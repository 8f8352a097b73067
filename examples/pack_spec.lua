-- SPDX-License-Identifier: Apache-2.0
--
-- Tests of pack.lua: the test is the master, time stands still, and no task runs.
--
--   mesos-lua test examples/pack_spec.lua
--   busted --lua=lua5.4 examples/pack_spec.lua      in any busted that finds mesos.so on its LUA_CPATH

local testing = require "mesos.testing"

local SCRIPT = (debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "pack.lua"

-- How many tasks came to which of two agents, and the test.
local function place(policy, count)
    local t = testing.load(SCRIPT, { args = { policy, tostring(count) } })
    t:register()
    t:offer({ agent_id = "large", cpus = 4, mem = 1024, ports = { { 31000, 31009 } } },
        { agent_id = "small", cpus = 1, mem = 128, ports = { { 31000, 31009 } } })
    local counts = {}
    for _, task in ipairs(t:launched()) do
        counts[task.agent_id] = (counts[task.agent_id] or 0) + 1
    end
    return counts, t
end

describe("pack.lua", function()
    it("fills the small agent with best_fit", function()
        assert.same({ small = 3 }, (place("best_fit", 3)))
    end)

    it("spreads with worst_fit", function()
        assert.same({ large = 2, small = 1 }, (place("worst_fit", 3)))
    end)

    it("gives back the offers that it has no use for", function()
        local _, t = place("best_fit", 3)
        assert.same({ "offer-1" }, t:declined())
    end)

    it("ends when all tasks have", function()
        local _, t = place("best_fit", 2)
        t:update("pack-1", "TASK_FINISHED")
        assert.equal("DRIVER_RUNNING", t:status())
        t:update("pack-2", "TASK_FINISHED")
        assert.equal("DRIVER_STOPPED", t:status())
    end)

    it("packs a whole cluster, where tasks last", function()
        local t = testing.load(SCRIPT, { args = { "best_fit", "30" } })
        t:cluster { agents = { { cpus = 1, mem = 256, ports = { { 31000, 31099 } }, count = 4 } }, runtime = 60 }
        t:register()
        t:advance(200)
        assert.equal(30, #t:launched())
        assert.equal("DRIVER_STOPPED", t:status())
    end)
end)
