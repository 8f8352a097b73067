-- SPDX-License-Identifier: Apache-2.0
--
-- The executor driver on the wire, through `mesos-lua executor` and a scripted agent: what it sends, what it keeps until
-- it is acknowledged, and what it does when its agent refuses, repeats, cuts, dies and comes back.

local agent = require("support.agent")
local program = require("support.program")
local server = require("support.server")

after_each(function()
    program.cleanup()
    agent.cleanup()
end)

-- Prints its callbacks; a task runs until "finish ID" comes as a message.
local SCRIPT = [[
local executor = {}
function executor:registered(driver, executorInfo, frameworkInfo, agentInfo) print("registered", agentInfo.id) end
function executor:reregistered(driver, agentInfo) print("reregistered", agentInfo.id) end
function executor:disconnected(driver) print("disconnected") end
function executor:launchTask(driver, task)
    print("launch", task.task_id)
    driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING" }
end
function executor:killTask(driver, id)
    driver:sendStatusUpdate { task_id = id, state = "TASK_KILLED" }
end
function executor:frameworkMessage(driver, data)
    local order, id = data:match("^(%w+) ?(.*)")
    if order == "finish" then
        driver:sendStatusUpdate { task_id = id, state = "TASK_FINISHED" }
    elseif order == "stop" then
        driver:sendFrameworkMessage("stopping")
        driver:stop()
    elseif order == "abort" then
        driver:abort()
    end
end
function executor:shutdown(driver) print("shutdown") end
function executor:error(driver, message) print("error", message, driver:status()) end
return executor
]]

local function message(a, data)
    a:send { type = "MESSAGE", message = { data = data } }
end

-- The names of the tasks, and the updates as "id state", that came with the n-th SUBSCRIBE.
local function unacknowledged(a, n)
    local subscribe = a:wait_for("SUBSCRIBE", n).call.subscribe
    local tasks, updates = {}, {}
    for i, task in ipairs(subscribe.unacknowledged_tasks) do
        tasks[i] = task.task_id
    end
    for i, update in ipairs(subscribe.unacknowledged_updates) do
        updates[i] = update.status.task_id .. " " .. update.status.state
    end
    return tasks, updates
end

