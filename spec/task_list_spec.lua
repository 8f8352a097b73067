-- SPDX-License-Identifier: Apache-2.0
--
-- driver:tasks(), driver:task() and driver:taskCounts(): what a script reads of its tasks after launches, updates,
-- lost masters, reloads and restarts. tasks_spec.lua tests the registry by itself.

local control = require("support.control")
local framework = require("support.framework")
local master = require("support.master")
local program = require("support.program")
local internals = require("internals")
local values = require("support.compare")

local said = framework.said

-- For scripts: the ids that a loop finds, sorted, as one text.
local IDS = [[
    local function ids(driver, filter)
        local found = {}
        for task in driver:tasks(filter) do found[#found + 1] = task.task_id end
        table.sort(found)
        return table.concat(found, " ")
    end
    local function counts(driver)
        local found = {}
        for state, count in pairs(driver:taskCounts()) do found[#found + 1] = state .. "=" .. count end
        table.sort(found)
        return table.concat(found, " ")
    end
]]

-- Launches `count` tasks t1, t2 ... on the first offer, and says what is known after each update.
local LAUNCH = IDS .. [[
    local count = %d
    function scheduler:resourceOffers(driver, offers)
        local tasks = {}
        for i = 1, count do tasks[i] = task("t" .. i, offers[1]) end
        driver:launchTasks(offers[1].id, tasks)
        count = 0
        say("launched", ids(driver), counts(driver))
    end
    function scheduler:statusUpdate(driver, status)
        local known = driver:task(status.task_id)
        say("update", status.task_id, known.state, ids(driver), counts(driver))
    end
]]

-- Says what is known whenever a frameworkMessage with the text of a Lua expression comes.
local ASK = IDS .. [[
    function scheduler:frameworkMessage(driver, executor, agent, data)
        say("answer", data, assert(load("local driver, ids, counts, say = ... return " .. data))(driver, ids, counts, say))
    end
]]

local function ask(m, code)
    m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = code } })
end

-- Asks, and waits for the answer, which must be that.
local function answers(m, run, code, answer)
    local before = #run.stdout
    ask(m, code)
    run:wait_for(function()
        return run.stdout:find("answer\t[^\n]*\n", before + 1)
    end)
    local found = run.stdout:sub(before + 1):match("answer\t([^\n]*)\n")
    assert.equal(code .. "\t" .. answer, found)
end

local function running(m, id, fields)
    local all = { uuid = false }
    for name, value in pairs(fields or {}) do
        all[name] = value
    end
    m:send(m:update(id, "TASK_RUNNING", all))
end

