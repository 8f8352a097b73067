// SPDX-License-Identifier: Apache-2.0
//
// Watching files: see file_watch.h. A file has the last result of stat(); a folder has the libuv
// handle, which lives in a block of its own until its close callback.

#include "loop/file_watch.h"

#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_uv.h"

#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const uint64_t quiet = LOOP_SECOND * 75 / 1000; // after the last change
static const uint64_t quiet_most = LOOP_SECOND;        // after the first
static const uint64_t look_often = 2 * LOOP_SECOND;    // where inotify does not see all changes
static const uint64_t look_seldom = 15 * LOOP_SECOND;

enum { LINKS_MOST = 16 }; // that lead from a path to its file

struct fingerprint {
    bool there;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct watched_file {
    char *path;
    struct fingerprint fingerprint;
};

struct folder {
    uv_fs_event_t handle;
    struct file_watch *watch;
    char *path;
    char **names; // of the files in it
    size_t count;
    dev_t device;
    ino_t inode;
    bool blind; // inotify does not see all changes in it
    LIST_ENTRY(folder) link;
};

struct file_watch {
    struct loop *loop;
    void (*on_change)(void *data);
    void *data;
    struct watched_file *files;
    size_t count;
    LIST_HEAD(, folder) folders;
    struct timer settle, look;
    uint64_t first; // change of the burst; valid while `settle` is started
};

void file_watch_touch(struct file_watch *watch)
{
    uint64_t now = loop_now(watch->loop);
    if (!timer_active(&watch->settle))
        watch->first = now;
    uint64_t end = watch->first + quiet_most, wanted = now + quiet;
    timer_start(&watch->settle, (wanted < end ? wanted : end > now ? end : now) - now);
}

static void on_settled(void *data)
{
    struct file_watch *watch = data;
    watch->on_change(watch->data);
}

// ---- folders ----

static bool has_name(const struct folder *folder, const char *name)
{
    for (size_t i = 0; i < folder->count; i++)
        if (strcmp(folder->names[i], name) == 0)
            return true;
    return false;
}

static void on_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
    struct folder *folder = handle->data;
    (void)events;
    if (status < 0 || name == NULL || has_name(folder, name))
        file_watch_touch(folder->watch);
}

static void on_folder_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void clear_names(struct folder *folder)
{
    for (size_t i = 0; i < folder->count; i++)
        free(folder->names[i]);
    folder->count = 0;
}

static void close_folder(struct folder *folder)
{
    clear_names(folder);
    free(folder->names);
    free(folder->path);
    folder->names = NULL;
    folder->path = NULL;
    uv_close((uv_handle_t *)&folder->handle, on_folder_closed);
}

// True for file systems that only this machine writes to. A change that another machine has made,
// or the host of a virtual machine, is not seen by inotify.
static bool is_local(const char *path)
{
    static const unsigned long local[] = {
        EXT4_SUPER_MAGIC,      XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
        OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC,     RAMFS_MAGIC,       0x2fc12fc1, // ZFS
    };
    struct statfs status;
    if (statfs(path, &status) != 0)
        return false;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if ((unsigned long)status.f_type == local[i])
            return true;
    return false;
}

static void start_folder(struct folder *folder)
{
    struct stat status;
    bool there = stat(folder->path, &status) == 0;
    folder->device = there ? status.st_dev : 0;
    folder->inode = there ? status.st_ino : 0;
    uv_fs_event_stop(&folder->handle);
    int result = there ? uv_fs_event_start(&folder->handle, on_event, folder->path, 0) : 0;
    folder->blind = !there || result != 0 || !is_local(folder->path);
    if (result != 0)
        log_debug("cannot watch %s, which is polled instead: %s", folder->path,
                  uv_strerror(result));
    uv_unref((uv_handle_t *)&folder->handle);
}

static struct folder *open_folder(struct file_watch *watch, const char *path)
{
    struct folder *folder;
    LIST_FOREACH(folder, &watch->folders, link)
    {
        if (strcmp(folder->path, path) == 0)
            return folder;
    }
    folder = memory_new(sizeof *folder);
    folder->watch = watch;
    folder->path = memory_string(path);
    LIST_INSERT_HEAD(&watch->folders, folder, link);
    uv_fs_event_init(loop_uv_handle(watch->loop), &folder->handle);
    folder->handle.data = folder;
    start_folder(folder);
    return folder;
}

static void add_name(struct file_watch *watch, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + (slash == path) : 0;
    char *where = slash ? memory_text(path, length) : memory_string(".");
    struct folder *folder = open_folder(watch, where);
    const char *name = slash ? slash + 1 : path;
    if (!has_name(folder, name)) {
        folder->names = memory_resize(folder->names, (folder->count + 1) * sizeof *folder->names);
        folder->names[folder->count++] = memory_string(name);
    }
    free(where);
}

