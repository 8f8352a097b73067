// SPDX-License-Identifier: Apache-2.0
//
// Resources from text, as people write them: see resources_parse() in resources.h.

#include "offers/resources_internal.h"

#include "base/memory.h"
#include "offers/resource_names.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- pieces ----

// A piece of the text that is read: blanks around it do not count.
struct piece {
    const char *text;
    size_t length;
};

#define PIECE_ARGS(piece) (int)((piece).length < 200 ? (piece).length : 200), (piece).text

static struct piece trim(struct piece piece)
{
    while (piece.length > 0 && isspace((unsigned char)piece.text[0])) {
        piece.text++;
        piece.length--;
    }
    while (piece.length > 0 && isspace((unsigned char)piece.text[piece.length - 1]))
        piece.length--;
    return piece;
}

// Cuts the part before `separator` off `rest`; false when nothing is left. The part may be empty.
static bool next_piece(struct piece *rest, char separator, struct piece *part)
{
    if (rest->text == NULL)
        return false;
    const char *end = memchr(rest->text, separator, rest->length);
    size_t length = end ? (size_t)(end - rest->text) : rest->length;
    *part = trim((struct piece){rest->text, length});
    *rest = end ? (struct piece){end + 1, rest->length - length - 1} : (struct piece){0};
    return true;
}

// ---- values ----

static bool read_number(struct piece piece, double *value)
{
    char text[64];
    if (piece.length == 0 || piece.length >= sizeof text)
        return false;
    memcpy(text, piece.text, piece.length);
    text[piece.length] = '\0';
    char *end;
    *value = strtod(text, &end);
    return *end == '\0' && isfinite(*value);
}

static bool read_whole(struct piece piece, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < piece.length; i++) {
        unsigned digit = (unsigned)(piece.text[i] - '0');
        if (digit > 9 || *value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return piece.length > 0;
}

static bool read_scalar(Resource *resource, struct piece value, struct error *err)
{
    double number;
    if (!read_number(value, &number))
        return error_set(err, ERROR_INVALID,
                         "'%.*s' is not a number, a list of ranges in [] or a set in {}",
                         PIECE_ARGS(value));
    if (number < 0)
        return error_set(err, ERROR_INVALID, "'%.*s' is negative", PIECE_ARGS(value));
    if (number > 1e15)
        return error_set(err, ERROR_INVALID, "'%.*s' is too large", PIECE_ARGS(value));
    resource->type = MESOS__V1__VALUE__TYPE__SCALAR;
    resource->scalar = memory_new(sizeof *resource->scalar);
    mesos__v1__value__scalar__init(resource->scalar);
    resource->scalar->value = number;
    return true;
}

static bool read_range(Mesos__V1__Value__Ranges *ranges, struct piece part, struct error *err)
{
    struct piece rest = part, begin, end;
    uint64_t first, last;
    if (!next_piece(&rest, '-', &begin) || !next_piece(&rest, '-', &end) || rest.text != NULL ||
        !read_whole(begin, &first) || !read_whole(end, &last))
        return error_set(err, ERROR_INVALID, "range '%.*s' is not begin-end", PIECE_ARGS(part));
    if (first > last)
        return error_set(err, ERROR_INVALID, "range '%.*s' ends before it begins",
                         PIECE_ARGS(part));
    resource_values_add_range(ranges, first, last);
    return true;
}

static bool read_ranges(Resource *resource, struct piece value, struct error *err)
{
    resource->type = MESOS__V1__VALUE__TYPE__RANGES;
    resource->ranges = memory_new(sizeof *resource->ranges);
    mesos__v1__value__ranges__init(resource->ranges);
    struct piece part;
    while (next_piece(&value, ',', &part))
        if ((part.length > 0 || value.text != NULL || resource->ranges->n_range > 0) &&
            !read_range(resource->ranges, part, err))
            return false;
    return true;
}

static bool read_set(Resource *resource, struct piece value, struct error *err)
{
    resource->type = MESOS__V1__VALUE__TYPE__SET;
    resource->set = memory_new(sizeof *resource->set);
    mesos__v1__value__set__init(resource->set);
    struct piece item;
    while (next_piece(&value, ',', &item)) {
        if (item.length > 0)
            resource_values_add_item(resource->set, memory_text(item.text, item.length));
        else if (value.text != NULL || resource->set->n_item > 0)
            return error_set(err, ERROR_INVALID, "an item of the set is empty");
    }
    return true;
}

static bool read_value(Resource *resource, struct piece value, struct error *err)
{
    static const struct {
        char open, close;
        bool (*read)(Resource *resource, struct piece value, struct error *err);
    } brackets[] = {{'[', ']', read_ranges}, {'{', '}', read_set}};
    for (size_t i = 0; i < 2; i++) {
        if (value.length == 0 || value.text[0] != brackets[i].open)
            continue;
        if (value.length < 2 || value.text[value.length - 1] != brackets[i].close)
            return error_set(err, ERROR_INVALID, "'%.*s' lacks its closing '%c'", PIECE_ARGS(value),
                             brackets[i].close);
        return brackets[i].read(resource, (struct piece){value.text + 1, value.length - 2}, err);
    }
    return read_scalar(resource, value, err);
}

// ---- resources ----

// Takes the mark of revocable resources off a name.
static bool take_mark(struct piece *name)
{
    size_t length = strlen(REVOCABLE);
    if (name->length < length || memcmp(name->text + name->length - length, REVOCABLE, length) != 0)
        return false;
    *name = trim((struct piece){name->text, name->length - length});
    return true;
}

static void make_revocable(Resource *resource)
{
    resource->revocable = memory_new(sizeof *resource->revocable);
    mesos__v1__resource__revocable_info__init(resource->revocable);
}

// "name" or "name(role)", either with the mark behind it.
static bool read_name(Resource *resource, struct piece name, const char *role, struct error *err)
{
    struct piece reserved = {role, role ? strlen(role) : 0};
    if (take_mark(&name))
        make_revocable(resource);
    const char *open = memchr(name.text, '(', name.length);
    if (open != NULL) {
        if (name.text[name.length - 1] != ')')
            return error_set(err, ERROR_INVALID, "'%.*s' lacks its closing ')'", PIECE_ARGS(name));
        size_t before = (size_t)(open - name.text);
        reserved = trim((struct piece){open + 1, name.length - before - 2});
        name = trim((struct piece){name.text, before});
        if (reserved.length == 0)
            return error_set(err, ERROR_INVALID, "the role in parentheses is empty");
    }
    if (name.length == 0)
        return error_set(err, ERROR_INVALID, "the name is empty");
    free(resource->name);
    resource->name = memory_text(name.text, name.length);
    if (reserved.text != NULL && !(reserved.length == 1 && reserved.text[0] == '*'))
        resource_reserve(resource, reserved.text, reserved.length);
    return true;
}

static Resource *resource_new(void)
{
    Resource *resource = memory_new(sizeof *resource);
    mesos__v1__resource__init(resource);
    resource->name = memory_string("");
    return resource;
}

// Resources of one name have one type.
static bool check_types(const struct resources *list, const Resource *resource, struct error *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->name, resource->name) == 0 &&
            list->items[i]->type != resource->type)
            return error_set(err, ERROR_INVALID, "'%.200s' has two types", resource->name);
    return true;
}

