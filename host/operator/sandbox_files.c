// SPDX-License-Identifier: Apache-2.0
//
// Files of sandboxes; see the header. A path is resolved first, as an agent does it, and must then
// lie in its sandbox. The resolved path has no links: it is walked without following any, so that
// what is opened is what was checked.

#include "operator/sandbox_files.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((uint64_t)64 << 10)

enum { RUN_DEPTH = 8 }; // folders from the work folder to a run

typedef enum sandbox_files_result Result;

// ---- which sandbox ----

// The length of the first `count` components of the path, or 0 if it has fewer, or one of them is
// "", "." or "..".
static size_t span_components(const char *path, int count)
{
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        at += path[at] == '/';
        size_t length = strcspn(path + at, "/");
        bool dots = length <= 2 && strspn(path + at, ".") >= length;
        if (length == 0 || dots)
            return 0;
        at += length;
    }
    return at;
}

// "/slaves/ID/frameworks/ID/executors/ID/runs/ID", without more behind it.
static bool is_run(const char *path, size_t length)
{
    static const char *const names[RUN_DEPTH] = {"slaves",    NULL, "frameworks", NULL,
                                                 "executors", NULL, "runs",       NULL};
    size_t at = 0;
    int i = 0;
    for (; i < RUN_DEPTH && at < length; i++) {
        size_t part = strcspn(path + at + 1, "/");
        if (names[i] != NULL &&
            (strlen(names[i]) != part || strncmp(path + at + 1, names[i], part) != 0))
            return false;
        at += part + 1;
    }
    return i == RUN_DEPTH && at == length;
}

static bool is_of_agent(const char *path, const struct node *node)
{
    static const char head[] = "/slaves/";
    size_t length = strlen(node->id);
    return strncmp(path + sizeof head - 1, node->id, length) == 0 &&
           path[sizeof head - 1 + length] == '/';
}

static const struct node *find_agent(const struct sandbox_question *question)
{
    const struct node *node;
    TAILQ_FOREACH(node, &question->master->nodes, link)
    if (node->number == question->agent)
        break;
    return node;
}

// The folder of the run that an absolute path begins with, and what is behind it.
static char *run_of_path(const struct sandbox_question *question, const char **rest)
{
    const char *work_dir = question->master->work_dir, *path = question->path;
    const struct node *node = question->agent > 0 ? find_agent(question) : NULL;
    size_t root = strlen(work_dir);
    if (strncmp(path, work_dir, root) != 0 || path[root] != '/')
        return NULL;
    size_t length = span_components(path + root, RUN_DEPTH);
    if (length == 0 || !is_run(path + root, length) ||
        (question->agent > 0 && (node == NULL || !is_of_agent(path + root, node))))
        return NULL;
    *rest = path + root + length;
    return memory_text(path, root + length);
}

// The same of a virtual path: the run of the first agent that has one.
static char *run_of_virtual_path(const struct sandbox_question *question, const char **rest)
{
    const char *path = question->path;
    const struct master *master = question->master;
    const struct node *node;
    size_t length = strncmp(path, "/frameworks/", 12) == 0 ? span_components(path, 6) : 0;
    if (length == 0)
        return NULL;
    TAILQ_FOREACH(node, &master->nodes, link)
    {
        if (question->agent > 0 && node->number != question->agent)
            continue;
        char *run =
            memory_format("%s/slaves/%s%.*s", master->work_dir, node->id, (int)length, path);
        *rest = path + length;
        if (is_run(run + strlen(master->work_dir), strlen(run) - strlen(master->work_dir)) &&
            access(run, F_OK) == 0)
            return run;
        free(run);
    }
    return NULL;
}

// ---- what a path leads to ----

static bool lies_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static Result resolve_in(const char *run, const char *rest, char **real, struct error *err)
{
    char *path = memory_format("%s%s", run, rest);
    *real = realpath(path, NULL);
    Result result = SANDBOX_FILES_GOOD;
    if (*real == NULL && (errno == ENOENT || errno == ENOTDIR)) {
        result = SANDBOX_FILES_NOT_FOUND;
    } else if (*real == NULL) {
        error_set(err, ERROR_IO, "Failed to determine canonical path of '%s': %s.\n", path,
                  strerror(errno));
        result = SANDBOX_FILES_INVALID;
    } else if (!lies_in(*real, run)) {
        error_set(err, ERROR_INVALID, "'%s' is inaccessible.\n", path);
        result = SANDBOX_FILES_INVALID;
    }
    free(path);
    return result;
}

// `run` becomes the folder of the sandbox, and `real` what the path leads to, both without links;
// both are to be freed, also if that fails.
static Result resolve(const struct sandbox_question *question, char **run, char **real,
                      struct error *err)
{
    const char *rest = "";
    char *named = run_of_path(question, &rest);
    *run = *real = NULL;
    if (named == NULL)
        named = run_of_virtual_path(question, &rest);
    char *work_dir = realpath(question->master->work_dir, NULL);
    *run = named != NULL ? realpath(named, NULL) : NULL;
    free(named);
    bool good = *run != NULL && work_dir != NULL && lies_in(*run, work_dir) &&
                is_run(*run + strlen(work_dir), strlen(*run) - strlen(work_dir));
    free(work_dir);
    return good ? resolve_in(*run, rest, real, err) : SANDBOX_FILES_NOT_FOUND;
}

