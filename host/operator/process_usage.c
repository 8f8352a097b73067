// SPDX-License-Identifier: Apache-2.0
//
// Some files of /proc; see the header. The kernel lists the children that each thread has started.

#include "operator/process_usage.h"

#include "base/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process_sum {
    unsigned long long user, system, pages, threads; // times in ticks
    uint32_t processes;
};

// Those that are found: the descendants of the first.
struct process_tree {
    int64_t *pids;
    size_t count;
};

static bool read_text(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, size - 1) : -1;
    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static bool add_process(struct process_sum *sum, int64_t pid)
{
    char path[64], text[1024];
    unsigned long long user, system;
    long long children_user, children_system, threads, pages;
    snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    const char *behind = read_text(path, text, sizeof text)
                             ? strrchr(text, ')') // a name may contain anything
                             : NULL;
    if (behind == NULL ||
        sscanf(behind,
               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld "
               "%lld %*d %*d %lld %*d %*u %*u %lld",
               &user, &system, &children_user, &children_system, &threads, &pages) != 6)
        return false;
    sum->user += user + (unsigned long long)children_user;
    sum->system += system + (unsigned long long)children_system;
    sum->pages += (unsigned long long)pages;
    sum->threads += (unsigned long long)threads;
    sum->processes++;
    return true;
}

static void add_pid(struct process_tree *tree, int64_t pid)
{
    if (tree->count == PROCESS_USAGE_MOST)
        return;
    tree->pids = memory_resize(tree->pids, (tree->count + 1) * sizeof *tree->pids);
    tree->pids[tree->count++] = pid;
}

// "PID PID ..." as the kernel writes it.
static void add_children_of_thread(struct process_tree *tree, int64_t pid, const char *thread)
{
    char path[128], text[4096], *end = text;
    snprintf(path, sizeof path, "/proc/%" PRId64 "/task/%.16s/children", pid, thread);
    if (!read_text(path, text, sizeof text))
        return;
    for (const char *at = text; *at != '\0'; at = end + strspn(end, " ")) {
        int64_t child = strtoll(at, &end, 10);
        if (end == at)
            return;
        if (*end == ' ') // else the list is longer than what was read, and this may be a part
            add_pid(tree, child);
    }
}

static void add_children(struct process_tree *tree, int64_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%" PRId64 "/task", pid);
    DIR *threads = opendir(path);
    const struct dirent *entry;
    while (threads != NULL && (entry = readdir(threads)) != NULL)
        if (entry->d_name[0] != '.')
            add_children_of_thread(tree, pid, entry->d_name);
    if (threads != NULL)
        closedir(threads);
}

static void add_tree(struct process_sum *sum, int64_t pid)
{
    struct process_tree tree = {0};
    add_pid(&tree, pid);
    for (size_t i = 0; i < tree.count; i++)
        if (add_process(sum, tree.pids[i]))
            add_children(&tree, tree.pids[i]);
    free(tree.pids);
}

void process_usage_fill(Mesos__V1__ResourceStatistics *statistics, int64_t pid)
{
    struct process_sum sum = {0};
    double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
    if (pid > 0)
        add_tree(&sum, pid);
    if (sum.processes == 0)
        return;
    statistics->has_cpus_user_time_secs = statistics->has_cpus_system_time_secs = true;
    statistics->cpus_user_time_secs = (double)sum.user * tick;
    statistics->cpus_system_time_secs = (double)sum.system * tick;
    statistics->has_mem_rss_bytes = statistics->has_threads = statistics->has_processes = true;
    statistics->mem_rss_bytes = sum.pages * (uint64_t)sysconf(_SC_PAGESIZE);
    statistics->threads = (uint32_t)sum.threads;
    statistics->processes = sum.processes;
}
