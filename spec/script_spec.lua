-- SPDX-License-Identifier: Apache-2.0
--
-- Running a script: loading, calls into Lua, waiting, exit, strict globals. The scripts talk to no master: nothing
-- listens at the address that they are given, and they end by themselves.

local program = require("support.program")


local function run_files(files, ...)
    local directory = program.files(files)
    -- What is shown here takes longer than the usual limit with sanitizers on a busy machine.
    return program.run { args = { "-m", program.NO_MASTER, "--load-limit", "60", "main.lua", ... }, cwd = directory, seconds = 60 }
end

-- Runs the text as a callback-like function: in a routine of its own.
local function run_spawned(text)
    return run_files { ["main.lua"] = ([[
local mesos = require "mesos"
mesos.spawn(function()
%s
os.exit(0)
end)
return { framework = { name = "spec" } }
]]):format(text) }
end

local function shows(done, text)
    assert.truthy((done.stdout .. done.stderr):find(text, 1, true), ("no '%s' in %s"):format(text, done:report()))
end

describe("loading a script", function()
    after_each(program.cleanup)

    local failures = {
        { "syntax", { ["main.lua"] = "local x = = 1" }, { "main.lua:1:", "unexpected symbol near '='" } },
        { "an error in the main chunk", { ["main.lua"] = "local function f()\n error('oh')\nend\nf()" },
            { "main.lua:2: oh", "stack traceback", "main.lua:4: in main chunk" } },
        { "an error value without text", { ["main.lua"] = "error({ code = 7, why = 'no', list = {} })" },
            { "main.lua:1: an error that is no text but a table: ", "code = 7", 'why = "no"', "(give error() a text, or" } },
        { "an error value without text or fields", { ["main.lua"] = "local x = 1\nerror(print)" },
            { "main.lua:2: an error that is no text but a function (give error() a text)" } },
        { "an error value that cannot be printed",
            { ["main.lua"] = "error(setmetatable({}, { __tostring = error }))" }, { "is a table that cannot be printed" } },
        { "a nil error", { ["main.lua"] = "error()" }, { "main.lua:1: an error without a message: give error() a text" } },
        { "an error value that prints itself",
            { ["main.lua"] = "error(setmetatable({}, { __tostring = function() return 'my error' end }))" },
            { "my error" } },
        { "endless recursion", { ["main.lua"] = "local function f() return 1 + f() end\nf()" },
            { "main.lua:1: stack overflow" } },
        { "bytecode", { ["main.lua"] = string.dump(function() end) }, { "compiled Lua" } },
        { "a broken module", { ["main.lua"] = "require 'broken'", ["broken.lua"] = "x =" },
            { "error loading module 'broken'", "broken.lua:1:" } },
        { "an undeclared global", { ["main.lua"] = "counter = 1\nprint(conter)" },
            { "main.lua:2: undeclared global 'conter' (did you mean 'counter'?)" } },
        { "a new global in a function", { ["main.lua"] = "local function f() total = 1 end\nf()" },
            { "main.lua:1: assignment to the undeclared global 'total' in a function (write 'local total'" } },
        { "modules in a circle", {
            ["main.lua"] = "require 'a'", ["a.lua"] = "\nlocal b = require 'b'", ["b.lua"] = "return (require('c'))",
            ["c.lua"] = "local function get() return (require('a')) end\nreturn get()",
        }, { "c.lua:1: a.lua requires b.lua requires c.lua requires a.lua: a module that is still being loaded" } },
        { "a script that requires itself", { ["main.lua"] = "require 'main'" },
            { "main.lua:1: main requires main: a module that is still being loaded cannot be required" } },
        { "modules in a circle of tail calls", {
            ["main.lua"] = "require 'a'", ["a.lua"] = "return require 'b'", ["b.lua"] = "return require 'a'",
        }, { "a.lua requires b.lua requires a.lua: a module that is still being loaded" } },
        { "an undeclared global in a module of its own", { ["main.lua"] = "require 'lib.a'", ["lib/a.lua"] = "\nprint(unpack)" },
            { "lib/a.lua:2: undeclared global 'unpack' (Lua 5.4 has none; there is table.unpack)" } },
        { "a wait in the main chunk", { ["main.lua"] = "require('mesos').sleep(1)" },
            { "main.lua:1: mesos.sleep cannot wait here" } },
    }
    for _, row in ipairs(failures) do
        local name, files, messages = table.unpack(row)
        it("reports " .. name, function()
            local done = run_files(files)
            assert.equal(2, done.code, done:report())
            for _, message in ipairs(messages) do
                shows(done, message)
            end
        end)
    end

    it("skips a first line of a shell, finds modules beside the script, passes arguments", function()
        local done = run_files({
            ["main.lua"] = "#!/usr/bin/env mesos-lua\nprint(require('a.b').name, require('c'), arg[1], ...)\nos.exit(5)",
            ["a/b.lua"] = "shared = 'declared by a module'\nreturn { name = 'b' }",
            ["c/init.lua"] = "return shared",
        }, "one", "two")
        assert.equal(5, done.code, done:report())
        assert.equal("b\tdeclared by a module\tone\tone\ttwo\n", done.stdout)
    end)

    it("lets modules from elsewhere use globals as they like", function()
        local elsewhere = program.files { ["other.lua"] = [[
local unpack = unpack or table.unpack
local function set() made_here = 1 end
set()
return { unpack = unpack, of_other_versions = getfenv, late = function() return nowhere end }]] }
        local folder = program.files { ["main.lua"] = [[
local other = require "other"
print(other.unpack { 7 }, other.of_other_versions, other.late(), made_here)
print(pcall(function() return nowhere end))
os.exit(0)]] }
        local done = program.run { args = { "main.lua" }, cwd = folder, env = { LUA_PATH = elsewhere .. "/?.lua" } }
        assert.equal(0, done.code, done:report())
        assert.matches("^7\tnil\tnil\t1\nfalse\tmain.lua:3: undeclared global 'nowhere'", done.stdout)
    end)

    it("loads files as Lua does, with their own globals", function()
        local done = run_files {
            ["main.lua"] = [[
print(loadfile("nowhere.lua"))
print(loadfile("broken.lua"))
print(pcall(dofile, "broken.lua"))
print(dofile("values.lua"))
local own = {}
print(loadfile("conf.lua", "t", own)(), own.port, rawget(_G, "port"))
print(loadfile("conf.lua", "b"))
require("mesos").after(0, function() print(dofile("values.lua")) os.exit(0) end)
return {}]],
            ["broken.lua"] = "x =", ["values.lua"] = "return 1, 2", ["conf.lua"] = "port = 80 return 'read'",
        }
        assert.equal(0, done.code, done:report())
        assert.equal(table.concat({
            "nil\tcannot open nowhere.lua: No such file or directory", "nil\tbroken.lua:1: unexpected symbol near <eof>",
            "false\tbroken.lua:1: unexpected symbol near <eof>", "1\t2", "read\t80\tnil",
            "nil\tattempt to load a text chunk (mode is 'none')", "1\t2", "",
        }, "\n"), done.stdout)
    end)

    it("lets rawget and rawset past the strict globals, and C functions", function()
        local done = run_files { ["main.lua"] = [[
local function f()
    rawset(_G, "late", 1)
    print(rawget(_G, "nothing"), late, next({}))
end
f()
maybe = nil
print(maybe)
os.exit(true)]] }
        assert.equal(0, done.code, done:report())
        assert.equal("nil\t1\tnil\nnil\n", done.stdout)
    end)
end)

