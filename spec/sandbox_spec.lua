-- SPDX-License-Identifier: Apache-2.0
--
-- What a script cannot use: bytecode never, and with --sandbox only what is in the list.

local program = require("support.program")
local uv = require("luv")


local function run(args, files, ...)
    local words = { "-m", program.NO_MASTER }
    table.move(args, 1, #args, 3, words)
    for _, word in ipairs { "main.lua", ... } do
        words[#words + 1] = word
    end
    return program.run { args = words, cwd = type(files) == "string" and files or program.files(files) }
end

local function prints(args, text, expected)
    local done = run(args, { ["main.lua"] = text .. "\nos.exit(0)" })
    assert.equal(0, done.code, done:report())
    assert.equal(expected, done.stdout)
end

describe("a script", function()
    after_each(program.cleanup)

    it("cannot load bytecode", function()
        prints({}, [[
local code = string.dump(function() return 1 end)
local file <close> = io.open("code.lua", "wb")
file:write(code) file:flush()
print(load(code))
print(load(code, "x", "b"))
print(load(function() local piece = code code = nil return piece end, "x", "bt"))
print(loadfile("code.lua"))
print(loadfile("code.lua", "b"))
print(pcall(dofile, "code.lua"))
print((select(2, pcall(require, "code")):gsub("\n.*", "")))]],
            [[
nil	attempt to load a binary chunk (mode is 't')
nil	attempt to load a binary chunk (mode is 'none')
nil	attempt to load a binary chunk (mode is 't')
nil	attempt to load a binary chunk (mode is 't')
nil	attempt to load a binary chunk (mode is 'none')
false	attempt to load a binary chunk (mode is 't')
error loading module 'code' from file 'code.lua':
]])
    end)

    it("can load what is text, as Lua does it", function()
        prints({}, [[
print(load("return ...", "x")(3), load("return y", "x", "t", { y = 4 })(), load("return _ENV", "x", nil, nil)())
local pieces = { "return ", "5" }
print(load(function() return table.remove(pieces, 1) end)())
print(load("return = 1", "=named"))
print(load("return 1", "x", "b"))
print(pcall(load))
local file <close> = io.open("text.lua", "w")
file:write("local mesos = require 'mesos' return 6, ...") file:flush()
print(loadfile("text.lua")(7), dofile("text.lua"), loadfile("text.lua", "t", { require = require })(8))
print(loadfile("nowhere.lua"))]],
            [[
3	4	nil
5
nil	named:1: unexpected symbol near '='
nil	attempt to load a text chunk (mode is 'none')
false	bad argument #1 to 'load' (function expected, got no value)
6	6	6	8
nil	cannot open nowhere.lua: No such file or directory
]])
    end)
end)

describe("--sandbox", function()
    after_each(program.cleanup)

    -- The globals and the members of the libraries: a new one has to be thought about.
    it("leaves this and nothing else", function()
        prints({ "--sandbox" }, [[
local gone = {}
local function is_gone(f)
    if f == print or f == os.exit or type(f) ~= "function" then return false end
    local _, message = pcall(f)
    return tostring(message):find("--sandbox", 1, true) ~= nil
end
local names = {}
for name, value in pairs(_G) do
    if type(value) ~= "table" or value == _G then
        if not is_gone(value) then names[#names + 1] = name end
    elseif name ~= "arg" then
        for member, function_ in pairs(value) do
            if not is_gone(function_) then names[#names + 1] = name .. "." .. member end
        end
    end
end
table.sort(names)
for _, name in ipairs(names) do print(name) end]],
            [[
_G
_VERSION
assert
collectgarbage
coroutine.close
coroutine.create
coroutine.isyieldable
coroutine.resume
coroutine.running
coroutine.status
coroutine.wrap
coroutine.yield
debug.traceback
error
getmetatable
ipairs
load
math.abs
math.acos
math.asin
math.atan
math.ceil
math.cos
math.deg
math.exp
math.floor
math.fmod
math.huge
math.log
math.max
math.maxinteger
math.min
math.mininteger
math.modf
math.pi
math.rad
math.random
math.randomseed
math.sin
math.sqrt
math.tan
math.tointeger
math.type
math.ult
next
os.clock
os.date
os.difftime
os.exit
os.time
package.loaded
package.path
package.preload
package.searchers
pairs
pcall
print
rawequal
rawget
rawlen
rawset
require
select
setmetatable
string.byte
string.char
string.find
string.format
string.gmatch
string.gsub
string.len
string.lower
string.match
string.pack
string.packsize
string.rep
string.reverse
string.sub
string.unpack
string.upper
table.concat
table.insert
table.move
table.pack
table.remove
table.sort
table.unpack
tonumber
tostring
type
utf8.char
utf8.charpattern
utf8.codepoint
utf8.codes
utf8.len
utf8.offset
warn
xpcall
]])
    end)

    local refused = {
        { "io.open('/etc/passwd')", "main.lua:1: io.open is not available in the sandbox (--sandbox)" },
        { "io.stdout:write('x')", "main.lua:1: attempt to index a nil value (field 'stdout')" },
        { "os.execute('id')", "main.lua:1: os.execute is not available in the sandbox (--sandbox)" },
        { "os.getenv('HOME')", "main.lua:1: os.getenv is not available in the sandbox (--sandbox)" },
        { "os.remove('main.lua')", "main.lua:1: os.remove is not available in the sandbox (--sandbox)" },
        { "debug.sethook()", "main.lua:1: debug.sethook is not available in the sandbox (--sandbox)" },
        { "debug.getregistry()", "main.lua:1: debug.getregistry is not available in the sandbox (--sandbox)" },
        { "package.loadlib('libc.so.6', '*')", "main.lua:1: package.loadlib is not available in the sandbox (--sandbox)" },
        { "package.searchpath('a', '/etc/?')", "main.lua:1: package.searchpath is not available in the sandbox (--sandbox)" },
        { "dofile('main.lua')", "main.lua:1: dofile is not available in the sandbox (--sandbox)" },
        { "loadfile('main.lua')", "main.lua:1: loadfile is not available in the sandbox (--sandbox)" },
        { "string.dump(print)", "main.lua:1: string.dump is not available in the sandbox (--sandbox)" },
        { "(''):dump()", "main.lua:1: string.dump is not available in the sandbox (--sandbox)" },
        { "package.loaded.io.popen('id')", "main.lua:1: io.popen is not available in the sandbox (--sandbox)" },
        { "setmetatable({}, { __gc = true })", "main.lua:1: setmetatable: a finalizer (__gc) cannot be stopped" },
        { "collectgarbage('stop')", "main.lua:1: collectgarbage: the collector is the host's in the sandbox" },
        { "collectgarbage('generational')", "main.lua:1: collectgarbage: the collector is the host's in the sandbox" },
        { "assert(load('\\27Lua'))", "attempt to load a binary chunk" },
        { "require 'cjson'", "main.lua:1: module 'cjson' not found" },
        { "require('mesos').exec { 'id' }", "main.lua:1: mesos.exec is not available in the sandbox (--sandbox)" },
    }
    for _, row in ipairs(refused) do
        it("refuses " .. row[1], function()
            local done = run({ "--sandbox" }, { ["main.lua"] = row[1] .. "\nprint 'went on'" })
            assert.equal(2, done.code, done:report())
            assert.equal("", done.stdout)
            assert.truthy(done.stderr:find(row[2], 1, true), done:report())
        end)
    end

    it("allows what is harmless", function()
        prints({ "--sandbox" }, [[
local mesos = require "mesos"
local t = setmetatable({}, { __index = { a = 1 }, __name = "mine" })
print(t.a, getmetatable(t).__name, getmetatable("").__index == string, getmetatable(mesos.after(9, print)))
setmetatable(t, nil)
local mt = setmetatable({}, { __metatable = "locked" })
print(getmetatable(mt), pcall(setmetatable, mt, {}))
print(type(collectgarbage "count"), collectgarbage(), os.time() > 0, #os.date "%Y", math.type(os.clock()))
print(debug.traceback("trace"):match("^trace\nstack"), coroutine.wrap(function() return 2 end)())]],
            "1\tmine\ttrue\nlocked\tfalse\tcannot change a protected metatable\nnumber\t0\ttrue\t4\tfloat\ntrace\nstack\t2\n")
    end)

    it("reads modules in the script's folder only, whatever links and paths say", function()
        local outside = program.files { ["secret.lua"] = "return 'secret'" }
        local folder = program.files {
            ["main.lua"] = [[
print(require("inside"), (require("deep.er")))
print((select(2, pcall(require, "linked")):gsub("'[^']*/", "'")))
package.path = arg[1] .. "/?.lua;" .. package.path
print((select(2, pcall(require, "secret")):gsub("'[^']*/", "'")))
print((select(2, pcall(package.searchers[3], "secret")):gsub("'[^']*/", "'")))
os.exit(0)]],
            ["inside.lua"] = "return 'inside'", ["deep/er.lua"] = "return 'deeper'",
        }
        uv.fs_symlink(outside .. "/secret.lua", folder .. "/linked.lua")
        local done = run({ "--sandbox" }, folder, outside)
        local line = "module '%s' is in '%s.lua', outside of the script's folder, where the sandbox reads nothing (--sandbox)\n"
        assert.equal("inside\tdeeper\n" .. line:format("linked", "linked") .. line:format("secret", "secret"):rep(2),
            done.stdout, done:report())
    end)

    it("leaves a script no master but that of the command line", function()
        local text = [[
local mesos = require "mesos"
local all = { scheduler = { framework = { name = "x" } }, master = arg[1] }
print((tostring(select(2, pcall(mesos.SchedulerDriver, all))):gsub("^main.lua:%d+: ", "")))
os.exit(0)]]
        local outside = program.script("secret = hush", "file")
        for _, place in ipairs { "local", "local:2", "file://" .. outside, "zk://127.0.0.1:1/x", "127.0.0.1:2" } do
            local done = run({ "--sandbox" }, { ["main.lua"] = text }, place)
            assert.equal(0, done.code, done:report())
            assert.equal(("master: '%s' is not the master of the command line ('%s'), and with --sandbox a script has no "
                .. "other: leave `master` out, or start with --master %s\n"):format(place, program.NO_MASTER, place), done.stdout)
            assert.is_nil(done.stderr:match("brought a local cluster"))
            assert.is_nil(done.stderr:match("hush"))
        end
        local done = run({ "--sandbox" }, { ["main.lua"] = text }, program.NO_MASTER)
        assert.matches("^SchedulerDriver", done.stdout)
        done = run({}, { ["main.lua"] = text }, "127.0.0.1:2")
        assert.matches("^SchedulerDriver", done.stdout)
    end)

    it("is for a framework as well", function()
        local run_ = program.start { args = { "--master", program.NO_MASTER, "--sandbox", program.script
            "local mesos = require 'mesos' mesos.after(0, function() mesos.log.info 'runs' mesos.exit(3) end) return {}" } }
        run_:wait_for("runs")
        assert.equal(3, run_:wait())
    end)
end)
