// SPDX-License-Identifier: Apache-2.0
//
// A need as an operator writes it: "cpus=4,mem=1024,rack=b". See explanation.h.

#include "mesos/explanation.h"

#include "base/memory.h"
#include "base/suggest.h"
#include "offers/resource_names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 64, WORDS = 64 };
#define AMOUNT_MOST 1e12

struct need_part {
    char *name, *value;
};

struct need_text {
    char *text; // a copy, cut into parts
    struct need_part parts[PARTS];
    size_t count;
    bool revocable;
    struct offer_packing_need need;
};

static const char *const known[] = {"cpus", "mem", "disk", "gpus", "ports", "role", "revocable"};

static const char *known_name(const void *data, size_t index)
{
    (void)data;
    return index < sizeof known / sizeof *known ? known[index] : NULL;
}

// ---- parts ----

static bool add_part(struct need_text *text, char *part, struct error *err)
{
    char *equals = strchr(part, '=');
    if (equals == NULL || equals == part || equals[1] == '\0')
        return error_set(err, ERROR_INVALID,
                         "why: '%s': NAME=VALUE expected, such as cpus=4 or rack=b", part);
    if (text->count == PARTS)
        return error_set(err, ERROR_LIMIT, "why: more than %d conditions", PARTS);
    *equals = '\0';
    text->parts[text->count++] = (struct need_part){.name = part, .value = equals + 1};
    return true;
}

static bool split(struct need_text *text, struct error *err)
{
    char *state = NULL;
    for (char *part = strtok_r(text->text, ", \t\n", &state); part != NULL;
         part = strtok_r(NULL, ", \t\n", &state))
        if (!add_part(text, part, err))
            return false;
    return text->count > 0 ||
           error_set(err, ERROR_INVALID,
                     "why: what a task needs expected, such as: why cpus=4,mem=1024,rack=b");
}

static bool read_number(const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number);
}

// ---- amounts ----

// The type of the attribute on the first offer that has it; false if none has.
static bool attribute_type(const struct explanation *explanation, const char *name, int32_t *type)
{
    const struct offer_explain *offers = explanation->offers;
    for (size_t i = 0; i < offer_explain_rows(offers); i++)
        if (offer_fields_attribute_type(offer_explain_row(offers, i)->wire, slice_text(name), type))
            return true;
    return false;
}

static bool is_offered(struct explanation *explanation, const char *name)
{
    struct offer_packing *packing = offer_explain_packing(explanation->offers);
    uint32_t column = offer_packing_column(packing, slice_text(name), false);
    offer_packing_fill(packing);
    return column != OFFER_PACKING_NONE && offer_packing_present(packing, column);
}

static bool is_amount(struct explanation *explanation, const struct need_part *part)
{
    int32_t type;
    double number;
    if (resource_names_known(part->name))
        return true;
    return !attribute_type(explanation, part->name, &type) && read_number(part->value, &number) &&
           is_offered(explanation, part->name);
}

static bool add_amount(struct explanation *explanation, struct need_text *text,
                       const struct need_part *part, struct error *err)
{
    double value;
    struct offer_packing *packing = offer_explain_packing(explanation->offers);
    struct offer_packing_need *need = &text->need;
    if (!read_number(part->value, &value) || value < 0 || value > AMOUNT_MOST)
        return error_set(err, ERROR_INVALID, "why: %s: a number from 0 to 1e12 expected, got '%s'",
                         part->name, part->value);
    if (strcmp(part->name, "ports") == 0 && value != floor(value))
        return error_set(err, ERROR_INVALID,
                         "why: ports: how many, a whole number expected, got '%s'", part->value);
    struct slice name = slice_text(part->name);
    uint32_t revocable =
        text->revocable ? offer_packing_column(packing, name, true) : OFFER_PACKING_NONE;
    uint32_t column = offer_packing_column(packing, name, false);
    if (need->count == OFFER_PACKING_AMOUNTS || column == OFFER_PACKING_NONE)
        return error_set(err, ERROR_LIMIT, "why: more than %d resources", OFFER_PACKING_AMOUNTS);
    need->amounts[need->count++] = (struct offer_packing_amount){
        .column = column, .revocable = revocable, .thousandths = round(value * 1000)};
    return true;
}

// ---- attributes ----

static bool add_attribute(struct explanation *explanation, const struct need_part *part,
                          struct error *err)
{
    struct offer_word words[WORDS];
    size_t count = 0;
    int32_t type;
    char *state = NULL;
    bool there = attribute_type(explanation, part->name, &type);
    const char *near = there ? NULL : suggest_near(part->name, known_name, NULL);
    bool number =
        there && (type == MESOS__V1__VALUE__TYPE__SCALAR || type == MESOS__V1__VALUE__TYPE__RANGES);
    if (near != NULL)
        return error_set(err, ERROR_INVALID,
                         "why: no offer has a resource or an attribute '%s' (did you mean '%s'?)",
                         part->name, near);
    for (char *word = strtok_r(part->value, "|", &state); word != NULL;
         word = strtok_r(NULL, "|", &state)) {
        if (count == WORDS)
            return error_set(err, ERROR_LIMIT, "why: %s: more than %d values", part->name, WORDS);
        words[count] = (struct offer_word){.text = slice_text(word)};
        if (number && read_number(word, &words[count].number))
            words[count].text.data = NULL;
        count++;
    }
    if (count == 0)
        return error_set(err, ERROR_INVALID, "why: %s: a value expected", part->name);
    if (!offer_explain_attribute(explanation->offers, slice_text(part->name), words, count))
        return error_set(err, ERROR_LIMIT, "why: more than %d conditions", OFFER_EXPLAIN_REASONS);
    return true;
}

// ---- all ----

static bool read_options(struct need_text *text, struct error *err)
{
    for (size_t i = 0; i < text->count; i++) {
        const char *value = text->parts[i].value;
        if (strcmp(text->parts[i].name, "revocable") != 0)
            continue;
        text->revocable = strcmp(value, "true") == 0;
        if (!text->revocable && strcmp(value, "false") != 0)
            return error_set(err, ERROR_INVALID, "why: revocable: true or false expected, got '%s'",
                             value);
    }
    return true;
}

static bool is_option(const struct need_part *part)
{
    return strcmp(part->name, "revocable") == 0 || strcmp(part->name, "role") == 0;
}

static bool read_amounts(struct explanation *explanation, struct need_text *text, struct error *err)
{
    for (size_t i = 0; i < text->count; i++) {
        const struct need_part *part = &text->parts[i];
        if (!is_option(part) && is_amount(explanation, part) &&
            !add_amount(explanation, text, part, err))
            return false;
    }
    offer_packing_fill(offer_explain_packing(explanation->offers));
    offer_explain_amounts(explanation->offers, &text->need);
    return true;
}

static bool read_others(struct explanation *explanation, struct need_text *text, struct error *err)
{
    for (size_t i = 0; i < text->count; i++) {
        const struct need_part *part = &text->parts[i];
        if (strcmp(part->name, "role") == 0)
            explanation_role(explanation, slice_text(part->value));
        else if (!is_option(part) && !is_amount(explanation, part) &&
                 !add_attribute(explanation, part, err))
            return false;
    }
    return true;
}

bool explanation_read(struct explanation *explanation, struct slice argument, struct error *err)
{
    struct need_text text = {.text = memory_text((const char *)argument.data, argument.length)};
    bool good = split(&text, err) && read_options(&text, err) &&
                read_amounts(explanation, &text, err) && read_others(explanation, &text, err);
    free(text.text);
    return good;
}
