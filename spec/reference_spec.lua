-- SPDX-License-Identifier: Apache-2.0
--
-- The declarations in lua/meta and the library, as data: they are complete, they are what the program has (both ways),
-- and the reference that the build makes has all of them. luacheck knows the fields of the module from them, too.

package.path = "host/package/?.lua;" .. package.path

local annotations = require("annotations")
local documentation = require("support.documentation")
local program = require("support.program")
local reference = require("reference")

local build = os.getenv("MESOS_LUA_BUILD") or "build"

after_each(program.cleanup)

local function list(pattern)
    local paths = {}
    for path in program.run({ path = "/bin/sh", args = { "-c", "ls " .. pattern } }).stdout:gmatch("[^\n]+") do
        paths[#paths + 1] = path
    end
    assert.is_true(#paths > 0, pattern)
    return paths
end

-- All functions: calls back with the file's path and annotations, the class, and the function.
local function each_function(pattern, call)
    for _, path in ipairs(list(pattern)) do
        local file = annotations.read(path)
        for _, class in ipairs(file.classes) do
            for _, item in ipairs(class.functions) do
                call(path, file, class, item)
            end
        end
    end
end

local function examples()
    local found = {}
    for _, path in ipairs(list("examples/*.lua")) do
        found[#found + 1] = { path = path, text = program.read(path) }
    end
    return found
end

local function used(class, item, found)
    for _, example in ipairs(found) do
        if reference.uses(example.text, class, item) then
            return true
        end
    end
    return false
end

-- The code in a comment, which is indented by four blanks, without what "..." leaves out; or nil.
local function code_in(lines)
    local out = {}
    for _, line in ipairs(lines) do
        out[#out + 1] = line:match("^    .*%S.*")
    end
    return #out > 0 and table.concat(out, "\n"):gsub(" %.%.%.%f[%s]", "") or nil
end

-- What would be wrong with a function's declaration.
local function faults(file, class, item, types)
    local found, declared = {}, {}
    for _, parameter in ipairs(item.parameters) do
        declared[parameter.name] = true
        if parameter.type == "" then
            found[#found + 1] = parameter.name .. " has no type"
        end
    end
    for argument in item.arguments:gmatch("[%w_]+") do
        found[#found + 1] = not declared[argument] and "no @param for " .. argument or nil
    end
    found[#found + 1] = #item.text == 0 and "no text" or nil
    local about = table.concat(item.text, " ") .. table.concat(class.text, " ") .. table.concat(file.text, " ")
    found[#found + 1] = not (about:find("rais") or about:find("nil")) and "nothing about errors" or nil
    for _, row in ipairs { item.parameters, item.returns } do
        for _, value in ipairs(row) do
            for name in value.type:gmatch("%f[%w]mesos%.[%w_.]*%w") do
                found[#found + 1] = not types[name] and name .. " is declared nowhere" or nil
            end
        end
    end
    return found
end

describe("a public function", function()
    local types = {}
    for _, path in ipairs { "lua/meta/mesos.lua", "lua/meta/messages.lua" } do
        documentation.declared(program.read(path), types)
    end

    it("has text, types, and what it does about errors", function()
        local wrong, count = {}, 0
        each_function("lua/meta/mesos.lua", function(path, file, class, item)
            count = count + 1
            for _, fault in ipairs(faults(file, class, item, types)) do
                wrong[#wrong + 1] = ("%s:%d: %s: %s"):format(path, item.line, item.call, fault)
            end
        end)
        assert.same({}, wrong)
        assert.is_true(count > 90)
    end)

    -- An example is run if a spec names it. executor_spec runs launchGroup.
    it("has an example that is run", function()
        local missing, found, specs = {}, examples(), {}
        each_function("lua/meta/mesos.lua", function(_, _, class, item)
            if not used(class, item, found) and item.name ~= "launchGroup" then
                missing[#missing + 1] = item.call
            end
        end)
        for _, path in ipairs(list("spec/*_spec.lua")) do
            specs[#specs + 1] = program.read(path)
        end
        specs = table.concat(specs)
        for _, example in ipairs(found) do
            if not specs:find(example.path:match("[^/]+$"), 1, true) then
                missing[#missing + 1] = example.path .. " is run by no spec"
            end
        end
        assert.same({}, missing)
    end)

    -- A part of another module, which requires it, needs none.
    it("of the library is in a module that begins with an example", function()
        local count, others = 0, {}
        for _, path in ipairs(list("lua/mesos/*.lua")) do
            for name in program.read(path):gmatch("require%s*%(?%s*[\"']mesos%.([%w_.]+)[\"']") do
                others[name] = others[name] or path
            end
        end
        for _, path in ipairs(list("lua/mesos/*.lua")) do
            local code = code_in(annotations.read(path).text)
            count = count + (code and 1 or 0)
            assert.is_truthy(code or others[path:match("([%w_]+)%.lua$")], path)
            assert(load(code or "", "=" .. path))
        end
        assert.is_true(count > 5)
    end)

    it("has code in its text that is Lua", function()
        local count = 0
        each_function("lua/meta/mesos.lua lua/mesos/*.lua", function(path, _, _, item)
            local code = code_in(item.text)
            if code then
                count = count + 1
                local good = load(code) or load("return " .. code)
                assert.is_truthy(good, ("%s:%d: %s"):format(path, item.line, code))
            end
        end)
        assert.is_true(count > 4)
    end)
end)

-- ---- what the program has ----

-- Lines "CLASS NAME" of what a script finds: the module, and the methods of objects by the names of their metatables.
local FIND = [[
local mesos = require "mesos"
mesos.SchedulerDriver { scheduler = {}, framework = { name = "x" } }
local function say(class, methods)
    for name in next, methods do print(class, name) end
end
for name in pairs(mesos) do print("mesos", name) end
for name in pairs(mesos.log) do print("mesos.log", name) end
for name, meta in next, debug.getregistry() do
    local methods = type(name) == "string" and name:find("^mesos%.%a+$") and type(meta) == "table" and rawget(meta, "__index")
    if type(methods) == "table" then say(name, methods) end
end
say("mesos.Offers", debug.getmetatable(mesos.offers()).__index)
mesos.exit(0)
]]

local CLASS_OF = { ["mesos.timer"] = "mesos.Timer" }

describe("lua/meta/mesos.lua", function()
    local function bound()
        local run = program.run { args = { "-q", "-m", program.NO_MASTER, program.script(FIND) } }
        assert.equal(0, run.code, run:report())
        local found = {}
        for class, name in run.stdout:gmatch("(%S+)\t(%S+)\n") do
            class = CLASS_OF[class] or class
            found[class] = found[class] or {}
            found[class][name] = true
        end
        return found
    end

    it("has the functions and fields that the program has, and no others", function()
        local found, declared = bound(), {}
        for _, class in ipairs(annotations.read("lua/meta/mesos.lua").classes) do
            declared[class.name] = {}
            for _, item in ipairs(class.functions) do
                declared[class.name][item.name] = true
            end
        end
        for _, field in ipairs(annotations.read("lua/meta/mesos.lua").classes[1].fields) do
            declared.mesos[field.name] = true
        end
        found.mesos.state = true -- a field of the metatable's
        for _, class in ipairs { "mesos", "mesos.log", "mesos.SchedulerDriver", "mesos.Offers", "mesos.Process", "mesos.Timer" } do
            assert.same(found[class], declared[class], class)
        end
    end)
end)

describe("the reference", function()
    local text = program.read(build .. "/documents/reference.md")

    it("has every function, class and alias", function()
        each_function("lua/meta/mesos.lua lua/mesos/*.lua", function(_, _, class, item)
            program.assert_has(text, "\n## " .. class.name .. "\n", "\n### `" .. item.call .. "`\n")
        end)
        for _, path in ipairs { "lua/meta/messages.lua", "lua/meta/sim.lua" } do
            local file = annotations.read(path)
            for _, each in ipairs(table.move(file.aliases, 1, #file.aliases, #file.classes + 1, file.classes)) do
                program.assert_has(text, "\n## " .. each.name .. "\n")
            end
        end
    end)

    it("has what scenarios of the simulator see", function()
        local declared, found = annotations.read("lua/meta/sim.lua").classes[1], 0
        for name in program.read("lua/meta/sim.lua"):gmatch("\nfunction (sim%.[%w_]+)") do
            found = found + 1
            program.assert_has(text, "\n### `" .. name .. "(")
        end
        assert.equal(#declared.functions, found)
        assert.is_true(found > 15)
        program.assert_has(text, "\n### `random:uniform()`\n", "(examples/sim/scenario.lua)")
        program.assert_has(text:match("\n## sim\n(.-)\n## "), "--scenario FILE policy.lua", "```lua\nreturn {\n    agents =")
    end)

    it("links examples that exist, and closes its code", function()
        local count = 0
        for path in text:gmatch("%]%((examples/[%w_/]+%.lua)%)") do
            count = count + 1
            assert.is_truthy(program.read(path), path)
        end
        assert.is_true(count > 50)
        assert.equal(0, select(2, ("\n" .. text):gsub("\n```", "")) % 2)
    end)
end)

-- ---- luacheck ----

-- luacheck checks the fields of globals, so the module is one for it: the line that requires it becomes a comment.
describe("luacheck with the module's fields", function()
    -- `texts`: name -> script. The status and the output.
    local function check(texts)
        local fields = { mesos = {}, ["mesos.log"] = {} }
        for _, class in ipairs(annotations.read("lua/meta/mesos.lua").classes) do
            for _, row in ipairs(fields[class.name] and { class.functions, class.fields } or {}) do
                for _, item in ipairs(row) do
                    table.insert(fields[class.name], ("[%q] = {}"):format(item.name))
                end
            end
        end
        local files = {
            ["rc.lua"] = ([[std = "max+busted+m" stds.m = { read_globals = { mesos = { fields = { %s, log = { fields = { %s } },
                state = { read_only = false, other_fields = true } } } } } ignore = { "[2-6].." }]]):format(
                table.concat(fields.mesos, ", "), table.concat(fields["mesos.log"], ", ")),
        }
        for name, text in pairs(texts) do
            files[name] = text:gsub("local mesos = require ?%(?[\"']mesos[\"']%)?", "-- ")
        end
        local folder = program.files(files)
        return program.run { path = "/usr/bin/luacheck", cwd = folder, seconds = 60,
            args = { "--no-color", "--codes", "--config", "rc.lua", "--exclude-files", "rc.lua", "--", "." } }
    end

    it("finds nothing in the examples and the library", function()
        local texts = {}
        for _, path in ipairs(list("examples/*.lua lua/mesos/*.lua")) do
            texts[path] = program.read(path)
        end
        local run = check(texts)
        assert.equal(0, run.code, run:report())
    end)

    it("finds misspelt fields", function()
        local texts, head = {}, 'local mesos = require "mesos"\n'
        for i, text in ipairs { "mesos.slep(1)", "mesos.log.inf('x')", "print(mesos.verson)", "mesos.sleep(1)" } do
            texts[i .. ".lua"] = head .. text .. "\n"
        end
        local run = check(texts)
        assert.equal(1, run.code, run:report())
        for i = 1, 3 do
            assert.matches(i .. "%.lua:2:%d+: %(W143%) accessing undefined field", run.stdout)
        end
        assert.is_nil(run.stdout:find("4.lua:2", 1, true))
    end)
end)
