// SPDX-License-Identifier: Apache-2.0
//
// Scenarios: see fault_plan.h. Each row has a timer, and a generator of its own for its times.

#include "cluster/fault_plan.h"

#include "base/log.h"
#include "base/memory.h"
#include "cluster/faults_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- reading ----

// A row as it stands in the file.
struct given_row {
    const char *fault, *agent, *framework, *value;
    double at, every, rate, first, latest, duration;
    uint64_t times;
    bool has_at, forget;
};

#define READER(name, call)                                                                         \
    static bool read_##name(const struct plan_field *field, void *to, struct error *err)           \
    {                                                                                              \
        struct given_row *row = to;                                                                \
        return call;                                                                               \
    }

READER(fault, plan_field_text(field, &row->fault, err))
READER(agent, plan_field_text(field, &row->agent, err))
READER(framework, plan_field_text(field, &row->framework, err))
READER(value, plan_field_text(field, &row->value, err))
READER(at, row->has_at = plan_field_number(field, 0, &row->at, err))
READER(every, plan_field_number(field, 0.001, &row->every, err))
READER(rate, plan_field_number(field, 1e-9, &row->rate, err))
READER(from, plan_field_number(field, 0, &row->first, err))
READER(to, plan_field_number(field, 0.001, &row->latest, err))
READER(for, plan_field_number(field, 0.001, &row->duration, err))
READER(times, plan_field_whole(field, 1, 1000000, &row->times, err))
READER(forget, plan_field_truth(field, &row->forget, err))

static const struct plan_key row_keys[] = {
    {"fault", read_fault, NULL}, {"agent", read_agent, NULL}, {"framework", read_framework, NULL},
    {"value", read_value, NULL}, {"at", read_at, NULL},       {"every", read_every, NULL},
    {"rate", read_rate, NULL},   {"from", read_from, NULL},   {"to", read_to, NULL},
    {"for", read_for, NULL},     {"times", read_times, NULL}, {"forget", read_forget, NULL},
    {NULL, NULL, NULL},
};

static char *words_of(const struct given_row *row)
{
    const char *target = row->agent ? row->agent : row->framework;
    struct buffer words;
    buffer_init(&words, SIZE_MAX / 2);
    buffer_append_text(&words, faults_name(row->fault));
    buffer_format(&words, "%s%s", target ? " " : "", target ? target : "");
    buffer_format(&words, "%s%s", row->value ? " " : "", row->value ? row->value : "");
    if (row->duration > 0)
        buffer_format(&words, " for %.9g", row->duration);
    if (row->times > 0)
        buffer_format(&words, " times %llu", (unsigned long long)row->times);
    buffer_append_text(&words, row->forget ? " --forget" : "");
    char *text = memory_string(buffer_string(&words));
    buffer_free(&words);
    return text;
}

static bool check_row(const struct plan_field *field, const struct given_row *row,
                      struct error *err)
{
    if (row->fault == NULL)
        return plan_field_fault(field, err, "`fault` is missing, such as \"kill any for 10s\"");
    if (row->has_at + (row->every > 0) + (row->rate > 0) != 1)
        return plan_field_fault(field, err,
                                "one of `at` (seconds from the start), `every` (seconds on "
                                "average) and `rate` (a second on average) expected");
    if (row->latest > 0 && row->latest <= row->first)
        return plan_field_fault(field, err, "`to` is not after `from`");
    return true;
}

static bool read_row(const struct plan_field *field, void *to, struct error *err)
{
    struct fault_plan *plan = to;
    struct given_row given = {.fault = NULL};
    struct error reason = {0};
    if (!plan_field_object(field, row_keys, &given, err) || !check_row(field, &given, err))
        return false;
    if (plan->count == FAULT_PLAN_ROWS)
        return plan_field_fault(field, err, "more than %d faults", FAULT_PLAN_ROWS);
    char *words = words_of(&given);
    plan->rows = memory_resize(plan->rows, (plan->count + 1) * sizeof *plan->rows);
    plan->rows[plan->count++] =
        (struct fault_plan_row){.words = words,
                                .at = given.at,
                                .every = given.rate > 0 ? 1 / given.rate : given.every,
                                .first = given.first,
                                .latest = given.latest};
    return faults_check(words, &reason) || plan_field_fault(field, err, "%s", reason.text);
}

