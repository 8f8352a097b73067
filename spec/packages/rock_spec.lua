-- SPDX-License-Identifier: Apache-2.0
--
-- The rockspec, by Debian's luarocks: it builds the module in a copy of the tree and installs it into a tree of rocks of
-- its own, where stock lua5.4 finds it. Run by `sh spec/run.sh --packages` alone: it builds the module once more.

local program = require("support.program")

local ROCKSPEC = "host/package/mesos-0.2.0-1.rockspec"

local function run(path, args, options)
    options = options or {}
    local done = program.run { path = path, args = args, cwd = options.cwd, env = options.env, seconds = options.seconds or 60 }
    assert.equal(0, done.code, path .. ": " .. done:report())
    return done.stdout
end

describe("the rockspec", function()
    local source, rocks

    -- A copy, as it builds in build/.
    setup(function()
        local root = run("/usr/bin/mktemp", { "-d", (os.getenv("TMPDIR") or "/tmp") .. "/mesos-lua-rock.XXXXXX" }):match("[^\n]+")
        source, rocks = root .. "/source", root .. "/rocks"
        run("/bin/sh", { "-ec", [[mkdir "$1"
            tar -c --exclude=./.git --exclude=./build --exclude='./build-*' . | tar -x -C "$1"]], "sh", source })
        run("/usr/bin/luarocks", { "--lua-version", "5.4", "--tree", rocks, "make", ROCKSPEC }, { cwd = source, seconds = 1800 })
    end)

    teardown(function()
        if source then
            run("/bin/rm", { "-rf", (source:gsub("/source$", "")) })
        end
        program.cleanup()
    end)

    it("installs a module that stock Lua finds, with its library", function()
        local text = run("/usr/bin/lua5.4", { "-e", [[
            local mesos = require "mesos"
            print(mesos.version, mesos.resources({ cpus = 1 })[1].name, type(require("mesos.testing").load)) ]] },
            { cwd = "/", env = { LUA_CPATH = rocks .. "/lib/lua/5.4/?.so" } })
        assert.equal("0.2.0\tcpus\tfunction\n", text)
    end)

    it("is listed with its licence", function()
        local text = run("/usr/bin/luarocks", { "--lua-version", "5.4", "--tree", rocks, "show", "mesos" }, { cwd = "/" })
        program.assert_has(text, "mesos 0.2.0-1", "Apache-2.0", "mesos.so")
    end)

    it("leaves nothing else", function()
        run("/usr/bin/luarocks", { "--lua-version", "5.4", "--tree", rocks, "remove", "mesos" }, { cwd = "/" })
        local left = run("/usr/bin/find", { rocks, "-name", "*mesos*" })
        assert.equal("", left)
    end)
end)
