// SPDX-License-Identifier: Apache-2.0
//
// What a client is to talk to: see ctl_target.h.

#include "cli/ctl_target.h"

#include "base/memory.h"
#include "ops/control_paths.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool ctl_target_is_process(const char *text)
{
    return *text != '\0' && strlen(text) < 10 && strspn(text, "0123456789") == strlen(text);
}

// True if only the user of the host, or root, can create files in the folder of the socket.
static bool trust_folder(const char *path, const char *target, uid_t user, struct error *err)
{
    struct stat there;
    char *folder = memory_text(path, (size_t)(strrchr(path, '/') - path));
    bool found = lstat(folder, &there) == 0;
    bool private = found && S_ISDIR(there.st_mode) && (there.st_mode & 077) == 0 &&
                   (there.st_uid == user || there.st_uid == 0);
    if (!found)
        error_set(err, ERROR_IO, "the folder %s: %s", folder, strerror(errno));
    else if (!private)
        error_set(
            err, ERROR_INVALID,
            "the folder %s belongs to user %u and has mode %o: that of process %s has to be of "
            "its user, %u, and 700; nothing was sent there",
            folder, (unsigned)there.st_uid, (unsigned)there.st_mode & 07777, target,
            (unsigned)user);
    free(folder);
    return private;
}

static char *find_process(const char *target, uid_t *user, struct error *err)
{
    pid_t pid = (pid_t)strtol(target, NULL, 10);
    char *path = control_paths_find(pid, user);
    if (path != NULL && trust_folder(path, target, *user, err))
        return path;
    if (path == NULL && kill(pid, 0) != 0 && errno == ESRCH)
        error_set(err, ERROR_INVALID, "there is no process %s", target);
    else if (path == NULL)
        error_set(err, ERROR_INVALID,
                  "process %s has no control socket where it could be found: is it a running "
                  "mesos-lua, and XDG_RUNTIME_DIR the same here? Or give the path of its socket",
                  target);
    free(path);
    return NULL;
}

static char *find_path(const char *target, uid_t *user, struct error *err)
{
    struct stat there;
    bool found = lstat(target, &there) == 0;
    *user = found && geteuid() == 0 ? there.st_uid : geteuid();
    if (ctl_target_is_socket(target))
        return memory_string(target);
    error_set(err, ERROR_INVALID, found ? "%s is no control socket" : "%s: there is no such socket",
              target);
    return NULL;
}

bool ctl_target_is_socket(const char *target)
{
    struct stat there;
    return stat(target, &there) == 0 && S_ISSOCK(there.st_mode);
}

char *ctl_target_find(const char *target, uid_t *user, struct error *err)
{
    return ctl_target_is_process(target) ? find_process(target, user, err)
                                         : find_path(target, user, err);
}
