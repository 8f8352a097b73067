-- SPDX-License-Identifier: Apache-2.0
--
-- Tasks in short: a table with the words that a person would use becomes the TaskInfo that Mesos wants.
--
--     local task = require "mesos.task"
--     local web = { name = "web", command = "exec ./server --port $PORT", cpus = 0.5, mem = 64, ports = { "http" },
--       env = { MODE = "live" }, labels = { team = "a" }, health = { http = "/ready" }, grace = 10 }
--
--     local offer = offers:best_fit(task.need(web))
--     if offer then driver:launchTasks(offer.id, { task.info(web, "web-1", offers, offer) }) end
--
-- Everything that TaskInfo has beside is taken as it is under its own name: executor, container, discovery, data,
-- limits.

local mesos = require "mesos"
local fields = require "mesos.fields"

---@class mesos.task
local M = {}

---@class mesos.task.Check one of command, http and tcp; ports are numbers or names of `ports`, by default the first
---@field command string? exits with 0
---@field http string? a path that answers with a status of 200 to 399
---@field tcp boolean? the port accepts a connection
---@field port integer|string|nil
---@field delay number? seconds from the start of the task to the first check; default: 0
---@field interval number? seconds; default: 10
---@field timeout number? seconds; default: 20
---@field grace number? for a health check: failures count after so many seconds, or the first success; default: 10
---@field failures integer? for a health check: as many in a row end the task; default: 3

---@class mesos.task.Spec
---@field name string? default: the id
---@field command string? for a shell
---@field argv string[]? a program and its arguments, without a shell
---@field env table<string, string|number|boolean>?
---@field labels table<string, string|number|boolean>?
---@field uris (string|mesos.CommandInfo.URI)[]? fetched into the sandbox before the start
---@field image string? a Docker image, run by Mesos's own containerizer
---@field docker boolean? run the image by Docker
---@field user string? that runs the command
---@field cpus number? default: 0.1
---@field mem number? megabytes; default: 32
---@field disk number? megabytes
---@field gpus number?
---@field ports integer|string[]|nil how many, or names; in the environment: PORT (the first), PORT0, ..., PORT_NAME
---@field health mesos.task.Check? the task is killed when it fails
---@field check mesos.task.Check? only reported
---@field grace number? seconds from SIGTERM to SIGKILL when it is killed
---@field timeout number? seconds after which Mesos ends it as failed
---@field attributes table<string, string|number|(string|number)[]>? of the agent, as in mesos.Need
---@field role string? as in mesos.Need
---@field revocable boolean? as in mesos.Need
---@field resources table<string, number>? amounts of other resources
---@field executor mesos.ExecutorInfo?
---@field container mesos.ContainerInfo?
---@field discovery mesos.DiscoveryInfo?
---@field data string?
---@field limits table<string, number>? amounts that the task may use at most; math.huge: no limit

local SPEC = {
    name = "string", command = "string", argv = "list", env = "table", labels = "table", uris = "list",
    image = "string", docker = "boolean", user = "string",
    cpus = "amount", mem = "amount", disk = "amount", gpus = "amount",
    ports = "count|list", health = "table", check = "table", grace = "amount", timeout = "positive",
    attributes = "table", role = "string", revocable = "boolean", resources = "table", executor = "table",
    container = "table", discovery = "table", data = "string", limits = "table",
}

local CHECK = {
    command = "string", http = "string", tcp = "boolean", port = "count|string", delay = "amount",
    interval = "positive", timeout = "positive", grace = "amount", failures = "count",
}

local URI = { value = "string", executable = "boolean", extract = "boolean", cache = "boolean", output_file = "string" }

-- The names of the fields, each with its kinds, for modules whose own tables have those of a task as well.
---@type table<string, string>
M.FIELDS = SPEC

-- ---- checking ----

local function check_texts(map, path)
    for name, value in pairs(map) do
        fields.kind(name, "string", path .. ": a name")
        fields.kind(value, "string|number|boolean", path .. "." .. name)
    end
end

local function check_strings(list, path)
    for i, value in ipairs(list) do
        fields.kind(value, "string", ("%s[%d]"):format(path, i))
    end
end

local function port_names(spec)
    return type(spec.ports) == "table" and spec.ports or {}
end

