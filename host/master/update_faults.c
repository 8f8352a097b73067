// SPDX-License-Identifier: Apache-2.0
//
// Late, doubled and dropped updates: see update_faults.h.

#include "master/update_faults.h"

#include "base/log.h"
#include "base/memory.h"
#include "master/master_internal.h"

#include <stdlib.h>

struct late_update {
    STAILQ_ENTRY(late_update) link;
    char *framework_id;
    struct status_update *update;
    uint64_t due; // loop_now()
};

static void drop_first(struct update_faults *faults)
{
    struct late_update *late = STAILQ_FIRST(&faults->late);
    STAILQ_REMOVE_HEAD(&faults->late, link);
    faults->late_count--;
    status_update_unref(late->update);
    free(late->framework_id);
    free(late);
}

static void on_due(void *data)
{
    struct master *master = data;
    struct update_faults *faults = &master->update_faults;
    uint64_t now = loop_now(master->loop);
    struct late_update *late;
    while ((late = STAILQ_FIRST(&faults->late)) != NULL && late->due <= now) {
        struct master_framework *framework = master_records_framework(master, late->framework_id);
        if (framework != NULL)
            master_events_send_update(framework, late->update);
        drop_first(faults);
    }
    if (late != NULL)
        timer_start(&faults->timer, late->due - now);
}

static void send_late(const struct master_framework *framework, struct status_update *update)
{
    struct update_faults *faults = &framework->master->update_faults;
    struct late_update *late = memory_new(sizeof *late);
    late->framework_id = memory_string(framework->id);
    late->update = status_update_ref(update);
    late->due = loop_now(framework->master->loop) + faults->delay;
    STAILQ_INSERT_TAIL(&faults->late, late, link);
    faults->late_count++;
    if (!timer_active(&faults->timer))
        timer_start(&faults->timer, faults->delay);
}

static bool count_down(unsigned *left)
{
    bool any = *left > 0;
    *left -= any;
    return any;
}

void update_faults_send(const struct master_task *task, struct status_update *update)
{
    struct update_faults *faults = &task->framework->master->update_faults;
    if (count_down(&faults->dropped)) {
        log_info("fault: an update of task %s is dropped: its agent sends it again", task->id);
        return;
    }
    bool late = faults->delay > 0 && faults->late_count < UPDATE_FAULTS_LATE;
    int times = count_down(&faults->doubled) ? 2 : 1;
    if (times == 2)
        log_info("fault: an update of task %s is sent twice, with one uuid", task->id);
    if (late)
        log_debug("fault: an update of task %s is late", task->id);
    for (int i = 0; i < times; i++) {
        if (late)
            send_late(task->framework, update);
        else
            master_events_send_update(task->framework, update);
    }
}

void update_faults_delay(struct master *master, uint64_t delay)
{
    master->update_faults.delay = delay;
}

void update_faults_double(struct master *master, unsigned updates)
{
    master->update_faults.doubled = updates;
}

void update_faults_drop(struct master *master, unsigned updates)
{
    master->update_faults.dropped = updates;
}

void update_faults_init(struct master *master)
{
    STAILQ_INIT(&master->update_faults.late);
    timer_init(&master->update_faults.timer, master->loop, on_due, master);
}

void update_faults_stop(struct master *master)
{
    struct update_faults *faults = &master->update_faults;
    timer_stop(&faults->timer);
    while (!STAILQ_EMPTY(&faults->late))
        drop_first(faults);
}
