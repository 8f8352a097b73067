-- SPDX-License-Identifier: Apache-2.0
--
-- Tasks of the local cluster that use more memory than they asked for, and 32 MB more, which their executor has.

local program = require("support.program")

-- Runs one task that asks for `mem` megabytes on a local cluster; each update is printed. `more` is the rest of the script.
local function run_task(mem, command, more)
    return program.run { args = { program.script(([[
local mesos = require "mesos"
local s = { framework = { name = "memory" } }
local launched
function s:resourceOffers(driver, offers)
    if launched then return driver:declineOffer(offers:ids()) end
    launched = true
    driver:launchTasks(offers[1].id, { { name = "one", task_id = "one", agent_id = offers[1].agent_id,
        command = { value = %q }, resources = mesos.resources { cpus = 0.1, mem = %s } } })
end
local ENDS = { TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true }
function s:statusUpdate(driver, status)
    local limitation = status.limitation and status.limitation.resources[1]
    print(status.state, status.source, status.reason, status.message, limitation and limitation.name, limitation and limitation.scalar)
    if ENDS[status.state] then driver:stop() end
end
%s
return s]]):format(command, mem, more or "")) } }
end

-- A process that holds so many megabytes.
local function holder(megabytes)
    return ("perl -e '$x = chr(1); $x x= %d * 1048576; sleep 600'"):format(megabytes)
end

describe("memory of tasks", function()
    after_each(program.cleanup)

    it("is limited to what they asked for: the agent ends them, with all that they started", function()
        local pids = program.directory() .. "/pids"
        local run = run_task(32, ("{ until test -s %s; do sleep 0.05; done; exec %s; } & a=$!; sleep 601 & echo $$ $a $! > %s; wait")
            :format(pids, holder(200), pids))
        assert.equal(0, run.code, run:report())
        local used, amount = run.stdout:match("^TASK_STARTING[^\n]*\nTASK_RUNNING[^\n]*\nTASK_FAILED\tSOURCE_AGENT\t"
            .. "REASON_CONTAINER_LIMITATION_MEMORY\tMemory limit exceeded: Requested: 64MB Maximum Used: (%d+[KM]?B)\tmem\t(%S+)\n$")
        assert.is_string(used, run:report())
        assert.is_true(tonumber(amount) > 32)
        local count = 0
        for pid in program.read(pids):gmatch("%d+") do
            program.wait_until_gone(math.tointeger(tonumber(pid)))
            count = count + 1
        end
        assert.equal(3, count)
    end)

    it("is that of all their processes together", function()
        local run = run_task(64, ("%s & %s & %s & wait"):format(holder(30), holder(30), holder(60)))
        assert.matches("TASK_FAILED\tSOURCE_AGENT\tREASON_CONTAINER_LIMITATION_MEMORY\tMemory limit exceeded: Requested: 96MB", run.stdout)
    end)

    it("counts once what processes share after a fork, and does not count files", function()
        local shared = "perl -e '$x = chr(1); $x x= 30 * 1048576; fork for 1 .. 3; sleep 4'; cat /usr/bin/perl > /dev/null"
        local run = run_task(128, shared)
        assert.matches("TASK_FINISHED\tSOURCE_EXECUTOR\tnil\tCommand exited with status 0", run.stdout, 1, false)
    end)

    it("makes no failure of a task that is killed", function()
        local run = run_task(32, holder(200), [[
function s:registered(driver) end
local update = s.statusUpdate
function s:statusUpdate(driver, status)
    update(self, driver, status)
    if status.state == "TASK_RUNNING" then driver:killTask(status.task_id) end
end]])
        assert.matches("TASK_KILLED\tSOURCE_EXECUTOR", run.stdout)
        assert.is_nil(run.stdout:find("TASK_FAILED"))
    end)

    it("is told when the cluster starts", function()
        local run = program.run { args = { program.script [[require("mesos").after(0.1, os.exit) return {}]] } }
        assert.matches("brought a local cluster: [^\n]*; tasks are held to their memory, not to their cpus; sandboxes are in /", run.stderr)
    end)
end)
