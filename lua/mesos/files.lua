-- SPDX-License-Identifier: Apache-2.0
--
-- What tasks print, and other files of their sandboxes, as long as their agents keep them.
--
--     local files = require "mesos.files"
--     print(assert(files.read(driver, "job-1")))                              -- all of its stdout
--     mesos.spawn(files.follow, driver, "job-1", io.write, { file = "stderr" })
--
-- The functions wait, so they are called in callbacks, timers and spawned functions.

local mesos = require "mesos"
local states = require "mesos.states"

---@class mesos.files
local M = {}

---@class mesos.files.Options
---@field file string? a path in the sandbox; default: "stdout"
---@field offset integer? where to begin, below 0 from the end; default: 0
---@field most integer? bytes that read() returns at most; default: 16 MiB
---@field interval number? seconds between two looks of follow() for more; default: 1

local NAMES = { file = true, offset = true, most = true, interval = true }

local function check(options)
    for name in pairs(options or {}) do
        if not NAMES[name] then
            error(("unknown option '%s': file, offset, most and interval are what there is"):format(tostring(name)), 3)
        end
    end
    return options or {}
end

-- The text of a file from the offset to its end. nil, a message and a code if it cannot be had; the code "EFBIG" if there
-- is more than `most`, with the text so far as the fourth value.
---@param driver mesos.SchedulerDriver
---@param task_id mesos.TaskID
---@param options mesos.files.Options?
---@return string? text
---@return string? message
---@return string? code
---@return string? partial
function M.read(driver, task_id, options)
    options = check(options)
    local pieces, offset, left = {}, options.offset or 0, options.most or 16 * 1024 * 1024
    while left > 0 do
        local text, behind, size = driver:output(task_id, {
            file = options.file, offset = offset, length = math.min(left, 1024 * 1024),
        })
        if not text then
            return nil, behind, size
        end
        pieces[#pieces + 1] = text
        offset, left = behind, left - #text
        if behind >= size then
            return table.concat(pieces)
        end
    end
    return nil, ("there are more than %d bytes"):format(options.most or 16 * 1024 * 1024), "EFBIG", table.concat(pieces)
end

local function is_over(driver, task_id)
    local task = driver:task(task_id)
    return not task or states.is_terminal(task.state)
end

-- Calls `take` with each piece of a file as it is written, until the task has ended and all was taken; returns the
-- offset behind it. A task that has not started yet is waited for. nil, a message and a code if the file cannot be had.
---@param driver mesos.SchedulerDriver
---@param task_id mesos.TaskID
---@param take fun(text: string)
---@param options mesos.files.Options?
---@return integer? offset
---@return string? message
---@return string? code
function M.follow(driver, task_id, take, options)
    options = check(options)
    local offset = options.offset or 0
    while true do
        local over = is_over(driver, task_id)
        local text, behind, size = driver:output(task_id, { file = options.file, offset = offset })
        if not text and (over or size ~= "ENOENT") then
            return nil, behind, size
        end
        if text then
            offset = behind
            if text ~= "" then
                take(text)
            end
        end
        local at_end = not text or behind >= size
        if at_end and over then
            return offset
        elseif at_end then
            mesos.sleep(options.interval or 1)
        end
    end
end

return M
