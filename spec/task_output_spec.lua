-- SPDX-License-Identifier: Apache-2.0
--
-- What tasks print: driver:output, mesos.files, and `ctl tasks` and `ctl logs`.

local control = require("support.control")
local program = require("support.program")

local SCRIPT = [[
local mesos = require "mesos"
files = require "mesos.files"
local scheduler = { framework = { name = "prints" } }
commands = {
    { "lines", "for i in 1 2 3; do echo line $i; done; echo wrong >&2" },
    { "bytes", "printf '\\303\\251\\377\\000\\303'" },
    { "large", "i=0; while [ $i -lt 30000 ]; do echo 0123456789; i=$((i + 1)); done" },
    { "with space", "echo spaced > 'a file'; echo out" },
    { "gate", "echo first; while [ ! -e GATE ]; do sleep 0.05; done; echo last" },
}
ended = {}
local launched = false
function scheduler:resourceOffers(driver, offers)
    local offer = offers[1]
    if launched then return driver:declineOffer(offers:ids()) end
    launched = true
    local tasks = {}
    for i, row in ipairs(commands) do
        tasks[i] = { name = "name of " .. row[1], task_id = row[1], agent_id = offer.agent_id, command = { value = row[2] },
            resources = mesos.resources { cpus = 0.1, mem = 32, disk = 1 } }
    end
    local executor = { executor_id = "pods", type = "DEFAULT", framework_id = driver:frameworkId(),
        resources = mesos.resources { cpus = 0.1, mem = 32, disk = 1 } }
    driver:acceptOffers(offer.id, {
        { type = "LAUNCH", launch = { task_infos = tasks } },
        { type = "LAUNCH_GROUP", launch_group = { executor = executor, task_group = { tasks = { { name = "pod",
            task_id = "podded", agent_id = offer.agent_id, command = { value = "echo in a pod" },
            resources = mesos.resources { cpus = 0.1, mem = 32 } } } } } },
    })
end
function scheduler:statusUpdate(driver, status)
    if status.state == "TASK_FINISHED" then ended[status.task_id] = true print("ended " .. status.task_id) end
    if status.state == "TASK_RUNNING" then print("running " .. status.task_id) end
end
return scheduler
]]

