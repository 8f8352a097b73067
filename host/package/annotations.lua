-- SPDX-License-Identifier: Apache-2.0
--
-- Reads LuaCATS annotations, as far as lua/meta and the library use them: classes with fields, aliases, and functions
-- with parameters, return values and the text above them. For the reference (reference.lua) and for specs.
--
--   local file = annotations.read(path)
--   file.text        the comment at the head of the file, without its licence
--   file.classes     in order: { name =, parent =, text =, fields = { { name =, type =, text = } }, functions = {} }
--   file.aliases     { name =, type =, values = {}, text = }
--   class.functions  { name =, call =, text =, line =, parameters = {}, returns = {} }; scripts write the `call`
--
-- A text is a list of lines without "-- ". A function belongs to the class of its table: the one that is declared above
-- `local TABLE = {}`. Local functions are private.

local M = {}

-- The type at the start of a text, and what follows it. A type ends at a blank outside of brackets and quotes, unless
-- the blank stands behind a colon or a comma.
local function split_type(text)
    local depth, quoted = 0, false
    for i = 1, #text do
        local char = text:sub(i, i)
        if char == '"' then
            quoted = not quoted
        elseif char:find("[%(%{%[<]") then
            depth = depth + 1
        elseif char:find("[%)%}%]>]") then
            depth = depth - 1
        elseif char == " " and depth == 0 and not quoted and not text:sub(i - 1, i - 1):find("[:,|]") then
            return text:sub(1, i - 1), text:sub(i + 1)
        end
    end
    return text, ""
end

-- A name, a type and a text. What has a question mark behind its name may be left out.
local function read_named(rest, pattern)
    local name, typed = rest:match("^(" .. pattern .. ") (.*)$")
    name = name or rest
    local type, text = split_type(typed or "")
    if name:find("%?$") and not type:find("%?$") then
        type = (type:find("|", 1, true) and "(" .. type .. ")" or type) .. "?"
    end
    return { name = name:gsub("%?$", ""), type = type, text = text }
end

local function read_parameter(rest)
    return read_named(rest, "[%w_.]+%??")
end

local function read_field(rest)
    return read_named(rest, rest:find("^%[") and "%b[]" or "[%w_]+%??")
end

local function read_return(rest)
    local type, text = split_type(rest)
    local name, more = text:match("^([%l_]+)%s*(.*)$")
    return { type = type, name = name, text = more or text }
end

-- ---- the reader ----

local Reader = {}
Reader.__index = Reader

-- What the comment above the next line has said so far.
function Reader:forget()
    self.comment, self.parameters, self.returns = {}, {}, {}
end

function Reader:add_class(rest)
    local name, parent = rest:match("^([%w_.]+)%s*:%s*(.*)$")
    name = name or rest:match("^[%w_.]+")
    local class = self.by_name[name]
    if not class then
        class = { name = name, parent = parent, text = self.comment, fields = {}, functions = {}, line = self.line }
        self.by_name[name] = class
        table.insert(self.file.classes, class)
    end
    self.class = class
    self.comment = {}
end

function Reader:add_alias(rest)
    local name, type = rest:match("^([%w_.]+)%s*(.*)$")
    self.alias = { name = name, type = type ~= "" and type or nil, values = {}, text = self.comment }
    table.insert(self.file.aliases, self.alias)
    self.comment = {}
end

local ANNOTATIONS = {
    class = Reader.add_class,
    alias = Reader.add_alias,
    field = function(self, rest) table.insert(self.class.fields, read_field(rest)) end,
    param = function(self, rest) table.insert(self.parameters, read_parameter(rest)) end,
    ["return"] = function(self, rest) table.insert(self.returns, read_return(rest)) end,
}

-- What a script writes for a function of a table: the last part of the class's name as a variable, or the module.
local function call_of(class, separator, name, arguments)
    local short = class.name == "mesos" and "mesos" or class.name:match("[%w_]+$")
    if separator == ":" then
        short = short:gsub("^SchedulerDriver$", "driver"):gsub("^ExecutorDriver$", "driver")
        short = short:sub(1, 1):lower() .. short:sub(2)
    elseif class.name ~= "mesos" then
        short = class.name
    end
    return ("%s%s%s(%s)"):format(short, separator, name, arguments)
end

function Reader:add_function(table_name, separator, name, arguments)
    local class = self.tables[table_name]
    if class then
        table.insert(class.functions, {
            name = name, separator = separator, call = call_of(class, separator, name, arguments), text = self.comment,
            parameters = self.parameters, returns = self.returns, arguments = arguments, line = self.line,
        })
    end
end

function Reader:add_line(line)
    local word, rest = line:match("^%-%-%-@(%l+)%s*(.*)$")
    if word then
        if ANNOTATIONS[word] then
            ANNOTATIONS[word](self, rest)
        end
    elseif line:find("^%-%-%-|") then
        local value, text = line:match('^%-%-%-|%s*(%b"")%s*#?%s*(.*)$')
        table.insert(self.alias.values, { value = value, text = text or "" })
    elseif line:find("^%-%-") then
        table.insert(self.comment, (line:gsub("^%-%- ?", "")))
    else
        self:add_code(line)
        self:forget()
    end
end

function Reader:add_code(line)
    local variable = not line:find("require") and line:match("^local ([%w_]+) = ") or line:match("^([%w_]+) = {}$")
    local table_name, separator, name, arguments = line:match("^function ([%w_]+)([.:])([%w_]+)%((.-)%)")
    if table_name then
        self:add_function(table_name, separator, name, arguments)
    elseif variable and self.class then
        self.tables[variable] = self.class
        self.class = nil
    elseif line == "" and #self.comment > 0 and not self.file.text then
        self.file.text = self.comment
    end
end

function M.parse(text, path)
    local reader = setmetatable({ path = path, by_name = {}, tables = {}, line = 0 }, Reader)
    reader.file = { classes = {}, aliases = {} }
    reader:forget()
    for line in (text:gsub("\n?$", "\n")):gmatch("([^\n]*)\n") do
        reader.line = reader.line + 1
        reader:add_line(line)
    end
    local head = reader.file.text or {}
    while head[1] and (head[1] == "" or head[1]:find("^SPDX")) do
        table.remove(head, 1)
    end
    reader.file.text = head
    return reader.file
end

function M.read(path)
    local file <close> = assert(io.open(path, "rb"))
    return M.parse(file:read("a"), path)
end

return M
