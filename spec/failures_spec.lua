-- SPDX-License-Identifier: Apache-2.0
--
-- Failures are in the log whatever the script does with them: those of tasks with their messages and reasons, and the
-- error that aborted the driver.

local framework = require("support.framework")

local said, logged = framework.said, framework.logged

local function count(text, pattern)
    return select(2, text:gsub(pattern, ""))
end

describe("the log", function()
    after_each(framework.cleanup)

    it("has the message and the reason of each task that failed, as a warning", function()
        local m, run = framework.subscribed([[ function scheduler:statusUpdate(_, status) say(status.task_id) end ]])
        for _, row in ipairs({
            { "TASK_FAILED", { message = "Command exited with status 1", reason = "REASON_COMMAND_EXECUTOR_FAILED" },
                ": Command exited with status 1 (REASON_COMMAND_EXECUTOR_FAILED)" },
            { "TASK_ERROR", { uuid = false, message = "no" }, ": no" },
            { "TASK_LOST", { reason = "REASON_AGENT_REMOVED" }, " (REASON_AGENT_REMOVED)" },
            { "TASK_DROPPED", { reason = 777, message = "m" }, ": m (reason 777)" }, { "TASK_GONE", {}, "" },
        }) do
            m:send(m:update("t " .. row[1], row[1], row[2]))
            logged(run, ("warning task 't %s' is %s%s\n"):format(row[1], row[1], row[3]))
        end
        for _, state in ipairs({ "TASK_KILLED", "TASK_FINISHED", "TASK_UNREACHABLE", "TASK_RUNNING", 99 }) do
            m:send(m:update("last " .. state, state, { message = "fine" }))
        end
        said(run, "last 99")
        assert.equal(5, count(run.stderr, "warning +task"))
    end)

    it("has each failure once, however often the update comes", function()
        local m, run = framework.subscribed([[
            function scheduler:statusUpdate(_, status) say(status.task_id, status.state) end
        ]])
        local update = m:update("a", "TASK_LOST", { message = "gone" })
        m:send(update)
        m:send(update)
        m:send(m:update("a", "TASK_LOST", { uuid = false, reason = "REASON_RECONCILIATION" }))
        m:send(m:update("b", "TASK_FAILED"))
        said(run, "b\tTASK_FAILED")
        assert.equal(1, count(run.stderr, "task 'a' is TASK_LOST"))
        m:send(m:update("b", "TASK_FAILED", { uuid = false }))
        m:send(m:update("c", "TASK_RUNNING"))
        said(run, "c\tTASK_RUNNING")
        assert.equal(1, count(run.stderr, "task 'b' is TASK_FAILED"))
    end)

    it("has not more of them a second than can be read, and says how many more there were", function()
        local m, run = framework.subscribed([[ function scheduler:statusUpdate(_, status) say(status.task_id) end ]])
        local updates = {}
        for i = 1, 322 do
            updates[i] = m:update("t" .. i, "TASK_FAILED", { message = ("x"):rep(5000) })
        end
        for _, update in ipairs(updates) do
            m:send(update)
        end
        said(run, "t322\n")
        local lines, more = 0, 0
        run:wait_for(function()
            lines, more = count(run.stderr, "warning +task 't%d+' is TASK_FAILED: x+\n"), 0
            for number in run.stderr:gmatch("(%d+) more tasks failed or were lost within that second") do
                more = more + tonumber(number)
            end
            return lines + more == 322
        end)
        assert.is_true(lines >= 10 and lines < 100) -- ten for each second that it takes, and fewer for the last one
        assert.is_nil(run.stderr:find(("x"):rep(1025), 1, true))
        m:send(m:update("later", "TASK_FAILED"))
        logged(run, "task 'later' is TASK_FAILED\n")
    end)

    it("has the error that aborted the driver, with and without a callback for it", function()
        for _, body in ipairs({ "", "function scheduler:error() end", "function scheduler:error() error 'no' end" }) do
            local m, run = framework.subscribed(body)
            m:send({ type = "ERROR", error = { message = "Framework failed over" } })
            assert.equal(1, run:wait())
            assert.equal(1, count(run.stderr, "error +Framework failed over\n"))
        end
    end)
end)
