-- SPDX-License-Identifier: Apache-2.0
--
-- Checks and health checks of tasks on the local cluster: what they ask, when, and what updates say of it.

local program = require("support.program")
local server = require("support.server")

-- Runs one task on a local cluster and prints each update: state, reason, healthy, and the result of the check. `check` is
-- the text of further fields of the task, `stop` when the scheduler stops: a condition on `n`, the number of updates, and
-- `status`.
local function run_task(command, check, stop, env)
    return program.run { args = { program.script(([[
local mesos = require "mesos"
local s = { framework = { name = "checks", capabilities = { { type = "TASK_KILLING_STATE" } } } }
local launched, n = false, 0
function s:resourceOffers(driver, offers)
    if launched then return driver:declineOffer(offers:ids()) end
    launched = true
    driver:launchTasks(offers[1].id, { { name = "one", task_id = "one", agent_id = offers[1].agent_id,
        command = { value = %q, environment = { variables = { { name = "A", value = "a" } } } },
        resources = mesos.resources { cpus = 0.1, mem = 64 }, %s } })
end
local ENDS = { TASK_FINISHED = true, TASK_FAILED = true, TASK_KILLED = true, TASK_ERROR = true }
function s:statusUpdate(driver, status)
    local c = status.check_status
    local result = c and (c.command and c.command.exit_code or c.http and c.http.status_code or
        c.tcp and tostring(c.tcp.succeeded))
    n = n + 1
    print(status.state, status.reason, status.healthy, c and c.type, result, status.message)
    if ENDS[status.state] or %s then driver:stop() end
end
return s]]):format(command, check, stop or "false")) }, env = env }
end

-- Of the results that come before the last one is acknowledged only the latest is reported: SLOW is for specs that count.
local FAST, SLOW = "delay_seconds = 0, interval_seconds = 0.1", "delay_seconds = 0, interval_seconds = 0.5"

-- Shell: counts the attempts of a check in the file `n`, and lets the task wait for so many.
local COUNT = "n=$(($(cat n 2>/dev/null || echo 0) + 1)); echo $n > fresh; mv fresh n; "
local function until_attempt(count)
    return ("while test $(cat n 2>/dev/null || echo 0) -lt %d; do sleep 0.05; done"):format(count)
end

