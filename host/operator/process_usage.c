// SPDX-License-Identifier: Apache-2.0
//
// One file of /proc; see the header.

#include "operator/process_usage.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool read_stat(int64_t pid, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, size - 1) : -1;
    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

void process_usage_fill(Mesos__V1__ResourceStatistics *statistics, int64_t pid)
{
    char text[1024];
    unsigned long long user, system;
    long long children_user, children_system, threads, pages;
    const char *behind = pid > 0 && read_stat(pid, text, sizeof text)
                             ? strrchr(text, ')') // a name may contain anything
                             : NULL;
    if (behind == NULL ||
        sscanf(behind,
               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld "
               "%lld %*d %*d %lld %*d %*u %*u %lld",
               &user, &system, &children_user, &children_system, &threads, &pages) != 6)
        return;
    double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
    statistics->has_cpus_user_time_secs = statistics->has_cpus_system_time_secs = true;
    statistics->cpus_user_time_secs = ((double)user + (double)children_user) * tick;
    statistics->cpus_system_time_secs = ((double)system + (double)children_system) * tick;
    statistics->has_mem_rss_bytes = statistics->has_threads = true;
    statistics->mem_rss_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
    statistics->threads = (uint32_t)threads;
}
