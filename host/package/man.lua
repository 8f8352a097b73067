-- SPDX-License-Identifier: Apache-2.0
--
-- Makes the man pages from the tables of the program (tables.lua).

local tables = require("tables")

-- A backslash, a minus, and a dot or an apostrophe at the start of a line mean something to troff.
local function roff(text)
    text = text:gsub("\\", "\\e"):gsub("-", "\\-")
    return (text:gsub("^[.']", "\\&%0"):gsub("\n([.'])", "\n\\&%1"))
end

local function head(meta, name, summary)
    return (".TH %s 1 %s \"mesos\\-lua %s\" \"User Commands\"\n.SH NAME\n%s \\- %s\n"):format(roff(name:upper()),
        meta.date, meta.version, roff(name), roff(summary))
end

-- Words in capitals are what the user chooses, brackets are free; the rest is to be typed.
local function synopsis(usage)
    local parts = {}
    for word in usage:gmatch("%S+") do
        parts[#parts + 1] = word:find("%u") and ("\\fI%s\\fR"):format(roff(word)) or word:find("^%[") and roff(word)
            or ("\\fB%s\\fR"):format(roff(word))
    end
    return ".HP\n" .. table.concat(parts, " ") .. "\n"
end

local function option_entry(option)
    local value = option.value and (" \\fI%s\\fR"):format(roff(option.value)) or ""
    local short = option.short and ("\\fB\\-%s\\fR%s, "):format(option.short, value) or ""
    local notes = {}
    if option.choices then
        notes[#notes + 1] = "One of " .. option.choices:gsub(",", ", ")
    end
    if option.default then
        notes[#notes + 1] = "Default: " .. option.default
    end
    if option.env then
        notes[#notes + 1] = "Environment: " .. option.env
    end
    local text = option.help:sub(1, 1):upper() .. option.help:sub(2)
    return (".TP\n%s\\fB\\-\\-%s\\fR%s\n%s.\n"):format(short, roff(option.name), value,
        roff(table.concat({ text, table.unpack(notes) }, ".\n")))
end

local function entries(title, list, make)
    local parts = { ".SH " .. title .. "\n" }
    for _, row in ipairs(list) do
        parts[#parts + 1] = make(row)
    end
    return #list > 0 and table.concat(parts) or ""
end

local function simple_entry(row)
    local default = row.default and (" (default: %s)"):format(row.default) or ""
    return (".TP\n\\fB%s\\fR\n%s%s\n"):format(roff(row.usage or row.name), roff(row.help), roff(default))
end

local function see_also(rows, name)
    local list = {}
    for _, command in ipairs(rows.command) do
        local page = command.name == "run" and "mesos-lua" or "mesos-lua-" .. command.name
        if page ~= name then
            list[#list + 1] = ("\\fB%s\\fR(1)"):format(roff(page))
        end
    end
    return ".SH SEE ALSO\n" .. table.concat(list, ",\n") .. "\n.PP\nThe guides and the reference are in\n" ..
        "\\fI/usr/share/doc/mesos\\-lua\\fR.\n"
end

local MAIN = [[
.SH DESCRIPTION
A process in C keeps up the conversation with a Mesos master, over the v1 scheduler HTTP API;
a script in Lua decides what to launch where.
The script returns a table of callbacks, and is loaded again when its file changes, while its framework runs.
Without
.B \-\-master
the program brings a local cluster, a master and agents that run real processes.
.PP
Options stand before the script; what follows it is the script's own.
Standard output belongs to the script, the log goes to standard error.
]]

local STATUS = [[
.SH "EXIT STATUS"
.TP
.B 0
The driver was stopped.
.TP
.B 1
It was aborted, or the script failed for good.
.TP
.B 2
Wrong usage, or a script that did not load.
.SH SIGNALS
SIGINT and SIGTERM stop the driver, as soon as running Lua code returns or waits.
A second one stops that code first; without running code it ends the process at once.
SIGHUP loads the script again.
]]

local FILES = [[
.SH FILES
.TP
.I $XDG_RUNTIME_DIR/mesos\-lua/PID.sock
The control socket, which
.BR mesos\-lua\-ctl (1)
talks to.
.TP
.I /etc/mesos\-lua/NAME.lua\fR, \fI/etc/mesos\-lua/NAME.env
The script of the service
.I mesos\-lua@NAME
and the variables of its environment, such as MESOS_MASTER and OPTIONS.
]]

local CTL = [[
.SH DESCRIPTION
TARGET is the process id of a running host, the name of its script, or the path of its control socket.
The exit status is 0 if the host has carried out the command, 1 if it failed, and 2 for wrong usage.
]]

local function main_page(rows, meta)
    local parts = { head(meta, "mesos-lua", "run Apache Mesos frameworks that are written in Lua"), ".SH SYNOPSIS\n" }
    for _, command in ipairs(rows.command) do
        parts[#parts + 1] = synopsis(command.usage)
    end
    parts[#parts + 1] = MAIN
    parts[#parts + 1] = entries("COMMANDS", rows.command, simple_entry)
    parts[#parts + 1] = entries("OPTIONS", rows.option, option_entry)
    parts[#parts + 1] = entries("ENVIRONMENT", rows.variable, simple_entry)
    return table.concat(parts) .. STATUS .. FILES .. see_also(rows, "mesos-lua")
end

local function command_page(rows, meta, command)
    local name = "mesos-lua-" .. command.name
    local parts = { head(meta, name, command.help), ".SH SYNOPSIS\n", synopsis(command.usage) }
    if command.name == "ctl" then
        parts[#parts + 1] = CTL .. entries("COMMANDS", rows.ctl, simple_entry)
    end
    parts[#parts + 1] = entries("OPTIONS", tables.applying(rows, command.name), option_entry)
    return table.concat(parts) .. see_also(rows, name)
end

local M = {}

-- File name -> text: a page for the program, and one for each command but `run`. `meta` has version and date.
function M.pages(rows, meta)
    local pages = { ["mesos-lua.1"] = main_page(rows, meta) }
    for _, command in ipairs(rows.command) do
        if command.name ~= "run" then
            pages[("mesos-lua-%s.1"):format(command.name)] = command_page(rows, meta, command)
        end
    end
    return pages
end

return M
