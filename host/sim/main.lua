-- SPDX-License-Identifier: Apache-2.0
--
-- `mesos-lua sim`: runs what was asked for, one run in this process and several in processes of their own, and writes
-- from the results. It returns a function that is given the options (cli/sim_command.c) and returns the exit status.

local assertions = require "sim.assertions"
local children = require "sim.children"
local comparison = require "sim.comparison"
local core = require "sim.core"
local files = require "sim.files"
local jobs_file = require "sim.jobs_file"
local json = require "mesos.json"
local output = require "sim.output"
local report = require "sim.report"
local requests = require "sim.requests"
local run = require "sim.run"
local system = require "sim.system"
local terminal = require "sim.terminal"

local GOOD <const>, FAILED <const>, WRONG <const>, BROKEN <const> = 0, 1, 2, 3 -- exit statuses
local OUTPUT_MOST <const> = 1 << 30 -- bytes of the result of a run

local function say(text)
    io.stderr:write("mesos-lua: sim: ", text, "\n")
end

-- ---- one run of several, in a process of its own ----

-- Its request is on the standard input, and its result goes to the standard output.
local function run_one()
    local request = assert(json.decode(io.read("a")))
    core.write(output.result_text(run.run(request)))
    return GOOD
end

-- ---- runs ----

local function meter()
    local shown = terminal.meter(io.stderr, terminal.options(core.on_terminal(2)))
    local began = core.seconds()
    return {
        clear = function() shown:clear() end,
        elapsed = function() return core.seconds() - began end,
        show = function(state)
            state.elapsed = core.seconds() - began
            shown:show(state)
        end,
    }
end

local function run_here(request, world, progress)
    local result = run.run(request, world, function(state)
        state.jobs = state.submitted
        progress.show(state)
        return core.interrupted()
    end)
    request.answered = true
    return { result }, false
end

-- What a process has answered, or raises why it did not.
local function read_answer(request, answer)
    if answer.output then
        return output.read_json(answer.output)
    end
    local log = (answer.log or ""):gsub("%s+$", "")
    error(("%s, seed %d: %s"):format(request.script, request.seed,
        log ~= "" and log:gsub("^mesos%-lua: sim: ", "") or answer.error), 0)
end

local function run_children(list, options, progress)
    local words = {}
    for i, request in ipairs(list) do
        local arguments = { "sim", "--one-run" }
        if options.log_level then
            table.move({ "--log-level", options.log_level }, 1, 2, 3, arguments)
        end
        arguments[#arguments + 1] = "--"
        arguments[#arguments + 1] = request.script
        words[i] = { arguments = arguments, input = json.encode(request) }
    end
    local answers, stopped = children.run(words, {
        jobs = options.jobs or system.processors(), limit = OUTPUT_MOST,
        progress = function(state)
            progress.show { runs = state.count, runs_ended = state.ended }
            return core.interrupted()
        end,
    })
    local results = {}
    for i, request in ipairs(list) do
        if not answers[i].missing and not (stopped and answers[i].error) then
            results[#results + 1] = read_answer(request, answers[i])
            request.answered = true
            io.stderr:write(options.show_log and answers[i].log or "")
        end
    end
    return results, stopped
end

-- ---- what comes of them ----

local function of_script(results, script)
    local list = {}
    for _, result in ipairs(results) do
        if result.script == script then
            list[#list + 1] = result
        end
    end
    return list
end

local function make_document(results, parsed, options)
    local mine = of_script(results, options.script)
    local compared = options.against and comparison.of(mine, of_script(results, options.against)) or nil
    local verdicts, hold
    if #parsed > 0 then
        verdicts, hold = assertions.check(parsed, mine, compared)
    end
    return output.document {
        results = results, comparison = compared, assertions = verdicts, timing = options.timing,
        program = "mesos-lua " .. core.version, command = requests.command(options), scenario = options.scenario,
        workload = options.workload,
    }, hold ~= false
end

local function write_files(document, jobs, options)
    if options.json then
        output.write_json(options.json, document)
    end
    if options.csv then
        output.write_csv(options.csv, document)
        jobs:write(core.jobs_columns)
    end
    if options.report then
        output.write_text(options.report, report.html(document))
    end
end

local function show(document, options)
    local to_stdout = options.json ~= "-" and options.report ~= "-"
    local text = terminal.table(document, { json = options.json, csv = options.csv, report = options.report },
        terminal.options(core.on_terminal(to_stdout and 1 or 2)))
    if to_stdout then
        core.write(text)
    else
        io.stderr:write(text)
    end
end

-- One line of how fast it was.
local function tell_speed(results, progress)
    local events, virtual = 0, 0
    for _, result in ipairs(results) do
        events = events + (result.summary.events or 0)
        virtual = virtual + (result.summary.duration or 0)
    end
    local seconds = progress.elapsed()
    io.stderr:write(("%d run%s, %.0f s of virtual time in %.2f s, %d events (%.0f a second)\n"):format(#results,
        #results == 1 and "" or "s", virtual, seconds, events, events / math.max(seconds, 1e-6)))
end

local function is_whole(results)
    for _, result in ipairs(results) do
        if result.partial or result.problem then
            return false
        end
    end
    return true
end

-- ---- all of it ----

-- The scenario's own assertions, and those of the command line.
local function all_asserts(world, options)
    local texts = table.move(world.asserts or {}, 1, #(world.asserts or {}), 1, {})
    return table.move(options.asserts, 1, #options.asserts, #texts + 1, texts)
end

local function check_script(path)
    local kind, message = system.kind(path)
    if kind ~= "file" and kind ~= "other" then
        error(("cannot open script '%s': %s"):format(path, message or "it is a folder"), 0)
    end
end

local function main(options)
    files.stdout = { write = function(self, ...)
        for i = 1, select("#", ...) do
            core.write((select(i, ...)))
        end
        return self
    end }
    if options.one_run then
        return run_one()
    end
    local list = requests.of(options)
    check_script(options.script)
    check_script(options.against or options.script)
    assertions.parse_all(options.asserts, options.against ~= nil) -- a typing error is told at once
    output.check { json = options.json, csv = options.csv, report = options.report }
    local world = run.load(list[1])
    local parsed = assertions.parse_all(all_asserts(world, options), options.against ~= nil)
    local jobs <close> = options.csv and jobs_file.open(options.csv, list) or nil
    local progress = meter()
    local good, results, stopped = pcall(#list == 1 and run_here or run_children, #list == 1 and list[1] or list,
        #list == 1 and world or options, progress)
    progress.clear()
    if not good then
        error(results, 0)
    end
    local document, hold = make_document(results, parsed, options)
    write_files(document, jobs, options)
    show(document, options)
    tell_speed(results, progress)
    if not hold then
        return BROKEN
    end
    return is_whole(of_script(results, options.script)) and not stopped and GOOD or FAILED
end

-- What is wrong with the options, the scenario or the script comes as a text; anything else is a fault of this program.
return function(options)
    local good, status = xpcall(main, function(fault)
        return type(fault) == "string" and { text = fault, trace = debug.traceback(fault, 2) } or fault
    end, options)
    if good then
        return status
    end
    say(type(status) == "table" and status.text or tostring(status))
    return WRONG
end
