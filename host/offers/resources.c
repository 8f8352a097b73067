// SPDX-License-Identifier: Apache-2.0
//
// Resource lists; see the header for what always holds. Each value type (scalar, ranges, set) is
// one row of a table with its arithmetic; the list functions find the entry of the same kind and
// leave the value to its row.

#include "offers/resources.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/suggest.h"
#include "offers/role_name.h"
#include "wire/message_copy.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Fields that the newer format replaces are read and written here on purpose.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

typedef Mesos__V1__Resource Resource;
typedef Mesos__V1__Resource__ReservationInfo Reservation;
typedef Mesos__V1__Value__Range Range;

#define TEXT_LIMIT ((size_t)64 << 20)

// ---- copies and comparison ----

static bool message_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    size_t size = protobuf_c_message_get_packed_size(a);
    if (size != protobuf_c_message_get_packed_size(b))
        return false;
    uint8_t *bytes = memory_new(2 * size + 1);
    protobuf_c_message_pack(a, bytes);
    protobuf_c_message_pack(b, bytes + size);
    bool equal = memcmp(bytes, bytes + size, size) == 0;
    free(bytes);
    return equal;
}

static Resource *copy_resource(const Resource *resource)
{
    return message_copy(&resource->base);
}

void resource_free(Resource *resource)
{
    if (resource != NULL)
        mesos__v1__resource__free_unpacked(resource, NULL);
}

// ---- scalars: thousandths ----

// Sums stay below what 64 bits hold.
#define MOST_THOUSANDTHS INT64_C(9000000000000000000)

static int64_t thousandths(const Resource *resource)
{
    double value = resource->scalar ? resource->scalar->value * 1000 : 0;
    if (!(fabs(value) < (double)MOST_THOUSANDTHS))
        return value > 0 ? MOST_THOUSANDTHS : -MOST_THOUSANDTHS;
    return llround(value);
}

static void set_thousandths(Resource *resource, int64_t value)
{
    resource->scalar->value = (double)value / 1000;
}

static void scalar_add(Resource *to, const Resource *more)
{
    int64_t own = thousandths(to), others = thousandths(more);
    set_thousandths(to, own > MOST_THOUSANDTHS - others ? MOST_THOUSANDTHS : own + others);
}

static void scalar_subtract(Resource *from, const Resource *less)
{
    int64_t left = thousandths(from) - thousandths(less);
    set_thousandths(from, left > 0 ? left : 0);
}

static bool scalar_contains(const Resource *whole, const Resource *part)
{
    return thousandths(whole) >= thousandths(part);
}

static bool scalar_empty(const Resource *resource)
{
    return thousandths(resource) == 0;
}

static void scalar_normalise(Resource *resource)
{
    set_thousandths(resource, thousandths(resource));
}

static void scalar_write(const Resource *resource, struct buffer *out)
{
    buffer_format(out, "%.15g", resource->scalar ? resource->scalar->value : 0);
}

// ---- ranges: sorted, disjoint, not adjacent ----

static Range *range_new(uint64_t begin, uint64_t end)
{
    Range *range = memory_new(sizeof *range);
    mesos__v1__value__range__init(range);
    range->begin = begin;
    range->end = end;
    return range;
}

static void ranges_append(Mesos__V1__Value__Ranges *ranges, Range *range)
{
    ranges->range = memory_resize(ranges->range, (ranges->n_range + 1) * sizeof(Range *));
    ranges->range[ranges->n_range++] = range;
}

static int range_compare(const void *a, const void *b)
{
    const Range *left = *(Range *const *)a, *right = *(Range *const *)b;
    return left->begin < right->begin ? -1 : left->begin > right->begin;
}

static void ranges_normalise(Resource *resource)
{
    Mesos__V1__Value__Ranges *ranges = resource->ranges;
    if (ranges->n_range == 0)
        return;
    qsort(ranges->range, ranges->n_range, sizeof(Range *), range_compare);
    size_t last = 0;
    for (size_t i = 1; i < ranges->n_range; i++) {
        Range *previous = ranges->range[last], *range = ranges->range[i];
        if (range->begin > previous->end && range->begin - previous->end > 1) {
            ranges->range[++last] = range;
            continue;
        }
        if (range->end > previous->end)
            previous->end = range->end;
        free(range);
    }
    ranges->n_range = last + 1;
}

