// SPDX-License-Identifier: Apache-2.0
//
// The tasks that match a filter: see tasks.h. With an agent the list of its tasks is searched,
// otherwise the lists of the states.

#include "tasks/tasks_internal.h"

#include "base/memory.h"
#include "wire/field_numbers.h"
#include "wire/wire.h"

static bool is_uncertain(const struct task *task)
{
    return task_is_active(task) && (task->killing || !task->heard);
}

static bool is_wanted(const struct task_filter *filter, int32_t state)
{
    unsigned slot = task_slot(state);
    bool wanted = (filter->states & TASK_STATE_BIT(slot)) != 0;
    if (slot != TASK_STATE_OTHER || filter->other_count == 0)
        return wanted;
    for (size_t i = 0; i < filter->other_count; i++)
        if (filter->others[i] == state)
            return wanted;
    return false;
}

bool tasks_match(const struct tasks *tasks, const struct task *task,
                 const struct task_filter *filter)
{
    return is_wanted(filter, task->state) && (!filter->uncertain || is_uncertain(task)) &&
           (filter->agent_id.data == NULL ||
            slice_equal(task_agent_id(tasks, task), filter->agent_id));
}

// ---- visiting ----

typedef void (*visitor)(void *data, const struct tasks *tasks, uint32_t place);

static void visit_list(const struct tasks *tasks, const struct task_chain *list, int kind,
                       const struct task_filter *filter, visitor each, void *data)
{
    for (uint32_t place = list->first; place != NONE;
         place = tasks_record(tasks, place)->links[kind].next)
        if (tasks_match(tasks, tasks_record(tasks, place), filter))
            each(data, tasks, place);
}

static void visit(const struct tasks *tasks, const struct task_filter *filter, visitor each,
                  void *data)
{
    if (filter->agent_id.data != NULL) {
        uint32_t agent = tasks_agent(tasks, filter->agent_id);
        if (agent != NONE)
            visit_list(tasks, &tasks->agents[agent].tasks, BY_AGENT, filter, each, data);
        return;
    }
    for (unsigned slot = 0; slot < TASK_SLOTS; slot++)
        if (filter->states & TASK_STATE_BIT(slot))
            visit_list(tasks, &tasks->active[slot], BY_STATE, filter, each, data);
    if (filter->states & task_states_ended)
        visit_list(tasks, &tasks->ended, BY_STATE, filter, each, data);
}

static void count_one(void *data, const struct tasks *tasks, uint32_t place)
{
    size_t *count = data;
    (void)tasks, (void)place;
    ++*count;
}

static bool names_others(const struct task_filter *filter)
{
    return (filter->states & TASK_STATE_BIT(TASK_STATE_OTHER)) != 0 && filter->other_count > 0;
}

size_t tasks_count(const struct tasks *tasks, const struct task_filter *filter)
{
    size_t count = 0;
    if (filter->agent_id.data != NULL || filter->uncertain || names_others(filter)) {
        visit(tasks, filter, count_one, &count);
        return count;
    }
    for (unsigned slot = 0; slot < TASK_SLOTS; slot++)
        if (filter->states & TASK_STATE_BIT(slot))
            count += tasks->counts[slot];
    return count;
}

struct selection {
    struct task_handle *handles;
    size_t count;
};

static void select_one(void *data, const struct tasks *tasks, uint32_t place)
{
    struct selection *selection = data;
    selection->handles[selection->count++] =
        (struct task_handle){.place = place, .generation = tasks_record(tasks, place)->generation};
}

struct task_handle *tasks_select(const struct tasks *tasks, const struct task_filter *filter,
                                 size_t *count)
{
    struct selection selection = {.handles = NULL};
    size_t most = tasks_count(tasks, filter);
    if (most > 0) {
        selection.handles = memory_resize(NULL, most * sizeof *selection.handles);
        visit(tasks, filter, select_one, &selection);
    }
    *count = selection.count;
    return selection.handles;
}

const struct task *tasks_at(const struct tasks *tasks, struct task_handle handle)
{
    if (handle.place >= tasks->places)
        return NULL;
    const struct task *task = tasks_record(tasks, handle.place);
    return task->used && task->generation == handle.generation ? task : NULL;
}

struct naming {
    struct buffer *call;
    size_t count;
};

static void put_id(struct buffer *call, uint32_t number, struct slice id)
{
    if (id.length > 0)
        wire_put_id(call, number, id);
}

static void name_one(void *data, const struct tasks *tasks, uint32_t place)
{
    struct naming *naming = data;
    const struct task *task = tasks_record(tasks, place);
    enum { AROUND = 32 };
    size_t length = task_id(task).length + task_agent_id(tasks, task).length + AROUND;
    if (buffer_reserve(naming->call, length) == NULL)
        return;
    size_t mark = wire_begin(naming->call, FIELD_SCHEDULER_CALL_RECONCILE_TASKS);
    put_id(naming->call, FIELD_SCHEDULER_CALL_RECONCILE_TASK_TASK_ID, task_id(task));
    put_id(naming->call, FIELD_SCHEDULER_CALL_RECONCILE_TASK_AGENT_ID, task_agent_id(tasks, task));
    wire_end(naming->call, mark);
    naming->count++;
}

size_t tasks_reconcile(const struct tasks *tasks, const struct task_filter *filter,
                       struct buffer *call)
{
    struct naming naming = {.call = call};
    visit(tasks, filter, name_one, &naming);
    return naming.count;
}
