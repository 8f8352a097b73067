// SPDX-License-Identifier: Apache-2.0
//
// Tests of policies: see policy_tests.h. The interpreter is named, since busted alone runs in the
// Lua that the system calls `lua`, which may be another version.

#include "cli/policy_tests.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/own_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

// The program of that name on PATH, to be freed; NULL: there is none.
static char *find_program(const char *name)
{
    const char *list = getenv("PATH");
    for (const char *end; list != NULL && *list != '\0'; list = *end ? end + 1 : end) {
        end = strchrnul(list, ':');
        char *path = memory_format("%.*s/%s", (int)(end - list), list, name);
        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

// True if it is a script for a shell, as luarocks makes them, and not one in Lua.
static bool is_shell_script(const char *path)
{
    char line[64] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    char *read = fgets(line, sizeof line, file);
    fclose(file);
    return read != NULL && strncmp(line, "#!", 2) == 0 && strstr(line, "lua") == NULL;
}

// Lets require() find the module in front of all others.
static bool set_path(struct error *err)
{
    char *module = own_folder_find("mesos.so");
    const char *others = getenv("LUA_CPATH_5_4");
    if (module == NULL)
        return error_set(err, ERROR_IO,
                         "the module mesos.so is not there: build the target mesos-lua-module, or "
                         "install the package lua-mesos");
    others = others ? others : getenv("LUA_CPATH");
    char *path = memory_format("%.*s?.so;%s", (int)(strlen(module) - strlen("mesos.so")), module,
                               others ? others : ";");
    setenv("LUA_CPATH_5_4", path, 1);
    free(path);
    free(module);
    return true;
}

// Returns only if it fails.
static bool become(char *const *words, struct error *err)
{
    execv(words[0], words);
    return error_set(err, ERROR_IO, "cannot start %s: %s", words[0], strerror(errno));
}

static bool run(const struct options *options, const char *lua, const char *busted,
                struct error *err)
{
    size_t count = 0;
    char **words = memory_new(((size_t)options->argc + 3) * sizeof *words);
    bool shell = is_shell_script(busted);
    words[count++] = (char *)(uintptr_t)(shell ? busted : lua);
    words[count++] = (char *)(uintptr_t)(shell ? "--lua=lua5.4" : busted);
    for (int i = 0; i < options->argc; i++)
        words[count++] = options->argv[i];
    bool good = set_path(err) && become(words, err);
    free(words);
    return good;
}

int policy_tests_run(const struct options *options)
{
    struct error err = {0};
    char *lua = find_program("lua5.4"), *busted = find_program("busted");
    if (busted == NULL || lua == NULL)
        error_set(&err, ERROR_IO,
                  "%s is not installed: apt-get install lua-busted lua5.4 (Debian), or luarocks "
                  "--lua-version 5.4 install busted",
                  busted == NULL ? "busted" : "lua5.4");
    else
        run(options, lua, busted, &err);
    fprintf(stderr, "mesos-lua: test: %s\n", err.text);
    free(lua);
    free(busted);
    return EXIT_USAGE;
}