describe("the tasks of a driver", function()
    after_each(framework.cleanup)

    it("are known from the launch on, and before each update's callback", function()
        local m, run = framework.subscribed(LAUNCH:format(2))
        m:send_offers()
        said(run, "launched\tt1 t2\tTASK_STAGING=2\n")
        m:send(m:update("t1", "TASK_RUNNING"))
        said(run, "update\tt1\tTASK_RUNNING\tt1 t2\tTASK_RUNNING=1 TASK_STAGING=1\n")
        m:send(m:update("t1", "TASK_FINISHED"))
        said(run, "update\tt1\tTASK_FINISHED\tt2\tTASK_STAGING=1\n")
        m:send(m:update("t2", "TASK_ERROR", { uuid = false }))
        said(run, "update\tt2\tTASK_ERROR\t\t\n")
    end)

    it("are not changed by an update that comes again", function()
        local m, run = framework.subscribed(IDS .. [[
            function scheduler:statusUpdate(driver, status)
                say(status.timestamp, driver:task("t1").updated_at, counts(driver))
                if status.timestamp == 1 then error("no") end
            end
        ]])
        local update = m:update("t1", "TASK_RUNNING", { timestamp = 1 })
        m:send(update)
        update.update.status.timestamp = 2
        m:send(update)
        said(run, "1.0\t1.0\tTASK_RUNNING=1\n2.0\t1.0\tTASK_RUNNING=1\n")
    end)

    it("tell all that is known of one", function()
        local m, run = framework.subscribed(ASK)
        m:send(m:update("t1", "TASK_RUNNING", { executor_id = "e1", healthy = true, reason = "REASON_RECONCILIATION" }))
        answers(m, run, "driver:task('t1').state, driver:task('t1').executor_id, driver:task('t1').healthy",
            "TASK_RUNNING\te1\ttrue")
        answers(m, run, "driver:task('t1').reason, driver:task('t1').active, driver:task('t1').name",
            "REASON_RECONCILIATION\ttrue\tnil")
        answers(m, run, "driver:task('t1').updated_at, driver:task('t1').launched_at, driver:task('t2')",
            "1700000000.5\tnil\tnil")
        answers(m, run, "driver:task('t1').killing, driver:killTask('t1') and driver:task('t1').killing", "false\ttrue")
        answers(m, run, "tostring(driver:tasks())", "TaskList (1)")
    end)

    it("are shown to an operator, without what only a loop wants", function()
        local m, run = framework.subscribed(ASK)
        m:send(m:update("t1", "TASK_RUNNING", { agent_id = "a1" }))
        answers(m, run, "#driver:tasks()", "1")
        assert.equal("{ Task t1: TASK_RUNNING on a1 }\n", control.ctl(run, { "eval", "driver:tasks()" }).stdout)
        assert.equal("1\n{ Task t1: TASK_RUNNING on a1 }\n2\n", control.ctl(run, { "eval", "1, driver:tasks(), 2" }).stdout)
    end)

    it("are asked for by state and by agent", function()
        local m, run = framework.subscribed(ASK)
        running(m, "r1", { agent_id = "a1" })
        running(m, "r2", { agent_id = "a2" })
        m:send(m:update("s1", "TASK_STAGING", { agent_id = "a1" }))
        m:send(m:update("f1", "TASK_FAILED", { agent_id = "a1" }))
        m:send(m:update("u1", "TASK_UNREACHABLE", { agent_id = "a2", uuid = false }))
        answers(m, run, "ids(driver), #driver:tasks()", "r1 r2 s1 u1\t4")
        answers(m, run, "ids(driver, {}), #driver:tasks {}", "r1 r2 s1 u1\t4")
        answers(m, run, "ids(driver, { state = 'TASK_RUNNING' }), #driver:tasks { state = 'TASK_RUNNING' }", "r1 r2\t2")
        answers(m, run, "ids(driver, { state = { 'TASK_STAGING', 'TASK_FAILED' } })", "f1 s1")
        answers(m, run, "ids(driver, { agent_id = 'a1' }), #driver:tasks { agent_id = 'a1' }", "r1 s1\t2")
        answers(m, run, "ids(driver, { agent_id = 'a1', state = 'TASK_FAILED' })", "f1")
        answers(m, run, "ids(driver, { agent_id = 'a3' }), #driver:tasks { agent_id = 'a3' }", "\t0")
        answers(m, run, "ids(driver, { state = {} })", "")
    end)

    it("are in a state, and have a reason, that this build does not know, by their numbers", function()
        local m, run = framework.subscribed(ASK)
        running(m, "r1", { agent_id = "a1" })
        m:send(m:update("r1", 99, { reason = 98765, agent_id = "a1" }))
        running(m, "x1", { state = -7 })
        running(m, "x2", { state = 99, reason = 12 })
        answers(m, run, "driver:task('r1').state, driver:task('r1').reason, driver:task('r1').active", "99\t98765\ttrue")
        answers(m, run, "tostring(driver:task('r1')), driver:task('x1'):table().state", "Task r1: 99 on a1\t-7")
        answers(m, run, "ids(driver), #driver:tasks()", "r1 x1 x2\t3")
        answers(m, run, "ids(driver, { state = 99 }), #driver:tasks { state = 99 }", "r1 x2\t2")
        answers(m, run, "ids(driver, { state = { -7, 'TASK_RUNNING' } })", "x1")
        answers(m, run, "ids(driver, { state = 99, agent_id = 'a1' })", "r1")
        answers(m, run, "ids(driver, { state = 98 }), #driver:tasks { state = 98 }", "\t0")
        answers(m, run, "counts(driver), driver:taskCounts()[99]", "-7=1 99=2\t2")
        assert.equal("r1", m:wait_for("ACKNOWLEDGE").call.acknowledge.task_id)
        m:send(m:update("r1", "TASK_FINISHED"))
        answers(m, run, "driver:task('r1').state, counts(driver)", "TASK_FINISHED\t-7=1 99=1")
    end)

    it("are found by the number of a state that has a name", function()
        local m, run = framework.subscribed(ASK)
        running(m, "r1")
        m:send(m:update("s1", "TASK_STAGING", { uuid = false }))
        answers(m, run, "ids(driver, { state = 1 }), ids(driver, { state = { 6, 99 } })", "r1\ts1")
    end)

    it("go on when their id is launched again, which is pointed out where that is done", function()
        local m, run = framework.subscribed(ASK .. [[
            function scheduler:resourceOffers(driver, offers)
                local offer = offers[1]
                driver:launchTasks(offer.id, { task("a", offer) }) -- line HERE
                say("launched")
            end
            function scheduler:statusUpdate(driver, status)
                say("update", status.state, driver:task("a").state, #driver:tasks())
            end
        ]])
        m:send_offers()
        m:send(m:update("a", "TASK_RUNNING", { agent_id = "a1" }))
        said(run, "update\tTASK_RUNNING\tTASK_RUNNING\t1\n")
        assert.is_nil(run.stderr:find("active already", 1, true))
        m:send_offers()
        framework.logged(run, "task 'a' is active already (TASK_RUNNING on agent a1): a master refuses this launch, "
            .. "and the task that is active stays")
        local path, line = run.stderr:match("warning +(%S+):(%d+): task 'a' is active already")
        local lines = {}
        for text in io.lines(path) do
            lines[#lines + 1] = text
        end
        assert.matches("-- line HERE", lines[tonumber(line)])
        m:send(m:update("a", "TASK_ERROR", {
            uuid = false, reason = "REASON_TASK_INVALID", source = "SOURCE_MASTER", message = "Task has duplicate ID: a",
        }))
        said(run, "update\tTASK_ERROR\tTASK_RUNNING\t1\n")
        answers(m, run, "driver:reconcileTasks(driver:tasks())", "DRIVER_RUNNING")
        m:expect("RECONCILE", { tasks = { { task_id = "a", agent_id = "a1" } } })
        m:send(m:update("a", "TASK_ERROR", { uuid = false, reason = "REASON_TASK_INVALID", source = "SOURCE_MASTER" }))
        said(run, "update\tTASK_ERROR\tTASK_ERROR\t0\n")
    end)

    it("say what is wrong with a question", function()
        local m, run = framework.subscribed(ASK)
        for code, message in pairs({
            ["driver:tasks(1)"] = "filter: a table such as { state = \"TASK_RUNNING\" } expected, got number",
            ["driver:tasks { stat = 1 }"] = "driver:tasks: the filter 'stat' is unknown (did you mean 'state'?)",
            ["driver:tasks { state = true }"] =
                "filter.state: the name or number of a TaskState or a list of them expected, got boolean",
            ["driver:tasks { state = 1.5 }"] = "filter.state: a whole number of 32 bits expected, got 1.5",
            ["driver:tasks { state = 1 << 31 }"] =
                "filter.state: a whole number of 32 bits expected, got 2147483648",
            ["driver:tasks { state = 'TASK_RUNING' }"] =
                "filter.state: there is no TaskState 'TASK_RUNING' (did you mean 'TASK_RUNNING'?)",
            ["driver:tasks { agent_id = {} }"] = "filter.agent_id: an id (a string) expected, got table",
            ["driver:task(7)"] = "taskId: an id (a string) expected, got number",
            ["driver:task()"] = "taskId: an id (a string) expected, got no value",
            ["driver:tasks()[1]"] = "a list of tasks has no fields or places: go over it with \"for task in "
                .. "driver:tasks() do\", or ask driver:task(id)",
            ["driver.tasks()"] = "tasks: a driver expected in front of it, got no value",
        }) do
            ask(m, code)
            framework.logged(run, message)
        end
    end)

    it("check what their metamethods are given", function()
        local m, run = framework.subscribed(LAUNCH:format(1) .. [[
            function scheduler:frameworkMessage(driver)
                local known = driver:task("t1")
                for _, method in ipairs { (pairs(known)), debug.getmetatable(known).__index } do
                    for _, first in ipairs { false, 1, "x", print, io.stdout } do
                        say(pcall(method, first, "state"))
                    end
                end
                say("checked", known.state)
            end
        ]])
        m:send_offers({ m:offer() })
        framework.said(run, "launched\tt1")
        m:send({ type = "MESSAGE", message = { agent_id = "a", executor_id = "e", data = "" } })
        framework.said(run, "checked\tTASK_STAGING\n")
        assert.is_nil(run.stdout:find("true", 1, true))
    end)

    it("can change while a loop goes over them", function()
        local m, run = framework.subscribed [[
            local updates = 0
            function scheduler:statusUpdate() updates = updates + 1 end
            function scheduler:registered(driver)
                mesos.spawn(function()
                    while updates < 5 do mesos.sleep(0.01) end
                    for task in driver:tasks { state = "TASK_RUNNING" } do
                        say("one", task.task_id)
                        driver:killTask(task.task_id)
                        while updates < 9 do mesos.sleep(0.01) end
                    end
                    say("over", #driver:tasks())
                end)
            end
        ]]
        for i = 1, 5 do
            running(m, "t" .. i)
        end
        m:wait_for("KILL")
        m:send(m:update("t3", "TASK_KILLED"))       -- gone before its turn
        m:send(m:update("t4", "TASK_KILLING"))      -- does not match any more
        m:send(m:update("t1", "TASK_UNREACHABLE"))  -- goes and comes back
        m:send(m:update("t1", "TASK_RUNNING"))
        said(run, "over")
        running(m, "t6")
        assert.equal("one\tt1\none\tt2\none\tt5\nover\t4\n", run.stdout)
    end)

    it("are no objects before their turn", function()
        local m, run = framework.subscribed(ASK .. [[
            function memory(driver)
                collectgarbage() collectgarbage("stop")
                local before = collectgarbage("count")
                for task in driver:tasks() do
                    local used = collectgarbage("count") - before
                    collectgarbage("restart")
                    return used < 4
                end
            end
        ]])
        for i = 1, 2000 do
            running(m, "task-" .. i)
        end
        answers(m, run, "#driver:tasks(), memory(driver)", "2000\ttrue")
    end)

    it("may be in several loops at once, each with a list of its own", function()
        local m, run = framework.subscribed(ASK .. [[
            function pairs_of(driver)
                local count, list = 0, driver:tasks()
                for a in driver:tasks() do
                    for b in driver:tasks() do count = count + 1 end
                end
                for a in list do count = count + 100 break end
                for a in list do count = count + 1000 end
                for a in list do count = count + 10000 end
                return count
            end
            function shared(driver)
                local list = driver:tasks()
                for a in list do for b in list do end end
            end
        ]])
        running(m, "t1")
        running(m, "t2")
        running(m, "t3")
        answers(m, run, "pairs_of(driver)", tostring(9 + 100 + 3000 + 30000))
        ask(m, "shared(driver)")
        framework.logged(run, "two loops share one list of tasks: ask driver:tasks() again for the second")
    end)

    it("that were launched without a master come back as lost", function()
        local m, run = framework.subscribed(IDS .. [[
            local offer
            function scheduler:resourceOffers(_, offers) offer = offers[1] say("offer") end
            function scheduler:disconnected(driver)
                driver:launchTasks(offer.id, { task("t1", offer) })
                say("launched", ids(driver), counts(driver))
            end
            function scheduler:statusUpdate(driver, status)
                say("update", driver:task("t1").state, driver:task("t1").name, #driver:tasks())
            end
        ]])
        m:send_offers()
        said(run, "offer")
        m:drop()
        said(run, "launched\tt1\tTASK_STAGING=1\nupdate\tTASK_LOST\tt1\t0\n")
        m:wait_for("SUBSCRIBE", 2)
        assert.equal(0, #m:calls_of("RECONCILE"))
    end)

    it("stay known over a lost master", function()
        local m, run = framework.subscribed(LAUNCH:format(2) .. [[
            function scheduler:disconnected(driver) say("disconnected", ids(driver), counts(driver)) end
            function scheduler:reregistered(driver) say("reregistered", ids(driver), counts(driver)) end
        ]])
        m:send_offers()
        said(run, "launched")
        m:send(m:update("t1", "TASK_RUNNING"))
        said(run, "update")
        m:wait_for("ACKNOWLEDGE")
        local second = m:restart()
        said(run, "disconnected\tt1 t2\tTASK_RUNNING=1 TASK_STAGING=1\n")
        said(run, "reregistered\tt1 t2\tTASK_RUNNING=1 TASK_STAGING=1\n")
        second:send(second:update("t2", "TASK_LOST", { uuid = false, reason = "REASON_RECONCILIATION" }))
        said(run, "update\tt2\tTASK_LOST\tt1\tTASK_RUNNING=1\n")
        assert.equal(0, #second:calls_of("RECONCILE"))
    end)

    it("whose launch or kill had no answer are asked for at the next registration", function()
        local m, run = framework.subscribed [[
            function scheduler:resourceOffers(driver, offers)
                driver:launchTasks(offers[1].id, { task("t1", offers[1]), task("t2", offers[1]) })
                driver:killTask("t3")
                driver:killTask("nobody")
            end
        ]]
        running(m, "t3", { agent_id = "a3" })
        running(m, "t4")
        m:answer("ACCEPT", function(_, connection)
            m:drop()
            connection:close()
            return false
        end)
        m:send_offers()
        local asked = values.plain(m:wait_for("RECONCILE").call.reconcile.tasks)
        table.sort(asked, function(a, b) return a.task_id < b.task_id end)
        assert.same({
            { task_id = "t1", agent_id = m.id .. "-S0" }, { task_id = "t2", agent_id = m.id .. "-S0" },
            { task_id = "t3", agent_id = "a3" },
        }, asked)
        framework.logged(run, "asking for 3 tasks whose launch or kill the master may not have taken")
    end)

    it("of a launch that is refused are asked for at once", function()
        local m, run = framework.subscribed(LAUNCH:format(1))
        m:answer("ACCEPT", 400, "Failed to validate")
        m:send_offers()
        m:expect("RECONCILE", { tasks = { { task_id = "t1", agent_id = m.id .. "-S0" } } })
        m:send(m:update("t1", "TASK_LOST", { uuid = false, reason = "REASON_RECONCILIATION" }))
        said(run, "update\tt1\tTASK_LOST\t\t\n")
        assert.equal(1, #m:calls_of("RECONCILE"))
    end)

    it("can be asked for at the master as a list", function()
        local m, run = framework.subscribed(ASK)
        running(m, "t1", { agent_id = "a1" })
        running(m, "t2", { agent_id = "a2" })
        answers(m, run, "driver:reconcileTasks(driver:tasks { agent_id = 'a2' })", "DRIVER_RUNNING")
        m:expect("RECONCILE", { tasks = { { task_id = "t2", agent_id = "a2" } } })
        answers(m, run, "driver:reconcileTasks(driver:tasks { agent_id = 'a3' })", "DRIVER_RUNNING")
        answers(m, run, "driver:reconcileTasks { driver:task('t1') }", "DRIVER_RUNNING")
        m:expect("RECONCILE", { tasks = { { task_id = "t1", agent_id = "a1" } } })
        answers(m, run, "driver:reconcileTasks()", "DRIVER_RUNNING")
        m:expect("RECONCILE", {})
    end)

    it("are forgotten with a framework that was removed", function()
        local m = master.start()
        local _, run = framework.start(ASK .. [[
            function scheduler:statusUpdate(driver, status) say("known", ids(driver)) end
            function scheduler:registered(driver, id) say("registered", id, #driver:tasks(), driver:task("t1")) end
            function scheduler:frameworkRemoved(driver) say("removed", ids(driver)) return "reregister" end
        ]], { master = m })
        m:wait_for("SUBSCRIBE")
        running(m, "t1")
        said(run, "known\tt1\n")
        local second = false
        m:answer("SUBSCRIBE", function(call, connection)
            if not call.framework_id then
                m.framework_id = nil
                return true
            end
            second = true
            connection:begin_stream({ ["Mesos-Stream-Id"] = "x", ["Content-Type"] = "application/x-protobuf" })
            local event = internals.encode("mesos.v1.scheduler.Event", {
                type = "ERROR", error = { message = "Framework has been removed" },
            })
            connection:chunk(#event .. "\n" .. event)
            connection:finish()
        end)
        m:drop()
        said(run, "removed\tt1\n")
        said(run, "registered\t" .. m.id .. "-0000\t0\tnil\n")
        assert.is_true(second)
    end)

    it("are the driver's, not the version's, over a reload", function()
        local m, run = framework.subscribed(ASK .. [[
            function scheduler:statusUpdate() say("update") end
            function scheduler:reloaded(driver) say("reloaded", ids(driver), driver:task("t1").name) end
            function scheduler:resourceOffers(driver, offers)
                driver:launchTasks(offers[1].id, { task("t1", offers[1], { name = "the name" }) })
                say("launched")
            end
        ]])
        m:send_offers()
        said(run, "launched")
        run:kill("sighup")
        said(run, "reloaded\tt1\tthe name\n")
        m:send(m:update("t1", "TASK_RUNNING"))
        said(run, "update")
        answers(m, run, "counts(driver)", "TASK_RUNNING=1")
    end)

    it("come back by reconciliation after a restart with --state", function()
        local m = master.start()
        local path = program.directory() .. "/kept"
        local body = IDS .. [[
            function scheduler:resourceOffers(driver, offers)
                driver:launchTasks(offers[1].id, { task("t1", offers[1]), task("t2", offers[1]) })
                say("launched", ids(driver))
            end
            function scheduler:registered(driver) say("registered", #driver:tasks()) end
            function scheduler:statusUpdate(driver) say("update", ids(driver), counts(driver)) end
        ]]
        local _, run = framework.start(body, { master = m, args = { "--state", path } })
        m:wait_for("SUBSCRIBE")
        said(run, "registered\t0\n")
        m:send_offers()
        said(run, "launched\tt1 t2\n")
        m:wait_for("ACCEPT")
        run:kill("sigkill")
        run:wait()
        _, run = framework.start(body, { master = m, args = { "--state", path } })
        assert.same({}, values.plain(m:wait_for("RECONCILE").call.reconcile.tasks or {}))
        said(run, "registered\t0\n")
        for _, id in ipairs({ "t1", "t2" }) do
            running(m, id, { reason = "REASON_RECONCILIATION" })
        end
        said(run, "update\tt1 t2\tTASK_RUNNING=2\n")
    end)

    it("can be asked for after the end, as long as there is the driver", function()
        local m = master.start()
        local run = program.start { args = { "--master", m.address, program.script [[
            local mesos = require "mesos"
            local scheduler = {}
            function scheduler:statusUpdate(driver, status) driver:stop(true) end
            local function run()
                local driver = mesos.SchedulerDriver { scheduler = scheduler, framework = { name = "own" } }
                print(#driver:tasks(), driver:task("t1"))
                driver:run()
                local list = driver:tasks()
                for task in list do print(task.task_id, task.state) end
                print(#list)
                debug.getmetatable(driver).__gc(driver)
                for _, use in ipairs { function() return #list end, function() return list() end } do
                    print((select(2, pcall(use)):gsub("^[^ ]*: ", "")))
                end
            end
            run()
        ]] } }
        m:wait_for("SUBSCRIBE")
        m:send(m:update("t1", "TASK_RUNNING"))
        assert.equal(0, run:wait(), run:report())
        local gone = "the driver of these tasks is gone: its script was replaced or its program ends\n"
        assert.equal("0\tnil\nt1\tTASK_RUNNING\n1\n" .. gone .. gone, run.stdout)
    end)

    it("are no more than --task-limit says", function()
        local m, run = framework.start(ASK, { args = { "--task-limit", "2" } })
        m:wait_for("SUBSCRIBE")
        for i = 1, 5 do
            running(m, "t" .. i)
        end
        answers(m, run, "ids(driver), driver:task('t3')", "t1 t2\tnil")
        assert.equal(1, select(2, run.stderr:gsub("2 tasks are known, and none of them has ended: no more are taken into "
            .. "the registry, so that driver:tasks%(%) is incomplete %(see %-%-task%-limit%)", "")), run.stderr)
        m:send(m:update("t1", "TASK_FINISHED"))
        running(m, "t6")
        answers(m, run, "ids(driver)", "t2 t6")
        local text = control.ctl(run, { "status" }).stdout
        assert.is_truthy(text:find("tasks                 TASK_RUNNING 2\n", 1, true), text)
    end)
end)