static void ranges_add(Resource *to, const Resource *more)
{
    for (size_t i = 0; i < more->ranges->n_range; i++) {
        const Range *range = more->ranges->range[i];
        ranges_append(to->ranges, range_new(range->begin, range->end));
    }
    ranges_normalise(to);
}

// Leaves of `range` what lies outside `less`; a hole in its middle adds the right part to `out`.
static bool range_cut(Range *range, const Range *less, Mesos__V1__Value__Ranges *out)
{
    if (less->end < range->begin || less->begin > range->end)
        return true;
    bool left = less->begin > range->begin, right = less->end < range->end;
    if (left && right)
        ranges_append(out, range_new(less->end + 1, range->end));
    if (left)
        range->end = less->begin - 1;
    else if (right)
        range->begin = less->end + 1;
    return left || right;
}

static void ranges_subtract(Resource *from, const Resource *less)
{
    Mesos__V1__Value__Ranges *ranges = from->ranges;
    for (size_t i = 0; i < less->ranges->n_range; i++) {
        for (size_t j = 0; j < ranges->n_range; j++) {
            if (range_cut(ranges->range[j], less->ranges->range[i], ranges))
                continue;
            free(ranges->range[j]);
            ranges->range[j--] = ranges->range[--ranges->n_range];
        }
    }
    ranges_normalise(from);
}

static bool ranges_hold(const Mesos__V1__Value__Ranges *ranges, const Range *part)
{
    for (size_t i = 0; i < ranges->n_range; i++)
        if (ranges->range[i]->begin <= part->begin && part->end <= ranges->range[i]->end)
            return true;
    return false;
}

static bool ranges_contain(const Resource *whole, const Resource *part)
{
    for (size_t i = 0; i < part->ranges->n_range; i++)
        if (!ranges_hold(whole->ranges, part->ranges->range[i]))
            return false;
    return true;
}

static bool ranges_empty(const Resource *resource)
{
    return resource->ranges->n_range == 0;
}

static void ranges_write(const Resource *resource, struct buffer *out)
{
    buffer_append_text(out, "[");
    for (size_t i = 0; resource->ranges && i < resource->ranges->n_range; i++)
        buffer_format(out, "%s%" PRIu64 "-%" PRIu64, i ? ", " : "",
                      resource->ranges->range[i]->begin, resource->ranges->range[i]->end);
    buffer_append_text(out, "]");
}

// ---- sets ----

static bool set_holds(const Mesos__V1__Value__Set *set, size_t count, const char *item)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(set->item[i], item) == 0)
            return true;
    return false;
}

static void set_append(Mesos__V1__Value__Set *set, char *item)
{
    set->item = memory_resize(set->item, (set->n_item + 1) * sizeof(char *));
    set->item[set->n_item++] = item;
}

static void set_add(Resource *to, const Resource *more)
{
    for (size_t i = 0; i < more->set->n_item; i++)
        if (!set_holds(to->set, to->set->n_item, more->set->item[i]))
            set_append(to->set, memory_string(more->set->item[i]));
}

static void set_subtract(Resource *from, const Resource *less)
{
    size_t kept = 0;
    for (size_t i = 0; i < from->set->n_item; i++) {
        char *item = from->set->item[i];
        if (set_holds(less->set, less->set->n_item, item))
            free(item);
        else
            from->set->item[kept++] = item;
    }
    from->set->n_item = kept;
}

static bool set_contains(const Resource *whole, const Resource *part)
{
    for (size_t i = 0; i < part->set->n_item; i++)
        if (!set_holds(whole->set, whole->set->n_item, part->set->item[i]))
            return false;
    return true;
}

static bool set_empty(const Resource *resource)
{
    return resource->set->n_item == 0;
}

static void set_normalise(Resource *resource)
{
    Mesos__V1__Value__Set *set = resource->set;
    size_t kept = 0;
    for (size_t i = 0; i < set->n_item; i++) {
        if (set_holds(set, kept, set->item[i]))
            free(set->item[i]);
        else
            set->item[kept++] = set->item[i];
    }
    set->n_item = kept;
}

