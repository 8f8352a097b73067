-- What luacheck knows about the Lua in this tree.
std = "lua54"
max_line_length = 120
codes = true
exclude_files = { "build*/**", "spec/mistakes/**" }

-- Callbacks get what the contract says, used or not.
self = false
unused_args = false

files["spec"] = { std = "lua54+busted", max_line_length = 140 } -- rows of data
files["lua/mesos"] = { max_comment_line_length = false } -- types for editors are in one line
files["host/cli/new/*_spec.lua"] = { std = "lua54+busted" }
files["examples/*_spec.lua"] = { std = "lua54+busted" }
files["examples/sim/scenario.lua"] = { std = "lua54", read_globals = { "sim" } }
files["lua/meta"] = { ignore = { "1..", "2..", "6.." } }
