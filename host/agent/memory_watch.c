// SPDX-License-Identifier: Apache-2.0
//
// The memory of sessions: see memory_watch.h. A pass goes once over /proc, some processes in a turn
// of the loop, and adds up what the processes of each session have. At its start the sessions are
// put into slots, sorted for the search; one that is removed meanwhile leaves its slot empty.
//
// What each process has is quickly read, but counts pages twice that two processes share after a
// fork. A session that seems to have too much is looked at again at once, with its pages shared
// out, which takes the kernel longer.

#include "agent/memory_watch.h"

#include "base/memory.h"
#include "base/stopwatch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL LOOP_SECOND

enum {
    SHARE_MOST = 50, // a pass takes one part in so many of the time
};

static const double slice = 0.002; // seconds of a turn, which may be longer by one process

static const size_t no_slot = SIZE_MAX;

struct memory_slot {
    pid_t session;
    uint64_t used;
    bool exact;
    struct memory_watched *watched; // NULL: it was removed
};

struct memory_watch {
    struct loop *loop;
    memory_watch_on_exceeded on_exceeded;
    LIST_HEAD(, memory_watched) all;
    size_t count;
    struct timer timer; // to the next pass
    struct deferral turn;
    DIR *processes; // NULL: no pass runs
    struct memory_slot *slots;
    size_t slot_count;
    double spent; // seconds, on this pass
};

// ---- one process ----

static bool read_text(int processes, const char *pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "%.16s/%s", pid, name);
    int file = openat(processes, path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, size - 1) : -1;
    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

// 0: it is gone.
static pid_t session_of(int processes, const char *pid)
{
    char text[512];
    int session = 0;
    const char *name_end = read_text(processes, pid, "stat", text, sizeof text)
                               ? strrchr(text, ')') // a name may contain anything
                               : NULL;
    return name_end != NULL && sscanf(name_end, ") %*c %*d %*d %d", &session) == 1 ? session : 0;
}

static uint64_t quick_memory_of(int processes, const char *pid)
{
    char text[128];
    unsigned long long resident = 0, shared = 0;
    if (!read_text(processes, pid, "statm", text, sizeof text) ||
        sscanf(text, "%*u %llu %llu", &resident, &shared) != 2 || resident < shared)
        return 0;
    return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t exact_memory_of(int processes, const char *pid)
{
    char text[4096];
    unsigned long long kilobytes;
    const char *line = read_text(processes, pid, "smaps_rollup", text, sizeof text)
                           ? strstr(text, "\nPss_Anon:")
                           : NULL;
    return line != NULL && sscanf(line, " Pss_Anon: %llu", &kilobytes) == 1
               ? kilobytes * 1024
               : quick_memory_of(processes, pid);
}

// ---- a pass ----

static int compare_sessions(const void *a, const void *b)
{
    pid_t first = ((const struct memory_slot *)a)->session,
          second = ((const struct memory_slot *)b)->session;
    return (first > second) - (first < second);
}

static void fill_slots(struct memory_watch *watch)
{
    struct memory_watched *watched;
    size_t count = 0;
    watch->slots = memory_resize(watch->slots, watch->count * sizeof *watch->slots);
    LIST_FOREACH(watched, &watch->all, link)
    watch->slots[count++] = (struct memory_slot){
        .session = watched->session, .exact = watched->suspected, .watched = watched};
    qsort(watch->slots, count, sizeof *watch->slots, compare_sessions);
    for (size_t i = 0; i < count; i++)
        watch->slots[i].watched->slot = i;
    watch->slot_count = count;
}

static void count_process(struct memory_watch *watch, const char *pid)
{
    int processes = dirfd(watch->processes);
    const struct memory_slot key = {.session = session_of(processes, pid)};
    struct memory_slot *slot =
        bsearch(&key, watch->slots, watch->slot_count, sizeof key, compare_sessions);
    if (slot != NULL)
        slot->used += (slot->exact ? exact_memory_of : quick_memory_of)(processes, pid);
}

// True if the session is to be looked at again at once. The callback may remove it.
static bool judge(struct memory_watch *watch, const struct memory_slot *slot)
{
    struct memory_watched *watched = slot->watched;
    bool exceeded = slot->used > watched->limit;
    watched->slot = no_slot;
    watched->suspected = exceeded;
    if (exceeded && slot->exact)
        watch->on_exceeded(watched, slot->used);
    return exceeded && !slot->exact;
}

static void end_pass(struct memory_watch *watch)
{
    uint64_t pause = loop_seconds(watch->spent * SHARE_MOST);
    bool again = false;
    closedir(watch->processes);
    watch->processes = NULL;
    for (size_t i = 0; i < watch->slot_count; i++)
        if (watch->slots[i].watched != NULL)
            again = judge(watch, &watch->slots[i]) || again;
    watch->slot_count = 0;
    if (watch->count > 0)
        timer_start(&watch->timer, again ? 0 : pause > INTERVAL ? pause : INTERVAL);
}

static void on_turn(void *data)
{
    struct memory_watch *watch = data;
    double start = stopwatch_seconds();
    struct dirent *entry = NULL;
    while (stopwatch_seconds() - start < slice && (entry = readdir(watch->processes)) != NULL)
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
            count_process(watch, entry->d_name);
    watch->spent += stopwatch_seconds() - start;
    if (entry != NULL)
        deferral_queue(&watch->turn);
    else
        end_pass(watch);
}

static void on_timer(void *data)
{
    struct memory_watch *watch = data;
    if (watch->count == 0)
        return;
    watch->processes = opendir("/proc");
    if (watch->processes == NULL) { // no descriptor is free
        timer_start(&watch->timer, INTERVAL);
        return;
    }
    watch->spent = 0;
    fill_slots(watch);
    deferral_queue(&watch->turn);
}

// ---- what is watched ----

void memory_watch_add(struct memory_watch *watch, struct memory_watched *watched, pid_t session,
                      uint64_t limit)
{
    *watched = (struct memory_watched){.session = session, .limit = limit, .slot = no_slot};
    LIST_INSERT_HEAD(&watch->all, watched, link);
    watch->count++;
    if (watch->processes == NULL && !timer_active(&watch->timer))
        timer_start(&watch->timer, INTERVAL);
}

void memory_watch_remove(struct memory_watch *watch, struct memory_watched *watched)
{
    if (watched->session == 0)
        return;
    if (watched->slot != no_slot)
        watch->slots[watched->slot].watched = NULL;
    LIST_REMOVE(watched, link);
    watched->session = 0;
    watch->count--;
}

// ---- life ----

struct memory_watch *memory_watch_create(struct loop *loop, memory_watch_on_exceeded on_exceeded)
{
    struct memory_watch *watch = memory_new(sizeof *watch);
    watch->loop = loop;
    watch->on_exceeded = on_exceeded;
    LIST_INIT(&watch->all);
    timer_init(&watch->timer, loop, on_timer, watch);
    deferral_init(&watch->turn, loop, on_turn, watch);
    return watch;
}

void memory_watch_destroy(struct memory_watch *watch)
{
    timer_stop(&watch->timer);
    deferral_cancel(&watch->turn);
    if (watch->processes != NULL)
        closedir(watch->processes);
    free(watch->slots);
    free(watch);
}
