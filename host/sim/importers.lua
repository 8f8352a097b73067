-- SPDX-License-Identifier: Apache-2.0
--
-- Workload files by their format: sim.file() of a scenario, and --workload. Each format is a module import_NAME.lua
-- with
--     open(path, options, context) -> importer    what row_source.open() takes, with the context

local complaint = require "sim.complaint"
local generators = require "sim.generators"
local row_source = require "sim.row_source"

local M = {}

M.FORMATS = {
    json = "import_json", csv = "import_csv", cook = "import_cook", openb = "import_openb",
    google2011 = "import_google2011", google2019 = "import_google2019", swf = "import_swf",
}
local ENDINGS = { json = "json", jsonl = "json", ndjson = "json", csv = "csv", swf = "swf" }

-- The format of a file, by its name or by its ending. Raises, by raise(path, text).
function M.format(path, format, raise)
    if format == nil then
        format = ENDINGS[(path:match("%.(%w+)$") or ""):lower()]
        if not format then
            raise("format", ("the format of '%s' is not known by its ending; give one of %s"):format(path,
                table.concat(complaint.sorted(M.FORMATS), ", ")))
        end
    end
    complaint.known({ [format] = true }, M.FORMATS, "", function(_, text)
        raise("format", ("'%s': %s"):format(tostring(format), (text:gsub("unknown field", "there is no such format"))))
    end)
    return format
end

-- The path of a file that a file of that folder names.
local function beside(folder, path)
    return path:sub(1, 1) == "/" and path or folder .. path
end

-- Options that only some formats have.
local ONLY = { columns = { json = true, csv = true }, separator = { csv = true } }
local ALWAYS_SORTED = { google2011 = true, google2019 = true }

-- Raises if an option would do nothing.
local function check_use(options, format, raise)
    for _, name in ipairs(complaint.sorted(ONLY)) do
        if options[name] ~= nil and not ONLY[name][format] then
            raise(name, ("this is for the formats %s only; sim.map() changes rows of any format"):format(
                table.concat(complaint.sorted(ONLY[name]), " and ")))
        end
    end
    if options.sort == false and ALWAYS_SORTED[format] then
        raise("sort", ("rows of the format %s are always put in order: they are made of events"):format(format))
    end
end

-- A generator of the rows of a file.
function M.generator(path, given, raise)
    local options = {}
    for name, value in pairs(given) do
        options[name] = value
    end
    local format = M.format(path, options.format, raise)
    options.format = nil
    row_source.check_options(options, raise)
    check_use(options, format, raise)
    return generators.generator("sim.file", function(_, context)
        local importer = require("sim." .. M.FORMATS[format]).open(path, options, context)
        return row_source.open(importer, options, context)
    end, given, false)
end

-- The functions of `sim` that read files, relative to a folder, "" or with a slash at its end.
function M.makers(folder)
    local makers = {}

    function makers.file(path, options)
        local function raise(field, text)
            complaint.raise("sim.file: %s: %s", field, text)
        end
        if type(path) ~= "string" then
            raise("the first argument", "the path of a file expected, got " .. complaint.shown(path))
        elseif options ~= nil and type(options) ~= "table" then
            raise("the second argument", "a table of options expected, got " .. complaint.shown(options))
        end
        return M.generator(beside(folder, path), options or {}, raise)
    end

    function makers.cook_hosts(path)
        return require("sim.import_cook").hosts(beside(folder, path))
    end

    function makers.openb_nodes(path)
        return require("sim.import_openb").nodes(beside(folder, path))
    end

    return makers
end

return M
