// SPDX-License-Identifier: Apache-2.0
//
// The jobs of a run as rows of a CSV file, straight from the books: a million of them need no other
// memory. The same books give the same bytes. What the columns are is in lua/guide/simulator.md.

#ifndef MESOS_LUA_SIM_JOBS_CSV_H
#define MESOS_LUA_SIM_JOBS_CSV_H

#include "sim/books.h"

// The names of the columns, with commas between them.
extern const char *const jobs_csv_columns;

// Writes a file of a row for each job that was submitted, in the order in which they were, without
// a line of names. Each begins with `key`, cells of CSV that end with a comma, or "". The books
// have ended. False, and `err`, if it cannot be written; then what is there of it is removed,
// unless it is a device.
bool jobs_csv_write(const struct books *books, const char *path, const char *key,
                    struct error *err);

#endif