static void set_write(const Resource *resource, struct buffer *out)
{
    buffer_append_text(out, "{");
    for (size_t i = 0; resource->set && i < resource->set->n_item; i++)
        buffer_format(out, "%s%s", i ? ", " : "", resource->set->item[i]);
    buffer_append_text(out, "}");
}

// ---- the value types ----

static const struct value_type {
    void (*add)(Resource *to, const Resource *more);
    void (*subtract)(Resource *from, const Resource *less);
    bool (*contains)(const Resource *whole, const Resource *part);
    bool (*empty)(const Resource *resource);
    void (*normalise)(Resource *resource);
    void (*write)(const Resource *resource, struct buffer *out);
} value_types[] = {
    [MESOS__V1__VALUE__TYPE__SCALAR] = {scalar_add, scalar_subtract, scalar_contains, scalar_empty,
                                        scalar_normalise, scalar_write},
    [MESOS__V1__VALUE__TYPE__RANGES] = {ranges_add, ranges_subtract, ranges_contain, ranges_empty,
                                        ranges_normalise, ranges_write},
    [MESOS__V1__VALUE__TYPE__SET] = {set_add, set_subtract, set_contains, set_empty, set_normalise,
                                     set_write},
};

static const struct value_type *value_type(const Resource *resource)
{
    return &value_types[resource->type];
}

// ---- kinds ----

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static const char *allocation_role(const Resource *resource)
{
    return resource->allocation_info ? resource->allocation_info->role : NULL;
}

static bool same_reservations(const Resource *a, const Resource *b)
{
    if (a->n_reservations != b->n_reservations)
        return false;
    for (size_t i = 0; i < a->n_reservations; i++)
        if (!message_equal(&a->reservations[i]->base, &b->reservations[i]->base))
            return false;
    return true;
}

#define SAME_MESSAGE(a, b, field)                                                                  \
    message_equal((a)->field ? &(a)->field->base : NULL, (b)->field ? &(b)->field->base : NULL)

static bool same_kind(const Resource *a, const Resource *b)
{
    return a->type == b->type && strcmp(a->name, b->name) == 0 &&
           text_equal(allocation_role(a), allocation_role(b)) && same_reservations(a, b) &&
           SAME_MESSAGE(a, b, disk) && SAME_MESSAGE(a, b, provider_id) &&
           !a->revocable == !b->revocable && !a->shared == !b->shared;
}

static Resource *find_kind(const struct resources *list, const Resource *like)
{
    for (size_t i = 0; i < list->count; i++)
        if (same_kind(list->items[i], like))
            return list->items[i];
    return NULL;
}

// ---- lists ----

void resources_free(struct resources *list)
{
    for (size_t i = 0; i < list->count; i++)
        resource_free(list->items[i]);
    free(list->items);
    *list = (struct resources){0};
}

static void append(struct resources *list, Resource *resource)
{
    list->items = memory_resize(list->items, (list->count + 1) * sizeof *list->items);
    list->items[list->count++] = resource;
}

