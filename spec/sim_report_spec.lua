-- SPDX-License-Identifier: Apache-2.0
--
-- The page of a simulation, of documents that were made up: what it says without JavaScript, and what a browser shows.
-- The browser is Debian's Chromium without windows: it prints the document as it is after the figures have been drawn,
-- and takes pictures, in which it then counts colors itself.

package.path = "host/?.lua;lua/?.lua;" .. (os.getenv("MESOS_LUA_BUILD") or "build") .. "/generated/?.lua;" .. package.path
package.cpath = (os.getenv("MESOS_LUA_BUILD") or "build") .. "/?.so;" .. package.cpath

local documents = require("support.sim_documents")
local program = require("support.program")

local json = require("mesos.json")
local format = require("sim.report.format")
local report = require("sim.report")

local has = program.assert_has
local HOSTILE = "</script><script>document.title='taken'</script>\u{2028}<img src=x onerror=alert(1)>&\"'\xff\0\u{202E}{{body}}"

local function lacks(text, ...)
    for _, part in ipairs { ... } do
        assert.is_nil(text:find(part, 1, true), part)
    end
end

local function data_of(text)
    return assert(json.decode(text:match('<script type="application/json" id="data">(.-)</script>')))
end

-- The page without its scripts, style and data.
local function body_of(text)
    return (text:match("<body>.*"):gsub("<script.-</script>", ""))
end

