-- SPDX-License-Identifier: Apache-2.0
--
-- The executor driver of mesos_driver.h for C programs (spec/support/embed/worker.c), against a scripted agent: with a
-- thread of its own, and on a loop of the program's.

local agent = require("support.agent")
local program = require("support.program")

after_each(function()
    program.cleanup()
    agent.cleanup()
end)

-- The executor in C, subscribed to a scripted agent.
local function start(mode, options)
    options = options or {}
    local a = agent.start(options.agent)
    local words = {}
    for word in (os.getenv("MESOS_LUA_WRAPPER") or ""):gmatch("%S+") do
        words[#words + 1] = word
    end
    words[#words + 1] = (os.getenv("MESOS_LUA_BUILD") or "build") .. "/spec/embed-worker"
    words[#words + 1] = mode
    local environment = a:environment(options.env)
    environment.TSAN_OPTIONS = os.getenv("TSAN_OPTIONS")
    local run = program.start { path = table.remove(words, 1), args = words, env = environment }
    a:wait_for("SUBSCRIBE")
    return a, run
end

local function order(a, text)
    a:send { type = "MESSAGE", message = { data = text } }
end

for _, mode in ipairs { "own", "loop" } do
    describe("the executor driver in C, mode " .. mode, function()
        it("has the callbacks of the original, and two more", function()
            local a, run = start(mode, { env = agent.CHECKPOINT })
            run:wait_for("registered\texecutor%-1\ta framework\tagent1.test\t1\n")
            a:launch("t1")
            local running = a:expect_update("t1", "TASK_RUNNING")
            assert.equal("SOURCE_EXECUTOR", running.source)
            assert.equal("executor-1", running.executor_id)
            a:launch_group("t2", "t3")
            a:expect_update("t2", "TASK_RUNNING")
            a:expect_update("t3", "TASK_RUNNING")
            order(a, "finish t1")
            a:expect_update("t1", "TASK_FINISHED")
            a:send { type = "KILL", kill = { task_id = "t2" } }
            a:expect_update("t2", "TASK_KILLED")
            a:send { type = "KILL", kill = { task_id = "t3", kill_policy = { grace_period = { nanoseconds = 9 } } } }
            a:expect_update("t3", "TASK_KILLED")
            order(a, "an answer")
            assert.equal("an answer", a:wait_for("MESSAGE").call.message.data)
            a:end_stream()
            run:wait_for("reregistered\tagent1.test\n")
            a:shutdown()
            assert.equal(0, run:wait(), run:report())
            assert.equal("registered\texecutor-1\ta framework\tagent1.test\t1\nlaunch\tt1\tt1\ngroup\t2\tt3\nkill\tt2\t-1\n"
                .. "kill\tt3\t9\ndisconnected\nreregistered\tagent1.test\nshutdown\nend\tDRIVER_STOPPED\n", run.stdout)
        end)

        it("tells mistakes to the thread that made them", function()
            local a, run = start(mode)
            order(a, "mistakes")
            order(a, "stop")
            assert.equal(0, run:wait(), run:report())
            program.assert_has(run.stdout, "null\tDRIVER_RUNNING\tstatus is missing\n",
                "empty\tDRIVER_RUNNING\tstatus.task_id", "staging\tDRIVER_RUNNING\tstatus.state: TASK_STAGING is not an executor's\n",
                "message\tDRIVER_RUNNING\tmessage is missing\n", "driver\tDRIVER_NOT_STARTED\tdriver is missing\n",
                "join\tDRIVER_RUNNING\tthis is the thread that runs the driver's loop", "status\tDRIVER_RUNNING\t",
                "stop\tDRIVER_STOPPED\t\n")
            assert.equal(0, #a:calls_of("UPDATE"))
        end)

        it("takes operations from several threads, each in its order", function()
            local a, run = start(mode)
            order(a, "threads")
            a:wait_for("MESSAGE", 200)
            local last = {}
            for _, call in ipairs(a:calls_of("MESSAGE")) do
                local thread, number = call.call.message.data:match("^(%d)%.(%d+)$")
                assert.equal((last[thread] or -1) + 1, tonumber(number))
                last[thread] = tonumber(number)
            end
            order(a, "stop")
            assert.equal(0, run:wait(), run:report())
        end)

        it("waits for the acknowledgement at the end", function()
            local a, run = start(mode, { agent = { acknowledging = false } })
            a:launch("t1")
            a:acknowledge(a:expect_update("t1", "TASK_RUNNING"))
            order(a, "finish t1")
            order(a, "stop")
            local status = a:expect_update("t1", "TASK_FINISHED")
            run:wait_for("stop\t")
            assert.has_error(function() run:wait(0.2) end)
            a:acknowledge(status)
            assert.equal(0, run:wait(), run:report())
        end)

        it("is aborted by the program, by an error, and may be destroyed in a callback", function()
            local a, run = start(mode)
            order(a, "abort")
            assert.equal(1, run:wait(), run:report())
            program.assert_has(run.stdout, "abort\tDRIVER_ABORTED\t\n", "end\tDRIVER_ABORTED\n")
            a, run = start(mode)
            a:send { type = "ERROR", error = { message = "no more" } }
            assert.equal(1, run:wait(), run:report())
            program.assert_has(run.stdout, "error\tno more\tDRIVER_ABORTED\nend\tDRIVER_ABORTED\n")
            a, run = start(mode)
            order(a, "destroy")
            assert.equal(0, run:wait(), run:report())
            assert.falsy(run.stdout:find("handles left", 1, true))
        end)
    end)
end

describe("the executor driver in C", function()
    it("does the usual for a program without functions", function()
        local a, run = start("plain")
        a:launch_group("t1", "t2")
        assert.equal("the executor has no function launch_task", a:expect_update("t1", "TASK_FAILED").message)
        a:expect_update("t2", "TASK_FAILED")
        a:send { type = "KILL", kill = { task_id = "t1" } }
        run:wait_for("task t1 is not killed: the executor has no function kill_task")
        a:shutdown()
        assert.equal(0, run:wait(), run:report())
    end)

    it("says what is missing in the environment", function()
        local run = program.run { path = (os.getenv("MESOS_LUA_BUILD") or "build") .. "/spec/embed-worker" }
        assert.equal(2, run.code, run:report())
        program.assert_has(run.stdout, "MESOS_FRAMEWORK_ID is not set")
    end)

    it("kills the process when the grace period is over", function()
        local a, run = start("own", { env = { MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD = "200ms" } })
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
        a:shutdown()
        assert.equal(1, run:wait(), run:report())
        program.assert_has(run.stderr, "the grace period of 0.2 seconds for the shutdown is over")
        assert.equal("shutdown\n", run.stdout:match("shutdown.*$"))
    end)
end)
