// SPDX-License-Identifier: Apache-2.0
//
// Series of steps; see the header.

#include "sim/series.h"

#include <stddef.h>

void series_init(struct series *series, uint64_t start, uint64_t width)
{
    *series = (struct series){.start = start, .width = width, .next = start + width};
    TAILQ_INIT(&series->columns);
}

void series_add(struct series *series, struct series_column *column, uint64_t now)
{
    column->since = now;
    TAILQ_INSERT_TAIL(&series->columns, column, link);
}

void series_remove(struct series *series, struct series_column *column)
{
    TAILQ_REMOVE(&series->columns, column, link);
}

// Each two steps of all columns become one.
static void double_width(struct series *series)
{
    struct series_column *column;
    TAILQ_FOREACH(column, &series->columns, link)
    {
        for (unsigned i = 0; i < SERIES_STEPS / 2; i++)
            column->steps[i] = column->steps[2 * i] + column->steps[2 * i + 1];
        for (unsigned i = SERIES_STEPS / 2; i < SERIES_STEPS; i++)
            column->steps[i] = 0;
    }
    series->count = SERIES_STEPS / 2;
    series->width *= 2;
}

static void close_step(struct series *series, uint64_t end, uint64_t length)
{
    struct series_column *column;
    if (series->closing != NULL)
        series->closing(series->data, end, length);
    TAILQ_FOREACH(column, &series->columns, link)
    {
        series_settle(column, end);
        column->steps[series->count] = column->sum;
        column->sum = 0;
    }
    series->count++;
}

void series_close_steps(struct series *series, uint64_t now)
{
    while (now >= series->next && series->last == 0) {
        close_step(series, series->next, series->width);
        if (series->count == SERIES_STEPS)
            double_width(series);
        series->next = series->start + (series->count + 1) * series->width;
    }
}

void series_end(struct series *series, uint64_t now)
{
    series_reach(series, now);
    uint64_t begin = series->next - series->width;
    if (now > begin)
        close_step(series, now, now - begin);
    series->last = now > begin ? now - begin : series->width;
    series->next = UINT64_MAX;
}

void series_merge(struct series *series, struct series_column *to, struct series_column *from,
                  uint64_t now)
{
    series_settle(to, now);
    series_settle(from, now);
    to->value += from->value;
    to->sum += from->sum;
    for (unsigned i = 0; i < series->count; i++)
        to->steps[i] += from->steps[i];
    series_remove(series, from);
}

uint64_t series_length(const struct series *series, unsigned step)
{
    return series->last != 0 && step + 1 == series->count ? series->last : series->width;
}

wide_sum series_total(const struct series_column *column, const struct series *series)
{
    wide_sum total = 0;
    for (unsigned i = 0; i < series->count; i++)
        total += column->steps[i];
    return total;
}
