-- SPDX-License-Identifier: Apache-2.0
--
-- Jobs of a generator: from the table, distribution or function that a scenario gives as `job`, row after row. Each
-- field is drawn from a stream of its own, whose name is the generator's label and the field's.

local complaint = require "sim.complaint"
local distributions = require "sim.distributions"
local fields = require "mesos.fields"
local guard = require "sim.guard"
local random = require "sim.random"
local rows = require "sim.rows"

local M = {}

-- A value of a job: plain, drawn, or what a function makes of the row.
function M.evaluate(value, stream, row, what)
    if distributions.is(value) then
        local drawn = value.draw(stream)
        if type(drawn) == "table" then
            return fields.copy(drawn)
        end
        return drawn
    elseif type(value) == "function" then
        return guard.call(what, value, row, stream)
    elseif type(value) == "table" then
        return fields.copy(value)
    end
    return value
end

local Jobs = {}
Jobs.__index = Jobs

-- The stream of a field, which no other field shares.
local function stream_of(self, name)
    local stream = self.streams[name]
    if not stream then
        stream = random.stream(self.seed, self.label, "job", name)
        self.streams[name] = stream
    end
    return stream
end

-- The names of a job's fields: plain ones and drawn ones in order, then the functions, which see the others.
local function names_of(job)
    local names = complaint.sorted(job)
    local late = {}
    for i = #names, 1, -1 do
        if type(job[names[i]]) == "function" then
            table.insert(late, 1, table.remove(names, i))
        end
    end
    table.move(late, 1, #late, #names + 1, names)
    return names
end

-- How the fields of a job, or of one class of jobs, are made: first those that are always the same, then those that
-- are drawn, then those that functions make. `checked`: the constant ones have been found right, and so have the drawn
-- texts in `seen`.
local function plan_of(self, job)
    local plan = { constant = {}, drawn = {}, made = {}, seen = {}, checked = false }
    for _, name in ipairs(names_of(job)) do
        local value = job[name]
        if type(value) == "function" then
            plan.made[#plan.made + 1] = { name = name, f = value, stream = stream_of(self, name) }
        elseif distributions.is(value) then
            plan.drawn[#plan.drawn + 1] = {
                name = name, draw = value.draw, stream = stream_of(self, name), amount = rows.is_amount(name),
                free = not rows.KNOWN[name],
            }
        else
            value = rows.read(name, value)
            plan.constant[#plan.constant + 1] = { name = name, value = value, table = type(value) == "table" }
        end
    end
    return plan
end

-- Puts in what is drawn. Returns whether all of it is known to be right.
local function draw_fields(row, plan)
    local drawn, seen, right = plan.drawn, plan.seen, true
    for i = 1, #drawn do
        local field = drawn[i]
        local value = field.draw(field.stream)
        if field.amount and type(value) == "number" then
            right = right and value >= 0 and value < math.huge
        elseif not (seen[value] or field.free and type(value) == "number") then
            right = false
            if type(value) == "table" then
                value = fields.copy(value)
            elseif type(value) == "string" and not rows.is_number(field.name) then
                seen[value] = true
            end
        end
        row[field.name] = value
    end
    return right
end

-- Puts the fields of a job into a row. Returns whether it is known to be right.
local function fill(self, row, job)
    local plan = self.plans[job]
    if not plan then
        plan = plan_of(self, job)
        self.plans[job] = plan
    end
    local constant, made = plan.constant, plan.made
    for i = 1, #constant do
        local field = constant[i]
        row[field.name] = field.table and fields.copy(field.value) or field.value
    end
    local right = draw_fields(row, plan) and plan.checked and #made == 0
    for i = 1, #made do
        local field = made[i]
        local what = ("%s: job.%s"):format(self.what, field.name)
        row[field.name] = M.evaluate(guard.call(what, field.f, row, field.stream), field.stream, row, what)
    end
    plan.checked = true
    return right
end

-- Puts the fields of a row that a scenario has into a row. drawer: of M.drawer().
function M.fill(drawer, row, given)
    fill(drawer, row, given)
end

-- What draws the fields of rows that a scenario has.
function M.drawer(what, context)
    return { what = what, seed = context.seed, label = context.label, streams = {}, plans = {} }
end

local function job_of(self)
    local job = self.job
    if distributions.is(job) then
        job = job.draw(stream_of(self, ""))
    elseif type(job) == "function" then
        job = guard.call(self.what .. ": job", job, self.number, stream_of(self, ""))
    end
    if type(job) ~= "table" then
        error(("%s: job: a table of fields expected, got %s"):format(self.where, complaint.shown(job)), 0)
    end
    return job
end

-- The next job, which is submitted at that time.
function Jobs:row(at)
    self.number = self.number + 1
    local row = { id = self.prefix .. self.number, at = at, cpus = 0, mem = 0, duration = 0 }
    row.cpus, row.mem, row.duration = nil, nil, nil -- room for them was made
    return fill(self, row, job_of(self)) and row or rows.check(row, self, self.lasts)
end

function Jobs:__tostring()
    return ("%s: job %d"):format(self.where, self.number)
end

-- The maker of the jobs of a generator: row(at) -> row.
function M.maker(self, context)
    local label = self.given.name or context.label
    return setmetatable({
        what = self.what, where = (self.place and self.place .. ": " or "") .. self.what, job = self.given.job,
        seed = context.seed, label = label, prefix = label .. "-", lasts = context.lasts, number = 0, streams = {},
        plans = setmetatable({}, { __mode = "k" }),
    }, Jobs)
end

-- What is wrong with a job is told before the run where it can be.
function M.check(job, what)
    if job == nil then
        complaint.raise("%s: job: missing: what it submits, such as job = { cpus = 1, mem = 128, duration = 60 }", what)
    elseif type(job) == "table" and not distributions.is(job) then
        for _, name in ipairs(complaint.sorted(job)) do
            if type(name) ~= "string" then
                complaint.raise("%s: job: a table of fields expected, got a list (sim.choice draws one of it)", what)
            end
            local near = not rows.KNOWN[name] and job[fields.nearest(name, rows.KNOWN)] == nil
                and fields.nearest(name, rows.KNOWN)
            if near and not (job.cpus and job.mem) then
                complaint.raise("%s: job.%s: did you mean '%s'?", what, name, near)
            end
        end
    elseif type(job) ~= "function" and not distributions.is(job) then
        complaint.raise("%s: job: a table of fields, a distribution of such, or function(number, random) expected, " ..
            "got %s", what, complaint.shown(job))
    end
end

return M
