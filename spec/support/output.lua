-- SPDX-License-Identifier: Apache-2.0
--
-- What busted prints: a line for each spec file, each failure in full where it happens, and the sum at the end. With
-- SPEC_COUNTS=FILE the three counts are appended to that file as well, for a caller that adds up several runs.

return function()
    local busted = require("busted")
    local base = require("busted.outputHandlers.base")()
    local clock = require("system").monotime
    local counts = { success = 0, failure = 0, pending = 0 }
    local file

    local function write(...)
        io.stdout:write(...)
        io.stdout:flush()
    end

    local function text_of(message)
        return type(message) == "string" and message or require("pl.pretty").write(message)
    end

    local function show(kind, element, message, trace)
        local name = element.descriptor == "file" and element.name or base.getFullName(element)
        local place = element.trace or trace
        write(("%s: %s\n"):format(kind, name))
        if place and place.short_src then
            write(("    %s:%d\n"):format(place.short_src, place.currentline))
        end
        write("    ", (text_of(message):gsub("\n", "\n    ")), "\n")
        if kind == "ERROR" and trace and trace.traceback then
            write("    ", (trace.traceback:gsub("^\n", ""):gsub("\n", "\n    ")), "\n")
        end
    end

    local handler = base

    function handler.fileStart(element)
        file = { name = element.name, start = clock(), counts = {} }
        for kind, count in pairs(counts) do
            file.counts[kind] = count
        end
        return nil, true
    end

    function handler.fileEnd()
        local failed = counts.failure - file.counts.failure
        local skipped = counts.pending - file.counts.pending
        write(("%-34s %4d passed%s%s  %.1f s\n"):format(file.name, counts.success - file.counts.success,
            failed > 0 and (", %d failed"):format(failed) or "", skipped > 0 and (", %d skipped"):format(skipped) or "",
            clock() - file.start))
        return nil, true
    end

    function handler.testEnd(_, _, status)
        local kind = status == "error" and "failure" or status
        counts[kind] = counts[kind] + 1
        return nil, true
    end

    function handler.failed(element, _, message, trace)
        show("FAILED", element, message, trace)
        return nil, true
    end

    function handler.broken(element, _, message, trace)
        if element.descriptor ~= "it" then
            counts.failure = counts.failure + 1
        end
        show("ERROR", element, message, trace)
        return nil, true
    end

    function handler.skipped(element, _, message)
        if message ~= nil then
            show("SKIPPED", element, message)
        end
        return nil, true
    end

    function handler.suiteEnd()
        local path = os.getenv("SPEC_COUNTS")
        if path then
            local sink <close> = assert(io.open(path, "a"))
            sink:write(("%d %d %d\n"):format(counts.success, counts.failure, counts.pending))
        else
            write(("%d passed, %d failed%s\n"):format(counts.success, counts.failure,
                counts.pending > 0 and (", %d skipped"):format(counts.pending) or ""))
        end
        return nil, true
    end

    busted.subscribe({ "file", "start" }, handler.fileStart)
    busted.subscribe({ "file", "end" }, handler.fileEnd)
    busted.subscribe({ "test", "end" }, handler.testEnd)
    busted.subscribe({ "failure" }, handler.failed)
    busted.subscribe({ "error" }, handler.broken)
    busted.subscribe({ "pending" }, handler.skipped)
    busted.subscribe({ "suite", "end" }, handler.suiteEnd)
    return handler
end
