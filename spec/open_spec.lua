-- SPDX-License-Identifier: Apache-2.0
--
-- Opening a file never blocks: a named pipe without a writer, or a device, instead of a file is refused with a message,
-- and a secret may still come from `<(command)`. What a file contains is not quoted.

local framework = require("support.framework")
local master = require("support.master")
local program = require("support.program")

local END = "local mesos = require 'mesos' mesos.exit(0) "

local function fifo(name)
    local path = program.directory() .. "/" .. (name or "pipe")
    assert(os.execute("mkfifo " .. path))
    return path
end

local function write(path, text)
    local file <close> = assert(io.open(path, "wb"))
    assert(file:write(text))
end

-- Runs to the end with those arguments; returns the log.
local function refused(args, status)
    local done = program.run { args = args, seconds = 5 }
    assert.equal(status or 2, done.code, done:report())
    return done.stderr
end

local function shell(text)
    return program.start { path = "bash", args = { "-c", text } }
end

describe("a named pipe without a writer", function()
    after_each(framework.cleanup)

    it("is no script", function()
        local path = fifo("main.lua")
        for _, command in ipairs { "run", "check" } do
            assert.truthy(refused({ command, "-m", "127.0.0.1:1", path }):find(
                "cannot open script '" .. path .. "': it is a pipe that holds nothing, and no process writes to", 1, true))
        end
    end)

    it("is no module", function()
        local folder = program.files { ["main.lua"] = "require 'lib' return {}" }
        assert(os.execute("mkfifo " .. folder .. "/lib.lua"))
        assert.matches("lib.lua' of module 'lib': it is a pipe, and an ordinary file is expected",
            refused { "-m", "127.0.0.1:1", folder .. "/main.lua" })
    end)

    it("does not take the place of a script that runs", function()
        local folder = program.files { ["main.lua"] = "return { framework = { name = 'x' } }" }
        local m = master.start()
        local run = program.start { args = { "-m", m.address, folder .. "/main.lua" } }
        run:wait_for("registered")
        assert(os.execute(("mkfifo %s/new && mv %s/new %s/main.lua"):format(folder, folder, folder)))
        run:kill("sighup")
        run:wait_for("it is a pipe that holds nothing")
        run:kill("sigterm")
        assert.equal(0, (run:wait(5)))
    end)

    it("is no state file, no lock of one, and does not stand in the way of its new version", function()
        local script = program.script(END .. "return {}")
        local path = fifo("kept")
        assert.matches("'" .. path:gsub("%p", "%%%0") .. "' is not an ordinary file",
            refused { "-m", "127.0.0.1:1", "--state", path, script })
        path = program.directory() .. "/kept"
        assert(os.execute("mkfifo " .. path .. ".lock"))
        assert.matches("cannot lock '[^\n]*kept.lock[^\n]* is not an ordinary file",
            refused { "-m", "127.0.0.1:1", "--state", path, script })
        path = program.directory() .. "/kept"
        assert(os.execute("mkfifo " .. path .. ".new"))
        refused({ "-m", "127.0.0.1:1", "--state", path, script }, 0)
    end)

    it("holds no credentials", function()
        for _, option in ipairs { "--token-file", "--secret-file", "--credential" } do
            local path = fifo()
            local args = { "-m", "127.0.0.1:1", option, path, program.script("return {}") }
            if option == "--secret-file" then
                table.move({ "--principal", "alice" }, 1, 2, #args + 1, args)
                args = { "--principal", "alice", table.unpack(args, 1, 5) }
            end
            local text = option .. " " .. path .. ": it is a pipe that holds nothing, and no process writes to"
            assert.truthy(refused(args):find(text, 1, true))
        end
    end)

    it("is no certificate", function()
        local path = fifo()
        local args = { "-m", "https://127.0.0.1:1", "--ca-file", path, program.script("return {}") }
        assert.truthy(refused(args):find("--ca-file " .. path .. ": an ordinary file is expected", 1, true))
    end)

    it("holds no address of a master", function()
        local path = fifo()
        local run = program.start { args = { "-m", "file://" .. path, program.script("return {}") } }
        run:wait_for("waiting for a master address in [^\n]*: it is a pipe, and an ordinary file is expected")
        run:kill("sigterm")
        assert.equal(0, (run:wait(5)))
    end)
end)

describe("a pipe of a shell", function()
    after_each(framework.cleanup)

    it("brings a script", function()
        local text = "print 'here' " .. END .. "return {}"
        for _, command in ipairs {
            ([[%s -m 127.0.0.1:1 <(echo "%s")]]):format(program.path, text),
            ([[%s -m 127.0.0.1:1 <(sleep 0.2; echo "%s")]]):format(program.path, text),
            ([[echo "%s" | %s -m 127.0.0.1:1 /dev/stdin]]):format(text, program.path),
        } do
            local run = shell(command)
            assert.equal(0, (run:wait()), run:report())
            assert.equal("here\n", run.stdout)
        end
    end)

    it("brings a token for each subscription, and for each driver", function()
        local m = master.start()
        local run = shell(([[%s -m %s --registration-backoff 10ms --token-file <(sleep 0.2; echo tok) %s]]):format(
            program.path, m.address, program.script [[
                local mesos = require "mesos"
                for i = 1, 2 do
                    local scheduler = { registered = function(_, driver) driver:stop() end }
                    mesos.SchedulerDriver { scheduler = scheduler, framework = { name = "f" .. i } }:run()
                end]]))
        assert.equal(0, (run:wait()), run:report())
        local subscribes = m:calls_of("SUBSCRIBE")
        assert.equal(2, #subscribes)
        for _, subscribe in ipairs(subscribes) do
            assert.equal("Bearer tok", subscribe.request:header("Authorization"))
        end
    end)
end)

describe("a terminal or a device", function()
    after_each(framework.cleanup)

    it("is no file", function()
        assert.matches("it is a device, and an ordinary file is expected", refused { "-m", "127.0.0.1:1", "/dev/zero" })
        local args = { "-m", "127.0.0.1:1", "--token-file", "/dev/zero", program.script("return {}") }
        assert.matches("%-%-token%-file /dev/zero: it is a device, and an ordinary file is expected", refused(args))
    end)
end)

describe("what a file contains", function()
    after_each(framework.cleanup)

    it("is not quoted where it is no address of a master", function()
        local path = program.directory() .. "/master"
        local secrets = { "SECRET_ENV=hush", "hush", "hush:x", "zk://hush", "h ush", "file:///hush", "hush\0more", "" }
        for _, secret in ipairs(secrets) do
            write(path, secret)
            local run = program.start { args = { "-m", "file://" .. path, program.script("return {}") } }
            run:wait_for("waiting for a master address in [^\n]*: [^\n]+\n")
            assert.is_nil(run.stderr:find("h ?ush"), run:report())
            run:kill("sigkill")
        end
    end)

    it("is not quoted where it is no secret", function()
        local path = program.directory() .. "/secret"
        for text, option in pairs {
            ["hush a b"] = "--credential", ["{ hush }"] = "--credential", ['{ "principal": "hush" }'] = "--credential",
            ["hush\27"] = "--token-file",
        } do
            write(path, text)
            local log = refused { "-m", "127.0.0.1:1", option, path, program.script("return {}") }
            assert.is_nil(log:find("hush", 1, true), log)
        end
    end)
end)
