-- SPDX-License-Identifier: Apache-2.0
--
-- Which offers of a cluster are which offers of a recording. What is free on an agent goes out in rounds, once a second,
-- and a recording does not say how its rounds lay to its calls: what went out in two offers may come in one, or the other
-- way round. So the resources are compared: the offers of one agent to one role, added up, must be the same, and no call
-- of the recording may need an offer before its resources are there.

local M = {}

local Matching = {}
Matching.__index = Matching

-- The amounts of each kind of resource: of ranges the number of values, of sets each item.
local function add_amounts(sums, resources, sign)
    local function add(key, amount)
        local sum = (sums[key] or 0) + sign * amount
        sums[key] = math.abs(sum) > 1e-6 and sum or nil
    end
    for _, resource in ipairs(resources) do
        local reservations = {}
        for i, reservation in ipairs(resource.reservations or {}) do
            reservations[i] = ("%s %s"):format(reservation.type, reservation.role)
        end
        local key = ("%s(%s %s)"):format(resource.name, resource.role or "", table.concat(reservations, ", "))
        if resource.scalar then
            add(key, resource.scalar)
        end
        for _, range in ipairs(resource.ranges and resource.ranges.range or {}) do
            add(key, range["end"] - range.begin + 1)
        end
        for _, item in ipairs(resource.set and resource.set.item or {}) do
            add(key .. item, 1)
        end
    end
end

local function each_in(part, whole)
    for key, amount in pairs(part) do
        if amount > (whole[key] or 0) + 1e-6 then
            return false
        end
    end
    return true
end

-- `closed(recorded, offers)` is called with two lists of offers that are the same resources.
function M.create(closed)
    return setmetatable({ lanes = {}, closed = closed }, Matching)
end

function Matching:lane(key)
    self.lanes[key] = self.lanes[key]
        or { ahead = {}, waiting = {}, recorded = {}, offers = {} } -- ahead: resources that came and were not expected yet
    return self.lanes[key]
end

local function settle(matching, lane)
    while lane.waiting[1] do
        local needed = {}
        add_amounts(needed, lane.waiting[1].offer.resources, 1)
        if not each_in(needed, lane.ahead) then
            return
        end
        local recorded = table.remove(lane.waiting, 1)
        add_amounts(lane.ahead, recorded.offer.resources, -1)
        table.insert(lane.recorded, recorded.offer)
        recorded.came = lane.offers
        if not next(lane.ahead) then
            matching.closed(lane.recorded, lane.offers)
            lane.recorded, lane.offers = {}, {}
        end
    end
end

-- An offer of the recording. Returns a table whose field `came` is the list of the cluster's offers, once its resources
-- are there.
function Matching:expect(key, offer)
    local recorded = { offer = offer }
    table.insert(self:lane(key).waiting, recorded)
    return recorded
end

function Matching:got(key, offer)
    local lane = self:lane(key)
    add_amounts(lane.ahead, offer.resources, 1)
    table.insert(lane.offers, offer)
    settle(self, lane)
end

-- What was offered and not in the recording, as texts.
function Matching:surplus()
    local texts = {}
    for key, lane in pairs(self.lanes) do
        for name, amount in pairs(lane.ahead) do
            texts[#texts + 1] = ("%s was offered %s of %s more"):format(key, amount, name)
        end
    end
    table.sort(texts)
    return texts
end

return M
