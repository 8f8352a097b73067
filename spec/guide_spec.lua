-- SPDX-License-Identifier: Apache-2.0
--
-- The guides in lua/guide, done as they say. A block ```lua NAME is a file; a block ```sh is run, line by line, in a shell
-- that stays the same through a guide; a block ```text behind it is what it printed, where ... stands for anything, also
-- for lines. Whatever a guide starts ends with it. The port 5050 becomes a free one.

local program = require("support.program")
local server = require("support.server")

after_each(function()
    program.cleanup()
    server.cleanup()
end)

-- The blocks of a guide in order: { kind =, name =, text =, line = }
local function blocks(path)
    local list, block, number = {}, nil, 0
    for line in io.lines(path) do
        number = number + 1
        local kind, name = line:match("^```(%l+) ?(%S*)$")
        if block and line == "```" then
            list[#list + 1] = block
            block = nil
        elseif block then
            block.text = block.text .. line .. "\n"
        elseif kind then
            block = { kind = kind, name = name, text = "", line = number }
        end
    end
    assert(not block, path .. ": a block has no end")
    return list
end

-- The expected text as a pattern: "..." is anything, and white space is any white space.
local function pattern_of(text)
    local parts = {}
    for piece in (text:gsub("%s+$", "") .. "..."):gmatch("(.-)%.%.%.") do
        parts[#parts + 1] = (piece:gsub("%p", "%%%0"):gsub("%s+", "%%s+"))
    end
    return table.concat(parts, ".-")
end

-- Each block is a part of one shell script, and ends with a line that names it.
local MARK = "printf '\\n=== %d\\n'"

local function script_of(list)
    local parts = { "set -e\ntrap 'set +e; kill $(jobs -p) 2>/dev/null; wait' EXIT\n" }
    for i, block in ipairs(list) do
        if block.kind == "sh" then
            parts[#parts + 1] = block.text .. MARK:format(i)
        end
    end
    return table.concat(parts, "\n") .. "\n"
end

-- Output by the number of the block.
local function outputs(text)
    local found, rest = {}, text
    for output, number in rest:gmatch("(.-)\n=== (%d+)\n") do
        found[tonumber(number)] = output
    end
    return found
end

local function follow(path)
    local list, files, port = blocks(path), {}, server.free_port()
    for _, block in ipairs(list) do
        block.text = block.text:gsub("%f[%d]5050%f[%D]", port)
        if block.name ~= "" then
            files[block.name] = block.text
        end
    end
    files["guide.sh"] = script_of(list)
    local folder = program.files(files)
    local run = program.run { path = "/bin/bash", args = { "-c", "exec 2>&1; . ./guide.sh" }, cwd = folder, seconds = 90,
        env = { PATH = program.path:match("^(.*)/") .. ":" .. os.getenv("PATH"), LUA_CPATH = os.getenv("LUA_CPATH"),
            LUA_PATH = os.getenv("LUA_PATH") } }
    assert.equal(0, run.code, path .. ": " .. run:report())
    local found = outputs(run.stdout)
    for i, block in ipairs(list) do
        if block.kind == "text" then
            local output = assert(found[i - 1], ("%s:%d: no command stands above"):format(path, block.line))
            assert.is_truthy(output:find(pattern_of(block.text)),
                ("%s:%d: expected:\n%s\n--- got:\n%s"):format(path, block.line, block.text, output))
        end
    end
    return list
end

describe("the guide", function()
    local guides = {}
    for name in program.run({ path = "/bin/sh", args = { "-c", "ls lua/guide" } }).stdout:gmatch("[^\n]+") do
        guides[#guides + 1] = name
    end

    for _, name in ipairs(guides) do
        it(name .. " does what it says", function()
            if name == "test-a-policy.md" and program.patience > 1 then
                return pending("a plain lua5.4 cannot load a module with sanitizers")
            end
            local commands = 0
            for _, block in ipairs(follow("lua/guide/" .. name)) do
                commands = commands + (block.kind == "sh" and 1 or 0)
                assert.is_truthy(block.kind ~= "lua" or load(block.text), name .. ":" .. block.line)
                assert.is_truthy(({ sh = true, text = true, lua = true, ini = true })[block.kind], block.kind)
            end
            assert.is_true(commands > 0)
        end)
    end

    it("links files that exist", function()
        for _, name in ipairs(guides) do
            for link in program.read("lua/guide/" .. name):gmatch("%]%(([%w_./-]+)%)") do
                assert.is_truthy(program.read("lua/guide/" .. link), name .. " links " .. link)
            end
        end
    end)
end)
