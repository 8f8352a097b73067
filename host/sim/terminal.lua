-- SPDX-License-Identifier: Apache-2.0
--
-- What a simulation shows on a terminal: a line of progress that overwrites itself, and at the end a table, small
-- curves, the verdicts of the assertions, why jobs wait, and where the files are. Nothing is wider than the terminal.
-- Colours are for terminals without NO_COLOR, curves of blocks for locales of UTF-8; elsewhere there are none, or they
-- are made of ASCII. Text from scripts and workloads is shown without what would move the cursor.

local comparisons = require "sim.comparison"
local failed = require "sim.failures"
local numbers = require "sim.numbers"
local tables = require "sim.tables"
local text = require "sim.text"

local M = {}

local WIDTH_USUAL, WIDTH_MOST, WIDTH_LEAST = 80, 160, 20

---@class sim.TerminalOptions
---@field tty boolean? it is a terminal
---@field width integer? columns; 80
---@field utf8 boolean? the terminal shows UTF-8
---@field color boolean?

-- How a stream is to be written to, which is a terminal of so many columns, or is none.
---@param tty boolean
---@param columns integer? of a terminal
---@return sim.TerminalOptions
function M.options(tty, columns)
    local function variable(name)
        local value = os.getenv(name)
        return value ~= "" and value or nil
    end
    local locale = variable("LC_ALL") or variable("LC_CTYPE") or variable("LANG") or ""
    return {
        tty = tty, color = tty and not variable("NO_COLOR") and variable("TERM") ~= "dumb",
        utf8 = locale:lower():find("utf%-?8") ~= nil,
        width = math.max(WIDTH_LEAST, math.min(tty and columns or WIDTH_USUAL, WIDTH_MOST)),
    }
end

-- ---- progress ----

---@class sim.Progress
---@field time number? virtual seconds
---@field duration number? of the run, if it has one
---@field jobs integer? submitted
---@field finished integer? jobs
---@field events integer?
---@field elapsed number real seconds
---@field runs integer? of several
---@field runs_ended integer?
---@field ended_at number? of several runs: `elapsed` when the last of these ended; show() knows it

-- Seconds that are left, if that can be told: of several runs from how long those took that have ended, of one from how
-- far its virtual time is.
local function seconds_left(state)
    if state.runs and state.runs > 1 then
        local ended, took = state.runs_ended or 0, state.ended_at or state.elapsed
        return ended > 0 and took / ended * (state.runs - ended) - (state.elapsed - took) or nil
    elseif state.duration and state.time and state.time > 0 then
        return state.elapsed / state.time * (state.duration - state.time)
    end
end

local function time_left(state)
    local left = state.elapsed >= 1 and seconds_left(state)
    return left and numbers.text(math.max(1, math.floor(left + 0.5)), "time") .. " left" or nil
end

local function rate_text(state)
    if not state.events or state.elapsed <= 0 then
        return nil
    end
    return numbers.text(math.floor(state.events / state.elapsed + 0.5), "count") .. " events/s"
end

local function jobs_text(state)
    if not state.jobs then
        return nil
    end
    local count = numbers.text(state.jobs, "count") .. " jobs"
    return state.finished and ("%s of %s"):format(numbers.text(state.finished, "count"), count) or count
end

local function clock_text(state)
    if not state.time then
        return nil
    end
    local now = numbers.text(state.time, "time")
    return state.duration and ("%s of %s"):format(now, numbers.text(state.duration, "time")) or now
end

