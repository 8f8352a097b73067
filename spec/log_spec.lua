-- SPDX-License-Identifier: Apache-2.0
--
-- Lines of the log: nothing that a master, a task or a script says can look like a line of its own or reach a terminal
-- as a command, and --log-format json is JSON, also where the handler of a signal writes.

local control = require("support.control")
local framework = require("support.framework")
local program = require("support.program")
local internals = require("internals")

-- Text -> what a sink gets, and, if that is another, what stands in a line of text.
local TEXTS = {
    { "plain text", "plain text" },
    { "a tab\tis kept", "a tab\tis kept" },
    { "\27]0;title\7\27[2J", "\\x1b]0;title\\x07\\x1b[2J" },
    { "a\rb\0c", "a\\x0db" },
    { "delete \127", "delete \\x7f" },
    { "C1 \xc2\x9b31m \xc2\x85", "C1 \\xc2\\x9b31m \\xc2\\x85" },
    { "no UTF-8 \xff\xfe \xc3", "no UTF-8 \\xff\\xfe \\xc3" },
    { "overlong \xc0\xaf \xe0\x80\xaf", "overlong \\xc0\\xaf \\xe0\\x80\\xaf" },
    { "surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80" },
    { "past the end \xf4\x90\x80\x80", "past the end \\xf4\\x90\\x80\\x80" },
    { "é 日本 😀 \xc2\xa0", "é 日本 😀 \xc2\xa0" },
    { 'quote " and \\', 'quote " and \\' },
    { "ends\n\n", "ends" },
    { "two\nlines", "two\nlines", "two\n    lines" },
    { "a trace\n\tof lines\n  and blanks", "a trace\n\tof lines\n  and blanks" },
    { "15:00:00.000 info    one\n15:00:00.000 info    fake", "15:00:00.000 info    one\n15:00:00.000 info    fake",
        "15:00:00.000 info    one\n    15:00:00.000 info    fake" },
}

local function lua_text(text)
    return (("%q"):format(text):gsub("\\\n", "\\n"))
end

-- The log of a script that logs that text, and ends.
local function logged(text, args)
    local words = { "-m", "127.0.0.1:1", table.unpack(args or {}) }
    words[#words + 1] = program.script(("local mesos = require 'mesos' mesos.log.warning('%%s', %s) mesos.exit(0)")
        :format(lua_text(text)))
    local done = program.run { args = words }
    assert.equal(0, done.code, done:report())
    return done.stderr
end

describe("a line of the log", function()
    after_each(framework.cleanup)

    for _, row in ipairs(TEXTS) do
        it(("escapes %q"):format(row[1]), function()
            assert.same({ row[2] }, (internals.log_lines("info", { { "info", row[1] } })))
        end)
    end

    it("of text cannot be forged", function()
        for _, row in ipairs { TEXTS[3], TEXTS[6], TEXTS[14], TEXTS[15], TEXTS[16] } do
            local line = logged(row[1])
            assert.matches("^%d%d:%d%d:%d%d%.%d%d%d warning ", line)
            assert.equal((row[3] or row[2]) .. "\n", line:sub(22))
        end
    end)

    it("takes long texts", function()
        local text = ("x\27"):rep(20000)
        assert.same({ (text:gsub("\27", "\\x1b")) }, (internals.log_lines("info", { { "info", text } })))
    end)

    it("holds what a master said", function()
        local m, run = framework.subscribed("")
        m:send { type = "ERROR", error = { message = "it says: \27]0;owned\7\27[2J\n15:00:00.000 info    fake line" } }
        assert.equal(1, (run:wait()))
        assert.is_nil(run.stderr:find("\27", 1, true))
        assert.is_nil(run.stderr:find("\n15:00:00.000", 1, true))
        assert.truthy(run.stderr:find("\\x1b]0;owned\\x07\\x1b[2J\n    15:00:00.000 info    fake line", 1, true), run:report())
    end)
end)

-- ---- JSON ----

-- A reader of the one form that the log writes: fields, or nil.
local function read_json(line)
    local time, level, message = line:match('^{"time":"([^"\\]+)","level":"(%l+)","message":"(.*)"}$')
    if not time or message:gsub("\\.", ""):find('["\\%c]') then
        return nil
    end
    local letters = { n = "\n", t = "\t", ['"'] = '"', ["\\"] = "\\" }
    message = message:gsub("\\(u?)(.)(%x?%x?%x?)", function(u, letter, digits)
        if u == "u" then
            return utf8.char(tonumber(letter .. digits, 16))
        end
        return assert(letters[letter], letter) .. digits
    end)
    return { time = time, level = level, message = message }
end

