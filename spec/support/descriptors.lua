-- SPDX-License-Identifier: Apache-2.0
--
-- Prints the list of descriptors that the generated headers (its arguments) declare, as
-- MESSAGE(symbol) and ENUM(symbol) lines for spec/support/internals_descriptors.c.

for _, path in ipairs(arg) do
    local file <close> = assert(io.open(path))
    local text = file:read("a")
    for symbol in text:gmatch("ProtobufCMessageDescriptor%s+([%w_]+__descriptor);") do
        print("MESSAGE(" .. symbol .. ")")
    end
    for symbol in text:gmatch("ProtobufCEnumDescriptor%s+([%w_]+__descriptor);") do
        print("ENUM(" .. symbol .. ")")
    end
end
