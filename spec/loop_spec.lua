-- SPDX-License-Identifier: Apache-2.0
--
-- host/loop with the virtual clock: timers and deferrals are called when, and in the order in which, the header says.

local internals = require("internals")

local SECOND = 1000000000

describe("the virtual loop", function()
    local loop, calls

    local function note(name)
        return function()
            calls[#calls + 1] = name .. "@" .. loop:now() / SECOND
        end
    end

    before_each(function()
        loop, calls = internals.virtual_loop(1000), {}
    end)

    it("stands still until it is advanced", function()
        loop:after(0, note("a"))
        assert.equal(0, loop:now())
        assert.same({}, calls)
        loop:advance(1.5)
        assert.equal(1.5 * SECOND, loop:now())
        assert.equal(1001.5, loop:wall())
    end)

    it("calls each timer at its own moment", function()
        loop:after(3, note("c"))
        loop:after(1, note("a"))
        loop:after(2, note("b"))
        loop:advance(2)
        assert.same({ "a@1.0", "b@2.0" }, calls)
        loop:advance(10)
        assert.same({ "a@1.0", "b@2.0", "c@3.0" }, calls)
        assert.equal(12 * SECOND, loop:now())
    end)

    it("calls timers of the same moment in the order in which they were started", function()
        local wanted = {}
        for i = 1, 100 do
            loop:after(1, note("t" .. i))
            wanted[i] = "t" .. i .. "@1.0"
        end
        loop:advance(1)
        assert.same(wanted, calls)
    end)

    it("keeps the order of a thousand timers of random delays", function()
        math.randomseed(7)
        local last = -1
        for _ = 1, 1000 do
            loop:after(math.random(), function()
                assert(loop:now() >= last)
                last = loop:now()
                calls[#calls + 1] = true
            end)
        end
        loop:advance(1)
        assert.equal(1000, #calls)
        assert.is_nil(loop:due())
    end)

    it("restarts a timer: it comes once, later, behind those started before", function()
        local first = loop:after(1, note("first"))
        loop:after(2, note("second"))
        first:restart(2)
        loop:advance(5)
        assert.same({ "second@2.0", "first@2.0" }, calls)
    end)

    it("cancels timers and deferrals, also inside a callback, also of their own", function()
        local victim, own
        loop:after(1, function()
            victim:cancel()
        end)
        victim = loop:after(1, note("victim"))
        own = loop:after(2, function()
            own:cancel()
            calls[#calls + 1] = "own"
        end)
        local deferred = loop:defer(note("deferred"))
        deferred:cancel()
        deferred:cancel()
        loop:advance(3)
        assert.same({ "own" }, calls)
        assert.is_false(own:active())
    end)

    it("lets a timer start itself again", function()
        local timer
        timer = loop:after(1, function()
            calls[#calls + 1] = loop:now() / SECOND
            if #calls < 3 then
                timer:restart(1)
            end
        end)
        loop:advance(10)
        assert.same({ 1.0, 2.0, 3.0 }, calls)
    end)

    it("calls what a callback starts with no delay in a turn of its own, at the same moment", function()
        local again
        again = loop:after(1, function()
            calls[#calls + 1] = "timer"
            if #calls < 5 then
                again:restart(0)
            end
        end)
        loop:after(1, note("other"))
        loop:advance(1)
        assert.same({ "timer", "other@1.0", "timer", "timer", "timer" }, calls)
    end)

    it("calls what was due in the past before what was due later, though that was started first", function()
        local late
        late = loop:after(1, function()
            calls[#calls + 1] = "timer"
            if #calls < 3 then
                late:restart_at(0.2 * #calls)
            end
        end)
        loop:after(1, note("other"))
        loop:advance(1)
        assert.same({ "timer", "timer", "timer", "other@1.0" }, calls)
    end)

    it("calls deferred functions in order, without time passing, and once", function()
        local a = loop:defer(note("a"))
        loop:defer(note("b"))
        a:queue()
        assert.equal(0, loop:due())
        loop:advance(0)
        assert.same({ "a@0.0", "b@0.0" }, calls)
        assert.is_nil(loop:due())
    end)

    it("calls what a deferred function queues in the next round", function()
        local rounds = 0
        local deferred
        deferred = loop:defer(function()
            rounds = rounds + 1
            if rounds < 4 then
                deferred:queue()
            end
        end)
        loop:advance(0)
        assert.equal(4, rounds)
    end)

    it("says when it is due", function()
        assert.is_nil(loop:due())
        loop:after(5, note("a"))
        loop:after(2, note("b"))
        assert.equal(2 * SECOND, loop:due())
        loop:advance(2)
        assert.equal(5 * SECOND, loop:due())
    end)

    it("takes delays that are no delays", function()
        assert.equal(0, internals.seconds(-1))
        assert.equal(0, internals.seconds(0 / 0))
        assert.equal(0, internals.seconds(-math.huge))
        assert.equal(internals.seconds(1e300), internals.seconds(math.huge))
        assert.is_true(internals.seconds(math.huge) > 99 * 365 * 86400 * SECOND)
        assert.equal(1500000000, internals.seconds(1.5))
        loop:after(math.huge, note("never"))
        loop:advance(86400 * 365)
        assert.same({}, calls)
    end)

    it("survives the collection of everything that waits", function()
        for _ = 1, 50 do
            loop:after(1, note("a"))
        end
        loop = nil
        collectgarbage()
        collectgarbage()
    end)
end)
