-- SPDX-License-Identifier: Apache-2.0
--
-- Resource texts: what agents get from --resources and the machine, what is pointed out in them, and that
-- mesos.resources reads them by the same rules; which resources of a call are those of a list.

local cjson = require("cjson")
local control = require("support.control")
local internals = require("internals")
local program = require("support.program")

-- The resources of the first agent of a local cluster with these options, and what was logged.
local function agent_with(text, env)
    local run = program.start { args = { "local", table.unpack(text and { "--resources", text } or {}) }, env = env }
    run:wait_for("listening on ")
    local state = cjson.decode(control.ctl(run, { "status", "--json" }).stdout)
    run:kill("sigterm")
    assert.equal(0, run:wait())
    return state.agents[1].resources, run.stderr
end

local function refused(args, text, env)
    local run = program.run { args = args, env = env }
    assert.equal(2, run.code, run:report())
    assert.truthy(run.stderr:find(text, 1, true), run:report())
    assert.equal("", run.stdout)
end

-- What a text gets wrong, and what is said.
local MISTAKES = {
    ["cpu:4"] = "bad resource 'cpu:4': unknown resource 'cpu' (did you mean 'cpus'?)",
    ["cpus:4;memory:64"] = "bad resource 'memory:64': unknown resource 'memory' (did you mean 'mem'?)",
    ["Mem:64"] = "bad resource 'Mem:64': unknown resource 'Mem' (did you mean 'mem'?)",
    ["gpu(a):1"] = "unknown resource 'gpu' (did you mean 'gpus'?)",
    ["port:[1-2]"] = "unknown resource 'port' (did you mean 'ports'?)",
    ["ports:31000"] = "'ports' is a list of ranges, such as ports:[31000-31009]",
    ["cpus:[1-2]"] = "'cpus' is a number, such as cpus:4",
    ["mem:{a}"] = "'mem' is a number of megabytes, such as mem:1024",
    ["cpus:-1"] = "'-1' is negative",
    ["cpus:nan"] = "'nan' is not a number",
    ["cpus:inf"] = "'inf' is not a number",
    ["cpus"] = "there is no ':' between name and value",
    ["ports:[5-1]"] = "range '5-1' ends before it begins",
    ["ports:[1]"] = "range '1' is not begin-end",
    ["x:1;x:{a}"] = "'x' has two types",
    ["cpus(:1"] = "lacks its closing ')'",
    ['[{"name":"cpus"}]'] = "resources in JSON are not read; write cpus:4;mem:1024",
    ["file:///tmp/x"] = "resources in a file are not read",
}