describe("leaving a script", function()
    after_each(program.cleanup)

    for code, status in pairs { ["true"] = 0, ["false"] = 1, [""] = 0, ["7"] = 7 } do
        it(("ends with %d by os.exit(%s)"):format(status, code), function()
            local done = run_files { ["main.lua"] = ("os.exit(%s) print 'on'"):format(code) }
            assert.equal(status, done.code, done:report())
            assert.equal("", done.stdout)
        end)
    end

    it("runs no further line, whatever stands around it", function()
        local done = run_files { ["main.lua"] = [[
local mesos = require "mesos"
mesos.after(0.01, function()
    local guard <close> = setmetatable({}, { __close = function() print "close" end })
    local inner = coroutine.create(function()
        pcall(xpcall, function()
            load(function() table.sort({ 3, 2, 1 }, function() os.exit(9) end) end)
            print "load"
        end, function() print "handler" end)
        print "pcall"
    end)
    coroutine.resume(inner)
    print "resume"
end)
mesos.after(0.02, function() print "timer" end)
return { framework = { name = "spec" } }]] }
        assert.equal(9, done.code, done:report())
        assert.equal("", done.stdout)
    end)
end)

describe("timers and waiting", function()
    after_each(program.cleanup)

    it("wait in coroutines of the script", function()
        local done = run_spawned [[
local function generator()
    for i = 1, 3 do
        mesos.sleep(0.01)
        coroutine.yield(i)
    end
end
for i in coroutine.wrap(generator) do print("got", i) end
print(pcall(function() mesos.sleep(0.01) error("caught", 0) end))
print(pcall(coroutine.yield, 1))
local waiting = coroutine.create(function() mesos.sleep(0.05) return "woken" end)
mesos.after(0.01, function() print(coroutine.status(waiting), coroutine.resume(waiting)) end)
print(coroutine.resume(waiting))
print(select(2, pcall(table.sort, { 2, 1 }, function() mesos.sleep(1) end)))]]
        assert.equal(0, done.code, done:report())
        assert.equal(table.concat({
            "got\t1", "got\t2", "got\t3", "false\tcaught",
            "false\tattempt to yield from outside a coroutine: a callback waits with mesos.sleep(seconds), "
                .. "and mesos.spawn(f) lets f run beside it",
            "normal\tfalse\tcannot resume non-suspended coroutine", "true\twoken", "",
        }, "\n"), (done.stdout:gsub("[^\n]*cannot wait inside a function that is called from C[^\n]*\n$", "")))
    end)

    it("go on after errors, which are logged with the lines of the script", function()
        local done = run_spawned [[
local calls = 0
local handle = mesos.every(0.01, function() calls = calls + 1 error("tick " .. calls) end)
mesos.spawn(function(text) mesos.sleep(0) coroutine.wrap(function() error(text) end)() end, "spawned")
while calls < 3 do mesos.sleep(0.01) end
print(handle:cancel(), handle:cancel())]]
        assert.equal(0, done.code, done:report())
        assert.equal("true\tfalse\n", done.stdout)
        shows(done, "timer of main.lua:4: main.lua:4: tick 3")
        shows(done, "spawned function of main.lua:5: ")
        shows(done, "in the coroutine that it came from")
    end)

    it("do not overlap themselves, and end when they are cancelled inside", function()
        local done = run_spawned [[
local running, most, calls = 0, 0, 0
local handle
handle = mesos.every(0.005, function()
    running = running + 1
    most = math.max(most, running)
    mesos.sleep(0.02)
    running, calls = running - 1, calls + 1
    if calls == 3 then handle:cancel() end
end)
repeat mesos.sleep(0.005) until tostring(handle):match("cancelled")
mesos.sleep(0.05)
print(most, calls, tostring(handle):match("cancelled"))]]
        assert.equal("1\t3\tcancelled\n", done.stdout, done:report())
    end)

    it("refuse what is no time and no function", function()
        local done = run_spawned [[
for _, seconds in ipairs { -1, 0 / 0, "x", {} } do print((pcall(mesos.after, seconds, print))) end
print(pcall(mesos.every, 0, print))
print(pcall(mesos.after, 1))
print(math.abs(mesos.now() - os.time()) < 2)]]
        assert.equal(0, done.code, done:report())
        assert.equal([[
false
false
false
false
false	bad argument #1 to 'mesos.every' (a number of seconds above 0 expected, got 0)
false	bad argument #2 to 'mesos.after' (function expected, got no value: give the function itself, without () behind it)
true
]], done.stdout)
    end)
end)

describe("mesos.log", function()
    after_each(program.cleanup)

    it("formats, and raises at the line of a bad format", function()
        local done = run_spawned [[
mesos.log.warning("%s of %d %5.1f", setmetatable({}, { __tostring = function() return "thing" end }), 3, 2)
mesos.log.debug("%s", setmetatable({}, { __tostring = function() error("not asked for") end }))
local ok, message = pcall(function() mesos.log.info("%d", "x") end)
print(message)]]
        assert.equal(0, done.code, done:report())
        shows(done, "thing of 3   2.0")
        assert.equal("main.lua:5: bad argument #2 to 'mesos.log.info' (number expected, got string)\n", done.stdout)
    end)
end)
