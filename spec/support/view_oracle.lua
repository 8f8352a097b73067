-- SPDX-License-Identifier: Apache-2.0
--
-- What a view has to be like, given the table of the same bytes, and what an offer's short cuts come to, counted over
-- that table in the plainest way. `check(view, decoded, fields)` raises where they differ; `fields` are the fields of
-- the type, in their order.

local M = {}

local function fail(what, expected, found)
    error(("%s: %s expected, got %s"):format(what, expected, found), 0)
end

local function is_nothing(value)
    return value == nil or (type(value) == "table" and next(value) == nil)
end

-- Reading a list that is absent leaves an empty one, which is the same.
local function equal(what, a, b)
    if type(a) == "table" and type(b) == "table" then
        for key, value in pairs(a) do
            local other = rawget(b, key)
            if not (is_nothing(value) and is_nothing(other)) then
                equal(what .. "." .. tostring(key), value, other)
            end
        end
        for key, value in pairs(b) do
            if rawget(a, key) == nil and not is_nothing(value) then
                fail(what .. "." .. tostring(key), "nothing", value)
            end
        end
    elseif math.type(a) ~= math.type(b) or (a ~= b and (a == a or b == b)) then
        fail(what, a, b)
    end
end

-- ---- the fields ----

local function check_fields(view, plain, fields)
    for _, name in ipairs(fields) do
        local value = view[name]
        if plain[name] ~= nil then
            equal(name, plain[name], value)
        elseif not is_nothing(value) then
            fail(name, "nothing", value)
        end
        if type(value) == "table" and not rawequal(value, view[name]) then
            fail(name, "the same table again", "another one")
        end
    end
end

-- pairs() gives the fields that are there, in their order; a packed list may be there and empty.
local function check_pairs(view, plain, fields)
    local at = 0
    for key, value in pairs(view) do
        repeat
            at = at + 1
            if fields[at] ~= key and plain[fields[at]] ~= nil then
                fail("pairs", fields[at], key)
            end
        until fields[at] == key or at > #fields
        equal("pairs: " .. key, plain[key], value)
    end
    for i = at + 1, #fields do
        if plain[fields[i]] ~= nil then
            fail("pairs", fields[i], "the end")
        end
    end
end

-- ---- the short cuts of an offer ----

local function round(value)
    local whole = math.floor(math.abs(value)) + 0.0
    local up = math.abs(value) - whole >= 0.5 and whole + 1 or whole
    return value < 0 and -up or up
end

-- The role that a resource is reserved to, if it is.
local function reserved(resource)
    local reservations = resource.reservations or {}
    if #reservations > 0 then
        return reservations[#reservations].role or ""
    elseif resource.role ~= nil and resource.role ~= "*" then
        return resource.role
    end
    return nil
end

local function usable(offer)
    local list = {}
    for _, resource in ipairs(offer.resources or {}) do
        local role = reserved(resource)
        local ours = offer.allocation_info == nil or role == nil or role == (offer.allocation_info.role or "")
        if ours and resource.revocable == nil then
            list[#list + 1] = resource
        end
    end
    return list
end

function M.sum(offer, name)
    local sum = 0.0
    for _, resource in ipairs(usable(offer)) do
        if resource.name == name and resource.scalar ~= nil then
            sum = sum + round(resource.scalar * 1000)
        end
    end
    return sum / 1000
end

function M.ports(offer)
    local ranges, joined = {}, {}
    for _, resource in ipairs(usable(offer)) do
        for _, range in ipairs(resource.name == "ports" and resource.ranges and resource.ranges.range or {}) do
            local first, last = range.begin, range["end"]
            if first and last and not math.ult(last, first) then
                ranges[#ranges + 1] = { first, last }
            end
        end
    end
    table.sort(ranges, function(a, b)
        return math.ult(a[1], b[1])
    end)
    for _, range in ipairs(ranges) do
        local before = joined[#joined]
        if before and (before[2] == -1 or not math.ult(before[2] + 1, range[1])) then
            before[2] = math.ult(before[2], range[2]) and range[2] or before[2]
        else
            joined[#joined + 1] = range
        end
    end
    return joined
end

local values = { SCALAR = "scalar", TEXT = "text", SET = "set", RANGES = "ranges" }

function M.attribute(offer, name)
    for _, attribute in ipairs(offer.attributes or {}) do
        if (attribute.name or "") == name then
            local value = attribute[values[attribute.type]]
            if type(value) == "table" then
                return value[attribute.type == "SET" and "item" or "range"] or {}
            end
            return value
        end
    end
    return nil
end

local function check_short_cuts(offer, plain)
    for _, name in ipairs({ "cpus", "mem", "disk", "gpus" }) do
        equal(name, M.sum(plain, name), offer[name])
    end
    equal("ports", M.ports(plain), offer.ports)
    equal("no attribute", nil, offer:attribute("no such attribute"))
    for _, attribute in ipairs(plain.attributes or {}) do
        local name = attribute.name or ""
        equal(("attribute(%q)"):format(name), M.attribute(plain, name), offer:attribute(name))
    end
end

-- ---- all of it ----

function M.check(view, decoded, fields)
    local plain = view:table()
    equal("table()", decoded, plain)
    check_fields(view, plain, fields)
    check_pairs(view, plain, fields)
    if tostring(view) ~= tostring(decoded) then
        fail("tostring", tostring(decoded), tostring(view))
    end
    if fields.offer then
        check_short_cuts(view, plain)
    end
end

return M
