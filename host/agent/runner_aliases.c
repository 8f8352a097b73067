// SPDX-License-Identifier: Apache-2.0
//
// Links to sandboxes; see the header.

#include "agent/runner_aliases.h"

#include "agent/folders.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct runner_alias *runner_aliases_copy(const struct runner_alias *aliases)
{
    size_t count = 0;
    while (aliases != NULL && aliases[count].path != NULL)
        count++;
    if (count == 0)
        return NULL;
    struct runner_alias *copy = memory_new((count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] =
            (struct runner_alias){memory_string(aliases[i].path), memory_string(aliases[i].target)};
    return copy;
}

void runner_aliases_free(struct runner_alias *aliases)
{
    for (struct runner_alias *alias = aliases; alias != NULL && alias->path != NULL; alias++) {
        free((char *)(uintptr_t)alias->path);
        free((char *)(uintptr_t)alias->target);
    }
    free(aliases);
}

static void make(const struct runner_alias *alias, const char *name)
{
    char *folder = memory_string(alias->path), *fresh = NULL;
    *strrchr(folder, '/') = '\0';
    if (folders_make(folder, 0711) && symlink(alias->target, alias->path) != 0) {
        fresh = memory_format("%s.%s", alias->path, name);
        if (symlink(alias->target, fresh) != 0 || rename(fresh, alias->path) != 0)
            log_warning("cannot make the link '%s': %s", alias->path, strerror(errno));
    }
    free(folder);
    free(fresh);
}

void runner_aliases_make(const struct runner_alias *aliases, const char *name)
{
    for (const struct runner_alias *alias = aliases; alias != NULL && alias->path != NULL; alias++)
        make(alias, name);
}
