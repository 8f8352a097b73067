-- SPDX-License-Identifier: Apache-2.0
--
-- Services: so many instances of a task, always. One that ends is started again, after longer and longer pauses if it
-- does not stay up; a changed definition replaces the instances one by one, each as soon as a new one is ready, also
-- when the script is edited while it runs. A keeper is a scheduler table, so a script can return it:
--
--     local keeper = require("mesos.services").keeper { name = "shop" }
--     keeper:service { id = "web", instances = 3, command = "exec ./web --port $PORT", ports = 1, cpus = 0.5, mem = 64,
--       health = { http = "/ready" }, constraints = { "hostname:UNIQUE" } }
--     return keeper
--
-- What runs is noted in mesos.state, so it survives a reload, and with --state a restart. A service that the script
-- does not have any more is ended. The tasks of a service have the ids ID.1, ID.2, ...
--
-- An instance is ready when it runs and, if it has a health check, is healthy. While an old version is replaced there
-- are at most `surge` instances too many, and never fewer ready ones than wanted less `down`. So a version that does
-- not become ready stops its own roll-out, and the old one serves on.

local mesos = require "mesos"
local alarm = require "mesos.alarm"
local backoff = require "mesos.backoff"
local demand = require "mesos.demand"
local fields = require "mesos.fields"
local framework = require "mesos.framework"
local json = require "mesos.json"
local placement = require "mesos.placement"
local reconcile = require "mesos.reconcile"
local rollout = require "mesos.rollout"
local states = require "mesos.states"
local task = require "mesos.task"

---@class mesos.services
local M = {}

---@class mesos.services.Options
---@field name string? of the framework; default: that of the script
---@field framework mesos.FrameworkInfo? the rest of it; with --state, a failover_timeout for the time of a restart
---@field key string? under which name the script's state has the instances; default: "services"
---@field policy ("spread"|"pack"|"first")? default: "spread"
---@field backoff mesos.backoff.Options? before an instance is started again that did not stay up
---@field stable number? seconds after which an instance counts as having stayed up; default: 60
---@field unreachable number? seconds that an agent may be out of reach before its instances are replaced; default: 300
---@field refuse number? seconds for which offers that are not used do not come again; default: 5
---@field on_update (fun(service: string, status: mesos.TaskStatus, driver: mesos.SchedulerDriver))? each status
---@field on_ready (fun(service: string, driver: mesos.SchedulerDriver))? all instances of the latest version are ready, and no other is left

local OPTIONS = {
    name = "string", framework = "table", key = "string", policy = "string", backoff = "table", stable = "positive",
    unreachable = "positive", refuse = "amount", on_update = "function", on_ready = "function",
}

local DEFAULTS = { policy = "spread", stable = 60, unreachable = 300, refuse = 5 }

---@class mesos.services.Definition : mesos.task.Spec
---@field id string
---@field instances integer? default: 1
---@field surge integer? instances too many while a version is replaced; default: 1
---@field down integer? ready instances too few while a version is replaced; default: 0
---@field constraints (string|string[])[]? see mesos.placement

local DEFINITION = { id = "string", instances = "count", surge = "count", down = "count", constraints = "list" }
for name, kind in pairs(task.FIELDS) do
    DEFINITION[name] = kind
end

---@class mesos.services.Instance plain data
---@field task_id mesos.TaskID
---@field agent_id mesos.AgentID
---@field version integer
---@field state mesos.TaskState
---@field ready boolean
---@field stopping boolean?
---@field launched number when; and since when it runs, and when its agent went out of reach:
---@field since number?
---@field unreachable number?

---@class mesos.services.Service plain data, but for its definition, which comes from the script
---@field id string
---@field version integer counts the changes of the definition
---@field serial integer of the latest task
---@field failures integer instances in a row that did not stay up
---@field due number no instance is started before
---@field instances table<mesos.TaskID, mesos.services.Instance>
---@field message string? what the latest one that ended said, or why none can be placed

---@class mesos.Keeper : mesos.Scheduler
---@field framework mesos.FrameworkInfo
local Keeper = {}
Keeper.__index = Keeper

