// SPDX-License-Identifier: Apache-2.0
//
// The faults that last, each until its time is over or it is undone on command; their list is in
// struct faults.

#include "cluster/faults_internal.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

// One that ends by itself or on command.
struct lasting_fault {
    TAILQ_ENTRY(lasting_fault) link;
    struct faults *faults;
    const struct fault_kind *kind;
    char *id;         // of its agent or framework; "": of none
    struct timer end; // not started: it lasts for good
};

static void free_lasting(struct lasting_fault *lasting)
{
    struct faults *faults = lasting->faults;
    timer_stop(&lasting->end);
    TAILQ_REMOVE(&faults->lasting, lasting, link);
    faults->lasting_count--;
    free(lasting->id);
    free(lasting);
}

void lasting_faults_forget(struct faults *faults, const char *id)
{
    for (struct lasting_fault *lasting = TAILQ_FIRST(&faults->lasting), *next; lasting != NULL;
         lasting = next) {
        next = TAILQ_NEXT(lasting, link);
        if (strcmp(lasting->id, id) == 0)
            free_lasting(lasting);
    }
}

static struct node *find_node(struct master *master, char *id)
{
    Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
    agent_id.value = id;
    return master_records_any_node(master, &agent_id);
}

// Its agent or framework may be gone by now.
static void on_end(void *data)
{
    struct lasting_fault *lasting = data;
    struct faults *faults = lasting->faults;
    struct master *master = faults->cluster.master;
    const struct fault_kind *kind = lasting->kind;
    struct fault_object object = {.id = lasting->id};
    if (kind->target == FAULT_OF_AGENT)
        object.node = find_node(master, lasting->id);
    else if (kind->target == FAULT_OF_FRAMEWORK)
        object.framework = master_records_framework(master, lasting->id);
    faults_tell(faults, "%s%s%s has ended", kind->name, *lasting->id ? " " : "", lasting->id);
    if (kind->target == FAULT_OF_CLUSTER || object.node != NULL || object.framework != NULL)
        kind->end(faults, &object);
    free_lasting(lasting);
}

// A new one of the same object and kind takes the place of the old one.
void lasting_faults_add(struct faults *faults, const struct fault_request *fault, const char *id)
{
    struct lasting_fault *lasting, *next;
    for (lasting = TAILQ_FIRST(&faults->lasting); lasting != NULL; lasting = next) {
        next = TAILQ_NEXT(lasting, link);
        if (lasting->kind->end == fault->kind->end && strcmp(lasting->id, id) == 0)
            free_lasting(lasting);
    }
    lasting = memory_new(sizeof *lasting);
    lasting->faults = faults;
    lasting->kind = fault->kind;
    lasting->id = memory_string(id);
    timer_init(&lasting->end, faults->cluster.loop, on_end, lasting);
    if (fault->duration > 0)
        timer_start_at(&lasting->end, fault->at + loop_seconds(fault->duration));
    TAILQ_INSERT_TAIL(&faults->lasting, lasting, link);
    faults->lasting_count++;
}

void faults_list(const struct faults *faults, struct buffer *output)
{
    const struct lasting_fault *lasting;
    uint64_t now = loop_now(faults->cluster.loop);
    TAILQ_FOREACH(lasting, &faults->lasting, link)
    {
        buffer_format(output, "%s%s%s", lasting->kind->name, *lasting->id ? " " : "", lasting->id);
        if (timer_active(&lasting->end) && lasting->end.due > now)
            buffer_format(output, ", for %.1f s more",
                          (double)(lasting->end.due - now) / (double)LOOP_SECOND);
        buffer_append_text(output, "\n");
    }
}

void lasting_faults_clear(struct faults *faults)
{
    while (!TAILQ_EMPTY(&faults->lasting))
        free_lasting(TAILQ_FIRST(&faults->lasting));
}
