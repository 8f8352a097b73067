-- SPDX-License-Identifier: Apache-2.0
--
-- In which line of a scenario a field stands: a small reader of Lua's tokens goes through the table that the file
-- returns. `agents[2].resources` -> 17. It follows braces, and calls with a table as their only argument, such as
-- sim.rows{ ... }; what comes out of a variable has the line where the variable stands. It reads only what Lua has
-- compiled.

local M = {}

local OPENS = {
    ["{"] = true, ["("] = true, ["["] = true, ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true,
}
local CLOSES = { ["}"] = true, [")"] = true, ["]"] = true, ["end"] = true, ["until"] = true }

local function skip_long(text, at)
    local level = text:match("^%[(=*)%[", at)
    return level and select(2, text:find("]" .. level .. "]", at, true))
end

local function skip_quoted(text, at)
    local quote = text:sub(at, at)
    local stop = at + 1
    while stop <= #text do
        local byte = text:sub(stop, stop)
        if byte == "\\" then
            stop = stop + 1
        elseif byte == quote then
            return stop
        end
        stop = stop + 1
    end
    return #text
end

-- The end of the token at a position, and whether it is none (space, a comment).
local function token_end(text, at)
    local space = select(2, text:find("^%s+", at))
    if space then
        return space, true
    elseif text:find("^%-%-", at) then
        return skip_long(text, at + 2) or (text:find("\n", at, true) or #text + 1) - 1, true
    elseif text:find("^[\"']", at) then
        return skip_quoted(text, at)
    end
    local word = select(2, text:find("^[%a_][%w_]*", at)) or select(2, text:find("^%.?%d[%w.]*", at))
    return word or skip_long(text, at) or at
end

local function tokens_of(text)
    local list, at, line = {}, 1, 1
    local head = text:match("^#[^\n]*")
    at = head and #head + 1 or at
    while at <= #text do
        local stop, nothing = token_end(text, at)
        local token = text:sub(at, stop)
        if not nothing then
            list[#list + 1] = { token, line }
        end
        line = line + select(2, token:gsub("\n", ""))
        at = stop + 1
    end
    return list
end

-- Behind the last token of the value at i, which ends at a comma, semicolon or brace.
local function value_end(tokens, i)
    local depth = 0
    while tokens[i] do
        local token = tokens[i][1]
        if depth == 0 and (token == "," or token == ";" or token == "}") then
            return i
        end
        depth = depth + (OPENS[token] and 1 or 0) - (CLOSES[token] and 1 or 0)
        i = i + 1
    end
    return i
end

local read_fields

-- Notes the fields of a value that is a table, or a call with one.
local function read_value(tokens, i, path, lines)
    while tokens[i] and tokens[i][1]:find("^[%a_]") and not OPENS[tokens[i][1]] do
        i = i + (tokens[i + 1] and tokens[i + 1][1] == "." and 2 or 1)
    end
    if tokens[i] and tokens[i][1] == "(" then
        i = i + 1
    end
    if tokens[i] and tokens[i][1] == "{" then
        read_fields(tokens, i + 1, path, lines)
    end
end

local function name_at(tokens, i)
    local token = tokens[i][1]
    if token == "[" and tokens[i + 2] and tokens[i + 2][1] == "]" then
        return (tokens[i + 1][1]:gsub("^([\"'])(.*)%1$", "%2")), i + 4
    elseif token:find("^[%a_]") and tokens[i + 1] and tokens[i + 1][1] == "=" then
        return token, i + 2
    end
end

function read_fields(tokens, i, path, lines)
    local number = 0
    while tokens[i] and tokens[i][1] ~= "}" do
        local name, value = name_at(tokens, i)
        local line, field = tokens[i][2], path == "" and name or path .. "." .. (name or "")
        if not name or name:find("^%d") then
            number = number + 1
            field = ("%s[%s]"):format(path, name or number)
        end
        lines[field] = lines[field] or line
        read_value(tokens, value or i, field, lines)
        i = value_end(tokens, value or i)
        if tokens[i] and tokens[i][1] ~= "}" then
            i = i + 1
        end
    end
end

-- The lines of the fields of the table that the text returns: path -> line; "" is the line of its `return`.
function M.lines(text)
    local tokens, lines, last = tokens_of(text), {}, nil
    local depth = 0
    for i, token in ipairs(tokens) do
        depth = depth + (OPENS[token[1]] and 1 or 0) - (CLOSES[token[1]] and 1 or 0)
        if token[1] == "return" and depth == 0 then
            last = i
        end
    end
    if last then
        lines[""] = tokens[last][2]
        read_value(tokens, last + 1, "", lines)
    end
    return lines
end

-- The line of a field, or of what it is in.
function M.line(lines, path)
    while path ~= "" do
        if lines[path] then
            return lines[path]
        end
        path = path:match("^(.*)[.[]") or ""
    end
    return lines[""]
end

return M
