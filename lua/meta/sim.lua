---@meta sim

-- SPDX-License-Identifier: Apache-2.0
--
-- What a scenario of the simulator sees: `mesos-lua sim --scenario FILE policy.lua`. The file returns a sim.Scenario. It
-- runs in a sandbox, which has the functions of Lua that compute (assert error ipairs next pairs pcall select tonumber
-- tostring type, math, string, table, utf8) and the global `sim`; it has no files, no clock, no `require`.
--
--     return {
--         agents = { { count = 1000, resources = "cpus:32;mem:131072", attributes = { zone = "a" } } },
--         workload = sim.merge {
--             sim.poisson { every = "2s", job = { cpus = sim.choice { 1, 2, 4 }, mem = 2048,
--                 duration = sim.lognormal { median = "5m", sigma = 1.2 }, role = "batch" } },
--             sim.bursts { every = "1h", size = 200, job = { cpus = 1, mem = 512, duration = "90s", role = "web" } },
--         },
--         faults = { { at = "3h", fault = "kill any for 10m" } },
--         duration = "12h",
--     }
--
-- All that is random depends on the seed of the run alone, and is the same on each machine. Each field of each workload
-- is drawn from numbers of its own: another mean of the durations changes neither the arrivals nor the cpus.

-- The global `sim` of a scenario.
---@class sim
---@field seed integer the seed of the run (--seed)
---@field set table<string, number|string> the parameters of --set, numbers where they look so; nil: not given
sim = {}

-- Seconds as a number, or a text with units: ms s m (or min) h d w, such as "90s", "1h30m", "30d".
---@alias sim.Duration number|string

-- ---- the scenario ----

---@class sim.Scenario
---@field agents sim.Agents[] groups of agents, and lists of groups
---@field workload sim.Workload|sim.Row[] the jobs
---@field duration sim.Duration? virtual time; default: until all jobs have ended
---@field runtime sim.Runtime? how long a task lasts and how it ends; default: the `duration` of its job, and well
---@field faults sim.Fault[]? what goes wrong
---@field stubs sim.Stubs? what mesos.http, mesos.exec, mesos.process and mesos.serve of the policy do
---@field roles table<string, sim.Role>? weights and quota of roles
---@field master { domain: { region: string, zone: string } }? where the master is
---@field time number? seconds since the Unix epoch at the start (the first second of 2026)
---@field asserts string[]? what has to hold, as --assert has it: "wait.p95 < 30"

-- Agents that are alike. Nothing is taken from this machine: cpus and mem have to be given, and what is not given is not
-- there.
---@class sim.Agents
---@field resources string|table "cpus:32;mem:131072;gpus:4", or { cpus = 32, mem = 131072 }; further forms as in a --cluster file
---@field count integer? so many (1)
---@field attributes table<string, any>? numbers, texts, lists of texts and of ranges
---@field hostname string? a pattern: "node-%d" has the number in the group; default: "agent-1", ..., of all groups
---@field domain { region: string, zone: string }?

---@class sim.Role
---@field weight number?
---@field guarantees table<string, number>?
---@field limits table<string, number>?

-- A fault at a time (`at`), or at random with a mean (`every`) or a rate (`rate`, a second): the words that
-- `mesos-lua ctl fault` takes.
---@class sim.Fault
---@field fault string "kill any for 30s", "partition S0", "agent lost", "master failover", "offers rescinded", ...
---@field at sim.Duration?
---@field every sim.Duration?
---@field rate number?
---@field from sim.Duration? of those at random
---@field to sim.Duration?
---@field agent string? "S3", or "any"
---@field framework string?
---@field value string?
---@field for sim.Duration? how long it lasts; write ["for"]
---@field times integer?
---@field forget boolean?

---@class sim.Stubs
---@field http function?
---@field exec function?
---@field process function?
---@field serve function?

-- A number of seconds, a distribution, or a function of the task and its job (nil if the task belongs to none). The
-- function returns seconds, as a number, text or distribution, or nil for the job's `duration`; and an exit status
-- (0 to 255) or a state such as "TASK_FAILED", or nil for TASK_FINISHED. Its random numbers depend on the task's id and
-- attempt, so that two policies see the same.
--
--     runtime = function(task, job) return nil, job and job.status == "failed" and 1 or nil end    -- as Cook's trace tells
---@alias sim.Runtime sim.Duration|sim.Distribution|fun(task: sim.Task, job: sim.Row?, random: sim.Random): (sim.Duration|sim.Distribution)?, (integer|string)?

---@class sim.Task
---@field task_id string
---@field name string
---@field agent_id string
---@field hostname string
---@field cpus number
---@field mem number
---@field attempt integer 1 for the first task of its job, ...

