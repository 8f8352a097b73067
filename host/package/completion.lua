-- SPDX-License-Identifier: Apache-2.0
--
-- Makes the completion for bash, zsh and fish from the tables of the program (tables.lua). Hosts that run are those of
-- `mesos-lua ps`.

local tables = require("tables")

local M = {}

local function names(list)
    local words = {}
    for i, row in ipairs(list) do
        words[i] = row.name
    end
    return words
end

local FILES_OF = { FILE = true, PROGRAM = true, PATH = true }

-- What a value is completed with: "words" and a list, "files", "folders", or nil.
local function values(option)
    if option.choices then
        return "words", (option.choices:gsub(",", " "))
    end
    return option.value and (FILES_OF[option.value] and "files" or option.value == "DIR" and "folders" or nil)
end

local function flags(list)
    local words = {}
    for _, option in ipairs(list) do
        words[#words + 1] = "--" .. option.name
        words[#words + 1] = option.short and "-" .. option.short
    end
    return table.concat(words, " ")
end

-- The cases of a shell for values of options; `make` gives the code for a kind and its words.
local function value_cases(rows, make)
    local by_code, order = {}, {}
    for _, option in ipairs(rows.option) do
        if option.value then
            local code = make(values(option))
            if not by_code[code] then
                by_code[code] = {}
                order[#order + 1] = code
            end
            table.insert(by_code[code], "--" .. option.name)
            table.insert(by_code[code], option.short and "-" .. option.short or nil)
        end
    end
    local lines = {}
    for _, code in ipairs(order) do
        local labels = table.concat(by_code[code], " | ")
        lines[#lines + 1] = ("    %s)\n        %s\n        return\n        ;;"):format(labels, code)
    end
    return table.concat(lines, "\n")
end

local BASH = [=[
# Completion of mesos-lua for bash; made by host/package/documents.lua.

_mesos_lua_files() {
    local IFS=$'\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen "$@" -- "$word"))
}

# Hosts that run: their process ids, and the names of their scripts.
_mesos_lua_hosts() {
    mesos-lua ps 2>/dev/null | awk 'NR > 1 { print $1; if ($2 !~ /^[(]/) print $2 }'
}

_mesos_lua() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command= script= options i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        @VALUED@) ((i++)) ;;
        -*) ;;
        *)
            if [ -z "$command" ]; then
                case ${COMP_WORDS[i]} in
                @COMMANDS@) command=${COMP_WORDS[i]} && continue ;;
                esac
                command=run
            fi
            script=$i && break
            ;;
        esac
    done
    if [ "$command" = ctl ]; then
        if [ -z "$script" ]; then
            # In single quotes, as compgen would expand what is in a name.
            COMPREPLY=($(compgen -W '$(_mesos_lua_hosts)' -- "$word"))
        elif ((COMP_CWORD == script + 1)); then
            COMPREPLY=($(compgen -W "@CTL@" -- "$word"))
        fi
        return
    fi
    if [ -n "$script" ]; then
        _mesos_lua_files -f
        return
    fi
    case $before in
@CASES@
    esac
    case ${command:-run} in
@OPTIONS@
    esac
    case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *)
        _mesos_lua_files -f -X '!*.lua'
        [ -n "$command" ] || COMPREPLY+=($(compgen -W "@COMMAND_WORDS@" -- "$word"))
        COMPREPLY+=($(compgen -d -- "$word"))
        ;;
    esac
}

complete -F _mesos_lua mesos-lua
]=]

