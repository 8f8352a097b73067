-- SPDX-License-Identifier: Apache-2.0
--
-- Messages made at random, and mutated: views, tables and protobuf-c agree on what is a message and what is in it. The
-- fuzz target spec/fuzz/view.c does the same for as long as one likes; SPEC_SEED chooses other messages here.

local oracle = require("support.view_oracle")
local internals = require("internals")

local EVENT, OFFER, STATUS = "mesos.v1.scheduler.Event", "mesos.v1.Offer", "mesos.v1.TaskStatus"
local INVERSE_OFFER = "mesos.v1.InverseOffer"

local first = tonumber(os.getenv("SPEC_SEED")) or 1

local function shown(type, bytes)
    return ("%s, seed %d: %s"):format(type, first, bytes:gsub(".", function(c)
        return ("%02x"):format(c:byte())
    end))
end

local function agree(type, bytes)
    local ok, verdict = pcall(internals.differential, type, bytes, oracle.check)
    if not ok then
        error(("%s\n%s"):format(verdict, shown(type, bytes)), 0)
    end
    return verdict
end

for type, rounds in pairs({ [OFFER] = 150, [STATUS] = 150, [EVENT] = 100, [INVERSE_OFFER] = 60 }) do
    describe("random messages of type " .. type, function()
        it("are the same in every way to read them", function()
            for seed = first, first + rounds - 1 do
                assert.is_true(agree(type, internals.generate(type, seed)))
            end
        end)

        it("are so after mutations, or refused by all", function()
            local taken, refused = 0, 0
            for seed = first, first + rounds - 1 do
                local bytes = internals.generate(type, seed)
                for step = 1, 6 do
                    bytes = internals.mutate(type, bytes, seed * 100 + step)
                    if agree(type, bytes) then
                        taken = taken + 1
                    else
                        refused = refused + 1
                    end
                end
            end
            assert.is_true(taken > rounds and refused > rounds, ("%d taken, %d refused"):format(taken, refused))
        end)
    end)
end

