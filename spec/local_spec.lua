-- SPDX-License-Identifier: Apache-2.0
--
-- The program with the cluster that it brings along: real processes, and how everything ends.

local cjson = require("cjson")
local control = require("support.control")
local program = require("support.program")

-- A framework that runs one command and, unless told otherwise, stops when the command ends.
local function one_task(command, more)
    return program.script(([[
        local mesos = require "mesos"
        local s = { framework = { name = "one" } }
        function s:resourceOffers(driver, offers)
            if self.launched then return driver:declineOffer(offers[1].id) end
            self.launched = true
            driver:launchTasks(offers[1].id, { {
                name = "one", task_id = "one", agent_id = offers[1].agent_id, command = { value = %q },
                resources = mesos.resources { cpus = 0.1, mem = 32 },
            } })
        end
        function s:statusUpdate(driver, status)
            print(status.state, status.message) io.stdout:flush()
            if status.state ~= "TASK_STARTING" and status.state ~= "TASK_RUNNING" then driver:stop() end
        end
        %s
        return s]]):format(command, more or ""))
end

describe("the program and its local cluster", function()
    after_each(program.cleanup)

    it("says in one line what it brings, and runs a command whose output is in the sandbox", function()
        local work_dir = program.directory()
        local run = program.run {
            args = {
                "--work-dir", work_dir, "--agents", "2", "--resources", "cpus:1;mem:64",
                one_task "echo out; echo err >&2; echo $MESOS_SANDBOX; exit 3",
            },
        }
        assert.equal(0, run.code)
        assert.equal("TASK_STARTING\tnil\nTASK_RUNNING\tnil\nTASK_FAILED\tCommand exited with status 3\n", run.stdout)
        assert.matches("brought a local cluster: 2 agents with cpus:1;mem:64;[^\n]*; sandboxes are in " .. work_dir:gsub("%-", "%%-"),
            run.stderr)
        local file <close> = io.popen("find " .. work_dir .. " -name stdout")
        local path = file:read("l")
        local lines = program.read(path)
        assert.equal("out\n" .. path:match("^(.*)/stdout$") .. "\n", lines)
        assert.equal("err\n", program.read((path:gsub("stdout$", "stderr"))))
    end)

    for _, signal in ipairs { "sigint", "sigterm" } do
        it("ends on " .. signal .. " with no process left behind, also if a task ignores SIGTERM", function()
            local pids = program.directory() .. "/pids"
            local run = program.start {
                args = { one_task("trap '' TERM INT; sleep 1000 & echo $$ $! > " .. pids .. "; while :; do sleep 1; done") },
            }
            local text = program.wait_for(function()
                return (program.read(pids) or ""):match("%d+ %d+\n")
            end)
            run:kill(signal)
            assert.equal(0, run:wait())
            for pid in text:gmatch("%d+") do
                program.wait_until_gone(tonumber(pid))
            end
        end)
    end

    it("ends at once on a second signal", function()
        local pids = program.directory() .. "/pid"
        local run = program.start { args = { one_task("trap '' TERM; echo $$ > " .. pids .. "; while :; do sleep 1; done") } }
        local pid = tonumber(program.wait_for(function()
            return (program.read(pids) or ""):match("(%d+)\n")
        end))
        run:kill("sigterm")
        run:wait_for("SIGTERM: stopping")
        run:kill("sigterm")
        assert.equal(128 + 15, run:wait())
        program.wait_until_gone(pid)
    end)

    for _, call in ipairs { "os.exit(7)", "mesos.exit(7)" } do
        it("ends in order when a script calls " .. call, function()
            local pids = program.directory() .. "/pid"
            local run = program.start {
                args = {
                    one_task("echo $$ > " .. pids .. "; exec sleep 1000", [[
                        function s:statusUpdate(_, status)
                            if status.state == "TASK_RUNNING" then
                                pcall(function() ]] .. call .. [[ end)
                                print("not reached")
                            end
                        end]]),
                },
            }
            assert.equal(7, run:wait())
            assert.equal("", run.stdout)
            local pid = tonumber((program.read(pids) or ""):match("%d+"))
            if pid then
                program.wait_until_gone(pid)
            end
        end)
    end

    it("kills a task with its grace period", function()
        local trapped = program.directory() .. "/trapped"
        local run = program.run {
            args = {
                one_task("trap '' TERM; touch " .. trapped .. "; while :; do sleep 0.1; done", [[
                    local show, start = s.statusUpdate, nil
                    local function kill_when_trapped(driver)
                        while not io.open("]] .. trapped .. [[") do mesos.sleep(0.01) end
                        start = mesos.now()
                        driver:killTask("one", { kill_policy = { grace_period = { nanoseconds = 300000000 } } })
                    end
                    function s:statusUpdate(driver, status)
                        if status.state == "TASK_RUNNING" then mesos.spawn(kill_when_trapped, driver) end
                        show(self, driver, status)
                        if status.state == "TASK_KILLED" then print(mesos.now() - start >= 0.29) end
                    end]]),
            },
        }
        assert.equal(0, run.code)
        assert.matches("TASK_KILLED\t[^\n]*Killed\ntrue\n", run.stdout)
    end)

    it("ends with 1 behind a script whose last driver was aborted, unless it says otherwise", function()
        local function ends(rest)
            local run = program.start { args = { program.script([[
                local mesos = require "mesos"
                local function drive(operation)
                    local scheduler = {}
                    function scheduler:registered(driver) driver[operation](driver) end
                    return mesos.SchedulerDriver { scheduler = scheduler, framework = { name = "own" } }:run()
                end
            ]] .. rest) } }
            return run:wait(), run.stderr:match("ended with a driver that was aborted, which is status 1; .- os.exit")
        end
        local status, said = ends [[drive "abort"]]
        assert.equal(1, status)
        assert.is_string(said)
        for rest, expected in pairs {
            [ [[drive "abort" drive "stop"]] ] = 0, [ [[drive "abort" os.exit(0)]] ] = 0, [ [[drive "abort" os.exit(7)]] ] = 7,
            [ [[drive "stop"]] ] = 0,
        } do
            status, said = ends(rest)
            assert.equal(expected, status, rest)
            assert.is_nil(said)
        end
    end)

    it("runs a script that builds its own drivers, one after the other", function()
        local run = program.run {
            args = {
                program.script [[
                    local mesos = require "mesos"
                    for i = 1, 3 do
                        local s = {}
                        function s:registered(driver, id)
                            print(i, id == driver:frameworkId(), pcall(driver.join, driver))
                            if i == 2 then driver:abort() else driver:stop() end
                        end
                        local driver = mesos.SchedulerDriver { scheduler = s, framework = { name = "own" .. i } }
                        print(driver:status(), driver:run(), driver:status(), tostring(driver))
                    end
                    os.exit(5)
                ]],
            },
        }
        assert.equal(5, run.code)
        local stopped = "DRIVER_NOT_STARTED\tDRIVER_STOPPED\tDRIVER_STOPPED\tSchedulerDriver (DRIVER_STOPPED)\n"
        local aborted = stopped:gsub("STOPPED", "ABORTED")
        local plain = run.stdout:gsub("(%d\ttrue)\tfalse\t[^\n]*driver:join%(%) waits for the end[^\n]*", "%1")
        assert.equal("1\ttrue\n" .. stopped .. "2\ttrue\n" .. aborted .. "3\ttrue\n" .. stopped, plain)
    end)

    it("checks a script and contacts no master", function()
        local run = program.run { args = { "check", "--master", "127.0.0.1:1", one_task "true" } }
        assert.equal(0, run.code)
        assert.matches("script.lua: no error found\n", run.stdout)
        assert.equal("", run.stderr)
        run = program.run { args = { "check", program.script "return { framework = { nme = 1 } }" } }
        assert.equal(2, run.code)
        run = program.run {
            args = {
                "check", program.script [[
                    local mesos = require "mesos"
                    os.exit(mesos.SchedulerDriver { scheduler = {} }:run() == mesos.DRIVER_STOPPED)]],
            },
        }
        assert.equal(0, run.code)
    end)

    it("brings a cluster alone, for any client", function()
        local run = program.start { args = { "local", "--agents", "3" } }
        local address = run:wait_for("listening on ([%d.:]+)\n")
        local body = '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"x"}}}'
        local curl = program.start {
            path = "/usr/bin/curl",
            args = {
                "-sN", "-X", "POST", "-H", "Content-Type: application/json", "-H", "Accept: application/json", "--data", body,
                "http://" .. address .. "/api/v1/scheduler",
            },
        }
        curl:wait_for('"type":"SUBSCRIBED"')
        curl:wait_for('"type":"OFFERS"')
        curl:kill()
        curl:wait()
        run:kill()
        assert.equal(0, run:wait())
    end)

    it("tells what runs on a cluster alone, and takes no code", function()
        local cluster = program.start { args = { "local", "--agents", "2" } }
        local address = cluster:wait_for("listening on ([%d.:]+)\n")
        local run = program.start { args = { "-m", address, program.script [[
            local mesos = require "mesos"
            local scheduler = { framework = { name = "told" } }
            function scheduler:resourceOffers(driver, offers)
                driver:launchTasks(offers[1].id, { { name = "t", task_id = "sleeper", agent_id = offers[1].agent_id,
                    command = { value = "sleep 100" }, resources = mesos.resources { cpus = 0.1, mem = 16 } } })
            end
            function scheduler:statusUpdate(driver, status) mesos.log.info("%s", status.state) end
            return scheduler]] } }
        run:wait_for("TASK_RUNNING")
        local text = control.ctl(cluster, { "status" }).stdout
        for _, pattern in ipairs {
            "process +" .. cluster.pid .. "\n", "listening on +" .. address:gsub("%.", "%%.") .. "\n", "agents +2 agents with cpus:",
            "sandboxes +/", "framework +told %(%S+%-0000%), connected\n", "\n  task +sleeper TASK_RUNNING %S+\n",
        } do
            assert.matches(pattern, text)
        end
        local state = cjson.decode(control.ctl(cluster, { "status", "--json" }).stdout)
        assert.equal("sleeper", state.frameworks[1].tasks[1].id)
        for _, words in ipairs { { "eval", "1" }, { "reload" }, { "metrics" } } do
            local done = control.ctl(cluster, words)
            assert.equal(1, done.code)
            assert.matches("no script runs here: this is a cluster alone", done.stderr)
        end
        assert.equal("debug\n", control.ctl(cluster, { "log-level", "debug" }).stdout)
        assert.equal("stopping\n", control.ctl(cluster, { "stop" }).stdout)
        assert.equal(0, cluster:wait())
        assert.is_nil(require("luv").fs_stat(control.path(cluster)))
    end)
end)
