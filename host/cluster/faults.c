// SPDX-License-Identifier: Apache-2.0
//
// Faults on command: see faults.h. A fault is read into a struct, its target is looked up among the
// agents or frameworks that there are, and its kind is called for each of them.

#include "cluster/faults_internal.h"

#include "base/duration.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/suggest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMES_MOST 1000000
#define WORDS_MOST 4096

// ---- names ----

// Those of scenarios.
static const struct {
    const char *given, *name;
} other_names[] = {
    {"agent lost", "kill"},
    {"agent back", "heal"},
    {"master failover", "failover"},
    {"slow agent", "slow"},
    {"update delayed", "delay-updates"},
    {"update doubled", "double-updates"},
    {"offers rescinded", "rescind"},
    {"executor lost", "lose-executor"},
};

const char *faults_name(const char *name)
{
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++)
        if (strcmp(other_names[i].given, name) == 0)
            return other_names[i].name;
    return name;
}

static const char *kind_name(const void *data, size_t index)
{
    (void)data;
    return fault_kinds[index].name;
}

static const struct fault_kind *find_kind(const char *name, struct error *err)
{
    for (const struct fault_kind *kind = fault_kinds; kind->name != NULL; kind++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    const char *near = suggest(name, kind_name, NULL);
    error_set(err, ERROR_INVALID, "unknown fault '%s' (%s%s%s)", name,
              near ? "did you mean '" : "`fault help` lists them", near ? near : "",
              near ? "'?" : "");
    return NULL;
}

void faults_usage(struct buffer *output)
{
    for (const struct fault_kind *kind = fault_kinds; kind->name != NULL; kind++) {
        char *line = memory_format("%s %s", kind->name, kind->usage);
        buffer_format(output, "  %-32s%s\n", line, kind->help);
        free(line);
    }
    buffer_append_text(
        output, "  list                            the faults that last\n"
                "AGENT and FRAMEWORK are an id, its end behind a '-' (S0, 0001), the name of a\n"
                "framework, any (one at random) or all. T is a time: 10, 500ms, 2m.\n");
}

// ---- reading ----

// Cuts the next word off the text; NULL at its end.
static char *next_word(char **text)
{
    *text += strspn(*text, " \t\n");
    char *word = *text;
    *text += strcspn(*text, " \t\n");
    if (**text != '\0')
        *(*text)++ = '\0';
    return *word ? word : NULL;
}

static bool expect(const struct fault_kind *kind, const char *what, const char *got,
                   struct error *err)
{
    return error_set(err, ERROR_INVALID, "%s: %s expected, got %s%s%s: %s %s", kind->name, what,
                     got ? "'" : "", got ? got : "nothing", got ? "'" : "", kind->name,
                     kind->usage);
}

static bool read_time(const struct fault_kind *kind, const char *word, double *seconds,
                      struct error *err)
{
    return (word != NULL && duration_parse(word, seconds)) ||
           expect(kind, "a time, such as 10 or 500ms,", word, err);
}

static bool read_number(const char *word, long least, long most, long *number)
{
    char *end;
    *number = word ? strtol(word, &end, 10) : 0;
    return word != NULL && *end == '\0' && *number >= least && *number <= most;
}

static bool read_value(struct fault_request *fault, char **text, struct error *err)
{
    long status;
    const char *word;
    switch (fault->kind->value) {
    case FAULT_NO_VALUE:
        return true;
    case FAULT_TIME:
        return read_time(fault->kind, next_word(text), &fault->value, err);
    case FAULT_STATUS:
        word = next_word(text);
        if (!read_number(word, 400, 599, &status))
            return expect(fault->kind, "a status from 400 to 599", word, err);
        fault->value = (double)status;
        return true;
    case FAULT_TEXT:
        *text += strspn(*text, " ");
        fault->text = **text ? memory_string(*text) : NULL;
        *text += strlen(*text);
        return true;
    }
    return true;
}

static bool read_option(struct fault_request *fault, const char *word, char **text,
                        struct error *err)
{
    const struct fault_kind *kind = fault->kind;
    long times;
    if (strcmp(word, "for") == 0 && (kind->allowed & FAULT_FOR))
        return read_time(kind, next_word(text), &fault->duration, err);
    if (strcmp(word, "grace") == 0 && (kind->allowed & FAULT_GRACE))
        return read_time(kind, next_word(text), &fault->grace, err);
    if (strcmp(word, "--forget") == 0 && (kind->allowed & FAULT_FORGET))
        return fault->forget = true;
    if (strcmp(word, "times") != 0 || !(kind->allowed & FAULT_TIMES))
        return expect(kind, "nothing more", word, err);
    word = next_word(text);
    if (!read_number(word, 1, TIMES_MOST, &times))
        return expect(kind, "a number of times", word, err);
    fault->times = (unsigned)times;
    return true;
}

static bool read_words(struct fault_request *fault, char *text, struct error *err)
{
    const char *word = next_word(&text);
    fault->kind = find_kind(word ? word : "", err);
    if (fault->kind == NULL)
        return false;
    fault->duration = fault->kind->usual;
    if (fault->kind->target != FAULT_OF_CLUSTER) {
        word = next_word(&text);
        if (word == NULL)
            return expect(fault->kind,
                          fault->kind->target == FAULT_OF_AGENT ? "an agent" : "a framework", NULL,
                          err);
        fault->target = memory_string(word);
    }
    if (!read_value(fault, &text, err))
        return false;
    while ((word = next_word(&text)) != NULL)
        if (!read_option(fault, word, &text, err))
            return false;
    return true;
}

static void free_fault(struct fault_request *fault)
{
    free(fault->target);
    free(fault->text);
}

// On failure the fault is empty.
static bool read_fault(struct fault_request *fault, const char *words, struct error *err)
{
    *fault = (struct fault_request){.times = 1, .grace = -1};
    if (strlen(words) > WORDS_MOST)
        return error_set(err, ERROR_LIMIT, "a fault of more than %d characters", WORDS_MOST);
    char *copy = memory_string(words);
    bool good = read_words(fault, copy, err);
    if (!good)
        free_fault(fault);
    free(copy);
    return good;
}

bool faults_check(const char *words, struct error *err)
{
    struct fault_request fault;
    if (!read_fault(&fault, words, err))
        return false;
    free_fault(&fault);
    return true;
}

// ---- targets ----

static bool is_named(const char *id, const char *name)
{
    size_t length = strlen(id), end = strlen(name);
    return strcmp(id, name) == 0 ||
           (length > end && id[length - end - 1] == '-' && strcmp(id + length - end, name) == 0);
}

static uint64_t draw(struct faults *faults)
{
    uint64_t state = faults->random;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    faults->random = state;
    return state * UINT64_C(2685821657736338717);
}

// What a target stands for: all, one at random, or all of that name, of which there should be one.
struct targets {
    struct fault_object *items;
    size_t count;
};

static void add_target(struct targets *targets, const struct fault_object *object)
{
    targets->items = memory_resize(targets->items, (targets->count + 1) * sizeof *targets->items);
    targets->items[targets->count++] = *object;
}

static bool is_group(const char *target)
{
    return strcmp(target, "all") == 0 || strcmp(target, "any") == 0;
}

// One that is gone for good is named only to be told so.
static bool is_meant(const struct node *node, const struct fault_request *fault)
{
    bool lost = node->messages != NODE_LINK_UP;
    if (!is_group(fault->target))
        return is_named(node->id, fault->target);
    return node->state < NODE_GONE && lost == ((fault->kind->allowed & FAULT_OF_LOST) != 0);
}

static void find_agents(const struct master *master, const struct fault_request *fault,
                        struct targets *found)
{
    struct node *node;
    TAILQ_FOREACH(node, &master->nodes, link)
    if (is_meant(node, fault))
        add_target(found, &(struct fault_object){.node = node, .id = node->id});
    TAILQ_FOREACH(node, &master->lost, link)
    if (is_meant(node, fault))
        add_target(found, &(struct fault_object){.node = node, .id = node->id});
}

static void find_frameworks(const struct master *master, const char *target, struct targets *found)
{
    struct master_framework *framework;
    TAILQ_FOREACH(framework, &master->frameworks, link)
    if ((is_group(target) && framework->connected) || is_named(framework->id, target) ||
        strcmp(framework->info->name, target) == 0)
        add_target(found, &(struct fault_object){.framework = framework, .id = framework->id});
}

static bool find_targets(struct faults *faults, const struct fault_request *fault,
                         struct targets *found, struct error *err)
{
    bool agents = fault->kind->target == FAULT_OF_AGENT;
    if (fault->kind->target == FAULT_OF_CLUSTER)
        add_target(found, &(struct fault_object){.id = ""});
    else if (agents)
        find_agents(faults->cluster.master, fault, found);
    else
        find_frameworks(faults->cluster.master, fault->target, found);
    if (found->count == 0)
        return error_set(err, ERROR_REFUSED, "%s: there is no %s '%s' (`status` lists them)",
                         fault->kind->name, agents ? "agent" : "framework", fault->target);
    if (found->count > 1 && fault->target != NULL && !is_group(fault->target))
        return error_set(err, ERROR_INVALID, "%s: '%s' is the name of %zu: give the whole id",
                         fault->kind->name, fault->target, found->count);
    if (fault->target != NULL && strcmp(fault->target, "any") == 0) {
        found->items[0] = found->items[draw(faults) % found->count];
        found->count = 1;
    }
    return true;
}

// ---- making ----

void faults_tell(struct faults *faults, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_info("fault: %s", text);
    if (faults->cluster.told != NULL)
        faults->cluster.told(faults->cluster.data, text);
}

static bool make(struct faults *faults, const struct fault_request *fault,
                 const struct fault_object *object, struct buffer *output, struct error *err)
{
    const struct fault_kind *kind = fault->kind;
    char *id = memory_string(object->id); // the object may end with it
    const char *space = *id ? " " : "";
    faults_tell(faults, "%s%s%s; frameworks hear: %s", kind->name, space, id, kind->told);
    bool good = kind->start(faults, fault, object, err);
    if (good && kind->end != NULL)
        lasting_faults_add(faults, fault, id);
    if (good)
        buffer_format(output, "%s%s%s\n", kind->name, space, id);
    free(id);
    return good;
}

static bool make_all(struct faults *faults, const struct fault_request *fault,
                     struct buffer *output, struct error *err)
{
    struct targets found = {0};
    bool good = find_targets(faults, fault, &found, err);
    if (good && fault->kind->end != NULL && faults->lasting_count + found.count > FAULTS_LASTING)
        good = error_set(err, ERROR_LIMIT, "%d faults last already", FAULTS_LASTING);
    for (size_t i = 0; i < found.count && good; i++)
        good = make(faults, fault, &found.items[i], output, err);
    free(found.items);
    return good;
}

bool faults_make_at(struct faults *faults, const char *words, uint64_t at, struct buffer *output,
                    struct error *err)
{
    struct fault_request fault;
    if (!read_fault(&fault, words, err))
        return false;
    fault.at = at;
    bool good = make_all(faults, &fault, output, err);
    free_fault(&fault);
    return good;
}

bool faults_make(struct faults *faults, const char *words, struct buffer *output, struct error *err)
{
    return faults_make_at(faults, words, loop_now(faults->cluster.loop), output, err);
}

// ---- life ----

struct faults *faults_create(const struct faults_cluster *cluster, uint64_t seed)
{
    struct faults *faults = memory_new(sizeof *faults);
    faults->cluster = *cluster;
    faults->random = seed * UINT64_C(2685821657736338717) + 1;
    TAILQ_INIT(&faults->lasting);
    return faults;
}

void faults_destroy(struct faults *faults)
{
    if (faults == NULL)
        return;
    lasting_faults_clear(faults);
    free(faults);
}
