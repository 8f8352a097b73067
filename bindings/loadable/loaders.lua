-- SPDX-License-Identifier: Apache-2.0
--
-- Prints a C file with a loader for each module of the Lua library: require "mesos.jobs" in a Lua that has not loaded
-- `mesos` yet finds luaopen_mesos_jobs in mesos.so. The arguments are those of host/script/library_texts.lua.

local folder = arg[1]

print("// Made by bindings/loadable/loaders.lua.\n")
print('#include "bindings/loadable/loadable.h"')
for number = 2, #arg do
    local name = arg[number]:sub(#folder + 2):gsub("%.lua$", ""):gsub("/", "_")
    print(("\nint luaopen_%s(lua_State *L);\nint luaopen_%s(lua_State *L)\n{\n    return loadable_open_library(L);\n}")
        :format(name, name))
end
