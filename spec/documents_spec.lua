-- SPDX-License-Identifier: Apache-2.0
--
-- What the build makes from the tables of options and commands: man pages, which mandoc reads without a complaint, and
-- completion, which bash carries out.

local program = require("support.program")

local documents = require("luv").fs_realpath(os.getenv("MESOS_LUA_BUILD") or "build") .. "/documents"

after_each(program.cleanup)

local function run(path, ...)
    local done = program.run { path = path, args = { ... }, env = { PATH = program.path:match("^(.*)/") .. ":/usr/bin:/bin" } }
    assert.equal(0, done.code, path .. ": " .. done:report())
    return done.stdout
end

-- Rows of `mesos-lua --tables` of a kind: lists of fields.
local function table_of(kind)
    local rows = {}
    for rest in run(program.path, "--tables"):gmatch("%f[^\n\0]" .. kind .. "\t([^\n]*)") do
        local row = {}
        for field in (rest .. "\t"):gmatch("([^\t]*)\t") do
            row[#row + 1] = field
        end
        rows[#rows + 1] = row
    end
    assert.is_true(#rows > 3, kind)
    return rows
end

-- A man page as text, in lines that are not broken.
local function page(name)
    return (run("/usr/bin/mandoc", "-Tascii", "-Owidth=1000", documents .. "/man1/" .. name .. ".1"):gsub(".\b", ""))
end

describe("man pages", function()
    it("are there for each command, and troff without a fault", function()
        for _, command in ipairs(table_of("command")) do
            local name = command[1] == "run" and "mesos-lua" or "mesos-lua-" .. command[1]
            run("/usr/bin/mandoc", "-Tlint", "-Wwarning", documents .. "/man1/" .. name .. ".1")
        end
    end)

    it("have all options, variables and commands", function()
        local text, ctl = page("mesos-lua"), page("mesos-lua-ctl")
        for _, option in ipairs(table_of("option")) do
            program.assert_has(text, "--" .. option[1] .. (option[3] ~= "" and " " .. option[3] or ""), option[4])
        end
        for _, variable in ipairs(table_of("variable")) do
            program.assert_has(text, variable[1])
        end
        for _, command in ipairs(table_of("command")) do
            program.assert_has(text, command[2])
        end
        for _, command in ipairs(table_of("ctl")) do
            program.assert_has(ctl, command[2], command[3])
        end
    end)

    it("have the options of their command alone", function()
        local text = page("mesos-lua-local")
        program.assert_has(text, "--listen ADDR:PORT", "Default: 127.0.0.1, any free port.")
        assert.is_nil(text:find("--elect", 1, true))
    end)
end)

describe("--tables", function()
    it("has what --help has, and is not in it", function()
        local help = run(program.path, "--help") .. run(program.path, "sim", "--help")
        for _, option in ipairs(table_of("option")) do
            program.assert_has(help, "--" .. option[1])
        end
        assert.is_nil(help:find("--tables", 1, true))
        assert.is_nil(help:find("--one-run", 1, true))
    end)
end)

describe("completion by bash", function()
    -- What the words are completed to; the last one is completed.
    local function complete(...)
        local folder = program.files { ["policy.lua"] = "", ["plan.json"] = "", ["lib/x.lua"] = "" }
        local script = ([[cd %s && . "$0" && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && { _mesos_lua
            printf '%%s\n' "${COMPREPLY[@]}" | sort; }]]):format(folder)
        local text = run("/bin/bash", "-c", script, documents .. "/completion/mesos-lua", "mesos-lua", ...)
        return (text:gsub("\n$", ""):gsub("\n", " "))
    end

    it("knows commands and scripts", function()
        assert.equal("check", complete("che"))
        assert.equal("policy.lua", complete("pol"))
        program.assert_has(complete(""), "check", "ctl", "local", "policy.lua", "lib")
        assert.equal("policy.lua", complete("check", "pol"))
    end)

    it("knows the options of a command", function()
        assert.equal("--master --masters", complete("--mast"))
        assert.equal("--elect", complete("run", "--el"))
        assert.equal("", complete("local", "--el"))
        assert.equal("--listen", complete("local", "--lis"))
        assert.equal("--state", complete("--master", "10.0.0.1:5050", "--stat"))
    end)

    it("knows values", function()
        assert.equal("debug error info quiet warning", complete("--log-level", ""))
        assert.equal("json text", complete("local", "--log-format", ""))
        assert.equal("plan.json", complete("--cluster", "pl"))
        assert.equal("lib", complete("--work-dir", ""))
        assert.equal("", complete("--master", ""))
    end)

    it("knows what ctl takes", function()
        assert.equal("reload repl", complete("ctl", "1234", "re"))
        assert.equal("", complete("ctl", "1234", "reload", ""))
    end)

    it("offers the hosts that run, with names as they are", function()
        local rows = "PID SCRIPT\n1 a$(touch.lua\n2 $(echo${IFS}run).lua\n3 (a local cluster)\n4 (no answer)\n"
        local folder = program.files { ["mesos-lua"] = "#!/bin/sh\ncat <<'END'\n" .. rows .. "END\n" }
        run("/bin/chmod", "+x", folder .. "/mesos-lua")
        local script = [[PATH=$1:$PATH; . "$0"; COMP_WORDS=(mesos-lua ctl ''); COMP_CWORD=2; _mesos_lua
            printf '%s\n' "${COMPREPLY[@]}"]]
        assert.equal("1\na$(touch.lua\n2\n$(echo${IFS}run).lua\n3\n4\n",
            run("/bin/bash", "-c", script, documents .. "/completion/mesos-lua", folder))
    end)

    it("knows the script's own arguments as files", function()
        assert.equal("plan.json", complete("policy.lua", "pla"))
        assert.equal("", complete("policy.lua", "--mas"))
    end)
end)