describe("resource texts", function()
    after_each(program.cleanup)

    it("give agents what they name, nothing where they say 0, and the machine's for what they do not name", function()
        local resources = agent_with "cpus:0;mem:512;ports:[]"
        assert.matches("^mem:512;disk:%d+$", resources)
        assert.matches("^gpus:2;cpus:[%d.]+;mem:%d+;disk:%d+;ports:%[31000%-32000%]$", (agent_with "gpus:2"))
        assert.matches("^cpus:[%d.]+;mem:%d+;disk:%d+;ports:%[31000%-32000%]$", (agent_with()))
        assert.matches("^mem:64;disk:%d+;ports", (agent_with(nil, { MESOS_RESOURCES = "cpus:0;mem:64" })))
        assert.matches("^cpus%(a%):2;mem:64;disk", (agent_with "cpus(a):2;mem:64"))
        assert.matches("^cpus%(a%){REV}:2;cpus{REV}:1;mem{REV}:64;disk", (agent_with "cpus(a){REV}:2;cpus{REV}:1;mem{REV}:64"))
    end)

    it("add up what they name twice, as Mesos does", function()
        assert.matches("^cpus:3;mem:64;ports:%[1%-3, 9%-9%];", (agent_with "cpus:1;mem:64;cpus:2;ports:[1-2];ports:[3-3,9-9]"))
    end)

    it("may name other resources, of which there is a note in the log", function()
        local resources, log = agent_with "cpus:1;licences:3;cpuset:2"
        assert.matches("licences:3;cpuset:2", resources)
        assert.matches("info +agents have 'licences', a custom resource", log)
        assert.matches("info +agents have 'cpuset'", log)
        assert.is_nil(log:find("agents have 'cpus'", 1, true))
    end)

    for text, words in pairs(MISTAKES) do
        it("point out the mistake in " .. text, function()
            refused({ "local", "--resources", text }, words)
        end)
    end

    it("are refused with a fraction of a GPU, and when the option comes twice", function()
        refused({ "local", "--resources", "gpus:0.5" }, "The 'gpus' resource must be an unsigned integer, got 0.5")
        refused({ "local", "--resources", "cpus:1", "--resources=mem:64" }, "--resources was given twice")
        refused({ "local" }, "unknown resource 'cpu' (did you mean 'cpus'?)", { MESOS_RESOURCES = "cpu:1" })
    end)

    it("are read by mesos.resources by the same rules", function()
        local script = program.script([[
            local mesos = require "mesos"
            for _, text in ipairs(arg) do
                local good, result = pcall(mesos.resources, text)
                print(good and #result .. " " .. result[1].name or result)
            end
            mesos.exit(0)]])
        local texts, expected = {}, {}
        for text, words in pairs(MISTAKES) do
            texts[#texts + 1], expected[#expected + 1] = text, words
        end
        local run = program.run { args = { script, "cpus:0;mem:1", "licences:2", table.unpack(texts) } }
        local lines = {}
        for line in run.stdout:gmatch("[^\n]+") do
            lines[#lines + 1] = line
        end
        assert.same({ "1 mem", "1 licences" }, { table.unpack(lines, 1, 2) }, run:report())
        for i, words in ipairs(expected) do
            assert.truthy(lines[i + 2]:find(words, 1, true), lines[i + 2])
        end
    end)
end)

describe("the resources of a task", function()
    local function scalar(name, value, more)
        local resource = { name = name, type = "SCALAR", scalar = { value = value }, allocation_info = { role = "web" } }
        for key, field in pairs(more or {}) do
            resource[key] = field
        end
        return resource
    end

    local function is_normal(resources)
        return internals.resources_are_normal(internals.encode("mesos.v1.TaskInfo", {
            name = "t", task_id = { value = "t" }, agent_id = { value = "a" }, resources = resources,
        }))
    end

    it("are those of a list if they are different scalars, allocated and not reserved", function()
        assert.is_true(is_normal { scalar("cpus", 1), scalar("mem", 512) })
        assert.is_true(is_normal { scalar("cpus", 0.1), scalar("mem", 0.001), scalar("licences", 1e12) })
        assert.is_true(is_normal {})
        for value = 1, 5000 do
            assert.is_true(is_normal { scalar("cpus", value / 1000) })
        end
    end)

    it("are no such list otherwise", function()
        local unallocated = scalar("cpus", 1)
        unallocated.allocation_info = nil
        assert.is_false(is_normal { unallocated })
        assert.is_false(is_normal { scalar("cpus", 1), scalar("cpus", 1) })
        for _, value in ipairs { 0, 0.0001, 1.0004, 0.1 + 0.2, 2.118 - 1, 1e300, math.huge, -math.huge, 0 / 0 } do
            assert.is_false(is_normal { scalar("cpus", value) })
        end
        for _, more in ipairs {
            { role = "*" }, { role = "web" }, { revocable = {} }, { shared = {} }, { disk = {} },
            { reservations = { { type = "STATIC", role = "web" } } }, { provider_id = { value = "p" } },
        } do
            assert.is_false(is_normal { scalar("cpus", 1, more) })
        end
        assert.is_false(is_normal { { name = "ports", type = "RANGES", allocation_info = { role = "web" },
            ranges = { range = { { ["begin"] = 1, ["end"] = 2 } } } } })
        assert.is_false(is_normal { { name = "cpus", type = "SCALAR", allocation_info = { role = "web" } } })
    end)
end)