local function port_count(spec)
    return type(spec.ports) == "table" and #spec.ports or spec.ports or 0
end

local function check_probe(probe, path, spec)
    fields.check(probe, CHECK, path)
    local kinds = (probe.command and 1 or 0) + (probe.http and 1 or 0) + (probe.tcp and 1 or 0)
    if kinds ~= 1 then
        fields.raise("%s: one of command, http and tcp expected, got %s", path, kinds == 0 and "none" or "several")
    end
    if probe.command or math.tointeger(probe.port) then
        return
    end
    local names = {}
    for _, name in ipairs(port_names(spec)) do
        names[name] = true
    end
    if probe.port and not names[probe.port] then
        fields.raise("%s.port: '%s' is no name of the task's ports%s", path, probe.port, fields.hint(probe.port, names))
    elseif port_count(spec) == 0 then
        fields.raise("%s: which port? The task has no ports: write port = NUMBER, or ports = 1 in the task", path)
    end
end

local function check_uris(uris, path)
    for i, uri in ipairs(uris) do
        local place = ("%s[%d]"):format(path, i)
        fields.kind(uri, "string|table", place)
        if type(uri) == "table" then
            fields.kind(fields.check(uri, URI, place).value, "string", place .. ".value")
        end
    end
end

local function check_amounts(map, path)
    for name, amount in pairs(map) do
        fields.kind(amount, "amount", path .. "." .. tostring(name))
    end
end

local function check_limits(map, path) -- math.huge is no limit
    for name, amount in pairs(map) do
        fields.kind(amount, "number", path .. "." .. tostring(name))
    end
end

-- Fields that are tables -> what checks them: (table, path, spec).
local PARTS = {
    argv = check_strings, ports = check_strings, env = check_texts, labels = check_texts, uris = check_uris,
    health = check_probe, check = check_probe, resources = check_amounts, limits = check_limits,
}

-- Raises if the table is no such task, with the path of the field that is wrong, and returns it otherwise.
---@param spec mesos.task.Spec
---@param path string? what errors call it; default: "task"
---@return mesos.task.Spec
function M.check(spec, path)
    path = path or "task"
    fields.check(spec, SPEC, path)
    if spec.command and spec.argv then
        fields.raise("%s: command is for a shell, argv for none; it has both", path)
    elseif not spec.command and not spec.argv and not spec.executor and not spec.image then
        fields.raise("%s: a command, argv, image or executor expected", path)
    elseif spec.argv and #spec.argv == 0 then
        fields.raise("%s.argv: a program expected, got an empty list", path)
    elseif spec.image and spec.container then
        fields.raise("%s: image makes a container, and there is one already; write the image into it", path)
    end
    for name, check in pairs(PARTS) do
        if type(spec[name]) == "table" then
            check(spec[name], path .. "." .. name, spec)
        end
    end
    return spec
end

-- ---- building ----

