-- SPDX-License-Identifier: Apache-2.0
--
-- Lists of offers with methods: what fits where, what is left, and that the lists stay plain lists.

local framework = require("support.framework")
local internals = require("internals")

local OFFER = "mesos.v1.Offer"

after_each(framework.cleanup)

local function with(value, changes)
    for key, item in pairs(changes or {}) do
        value[key] = item
    end
    return value
end

local function scalar(name, amount, changes)
    return with({ name = name, type = "SCALAR", scalar = amount }, changes)
end

local function ranges(name, list, changes)
    return with({ name = name, type = "RANGES", ranges = { range = list } }, changes)
end

local function reserved(role)
    return { reservations = { { type = "STATIC", role = role } } }
end

local function attribute(name, value)
    if type(value) == "number" then
        return { name = name, type = "SCALAR", scalar = value }
    elseif type(value) == "string" then
        return { name = name, type = "TEXT", text = value }
    elseif type(value[1]) == "string" then
        return { name = name, type = "SET", set = { item = value } }
    end
    return { name = name, type = "RANGES", ranges = { range = value } }
end

local function offer(id, resources, changes)
    local value = { id = id, framework_id = "f", agent_id = "agent of " .. id, hostname = "host",
        allocation_info = { role = "web" }, resources = resources }
    return internals.view(OFFER, internals.encode(OFFER, with(value, changes)))
end

local function list_of(rows)
    local list = {}
    for i, row in ipairs(rows) do
        list[i] = offer("o" .. i, { scalar("cpus", row[1]), scalar("mem", row[2]) })
    end
    return internals.offers(list)
end

local function ids(list)
    local found = {}
    for i, it in ipairs(list) do
        found[i] = it.id
    end
    return table.concat(found, " ")
end

-- More offers than the 512 that are remembered when they are spent.
local function send_many(m)
    local offers, resources = {}, { scalar("cpus", 1) }
    for i = 1, 4200 do
        offers[i] = m:offer({ id = "o" .. i, resources = resources })
    end
    m:send_offers(offers)
end

