// SPDX-License-Identifier: Apache-2.0
//
// The paths of control sockets: see control_paths.h.

#include "ops/control_paths.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char *runtime_folder(uid_t uid)
{
    const char *folder = getenv("XDG_RUNTIME_DIR");
    if (uid == geteuid() && folder != NULL && *folder == '/')
        return memory_format("%s/mesos-lua", folder);
    return memory_format("/run/user/%u/mesos-lua", (unsigned)uid);
}

static char *temporary_folder(uid_t uid)
{
    return memory_format("/tmp/mesos-lua-%u", (unsigned)uid);
}

bool control_paths_fit(const char *path)
{
    return strlen(path) < sizeof((struct sockaddr_un *)NULL)->sun_path;
}

static char *socket_in(char *folder, pid_t pid)
{
    char *path = memory_format("%s/%d.sock", folder, (int)pid);
    free(folder);
    return path;
}

char *control_paths_find(pid_t pid, uid_t *user)
{
    struct stat process, found;
    char *name = memory_format("/proc/%d", (int)pid);
    uid_t uid = stat(name, &process) == 0 ? process.st_uid : geteuid();
    free(name);
    *user = uid;
    char *path = socket_in(runtime_folder(uid), pid);
    if (stat(path, &found) == 0)
        return path;
    free(path);
    path = socket_in(temporary_folder(uid), pid);
    if (stat(path, &found) == 0)
        return path;
    free(path);
    return NULL;
}

// Makes the folder, or checks that it is accessible to this user only.
static bool own_folder(const char *folder, struct error *err)
{
    struct stat there;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return error_set(err, ERROR_IO, "cannot make the folder %s: %s", folder, strerror(errno));
    if (lstat(folder, &there) != 0 || !S_ISDIR(there.st_mode))
        return error_set(err, ERROR_INVALID, "%s is not a folder", folder);
    if (there.st_uid != geteuid() || (there.st_mode & 077) != 0)
        return error_set(err, ERROR_INVALID,
                         "the folder %s is not for its owner alone: give it to the user of this "
                         "process and set its mode to 0700",
                         folder);
    return true;
}

// The process whose socket, or link to one, has that name; 0 if it is no such name.
static pid_t process_of(const char *name)
{
    char *end;
    long pid = strtol(name, &end, 10);
    return end != name && strcmp(end, ".sock") == 0 && pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

static bool is_gone(pid_t pid)
{
    return kill(pid, 0) != 0 && errno == ESRCH;
}

// Removes the sockets of processes that no longer exist.
static void clean(const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        pid_t pid = process_of(entry->d_name);
        if (pid != 0 && (pid == getpid() || is_gone(pid)))
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
}

char *control_paths_make(struct error *err)
{
    char *folders[] = {runtime_folder(geteuid()), temporary_folder(geteuid())}, *path = NULL;
    for (size_t i = 0; i < 2 && path == NULL; i++) {
        if (!own_folder(folders[i], err))
            continue;
        clean(folders[i]);
        path = memory_format("%s/%d.sock", folders[i], (int)getpid());
        if (control_paths_fit(path))
            continue;
        error_set(err, ERROR_LIMIT, "the path %s is too long for a socket", path);
        free(path);
        path = NULL;
    }
    free(folders[0]);
    free(folders[1]);
    return path;
}

// ---- listing ----

static bool is_listed(const pid_t *pids, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

static size_t list_folder(const char *folder, pid_t *pids, size_t count, size_t most)
{
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return count;
    for (struct dirent *entry; count < most && (entry = readdir(entries)) != NULL;) {
        pid_t pid = process_of(entry->d_name);
        if (pid != 0 && !is_gone(pid) && !is_listed(pids, count, pid))
            pids[count++] = pid;
    }
    closedir(entries);
    return count;
}

static int compare(const void *left, const void *right)
{
    const pid_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

size_t control_paths_list(pid_t *pids, size_t most)
{
    char *folders[] = {runtime_folder(geteuid()), temporary_folder(geteuid())};
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        count = list_folder(folders[i], pids, count, most);
        free(folders[i]);
    }
    qsort(pids, count, sizeof *pids, compare);
    return count;
}
