-- SPDX-License-Identifier: Apache-2.0
--
-- The results of a document, put in order for the page: the policies, A and B; the sets of parameters of a sweep; and
-- the worlds, a set and a seed each, in which each policy has one result.

local format = require("sim.report.format")

local M = {}

---@class sim.report.Policy
---@field letter "A"|"B"
---@field name string as short as it can be told from the other, clean but not escaped
---@field script string
---@field arguments string[]

---@class sim.report.World
---@field seed integer
---@field label string clean but not escaped
---@field results table<integer, table> by policy, 1 and 2; one may be missing

---@class sim.report.Set
---@field label string
---@field worlds sim.report.World[]
---@field results table<integer, table[]> by policy, in order of the worlds

---@class sim.report.Cases
---@field policies sim.report.Policy[] one or two
---@field sets sim.report.Set[]
---@field seeds integer how many there are

local LETTERS = { "A", "B" }

local function words(list)
    return table.concat(list or {}, " ")
end

-- The list's element with that key; made by `create` and put at the end if there is none.
local function element(list, index, key, create)
    if not index[key] then
        list[#list + 1] = create()
        index[key] = #list
    end
    return index[key]
end

-- The file's name, or the path or the arguments too where that is needed.
local function name_policies(policies)
    local a, b = policies[1], policies[2]
    local function base(policy)
        return policy.script:match("([^/]+)$") or policy.script
    end
    local same_base = b and base(a) == base(b)
    local same_path = b and a.script == b.script
    for _, policy in ipairs(policies) do
        local name = same_base and not same_path and policy.script or base(policy)
        policy.name = format.clean(same_path and name .. " " .. words(policy.arguments) or name, 60)
    end
end

-- "rate = 3, size = 2", in order of the names.
function M.set_label(set)
    local parts = {}
    for name, value in pairs(set or {}) do
        parts[#parts + 1] = ("%s = %s"):format(name, value)
    end
    table.sort(parts)
    return table.concat(parts, ", ")
end

local function world_label(set, seed, has_sets)
    return format.clean(("seed %s%s"):format(seed, has_sets and set ~= "" and ", " .. set or ""), 160)
end

local function add_result(cases, indices, result)
    local key = result.script .. "\0" .. words(result.arguments)
    local policy = element(cases.policies, indices.policies, key, function()
        return { letter = LETTERS[#cases.policies + 1], script = result.script, arguments = result.arguments or {} }
    end)
    if policy > #LETTERS then
        error("a report is of one policy or two, and this document has three")
    end
    local label = M.set_label(result.set)
    local set = cases.sets[element(cases.sets, indices.sets, label, function()
        indices[label] = {}
        return { label = label, worlds = {}, results = { {}, {} } }
    end)]
    local world = set.worlds[element(set.worlds, indices[label], result.seed or 1, function()
        return { seed = result.seed or 1, results = {} }
    end)]
    world.results[policy] = result
    table.insert(set.results[policy], result)
end

---@param results table[]
---@return sim.report.Cases
function M.of(results)
    local cases = { policies = {}, sets = {}, seeds = 0 }
    local indices = { policies = {}, sets = {} }
    for _, result in ipairs(results) do
        add_result(cases, indices, result)
    end
    for _, set in ipairs(cases.sets) do
        cases.seeds = math.max(cases.seeds, #set.worlds)
        for _, world in ipairs(set.worlds) do
            world.label = world_label(set.label, world.seed, #cases.sets > 1)
        end
    end
    name_policies(cases.policies)
    return cases
end

-- The number at a way through a table, `wait.p95`; nil if there is none.
---@param from table?
---@param name string
---@return number?
function M.value(from, name)
    for key in name:gmatch("[^.]+") do
        if type(from) ~= "table" then
            return nil
        end
        from = from[key]
    end
    return type(from) == "number" and from == from and from or nil
end

-- Mean, least and largest of a number over results: of `get(result)`, where it is there.
---@param results table[]
---@param get fun(result: table): number?
---@return number? mean
---@return number? least
---@return number? largest
function M.mean(results, get)
    local sum, number, least, largest = 0, 0, nil, nil
    for _, result in ipairs(results) do
        local value = get(result)
        if value then
            sum, number = sum + value, number + 1
            least = math.min(least or value, value)
            largest = math.max(largest or value, value)
        end
    end
    if number == 0 then
        return nil
    end
    return least == largest and least or sum / number, least, largest
end

return M
