-- SPDX-License-Identifier: Apache-2.0
--
-- What a service manager is told over NOTIFY_SOCKET by the program; socat receives the datagrams.

local master = require("support.master")
local program = require("support.program")

after_each(function()
    program.cleanup()
    master.cleanup()
end)

-- A socket, "@..." if it is abstract, and what was received there so far.
local function manager(name)
    local path = name or program.directory() .. "/notify"
    local kind = path:sub(1, 1) == "@" and "ABSTRACT-RECV:" .. path:sub(2) or "UNIX-RECV:" .. path
    local run = program.start { path = "/usr/bin/socat", args = { "-u", kind, "STDOUT" }, keep_stdin = true }
    local at = 1
    program.wait_for(function()
        return program.read("/proc/net/unix"):find(" " .. path .. "\n", 1, true)
    end, nil, function() return run:report() end)
    local it = { path = path }
    -- Waits for the lines, in this order, behind those of the call before; each is a pattern of the whole line.
    function it.hears(...)
        for _, line in ipairs { ... } do
            local last = program.wait_for(function()
                return select(2, ("\n" .. run.stdout):find("\n" .. line .. "\n", at))
            end, nil, function()
                return ("no '%s' behind byte %d: %s"):format(line, at, run:report())
            end)
            at = last - 1
        end
    end
    function it.heard() return run.stdout end
    -- Comes behind all that the program has sent before.
    function it.mark(word)
        local to = kind:gsub("RECV", "SENDTO")
        local sent = program.run { path = "/usr/bin/socat", args = { "-u", "STDIN", to }, stdin = word .. "\n" }
        assert.equal(0, sent.code, sent:report())
        it.hears(word)
    end
    return it
end

local SCHEDULER = 'return { framework = { name = "told" } }'

describe("NOTIFY_SOCKET", function()
    it("hears of the registration, of losses, reloads, and the end", function()
        local told, m = manager(), master.start()
        local path = program.script(SCHEDULER)
        local run = program.start { args = { "--master", m.address, path }, env = { NOTIFY_SOCKET = told.path } }
        m:wait_for("SUBSCRIBE")
        told.hears("STATUS=looking for a master", "READY=1", "STATUS=registered as framework [%x-]+")
        assert.is_nil(told.heard():find("READY=1.*looking for"))
        run:kill("sighup")
        told.hears("RELOADING=1", "MONOTONIC_USEC=%d+", "READY=1")
        m:end_stream()
        told.hears("STATUS=disconnected, looking for a master", "READY=1", "STATUS=registered as framework [%x-]+")
        run:kill()
        told.hears("STOPPING=1", "STATUS=stopping")
        assert.equal(0, run:wait(), run:report())
        assert.is_nil(told.heard():find("WATCHDOG"))
        assert.equal(1, select(2, told.heard():gsub("STOPPING", "")))
    end)

    it("may be an abstract name", function()
        local told = manager("@mesos-lua-spec-" .. program.directory():match("[^/]+$"))
        local run = program.start { args = { "local" }, env = { NOTIFY_SOCKET = told.path } }
        told.hears("READY=1", "STATUS=listening on 127.0.0.1:%d+")
        assert.matches("listening on", run.stdout)
    end)

    it("is told that a process is ready which waits to lead", function()
        local told = manager()
        program.start { args = { "--elect", "zk://" .. program.NO_MASTER .. "/here", program.script(SCHEDULER) },
            env = { NOTIFY_SOCKET = told.path } }
        told.hears("READY=1", "STATUS=waiting to lead at 127%.0%.0%.1:1/here")
    end)

    it("is not told of a check, and not by embedded hosts or executors", function()
        local told = manager()
        local run = program.run { args = { "check", program.script(SCHEDULER) }, env = { NOTIFY_SOCKET = told.path } }
        assert.equal(0, run.code, run:report())
        assert.equal("", told.heard())
    end)

    for name, value in pairs { ["a relative path"] = "notify", ["too long a name"] = "/" .. ("x"):rep(200), ["no name"] = "@" } do
        it("is refused with a warning: " .. name, function()
            local run = program.start { args = { "local" }, env = { NOTIFY_SOCKET = value } }
            run:wait_for("NOTIFY_SOCKET: an absolute path or @NAME expected, shorter than 108 bytes, got '" ..
                value:sub(1, 120) .. "'; the service manager is told nothing")
            run:wait_for("listening on")
        end)
    end

    it("may be gone: that is logged once", function()
        local run = program.start { args = { "local" },
            env = { NOTIFY_SOCKET = program.directory() .. "/nothing", WATCHDOG_USEC = "10000" } }
        run:wait_for("NOTIFY_SOCKET: the service manager cannot be told: No such file or directory")
        run:wait_for("listening on")
        run:kill()
        run:wait()
        assert.equal(1, select(2, run.stderr:gsub("NOTIFY_SOCKET", "")), run:report())
    end)
end)

describe("WATCHDOG_USEC", function()
    local function start(told, usec, pid, ...)
        return program.start { path = "/bin/sh", args = { "-c", ("WATCHDOG_PID=%s exec \"$@\""):format(pid), "sh", program.path, ... },
            env = { NOTIFY_SOCKET = told.path, WATCHDOG_USEC = usec } }
    end

    it("is fed by the loop", function()
        local told = manager()
        start(told, "20000", "$$", "local")
        told.hears("READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1")
    end)

    it("is not fed by a callback that does not end", function()
        local told, m = manager(), master.start()
        local run = start(told, "20000", "$$", "--master", m.address, "--callback-warn", "0.2", program.script [[
            return { framework = { name = "stuck" }, registered = function() print("in") while true do end end }]])
        m:wait_for("SUBSCRIBE")
        run:wait_for("callback registered is slow")
        told.mark("first")
        run:kill("sigterm")
        run:wait_for("SIGTERM: stopping when it returns")
        told.mark("second")
        assert.is_nil(told.heard():match("first\n(.*)second"):find("WATCHDOG", 1, true))
        run:kill("sigkill")
    end)

    for name, case in pairs { ["another process"] = { "20000", "1" }, ["no number"] = { "soon", "$$" }, ["zero"] = { "0", "$$" } } do
        it("means nothing: " .. name, function()
            local told = manager()
            local run = start(told, case[1], case[2], "local")
            told.hears("READY=1")
            run:kill()
            told.hears("STOPPING=1")
            assert.is_nil(told.heard():find("WATCHDOG", 1, true))
        end)
    end
end)
