-- SPDX-License-Identifier: Apache-2.0
--
-- What is installed: the files of each component, which are those of Debian's packages, too, and the unit for systemd.
-- `sh spec/run.sh --packages` makes the packages, and uses them in a clean Debian.

local program = require("support.program")

local build = os.getenv("MESOS_LUA_BUILD") or "build"

local function cached(name)
    return (program.read(build .. "/CMakeCache.txt") or ""):match("\n" .. name .. ":[A-Z]+=([^\n]*)")
end

local function run(path, ...)
    local finished = program.run { path = path, args = { ... }, seconds = 60 }
    assert.equal(0, finished.code, path .. ": " .. finished:report())
    return finished.stdout
end

-- The folder of libraries is lib, or Debian's folder of the architecture in it; the paths below say lib.
local function list(folder)
    local files, libraries = {}, "/" .. cached("CMAKE_INSTALL_LIBDIR") .. "/"
    for path in run("/usr/bin/find", folder, "-type", "f", "-o", "-type", "l"):gmatch("[^\n]+") do
        local name = path:sub(#folder + 1)
        local at, to = name:find(libraries, 1, true)
        files[at and name:sub(1, at) .. "lib/" .. name:sub(to + 1) or name] = path
    end
    return files
end

-- Component -> patterns of which each is the whole path of a file behind the prefix. All have a copyright.
local CONTENTS = {
    program = { "/bin/mesos%-lua", "/libexec/mesos%-lua/mesos%-lua", "/lib/systemd/system/mesos%-lua@%.service",
        "/share/man/man1/mesos%-lua%.1", "/share/man/man1/mesos%-lua%-ctl%.1", "/share/zsh/vendor%-completions/_mesos%-lua",
        "/share/bash%-completion/completions/mesos%-lua", "/share/fish/vendor_completions%.d/mesos%-lua%.fish",
        "/share/doc/mesos%-lua/reference%.md", "/share/doc/mesos%-lua/examples/hello%.lua" },
    library = { "/lib/libmesos%-lua%.so%.%d+%.%d+", "/lib/libmesos%-lua%.so%.%d+%.%d+%.%d+" },
    development = {
        "/lib/libmesos%-lua%.so", "/include/mesos%-lua/mesos_driver%.h", "/include/mesos%-lua/mesos_lua%.h",
        "/include/mesos%-lua/mesos/v1/mesos%.pb%-c%.h", "/include/mesos%-lua/mesos/v1/scheduler/scheduler%.pb%-c%.h",
        "/lib/pkgconfig/mesos%-lua%.pc", "/lib/cmake/mesos%-lua/mesos%-lua%-config%.cmake",
    },
    lua = { "/share/mesos%-lua/lua/meta/mesos%.lua", "/share/mesos%-lua/lua/mesos/states%.lua" },
}

after_each(program.cleanup)

describe("cmake --install", function()
    it("puts each file into one component", function()
        local owners = {}
        for component, patterns in pairs(CONTENTS) do
            local folder = program.directory()
            run("/usr/bin/cmake", "--install", build, "--component", component, "--prefix", folder)
            local files = list(folder)
            for path in pairs(files) do
                assert.is_nil(owners[path], path)
                owners[path] = component
            end
            for _, pattern in ipairs { "/share/doc/[%w.-]+/copyright", table.unpack(patterns) } do
                local found
                for path in pairs(files) do
                    found = found or path:find("^" .. pattern .. "$") ~= nil
                end
                assert.is_true(found, component .. " has no " .. pattern)
            end
        end
    end)

    it("needs nothing but the target `installed`", function()
        local needed = run("/usr/bin/ninja", "-C", build, "-t", "query", "installed"):gsub("||? ", "")
        for _, name in ipairs { "mesos-lua", "libexec/mesos-lua", "libmesos-lua.so", "documents" } do
            program.assert_has(needed, "\n    " .. name .. "\n")
        end
        program.assert_has(program.read("examples/quickstart.sh"), "--target installed;")
    end)

    it("installs a program that runs", function()
        local folder = program.directory()
        run("/usr/bin/cmake", "--install", build, "--component", "program", "--prefix", folder)
        assert.matches("^mesos%-lua %d+%.%d+%.%d+\n$", run(folder .. "/bin/mesos-lua", "--version"))
    end)
end)

describe("mesos-lua@.service", function()
    local text = program.read("host/package/mesos-lua@.service")

    it("passes options that exist, and is told what the program tells", function()
        local words = text:match("\nEnvironment=([^\n]+)") .. " " .. text:match("\nExecStart=([^\n]+)")
        local help, count = run(program.path, "--help"), 0
        for option in words:gmatch("%-%-([%l-]+)") do
            count = count + 1
            assert.is_truthy(help:find("--" .. option .. " ", 1, true), option)
        end
        assert.is_true(count >= 2)
        program.assert_has(text, "\nType=notify\n", "\nWatchdogSec=", "\nNotifyAccess=main\n", "\nKillMode=mixed\n")
    end)

    it("is hardened", function()
        for _, name in ipairs { "DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=",
            "RestrictNamespaces=yes", "SystemCallFilter=@system-service", "UMask=0077" } do
            program.assert_has(text, "\n" .. name .. "\n")
        end
    end)
end)
