// SPDX-License-Identifier: Apache-2.0
//
// The fields of a description in JSON, each with the way to it, so that an error can say where it
// is: "agents[2].resources: ...". The readers are tables of keys: a key that is not in the table is
// an error that names the nearest one.

#ifndef MESOS_LUA_CLUSTER_PLAN_FIELD_H
#define MESOS_LUA_CLUSTER_PLAN_FIELD_H

#include "base/error.h"

#include <jansson.h>
#include <stdint.h>

struct plan_field {
    const struct plan_field *outer; // NULL: the whole
    const char *key;                // NULL: it is an item of a list
    size_t index;                   // of that, from 0
    json_t *json;
};

// Sets an error with the path in front; returns false.
bool plan_field_fault(const struct plan_field *field, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct plan_key {
    const char *name;
    bool (*read)(const struct plan_field *field, void *to, struct error *err);
    const char *elsewhere; // not NULL: the key is refused, in these words
};

// Calls the reader of each field that is there. `keys` ends with a row without a name.
bool plan_field_object(const struct plan_field *field, const struct plan_key *keys, void *to,
                       struct error *err);

// Calls `read` for each field of an object with any names, or for each item of a list.
bool plan_field_each(const struct plan_field *field,
                     bool (*read)(const struct plan_field *field, void *to, struct error *err),
                     void *to, struct error *err);
bool plan_field_items(const struct plan_field *field,
                      bool (*read)(const struct plan_field *field, void *to, struct error *err),
                      void *to, struct error *err);

// Values. A text is borrowed from the field.
bool plan_field_text(const struct plan_field *field, const char **text, struct error *err);
bool plan_field_number(const struct plan_field *field, double least, double *number,
                       struct error *err);
bool plan_field_whole(const struct plan_field *field, uint64_t least, uint64_t most,
                      uint64_t *number, struct error *err);
bool plan_field_truth(const struct plan_field *field, bool *truth, struct error *err);

#endif