describe("a list of offers", function()
    it("is a plain list", function()
        local list = list_of({ { 1, 10 }, { 2, 20 }, { 3, 30 } })
        assert.equal(3, #list)
        assert.equal("o1 o2 o3", ids(list))
        assert.equal("o2", list[2].id)
        assert.is_nil(list[4])
        assert.is_nil(list.n)
        assert.equal("table", type(list))
        assert.equal(list[1], select(2, next(list)))
        local first, second, third = table.unpack(list)
        assert.same({ "o1", "o2", "o3" }, { first.id, second.id, third.id })
        assert.equal("o2", table.remove(list, 2).id)
        list[#list + 1] = second
        table.sort(list, function(a, b)
            return a.mem > b.mem
        end)
        assert.equal("o3 o2 o1", ids(list))
        local keys = 0
        for _ in pairs(list) do
            keys = keys + 1
        end
        assert.equal(3, keys)
    end)

    it("says when a method is misspelt, or called with a dot", function()
        local list = list_of({ { 1, 10 } })
        assert.error_matches(function()
            list:bestfit({})
        end, "a list of offers has no 'bestfit' %(did you mean 'best_fit'%?%)$")
        assert.error_matches(function()
            list.best_fit({ cpus = 1 })
        end, "best_fit: a list of offers expected in front of it, got table: write offers:best_fit%(...%), with a colon")
    end)

    it("takes nothing but offers", function()
        local status = internals.view("mesos.v1.TaskStatus",
            internals.encode("mesos.v1.TaskStatus", { task_id = "t", state = "TASK_RUNNING" }))
        assert.error_matches(function()
            internals.offers({ offer("o1"), status })
        end, "offers%[2%]: Offer expected, got TaskStatus$")
        local list = list_of({ { 1, 10 } })
        list[2] = {}
        assert.error_matches(function()
            list:sum()
        end, "offers%[2%]: Offer expected, got table$")
        assert.equal(0, #internals.offers())
    end)

    it("may be changed between two questions", function()
        local list = list_of({ { 4, 40 }, { 2, 20 }, { 1, 10 } })
        assert.equal("o3", list:best_fit({ cpus = 1 }).id)
        list[#list] = nil
        assert.equal("o2", list:best_fit({ cpus = 1 }).id)
        table.insert(list, 1, offer("o4", { scalar("cpus", 1) }))
        assert.equal("o4", list:best_fit({ cpus = 1 }).id)
        list[1] = offer("o5", { scalar("cpus", 9) })
        assert.equal("o2", list:best_fit({ cpus = 1 }).id)
        table.sort(list, function(a, b)
            return a.cpus > b.cpus
        end)
        assert.equal("o5", list:first_fit({ cpus = 1 }).id)
        assert.equal(15, list:sum("cpus"))
        while #list > 0 do
            table.remove(list)
        end
        assert.is_nil(list:best_fit({ cpus = 1 }))
    end)

    it("notices every change of the order when the first that fits is asked for", function()
        local list = list_of({ { 1, 10 }, { 2, 20 }, { 2, 20 } })
        assert.equal("o2", list:first_fit({ cpus = 2 }).id)
        list[1], list[3] = list[3], list[1]
        assert.equal("o3", list:first_fit({ cpus = 2 }).id)
    end)

    it("keeps what is left of an offer while others come and go", function()
        local list = internals.offers({ offer("kept", { scalar("cpus", 10) }) })
        assert(list:take("kept", { cpus = 4 }))
        for i = 1, 5000 do
            list[2] = offer("passing " .. i, { scalar("cpus", 1) })
            assert.equal("kept", list:best_fit({ cpus = 2 }).id)
            list[2] = nil
            assert.equal(6, list:sum("cpus"))
        end
        assert.equal(6, list:left("kept", "cpus"))
        assert.equal(0, list:left("kept", "gpus"))
    end)

    it("takes two views of an offer for one", function()
        local one, two = offer("o1", { scalar("cpus", 1) }), offer("o1", { scalar("cpus", 1) })
        local list = internals.offers({ one, two, offer("o2", { scalar("cpus", 1) }) })
        assert(list:take(two, { cpus = 1 }))
        assert.equal("o2", list:best_fit({ cpus = 1 }).id)
        assert.equal("o2", list:first_fit({ cpus = 1 }).id)
        list[3] = nil
        assert.is_nil(list:best_fit({ cpus = 1 }))
    end)

    it("lets go of what it knows together with the list", function()
        local watched = setmetatable({}, { __mode = "k" })
        for _ = 1, 50 do
            local list = list_of({ { 1, 10 }, { 2, 20 } })
            list:best_fit({ cpus = 1 })
            list:filter({ cpus = 2 }):take(list[2], { cpus = 1 })
            watched[list[1]] = true
        end
        collectgarbage()
        collectgarbage()
        assert.is_nil(next(watched))
    end)
end)

describe("a fit", function()
    it("leaves the smallest share of the offer, the largest, or is the first", function()
        local list = list_of({ { 4, 4096 }, { 2, 512 }, { 8, 1024 }, { 1, 64 } })
        local need = { cpus = 1, mem = 128 }
        assert.equal("o2", list:best_fit(need).id)
        assert.equal("o3", list:worst_fit(need).id)
        assert.equal("o1", list:first_fit(need).id)
        assert.is_nil(list:best_fit({ cpus = 8, mem = 4096 }))
        assert.is_nil(internals.offers():best_fit(need))
    end)

    it("goes to offers that are in use already", function()
        local list = list_of({ { 4, 400 }, { 4, 400 }, { 4, 400 } })
        local need = { cpus = 1, mem = 100 }
        list:take(list[2], need)
        assert.equal("o2", list:best_fit(need).id)
        assert.equal("o1", list:worst_fit(need).id)
    end)

    it("counts in thousandths", function()
        local list = list_of({ { 1, 100 } })
        for _ = 1, 10 do
            list:take(assert(list:best_fit({ cpus = 0.1, mem = 10 })), { cpus = 0.1, mem = 10 })
        end
        assert.equal(0, list:left("o1", "cpus"))
        assert.is_nil(list:best_fit({ cpus = 0.001 }))
        assert.equal("o1", list:best_fit({ cpus = 0.0004 }).id)
    end)

    it("counts what the framework may use, and nothing revocable unless that will do", function()
        local list = internals.offers({
            offer("other role", { scalar("cpus", 8, reserved("db")) }),
            offer("revocable", { scalar("cpus", 8, { revocable = {} }), scalar("mem", 10) }),
            offer("own role", { scalar("cpus", 1), scalar("cpus", 1, reserved("web")) }),
            offer("no role", { scalar("cpus", 1.5, reserved("db")) }, { allocation_info = false or nil }),
        })
        assert.equal("own role", list:best_fit({ cpus = 2 }).id)
        assert.is_nil(list:best_fit({ cpus = 3 }))
        assert.equal("revocable", list:best_fit({ cpus = 3, revocable = true }).id)
        assert.equal("revocable", list:best_fit({ cpus = 3, mem = 10, revocable = true }).id)
        assert.equal("own role", list:best_fit({ cpus = 2, revocable = true, where = function(it)
            return it.id ~= "revocable"
        end }).id)
    end)

    it("counts no volumes and no disks of their own, which cannot be divided", function()
        local volume = { disk = { persistence = { id = "v" }, volume = { mode = "RW", container_path = "v" } } }
        local list = internals.offers({
            offer("volume", { scalar("disk", 100, volume) }),
            offer("mount", { scalar("disk", 100, { disk = { source = { type = "MOUNT" } } }) }),
            offer("disk", { scalar("disk", 100) }),
        })
        assert.equal("disk", list:first_fit({ disk = 10 }).id)
        assert.equal(100, list:sum("disk"))
    end)

    it("counts the values of ranges", function()
        local list = internals.offers({
            offer("o1", { ranges("ports", { { 1, 3 } }), ranges("vlans", { { 7, 7 } }) }),
            offer("o2", { ranges("ports", { { 10, 11 }, { 20, 21 } }), ranges("ports", { { 1, 9 } }, reserved("db")) }),
        })
        assert.equal("o2", list:best_fit({ ports = 4 }).id)
        assert.is_nil(list:best_fit({ ports = 5 }))
        assert.equal("o1", list:best_fit({ vlans = 1 }).id)
    end)

    it("counts resources of any name", function()
        local list = internals.offers({ offer("o1", { scalar("cpus", 1) }), offer("o2", { scalar("bandwidth", 10) }) })
        assert.equal("o2", list:best_fit({ bandwidth = 10 }).id)
        assert.is_nil(list:best_fit({ licences = 1 }))
        assert.equal("o1", list:best_fit({ licences = 0, cpus = 1 }).id)
    end)

    it("is of a role, and has attributes", function()
        local function placed(id, role, attributes)
            local made = {}
            for name, value in pairs(attributes) do
                made[#made + 1] = attribute(name, value)
            end
            return offer(id, { scalar("cpus", 1) }, { allocation_info = { role = role }, attributes = made })
        end
        local list = internals.offers({
            placed("o1", "web", { rack = "a", year = 2019, tags = { "ssd", "old" } }),
            placed("o2", "web", { rack = "b", year = 2021, tags = { "ssd" }, slots = { { 1, 4 }, { 8, 8 } } }),
            placed("o3", "db", { rack = "b" }),
        })
        local function found(need)
            return ids(list:filter(need))
        end
        assert.equal("o3", list:best_fit({ cpus = 1, role = "db" }).id)
        assert.equal("o1 o2", found({ role = "web" }))
        assert.equal("", found({ role = "we" }))
        assert.equal("o2 o3", found({ attributes = { rack = "b" } }))
        assert.equal("o2", found({ role = "web", attributes = { rack = { "b", "c" } } }))
        assert.equal("o1 o2 o3", found({ attributes = { rack = { "a", "b" } } }))
        assert.equal("o1", found({ attributes = { tags = "old" } }))
        assert.equal("o2", found({ attributes = { rack = { "a", "b" }, year = 2021, tags = "ssd" } }))
        assert.equal("o2", found({ attributes = { slots = 8 } }))
        assert.equal("", found({ attributes = { slots = 5 } }))
        assert.equal("", found({ attributes = { rack = 1 } }))
        assert.equal("", found({ attributes = { year = "2019" } }))
        for i = 1, 300 do -- more than are remembered
            assert.equal("", found({ attributes = { rack = "rack " .. i } }))
        end
        assert.equal("o1", found({ attributes = { rack = "a" } }))
        list[4] = placed("o4", "web", { rack = "a" })
        assert.equal("o1 o4", found({ attributes = { rack = "a" } }))
        list[5] = placed("o5", "web", { rack = "" })
        assert.equal("o5", found({ attributes = { rack = "" } }))
        assert.equal("", found({ attributes = { rack = 0 } }))
        assert.equal("o3", found({ role = "db" }))
        assert.equal("", found({ attributes = { [""] = "db" } }))
    end)

    it("asks a function about what could be chosen", function()
        local list = list_of({ { 8, 10 }, { 2, 10 }, { 4, 10 } })
        local asked = {}
        local function no(it)
            asked[#asked + 1] = it.id
            return it.id ~= "o2"
        end
        assert.equal("o3", list:best_fit({ cpus = 1, where = no }).id)
        assert.same({ "o1", "o2", "o3" }, asked)
        assert.equal("o1", list:worst_fit({ cpus = 1, where = no }).id)
        assert.equal("o3", list:first_fit({ cpus = 1, where = function(it) return it.cpus == 4 end }).id)
        assert.is_nil(list:best_fit({ cpus = 1, where = function() end }))
    end)

    it("bears whatever that function does", function()
        local list = list_of({ { 8, 10 }, { 2, 10 }, { 4, 10 } })
        assert.error_matches(function()
            list:best_fit({ cpus = 1, attributes = { rack = {} } })
        end, "attributes.rack: 1 to 64 values expected, got 0")
        assert.error_matches(function()
            list:best_fit({ cpus = 1, where = function() error("stop", 0) end })
        end, "^stop$")
        local found = list:best_fit({ cpus = 1, where = function(it)
            list:take(it, { cpus = 1, mem = 1, ["resource " .. it.id] = 0 })
            for i = 1, 200 do
                list[#list + 1] = offer(it.id .. " more " .. i, { scalar("cpus", 1), scalar("mem", 1) })
            end
            list:best_fit({ mem = 1 })
            collectgarbage()
            return true
        end })
        assert.equal("Offer", tostring(found):match("^%w+"))
        assert.error_matches(function()
            local wrapped = coroutine.wrap(function()
                return list:filter(function() coroutine.yield(1) end)
            end)
            wrapped()
        end, "attempt to yield across a C%-call boundary")
        table.remove(list, 1)
        assert(list:best_fit({ cpus = 1, where = function() while #list > 1 do list[#list] = nil end return true end }))
    end)

    local mistakes = {
        { { cpu = 1 }, "best_fit: cpu: no offer has such a resource %(did you mean 'cpus'%?%)$" },
        { { memory = 1 }, "best_fit: memory: no offer has such a resource %(did you mean 'mem'%?%)$" },
        { { port = 1 }, "best_fit: port: no offer has such a resource %(did you mean 'ports'%?%)$" },
        { { rol = "web" }, "best_fit: rol: a number expected, got string %(did you mean 'role'%?%)$" },
        { { cpus = -1 }, "best_fit: cpus: a number from 0 to 1e12 expected, got %-1.0$" },
        { { cpus = 0 / 0 }, "best_fit: cpus: a number from 0 to 1e12 expected, got %-?nan$" },
        { { mem = math.huge }, "best_fit: mem: a number from 0 to 1e12 expected, got inf$" },
        { { cpus = "1" }, "best_fit: cpus: a number expected, got string$" },
        { { ports = 1.5 }, "best_fit: ports: how many, a whole number expected, got 1.5$" },
        { { role = 1 }, "best_fit: role: a string expected, got number$" },
        { { where = "x" }, "best_fit: where: a function expected, got string$" },
        { { revocable = 1 }, "best_fit: revocable: true or false expected, got number$" },
        { { attributes = "x" }, "best_fit: attributes: a table expected, got string$" },
        { { attributes = { "x" } }, "best_fit: attributes: names expected, such as" },
        { { attributes = { rack = true } }, "attributes.rack: a string, a number or a list of them expected, got boolean$" },
        { { 1 }, "best_fit: what is needed is said by name, such as { cpus = 1, mem = 128 }$" },
        { 1, "best_fit: a table such as { cpus = 1, mem = 128 } expected, got number$" },
    }

    it("refuses needs that make no sense", function()
        local list = list_of({ { 1, 10 } })
        for _, case in ipairs(mistakes) do
            assert.error_matches(function()
                list:best_fit(case[1])
            end, case[2])
        end
        local many = {}
        for i = 1, 17 do
            many["resource " .. i] = 0
        end
        assert.error_matches(function()
            list:best_fit(many)
        end, "best_fit: more than 16 resources$")
        assert.error_matches(function()
            for i = 1, 100 do
                list:best_fit({ ["resource " .. i] = 1 })
            end
        end, "too many different resources %(64%)$")
    end)
end)

describe("taking", function()
    local function taken(list, id, need)
        local pieces = {}
        for i, it in ipairs(assert(list:take(id, need))) do
            local role = it.reservations[1] and it.reservations[1].role or "*"
            local amount = tostring(it.scalar)
            if it.type == "RANGES" then
                local texts = {}
                for j, range in ipairs(it.ranges.range) do
                    texts[j] = range.begin .. "-" .. range["end"]
                end
                amount = table.concat(texts, ",")
            end
            pieces[i] = it.name .. "(" .. role .. "):" .. amount
        end
        return table.concat(pieces, " ")
    end

    it("gives the resources of a task, reserved ones first", function()
        local list = internals.offers({ offer("o", {
            scalar("cpus", 2), scalar("mem", 100), scalar("cpus", 1, reserved("web")), scalar("cpus", 9, reserved("db")),
            ranges("ports", { { 31005, 31007 }, { 31000, 31001 } }),
        }) })
        assert.equal("cpus(web):0.5", taken(list, "o", { cpus = 0.5 }))
        assert.equal("cpus(web):0.5 cpus(*):1.0 mem(*):10.0 ports(*):31000-31001,31005-31005",
            taken(list, "o", { cpus = 1.5, mem = 10, ports = 3 }))
        assert.same({ cpus = 1, mem = 90, disk = 0, gpus = 0, ports = 2 }, list:left("o"))
        assert.equal("ports(*):31006-31007", taken(list, "o", { ports = 2 }))
        assert.equal("", taken(list, "o", { role = "other", where = error }))
    end)

    it("keeps what else a resource says", function()
        local info = { allocation_info = { role = "web" },
            reservations = { { type = "DYNAMIC", role = "web", principal = "p", labels = { labels = { { key = "k" } } } } } }
        local list = internals.offers({ offer("o", { scalar("cpus", 2, info) }) })
        local piece = list:take("o", { cpus = 1 })[1]
        assert.equal(internals.encode("mesos.v1.Resource", scalar("cpus", 1, info)), internals.encode("mesos.v1.Resource", piece))
    end)

    it("never mixes revocable resources with others", function()
        local list = internals.offers({ offer("o", { scalar("cpus", 2), scalar("cpus", 3, { revocable = {} }) }) })
        assert.is_nil(list:best_fit({ cpus = 4, revocable = true }))
        assert.is_table(list:take("o", { cpus = 2, revocable = true })[1].revocable)
        assert.is_nil(list:take("o", { cpus = 2, revocable = true })[1].revocable)
        assert.is_nil(list:take("o", { cpus = 2, revocable = true }))
    end)

    it("says what is missing", function()
        local list = list_of({ { 1, 10 } })
        assert.same({ nil, "offer 'o1' has too little left of mem: 10.0 of 11.0", n = 2 },
            table.pack(list:take("o1", { cpus = 1, mem = 11 })))
        assert.equal(1, list:left("o1", "cpus"))
        assert.error_matches(function()
            list:take("o2", { cpus = 1 })
        end, "take: offer 'o2' is not of this list$")
        assert.error_matches(function()
            list:take(nil, { cpus = 1 })
        end, "take: an offer expected, got nil$")
        assert.error_matches(function()
            list:take("o1")
        end, "take: a table such as")
    end)

    it("is known to all lists that were made of one, and to no other", function()
        local list = list_of({ { 4, 40 }, { 2, 20 } })
        local large, other = list:filter({ cpus = 3 }), internals.offers(list)
        assert(large:take(large[1], { cpus = 3 }))
        assert.equal(1, list:left(list[1], "cpus"))
        assert.equal(1, list:sort_by("cpus"):left("o1", "cpus"))
        assert.equal(4, other:left("o1", "cpus"))
        assert.equal(3, list:sum("cpus"))
    end)
end)

describe("a list of offers in which nothing fits", function()
    local function reason(list, need, name)
        local found, text = list[name or "best_fit"](list, need)
        assert.is_nil(found)
        return text
    end

    local function attributes(...)
        local list = {}
        for i, each in ipairs({ ... }) do
            list[i] = offer("o" .. i, { scalar("cpus", i) }, { attributes = { each } })
        end
        return internals.offers(list)
    end

    it("says what is short, and how much there is on one offer", function()
        local list = list_of({ { 2, 10 }, { 1, 64 } })
        for _, name in ipairs({ "best_fit", "first_fit", "worst_fit" }) do
            assert.equal("cpus: 64 needed, most on one offer 2", reason(list, { cpus = 64 }, name))
        end
        assert.equal("mem: 65.5 needed, most on one offer 64", reason(list, { cpus = 0.5, mem = 65.5 }))
        assert.equal("gpus: 1 needed, most on one offer 0", reason(list, { gpus = 1 }))
        local ports = internals.offers({ offer("o", { scalar("cpus", 1), ranges("ports", { { 1, 2 } }) }) })
        assert.equal("ports: 3 needed, most on one offer 2", reason(ports, { cpus = 1, ports = 3 }))
        list:take(list[1], { cpus = 1.75 })
        assert.equal("cpus: 1.5 needed, most on one offer 1", reason(list, { cpus = 1.5 }))
        assert.same({ nil, "offer 'o1' has too little left of cpus: 0.25 of 1.0", n = 2 },
            table.pack(list:take(list[1], { cpus = 1 })))
    end)

    it("says of several resources what no offer has, or what is missing on the nearest", function()
        local list = list_of({ { 8, 10 }, { 1, 64 }, { 7, 60 } })
        assert.equal("mem: 64 needed, 60 on the offer that lacks least ('o3')", reason(list, { cpus = 4, mem = 64 }))
        assert.equal("mem: 100 needed, most on one offer 64", reason(list, { cpus = 8, mem = 100 }))
        assert.equal("mem: 1000 needed, most on one offer 64", reason(list, { cpus = 9, mem = 1000 }))
        assert.equal("cpus: 9 needed, most on one offer 8", reason(list, { cpus = 9, mem = 20 }))
    end)

    it("says where a task may not go", function()
        local list = attributes(attribute("rack", "a"), attribute("rack", "b"), attribute("zone", 3))
        assert.equal("attribute rack: 'c' wanted, on no offer", reason(list, { attributes = { rack = "c" } }))
        assert.equal("attribute rack: 'c' or 'd' wanted, on no offer", reason(list, { attributes = { rack = { "c", "d" } } }))
        assert.equal("attribute a: 1 or 2 or 3 or others wanted, on no offer",
            reason(list, { attributes = { rack = "c", zone = 4, a = { 1, 2, 3, 4 } } }))
        assert.equal("role: no offer is allocated to 'db'", reason(list, { role = "db", attributes = { rack = "c" } }))
        assert.equal("role and attributes: no offer has all that is wanted",
            reason(list, { attributes = { rack = "a", zone = 3 } }))
        assert.equal("cpus: 2 needed, most on one offer 1", reason(list, { cpus = 2, attributes = { rack = "a" } }))
        assert.equal("where: it was true for no offer that the task fits",
            reason(list, { cpus = 1, where = function() return false end }))
        assert.equal("the list has no offers", reason(internals.offers({}), { cpus = 1 }))
    end)

    it("says when a text was meant where a number is, and the reverse, once for each line of a script", function()
        local m, run = framework.subscribed([[
            function scheduler:resourceOffers(_, offers)
                for _ = 1, 3 do
                    scheduler.number = select(2, offers:best_fit { attributes = { rack = 3 } })
                    scheduler.text = select(2, offers:first_fit { attributes = { zone = "3" } })
                    scheduler.count = #offers:filter { attributes = { rack = 3 } }
                end
                say(scheduler.number) say(scheduler.text) say(scheduler.count)
            end
        ]])
        m:send_offers({ m:offer({ attributes = { attribute("rack", "3"), attribute("zone", 3) } }) })
        framework.said(run, "attribute rack: 3 wanted, on no offer: it is a text there, and a number is never equal to one\n"
            .. "attribute zone: '3' wanted, on no offer: it is a number there, and a text is never equal to one\n0\n")
        local lines = {}
        for line in run.stderr:gmatch("warning +(%S+: %S+): attribute") do
            lines[#lines + 1] = line:match("%d+: %S+")
        end
        assert.equal(3, #lines)
        assert.matches("^%d+: best_fit %d+: first_fit %d+: filter$", table.concat(lines, " "))
    end)

    it("answers quickly however often it is asked", function()
        local list = {}
        for i = 1, 10000 do
            list[i] = offer("o" .. i, { scalar("cpus", 1 + i % 7), scalar("mem", 100) })
        end
        list = internals.offers(list)
        reason(list, { cpus = 100, mem = 10 })
        local before = os.clock()
        for _ = 1, 200 do
            assert.equal("cpus: 100 needed, most on one offer 7", reason(list, { cpus = 100, mem = 10 }))
        end
        assert.is_true(os.clock() - before < 2 * require("support.program").patience, os.clock() - before)
    end)
end)

describe("lists of resources", function()
    it("have one order, whatever that of the table is", function()
        local names = { "cpus", "mem", "disk", "gpus", "ports", "abc", "bandwidth", "zz" }
        local list = { offer("o", { scalar("zz", 9), scalar("gpus", 9), ranges("ports", { { 1, 9 } }), scalar("disk", 9),
            scalar("abc", 9), scalar("mem", 9), scalar("bandwidth", 9), scalar("cpus", 9) }) }
        for shift = 1, #names do
            local wanted = {}
            for i = 1, #names do
                wanted[names[(i + shift) % #names + 1]] = 1
            end
            local taken = {}
            for i, resource in ipairs(internals.offers(list):take(list[1], wanted)) do
                taken[i] = resource.name
            end
            assert.same(names, taken)
            wanted.ports = { { 1, 2 } }
            local made = {}
            for i, resource in ipairs(internals.resources(wanted)) do
                made[i] = resource.name
            end
            assert.same(names, made)
        end
    end)

    it("has the resources that mesos.resources makes in their order, however many there are", function()
        local wanted, names = { cpus = 2, ports = { { 1, 2 } } }, { "cpus", "ports" }
        for i = 10, 40 do
            wanted["r" .. i], names[#names + 1] = i, "r" .. i
        end
        for i, resource in ipairs(internals.resources(wanted)) do
            local name = names[i]
            assert.same({ name = name, type = name == "ports" and "RANGES" or "SCALAR", scalar = tonumber(wanted[name]),
                ranges = name == "ports" and { range = { { 1, 2 } } } or nil }, resource)
        end
        assert.equal(#names, #internals.resources(wanted))
    end)
end)

describe("filter, sort_by, sum and ids", function()
    it("make new lists with the same methods", function()
        local list = list_of({ { 1, 10 }, { 3, 30 }, { 2, 20 } })
        assert.equal("o2 o3", ids(list:filter({ cpus = 2 })))
        assert.equal("o1 o3", ids(list:filter(function(it) return it.cpus < 3 end)))
        assert.equal("o1 o3", ids(list:filter({ mem = 1, where = function(it) return it.cpus < 3 end })))
        assert.equal("o1 o3 o2", ids(list:sort_by("cpus")))
        assert.equal("o2 o3", ids(list:sort_by("cpus", true):filter({ mem = 20 })))
        assert.equal("o1 o2 o3", ids(list))
        assert.equal("o2", list:filter({ cpus = 2 }):worst_fit({ cpus = 1 }).id)
        assert.same({ "o1", "o2", "o3" }, list:ids())
    end)

    it("keep the order of equals", function()
        local rows = {}
        for i = 1, 300 do
            rows[i] = { i % 3 + 1, i }
        end
        local list = list_of(rows)
        for _, descending in ipairs({ false, true }) do
            for _, key in ipairs({ "cpus", function(it) return it.cpus end, function(it) return "c" .. it.cpus end }) do
                local sorted = list:sort_by(key, descending)
                assert.equal(300, #sorted)
                for i = 2, 300 do
                    local a, b = sorted[i - 1], sorted[i]
                    local before, after = a.cpus, b.cpus
                    if descending then
                        before, after = after, before
                    end
                    assert.is_true(before < after or a.cpus == b.cpus and a.mem < b.mem)
                end
            end
        end
    end)

    it("sort by what is left", function()
        local list = list_of({ { 3, 30 }, { 2, 20 } })
        list:take("o1", { cpus = 2 })
        assert.equal("o1 o2", ids(list:sort_by("cpus")))
    end)

    it("refuse keys that have no order", function()
        local list = list_of({ { 1, 10 }, { 3, 30 } })
        for key, text in pairs({
            [function() end] = "the function must give a number or a string to sort by, got nil$",
            [function() return 0 / 0 end] = "the function must give a number or a string to sort by, got nan$",
            [function(it) return it.cpus == 1 and 1 or "x" end] = "the function gave both numbers and strings$",
        }) do
            assert.error_matches(function()
                list:sort_by(key)
            end, "sort_by: " .. text)
        end
        assert.error_matches(function()
            list:sort_by()
        end, "string expected")
    end)

    it("sum up", function()
        local list = internals.offers({
            offer("o1", { scalar("cpus", 0.1), scalar("mem", 10), ranges("ports", { { 1, 5 } }), scalar("tokens", 3) }),
            offer("o2", { scalar("cpus", 0.2), scalar("cpus", 1, reserved("db")), scalar("gpus", 1) }),
        })
        assert.equal(0.3, list:sum("cpus"))
        assert.equal(3, list:sum("tokens"))
        assert.equal(0, list:sum("nothing"))
        assert.same({ cpus = 0.3, mem = 10, disk = 0, gpus = 1, ports = 5 }, list:sum())
        assert.same({ cpus = 0, mem = 0, disk = 0, gpus = 0, ports = 0 }, internals.offers():sum())
    end)
end)

-- ---- against the same in Lua ----

local NAMES = { "cpus", "gpus", "mem", "ports", "tokens" } -- in the order in which shares are added

-- random(last) and random(first, last), the same on every machine
local function generator(state)
    return function(first, last)
        if not last then
            first, last = 1, first
        end
        state = state * 6364136223846793005 + 1442695040888963407
        return first + (state >> 33) % (last - first + 1)
    end
end

local function random_resource(name, random)
    local changes = ({ {}, {}, reserved("web"), reserved("db"), { role = "web" }, { revocable = {} } })[random(6)]
    if name ~= "ports" then
        return scalar(name, random(0, 4000) / 1000 * ({ cpus = 4, gpus = 1, mem = 100, tokens = 1 })[name], changes)
    end
    local list, first = {}, random(1, 20) * 100
    for i = 1, random(0, 3) do
        list[i] = { first, first + random(0, 6) }
        first = first + 20
    end
    return ranges(name, list, changes)
end

local function random_offer(i, random)
    local resources, seen = {}, false
    for _ = 1, random(0, 9) do
        local name = NAMES[random(#NAMES)]
        if name ~= "ports" or not seen then -- those of a master do not overlap
            resources[#resources + 1] = random_resource(name, random)
        end
        seen = seen or name == "ports"
    end
    local role = ({ "web", "web", "db" })[random(3)]
    return offer("o" .. i, resources, {
        allocation_info = random(10) > 1 and { role = role } or nil,
        attributes = { attribute("rack", "r" .. random(3)) },
    })
end

local function may_use(it, resource)
    local role = resource.role ~= "*" and resource.role or nil
    if #resource.reservations > 0 then
        role = resource.reservations[#resource.reservations].role
    end
    return role == nil or it.allocation_info == nil or it.allocation_info.role == role
end

local function amount_of(resource)
    if resource.type == "SCALAR" then
        return math.floor(resource.scalar * 1000 + 0.5)
    end
    local count = 0
    for _, range in ipairs(resource.ranges.range) do
        count = count + range["end"] - range.begin + 1
    end
    return count * 1000
end

-- What an offer has, in thousandths: { [false] = { cpus = }, [true] = the revocable ones }
local function amounts(it)
    local sums = { [false] = {}, [true] = {} }
    for _, revocable in ipairs({ false, true }) do
        for _, name in ipairs(NAMES) do
            sums[revocable][name] = 0
        end
    end
    for _, resource in ipairs(it.resources) do
        if may_use(it, resource) then
            local sum = sums[resource.revocable ~= nil]
            sum[resource.name] = sum[resource.name] + amount_of(resource)
        end
    end
    return sums
end

local function naive(list)
    local rows = {}
    for i, it in ipairs(list) do
        rows[i] = { offer = it, left = amounts(it), of = amounts(it) }
    end
    return rows
end

-- Of which kind the resource would be taken, or nil.
local function kind(row, need, name)
    local wanted = math.floor(need[name] * 1000 + 0.5)
    if need.revocable and row.left[true][name] >= wanted then
        return true, wanted
    elseif row.left[false][name] >= wanted then
        return false, wanted
    end
end

local function score(row, need)
    local rack = need.attributes and need.attributes.rack
    if need.role and (not row.offer.allocation_info or row.offer.allocation_info.role ~= need.role)
        or rack and row.offer:attribute("rack") ~= rack then
        return nil
    end
    local sum = 0
    for _, name in ipairs(NAMES) do
        if need[name] then
            local revocable, wanted = kind(row, need, name)
            if revocable == nil then
                return nil
            end
            local of = row.of[revocable][name]
            sum = sum + (row.left[revocable][name] - wanted) * (of > 0 and 1 / of or 0)
        end
    end
    return sum
end

local BETTER = {
    best_fit = function(new, old) return new < old end,
    worst_fit = function(new, old) return new > old end,
    first_fit = function() return false end,
}

local function choose(rows, need, order)
    local best, least
    for _, row in ipairs(rows) do
        local new = score(row, need)
        if new and (not best or BETTER[order](new, least)) then
            best, least = row, new
        end
    end
    return best
end

local function naive_take(row, need)
    for _, name in ipairs(NAMES) do
        if need[name] then
            local revocable, wanted = kind(row, need, name)
            row.left[revocable][name] = row.left[revocable][name] - wanted
        end
    end
end

local function random_need(random)
    local need = {}
    for _ = 1, random(0, 3) do
        local name = NAMES[random(#NAMES)]
        need[name] = name == "ports" and random(0, 4) or random(0, 2000) / 1000 * (name == "mem" and 50 or 1)
    end
    need.revocable = random(3) == 1 or nil
    need.role = random(4) == 1 and "web" or nil
    need.attributes = random(4) == 1 and { rack = "r" .. random(3) } or nil
    return need
end

-- The pieces are of the offer, with what belongs to them, and are as much as was needed; no port twice.
local function check_pieces(it, need, pieces, used)
    local sums = {}
    for _, piece in ipairs(pieces) do
        sums[piece.name] = (sums[piece.name] or 0) + amount_of(piece)
        assert.is_true(may_use(it, piece))
        assert.is_true(need.revocable or piece.revocable == nil)
        for _, range in ipairs(piece.type == "RANGES" and piece.ranges.range or {}) do
            for port = range.begin, range["end"] do
                assert.is_nil(used[it.id .. port])
                used[it.id .. port] = true
            end
        end
    end
    for _, name in ipairs(NAMES) do
        assert.equal(math.floor((need[name] or 0) * 1000 + 0.5), sums[name] or 0)
    end
end

local function check_sums(list, rows)
    for _, name in ipairs(NAMES) do
        local sum = 0
        for _, row in ipairs(rows) do
            sum = sum + row.left[false][name]
            assert.equal(row.left[false][name] / 1000, list:left(row.offer, name))
        end
        assert.equal(sum / 1000, list:sum(name))
    end
end

describe("the methods", function()
    it("choose, take and sum up as the same in Lua does, whatever the offers and needs", function()
        local random = generator(20261122)
        for _ = 1, 60 do
            local list, used, placed = {}, {}, 0
            for i = 1, random(0, 40) do
                list[i] = random_offer(i, random)
            end
            list = internals.offers(list)
            local rows = naive(list)
            for _, row in ipairs(rows) do
                for _, name in ipairs({ "cpus", "mem", "gpus" }) do
                    assert.equal(row.left[false][name] / 1000, row.offer[name])
                end
            end
            for _ = 1, 60 do
                local need = random_need(random)
                local order = ({ "best_fit", "worst_fit", "first_fit" })[random(3)]
                local expected, found = choose(rows, need, order), list[order](list, need)
                assert.equal(expected and expected.offer.id, found and found.id)
                if expected then
                    naive_take(expected, need)
                    check_pieces(found, need, assert(list:take(found, need)), used)
                    placed = placed + 1
                end
            end
            assert.is_true(#list == 0 or placed > 0)
            check_sums(list, rows)
        end
    end)
end)

-- ---- whatever passes validation ----

describe("offers of other bytes than a master sends", function()
    local function mutated(bytes, random)
        local text = { bytes:byte(1, -1) }
        for _ = 1, random(3) do
            local at = random(#text)
            local ways = {
                function() text[at] = random(0, 255) end,
                function() table.remove(text, at) end,
                function() table.insert(text, at, random(0, 255)) end,
                function() text[at] = text[at] ~ 1 << random(0, 7) end,
            }
            ways[random(#ways)]()
        end
        return string.char(table.unpack(text))
    end

    it("are added up and taken apart without harm", function()
        local random = generator(4711)
        local tried = 0
        for i = 1, 4000 do
            local bytes = mutated(internals.encode(OFFER, random_offer(i, random)), random)
            if internals.validate(OFFER, bytes) then
                local list = internals.offers({ internals.view(OFFER, bytes), offer("other", { scalar("cpus", 1) }) })
                local left = list:left(list[1])
                list:filter({ role = "web", attributes = { rack = { "r1", 1 } } })
                local need = { cpus = left.cpus, mem = left.mem, ports = left.ports < 1000 and left.ports // 1 | 0 or 1 }
                assert.is_truthy(list:best_fit(need))
                local pieces = assert(list:take(list[1], need))
                for _, piece in ipairs(pieces) do
                    internals.encode("mesos.v1.Resource", piece)
                end
                assert.equal(0, list:left(list[1], "cpus"))
                assert.is_true(list[1].id == "other" or list:sum("cpus") == 1)
                tried = tried + 1
            end
        end
        assert.is_true(tried > 400)
    end)
end)

-- ---- with a driver ----

describe("lists that the driver gives", function()
    it("pass over offers that were answered or taken back", function()
        local m, run = framework.subscribed([[
            local held
            local function best(list) local it = list:best_fit { cpus = 1 } return it and it.agent_id end
            function scheduler:resourceOffers(driver, offers)
                held = offers
                say("best", best(offers), #driver:offers(), best(driver:offers()))
                driver:declineOffer(offers:best_fit { cpus = 1 }.id)
                say("next", best(offers), best(mesos.offers(offers)), #offers, #offers:ids(), #offers:filter {})
                say("take", offers:take(offers[1], { cpus = 1 }))
                say("sum", offers:sum("cpus"), offers:sort_by("cpus")[1].agent_id)
            end
            function scheduler:offerRescinded(driver, id)
                say("left", best(held), held:sum("cpus"), #held, #held:ids())
                driver:declineOffer(held:ids())
                say("none", best(held), held:first_fit {}, held:sum("cpus"), #held:ids(), #mesos.offers(held):ids())
            end
        ]])
        local function cpus(agent, amount)
            return m:offer({ agent_id = agent, resources = { scalar("cpus", amount) } })
        end
        local offers = m:send_offers({ cpus("a", 2), cpus("b", 4), cpus("c", 8) })
        framework.said(run, "best\ta\t3\ta\nnext\tb\tb\t3\t2\t2\n")
        framework.said(run, "take\tnil\toffer '" .. offers[1].id .. "' cannot be used: it was declined already\nsum\t12.0\tb\n")
        m:send({ type = "RESCIND", rescind = { offer_id = offers[2].id } })
        framework.said(run, "left\tc\t8.0\t3\t1\nnone\tnil\tnil\t0.0\t0\t0\n")
        run:wait_for(function() -- with one call or two
            local declined = {}
            for _, it in ipairs(m:calls_of("DECLINE")) do
                table.move(it.call.decline.offer_ids, 1, #it.call.decline.offer_ids, #declined + 1, declined)
            end
            return declined[1] == offers[1].id and declined[2] == offers[3].id
        end)
    end)

    it("pass over all of them when the subscription is lost", function()
        local m, run = framework.subscribed([[
            local held = mesos.offers()
            function scheduler:resourceOffers(driver, offers)
                table.move(offers, 1, #offers, #held + 1, held)
                say("held", held:sum("cpus"))
            end
            function scheduler:disconnected() say("gone", #held, held:sum("cpus"), held:best_fit {}) end
        ]])
        m:send_offers({ m:offer(), m:offer() })
        framework.said(run, "held\t8.0\n")
        m:drop()
        framework.said(run, "gone\t2\t0.0\tnil\tno offer of the list is outstanding any more\n")
    end)

    it("know offers as spent that the driver has forgotten", function()
        local m, run = framework.subscribed([[
            function scheduler:resourceOffers(driver, offers)
                say("before", #offers, offers:sum("cpus"))
                driver:declineOffer(offers:ids())
                collectgarbage()
                say("after", offers:sum("cpus"), offers:first_fit {}, select(2, offers:take(offers[1], {})))
                say("again", mesos.offers(offers):sum("cpus"), select(2, mesos.offers(offers):take(offers[1], {})))
            end
        ]])
        send_many(m)
        framework.said(run, "before\t4200\t4200.0\n", 20)
        framework.said(run, "after\t0.0\tnil\toffer 'o1' cannot be used: it was declined already\n"
            .. "again\t0.0\toffer 'o1' cannot be used: it is not outstanding any more\n", 20)
    end)

    it("are whole also when a finalizer answers the offers while they are made", function()
        local m, run = framework.subscribed([[
            local driver, declined = nil, 0
            local function give_back() -- and again in the next cycle
                setmetatable({}, { __gc = give_back })
                for _, offer in ipairs(driver:offers()) do
                    driver:declineOffer(offer.id)
                    declined = declined + 1
                end
            end
            function scheduler:registered(it)
                driver = it
                collectgarbage("incremental", 1, 1000, 8)
                give_back()
            end
            function scheduler:resourceOffers(_, offers)
                collectgarbage("stop")
                local before, good = declined, 0
                for _, offer in ipairs(offers) do
                    if offer.id and offer.cpus == 1 and offer:attribute("rack") == nil then good = good + 1 end
                end
                say(before > 0, #offers, good)
            end
        ]])
        send_many(m)
        framework.said(run, "true\t4200\t4200\n", 20)
    end)

    it("are whole in driver:offers() as well", function()
        local m, run = framework.subscribed([[
            local driver, listed, answered
            local function give_back()
                if not listed then return end
                listed, answered = false, true
                driver:declineOffer(driver:offers():ids())
            end
            function scheduler:resourceOffers(it, offers)
                driver, offers = it, nil
                local good, count = 0, 0
                collectgarbage()
                collectgarbage("incremental", 1, 1000, 8)
                for i = 1, 50 do setmetatable({}, { __gc = give_back }) end
                listed = true
                local list = driver:offers()
                collectgarbage("stop")
                for _, offer in ipairs(list) do
                    count = count + 1
                    if offer.id and offer.cpus == 1 and offer:attribute("rack") == nil then good = good + 1 end
                end
                say(answered, count, good, #driver:offers())
            end
        ]])
        send_many(m)
        framework.said(run, "true\t4200\t4200\t0\n", 20)
    end)

    it("launch what they were packed with", function()
        local m, run = framework.subscribed([[
            function scheduler:resourceOffers(driver, offers)
                local tasks = {}
                for i = 1, 5 do
                    local need = { cpus = 1.5, mem = 64 }
                    local offer = offers:best_fit(need)
                    tasks[offer.id] = tasks[offer.id] or {}
                    table.insert(tasks[offer.id], task("t" .. i, offer, { resources = offers:take(offer, need) }))
                end
                for id, list in pairs(tasks) do driver:launchTasks(id, list) end
                say("placed", offers:best_fit { cpus = 0.1 }, mesos.offers(offers):best_fit { cpus = 0.1 })
            end
        ]])
        m:send_offers({ m:offer(), m:offer({ agent_id = "b" }), m:offer({ agent_id = "c" }) }) -- of 4 cpus each
        local counts = {}
        for i = 1, 3 do
            local accept = m:wait_for("ACCEPT", i).call.accept
            counts[i] = #accept.operations[1].launch.task_infos
            assert.equal(1.5, accept.operations[1].launch.task_infos[1].resources[1].scalar)
        end
        table.sort(counts)
        assert.same({ 1, 2, 2 }, counts)
        framework.said(run, "placed\tnil\tnil\tno offer of the list is outstanding any more\n")
    end)

    it("cannot wait inside a question, and are none the worse for it", function()
        local m, run = framework.subscribed([[
            function scheduler:resourceOffers(driver, offers)
                say(pcall(offers.best_fit, offers, { cpus = 1, where = function() mesos.sleep(0.01) end }))
                say(pcall(offers.filter, offers, function(it) error("no " .. it.agent_id, 0) end))
                mesos.sleep(0.01)
                say("fine", offers:best_fit({ cpus = 1 }).agent_id)
            end
        ]])
        m:send_offers({ m:offer({ agent_id = "a" }) })
        framework.said(run, "mesos.sleep cannot wait inside a function that is called from C")
        framework.said(run, "false\tno a\nfine\ta\n")
    end)

    it("end with the script when a question does", function()
        local m, run = framework.subscribed([[
            function scheduler:resourceOffers(driver, offers)
                pcall(offers.best_fit, offers, { where = function() mesos.exit(3) end })
                say("not reached")
            end
        ]])
        m:send_offers()
        assert.equal(3, run:wait(), run:report())
        assert.equal("", run.stdout)
    end)

    it("cannot be kept in mesos.state, and print as lists", function()
        local m, run = framework.subscribed([[
            function scheduler:resourceOffers(driver, offers)
                say(pcall(function() mesos.state = { held = offers } end))
                say(tostring(offers):match("^table: ") ~= nil)
            end
        ]])
        m:send_offers()
        framework.said(run, "mesos.state.held")
        framework.said(run, "true\n")
    end)
end)
