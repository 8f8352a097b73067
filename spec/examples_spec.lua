-- SPDX-License-Identifier: Apache-2.0
--
-- The examples, run by the real program: on the cluster that it brings along, and against a scripted master for what a
-- cluster that works does not do.

local master = require("support.master")
local program = require("support.program")

after_each(function()
    program.cleanup()
    master.cleanup()
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
        local run = program.run({ args = { "--work-dir", folder, "examples/hello.lua" }, seconds = 20 })
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
            return program.run({ args = { "--state", path, "examples/state.lua", ... }, seconds = 30 })
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
