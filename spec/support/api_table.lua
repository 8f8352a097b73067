-- SPDX-License-Identifier: Apache-2.0
--
-- Makes the tables of callbacks and operations in spec/CALLBACKS.md from the code: what is registered there, with its
-- name in scheduler.hpp, its event or call, an example and a spec that use it. A name without an example or a spec is an
-- error. Run it after a change (a spec compares):
--
--   lua5.4 spec/support/api_table.lua

local M = {}

local DOCUMENT = "spec/CALLBACKS.md"
local FIRST, LAST = "<!-- made by spec/support/api_table.lua -->", "<!-- up to here -->"

-- The names that scheduler.hpp has too.
local SCHEDULER = [[ registered reregistered disconnected resourceOffers offerRescinded statusUpdate frameworkMessage
    slaveLost executorLost error ]]
local DRIVER = [[ start stop abort join run requestResources launchTasks killTask acceptOffers declineOffer reviveOffers
    suppressOffers acknowledgeStatusUpdate sendFrameworkMessage reconcileTasks updateFramework ]]

-- Callbacks that events.c does not name, or for which the type of the event is not enough.
local EVENTS = {
    reregistered = "SUBSCRIBED", disconnected = "the end of the stream", executorLost = "FAILURE, with an executor",
    slaveLost = "FAILURE, without an executor", frameworkRemoved = "ERROR, of a completed framework",
    reloaded = "a new version of the script", submit = "`ctl submit`",
}

-- The calls of operations that do more than fill in the message of a call.
local CALLS = {
    start = "SUBSCRIBE", run = "SUBSCRIBE", reconnect = "SUBSCRIBE", stop = "TEARDOWN", abort = "the stream is closed",
    join = "", status = "", offers = "", explain = "", task = "", tasks = "", taskCounts = "", output = "",
    frameworkId = "", master = "",
    launchTasks = "ACCEPT", acceptOffers = "ACCEPT", declineOffer = "DECLINE", reviveOffers = "REVIVE",
    suppressOffers = "SUPPRESS", killTask = "KILL", reconcileTasks = "RECONCILE",
    acknowledgeStatusUpdate = "ACKNOWLEDGE", acknowledgeOperationStatus = "ACKNOWLEDGE_OPERATION_STATUS",
    updateFramework = "UPDATE_FRAMEWORK",
}

local function read(path)
    local file <close> = assert(io.open(path, "rb"))
    return file:read("a")
end

