-- SPDX-License-Identifier: Apache-2.0
--
-- What the program and the library are built with, read from their ELF headers.

local program = require("support.program")

local build = os.getenv("MESOS_LUA_BUILD") or "build"
local sanitized = build:find("asan") ~= nil

local function readelf(path, ...)
    local run = program.run { path = "/usr/bin/readelf", args = { "-W", path, ... } }
    assert.equal(0, run.code, run:report())
    return run.stdout
end

-- Flags of a segment in "readelf -l": its columns are type, offset, two addresses, two sizes, flags, alignment.
local function segment(path, kind)
    return readelf(path, "-l"):match("\n%s*" .. kind .. "%s+0x%x+ 0x%x+ 0x%x+ 0x%x+ 0x%x+ ([RWE ]+) 0x")
end

local function imported(path)
    local names = {}
    for name in readelf(path, "--dyn-syms"):gmatch("UND ([%w_]+)") do
        names[name] = true
    end
    return names
end

describe("the build", function()
    after_each(program.cleanup)

    local files = { program = build .. "/libexec/mesos-lua", library = build .. "/libmesos-lua.so" }

    for name, path in pairs(files) do
        it("protects the " .. name, function()
            assert.matches("Type:%s+DYN", readelf(path, "-h"))
            assert.is_string(segment(path, "GNU_RELRO"))
            assert.equal("RW", (segment(path, "GNU_STACK"):gsub("%s", "")))
            local dynamic = readelf(path, "-d")
            assert.matches("BIND_NOW", dynamic)
            assert.matches("FLAGS_1%)[^\n]*NOW", dynamic)
            local names = imported(path)
            assert.is_true(names.__stack_chk_fail)
            if not sanitized then
                for _, checked in ipairs { "__memcpy_chk", "__snprintf_chk", "__fprintf_chk" } do
                    assert.is_true(names[checked], checked)
                end
            end
        end)
    end

    it("makes the program, and what it is started by, independent of their positions", function()
        for _, path in ipairs { files.program, build .. "/mesos-lua" } do
            assert.matches("Type:%s+DYN", readelf(path, "-h"))
            assert.matches("FLAGS_1%)[^\n]*PIE", readelf(path, "-d"))
            assert.is_string(segment(path, "GNU_RELRO"))
            assert.equal("RW", (segment(path, "GNU_STACK"):gsub("%s", "")))
        end
    end)

    -- Lua is inside the program, and modules in C find it there.
    it("lets modules in C use Lua", function()
        local run = program.run { args = { "-m", program.NO_MASTER, program.script [[
            local mesos, lfs = require "mesos", require "lfs"
            print(lfs.attributes("/", "mode"), pcall(lfs.dir, "/nowhere"))
            print(type(require "luv".hrtime()))
            mesos.exit(0)]] } }
        assert.equal(0, run.code, run:report())
        assert.matches("^directory\tfalse\tcannot open /nowhere[^\n]*\nnumber\n", run.stdout)
    end)

    -- A SIGHUP while libraries are linked would end the program, so what is started first has none.
    it("starts with a program that needs no dynamic linker", function()
        local headers = readelf(build .. "/mesos-lua", "-l")
        assert.equal(sanitized, headers:find("INTERP", 1, true) ~= nil)
    end)

    it("has all descriptors that it may have, and starts programs with those that it was given", function()
        local text = program.script([[
            local mesos = require "mesos"
            mesos.spawn(function()
                print(io.open("/proc/self/limits"):read("a"):match("Max open files +(%d+) +(%d+)"))
                print((mesos.exec { "sh", "-c", "ulimit -S -n; ulimit -H -n" }.stdout:gsub("\n", " ")))
                os.exit(0)
            end)
            return { framework = { name = "limits" } }]])
        local run = program.run { path = "/bin/sh", args = { "-c", 'ulimit -S -n 200; ulimit -H -n 300; exec "$@"', "sh",
            program.path, "--master", "127.0.0.1:1", text } }
        assert.equal("300\t300\n200 300 \n", run.stdout, run:report())
    end)
end)
