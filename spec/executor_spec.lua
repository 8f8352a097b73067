-- SPDX-License-Identifier: Apache-2.0
--
-- `mesos-lua executor`: what a script is given, what it may do, and what it is told when it does it wrong.

local agent = require("support.agent")
local program = require("support.program")

after_each(function()
    program.cleanup()
    agent.cleanup()
end)

-- A scripted agent, and the program with that script, subscribed to it.
local function start(text, options)
    local a = agent.start(options and options.agent)
    local run = a:executor(text, options)
    a:wait_for("SUBSCRIBE")
    return a, run
end

-- The program with that script, which ends by itself.
local function run_to_end(text, options)
    local a = agent.start()
    local run = a:executor(text, options)
    run:wait()
    return run
end

describe("callbacks", function()
    it("are given tables, as schedulers are", function()
        local a, run = start([[
            local executor = {}
            function executor:registered(driver, executorInfo, frameworkInfo, agentInfo)
                print(rawequal(self, executor), driver, executorInfo.executor_id, #executorInfo.data, frameworkInfo.id,
                    frameworkInfo.name, agentInfo.hostname, frameworkInfo.principal)
            end
            function executor:reregistered(driver, agentInfo) print(driver:status(), agentInfo.id) end
            function executor:launchTask(driver, task)
                print(task.task_id, task.resources[1].scalar, task.command.value, #task.data, task.executor)
            end
            function executor:killTask(driver, id, policy) print(id, policy and policy.grace_period.nanoseconds) end
            function executor:frameworkMessage(driver, data) print(#data, data:byte(1)) end
            return executor]], { env = agent.CHECKPOINT })
        a:launch("t1", {
            resources = { { name = "cpus", type = "SCALAR", scalar = 0.5 } }, command = { value = "true" }, data = "\0\0\0",
        })
        a:send { type = "KILL", kill = { task_id = "t1" } }
        a:send { type = "KILL", kill = { task_id = "t1", kill_policy = { grace_period = { nanoseconds = 7 } } } }
        a:send { type = "MESSAGE", message = { data = "\255\0" } }
        run:wait_for("2\t255\n")
        a:end_stream()
        run:wait_for("DRIVER_RUNNING\tagent%-1\n")
        assert.equal("true\tExecutorDriver (DRIVER_RUNNING)\texecutor-1\t2\tframework-1\ta framework\tagent1.test\tnil\n"
            .. "t1\t0.5\ttrue\t3\tnil\nt1\tnil\nt1\t7\n2\t255\nDRIVER_RUNNING\tagent-1\n", run.stdout)
    end)

    local GROUP = [[return { %s
        launchTask = function(_, driver, task) print("task", task.task_id) end,
        frameworkMessage = function() print("done") end,
    }]]

    it("of a group are launchGroup with a list", function()
        local a, run = start(GROUP:format("launchGroup = function(_, driver, tasks) print(#tasks, tasks[2].name) end,"))
        a:launch_group("t1", "t2")
        a:launch("t3")
        a:send { type = "MESSAGE", message = { data = "" } }
        run:wait_for("done")
        assert.equal("2\tt2\ntask\tt3\ndone\n", run.stdout)
    end)

    it("of a group are launchTask for each, without launchGroup", function()
        local a, run = start(GROUP:format(""))
        a:launch_group("t1", "t2")
        a:send { type = "MESSAGE", message = { data = "" } }
        run:wait_for("done")
        assert.equal("task\tt1\ntask\tt2\ndone\n", run.stdout)
    end)

    it("come one at a time, but launches that wait hold up nothing", function()
        local a, run = start([[
            local mesos = require "mesos"
            local killed = {}
            return {
                launchTask = function(_, driver, task)
                    driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING" }
                    while not killed[task.task_id] do mesos.sleep(0.01) end
                    driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_KILLED" }
                end,
                killTask = function(_, driver, id)
                    print("begin", id)
                    mesos.sleep(0.05)
                    print("end", id)
                    killed[id] = true
                end,
            }]])
        a:launch("t1")
        a:launch("t2")
        a:expect_update("t1", "TASK_RUNNING")
        a:expect_update("t2", "TASK_RUNNING")
        a:send { type = "KILL", kill = { task_id = "t2" } }
        a:send { type = "KILL", kill = { task_id = "t1" } }
        a:expect_update("t2", "TASK_KILLED")
        a:expect_update("t1", "TASK_KILLED")
        assert.equal("begin\tt2\nend\tt2\nbegin\tt1\nend\tt1\n", run.stdout)
    end)

    it("that are missing are passed over, with a line where it matters", function()
        local a, run = start("return { launchTask = function() end }", { env = agent.CHECKPOINT })
        a:launch("t1")
        a:send { type = "KILL", kill = { task_id = "t1" } }
        run:wait_for("task t1 is not killed: the executor has no callback killTask")
        a:send { type = "MESSAGE", message = { data = "" } }
        a:end_stream()
        a:wait_for("SUBSCRIBE", 2)
        a:send { type = "ERROR", error = { message = "enough" } }
        assert.equal(1, run:wait(), run:report())
        program.assert_has(run.stderr, "error   enough")
    end)
end)

describe("a launchTask that raises", function()
    it("fails its task with the message, and the log has the traceback", function()
        local a, run = start([[
            local function inner(task) local missing; return missing[task.task_id] end
            return { launchTask = function(_, driver, task)
                if task.task_id ~= "good" then inner(task) end
                driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING" }
            end }]])
        a:launch("bad")
        local status = a:expect_update("bad", "TASK_FAILED")
        assert.matches("^callback launchTask: executor.lua:1: attempt to index a nil value %(local 'missing'%)$",
            status.message)
        run:wait_for("callback launchTask: executor.lua:1: attempt to index a nil value")
        program.assert_has(run.stderr, "stack traceback:", "executor.lua:3: in ")
        a:launch("good")
        a:expect_update("good", "TASK_RUNNING")
    end)

    it("does so after it has waited as well", function()
        local a = start([[
            local mesos = require "mesos"
            return { launchTask = function(_, driver, task)
                driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING" }
                mesos.exec { "true" }
                error("behind the wait")
            end }]])
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
        assert.equal("callback launchTask: executor.lua:5: behind the wait", a:expect_update("t1", "TASK_FAILED").message)
    end)

    it("fails no task that has its end already", function()
        local a, run = start([[return { launchTask = function(_, driver, task)
            driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_FINISHED" }
            error("too late")
        end, frameworkMessage = function(_, driver) driver:sendFrameworkMessage("answer") end }]])
        a:launch("t1")
        a:expect_update("t1", "TASK_FINISHED")
        a:send { type = "MESSAGE", message = { data = "" } }
        a:wait_for("MESSAGE")
        program.assert_has(run.stderr, "too late")
        assert.equal(1, #a:calls_of("UPDATE"))
    end)

    it("fails all tasks of its group", function()
        local a = start([[return { launchGroup = function(_, driver, tasks)
            driver:sendStatusUpdate { task_id = tasks[2].task_id, state = "TASK_FINISHED" }
            error({ "no text" })
        end }]])
        a:launch_group("t1", "t2", "t3")
        a:expect_update("t2", "TASK_FINISHED")
        assert.matches("^callback launchGroup: ", a:expect_update("t1", "TASK_FAILED").message)
        a:expect_update("t3", "TASK_FAILED")
    end)

    it("is pointed out if it is missing, and the tasks fail", function()
        local a, run = start("return { launchtask = function() end }")
        run:wait_for("no callback 'launchtask'; did you mean 'launchTask'?")
        run:wait_for("it has no callback launchTask, so that every task will fail")
        a:launch("t1")
        assert.equal("the executor has no callback launchTask", a:expect_update("t1", "TASK_FAILED").message)
    end)
end)

describe("another callback that raises", function()
    it("is logged, and the executor goes on", function()
        local a, run = start([[
            local raise = function() error("on purpose") end
            return { registered = raise, killTask = raise, frameworkMessage = raise, disconnected = raise,
                reregistered = raise, shutdown = raise, launchTask = function() end }]], { env = agent.CHECKPOINT })
        a:send { type = "KILL", kill = { task_id = "t1" } }
        a:send { type = "MESSAGE", message = { data = "" } }
        run:wait_for("callback frameworkMessage")
        a:end_stream()
        a:wait_for("SUBSCRIBE", 2)
        a:shutdown()
        assert.equal(0, run:wait(), run:report())
        for _, name in ipairs { "registered", "killTask", "frameworkMessage", "disconnected", "reregistered", "shutdown" } do
            program.assert_has(run.stderr, "callback " .. name .. ": executor.lua:1: on purpose")
        end
    end)
end)

describe("operations", function()
    local rows = {
        { [[driver:sendStatusUpdate { task_id = "t", sate = "TASK_RUNNING" }]],
            "unknown field 'sate' in TaskStatus (did you mean 'state'?)" },
        { [[driver:sendStatusUpdate { task_id = "t" }]], "state" },
        { [[driver:sendStatusUpdate { state = "TASK_RUNNING" }]], "task_id" },
        { [[driver:sendStatusUpdate { task_id = "t", state = "TASK_STAGING" }]], "status.state: TASK_STAGING is not an executor's" },
        { [[driver:sendStatusUpdate { task_id = "t", state = "TASK_RUNNING", executor_id = "other" }]],
            "status.executor_id: 'other' is not this executor, which is 'executor-1'" },
        { [[driver:sendStatusUpdate()]], "status: " },
        { [[driver:sendFrameworkMessage(7)]], "data: a string expected, got number" },
        { [[driver:sendStatus()]], "ExecutorDriver has no operation 'sendStatus' (did you mean 'sendStatusUpdate'?)" },
        { [[driver.stop()]], "stop: a driver expected in front of it, got no value: write driver:stop(...), with a colon" },
        { [[require "mesos".SchedulerDriver { scheduler = {} }]],
            "mesos.SchedulerDriver: an executor talks to its agent only" },
    }
    for _, row in ipairs(rows) do
        it("that are called wrongly say so: " .. row[1], function()
            local a, run = start(("return { registered = function(_, driver)\n%s\nend, launchTask = print }"):format(row[1]))
            run:wait_for("callback registered: ")
            local text = run.stderr:match("callback registered: ([^\n]*)")
            program.assert_has(text, "executor.lua:2: ", row[2])
            assert.equal(0, #a:calls_of("UPDATE"))
        end)
    end

    it("return the status, also behind the end", function()
        local run = run_to_end([[
            return { registered = function(_, driver)
                print(driver:status(), driver:stop(), driver:status())
                print(driver:sendStatusUpdate { task_id = "t", state = "TASK_RUNNING" }, driver:sendFrameworkMessage "",
                    driver:abort(), driver)
            end, launchTask = print }]])
        assert.equal(0, run.code, run:report())
        assert.equal("DRIVER_RUNNING\tDRIVER_STOPPED\tDRIVER_STOPPED\n"
            .. "DRIVER_STOPPED\tDRIVER_STOPPED\tDRIVER_STOPPED\tExecutorDriver (DRIVER_STOPPED)\n", run.stdout)
    end)
end)

describe("the executor of README.md", function()
    it("runs commands, and kills them", function()
        local text = program.read("README.md"):match("\n```lua\n(local mesos = require \"mesos\"\nlocal executor.-)\n```\n")
        local a, run = start(text)
        local commands = { good = "exit 0", bad = "exit 3", long = "exec sleep 60" }
        for id, command in pairs(commands) do
            a:launch(id, { data = command })
        end
        local states = {}
        run:wait_for(function()
            for _, call in ipairs(a:calls_of("UPDATE")) do
                states[call.call.update.status.task_id] = call.call.update.status.state
            end
            return states.good == "TASK_FINISHED" and states.bad == "TASK_FAILED" and states.long == "TASK_RUNNING"
        end)
        a:send { type = "KILL", kill = { task_id = "long" } }
        a:wait_for("UPDATE", 6)
        assert.equal("TASK_KILLED", a:calls_of("UPDATE")[6].call.update.status.state)
        a:shutdown()
        assert.equal(0, run:wait(), run:report())
    end)
end)

describe("the program", function()
    it("has the module, its arguments and its modules", function()
        local run = run_to_end([[
            local mesos = require "mesos"
            print(mesos.version ~= nil, #mesos.resources "cpus:1", ...)
            return { registered = function(_, driver)
                local r = mesos.exec { "echo", "hello" }
                io.write(r.stdout)
                mesos.log.info("logged %d", 7)
                mesos.spawn(function() mesos.sleep(0.01) driver:stop() end)
            end, launchTask = print }]])
        assert.equal("true\t1\nhello\n", run.stdout)
        program.assert_has(run.stderr, "logged 7")
        assert.equal(0, run.code)
    end)

    it("ends as the script says, when its updates are acknowledged", function()
        local a, run = start([[return { launchTask = function(_, driver, task)
            driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_FINISHED" }
            os.exit(7)
        end, shutdown = print }]], { agent = { acknowledging = false } })
        a:launch("t1")
        local status = a:expect_update("t1", "TASK_FINISHED")
        assert.is_nil(run.code)
        a:acknowledge(status)
        assert.equal(7, run:wait(), run:report())
        assert.equal("", run.stdout)
    end)

    for _, signal in ipairs { "sigterm", "sigint" } do
        it("shuts down by " .. signal, function()
            local a, run = start([[return {
                launchTask = function(_, driver, task)
                    driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING" }
                end,
                shutdown = function(_, driver)
                    driver:sendStatusUpdate { task_id = "t1", state = "TASK_KILLED", message = "by a signal" }
                end }]])
            a:launch("t1")
            a:expect_update("t1", "TASK_RUNNING")
            run:kill(signal)
            assert.equal("by a signal", a:expect_update("t1", "TASK_KILLED").message)
            assert.equal(0, run:wait(), run:report())
        end)
    end

    it("ends at once by a second signal", function()
        local a, run = start([[return { launchTask = function() end,
            shutdown = function() print("begun") require "mesos".sleep(60) end }]])
        a:launch("t1")
        run:wait_for("registered")
        run:kill("sigterm")
        run:wait_for("begun")
        run:kill("sigterm")
        assert.equal(143, run:wait(), run:report())
    end)

    it("holds a script to its limits", function()
        local script = [[return { launchTask = function(_, driver, task)
            if task.task_id == "loop" then while true do end end
            local all = {}
            for i = 1, 1e9 do all[i] = ("x"):rep(2000000 + i) end
        end }]]
        local a, run = start(script, { args = { "--callback-limit", "0.2", "--sandbox" } })
        a:launch("loop")
        assert.matches("stopped after ", a:expect_update("loop", "TASK_FAILED").message)
        assert.is_nil(run.code)
        a, run = start(script, { args = { "--callback-limit", "60", "--memory-limit", "8M", "--sandbox" } })
        a:launch("memory")
        assert.matches("memory", a:expect_update("memory", "TASK_FAILED").message)
        assert.is_nil(run.code)
    end)

    local mistakes = {
        { "", "it returned nothing: an executor's script returns a table with callbacks such as launchTask" },
        { "return 7", "it returned a number: an executor's script returns a table" },
        { "return {", "executor.lua:1: unexpected symbol near <eof>" },
        { "error 'at load'", "at load" },
        { "return {}", "option '--master' has no meaning for mesos-lua executor", { "--master", "h:1" } },
    }
    for _, row in ipairs(mistakes) do
        it("ends with status 2: " .. row[2]:sub(1, 50), function()
            local run = run_to_end(row[1], { args = row[3] })
            assert.equal(2, run.code, run:report())
            program.assert_has(run.stderr, row[2])
        end)
    end

    it("needs a script", function()
        local run = program.run { args = { "executor" } }
        assert.equal(2, run.code)
        program.assert_has(run.stderr, "no script was given: mesos-lua executor [options] SCRIPT.lua [ARG...]")
    end)

    it("does not mind the variables of its agent", function()
        local _, run = start("return { registered = function(_, driver) driver:stop() end, launchTask = print }", {
            env = { MESOS_RESOURCES = "nonsense", MESOS_ATTRIBUTES = "rack:1", MESOS_WORK_DIR = "/x", MESOS_MASTER = "zk://" },
        })
        assert.equal(0, run:wait(), run:report())
        assert.equal(1, select(2, run.stderr:gsub("\n", "")), run:report())
    end)
end)

describe("mesos-lua check", function()
    local rows = {
        { "function e:launchTask(driver, task) driver:sendStatusUpdate { task_id = task.task_id, state = 'TASK_RUNNING' } end" },
        { "function e:registered(driver, executorInfo, frameworkInfo, agentInfo) print(frameworkInfo.name, agentInfo.hostname) end" },
        { "function e:launchTask(driver, task) driver:sendUpdate {} end",
            "executor.lua:3: ExecutorDriver has no operation 'sendUpdate'" },
        { "function e:launchTask(driver, task) print(task.command.valu) end" },
        { "function e:launchTask(driver, task) print(task.comand) end", "comand" },
        { "function e:launchGroup(driver, tasks) for _, task in ipairs(tasks) do print(task.taskid) end end", "taskid" },
        { "function e:registered(driver, executorInfo, frameworkInfo, agentInfo) print(agentInfo.host) end", "host" },
        { "function e:killTask(driver, id, policy) print(policy and policy.grace) end", "grace" },
        { "function e:registered(driver, info) if info.type == 'CUSTM' then print(1) end end",
            "type is never 'CUSTM' (did you mean 'CUSTOM'?)" },
        { "function e:launchtask() end", "no callback 'launchtask'; did you mean 'launchTask'?", warning = true },
    }
    for _, row in ipairs(rows) do
        it((row[2] and "reports " or "accepts ") .. row[1]:sub(1, 70), function()
            local folder = program.files { ["executor.lua"] =
                "local e = { launchTask = function() end }\n\n" .. row[1] .. "\nreturn e\n" }
            local run = program.run { args = { "check", "executor.lua" }, cwd = folder }
            assert.equal(row[2] and not row.warning and 2 or 0, run.code, run:report())
            program.assert_has(run.stderr, row[2] or "")
        end)
    end
end)
