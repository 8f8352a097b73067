-- SPDX-License-Identifier: Apache-2.0
--
-- The module mesos.so in the Lua of other programs: lua5.4 and busted, as Debian has them, with nothing but LUA_CPATH.

local master = require("support.master")
local program = require("support.program")

local root = require("luv").cwd()
local build = os.getenv("MESOS_LUA_BUILD") or "build"
local CPATH = (build:find("^/") and build or root .. "/" .. build) .. "/?.so;;"

after_each(function()
    program.cleanup()
    master.cleanup()
end)

-- Runs a program of Lua with the module on its path.
local function start(path, args, cwd)
    local environment = { LUA_CPATH = CPATH, PATH = os.getenv("PATH"), HOME = os.getenv("HOME") }
    for _, name in ipairs { "LD_PRELOAD", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS" } do
        environment[name] = os.getenv(name)
    end
    return program.start { path = path, args = args, env = environment, cwd = cwd }
end

local function lua(text, ...)
    local run = start("/usr/bin/lua5.4", { program.script(text, "main.lua"), ... })
    local code = run:wait(20)
    return code, run.stdout, run.stderr, run
end

local OWN = [[
    local mesos = require "mesos"
    local scheduler = {}
    function scheduler:registered(driver, id) print("registered " .. id) end
    function scheduler:resourceOffers(driver, offers)
        mesos.sleep(0.01)
        local offer = offers:best_fit { cpus = 0.1, mem = 32 }
        driver:launchTasks(offer.id, { {
            name = "own", task_id = "own", agent_id = offer.agent_id, command = { value = "exit 0" },
            resources = mesos.resources { cpus = 0.1, mem = 32 },
        } })
    end
    function scheduler:statusUpdate(driver, status)
        if status.state == "TASK_FINISHED" then driver:stop() end
    end
    local driver = mesos.SchedulerDriver { scheduler = scheduler, master = arg[1] }
    print(driver:run(), driver:status())
]]

describe("require \"mesos\" in lua5.4", function()
    it("runs a driver of the script's own against a master", function()
        local m = master.start()
        local run = start("/usr/bin/lua5.4", { program.script(OWN, "own.lua"), m.address })
        local subscribe = m:wait_for("SUBSCRIBE").call.subscribe
        assert.equal("own", subscribe.framework_info.name)
        m:send_offers()
        local task = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos[1]
        m:send(m:update(task, "TASK_FINISHED"))
        m:wait_for("TEARDOWN")
        assert.equal(0, run:wait(), run:report())
        assert.matches("^registered [^\n]+\nDRIVER_STOPPED\tDRIVER_STOPPED\n$", run.stdout)
    end)

    it("brings a local cluster", function()
        local code, out, err = lua(OWN, "local")
        assert.equal(0, code, err)
        assert.matches("DRIVER_STOPPED", out)
    end)

    it("leaves the globals of other modules alone", function()
        local code, out, err = lua [[
            local before = {}
            for key in pairs(_G) do before[key] = _G[key] end
            local pcall_before, resume = pcall, coroutine.resume
            require "mesos"
            for key in pairs(_G) do assert(before[key] == _G[key], key) end
            assert(getmetatable(_G) == nil and pcall == pcall_before and coroutine.resume == resume)
            function late() newly = undeclared end
            late()
            assert(newly == nil)
            assert(os.exit ~= nil)
            print "good" ]]
        assert.equal("good\n", out, err)
        assert.equal(0, code)
    end)

    it("says what needs the program", function()
        local code, out, err = lua [[
            local mesos = require "mesos"
            print(select(2, pcall(mesos.exit, 1)))
            print(select(2, pcall(mesos.sleep, 1))) ]]
        assert.equal(0, code, err)
        assert.matches("^mesos%.exit ends the program that hosts a script %(mesos%-lua SCRIPT%.lua%), and here is none: "
            .. "stop the driver, and call os%.exit\n"
            .. "mesos%.sleep cannot wait here, in a main chunk or a finalizer", out)
    end)

    it("works in coroutines that were there before it, and does not wait in them", function()
        local code, out, err = lua [[
            local early = coroutine.wrap(function()
                coroutine.yield()
                local mesos = require "mesos"
                coroutine.yield(mesos.resources { cpus = 2 }[1].scalar)
                print(select(2, pcall(mesos.sleep, 1)))
            end)
            early()
            local late = coroutine.wrap(function() return require("mesos").now() > 0 end)
            print(early(), late())
            early() ]]
        assert.equal(0, code, err)
        assert.matches("^2\ttrue\nmesos%.sleep cannot wait here", out)
    end)

    it("can be loaded in a coroutine, and twice", function()
        local code, out, err = lua [[
            local first = coroutine.wrap(function() return require "mesos" end)()
            package.loaded.mesos = nil
            local second = require "mesos"
            print(first ~= second, second.resources { mem = 1 }[1].name) ]]
        assert.equal("true\tmem\n", out, err)
        assert.equal(0, code)
    end)

    it("ends with the Lua state, also in the middle of a callback", function()
        local m = master.start()
        local run = start("/usr/bin/lua5.4", { program.script(OWN:gsub("mesos.sleep%(0.01%)", "os.exit(7, true)"), "x.lua"),
            m.address })
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        assert.equal(7, run:wait(), run:report())
    end)

    it("is of no use to what is finalized behind it", function()
        local code, out, err = lua [[
            local mesos
            kept = setmetatable({}, { __gc = function() print(select(2, pcall(mesos.now))) end })
            mesos = require "mesos"
            mesos.spawn(function() mesos.sleep(1) end) ]]
        assert.equal("the module mesos has ended with this Lua state\n", out, err)
        assert.equal(0, code)
    end)

    it("finds the modules of the library, the module mesos loaded or not", function()
        local code, out, err = lua [[
            print(require("mesos.states").is_terminal("TASK_FAILED"))
            print(type(require("mesos.testing").load), type(require("mesos").resources)) ]]
        assert.equal("true\nfunction\tfunction\n", out, err)
        assert.equal(0, code)
    end)

    it("exports nothing but how it is opened", function()
        local run = program.run { path = "/usr/bin/nm", args = { "-D", "--defined-only", CPATH:match("^(.-)%?") .. "mesos.so" } }
        assert.equal(0, run.code, run.stderr)
        for name in run.stdout:gmatch("%x+ %a ([^\n]+)") do
            assert.matches("^luaopen_mesos", name)
        end
        assert.matches(" T luaopen_mesos\n", run.stdout)
    end)
end)

describe("mesos.testing", function()
    local TEST = [[
        local testing = require "mesos.testing"
        describe("pack.lua", function()
            it("packs", function()
                local t = testing.load("@/examples/pack.lua", { args = { "best_fit", "2" } })
                t:register()
                t:offer { cpus = 1, mem = 512, ports = { { 31000, 31005 } } }
                assert.equal(2, #t:launched())
            end)
            it("fails", function()
                testing.load("@/examples/pack.lua", { args = { "best_fit", "2" } }):advance("x")
            end)
        end) ]]

    it("runs under a stock busted", function()
        local folder = program.files { ["spec/policy_spec.lua"] = TEST:gsub("@", root) }
        local run = start("/usr/bin/busted", { "--lua=lua5.4", "--output=TAP" }, folder)
        run:wait(20)
        assert.matches("ok 1 %- pack.lua packs", run.stdout, run:report())
        assert.matches("not ok 2 %- pack.lua fails", run.stdout)
    end)

    it("has an example", function()
        local run = start("/usr/bin/busted", { "--lua=lua5.4", "--output=TAP", "examples/pack_spec.lua" })
        assert.equal(0, run:wait(20), run:report())
        assert.matches("ok 5 %- pack.lua packs a whole cluster", run.stdout)
    end)

    it("runs in the program, in a callback, and one test after the other", function()
        local run = program.run { seconds = 20, args = { "-m", program.NO_MASTER, program.script([[
            local mesos = require "mesos"
            local testing = require "mesos.testing"
            mesos.spawn(function()
                for _ = 1, 50 do
                    local t = testing.load(arg[1], { args = { "best_fit", "2" } })
                    t:register()
                    t:offer { cpus = 1, mem = 512, ports = { { 31000, 31005 } } }
                    assert(#t:launched() == 2)
                    assert(not pcall(t.offer, t, { cpu = 1 }))
                end
                print "good"
                mesos.exit(0)
            end)
            return {} ]]), root .. "/examples/pack.lua" } }
        assert.equal(0, run.code, run:report())
        assert.matches("good\n$", run.stdout)
    end)
end)
