-- SPDX-License-Identifier: Apache-2.0
--
-- How late the loop comes to its timers: that it is measured and shown, what the warning blames, and that timers which
-- take long leave room for events.

local cjson = require("cjson")
local control = require("support.control")
local master = require("support.master")
local program = require("support.program")


local HEAD = [[
local mesos = require "mesos"
local function spin(seconds) local till = mesos.now() + seconds while mesos.now() < till do end end
local function say(...) print(...) io.stdout:flush() end
]]

local function start(text, args)
    local words = { "-m", program.NO_MASTER }
    table.move(args or {}, 1, #(args or {}), 3, words)
    words[#words + 1] = program.script(HEAD .. text .. "\nreturn {}")
    return program.start { args = words }
end

describe("a loop that is late", function()
    after_each(function()
        control.cleanup()
        program.cleanup()
        master.cleanup()
    end)

    it("is warned of with what took the time, of many short calls too, and not again at once", function()
        local run = start [[
            local calls = 0
            for _ = 1, 40 do mesos.every(0.1, function() spin(0.05) calls = calls + 1 if calls == 50 then say "fifty" end end) end
            mesos.every(0.1, function() spin(0.001) end)]]
        run:wait_for("warning the loop is %d+%.%d+ s late, and events, answers and timers wait: "
            .. "timer of %S+script.lua:5 took %d+%.%d+ s %(%d+ times%)[^\n]*\n")
        local late, took, times = run.stderr:match("the loop is (%S+) s late.-took (%S+) s %((%d+) times%)")
        assert.is_true(tonumber(late) >= 1, late)
        assert.is_true(tonumber(took) >= tonumber(late) / 2 and tonumber(times) >= 2, run.stderr)
        run:wait_for("fifty")
        assert.equal(1, select(2, run.stderr:gsub("the loop is %S+ s late, and events", "")), run:report())
    end)

    it("is in the status, in JSON and in the metrics, of the last minute and in all", function()
        local run = start([[
            mesos.after(0.1, function() spin(1.2) end)
            mesos.after(0.2, function() say "late" end)]], { "--metrics", "127.0.0.1:0" })
        run:wait_for("late")
        local status = control.ctl(run, { "status" }).stdout
        assert.matches("\nlongest loop lag      minute %d[%d.]* s, all %d[%d.]* s\n", status)
        assert.matches("\nmean loop lag         minute %d", status)
        local json = cjson.decode(control.ctl(run, { "status", "--json" }).stdout)
        local longest, mean = json.loop_lag_longest_seconds, json.loop_lag_mean_seconds
        assert.is_true(longest.all >= 1 and longest.all == longest.minute, longest.all)
        assert.is_true(mean.all > 0 and mean.all < longest.all and mean.minute == mean.all, mean.all)
        local text = control.ctl(run, { "metrics" }).stdout
        assert.matches('# HELP mesos_lua_loop_lag_longest_seconds The longest [^\n]+\n# TYPE mesos_lua_loop_lag_longest_seconds gauge\n'
            .. 'mesos_lua_loop_lag_longest_seconds{span="minute"} %d[%d.]*\nmesos_lua_loop_lag_longest_seconds{span="all"} %d', text)
    end)

    it("is not told of again where --callback-warn has told of it, but without that it is", function()
        local text = [[
            mesos.after(0.1, function() spin(1.5) end)
            mesos.after(0.2, function() say "late" end)]]
        local run = start(text)
        run:wait_for("late\n")
        assert.matches("timer of %S+script.lua:4 is slow", run.stderr)
        assert.is_nil(run.stderr:find("the loop is [^\n]*timer of"), run:report())
        run = start(text, { "--callback-warn", "0" })
        run:wait_for("the loop is %d+%.%d+ s late, [^\n]*timer of %S+script.lua:4 took %d+%.%d+ s %(1 time%)\n")
    end)

    it("because it was stopped blames no Lua code", function()
        local run = start "mesos.every(0.05, function() say 'tick' end)"
        run:wait_for("tick")
        program.wait_for(function() -- not inside of its timer
            return program.read(("/proc/%d/stat"):format(run.pid)):match("%) (%a)") == "S"
        end)
        run:kill("sigstop")
        local over, timer = false, require("luv").new_timer()
        timer:start(1500, 0, function() over = true timer:close() end)
        program.wait_for(function() return over end)
        run:kill("sigcont")
        run:wait_for("warning the loop is %d+%.%d+ s late, of which Lua code took 0%.%d+ s: the process was stopped")
    end)

    it("comes to events between slow timers that are due together", function()
        local m = master.start()
        local run = program.start { args = { "-m", m.address, program.script(HEAD .. [[
            local s, calls, over = {}, 0, false
            function s:registered()
                for i = 1, 600 do
                    mesos.after(0, function()
                        if over then return end
                        calls = calls + 1
                        spin(0.05)
                        if i == 1 then say "begun" end
                    end)
                end
            end
            function s:statusUpdate(driver) over = true say("calls", calls) driver:stop() end
            return s]]) } }
        run:wait_for("begun")
        m:send(m:update("t", "TASK_RUNNING"))
        local calls = run:wait_for("calls\t(%d+)")
        assert.is_true(tonumber(calls) < 600, calls)
        assert.equal(0, run:wait(), run:report())
    end)

    it("keeps the order of timers, however many turns they take", function()
        local run = start [[
            local order = {}
            for i = 1, 30 do
                mesos.after(0, function()
                    order[#order + 1] = i
                    spin(0.004)
                    if i == 30 then say(table.concat(order, " ")) end
                end)
            end]]
        local wanted = {}
        for i = 1, 30 do wanted[i] = i end
        assert.equal(table.concat(wanted, " "), run:wait_for("([%d ]+ 30)\n"))
    end)
end)
