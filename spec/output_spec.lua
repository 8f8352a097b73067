-- SPDX-License-Identifier: Apache-2.0
--
-- Output that nothing reads: the framework goes on, what was printed waits up to a cap, and what was lost is counted.

local framework = require("support.framework")
local master = require("support.master")
local program = require("support.program")
local internals = require("internals")
local uv = require("luv")

local HEAD = [[
local mesos = require "mesos"
local scheduler = { framework = { name = "test" } }
local big = ("x"):rep(999)
]]

-- ---- what the output goes to ----

local channels = {}

local Channel = {}
Channel.__index = Channel

local function channel(kind)
    local reader, writer = internals.channel(kind)
    local this = setmetatable({ kind = kind, reader = reader, writer = writer, text = "" }, Channel)
    channels[#channels + 1] = this
    return this
end

function Channel:close_writer()
    if self.writer then
        uv.fs_close(self.writer)
        self.writer = nil
    end
end

function Channel:close_reader()
    if self.poll then
        self.poll:stop()
        self.poll:close()
        self.poll = nil
    end
    if self.reader then
        uv.fs_close(self.reader)
        self.reader = nil
    end
end

-- From now on what comes is added to `text`; `ended` when no more can come.
function Channel:read()
    if self.kind == "stopped terminal" then
        assert(internals.start_terminal(self.writer))
    end
    self:close_writer()
    self.poll = uv.new_poll(self.reader)
    self.poll:start("r", function()
        local data = uv.fs_read(self.reader, 1 << 18)
        if data and data ~= "" then
            self.text = self.text .. data
        else
            self.ended = true
            self.poll:stop()
        end
    end)
end

-- ---- the program ----

local m

-- Streams: `stdout`, `stderr`, each a channel or nil (then it is read).
local function start(body, args, streams)
    m = master.start()
    local words = { "--master", m.address, table.unpack(args or {}) }
    words[#words + 1] = program.script(HEAD .. body .. "\nreturn scheduler")
    local run = program.start {
        args = words, stdout = streams.stdout and streams.stdout.writer, stderr = streams.stderr and streams.stderr.writer,
    }
    return run
end

local function ends(run, seconds)
    program.wait_for(function() return run.code and run.open == 0 end, seconds, function() return run:report() end)
    assert.equal(0, run.code, run:report())
    assert.equal(0, run.signal, run:report())
end

local function count(text, pattern)
    return select(2, text:gsub(pattern, ""))
end

local FLOOD = [[
function scheduler:registered()
    for i = 1, 2000 do print(big) end
    mesos.after(0.05, function() mesos.log.info("still turning") end)
end
]]

-- What each terminal holds is a few thousand bytes, and a stopped one takes in nothing.
local KINDS = { "pipe", "socket", "terminal", "stopped terminal" }

describe("output that nothing reads", function()
    after_each(function()
        framework.cleanup()
        for _, each in ipairs(channels) do
            each:close_writer()
            each:close_reader()
        end
        channels = {}
    end)

    for _, kind in ipairs(KINDS) do
        it("does not hold up the loop or SIGTERM: stdout is a " .. kind, function()
            local out = channel(kind)
            local run = start(FLOOD, nil, { stdout = out })
            run:wait_for("still turning")
            assert.is_true(internals.is_blocking(out.writer))
            run:kill("sigterm")
            ends(run)
            assert.matches("SIGTERM: stopping", run.stderr)
            assert.matches("print: the last %d+ bytes that the script printed are lost, since stdout, a "
                .. kind:match("%a+$"), run.stderr)
        end)

        it("does not hold up the loop or SIGTERM: stderr is a " .. kind, function()
            local err = channel(kind)
            local run = start([[
                function scheduler:registered()
                    for i = 1, 2000 do mesos.log.info("%s", big) end
                    mesos.after(0.05, function() print("still turning") io.stdout:flush() end)
                end
            ]], nil, { stderr = err })
            run:wait_for("still turning")
            assert.is_true(internals.is_blocking(err.writer))
            run:kill("sigterm")
            ends(run)
        end)

        it("arrives whole and in order when it is read: " .. kind, function()
            local out = channel(kind)
            local run = start([[
                function scheduler:registered(driver)
                    for i = 1, 50000 do print(i) io.write("and ", i, "\n") end
                    io.stderr:write("printed\n")
                    driver:stop()
                end
            ]], nil, { stdout = out })
            run:wait_for("printed")
            out:read()
            ends(run)
            program.wait_for(function() return out.ended end)
            local wanted = {}
            for i = 1, 50000 do
                wanted[i] = ("%d\nand %d\n"):format(i, i)
            end
            assert.is_true(out.text == table.concat(wanted), #out.text .. " bytes")
            assert.is_nil(run.stderr:find("lost", 1, true))
        end)
    end

    it("goes out while the script goes on, without another print", function()
        local out = channel("pipe")
        local run = start(FLOOD, nil, { stdout = out })
        run:wait_for("still turning")
        out:read()
        program.wait_for(function() return #out.text == 2000 * 1000 end)
        assert.is_nil(run.code)
    end)

    it("says what is lost past --output-limit, and io.write fails", function()
        local out = channel("pipe")
        local run = start([[
            function scheduler:registered()
                io.stdout:setvbuf("no")
                for i = 1, 300 do print(big) end
                local done, message = io.write(big)
                mesos.log.info("io.write: %s, %s", done, message)
            end
        ]], { "--output-limit", "100k" }, { stdout = out })
        run:wait_for("io.write: nil, %a+")
        assert.matches("warning print: 10%d%d%d%d bytes that the script printed wait, since stdout, a pipe, is not read: "
            .. "[^\n]*%(%-%-output%-limit%)", run.stderr)
        assert.equal(1, count(run.stderr, "warning print"))
        out:read()
        local lost = tonumber(run:wait_for("at least (%d+) bytes that the script printed were lost, since stdout, a pipe, was not read"))
        program.wait_for(function() return #out.text + lost == 300 * 1000 + 999 end, nil, function()
            return ("%d bytes and %d lost"):format(#out.text, lost)
        end)
        assert.matches("^(x+\n)%1", out.text)
    end)

    it("has a limit from 64k", function()
        local run = program.run { args = { "--output-limit", "63k", program.script("return {}") } }
        assert.equal(2, run.code)
        assert.matches("%-%-output%-limit: a number of bytes from 65536 to", run.stderr)
    end)

    it("counts the lines of the log that are lost", function()
        local err = channel("pipe")
        local run = start([[
            function scheduler:registered()
                for i = 1, 3000 do mesos.log.info("line %d %s", i, big) end
                mesos.after(0.05, function() print("logged") io.stdout:flush() end)
            end
        ]], nil, { stderr = err })
        run:wait_for("logged")
        err:read()
        local lost
        program.wait_for(function()
            lost = tonumber(err.text:match("warning (%d+) lines of the log were lost because stderr, a pipe, was not read\n"))
            return lost
        end)
        assert.equal(3000, count(err.text, "line %d+ x+\n") + lost)
        assert.is_true(#err.text > 1 << 20, #err.text)
        assert.matches("line 1 x+\n[^\n]*line 2 x", err.text)
    end)

    it("keeps the order of print and log on one pipe", function()
        local both = channel("pipe")
        local run = start([[
            function scheduler:registered(driver)
                for i = 1, 5000 do print("print " .. i) mesos.log.info("log %d", i) io.stderr:write("error ", i, "\n") end
                mesos.after(0.05, function() driver:stop() end)
            end
        ]], nil, { stdout = both, stderr = both })
        m:wait_for("TEARDOWN")
        both:read()
        ends(run)
        program.wait_for(function() return both.ended end)
        local at = 1
        for i = 1, 5000 do
            local first, last = both.text:find(("print %d\n[^\n]*log %d\nerror %d\n"):format(i, i, i), at)
            assert.is_true(first and (i == 1 or first == at), "line " .. i)
            at = last + 1
        end
    end)

    -- How many descriptors a process has that wait for events: two while its loop turns, and one, that of the output,
    -- when only the end is left.
    local function count_polls(pid)
        local polls, folder = 0, ("/proc/%d/fd"):format(pid)
        local scan = assert(uv.fs_scandir(folder))
        for name in uv.fs_scandir_next, scan do
            local target = uv.fs_readlink(folder .. "/" .. name)
            polls = polls + (target == "anon_inode:[eventpoll]" and 1 or 0)
        end
        return polls
    end

    -- Round by round the signal comes at another moment after the loop has gone.
    it("is waited for at the end, until a signal comes", function()
        for round = 1, 12 do
            local out = channel("pipe")
            local run = start([[
                function scheduler:registered(driver)
                    for i = 1, 200 do print(big) end
                    driver:stop()
                end
            ]], nil, { stdout = out })
            m:wait_for("TEARDOWN")
            program.wait_for(function() return count_polls(run.pid) == 1 end)
            assert.is_nil(run.code)
            if round > 6 then uv.sleep(round - 6) end
            run:kill(round % 3 == 0 and "sighup" or "sigterm")
            ends(run)
            assert.matches("print: the last %d+ bytes that the script printed are lost, since stdout, a pipe, is not read",
                run.stderr)
        end
    end)

    it("does not hold up the end when it is the log", function()
        local err = channel("pipe")
        local run = start([[
            function scheduler:registered(driver)
                for i = 1, 200 do mesos.log.info("%s", big) end
                driver:stop()
            end
        ]], nil, { stderr = err })
        ends(run)
    end)

    it("is dropped, and not counted, when its reader has gone", function()
        for _, kind in ipairs { "pipe", "socket" } do
            local out = channel(kind)
            local run = start([[
                function scheduler:registered(driver)
                    for i = 1, 200 do print(big) end
                    mesos.log.info("printed")
                    mesos.after(0.1, function() for i = 1, 200 do print(big) end driver:stop() end)
                end
            ]], nil, { stdout = out })
            out:close_writer()
            run:wait_for("printed")
            out:close_reader()
            ends(run)
            assert.is_nil(run.stderr:find("print:", 1, true), run:report())
        end
    end)

    it("does not silence mesos-lua local", function()
        local err = channel("pipe")
        local run = program.start { args = { "local", "-v" }, stderr = err.writer }
        local address = run:wait_for("listening on (%S+)")
        assert.matches("^127", address)
        run:kill("sigterm")
        ends(run)
    end)
end)
