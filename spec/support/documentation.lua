-- SPDX-License-Identifier: Apache-2.0
--
-- What is not documented in the library's modules (lua/mesos). A public function, one that a table of the file has at the
-- left margin, has a text above it, a type for each parameter and, if it returns a value, for that; types that begin with
-- "mesos." are declared somewhere in the files that are given.

local M = {}

-- The comment lines directly above a line.
local function comments_above(lines, at)
    local list = {}
    while at > 1 and lines[at - 1]:find("^%-%-") do
        at = at - 1
        table.insert(list, 1, lines[at])
    end
    return list
end

-- True if a function at the left margin returns a value itself, not only in functions inside of it.
local function returns_value(lines, at)
    local inner -- the indentation of a function inside
    for i = at + 1, #lines do
        local space, word = lines[i]:match("^(%s*)(%S.*)")
        if word and space == "" then
            return false
        elseif word and inner then
            inner = not (space == inner and word:find("^end")) and inner or nil
        elseif word then
            if word:find("^return [^;]") and not word:find("^return end") or word:find("[; ]return [^;]") then
                return true
            end
            inner = word:find("function%s*[%w_.:]*%(") and not word:find("%f[%w]end%f[%W]") and space or nil
        end
    end
    return false
end

local function parameters_of(text)
    local names = {}
    for name in text:gmatch("[%w_.]+") do
        names[name] = true
    end
    return names
end

local function check_function(lines, at, name, parameters, complain)
    local text, documented, returned = false, {}, false
    for _, line in ipairs(comments_above(lines, at)) do
        local parameter = line:match("^%-%-%-@param ([%w_.]+)")
        if parameter then
            documented[parameter] = true
        end
        returned = returned or line:find("^%-%-%-@return %S") ~= nil or line:find("^%-%-%-@type fun") ~= nil
        text = text or line:find("^%-%- %S") ~= nil
    end
    if not text then
        complain(at, name .. " has no text")
    end
    local wanted = parameters_of(parameters)
    for parameter in pairs(wanted) do
        if not documented[parameter] then
            complain(at, ("the parameter '%s' of %s has no ---@param"):format(parameter, name))
        end
    end
    for parameter in pairs(documented) do
        if not wanted[parameter] then
            complain(at, ("%s has no parameter '%s'"):format(name, parameter))
        end
    end
    if returns_value(lines, at) ~= returned then
        complain(at, name .. (returned and " returns nothing, but has a ---@return" or " has no ---@return"))
    end
end

local function split(text)
    local lines = {}
    for line in text:gmatch("([^\n]*)\n") do
        lines[#lines + 1] = line
    end
    return lines
end

-- Adds the types that a text declares to the set.
function M.declared(text, set)
    for _, word in ipairs { "class", "alias", "enum" } do
        for name in ("\n" .. text):gmatch("\n%-%-%-@" .. word .. " ([%w_.]+)") do
            set[name] = true
        end
    end
    return set
end

-- The faults of one file, as a list of texts.
function M.faults(path, text, types)
    local list, lines = {}, split(text)
    local function complain(at, what)
        list[#list + 1] = ("%s:%d: %s"):format(path, at, what)
    end
    if not ("\n" .. text):find("\n%-%-%-@class mesos%.") then
        complain(1, "the module has no ---@class")
    end
    for at, line in ipairs(lines) do
        local name, parameters = line:match("^function ([%w_]+[.:][%w_.:]+)%((.-)%)")
        if name then
            check_function(lines, at, name, parameters, complain)
        end
        for type in (line:match("^%-%-%-@%l+ .*") or ""):gmatch("%f[%w]mesos%.[%w_.]*%w") do
            if not types[type] then
                complain(at, ("the type %s is declared nowhere"):format(type))
            end
        end
    end
    return list
end

return M
