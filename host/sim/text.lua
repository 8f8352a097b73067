-- SPDX-License-Identifier: Apache-2.0
--
-- Text in columns: how wide it is, cut, padded and wrapped, and curves of one line. A character of UTF-8 counts as one
-- column, which is right but for wide ones of Asian scripts; what is not UTF-8 has been replaced by clean().

local M = {}

-- Text that does no harm to a terminal: control characters, and bytes that are not UTF-8, become "?", white space a
-- blank.
---@param what string
---@return string
function M.clean(what)
    local good = what:gsub("%s", " ")
    if not utf8.len(good) then
        good = good:gsub("[\x80-\xff]", "?")
    end
    good = good:gsub("%c", "?")
    return (good:gsub("\u{c2}[\x80-\x9f]", "?"):gsub("\xc2[\x80-\x9f]", "?"))
end

---@param what string
---@return integer
function M.width(what)
    return utf8.len(what) or #what
end

-- No wider than that; what is cut ends in "..".
---@param what string
---@param width integer
---@return string
function M.cut(what, width)
    if M.width(what) <= width then
        return what
    end
    if width <= 2 then
        return ("."):rep(math.max(width, 0))
    end
    local behind = utf8.len(what) and utf8.offset(what, width - 1) or width - 1
    return what:sub(1, behind - 1) .. ".."
end

-- As wide as that, filled with blanks on the right, or on the left.
---@param what string
---@param width integer
---@param right boolean? the text stands to the right
---@return string
function M.pad(what, width, right)
    local blanks = (" "):rep(width - M.width(what))
    return right and blanks .. what or what .. blanks
end

-- In lines that are no wider than that; words that are longer are cut.
---@param what string
---@param width integer
---@return string[]
function M.wrap(what, width)
    local lines, line = {}, ""
    for word in what:gmatch("%S+") do
        word = M.cut(word, width)
        local longer = line == "" and word or line .. " " .. word
        if M.width(longer) > width then
            lines[#lines + 1] = line
            line = word
        else
            line = longer
        end
    end
    lines[#lines + 1] = line
    return lines
end

local BLOCKS = { [0] = " " }
for i = 1, 8 do
    BLOCKS[i] = utf8.char(0x2580 + i)
end
local PLAIN = { [0] = " ", ".", ":", "-", "=", "+", "*", "#", "@" }

-- The mean of the values from `first` to `last`, which need not be whole: each value is one wide.
local function mean_between(values, first, last)
    local sum = 0
    for i = math.floor(first) + 1, math.min(math.ceil(last), #values) do
        sum = sum + values[i] * (math.min(i, last) - math.max(i - 1, first))
    end
    return sum / (last - first)
end

-- Values over time as one line of that many characters; `most` is the highest. A value above zero is never blank.
---@param values number[]
---@param width integer
---@param most number
---@param blocks boolean? of UTF-8; otherwise ASCII
---@return string
function M.curve(values, width, most, blocks)
    local steps, cells = blocks and BLOCKS or PLAIN, {}
    for i = 1, width do
        local value = mean_between(values, (i - 1) * #values / width, i * #values / width)
        local level = most > 0 and math.floor(value / most * 8 + 0.5) or 0
        level = math.max(level, value > 0 and 1 or 0)
        cells[i] = steps[math.min(level, 8)]
    end
    return table.concat(cells)
end

return M
