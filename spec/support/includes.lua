-- SPDX-License-Identifier: Apache-2.0
--
-- The rooms of the house, who may include what, and which names are unique. No arrow runs back, and a library's
-- header is included only in the room that is there for it. The build runs this with the root of the tree as its
-- argument; it prints file:line and the rule that is broken, and fails.
--
-- The rows stand in the order of the floors: a room may include only rooms of rows above its own.

local root = arg[1] or "."

-- Room, and the rooms whose headers it may include, besides its own and base.
local ROOMS = {
    { "base" },
    { "include" },
    { "loop" },
    { "wire" },
    { "net", "loop" },
    { "script", "loop" },
    { "offers", "wire" },
    { "tasks", "loop", "wire" },
    { "leader", "loop", "net", "wire" },
    { "mesos", "loop", "net", "wire", "leader", "offers", "tasks" },
    { "executor", "loop", "net", "wire", "leader", "tasks", "mesos" },
    { "agent", "loop", "net", "wire", "offers" },
    { "master", "loop", "wire", "offers", "agent" },
    { "operator", "loop", "net", "wire", "offers", "agent", "master" },
    { "cluster", "loop", "net", "wire", "leader", "offers", "mesos", "agent", "master", "operator" },
    { "sim", "loop", "wire", "offers", "agent", "master" },
    { "bindings/core", "script", "wire" },
    { "bindings/message", "script", "wire", "bindings/core" },
    { "bindings/offers", "script", "wire", "offers", "bindings/core", "bindings/message" },
    { "bindings/scheduler", "script", "loop", "net", "wire", "offers", "tasks", "mesos", "bindings/core",
        "bindings/message", "bindings/offers" },
    { "bindings/executor", "script", "loop", "wire", "executor", "mesos", "bindings/core", "bindings/message" },
    { "bindings/lib", "script", "loop", "net", "wire", "mesos", "bindings/core", "bindings/message",
        "bindings/scheduler" },
    { "bindings", "script", "bindings/core", "bindings/message", "bindings/offers", "bindings/scheduler",
        "bindings/lib" },
    { "bindings/testing", "script", "loop", "net", "wire", "leader", "offers", "mesos", "agent", "master", "cluster",
        "bindings", "bindings/core", "bindings/message", "bindings/scheduler", "bindings/lib" },
    { "bindings/sim", "script", "loop", "net", "wire", "leader", "offers", "mesos", "agent", "master", "cluster", "sim",
        "bindings", "bindings/core", "bindings/message", "bindings/scheduler", "bindings/lib", "bindings/testing" },
    { "ops", "loop", "net", "wire", "offers", "tasks", "mesos", "cluster", "script", "bindings/core",
        "bindings/message", "bindings/scheduler", "bindings/lib" },
    { "app", "loop", "net", "wire", "leader", "mesos", "executor", "cluster", "script", "bindings",
        "bindings/scheduler", "bindings/executor", "bindings/lib", "bindings/testing", "ops" },
    { "bindings/loadable", "script", "loop", "net", "app", "bindings", "bindings/scheduler", "bindings/testing" },
    { "api", "include", "loop", "net", "wire", "leader", "offers", "mesos", "executor", "script", "app" },
    { "cli", "loop", "ops", "app", "script", "bindings/sim" },
}

-- Library header -> patterns of the files that may include it.
local LIBRARIES = {
    ["^lua%.h$"] = { "^host/script/", "^bindings/" },
    ["^lualib%.h$"] = { "^host/script/", "^bindings/" },
    ["^lauxlib%.h$"] = { "^host/script/", "^bindings/" },
    ["^curl/"] = { "^host/net/" },
    ["^openssl/"] = { "^host/net/" },
    ["^csv%.h$"] = { "^bindings/sim/csv_reader%.c$" },
    ["^zookeeper"] = { "^host/leader/zookeeper_session%.c$" },
    ["^microhttpd%.h$"] = { "^host/net/http_server%.[ch]$" },
    ["^editline/"] = { "^host/cli/line_editor%.c$" },
    ["^uv%.h$"] = {
        "^host/loop/", "^host/net/", "^host/agent/runner_process%.[ch]$", "^host/agent/network_probes%.c$",
        "^host/leader/detector[%w_]*%.[ch]$",
        "^host/leader/zookeeper_session%.c$", "^host/ops/control%.c$",
    },
}