// Opens a path that has no links; fails if it has got one.
static int open_real(const char *path, int flags)
{
    char *copy = memory_string(path), *rest = copy + 1, *name;
    int folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (folder >= 0 && (name = strsep(&rest, "/")) != NULL) {
        int how = rest != NULL ? O_PATH | O_DIRECTORY : flags;
        int next = openat(folder, name, how | O_NOFOLLOW | O_CLOEXEC);
        int fault = errno;
        close(folder);
        errno = fault;
        folder = next;
    }
    free(copy);
    return folder;
}

// ---- listing ----

static bool leads_outside(int folder, const char *name, const char *run)
{
    char path[64], target[PATH_MAX];
    int file = openat(folder, name, O_PATH | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    ssize_t length = file >= 0 ? readlink(path, target, sizeof target - 1) : -1;
    if (file >= 0)
        close(file);
    target[length > 0 ? length : 0] = '\0';
    return !lies_in(target, run);
}

// A link that leads out of the sandbox is shown as the link that it is.
static bool look_at(int folder, const char *name, const char *run, struct stat *status)
{
    if (fstatat(folder, name, status, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    return !S_ISLNK(status->st_mode) || leads_outside(folder, name, run) ||
           fstatat(folder, name, status, 0) == 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct sandbox_file *)a)->path, ((const struct sandbox_file *)b)->path);
}

static bool add_file(struct sandbox_listing *listing, const char *path, const char *name,
                     const struct stat *status)
{
    size_t length = strlen(path), count = listing->count;
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (count == SANDBOX_FILES_LISTED)
        return false;
    if ((count & (count - 1)) == 0)
        listing->files =
            memory_resize(listing->files, (count ? count * 2 : 1) * sizeof *listing->files);
    listing->files[listing->count++] = (struct sandbox_file){
        .path = memory_format("%.*s/%s", (int)length, path, name), .status = *status};
    return true;
}

static bool list_folder(DIR *folder, const char *path, const char *run,
                        struct sandbox_listing *listing)
{
    struct stat status;
    bool room = true;
    for (struct dirent *entry; room && (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (look_at(dirfd(folder), entry->d_name, run, &status))
            room = add_file(listing, path, entry->d_name, &status);
    }
    if (listing->count > 0)
        qsort(listing->files, listing->count, sizeof *listing->files, by_path);
    return room;
}

Result sandbox_files_list(const struct sandbox_question *question, struct sandbox_listing *listing,
                          struct error *err)
{
    char *run, *real;
    *listing = (struct sandbox_listing){0};
    Result result = resolve(question, &run, &real, err);
    int file = result == SANDBOX_FILES_GOOD ? open_real(real, O_RDONLY | O_DIRECTORY) : -1;
    DIR *folder = file >= 0 ? fdopendir(file) : NULL;
    if (folder != NULL && !list_folder(folder, question->path, run, listing)) {
        error_set(err, ERROR_LIMIT, "'%s' has more than %d files, which are not listed.\n",
                  question->path, SANDBOX_FILES_LISTED);
        result = SANDBOX_FILES_INVALID;
    }
    if (folder != NULL)
        closedir(folder);
    free(run);
    free(real);
    return result;
}

void sandbox_files_free(struct sandbox_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->files[i].path);
    free(listing->files);
    *listing = (struct sandbox_listing){0};
}

// ---- reading ----

static Result open_regular(const char *real, const char *directory_words, int *file, uint64_t *size,
                           struct error *err)
{
    struct stat status;
    *file = open_real(real, O_RDONLY | O_NONBLOCK);
    bool known = *file >= 0 && fstat(*file, &status) == 0;
    if (known && S_ISREG(status.st_mode)) {
        *size = (uint64_t)status.st_size;
        return SANDBOX_FILES_GOOD;
    }
    bool directory = known && S_ISDIR(status.st_mode);
    if (directory)
        error_set(err, ERROR_INVALID, "%s", directory_words);
    else
        error_set(err, ERROR_IO, "Failed to open file at '%s': %s.\n", real,
                  strerror(known ? ESPIPE : errno));
    if (*file >= 0)
        close(*file);
    *file = -1;
    return directory ? SANDBOX_FILES_INVALID : SANDBOX_FILES_FAILED;
}

Result sandbox_files_open(const struct sandbox_question *question, int *file, uint64_t *size,
                          char **name, struct error *err)
{
    char *run, *real;
    *file = -1;
    *name = NULL;
    Result result = resolve(question, &run, &real, err);
    if (result == SANDBOX_FILES_GOOD) {
        *name = memory_string(strrchr(real, '/') + 1);
        result = open_regular(real, "Cannot download a directory.\n", file, size, err);
    }
    free(run);
    free(real);
    return result;
}

static Result read_piece(int file, uint64_t offset, uint64_t length, struct buffer *data,
                         struct error *err)
{
    uint8_t *room = buffer_reserve(data, length);
    ssize_t got = room != NULL ? pread(file, room, length, (off_t)offset) : -1;
    if (got < 0) {
        error_set(err, ERROR_IO, "Failed to read the file: %s", strerror(errno));
        return SANDBOX_FILES_FAILED;
    }
    data->length += (size_t)got;
    return SANDBOX_FILES_GOOD;
}

Result sandbox_files_read(const struct sandbox_question *question, uint64_t offset, uint64_t length,
                          struct buffer *data, uint64_t *size, struct error *err)
{
    char *run, *real;
    int file = -1;
    Result result = resolve(question, &run, &real, err);
    if (result == SANDBOX_FILES_GOOD)
        result = open_regular(real, "Cannot read a directory.\n", &file, size, err);
    if (result == SANDBOX_FILES_GOOD && offset < *size && length > 0)
        result = read_piece(file, offset, length < PIECE ? length : PIECE, data, err);
    if (file >= 0)
        close(file);
    free(run);
    free(real);
    return result;
}
