-- SPDX-License-Identifier: Apache-2.0
--
-- Ways to cut bytes into pieces, as a network does.

local M = {}

function M.bytewise(bytes)
    local pieces = {}
    for i = 1, #bytes do
        pieces[i] = bytes:sub(i, i)
    end
    return pieces
end

-- Pieces of random lengths up to `longest`. Says with `seed` how to get them again.
function M.random(bytes, longest, seed)
    math.randomseed(seed)
    local pieces, at = {}, 1
    while at <= #bytes do
        local length = math.random(longest)
        pieces[#pieces + 1] = bytes:sub(at, at + length - 1)
        at = at + length
    end
    return pieces
end

return M
