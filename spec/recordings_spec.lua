-- SPDX-License-Identifier: Apache-2.0
--
-- Every recorded stream of a real master decodes to what its text shows, however its bytes arrive.

local cjson = require("cjson")
local recordings = require("support.recordings")
local internals = require("internals")
local splits = require("support.chunks")
local textformat = require("support.textformat")
local values = require("support.compare")

local EVENT = "mesos.v1.scheduler.Event"
local descriptors = internals.descriptors()

local function decode(pieces)
    local decoder, all = internals.recordio(), {}
    for _, piece in ipairs(pieces) do
        local records, message = decoder:feed(piece)
        for _, record in ipairs(assert(records, message)) do
            all[#all + 1] = record
        end
    end
    assert.is_true(decoder:whole())
    return all
end

local plain, difference = values.plain, values.difference

describe("the recording", function()
    for _, stream in ipairs(recordings.streams()) do
        local function check_frames(records)
            assert.equal(#stream.records, #records)
            for i, record in ipairs(records) do
                assert.equal(stream.records[i].length, #record)
            end
        end

        it(stream.name .. " is framed as its text says", function()
            local at = 0
            local records = decode({ stream.bytes })
            check_frames(records)
            for i, record in ipairs(records) do
                assert.equal(stream.records[i].offset, at)
                at = at + #tostring(#record) + 1 + #record
            end
        end)

        it(stream.name .. " gives the same records byte by byte and in random pieces", function()
            local records = decode({ stream.bytes })
            assert.same(records, decode(splits.bytewise(stream.bytes)))
            for seed, longest in ipairs({ 3, 17, 200, 4000 }) do
                assert.same(records, decode(splits.random(stream.bytes, longest, seed)))
            end
        end)

        if stream.json then
            it(stream.name .. " is JSON of the types that its text says", function()
                for i, record in ipairs(decode({ stream.bytes })) do
                    assert.equal(stream.records[i].type, cjson.decode(record).type)
                end
            end)
        else
            it(stream.name .. " decodes to the values that its text shows", function()
                for i, record in ipairs(decode({ stream.bytes })) do
                    local wanted = textformat.parse(descriptors, EVENT, stream.records[i].text)
                    local got = plain(internals.decode(EVENT, record))
                    assert.is_nil(difference(wanted, got, "record " .. i))
                end
            end)

            it(stream.name .. " encodes to the same values again", function()
                for i, record in ipairs(decode({ stream.bytes })) do
                    local value = plain(internals.decode(EVENT, record))
                    local again = plain(internals.decode(EVENT, internals.encode(EVENT, value)))
                    assert.is_nil(difference(value, again, "record " .. i))
                end
            end)
        end
    end
end)