describe("driver:output", function()
    local run, folder

    -- The values of an expression, as the console shows them.
    local function values(code)
        local done = control.ctl(run, { "eval", code })
        assert.equal(0, done.code, done:report())
        return done.stdout
    end

    setup(function()
        folder = program.directory()
        run = program.start { args = {
            "-m", "local", "--resources", "cpus:2;mem:1024", "--agent-timeout", "0.5",
            program.script((SCRIPT:gsub("GATE", folder .. "/gate")), "prints.lua"),
        } }
        for _, id in ipairs { "lines", "bytes", "large", "with space", "podded" } do
            run:wait_for("ended " .. id)
        end
        run:wait_for("running gate")
    end)

    teardown(function()
        control.cleanup()
        program.cleanup()
    end)

    it("gives stdout, stderr and other files", function()
        assert.equal('"line 1\\nline 2\\nline 3\\n"\n21\n21\n', values("driver:output('lines')"))
        assert.equal('"wrong\\n"\n6\n6\n', values("driver:output('lines', { file = 'stderr' })"))
        assert.equal('true\n', values("driver:output('bytes') == '\\xc3\\xa9\\xff\\0\\xc3'"))
        assert.equal('"in a pod\\n"\n9\n9\n', values("driver:output('podded')"))
    end)

    it("gives pieces, by offset and length", function()
        assert.equal('"ne 1"\n6\n21\n', values("driver:output('lines', { offset = 2, length = 4 })"))
        assert.equal('"3\\n"\n21\n21\n', values("driver:output('lines', { offset = -2 })"))
        assert.equal('"line"\n4\n21\n', values("driver:output('lines', { offset = -100, length = 4 })"))
        assert.equal('""\n100\n21\n', values("driver:output('lines', { offset = 100 })"))
        assert.equal('true\n330000\n330000\n', values(
            "(function() local text, behind, size = driver:output('large')"
            .. " return text == ('0123456789\\n'):rep(30000), behind, size end)()"))
    end)

    it("says what cannot be had", function()
        program.assert_has(values("driver:output('nothing')"), "nil\n", "no task 'nothing' is known", '"ENOENT"')
        program.assert_has(values("driver:output('lines', { file = 'no' })"), "nil\n", "no of task lines: its agent has answered 404",
            '"ENOENT"')
        program.assert_has(values("driver:output('lines', { file = '../stdout' })"), "'../stdout' is no path inside of a sandbox")
        local rows = {
            { "driver:output(7)", "driver:output: the id of a task expected, got number" },
            { "driver:output('lines', { lenght = 1 })", "driver:output: option 'lenght' is unknown (did you mean 'length'?)" },
            { "driver:output('lines', { length = 0 })", "length: a number of bytes from 1 to 4194304" },
            { "driver:output('lines', { offset = 0.5 })", "offset: a whole number expected, got 0.5" },
            { "files.read(driver, 'lines', { from = 1 })", "unknown option 'from'" },
        }
        for _, row in ipairs(rows) do
            local done = control.ctl(run, { "eval", row[1] })
            assert.equal(1, done.code, done:report())
            program.assert_has(done.stderr, row[2])
        end
    end)

    it("is read whole by mesos.files", function()
        assert.equal("330000\n", values("#files.read(driver, 'large')"))
        assert.equal('nil\n"there are more than 10 bytes"\n"EFBIG"\n"0123456789"\n', values("files.read(driver, 'large', { most = 10 })"))
        assert.equal('"line 3\\n"\n', values("files.read(driver, 'lines', { offset = -7 })"))
    end)

    it("is printed by ctl logs", function()
        assert.equal("line 1\nline 2\nline 3\n", control.ctl(run, { "logs", "lines" }).stdout)
        assert.equal("wrong\n", control.ctl(run, { "logs", "lines", "stderr" }).stdout)
        assert.equal("é\\xff\\x00\\xc3", control.ctl(run, { "logs", "bytes" }).stdout)
        assert.equal(("0123456789\n"):rep(30000), control.ctl(run, { "logs", "large" }).stdout)
        assert.equal("out\n", control.ctl(run, { "logs", "with space" }).stdout)
        assert.equal("spaced\n", control.ctl(run, { "logs", "with space", "a file" }).stdout)
        local shown = control.ctl(run, { "repl" }, { stdin = ":logs large -f\n:logs lines stderr\n:quit\n" }).stdout
        assert.equal(("0123456789\n"):rep(30000) .. "wrong\n", (shown:gsub("> ", "")))
        local done = control.ctl(run, { "logs", "nothing" })
        assert.equal(1, done.code)
        assert.equal("no task 'nothing' is known\n", done.stderr)
        assert.equal(2, control.ctl(run, { "logs" }).code)
        assert.equal(2, control.ctl(run, { "logs", "lines", "-x" }).code)
    end)

    it("is listed by ctl tasks", function()
        local lines = {}
        for line in control.ctl(run, { "tasks" }).stdout:gmatch("[^\n]+") do
            lines[#lines + 1] = line
        end
        assert.equal(7, #lines)
        assert.matches("^TASK +STATE +SINCE +AGENT +NAME$", lines[1])
        local running = control.ctl(run, { "tasks", "running" }).stdout
        assert.matches("\ngate +TASK_RUNNING +%d+%-%d+%-%d+ %d+:%d+:%d+  %S+%-S0 +name of gate\n$", running)
        assert.equal(2, select(2, running:gsub("\n", "")))
        assert.equal(7, select(2, control.ctl(run, { "tasks", "TASK_RUNNING", "Finished" }).stdout:gsub("\n", "")))
        local done = control.ctl(run, { "tasks", "done" })
        assert.equal(1, done.code)
        assert.equal("tasks: 'done' is no state of a task, as running is\n", done.stderr)
    end)

    it("is followed to the end of the task", function()
        local follower = control.start_ctl(run, { "logs", "-f", "gate" })
        values("(function() followed = {} mesos.spawn(function() offset = files.follow(driver, 'gate', function(text)"
            .. " followed[#followed + 1] = text end, { interval = 0.05 }) end) end)()")
        follower:wait_for("first")
        program.wait_for(function() return values("#followed") == "1\n" end)
        assert(io.open(folder .. "/gate", "w")):close()
        assert.equal(0, follower:wait(), follower:report())
        assert.equal("first\nlast\n", follower.stdout)
        program.wait_for(function() return values("offset") == "11\n" end)
        assert.equal('"first\\nlast\\n"\n', values("table.concat(followed)"))
    end)

    it("says that the agent has gone", function()
        assert.equal(0, control.ctl(run, { "fault", "kill", "S0" }).code)
        local shown = program.wait_for(function()
            local shown = values("driver:output('lines')")
            return shown:find("^nil\n") and shown
        end)
        program.assert_has(shown, "stdout of task lines: the master has no agent ", '"ENOTFOUND"')
    end)
end)
