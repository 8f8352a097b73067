-- SPDX-License-Identifier: Apache-2.0
--
-- Where a task goes: packed or spread, under Marathon's constraints, alone or as one of a gang that starts whole or not
-- at all.
--
--     local placement = require "mesos.placement"
--     local offer = placement.choose(offers, { cpus = 1, mem = 128 }, {
--       policy = "spread", constraints = { "rack:GROUP_BY:3", "@zone:LIKE:eu-[12]" }, placed = placed })
--     if offer then placed[#placed + 1] = placement.facts(offer, constraints) end
--
-- A constraint is a text "FIELD:OPERATOR:VALUE" or a list of the three. The field is an attribute of the agent,
-- hostname (@hostname), @region or @zone. `placed` has the facts of the tasks that run already and that the new one
-- must be placed beside; they are plain data, for mesos.state.
--
--   UNIQUE         no two tasks have the same value          MAX_PER:N    at most N have the same
--   CLUSTER        all have the value of the first           CLUSTER:V    all have the value V, as IS:V
--   GROUP_BY       as many on each value as on any other     GROUP_BY:N   the same, with N values at least
--   LIKE:R         the value matches a regular expression    UNLIKE:R     it does not, or there is none
--   IS:V           the value is V

local mesos = require "mesos"
local fields = require "mesos.fields"
local regex = require "mesos.regex"

---@class mesos.placement
local M = {}

---@alias mesos.Facts table<string, string|number>

---@class mesos.placement.Constraint
---@field field string
---@field operator string
---@field value string|integer|nil

---@class mesos.placement.Options
---@field policy ("pack"|"spread"|"first")? default: "pack", the fullest offer that fits (best_fit)
---@field constraints (string|string[])[]?
---@field placed mesos.Facts[]? of the tasks that the constraints compare with

local OPTIONS = { policy = "string", constraints = "list", placed = "table" }
local METHODS = { pack = "best_fit", spread = "worst_fit", first = "first_fit" }

-- Operator -> what its value is: "text", "count", "optional" ones of these, or nothing.
local VALUES = {
    UNIQUE = "none", CLUSTER = "optional text", GROUP_BY = "optional count", LIKE = "text", UNLIKE = "text",
    MAX_PER = "count", IS = "text",
}

-- ---- facts ----

local function domain_of(offer, part)
    local domain = offer.domain and offer.domain.fault_domain
    return domain and domain[part] and domain[part].name
end

local SPECIAL = {
    hostname = function(offer) return offer.hostname end,
    ["@hostname"] = function(offer) return offer.hostname end,
    ["@region"] = function(offer) return domain_of(offer, "region") end,
    ["@zone"] = function(offer) return domain_of(offer, "zone") end,
}

-- A text, or nil: sets and ranges have no value to compare.
local function value_of(offer, field)
    local value
    if SPECIAL[field] then
        value = SPECIAL[field](offer)
    else
        value = offer:attribute(field)
    end
    return type(value) == "number" and ("%.14g"):format(value) or type(value) == "string" and value or nil
end

-- What a later placement has to know of a task on this offer: its host, region, zone, and what the constraints look at.
---@param offer mesos.Offer
---@param constraints (string|string[])[]?
---@return mesos.Facts
function M.facts(offer, constraints)
    local facts = { agent_id = offer.agent_id }
    for name in pairs(SPECIAL) do
        facts[name] = value_of(offer, name)
    end
    for _, constraint in ipairs(M.constraints(constraints)) do
        facts[constraint.field] = value_of(offer, constraint.field)
    end
    return facts
end

-- ---- constraints ----

local function words_of(constraint, path)
    if type(constraint) == "table" then
        return table.unpack(constraint)
    end
    fields.kind(constraint, "string", path)
    local field, rest = constraint:match("^(@?[^:]+):(.+)$")
    local operator, value = (rest or ""):match("^([^:]+):?(.*)$")
    return field, operator, value ~= "" and value or nil
end

local function check_value(operator, value, path)
    local wanted = VALUES[operator]
    if value == nil and not wanted:find("^optional") and wanted ~= "none" then
        fields.raise("%s: %s needs a value behind it", path, operator)
    elseif value ~= nil and wanted == "none" then
        fields.raise("%s: %s has no value", path, operator)
    elseif value ~= nil and wanted:find("count") then
        local number = math.tointeger(tonumber(value))
        return number and number > 0 and number
            or fields.raise("%s: a whole number above 0 expected behind %s, got '%s'", path, operator, tostring(value))
    end
    return value ~= nil and tostring(value) or nil
end

local checked = setmetatable({}, { __mode = "k" }) -- list of constraints -> what constraints() returned

-- The constraints in their parts. Raises if one of them is none, with its number in the list.
---@param list (string|string[])[]?
---@return mesos.placement.Constraint[]
function M.constraints(list)
    if list and checked[list] then
        return checked[list]
    end
    local result = {}
    for i, constraint in ipairs(list or {}) do
        local path = ("constraints[%d]"):format(i)
        local field, operator, value = words_of(constraint, path)
        if not field or not operator then
            fields.raise("%s: \"FIELD:OPERATOR\" or \"FIELD:OPERATOR:VALUE\" expected", path)
        elseif not VALUES[operator] then
            fields.raise("%s: there is no operator '%s'%s", path, operator, fields.hint(operator, VALUES))
        elseif field:find("^@") and not SPECIAL[field] then
            fields.raise("%s: '%s' is none of @hostname, @region and @zone", path, field)
        end
        value = check_value(operator, value, path)
        result[i] = { field = field, operator = operator, value = value }
        if operator == "LIKE" or operator == "UNLIKE" then
            regex.patterns(value)
        end
    end
    if list then
        checked[list] = result
    end
    return result
end

-- What the placed tasks say about a field: how many have each value, and the first value that there is.
local function count_values(placed, field)
    local census = { counts = {}, groups = 0 }
    for _, facts in ipairs(placed) do
        local value = facts[field]
        if value ~= nil then
            census.first = census.first == nil and value or census.first
            census.groups = census.groups + (census.counts[value] and 0 or 1)
            census.counts[value] = (census.counts[value] or 0) + 1
        end
    end
    return census
end

-- The smallest of the counts. Values of the offers count, with no task on them.
local function smallest(census, field, offers)
    local least = math.huge
    for _, offer in ipairs(offers) do
        local value = value_of(offer, field)
        if value and not census.counts[value] then
            census.counts[value], census.groups = 0, census.groups + 1
        end
    end
    for _, count in pairs(census.counts) do
        least = math.min(least, count)
    end
    return least
end

-- (value on the offer, constraint, what the placed tasks say about its field, offers) -> may the task go there?
local OPERATORS = {
    UNIQUE = function(value, _, census) return (census.counts[value] or 0) == 0 end,
    CLUSTER = function(value, constraint, census)
        local wanted = constraint.value or census.first
        return wanted == nil or value == wanted
    end,
    GROUP_BY = function(value, constraint, census, offers)
        census.least = census.least or smallest(census, constraint.field, offers)
        local least = census.groups < (constraint.value or 0) and 0 or census.least
        return (census.counts[value] or 0) <= least
    end,
    LIKE = function(value, constraint) return regex.matches(value, constraint.value) end,
    UNLIKE = function(value, constraint) return not regex.matches(value, constraint.value) end,
    MAX_PER = function(value, constraint, census) return (census.counts[value] or 0) < constraint.value end,
    IS = function(value, constraint) return value == constraint.value end,
}

local function text_of(constraint)
    return constraint.field .. ":" .. constraint.operator .. (constraint.value and ":" .. constraint.value or "")
end

-- A function that judges offers for one task: the placed ones are counted once.
local function judge(constraints, placed, offers)
    local known = {}
    return function(offer)
        for _, constraint in ipairs(constraints) do
            local field, fits = constraint.field, constraint.operator == "UNLIKE"
            local value = value_of(offer, field)
            if value ~= nil then
                known[field] = known[field] or count_values(placed, field)
                fits = OPERATORS[constraint.operator](value, constraint, known[field], offers)
            end
            if not fits then
                return false, text_of(constraint)
            end
        end
        return true
    end
end

-- True if the constraints let a task go to the offer; otherwise false and the first that does not. The offers are those
-- that GROUP_BY may compare it with.
---@param constraints (string|string[])[]?
---@param offer mesos.Offer
---@param placed mesos.Facts[]?
---@param offers mesos.Offer[]?
---@return boolean
---@return string? constraint
function M.allows(constraints, offer, placed, offers)
    return judge(M.constraints(constraints), placed or {}, offers or {})(offer)
end

-- ---- choosing ----

-- A need with the constraints in its `where`; refused[1] becomes the constraint that refused an offer last.
local function constrained(need, options, offers, refused)
    if not options.constraints or #options.constraints == 0 then
        return need
    end
    local copy = {}
    for name, value in pairs(need) do
        copy[name] = value
    end
    local allows = judge(M.constraints(options.constraints), options.placed or {}, offers)
    copy.where = function(offer)
        local fits, constraint = allows(offer)
        refused[1] = not fits and constraint or refused[1]
        return fits and (not need.where or need.where(offer))
    end
    return copy
end

local function check_options(options)
    options = fields.check(options or {}, OPTIONS, "placement")
    if options.policy and not METHODS[options.policy] then
        fields.raise("placement.policy: one of pack, spread and first expected, got '%s'", options.policy)
    end
    return options
end

local function choose(offers, need, options)
    local refused = {}
    local method = METHODS[options.policy or "pack"]
    local offer, reason = offers[method](offers, constrained(need, options, offers, refused))
    return offer, not offer and refused[1] and "constraint " .. refused[1] or reason
end

-- The offer that a task with this need goes to, or nil and the reason: what is short, or the constraint. Nothing is
-- taken from it: offers:take(), or task.info(), does that.
---@param offers mesos.Offers
---@param need mesos.Need
---@param options mesos.placement.Options?
---@return mesos.Offer?
---@return string? reason
function M.choose(offers, need, options)
    return choose(offers, need, check_options(options))
end

-- ---- gangs ----

-- A list of the same offers, with as much left in each; what is taken from it is not missing in the other.
local function rehearsal(offers)
    local copy = mesos.offers(table.move(offers, 1, #offers, 1, {}))
    for _, offer in ipairs(offers) do
        local taken, used = {}, false
        for name, left in pairs(copy:left(offer)) do
            local amount = left - offers:left(offer, name)
            if amount > 0 then
                taken[name], used = name == "ports" and math.tointeger(amount) or amount, true
            end
        end
        if used then
            copy:take(offer, taken)
        end
    end
    return copy
end

---@class mesos.placement.Member
---@field need mesos.Need
---@field offer mesos.Offer
---@field resources mesos.Resource[] taken from it

-- Places all of these needs at once, each on the best offer that is left, in their order; they may go to several
-- agents. Either each has its offer and its resources, which are taken, or nothing is taken, and nil and the reason
-- come back.
---@param offers mesos.Offers
---@param needs mesos.Need[]
---@param options mesos.placement.Options?
---@return mesos.placement.Member[]? members in the order of the needs
---@return string? reason
function M.gang(offers, needs, options)
    options = check_options(options)
    local trial, members = rehearsal(offers), {}
    local placed = table.move(options.placed or {}, 1, #(options.placed or {}), 1, {})
    for i, need in ipairs(needs) do
        local offer, reason = choose(trial, need,
            { policy = options.policy, constraints = options.constraints, placed = placed })
        if not offer then
            return nil, ("member %d of %d: %s"):format(i, #needs, reason or "no offer")
        end
        trial:take(offer, need)
        placed[#placed + 1] = M.facts(offer, options.constraints)
        members[i] = { need = need, offer = offer }
    end
    for _, member in ipairs(members) do
        member.resources = assert(offers:take(member.offer, member.need))
    end
    return members
end

return M
