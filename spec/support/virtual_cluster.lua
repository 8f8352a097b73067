-- SPDX-License-Identifier: Apache-2.0
--
-- The master of the local cluster on a virtual clock, without a process or a socket: frameworks subscribe, call and get
-- events, tasks wait until they are told to end, and a second takes no time.
--
--   local cluster = require("support.virtual_cluster").start { "cpus:4;mem:1024 zone=a", ... }
--   local framework = cluster:subscribe { name = "a", roles = { "a" } }
--   cluster:advance(1)
--   framework:offers()                        -- those that it holds, the oldest first
--   framework:decline(offer, seconds), framework:launch(offer, { cpus = 1, mem = 32 }, count)

local assert = require("luassert")
local internals = require("internals")
local json = require("cjson")

local CAPABILITIES = { { type = "MULTI_ROLE" }, { type = "RESERVATION_REFINEMENT" } }

local Cluster, Framework = {}, {}
Cluster.__index, Framework.__index = Cluster, Framework

local M = {}

-- A cluster of these agents, with its master in that fault domain; what a description does not name, its agent does not
-- have.
function M.start(agents, region, zone)
    local self = setmetatable({ master = internals.master(region, zone) }, Cluster)
    for _, text in ipairs(agents) do
        self.master:agent(text)
    end
    return self
end

-- An agent that comes later, with a host name and a fault domain if they are given.
function Cluster:agent(text, hostname, region, zone)
    self.master:agent(text, hostname, region, zone)
end

-- Time passes, and what is to happen in it happens.
function Cluster:advance(seconds)
    self.master:advance(seconds or 0.01)
end

-- An operation of an operator on an agent: its status and text.
function Cluster:operate(agent_id, operation, principal)
    return self.master:operate(agent_id.value, json.encode(operation), principal)
end

-- The subscription of a framework; `more` are fields of SUBSCRIBE.
function Cluster:subscribe(info, more)
    local subscribe = { framework_info = { user = "nobody", name = "spec", capabilities = CAPABILITIES } }
    for key, value in pairs(info) do
        subscribe.framework_info[key] = value
    end
    for key, value in pairs(more or {}) do
        subscribe[key] = value
    end
    local call = { type = "SUBSCRIBE", subscribe = subscribe, framework_id = subscribe.framework_info.id }
    local framework = setmetatable({ cluster = self, held = {}, updates = {}, operations = {}, errors = {} }, Framework)
    framework.stream = self.master:subscribe(json.encode(call))
    framework:read()
    return framework
end

local handlers = {}

function handlers.SUBSCRIBED(self, event)
    self.id = event.subscribed.framework_id
    self.master_info = event.subscribed.master_info
end

function handlers.OFFERS(self, event)
    for _, offer in ipairs(event.offers.offers) do
        table.insert(self.held, offer)
    end
end

function handlers.RESCIND(self, event)
    for i, offer in ipairs(self.held) do
        if offer.id.value == event.rescind.offer_id.value then
            table.remove(self.held, i)
            break
        end
    end
end

function handlers.UPDATE(self, event)
    table.insert(self.updates, event.update.status)
end

function handlers.UPDATE_OPERATION_STATUS(self, event)
    table.insert(self.operations, event.update_operation_status.status)
end

function handlers.ERROR(self, event)
    table.insert(self.errors, event.error.message)
end

-- Takes in the events that have come.
function Framework:read()
    local text, at = self.cluster.master:events(self.stream), 1
    while at <= #text do
        local length, first = text:match("^(%d+)\n()", at)
        local event = json.decode(text:sub(first, first + length - 1))
        at = first + length
        if handlers[event.type] then
            handlers[event.type](self, event)
        end
    end
end

function Framework:call(kind, message)
    local call = { type = kind, framework_id = self.id, [kind:lower()] = message }
    return self.cluster.master:call(self.stream, json.encode(call))
end

function Framework:accepted(kind, message)
    local status, text = self:call(kind, message)
    assert.equal(kind == "UPDATE_FRAMEWORK" and 200 or 202, status, text)
end

-- The offers that it holds.
function Framework:offers()
    self:read()
    return self.held
end

local function forget(self, offer)
    for i, held in ipairs(self.held) do
        if held == offer then
            table.remove(self.held, i)
            return
        end
    end
end

function Framework:decline(offer, seconds)
    forget(self, offer)
    self:accepted("DECLINE", { offer_ids = { offer.id }, filters = { refuse_seconds = seconds } })
end

function Framework:decline_all(seconds)
    while #self:offers() > 0 do
        self:decline(self.held[1], seconds)
    end
end

-- Launches tasks of the same size on an offer; the rest is refused for 0 seconds.
function Framework:launch(offer, needs, count)
    local tasks = {}
    for i = 1, count or 1 do
        local id = ("%s-%d"):format(offer.id.value, i)
        local resources = {}
        for name, value in pairs(needs) do
            table.insert(resources, { name = name, type = "SCALAR", scalar = { value = value } })
        end
        tasks[i] = {
            name = id, task_id = { value = id }, agent_id = offer.agent_id, command = { value = "wait" },
            resources = resources,
        }
    end
    forget(self, offer)
    self:accepted("ACCEPT", {
        offer_ids = { offer.id }, operations = { { type = "LAUNCH", launch = { task_infos = tasks } } },
        filters = { refuse_seconds = 0 },
    })
end

-- How much of a scalar is in these offers.
function M.sum(offers, name)
    local sum = 0
    for _, offer in ipairs(offers) do
        for _, resource in ipairs(offer.resources) do
            sum = sum + (resource.name == name and resource.scalar.value or 0)
        end
    end
    return sum
end

-- How many agents, by host, are in these offers.
function M.agents(offers)
    local ids = {}
    for _, offer in ipairs(offers) do
        ids[offer.agent_id.value] = true
    end
    local count = 0
    for _ in pairs(ids) do
        count = count + 1
    end
    return count
end

return M
