-- SPDX-License-Identifier: Apache-2.0
--
-- spec/README.md is complete: each spec file is in one of its tables, each room of the include check has a row, and
-- each file that it links exists.

local program = require("support.program")

local function has_line(text, start)
    return ("\n" .. text):find("\n" .. start, 1, true) ~= nil
end

describe("spec/README.md", function()
    local text = program.read("spec/README.md")

    after_each(program.cleanup)

    it("names every spec", function()
        local missing = {}
        local list = program.run({ path = "/usr/bin/find", args = { "spec", "-name", "*_spec.lua" } }).stdout
        for path in list:gmatch("spec/([^\n]+)") do
            if not text:find("](" .. path .. ")", 1, true) then
                missing[#missing + 1] = path
            end
        end
        assert.same({}, missing)
    end)

    it("has a row for every room", function()
        local rooms = program.read("spec/support/includes.lua"):match("\nlocal ROOMS = (%b{})")
        local count, missing = 0, {}
        for room in rooms:gmatch('\n    { "([%w/]+)"') do
            count = count + 1
            if not has_line(text, "| `" .. room .. "` |") then
                missing[#missing + 1] = room
            end
        end
        assert.is_true(count > 20)
        assert.same({}, missing)
    end)

    it("links files that exist", function()
        local missing = {}
        for path in text:gmatch("%]%(([%w_/]+%.%w+)%)") do
            if not program.read("spec/" .. path) then
                missing[#missing + 1] = path
            end
        end
        assert.same({}, missing)
    end)
end)
