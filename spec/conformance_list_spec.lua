-- SPDX-License-Identifier: Apache-2.0
--
-- spec/CONFORMANCE.md is true: every test that it names exists in the file that it names, every row says something, and
-- every section has as many rows as its heading says.

local program = require("support.program")

-- The full names of the tests of each file, as busted knows them: file -> { name... }
local function list_tests()
    local run = program.run({
        path = "/usr/bin/env", args = { "lua5.4", "/usr/bin/busted", "--list", "spec" }, seconds = 60,
        env = { MESOS_LUA_BUILD = os.getenv("MESOS_LUA_BUILD") or false, LD_PRELOAD = os.getenv("LD_PRELOAD") or false,
            ASAN_OPTIONS = "detect_leaks=0" },
    })
    local tests = {}
    for file, name in run.stdout:gmatch("([%w_/.]+_spec%.lua):%d+: ([^\n]*)") do
        file = file:gsub("^%./", ""):gsub("^spec/", "")
        tests[file] = tests[file] or {}
        table.insert(tests[file], name)
    end
    assert(next(tests), run:report())
    return tests
end

-- The rows of the tables: { section =, test =, here = }, and the sections with the number in their headings.
local function read_list()
    local rows, sections, section = {}, {}, nil
    for line in program.read("spec/CONFORMANCE.md"):gmatch("[^\n]+") do
        local title, count = line:match("^## (.-) %((%d+)%)$")
        if title then
            section = { title = title, count = tonumber(count), rows = 0 }
            sections[#sections + 1] = section
        end
        local test, here = line:match("^| ([^|]+) |.- ([^|]+) |$")
        if section and test and test ~= "test" and test ~= "no" then
            section.rows = section.rows + 1
            rows[#rows + 1] = { section = section.title, test = test, here = here }
        end
    end
    return rows, sections
end

local function has(names, title)
    for _, name in ipairs(names or {}) do
        if name == title or name:sub(-#title - 1) == " " .. title then
            return true
        end
    end
    return false
end

-- The tests that a row names: { file =, title = }
local function named(here)
    local list = {}
    for file, title in here:gmatch("%[[%w_]+%]%(([%w_/]+_spec%.lua)%) ([^;|]+)") do
        list[#list + 1] = { file = file, title = title:match("^(.-)%s*$") }
    end
    return list
end

describe("spec/CONFORMANCE.md", function()
    local rows, sections = read_list()

    after_each(program.cleanup)

    it("names tests that exist", function()
        local tests, missing = list_tests(), {}
        for _, row in ipairs(rows) do
            for _, each in ipairs(named(row.here)) do
                if not has(tests[each.file], each.title) then
                    missing[#missing + 1] = ("%s: %s: %s"):format(row.test, each.file, each.title)
                end
            end
        end
        assert.same({}, missing)
    end)

    it("has a test or a reason in every row", function()
        for _, row in ipairs(rows) do
            local reason = row.here:find("^Waits for ") or row.here:find("^Does not apply: ") or row.here:find("^Not the driver: ")
            assert.is_truthy(reason or #named(row.here) > 0, row.test .. ": " .. row.here)
        end
    end)

    it("has the rows that its headings promise", function()
        assert.equal(20, #sections)
        for _, section in ipairs(sections) do
            assert.equal(section.count, section.rows, section.title)
        end
    end)
end)
