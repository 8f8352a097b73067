-- SPDX-License-Identifier: Apache-2.0
--
-- Agents that are described one by one (--agent): what schedulers see of them in offers, what offer constraints make of
-- their attributes, and what is wrong with a description.

local cjson = require("cjson")
local control = require("support.control")
local program = require("support.program")

-- Runs a scheduler on a local cluster of these agents; `body` is its resourceOffers.
local function run_with(agents, body, fields)
    local args = {}
    for _, agent in ipairs(agents) do
        args[#args + 1] = "--agent"
        args[#args + 1] = agent
    end
    args[#args + 1] = program.script(([[
local mesos = require "mesos"
local s = { framework = { name = "agents", roles = { "a" }, capabilities = { { type = "MULTI_ROLE" } } }, %s }
function s:resourceOffers(driver, offers)
    %s
    driver:stop()
end
return s]]):format(fields or "", body))
    local run = program.run { args = args }
    assert.equal(0, run.code, run:report())
    return run.stdout, run.stderr
end

describe("a described agent", function()
    after_each(program.cleanup)

    it("offers its resources, and attributes of the type that a real agent would give them", function()
        local out, log = run_with({ "cpus:4;mem:1024;disk:0;ports:[] zone=a rack=7 racks=[1-4,9-10] share=0.5 minus=-1 x=1e3 inf=inf",
            "cpus:2;mem:64;disk:0;ports:[] zone=b" }, [[
            for _, o in ipairs(offers:sort_by(function(o) return o.cpus end)) do
                print(o.cpus, o.mem, #o.attributes)
                for _, a in ipairs(o.attributes) do
                    print(a.name, a.type, a.text or a.scalar or a.ranges.range[2].begin .. "-" .. a.ranges.range[2]["end"])
                end
            end]])
        assert.equal("2.0\t64.0\t1\nzone\tTEXT\tb\n4.0\t1024.0\t7\nzone\tTEXT\ta\nrack\tSCALAR\t7.0\nracks\tRANGES\t9-10\n"
            .. "share\tSCALAR\t0.5\nminus\tTEXT\t-1\nx\tSCALAR\t1000.0\ninf\tTEXT\tinf\n", out)
        assert.matches("brought a local cluster: 1 agent with cpus:4;mem:1024 zone=a rack=7 racks=%[1%-4,9%-10%] share=0%.5 minus=%-1 "
            .. "x=1000 inf=inf, 1 with cpus:2;mem:64 zone=b; tasks", log)
    end)

    it("has what it does not name from this machine, of which each has a part", function()
        local out, log = run_with({ "zone=a", "zone=b", "cpus:3" }, [[
            local ports = {}
            for _, o in ipairs(offers) do ports[#ports + 1] = o.ports[1][1] end
            table.sort(ports)
            print(table.concat(ports, " "))]])
        assert.equal("31000 31333 31666\n", out)
        assert.matches("1 with cpus:3;mem:%d+;disk:%d+;ports", log)
    end)

    it("can be chosen by its attributes", function()
        local out = run_with({ "cpus:4;mem:1024 zone=a", "cpus:8;mem:1024 zone=b" }, [[
            print(offers:best_fit({ cpus = 1, attributes = { zone = "b" } }).cpus)
            print(offers:best_fit({ cpus = 1, attributes = { zone = "c" } }))]])
        assert.matches("^8.0\nnil\t.*zone", out)
    end)

    -- The attribute of the agents that are offered, by the predicate.
    local PREDICATES = {
        { "exists = {}", "7 a b" },
        { "not_exists = {}", "none" },
        { "text_equals = { value = 'a' }", "7 a" },
        { "text_not_equals = { value = 'a' }", "7 b none" },
        { "text_matches = { regex = '[ab]' }", "7 a b" },
        { "text_not_matches = { regex = 'a|7' }", "7 b none" },
    }
    for _, row in ipairs(PREDICATES) do
        it("meets offer constraints as on a real master: " .. row[1], function()
            local out = run_with({ "zone=a", "zone=b", "zone=7", "rack=a" }, [[
                local zones = {}
                for _, o in ipairs(offers) do zones[#zones + 1] = tostring(o:attribute "zone" or "none"):gsub("%.0", "") end
                table.sort(zones)
                print(table.concat(zones, " "))]], ([[offerConstraints = { role_constraints = { a = { groups = { {
                attribute_constraints = { { selector = { attribute_name = "zone" }, predicate = { %s } } } } } } } }]]):format(row[1]))
            assert.equal(row[2] .. "\n", out)
        end)
    end

    it("shows its attributes in the status", function()
        local run = program.start { args = { "local", "--agent", "cpus:1;mem:32 zone=a", "--agent", "cpus:1;mem:32 zone=a" } }
        run:wait_for("listening on ")
        local state = cjson.decode(control.ctl(run, { "status", "--json" }).stdout)
        assert.equal(2, #state.agents)
        assert.equal("zone=a", state.agents[2].attributes)
        assert.matches("agents +2 agents with cpus:1;mem:32;disk:%d+;ports:%S+ zone=a\n", control.ctl(run, { "status" }).stdout)
        run:kill("sigterm")
        assert.equal(0, run:wait())
    end)

    it("has a description that is right, or the program says which word is not", function()
        local mistakes = {
            ["cpus:4 mem:5"] = "'mem:5': the resources are one word without spaces",
            ["cpu:4"] = "bad resource 'cpu:4': unknown resource 'cpu' (did you mean 'cpus'?)",
            ["cpus:4 =a"] = "'=a': NAME=VALUE expected",
            ["cpus:4 zone="] = "'zone=': NAME=VALUE expected",
            ["zones={a,b}"] = "attribute zones: attributes are numbers, ranges or texts; Mesos has no sets of them",
            ["racks=[4-1]"] = "attribute racks: '[4-1]': ranges such as [1-4,7-9] expected",
            ["racks=[a-b]"] = "attribute racks: '[a-b]': ranges such as",
        }
        for text, message in pairs(mistakes) do
            local run = program.run { args = { "local", "--agent", "cpus:1", "--agent", text } }
            assert.equal(2, run.code, run:report())
            assert.truthy(run.stderr:find("--agent: " .. message, 1, true), run:report())
        end
    end)

    it("excludes the options for agents that are alike", function()
        for _, more in ipairs { { "--agents", "2" }, { "--resources", "cpus:1" }, { "-m", "local:2" } } do
            local run = program.run { args = { "--agent", "cpus:1", more[1], more[2], program.script "return {}" } }
            assert.equal(2, run.code, run:report())
            assert.matches("%-%-agent", run.stderr)
        end
    end)
end)
