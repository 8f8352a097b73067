-- SPDX-License-Identifier: Apache-2.0
--
-- The module `mesos` for stock Lua, by LuaRocks: in the root of the tree
--
--   luarocks --lua-version 5.4 make host/package/mesos-0.2.0-1.rockspec
--
-- It builds in build/, as the quickstart does, the one target that is a module; the other build types of LuaRocks would
-- build and install the program, too. What it takes to build is in spec/install.sh.

rockspec_format = "3.0"
package = "mesos"
version = "0.2.0-1"
source = { url = "git+https://localhost/mesos-lua.git", tag = "v0.2.0" } -- `make` fetches nothing
description = {
    summary = "Apache Mesos frameworks in Lua: drivers, and tests of policies",
    license = "Apache-2.0",
}
supported_platforms = { "linux" }
dependencies = { "lua >= 5.4, < 5.5" }
build = {
    type = "command",
    build_command = "cmake -S . -B build -G Ninja && cmake --build build --target mesos-lua-module",
    install = { lib = { mesos = "build/mesos.so" } },
}