local function sorted_keys(map)
    local names = {}
    for name in pairs(map) do
        names[#names + 1] = name
    end
    table.sort(names)
    return names
end

-- Pairs under these two names, in the order of the first.
local function pairs_of(map, first, second)
    local list = {}
    for i, name in ipairs(sorted_keys(map)) do
        list[i] = { [first] = name, [second] = tostring(map[name]) }
    end
    return list
end

-- The numbers in the `ports` among resources.
local function ports_in(resources)
    local ports = {}
    for _, resource in ipairs(resources) do
        for _, range in ipairs(resource.name == "ports" and resource.ranges.range or {}) do
            for port = range.begin or range[1], range["end"] or range[2] do
                ports[#ports + 1] = port
            end
        end
    end
    return ports
end

local function add_ports(environment, spec, ports)
    environment.PORT = environment.PORT or ports[1]
    for i, port in ipairs(ports) do
        environment["PORT" .. i - 1] = port
        local name = port_names(spec)[i]
        if name then
            environment["PORT_" .. name:upper():gsub("[^%w]", "_")] = port
        end
    end
end

local function command_of(spec, ports)
    local environment, uris = {}, {}
    for name, value in pairs(spec.env or {}) do
        environment[name] = value
    end
    add_ports(environment, spec, ports)
    for i, uri in ipairs(spec.uris or {}) do
        uris[i] = type(uri) == "string" and { value = uri } or uri
    end
    return {
        shell = spec.argv == nil and spec.command ~= nil, value = spec.command or spec.argv and spec.argv[1],
        arguments = spec.argv, user = spec.user, uris = #uris > 0 and uris or nil,
        environment = next(environment) and { variables = pairs_of(environment, "name", "value") } or nil,
    }
end

local function port_of(spec, probe, ports)
    for i, name in ipairs(port_names(spec)) do
        if name == probe.port then
            return ports[i]
        end
    end
    return probe.port or ports[1]
end

local function probe_of(spec, probe, ports)
    local kind = probe.command and "COMMAND" or probe.http and "HTTP" or "TCP"
    return {
        type = kind, delay_seconds = probe.delay or 0,
        interval_seconds = probe.interval, timeout_seconds = probe.timeout,
        http = kind == "HTTP" and { port = port_of(spec, probe, ports), path = probe.http } or nil,
        tcp = kind == "TCP" and { port = port_of(spec, probe, ports) } or nil,
    }
end

local function health_of(spec, ports)
    local health = probe_of(spec, spec.health, ports)
    health.command = spec.health.command and { value = spec.health.command }
    health.grace_period_seconds, health.consecutive_failures = spec.health.grace, spec.health.failures
    return health
end

local function check_of(spec, ports)
    local check = probe_of(spec, spec.check, ports)
    check.command = spec.check.command and { command = { value = spec.check.command } }
    return check
end

local function container_of(spec)
    if not spec.image then
        return spec.container
    elseif spec.docker then
        return { type = "DOCKER", docker = { image = spec.image } }
    end
    return { type = "MESOS", mesos = { image = { type = "DOCKER", docker = { name = spec.image } } } }
end

local function duration(seconds)
    return seconds and { nanoseconds = math.tointeger(seconds * 1e9 // 1) }
end

-- What a list of offers is asked for (mesos.Need).
---@param spec mesos.task.Spec
---@return mesos.Need
function M.need(spec)
    local need = {}
    for name, amount in pairs(spec.resources or {}) do
        need[name] = amount
    end
    need.cpus, need.mem, need.disk, need.gpus = spec.cpus or 0.1, spec.mem or 32, spec.disk, spec.gpus
    need.ports = port_count(spec) > 0 and port_count(spec) or nil
    need.role, need.revocable, need.attributes = spec.role, spec.revocable, spec.attributes
    return need
end

-- The TaskInfo for resources that were taken already.
---@param spec mesos.task.Spec
---@param id mesos.TaskID
---@param agent_id mesos.AgentID
---@param resources mesos.Resource[] such as offers:take() returns
---@return mesos.TaskInfo
function M.build(spec, id, agent_id, resources)
    M.check(spec)
    local ports = ports_in(resources)
    return {
        name = spec.name or id, task_id = id, agent_id = agent_id, resources = resources, data = spec.data,
        command = (spec.command or spec.argv or spec.image) and command_of(spec, ports) or nil,
        executor = spec.executor, container = container_of(spec), discovery = spec.discovery, limits = spec.limits,
        labels = spec.labels and next(spec.labels) and { labels = pairs_of(spec.labels, "key", "value") } or nil,
        health_check = spec.health and health_of(spec, ports) or nil,
        check = spec.check and check_of(spec, ports) or nil,
        kill_policy = spec.grace and { grace_period = duration(spec.grace) } or nil,
        max_completion_time = duration(spec.timeout),
    }
end

-- Takes what the task needs from an offer of the list, and returns its TaskInfo; nil and a message if it does not fit.
---@param spec mesos.task.Spec
---@param id mesos.TaskID
---@param offers mesos.Offers
---@param offer mesos.Offer
---@return mesos.TaskInfo?
---@return string? message
function M.info(spec, id, offers, offer)
    M.check(spec)
    local resources, message = offers:take(offer, M.need(spec))
    if not resources then
        return nil, message
    end
    return M.build(spec, id, offer.agent_id, resources)
end

-- The TaskInfo on an offer that holds nothing else: the list is made on the spot.
---@param spec mesos.task.Spec
---@param id mesos.TaskID
---@param offer mesos.Offer
---@return mesos.TaskInfo?
---@return string? message
function M.on(spec, id, offer)
    return M.info(spec, id, mesos.offers { offer }, offer)
end

return M