describe("a message in parts", function()
    local function bytes(number, content)
        return string.char(number << 3 | 2, #content) .. content
    end

    local head = internals.encode(OFFER, { id = "o1", framework_id = "f1", agent_id = "a1", hostname = "h" })

    it("is joined when it is received, however deep", function()
        local resource = bytes(1, "cpus") .. "\x10\0" .. bytes(3, "\x09" .. ("<d"):pack(2)) .. bytes(3, "")
        local event = "\8\3" .. bytes(3, bytes(1, head .. bytes(10, "") .. bytes(5, resource) .. bytes(10, bytes(1, "web")))) ..
            bytes(3, bytes(1, head))
        local accepted = assert(internals.accept(EVENT, event))
        local offers = internals.decode_plain(EVENT, accepted).offers.offers
        assert.equal(2, #offers)
        assert.same(internals.decode_plain(EVENT, event), internals.decode_plain(EVENT, accepted))
        local view = internals.view(OFFER, internals.encode(OFFER, offers[1]))
        assert.equal(2.0, view.cpus)
        assert.equal("web", view.allocation_info.role)
    end)

    it("is refused if its parts together lack what is required", function()
        local half = bytes(1, "x")
        local accepted, message = internals.accept(STATUS, bytes(1, half) .. "\x10\1" .. bytes(12, bytes(1, "")) .. bytes(12, bytes(1, "")))
        assert.is_nil(accepted)
        assert.equal("labels.labels[0].key: required field is missing", message)
        accepted, message = internals.accept(OFFER, head .. bytes(9, bytes(2, "\8\5")) .. bytes(9, ""))
        assert.is_nil(accepted)
        assert.equal("unavailability.start: required field is missing", message)
    end)

    it("is left as it is if there is one of each", function()
        local message = head .. "\xf8\x7f\5" .. bytes(5, bytes(1, "cpus") .. "\x10\0")
        assert.equal(message, internals.accept(OFFER, message))
    end)

    it("has the member of a oneof that came last", function()
        local type = "mesos.v1.Volume.Source.CSIVolume.VolumeCapability"
        local mode = bytes(3, "\8\1")
        assert.same({ mount = { fs_type = "y" }, access_mode = { mode = "SINGLE_NODE_WRITER" } },
            internals.decode_plain(type, internals.accept(type, bytes(2, bytes(1, "x") .. bytes(2, "f")) .. bytes(1, "") .. mode ..
                bytes(2, bytes(1, "y")))))
        local body = bytes(2, bytes(1, "x")) .. bytes(2, bytes(2, "f")) .. mode .. bytes(1, "")
        assert.same({ block = {}, access_mode = { mode = "SINGLE_NODE_WRITER" } },
            internals.decode_plain(type, internals.accept(type, body)))
    end)
end)

describe("an enum value", function()
    it("has 32 bits, however many are sent", function()
        local attribute = "\10\4rack\16\x83\x80\x80\x80\x10\42\4\10\2r1" -- 2^32 + TEXT
        local view = internals.view(OFFER, internals.encode(OFFER, { id = "o1", framework_id = "f1", agent_id = "a1", hostname = "h" }) ..
            "\58" .. string.char(#attribute) .. attribute)
        assert.equal("TEXT", view.attributes[1].type)
        assert.equal("r1", view:attribute("rack"))
        assert.equal(1, #internals.offers({ view }):filter({ attributes = { rack = "r1" } }))
    end)
end)

describe("calls that are unpacked quickly", function()
    local CALL = "mesos.v1.scheduler.Call"
    local types = {
        [CALL] = 300, ["mesos.v1.scheduler.Call.Accept"] = 150, ["mesos.v1.scheduler.Call.Decline"] = 150,
        ["mesos.v1.scheduler.Call.Acknowledge"] = 150, ["mesos.v1.Offer.Operation"] = 150, ["mesos.v1.TaskInfo"] = 150,
        ["mesos.v1.FrameworkInfo"] = 100, ["mesos.v1.executor.Call"] = 100,
        ["mesos.v1.Volume.Source.CSIVolume.VolumeCapability"] = 100,
    }

    local function unpack(type, bytes)
        local ok, verdict = pcall(internals.unpack, type, bytes)
        return ok and verdict or error(("%s\n%s"):format(verdict, shown(type, bytes)), 0)
    end

    local function bytes(number, content)
        return string.char(number << 3 | 2, #content) .. content
    end

    for type, rounds in pairs(types) do
        it("are those of protobuf-c, and so are mutations of " .. type, function()
            local counts = { refused = 0, left = 0, same = 0 }
            for seed = first, first + rounds - 1 do
                local message = internals.generate(type, seed)
                for step = 0, 8 do
                    local verdict = unpack(type, message)
                    counts[verdict] = counts[verdict] + 1
                    message = internals.mutate(type, message, seed * 100 + step)
                end
            end
            assert.is_true(counts.same > 0 and counts.refused > 0 and counts.left > 0,
                ("%d same, %d refused, %d left"):format(counts.same, counts.refused, counts.left))
        end)
    end

    it("have lists of any length, in one run or in several", function()
        local function id(i)
            return bytes(1, bytes(1, "o" .. i))
        end
        local run, runs = {}, {}
        for i = 1, 1000 do
            run[i] = id(i)
            runs[i] = id(i) .. (i % 7 == 0 and bytes(2, "") or "")
        end
        assert.equal("same", unpack("mesos.v1.scheduler.Call.Decline", table.concat(run)))
        assert.equal("left", unpack("mesos.v1.scheduler.Call.Decline", table.concat(runs)))
        for i = 1, 1000 do
            runs[i] = id(i) .. bytes(2, "\8\1") .. (i % 7 == 0 and bytes(2, "\8\1") or "")
        end
        assert.equal("same", unpack("mesos.v1.scheduler.Call.Accept", table.concat(runs)))
    end)

    it("are plain ones: protobuf-c has the rest", function()
        local framework, type = bytes(1, bytes(1, "f")), "\16\x0a"
        assert.equal("same", unpack(CALL, framework .. type))
        assert.equal("same", unpack(CALL, type .. framework .. type)) -- the last one counts
        assert.equal("same", unpack(CALL, bytes(1, "\10\x80\x00")))
        assert.equal("same", unpack(CALL, "\x90\x00\x8a\x80\x00")) -- long, but no more than they need be
        assert.equal("left", unpack(CALL, ""))
        assert.equal("left", unpack(CALL, bytes(1, bytes(1, "a\0b"))))
        assert.equal("left", unpack(CALL, framework .. framework)) -- in parts
        assert.equal("left", unpack(CALL, framework .. "\xf8\x7f\5")) -- an unknown field
        assert.equal("refused", unpack(CALL, framework .. "\x08\5")) -- the wrong wire type
        assert.equal("refused", unpack(CALL, bytes(1, "")))
        assert.equal("refused", unpack(CALL, framework:sub(1, -2)))
        assert.equal("refused", unpack(CALL, framework .. "\x0b"))
    end)

    it("may be nested 32 deep", function()
        local function nested(depth)
            local message = bytes(1, "c")
            for _ = 1, depth do
                message = bytes(1, "c") .. "\18" .. string.pack("s1", message):gsub("^.", function(length)
                    return #message < 128 and length or string.char(#message & 127 | 128, #message >> 7)
                end)
            end
            return message
        end
        assert.equal("same", unpack("mesos.v1.ContainerID", nested(32)))
        assert.equal("left", unpack("mesos.v1.ContainerID", nested(33)))
    end)
end)