// Watches the link at the first `length` bytes of the path, and returns where it leads, with the
// rest of the path behind it; NULL if it is no link. To be freed.
static char *follow_link(struct file_watch *watch, const char *path, size_t length)
{
    char target[PATH_MAX], *link = memory_text(path, length), *next = NULL;
    ssize_t count = readlink(link, target, sizeof target - 1);
    if (count > 0) {
        add_name(watch, link);
        target[count] = '\0';
        char *slash = target[0] == '/' ? NULL : strrchr(link, '/');
        link[slash ? slash + 1 - link : 0] = '\0';
        next = memory_format("%s%s%s", link, target, path + length);
    }
    free(link);
    return next;
}

static char *follow_first_link(struct file_watch *watch, const char *path)
{
    const char *end = path;
    char *next = NULL;
    while (*end != '\0' && next == NULL) {
        end += 1 + strcspn(end + 1, "/");
        next = follow_link(watch, path, (size_t)(end - path));
    }
    return next;
}

// Under its own name, and under those of the symbolic links that lead to it.
static void add_names(struct file_watch *watch, const char *path)
{
    char *at = memory_string(path);
    for (int links = 0; at != NULL && links < LINKS_MOST; links++) {
        add_name(watch, at);
        char *next = follow_first_link(watch, at);
        free(at);
        at = next;
    }
    free(at);
}

static void close_unused(struct file_watch *watch)
{
    for (struct folder *folder = LIST_FIRST(&watch->folders), *next; folder != NULL;
         folder = next) {
        next = LIST_NEXT(folder, link);
        if (folder->count > 0)
            continue;
        LIST_REMOVE(folder, link);
        close_folder(folder);
    }
}

// True if the watched folder was replaced by another one of the same name.
static bool folder_replaced(const struct folder *folder)
{
    struct stat status;
    bool there = stat(folder->path, &status) == 0;
    return there && (status.st_dev != folder->device || status.st_ino != folder->inode);
}

// ---- files ----

static struct fingerprint fingerprint_of(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return (struct fingerprint){.there = false};
    return (struct fingerprint){.there = true,
                                .device = status.st_dev,
                                .inode = status.st_ino,
                                .size = status.st_size,
                                .modified = status.st_mtim,
                                .changed = status.st_ctim};
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_fingerprint(const struct fingerprint *a, const struct fingerprint *b)
{
    return a->there == b->there && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && same_time(a->modified, b->modified) &&
           same_time(a->changed, b->changed);
}

// When to look at the files next.
static uint64_t look_delay(const struct file_watch *watch)
{
    const struct folder *folder;
    LIST_FOREACH(folder, &watch->folders, link)
    {
        if (folder->blind)
            return look_often;
    }
    return look_seldom;
}

static void on_look(void *data)
{
    struct file_watch *watch = data;
    struct folder *folder;
    LIST_FOREACH(folder, &watch->folders, link)
    {
        if (folder_replaced(folder)) {
            start_folder(folder);
            file_watch_touch(watch);
        }
    }
    for (size_t i = 0; i < watch->count; i++) {
        struct fingerprint fingerprint = fingerprint_of(watch->files[i].path);
        if (!same_fingerprint(&fingerprint, &watch->files[i].fingerprint))
            file_watch_touch(watch);
        watch->files[i].fingerprint = fingerprint;
    }
    timer_start(&watch->look, look_delay(watch));
}

static void clear_files(struct file_watch *watch)
{
    for (size_t i = 0; i < watch->count; i++)
        free(watch->files[i].path);
    free(watch->files);
    watch->files = NULL;
    watch->count = 0;
}

// ---- public functions ----

struct file_watch *file_watch_create(struct loop *loop, void (*on_change)(void *data), void *data)
{
    struct file_watch *watch = memory_new(sizeof *watch);
    watch->loop = loop;
    watch->on_change = on_change;
    watch->data = data;
    timer_init(&watch->settle, loop, on_settled, watch);
    timer_init(&watch->look, loop, on_look, watch);
    return watch;
}

void file_watch_set(struct file_watch *watch, const char *const *paths, size_t count)
{
    struct folder *folder;
    clear_files(watch);
    LIST_FOREACH(folder, &watch->folders, link)
    {
        clear_names(folder);
    }
    watch->files = memory_new((count + 1) * sizeof *watch->files);
    for (size_t i = 0; i < count; i++) {
        add_names(watch, paths[i]);
        watch->files[watch->count++] = (struct watched_file){
            .path = memory_string(paths[i]), .fingerprint = fingerprint_of(paths[i])};
    }
    close_unused(watch);
    timer_start(&watch->look, look_delay(watch));
}

void file_watch_destroy(struct file_watch *watch)
{
    if (watch == NULL)
        return;
    timer_stop(&watch->settle);
    timer_stop(&watch->look);
    clear_files(watch);
    for (struct folder *folder = LIST_FIRST(&watch->folders), *next; folder != NULL;
         folder = next) {
        next = LIST_NEXT(folder, link);
        close_folder(folder);
    }
    free(watch);
}
