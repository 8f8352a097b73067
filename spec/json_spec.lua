-- SPDX-License-Identifier: Apache-2.0
--
-- Plain data as JSON and back, through what the Lua library builds on: `require "mesos.internal"`.

local program = require("support.program")

local HEAD = [[
require "mesos"
local internal = require "mesos.internal"
local encode, decode, null = internal.json_encode, internal.json_decode, internal.json_null
local function show(...)
    local parts = table.pack(...)
    for i = 1, parts.n do
        local part = parts[i]
        parts[i] = math.type(part) == "float" and ("float %.17g"):format(part) or tostring(part)
    end
    print(table.concat(parts, " "))
end
local function fails(...)
    local ok, message = pcall(encode, ...)
    print(ok, message)
end
]]

-- What the text prints, run in the main chunk of a script.
local function printed(text)
    local run = program.run { args = { "check", program.script(HEAD .. text .. "\nreturn {}") } }
    assert.equal(0, run.code, run.stderr)
    return (run.stdout:gsub("[^\n]*no error found\n$", ""))
end

describe("JSON", function()
    after_each(program.cleanup)

    local rows = {
        { "reads scalars", [[
            show(decode "1") show(decode "-9223372036854775808") show(decode "1.0") show(decode "1e2")
            show(decode '"a\\u0000\\u00e9"' == "a\0é") show(decode " true ") show(decode "null")]],
            "1\n-9223372036854775808\nfloat 1\nfloat 100\ntrue\ntrue\nnil\n" },
        { "reads lists and objects", [==[
            local v = decode '{"a":[1,{"b":"c"},[]],"":{},"d":null}'
            show(#v.a, v.a[1], v.a[2].b, #v.a[3], next(v[""]), v.d)]==], "3 1 c 0 nil nil\n" },
        { "puts what it is told in the place of null", [==[
            local v = decode('{"a":null,"b":[null,1]}', null)
            show(v.a == null, v.b[1] == null, v.b[2], decode("null", false))]==], "true true 1 false\n" },
        { "refuses null in a list", [==[show(decode '{"a":[1,{"b":[null]}]}')]==],
            "nil the value.a[2].b[1] is null, which a list in Lua cannot hold\n" },
        { "refuses what is no JSON, with the place", [==[
            show(decode "") show(decode "{\n  a: 1}") show(decode '[1,]') show(decode '1 2') show(decode '"\xff"')
            show(decode '{"a":1,"a":2}') show(decode "9223372036854775808") show(decode '"\\ud800"') show(decode "NaN")]==],
            table.concat({
                "nil line 1, column 0: unexpected token near end of file",
                "nil line 2, column 3: string or '}' expected near 'a'",
                "nil line 1, column 4: unexpected token near ']'",
                "nil line 1, column 3: end of file expected near '2'",
                "nil line 1, column 1: unable to decode byte 0xff near '\"'",
                "nil line 1, column 10: duplicate object key near '\"a\"'",
                "nil line 1, column 19: too big integer near '9223372036854775808'",
                "nil line 1, column 8: invalid Unicode '\\uD800' near '\"\\ud800\"'",
                "nil line 1, column 3: invalid token near 'NaN'",
            }, "\n") .. "\n" },
        { "has caps for depth and values", [==[
            show(decode(("["):rep(199) .. ("]"):rep(199)) ~= nil, (select(2, decode(("["):rep(201) .. ("]"):rep(201))):sub(-45)))
            show(decode("[" .. ("0,"):rep(1000000) .. "0]"))]==],
            "true is nested too deeply: 200 levels are the most\n"
            .. "nil the text has up to 1000002 values, and the limit is 1000000\n" },
        { "writes scalars", [[
            show(encode(1), encode(1.0), encode(0.1), encode(-1 // 1 | 0), encode(math.mininteger), encode(true), encode(nil),
                encode(null))
            show(encode 'a"b\\\n\0é')]],
            "1 1.0 0.1 -1 -9223372036854775808 true null null\n\"a\\\"b\\\\\\u000a\\u0000é\"\n" },
        { "writes lists and objects, keys in order", [[
            show(encode { b = { 1, { c = "d" } }, a = 2, ["é"] = false, [""] = {} })]],
            '{"":[],"a":2,"b":[1,{"c":"d"}],"é":false}\n' },
        { "knows lists and objects that are empty", [[
            show(encode {}, encode({}, { empty = "object" }), encode(setmetatable({}, { __jsontype = "object" })),
                encode(setmetatable({}, { __jsontype = "array" }), { empty = "object" }))]], "[] {} {} []\n" },
        { "indents", [[show(encode({ a = { 1, 2 }, b = {} }, { indent = 2 }))]],
            '{\n  "a": [\n    1,\n    2\n  ],\n  "b": []\n}\n' },
        { "reads what it wrote", [[
            local text = encode { 1, 2.5, "x", { y = { 1e300, 5e-324, math.maxinteger } } }
            show(encode(decode(text)) == text, text)]], 'true [1,2.5,"x",{"y":[1e+300,4.94065645841247e-324,9223372036854775807]}]\n' },
        { "refuses what JSON does not have, with the path", [[
            fails { jobs = { { f = print } } } fails { 0 / 0 } fails { a = "\xff" } fails { ["\xff"] = 1 } fails { 1, a = 2 }
            fails { [2] = 1 } fails { [true] = 1 } fails(io.stdout) fails { coroutine.create(print) }]],
            table.concat({
                "false\tthe value.jobs[1].f is a function, which JSON does not have",
                "false\tthe value[1] is a number that is not finite, which JSON does not have",
                "false\tthe value.a is a string that is not UTF-8, which JSON does not have",
                "false\tthe value has a key that is not UTF-8, which JSON does not have",
                "false\tthe value is a table whose keys are neither all strings nor 1, 2, 3 and so on",
                "false\tthe value is a table whose keys are neither all strings nor 1, 2, 3 and so on",
                "false\tthe value is a table whose keys are neither all strings nor 1, 2, 3 and so on",
                "false\tthe value is a userdata, which JSON does not have (of an offer or a status, give its :table())",
                "false\tthe value[1] is a thread, which JSON does not have",
            }, "\n") .. "\n" },
        { "refuses a table in itself, options it does not have, and no value", [[
            local t = {} t.t = t
            local _, message = pcall(encode, t) show(message:sub(-93))
            fails({}, { empty = "list" }) fails({}, { indent = 99 }) fails({}, { pretty = true }) fails()]],
            table.concat({
                "t.t is nested too deeply: 200 levels are the most, and a table may not contain itself",
            }, "\n") },
    }
    for _, row in ipairs(rows) do
        it(row[1], function()
            local text = printed(row[2])
            if row[1]:find("^refuses a table in itself") then
                program.assert_has(text, row[3], "invalid option 'list'", "indent is a number from 0 to 16",
                    "there is no option 'pretty': empty and indent are", "value expected")
            else
                assert.equal(row[3], text)
            end
        end)
    end
end)
