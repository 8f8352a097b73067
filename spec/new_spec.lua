-- SPDX-License-Identifier: Apache-2.0
--
-- `mesos-lua new` and `mesos-lua test`: each kind passes its tests as written, and runs on a local cluster.

local program = require("support.program")

after_each(program.cleanup)

local function new(folder, ...)
    return program.run { args = { "new", ... }, cwd = folder }
end

local function test(folder, ...)
    local environment = {}
    for _, name in ipairs { "LD_PRELOAD" } do
        environment[name] = os.getenv(name)
    end
    return program.run { args = { "test", "--output=TAP", ... }, cwd = folder, env = environment, seconds = 30 }
end

describe("mesos-lua new", function()
    for kind, count in pairs { empty = 1, batch = 5, service = 5, dag = 3, cron = 4 } do
        it("writes a " .. kind .. " whose tests pass as written", function()
            local folder = program.directory()
            local run = new(folder, "my-" .. kind, "--kind", kind)
            assert.equal(0, run.code, run:report())
            assert.equal(("wrote  my-%s.lua\nwrote  spec/my-%s_spec.lua\nwrote  .busted\nwrote  .luarc.json\n"
                .. "wrote  README.md\n"):format(kind, kind), run.stdout)
            run = test(folder)
            assert.equal(0, run.code, run:report())
            assert.matches(("\n1%%.%%.%d\n"):format(count), run.stdout)
            run = program.run { args = { "check", "my-" .. kind .. ".lua" }, cwd = folder }
            assert.equal(0, run.code, run:report())
            assert.is_nil(run.stderr:find("warning"), run:report())
        end)
    end

    for kind, ends in pairs { batch = true, dag = true, service = false, empty = false, cron = false } do
        it("writes a " .. kind .. " that runs on a local cluster", function()
            local folder = program.directory()
            new(folder, "job", "--kind=" .. kind)
            local run = program.start { args = { "job.lua" }, cwd = folder }
            if ends then
                assert.equal(0, run:wait(20), run:report())
                assert.matches("is TASK_FINISHED", run.stderr)
                return
            end
            run:wait_for(kind == "service" and "job%.2 is TASK_RUNNING" or "registered with")
            run:kill("sigterm")
            assert.equal(0, run:wait(20), run:report())
            assert.is_nil(run.stderr:find("error"), run:report())
        end)
    end

    it("overwrites nothing", function()
        local folder = program.files { ["a.lua"] = "mine", [".busted"] = "mine too" }
        local run = new(folder, "a")
        assert.equal(2, run.code)
        assert.equal("mesos-lua: a.lua is there already: nothing was written\n", run.stderr)
        assert.equal("mine", program.read(folder .. "/a.lua"))
        assert.is_nil(program.read(folder .. "/spec/a_spec.lua"))
        run = new(folder, "b")
        assert.equal(0, run.code)
        assert.matches("kept   %.busted\n", run.stdout)
        assert.equal("mine too", program.read(folder .. "/.busted"))
        assert.matches("framework = { name = \"b\" }", program.read(folder .. "/b.lua"))
    end)

    it("tells editors where the declarations are", function()
        local folder = program.directory()
        new(folder, "a")
        local library = program.read(folder .. "/.luarc.json"):match('"workspace.library": %["([^"]+)"%]')
        assert.is_truthy(program.read(library .. "/meta/mesos.lua"))
        assert.is_truthy(program.read(library .. "/mesos/testing.lua"))
    end)

    for text, args in pairs {
        ["no name was given: mesos-lua new NAME [--kind KIND]"] = {},
        ["'a/b' is no name for a framework: letters, digits, _ and - expected, without a folder or an ending"] = { "a/b" },
        ["'a.lua' is no name for a framework"] = { "a.lua" },
        ["--kind: no kind 'bacth' (did you mean 'batch'?); there are empty, batch, service, dag, cron"] = { "a", "--kind", "bacth" },
        ["unexpected argument 'b'"] = { "a", "b" },
        ["unexpected argument '--kind'"] = { "a", "--kind" },
        ["unexpected argument '--force'"] = { "a", "--force" },
    } do
        it("says: " .. text, function()
            local folder = program.directory()
            local run = new(folder, table.unpack(args))
            assert.equal(2, run.code)
            program.assert_has(run.stderr, "mesos-lua: " .. text)
            assert.is_nil(program.read(folder .. "/a.lua"))
        end)
    end

    it("has help", function()
        local run = program.run { args = { "new", "--help" } }
        assert.equal(0, run.code)
        assert.matches("mesos%-lua new NAME %[%-%-kind KIND%]", run.stdout)
    end)
end)

describe("mesos-lua test", function()
    local SPEC = [[
        local mesos = require "mesos"
        describe("a", function()
            it("passes", function() assert.equal("cpus", mesos.resources { cpus = 1 }[1].name) end)
            it("fails", function() assert.equal(1, 2) end)
        end) ]]

    it("passes files and options through, and busted's status back", function()
        local folder = program.files { ["x_spec.lua"] = SPEC }
        local run = test(folder, "x_spec.lua")
        assert.equal(1, run.code, run:report())
        assert.matches("ok 1 %- a passes\nnot ok 2 %- a fails", run.stdout)
        run = test(folder, "--filter=passes", "x_spec.lua")
        assert.equal(0, run.code, run:report())
    end)

    it("says what to install", function()
        local run = program.run { args = { "test" }, env = { PATH = program.directory() } }
        assert.equal(2, run.code)
        assert.equal("mesos-lua: test: busted is not installed: apt-get install lua-busted lua5.4 (Debian), or luarocks "
            .. "--lua-version 5.4 install busted\n", run.stderr)
    end)
end)
