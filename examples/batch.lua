-- SPDX-License-Identifier: Apache-2.0
--
-- Runs a list of shell commands as tasks, so many at once, retries what fails, and ends with a table of how each
-- ended. The exit status is 0 if all have finished, 1 if not, 2 for a mistake in the arguments.
--
--   mesos-lua examples/batch.lua -j 4 'sleep 1' 'make -C /src' 'exit 3'
--   generate-commands | mesos-lua examples/batch.lua -r 0 -f -
--
-- Every attempt is a task with an id of its own, and only the first final update of a task counts; so an update that
-- comes twice changes nothing, and no command runs again unless an attempt at it has failed or was lost.

local mesos = require "mesos"

local USAGE = [[
usage: mesos-lua batch.lua [-j N] [-r N] [-f FILE] [-c CPUS] [-m MEM] [-q] [COMMAND...]
  -j N      at most N commands at once (default: as many as the offers hold)
  -r N      run a command that fails up to N times more (default: 2)
  -f FILE   read more commands from FILE, one a line, - for standard input; empty lines and those with # are skipped
  -c CPUS   what a command gets (default: 0.1)
  -m MEM    megabytes (default: 32)
  -q        show no progress on the terminal
]]

local MAX_LOSSES = 10 -- of one command; a task that is lost did not fail and does not count against -r

-- ---- arguments ----

local function usage(problem, ...)
    io.stderr:write("batch: ", problem:format(...), "\n", USAGE)
    mesos.exit(2)
end

local function number_of(option, text, least, whole)
    local number = tonumber(text)
    if whole then
        number = math.tointeger(number)
    end
    if not number or number < least then
        usage("%s wants a %snumber from %g, got '%s'", option, whole and "whole " or "", least, text or "nothing")
    end
    return number
end