describe("--log-format json", function()
    after_each(framework.cleanup)

    it("makes each event one object, with its text as it was", function()
        for _, row in ipairs(TEXTS) do
            local text = row[1]:gsub("%z.*", ""):gsub("\n+$", "")
            local lines = logged(row[1], { "--log-format", "json" })
            assert.equal(1, select(2, lines:gsub("\n", "")), lines)
            local event = read_json(lines:sub(1, -2))
            assert.is_table(event, lines)
            assert.equal("warning", event.level)
            assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d[+-]%d%d:%d%d$", event.time)
            assert.equal(utf8.len(text) and text or row[2], event.message)
        end
    end)

    it("tells the time that it is, in the zone that is set", function()
        for zone, offset in pairs { UTC = "+00:00", ["IST-5:30"] = "+05:30", ["ART3"] = "-03:00" } do
            local before = os.time()
            local done = program.run { args = { "-m", "127.0.0.1:1", "--log-format", "JSON",
                program.script("local mesos = require 'mesos' mesos.log.info('x') mesos.exit(0)") }, env = { TZ = zone } }
            local year, month, day, hour, minute, second, where =
                done.stderr:match('"time":"(%d+)%-(%d+)%-(%d+)T(%d+):(%d+):(%d+)%.%d%d%d([^"]+)"')
            assert.equal(offset, where, done:report())
            local sign, hours, minutes = where:match("(.)(%d+):(%d+)")
            local shift = tonumber(sign .. "1") * (hours * 3600 + minutes * 60)
            local midnight = os.time { year = 2026, month = 1, day = 1, hour = 0 }
            local utc = os.time(os.date("!*t", midnight)) - midnight -- of this process's own zone
            local told = os.time { year = year, month = month, day = day, hour = hour, min = minute, sec = second } - shift - utc
            assert.is_true(told >= before - 1 and told <= os.time() + 1, done:report())
        end
    end)

    it("holds for what the handler of a signal writes", function()
        local run = program.start { args = { "-m", "127.0.0.1:1", "--log-format", "json", "--callback-warn", "0.1",
            program.script [[
                local mesos = require "mesos"
                mesos.after(0, function() return (('x'):rep(24000) .. 'y'):find(('x*'):rep(3) .. 'z') end)
                return {}]] } }
        run:wait_for("inside one call of a C function[^\n]*\n")
        run:kill("sigkill")
        local found
        for line in run.stderr:gmatch("[^\n]+") do
            local event = read_json(line)
            assert.is_table(event, line)
            found = found or event.message:find("inside one call of a C function", 1, true)
        end
        assert.truthy(found)
    end)

    it("is text or json", function()
        local run = program.run { args = { "--log-format", "xml", program.script("return {}") } }
        assert.equal(2, run.code)
        assert.matches("%-%-log%-format: text or json expected, got 'xml'", run.stderr)
    end)
end)

describe("--log-file", function()
    after_each(function()
        control.cleanup()
        framework.cleanup()
    end)

    local function start(path, args)
        return program.start { args = {
            "-m", program.NO_MASTER, "--log-file", path, table.unpack(args or { program.script [[
                local mesos = require "mesos"
                mesos.log.info("first")
                return { framework = { name = "logs" } }
            ]] }),
        } }
    end

    it("takes the log, with dates, and is opened anew", function()
        local path = program.directory() .. "/x.log"
        local file <close> = assert(io.open(path, "w"))
        file:write("what was there\n")
        file:close()
        local run = start(path)
        program.wait_for(function() return program.read(path):find("first", 1, true) end)
        assert.matches("^what was there\n%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d%.%d%d%d info    first\n", program.read(path))
        assert(os.rename(path, path .. ".1"))
        assert.equal("the log file was opened anew\n", control.ctl(run, { "log-reopen" }).stdout)
        control.ctl(run, { "eval", "mesos.log.warning('second')" })
        assert.matches("%S+ %S+ warning second\n", program.read(path))
        assert.falsy(program.read(path .. ".1"):find("second", 1, true))
        assert(os.remove(path))
        assert(os.execute("mkdir " .. path)) -- it cannot be opened: the old one is written to
        local done = control.ctl(run, { "log-reopen" })
        assert.equal(1, done.code)
        program.assert_has(done.stderr, "the log file " .. path .. ": Is a directory")
        assert.equal("", run.stderr)
    end)

    it("begins a line behind one that was written in part", function()
        local path = program.directory() .. "/x.log"
        local command = "trap '' XFSZ; ulimit -S -f 1; exec \"$@\"" -- 512 bytes, as if the disk were full
        local run = program.start { path = "/bin/sh", args = { "-c", command, "sh", program.path, "-m", program.NO_MASTER,
            "--log-file", path, "--log-level", "error", program.script "print 'here' return {}" } }
        run:wait_for("here")
        local log = "require 'mesos'.log.error('%s')"
        control.ctl(run, { "eval", log:format(("x"):rep(600)) })
        assert.equal(512, #program.read(path))
        program.wait_for(function() return run.stderr:find(("x"):rep(600) .. "\n", 1, true) end)
        assert(os.execute(("prlimit --pid %d --fsize=unlimited:"):format(run.pid)))
        control.ctl(run, { "eval", log:format("second") })
        assert.matches("x\n%d%S+ %S+ error   second\n$", program.read(path))
    end)

    it("takes lines of JSON", function()
        local path = program.directory() .. "/x.log"
        start(path, { "--log-format", "json", program.script "require 'mesos'.log.info('one') return {}" })
        program.wait_for(function() return (program.read(path) or ""):find('"message":"one"}\n', 1, true) end)
        assert.matches('^{"time":"%d%d%d%d%-', program.read(path))
    end)

    it("is a regular file that can be opened", function()
        local run = start("/nowhere/x.log")
        assert.equal(2, run:wait())
        assert.equal("mesos-lua: the log file /nowhere/x.log: No such file or directory\n", run.stderr)
        run = start("/dev/full")
        assert.equal(2, run:wait())
        program.assert_has(run.stderr, "it is no regular file")
    end)

    it("is what log-reopen is for", function()
        local run = program.start { args = { "-m", program.NO_MASTER, program.script "print 'here' return {}" } }
        run:wait_for("here")
        local done = control.ctl(run, { "log-reopen" })
        assert.equal(1, done.code)
        assert.equal("the log is in no file: --log-file FILE would put it in one\n", done.stderr)
    end)
end)