static void drop_empty(struct resources *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (value_type(list->items[i])->empty(list->items[i]))
            resource_free(list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

void resources_copy(struct resources *to, const struct resources *from)
{
    *to = (struct resources){0};
    for (size_t i = 0; i < from->count; i++)
        append(to, copy_resource(from->items[i]));
}

// Takes `resource` over.
static void put(struct resources *list, Resource *resource)
{
    Resource *same = find_kind(list, resource);
    if (value_type(resource)->empty(resource)) {
        resource_free(resource);
    } else if (same != NULL) {
        value_type(resource)->add(same, resource);
        resource_free(resource);
    } else {
        append(list, resource);
    }
}

void resources_add(struct resources *list, const struct resources *more)
{
    for (size_t i = 0; i < more->count; i++)
        put(list, copy_resource(more->items[i]));
}

void resources_subtract(struct resources *list, const struct resources *less)
{
    for (size_t i = 0; i < less->count; i++) {
        Resource *same = find_kind(list, less->items[i]);
        if (same != NULL)
            value_type(same)->subtract(same, less->items[i]);
    }
    drop_empty(list);
}

bool resources_contain(const struct resources *list, const struct resources *part)
{
    for (size_t i = 0; i < part->count; i++) {
        const Resource *same = find_kind(list, part->items[i]);
        if (same == NULL || !value_type(same)->contains(same, part->items[i]))
            return false;
    }
    return true;
}

double resources_scalar(const struct resources *list, const char *name)
{
    int64_t sum = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->type == MESOS__V1__VALUE__TYPE__SCALAR &&
            strcmp(list->items[i]->name, name) == 0)
            sum += thousandths(list->items[i]);
    return (double)sum / 1000;
}

static double quantity(const Resource *resource)
{
    double count = 0;
    if (resource->type == MESOS__V1__VALUE__TYPE__SCALAR)
        return resource->scalar->value;
    if (resource->type == MESOS__V1__VALUE__TYPE__SET)
        return (double)resource->set->n_item;
    for (size_t i = 0; i < resource->ranges->n_range; i++)
        count += (double)(resource->ranges->range[i]->end - resource->ranges->range[i]->begin) + 1;
    return count;
}

double resources_quantity(const struct resources *list, const char *name)
{
    double sum = 0;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->name, name) == 0)
            sum += quantity(list->items[i]);
    return sum;
}

static void allocate(Resource *resource, const char *role)
{
    if (resource->allocation_info != NULL)
        protobuf_c_message_free_unpacked(&resource->allocation_info->base, NULL);
    resource->allocation_info = NULL;
    if (role == NULL)
        return;
    resource->allocation_info = memory_new(sizeof *resource->allocation_info);
    mesos__v1__resource__allocation_info__init(resource->allocation_info);
    resource->allocation_info->role = memory_string(role);
}

void resources_allocate(struct resources *list, const char *role)
{
    for (size_t i = 0; i < list->count; i++)
        allocate(list->items[i], role);
}

static const char *reserved_role(const Resource *resource)
{
    return resource->n_reservations ? resource->reservations[resource->n_reservations - 1]->role
                                    : NULL;
}

static bool role_within(const char *role, const char *outer)
{
    return strcmp(role, outer) == 0 || role_name_below(role, outer);
}

void resources_add_for_role(struct resources *to, const struct resources *from, const char *role)
{
    for (size_t i = 0; i < from->count; i++) {
        const char *reserved = reserved_role(from->items[i]);
        if (reserved == NULL || role_within(role, reserved))
            put(to, copy_resource(from->items[i]));
    }
}

// ---- reading text ----

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
    ranges_append(ranges, range_new(first, last));
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
            set_append(resource->set, memory_text(item.text, item.length));
        else if (value.text != NULL || resource->set->n_item > 0)
            return error_set(err, ERROR_INVALID, "an item of the set is empty");
    }
    return true;
}

// ---- names that every agent knows ----

static const struct known_name {
    const char *name;
    Mesos__V1__Value__Type type;
    const char *form; // what its value is
} known_names[] = {
    {"cpus", MESOS__V1__VALUE__TYPE__SCALAR, "a number, such as cpus:4"},
    {"mem", MESOS__V1__VALUE__TYPE__SCALAR, "a number of megabytes, such as mem:1024"},
    {"disk", MESOS__V1__VALUE__TYPE__SCALAR, "a number of megabytes, such as disk:1024"},
    {"gpus", MESOS__V1__VALUE__TYPE__SCALAR, "a number, such as gpus:1"},
    {"ports", MESOS__V1__VALUE__TYPE__RANGES, "a list of ranges, such as ports:[31000-31009]"},
};

enum { KNOWN_NAMES = sizeof known_names / sizeof *known_names };

static const char *known_name(const void *data, size_t index)
{
    (void)data;
    return index < KNOWN_NAMES ? known_names[index].name : NULL;
}

bool resources_known(const char *name)
{
    for (size_t i = 0; i < KNOWN_NAMES; i++)
        if (strcmp(known_names[i].name, name) == 0)
            return true;
    return false;
}

