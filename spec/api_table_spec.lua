-- SPDX-License-Identifier: Apache-2.0
--
-- The table of callbacks and operations in README.md is what the code makes of it, and the declarations for editors
-- have all of them as well.

local api_table = require("support.api_table")
local program = require("support.program")

describe("the table in README.md", function()
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
