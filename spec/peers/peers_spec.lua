-- SPDX-License-Identifier: Apache-2.0
--
-- Clients that are not ours on the local cluster: a scheduler and a custom executor on mesos-go, with each other and with
-- scripts of ours. Run by `sh spec/run.sh --peers`, as it needs Go.

local client = require("support.cluster_client")
local peers = require("support.peers")
local program = require("support.program")

describe("a scheduler on mesos-go", function()
    before_each(function()
        client.start { "--resources", "cpus:4;mem:1024" }
    end)

    after_each(client.stop)

    it("runs tasks, and is told of each state once", function()
        local scheduler = peers.scheduler(client.address)
        scheduler:hears("subscribed")
        scheduler:tell("launch good true")
        scheduler:hears("update good TASK_STARTING")
        scheduler:hears("update good TASK_RUNNING")
        scheduler:hears("update good TASK_FINISHED")
        scheduler:tell("launch bad exit 3")
        assert.matches("Command exited with status 3", scheduler:hears("update bad TASK_FAILED"))
        local _, count = scheduler.run.stdout:gsub("update good TASK_FINISHED", "")
        assert.equal(1, count)
    end)

    it("kills tasks, and is told about those that it asks for", function()
        local scheduler = peers.scheduler(client.address)
        scheduler:tell("launch long sleep 1000")
        scheduler:hears("update long TASK_RUNNING")
        scheduler:tell("reconcile long")
        assert.matches("REASON_RECONCILIATION", scheduler:hears("update long TASK_RUNNING"))
        scheduler:tell("reconcile")
        assert.matches("REASON_RECONCILIATION", scheduler:hears("update long TASK_RUNNING"))
        scheduler:tell("kill long")
        scheduler:hears("update long TASK_KILLED")
        scheduler:tell("kill nothing")
        scheduler:hears("update nothing TASK_LOST")
    end)

    it("declines, suppresses and revives", function()
        local scheduler = peers.scheduler(client.address)
        scheduler:hears("offers 1")
        scheduler:tell("decline")
        scheduler:hears("offers 1")
        scheduler:tell("suppress")
        scheduler:tell("decline")
        scheduler:tell("revive")
        scheduler:hears("offers 1")
    end)

    it("takes over with the framework id that another process stored", function()
        local first = peers.scheduler(client.address)
        local id = first:hears("subscribed")
        first:tell("launch long sleep 1000")
        first:hears("update long TASK_RUNNING")
        first:tell("exit")
        first.run:wait()
        local second = peers.scheduler(client.address, { id_file = first.id_file })
        assert.equal(id, second:hears("subscribed"))
        second:tell("reconcile")
        second:hears("update long TASK_RUNNING")
        second:tell("kill long")
        second:hears("update long TASK_KILLED")
        local third = peers.scheduler(client.address, { id_file = first.id_file })
        assert.equal(id, third:hears("subscribed"))
        assert.matches("Framework failed over", second:hears("disconnected"))
    end)

    it("ends its framework, with its tasks", function()
        local pid_file = program.directory() .. "/pid"
        local scheduler = peers.scheduler(client.address)
        scheduler:tell("launch long echo $$ > " .. pid_file .. "; exec sleep 1000")
        scheduler:hears("update long TASK_RUNNING")
        local pid = program.wait_for(function()
            return tonumber((program.read(pid_file) or ""):match("^(%d+)\n"))
        end)
        scheduler:tell("teardown")
        scheduler:hears("torn-down")
        program.wait_until_gone(pid)
    end)
end)

