-- SPDX-License-Identifier: Apache-2.0
--
-- Who may include what. The rooms are floors, and no arrow runs back; a library is known to the one room that is
-- there for it. Run by the build with the root of the tree as argument: prints file:line and the rule that is
-- broken, and fails.
--
--   base <- loop <- net <- mesos <- cluster        base, loop <- script
--   script, mesos, cluster <- bindings             everything <- host/*.c (main, options, host, control)

local root = arg[1] or "."

-- Room -> the rooms whose headers it may include, besides its own and base.
local MAY_INCLUDE = {
    base = {},
    loop = {},
    net = { "loop" },
    mesos = { "loop", "net" },
    cluster = { "loop", "net", "mesos" },
    script = { "loop" },
    bindings = { "loop", "net", "mesos", "cluster", "script" },
    include = {},
    host = { "loop", "net", "mesos", "cluster", "script", "bindings", "include" },
}

-- Library header -> patterns of the files that may include it.
local LIBRARIES = {
    ["^lua%.h$"] = { "^host/script/", "^bindings/" },
    ["^lualib%.h$"] = { "^host/script/", "^bindings/" },
    ["^lauxlib%.h$"] = { "^host/script/", "^bindings/" },
    ["^curl/"] = { "^host/net/" },
    ["^openssl/"] = { "^host/net/" },
    ["^zookeeper"] = { "^host/mesos/zookeeper_session%.c$" },
    ["^microhttpd%.h$"] = { "^host/net/http_server%.[ch]$" },
    ["^editline/"] = { "^host/line_editor%.c$" },
    ["^uv%.h$"] = {
        "^host/loop/", "^host/net/", "^host/mesos/detector[%w_]*%.[ch]$",
        "^host/mesos/zookeeper_session%.c$", "^host/control%.c$",
    },
}

-- Headers of the program itself that lie beside main.c and are nobody's room.
local function room_of(path)
    return path:match("^host/(%w+)/") or path:match("^(bindings)/") or "host"
end

local function contains(list, wanted)
    for _, item in ipairs(list) do
        if item == wanted then
            return true
        end
    end
    return false
end

local function matches_any(path, patterns)
    for _, pattern in ipairs(patterns) do
        if path:find(pattern) then
            return true
        end
    end
    return false
end

-- The room that a quoted include belongs to, or nil for what is not a room's (generated messages).
local function included_room(name)
    local room = name:match("^(%w+)/")
    if not room then
        return "host"
    end
    if name:find("^mesos/v1/.*%.pb%-c%.h$") then
        return nil
    end
    return MAY_INCLUDE[room] and room or "unknown"
end

-- Returns the rule that the include breaks, or nil.
local function broken_rule(path, name, quoted)
    for header, places in pairs(LIBRARIES) do
        if name:find(header) and not matches_any(path, places) then
            return ("<%s> belongs to files that match %s"):format(name, table.concat(places, " or "))
        end
    end
    if not quoted then
        return nil
    end
    local room, target = room_of(path), included_room(name)
    if room == "include" and target == "host" and name:find("^mesos_") then
        return nil -- they are installed side by side
    end
    if target == "unknown" then
        return ('"%s" is neither relative to host/ nor to the root'):format(name)
    end
    if target and target ~= room and target ~= "base" and not contains(MAY_INCLUDE[room], target) then
        local allowed = table.concat(MAY_INCLUDE[room], ", ")
        return ('%s may not include "%s": of the other rooms it may include base%s%s only'):format(room, name,
            allowed ~= "" and ", " or "", allowed)
    end
    return nil
end

local function check(path)
    local file <close> = assert(io.open(root .. "/" .. path))
    local broken, number = 0, 0
    for line in file:lines() do
        number = number + 1
        local open, name = line:match('^%s*#%s*include%s*([<"])([^>"]+)[>"]')
        local rule = name and broken_rule(path, name, open == '"')
        if rule then
            io.stderr:write(("%s:%d: %s\n"):format(path, number, rule))
            broken = broken + 1
        end
    end
    return broken
end

local function sources()
    local list <close> = assert(io.popen(("cd '%s' && find host bindings -name '*.[ch]' | LC_ALL=C sort"):format(root)))
    local paths = {}
    for path in list:lines() do
        paths[#paths + 1] = path
    end
    return paths
end

local broken = 0
for _, path in ipairs(sources()) do
    if not MAY_INCLUDE[room_of(path)] then
        io.stderr:write(("%s:1: '%s' is not a room of the house\n"):format(path, room_of(path)))
        broken = broken + 1
    else
        broken = broken + check(path)
    end
end
if broken > 0 then
    os.exit(1)
end