local MAY_INCLUDE, broken = {}, 0

local function complain(path, line, rule)
    io.stderr:write(("%s:%d: %s\n"):format(path, line, rule))
    broken = broken + 1
end

for _, row in ipairs(ROOMS) do
    local allowed = { base = true, [row[1]] = true }
    for i = 2, #row do
        if not MAY_INCLUDE[row[i]] then
            error(("the room %s may not include %s: it stands below"):format(row[1], row[i]))
        end
        allowed[row[i]] = true
    end
    MAY_INCLUDE[row[1]] = allowed
end

local function room_of(path)
    return path:match("^host/(%w+)/") or path:match("^(bindings/%w+)/") or path:match("^(bindings)/")
end

local function matches_any(path, patterns)
    for _, pattern in ipairs(patterns) do
        if path:find(pattern) then
            return true
        end
    end
    return false
end

-- The room that a quoted include belongs to; nil for generated messages.
local function included_room(name)
    if name:find("^mesos/v1/.*%.pb%-c%.h$") then
        return nil
    end
    if name:find("^mesos_%w+%.h$") then
        return "include"
    end
    local room = name:match("^(bindings/%w+)/") or name:match("^(%w+)/")
    return MAY_INCLUDE[room] and room or "unknown"
end

-- Returns the rule that the include breaks, or nil.
local function broken_rule(path, name, quoted)
    for header, places in pairs(LIBRARIES) do
        if name:find(header) and not matches_any(path, places) then
            return ("<%s> belongs to files that match %s"):format(name, table.concat(places, " or "))
        end
    end
    local target = quoted and included_room(name)
    if not target then
        return nil
    end
    if target == "unknown" then
        return ('"%s" is neither relative to host/ nor to the root'):format(name)
    end
    if not MAY_INCLUDE[room_of(path)][target] then
        return ('%s may not include "%s": see the row of that room in spec/support/includes.lua'):format(room_of(path),
            name)
    end
    return nil
end

-- Name -> where it was first seen; of files without their ending, and of types.
local files, types = {}, {}

-- No two rooms share the name of a file, nor that of a type.
local function check_unique(seen, what, name, path, line)
    local room = room_of(path)
    if seen[name] and seen[name].room ~= room then
        complain(path, line, ("%s '%s' is in %s already"):format(what, name, seen[name].path))
    end
    seen[name] = seen[name] or { room = room, path = path }
end

local function check_file(path)
    local file <close> = assert(io.open(root .. "/" .. path))
    local number = 0
    for line in file:lines() do
        number = number + 1
        local open, name = line:match('^%s*#%s*include%s*([<"])([^>"]+)[>"]')
        local rule = name and broken_rule(path, name, open == '"')
        if rule then
            complain(path, number, rule)
        end
        local tag = line:match("^struct ([%w_]+) {") or line:match("^enum ([%w_]+) {")
        if tag then
            check_unique(types, "a type", tag, path, number)
        end
    end
    if room_of(path) ~= "include" then
        check_unique(files, "a file", path:match("([%w_]+)%.[ch]$"), path, 1)
    end
end

local function sources()
    local list <close> = assert(io.popen(("cd '%s' && find host bindings -name '*.[ch]' | LC_ALL=C sort"):format(root)))
    local paths = {}
    for path in list:lines() do
        paths[#paths + 1] = path
    end
    return paths
end

for _, path in ipairs(sources()) do
    if MAY_INCLUDE[room_of(path)] then
        check_file(path)
    else
        complain(path, 1, "this folder is not a room of the house")
    end
end
if broken > 0 then
    os.exit(1)
end
