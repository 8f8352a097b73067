// SPDX-License-Identifier: Apache-2.0
//
// Making folders: see folders.h.

#include "agent/folders.h"

#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool make_one(const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0)
        return chmod(path, mode) == 0;
    return errno == EEXIST;
}

// From the last folder up to the first that exists, and down again. In most cases that is near.
static bool make(char *path, mode_t mode)
{
    if (make_one(path, mode))
        return true;
    char *slash = errno == ENOENT ? strrchr(path, '/') : NULL;
    if (slash == NULL || slash == path)
        return false;
    *slash = '\0';
    bool good = make(path, 0711);
    *slash = '/';
    return good && make_one(path, mode);
}

bool folders_make(const char *path, mode_t mode)
{
    char *copy = memory_string(path);
    bool good = make(copy, mode);
    int fault = errno;
    free(copy);
    errno = fault;
    return good;
}