static size_t rank(const char *name)
{
    size_t i = 0;
    while (i < KNOWN_NAMES && strcmp(known_names[i].name, name) != 0)
        i++;
    return i;
}

int resources_order(const char *a, const char *b)
{
    size_t first = rank(a), second = rank(b);
    return first != second ? (first < second ? -1 : 1) : strcmp(a, b);
}

// A name that is further off than one letter may well be meant: "cpuset".
const char *resources_meant(const char *name)
{
    static const struct {
        const char *name, *meant;
    } rows[] = {{"cores", "cpus"}, {"memory", "mem"}, {"ram", "mem"}};
    if (resources_known(name))
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcasecmp(rows[i].name, name) == 0)
            return rows[i].meant;
    const char *near = suggest_near(name, known_name, NULL);
    size_t length = strlen(name), other = near ? strlen(near) : 0;
    return near != NULL && length + 1 >= other && length <= other + 1 ? near : NULL;
}

static bool check_known(const Resource *resource, struct error *err)
{
    const char *meant = resources_meant(resource->name);
    if (meant != NULL)
        return error_set(err, ERROR_INVALID, "unknown resource '%.200s' (did you mean '%s'?)",
                         resource->name, meant);
    for (size_t i = 0; i < KNOWN_NAMES; i++)
        if (strcmp(known_names[i].name, resource->name) == 0 &&
            known_names[i].type != resource->type)
            return error_set(err, ERROR_INVALID, "'%s' is %s", known_names[i].name,
                             known_names[i].form);
    return true;
}

// ---- values ----

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

static void reserve(Resource *resource, struct piece role)
{
    Reservation *reservation = memory_new(sizeof *reservation);
    mesos__v1__resource__reservation_info__init(reservation);
    reservation->has_type = true;
    reservation->type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__STATIC;
    reservation->role = memory_text(role.text, role.length);
    resource->reservations = memory_new(sizeof(Reservation *));
    resource->reservations[0] = reservation;
    resource->n_reservations = 1;
}

// "name" or "name(role)".
static bool read_name(Resource *resource, struct piece name, const char *role, struct error *err)
{
    struct piece reserved = {role, role ? strlen(role) : 0};
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
        reserve(resource, reserved);
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
        !check_known(resource, err) || !check_types(list, resource, err)) {
        resource_free(resource);
        return false;
    }
    value_type(resource)->normalise(resource);
    put(list, resource);
    return true;
}