-- Starts Chromium with a page, in a window of that width; scheme 0 is dark, 1 is light.
local function browse(address, scheme, width, picture)
    local args = { "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=3000",
        "--allow-file-access-from-files", "--disable-dev-shm-usage", ("--window-size=%d,2400"):format(width),
        "--blink-settings=preferredColorScheme=" .. scheme, "--dump-dom" }
    args[#args + 1] = picture and "--screenshot=" .. picture
    args[#args + 1] = "file://" .. address
    return program.start { path = "/usr/bin/chromium-headless-shell", args = args }
end

-- The document that Chromium prints in the end. Nothing may have been written to the console.
local function dom_of(run)
    run:wait(120) -- it is a matter of a second, unless the machine has much else to do
    assert.equal(0, run.code, run.stderr)
    lacks(run.stderr, "CONSOLE", "Uncaught")
    return run.stdout
end

describe("The page of a simulation", function()
    after_each(program.cleanup)

    describe("as text", function()
        it("has the same bytes for the same document", function()
            assert.equal(report.html(documents.two_policies()), report.html(documents.two_policies()))
        end)

        it("asks no host for anything", function()
            local text = report.html(documents.two_policies())
            has(text, "Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-",
                "script-src 'sha256-")
            lacks(text, "unsafe-inline", "<link", "<iframe", "@import", " src=", "url(")
            lacks(body_of(text), "http:", "https:", "//")
            for url in text:gmatch("https?://[%w./-]*") do -- the library's own head comment, and the name of a namespace
                assert.truthy(url:find("^https://www%.chartjs%.org") or url:find("^https://github%.com/kurkle/color"), url)
            end
            has(text, "Permission is hereby granted, free of charge", "Chart.js v3.9.1")
        end)

        it("tells the facts without JavaScript", function()
            local text = body_of(report.html(documents.one()))
            has(text, "<h1>packer.lua</h1>", "<dt>Seed</dt><dd>1</dd>", "<code>policies/packer.lua</code>",
                "1 of 2 does not hold.", "<code>wait.p95 &lt; 60</code>", '<td class="n">36.2 s</td>',
                '<th scope="row">CPUs in use</th><td class="n">49.6 %</td>', '<th scope="row">Offers made</th><td class="n">7,421</td>',
                '<th scope="row">Jobs finished</th><td class="n">598</td>', '<th scope="row">Makespan</th><td class="n">2 h 1 min</td>',
                "<code>job-417</code>", "No agent had 6 cpus free: 22 of 24 had fewer", "<code>ACKNOWLEDGE</code>",
                "<code>resourceOffers</code></th>", "agent-3 lost", "line 81: {&quot;id&quot;: &quot;x&quot;}",
                "no offer fits, trying again", "<h3>Queue</h3>", "<h3>Share of batch</h3>", "<h3>Role service</h3>",
                "Up to 2 jobs of a run still waited at its end")
            lacks(text, "Difference", 'class="letter') -- there is one policy
        end)

        it("puts two policies side by side", function()
            local text = body_of(report.html(documents.two_policies()))
            has(text, '<b class="letter a">A</b> packer.lua <span>against</span> <b class="letter b">B</b> spread.lua',
                "Difference, A less B", '<b class="letter a">A</b> better \u{2212}21 s<small>\u{2212}24.5 to \u{2212}17.5 s</small>',
                "no difference seen<small>\u{2212}1 s (\u{2212}9 to +7 s)</small>", "+6.2 points", "Means over 3 seeds",
                "spread.lua, fails in 3 of 3 runs: seeds 1, 2, 3", "packer.lua, in all 3 runs",
                '<option value="1">seed 1</option><option value="2">seed 2</option><option value="3">seed 3</option>')
        end)

        it("says what a partial run is, and what a run without anything is", function()
            local text = body_of(report.html(documents.partial()))
            has(text, "Partial: the run ended early (interrupted).", "12 jobs wait.\nThe policy has never launched a task.")
            lacks(text, "How long jobs waited", 'id="tasks"', 'id="longest"')
            text = report.html(documents.empty())
            has(text, "<h1>idle.lua</h1>", "<dt>End</dt><dd>duration</dd>", '{"figures":{},')
            lacks(body_of(text), "<figure", "<table", "nan", "inf")
            has(report.html { version = 1, results = {} }, "There is no result: nothing was run.")
        end)

        it("names the parameters of a sweep, and shows each set", function()
            local document = { version = 1, results = {} }
            for n, rate in ipairs { "2", "10" } do
                document.results[n] = documents.result { set = { rate = rate, agents = "24" }, load = 0.3 * n, agents = 4, tasks = 9 }
            end
            local text = body_of(report.html(document))
            has(text, "<h2>Sets of parameters</h2>", "<dt>Parameters</dt><dd>agents = 24, rate = 2, agents = 24, rate = 10</dd>",
                '<h2 class="of">With agents = 24, rate = 10</h2>', '<option value="2">seed 1, agents = 24, rate = 10</option>')
        end)

        it("refuses a third policy", function()
            local document = documents.two_policies()
            document.results[1].script = "third.lua"
            assert.has_error(function() report.html(document) end)
        end)

        it("escapes what comes from outside, everywhere", function()
            local text = report.html(documents.hostile(HOSTILE))
            local body = body_of(text)
            local _, scripts = text:gsub("<script[ >]", "")
            assert.equal(3, scripts)
            lacks(body, "<img", "document.title='taken'</script>")
            lacks(text, "\u{2028}", "\xff", "\0", "\u{202E}")
            assert.truthy(utf8.len(text))
            has(body, "&lt;/script&gt;&lt;script&gt;document.title=&#39;taken&#39;&lt;/script&gt;\u{FFFD}&lt;img", "{{body}}")
            has(text, "\\u003c/script\\u003e")
            has(data_of(text).figures["w1-heat-1"].rows[1], "</script><script>document")
        end)

        it("stays small: the data of worlds that find no room is left out", function()
            local text = report.html(documents.large(4))
            assert.is_true(#text < 1500000, #text)
            has(body_of(text), "Figures over time of 2 more runs are left out")
            assert.truthy(data_of(text).figures["w1-heat-2"])
        end)
    end)

    describe("the numbers", function()
        local rows = {
            { 0, "time", "0 s" }, { 0.0123, "time", "12.3 ms" }, { 59.97, "time", "1 min" }, { 75.4, "time", "1 min 15 s" },
            { 3599.7, "time", "1 h" }, { 7260, "time", "2 h 1 min" }, { 86399, "time", "1 d" }, { 93600 * 20, "time", "21 d 16 h" },
            { -3, "time", "\u{2212}3 s" }, { nil, "time", "\u{2013}" }, { 1234567, "count", "1,234,567" }, { 12.345, "count", "12.3" },
            { 123456789, "count", "123 M" }, { 0.12345, "share", "12.3 %" }, { 1, "share", "100 %" }, { 999999, "count", "999,999" },
            { 1 / 0, "ratio", "\u{221E}" }, { 0 / 0, "ratio", "\u{2013}" }, { 7200, "work", "2 cpu h" }, { 100, "count", "100" },
        }
        for _, row in ipairs(rows) do
            it(("shows %s as %s"):format(row[1], row[3]), function()
                assert.equal(row[3], format.number(row[1], row[2]))
            end)
        end

        it("name a unit once where that can be read", function()
            assert.equal("2 to 5 s", format.range("2 s", "5 s"))
            assert.equal("2 ms to 5 s", format.range("2 ms", "5 s"))
            assert.equal("1 min 2 s to 5 min 3 s", format.range("1 min 2 s", "5 min 3 s"))
            assert.equal("\u{2212}172 to +375 / h", format.range("\u{2212}172 / h", "+375 / h"))
        end)

        it("stand beside text that is cut and is UTF-8", function()
            assert.equal("aaa\u{2026}", format.clean(("a"):rep(10), 3))
            assert.equal("\u{E9}\u{FFFD}x\u{FFFD}\u{FFFD}", format.clean("\u{E9}\xC3x\xED\xA0"))
            assert.equal("a\u{FFFD}b c", format.clean("a\nb\tc"))
            assert.equal("\u{10FFFF}\u{FFFD}", format.clean("\u{10FFFF}\xBF"))
        end)
    end)

    -- ---- in a browser ----

    it("is drawn by a browser, in two schemes and two widths, without an error and without a script of others", function()
        local folder = program.directory()
        local function write(name, text)
            local file <close> = assert(io.open(folder .. "/" .. name, "wb"))
            file:write(text)
            return folder .. "/" .. name
        end
        local two = write("two.html", report.html(documents.two_policies()))
        local wide = { browse(two, 0, 1400, folder .. "/dark.png"), browse(two, 1, 1400, folder .. "/light.png") }
        local narrow = { browse(two, 0, 400, folder .. "/dark-narrow.png"),
            browse(two, 1, 400, folder .. "/light-narrow.png") }
        local others = {}
        for i, name in ipairs { "partial", "empty", "hostile" } do
            others[i] = browse(write(name .. ".html", report.html(documents[name](HOSTILE))), 1, 400)
        end
        local doms = { dom_of(wide[1]), dom_of(wide[2]), dom_of(narrow[1]), dom_of(narrow[2]) }
        has(doms[1], "<title>Simulation: packer.lua against spread.lua</title>")

        -- Every figure that is shown has been drawn, and tells what it shows.
        local drawn, labels, buttons = 0, {}, 0
        for figure in doms[1]:gmatch("<figure .-</figure>") do
            local points = tonumber(figure:match('data%-drawn="(%d+)"'))
            if points then
                drawn, labels[#labels + 1] = drawn + 1, figure:match('aria%-label="([^"]+)"')
                assert.is_true(points > 0)
            end
            buttons = buttons + select(2, figure:gsub('<button type="button" aria%-pressed="true">', ""))
        end
        assert.equal(3 + 7 + 2 + 2 + 2, drawn) -- waits, over time, roles, heat maps, tasks; of one world of three
        assert.is_true(buttons > 30)
        has(table.concat(labels, "\n"), "How long jobs waited. Horizontal: waiting time, 0 s to ",
            "Vertical: share of the jobs, 0 % to 100 %",
            "A packer.lua, mean of the seeds (201 points); B spread.lua, mean of the seeds (201 points)",
            "CPUs. Horizontal: time since the start, 0 s to 2 h 1 min. Vertical: share of all CPUs, 0 % to 100 %",
            "A packer.lua, in use (257 points); A packer.lua, in use or in offers (257 points); B spread.lua, in use",
            "Queue. Horizontal: time since the start", "faults (6 points)", "24 rows of agents, 256 steps",
            "the first 120 tasks, by agent. ", "Share of service. ", "Fragmentation. ")
        has(doms[1], '<div class="world" data-set="1" data-world="2" hidden="">')
        for i, number in ipairs { 7 + 2 + 1, 0, 1 + 2 + 7 + 2 + 1 + 1 } do
            local dom = dom_of(others[i])
            assert.equal(number, select(2, dom:gsub("data%-drawn=", "")))
            lacks(dom, "<title>taken")
        end

        -- The pictures: the browser itself counts what is in them.
        write("count.html", [[<!doctype html><p></p><img src="dark.png"><img src="light.png"><img src="dark-narrow.png">
            <img src="light-narrow.png"><script>
            const count = (image) => {
              const canvas = document.createElement("canvas");
              canvas.width = image.width; canvas.height = image.height;
              const context = canvas.getContext("2d");
              context.drawImage(image, 0, 0);
              const bytes = context.getImageData(0, 0, canvas.width, canvas.height).data, colors = new Map();
              for (let i = 0; i < bytes.length; i += 4) {
                const color = (bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2]).toString(16).padStart(6, "0");
                colors.set(color, (colors.get(color) || 0) + 1);
              }
              const most = [...colors].sort((a, b) => b[1] - a[1])[0][0];
              return { size: image.width + "x" + image.height, most, colors: colors.size,
                a: (colors.get("0072b2") || 0) + (colors.get("56b4e9") || 0),
                b: (colors.get("d55e00") || 0) + (colors.get("e69f00") || 0) };
            };
            addEventListener("load", () => {
              document.querySelector("p").textContent = JSON.stringify([...document.images].map(count));
            });</script>]])
        local text = dom_of(browse(folder .. "/count.html", 1, 1400))
        local pictures = assert(json.decode(text:match("<p>(.-)</p>")), text)
        for i, expected in ipairs { { "1400x2400", "121417 191c20" }, { "1400x2400", "f7f7f5 ffffff" },
            { "400x2400", "121417 191c20" }, { "400x2400", "f7f7f5 ffffff" } } do
            local picture = pictures[i]
            assert.equal(expected[1], picture.size)
            has(expected[2], picture.most)
            assert.is_true(picture.colors > 100 and picture.a > 300 and picture.b > 300,
                ("%d: %d colors, %d, %d"):format(i, picture.colors, picture.a, picture.b))
        end
    end)
end)
