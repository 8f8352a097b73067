-- SPDX-License-Identifier: Apache-2.0
--
-- Files that a simulation writes. A file is written under another name beside it and takes its place when it is whole,
-- so a reader finds the old one or the new one. What is no regular file (/dev/stdout, a pipe) is written to as it is;
-- "-" is standard output. check() says before the run what could not be written after it. All functions raise.

local system = require "sim.system"

local M = {}

local STDOUT = "-"

-- What is written to for "-": in the program, where print() goes elsewhere, what main.lua puts here.
M.stdout = io.stdout ---@type { write: fun(self, ...): any, string? }

local function fail(path, reason)
    error(("cannot write '%s': %s"):format(path, reason), 0)
end

-- What io and os say, without the path in front.
local function reason_of(message, path)
    local start = path .. ": "
    return message:sub(1, #start) == start and message:sub(#start + 1) or message
end

-- The name under which a file is written until it is whole. That of another process is another.
local function fresh_name(path)
    return ("%s.%d.new"):format(path, system.pid())
end

-- Raises if that fails, for instance as the disk is full.
---@param file { write: fun(self, ...): any, string? } such as a file of io
function M.write(file, ...)
    local good, message = file:write(...)
    if not good then
        error(message, 0)
    end
end

-- Opens a file, has it filled and closes it. False and why, if any of that fails.
local function fill_file(path, fill)
    local file, message = io.open(path, "wb")
    if not file then
        return false, reason_of(message, path)
    end
    local good, reason = pcall(fill, file)
    local closed, late = file:close()
    if not good then
        return false, reason
    end
    return closed, late
end

local function replace_file(path, fill)
    local real = system.resolve(path) or path -- of a link, what it leads to is replaced
    local fresh = fresh_name(real)
    local good, reason = fill_file(fresh, fill)
    if good then
        good, reason = os.rename(fresh, real)
    end
    if not good then
        os.remove(fresh)
        fail(path, reason)
    end
end

-- Calls fill(file) with a file that becomes `path` when it returns.
---@param path string
---@param fill fun(file: file*)
function M.replace(path, fill)
    local kind = path ~= STDOUT and system.kind(path)
    if path == STDOUT then
        fill(M.stdout)
    elseif kind == "folder" then
        fail(path, "it is a folder")
    elseif kind == "other" then
        local good, reason = fill_file(path, fill)
        if not good then
            fail(path, reason)
        end
    else
        replace_file(path, fill)
    end
end

-- Replaces a file; "-" is standard output.
---@param path string
---@param text string
function M.write_text(path, text)
    M.replace(path, function(file) M.write(file, text) end)
end

-- Raises unless a file can be made at that path, of what the option says.
local function try(option, given, path)
    local trial = fresh_name(system.resolve(path) or path)
    local good, reason = fill_file(trial, function() end)
    if not good then
        error(("--%s %s: cannot be written: %s"):format(option, given, reason), 0)
    end
    os.remove(trial)
end

-- Raises unless the files can be written: { json = FILE, csv = FOLDER, report = FILE }, each or none. The folder
-- of `csv` is made if it is not there.
---@param files table<string, string>
function M.check(files)
    for _, option in ipairs { "json", "report" } do
        local path = files[option]
        local kind = path and path ~= STDOUT and system.kind(path)
        if kind == "folder" then
            error(("--%s %s: is a folder, where a file was expected"):format(option, path), 0)
        elseif path and path ~= STDOUT and kind ~= "other" then
            try(option, path, path)
        end
    end
    if files.csv then
        local good, message = system.make_folder(files.csv)
        if not good then
            error(("--csv %s: the folder cannot be made: %s"):format(files.csv, message), 0)
        end
        try("csv", files.csv, files.csv .. "/summary.csv")
    end
end

return M
