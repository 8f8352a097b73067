-- SPDX-License-Identifier: Apache-2.0
--
-- The same policy three times: 200 tasks go where the least would be left over, by the methods of the list, by Lua over
-- tables, and by Lua over the offers themselves. All must choose the same offers. Offers are a round, an update
-- prints the figures. Run by best_fit.c.

local mesos = require "mesos"

local TASKS = 200

local needs = {}
for i = 1, TASKS do
    needs[i] = { cpus = 0.5 * (i % 7 + 1), mem = 256 * (i % 5 + 1) }
end

-- ---- in C ----

local function place(list)
    local chosen = {}
    for i, need in ipairs(needs) do
        local offer = list:best_fit(need)
        list:take(offer, need)
        chosen[i] = offer
    end
    return chosen
end

local function by_methods(list)
    local chosen = place(list)
    for i, offer in ipairs(chosen) do
        chosen[i] = offer.id
    end
    return chosen
end

-- ---- in Lua ----

local function tables(offers)
    local rows = {}
    for i, offer in ipairs(offers) do
        local cpus, mem = offer.cpus, offer.mem
        rows[i] = { id = offer.id, cpus = cpus, mem = mem, of_cpus = 1 / cpus, of_mem = 1 / mem }
    end
    return rows
end

local function by_tables(rows)
    local chosen = {}
    for i, need in ipairs(needs) do
        local cpus, mem = need.cpus, need.mem
        local best, least = nil, math.huge
        for _, row in ipairs(rows) do
            local cpus_left, mem_left = row.cpus - cpus, row.mem - mem
            if cpus_left >= 0 and mem_left >= 0 then
                local score = cpus_left * row.of_cpus + mem_left * row.of_mem
                if score < least then
                    best, least = row, score
                end
            end
        end
        best.cpus, best.mem = best.cpus - cpus, best.mem - mem
        chosen[i] = best.id
    end
    return chosen
end

local function by_views(offers)
    local chosen, taken = {}, {}
    for i, need in ipairs(needs) do
        local best, least = nil, math.huge
        for _, offer in ipairs(offers) do
            local used = taken[offer]
            local cpus, mem = offer.cpus, offer.mem
            local cpus_left = cpus - need.cpus - (used and used.cpus or 0)
            local mem_left = mem - need.mem - (used and used.mem or 0)
            if cpus_left >= 0 and mem_left >= 0 then
                local score = cpus_left / cpus + mem_left / mem
                if score < least then
                    best, least = offer, score
                end
            end
        end
        local used = taken[best] or { cpus = 0, mem = 0 }
        used.cpus, used.mem = used.cpus + need.cpus, used.mem + need.mem
        taken[best] = used
        chosen[i] = best.id
    end
    return chosen
end

-- ---- the rounds ----

local function timed(times, work, ...)
    collectgarbage()
    local start = os.clock()
    local result = work(...)
    times[#times + 1] = (os.clock() - start) * 1e3
    return result
end

local function median(times)
    table.sort(times)
    return times[(#times + 1) // 2]
end

local function check(name, one, other)
    for i = 1, TASKS do
        if one[i] ~= other[i] then
            error(("%s: task %d went to %s, not to %s"):format(name, i, other[i], one[i]))
        end
    end
end

local times = { methods = {}, tables = {}, views = {}, whole = {}, whole_tables = {} }

local function round(offers)
    local fresh = mesos.offers(offers)
    fresh:best_fit(needs[1]) -- makes the columns
    local chosen = timed(times.methods, by_methods, fresh)
    check("tables", chosen, timed(times.tables, by_tables, tables(offers)))
    if #times.views < 3 then
        check("views", chosen, timed(times.views, by_views, offers))
    end
    check("methods, with the columns", chosen, timed(times.whole, function()
        return by_methods(mesos.offers(offers))
    end))
    check("tables, with making them", chosen, timed(times.whole_tables, function()
        return by_tables(tables(offers))
    end))
end

local function report(name, ours, theirs)
    print(("%-46s %9.2f ms %9.2f ms %8.1f"):format(name, ours, theirs, theirs / ours))
end

local scheduler, count = {}, 0

function scheduler:resourceOffers(_, offers)
    count = #offers
    round(offers)
end

function scheduler:statusUpdate()
    local ours = median(times.methods)
    print(("%-46s %12s %12s %8s"):format(("%d tasks on %d offers"):format(TASKS, count), "methods", "Lua", "times"))
    report("over tables", ours, median(times.tables))
    print(("figure best-fit %.1f"):format(median(times.tables) / ours))
    report("over the offers", ours, median(times.views))
    report("over tables, and making columns and tables", median(times.whole), median(times.whole_tables))
end

return scheduler
