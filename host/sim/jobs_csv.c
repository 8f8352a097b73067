// SPDX-License-Identifier: Apache-2.0
//
// The jobs of a run as rows of a CSV file; see the header. Numbers are written from the integers of
// the books, digit by digit, so that nothing is rounded; a slowdown, which is a ratio, has the
// fewest digits that give it back. A cell without a value is empty.

#include "sim/jobs_csv.h"

#include "base/utf8.h"
#include "sim/books_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 << 10, ROW_MOST = 64 << 20 };

const char *const jobs_csv_columns =
    "id,role,user,name,priority,tasks,cpus,mem,disk,gpus,at,duration,first_launch,first_running,"
    "end,wait,run,slowdown,state,launched,finished,failed,refused";

// ---- cells ----

static bool needs_quotes(const char *text, size_t length)
{
    return strpbrk(text, "\",\r\n") != NULL || strchr(" \t\v\f", text[0]) != NULL ||
           strchr(" \t\v\f", text[length - 1]) != NULL;
}

// Bytes that are not ASCII become "?" where the text is not UTF-8, as in the other files.
static void append_quoted(struct buffer *out, const char *text, bool quotes, bool utf8)
{
    if (quotes)
        buffer_append_text(out, "\"");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"')
            buffer_append_text(out, "\"");
        buffer_append(out, utf8 || (unsigned char)*at < 0x80 ? at : "?", 1);
    }
    if (quotes)
        buffer_append_text(out, "\"");
}

// Each of these ends its cell with a comma.

static void put_text(struct buffer *out, const char *text) // NULL: none
{
    size_t length = text ? strlen(text) : 0;
    if (length > 0) {
        bool quotes = needs_quotes(text, length), utf8 = utf8_valid(text, length);
        if (quotes || !utf8)
            append_quoted(out, text, quotes, utf8);
        else
            buffer_append(out, text, length);
    }
    buffer_append_text(out, ",");
}

// With at least so many digits. printf() would take most of the time of a large file.
static void append_digits(struct buffer *out, uint64_t number, int least)
{
    char digits[24];
    size_t at = sizeof digits;
    for (; number > 0 || least > 0; number /= 10, least--)
        digits[--at] = (char)('0' + number % 10);
    buffer_append(out, digits + at, sizeof digits - at);
}

static void put_count(struct buffer *out, uint64_t count)
{
    append_digits(out, count, 1);
    buffer_append_text(out, ",");
}

static void put_nothing(struct buffer *out)
{
    buffer_append_text(out, ",");
}

// amount / 10^places, without zeros at its end.
static void put_decimal(struct buffer *out, uint64_t amount, int places)
{
    uint64_t one = 1;
    for (int i = 0; i < places; i++)
        one *= 10;
    uint64_t whole = amount / one, rest = amount % one;
    while (rest != 0 && rest % 10 == 0) {
        rest /= 10;
        places--;
    }
    append_digits(out, whole, 1);
    if (rest != 0) {
        buffer_append_text(out, ".");
        append_digits(out, rest, places);
    }
    buffer_append_text(out, ",");
}

static void put_amount(struct buffer *out, int64_t thousandths)
{
    put_decimal(out, thousandths > 0 ? (uint64_t)thousandths : 0, 3);
}

static void put_seconds(struct buffer *out, uint64_t nanoseconds, bool there)
{
    if (there)
        put_decimal(out, nanoseconds, 9);
    else
        put_nothing(out);
}

static void put_ratio(struct buffer *out, double ratio)
{
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, ratio);
        if (strtod(text, NULL) == ratio)
            break;
    }
    buffer_append_text(out, text);
    put_nothing(out);
}

// ---- a row ----

static void put_names(const struct jobs *jobs, const struct books_job *job, struct buffer *out)
{
    put_text(out, job->id);
    put_text(out, job_names_text(&jobs->roles, job->role));
    put_text(out, job_names_text(&jobs->users, job->user));
    put_text(out, job->name);
    put_text(out, job_names_text(&jobs->priorities, job->priority));
}

static void put_needs(const struct books_job *job, struct buffer *out)
{
    put_count(out, job->tasks);
    for (int i = 0; i < SCALARS; i++)
        put_amount(out, job->need[i]);
}

static void put_times(const struct books *books, const struct books_job *job, struct buffer *out)
{
    bool has_ended = job->state == JOB_FINISHED || job->state == JOB_FAILED;
    put_seconds(out, job->at - books->start, true);
    put_seconds(out, job->duration, job->duration > 0);
    put_seconds(out, job->launch - books->start, job->launched > 0);
    put_seconds(out, job->started - books->start, job->has_started);
    put_seconds(out, job->ended - books->start, has_ended);
}

static void put_measures(const struct books *books, const struct books_job *job, struct buffer *out)
{
    uint64_t wait = wait_reasons_waited(job, books->stop), run = jobs_run_time(job);
    put_seconds(out, wait, job->has_started || jobs_waits_still(job));
    put_seconds(out, job->ran, job->finished > 0);
    if (job->has_started && run > 0)
        put_ratio(out, jobs_slowdown(wait, run));
    else
        put_nothing(out);
}

static void put_row(const struct books *books, const struct books_job *job, const char *key,
                    struct buffer *out)
{
    buffer_append_text(out, key);
    put_names(&books->jobs, job, out);
    put_needs(job, out);
    put_times(books, job, out);
    put_measures(books, job, out);
    put_text(out, job_state_names[job->state]);
    put_count(out, job->launched);
    put_count(out, job->finished);
    put_count(out, job->failed);
    buffer_append_text(out, job->refused ? "true\n" : "false\n");
}

// ---- the file ----

static bool flush(struct buffer *out, FILE *file)
{
    bool good = fwrite(out->data, 1, out->length, file) == out->length;
    buffer_clear(out);
    return good;
}

static bool put_rows(const struct books *books, const char *key, struct buffer *out, FILE *file)
{
    for (size_t i = 0; i < books->jobs.count; i++) {
        put_row(books, jobs_get(&books->jobs, i), key, out);
        if (out->length >= PIECE && !flush(out, file))
            return false;
    }
    return flush(out, file) && fflush(file) == 0;
}

bool jobs_csv_write(const struct books *books, const char *path, const char *key, struct error *err)
{
    struct buffer out;
    struct stat status;
    FILE *file = fopen(path, "wbe");
    if (file == NULL)
        return error_set(err, ERROR_IO, "cannot write '%s': %s", path, strerror(errno));
    buffer_init(&out, ROW_MOST);
    buffer_reserve(&out, PIECE);
    bool regular = fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
    bool good = put_rows(books, key, &out, file);
    int code = errno;
    buffer_free(&out);
    if (fclose(file) != 0 && good) {
        good = false;
        code = errno;
    }
    if (good)
        return true;
    if (regular) // and not a device
        unlink(path);
    return error_set(err, ERROR_IO, "cannot write '%s': %s", path, strerror(code));
}