function M.bash(rows)
    local valued, cases = {}, {}
    for _, option in ipairs(rows.option) do
        if option.value then
            valued[#valued + 1] = "--" .. option.name
            valued[#valued + 1] = option.short and "-" .. option.short
        end
    end
    for _, command in ipairs(rows.command) do
        local options = flags(tables.applying(rows, command.name))
        cases[#cases + 1] = ("    %s) options=\"%s\" ;;"):format(command.name, options)
    end
    local blanks = {
        VALUED = table.concat(valued, " | "),
        COMMANDS = table.concat(names(rows.command), " | "),
        COMMAND_WORDS = table.concat(names(rows.command), " "),
        CTL = table.concat(names(rows.ctl), " "),
        OPTIONS = table.concat(cases, "\n"),
        CASES = value_cases(rows, function(kind, words)
            return kind == "words" and ("COMPREPLY=($(compgen -W \"%s\" -- \"$word\"))"):format(words)
                or kind == "files" and "_mesos_lua_files -f" or kind == "folders" and "_mesos_lua_files -d" or ":"
        end),
    }
    return (BASH:gsub("@([%u_]+)@", blanks))
end

-- Inside of '...[text]' of _arguments.
local function zsh_text(text)
    return (text:gsub("[%[%]:\\]", "\\%0"):gsub("'", "'\\''"))
end

local function zsh_specs(list)
    local lines = {}
    for _, option in ipairs(list) do
        local kind, words = values(option)
        local action = kind == "words" and ("(%s)"):format(words) or kind == "files" and "_files"
            or kind == "folders" and "_files -/" or " "
        local value = option.value and (":%s:%s"):format(zsh_text(option.value), action) or ""
        local text = zsh_text(option.help)
        lines[#lines + 1] = ("        '--%s%s[%s]%s'"):format(option.name, option.value and "=" or "", text, value)
        if option.short then
            lines[#lines + 1] = ("        '-%s%s[%s]%s'"):format(option.short, option.value and "+" or "", text, value)
        end
    end
    return table.concat(lines, "\n")
end

local function zsh_described(list)
    local lines = {}
    for _, row in ipairs(list) do
        lines[#lines + 1] = ("        '%s:%s'"):format(row.name, zsh_text(row.help))
    end
    return table.concat(lines, "\n")
end

local ZSH = [=[
#compdef mesos-lua
# Completion of mesos-lua for zsh; made by host/package/documents.lua.

_mesos_lua_hosts() {
    compadd -- ${(f)"$(mesos-lua ps 2>/dev/null | awk 'NR > 1 { print $1; if ($2 !~ /^[(]/) print $2 }')"}
}

_mesos_lua_ctl() {
    local -a commands=(
@CTL@
    )
    _describe command commands
}

_mesos_lua_first() {
    local -a commands=(
@COMMANDS@
    )
    _describe command commands
    _files -g '*.lua'
}

_mesos_lua() {
    local -a options
    case $words[2] in
@OPTIONS@
    *) options=(
@RUN@
        '1:script or command:_mesos_lua_first' '*:argument:_files') ;;
    esac
    _arguments -S : $options
}

_mesos_lua "$@"
]=]

function M.zsh(rows)
    local cases = {}
    for _, command in ipairs(rows.command) do
        local rest = command.name == "ctl" and "'2:target:_mesos_lua_hosts' '3:command:_mesos_lua_ctl' '*:argument: '"
            or command.usage:find("SCRIPT", 1, true) and "'2:script:_files -g \"*.lua\"' '*:argument:_files'"
            or command.usage:find("%u") and "'*:argument:_files'" or ""
        cases[#cases + 1] = ("    %s) options=(\n%s\n        '1:command: ' %s) ;;"):format(command.name,
            zsh_specs(tables.applying(rows, command.name)), rest)
    end
    local blanks = {
        CTL = zsh_described(rows.ctl), COMMANDS = zsh_described(rows.command),
        OPTIONS = table.concat(cases, "\n"), RUN = zsh_specs(tables.applying(rows, "run")),
    }
    return (ZSH:gsub("@([%u_]+)@", blanks))
end

local function fish_text(text)
    return "'" .. text:gsub("[\\']", "\\%0") .. "'"
end

local FISH = [=[
# Completion of mesos-lua for fish; made by host/package/documents.lua.

function __mesos_lua_hosts
    mesos-lua ps 2>/dev/null | awk 'NR > 1 { print $1; if ($2 !~ /^[(]/) print $2 }'
end

function __mesos_lua_ctl_words
    test (count (commandline -opc)) = $argv[1]; and __fish_seen_subcommand_from ctl
end

]=]

function M.fish(rows)
    local lines, all = {}, table.concat(names(rows.command), " ")
    local function complete(condition, rest)
        lines[#lines + 1] = ("complete -c mesos-lua -n %s %s"):format(fish_text(condition), rest)
    end
    for _, command in ipairs(rows.command) do
        complete("not __fish_seen_subcommand_from " .. all,
            ("-a %s -d %s"):format(command.name, fish_text(command.help)))
    end
    for _, option in ipairs(rows.option) do
        local kind, words = values(option)
        local value = kind == "words" and ("-x -a '%s'"):format(words) or kind == "files" and "-r -F"
            or kind == "folders" and "-x -a '(__fish_complete_directories)'" or option.value and "-x" or ""
        local condition = "__fish_seen_subcommand_from " .. option.commands:gsub(",", " ")
        if tables.has(option.commands, "run") then
            condition = "not __fish_seen_subcommand_from " .. all .. "; or " .. condition
        end
        local short = option.short and " -s " .. option.short or ""
        complete(condition, ("-l %s%s %s -d %s"):format(option.name, short, value, fish_text(option.help)))
    end
    complete("__mesos_lua_ctl_words 2", "-x -a '(__mesos_lua_hosts)'")
    for _, row in ipairs(rows.ctl) do
        complete("__mesos_lua_ctl_words 3", ("-x -a %s -d %s"):format(row.name, fish_text(row.help)))
    end
    return FISH .. table.concat(lines, "\n") .. "\n"
end

return M
