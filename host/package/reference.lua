-- SPDX-License-Identifier: Apache-2.0
--
-- Makes the reference in Markdown from the declarations in lua/meta and the modules of the library, with the examples
-- that use each function. The build runs it, and installs the result beside the guides:
--
--   lua5.4 host/package/reference.lua ROOT VERSION FILE.lua... > reference.md
--
-- The files are paths below ROOT: those of lua/ in the order in which they appear, and those of examples/. It is made
-- anew by each build, so nothing has to be kept current by hand, and changes of it cannot meet.

local folder = arg and arg[0] and arg[0]:match("^(.*)/[^/]*$") or "host/package"
package.path = folder .. "/?.lua;" .. package.path

local annotations = require("annotations")

local M = {}

-- ---- which examples use a function ----

local function escaped(text)
    return (text:gsub("%p", "%%%0"))
end

-- The variable, or nil, in which a script has a module.
local function variable_of(text, module)
    return text:match("local ([%w_]+) = require%s*%(?%s*[\"']" .. escaped(module) .. "[\"']")
end

-- True if the text of a script has a call of the function, or, of a callback, its definition.
function M.uses(text, class, item)
    local name = escaped(item.name) .. "%f[^%w_]"
    if class.name == "mesos.Scheduler" or class.name == "mesos.Executor" then
        return text:find("function [%w_.]+[:.]" .. name) ~= nil
            or text:find("[%s{]" .. name .. "%s*=%s*function") ~= nil
    elseif item.separator == ":" then
        return text:find(":" .. name) ~= nil
    end
    if class.name == "sim" then -- a global
        return text:find("%f[%w_.]sim%." .. name) ~= nil
    end
    local module, field = class.name, ""
    if class.name == "mesos.log" then
        module, field = "mesos", "%.log"
    end
    local variable = variable_of(text, module)
    return variable ~= nil and text:find("%f[%w_]" .. variable .. field .. "%." .. name) ~= nil
end

-- ---- Markdown ----

local function plain(text)
    return (text:gsub("[<*]", "\\%0"))
end

local function cell(text)
    return (plain(text):gsub("|", "\\|"))
end

local function code(text)
    return "`" .. text .. "`"
end

local function code_cell(text)
    return "`" .. text:gsub("|", "\\|") .. "`"
end

-- A comment: lines that are indented are kept as they are, with the blank lines between them; by four blanks they are
-- Lua.
local function paragraphs(lines)
    local out, inside, blank = {}, false, false
    for _, line in ipairs(lines) do
        local indented = line:find("^  +%S") ~= nil
        if inside and not indented and line ~= "" then
            out[#out + 1] = "```"
            inside = false
        end
        out[#out + 1] = blank and "" or nil
        blank = line == ""
        if indented and not inside then
            out[#out + 1] = line:find("^    ") and "```lua" or "```text"
            inside = true
        end
        out[#out + 1] = not blank and (inside and line:gsub("^    ?", "") or plain(line)) or nil
    end
    out[#out + 1] = inside and "```" or nil
    return table.concat(out, "\n") .. "\n"
end

local function parameter_lines(item)
    local out = {}
    for _, parameter in ipairs(item.parameters) do
        local text = parameter.text ~= "" and ": " .. plain(parameter.text) or ""
        out[#out + 1] = ("- %s %s%s"):format(code(parameter.name), code(parameter.type), text)
    end
    for i, value in ipairs(item.returns) do
        local name = value.name and (" *%s*"):format(value.name) or ""
        local text = value.text ~= "" and ": " .. plain(value.text) or ""
        out[#out + 1] = ("- %s%s %s%s"):format(i == 1 and "returns" or "and", name, code(value.type), text)
    end
    return #out > 0 and table.concat(out, "\n") .. "\n" or ""
end

local function example_line(class, item, examples)
    local links = {}
    for _, example in ipairs(examples) do
        if #links < 3 and M.uses(example.text, class, item) then
            links[#links + 1] = ("[%s](%s)"):format(example.path:match("[^/]+$"), example.path)
        end
    end
    return #links > 0 and ("\nExamples: %s\n"):format(table.concat(links, ", ")) or ""
end

local function function_section(class, item, examples)
    return ("### %s\n\n%s\n%s%s"):format(code(item.call), paragraphs(item.text), parameter_lines(item),
        example_line(class, item, examples))
end

local function field_table(fields)
    local out = { "| field | type | |", "|---|---|---|" }
    for _, field in ipairs(fields) do
        out[#out + 1] = ("| %s | %s | %s |"):format(code_cell(field.name), code_cell(field.type), cell(field.text))
    end
    return table.concat(out, "\n") .. "\n"
end

local function class_section(class, head, examples)
    local parts = { ("## %s\n"):format(class.name) }
    if #head > 0 or #class.text > 0 then
        parts[#parts + 1] = paragraphs(#class.text > 0 and class.text or head)
    end
    if #class.fields > 0 then
        parts[#parts + 1] = field_table(class.fields)
    end
    for _, item in ipairs(class.functions) do
        parts[#parts + 1] = function_section(class, item, examples)
    end
    return table.concat(parts, "\n")
end

local function alias_section(alias)
    local values = {}
    for i, value in ipairs(alias.values) do
        values[i] = code(value.value) .. (value.text ~= "" and " " .. plain(value.text) or "")
    end
    local what = alias.type and code(alias.type) or table.concat(values, ",\n")
    return ("## %s\n\n%s%s\n"):format(alias.name, #alias.text > 0 and paragraphs(alias.text) .. "\n" or "", what)
end

-- The text of a file of declarations. The comment at its head stands above its first class, unless that has its own; in
-- lua/meta, that of the simulator alone is about what it declares, and stands there in any case.
local function file_section(path, file, examples)
    local parts, head = {}, path:find("meta/") and {} or file.text
    local first = file.classes[1]
    if path:find("meta/sim%.lua$") and first then
        first.text = table.move(first.text, 1, #first.text, #file.text + 2, table.move(file.text, 1, #file.text, 1, {}))
        first.text[#file.text + 1] = ""
    end
    for i, class in ipairs(file.classes) do
        parts[#parts + 1] = class_section(class, i == 1 and head or {}, examples)
    end
    for _, alias in ipairs(file.aliases) do
        parts[#parts + 1] = alias_section(alias)
    end
    return table.concat(parts, "\n")
end

local HEAD = [[
# The reference of mesos-lua %s

Made from the declarations that editors read. `T?` is a type whose values may be nil. Misuse, such as a wrong type or an
unknown field, raises an error that names the argument and the path of the field; what can go wrong in the world is
returned as nil, a message and, where there is one, a code.

]]

-- `files`: a list of { path =, text = }. Whose path begins with examples/ is an example.
function M.text(version, files)
    local parts, examples = { HEAD:format(version) }, {}
    for _, file in ipairs(files) do
        if file.path:find("^examples/") then
            examples[#examples + 1] = file
        end
    end
    for _, file in ipairs(files) do
        if not file.path:find("^examples/") then
            parts[#parts + 1] = file_section(file.path, annotations.parse(file.text, file.path), examples)
        end
    end
    return table.concat(parts, "\n")
end

if arg and arg[0] and arg[0]:find("reference%.lua$") then
    local files = {}
    for i = 3, #arg do
        local file <close> = assert(io.open(arg[1] .. "/" .. arg[i], "rb"))
        files[#files + 1] = { path = arg[i], text = file:read("a") }
    end
    io.write(M.text(arg[2], files))
end

return M
