-- SPDX-License-Identifier: Apache-2.0
--
-- `mesos-lua ps`, and the name of a script as the target of `mesos-lua ctl`.

local control = require("support.control")
local program = require("support.program")

local function start(home, args)
    local run = program.start { args = args, env = { XDG_RUNTIME_DIR = home } }
    run.home = home
    return run
end

local function ps(home)
    local done = program.run { args = { "ps" }, env = { XDG_RUNTIME_DIR = home } }
    assert.equal(0, done.code, done:report())
    assert.equal("", done.stderr)
    local lines = {}
    for line in done.stdout:gmatch("[^\n]+") do
        lines[#lines + 1] = line
    end
    return lines
end

local TIME = "%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d"

local SCRIPT = [[
local mesos = require "mesos"
local s = { framework = { name = "sleeps well" } }
function s:resourceOffers(driver, offers)
    for i, offer in ipairs(offers) do
        driver:launchTasks(offer.id, i > 1 and {} or { { name = "t", task_id = "t" .. offer.id, agent_id = offer.agent_id,
            command = { value = "sleep 60" }, resources = mesos.resources { cpus = 0.1, mem = 32 } } })
        driver:suppressOffers()
    end
end
function s:statusUpdate(driver, status) print(status.state) end
return s
]]

describe("mesos-lua ps", function()
    after_each(function()
        control.cleanup()
        program.cleanup()
    end)

    it("lists the hosts of this user", function()
        local home = program.directory()
        assert.same({ "PID  SCRIPT  FRAMEWORK  MASTER  TASKS  SINCE" }, ps(home))
        local script = program.script(SCRIPT, "sleeper.lua")
        local framework = start(home, { "-m", "local", script })
        local cluster = start(home, { "local" })
        local address = cluster:wait_for("listening on (%S+)")
        framework:wait_for("TASK_RUNNING")
        local lines = program.wait_for(function()
            local lines = ps(home)
            return #lines == 3 and not table.concat(lines):find("(no answer)", 1, true) and lines
        end)
        local rows = {}
        for _, line in ipairs(lines) do
            rows[line:match("^%S+")] = line
        end
        local escaped = script:gsub("%p", "%%%0")
        assert.truthy(rows[tostring(framework.pid)]:find("^%d+ +" .. escaped .. "  sleeps well  localhost:%d+ +1 +" .. TIME .. "$"),
            rows[tostring(framework.pid)])
        assert.truthy(rows[tostring(cluster.pid)]:find("^%d+ +%(a local cluster%) +%- +" .. address:gsub("%p", "%%%0") .. " +%- +"
            .. TIME .. "$"), rows[tostring(cluster.pid)])
    end)

    it("says so of a host that does not answer", function()
        local home = program.directory()
        local run = start(home, { "-m", program.NO_MASTER, program.script "return {}" })
        program.wait_for(function() return #ps(home) == 2 end)
        run:kill("sigstop")
        assert.truthy(ps(home)[2]:find("^%d+  %(no answer%)"))
        run:kill("sigcont")
    end)

    it("takes no arguments", function()
        local done = program.run { args = { "ps", "all" } }
        assert.equal(2, done.code)
        assert.equal("mesos-lua: unexpected argument 'all': mesos-lua ps takes none\n", done.stderr)
    end)
end)

describe("mesos-lua ctl", function()
    after_each(function()
        control.cleanup()
        program.cleanup()
    end)

    it("finds a host by its script", function()
        local home = program.directory()
        local folder = program.files { ["a.lua"] = "return {}", ["b.lua"] = "return {}", ["more/a.lua"] = "return {}" }
        local a = start(home, { "-m", program.NO_MASTER, folder .. "/a.lua" })
        local b = start(home, { "-m", program.NO_MASTER, folder .. "/b.lua" })
        program.wait_for(function() return #ps(home) == 3 and not table.concat(ps(home)):find("%(no answer%)") end)
        local function name(target)
            return control.ctl({ pid = 0, home = home }, { "eval", "'found ' .. arg[0]" }, { target = target })
        end
        for _, target in ipairs { "b", "b.lua", folder .. "/b.lua" } do
            assert.equal('"found ' .. folder .. '/b.lua"\n', name(target).stdout, name(target):report())
        end
        assert.equal('"found ' .. folder .. '/a.lua"\n', name("a").stdout)
        os.execute(("ln -s b.lua %s/link.lua"):format(folder))
        local linked = start(home, { "-m", program.NO_MASTER, folder .. "/link.lua" })
        program.wait_for(function() return name(folder .. "/link.lua").stdout == '"found ' .. folder .. '/link.lua"\n' end)
        linked:kill("sigterm")
        linked:wait()
        program.wait_for(function() return #ps(home) == 3 end)
        local third = start(home, { "-m", program.NO_MASTER, folder .. "/more/a.lua" })
        program.wait_for(function() return #ps(home) == 4 end)
        local done = name("a")
        assert.equal(2, done.code)
        program.assert_has(done.stderr, "more than one host has the script 'a': ", ("%d (%s/a.lua)"):format(a.pid, folder),
            ("%d (%s/more/a.lua)"):format(third.pid, folder), "; give a process")
        assert.equal('"found ' .. folder .. '/more/a.lua"\n', name(folder .. "/more/a.lua").stdout)
        assert.truthy(b)
    end)
end)