-- ---- jobs ----

-- A job as `submit` is given it: these fields, and what the policy likes, as plain data.
---@class sim.Row
---@field id string unique
---@field at number seconds from the start, in order
---@field cpus number
---@field mem number MB
---@field duration number seconds; may be absent if the scenario has a `runtime`
---@field disk number? MB
---@field gpus integer?
---@field ports integer? how many
---@field role string?
---@field user string?
---@field priority number?
---@field name string?
---@field command string?
---@field attributes table?
---@field tasks integer? how many tasks have to finish until the job has (1)
---@field [string] any

-- What a workload submits: values, distributions, and functions that are given the row so far and return a value; or a
-- distribution of such tables (classes of jobs); or a function of the job's number that returns such a table. Constant
-- fields are put in first, then those that are drawn, then those that functions make, each in alphabetical order.
---@alias sim.Job table<string, any>|sim.Distribution|fun(number: integer, random: sim.Random): table<string, any>

-- Random numbers for the functions of a scenario. math.random() of a scenario is drawn from the seed of the run, too.
---@class sim.Random
local Random = {}

-- At least 0 and below 1.
---@return number
function Random:uniform() end

-- A whole number of an interval.
---@param first integer
---@param last integer
---@return integer
function Random:integer(first, last) end

-- Exponentially distributed, of mean 1.
---@return number
function Random:exponential() end

-- Normally distributed, of mean 0 and deviation 1.
---@return number
function Random:normal() end

-- ---- distributions ----

-- Something to draw values from. Those of numbers take `least` and `most`, between which the values are kept, and
-- `whole = true` for whole numbers; their arguments may be texts such as "90s".
---@class sim.Distribution

---@class sim.Limits
---@field least sim.Duration?
---@field most sim.Duration?
---@field whole boolean?

-- Always the same.
---@param value any
---@return sim.Distribution
function sim.constant(value) end

---@class sim.UniformOptions: sim.Limits
---@field low sim.Duration? (0)
---@field high sim.Duration

-- Each number of an interval as likely as the others: sim.uniform(1, 5), sim.uniform { low = 1, high = 5 }.
---@param low sim.Duration|sim.UniformOptions
---@param high sim.Duration?
---@return sim.Distribution
function sim.uniform(low, high) end

---@class sim.ExponentialOptions: sim.Limits
---@field mean sim.Duration

-- sim.exponential(120), sim.exponential { mean = "2m", most = "1h" }.
---@param mean sim.Duration|sim.ExponentialOptions
---@return sim.Distribution
function sim.exponential(mean) end

---@class sim.NormalOptions: sim.Limits
---@field mean sim.Duration
---@field deviation sim.Duration

-- sim.normal { mean = 60, deviation = 10, least = 1 }.
---@param options sim.NormalOptions
---@return sim.Distribution
function sim.normal(options) end

---@class sim.LognormalOptions: sim.Limits
---@field sigma number of the logarithm: 0.5 is a little skewed, 2 is much
---@field median sim.Duration? this or the mean
---@field mean sim.Duration?

-- sim.lognormal { median = "5m", sigma = 1.2 }.
---@param options sim.LognormalOptions
---@return sim.Distribution
function sim.lognormal(options) end

---@class sim.ShapeOptions: sim.Limits
---@field scale sim.Duration
---@field shape number

-- At least `scale`; the smaller `shape`, the longer the tail: sim.pareto { scale = 10, shape = 1.5, most = "1d" }.
---@param options sim.ShapeOptions
---@return sim.Distribution
function sim.pareto(options) end

-- sim.weibull { scale = 60, shape = 0.7 }.
---@param options sim.ShapeOptions
---@return sim.Distribution
function sim.weibull(options) end

-- One of a list: sim.choice { 1, 2, { 8, weight = 0.1 } } draws 8 a tenth as often as 1.
---@param values any[]
---@return sim.Distribution
function sim.choice(values) end

---@class sim.ZipfOptions
---@field count integer? the numbers from 1 to this
---@field of any[]? in place of `count`: these values, the first most often
---@field s number? (1)

-- The number i comes 1 / i^s times as often as 1: sim.zipf { of = { "ann", "bob", "cat" } } for users.
---@param options sim.ZipfOptions
---@return sim.Distribution
function sim.zipf(options) end

-- What was measured: the values at shares from 0 to 1, with straight lines between them, such as
-- sim.empirical { { 0, 1 }, { 0.5, 30 }, { 0.99, 600 }, { 1, 3600 } }; or a list of numbers, each as likely as the others.
---@param points (number[]|number)[]
---@return sim.Distribution
function sim.empirical(points) end

-- ---- workloads ----

