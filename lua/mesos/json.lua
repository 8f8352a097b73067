-- SPDX-License-Identifier: Apache-2.0
--
-- JSON, read by jansson and written by the host.
--
--     local json = require "mesos.json"
--     local job = assert(json.decode(reply.body))
--     mesos.http { url = hook, body = json.encode { id = job.id, state = "done" } }
--
-- An object is a table with strings as keys, a list a table with the keys 1 to n. Integers stay integers and floats
-- floats. What one side has and the other has not is refused with its path: functions, NaN, holes in lists, bytes
-- that are not UTF-8; integers of more than 64 bits, keys that come twice.

require "mesos" -- registers the functions in C
local internal = require "mesos.internal"

---@class mesos.json
---@field null lightuserdata is written as null; decode gives it where it is asked to
local M = { null = internal.json_null }

---@class mesos.json.Options
---@field indent integer? spaces for each level; default: 0, all in one line
---@field empty ("array"|"object")? what an empty table is; default: "array"

-- The text of a value, with the keys of objects in alphabetical order: equal data is equal text. An empty table can
-- also say itself what it is: setmetatable({}, { __jsontype = "object" }). Raises, with the path, if JSON has no such
-- value.
---@param value any
---@param options mesos.json.Options?
---@return string
function M.encode(value, options)
    return internal.json_encode(value, options)
end

-- The value of a text, or nil and a message with line and column. The tables are plain data: they can be kept in
-- mesos.state. Members that are null are left out, and null in a list is an error, unless something is given to stand
-- for null: json.null, false, or whatever suits.
---@param text string
---@param null any
---@return any value
---@return string? message
function M.decode(text, null)
    return internal.json_decode(text, null)
end

return M