local function listing(pattern)
    local list <close> = assert(io.popen(("ls %s | LC_ALL=C sort"):format(pattern)))
    local files = {}
    for path in list:lines() do
        files[#files + 1] = { path = path, text = read(path) }
    end
    return files
end

-- ---- from the code ----

-- The callbacks in their order, each with its event: { name =, what = }
function M.callbacks()
    local text, events, rows = read("host/mesos/events.c"), {}, {}
    for event, callback in text:gmatch("\n    ROW%(([%u_]+), CALLBACK_([%u_]+)") do
        events[callback] = event
    end
    for callback, name in text:gmatch('%[CALLBACK_([%u_]+)%] = "(%a+)"') do
        rows[#rows + 1] = { name = name, what = EVENTS[name] or assert(events[callback], "no event: " .. name) }
    end
    assert(#rows > 0, "no names of callbacks in host/mesos/events.c")
    return rows
end

-- The operations in their order, each with its call.
function M.operations()
    local text, rows = read("bindings/scheduler/driver_methods.c"), {}
    local methods = assert(text:match("static const luaL_Reg methods%[%] = {(.-)\n};"))
    for name in methods:gmatch('{"(%a+)"') do
        rows[#rows + 1] = { name = name, what = assert(CALLS[name], "no call: " .. name) }
    end
    local generic = assert(text:match("static const struct offer_operation operations%[%] = {(.-)\n};"))
    for name, call in generic:gmatch('{"(%a+)",%s*CALL_([%u_]+)') do
        rows[#rows + 1] = { name = name, what = call }
    end
    return rows
end

-- ---- where they are used ----

-- A path of the tree as a link in the document, which is in spec/.
local function from_document(path)
    return path:match("^spec/(.*)") or "../" .. path
end

local function uses(text, patterns)
    local count = 0
    for _, pattern in ipairs(patterns) do
        count = count + select(2, text:gsub(pattern, ""))
    end
    return count
end

local function share(text, patterns)
    return uses(text, patterns) / #text
end

-- A link to the file that uses the name most, by `weigh`; to the one that was chosen before as long as it uses the name.
local function find(files, patterns, what, weigh, chosen)
    local best, most = nil, 0
    for _, file in ipairs(files) do
        local weight = weigh(file.text, patterns)
        if file.path == chosen and weight > 0 then
            weight = math.huge
        end
        if weight > most then
            best, most = file, weight
        end
    end
    if not best then
        error("nothing in " .. what .. " uses " .. patterns.name, 0)
    end
    return ("[%s](%s)"):format(best.path:match("([^/]+)%.lua$"), from_document(best.path))
end

-- The paths of the example and the spec that the document names now, or nil.
local function choices(name, current)
    local line = ("\n" .. current .. "\n"):match("\n| `" .. name .. "` ([^\n]*)") or ""
    local spec = line:match("%(([%w_/]+_spec%.lua)%)")
    return line:match("%(%.%./(examples/[^)]*)%)"), spec and "spec/" .. spec
end

local function row(name, own_name, what, patterns, places)
    local example, spec = choices(name, places.current)
    patterns.name = name
    return ("| `%s` | %s | %s | %s | %s |"):format(name, own_name and "`" .. own_name .. "`" or "", what,
        find(places.examples, patterns, "examples/", share, example), find(places.specs, patterns, "spec/", uses, spec))
end

local function has(words, name)
    return words:find("%s" .. name .. "%s") ~= nil
end

local function table_of(title, rows, class, words, patterns_of, places)
    local lines = {
        ("| %s | C++ | %s | example | spec |"):format(title, title == "callback" and "event" or "call"),
        "|---|---|---|---|---|",
    }
    for _, each in ipairs(rows) do
        lines[#lines + 1] = row(each.name, has(words, each.name) and class .. "::" .. each.name, each.what,
            patterns_of(each.name), places)
    end
    return table.concat(lines, "\n")
end

local function callback_patterns(name)
    return { "function [%w_]+:" .. name .. "%(", "%f[%w]" .. name .. " = function%(" }
end

local function operation_patterns(name)
    return { "[%w_]:" .. name .. "%s*[%({]", "%f[%w]driver%." .. name .. "%f[%W]" }
end

-- The two tables as text.
function M.text()
    local places = {
        examples = listing("examples/*.lua"),
        specs = listing("spec/conformance/*_spec.lua spec/known_issues_spec.lua spec/driver_spec.lua spec/reload_spec.lua "
            .. "spec/state_file_spec.lua spec/task_list_spec.lua spec/submit_spec.lua spec/explain_spec.lua "
            .. "spec/task_output_spec.lua"),
        current = (M.current()),
    }
    return table_of("callback", M.callbacks(), "Scheduler", SCHEDULER, callback_patterns, places) .. "\n\n"
        .. table_of("operation", M.operations(), "SchedulerDriver", DRIVER, operation_patterns, places)
end

-- The tables as they are in the document, and the text before and after them.
function M.current()
    local text = read(DOCUMENT)
    local _, first = text:find(FIRST .. "\n\n", 1, true)
    local last = assert(text:find("\n\n" .. LAST, 1, true), DOCUMENT .. " lacks the marks")
    return text:sub(first + 1, last - 1), text:sub(1, first), text:sub(last)
end

if arg and arg[0]:find("api_table%.lua$") then
    local _, before, behind = M.current()
    local text = before .. M.text() .. behind
    local file <close> = assert(io.open(DOCUMENT, "wb"))
    file:write(text)
end

return M