bool fault_plan_read_faults(const struct plan_field *field, struct fault_plan *plan,
                            struct error *err)
{
    return plan_field_items(field, read_row, plan, err);
}

bool fault_plan_read_seed(const struct plan_field *field, struct fault_plan *plan,
                          struct error *err)
{
    return plan_field_whole(field, 1, INT64_MAX, &plan->seed, err);
}

static bool read_faults(const struct plan_field *field, void *to, struct error *err)
{
    return fault_plan_read_faults(field, to, err);
}

static bool read_seed(const struct plan_field *field, void *to, struct error *err)
{
    return fault_plan_read_seed(field, to, err);
}

bool fault_plan_read(struct fault_plan *plan, struct slice text, struct error *err)
{
    static const struct plan_key keys[] = {
        {"faults", read_faults, NULL}, {"seed", read_seed, NULL}, {NULL, NULL, NULL}};
    json_error_t fault;
    *plan = (struct fault_plan){.count = 0};
    json_t *root = json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES, &fault);
    if (root == NULL)
        return error_set(err, ERROR_INVALID, "line %d: %s", fault.line, fault.text);
    const struct plan_field field = {.json = root};
    bool good = json_is_array(root) ? read_faults(&field, plan, err)
                                    : plan_field_object(&field, keys, plan, err);
    json_decref(root);
    if (!good)
        fault_plan_free(plan);
    return good;
}

void fault_plan_free(struct fault_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        free(plan->rows[i].words);
    free(plan->rows);
    *plan = (struct fault_plan){.count = 0};
}

// ---- carrying it out ----

struct course_row {
    struct fault_course *course;
    const struct fault_plan_row *row;
    uint64_t random;
    double next; // seconds from the start
    struct timer timer;
};

struct fault_course {
    struct loop *loop;
    struct faults *faults;
    uint64_t started; // loop_now()
    size_t count;
    struct course_row rows[];
};

// From 0, and less than 1.
static double draw(struct course_row *row)
{
    row->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = row->random;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((mixed ^ (mixed >> 31)) >> 11) / 9007199254740992.0;
}

static uint64_t next_time(const struct course_row *row)
{
    return row->course->started + loop_seconds(row->next);
}

// On a machine that is late, too, all rows happen in the order of their times.
static void await(struct course_row *row)
{
    timer_start_at(&row->timer, next_time(row));
}

// The pauses of what comes at random are distributed exponentially.
static void await_next(struct course_row *row)
{
    row->next += -log(1 - draw(row)) * row->row->every;
    if (row->row->latest == 0 || row->next < row->row->latest)
        await(row);
}

static void on_due(void *data)
{
    struct course_row *row = data;
    struct error err = {0};
    struct buffer output;
    buffer_init(&output, (size_t)1 << 20);
    log_info("fault: at %.3f s: %s", row->next, row->row->words);
    if (!faults_make_at(row->course->faults, row->row->words, next_time(row), &output, &err))
        faults_tell(row->course->faults, "not made: %s", err.text);
    buffer_free(&output);
    if (row->row->every > 0)
        await_next(row);
}

static void start_row(struct course_row *row)
{
    timer_init(&row->timer, row->course->loop, on_due, row);
    row->next = row->row->every > 0 ? row->row->first : row->row->at;
    if (row->row->every > 0)
        await_next(row);
    else
        await(row);
}

struct fault_course *fault_course_start(struct loop *loop, const struct fault_plan *plan,
                                        uint64_t seed, struct faults *faults)
{
    struct fault_course *course = memory_new(sizeof *course + plan->count * sizeof *course->rows);
    course->loop = loop;
    course->faults = faults;
    course->started = loop_now(loop);
    course->count = plan->count;
    for (size_t i = 0; i < plan->count; i++) {
        course->rows[i].course = course;
        course->rows[i].row = &plan->rows[i];
        course->rows[i].random = (seed << 16) + i;
        start_row(&course->rows[i]);
    }
    return course;
}

void fault_course_stop(struct fault_course *course)
{
    if (course == NULL)
        return;
    for (size_t i = 0; i < course->count; i++)
        timer_stop(&course->rows[i].timer);
    free(course);
}
