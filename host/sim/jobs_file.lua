-- SPDX-License-Identifier: Apache-2.0
--
-- The file jobs.csv, which has a row for each job of each run. The process of a run writes its rows (jobs_csv.c) into a
-- part beside it, as there may be millions; when all runs have ended, the parts are put together in the order of the
-- runs, and removed.

local csv = require "sim.csv"
local files = require "sim.files"
local system = require "sim.system"

local M = {}

local PIECE <const> = 1 << 20

local function copy(path, file)
    local part, message = io.open(path, "rb")
    if not part then
        error("a part is missing: " .. message, 0)
    end
    local _ <close> = part
    for piece in function() return part:read(PIECE) end do
        files.write(file, piece)
    end
end

---@class sim.JobsFile
---@field path string
---@field columns string[] that say which run a row is of
---@field requests table[]
local methods = {}

-- Writes the file, of the requests that have been answered.
---@param columns string the names of the others, with commas between them
function methods:write(columns)
    files.replace(self.path, function(file)
        files.write(file, table.concat(self.columns, ","), ",", columns, "\n")
        for _, request in ipairs(self.requests) do
            if request.answered then
                copy(request.jobs_file, file)
            end
        end
    end)
end

local function close(self)
    for _, request in ipairs(self.requests) do
        os.remove(request.jobs_file)
    end
end

local meta = { __index = methods, __close = close }

-- Tells each request (run.lua) where its rows go and how they begin. The parts are removed when the result is closed.
---@param folder string
---@param requests table[] also those that will not be answered
---@return sim.JobsFile
function M.open(folder, requests)
    local columns, parameters = csv.key_columns(requests)
    for i, request in ipairs(requests) do
        request.jobs_file = ("%s/jobs.csv.%d.%d.part"):format(folder, system.pid(), i)
        request.jobs_key = csv.key_text(request, parameters)
    end
    return setmetatable({ path = folder .. "/jobs.csv", columns = columns, requests = requests }, meta)
end

return M
