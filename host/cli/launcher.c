// SPDX-License-Identifier: Apache-2.0
//
// What is started as `mesos-lua`: it blocks SIGHUP, forks the spawner, and becomes the host, a
// program of the same name in the folder libexec. It is linked statically, for two reasons. The
// libraries of the host take the dynamic linker some milliseconds, within which a SIGHUP would end
// the process before any code of ours runs; a blocked signal stays blocked over execve(), and is
// delivered when the host has its handlers. And the spawner keeps a copy of the memory of the
// program that forks it, which is least here.
//
// A simulation makes and frees millions of small blocks, far more of a size at a time than the
// caches of glibc hold in general, and nothing else runs in its process: these are made larger for
// it. glibc reads that from the environment alone, before main().

#include "loop/inherited.h"
#include "loop/spawner_handover.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_MOST = 4096, EXIT_USAGE = 2 };

// Where the host lies, from the folder of this program: as it is built, and as it is installed.
static const char *const places[] = {"libexec/mesos-lua", "../libexec/mesos-lua/mesos-lua"};

static void block_hangup(void)
{
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    sigprocmask(SIG_BLOCK, &hangup, NULL);
}

// The folder of this program, with its slash.
static bool read_folder(char *folder)
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MOST - 1);
    if (length <= 0)
        return false;
    folder[length] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return false;
    slash[1] = '\0';
    return true;
}

// What the user has set stays.
static void tune(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "sim") == 0)
        setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=65535", 0);
}

int main(int argc, char **argv)
{
    char folder[PATH_MOST], path[PATH_MOST + 64];
    struct error err = {0};
    block_hangup();
    if (inherited_standard(&err))
        spawner_handover_give(); // the host says what is wrong if not
    if (!read_folder(folder)) {
        dprintf(STDERR_FILENO, "mesos-lua: cannot read /proc/self/exe: %s\n", strerror(errno));
        return EXIT_USAGE;
    }
    tune(argc, argv);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s%s", folder, places[i]);
        execv(path, argv);
    }
    dprintf(STDERR_FILENO, "mesos-lua: cannot start %s: %s; build or install mesos-lua again\n",
            path, strerror(errno));
    return EXIT_USAGE;
}
