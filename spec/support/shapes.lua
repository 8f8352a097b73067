-- SPDX-License-Identifier: Apache-2.0
--
-- Shapes of JSON documents, as tables say them. A shape is the name of a type ("string", "number", "boolean", "any"),
-- { shape } for a list of such items, or a table from names to shapes; a name that ends in "?" may be absent. Names that
-- the shape lacks are not allowed, unless it has the name "*", whose shape is that of all others.
--
--   shapes.check({ id = "string", tasks = { { id = "string" } }, ["labels?"] = { "any" } }, document)

local cjson = require("cjson")

local M = {}

local check

local function check_object(shape, value, path)
    local known = {}
    for name, inner in pairs(shape) do
        local plain, optional = name:match("^(.-)(%??)$")
        known[plain] = inner
        if plain ~= "*" and value[plain] == nil and optional == "" then
            error(path .. "." .. plain .. " is missing", 0)
        end
    end
    for name, inner in pairs(value) do
        if known[name] == nil and known["*"] == nil then
            error(path .. "." .. name .. " is not a member that Mesos has", 0)
        end
        check(known[name] or known["*"], inner, path .. "." .. name)
    end
end

function check(shape, value, path)
    if shape == "any" then
        return
    elseif type(shape) == "string" then
        if type(value) ~= shape then
            error(("%s is %s, not a %s"):format(path, cjson.encode(value), shape), 0)
        end
    elseif type(value) ~= "table" then
        error(path .. " is no object and no list", 0)
    elseif shape[1] ~= nil then
        for i, item in ipairs(value) do
            check(shape[1], item, path .. "[" .. i .. "]")
        end
    else
        check_object(shape, value, path)
    end
end

-- Raises an error that names the first member that is not as the shape says.
function M.check(shape, value)
    check(shape, value, "document")
end

return M
