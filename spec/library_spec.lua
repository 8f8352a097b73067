-- SPDX-License-Identifier: Apache-2.0
--
-- The Lua library: how its modules are found, and those that need neither a host nor a driver.

package.path = "lua/?.lua;" .. package.path

local lfs = require("lfs")
local program = require("support.program")
local states = require("mesos.states")

-- Runs a script in a folder of its own, where the program finds no file of the library.
local function run(text, files, option)
    files = files or {}
    files["main.lua"] = text .. "\nreturn { framework = { name = 'x' } }"
    return program.run { args = { "check", option or "main.lua", option and "main.lua" }, cwd = program.files(files) }
end

local function prints(expected, text, files, option)
    local done = run(text, files, option)
    assert.equal(0, done.code, done:report())
    assert.equal(expected .. "\nmain.lua: no error found\n", done.stdout)
end

local function fails(expected, text)
    local done = run(text)
    assert.equal(2, done.code, done:report())
    assert.is_truthy(done.stderr:find(expected, 1, true), done:report())
end

describe("the library", function()
    after_each(program.cleanup)

    it("is found without files, and all of it loads", function()
        local lines = {}
        for name in lfs.dir("lua/mesos") do
            if name:find("%.lua$") then
                lines[#lines + 1] = ("assert(type(require 'mesos.%s') == 'table')"):format(name:sub(1, -5))
            end
        end
        prints("true", table.concat(lines, "\n") .. "\nprint(require('mesos.states').is_success('TASK_FINISHED'))")
    end)

    it("is found before files, and by scripts in the sandbox", function()
        prints("true", "print(require('mesos.states').is_lost('TASK_GONE'))",
            { ["mesos/states.lua"] = "return 'another'" }, "--sandbox")
    end)

    it("has names in tracebacks", function()
        local done = run("require('mesos.states').is_lost('FINISHED')")
        assert.equal(2, done.code)
        assert.is_truthy(done.stderr:find("main.lua:1: 'FINISHED' is no state of a task (did you mean 'TASK_FINISHED'?)",
            1, true), done:report())
        assert.matches("\n[^\n]*mesos/states.lua:%d+: in [^\n]*'mesos.states.is_lost'", done.stderr)
    end)

    it("says what was probably meant", function()
        fails("no module 'mesos.state' in the library (did you mean 'mesos.states'?)", "require 'mesos.state'")
        fails("main.lua:1: module 'mesos.state' not found, neither beside the script nor in package.path "
            .. "(did you mean 'mesos.states'?)", "local function f() return require 'mesos.state' end f = f")
        fails("undeclared global 'states' (it is a module of the library: write local states = "
            .. "require \"mesos.states\" first)", "print(states)")
    end)

    it("is known to the check", function()
        fails("main.lua:2: mesos.states.is_terminated is nil: no 'is_terminated' is there (did you mean 'is_terminal'?)",
            "local states = require 'mesos.states'\nlocal function f() return states.is_terminated('x') end f = f")
        prints("true", "local function f() return require('mesos.states').is_lost('TASK_LOST') end print(f())")
    end)

    it("keeps to strict globals", function()
        -- A global that a module of the library reads or sets would be found by the check of its own files.
        for name in lfs.dir("lua/mesos") do
            if name:find("%.lua$") then
                local text = program.read("lua/mesos/" .. name)
                local done = run("require 'copy.of_it'", { ["copy/of_it.lua"] = text })
                assert.equal(0, done.code, done:report())
            end
        end
    end)
end)

describe("mesos.states", function()
    local rows = {
        -- state, terminal, success, failure, lost, active, unreachable
        { "TASK_STAGING", active = true }, { "TASK_STARTING", active = true },
        { "TASK_RUNNING", active = true }, { "TASK_KILLING", active = true },
        { "TASK_FINISHED", terminal = true, success = true },
        { "TASK_FAILED", terminal = true, failure = true }, { "TASK_ERROR", terminal = true, failure = true },
        { "TASK_KILLED", terminal = true },
        { "TASK_LOST", terminal = true, lost = true }, { "TASK_DROPPED", terminal = true, lost = true },
        { "TASK_GONE", terminal = true, lost = true }, { "TASK_GONE_BY_OPERATOR", terminal = true, lost = true },
        { "TASK_UNKNOWN", terminal = true, lost = true },
        { "TASK_UNREACHABLE", unreachable = true },
        { 99 },
    }
    for _, row in ipairs(rows) do
        it("knows " .. row[1], function()
            for _, question in ipairs { "terminal", "success", "failure", "lost", "active", "unreachable" } do
                assert.equal(row[question] or false, states["is_" .. question](row[1]), question)
                assert.equal(row[question] or false, states["is_" .. question] { state = row[1] }, question)
            end
        end)
    end

    local faults = {
        { "TASK_FAILED", "REASON_COMMAND_EXECUTOR_FAILED", "task" },
        { "TASK_FAILED", "REASON_CONTAINER_LIMITATION_MEMORY", "task" },
        { "TASK_FAILED", nil, "task" },
        { "TASK_FAILED", "REASON_EXECUTOR_REGISTRATION_TIMEOUT", "cluster" },
        { "TASK_KILLED", "REASON_AGENT_DRAINING", "cluster" },
        { "TASK_KILLED", "REASON_SLAVE_REMOVED", "cluster" },
        { "TASK_KILLED", nil, nil },
        { "TASK_ERROR", "REASON_TASK_INVALID", "definition" },
        { "TASK_ERROR", "REASON_TASK_UNAUTHORIZED", "definition" },
        { "TASK_LOST", "REASON_INVALID_OFFERS", "cluster" },
        { "TASK_LOST", 4711, "cluster" },
        { "TASK_UNREACHABLE", nil, "cluster" },
        { "TASK_RUNNING", "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED", nil },
        { "TASK_FINISHED", nil, nil },
        { 99, nil, nil },
    }
    for _, row in ipairs(faults) do
        it(("finds the fault of %s, %s"):format(row[1], row[2]), function()
            assert.equal(row[3], states.fault { state = row[1], reason = row[2] })
        end)
    end

    it("refuses what is no state", function()
        assert.has_error(function() states.is_lost("TASK_FINISHD") end, "'TASK_FINISHD' is no state of a task")
        assert.has_error(function() states.is_lost("running") end,
            "'running' is no state of a task (did you mean 'TASK_RUNNING'?)")
        assert.has_error(function() states.is_lost {} end, "nil is no state of a task")
    end)

    it("lists the terminal states", function()
        local list = states.terminal()
        assert.equal(9, #list)
        for _, state in ipairs(list) do
            assert.is_true(states.is_terminal(state))
        end
    end)
end)