-- One line of it, no wider than `width`: what is of less interest, which stands last, is left out first.
---@param state sim.Progress
---@param width integer?
---@return string
function M.progress(state, width)
    local parts = {}
    local function add(part)
        parts[#parts + 1] = part
    end
    add(state.runs and state.runs > 1 and ("run %d of %d"):format(state.runs_ended or 0, state.runs) or nil)
    add(clock_text(state))
    add(time_left(state))
    add(jobs_text(state))
    add(rate_text(state))
    local line = table.concat(parts, ", ")
    while #parts > 1 and #line > (width or WIDTH_USUAL) do
        parts[#parts] = nil
        line = table.concat(parts, ", ")
    end
    return text.cut(line, width or WIDTH_USUAL)
end

-- Shows progress on a stream that is a terminal, and nothing on one that is not.
---@class sim.Meter
local Meter = {}
Meter.__index = Meter

---@param stream file*
---@param options sim.TerminalOptions with `tty`
---@return sim.Meter
function M.meter(stream, options)
    return setmetatable({ stream = stream, options = options, shown = false }, Meter)
end

---@param state sim.Progress
function Meter:show(state)
    if self.options.tty then
        if state.runs_ended ~= self.runs_ended then
            self.runs_ended, self.ended_at = state.runs_ended, state.elapsed
        end
        state.ended_at = self.ended_at
        -- The last column stays free: a terminal may go to the next line behind it.
        self.stream:write("\r", M.progress(state, self.options.width - 1), "\27[K")
        self.stream:flush()
        self.shown = true
    end
end

-- Takes the line away, so that other output can follow.
function Meter:clear()
    if self.shown then
        self.stream:write("\r\27[K")
        self.stream:flush()
        self.shown = false
    end
end

-- ---- the end ----

local function add_all(lines, more)
    for _, line in ipairs(more) do
        lines[#lines + 1] = line
    end
end

local function used_of(series)
    local shares = {}
    for i, used in ipairs(series.cpus_used or {}) do
        local total = series.cpus_total and series.cpus_total[i] or 0
        shares[i] = total > 0 and used / total or 0
    end
    return shares
end

local function largest(values)
    local most = 0
    for _, value in ipairs(values) do
        most = math.max(most, value)
    end
    return most
end

-- `name`: whose they are, or nil if there is one.
local function curves(result, options, name)
    local series, width = result.series or {}, math.min(60, options.width - 30)
    if (series.count or 0) < 2 or width < 8 then
        return {}
    end
    local waiting = series.waiting or {}
    local rows = {
        { "cpus in use", text.curve(used_of(series), width, 1, options.utf8), "of 100 %" },
        { "jobs waiting", text.curve(waiting, width, largest(waiting), options.utf8),
            ("at most %.0f"):format(math.ceil(largest(waiting))) },
    }
    local lines = { name and text.cut(name .. ":", options.width) }
    for _, row in ipairs(rows) do
        lines[#lines + 1] = text.cut(("%-12s  %s  %s"):format(row[1], row[2], row[3]), options.width)
    end
    return lines
end

-- ---- the other parts ----

local WAITS_MOST, FAILURES_MOST, LOG_MOST, REASON_MOST = 3, 10, 3, 200

-- The verdicts by the text of their assertion, in order: list of { text =, verdicts =, failures = }.
local function by_assertion(verdicts)
    local list, by_text = {}, {}
    for _, verdict in ipairs(verdicts) do
        local group = by_text[verdict.text]
        if not group then
            group = { text = verdict.text, verdicts = {}, failures = {} }
            by_text[verdict.text] = group
            list[#list + 1] = group
        end
        table.insert(group.verdicts, verdict)
        group.failures[#group.failures + 1] = not verdict.holds and verdict or nil
    end
    return list
end

-- Which run that was, among several.
local function run_name(verdict)
    local parts, set = {}, comparisons.set_text(verdict.set)
    parts[1] = set ~= "" and set or nil
    parts[#parts + 1] = verdict.seed and ("seed %d"):format(verdict.seed) or nil
    return #parts > 0 and table.concat(parts, ", ") .. ": " or ""
end

local function failure_lines(group, options, add)
    for i, verdict in ipairs(group.failures) do
        if i > FAILURES_MOST then
            return add(("       and in %d others"):format(#group.failures - FAILURES_MOST))
        end
        add("       " .. run_name(verdict) .. (verdict.words or ""))
    end
end

local function verdict_lines(verdicts, options)
    local lines, held = {}, 0
    local function add(line, mark)
        line = text.cut(text.clean(line), options.width)
        lines[#lines + 1] = mark and tables.marked(options, mark, line:sub(1, 5)) .. line:sub(6) or line
    end
    local groups = by_assertion(verdicts)
    for _, group in ipairs(groups) do
        local count, failures = #group.verdicts, #group.failures
        held = held + (failures == 0 and 1 or 0)
        if failures == 0 then
            add(("holds  %s%s"):format(group.text, count > 1 and (" (%d runs)"):format(count) or ""), "green")
        elseif count == 1 then
            add(("fails  %s: %s"):format(group.text, group.failures[1].words), "red")
        else
            add(("fails  %s (%d of %d runs)"):format(group.text, failures, count), "red")
            failure_lines(group, options, add)
        end
    end
    add(("%d of %d assertions hold"):format(held, #groups))
    return lines
end

-- Of a reason in several lines the first point, or all of it if it has no points; without the ids of offers, which mean
-- nothing behind a run.
local function main_reason(why)
    local point = ("\n" .. why):match("\n%- ([^\n]*)") or text.cut(text.clean(why), REASON_MOST)
    return (point:gsub("%s*%(offer '[^']*'%)", ""))
end

-- The jobs of a run that waited longest, each with the main reason.
local function waiting_lines(result, options, name)
    local lines, count = {}, 0
    for _, job in ipairs(result.longest or {}) do
        if count < WAITS_MOST and job.why and job.why ~= "" then
            count = count + 1
            local verb = job.state == "waiting" and "waits" or "waited"
            local line = ("%s %s %s: %s"):format(job.id, verb, numbers.text(job.wait, "time"), main_reason(job.why))
            add_all(lines, text.wrap(text.clean(line), options.width))
        end
    end
    if #lines > 0 and name then
        table.insert(lines, 1, text.cut(name .. ":", options.width))
    end
    return lines
end

-- Why a run ended before its time, or what it says of itself.
local function remark_lines(results, options)
    local lines, seen = {}, {}
    for _, result in ipairs(results) do
        local words = result.partial and "partial: " .. result.partial or result.problem
        if result.partial and result.problem then
            words = words .. "; " .. result.problem
        end
        local line = words and ("%s, seed %s: %s"):format(tables.short_name(result.script), result.seed, words)
        if line and not seen[line] then
            seen[line] = true
            add_all(lines, text.wrap(text.clean(line), options.width))
        end
    end
    return lines
end

-- What failed in a policy, the first ones.
local function broken_lines(result, options, name)
    local lines, list = {}, failed.untold(result)
    for i = 1, math.min(#list, FAILURES_MOST) do
        add_all(lines, text.wrap(text.clean(name and name .. ": " .. list[i] or list[i]), options.width))
    end
    if #list > FAILURES_MOST then
        lines[#lines + 1] = text.cut(("and %d others failed"):format(#list - FAILURES_MOST), options.width)
    end
    return lines
end

-- What was left out of the workload, which is the same for all runs.
local function skipped_lines(results, options)
    local lines = {}
    for _, skipped in ipairs(results[1] and results[1].skipped or {}) do
        local example = skipped.example and (", such as %s"):format(skipped.example) or ""
        local line = ("left out of the workload: %s rows: %s%s"):format(numbers.text(skipped.count, "count"),
            skipped.reason, example)
        add_all(lines, text.wrap(text.clean(line), options.width))
    end
    return lines
end

-- The end of a run's log, which has warnings and errors.
local function log_lines(result, options, name)
    local log, lines = result.log or {}, {}
    if #log > 0 then
        local head = ("warnings and errors in the log%s, the last of %d:"):format(name and " of " .. name or "", #log)
        lines[1] = text.cut(head, options.width)
        for i = math.max(1, #log - LOG_MOST + 1), #log do
            lines[#lines + 1] = text.cut("  " .. text.clean(log[i]), options.width)
        end
    end
    return lines
end

-- How long callbacks took, if that is to be shown.
local function callback_lines(result, options, name)
    local rows = { { name or "callback", "count", "failures", "mean", "p99", "max" } }
    for _, callback in ipairs(numbers.sorted_keys(result.callbacks or {})) do
        local times = result.callbacks[callback]
        local row = { text.clean(callback), ("%d"):format(times.count), ("%d"):format(times.failures) }
        for _, key in ipairs { "mean", "p99", "max" } do
            row[#row + 1] = times[key] and ("%.3f ms"):format(times[key]) or "-"
        end
        rows[#rows + 1] = row
    end
    return #rows > 1 and tables.aligned(rows, options.width) or {}
end

local KEYS = { { "report", "report" }, { "csv", "CSV" }, { "json", "JSON" } }

local function file_lines(files, options)
    local lines = {}
    for _, key in ipairs(KEYS) do
        if files[key[1]] and files[key[1]] ~= "-" then
            lines[#lines + 1] = text.cut(("%s: %s"):format(key[2], text.clean(files[key[1]])), options.width)
        end
    end
    return lines
end

-- ---- put together ----

-- The first run of each script, for curves and waiting jobs.
local function first_runs(results)
    local list, seen = {}, {}
    for _, result in ipairs(results) do
        if not seen[result.script] then
            seen[result.script] = true
            list[#list + 1] = result
        end
    end
    return list
end

-- Which of several runs this is, or nil.
local function name_of(result, results)
    if #results == 1 then
        return nil
    end
    local set = comparisons.set_text(result.set)
    set = set ~= "" and text.clean(set) .. ", " or ""
    return ("%s, %sseed %s"):format(tables.short_name(result.script), set, result.seed)
end

local function add_part(lines, more)
    if #more > 0 then
        lines[#lines + 1] = ""
        add_all(lines, more)
    end
end

-- What is shown when all runs have ended.
---@param document sim.Document of output.document()
---@param files table<string, string>? as of output.check(): where they are
---@param options sim.TerminalOptions?
---@return string lines, each ended by "\n"
function M.table(document, files, options)
    options = options or {}
    options.width = options.width or WIDTH_USUAL
    local lines, runs = tables.lines(document, options), first_runs(document.results)
    for _, result in ipairs(runs) do
        add_part(lines, curves(result, options, name_of(result, document.results)))
    end
    add_part(lines, remark_lines(document.results, options))
    for _, result in ipairs(runs) do
        add_part(lines, waiting_lines(result, options, name_of(result, document.results)))
    end
    for _, part in ipairs { broken_lines, log_lines, callback_lines } do
        for _, result in ipairs(runs) do
            add_part(lines, part(result, options, name_of(result, document.results)))
        end
    end
    add_part(lines, skipped_lines(document.results, options))
    if document.assertions and #document.assertions > 0 then
        add_part(lines, verdict_lines(document.assertions, options))
    end
    add_part(lines, file_lines(files or {}, options))
    return table.concat(lines, "\n") .. "\n"
end

return M