bool resources_text_names(const char *text, const char *name)
{
    struct piece rest = {text, strlen(text)}, piece, own, value;
    size_t length = strlen(name);
    while (next_piece(&rest, ';', &piece)) {
        if (piece.length == 0 || !split(piece, &own, &value))
            continue;
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

// ---- writing text ----

static char *taken(struct buffer *out)
{
    char *text = memory_string(buffer_string(out));
    buffer_free(out);
    return text;
}

static void write_value(const Resource *resource, struct buffer *out)
{
    if (resource->type <= MESOS__V1__VALUE__TYPE__SET)
        value_type(resource)->write(resource, out);
}

char *resources_text(const struct resources *list)
{
    struct buffer out;
    buffer_init(&out, TEXT_LIMIT);
    for (size_t i = 0; i < list->count; i++) {
        const Resource *resource = list->items[i];
        const char *role = reserved_role(resource);
        buffer_format(&out, "%s%s", i ? ";" : "", resource->name);
        if (role != NULL)
            buffer_format(&out, "(%s)", role);
        buffer_append_text(&out, ":");
        write_value(resource, &out);
    }
    return taken(&out);
}

static const char *enum_name(const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *row = protobuf_c_enum_descriptor_get_value(type, value);
    return row ? row->name : "UNKNOWN";
}

static void describe_labels(const Mesos__V1__Labels *labels, struct buffer *out)
{
    buffer_append_text(out, ",{");
    for (size_t i = 0; i < labels->n_labels; i++) {
        const Mesos__V1__Label *label = labels->labels[i];
        buffer_format(out, "%s%s", i ? ", " : "", label->key);
        if (label->value != NULL)
            buffer_format(out, ": %s", label->value);
    }
    buffer_append_text(out, "}");
}

static void describe_reservation(const Reservation *reservation, struct buffer *out)
{
    buffer_format(
        out, "(%s,%s",
        enum_name(&mesos__v1__resource__reservation_info__type__descriptor, (int)reservation->type),
        reservation->role ? reservation->role : "");
    if (reservation->principal != NULL)
        buffer_format(out, ",%s", reservation->principal);
    if (reservation->labels != NULL && reservation->labels->n_labels > 0)
        describe_labels(reservation->labels, out);
    buffer_append_text(out, ")");
}

static void describe_disk(const Mesos__V1__Resource__DiskInfo *disk, struct buffer *out)
{
    buffer_append_text(out, "[");
    if (disk->source != NULL)
        buffer_append_text(out, enum_name(&mesos__v1__resource__disk_info__source__type__descriptor,
                                          (int)disk->source->type));
    if (disk->persistence != NULL)
        buffer_format(out, "%s%s", disk->source ? "," : "", disk->persistence->id);
    if (disk->volume != NULL)
        buffer_format(out, ":%s", disk->volume->container_path);
    buffer_append_text(out, "]");
}

static void describe(const Resource *resource, struct buffer *out)
{
    buffer_append_text(out, resource->name);
    if (allocation_role(resource) != NULL)
        buffer_format(out, "(allocated: %s)", allocation_role(resource));
    if (resource->n_reservations > 0) {
        buffer_append_text(out, "(reservations: [");
        for (size_t i = 0; i < resource->n_reservations; i++) {
            buffer_append_text(out, i ? "," : "");
            describe_reservation(resource->reservations[i], out);
        }
        buffer_append_text(out, "])");
    }
    if (resource->disk != NULL)
        describe_disk(resource->disk, out);
    buffer_append_text(out, resource->revocable ? "{REV}" : "");
    buffer_append_text(out, resource->shared ? "<SHARED>" : "");
    buffer_append_text(out, ":");
    write_value(resource, out);
}

char *resources_describe(const struct resources *list)
{
    struct buffer out;
    buffer_init(&out, TEXT_LIMIT);
    for (size_t i = 0; i < list->count; i++) {
        buffer_append_text(&out, i ? "; " : "");
        describe(list->items[i], &out);
    }
    if (list->count == 0)
        buffer_append_text(&out, "{}");
    return taken(&out);
}

// ---- messages ----

static bool has_old_role(const Resource *resource)
{
    return resource->role != NULL && strcmp(resource->role, "*") != 0;
}

static void drop_role(Resource *resource)
{
    if (resource->role != mesos__v1__resource__role__default_value)
        free(resource->role);
    resource->role = mesos__v1__resource__role__default_value;
}

// The old `role` and `reservation` become the one entry of `reservations`.
static void upgrade(Resource *resource)
{
    if (has_old_role(resource) && resource->n_reservations == 0) {
        reserve(resource, (struct piece){resource->role, strlen(resource->role)});
        Reservation *to = resource->reservations[0], *from = resource->reservation;
        if (from != NULL) {
            to->type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC;
            to->principal = from->principal;
            to->labels = from->labels;
            from->principal = NULL;
            from->labels = NULL;
        }
    }
    if (resource->reservation != NULL)
        protobuf_c_message_free_unpacked(&resource->reservation->base, NULL);
    resource->reservation = NULL;
    drop_role(resource);
}

void resources_add_message(struct resources *list, const Resource *resource)
{
    Resource *copy = copy_resource(resource);
    upgrade(copy);
    value_type(copy)->normalise(copy);
    put(list, copy);
}

bool resource_downgrade(Resource *resource)
{
    if (resource->n_reservations > 1)
        return false;
    drop_role(resource);
    if (resource->n_reservations == 0) {
        resource->role = memory_string("*");
        return true;
    }
    Reservation *reservation = resource->reservations[0];
    resource->role = reservation->role;
    reservation->role = NULL;
    if (reservation->type == MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC) {
        reservation->has_type = false;
        resource->reservation = reservation;
    } else {
        protobuf_c_message_free_unpacked(&reservation->base, NULL);
    }
    free(resource->reservations);
    resource->reservations = NULL;
    resource->n_reservations = 0;
    return true;
}
