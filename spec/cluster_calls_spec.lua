-- SPDX-License-Identifier: Apache-2.0
--
-- Every field of every call that schedulers, executors and operators send to the local cluster, and what becomes of it: it
-- is carried out, and the sources read it, or it has no effect, for a reason that CONFORMANCE.md names. The fields of tasks,
-- operations and frameworks are in the cluster's own table (cluster_validation_spec).

local internals = require("internals")
local program = require("support.program")

local ROOTS = { "mesos.v1.scheduler.Call", "mesos.v1.executor.Call", "mesos.v1.master.Call", "mesos.v1.agent.Call" }

-- Messages with rules of their own, or which are compared as a whole.
local ELSEWHERE = {
    ["mesos.v1.TaskInfo"] = true, ["mesos.v1.Offer.Operation"] = true, ["mesos.v1.FrameworkInfo"] = true,
    ["mesos.v1.Filters"] = true, ["mesos.v1.Resource"] = true,
    ["mesos.v1.ContainerStatus"] = true, -- of an update: the agent gives its own
}

-- Fields that nothing reads, and why.
local WITHOUT_EFFECT = {
    ["scheduler.Call.Request.requests"] = "`Request.requests`", -- the allocator of a real master ignores them, too
    ["master.Call.GetMetrics.timeout"] = "`GetMetrics.timeout`",
    ["agent.Call.get_metrics"] = "GET_METRICS of an agent",
    ["agent.Call.GetContainers.show_nested"] = "`show_nested`",
    ["agent.Call.GetContainers.show_standalone"] = "`show_standalone`",
}

local FOLDERS = { "master", "operator", "cluster", "agent" }

-- The last of several that exclude each other.
local BY_ELIMINATION = { ["scheduler.AttributeConstraint.Predicate.not_exists"] = true }

-- Names that a struct has under another name, or that a table of the sources has as a text.
local function is_read(sources, name)
    return sources:find("[>%.]" .. name .. "%f[^%w_]") or sources:find("[(, ]" .. name .. "[),]")
        or sources:find('"' .. name .. '"', 1, true)
end

local function short(message)
    return (message:gsub("^mesos%.v1%.", ""))
end

describe("each field of a call to the local cluster", function()
    local messages = internals.descriptors().messages
    local sources

    setup(function()
        local parts = {}
        for _, folder in ipairs(FOLDERS) do
            local files = program.run { path = "/bin/sh", args = { "-c", "cat host/" .. folder .. "/*.c" } }
            parts[#parts + 1] = files.stdout
        end
        sources = table.concat(parts)
    end)

    -- Calls visit(message, field) for all that can be reached.
    local function walk(visit)
        local seen = {}
        local function go(name)
            if seen[name] or ELSEWHERE[name] then
                return
            end
            seen[name] = true
            for _, field in ipairs(assert(messages[name], name)) do
                visit(name, field)
                if messages[field.type] and not WITHOUT_EFFECT[short(name) .. "." .. field.name] then
                    go(field.type)
                end
            end
        end
        for _, root in ipairs(ROOTS) do
            go(root)
        end
        return seen
    end

    it("is read, or is named with the reason why it need not be", function()
        local count, unread = 0, {}
        walk(function(name, field)
            count = count + 1
            local path = short(name) .. "." .. field.name
            if not WITHOUT_EFFECT[path] and not BY_ELIMINATION[path] and not is_read(sources, field.name) then
                unread[#unread + 1] = path
            end
        end)
        assert.is_true(count > 150)
        assert.same({}, unread)
    end)

    it("that has no effect is in the list of conformance, and there is no other", function()
        local there, list = {}, program.read("spec/CONFORMANCE.md")
        walk(function(name, field)
            there[short(name) .. "." .. field.name] = true
        end)
        for path, words in pairs(WITHOUT_EFFECT) do
            assert.is_true(there[path] or path:find("GetMetrics", 1, true) ~= nil, path)
            assert.truthy(list:find(words, 1, true), words)
        end
    end)
end)

-- What a call is answered with that has nothing but its type and a message with what it must have.
describe("each type of a call to the local cluster", function()
    local client = require("support.cluster_client")
    local json = require("cjson")
    local enums = internals.descriptors().enums

    lazy_setup(function()
        client.start { "--resources", "cpus:1;mem:64" }
    end)
    lazy_teardown(client.stop)

    -- Types that real masters and agents have, and the local cluster refuses; its words say what there is instead.
    local REFUSED = {
        agent = "^The agents of the local cluster do not carry out [%u_]+: they answer the calls that read",
        master = "^Calls of this type are not implemented$",
    }
    local NOT_OF_MASTERS = { UNKNOWN = true }
    local OF_RESOURCES = { -- containers and resource providers, which these agents do not have
        UNKNOWN = true, GET_METRICS = true, GET_OPERATIONS = true, GET_RESOURCE_PROVIDERS = true, PRUNE_IMAGES = true,
    }

    local function statuses(enum, path)
        local found = {}
        for kind in pairs(enums[enum]) do
            if kind ~= "SUBSCRIBE" then
                local status, text = client.request(json.encode { type = kind }, { path = path })
                found[kind] = { status, text }
            end
        end
        return found
    end

    it("is carried out by the master, or wants what it needs", function()
        for kind, answer in pairs(statuses("mesos.v1.master.Call.Type", "/api/v1")) do
            local status, text = answer[1], answer[2]
            if NOT_OF_MASTERS[kind] then
                assert.equal(501, status, kind)
                assert.matches(REFUSED.master, text)
            else
                assert.is_true(status == 200 or (status == 400 and text:find("Expecting '", 1, true) ~= nil), kind .. ": " .. text)
            end
        end
    end)

    it("is carried out by an agent, or is refused in words that say what it does", function()
        local carried = 0
        for kind, answer in pairs(statuses("mesos.v1.agent.Call.Type", "/slave(1)/api/v1")) do
            local status, text = answer[1], answer[2]
            if status == 501 then
                assert.matches(REFUSED.agent, text)
                assert.is_true(OF_RESOURCES[kind] or kind:find("CONTAINER", 1, true) ~= nil
                    or kind:find("RESOURCE_PROVIDER", 1, true) ~= nil, kind)
            else
                carried = carried + 1
                assert.is_true(status == 200 or (status == 400 and text:find("Expecting '", 1, true) ~= nil), kind .. ": " .. text)
            end
        end
        assert.is_true(carried >= 12)
    end)
end)
