-- SPDX-License-Identifier: Apache-2.0
--
-- The Lua library: how its modules are found, and those that need neither a host nor a driver.

package.path = "lua/?.lua;" .. package.path

local lfs = require("lfs")
local program = require("support.program")
local cron = require("mesos.cron")
local fields = require("mesos.fields")
local regex = require("mesos.regex")
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

describe("mesos.fields", function()
    local ROWS = { name = "string", cpus = "amount", retries = "count", ports = "count|list", on_end = "function", x = "any" }

    it("lets known fields of the right kind pass, and others be absent", function()
        for _, value in ipairs { {}, { name = "a", cpus = 0, retries = 3, ports = { 1 }, on_end = print, x = false },
            { cpus = 0.5, ports = 2 } } do
            assert.equal(value, fields.check(value, ROWS, "job"))
        end
    end)

    local refused = {
        { { nam = "x" }, "job.nam: unknown field (did you mean 'name'?)" },
        { { retires = 1 }, "job.retires: unknown field (did you mean 'retries'?)" },
        { { zzz = 1 }, "job.zzz: unknown field" },
        { { name = 7 }, "job.name: a string expected, got 7" },
        { { cpus = "1" }, "job.cpus: a number of 0 or more expected, got the string '1'" },
        { { cpus = -1 }, "job.cpus: a number of 0 or more expected, got -1" },
        { { cpus = 0 / 0 }, "job.cpus: a number of 0 or more expected" },
        { { retries = 1.5 }, "job.retries: a whole number of 0 or more expected, got 1.5" },
        { { ports = { a = 1 } }, "job.ports: a whole number of 0 or more or a list expected, got a table" },
        { "text", "job: a table expected, got the string 'text'" },
        { { [1] = "x" }, "job.1: unknown field" },
    }
    for _, row in ipairs(refused) do
        it("says: " .. row[2], function()
            local _, message = pcall(fields.check, row[1], ROWS, "job")
            assert.is_truthy(message:find(row[2], 1, true), message)
        end)
    end

    it("names the line that called into the library", function()
        local _, message = pcall(function() fields.check({ a = 1 }, {}, "x") end)
        assert.matches("^[^\n]*library_spec.lua:%d+: x.a: unknown field$", message)
    end)
end)

describe("mesos.regex", function()
    local rows = {
        { "rack-[0-9]+|lab", { "rack-7", "rack-10", "lab" }, { "rack-", "lab2", "xlab" } },
        { "rack-(1|2)b?", { "rack-1", "rack-2b" }, { "rack-3", "rack-", "rack-1c" } },
        { "((a|b)-|)c", { "a-c", "b-c", "c" }, { "-c", "ab-c" } },
        { "10\\.0\\.\\d+", { "10.0.7" }, { "10a0.7", "10.0." } },
        { "[^a-c|]x.*", { "dx", "dxyz" }, { "ax", "|x" } },
        { "[\\w.]+x\\W", { "a_.x-" }, { "]x-", "ax1" } }, { "a\\((b|c)\\)[(]", { "a(b)(", "a(c)(" }, { "ab(", "a(b)" } },
        { "^all$", { "all" }, { "^all$" } }, { "50%-60%", { "50%-60%" }, { "50" } },
    }
    for _, row in ipairs(rows) do
        it("matches whole texts with " .. row[1], function()
            for _, text in ipairs(row[2]) do
                assert.is_true(regex.matches(text, row[1]), text)
            end
            for _, text in ipairs(row[3]) do
                assert.is_false(regex.matches(text, row[1]), text)
            end
        end)
    end

    it("refuses what it does not know", function()
        for expression, what in pairs { ["(a|b)+"] = "parentheses cannot be repeated here", ["a{2}"] = "'{' is not known here",
            ["[a"] = "it is malformed", ["a)"] = "')' is not known here" } do
            local _, message = pcall(regex.matches, "a", expression)
            assert.is_truthy(message:find(what, 1, true), message)
        end
    end)
end)

describe("mesos.cron", function()
    local START = 1795924800 -- Sun Nov 29 04:00:00 2026 UTC

    local rows = {
        { "* * * * *", "2026-11-29 04:01" }, { "*/15 * * * *", "2026-11-29 04:15" }, { "0 4 * * *", "2026-11-30 04:00" },
        { "0 6 * * mon-fri", "2026-11-30 06:00" }, { "59 23 31 12 *", "2026-12-31 23:59" }, { "@hourly", "2026-11-29 05:00" },
        { "@daily", "2026-11-30 00:00" }, { "@weekly", "2026-12-06 00:00" }, { "@monthly", "2026-12-01 00:00" },
        { "@yearly", "2027-01-01 00:00" }, { "0 0 29 feb *", "2028-02-29 00:00" }, { "30 2 1,15 * 5", "2026-12-01 02:30" },
        { "0 0 13 * 5", "2026-12-04 00:00" }, { "0 0 * * 7", "2026-12-06 00:00" }, { "5-10/5 4 * * *", "2026-11-29 04:05" },
        { "10/20 * * * *", "2026-11-29 04:10" },
    }
    for _, row in ipairs(rows) do
        it("finds the next time of " .. row[1], function()
            assert.equal(row[2], os.date("!%Y-%m-%d %H:%M", cron.parse(row[1]):next(START)))
        end)
    end

    it("goes on from one time to the next, and knows that there is none", function()
        local schedule, time = cron.parse("0 */6 * * *"), START + 59.9
        local hours = {}
        for i = 1, 5 do
            time = schedule:next(time)
            hours[i] = os.date("!%H", time)
        end
        assert.same({ "06", "12", "18", "00", "06" }, hours)
        assert.is_nil(cron.parse("0 0 31 2 *"):next(START))
    end)

    it("counts in the local time zone when it is told to", function()
        local next = cron.parse("30 12 * * *", "local"):next(START)
        assert.equal("12:30", os.date("%H:%M", next))
    end)

    local refused = {
        { "61 * * * *", "'61' is no minute (0 to 59)" }, { "* * * jax *", "'jax' is no month (1 to 12)" },
        { "* * *", "five fields expected (minute hour day month weekday), got 3" }, { "5-1 * * * *", "'5-1' has no minute in it" },
        { "*/0 * * * *", "'*/0' has no minute in it" }, { "@never", "five fields expected" }, { "* * 0 * *", "'0' is no day (1 to 31)" },
    }
    for _, row in ipairs(refused) do
        it("refuses " .. row[1], function()
            local _, message = pcall(cron.parse, row[1])
            assert.is_truthy(message:find(row[2], 1, true), message)
        end)
    end
end)
