-- SPDX-License-Identifier: Apache-2.0
--
-- The declarations for editors are current: those of the messages are what spec/support/meta.lua makes of the
-- descriptors, and all of lua/meta is Lua. The modules of the library are documented where they are written.

local documentation = require("support.documentation")
local lfs = require("lfs")
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

describe("lua/mesos", function()
    local function texts(folder, set)
        for name in lfs.dir(folder) do
            if name:find("%.lua$") then
                set[folder .. "/" .. name] = program.read(folder .. "/" .. name)
            end
        end
        return set
    end

    local modules, types = texts("lua/mesos", {}), {}
    for _, text in pairs(texts("lua/meta", texts("lua/mesos", {}))) do
        documentation.declared(text, types)
    end

    it("documents each public function, with the types of what it takes and returns", function()
        assert.is_truthy(next(modules))
        for path, text in pairs(modules) do
            assert.same({}, documentation.faults(path, text, types))
        end
    end)

    local faults = {
        { "no text", "---@param a integer\n", "f has no text" },
        { "a parameter without a type", "-- Text.\n", "the parameter 'a' of M.f has no ---@param" },
        { "a parameter that is not there", "-- Text.\n---@param a integer\n---@param b integer\n", "M.f has no parameter 'b'" },
        { "a value without a type", "-- Text.\n---@param a integer\n", "M.f has no ---@return", "return a" },
        { "a type of no value", "-- Text.\n---@param a integer\n---@return integer\n", "M.f returns nothing" },
        { "a type that is declared nowhere", "-- Text.\n---@param a mesos.Nothing\n", "the type mesos.Nothing is declared nowhere" },
    }
    for _, row in ipairs(faults) do
        it("would notice " .. row[1], function()
            local text = ("---@class mesos.x\nlocal M = {}\n\n%sfunction M.f(a)\n    %s\nend\n"):format(row[2], row[4] or "g(a)")
            local list = documentation.faults("x.lua", text, { ["mesos.x"] = true })
            assert.equal(1, #list)
            assert.is_truthy(list[1]:find(row[3], 1, true), list[1])
        end)
    end
end)
