-- SPDX-License-Identifier: Apache-2.0
--
-- The declarations for editors are current: those of the messages are what spec/support/meta.lua makes of the
-- descriptors, and all of lua/meta is Lua.

local meta = require("support.meta")
local program = require("support.program")
local internals = require("internals")

describe("lua/meta", function()
    it("declares the messages as they are", function()
        assert.equal(meta.text(internals.descriptors()), program.read("lua/meta/messages.lua"),
            "run spec/support/meta.lua again, as its head says")
    end)

    it("is Lua", function()
        assert(loadfile("lua/meta/mesos.lua"))
        assert(loadfile("lua/meta/messages.lua"))
    end)
end)
