-- SPDX-License-Identifier: Apache-2.0
--
-- Times as cron writes them: "minute hour day month weekday".
--
--     local cron = require "mesos.cron"
--     local weekdays_at_six = cron.parse "0 6 * * mon-fri"
--     print(os.date("!%c", weekdays_at_six:next(mesos.now())))
--
-- A field is *, a number, a range (1-5), a list (1,15,20-25), each of them with a step (*/10); months and weekdays have
-- their English names, too, and 7 is Sunday as 0 is. If day and weekday are both given, either will do, as in cron.
-- @hourly, @daily, @weekly, @monthly and @yearly are short for what they say.

local fields = require "mesos.fields"

---@class mesos.cron
local M = {}

-- The fields in their order, with the key of os.date's tables and how their numbers differ from cron's.
local FIELDS = {
    { name = "minute", key = "min", least = 0, most = 59 },
    { name = "hour", key = "hour", least = 0, most = 23 },
    { name = "day", key = "day", least = 1, most = 31 },
    {
        name = "month", key = "month", least = 1, most = 12,
        words = { jan = 1, feb = 2, mar = 3, apr = 4, may = 5, jun = 6, jul = 7, aug = 8, sep = 9, oct = 10, nov = 11,
            dec = 12 },
    },
    {
        name = "weekday", key = "wday", least = 0, most = 7, shift = 1,
        words = { sun = 0, mon = 1, tue = 2, wed = 3, thu = 4, fri = 5, sat = 6 },
    },
}

local SHORT = {
    ["@hourly"] = "0 * * * *", ["@daily"] = "0 0 * * *", ["@weekly"] = "0 0 * * 0", ["@monthly"] = "0 0 1 * *",
    ["@yearly"] = "0 0 1 1 *",
}

local function number_of(field, word, text)
    local number = field.words and field.words[word:lower()] or word:find("^%d+$") and tonumber(word)
    if not number or number < field.least or number > field.most then
        fields.raise("schedule '%s': '%s' is no %s (%d to %d)", text, word, field.name, field.least, field.most)
    end
    return number
end

-- Adds the numbers of one piece of a list to the set.
local function add_piece(field, piece, text, set)
    local range, step = piece:match("^(.-)/(%d+)$")
    local first, last = (range or piece):match("^(%w+)%-(%w+)$")
    if (range or piece) == "*" then
        first, last = field.least, field.key == "wday" and 6 or field.most
    else
        first = number_of(field, first or range or piece, text)
        last = last and number_of(field, last, text) or range and field.most or first
    end
    step = tonumber(step or 1)
    if first > last or step == 0 then
        fields.raise("schedule '%s': '%s' has no %s in it", text, piece, field.name)
    end
    for number = first, last, step do
        set[field.shift and number % 7 + field.shift or number] = true
    end
end

local function parse_field(field, word, text)
    local set = {}
    for piece in (word .. ","):gmatch("(.-),") do
        add_piece(field, piece, text, set)
    end
    return set
end

---@class mesos.cron.Schedule
---@field text string
---@field utc boolean
local Schedule = {}
Schedule.__index = Schedule

-- A schedule. Its times are in UTC, or in the time zone of the process; there, a time in the hour that is skipped in
-- spring does not come, and one in the hour that is repeated in autumn comes twice. Raises if the text is none.
---@param text string
---@param zone ("utc"|"local")? default: "utc"
---@return mesos.cron.Schedule
function M.parse(text, zone)
    fields.kind(text, "string", "schedule")
    if zone ~= nil and zone ~= "utc" and zone ~= "local" then
        fields.raise("schedule '%s': '%s' is no zone ('utc' or 'local')", text, tostring(zone))
    end
    local words, sets = {}, {}
    for word in (SHORT[text] or text):gmatch("%S+") do
        words[#words + 1] = word
    end
    if #words ~= #FIELDS then
        fields.raise("schedule '%s': five fields expected (minute hour day month weekday), got %d", text, #words)
    end
    for i, field in ipairs(FIELDS) do
        sets[field.key] = parse_field(field, words[i], text)
    end
    sets.either = words[3]:sub(1, 1) ~= "*" and words[5]:sub(1, 1) ~= "*"
    return setmetatable({ text = text, utc = zone ~= "local", sets = sets }, Schedule)
end

local function is_day(sets, date)
    local day, weekday = sets.day[date.day], sets.wday[date.wday]
    return sets.month[date.month] and (sets.either and (day or weekday) or day and weekday)
end

-- The seconds from a time to the next that may be right, or nil if it is.
local function step(sets, date)
    if not is_day(sets, date) then
        return (date.hour < 23 and (23 - date.hour) * 3600 or 3600) - date.min * 60
    elseif not sets.hour[date.hour] then
        return 3600 - date.min * 60
    elseif not sets.min[date.min] then
        return 60
    end
end

-- The first time after that one, in seconds since the Unix epoch; nil if there is none in the next nine years, as of
-- "0 0 31 2 *".
---@param after number
---@return number?
function Schedule:next(after)
    local time, limit = (after // 60 + 1) * 60, after + 9 * 366 * 86400
    while time < limit do
        local forward = step(self.sets, os.date(self.utc and "!*t" or "*t", math.tointeger(time)))
        if not forward then
            return time
        end
        time = time + forward
    end
    return nil
end

return M
