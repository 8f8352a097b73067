-- SPDX-License-Identifier: Apache-2.0
--
-- The Debian packages in a clean Debian, which mmdebstrap makes for this: they install with what they depend on, work, and
-- leave nothing behind. Run by `sh spec/run.sh --packages` alone, as root: it takes minutes, and Debian's mirror.

local program = require("support.program")
local uv = require("luv")

local build = os.getenv("MESOS_LUA_BUILD") or "build-package"
local PACKAGES = uv.fs_realpath(build) .. "/packages"
local root

local function run(path, args, seconds)
    local done = program.run { path = path, args = args, seconds = seconds or 60 }
    assert.equal(0, done.code, path .. ": " .. done:report())
    return done.stdout
end

-- A shell command in the clean root, with process ids and mounts of its own. Returns its output.
local function inside(command, seconds)
    return run("/usr/bin/unshare", { "--pid", "--fork", "--kill-child", "--mount", "--root", root, "--mount-proc", "/bin/sh",
        "-ec", "export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root; " .. command }, seconds)
end

-- mmdebstrap's hooks are shell commands; "$1" is the new root.
setup(function()
    root = run("/usr/bin/mktemp", { "-d", (os.getenv("TMPDIR") or "/tmp") .. "/mesos-lua-root.XXXXXX" }):match("[^\n]+")
    run("/usr/bin/mmdebstrap", { "--mode=root", "--variant=minbase", "--include=systemd,lua5.4,gcc,libc6-dev,pkg-config,man-db",
        "--aptopt=APT::Install-Recommends \"false\"",
        "--customize-hook=cp " .. PACKAGES .. "/*.deb \"$1/tmp\"",
        "--customize-hook=cp examples/embed/driver.c \"$1/root\"",
        "--customize-hook=chroot \"$1\" sh -c 'DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /tmp/*.deb'",
        "bookworm", root }, 1200)
end)

teardown(function()
    if root then
        run("/bin/rm", { "-rf", "--one-file-system", root }, 120)
        program.cleanup()
    end
end)

after_each(program.cleanup)

describe("the packages", function()
    it("are four, with what they depend on", function()
        local text = inside("dpkg-query -W -f '${Package} ${db:Status-Abbrev} ${Depends}\\n' mesos-lua 'libmesos-lua*' lua-mesos")
        assert.equal(4, select(2, text:gsub(" ii ", "")))
        for _, part in ipairs { "mesos%-lua ii [^\n]*libcurl4", "libmesos%-lua0%.2 ii [^\n]*liblua5%.4%-0",
            "libmesos%-lua%-dev ii [^\n]*libmesos%-lua0%.2 %(= 0%.2%.%d+%)" } do
            assert.matches(part, text)
        end
    end)

    it("have a program that runs a framework, for any user", function()
        local command = "cd /tmp && mesos-lua --version && setpriv --reuid=65534 --regid=65534 --clear-groups "
            .. "mesos-lua -q --work-dir /tmp/sandboxes /usr/share/doc/mesos-lua/examples/hello.lua && "
            .. "cat $(find /tmp/sandboxes -name stdout -type f)"
        assert.matches("^mesos%-lua %d+%.%d+%.%d+\n.*Hello from ", inside(command))
    end)

    it("have man pages", function()
        assert.matches("mesos%-lua ctl TARGET COMMAND", inside("MANWIDTH=200 man mesos-lua-ctl"))
        assert.matches("mesos%-lua%(1%)", inside("man -w mesos-lua && echo 'mesos-lua(1)'"))
    end)

    it("have completion that bash, zsh and fish read", function()
        local share = root .. "/usr/share/"
        run("/bin/bash", { "-n", share .. "bash-completion/completions/mesos-lua" })
        run("/usr/bin/zsh", { "-n", share .. "zsh/vendor-completions/_mesos-lua" })
        local fish = ("source %sfish/vendor_completions.d/mesos-lua.fish; complete -C'mesos-lua %%s'"):format(share)
        assert.matches("^ctl\t", run("/usr/bin/fish", { "-c", fish:format("ct") }))
        assert.matches("^debug\t", run("/usr/bin/fish", { "-c", fish:format("--log-level de") }))
        assert.matches("^reload\t[^\n]+\nrepl\t", run("/usr/bin/fish", { "-c", fish:format("ctl 12 re") }))
        assert.equal("", run("/usr/bin/fish", { "-c", fish:format("local --elec") }))
    end)

    it("have a library that programs are built with, and find", function()
        local text = inside("cd /root && cc driver.c $(pkg-config --cflags --libs mesos-lua) -o driver && ldd driver")
        assert.matches("libmesos%-lua%.so%.0%.2 => /lib/[^\n]*libmesos%-lua%.so%.0%.2", text)
        assert.is_nil(text:find("not found", 1, true))
    end)

    it("have a unit that systemd takes, and finds well hardened", function()
        local unit = "/lib/systemd/system/mesos-lua@.service"
        assert.equal("", inside("systemd-analyze verify --man=no mesos-lua@x.service 2>&1"))
        local worth = inside("systemd-analyze security --offline=true --threshold=20 " .. unit)
        assert.matches("exposure level for mesos%-lua@[%w-]*%.service: [01]%.%d", worth)
    end)

    it("have declarations that are Lua", function()
        inside("for f in /usr/share/mesos-lua/lua/meta/*.lua /usr/share/mesos-lua/lua/mesos/*.lua; do "
            .. "lua5.4 -e 'assert(loadfile(arg[1]))' /dev/null $f; done")
    end)

    it("leave nothing behind", function()
        inside("apt-get purge -y mesos-lua 'libmesos-lua*' lua-mesos >/dev/null 2>&1", 120)
        assert.equal("", inside("find / -xdev -path /proc -prune -o -path /tmp -prune -o -path '*mesos-lua*' -print"))
    end)
end)
