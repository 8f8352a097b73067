-- SPDX-License-Identifier: Apache-2.0
--
-- host/net/recordio: any split of the input gives the same records, and what is no RecordIO is refused with words.

local internals = require("internals")
local splits = require("support.chunks")

local function frame(records)
    local parts = {}
    for _, record in ipairs(records) do
        parts[#parts + 1] = #record .. "\n" .. record
    end
    return table.concat(parts)
end

-- Feeds the pieces; returns all records and whether the end is a boundary, or nil and the message.
local function decode(pieces, limit)
    local decoder, all = internals.recordio(limit), {}
    for _, piece in ipairs(pieces) do
        local records, message, before = decoder:feed(piece)
        for _, record in ipairs(records or before) do
            all[#all + 1] = record
        end
        if not records then
            return nil, message, all
        end
    end
    return all, decoder:whole()
end

local SMALL = {
    { "" }, { "a" }, { "", "" }, { "", "a", "" }, { "a\nb", "2\nxx", "\0\255" }, { ("x"):rep(10), ("y"):rep(11) },
}

describe("recordio", function()
    for i, records in ipairs(SMALL) do
        it(("takes input %d cut at any two points"):format(i), function()
            local bytes = frame(records)
            for first = 0, #bytes do
                for second = first, #bytes do
                    local pieces = { bytes:sub(1, first), bytes:sub(first + 1, second), bytes:sub(second + 1) }
                    local got, whole = decode(pieces)
                    assert.same(records, got)
                    assert.is_true(whole)
                end
            end
        end)
    end

    it("takes input byte by byte", function()
        for _, records in ipairs(SMALL) do
            assert.same(records, (decode(splits.bytewise(frame(records)))))
        end
    end)

    it("takes long input in random pieces", function()
        math.randomseed(1)
        local records = {}
        for i = 1, 200 do
            records[i] = ("%c"):rep(math.random(0, 3000), ""):gsub("%%c", function()
                return string.char(math.random(0, 255))
            end)
        end
        local bytes = frame(records)
        for seed = 1, 20 do
            assert.same(records, (decode(splits.random(bytes, 5000, seed))))
        end
    end)

    it("takes a length with leading zeros", function()
        for zeros = 1, 100 do
            assert.same({ "abc" }, (decode({ ("0"):rep(zeros) .. "3\nabc" })))
            assert.same({ "" }, (decode({ ("0"):rep(zeros) .. "\n" })))
        end
    end)

    it("knows where a stream may end", function()
        local bytes = frame({ "abc", "", "de" })
        local boundaries = { [0] = true, [5] = true, [7] = true, [11] = true }
        for cut = 0, #bytes do
            local _, whole = decode({ bytes:sub(1, cut) })
            assert.equal(boundaries[cut] or false, whole, "cut at " .. cut)
        end
    end)

    it("takes a record of exactly the limit and refuses one byte more", function()
        assert.same({ ("x"):rep(100) }, (decode({ "100\n" .. ("x"):rep(100) }, 100)))
        local got, message = decode({ "101\n" }, 100)
        assert.is_nil(got)
        assert.matches("101", message)
        assert.matches("100", message)
    end)

    it("refuses a huge length as soon as it is known, without taking memory for it", function()
        for _, length in ipairs({ "67108865", "99999999999", "18446744073709551616", ("9"):rep(300) }) do
            local got, message = decode(splits.bytewise(length .. "\n"))
            assert.is_nil(got, length)
            assert.is_string(message)
        end
        assert.equal(64 * 1024 * 1024, internals.RECORDIO_LIMIT)
    end)

    it("refuses a length line that does not end", function()
        local got, message = decode({ ("0"):rep(1000000) })
        assert.is_nil(got)
        assert.is_string(message)
    end)

    for name, bytes in pairs({
        ["a letter"] = "x\n", ["an empty line"] = "\n", ["a sign"] = "-1\n", ["a plus"] = "+1\nx",
        ["a blank"] = " 1\nx", ["a blank behind"] = "1 \nx", ["CR LF"] = "1\r\nx", ["hex"] = "0x1\nx",
        ["a fraction"] = "1.5\nx", ["HTML"] = "<html>", ["a zero byte"] = "\0", ["a high byte"] = "\255\254",
    }) do
        it("refuses " .. name .. " in place of a length", function()
            for _, pieces in ipairs({ { bytes }, splits.bytewise(bytes) }) do
                local got, message, before = decode(pieces)
                assert.is_nil(got)
                assert.matches("%S", message)
                assert.same({}, before)
            end
        end)
    end

    it("gives the records before the garbage, then stays bad", function()
        local decoder = internals.recordio()
        local got, message, before = decoder:feed("1\nagarbage")
        assert.is_nil(got)
        assert.same({ "a" }, before)
        local again, same_message = decoder:feed("1\nb")
        assert.is_nil(again)
        assert.equal(message, same_message)
        assert.is_false(decoder:whole())
    end)
end)