local function spec_of(definition)
    local spec = {}
    for name in pairs(task.FIELDS) do
        spec[name] = definition[name]
    end
    return spec
end

local function plan_of(keeper, service)
    local definition = keeper.definitions[service.id]
    return rollout.plan(service, {
        instances = definition and definition.instances or 0, surge = definition and definition.surge or 1,
        down = definition and definition.down or 0,
    })
end

-- ---- what goes on ----

local function kill(keeper, instance)
    if not instance.stopping then
        instance.stopping = true
        keeper.driver:killTask(instance.task_id, { agent_id = instance.agent_id })
    end
end

local function tell_ready(keeper, ids)
    for _, id in ipairs(keeper.options.on_ready and ids or {}) do
        keeper.options.on_ready(id, keeper.driver)
    end
end

-- Kills what a service has too many, and asks for offers if one has too few.
local function look_after(keeper)
    local wanted, ready = false, {}
    for id, service in pairs(keeper.services) do
        local plan = plan_of(keeper, service)
        for _, instance in ipairs(plan.kill) do
            kill(keeper, instance)
        end
        if plan.done and not service.told and keeper.definitions[id] then
            service.told, ready[#ready + 1] = true, id
        end
        if plan.launch > 0 and service.due > mesos.now() then
            keeper.alarm:at(service.due)
        end
        wanted = wanted or plan.launch > 0 and service.due <= mesos.now()
        if not keeper.definitions[id] and not next(service.instances) then
            keeper.services[id] = nil
        end
    end
    keeper.demand:want(keeper.driver, wanted)
    tell_ready(keeper, ready)
    return wanted
end

-- What ended may be started again: at once if the cluster is to blame, after a pause if it did not stay up.
local function on_gone(keeper, service, instance, status)
    service.instances[instance.task_id] = nil
    service.told = false
    if instance.stopping or states.fault(status) == "cluster" then
        return
    end
    local stayed = instance.since and mesos.now() - instance.since >= keeper.options.stable
    service.failures = stayed and 1 or service.failures + 1
    service.due = mesos.now() + backoff.delay(service.failures, keeper.options.backoff)
    service.message = status.message or service.message
end

local function on_alarm(keeper)
    local now = mesos.now()
    for _, service in pairs(keeper.services) do
        for _, instance in pairs(service.instances) do
            local limit = instance.unreachable and instance.unreachable + keeper.options.unreachable
            if limit and limit <= now then
                on_gone(keeper, service, instance, { state = "TASK_UNREACHABLE" })
            elseif limit then
                keeper.alarm:at(limit)
            end
        end
    end
    if keeper.driver and look_after(keeper) then
        keeper.demand:hurry(keeper.driver)
    end
end

-- ---- callbacks ----

-- Takes up the work with a driver: after a registration, or in a new version of the script. Each time the master is
-- asked at once for all instances: a new version does not know what the one before it still asked for.
---@param driver mesos.SchedulerDriver
function Keeper:start(driver)
    self.driver = driver
    for _, service in pairs(self.services) do
        for _, instance in pairs(service.instances) do
            instance.stopping = nil -- a KILL may have been lost: what is too many is killed again
        end
    end
    self.reconciler:start(driver)
    on_alarm(self) -- the last, as a callback of the script may wait or raise in it
end

-- Instances of other versions do not count: they go, and there need not be a place beside each of them.
local function facts_of(service)
    local list = {}
    for _, instance in pairs(service.instances) do
        if not instance.stopping and instance.version == service.version then
            list[#list + 1] = instance.facts
        end
    end
    return list
end

-- Puts one more instance into the list of launches; false if there is no place for it.
local function launch(keeper, service, offers, launches)
    local definition = keeper.definitions[service.id]
    local spec, constraints = spec_of(definition), definition.constraints
    local offer, reason = placement.choose(offers, task.need(spec),
        { policy = keeper.options.policy, constraints = constraints, placed = facts_of(service) })
    local id = ("%s.%d"):format(service.id, service.serial + 1)
    local info = offer and task.info(spec, id, offers, offer)
    if not info then
        service.message = reason or service.message
        return false
    end
    service.serial = service.serial + 1
    service.instances[id] = {
        task_id = id, agent_id = offer.agent_id, version = service.version, state = "TASK_STAGING", ready = false,
        launched = mesos.now(), facts = placement.facts(offer, constraints),
    }
    launches[offer.id] = launches[offer.id] or {}
    table.insert(launches[offer.id], info)
    return true
end

-- The host refused a launch, so no status will come for its tasks: the instances are none.
local function not_launched(keeper, offer_id, tasks, message)
    mesos.log.warning("%s: nothing is launched on offer %s: %s", keeper.framework.name or "services", offer_id, message)
    local gone = message:find("rescinded", 1, true)
    local status = gone and { state = "TASK_DROPPED" }
        or { state = "TASK_ERROR", reason = "REASON_TASK_INVALID", message = message }
    for _, info in ipairs(tasks) do
        local service = keeper.services[info.task_id:match("^(.*)%.%d+$")]
        on_gone(keeper, service, service.instances[info.task_id], status)
    end
end

-- Launches the instances that are missing. What is not used of the offers stays with the caller.
---@param driver mesos.SchedulerDriver
---@param offers mesos.Offers
function Keeper:place(driver, offers)
    local launches = {}
    self.driver = driver
    for _, service in pairs(self.services) do
        local missing = service.due <= mesos.now() and plan_of(self, service).launch or 0
        while missing > 0 and launch(self, service, offers, launches) do
            missing = missing - 1
        end
    end
    for id, tasks in pairs(launches) do
        local done, message = pcall(driver.launchTasks, driver, id, tasks, { refuse_seconds = self.options.refuse })
        if not done then
            not_launched(self, id, tasks, tostring(message))
        end
    end
    look_after(self)
end

-- Launches what is missing, and declines what is left.
---@param driver mesos.SchedulerDriver
---@param offers mesos.Offers
function Keeper:resourceOffers(driver, offers)
    self:place(driver, offers)
    driver:declineOffer(offers:ids(), { refuse_seconds = self.options.refuse })
end

local function note_status(keeper, service, instance, status)
    local definition = keeper.definitions[service.id]
    instance.state = status.state
    instance.unreachable = states.is_unreachable(status) and (instance.unreachable or mesos.now()) or nil
    if status.state == "TASK_RUNNING" then
        instance.since = instance.since or mesos.now()
        instance.ready = status.healthy == nil and not (definition and definition.health) or status.healthy == true
    else
        instance.ready = false
    end
    keeper.alarm:at(instance.unreachable and instance.unreachable + keeper.options.unreachable or math.huge)
end

-- Handles a status. True if its task is, or was, one of the keeper's.
---@param driver mesos.SchedulerDriver
---@param status mesos.TaskStatus
---@return boolean
function Keeper:statusUpdate(driver, status)
    local service = self.services[status.task_id:match("^(.*)%.%d+$")]
    local instance = service and service.instances[status.task_id]
    self.driver = driver
    self.reconciler:answered(status)
    if not service then
        return false
    elseif instance then
        note_status(self, service, instance, status)
        if self.options.on_update then
            self.options.on_update(service.id, status, driver)
        end
        if states.is_terminal(status) then
            on_gone(self, service, instance, status)
        end
        look_after(self)
    elseif states.is_active(status) and status.state ~= "TASK_KILLING" then
        driver:killTask(status.task_id) -- it was given up, and is back
    end
    return true
end

-- Starts.
---@param driver mesos.SchedulerDriver
function Keeper:registered(driver)
    self:start(driver)
end

-- Starts again, and asks for all instances.
---@param driver mesos.SchedulerDriver
function Keeper:reregistered(driver)
    self:start(driver)
end

-- Starts in a new version of the script.
---@param driver mesos.SchedulerDriver
function Keeper:reloaded(driver)
    self:start(driver)
end

-- The master has forgotten the framework and ended its tasks: all are started anew.
---@param driver mesos.SchedulerDriver
---@param message string
---@return "reregister"
function Keeper:frameworkRemoved(driver, message)
    mesos.log.warning("%s: the services start anew, as a new framework", message)
    for _, service in pairs(self.services) do
        service.instances, service.told = {}, false
    end
    return "reregister"
end

-- ---- for scripts ----

-- What JSON does not have, as a text: the text of a definition is only compared.
local function as_text(value)
    if type(value) == "string" and not utf8.len(value) then
        return (value:gsub(".", function(letter) return ("%02x"):format(letter:byte()) end))
    elseif type(value) == "number" and (value ~= value or math.abs(value) == math.huge) then
        return tostring(value)
    end
    return value
end

-- Sets a service. To be called in the main chunk, for all that there are to be.
---@param definition mesos.services.Definition
function Keeper:service(definition)
    definition = fields.copy(definition)
    fields.check(definition, DEFINITION, "service")
    fields.kind(definition.id, "string", "service.id")
    task.check(spec_of(definition), ("service '%s'"):format(definition.id))
    placement.constraints(definition.constraints)
    local text = json.encode(fields.copy({ spec_of(definition), definition.constraints or {} }, as_text))
    local service = self.services[definition.id]
        or { id = definition.id, version = 0, serial = 0, failures = 0, due = 0, instances = {} }
    if service.text ~= text then
        service.text, service.version = text, service.version + 1
        service.failures, service.due = 0, 0
    end
    service.told = false
    definition.instances = definition.instances or 1
    self.definitions[definition.id], self.services[definition.id] = definition, service
    if self.driver then
        on_alarm(self)
    end
end

-- What is known of a service, as it lies in mesos.state; nil if there is none of that id.
---@param id string
---@return mesos.services.Service?
function Keeper:get(id)
    return self.services[id]
end

-- How a service stands, in a sentence; if instances wait for offers, also what driver:explain() says of their need.
-- `mesos-lua ctl TARGET why ID` prints both.
---@param id string
---@return string
---@return table? offers
function Keeper:explain(id)
    local service = self.services[id]
    if not service or not self.definitions[id] then
        return ("there is no service '%s'%s"):format(id, fields.hint(id, self.definitions))
    end
    local plan = plan_of(self, service)
    local text = ("%s: %d of %d ready in version %d"):format(id, plan.ready, self.definitions[id].instances,
        service.version)
    if plan.old > 0 then
        text = text .. (", %d of an older one"):format(plan.old)
    end
    if plan.launch == 0 then
        return text
    elseif service.due > mesos.now() then
        return ("%s; the next start is in %.0f s, after %d failures: %s"):format(text, service.due - mesos.now(),
            service.failures, service.message or "no message")
    end
    return ("%s; %d wait for an offer%s"):format(text, plan.launch, service.message and ": " .. service.message or ""),
        self.driver and self.driver:explain(task.need(spec_of(self.definitions[id])))
end

-- A keeper with the instances that lie in mesos.state.
---@param options mesos.services.Options?
---@return mesos.Keeper
function M.keeper(options)
    options = fields.check(options or {}, OPTIONS, "keeper")
    backoff.check(options.backoff, "keeper.backoff")
    local key = options.key or "services"
    mesos.state[key] = mesos.state[key] or {}
    local with_defaults = {}
    for _, part in ipairs { DEFAULTS, options } do
        for name, value in pairs(part) do
            with_defaults[name] = value
        end
    end
    local keeper = setmetatable({
        framework = framework.with_defaults(options.name, options.framework), options = with_defaults,
        services = mesos.state[key], definitions = {}, demand = demand.new(),
    }, Keeper)
    keeper.alarm = alarm.new(function() on_alarm(keeper) end)
    keeper.reconciler = reconcile.new { tasks = function()
        local list = {}
        for _, service in pairs(keeper.services) do
            for _, instance in pairs(service.instances) do
                list[#list + 1] = instance
            end
        end
        return list
    end }
    return keeper
end

return M
