// SPDX-License-Identifier: Apache-2.0
//
// The fields of an offer that placement uses, read from its wire bytes: the resources that tasks of
// the framework may use, and the attributes of its agent. A framework may use what is unreserved or
// reserved to the role that the offer is allocated to (in an offer to a framework with a single
// role, which names none: any that is reserved), and only whole what is a volume or a disk of its
// own. Amounts are whole thousandths, as masters and agents count, so 0.1 ten times is 1.

#ifndef MESOS_LUA_OFFERS_OFFER_FIELDS_H
#define MESOS_LUA_OFFERS_OFFER_FIELDS_H

#include "base/buffer.h"
#include "wire/wire.h"

#include "mesos/v1/mesos.pb-c.h"

struct offer_resource {
    struct slice wire; // the Resource message
    struct slice name;
    struct slice scalar, ranges; // one has its data set
    bool reserved, revocable;
    bool whole; // a volume or a disk of its own: tasks are given no pieces of it
};

// A walk over the resources that the framework may use.
struct offer_walk {
    struct slice offer;
    struct wire wire;
};

struct offer_walk offer_fields_walk(struct slice offer);
bool offer_fields_next(struct offer_walk *walk, struct offer_resource *resource);

// How much of a resource is reserved to other roles than the offer's, in thousandths; one of those
// roles.
double offer_fields_elsewhere(struct slice offer, struct slice name, struct slice *role);

// Of a scalar its value, of ranges the number of values in them, in thousandths.
double offer_fields_amount(const struct offer_resource *resource);

double offer_fields_scalar(struct slice scalar); // the value of a Value.Scalar

// The next range of the ranges that were opened. Empty ones are skipped.
struct offer_range {
    uint64_t first, last;
};

bool offer_fields_next_range(struct wire *ranges, struct offer_range *range);
void offer_fields_sort_ranges(struct offer_range *ranges, size_t count); // they mostly are

struct slice offer_fields_id(struct slice offer);
struct slice offer_fields_role(struct slice offer); // it is allocated to; data NULL: it names none

enum { ATTRIBUTE_TYPES = MESOS__V1__VALUE__TYPE__TEXT + 1 }; // those that we know

// The message that has the value of an attribute, by its type; data NULL: it has none of a known
// type.
struct slice offer_fields_attribute_value(struct slice attribute, int32_t *type);

// The type of the first attribute of that name; false if there is none of a known type.
bool offer_fields_attribute_type(struct slice offer, struct slice name, int32_t *type);

// What an attribute is compared with: a text, or a number if `text.data` is NULL.
struct offer_word {
    struct slice text;
    double number;
};

// True if the first attribute of that name is this text or a set that has it, this number or ranges
// that have it.
bool offer_fields_has_attribute(struct slice offer, struct slice name,
                                const struct offer_word *word);

// Appends the value of the first attribute of that name, for a person. False if there is none of a
// known type.
bool offer_fields_attribute_text(struct slice offer, struct slice name, struct buffer *text);

#endif