// The parts before and behind the first ':'.
static bool split(struct piece piece, struct piece *name, struct piece *value)
{
    const char *colon = memchr(piece.text, ':', piece.length);
    size_t before = colon ? (size_t)(colon - piece.text) : 0;
    if (colon == NULL)
        return false;
    *name = trim((struct piece){piece.text, before});
    *value = trim((struct piece){colon + 1, piece.length - before - 1});
    return true;
}

static bool read_resource(struct resources *list, struct piece piece, const char *role,
                          struct error *err)
{
    struct piece name, value;
    if (!split(piece, &name, &value))
        return error_set(err, ERROR_INVALID, "there is no ':' between name and value");
    Resource *resource = resource_new();
    if (!read_name(resource, name, role, err) || !read_value(resource, value, err) ||
        !resource_names_check(resource, err) || !check_types(list, resource, err)) {
        resource_free(resource);
        return false;
    }
    resource_values_of(resource)->normalise(resource);
    resources_put(list, resource);
    return true;
}

bool resources_parse_has(const char *text, const char *name)
{
    struct piece rest = {text, strlen(text)}, piece, own, value;
    size_t length = strlen(name);
    while (next_piece(&rest, ';', &piece)) {
        if (piece.length == 0 || !split(piece, &own, &value))
            continue;
        take_mark(&own);
        const char *open = memchr(own.text, '(', own.length);
        if (open != NULL)
            own = trim((struct piece){own.text, (size_t)(open - own.text)});
        if (own.length == length && memcmp(own.text, name, length) == 0)
            return true;
    }
    return false;
}

// Forms that Mesos's agents read as well.
static bool check_form(const char *text, struct error *err)
{
    const char *start = text + strspn(text, " \t\n");
    if (*start == '[')
        return error_set(err, ERROR_INVALID,
                         "resources in JSON are not read; write cpus:4;mem:1024");
    return strncmp(start, "file://", 7) != 0 ||
           error_set(err, ERROR_INVALID, "resources in a file are not read; write cpus:4;mem:1024");
}

bool resources_parse(struct resources *list, const char *text, const char *role, struct error *err)
{
    *list = (struct resources){0};
    struct piece rest = {text, strlen(text)}, piece;
    if (!check_form(text, err))
        return false;
    while (next_piece(&rest, ';', &piece)) {
        if (piece.length == 0 || read_resource(list, piece, role, err))
            continue;
        resources_free(list);
        return error_context(err, "bad resource '%.*s'", PIECE_ARGS(piece));
    }
    return true;
}
