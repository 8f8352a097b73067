-- SPDX-License-Identifier: Apache-2.0
--
-- Bytes as JSON has them.

local M = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

function M.encode(bytes)
    local text = bytes:gsub("..?.?", function(three)
        local a, b, c = three:byte(1, 3)
        local value = a << 16 | (b or 0) << 8 | (c or 0)
        local letters = {}
        for i = 1, 4 do
            local index = (value >> (24 - 6 * i) & 63) + 1
            letters[i] = i <= #three + 1 and ALPHABET:sub(index, index) or "="
        end
        return table.concat(letters)
    end)
    return text
end

return M
