// SPDX-License-Identifier: Apache-2.0
//
// What the program's output may be connected to: pipes, sockets and terminals, as pairs of
// descriptors, that of the reader and that of the writer. All are closed on exec.

#include "internals.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

static const char *const kinds[] = {"pipe", "socket", "terminal", "stopped terminal", NULL};

// Without translations: what is read is what was written.
static int open_terminal(int pair[2], int stopped)
{
    struct termios mode;
    pair[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pair[0] < 0 || grantpt(pair[0]) != 0 || unlockpt(pair[0]) != 0)
        return -1;
    pair[1] = open(ptsname(pair[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pair[1] < 0 || tcgetattr(pair[1], &mode) != 0)
        return -1;
    cfmakeraw(&mode);
    tcsetattr(pair[1], TCSANOW, &mode);
    return stopped ? tcflow(pair[1], TCOOFF) : 0;
}

// internals.channel(kind) -> descriptor to read from, descriptor to write to
static int l_channel(lua_State *L)
{
    int pair[2] = {-1, -1}, kind = luaL_checkoption(L, 1, NULL, kinds), result;
    if (kind == 0)
        result = pipe2(pair, O_CLOEXEC);
    else if (kind == 1)
        result = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    else
        result = open_terminal(pair, kind == 3);
    if (result != 0)
        return luaL_error(L, "no %s", kinds[kind]);
    lua_pushinteger(L, pair[0]);
    lua_pushinteger(L, pair[1]);
    return 2;
}

// internals.is_blocking(descriptor) -> boolean
static int l_is_blocking(lua_State *L)
{
    int flags = fcntl((int)luaL_checkinteger(L, 1), F_GETFL);
    lua_pushboolean(L, (flags & O_NONBLOCK) == 0);
    return 1;
}

// internals.start_terminal(descriptor) lets a stopped one go on.
static int l_start_terminal(lua_State *L)
{
    lua_pushboolean(L, tcflow((int)luaL_checkinteger(L, 1), TCOON) == 0);
    return 1;
}

void internals_channels_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"channel", l_channel},
                                         {"is_blocking", l_is_blocking},
                                         {"start_terminal", l_start_terminal},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
