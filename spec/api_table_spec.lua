-- SPDX-License-Identifier: Apache-2.0
--
-- The tables of callbacks and operations in spec/CALLBACKS.md are what spec/support/api_table.lua makes of the code, and
-- the declarations for editors have all of them too.

local api_table = require("support.api_table")
local program = require("support.program")

describe("the tables in spec/CALLBACKS.md", function()
    it("is current", function()
        assert.equal(api_table.text(), (api_table.current()), "run lua5.4 spec/support/api_table.lua")
    end)
end)

describe("lua/meta/mesos.lua", function()
    local text = program.read("lua/meta/mesos.lua")

    it("declares every callback", function()
        for _, row in ipairs(api_table.callbacks()) do
            assert.is_truthy(text:find("\nfunction Scheduler:" .. row.name .. "(", 1, true), row.name)
        end
    end)

    it("declares every operation", function()
        for _, row in ipairs(api_table.operations()) do
            assert.is_truthy(text:find("\nfunction SchedulerDriver:" .. row.name .. "(", 1, true), row.name)
        end
    end)
end)
