-- SPDX-License-Identifier: Apache-2.0
--
-- "Did you mean ...?" in the Lua of the simulator: the known name that is nearest to a misspelt one.

local M = {}

local WORD_MOST = 100

-- Insertions, deletions, replacements and swaps of neighbours that make one word the other.
local function distance(a, b)
    local before, last = {}, {}
    for j = 0, #b do
        last[j] = j
    end
    for i = 1, #a do
        local row = { [0] = i }
        for j = 1, #b do
            local same = a:byte(i) == b:byte(j)
            row[j] = math.min(last[j - 1] + (same and 0 or 1), last[j] + 1, row[j - 1] + 1)
            if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
                row[j] = math.min(row[j], before[j - 2] + 1)
            end
        end
        before, last = last, row
    end
    return last[#b]
end

-- The nearest of the names, or nil if none is near: a third of the letters may be wrong. Of two that are as near, the
-- first.
---@param word string
---@param names string[]
---@return string?
function M.nearest(word, names)
    if #word == 0 or #word > WORD_MOST then
        return nil
    end
    local best, nearest = math.max(2, #word // 3 + 1), nil
    for _, name in ipairs(names) do
        local found = distance(word:lower(), name:lower())
        if found < best then
            best, nearest = found, name
        end
    end
    return nearest
end

-- ' (did you mean "wait.p95"?)', or "".
---@param word string
---@param names string[]
---@return string
function M.hint(word, names)
    local nearest = M.nearest(word, names)
    return nearest and (" (did you mean '%s'?)"):format(nearest) or ""
end

return M
