-- SPDX-License-Identifier: Apache-2.0
--
-- host/mesos/subscription in virtual time, between a scripted detector and a scripted transport: when it retries,
-- when silence counts as a loss, which leader it follows, and when it gives up.

local internals = require("internals")

local EVENT = "mesos.v1.scheduler.Event"
local A, B, C = "http://a:5050", "http://b:5050", "http://c:5050"

local function event(fields)
    return internals.encode(EVENT, fields)
end

local function subscribed(interval)
    return event {
        type = "SUBSCRIBED", subscribed = { framework_id = "f", heartbeat_interval_seconds = interval or 15.0 },
    }
end

local HEARTBEAT = event { type = "HEARTBEAT" }
local RESCIND = event { type = "RESCIND", rescind = { offer_id = "o" } }
local ERROR = event { type = "ERROR", error = { message = "no" } }

-- The notes since the last time as "what" or "what:text", times and records' contents left out.
local function told(s)
    local words = {}
    for i, note in ipairs(s:notes()) do
        words[i] = (note.text == "" or note.what == "record") and note.what or note.what .. ":" .. note.text
    end
    return words
end

-- Lets time pass until the next try; returns how long that was.
local function wait_for_try(s)
    local before = s:now()
    repeat
        s:advance(0.02)
        for _, note in ipairs(s:notes()) do
            if note.what == "open" then
                return note.at - before
            end
        end
    until s:now() - before > 100
    error("no further try")
end

-- Seeds that are far apart, as those of the system are.
local function seeds(count)
    local i = 0
    return function()
        i = i + 1
        return i <= count and i * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFF or nil
    end
end

local function connecting(options)
    local s = internals.subscription(options or {})
    s:start()
    s:leader(A)
    assert.same({ "detect", "open:" .. A }, told(s))
    return s
end

local function live(options, interval)
    local s = connecting(options)
    s:accept()
    s:record(subscribed(interval))
    assert.same({ "record" }, told(s))
    assert.equal("subscribed", s:state())
    return s
end

local function delay_of(s)
    s:refuse(503, "busy")
    return wait_for_try(s)
end

describe("a subscription", function()
    it("finds the leader, subscribes, and hands over what follows, but for heartbeats", function()
        local s = internals.subscription {}
        s:start()
        assert.equal("detecting", s:state())
        s:advance(1000)
        s:leader(A)
        assert.equal("connecting", s:state())
        s:accept()
        assert.equal("subscribing", s:state())
        s:record(HEARTBEAT)
        s:record(subscribed())
        s:record(HEARTBEAT)
        s:record(RESCIND)
        assert.same({ "detect", "open:" .. A, "record", "record" }, told(s))
    end)

    it("hands nothing over before SUBSCRIBED", function()
        local s = connecting()
        s:accept()
        s:record(RESCIND)
        assert.same({}, told(s))
    end)
end)

