// SPDX-License-Identifier: Apache-2.0
//
// Fields of a description; see the header.

#include "cluster/plan_field.h"

#include "base/buffer.h"
#include "base/suggest.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_LIMIT 400

// ---- errors ----

static void write_path(const struct plan_field *field, struct buffer *out)
{
    if (field == NULL || (field->outer == NULL && field->key == NULL))
        return;
    write_path(field->outer, out);
    if (field->key == NULL)
        buffer_format(out, "[%zu]", field->index + 1);
    else
        buffer_format(out, "%s%s", out->length > 0 ? "." : "", field->key);
}

bool plan_field_fault(const struct plan_field *field, struct error *err, const char *format, ...)
{
    char words[600];
    struct buffer path;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    buffer_init(&path, PATH_LIMIT);
    write_path(field, &path);
    error_set(err, ERROR_INVALID, "%s%s%s", buffer_string(&path), path.length > 0 ? ": " : "",
              words);
    buffer_free(&path);
    return false;
}

static const char *kind_of(const json_t *json)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "a table with names",
        [JSON_ARRAY] = "a list",
        [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",
        [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",
        [JSON_NULL] = "null",
    };
    return names[json_typeof(json)];
}

static bool wrong_kind(const struct plan_field *field, const char *wanted, struct error *err)
{
    return plan_field_fault(field, err, "%s expected, got %s", wanted, kind_of(field->json));
}

// ---- tables ----

static const char *name_at(const void *data, size_t index)
{
    const struct plan_key *keys = data;
    return keys[index].name;
}

static const struct plan_key *find(const struct plan_key *keys, const char *name)
{
    for (; keys->name != NULL; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

static bool unknown_key(const struct plan_field *field, const struct plan_key *keys,
                        struct error *err)
{
    const char *near = suggest(field->key, name_at, keys);
    if (near != NULL)
        return plan_field_fault(field, err, "unknown key (did you mean '%s'?)", near);
    char all[300];
    size_t length = 0;
    for (size_t i = 0; keys[i].name != NULL && length < sizeof all - 1; i++)
        if (keys[i].elsewhere == NULL)
            length += (size_t)snprintf(all + length, sizeof all - length, "%s%s", i > 0 ? ", " : "",
                                       keys[i].name);
    return plan_field_fault(field, err, "unknown key; there are %s", all);
}

// In Lua an empty list and an empty table with names look the same.
static bool is_empty(const json_t *json)
{
    return (json_is_array(json) && json_array_size(json) == 0) ||
           (json_is_object(json) && json_object_size(json) == 0);
}

bool plan_field_each(const struct plan_field *field,
                     bool (*read)(const struct plan_field *field, void *to, struct error *err),
                     void *to, struct error *err)
{
    const char *name;
    json_t *value;
    if (is_empty(field->json))
        return true;
    if (!json_is_object(field->json))
        return wrong_kind(field, "a table with names", err);
    json_object_foreach(field->json, name, value)
    {
        const struct plan_field inner = {.outer = field, .key = name, .json = value};
        if (!read(&inner, to, err))
            return false;
    }
    return true;
}

struct known_keys {
    const struct plan_key *keys;
    void *to;
};

static bool read_key(const struct plan_field *field, void *to, struct error *err)
{
    const struct known_keys *known = to;
    const struct plan_key *key = find(known->keys, field->key);
    if (key == NULL)
        return unknown_key(field, known->keys, err);
    return key->elsewhere ? plan_field_fault(field, err, "%s", key->elsewhere)
                          : key->read(field, known->to, err);
}

bool plan_field_object(const struct plan_field *field, const struct plan_key *keys, void *to,
                       struct error *err)
{
    struct known_keys known = {keys, to};
    return plan_field_each(field, read_key, &known, err);
}

bool plan_field_items(const struct plan_field *field,
                      bool (*read)(const struct plan_field *field, void *to, struct error *err),
                      void *to, struct error *err)
{
    size_t index;
    json_t *value;
    if (is_empty(field->json))
        return true;
    if (!json_is_array(field->json))
        return wrong_kind(field, "a list", err);
    json_array_foreach(field->json, index, value)
    {
        const struct plan_field inner = {.outer = field, .index = index, .json = value};
        if (!read(&inner, to, err))
            return false;
    }
    return true;
}

// ---- values ----

bool plan_field_text(const struct plan_field *field, const char **text, struct error *err)
{
    if (!json_is_string(field->json))
        return wrong_kind(field, "a text", err);
    *text = json_string_value(field->json);
    if (strlen(*text) != json_string_length(field->json))
        return plan_field_fault(field, err, "it has a zero byte in it");
    return **text != '\0' || plan_field_fault(field, err, "it is empty");
}

bool plan_field_number(const struct plan_field *field, double least, double *number,
                       struct error *err)
{
    if (!json_is_number(field->json))
        return wrong_kind(field, "a number", err);
    *number = json_number_value(field->json);
    return *number >= least || plan_field_fault(field, err, "%g is less than %g", *number, least);
}

bool plan_field_whole(const struct plan_field *field, uint64_t least, uint64_t most,
                      uint64_t *number, struct error *err)
{
    double value;
    if (!plan_field_number(field, 0, &value, err))
        return false;
    *number = value < 1e15 ? (uint64_t)value : UINT64_MAX;
    return (value == (double)*number && *number >= least && *number <= most) ||
           plan_field_fault(field, err,
                            "a whole number from %" PRIu64 " to %" PRIu64 " expected, got %.15g",
                            least, most, value);
}

bool plan_field_truth(const struct plan_field *field, bool *truth, struct error *err)
{
    *truth = json_is_true(field->json);
    return json_is_boolean(field->json) || wrong_kind(field, "true or false", err);
}
