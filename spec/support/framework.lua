-- SPDX-License-Identifier: Apache-2.0
--
-- A framework for a spec: a script behind a few helpers, run by the real program, and the scripted master that it
-- talks to.
--
--   local framework = require("support.framework")
--   after_each(framework.cleanup)
--   local m, run = framework.subscribed [[ function scheduler:registered(driver, id) say("registered", id) end ]]
--   framework.said(run, "registered\t" .. m.framework_id)

local master = require("support.master")
local program = require("support.program")

local M = {}

local HEAD = [[
local mesos = require "mesos"
local scheduler = { framework = { name = "test", failover_timeout = 60 } }
local function say(...) print(...) io.stdout:flush() end
local function task(id, offer, fields)
    local info = { name = id, task_id = id, agent_id = offer.agent_id, command = { value = "true" },
        resources = mesos.resources "cpus:1;mem:32" }
    for name, value in pairs(fields or {}) do info[name] = value end
    return info
end
]]

-- Callbacks that print what they were called with, for scripts that only watch.
M.WATCH = [[
function scheduler:registered(_, id) say("registered", id) end
function scheduler:reregistered() say("reregistered") end
function scheduler:disconnected(driver) say("disconnected", #driver:offers()) end
function scheduler:resourceOffers(_, offers) for _, offer in ipairs(offers) do say("offer", offer.id) end end
function scheduler:offerRescinded(_, id) say("rescinded", id) end
function scheduler:statusUpdate(_, status) say("update", status.task_id, status.state, status.reason) end
function scheduler:frameworkMessage(_, executor, agent, data) say("message", executor, agent, data) end
function scheduler:slaveLost(_, agent) say("slaveLost", agent) end
function scheduler:executorLost(_, executor, agent, status) say("executorLost", executor, agent, status) end
function scheduler:error(driver, message) say("error", message, driver:status()) end
function scheduler:operationStatusUpdate(_, status) say("operation", status.operation_id, status.state) end
]]

-- Starts the framework; options are those of master.start(), `master` (one that runs already), `args` of the program
-- and `address` in place of the master's.
function M.start(body, options)
    options = options or {}
    local m = options.master or master.start(options)
    local args = { "--master", options.address or m.address, "-v" }
    table.move(options.args or {}, 1, #(options.args or {}), #args + 1, args)
    args[#args + 1] = program.script(HEAD .. body .. "\nreturn scheduler")
    return m, program.start({ args = args })
end

-- The same, and waits until it has subscribed.
function M.subscribed(body, options)
    local m, run = M.start(body, options)
    m:wait_for("SUBSCRIBE")
    return m, run
end

-- Waits for that text in the script's output, as it is written.
function M.said(run, text, seconds)
    run:wait_for(function()
        return run.stdout:find(text, 1, true)
    end, seconds)
end

-- Waits for a text in the log.
function M.logged(run, text, seconds)
    run:wait_for(function()
        return run.stderr:find(text, 1, true)
    end, seconds)
end

function M.cleanup()
    program.cleanup()
    master.cleanup()
end

return M