-- Jobs in the order of time.
---@class sim.Workload

---@class sim.Arrivals
---@field job sim.Job
---@field count integer? so many jobs
---@field from sim.Duration? (0)
---@field to sim.Duration? none at this time or later
---@field name string? the ids are NAME-1, NAME-2, ...; it is what the random numbers depend on, too, so that a workload with a name stays the same wherever it stands ("job", in a merge "job1", "job2", ...)

---@class sim.RateOptions: sim.Arrivals
---@field every sim.Duration? between two jobs, on average; this or `rate`
---@field rate number? jobs a second

-- Jobs that come independently of each other.
---@param options sim.RateOptions
---@return sim.Workload
function sim.poisson(options) end

-- A job after each interval, the first at `from`.
---@param options sim.RateOptions
---@return sim.Workload
function sim.regular(options) end

---@class sim.DiurnalOptions: sim.RateOptions
---@field peak sim.Duration? the time of day with the highest rate ("14h")
---@field swing number? from 0, always the same, to 1, none at night and twice the mean at the peak (0.5)
---@field period sim.Duration? ("24h")

-- Independent jobs, whose rate goes up and down with the time of day.
---@param options sim.DiurnalOptions
---@return sim.Workload
function sim.diurnal(options) end

---@class sim.BurstOptions: sim.Arrivals
---@field every sim.Duration from the end of a burst to the next, on average
---@field size integer|sim.Distribution jobs of a burst
---@field gap (sim.Duration|sim.Distribution)? between two jobs of a burst (0)

-- Many jobs at once.
---@param options sim.BurstOptions
---@return sim.Workload
function sim.bursts(options) end

-- Rows, in the order of time. Without an id they are job-1, job-2, ... Fields may be distributions.
---@param rows table[]
---@return sim.Workload
function sim.rows(rows) end

-- Several workloads at once. Of jobs at the same time, those of the first come first.
---@param workloads (sim.Workload|table[])[]
---@return sim.Workload
function sim.merge(workloads) end

-- A workload whose rows a function changes; those for which it returns nil or false are left out, and counted.
---@param workload sim.Workload|table[]
---@param change fun(row: sim.Row, random: sim.Random): sim.Row?
---@return sim.Workload
function sim.map(workload, change) end

-- What files have in common. A file is read as the run goes on, one row after the other; it may be far larger than the
-- memory.
---@class sim.FileOptions
---@field format ("json"|"csv"|"cook"|"openb"|"google2011"|"google2019"|"swf")? default: by the ending .json .jsonl .ndjson .csv .swf
---@field columns table<string, string|false>? json, csv only: the name in the file to that of the field; false leaves one out
---@field defaults table<string, any>? for fields that a row lacks
---@field limit integer? the first so many rows
---@field scale (number|table<string, number>)? a factor for `at`, 0.5: twice as many jobs an hour; or factors of fields, { cpus = 64 }
---@field origin (number|"first")? the time that becomes 0; default: 0, of public traces that of the first job
---@field sort boolean? rows do not stand in the order of time: a first pass over the file finds it, with 32 bytes for each row
---@field partial boolean? the file may end in the middle of a row, which is left out
---@field separator string? csv only: the character between columns (",")

-- The rows of a file; its path is relative to the folder of the scenario.
--
-- json: JSON lines, or one list of objects. csv: the first line names the columns; columns that rows do not have go to
-- the row as they are, as texts; an empty field is absent.
--
-- cook: a trace of Cook's simulator. The row has `status` and `retries`, too. openb: the pods of Alibaba's
-- cluster-trace-gpu-v2023; the row has `qos`, `phase`, `gpu_spec` and `gpu_milli`, and counts a part of a GPU as one.
-- google2011, google2019: the tables task_events and instance_events, whose parts were put behind each other; a row is
-- a task from its SUBMIT to FINISH, FAIL or KILL, lasts from the last SCHEDULE until then, and has `outcome`,
-- `collection` and `class`; requests are shares of the largest machine, taken as 32 cpus and 131072 MB unless `scale`
-- says otherwise. swf: the standard workload format; the row has `group`, `queue`, `limit` and `status`; memory that is
-- not known is 1024 MB for each processor unless `defaults` says otherwise. What was left out, and why, is in the report.
---@param path string
---@param options sim.FileOptions?
---@return sim.Workload
function sim.file(path, options) end

-- The agents of a host file of Cook's simulator.
---@param path string
---@return sim.Agents[]
function sim.cook_hosts(path) end

-- The agents of a CSV of nodes of Alibaba's cluster-trace-gpu-v2023; the attribute gpu_model has the model of GPUs.
---@param path string
---@return sim.Agents[]
function sim.openb_nodes(path) end
