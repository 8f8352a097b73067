-- SPDX-License-Identifier: Apache-2.0
--
-- The numbers of fields in C come from proto/: host/wire/field_numbers.lua reads them as Mesos has them, and refuses
-- what it does not understand, and outside host/wire no number is written by hand.

local program = require("support.program")

after_each(program.cleanup)

local GENERATOR = "host/wire/field_numbers.lua"

-- NAME -> number of all enumerators in the text of a header.
local function enumerators(text)
    local numbers, count = {}, 0
    for name, number in text:gmatch("\n    ([%w_]+) = (%d+),") do
        numbers[name] = tonumber(number)
        count = count + 1
    end
    return numbers, count
end

-- FrameworkID -> FRAMEWORK_ID, letter by letter: a word begins at a capital behind a small letter, or before one.
local function upper(name)
    local out = {}
    for i = 1, #name do
        local before, letter, after = name:sub(i - 1, i - 1), name:sub(i, i), name:sub(i + 1, i + 1)
        local starts = letter:find("%u") and (before:find("%l") or (before:find("%u") and after:find("%l")))
        out[#out + 1] = (i > 1 and starts and "_" or "") .. letter:upper()
    end
    return table.concat(out)
end

-- As the fixture names them, which was made from Mesos's own files.
local function expected()
    local numbers, count = {}, 0
    for line in io.lines("spec/fixtures/api/messages.tsv") do
        local message, number, field = line:match("^mesos%.v1%.([%w_.]+)\t(%d+)\t([%w_]+)\t")
        if message then
            local path = {}
            for part in message:gmatch("[^.]+") do
                path[#path + 1] = upper(part)
            end
            numbers["FIELD_" .. table.concat(path, "_") .. "_" .. field:upper()] = tonumber(number)
            count = count + 1
        end
    end
    return numbers, count
end

local function generate(text)
    local root = program.files({ ["made_up.proto"] = text })
    return program.run({ path = "/usr/bin/lua5.4", args = { GENERATOR, root .. "/made_up.proto" } })
end

local HEAD = 'syntax = "proto2";\npackage mesos.v1.test;\n'

describe("wire/field_numbers.h", function()
    local made, count = enumerators(program.read((os.getenv("MESOS_LUA_BUILD") or "build")
        .. "/generated/wire/field_numbers.h"))
    local real, rows = expected()

    it("has every field of Mesos's messages", function()
        assert.is_true(rows > 500)
        for name, number in pairs(real) do
            assert.equal(number, made[name], name)
        end
    end)

    it("has no other", function()
        for name in pairs(made) do
            assert.is_truthy(real[name], name)
        end
        assert.equal(rows, count)
    end)
end)

describe("the generator of field numbers", function()
    it("reads what Mesos uses of proto2", function()
        local run = generate(HEAD .. [[
            /* of two
               lines */
            message OuterID {
              enum Kind { A = 1; B = 2; }
              message CSIInner { required bytes x = 7; }
              oneof of { CSIInner inner = 3; string text_1 = 4; }
              optional Kind kind = 5 [default = A, deprecated = true]; // said so
              map<string, mesos.v1.Value.Scalar> limits = 15;
              reserved 1, 2;
            }
        ]])
        assert.equal(0, run.code, run:report())
        assert.same({
            FIELD_TEST_OUTER_ID_CSI_INNER_X = 7, FIELD_TEST_OUTER_ID_INNER = 3, FIELD_TEST_OUTER_ID_TEXT_1 = 4,
            FIELD_TEST_OUTER_ID_KIND = 5, FIELD_TEST_OUTER_ID_LIMITS = 15,
            FIELD_TEST_OUTER_ID_LIMITS_ENTRY_KEY = 1, FIELD_TEST_OUTER_ID_LIMITS_ENTRY_VALUE = 2,
        }, (enumerators(run.stdout)))
    end)

    for what, case in pairs({
        ["a field without a number"] = { "message A {\n  optional string b;\n}", 4, "'=' expected, got ';'" },
        ["a word that it does not know"] = { "message A {\n  extensions 1;\n}", 4,
            "a field, a message, an enum or a oneof expected, got 'extensions'" },
        ["a sign that it does not know"] = { "message A (", 3, "'(' is not known here" },
        ["an end in the middle"] = { "message A {", 3, "a type expected, got the end of the file" },
        ["two fields of one name"] = {
            "message A {\n  message B { optional string c = 1; }\n  optional string b_c = 2;\n}", 5,
            "FIELD_TEST_A_B_C is the name of the field at ",
        },
    }) do
        it("refuses " .. what, function()
            local run = generate(HEAD .. case[1])
            assert.equal(1, run.code, run:report())
            local line, rest = run.stderr:match("made_up%.proto:(%d+): ([^\n]*)")
            assert.equal(case[2], tonumber(line), run:report())
            assert.equal(case[3], rest:sub(1, #case[3]))
        end)
    end
end)

-- Function -> which of its arguments is the number of a field.
local NUMBER_AT = {
    wire_seek = 2, wire_find = 2, wire_find_varint = 2, wire_find_enum = 2, wire_occurs = 2, wire_next_bytes = 2,
    wire_descriptor = 2, wire_put_varint = 2, wire_put_fixed64 = 2, wire_put_fixed32 = 2, wire_put_double = 2,
    wire_put_bytes = 2, wire_put_id = 2, wire_begin = 2,
}

-- The argument at `which` of those in parentheses, without space around it.
local function argument(list, which)
    local depth, at, text = 0, 1, {}
    for letter in list:sub(2, -2):gmatch(".") do
        depth = depth + (letter == "(" and 1 or letter == ")" and -1 or 0)
        if letter == "," and depth == 0 then
            at = at + 1
        elseif at == which then
            text[#text + 1] = letter
        end
    end
    return table.concat(text):match("^%s*(.-)%s*$")
end

-- True if it may stand where a number is expected. What is in small letters is a variable or a member; 0 is no field's.
local function is_named(number)
    return number == "0" or number:find("^FIELD_[%u%d_]+$") or number == "WIRE_LIST" or number:find("^%l")
end

local function check_calls(text, found)
    for name, list in text:gmatch("([%w_]+)(%b())") do
        local number = NUMBER_AT[name] and argument(list, NUMBER_AT[name])
        if number and not is_named(number) then
            found[#found + 1] = name .. list
        end
        check_calls(list:sub(2, -2), found)
    end
end

-- The places in C text at which the number of a field is not one of the generated ones.
local function hand_written(text)
    local found = {}
    check_calls(text, found)
    for line in text:gmatch("[^\n]+") do
        local number = line:match("[.>]number [=!<>]=? ([%w_]+)") or line:match("([%w_]+) << 3 | WIRE_")
        if number and not is_named(number) then
            found[#found + 1] = line
        end
    end
    return found
end

describe("the number of a field", function()
    it("is written by hand in host/wire only", function()
        local list <close> = assert(io.popen("find host bindings -name '*.[ch]' -not -path 'host/wire/*'"))
        local files = 0
        for path in list:lines() do
            local text = program.read(path):gsub("//[^\n]*", "")
            if text:find("wire_", 1, true) then
                assert.same({}, hand_written(text), path)
                files = files + 1
            end
        end
        assert.is_true(files > 20, files)
    end)

    it("would be found if it were", function()
        for _, text in ipairs({
            "x = wire_find(wire_find(offer, FIELD_OFFER_ID), 1);", "wire_put_bytes(&list,\n    1, offer);",
            "wire_begin(out, OFFER_ID)", "if (it.number == 3)", "at[0] == (ATTRIBUTE_NAME << 3 | WIRE_BYTES)",
            "if (f(x) && wire_find_enum(a(b, c), 2, &type))",
        }) do
            assert.equal(1, #hand_written(text), text)
        end
        assert.same({}, hand_written("wire_find(a(1, 2), FIELD_OFFER_ID); wire_put_id(b, field->id, c); n == 3"))
    end)
end)