local function read_commands(path, commands)
    local file, problem = io.stdin, nil
    if path ~= "-" then
        file, problem = io.open(path or "")
    end
    if not file then
        return usage("-f: %s", problem)
    end
    for line in file:lines() do
        if line:find("%S") and not line:find("^%s*#") then
            commands[#commands + 1] = line
        end
    end
    if file ~= io.stdin then
        file:close()
    end
end

local function parse(arguments)
    local options = { at_once = math.huge, retries = 2, cpus = 0.1, mem = 32, progress = true, commands = {} }
    local rows = {
        ["-j"] = function(value) options.at_once = number_of("-j", value, 1, true) end,
        ["-r"] = function(value) options.retries = number_of("-r", value, 0, true) end,
        ["-c"] = function(value) options.cpus = number_of("-c", value, 0.001) end,
        ["-m"] = function(value) options.mem = number_of("-m", value, 1) end,
        ["-f"] = function(value) read_commands(value, options.commands) end,
    }
    local i = 1
    while i <= #arguments do
        local word = arguments[i]
        if rows[word] then
            rows[word](arguments[i + 1])
            i = i + 2
        elseif word == "-q" then
            options.progress = false
            i = i + 1
        elseif word == "--" then
            table.move(arguments, i + 1, #arguments, #options.commands + 1, options.commands)
            break
        elseif word:find("^%-") then
            usage("unknown option '%s'", word)
        else
            options.commands[#options.commands + 1] = word
            i = i + 1
        end
    end
    if #options.commands == 0 then
        usage("no commands")
    end
    return options
end

local options = parse(arg)

-- ---- jobs: waiting -> running -> finished, or failed, or waiting again ----

local jobs, waiting = {}, {}
local attempts = {} -- task id -> { job =, over = }
local running, over = 0, 0
local suppressed = false
local start = mesos.now()

for number, command in ipairs(options.commands) do
    jobs[number] = { number = number, command = command, state = "waiting", tries = 0, losses = 0, seconds = 0 }
    waiting[number] = jobs[number]
end

local function count(state)
    local total = 0
    for _, job in ipairs(jobs) do
        total = total + (job.state == state and 1 or 0)
    end
    return total
end

-- One line, written again and again, on the terminal if there is one; standard output and the log stay clean.
local terminal = options.progress and (os.getenv("TERM") or "dumb") ~= "dumb" and io.open("/dev/tty", "w") or nil

local function show_progress()
    if terminal then
        terminal:write(("\r\27[K%d of %d done, %d running, %d failed"):format(over, #jobs, running, count("failed")))
        terminal:flush()
    end
end

local function clear_progress()
    if terminal then
        terminal:write("\r\27[K")
        terminal:close()
        terminal = nil
    end
end

local function print_summary()
    print(("%4s  %-8s %5s %8s  %s"):format("#", "state", "tries", "seconds", "command"))
    for _, job in ipairs(jobs) do
        local why = job.state ~= "finished" and job.message and ("  (%s)"):format(job.message) or ""
        print(("%4d  %-8s %5d %8.1f  %s%s"):format(job.number, job.state, job.tries, job.seconds, job.command, why))
    end
    print(("%d finished, %d failed of %d in %.1f s"):format(count("finished"), count("failed"), #jobs,
        mesos.now() - start))
end

local function finish()
    clear_progress()
    print_summary()
    mesos.exit(count("finished") == #jobs and 0 or 1)
end

local function task_of(job, offer)
    job.state, job.tries, job.start = "running", job.tries + 1, mesos.now()
    job.task_id = ("batch-%d-%d"):format(job.number, job.tries)
    attempts[job.task_id] = { job = job, over = false }
    running = running + 1
    return {
        name = "batch " .. job.number, task_id = job.task_id, agent_id = offer.agent_id,
        command = { value = job.command },
        resources = mesos.resources { cpus = options.cpus, mem = options.mem },
    }
end

-- The tasks that go into an offer, in the order of the list.
local function fill(offer)
    local tasks, cpus, mem = {}, offer.cpus + 1e-9, offer.mem
    while waiting[1] and running < options.at_once and cpus >= options.cpus and mem >= options.mem do
        tasks[#tasks + 1] = task_of(table.remove(waiting, 1), offer)
        cpus, mem = cpus - options.cpus, mem - options.mem
    end
    return tasks
end

-- ---- the framework ----

local batch = { framework = { name = "batch" } }

-- With nothing to run no offers are wanted; a job that has to run again asks for them.
local function want_offers(driver, wanted)
    if wanted and suppressed then
        driver:reviveOffers()
    elseif not wanted and not suppressed then
        driver:suppressOffers()
    end
    suppressed = not wanted
end

function batch:resourceOffers(driver, offers)
    for _, offer in ipairs(offers) do
        local tasks = fill(offer)
        -- No filter: what is left is wanted again as soon as a job ends.
        driver:launchTasks({ offer.id }, tasks, { refuse_seconds = 0 })
    end
    want_offers(driver, #waiting > 0)
    show_progress()
end

local function settle(job, state)
    job.state = state
    over = over + 1
end

local function run_again(driver, job)
    job.state = "waiting"
    waiting[#waiting + 1] = job
    want_offers(driver, true)
end

local function on_finished(_, job)
    settle(job, "finished")
end

local function on_failed(driver, job)
    if job.tries - job.losses <= options.retries then
        run_again(driver, job)
    else
        settle(job, "failed")
    end
end

local function on_refused(_, job)
    settle(job, "failed") -- the task was invalid, and would be again
end

local function on_lost(driver, job)
    job.losses = job.losses + 1
    if job.losses <= MAX_LOSSES then
        run_again(driver, job)
    else
        settle(job, "failed")
    end
end

local FINAL = {
    TASK_FINISHED = on_finished,
    TASK_FAILED = on_failed,
    TASK_KILLED = on_failed,
    TASK_ERROR = on_refused,
    TASK_LOST = on_lost,
    TASK_DROPPED = on_lost,
    TASK_GONE = on_lost,
    TASK_GONE_BY_OPERATOR = on_lost,
}

function batch:statusUpdate(driver, status)
    local attempt, settled = attempts[status.task_id], FINAL[status.state]
    mesos.log.debug("%s is %s", status.task_id, status.state)
    if not attempt then
        return
    end
    if attempt.over then
        if not settled then
            driver:killTask(status.task_id) -- it was given up as lost, and is back
        end
        return
    end
    if settled then
        local job = attempt.job
        attempt.over = true
        running = running - 1
        job.seconds = mesos.now() - job.start
        job.message = status.message or status.reason or status.state
        settled(driver, job)
    end
    show_progress()
    if over == #jobs then
        finish()
    end
end

-- What became of the tasks while the master could not be heard, or of a launch that never reached it.
local function reconcile(driver)
    local statuses = {}
    for task_id, attempt in pairs(attempts) do
        if not attempt.over then
            statuses[#statuses + 1] = { task_id = task_id, state = "TASK_STAGING" }
        end
    end
    if #statuses > 0 then
        driver:reconcileTasks(statuses)
    end
end

function batch:registered(driver)
    mesos.every(60, function()
        reconcile(driver)
    end)
end

function batch:reregistered(driver)
    reconcile(driver)
end

function batch:error(_, message)
    mesos.log.error("%s", message)
    finish()
end

return batch