describe("SUBSCRIBE", function()
    it("goes to the executor API, with the ids of the environment", function()
        local a = agent.start()
        local run = a:executor(SCRIPT)
        local subscribe = a:wait_for("SUBSCRIBE")
        run:wait_for("registered\tagent%-1")
        assert.equal("POST", subscribe.request.method)
        assert.equal("/slave(1)/api/v1/executor", subscribe.request.path)
        assert.equal("application/x-protobuf", subscribe.request:header("Accept"))
        assert.is_nil(subscribe.request:header("Authorization"))
        assert.same({ executor_id = "executor-1", framework_id = "framework-1", type = "SUBSCRIBE", subscribe = {} },
            agent.plain(subscribe.call))
    end)

    it("carries the token, which neither the script nor its children see", function()
        local a = agent.start()
        local run = a:executor([[
            local mesos = require "mesos"
            return { registered = function()
                print(os.getenv "MESOS_EXECUTOR_AUTHENTICATION_TOKEN",
                    (mesos.exec { "sh", "-c", "echo [$MESOS_EXECUTOR_AUTHENTICATION_TOKEN]" }).stdout)
            end }]], { env = { MESOS_EXECUTOR_AUTHENTICATION_TOKEN = "abc.def" } })
        assert.equal("Bearer abc.def", a:wait_for("SUBSCRIBE").request:header("Authorization"))
        run:wait_for("nil\t%[%]")
        message(a, "hello")
        assert.falsy(run.stderr:find("abc.def", 1, true))
    end)

    it("goes to the domain socket, if there is one", function()
        local a = agent.start()
        local path = program.directory() .. "/agent.sock"
        a:relay(path)
        local run = a:executor(SCRIPT, { env = { MESOS_DOMAIN_SOCKET = path, MESOS_AGENT_ENDPOINT = "127.0.0.1:1" } })
        run:wait_for("registered")
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
    end)

    it("goes to the only agent there, without MESOS_SLAVE_PID", function()
        local a = agent.start()
        a.PATH = "/api/v1/executor"
        local run = a:executor(SCRIPT, { env = { MESOS_SLAVE_PID = false } })
        run:wait_for("registered")
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
    end)

    it("finds its agent by MESOS_SLAVE_PID as well", function()
        local a = agent.start()
        a:executor(SCRIPT, { env = { MESOS_AGENT_ENDPOINT = false } })
        a:wait_for("SUBSCRIBE")
    end)

    local mistakes = {
        { { MESOS_AGENT_ENDPOINT = false, MESOS_SLAVE_PID = false }, "MESOS_AGENT_ENDPOINT is not set" },
        { { MESOS_AGENT_ENDPOINT = "no/where" }, "MESOS_AGENT_ENDPOINT" },
        { { MESOS_EXECUTOR_ID = false }, "MESOS_EXECUTOR_ID is not set: a Mesos agent starts an executor, and sets it" },
        { { MESOS_FRAMEWORK_ID = false }, "MESOS_FRAMEWORK_ID is not set" },
        { { MESOS_RECOVERY_TIMEOUT = "soon" }, "MESOS_RECOVERY_TIMEOUT: a time such as 5secs expected, got 'soon'" },
        { { MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD = "-1secs" }, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: a time" },
        { { MESOS_DOMAIN_SOCKET = "/" .. ("x"):rep(200) }, "MESOS_DOMAIN_SOCKET: '/xxx" },
        { { MESOS_EXECUTOR_AUTHENTICATION_TOKEN = "a\nb" }, "MESOS_EXECUTOR_AUTHENTICATION_TOKEN" },
    }
    for _, row in ipairs(mistakes) do
        it("is not sent: " .. row[2]:sub(1, 60), function()
            local a = agent.start()
            local run = a:executor(SCRIPT, { env = row[1] })
            assert.equal(2, run:wait(), run:report())
            program.assert_has(run.stderr, row[2])
            assert.same({}, a:calls_of("SUBSCRIBE"))
        end)
    end
end)

describe("an update", function()
    it("is completed, and sent as it is otherwise", function()
        local a = agent.start()
        a:executor([[return { launchTask = function(_, driver, task)
            driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING", message = "m", data = "\0d",
                uuid = "mine", source = "SOURCE_MASTER", healthy = true, labels = { labels = { { key = "k" } } } }
            driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_FINISHED", timestamp = 1.5,
                executor_id = "executor-1" }
        end }]])
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        local first, second = a:expect_update("t1", "TASK_RUNNING"), a:expect_update("t1", "TASK_FINISHED")
        assert.equal("m", first.message)
        assert.equal("\0d", first.data)
        assert.equal("executor-1", first.executor_id)
        assert.equal("SOURCE_EXECUTOR", first.source)
        assert.equal("agent-1", first.agent_id)
        assert.equal("k", first.labels.labels[1].key)
        assert.is_true(first.healthy)
        assert.equal(16, #first.uuid)
        assert.is_true(math.abs(first.timestamp - os.time()) < 60)
        assert.equal(1.5, second.timestamp)
        assert.not_equal(first.uuid, second.uuid)
    end)

    it("comes again with its uuid at the next subscription, until it is acknowledged", function()
        local a = agent.start({ acknowledging = false })
        local run = a:executor(SCRIPT, { env = agent.CHECKPOINT })
        assert.same({ {}, {} }, { unacknowledged(a, 1) })
        a:launch("t1")
        local running = a:expect_update("t1", "TASK_RUNNING")
        a:launch("t2")
        a:acknowledge(a:expect_update("t2", "TASK_RUNNING"))
        message(a, "finish t2")
        local finished = a:expect_update("t2", "TASK_FINISHED")
        a:end_stream()
        assert.same({ { "t1" }, { "t1 TASK_RUNNING", "t2 TASK_FINISHED" } }, { unacknowledged(a, 2) })
        local updates = a:wait_for("SUBSCRIBE", 2).call.subscribe.unacknowledged_updates
        assert.equal(running.uuid, updates[1].status.uuid)
        assert.equal(finished.uuid, updates[2].status.uuid)
        run:wait_for("reregistered\tagent%-1")
        a:acknowledge(running)
        a:acknowledge(finished)
        a:acknowledge(finished) -- a second time, which is nothing
        message(a, "finish t1") -- behind the acknowledgements
        local last = a:expect_update("t1", "TASK_FINISHED")
        a = a:restart({ acknowledging = false })
        assert.same({ {}, { "t1 TASK_FINISHED" } }, { unacknowledged(a, 1) })
        assert.equal(last.uuid, a:calls_of("SUBSCRIBE")[1].call.subscribe.unacknowledged_updates[1].status.uuid)
        assert.equal(0, #a:calls_of("UPDATE"))
    end)

    it("that is made without an agent goes with the next SUBSCRIBE", function()
        local a = agent.start()
        local run = a:executor([[
            return {
                launchTask = function(_, driver) driver:sendFrameworkMessage("launched") end,
                disconnected = function(_, driver)
                    driver:sendStatusUpdate { task_id = "t1", state = "TASK_RUNNING" }
                    print(driver:sendFrameworkMessage("lost"))
                end,
            }]], { env = agent.CHECKPOINT })
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        a:wait_for("MESSAGE")
        a:drop()
        assert.same({ { "t1" }, { "t1 TASK_RUNNING" } }, { unacknowledged(a, 2) })
        run:wait_for("DRIVER_RUNNING")
        run:wait_for("MESSAGE dropped: not connected to the agent")
        assert.equal(1, #a:calls_of("UPDATE") + #a:calls_of("MESSAGE"))
    end)

    it("that is made while a SUBSCRIBE waits for its answer follows it", function()
        local a = agent.start()
        local run = a:executor([[
            local mesos = require "mesos"
            return {
                registered = function() print("registered") end,
                launchTask = function(_, driver, task)
                    mesos.sleep(0.3)
                    driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING" }
                    print("made")
                end,
            }]], { env = agent.CHECKPOINT })
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        run:wait_for("registered")
        a:hold("SUBSCRIBE")
        a:end_stream()
        a:wait_for("SUBSCRIBE", 2)
        run:wait_for("made")
        a:release("SUBSCRIBE")
        a:expect_update("t1", "TASK_RUNNING")
    end)

    it("that had no answer is sent again, with its uuid", function()
        local a = agent.start()
        a:executor(SCRIPT)
        a:wait_for("SUBSCRIBE")
        a:answer("UPDATE", function(_, connection)
            a:answer("UPDATE")
            connection:close()
        end)
        a:launch("t1")
        local first, second = a:expect_update("t1", "TASK_RUNNING"), a:expect_update("t1", "TASK_RUNNING")
        assert.equal(first.uuid, second.uuid)
    end)

    it("that is refused for the moment is sent again", function()
        local a = agent.start()
        local run = a:executor(SCRIPT)
        a:wait_for("SUBSCRIBE")
        a:answer("UPDATE", 503, "Agent has not finished recovery")
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
        a:answer("UPDATE")
        a:expect_update("t1", "TASK_RUNNING")
        run:wait_for("the agent refused UPDATE %(HTTP status 503%): Agent has not finished recovery")
    end)

    it("that is refused for good is given up, with the agent's words", function()
        local a = agent.start()
        local run = a:executor(SCRIPT, { env = agent.CHECKPOINT })
        a:wait_for("SUBSCRIBE")
        a:answer("UPDATE", 400, "not like this")
        a:launch("t1")
        run:wait_for("the agent refused UPDATE %(HTTP status 400%): not like this")
        a:answer("UPDATE")
        a:end_stream()
        assert.same({ { "t1" }, {} }, { unacknowledged(a, 2) })
    end)
end)

describe("messages", function()
    it("pass unchanged in both directions, in order", function()
        local a = agent.start()
        a:executor("return { frameworkMessage = function(_, driver, data) driver:sendFrameworkMessage(data) end }")
        a:wait_for("SUBSCRIBE")
        local all = {}
        for i = 0, 255 do
            all[#all + 1] = string.char(i)
        end
        local texts = { "hello", table.concat(all), "", ("x"):rep(20000) }
        for i = 1, 20 do
            texts[#texts + 1] = "number " .. i
        end
        for _, text in ipairs(texts) do
            message(a, text)
        end
        for i, text in ipairs(texts) do
            assert.equal(text, a:wait_for("MESSAGE", i).call.message.data)
        end
    end)
end)

describe("messages to an agent that does not answer", function()
    it("are refused when too many wait", function()
        local a = agent.start()
        a:answer("MESSAGE", false)
        local run = a:executor([[return { registered = function(_, driver)
            local count, good, text = 0, true, nil
            while good do
                count = count + 1
                good, text = pcall(driver.sendFrameworkMessage, driver, ("x"):rep(1 << 20))
            end
            print(count, text)
            driver:abort()
        end, launchTask = print }]])
        run:wait(30)
        assert.equal(65, tonumber(run.stdout:match("^%d+")), run:report())
        program.assert_has(run.stdout, "calls are waiting for the agent, 64 MiB of them, and no more are taken")
    end)
end)

describe("LAUNCH", function()
    it("of a task that was launched already is not handed on", function()
        local a = agent.start({ acknowledging = false })
        local run = a:executor(SCRIPT, { env = agent.CHECKPOINT })
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        a:launch("t1")
        local first = a:expect_update("t1", "TASK_RUNNING")
        a:end_stream()
        a:wait_for("SUBSCRIBE", 2)
        a:launch("t1")
        a:launch("t2")
        a:expect_update("t2", "TASK_RUNNING")
        assert.equal(1, select(2, run.stdout:gsub("launch\tt1", "")))
        assert.equal(2, select(2, run.stderr:gsub("task t1 was launched already", "")))
        -- When its end is acknowledged, the id is free again.
        a.acknowledging = true
        a:acknowledge(first)
        message(a, "finish t1")
        a:expect_update("t1", "TASK_FINISHED")
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
    end)

    it("is understood whatever the pieces are in which it comes", function()
        local a = agent.start()
        a:executor(SCRIPT)
        a:wait_for("SUBSCRIBE")
        local sent = {}
        local send_bytes = a.send_bytes
        a.send_bytes = function(_, bytes) sent[#sent + 1] = bytes end
        a:launch("t1", { data = ("\n"):rep(300) })
        a:launch("t2")
        a.send_bytes = send_bytes
        local bytes = table.concat(sent)
        for i = 1, #bytes do
            a:send_bytes(bytes:sub(i, i))
        end
        a:expect_update("t1", "TASK_RUNNING")
        a:expect_update("t2", "TASK_RUNNING")
    end)
end)

describe("events that are not understood", function()
    it("are skipped: unknown types, types without their message, heartbeats", function()
        local a = agent.start()
        local run = a:executor(SCRIPT)
        a:wait_for("SUBSCRIBE")
        a:send { type = 77 }
        a:send { type = "LAUNCH" }
        a:send { type = "HEARTBEAT" }
        a:acknowledge({ task_id = "t9", uuid = "short" })
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
        assert.is_nil(run.code)
        assert.equal(1, #a:calls_of("SUBSCRIBE"))
    end)

    it("cut the stream if they are malformed", function()
        local a = agent.start()
        local run = a:executor(SCRIPT, { env = agent.CHECKPOINT })
        a:wait_for("SUBSCRIBE")
        a:send_record("\8")
        a:wait_for("SUBSCRIBE", 2)
        run:wait_for("the agent sent an event that is malformed")
        run:wait_for("reregistered")
    end)
end)

describe("an agent that is lost", function()
    local ways = { "end_stream", "drop", "reset" }
    for _, way in ipairs(ways) do
        it("ends an executor without checkpointing: " .. way, function()
            local a = agent.start()
            local run = a:executor(SCRIPT, { env = { MESOS_SANDBOX = "/some/where" } })
            run:wait_for("registered")
            program.assert_has(run.stderr, "; the sandbox is /some/where")
            a[way](a)
            assert.equal(0, run:wait(), run:report())
            assert.equal("registered\tagent-1\ndisconnected\nshutdown\n", run.stdout)
            assert.equal(1, #a:calls_of("SUBSCRIBE"))
        end)
    end

    it("is waited for, for the recovery timeout, with checkpointing", function()
        local a = agent.start()
        local run = a:executor(SCRIPT, { env = {
            MESOS_CHECKPOINT = "1", MESOS_RECOVERY_TIMEOUT = "3secs", MESOS_SUBSCRIPTION_BACKOFF_MAX = "20ms",
        } })
        run:wait_for("registered")
        a:stop()
        assert.equal(0, run:wait(), run:report())
        assert.equal("registered\tagent-1\ndisconnected\nshutdown\n", run.stdout)
        program.assert_has(run.stderr, "the agent did not come back within 3 seconds (MESOS_RECOVERY_TIMEOUT)")
        assert.is_true(select(2, run.stderr:gsub("cannot subscribe", "")) > 3, run:report())
    end)

    it("comes back, more than once, and finds the tasks still running", function()
        local a = agent.start()
        local run = a:executor(SCRIPT, { env = agent.CHECKPOINT })
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
        for i = 1, 3 do
            a = a:restart()
            a:answer("SUBSCRIBE", 503, "Agent has not finished recovery")
            a:wait_for("SUBSCRIBE")
            a:answer("SUBSCRIBE", 404)
            a:wait_for("SUBSCRIBE", #a.calls + 1)
            a:answer("SUBSCRIBE")
            run:wait_for(function()
                return select(2, run.stdout:gsub("reregistered", "")) == i
            end)
        end
        assert.equal(3, select(2, run.stdout:gsub("disconnected", "")))
        a:send { type = "KILL", kill = { task_id = "t1" } }
        a:expect_update("t1", "TASK_KILLED")
    end)
end)

describe("a SUBSCRIBE that is refused", function()
    it("is sent again while the agent gets ready, also without checkpointing", function()
        local a = agent.start()
        a:answer("SUBSCRIBE", 503, "Agent has not finished recovery")
        local run = a:executor(SCRIPT, { env = { MESOS_SUBSCRIPTION_BACKOFF_MAX = "20ms" } })
        a:wait_for("SUBSCRIBE", 3)
        a:answer("SUBSCRIBE")
        run:wait_for("registered")
    end)

    local rows = {
        { 400, "Executor cannot be found" }, { 401, "who are you" }, { 403, "not you" },
    }
    for _, row in ipairs(rows) do
        it("ends the executor with the agent's words: " .. row[1], function()
            local a = agent.start()
            a:answer("SUBSCRIBE", row[1], row[2])
            local run = a:executor(SCRIPT, { env = agent.CHECKPOINT })
            assert.equal(1, run:wait(), run:report())
            program.assert_has(run.stderr, ("HTTP status %d: %s"):format(row[1], row[2]))
            program.assert_has(run.stdout, "error\tcannot subscribe at 127.0.0.1:", "DRIVER_ABORTED")
            assert.equal(1, #a:calls_of("SUBSCRIBE"))
        end)
    end

    it("ends the executor if there is no agent, without checkpointing", function()
        local a = agent.start()
        local run = a:executor(SCRIPT, { env = { MESOS_AGENT_ENDPOINT = server.unused_address() } })
        assert.equal(1, run:wait(), run:report())
        program.assert_has(run.stdout, "error\tcannot subscribe at", "Connection refused")
    end)

    it("is not accepted by something that is no agent", function()
        local web = server.start(server.answering("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"))
        local a = agent.start()
        local run = a:executor(SCRIPT, { env = { MESOS_AGENT_ENDPOINT = web.address } })
        assert.equal(1, run:wait(), run:report())
        program.assert_has(run.stderr, "not a Mesos agent: its answer 200 has Content-Type 'text/html'")
    end)
end)

describe("SHUTDOWN", function()
    it("calls shutdown, and ends when every task has its end", function()
        local a = agent.start()
        local run = a:executor([[
            local mesos = require "mesos"
            local tasks = {}
            return {
                launchTask = function(_, driver, task)
                    tasks[#tasks + 1] = task.task_id
                    driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING" }
                end,
                frameworkMessage = function() print("a message") end,
                shutdown = function(_, driver)
                    mesos.spawn(function()
                        for _, id in ipairs(tasks) do
                            mesos.sleep(0.05)
                            driver:sendStatusUpdate { task_id = id, state = "TASK_KILLED", message = "by myself" }
                        end
                    end)
                end,
            }]])
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        a:launch("t2")
        a:expect_update("t1", "TASK_RUNNING")
        a:expect_update("t2", "TASK_RUNNING")
        a:shutdown()
        a:shutdown()
        message(a, "not any more")
        assert.equal("by myself", a:expect_update("t1", "TASK_KILLED").message)
        a:expect_update("t2", "TASK_KILLED")
        assert.equal(0, run:wait(), run:report())
        assert.equal("", run.stdout)
    end)

    it("kills the tasks of a script that has no such callback", function()
        local a = agent.start()
        local run = a:executor([[return { launchTask = function(_, driver, task)
            driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING" }
        end }]])
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
        a:shutdown()
        assert.equal("Executor shut down", a:expect_update("t1", "TASK_KILLED").message)
        assert.equal(0, run:wait(), run:report())
    end)

    it("may come in place of SUBSCRIBED", function()
        local a = agent.start({ quiet = true })
        local run = a:executor(SCRIPT)
        a:wait_for("SUBSCRIBE")
        a:shutdown()
        a:end_stream()
        assert.equal(0, run:wait(), run:report())
        assert.equal("shutdown\n", run.stdout)
    end)

    it("kills an executor that does not end within the grace period", function()
        local a = agent.start()
        local run = a:executor([[
            local mesos = require "mesos"
            return {
                launchTask = function(_, driver, task)
                    driver:sendStatusUpdate { task_id = task.task_id, state = "TASK_RUNNING" }
                    mesos.exec { "sh", "-c", "echo $$ > " .. arg[0] .. ".pid; sleep 60" }
                end,
                shutdown = function() mesos.sleep(60) end,
            }]], { env = { MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD = "300ms" } })
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
        local pid
        run:wait_for(function()
            local text = program.read(run.script .. ".pid")
            pid = text and tonumber(text)
            return pid
        end)
        a:shutdown()
        assert.equal(1, run:wait(), run:report())
        program.assert_has(run.stderr, "the grace period of 0.3 seconds for the shutdown is over")
        program.wait_until_gone(pid)
    end)
end)

describe("the end", function()
    it("waits for the acknowledgement of the last update", function()
        local a = agent.start({ acknowledging = false })
        local run = a:executor(SCRIPT)
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        a:acknowledge(a:expect_update("t1", "TASK_RUNNING"))
        message(a, "finish t1")
        message(a, "stop")
        local last = a:expect_update("t1", "TASK_FINISHED")
        message(a, "ignored")
        assert.has_error(function() run:wait(0.3) end)
        a:acknowledge(last)
        assert.equal(0, run:wait(), run:report())
        assert.falsy(run.stderr:find("may not have them", 1, true))
    end)

    it("does not wait for ever", function()
        local a = agent.start({ acknowledging = false })
        local run = a:executor(SCRIPT)
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
        message(a, "stop")
        assert.equal(0, run:wait(), run:report())
        program.assert_has(run.stderr, "the agent has not acknowledged the last updates, and may not have them")
    end)

    it("waits for an agent that comes back for the last update", function()
        local a = agent.start({ acknowledging = false })
        local run = a:executor(SCRIPT, { env = agent.CHECKPOINT })
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
        message(a, "stop")
        a:wait_for("MESSAGE")
        a = a:restart()
        local updates = a:wait_for("SUBSCRIBE").call.subscribe.unacknowledged_updates
        assert.is_nil(run.code)
        a:acknowledge(updates[1].status)
        assert.equal(0, run:wait(), run:report())
    end)

    it("after an abort waits for nothing", function()
        local a = agent.start({ acknowledging = false })
        local run = a:executor(SCRIPT)
        a:wait_for("SUBSCRIBE")
        a:launch("t1")
        a:expect_update("t1", "TASK_RUNNING")
        message(a, "abort")
        assert.equal(1, run:wait(), run:report())
    end)

    it("comes with an ERROR of the agent", function()
        local a = agent.start()
        local run = a:executor(SCRIPT, { env = agent.CHECKPOINT })
        a:wait_for("SUBSCRIBE")
        a:send { type = "ERROR", error = { message = "Unrecoverable error" } }
        assert.equal(1, run:wait(), run:report())
        program.assert_has(run.stdout, "error\tUnrecoverable error\tDRIVER_ABORTED")
        assert.equal(1, #a:calls_of("SUBSCRIBE"))
    end)
end)
