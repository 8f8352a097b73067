-- SPDX-License-Identifier: Apache-2.0
--
-- The shapes (support.shapes) of the documents that Mesos's endpoints answer with, from its documentation and the code
-- that writes them.

local M = {}

local SUMS = { cpus = "number", gpus = "number", mem = "number", disk = "number", ["*"] = "any" }
local SUMS_BY_ROLE = { ["*"] = SUMS }

M.label = { key = "string", ["value?"] = "string" }

M.status = {
    state = "string", timestamp = "number", ["labels?"] = { M.label }, ["healthy?"] = "boolean",
    ["container_status?"] = {
        ["container_id?"] = { value = "string", ["parent?"] = { value = "string" } },
        ["network_infos?"] = { { ["ip_addresses?"] = { { ["ip_address?"] = "string", ["protocol?"] = "string" } } } },
    },
}

M.task = {
    id = "string", name = "string", framework_id = "string", executor_id = "string", slave_id = "string", state = "string",
    resources = SUMS, role = "string", statuses = { M.status }, ["user?"] = "string", ["labels?"] = { M.label },
    ["discovery?"] = "any", ["container?"] = "any", ["health_check?"] = "any", ["limits?"] = "any",
}

local SUMMARY = {
    id = "string", name = "string", used_resources = SUMS, offered_resources = SUMS, capabilities = { "string" },
    hostname = "string", webui_url = "string", active = "boolean", connected = "boolean", recovered = "boolean",
}

local function with(shape, more)
    local all = {}
    for _, part in ipairs { shape, more } do
        for name, inner in pairs(part) do
            all[name] = inner
        end
    end
    return all
end

M.framework = with(SUMMARY, {
    user = "string", failover_timeout = "number", checkpoint = "boolean", registered_time = "number",
    unregistered_time = "number", ["principal?"] = "string", resources = SUMS, ["reregistered_time?"] = "number",
    ["role?"] = "string", ["roles?"] = { "string" }, tasks = { M.task }, unreachable_tasks = { M.task },
    completed_tasks = { M.task }, executors = { "any" }, ["labels?"] = { M.label }, offer_constraints = "any",
    offers = {
        {
            id = "string", framework_id = "string", allocation_info = { role = "string" }, slave_id = "string",
            resources = SUMS,
        },
    },
})

M.slave = {
    id = "string", hostname = "string", port = "number", attributes = "any", pid = "string", registered_time = "number",
    ["reregistered_time?"] = "number", resources = SUMS, used_resources = SUMS, offered_resources = SUMS,
    reserved_resources = SUMS_BY_ROLE, unreserved_resources = SUMS, active = "boolean", deactivated = "boolean",
    version = "string", capabilities = { "string" }, ["drain_info?"] = "any", ["domain?"] = "any",
    ["estimated_drain_start_time_seconds?"] = "number",
}

M.resource = {
    name = "string", type = "string", role = "string", ["scalar?"] = { value = "number" }, ["ranges?"] = "any",
    ["set?"] = "any", ["allocation_info?"] = { role = "string" }, ["reservations?"] = "any", ["reservation?"] = "any",
    ["disk?"] = "any", ["revocable?"] = "any", ["shared?"] = "any",
}

M.slaves = {
    slaves = {
        with(M.slave, {
            reserved_resources_full = { ["*"] = { M.resource } }, unreserved_resources_full = { M.resource },
            used_resources_full = { M.resource }, offered_resources_full = { M.resource },
        }),
    },
    recovered_slaves = { "any" },
}

M.state = {
    version = "string", build_date = "string", build_time = "number", build_user = "string", start_time = "number",
    elected_time = "number", id = "string", pid = "string", hostname = "string", capabilities = { "string" },
    activated_slaves = "number", deactivated_slaves = "number", unreachable_slaves = "number", leader = "string",
    leader_info = { id = "string", pid = "string", port = "number", hostname = "string" }, flags = { ["*"] = "string" },
    slaves = { M.slave }, recovered_slaves = { "any" }, frameworks = { M.framework },
    completed_frameworks = { M.framework }, orphan_tasks = { "any" }, unregistered_frameworks = { "any" },
}

local COUNTS = {}
for _, state in ipairs { "STAGING", "STARTING", "RUNNING", "KILLING", "FINISHED", "KILLED", "FAILED", "LOST", "ERROR", "UNREACHABLE" } do
    COUNTS["TASK_" .. state] = "number"
end

M.state_summary = {
    hostname = "string", slaves = { with(with(M.slave, COUNTS), { framework_ids = { "string" } }) },
    frameworks = { with(with(SUMMARY, COUNTS), { slave_ids = { "string" } }) },
}

M.frameworks = {
    frameworks = { M.framework }, completed_frameworks = { M.framework }, unregistered_frameworks = { "any" },
}

local QUANTITIES = { ["*"] = "number" }

M.roles = {
    roles = {
        {
            name = "string", weight = "number", resources = QUANTITIES, allocated = QUANTITIES, offered = QUANTITIES,
            reserved = QUANTITIES, frameworks = { "string" },
            quota = { role = "string", guarantee = QUANTITIES, limit = QUANTITIES, consumed = QUANTITIES },
        },
    },
}

local EXECUTOR = {
    id = "string", name = "string", source = "string", container = "string", directory = "string", resources = SUMS,
    tasks = { M.task }, queued_tasks = { "any" }, completed_tasks = { M.task }, ["role?"] = "string",
    ["labels?"] = { M.label }, ["type?"] = "string",
}

local AGENT_FRAMEWORK = {
    id = "string", name = "string", user = "string", failover_timeout = "number", checkpoint = "boolean",
    hostname = "string", ["principal?"] = "string", ["role?"] = "string", ["roles?"] = { "string" },
    executors = { EXECUTOR }, completed_executors = { EXECUTOR },
}

M.agent_state = {
    version = "string", build_date = "string", build_time = "number", build_user = "string", start_time = "number",
    id = "string", pid = "string", hostname = "string", capabilities = { "string" }, ["domain?"] = "any",
    resources = SUMS, reserved_resources = SUMS_BY_ROLE, unreserved_resources = SUMS,
    reserved_resources_full = { ["*"] = { M.resource } }, unreserved_resources_full = { M.resource },
    reserved_resources_allocated = SUMS_BY_ROLE, unreserved_resources_allocated = SUMS, resource_providers = { "any" },
    attributes = "any", master_hostname = "string", flags = { ["*"] = "string" }, frameworks = { AGENT_FRAMEWORK },
    completed_frameworks = { AGENT_FRAMEWORK },
}

local RUNNING = {
    executor_id = "string", executor_name = "string", framework_id = "string", source = "string",
    statistics = { timestamp = "number", ["*"] = "number" },
}

M.statistics = { RUNNING }
M.containers = {
    with(RUNNING, {
        container_id = "string", status = { container_id = { value = "string" }, ["executor_pid?"] = "number" },
    }),
}

M.tasks = { tasks = { M.task } }
M.flags = { flags = { ["*"] = "string" } }
M.version = { version = "string", build_date = "string", build_time = "number", build_user = "string" }
M.metrics = { ["*"] = "number" }

return M
