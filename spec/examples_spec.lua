-- SPDX-License-Identifier: Apache-2.0
--
-- The examples, run by the real program: on the cluster that it brings along, and against a scripted master for what a
-- cluster that works does not do.

local cjson = require("cjson")
local control = require("support.control")
local executors_agent = require("support.agent")
local lfs = require("lfs")
local master = require("support.master")
local program = require("support.program")
local server = require("support.server")
local values = require("support.compare")

after_each(function()
    program.cleanup()
    master.cleanup()
    executors_agent.cleanup()
end)

-- The paths of all files of that name below a folder.
local function find(folder, name)
    local run = program.run({ path = "/usr/bin/find", args = { folder, "-name", name, "-type", "f" } })
    local paths = {}
    for path in run.stdout:gmatch("[^\n]+") do
        paths[#paths + 1] = path
    end
    return paths
end

describe("hello.lua", function()
    it("runs its task on a local cluster and leaves the output in the sandbox", function()
        local folder = program.directory()
        local run = program.run({ args = { "--work-dir", folder, "examples/hello.lua" } })
        assert.equal(0, run.code, run:report())
        assert.equal("", run.stdout)
        local outputs = find(folder, "stdout")
        assert.equal(1, #outputs)
        assert.matches("^Hello from ", program.read(outputs[1]))
    end)

    it("fails when its task fails", function()
        local m = master.start()
        local run = program.start({ args = { "--master", m.address, "examples/hello.lua" } })
        m:wait_for("SUBSCRIBE")
        m:send_offers({ m:offer(), m:offer({ agent_id = "other" }) })
        local task = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos[1]
        m:wait_for("DECLINE")
        m:send(m:update(task, "TASK_FAILED", { message = "Command exited with status 1" }))
        assert.equal(1, run:wait(), run:report())
        assert.matches("Command exited with status 1", run.stderr)
    end)
end)

describe("the first script of README.md", function()
    local function first(...)
        local text = program.read("README.md"):match("\n```lua\n(.-)\n```\n")
        return program.run({ args = { ..., program.script(text, "first.lua") } })
    end

    it("launches one task and ends with it", function()
        local run = first("--agents=2")
        assert.equal(0, run.code, run:report())
        assert.matches("hello%-1 is TASK_FINISHED", run.stderr)
        assert.equal(1, select(2, run.stderr:gsub("is TASK_STARTING", "")), run:report())
    end)

    it("says why its task cannot run", function()
        local run = first("--resources=cpus:0.05;mem:64")
        assert.equal(1, run.code, run:report())
        assert.matches("hello%-1 is TASK_ERROR [^\n]*more than available", run.stderr)
    end)
end)

describe("executor.lua", function()
    it("counts primes, reports, and can be killed and shut down", function()
        local a = executors_agent.start()
        local run = a:executor(program.read("examples/executor.lua"))
        a:wait_for("SUBSCRIBE")
        a:launch("long", { data = "1000000000" })
        a:expect_update("long", "TASK_RUNNING")
        a:launch("short", { data = "5000" })
        a:expect_update("short", "TASK_RUNNING")
        assert.equal("669 primes", a:expect_update("short", "TASK_FINISHED").message)
        assert.matches("^%a+: %d+ primes below %d+$", a:wait_for("MESSAGE").call.message.data)
        a:send { type = "KILL", kill = { task_id = "long" } }
        assert.matches("^stopped at %d+$", a:expect_update("long", "TASK_KILLED").message)
        a:launch("last", { data = "1000000000" })
        a:expect_update("last", "TASK_RUNNING")
        a:shutdown()
        a:expect_update("last", "TASK_KILLED")
        assert.equal(0, run:wait(), run:report())
    end)
end)

describe("own_executor.lua", function()
    local function launch()
        local m = master.start()
        local run = program.start({ args = { "-m", m.address, "examples/own_executor.lua", program.path } })
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        return m, run, m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos
    end

    local function lose_executor(m, status)
        m:send { type = "FAILURE", failure = { agent_id = m.id .. "-S0", executor_id = "primes", status = status } }
    end

    it("launches its tasks on one executor, kills the last, and shuts it down", function()
        local m, run, tasks = launch()
        assert.equal(4, #tasks)
        for _, task in ipairs(tasks) do
            assert.equal("primes", task.executor.executor_id)
            assert.matches("^exec '/[^']+' executor '/[^']+/examples/executor.lua'$", task.executor.command.value)
        end
        for i = 1, 3 do
            m:send(m:update(tasks[i], "TASK_FINISHED"))
        end
        m:expect("KILL", { task_id = "primes-4", agent_id = m.id .. "-S0" })
        m:send(m:update(tasks[4], "TASK_KILLED"))
        m:expect("SHUTDOWN", { executor_id = "primes", agent_id = m.id .. "-S0" })
        lose_executor(m, 0)
        assert.equal(0, run:wait(), run:report())
    end)

    it("runs them in one process of executor.lua on a local cluster", function()
        local run = program.run({ args = { "--agents=2", "examples/own_executor.lua", program.path } })
        assert.equal(0, run.code, run:report())
        for i, primes in ipairs { 669, 1229, 2262 } do
            program.assert_has(run.stderr, ("primes-%d is TASK_FINISHED %d primes"):format(i, primes))
        end
        program.assert_has(run.stderr, "primes-4 is TASK_KILLED stopped at ", "primes has ended with status 0")
        assert.matches("primes says primes%-1: %d+ primes below 4000\n", run.stdout)
    end)

    it("fails when its executor ends too soon", function()
        local m, run = launch()
        lose_executor(m, 256)
        assert.equal(1, run:wait(), run:report())
        program.assert_has(run.stderr, "primes has ended with status 256")
    end)
end)

describe("submit.lua", function()
    it("runs the jobs that it is given", function()
        local run = program.start({ args = { "-m", "local", "examples/submit.lua" } })
        run:wait_for("registered with")
        local done = control.ctl(run, { "submit", "-" }, { stdin = '{"command":"echo a","cpus":0.2}\n{"command":"exit 3"}\n{}\n' })
        assert.equal(1, done.code)
        assert.equal('{"ahead":0,"id":"job-1"}\n', done.stdout:match("^[^\n]*\n"))
        program.assert_has(done.stderr, "a job has a command, which is a text for the shell")
        run:wait_for("job%-1 is TASK_FINISHED")
        run:wait_for("job%-2 is TASK_FAILED: Command exited with status 3")
    end)
end)

describe("http_api.lua", function()
    it("runs what is posted, and tells its state", function()
        local run = program.start({ args = { "-m", "local", "examples/http_api.lua", "127.0.0.1:0" } })
        local address = "http://" .. run:wait_for("listening on (%S+)")
        local function curl(path, ...)
            return program.run({ path = "curl", args = { "-sS", address .. path, ... } }).stdout
        end
        assert.equal("job-1\n", curl("/jobs", "-d", "exit 3"))
        assert.equal("TASK_FAILED\n", curl("/jobs/job-1?wait=10"))
        assert.equal("job-2\n", curl("/jobs", "-d", "sleep 60"))
        program.wait_for(function() return curl("/jobs/job-2") == "TASK_RUNNING\n" end)
        assert.equal("no such job\n", curl("/jobs/job-3"))
    end)
end)

describe("logs.lua", function()
    it("shows what its tasks print", function()
        local run = program.run({ args = { "-q", "examples/logs.lua", "echo 1; sleep 0.1; echo 2", "echo no >&2; exit 3" } })
        assert.equal(0, run.code, run:report())
        program.assert_has(run.stdout, "logs-1: 1\n", "logs-1: 2\n", "logs-2 ended with: no\n",
            "logs-2 is TASK_FAILED: Command exited with status 3\n")
    end)
end)

describe("batch.lua", function()
    local function batch(args, stdin)
        return program.run({ args = { "examples/batch.lua", table.unpack(args) }, stdin = stdin, seconds = 120 })
    end

    -- The rows of the summary by number: { state =, tries =, command = }
    local function summary(run)
        local rows = {}
        for number, state, tries, rest in run.stdout:gmatch("%s*(%d+)  (%a+)%s+(%d+)%s+[%d.]+  ([^\n]*)") do
            rows[tonumber(number)] = { state = state, tries = tonumber(tries), rest = rest }
        end
        return rows
    end

    it("runs 200 commands of which some fail: loses none, runs none twice, and says which", function()
        local folder = program.directory()
        local commands = {}
        for i = 1, 200 do
            commands[i] = ("echo run >> %s/%d; exit %d"):format(folder, i, i % 10 == 7 and 3 or 0)
        end
        local run = batch({ "-r", "0", "-c", "0.01", "-m", "1", "-f", "-" }, table.concat(commands, "\n") .. "\n")
        assert.equal(1, run.code, run:report())
        local rows = summary(run)
        for i = 1, 200 do
            local failed = i % 10 == 7
            assert.equal(failed and "failed" or "finished", rows[i].state, "command " .. i)
            assert.equal(failed, rows[i].rest:find("status 3", 1, true) ~= nil)
            assert.equal("run\n", program.read(folder .. "/" .. i), "command " .. i)
        end
        assert.matches("180 finished, 20 failed of 200", run.stdout)
    end)

    it("retries what fails, up to -r times, and ends with 0 when all have finished at last", function()
        local folder = program.directory()
        local command = ("echo run >> %s/log; [ $(wc -l < %s/log) = 3 ]"):format(folder, folder)
        local run = batch({ "-r", "2", command, "true" })
        assert.equal(0, run.code, run:report())
        assert.equal("run\nrun\nrun\n", program.read(folder .. "/log"))
        assert.same({ 3, 1 }, { summary(run)[1].tries, summary(run)[2].tries })
    end)

    it("runs at most -j at once", function()
        local folder = program.directory()
        local command = ("mkdir %s/here || echo >> %s/twice; sleep 0.1; rmdir %s/here"):format(folder, folder, folder)
        local run = batch({ "-j", "1", "-r", "0", command, command, command })
        assert.equal(0, run.code, run:report())
        assert.is_nil(program.read(folder .. "/twice"))
    end)

    it("takes an update that comes twice once, and runs again what was lost", function()
        local m = master.start()
        local run = program.start({ args = { "--master", m.address, "examples/batch.lua", "-r", "0", "a", "b" } })
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        local tasks = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos
        assert.equal(2, #tasks)
        m:send(m:update(tasks[1], "TASK_LOST", { uuid = false }))
        local finished = m:update(tasks[2], "TASK_FINISHED")
        m:send(finished)
        m:send(finished)
        m:send_offers()
        local again = m:wait_for("ACCEPT", 2).call.accept.operations[1].launch.task_infos
        assert.equal(1, #again)
        assert.equal("a", again[1].command.value)
        assert.not_equal(tasks[1].task_id, again[1].task_id)
        m:send(m:update(tasks[1], "TASK_RUNNING", { uuid = false }))
        assert.equal(tasks[1].task_id, m:wait_for("KILL").call.kill.task_id)
        m:send(m:update(again[1], "TASK_FINISHED"))
        assert.equal(0, run:wait(), run:report())
        assert.same({ 2, 1 }, { summary(run)[1].tries, summary(run)[2].tries })
    end)

    it("puts no more into an offer than it holds", function()
        local m = master.start()
        local run = program.start({ args = { "--master", m.address, "examples/batch.lua", "-c", "2", "a", "b", "c" } })
        m:wait_for("SUBSCRIBE")
        m:send_offers() -- of 4 cpus
        local tasks = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos
        assert.equal(2, #tasks)
        run:kill("sigterm")
        run:wait()
    end)

    for name, case in pairs({
        ["an unknown option"] = { { "-x" }, "unknown option '%-x'" },
        ["no commands"] = { {}, "no commands" },
        ["a bad number"] = { { "-j", "0", "true" }, "%-j wants a whole number from 1, got '0'" },
        ["a missing file"] = { { "-f", "/nowhere/x" }, "/nowhere/x: No such file" },
    }) do
        it("says what is wrong with " .. name, function()
            local run = batch(case[1])
            assert.equal(2, run.code, run:report())
            assert.matches(case[2], run.stderr)
        end)
    end
end)

describe("state.lua", function()
    it("runs its jobs, retries what fails, and knows at the next start that all is done", function()
        local path, log = program.directory() .. "/jobs.state", program.directory() .. "/log"
        local function run(...)
            return program.run({ args = { "--state", path, "examples/state.lua", ... } })
        end
        local first = run("echo one >> " .. log, "echo two >> " .. log .. "; false")
        assert.equal(0, first.code, first:report())
        assert.matches("   1  done    echo one .*   2  failed  echo two .*1 done, 1 failed\n$", first.stdout)
        local second = run("echo three >> " .. log)
        assert.equal(0, second.code, second:report())
        assert.equal(first.stdout, second.stdout)
        local lines = {}
        for line in program.read(log):gmatch("%l+") do
            lines[line] = (lines[line] or 0) + 1
        end
        assert.same({ one = 1, two = 3 }, lines)
    end)

    it("asks for the tasks that it noted, and runs again what the master does not know", function()
        local path = program.directory() .. "/jobs.state"
        local m = master.start()
        local args = { "--master", m.address, "--state", path, "examples/state.lua", "a", "b" }
        local run = program.start({ args = args })
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        local tasks = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos
        run:kill("sigkill")
        run:wait()

        run = program.start({ args = args })
        local asked = m:wait_for("RECONCILE").call.reconcile.tasks
        assert.same({ tasks[1].task_id, tasks[2].task_id }, { asked[1].task_id, asked[2].task_id })
        m:send(m:update(tasks[1], "TASK_RUNNING", { uuid = false }))
        m:send(m:update(tasks[2], "TASK_LOST", { uuid = false }))
        m:send_offers()
        local again = m:wait_for("ACCEPT", 2).call.accept.operations[1].launch.task_infos
        assert.equal(1, #again)
        assert.equal("b", again[1].command.value)
        assert.not_equal(tasks[2].task_id, again[1].task_id)
        m:send(m:update(tasks[1], "TASK_FINISHED"))
        m:send(m:update(again[1], "TASK_FINISHED"))
        assert.equal(0, run:wait(), run:report())
        assert.matches("2 done, 0 failed", run.stdout)
    end)

    it("says what it wants", function()
        local run = program.run({ args = { "examples/state.lua" } })
        assert.equal(2, run.code, run:report())
        assert.matches("^usage: ", run.stdout)
    end)
end)

-- Runs an example against a scripted master, and waits until it has subscribed.
local function against_master(name, ...)
    local m = master.start()
    local run = program.start({ args = { "--master", m.address, "examples/" .. name, ... } })
    m:wait_for("SUBSCRIBE")
    return m, run
end

local function said(run, text)
    run:wait_for(function()
        return run.stdout:find(text, 1, true)
    end)
end

describe("kill.lua", function()
    it("kills a command that takes too long", function()
        local run = program.run({ args = { "examples/kill.lua", "0.1", "sleep 60" } })
        assert.same({ 1, "TASK_KILLED\n" }, { run.code, run.stdout }, run:report())
    end)

    it("lets a command that is quick enough finish", function()
        local run = program.run({ args = { "examples/kill.lua", "30", "true" } })
        assert.same({ 0, "TASK_FINISHED\n" }, { run.code, run.stdout }, run:report())
    end)
end)

describe("explicit_acknowledgements.lua", function()
    it("acknowledges what the journal holds, not before", function()
        local path = program.directory() .. "/journal"
        local m = against_master("explicit_acknowledgements.lua", path)
        m:send(m:update("t1", "TASK_RUNNING"))
        m:send(m:operation_update("op1", "OPERATION_FINISHED"))
        assert.equal("t1", m:wait_for("ACKNOWLEDGE").call.acknowledge.task_id)
        assert.equal("op1", m:wait_for("ACKNOWLEDGE_OPERATION_STATUS").call.acknowledge_operation_status.operation_id)
        assert.equal("task t1 TASK_RUNNING\noperation op1 OPERATION_FINISHED\n", program.read(path))
    end)
end)

describe("reconcile.lua", function()
    it("asks again for what stays silent, and for no more", function()
        local m, run = against_master("reconcile.lua", "t1", "t2")
        m:expect("RECONCILE", {})
        m:expect("RECONCILE_OPERATIONS", {})
        assert.equal(2, #m:wait_for("RECONCILE", 2).call.reconcile.tasks)
        m:send(m:update("t1", "TASK_RUNNING", { uuid = false, reason = "REASON_RECONCILIATION" }))
        m:send(m:operation_update("op", "OPERATION_PENDING", { uuid = false }))
        said(run, "t1\tTASK_RUNNING\nop\tOPERATION_PENDING\n")
        local tasks = m:wait_for("RECONCILE", 3).call.reconcile.tasks
        assert.same({ 1, "t2" }, { #tasks, tasks[1].task_id })
    end)

    it("asks after a new registration, and when an agent is lost", function()
        local m = against_master("reconcile.lua", "t1")
        m:wait_for("RECONCILE", 2)
        m:drop()
        m:wait_for("SUBSCRIBE", 2)
        local asked = m:wait_for("RECONCILE", 3).call.reconcile.tasks
        assert.equal("t1", asked[1].task_id)
        m:send({ type = "FAILURE", failure = { agent_id = "a" } })
        program.wait_for(function()
            local calls = m:calls_of("RECONCILE")
            return #calls > 3 and #calls[#calls].call.reconcile.tasks == 0
        end)
    end)
end)

describe("tasks.lua", function()
    it("keeps so many copies running, and asks for those of a lost agent", function()
        local m, run = against_master("tasks.lua", "2", "sleep 1")
        local offers = m:send_offers({ m:offer(), m:offer({ agent_id = "other" }), m:offer() })
        local tasks = {}
        for i = 1, 2 do
            tasks[i] = m:wait_for("ACCEPT", i).call.accept.operations[1].launch.task_infos[1]
            m:send(m:update(tasks[i], "TASK_RUNNING"))
        end
        assert.same({ offers[3].id }, m:wait_for("DECLINE").call.decline.offer_ids)
        assert.equal("other", tasks[2].agent_id)
        said(run, "TASK_RUNNING 1, TASK_STAGING 1\nTASK_RUNNING 2\n")
        m:send({ type = "FAILURE", failure = { agent_id = "other" } })
        m:expect("RECONCILE", { tasks = { { task_id = tasks[2].task_id, agent_id = "other" } } })
        m:send(m:update(tasks[2], "TASK_LOST", { uuid = false, reason = "REASON_RECONCILIATION" }))
        m:wait_for("REVIVE")
        m:send_offers({ m:offer(), m:offer() })
        m:wait_for("ACCEPT", 3)
        m:wait_for("DECLINE", 2)
        m:drop()
        assert.equal(2, #m:wait_for("RECONCILE", 2).call.reconcile.tasks)
    end)

    it("says what it wants", function()
        local run = program.run({ args = { "examples/tasks.lua" } })
        assert.equal(2, run.code, run:report())
        assert.matches("^usage: ", run.stdout)
    end)
end)

describe("messages.lua", function()
    local function launch(...)
        local m = master.start()
        local run = program.start({ args = { "-m", m.address, "examples/messages.lua", ... }, env = { MESOS_LUA = program.path } })
        m:wait_for("SUBSCRIBE")
        m:send_offers()
        return m, run, m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos[1]
    end

    it("sends its lines to its executor until they are answered, and shuts it down", function()
        local m, run, task = launch("one", "two")
        local agent = m.id .. "-S0"
        assert.matches("^exec '/[^']+' executor '/[^']+/examples/messages_executor.lua'$", task.executor.command.value)
        m:send(m:update(task, "TASK_RUNNING"))
        m:expect("MESSAGE", { agent_id = agent, executor_id = "capitals", data = "one" })
        m:expect("MESSAGE", { agent_id = agent, executor_id = "capitals", data = "two" })
        m:send({ type = "MESSAGE", message = { agent_id = agent, executor_id = "capitals", data = "TWO" } })
        m:expect("MESSAGE", { agent_id = agent, executor_id = "capitals", data = "one" }) -- once more
        for _ = 1, 2 do
            m:send({ type = "MESSAGE", message = { agent_id = agent, executor_id = "capitals", data = "ONE" } })
        end
        m:expect("SHUTDOWN", { agent_id = agent, executor_id = "capitals" })
        m:send({ type = "FAILURE", failure = { agent_id = agent, executor_id = "capitals", status = 0 } })
        assert.equal(0, run:wait(), run:report())
        assert.equal("TWO\nONE\n", run.stdout)
    end)

    it("has them answered by messages_executor.lua on a local cluster", function()
        local run = program.run({ args = { "examples/messages.lua", "a line", "another" }, env = { MESOS_LUA = program.path },
            seconds = 30 })
        assert.equal(0, run.code, run:report())
        local lines = {}
        for line in run.stdout:gmatch("[^\n]+") do
            lines[#lines + 1] = line
        end
        table.sort(lines)
        assert.same({ "A LINE", "ANOTHER" }, lines)
        program.assert_has(run.stderr, "capitals has ended with wait status 0")
    end)

    it("fails when its task does", function()
        local m, run, task = launch("one")
        m:send(m:update(task, "TASK_FAILED"))
        assert.equal(1, run:wait(), run:report())
    end)
end)

describe("roles.lua", function()
    it("does what it is told", function()
        local m = master.start()
        local run = program.start({
            args = { "--master", m.address, "examples/roles.lua", "add web", "want dev", "need 2", "enough web", "drop dev" },
        })
        local subscribe = m:wait_for("SUBSCRIBE").call.subscribe
        assert.same({ { "dev" }, { "dev" } }, { values.plain(subscribe.framework_info.roles),
            values.plain(subscribe.suppressed_roles) })
        m:wait_for("UPDATE_FRAMEWORK", 2)
        assert.same({ "SUBSCRIBE", "UPDATE_FRAMEWORK", "REVIVE", "REQUEST", "SUPPRESS", "UPDATE_FRAMEWORK" },
            m:call_types())
        local last = m:calls_of("UPDATE_FRAMEWORK")[2].call.update_framework
        assert.same({ { "web" }, { "web" } }, { values.plain(last.framework_info.roles), values.plain(last.suppressed_roles) })
        m:send_offers({ m:offer({ allocation_info = { role = "web" } }) })
        said(run, "web\tagent1.test\t4.0\n")
        m:wait_for("DECLINE")
    end)
end)

describe("maintenance.lua", function()
    it("gives an empty agent back, and leaves one in use in time", function()
        local m, run = against_master("maintenance.lua")
        m:send(m:update("t1", "TASK_RUNNING", { agent_id = "busy" }))
        local list = {}
        for i, agent in ipairs({ "idle", "busy" }) do
            list[i] = { id = "i-" .. agent, agent_id = agent, framework_id = m.framework_id,
                unavailability = { start = { nanoseconds = 0 } } }
        end
        m:send({ type = "INVERSE_OFFERS", inverse_offers = { inverse_offers = list } })
        m:expect("ACCEPT_INVERSE_OFFERS", { inverse_offer_ids = { "i-idle" } })
        m:expect("DECLINE_INVERSE_OFFERS", { inverse_offer_ids = { "i-busy" }, filters = { refuse_seconds = 60 } })
        m:expect("KILL", { task_id = "t1", agent_id = "busy" })
        m:send({ type = "RESCIND_INVERSE_OFFER", rescind_inverse_offer = { inverse_offer_id = "i-busy" } })
        run:wait_for("inverse offer i%-busy was taken back")
        local offer = m:send_offers({ m:offer({ unavailability = { start = { nanoseconds = 1 } } }) })[1]
        m:expect("DECLINE", { offer_ids = { offer.id }, filters = { refuse_seconds = 3600 } })
    end)
end)

describe("maintenance.lua on a local cluster", function()
    it("leaves the agent in time, and goes on when it is back", function()
        local run = program.run({ args = { "--listen", "127.0.0.1:0", "examples/maintenance.lua", "drill" } })
        assert.equal(0, run.code, run:report())
        assert.equal("POST /maintenance/schedule\nasked to leave an agent in use\nasked to leave an agent that is idle\n"
            .. "POST /machine/down\nPOST /machine/up\nthe agent is gone\nan agent is there again\n", run.stdout)
    end)
end)

describe("reservations.lua", function()
    it("reserves, creates, launches, destroys and takes its reservation back on a local cluster", function()
        local run = program.run({ args = { "examples/reservations.lua" } })
        assert.equal(0, run.code, run:report())
        local lines = {}
        for id, state in run.stdout:gmatch("(%S+)\t(%u+_%u+)\t[^\n]*\n") do
            lines[#lines + 1] = id .. " " .. state
        end
        local order = table.concat(lines, "\n") .. "\n"
        for _, last in ipairs { "reserve-1 OPERATION_FINISHED", "create-1 OPERATION_FINISHED", "writer-1 TASK_FINISHED" } do
            assert.truthy(order:find(last .. "\n", 1, true), order)
        end
        assert.matches("reader%-1 TASK_FINISHED\ndestroy%-1 OPERATION_FINISHED\nunreserve%-1 OPERATION_FINISHED\n$", order)
    end)

    local function operations()
        local m, run = against_master("reservations.lua")
        local disk = { name = "disk", type = "SCALAR", scalar = 1000, allocation_info = { role = "data" } }
        local offer = m:offer({ allocation_info = { role = "data" } })
        table.insert(offer.resources, disk)
        for _, resource in ipairs(offer.resources) do
            resource.allocation_info = { role = "data" }
        end
        m:send_offers({ offer })
        return m, run, m:wait_for("ACCEPT").call.accept.operations
    end

    it("reserves, creates a volume and launches on it with one call", function()
        local m, run, list = operations()
        assert.same({ "RESERVE", "CREATE", "LAUNCH" }, { list[1].type, list[2].type, list[3].type })
        assert.same({ "reserve-1", "create-1" }, { list[1].id, list[2].id })
        assert.equal("data-1", list[2].create.volumes[1].disk.persistence.id)
        assert.equal("data", list[2].create.volumes[1].reservations[1].role)
        m:send(m:operation_update("reserve-1", "OPERATION_FINISHED"))
        m:send(m:operation_update("create-1", "OPERATION_FINISHED"))
        m:wait_for("ACKNOWLEDGE_OPERATION_STATUS", 2)
        m:send(m:update(list[3].launch.task_infos[1], "TASK_FAILED"))
        assert.equal(1, run:wait(), run:report())
    end)

    it("fails when an operation does", function()
        local m, run = operations()
        m:send(m:operation_update("reserve-1", "OPERATION_ERROR", { message = "no" }))
        assert.equal(1, run:wait(), run:report())
        assert.equal("reserve-1\tOPERATION_ERROR\tno\n", run.stdout)
    end)
end)

describe("collect.lua", function()
    it("waits until offers of one agent hold its task together", function()
        local m, run = against_master("collect.lua", "10", "true")
        local offers = m:send_offers({ m:offer({ agent_id = "a" }), m:offer({ agent_id = "b" }), m:offer({ agent_id = "a" }) })
        m:send({ type = "RESCIND", rescind = { offer_id = offers[3].id } })
        run:wait_for("was taken back, 2 are left")
        local more = m:send_offers({ m:offer({ agent_id = "a" }), m:offer({ agent_id = "a" }) })
        local accept = m:wait_for("ACCEPT").call.accept
        table.sort(accept.offer_ids)
        local wanted = { offers[1].id, more[1].id, more[2].id }
        table.sort(wanted)
        assert.same(wanted, values.plain(accept.offer_ids))
        assert.equal("a", accept.operations[1].launch.task_infos[1].agent_id)
        m:wait_for("SUPPRESS")
        m:send(m:update(accept.operations[1].launch.task_infos[1], "TASK_FINISHED"))
        assert.equal(0, run:wait(), run:report())
    end)
end)

describe("why.lua", function()
    it("places its task where it fits", function()
        local run = program.run({ args = { "--agent", "cpus:1;mem:64 rack=b", "examples/why.lua", "0.1" } })
        assert.equal(0, run.code, run:report())
        assert.matches("why%-1\tTASK_FINISHED", run.stdout)
    end)

    it("says why not where it does not", function()
        local run = program.run({ args = { "--agent", "cpus:1;mem:64 rack=a", "examples/why.lua" } })
        assert.equal(0, run.code, run:report())
        assert.matches("\ncpus is short on 1 offers\nrack is short on 1 offers\n", run.stdout)
        assert.matches("attribute rack: 'b' wanted; 1 earlier offer has 'a'", run.stdout)
    end)
end)

describe("pack.lua", function()
    -- How many tasks each agent got, the largest number first.
    local function spread(run)
        local counts, list = {}, {}
        for agent in run.stdout:gmatch("pack%-%d+\t(%S+)\tport %d+\n") do
            counts[agent] = (counts[agent] or 0) + 1
        end
        for _, count in pairs(counts) do
            list[#list + 1] = count
        end
        table.sort(list, function(a, b)
            return a > b
        end)
        return list
    end

    local function pack(...)
        local run = program.run({ seconds = 20, args = {
            "--agents", "3", "--resources", "cpus:1;mem:200;ports:[31000-31009]", "examples/pack.lua", ...,
        } })
        assert.equal(0, run.code, run:report())
        return run
    end

    it("puts its tasks together, or spreads them", function()
        local run = pack("best_fit")
        assert.same({ 6 }, spread(run))
        assert.matches("left: 2.40 cpus, 504 MB of 3 offers\n", run.stdout)
        assert.same({ 2, 2, 2 }, spread(pack("worst_fit")))
    end)

    it("keeps what does not fit for other offers", function()
        local m, run = against_master("pack.lua", "first_fit", "2")
        local function small()
            return m:offer({ resources = {
                { name = "cpus", type = "SCALAR", scalar = 0.1 }, { name = "mem", type = "SCALAR", scalar = 100 },
                { name = "ports", type = "RANGES", ranges = { range = { { 7, 7 } } } },
            } })
        end
        m:send_offers({ small() })
        local first = m:wait_for("ACCEPT").call.accept.operations[1].launch.task_infos
        m:send_offers({ small(), small() })
        local second = m:wait_for("ACCEPT", 2).call.accept.operations[1].launch.task_infos
        assert.same({ 1, "pack-2", 1, "pack-1" }, { #first, first[1].task_id, #second, second[1].task_id })
        m:wait_for("DECLINE")
        m:send(m:update(first[1], "TASK_FINISHED"))
        m:send(m:update(second[1], "TASK_FINISHED"))
        assert.equal(0, run:wait(), run:report())
    end)

    it("says what it wants", function()
        assert.equal(2, program.run({ args = { "examples/pack.lua", "any_fit" } }).code)
    end)
end)

describe("watch.lua", function()
    it("prints where it is registered, and takes a new subscription now and then", function()
        local m, run = against_master("watch.lua", "0.2")
        said(run, "registered\t" .. m.framework_id .. "\tlocalhost\t1.11.0\n")
        said(run, "disconnected\t" .. m.framework_id)
        said(run, "reregistered\t" .. m.framework_id)
    end)

    it("ends when the master says so", function()
        local m, run = against_master("watch.lua")
        m:send({ type = "ERROR", error = { message = "Framework failed over" } })
        assert.equal(1, run:wait())
        assert.matches("DRIVER_ABORTED: Framework failed over", run.stderr)
    end)
end)

describe("own_driver.lua", function()
    it("runs two drivers, one after the other", function()
        local run = program.run({ args = { "examples/own_driver.lua" } })
        assert.equal(0, run.code, run:report())
        assert.equal("first\ttrue\tDRIVER_ABORTED\nDRIVER_ABORTED\tDRIVER_ABORTED\nsecond\ttrue\tDRIVER_STOPPED\n"
            .. "DRIVER_STOPPED\n", run.stdout)
    end)
end)

describe("health.lua", function()
    after_each(program.cleanup)

    it("replaces a server that becomes unwell", function()
        local run = program.run { args = { "examples/health.lua" }, seconds = 40 }
        assert.equal(0, run.code, run:report())
        for i = 1, 3 do
            assert.matches((("NAME is well\n.-NAME is unwell\n.-unwell\n.-unwell\n.-NAME is TASK_KILLED, since it was unwell\n")
                :gsub("NAME", "server%%-" .. i)), run.stderr)
        end
    end)
end)

describe("pod.lua", function()
    after_each(program.cleanup)

    it("runs two tasks together, and ends them together", function()
        local run = program.run { args = { "examples/pod.lua" } }
        assert.equal(0, run.code, run:report())
        assert.matches("client is TASK_FINISHED\n", run.stderr)
        assert.matches("server is TASK_RUNNING and well\n.-server is TASK_KILLED\n", run.stderr)
        assert.matches("the executor pod has ended with wait status 0\n", run.stderr)
    end)
end)

describe("choose.lua", function()
    it("shows the agents, and what each policy chooses", function()
        local run = program.run { args = { "--agent=cpus:1;mem:64 rack=a", "--agent=cpus:4;mem:512 rack=b", "examples/choose.lua" } }
        assert.equal(0, run.code, run:report())
        program.assert_has(run.stdout, "b\t4.0 cpus\t512.0 MB\na\t1.0 cpus\t64.0 MB\nbest_fit\ta\n", "worst_fit\tb\n")
        run = program.run { args = { "--resources=cpus:1;mem:64", "examples/choose.lua", "5" } }
        program.assert_has(run.stdout, "best_fit\tcpus: 5 needed, most on one offer 1\n")
    end)
end)

describe("process.lua", function()
    it("runs what a program prints, and ends it when it is silent", function()
        local run = program.run { args = { "examples/process.lua", "2", "sh", "-c", "echo true; echo exit 3; sleep 100" },
            seconds = 20 }
        assert.equal(0, run.code, run:report())
        program.assert_has(run.stdout, "true\tTASK_FINISHED\n", "exit 3\tTASK_FAILED\n")
        program.assert_has(run.stderr, "it has ended with signal 15")
    end)

    it("ends with a program that ends", function()
        local run = program.run { args = { "examples/process.lua", "60", "sh", "-c", "echo true; exit 2" } }
        assert.equal(0, run.code, run:report())
        assert.equal("true\tTASK_FINISHED\n", run.stdout)
        program.assert_has(run.stderr, "it has ended with 2\n")
    end)

    it("says what it wants", function()
        local run = program.run { args = { "examples/process.lua" } }
        assert.same({ 2, "usage: mesos-lua process.lua SECONDS PROGRAM [ARG...]\n" }, { run.code, run.stdout })
    end)
end)

describe("exec.lua", function()
    after_each(server.cleanup)

    it("runs what a program prints, and notes how it went", function()
        local peer = server.start(function(connection)
            if connection:read_request() then
                connection:respond(201)
            end
        end)
        local run = program.run({
            args = { "examples/exec.lua", "printf", "true\\nexit 3\\n" }, seconds = 20,
            env = { NOTE_TO = "http://" .. peer.address .. "/results" },
        })
        assert.equal(0, run.code, run:report())
        assert.matches("^2 to do\n", run.stdout)
        assert.matches("exec%-1 is TASK_FINISHED\n", run.stdout)
        assert.matches("exec%-2 is TASK_FAILED\n", run.stdout)
        assert.matches("noted: 201", run.stderr)
        assert.equal("1 failed\n", peer.requests[1].body)
    end)

    it("ends when the program fails", function()
        local run = program.run({ args = { "examples/exec.lua", "no-such-program" } })
        assert.equal(1, run.code, run:report())
        assert.matches("cannot run 'no%-such%-program'", run.stderr)
    end)
end)

describe("chaos.lua", function()
    it("keeps its instances alive through the faults of its plan, which two failovers are among", function()
        local run = program.run({ args = { "--agents", "3", "--masters", "3", "--resources", "cpus:2;mem:512", "--agent-timeout", "0.5",
            "--registration-backoff", "0.2", "--faults", "examples/chaos_faults.lua", "examples/chaos.lua" }, seconds = 60 })
        assert.equal(0, run.code, run:report())
        assert.matches("^6 instances run, %d+ were started, none is lost\n$", run.stdout)
        assert.equal(2, select(2, run.stderr:gsub("the master %S+ fails over", "")))
        assert.matches("is TASK_UNREACHABLE %(REASON_AGENT_REMOVED%): another one starts", run.stderr)
    end)
end)

-- The four first frameworks on the library.
describe("the first frameworks", function()
    it("have at most fifteen lines", function()
        for _, name in ipairs { "run", "dag", "cron", "service" } do
            local lines = 0
            for line in io.lines("examples/" .. name .. ".lua") do
                lines = lines + ((line:find("%S") and not line:find("^%s*%-%-")) and 1 or 0)
            end
            assert.is_true(lines <= 15, ("%s.lua has %d"):format(name, lines))
        end
    end)

    it("run.lua runs commands, and prints how they ended", function()
        local run = program.run { args = { "examples/run.lua", "2", "true", "exit 3", "sleep 0.1; echo slept" } }
        assert.equal(1, run.code, run:report())
        assert.matches("finished\ttrue\tCommand exited with status 0\n", run.stdout)
        assert.matches("failed\texit 3\tCommand exited with status 3\n", run.stdout)
        assert.matches("finished\tsleep 0.1; echo slept\tCommand exited with status 0\nslept\n", run.stdout)
        assert.equal(0, program.run { args = { "examples/run.lua", "2", "true" } }.code)
    end)

    it("dag.lua runs the steps in their order", function()
        local run = program.run { args = { "examples/dag.lua" } }
        assert.equal(0, run.code, run:report())
        assert.equal("fetch\tfinished\nlines\tfinished\nwords\tfinished\nreport\tfinished\n", run.stdout)
    end)

    it("cron.lua runs commands again and again, but not beside themselves", function()
        local run = program.start { args = { "examples/cron.lua", "0.3", "true", "0.3", "sleep 30", "@yearly", "true" } }
        run:wait_for(function()
            return select(2, run.stdout:gsub("entry%-1@%S+\tfinished\n", "")) >= 2
                and run.stderr:find("schedule entry%-2: this time is left out, as entry%-2@%S+ has not ended")
        end)
        run:kill()
        assert.equal(0, run:wait(), run:report())
        assert.is_nil(run.stdout:find("entry-3", 1, true))
    end)

    it("service.lua keeps its instances, and replaces them when it is edited", function()
        local text = program.read("examples/service.lua")
        local path = program.script(text, "service.lua")
        local run = program.start { args = { path } }
        local function ready(times)
            run:wait_for(function() return select(2, run.stdout:gsub("web is ready\n", "")) >= times end)
        end
        ready(1)
        local file <close> = assert(io.open(path, "w"))
        file:write((text:gsub("first version", "second version")))
        file:close()
        ready(2)
        run:kill()
        assert.equal(0, run:wait(), run:report())
    end)
end)

describe("gang.lua", function()
    it("starts its members together, on two agents", function()
        local run = program.run { args = { "--agents=2", "--resources=cpus:2;mem:512", "examples/gang.lua", "3" } }
        assert.equal(0, run.code, run:report())
        local lines = {}
        for line in run.stdout:gmatch("[^\n]+") do
            lines[#lines + 1] = line
        end
        table.sort(lines)
        assert.same({ "1 on one agent", "2 on one agent" }, { lines[1], lines[2] })
    end)

    it("starts none while they do not all fit", function()
        local run = program.start { args = { "--resources=cpus:2;mem:512", "examples/gang.lua", "3" } }
        run:wait_for(function() return run.stdout:find("member 3 of 3: cpus: 1 needed, most on one offer 0", 1, true) end)
        run:kill()
        assert.equal(0, run:wait(), run:report())
        assert.is_nil(run.stdout:find("on one agent", 1, true))
    end)
end)

describe("pack_or_spread.lua", function()
    local function run(...)
        local args = { "--agents=3", "--resources=cpus:4;mem:512", "examples/pack_or_spread.lua", ... }
        local done = program.run { args = args }
        assert.equal(0, done.code, done:report())
        return done.stdout
    end

    it("packs on few agents, or spreads over all", function()
        assert.equal("3 tasks on 1 agents\n", run("pack", "3"))
        assert.equal("3 tasks on 3 agents\n", run("spread", "3"))
    end)
end)

describe("examples/sim", function()
    local function sim(...)
        return program.run { args = { "sim", "--scenario", "examples/sim/scenario.lua", ... }, seconds = 60 }
    end

    -- Runs a policy as a CI would: what must hold is told by the exit status.
    for _, policy in ipairs { "first_fit", "best_fit", "spread" } do
        it(policy .. ".lua runs all jobs, also those of the agent that is lost", function()
            local path = program.directory() .. "/result.json"
            local done = sim("--json", path, "--assert", "jobs.failed == 0", "--assert", "roles.science.wait.p95 < 1h",
                "--assert", "agents.lost == 1", ("examples/sim/%s.lua"):format(policy))
            assert.equal(0, done.code, done:report())
            program.assert_has(done.stdout, "5 of 5 assertions hold\n")
            local result = cjson.decode(program.read(path)).results[1]
            assert.equal("all jobs ended", result.ended)
            assert.equal(result.summary.jobs.submitted, result.summary.jobs.finished)
            assert.is_true(result.summary.roles.science.jobs.finished > 10)
            assert.equal(result.summary.tasks.lost, result.summary.tasks.repeated)
        end)
    end

    it("fails in a CI when something does not hold", function()
        local done = sim("--assert", "roles.science.wait.p95 < 1s", "examples/sim/spread.lua")
        assert.equal(3, done.code, done:report())
        assert.matches("\nfails  roles%.science%.wait%.p95 < 1s[^\n]*: roles%.science%.wait%.p95 is [%d.]+ s\n", done.stdout)
    end)

    it("shows what the head comments say: large jobs wait longer where tasks are spread", function()
        local done = sim("--seeds", "1..2", "--against", "examples/sim/spread.lua",
            "--assert", "difference.roles.science.wait.mean < 0", "examples/sim/best_fit.lua")
        assert.equal(0, done.code, done:report())
        program.assert_has(done.stdout, "2 seeds: means, and half of their 95 % intervals\n")
        assert.matches("best_fit%.lua +spread%.lua +difference", done.stdout)
    end)

    it("sweep.sh has a row for each number of agents", function()
        local folder = program.directory()
        local done = program.run { path = "/bin/sh", args = { lfs.currentdir() .. "/examples/sim/sweep.sh", "1..1" }, cwd = folder,
            env = { MESOS_LUA = program.path, PATH = os.getenv("PATH") }, seconds = 60 }
        assert.matches("^parameters [^\n]*\nagents=12 [^\n]*\nagents=16 [^\n]*\nagents=20 ", done.stdout, done:report())
        local _, lines = program.read(folder .. "/sweep/summary.csv"):gsub("\n", "")
        assert.equal(1 + 3, lines)
    end)
end)
