-- SPDX-License-Identifier: Apache-2.0
--
-- The subscription against the clock, in virtual time: how long it waits, when it gives a stream up, and that one loss
-- leads to one new try.

local rooms = require("rooms")

local HOUR = 3600

local function event(value)
    return rooms.encode("mesos.v1.scheduler.Event", value)
end

local HEARTBEAT = event({ type = "HEARTBEAT" })

local function subscribed_event(interval)
    return event({ type = "SUBSCRIBED", subscribed = { framework_id = "f", heartbeat_interval_seconds = interval } })
end

-- The log as a list of { time =, what = }.
local function lines(s)
    local list = {}
    for time, what in s:log():gmatch("([%d.]+) ([^\n]*)\n") do
        list[#list + 1] = { time = tonumber(time), what = what }
    end
    return list
end

local function words(s)
    local list = {}
    for i, line in ipairs(lines(s)) do
        list[i] = line.what
    end
    return table.concat(list, "; ")
end

local function started(options)
    local s = rooms.subscription(options or {})
    s:start()
    s:leader("http://one:5050")
    return s
end

local function subscribed(options)
    local s = started(options)
    s:accepted()
    s:record(subscribed_event(options and options.interval or 15.0))
    s:log()
    return s
end

-- The waits between the end of a try and the next one, of so many tries that fail at once.
local function waits(s, tries)
    local list = {}
    s:log()
    for i = 1, tries do
        s:refused(503, "no")
        local before = s:log()
        assert(not before:find("open"))
        local elapsed = 0
        repeat
            s:advance(0.01)
            elapsed = elapsed + 0.01
            local log = s:log()
        until log:find("open")
        list[i] = elapsed
    end
    return list
end

describe("a subscription's delays", function()
    it("are random up to a bound that doubles and has a cap", function()
        local longest = {}
        for seed = 1, 40 do
            for i, wait in ipairs(waits(started({ seed = seed }), 8)) do
                assert.is_true(wait <= math.min(2 * 2 ^ (i - 1), 60) + 0.02, ("wait %d of seed %d: %g"):format(i, seed, wait))
                longest[i] = math.max(longest[i] or 0, wait)
            end
        end
        for i = 1, 8 do
            assert.is_true(longest[i] > 0.6 * math.min(2 * 2 ^ (i - 1), 60), ("%d: %g"):format(i, longest[i]))
        end
    end)

    it("keep to a smaller cap, and never overflow", function()
        for _, wait in ipairs(waits(started({ seed = 3, backoff_max = 0.5 }), 100)) do
            assert.is_true(wait <= 0.52)
        end
    end)

    it("begin anew only when SUBSCRIBED has come", function()
        local s = started({ seed = 5 })
        waits(s, 12)
        s:accepted()
        s:ended("gone") -- accepted, but no SUBSCRIBED
        s:advance(60)
        s:accepted()
        s:record(subscribed_event(15.0))
        s:ended("gone")
        s:log()
        s:advance(2.01)
        assert.equal("open http://one:5050", words(s))
    end)

    it("differ from one instance to the next", function()
        local seen = {}
        for seed = 1, 20 do
            seen[waits(started({ seed = seed }), 1)[1]] = true
        end
        local count = 0
        for _ in pairs(seen) do
            count = count + 1
        end
        assert.is_true(count > 10)
    end)

    it("are waited before the first try at a new leader as well", function()
        local opened = 0
        for seed = 1, 20 do
            local s = subscribed({ seed = seed })
            s:leader("http://two:5050")
            assert.equal("close; lost: the leading master is now http://two:5050", words(s))
            s:advance(2.01)
            assert.equal("open http://two:5050", words(s))
            opened = opened + 1
        end
        assert.equal(20, opened)
    end)

    it("go on for ever", function()
        local s = started({ seed = 9 })
        local waited = waits(s, 300)
        assert.equal(300, #waited)
    end)
end)

describe("a subscription's watchdog", function()
    it("gives a connection up that is not answered", function()
        local s = started()
        assert.equal("open http://one:5050", words(s))
        s:advance(31.9)
        assert.equal("", words(s))
        s:advance(0.1)
        assert.equal("close; look again", words(s))
    end)

    it("gives a stream up that has no first record", function()
        local s = started()
        s:accepted()
        s:log()
        s:advance(31.9)
        assert.equal("", words(s))
        s:advance(0.2)
        assert.equal("close; look again", words(s))
    end)

    it("gives a stream up after five silent intervals, not before", function()
        local s = subscribed()
        s:advance(76.9)
        assert.equal("", words(s))
        s:advance(0.2)
        assert.equal("close; look again; lost: no heartbeat or other event in 75 seconds", words(s))
    end)

    it("is content with a heartbeat every 15 seconds, for hours", function()
        local s = subscribed()
        for _ = 1, 4 * HOUR / 15 do
            s:advance(15)
            s:record(HEARTBEAT)
        end
        assert.equal("", words(s))
    end)

    it("is content with any other record", function()
        local s = subscribed()
        for _ = 1, 20 do
            s:advance(70)
            s:record(event({ type = "FAILURE", failure = { agent_id = "a" } }))
        end
        assert.equal(("record; "):rep(20):sub(1, -3), words(s))
    end)

    it("takes the interval that SUBSCRIBED names, and 15 seconds where it names none", function()
        local s = subscribed({ interval = 1.0 })
        s:advance(6.9)
        assert.equal("", words(s))
        s:advance(0.2)
        assert.matches("lost: no heartbeat or other event in 5 seconds", words(s))
        s = started()
        s:accepted()
        s:record(event({ type = "SUBSCRIBED", subscribed = { framework_id = "f" } }))
        s:log()
        s:advance(76)
        assert.equal("", words(s))
    end)

    it("does not bark at a heartbeat that comes before SUBSCRIBED", function()
        local s = started()
        s:accepted()
        s:record(HEARTBEAT)
        s:record(subscribed_event(15.0))
        assert.equal("open http://one:5050; record", words(s))
    end)
end)

describe("a subscription", function()
    it("opens one stream for each loss, whatever comes at once", function()
        local s = subscribed()
        for _ = 1, 200 do
            s:ended("gone")
            s:renew()
            s:leader("http://one:5050")
            s:advance(3)
            local opened = select(2, s:log():gsub("open", ""))
            assert.equal(1, opened)
            s:accepted()
            s:record(subscribed_event(15.0))
        end
        s:log()
        s:advance(70)
        assert.equal("", words(s))
    end)

    it("follows a redirect at once, and not for ever", function()
        local s = started()
        for i = 1, 5 do
            s:log()
            s:refused(307, "", "http://m" .. i .. ":5050")
            s:advance(0)
            assert.equal("close; open http://m" .. i .. ":5050", words(s))
        end
        s:refused(307, "", "http://m6:5050")
        s:advance(0)
        assert.equal("close; look again", words(s))
    end)

    it("waits for a leader when there is none, without a try", function()
        local s = subscribed()
        s:leader(nil)
        assert.equal("close; lost: no master leads", words(s))
        s:advance(HOUR)
        assert.equal("", words(s))
        s:leader("http://two:5050")
        s:advance(2.01)
        assert.equal("open http://two:5050", words(s))
    end)

    it("ends for good with 400, 401 and 403, the latter two only before it was ever subscribed", function()
        for status, final in pairs({ [400] = true, [401] = false, [403] = false }) do
            local s = started()
            s:log()
            s:refused(status, "no")
            assert.matches("failed: SUBSCRIBE was answered with HTTP status " .. status .. ": no", words(s))
            s = subscribed()
            s:ended("gone")
            s:advance(3)
            s:log()
            s:refused(status, "no")
            assert.equal(final, words(s):find("failed") ~= nil, "status " .. status)
        end
    end)

    it("is silent after it was stopped", function()
        local s = subscribed()
        s:stop()
        s:log()
        s:advance(HOUR)
        assert.equal("", words(s))
    end)
end)
