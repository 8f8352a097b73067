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

describe("the callbacks and operations of executors", function()
    local declared, document = program.read("lua/meta/mesos.lua"), program.read("spec/CALLBACKS.md"):match("\n## Executors\n.*")

    -- The names in a source file that the pattern finds.
    local function check(path, pattern, class)
        local count = 0
        for name in program.read(path):gmatch(pattern) do
            count = count + 1
            assert.is_truthy(declared:find(("\nfunction %s:%s("):format(class, name), 1, true), name)
            assert.is_truthy(document:find(("\n| `%s` |"):format(name), 1, true), name)
        end
        assert.is_true(count > 4)
    end

    it("are declared, and in spec/CALLBACKS.md", function()
        check("host/executor/executor_events.c", '%[EXECUTOR_[%u_]+%] = "(%a+)"', "Executor")
        check("bindings/executor/executor_methods.c", '\n    {"(%a+)", l_%a+}', "ExecutorDriver")
    end)
end)
