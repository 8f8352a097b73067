-- SPDX-License-Identifier: Apache-2.0
--
-- The local cluster from a file (--cluster), in Lua and in JSON: what frameworks see of its agents, roles with weights and
-- quota, credentials, and what is said of a file that is wrong.

local cjson = require("cjson")
local client = require("support.cluster_client")
local control = require("support.control")
local program = require("support.program")

local CAPABLE = {
    { type = "MULTI_ROLE" }, { type = "RESERVATION_REFINEMENT" }, { type = "REGION_AWARE" }, { type = "REVOCABLE_RESOURCES" },
}

-- A file with that text below a new folder.
local function file(text, name)
    return program.script(text, name or "cluster.lua")
end

local function start(text, name)
    client.start { "--cluster", file(text, name) }
end

-- All offers of a new framework in that role, by the host name of the agent.
local function offers_to(role, count)
    local stream = client.subscribe({ roles = { role }, capabilities = CAPABLE }):subscribed()
    local by_host, found = {}, 0
    while found < count do
        for _, offer in ipairs(stream:find("OFFERS").offers.offers) do
            by_host[offer.hostname] = offer
            found = found + 1
        end
    end
    return by_host, stream
end

-- "name", "name(role)" or "name{REV}" of each resource, and its value.
local function describe_resources(offer)
    local list = {}
    for _, resource in ipairs(offer.resources) do
        local last = (resource.reservations or {})[1]
        local name = resource.name .. (last and "(" .. last.role .. ")" or "") .. (resource.revocable and "{REV}" or "")
        local value = resource.scalar and ("%g"):format(resource.scalar.value)
            or resource.set and table.concat(resource.set.item, ",")
        for _, range in ipairs(resource.ranges and resource.ranges.range or {}) do
            value = (value and value .. "," or "") .. ("%d-%d"):format(range.begin, range["end"])
        end
        list[#list + 1] = name .. ":" .. value
    end
    table.sort(list)
    return table.concat(list, " ")
end

local function describe_attributes(offer)
    local list = {}
    for _, attribute in ipairs(offer.attributes or {}) do
        local value = attribute.text and attribute.text.value or attribute.scalar and ("%g"):format(attribute.scalar.value)
            or attribute.set and table.concat(attribute.set.item, "+")
            or ("%d-%d"):format(attribute.ranges.range[1].begin, attribute.ranges.range[1]["end"])
        list[#list + 1] = ("%s %s=%s"):format(attribute.type, attribute.name, value)
    end
    return table.concat(list, ", ")
end

local LUA = [[
    local function group(count, name, region)
        return { count = count, resources = { cpus = 1, mem = 64, disk = 0, ports = { { 31000, 31001 }, 31005 } },
            attributes = { zone = name, rack = 7, slots = { { 1, 4 } }, tags = { "x", "y" } }, hostname = name .. "-%02d",
            domain = { region = region, zone = name } }
    end
    return { agents = { group(2, "a", "eu"), group(1, "b", "us") } }]]

local JSON = [=[{ "agents": [
    { "count": 2, "resources": "cpus:1;mem:64;disk:0;ports:[31000-31001,31005-31005]", "hostname": "a-%02d",
      "attributes": { "rack": 7, "slots": [[1, 4]], "tags": ["x", "y"], "zone": "a" },
      "domain": { "region": "eu", "zone": "a" } },
    { "resources": "cpus:1;mem:64;disk:0;ports:[31000-31001,31005-31005]", "hostname": "b-%02d",
      "attributes": { "rack": 7, "slots": [[1, 4]], "tags": ["x", "y"], "zone": "b" },
      "domain": { "region": "us", "zone": "b" } } ] }]=]

describe("a cluster from a file", function()
    after_each(client.stop)

    for name, text in pairs { ["cluster.lua"] = LUA, ["cluster.json"] = JSON } do
        it("has the agents of " .. name, function()
            start(text, name)
            local offers, stream = offers_to("x", 3)
            for _, host in ipairs { "a-01", "a-02", "b-01" } do
                local offer, zone = offers[host], host:sub(1, 1)
                assert.equal("cpus:1 mem:64 ports:31000-31001,31005-31005", describe_resources(offer))
                assert.equal("SCALAR rack=7, RANGES slots=1-4, SET tags=x+y, TEXT zone=" .. zone, describe_attributes(offer))
                assert.equal(host, offer.url.address.hostname)
                assert.equal(zone, offer.domain.fault_domain.zone.name)
            end
            assert.equal("us", offers["b-01"].domain.fault_domain.region.name)
            assert.is_truthy(stream.framework_id)
            assert.matches("2 agents with cpus:1;[^,]*mem:64;[^ ]*, 31005%-31005%] rack=7 slots=%[1%-4%] tags={x,y} zone=a, 1 with ",
                client.cluster.stderr)
        end)
    end

    it("has resources that are reserved, or revocable", function()
        start [[return { agents = { { hostname = "h", resources = { "cpus:2;mem:512;disk:0;ports:[];cpus(eng):1",
            { role = "eng", principal = "ops", labels = { team = "x" }, resources = { mem = 64 } },
            { revocable = true, resources = "cpus:8" } } } } }]]
        local offer = offers_to("eng", 1).h
        assert.equal("cpus(eng):1 cpus:2 cpus{REV}:8 mem(eng):64 mem:512", describe_resources(offer))
        for _, resource in ipairs(offer.resources) do
            if resource.name == "mem" and resource.reservations then
                assert.same({ type = "DYNAMIC", role = "eng", principal = "ops",
                    labels = { labels = { { key = "team", value = "x" } } } }, resource.reservations[1])
            end
        end
    end)

    it("offers revocable resources to frameworks that take them", function()
        start [[return { agents = { { hostname = "h", resources = { "cpus:2;mem:512;disk:0;ports:[]",
            { revocable = true, resources = "cpus:8" } } } } }]]
        local stream = client.subscribe({ roles = { "x" }, capabilities = { { type = "MULTI_ROLE" } } }):subscribed()
        assert.equal("cpus:2 mem:512", describe_resources(stream:offer()))
    end)

    it("has roles with weights and quota", function()
        start [[return { agents = { { count = 6, resources = "cpus:1;mem:64;disk:0;ports:[]", hostname = "h%d" } },
            roles = { heavy = { weight = 2 }, small = { limits = { cpus = 1, mem = 64 } },
                kept = { guarantees = { cpus = 1, mem = 64 } } } }]]
        local offers = offers_to("small", 1)
        local count = 0
        for _ in pairs(offers) do
            count = count + 1
        end
        assert.equal(1, count)
        offers_to("heavy", 4)
        local stream = client.subscribe({ roles = { "other" }, capabilities = CAPABLE, name = "late" }):subscribed()
        assert.is_nil(stream:find("OFFERS", 1.2)) -- the last one is kept
        local state = cjson.decode(control.ctl(client.cluster, { "status", "--json" }).stdout)
        for _, framework in ipairs(state.frameworks) do
            if framework.name == "late" then
                assert.matches("is kept for the quota guarantees of other roles", framework.no_offers_because)
            end
        end
    end)

    it("asks for the credentials that the file names", function()
        start [[return { credentials = { { principal = "p", secret = "s" }, { principal = "q", secret = "t" } } }]]
        local call = { type = "REVIVE", framework_id = { value = "none" } }
        client.refused(401, "401 Unauthorized.", call)
        client.refused(400, "Framework cannot be found", call, { headers = { Authorization = "Basic cTp0" } }) -- q:t
    end)
end)

describe("a script with a cluster from a file", function()
    after_each(program.cleanup)

    it("runs on it, also with credentials in it", function()
        local cluster = file [[return { agents = { { resources = "cpus:3;mem:64" } },
            credentials = { { principal = "p", secret = "s" } } }]]
        local run = program.run { args = { "--cluster", cluster, program.script [[
            local s = { framework = { name = "x" } }
            function s:resourceOffers(driver, offers) print(offers[1].cpus) driver:stop() end
            return s]] } }
        assert.equal(0, run.code, run:report())
        assert.equal("3.0\n", run.stdout)
    end)

    it("places by zone as README.md does", function()
        local run = program.run { args = { "--cluster", "examples/cluster.lua", program.script [[
            local s = { framework = { name = "x" } }
            function s:resourceOffers(driver, offers)
                print(#offers, offers:best_fit({ cpus = 0.5, mem = 128, ports = 1, attributes = { zone = "b" } }).hostname)
                driver:stop()
            end
            return s]] } }
        assert.equal(0, run.code, run:report())
        assert.equal("4\tb-01.example\n", run.stdout)
    end)
end)

describe("a file for --cluster that is wrong", function()
    after_each(program.cleanup)

    -- What the file has, and what is said.
    local MISTAKES = {
        { "return { agents = { {}, { cuont = 2 } } }", "cluster.lua: agents[2].cuont: unknown key (did you mean 'count'?)" },
        { "return { agent = {} }", "agent: unknown key (did you mean 'agents'?)" },
        { "return { zzzqq = 1 }", "zzzqq: unknown key; there are agents, roles, credentials, master" },
        { "return { agents = { { count = 0 } } }", "agents[1].count: a whole number from 1 to 10000 expected, got 0" },
        { "return { agents = { { count = 9000 }, { count = 9000 } } }", "agents[2]: with these there are more than 10000 agents" },
        { "return { agents = { count = 3 } }", "agents: a list expected, got a table with names" },
        { "return { agents = { { resources = { cpu = 2 } } } }",
            "agents[1].resources: bad resource 'cpu:2': unknown resource 'cpu' (did you mean 'cpus'?)" },
        { "return { agents = { { resources = { cpus = -1 } } } }", "agents[1].resources.cpus: -1 is less than 0" },
        { "return { agents = { { resources = { cpus = true } } } }", "agents[1].resources.cpus: a number expected, got true" },
        { "return { agents = { { resources = { ports = { { 1, 2, 3 } } } } } }",
            "agents[1].resources.ports[1]: a number expected, got a list" },
        { "return { agents = { { resources = { 'cpus:1', { role = 'a b', resources = 'cpus:1' } } } } }",
            "agents[1].resources[2].role: Role component 'a b' is invalid" },
        { "return { agents = { { resources = { { principal = 'p', resources = 'cpus:1' } } } } }",
            "agents[1].resources[1].resources: 'cpus' is not reserved: 'principal' and 'labels' need a 'role'" },
        { "return { agents = { { resources = { 'x:1', { role = 'a', resources = 'x:[1-2]' } } } } }", "'x' has two types" },
        { "return { agents = { { attributes = { zone = true } } } }", "agents[1].attributes.zone: a text expected, got true" },
        { "return { agents = { { attributes = { slots = { 4 } } } } }", "agents[1].attributes.slots[1]: a range is { first, last }" },
        { "return { agents = { { hostname = 'a%s' } } }", "agents[1].hostname: 'a%s': %d or, for three digits, %03d is the number" },
        { "return { agents = { { domain = { region = 'eu' } } } }", "agents[1].domain: a domain has a region and a zone" },
        { "return { roles = { a = { weight = 0 } } }", "roles.a.weight: a weight is above 0" },
        { "return { roles = { ['a b'] = { weight = 1 } } }", "roles.a b: Role component 'a b' is invalid" },
        { "return { roles = { ['a/b'] = { limits = { cpus = 1 } } } }",
            "roles.a/b: Updating quota on nested role 'a/b' is not supported yet" },
        { "return { roles = { a = { guarantees = { cpus = 1e6 } } } }",
            "roles.a: Invalid QuotaConfig: total quota guarantees 'cpus:1000000' exceed cluster capacity" },
        { "return { credentials = { { principal = 'p' } } }", "credentials[1]: a principal and its secret are needed" },
        { "return { runtime = 1 }", "runtime: this is for the simulator (mesos-lua sim); here tasks run as processes" },
        { "return { agents = { { count = print } } }", "agents[1].count: numbers, texts, true, false and tables of them are expected" },
        { "return { agents = { {}, x = 1 } }", "agents: a table is either a list or has fields with names" },
        { "return { agents = { { count = 0/0 } } }", "agents[1].count: a number that is not finite" },
        { "local t = {} t.agents = t return t", "tables lie too deep in one another" },
        { "return 3", "what it returns: a table is expected" },
        { "return {", "cluster.lua:1: unexpected symbol" },
        { "\nreturn { agents = io.open 'x' }", "cluster.lua:2:" },
        { "while true do end", "stopped after" },
    }
    for _, row in ipairs(MISTAKES) do
        it("says so: " .. row[2]:sub(1, 70), function()
            local run = program.run { args = { "local", "--cluster", file(row[1]) } }
            assert.equal(2, run.code, run:report())
            assert.truthy(run.stderr:find(row[2], 1, true), run:report())
            assert.equal("", run.stdout)
        end)
    end

    it("is named with the line of JSON that cannot be read", function()
        local run = program.run { args = { "local", "--cluster", file("{\n\"agents\": [\n}", "cluster.json") } }
        assert.equal(2, run.code)
        assert.matches("cluster%.json: line 3: ", run.stderr)
        run = program.run { args = { "local", "--cluster", "/nowhere/cluster.json" } }
        assert.equal(2, run.code)
        assert.matches("%-%-cluster: /nowhere/cluster%.json: ", run.stderr)
    end)

    it("is found by check", function()
        local run = program.run { args = { "check", "--cluster", file "return { agent = {} }", program.script [[
            local mesos = require "mesos"
            return { framework = { name = "x" } }]] } }
        assert.equal(2, run.code, run:report())
        assert.matches("agent: unknown key", run.stderr)
    end)

    it("is no file beside other options for agents", function()
        for _, more in ipairs { { "--agents", "2" }, { "--resources", "cpus:1" }, { "--agent", "cpus:1" }, { "-m", "local:2" } } do
            local run = program.run { args = { "--cluster", file "return {}", more[1], more[2], program.script "return {}" } }
            assert.equal(2, run.code, run:report())
            assert.matches("%-%-cluster FILE describes all agents: with it there is no %-%-agent", run.stderr)
        end
    end)

    it("has no credentials beside those of an option", function()
        local secret = program.script("p s", "secret")
        local run = program.run { args = { "local", "--credential", secret, "--cluster",
            file "return { credentials = { { principal = 'a', secret = 'b' } } }" } }
        assert.equal(2, run.code, run:report())
        assert.matches("there are some in the file of %-%-cluster, and %-%-credential gives others", run.stderr)
    end)
end)
