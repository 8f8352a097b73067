// SPDX-License-Identifier: Apache-2.0
//
// Where the program's own files are: see own_folder.h. The host itself lies in build/libexec, or in
// PREFIX/libexec/mesos-lua.

#include "cli/own_folder.h"

#include "base/memory.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *what;
    const char *places[3]; // from the folder of the host; NULL at the end
} rows[] = {
    {"mesos.so", {"../mesos.so", "../../lib/lua/5.4/mesos.so", NULL}},
    {"lua/mesos", {"../../lua/mesos", "../../share/mesos-lua/lua/mesos", NULL}},
};

// The folder of the host, with its slash.
static bool read_folder(char *folder, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", folder, size - 1);
    if (length <= 0)
        return false;
    folder[length] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return false;
    slash[1] = '\0';
    return true;
}

static char *find_in(const char *folder, const char *const *places)
{
    for (; *places != NULL; places++) {
        char *path = memory_format("%s%s", folder, *places);
        char *whole = realpath(path, NULL);
        free(path);
        if (whole != NULL)
            return whole;
    }
    return NULL;
}

char *own_folder_find(const char *what)
{
    char folder[PATH_MAX];
    if (!read_folder(folder, sizeof folder))
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].what, what) == 0)
            return find_in(folder, rows[i].places);
    return NULL;
}