describe("the delay before the next try", function()
    it("is anything below a bound that doubles up to a minute", function()
        local most, least = {}, {}
        for seed in seeds(200) do
            local s = connecting { seed = seed }
            for try = 1, 8 do
                local delay = delay_of(s)
                most[try] = math.max(most[try] or 0, delay)
                least[try] = math.min(least[try] or 1e9, delay)
            end
        end
        for try, bound in ipairs { 2, 4, 8, 16, 32, 60, 60, 60 } do
            assert.is_true(most[try] <= bound and most[try] > 0.9 * bound, ("%d: %g"):format(try, most[try]))
            assert.is_true(least[try] < 0.1 * bound, ("%d: %g"):format(try, least[try]))
        end
    end)

    it("has the cap that it was given", function()
        for seed in seeds(50) do
            local s = connecting { seed = seed, backoff_max = 0.5 }
            for _ = 1, 5 do
                assert.is_true(delay_of(s) <= 0.5)
            end
        end
    end)

    it("grows also over streams that are cut soon for an event that is too long or malformed", function()
        for _, cut in ipairs {
            function(s) s:end_stream("record length of at most 64 bytes expected", true) end,
            function(s) s:record("\255") end,
        } do
            local most = {}
            for seed in seeds(100) do
                local s = live({ seed = seed })
                for try = 1, 7 do
                    s:record(RESCIND)
                    s:advance(1)
                    cut(s)
                    most[try] = math.max(most[try] or 0, wait_for_try(s))
                    s:accept()
                    s:record(subscribed())
                end
                s:advance(16)
                s:record(HEARTBEAT)
                cut(s)
                most.later = math.max(most.later or 0, wait_for_try(s))
            end
            for try, bound in pairs { 2, 4, 8, 16, 32, 60, 60, later = 2 } do
                assert.is_true(most[try] <= bound and most[try] > 0.8 * bound, ("%s: %g"):format(try, most[try]))
            end
        end
        local s = live()
        s:end_stream("record length of at most 64 bytes expected", true)
        assert.same({ "close", "retry",
            "lost:the master sent an event that is too long (--record-limit): record length of at most 64 bytes expected",
        }, (function()
            local words = told(s)
            table.sort(words, function(a, b) return #a < #b end)
            return words
        end)())
    end)

    it("starts again only with SUBSCRIBED", function()
        local most = { [true] = 0, [false] = 0 }
        for _, good in ipairs { true, false } do
            for seed in seeds(100) do
                local s = connecting { seed = seed }
                for _ = 1, 5 do
                    delay_of(s)
                end
                s:accept()
                s:record(good and subscribed() or HEARTBEAT)
                s:end_stream("gone")
                most[good] = math.max(most[good], wait_for_try(s))
            end
        end
        assert.is_true(most[true] <= 2 and most[true] > 1.5, most[true])
        assert.is_true(most[false] <= 60 and most[false] > 50, most[false])
    end)

    it("is that of any failure", function()
        local s = connecting()
        s:refuse_to_open(true)
        s:refuse(503, "")
        s:advance(200)
        local tries = #s:notes()
        assert.is_true(tries > 5 and tries < 60, tries)
        s:refuse_to_open(false)
        wait_for_try(s)
        assert.equal("connecting", s:state())
    end)
end)

describe("the watchdog", function()
    it("takes five missed intervals and a grace for a loss", function()
        for _, interval in ipairs { 15.0, 0.2 } do
            local s = live(nil, interval)
            s:advance(5 * interval + 1.9)
            assert.same({}, told(s))
            s:advance(0.2)
            assert.same({
                "close", "retry", ("lost:no heartbeat or other event in %g seconds"):format(5 * interval),
            }, { table.unpack(told(s), 1, 3) })
        end
    end)

    it("is calmed by any record, in the grace as well", function()
        local s = live()
        for _ = 1, 10 do
            s:advance(76)
            s:record(HEARTBEAT)
            s:advance(76)
            s:record(RESCIND)
        end
        assert.equal("subscribed", s:state())
        s:advance(78)
        assert.is_not.equal("subscribed", s:state())
    end)

    it("takes a master's word for the interval only if it makes sense", function()
        for _, interval in ipairs { 0.0, -1.0, 0 / 0, math.huge, 1e9 } do
            local s = live(nil, interval)
            s:advance(76)
            assert.equal("subscribed", s:state())
            s:advance(2)
            assert.is_not.equal("subscribed", s:state())
        end
    end)

    it("does not take its own silence for the master's", function()
        local s = live()
        s:pause(true)
        s:advance(1000)
        assert.equal("subscribed", s:state())
        s:pause(false)
        s:advance(76)
        assert.equal("subscribed", s:state())
        s:advance(2)
        assert.same({ "pause:on", "pause:off", "close", "retry" }, { table.unpack(told(s), 1, 4) })
    end)

    it("waits for the answer, and for SUBSCRIBED", function()
        local s = connecting { answer_deadline = 10 }
        s:advance(11.9)
        assert.equal("connecting", s:state())
        s:advance(0.2)
        assert.same({ "close", "retry" }, { table.unpack(told(s), 1, 2) })

        s = connecting { answer_deadline = 10 }
        s:advance(9)
        s:accept()
        s:advance(11.9)
        assert.equal("subscribing", s:state())
        s:advance(0.2)
        assert.same({ "close", "retry" }, { table.unpack(told(s), 1, 2) })
    end)
end)

describe("a redirect", function()
    it("is followed at once, five times in a row", function()
        local s = connecting()
        for i = 1, 5 do
            s:refuse(307, "", "http://m" .. i .. ":5050")
            s:advance(0)
            assert.same({ "close", "open:http://m" .. i .. ":5050" }, told(s))
        end
        s:refuse(307, "", "http://m6:5050")
        s:advance(0)
        assert.same({ "close", "retry" }, told(s))
        s:advance(2)
        assert.same({ "open:" .. A }, told(s))
    end)

    it("leads on for one try only", function()
        local s = connecting()
        s:refuse(307, "", B)
        s:advance(0)
        s:refuse(503, "")
        s:advance(2)
        assert.same({ "close", "open:" .. B, "close", "retry", "open:" .. A }, told(s))
    end)

    it("counts anew after each failure", function()
        local s = connecting()
        for _ = 1, 12 do
            s:refuse(307, "", B)
            s:advance(0)
            assert.same({ "close", "open:" .. B }, told(s))
            s:accept()
            s:end_stream("broken")
            wait_for_try(s)
        end
    end)

    it("to the master that leads next is not taken back", function()
        local s = connecting()
        s:refuse(307, "", B)
        s:advance(0)
        s:accept()
        s:record(subscribed())
        s:notes()
        s:leader(B)
        assert.equal("subscribed", s:state())
        s:end_stream("gone")
        s:advance(2)
        assert.same({ "close", "retry", "lost:gone", "open:" .. B }, told(s))
    end)
end)

describe("a new leader", function()
    it("is turned to after a delay, so that not all come at once", function()
        local most = 0
        for seed in seeds(100) do
            local s = live { seed = seed }
            s:leader(B)
            assert.same({ "close", "lost:the leading master is now " .. B }, told(s))
            most = math.max(most, wait_for_try(s))
        end
        assert.is_true(most > 1.5, most)
    end)

    it("that is the old one changes nothing", function()
        local s = live()
        s:leader(A)
        assert.same({}, told(s))
    end)

    it("is tried at once when the last one failed, and the delays begin anew", function()
        local s = live { backoff_max = 60 }
        s:end_stream("gone")
        for _ = 1, 8 do
            wait_for_try(s)
            s:refuse(503, "")
        end
        s:notes()
        s:leader(B)
        s:advance(0)
        assert.same({ "open:" .. B }, told(s))
        s:refuse(503, "")
        assert.is_true(wait_for_try(s) <= 2.1)
    end)

    it("that is only the next of a list replaces the one of the next try, and does not hurry it", function()
        local s = connecting()
        s:refuse(503, "")
        s:leader(B, true)
        s:leader(C, true)
        s:advance(0)
        assert.same({ "close", "retry" }, told(s))
        s:advance(2)
        assert.same({ "open:" .. C }, told(s))
    end)

    it("does not hurry those who have lost the old one this moment", function()
        local most = 0
        for seed in seeds(100) do
            local s = live { seed = seed }
            s:end_stream("gone")
            s:leader(B)
            s:notes()
            most = math.max(most, wait_for_try(s))
        end
        assert.is_true(most > 1.5, most)
    end)

    it("is waited for when there is none", function()
        local s = live()
        s:leader(nil)
        assert.same({ "close", "lost:no master leads" }, told(s))
        s:advance(1000)
        assert.same({}, told(s))
        s:leader(B)
        s:advance(2)
        assert.same({ "open:" .. B }, told(s))
    end)
end)

describe("a refusal", function()
    it("is final when repeating cannot mend it", function()
        for _, row in ipairs {
            { 400, "bad" }, { 401, "who?" }, { 403, "no" },
        } do
            local s = connecting()
            s:refuse(table.unpack(row))
            assert.equal("failed", s:state())
            assert.same({
                "close", ("failed:SUBSCRIBE was answered with HTTP status %d: %s"):format(row[1], row[2]),
            }, told(s))
            s:advance(1000)
            assert.same({}, told(s))
        end
    end)

    it("of credentials that were good before is not", function()
        for _, status in ipairs { 401, 403, 404, 500, 503 } do
            local s = live()
            s:end_stream("gone")
            s:advance(2)
            s:refuse(status, "")
            assert.equal("waiting", s:state())
        end
    end)
end)

describe("the end of a subscription", function()
    it("is an ERROR, which is handed over, and nothing follows", function()
        local s = live()
        s:record(ERROR)
        s:advance(1000)
        assert.same({ "close", "record" }, told(s))
        assert.equal("failed", s:state())
    end)

    it("is what the detector gives up on", function()
        local s = live()
        s:detector_failed("not found")
        s:advance(1000)
        assert.same({ "close", "failed:not found" }, told(s))
    end)

    it("is stop(), in every state and every event", function()
        for _, what in ipairs { "record", "lost", "failed" } do
            for _, reaction in ipairs { "stop", "drain", "renew" } do
                local s = live()
                s:react(what, reaction)
                if what == "record" then
                    s:record(RESCIND)
                elseif what == "lost" then
                    s:end_stream("gone")
                else
                    s:detector_failed("not found")
                end
                s:advance(50)
                s:stop()
                s:notes()
                s:advance(1000)
                assert.same({}, told(s))
                assert.equal("stopped", s:state())
            end
        end
    end)

    it("can wait for the answers of calls", function()
        local s = live()
        s:drain()
        s:record(RESCIND)
        s:record("garbage")
        s:advance(1000)
        s:renew("no more")
        s:end_stream("gone")
        assert.same({}, told(s))
        s:stop()
        assert.same({ "close" }, told(s))
    end)

    it("comes at once when nothing is to be waited for", function()
        local s = connecting()
        s:refuse(503, "")
        s:drain()
        assert.equal("stopped", s:state())
        s:notes()
        s:advance(1000)
        assert.same({}, told(s))
    end)

    it("is none when it is renewed", function()
        local s = live()
        s:renew("asked")
        assert.same({ "close", "retry", "lost:asked" }, told(s))
        s:renew("asked again")
        s:advance(2)
        assert.same({ "open:" .. A }, told(s))
    end)

    it("is lost once, also when answers come while it is closed", function()
        local s = live()
        s:react("close", "renew")
        s:end_stream("gone")
        assert.same({ "close", "retry", "lost:gone" }, told(s))
        assert.is_true(wait_for_try(s) <= 2)
    end)

    it("is none when the master sends garbage", function()
        local s = live()
        s:record("\8\4\x2a")
        local notes = told(s)
        assert.matches("^lost:the master sent an event that is malformed", notes[3])
        s:advance(2)
        assert.equal("connecting", s:state())
    end)
end)
