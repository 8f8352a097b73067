-- SPDX-License-Identifier: Apache-2.0
--
-- host/base: error texts, the log's levels, buffers with a cap.

local internals = require("internals")

describe("an error", function()
    it("takes context in front", function()
        assert.equal("launch: task 1: no such field", (internals.error("no such field", "task 1", "launch")))
    end)

    it("is cut where it does not fit, and keeps its context", function()
        local text = internals.error(("x"):rep(5000), "context")
        assert.equal(1023, #text)
        assert.matches("^context: xxx", text)
    end)
end)

describe("the log", function()
    local lines = { { "debug", "d" }, { "info", "i" }, { "warning", "w" }, { "error", "e" } }

    for level, shown in pairs({
        debug = { "d", "i", "w", "e" }, info = { "i", "w", "e" }, warning = { "w", "e" }, error = { "e" }, quiet = {},
    }) do
        it("shows at level " .. level .. " what is at least as grave", function()
            assert.same(shown, (internals.log_lines(level, lines)))
        end)
    end

    it("knows levels by name in any case", function()
        assert.equal("warning", internals.log_level("WARNING"))
        assert.is_nil(internals.log_level("loud"))
    end)
end)

describe("a buffer", function()
    it("grows to its cap and stays as it was when it would pass it", function()
        local buffer = internals.buffer(10)
        assert.is_true(buffer:append("12345"))
        assert.is_true(buffer:append("67890"))
        assert.is_false(buffer:append("x"))
        assert.equal("1234567890", tostring(buffer))
        buffer:consume(4)
        assert.is_true(buffer:append("abcd"))
        assert.equal("567890abcd", tostring(buffer))
    end)

    it("formats, up to its cap", function()
        local buffer = internals.buffer(8)
        assert.is_true(buffer:format("port", 123))
        assert.is_false(buffer:format("port", 456))
        assert.equal("port:123", tostring(buffer))
    end)

    it("can be used again after it was freed", function()
        local buffer = internals.buffer(4)
        buffer:append("abc")
        buffer:free()
        assert.equal("", tostring(buffer))
        assert.is_true(buffer:append("xyz"))
        assert.equal("xyz", tostring(buffer))
    end)
end)

describe("an arena", function()
    it("has blocks of any size, each its own, and again after it was emptied", function()
        local sizes = {}
        for i = 1, 1000 do
            sizes[i] = i % 100 == 0 and i * 300 or i % 37 + 1
        end
        assert.is_true(internals.arena(sizes, 3))
        assert.is_true(internals.arena({ 1 }, 3))
        assert.is_true(internals.arena({ 8 << 10, 8, (8 << 10) - 8, 1 }, 3)) -- at the end of a chunk
        assert.is_true(internals.arena({ 4 << 20, 1 }, 3)) -- more than it keeps
        assert.is_true(internals.arena({}, 3))
    end)
end)