local function lines(run)
    assert.equal(0, run.code, run:report())
    local list = {}
    for line in run.stdout:gmatch("[^\n]+") do
        list[#list + 1] = line
    end
    return list
end

describe("a health check", function()
    after_each(function()
        program.cleanup()
        server.cleanup()
    end)

    it("reports the first success, and nothing while that lasts", function()
        local run = run_task(until_attempt(4), ("health_check = { type = 'COMMAND', command = { value = '%stest $A = a' }, %s }")
            :format(COUNT, FAST))
        assert.same({
            "TASK_STARTING\tnil\tnil\tnil\tnil\tnil",
            "TASK_RUNNING\tnil\tnil\tnil\tnil\tnil",
            "TASK_RUNNING\tREASON_TASK_HEALTH_CHECK_STATUS_UPDATED\ttrue\tnil\tnil\tnil",
            "TASK_FINISHED\tnil\tnil\tnil\tnil\tCommand exited with status 0",
        }, lines(run))
    end)

    it("reports each failure behind the grace period, and ends the task after so many in a row", function()
        local run = run_task("sleep 600", "health_check = { type = 'COMMAND', command = { value = 'exit 3' }, " ..
            "grace_period_seconds = 0, consecutive_failures = 3, " .. SLOW .. " }")
        assert.same({
            "TASK_STARTING\tnil\tnil\tnil\tnil\tnil",
            "TASK_RUNNING\tnil\tnil\tnil\tnil\tnil",
            "TASK_RUNNING\tREASON_TASK_HEALTH_CHECK_STATUS_UPDATED\tfalse\tnil\tnil\tnil",
            "TASK_RUNNING\tREASON_TASK_HEALTH_CHECK_STATUS_UPDATED\tfalse\tnil\tnil\tnil",
            "TASK_RUNNING\tREASON_TASK_HEALTH_CHECK_STATUS_UPDATED\tfalse\tnil\tnil\tnil",
            "TASK_KILLING\tnil\tfalse\tnil\tnil\tnil",
            "TASK_KILLED\tnil\tfalse\tnil\tnil\tCommand terminated with signal Terminated",
        }, lines(run))
    end)

    it("does not count failures in the grace period, but those behind a success", function()
        -- It is healthy at the third attempt only.
        local run = run_task("sleep 600", ("health_check = { type = 'COMMAND', command = { value = '%stest $n = 3' }, "
            .. "grace_period_seconds = 60, consecutive_failures = 2, %s }"):format(COUNT, SLOW))
        local list = lines(run)
        assert.equal(7, #list, run:report())
        for i, healthy in ipairs { "true", "false", "false" } do
            assert.equal("TASK_RUNNING\tREASON_TASK_HEALTH_CHECK_STATUS_UPDATED\t" .. healthy .. "\tnil\tnil\tnil", list[i + 2])
        end
        assert.matches("^TASK_KILLED\tnil\tfalse", list[7])
    end)

    it("is a failure if its command takes too long, or a signal ends it", function()
        for _, command in ipairs { "sleep 600", "kill -9 $$" } do
            local run = run_task("sleep 600", ("health_check = { type = 'COMMAND', command = { value = '%s' }, timeout_seconds = 0.2, "
                .. "grace_period_seconds = 0, consecutive_failures = 1, %s }"):format(command, FAST))
            assert.matches("^TASK_KILLED", lines(run)[5])
        end
    end)

    it("begins after its delay, 15 s if it does not say", function()
        local run = run_task("sleep 1", "health_check = { type = 'COMMAND', command = { value = 'exit 1' }, grace_period_seconds = 0 }")
        assert.equal(3, #lines(run))
    end)

    it("asks a server for its status, and follows where that leads", function()
        for status, good in pairs { [200] = "true", [399] = "true", [400] = "false", [500] = "false", [302] = "true" } do
            local web = server.start(function(connection)
                for request in function() return connection:read_request() end do
                    local moved = request.path == "/health" and status == 302
                    connection:respond(moved and 302 or status == 302 and 204 or status, "", moved and { Location = "/moved" } or {})
                end
            end)
            local port = web.address:match(":(%d+)$")
            local run = run_task("sleep 600", ("health_check = { type = 'HTTP', http = { port = %s, path = '/health' }, "
                .. "grace_period_seconds = 0, %s }"):format(port, FAST), "n == 3")
            assert.equal("TASK_RUNNING\tREASON_TASK_HEALTH_CHECK_STATUS_UPDATED\t" .. good .. "\tnil\tnil\tnil", lines(run)[3], status)
            web:stop()
        end
    end)

    it("connects to a port", function()
        local unused = server.unused_address():match(":(%d+)$")
        local web = server.start(function() end)
        for port, good in pairs { [unused] = "false", [web.address:match(":(%d+)$")] = "true" } do
            local run = run_task("sleep 600", ("health_check = { type = 'TCP', tcp = { port = %s }, grace_period_seconds = 0, %s }")
                :format(port, FAST), "n == 3")
            assert.equal("TASK_RUNNING\tREASON_TASK_HEALTH_CHECK_STATUS_UPDATED\t" .. good .. "\tnil\tnil\tnil", lines(run)[3])
        end
        web:stop()
    end)
end)

describe("a check", function()
    after_each(function()
        program.cleanup()
        server.cleanup()
    end)

    it("is in each update, empty at first, and reports its result when that changes", function()
        local run = run_task(until_attempt(6), ("check = { type = 'COMMAND', command = { command = { value = "
            .. "'%stest $n -le 2 && exit 3; test $n -le 4 && exit 0; sleep 600' } }, timeout_seconds = 3, %s }"):format(COUNT, FAST))
        local list = lines(run)
        assert.same({
            "TASK_STARTING\tnil\tnil\tCOMMAND\tnil\tnil",
            "TASK_RUNNING\tnil\tnil\tCOMMAND\tnil\tnil",
            "TASK_RUNNING\tREASON_TASK_CHECK_STATUS_UPDATED\tnil\tCOMMAND\t3\tnil",
            "TASK_RUNNING\tREASON_TASK_CHECK_STATUS_UPDATED\tnil\tCOMMAND\t0\tnil",
            "TASK_RUNNING\tREASON_TASK_CHECK_STATUS_UPDATED\tnil\tCOMMAND\tnil\tnil",
        }, { table.unpack(list, 1, 5) }, run:report())
        assert.matches("^TASK_FINISHED\tnil\tnil\tCOMMAND", list[6])
    end)

    it("asks a server, and connects", function()
        local web = server.start(function(connection)
            while connection:read_request() do connection:respond(418, "") end
        end)
        local port = web.address:match(":(%d+)$")
        local run = run_task("sleep 600", ("check = { type = 'HTTP', http = { port = %s }, %s }"):format(port, FAST), "n == 3")
        assert.equal("TASK_RUNNING\tREASON_TASK_CHECK_STATUS_UPDATED\tnil\tHTTP\t418\tnil", lines(run)[3])
        run = run_task("sleep 600", ("check = { type = 'TCP', tcp = { port = %s }, %s }"):format(port, FAST), "n == 3")
        assert.equal("TASK_RUNNING\tREASON_TASK_CHECK_STATUS_UPDATED\tnil\tTCP\ttrue\tnil", lines(run)[3])
        web:stop()
    end)

    it("goes on beside a health check, and both are in its updates", function()
        local told = program.directory() .. "/told" -- of its health, which the check waits for
        local run = run_task("sleep 600", ("check = { type = 'COMMAND', command = { command = { "
            .. "value = 'while ! test -e %s; do sleep 0.05; done; exit 7' } }, delay_seconds = 0 }, "
            .. "health_check = { type = 'COMMAND', command = { value = 'true' }, %s }"):format(told, FAST),
            ("n == 3 and not io.open(%q, 'w'):close() or n == 4"):format(told))
        local list = lines(run)
        assert.equal("TASK_RUNNING\tREASON_TASK_HEALTH_CHECK_STATUS_UPDATED\ttrue\tCOMMAND\tnil\tnil", list[3])
        assert.equal("TASK_RUNNING\tREASON_TASK_CHECK_STATUS_UPDATED\ttrue\tCOMMAND\t7\tnil", list[4])
    end)

    it("leaves no process when the task ends while it runs", function()
        local pids = program.directory() .. "/pids"
        local run = run_task("while ! test -s " .. pids .. "; do sleep 0.05; done", ("check = { type = 'COMMAND', "
            .. "command = { command = { value = 'sleep 600 & echo $$ $! > %s; wait' } }, %s }"):format(pids, FAST))
        assert.matches("^TASK_FINISHED", lines(run)[3])
        for pid in program.read(pids):gmatch("%d+") do
            program.wait_until_gone(math.tointeger(tonumber(pid)))
        end
    end)
end)
