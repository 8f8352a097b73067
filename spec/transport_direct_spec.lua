-- SPDX-License-Identifier: Apache-2.0
--
-- host/mesos/transport_direct between a user and a peer that are a few functions: the contract of transport.h, in
-- particular that nothing is called inside a call, whatever closes, opens or destroys in which callback.

local internals = require("internals")

describe("the transport by direct call", function()
    local direct, told, does

    local function note(name)
        return function(text, more)
            told[#told + 1] = name .. (more and ":" .. text .. ":" .. more or text ~= "" and ":" .. text or "")
            if does[name] then
                return does[name](text)
            end
        end
    end

    local function notes()
        local list = told
        told = {}
        return list
    end

    local function reply(status, body, unsent)
        told[#told + 1] = ("reply:%d%s%s"):format(status, body ~= "" and ":" .. body or "",
            unsent and ":unsent " .. unsent or "")
        if does.reply then
            does.reply()
        end
    end

    local function accepted()
        assert.is_true(direct:open("S"))
        direct:advance()
        direct:accept()
        direct:advance()
        notes()
    end

    before_each(function()
        direct = nil
        collectgarbage() -- those of earlier tests tell of their end now
        told, does = {}, {}
        local functions = {}
        for _, name in ipairs { "accepted", "record", "refused", "ended", "subscribe", "call", "closed", "destroyed" } do
            functions[name] = note(name)
        end
        direct = internals.direct(functions)
    end)

    it("tells the peer of a stream after open() has returned, and the user of the answer in a turn", function()
        assert.is_true(direct:open("S"))
        assert.same({}, notes())
        direct:advance()
        assert.same({ "subscribe:S" }, notes())
        assert.is_true(direct:asked())
        direct:accept()
        direct:event("e1")
        direct:event("e2")
        assert.same({}, notes())
        direct:advance()
        assert.same({ "accepted", "record:e1", "record:e2" }, notes())
        assert.is_false(direct:asked())
    end)

    it("takes an answer inside of subscribe()", function()
        does.subscribe = function()
            direct:accept()
            direct:event("e")
        end
        direct:open("S")
        direct:advance()
        assert.same({ "subscribe:S", "accepted", "record:e" }, notes())
    end)

    it("reports a refusal, and can be opened again in it", function()
        does.subscribe = function()
            direct:refuse(503, "not yet")
        end
        does.refused = function()
            does.subscribe = nil
            assert.is_true(direct:open("again"))
        end
        direct:open("S")
        direct:advance()
        assert.same({ "subscribe:S", "refused:503:not yet", "subscribe:again" }, notes())
    end)

    it("opens one stream at a time", function()
        direct:open("S")
        local good, message = direct:open("S")
        assert.is_false(good)
        assert.equal("a stream is open already", message)
    end)

    it("keeps the order of calls and answers each of them later", function()
        accepted()
        does.call = function(text)
            if text == "b" then
                return 403, "no"
            end
        end
        direct:send("a", reply)
        direct:send("b", reply)
        direct:send("c")
        assert.same({}, notes())
        direct:advance()
        assert.same({ "call:a", "reply:202", "call:b", "reply:403:no", "call:c" }, notes())
        assert.equal(0, direct:waiting())
    end)

    it("delivers what a call leads to behind its answer", function()
        accepted()
        does.call = function()
            direct:event("e")
        end
        does.record = function()
            direct:send("second", reply)
            does.call = nil
        end
        direct:send("first", reply)
        direct:advance()
        assert.same({ "call:first", "reply:202", "record:e", "call:second", "reply:202" }, notes())
    end)

    it("answers calls without a stream with status 0", function()
        direct:send("a", reply)
        direct:advance()
        assert.same({ "reply:0:there is no subscription:unsent a" }, notes())
        accepted()
        direct:finish("gone")
        direct:send("b", reply)
        direct:advance()
        assert.same({ "reply:0:there is no subscription:unsent b", "ended:gone" }, notes())
    end)

    it("answers what waits when it is closed, and delivers nothing any more", function()
        accepted()
        direct:send("a", reply)
        direct:event("e")
        direct:close()
        assert.same({ "closed", "reply:0:the stream was closed before the call was sent:unsent a" }, notes())
        direct:event("late")
        direct:advance()
        assert.same({}, notes())
    end)

    it("keeps a call that is made in the answer to one that was dropped", function()
        accepted()
        direct:send("a", reply)
        does.reply = function()
            does.reply = nil
            direct:open("S2")
            direct:send("b", reply)
        end
        direct:close()
        notes()
        does.subscribe = function()
            direct:accept()
        end
        direct:advance()
        assert.same({ "subscribe:S2", "call:b", "reply:202", "accepted" }, notes())
    end)

    it("ends a stream once, also one that was not answered", function()
        accepted()
        direct:finish("first")
        direct:finish("second")
        direct:advance()
        assert.same({ "ended:first" }, notes())
        direct:close()
        direct:open("S")
        direct:advance()
        direct:finish("cut")
        direct:advance()
        assert.same({ "subscribe:S", "refused:0:cut" }, notes())
    end)

    it("holds events back while it is paused", function()
        accepted()
        direct:pause(true)
        direct:event("e1")
        direct:finish("over")
        direct:send("a", reply)
        direct:advance()
        assert.same({ "reply:0:there is no subscription:unsent a" }, notes())
        direct:pause(false)
        direct:advance()
        assert.same({ "record:e1", "ended:over" }, notes())
    end)

    it("stops between two events when it is paused in the first", function()
        accepted()
        does.record = function()
            direct:pause(true)
        end
        direct:event("e1")
        direct:event("e2")
        direct:advance()
        assert.same({ "record:e1" }, notes())
    end)

    it("drops a SUBSCRIBE that was closed before the peer saw it", function()
        direct:open("S")
        direct:close()
        direct:advance()
        assert.same({}, notes())
    end)

    for _, where in ipairs { "accepted", "record", "refused", "ended", "subscribe", "call", "reply" } do
        it("may be destroyed inside of " .. where, function()
            if where ~= "accepted" and where ~= "refused" and where ~= "subscribe" then
                accepted()
            else
                direct:open("S")
            end
            does.subscribe = function()
                if where == "refused" then
                    direct:refuse(400, "no")
                else
                    direct:accept()
                end
            end
            does[where] = function()
                direct:destroy()
            end
            if where == "ended" then
                direct:finish("over")
            elseif where == "record" then
                direct:event("e")
                direct:event("never")
            else
                direct:send("a", reply)
            end
            direct:advance()
            local times = 0
            for _, what in ipairs(notes()) do
                times = times + (what == "destroyed" and 1 or 0)
                assert.not_equal("record:never", what)
            end
            assert.equal(1, times)
            assert.has_error(function()
                direct:advance()
            end, "calling 'advance' on bad self (the transport was destroyed)")
        end)
    end
end)
