-- SPDX-License-Identifier: Apache-2.0
--
-- Whose turn it is: a queue of many users, in the order of priorities; within one priority the user who has the
-- smallest share is next, and within one user the oldest entry. Shares are dominant ones: of the resources that a
-- user has, the one of which that is the largest part of all counts (as in Mesos's allocator), divided by the user's
-- weight.
--
--     local fair = require("mesos.fair").new { weights = { alice = 2 } }
--     fair:add { number = 1, user = "alice", priority = 0 }
--     for entry in fair:each() do if start(entry) then fair:remove(entry) fair:use(entry.user, { cpus = 1 }) end end

local fields = require "mesos.fields"

---@class mesos.fair
local M = {}

---@class mesos.fair.Entry
---@field number integer its place in the order
---@field user string?
---@field priority number? higher ones come first; default: 0

---@class mesos.Fair
---@field count integer entries
local Fair = {}
Fair.__index = Fair

-- An empty queue.
---@param options { weights: table<string, number>? }?
---@return mesos.Fair
function M.new(options)
    options = fields.check(options or {}, { weights = "table" }, "fair")
    for user, weight in pairs(options.weights or {}) do
        fields.kind(weight, "positive", "fair.weights." .. tostring(user))
    end
    return setmetatable({ weights = options.weights or {}, used = {}, total = {}, levels = {}, count = 0 }, Fair)
end

local function list_of(self, entry)
    local priority, user = entry.priority or 0, entry.user or ""
    local level = self.levels[priority] or {}
    self.levels[priority] = level
    level[user] = level[user] or {}
    return level[user], level, priority, user
end

-- The place of the first entry with that number or a higher one.
local function place_of(list, number)
    local first, last = 1, #list + 1
    while first < last do
        local middle = (first + last) // 2
        if list[middle].number < number then
            first = middle + 1
        else
            last = middle
        end
    end
    return first
end

-- Adds an entry, whose number is none that the user's entries of this priority have.
---@param entry mesos.fair.Entry
function Fair:add(entry)
    local list = list_of(self, entry)
    table.insert(list, place_of(list, entry.number), entry)
    self.count = self.count + 1
end

-- Removes an entry, if it is there. This may be done in a loop over each().
---@param entry mesos.fair.Entry
---@return boolean
function Fair:remove(entry)
    local list, level, priority, user = list_of(self, entry)
    local place = place_of(list, entry.number)
    local found = list[place] ~= nil and list[place].number == entry.number
    if found then
        table.remove(list, place)
        self.count = self.count - 1
    end
    if #list == 0 then
        level[user] = nil
        self.levels[priority] = next(level) and level or nil
    end
    return found
end

-- Counts amounts as the user's, or, if they are negative, no longer.
---@param user string?
---@param amounts table<string, number>
---@param sign integer? -1: gives them back
function Fair:use(user, amounts, sign)
    local used = self.used[user or ""] or {}
    self.used[user or ""] = used
    for name, amount in pairs(amounts) do
        used[name] = (used[name] or 0) + amount * (sign or 1)
    end
end

-- What there is of each resource, of which shares are parts. A resource that is not named here does not count.
---@param amounts table<string, number>
function Fair:of(amounts)
    self.total = amounts
end

-- The user's dominant share, divided by the weight.
---@param user string?
---@return number
function Fair:share(user)
    local most = 0
    for name, amount in pairs(self.used[user or ""] or {}) do
        local total = self.total[name] or 0
        most = total > 0 and math.max(most, amount / total) or most
    end
    return most / (self.weights[user or ""] or 1)
end

local function priorities(self)
    local list = {}
    for priority in pairs(self.levels) do
        list[#list + 1] = priority
    end
    table.sort(list, function(a, b) return a > b end)
    return list
end

-- The user of the level who is next, by share and then by the number of the entry; nil when all have had their turn.
local function next_user(self, level, cursors)
    local best, least, number
    for user, list in pairs(level) do
        local entry = list[cursors[user] or 1]
        local share = entry and self:share(user)
        if entry and (not best or share < least or share == least and entry.number < number) then
            best, least, number = user, share, entry.number
        end
    end
    return best
end

-- Visits all entries in the order of turns, each once; shares count as they are when it is asked for the next one.
---@return fun(): mesos.fair.Entry?
function Fair:each()
    local order, at, cursors = priorities(self), 1, {}
    local last, last_user
    return function()
        while order[at] do
            local level = self.levels[order[at]] or {}
            -- The last one counts as passed, unless it was removed, and another moved to its place.
            if last and level[last_user] and level[last_user][cursors[last_user] or 1] == last then
                cursors[last_user] = (cursors[last_user] or 1) + 1
            end
            last_user = next_user(self, level, cursors)
            last = last_user and level[last_user][cursors[last_user] or 1]
            if last then
                return last
            end
            at, cursors = at + 1, {}
        end
    end
end

return M
