-- SPDX-License-Identifier: Apache-2.0
--
-- The command line: what is wrong with it is one line on stderr that names it, and exit status 2.

local program = require("support.program")

local function run(args, env)
    return program.run { args = args, env = env }
end

describe("the command line", function()
    after_each(program.cleanup)

    -- Arguments, environment, what the message must contain.
    local mistakes = {
        { {}, nil, "no script was given" },
        { { "check" }, nil, "no script was given: mesos-lua check" },
        { { "--mater", "x.lua" }, nil, "unknown option '--mater' (did you mean '--master'?)" },
        { { "-z", "x.lua" }, nil, "unknown option '-z'" },
        { { "-vz", "x.lua" }, nil, "unknown option '-z'" },
        { { "--agents", "x", "x.lua" }, nil, "--agents: a whole number from 1 to 1000 (for sim to 1000000) expected, got 'x'" },
        { { "--agents=0", "x.lua" }, nil, "--agents: a whole number from 1 to 1000 (for sim to 1000000) expected, got '0'" },
        { { "--agents=1.5", "x.lua" }, nil, "got '1.5'" },
        { { "--agents" }, nil, "--agents needs a value: --agents N" },
        { { "--verbose=yes", "x.lua" }, nil, "--verbose takes no value, got 'yes'" },
        { { "--record-limit", "12Q", "x.lua" }, nil, "--record-limit: a number of bytes" },
        { { "--listen", "::1:80", "local" }, nil, "--listen: ADDR:PORT expected" },
        { { "--listen", "127.0.0.1:70000", "local" }, nil, "--listen: ADDR:PORT expected" },
        { { "--log-level", "loud", "x.lua" }, nil, "--log-level: debug, info, warning, error or quiet expected, got 'loud'" },
        { { "local", "x.lua" }, nil, "unexpected argument 'x.lua'" },
        { { "local", "-m", "x" }, nil, "option '--master' has no meaning for mesos-lua local" },
        { { "x.lua" }, { MESOS_NUM_SLAVES = "many" }, "MESOS_NUM_SLAVES: a whole number from 1 to 1000 " },
        { { "x.lua" }, { MESOS_NUM_SLAVES = "2000" },
            "MESOS_NUM_SLAVES: a whole number from 1 to 1000 (for sim to 1000000) expected, got '2000'" },
        { { "x.lua" }, { MESOS_QUIET = "maybe" }, "MESOS_QUIET: a number, true or false expected, got 'maybe'" },
        { { "--memory-limit", "10", "x.lua" }, nil,
            "--memory-limit: a number of bytes from 1048576 to 1099511627776, such as 8M, 512M or 2G, expected, got '10'" },
        { { "lcoal" }, nil, "no file 'lcoal', and no command of that name: did you mean 'local'?" },
        { { "chekc", "x.lua" }, nil, "no file 'chekc', and no command of that name: did you mean 'check'?" },
        { { "nothing" }, nil, "no file 'nothing', and no command of that name (mesos-lua --help lists the commands)" },
        { { "run", "nothing" }, nil, "cannot open script 'nothing'" },
        { { "--", "lcoal" }, nil, "cannot open script 'lcoal'" },
        { { "nowhere.lua" }, { MESOS_NUM_SLAVES = "" }, "cannot open script 'nowhere.lua': No such file or directory" },
        { { "check", "--", "--x.lua" }, nil, "cannot open script '--x.lua'" },
    }
    for _, row in ipairs(mistakes) do
        local args, env, message = table.unpack(row, 1, 3)
        it(("says '%s' to '%s'"):format(message, table.concat(args, " ")), function()
            local done = run(args, env)
            assert.equal(2, done.code, done:report())
            assert.truthy(done.stderr:find(message, 1, true), done:report())
            assert.equal("", done.stdout)
        end)
    end

    it("says one line only", function()
        local done = run { "--mater", "x.lua" }
        local _, lines = done.stderr:gsub("\n", "")
        assert.equal(1, lines, done:report())
    end)

    it("prints its options, variables and defaults", function()
        for _, args in ipairs { { "--help" }, { "-h" }, { "run", "-h" }, { "local", "--help" }, { "executor", "-h" }, { "ps", "-h" } } do
            local done = run(args)
            assert.equal(0, done.code, done:report())
            assert.equal("", done.stderr)
            local whole, clustered = #args == 1 or args[1] == "run", args[1] == "local"
            assert.equal(whole, done.stdout:find("-m, --master URL", 1, true) ~= nil, args[1])
            assert.equal(whole or clustered, done.stdout:find("[MESOS_NUM_SLAVES; default: 1]", 1, true) ~= nil, args[1])
            assert.equal(#args == 1, done.stdout:find("a custom executor", 1, true) ~= nil and whole, args[1])
            for line in done.stdout:gmatch("[^\n]+") do
                assert.is_true(#line <= 110, line)
            end
        end
    end)

    it("prints its version", function()
        local done = run { "--version" }
        assert.equal(0, done.code, done:report())
        assert.truthy(done.stdout:find("%d+%.%d+%.%d+"), done:report())
    end)

    it("leaves what follows the script to the script", function()
        local script = program.script [[print(arg[0] ~= nil, select("#", ...), ...) os.exit(0)]]
        local done = run { "-q", script, "--agents", "-v", "" }
        assert.equal(0, done.code, done:report())
        assert.equal("true\t3\t--agents\t-v\t\n", done.stdout)
    end)

    it("points out options that stand behind the script", function()
        local script = program.script [[print(table.concat(arg, " ")) os.exit(0)]]
        local done = run { script, "--master", "h:1", "--agents=3", "--mine", "-v", "--help" }
        assert.equal(0, done.code, done:report())
        assert.equal("--master h:1 --agents=3 --mine -v --help\n", done.stdout)
        for _, name in ipairs { "--master", "--agents" } do
            assert.truthy(done.stderr:find(name .. " behind the script is an argument of the script; to give it to "
                .. "mesos-lua, put it in front of " .. script, 1, true), done:report())
        end
        assert.equal(2, select(2, done.stderr:gsub("\n", "")), done:report())
    end)

    it("does not where -- says that they are the script's", function()
        local script = program.script [[print(#arg) os.exit(0)]]
        for _, args in ipairs { { "--", script, "--master", "x" }, { script, "--", "--master" } } do
            local done = run(args)
            assert.equal(0, done.code, done:report())
            assert.equal("", done.stderr)
        end
    end)

    it("takes values in all forms", function()
        local script = program.script "os.exit(0)"
        local forms = {
            { "--agents", "2", "-q", script }, { "--agents=2", "-q", script }, { "-qm", "localhost:1", script },
            { "-mlocalhost:1", "-q", "run", script }, { "run", "-q", "--record-limit=1M", "--", script },
            { "-vq", "check", "--record-limit", "64MiB", script },
        }
        for _, args in ipairs(forms) do
            local done = run(args)
            assert.equal(0, done.code, done:report())
        end
    end)
end)
