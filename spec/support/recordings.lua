-- SPDX-License-Identifier: Apache-2.0
--
-- The recordings of a real master, spec/fixtures/wire: bytes and decoded text of each stream.

local lfs = require("lfs")

local M = {}

local ROOT = "spec/fixtures/wire"

local function read(path)
    local file <close> = assert(io.open(path, "rb"))
    return file:read("a")
end

-- The records of a text file: { { number =, offset =, length =, type =, text =, time = seconds }... }
local function text_records(text)
    local records, current = {}, nil
    for line in text:gmatch("[^\n]*") do
        local number, time, offset, length, type =
            line:match("^#### record (%d+)  t=%+([%d.]+)  offset (%d+)  length (%d+)  (%S+)")
        if number then
            current = {
                number = math.tointeger(number), offset = math.tointeger(offset), length = math.tointeger(length),
                type = type, time = tonumber(time), lines = {},
            }
            records[#records + 1] = current
        elseif line:find("^#") then
            current = nil
        elseif current and line ~= "" then
            current.lines[#current.lines + 1] = line
        end
    end
    for _, record in ipairs(records) do
        record.text = table.concat(record.lines, "\n")
    end
    return records
end

-- All recorded streams, in order of their names: { name =, json =, bytes =, records =, number = in its http.txt }
function M.streams()
    local streams = {}
    for scenario in lfs.dir(ROOT) do
        if not scenario:find("^%.") then
            for file in lfs.dir(ROOT .. "/" .. scenario) do
                local base = file:match("^(events.*)%.recordio$")
                if base then
                    local text = read(("%s/%s/%s.txt"):format(ROOT, scenario, base))
                    streams[#streams + 1] = {
                        name = scenario .. "/" .. base,
                        json = base:find("%.json$") ~= nil,
                        bytes = read(("%s/%s/%s"):format(ROOT, scenario, file)),
                        records = text_records(text),
                        number = math.tointeger(text:match("stream (%d+);")),
                    }
                end
            end
        end
    end
    table.sort(streams, function(a, b)
        return a.name < b.name
    end)
    return streams
end

-- The raw bytes of a recorded HTTP response, such as response("01-subscribe-offers/response").
function M.response(name)
    return read(("%s/%s.http"):format(ROOT, name))
end

-- Walks through the http.txt of a scenario: "exchange" or "note", and its text.
function M.exchanges(scenario)
    local text = "\n" .. read(("%s/%s/http.txt"):format(ROOT, scenario))
    text = text:gsub("\n==== exchange ", "\1exchange\2"):gsub("\n%-%-%-%- (t=)", "\1note\2%1")
    return text:gmatch("\1(%l+)\2([^\1]*)")
end

function M.stream(name)
    for _, stream in ipairs(M.streams()) do
        if stream.name == name then
            return stream
        end
    end
    error("no recording " .. name)
end

return M
