// SPDX-License-Identifier: Apache-2.0
//
// The jobs of a run; see the header. They lie in chunks, so that they stay where they are, and
// their ids and names in blocks.

#include "sim/jobs.h"

#include "base/memory.h"
#include "loop/loop.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 << 10 };

const char *const job_state_names[JOB_STATES] = {"waiting", "running", "finished", "failed",
                                                 "refused"};

// ---- names ----

static struct job_name *add_name(struct job_names *names, const char *text)
{
    struct job_name *name = memory_new(sizeof *name);
    names->items = memory_resize(names->items, (names->count + 1) * sizeof(struct job_name *));
    names->items[names->count++] = name;
    name->text = memory_string(text);
    string_map_put(&names->table, &name->entry, name->text, (void *)(uintptr_t)names->count);
    return name;
}

uint16_t job_names_number(struct job_names *names, const char *text)
{
    if (text == NULL)
        return JOB_NAMES_NONE;
    uintptr_t found = (uintptr_t)string_map_find(&names->table, text);
    if (found != 0)
        return (uint16_t)(found - 1);
    if (names->count < JOB_NAMES)
        add_name(names, text);
    else if (names->count == JOB_NAMES)
        add_name(names, "(others)");
    return (uint16_t)(names->count - 1);
}

const char *job_names_text(const struct job_names *names, uint16_t number)
{
    return number < names->count ? names->items[number]->text : NULL;
}

void job_names_free(struct job_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i]->text);
        free(names->items[i]);
    }
    free(names->items);
    string_map_free(&names->table);
}

// ---- jobs ----

void jobs_init(struct jobs *jobs)
{
    *jobs = (struct jobs){.first = JOBS_NONE, .last = JOBS_NONE};
}

static const char *keep_text(struct jobs *jobs, struct slice text)
{
    if (jobs->block_left < text.length + 1) {
        jobs->blocks = memory_resize(jobs->blocks, (jobs->block_count + 1) * sizeof(char *));
        jobs->block_at = jobs->blocks[jobs->block_count++] = memory_new(BLOCK);
        jobs->block_left = BLOCK;
    }
    char *kept = jobs->block_at;
    memcpy(kept, text.data, text.length);
    kept[text.length] = '\0';
    jobs->block_at += text.length + 1;
    jobs->block_left -= text.length + 1;
    return kept;
}

struct books_job *jobs_find(const struct jobs *jobs, struct slice id)
{
    uint32_t hash = (uint32_t)hash_index_hash(id), number;
    size_t at = hash;
    while (hash_index_next(&jobs->index, hash, &at, &number)) {
        struct books_job *job = jobs_get(jobs, number);
        if (strncmp(job->id, (const char *)id.data, id.length) == 0 && job->id[id.length] == '\0')
            return job;
    }
    return NULL;
}

static void list(struct jobs *jobs, struct books_job *job)
{
    job->listed = true;
    job->before = jobs->last;
    job->after = JOBS_NONE;
    if (jobs->last == JOBS_NONE)
        jobs->first = job->number;
    else
        jobs_get(jobs, jobs->last)->after = job->number;
    jobs->last = job->number;
}

struct books_job *jobs_add(struct jobs *jobs, struct slice id)
{
    size_t number = jobs->count++;
    if (number % JOBS_CHUNK == 0) {
        size_t chunks = number / JOBS_CHUNK;
        jobs->chunks = memory_resize(jobs->chunks, (chunks + 1) * sizeof(struct books_job *));
        jobs->chunks[chunks] = memory_new(JOBS_CHUNK * sizeof(struct books_job));
    }
    struct books_job *job = jobs_get(jobs, number);
    job->id = keep_text(jobs, id);
    job->number = (uint32_t)number;
    hash_index_add(&jobs->index, (uint32_t)hash_index_hash(id), job->number);
    list(jobs, job);
    return job;
}

// Most jobs have the name of the one before, or their id for one.
void jobs_set_name(struct jobs *jobs, struct books_job *job, const char *name)
{
    struct slice text = {(const uint8_t *)name, 0};
    if (name == NULL || strcmp(name, job->id) == 0) {
        job->name = name ? job->id : NULL;
        return;
    }
    text.length = strnlen(name, JOB_NAME);
    while (text.length > 0 && ((unsigned char)name[text.length] & 0xc0) == 0x80)
        text.length--; // not in the middle of a character
    if (jobs->last_name == NULL || strlen(jobs->last_name) != text.length ||
        memcmp(jobs->last_name, name, text.length) != 0)
        jobs->last_name = keep_text(jobs, text);
    job->name = jobs->last_name;
}

bool jobs_waits_still(const struct books_job *job)
{
    return !job->has_started && job->state == JOB_WAITING;
}

uint64_t jobs_run_time(const struct books_job *job)
{
    return job->ran > 0 ? job->ran : job->duration;
}

double jobs_slowdown(uint64_t wait, uint64_t run)
{
    double waited = (double)wait / (double)LOOP_SECOND, ran = (double)run / (double)LOOP_SECOND;
    return (waited + ran) / ran;
}

void jobs_unlist(struct jobs *jobs, struct books_job *job)
{
    job->listed = false;
    if (job->before == JOBS_NONE)
        jobs->first = job->after;
    else
        jobs_get(jobs, job->before)->after = job->after;
    if (job->after == JOBS_NONE)
        jobs->last = job->before;
    else
        jobs_get(jobs, job->after)->before = job->before;
}

struct books_job *jobs_first(const struct jobs *jobs)
{
    return jobs->first == JOBS_NONE ? NULL : jobs_get(jobs, jobs->first);
}

struct books_job *jobs_next(const struct jobs *jobs, const struct books_job *job)
{
    return job->after == JOBS_NONE ? NULL : jobs_get(jobs, job->after);
}

void jobs_free(struct jobs *jobs)
{
    for (size_t i = 0; i * JOBS_CHUNK < jobs->count; i++)
        free(jobs->chunks[i]);
    for (size_t i = 0; i < jobs->block_count; i++)
        free(jobs->blocks[i]);
    free(jobs->chunks);
    free(jobs->blocks);
    hash_index_clear(&jobs->index);
    job_names_free(&jobs->roles);
    job_names_free(&jobs->users);
    job_names_free(&jobs->priorities);
}
