-- SPDX-License-Identifier: Apache-2.0
--
-- Makes the man pages and the completion from what `mesos-lua --tables` prints, so that they have all options and
-- commands and no others. The build runs it:
--
--   lua5.4 host/package/documents.lua TABLES VERSION DATE FOLDER
--
-- FOLDER/man1 gets the pages, FOLDER/completion mesos-lua (bash), _mesos-lua (zsh) and mesos-lua.fish. Both exist.

local path, version, date, folder = ...

package.path = arg[0]:match("^(.*)/[^/]*$") .. "/?.lua;" .. package.path

local completion = require("completion")
local man = require("man")
local rows = require("tables").read(path)

local function write(name, text)
    local file <close> = assert(io.open(folder .. "/" .. name, "w"))
    assert(file:write(text))
end

for name, text in pairs(man.pages(rows, { version = version, date = date })) do
    write("man1/" .. name, text)
end
write("completion/mesos-lua", completion.bash(rows))
write("completion/_mesos-lua", completion.zsh(rows))
write("completion/mesos-lua.fish", completion.fish(rows))