-- An executor of ours that does what the one on mesos-go does.
local EXECUTOR = [[
local executor = {}

local function update(driver, id, state, message)
    driver:sendStatusUpdate { task_id = id, state = state, message = message }
end

function executor:launchTask(driver, task)
    update(driver, task.task_id, "TASK_STARTING", "")
    update(driver, task.task_id, "TASK_RUNNING", "in mesos-lua")
end

function executor:killTask(driver, id)
    update(driver, id, "TASK_KILLED", "killed in mesos-lua")
end

function executor:frameworkMessage(driver, data)
    driver:sendFrameworkMessage("echo:" .. data)
    local task, status = data:match("^finish (%w+)$"), data:match("^exit (%d+)$")
    if task then
        update(driver, task, "TASK_FINISHED", "finished in mesos-lua")
    elseif status then
        os.exit(tonumber(status))
    end
end

return executor]]

-- A scheduler of ours with one task on the executor whose command is its argument.
local SCHEDULER = [[
local mesos = require "mesos"
local s = { framework = { name = "ours", user = os.getenv "USER" or "root" } }
local launched
function s:resourceOffers(driver, offers)
    for _, o in ipairs(offers) do
        if launched then driver:declineOffer(o.id) else
            launched = o.agent_id
            driver:launchTasks({ o.id }, { {
                name = "t", task_id = "t", agent_id = o.agent_id, resources = mesos.resources { cpus = 0.1, mem = 16 },
                executor = { type = "CUSTOM", executor_id = "e", framework_id = driver:frameworkId(),
                    command = { value = arg[1] } },
            } })
        end
    end
end
function s:statusUpdate(driver, status)
    print("update", status.state, status.message)
    if status.state == "TASK_RUNNING" then driver:sendFrameworkMessage("e", launched, "hello") end
    if status.state == "TASK_FINISHED" then driver:stop() end
end
function s:frameworkMessage(driver, _, _, data)
    print("message", data)
    if data == "echo:hello" then driver:sendFrameworkMessage("e", launched, "finish t") end
end
return s]]

describe("a scheduler on mesos-go", function()
    before_each(function()
        client.start { "--resources", "cpus:4;mem:1024" }
    end)

    after_each(client.stop)

    local function ours()
        return ("exec %s executor -q %s"):format(program.path, program.script(EXECUTOR, "executor.lua"))
    end

    local function theirs()
        return "exec " .. peers.executor
    end

    for _, row in ipairs { { "mesos-go", theirs }, { "mesos-lua", ours } } do
        it("has custom executors on " .. row[1], function()
            local scheduler = peers.scheduler(client.address)
            scheduler:hears("subscribed")
            scheduler:tell("launch-executor one e " .. row[2]())
            scheduler:hears("update one TASK_STARTING")
            assert.matches("in " .. row[1]:gsub("%-", "%%-"), scheduler:hears("update one TASK_RUNNING"))
            scheduler:tell("message e hello there")
            scheduler:hears("message e echo:hello there")
            scheduler:tell("kill one")
            scheduler:hears("update one TASK_KILLED")
            scheduler:tell("launch-executor two f " .. row[2]())
            scheduler:hears("update two TASK_RUNNING")
            scheduler:tell("message f finish two")
            scheduler:hears("update two TASK_FINISHED")
            scheduler:tell("launch-executor three g " .. row[2]())
            scheduler:hears("update three TASK_RUNNING")
            scheduler:tell("message g exit 7")
            assert.equal("executor-lost g 1792", scheduler:hears("executor-lost g"))
            scheduler:hears("update three TASK_FAILED")
            scheduler:tell("shutdown f")
            scheduler:hears("executor-lost f 0")
        end)
    end
end)

describe("a scheduler of ours", function()
    after_each(client.stop)

    it("has custom executors on mesos-go", function()
        client.start { "--resources", "cpus:4;mem:1024" }
        local run = program.run { args = { "-q", "--master", client.address, program.script(SCHEDULER),
            "exec " .. peers.executor } }
        assert.equal(0, run.code, run:report())
        program.assert_has(run.stdout, "update\tTASK_STARTING", "update\tTASK_RUNNING\tin mesos-go",
            "message\techo:hello", "update\tTASK_FINISHED\tfinished in mesos-go")
    end)
end)
