-- SPDX-License-Identifier: Apache-2.0
--
-- Event records made beforehand, for masters that send them faster than they could be encoded one by one: a record is
-- encoded once, and its copies differ in marks that are replaced by texts of the same length.
--
--   local update = event_records.template({ type = "UPDATE", ... uuid = event_records.UUID },
--       { [event_records.UUID] = event_records.uuid })
--   stream:chunk(update(1) .. update(2))

local internals = require("internals")

local M = {}

-- What stands for the uuid of an update in a template.
M.UUID = "UUIDUUIDUUIDUUID"

-- The RecordIO record of the event.
function M.frame(event)
    local record = internals.encode("mesos.v1.scheduler.Event", event)
    return #record .. "\n" .. record
end

-- A function that makes the record of the n-th event: in the place of each mark stands marks[mark](n), as long as it.
function M.template(event, marks)
    local record = M.frame(event)
    return function(n)
        local text = record
        for mark, replace in pairs(marks) do
            local first = text:find(mark, 1, true)
            text = text:sub(1, first - 1) .. replace(n) .. text:sub(first + #mark)
        end
        return text
    end
end

-- The uuid of the n-th update.
function M.uuid(n)
    return string.pack(">I8I8", 0x4000400080008000, n)
end

-- Records `first` + 1 to `first` + `count` of a template.
function M.burst(template, first, count)
    local records = {}
    for i = 1, count do
        records[i] = template(first + i)
    end
    return table.concat(records)
end

return M
