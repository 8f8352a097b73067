// SPDX-License-Identifier: Apache-2.0
//
// An explanation in sentences, for an operator. See explanation.h.

#include "mesos/explanation.h"

#include "wire/field_numbers.h"
#include "wire/wire.h"

#include <stdlib.h>

enum { FILTERS_NAMED = 5 };

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

// "12 s", "3 min 5 s", "2 h 3 min"
static void write_time(struct buffer *text, double seconds)
{
    enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
    long whole = (long)seconds;
    if (seconds < 10)
        buffer_format(text, "%.1f s", seconds);
    else if (whole < MINUTE)
        buffer_format(text, "%ld s", whole);
    else if (whole < HOUR)
        buffer_format(text, "%ld min %ld s", whole / MINUTE, whole % MINUTE);
    else if (whole < DAY)
        buffer_format(text, "%ld h %ld min", whole / HOUR, whole % HOUR / MINUTE);
    else
        buffer_format(text, "%ld days %ld h", whole / DAY, whole % DAY / HOUR);
}

static void write_amount(struct buffer *text, double thousandths)
{
    buffer_format(text, "%.14g", thousandths > 0 ? thousandths / 1000 : 0);
}

// "agent1.test (offer 'X-O3')"
static void write_offer(struct buffer *text, const struct offer_explain_row *row)
{
    buffer_format(text, "%.*s (offer '%.*s')",
                  SLICE_ARGS(wire_find(row->wire, FIELD_OFFER_HOSTNAME)),
                  SLICE_ARGS(offer_fields_id(row->wire)));
}

static void write_list(struct buffer *text, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_format(text, "%s'%s'", i == 0 ? "" : i + 1 == count ? " and " : ", ", names[i]);
}

// ---- reasons ----

// "3 offers", "3 offers and 2 earlier ones"
static void write_counts(struct buffer *text, const struct offer_reason *reason)
{
    if (reason->count > 0)
        buffer_format(text, "%zu offer%s", reason->count, plural(reason->count));
    if (reason->count > 0 && reason->lately > 0)
        buffer_format(text, " and %zu earlier one%s", reason->lately, plural(reason->lately));
    else if (reason->lately > 0)
        buffer_format(text, "%zu earlier offer%s", reason->lately, plural(reason->lately));
}

static const char *verb(const struct offer_reason *reason, const char *one, const char *several)
{
    return reason->count + reason->lately == 1 ? one : several;
}

static void write_resource(const struct explanation *explanation, const struct offer_reason *reason,
                           struct buffer *text)
{
    buffer_format(text, "- %s: ", reason->name);
    write_amount(text, reason->needed);
    buffer_append_text(text, " needed; ");
    write_counts(text, reason);
    buffer_format(text, " %s less, the most is ", verb(reason, "has", "have"));
    write_amount(text, reason->best);
    buffer_append_text(text, " on ");
    write_offer(text, offer_explain_row(explanation->offers, reason->example));
    buffer_append_text(text, ".\n");
    if (reason->reserved > 0) {
        buffer_append_text(text, "  Up to ");
        write_amount(text, reason->reserved);
        buffer_format(text, " more of an offer is reserved for the role '%s'.\n",
                      reason->reserved_role);
    }
    if (reason->revocable > 0) {
        buffer_append_text(text, "  Up to ");
        write_amount(text, reason->revocable);
        buffer_append_text(text, " of an offer is revocable, and counts with revocable=true only."
                                 "\n");
    }
}

static void write_seen(const struct offer_reason *reason, struct buffer *text)
{
    size_t all = reason->count + reason->lately;
    if (reason->absent == all) {
        buffer_format(text, "%s none", verb(reason, "has", "have"));
        return;
    }
    buffer_format(text, "%s ", verb(reason, "has", "have"));
    for (size_t i = 0; i < reason->seen_count; i++)
        buffer_format(text, "%s'%s'", i == 0 ? "" : " or ", reason->seen[i]);
    if (reason->seen_count == OFFER_EXPLAIN_SEEN)
        buffer_append_text(text, " or others");
    if (reason->absent > 0)
        buffer_format(text, ", or none");
}

static void write_attribute(const struct offer_reason *reason, struct buffer *text)
{
    buffer_format(text, "- attribute %s: %s wanted; ", reason->name, reason->wanted);
    write_counts(text, reason);
    buffer_append_text(text, " ");
    write_seen(reason, text);
    buffer_append_text(text, ".\n");
    if (reason->other_type)
        buffer_append_text(text, "  The offers have it in another type: a text is never equal to a "
                                 "number.\n");
}

static void write_role(const struct offer_reason *reason, struct buffer *text)
{
    buffer_format(text, "- role: %s wanted; ", reason->wanted);
    write_counts(text, reason);
    buffer_append_text(text, reason->seen_count > 0 ? " made to " : " named no role");
    for (size_t i = 0; i < reason->seen_count; i++)
        buffer_format(text, "%s'%s'", i == 0 ? "" : " or ", reason->seen[i]);
    buffer_append_text(text, ".\n");
}

static void write_lost(const struct offer_reason *reason, struct buffer *text)
{
    buffer_format(text, "- %zu agent%s that made offers %s lost", reason->lately,
                  plural(reason->lately), reason->lately == 1 ? "was" : "were");
    if (reason->fits > 0)
        buffer_format(text, "; the offer of %zu would have fitted", reason->fits);
    buffer_append_text(text, ".\n");
}

static void write_reason(const struct explanation *explanation, const struct offer_reason *reason,
                         struct buffer *text)
{
    switch (reason->kind) {
    case OFFER_REASON_RESOURCE:
        write_resource(explanation, reason, text);
        break;
    case OFFER_REASON_ATTRIBUTE:
        write_attribute(reason, text);
        break;
    case OFFER_REASON_ROLE:
        write_role(reason, text);
        break;
    case OFFER_REASON_WHERE:
        buffer_append_text(text, "- where: it was false for ");
        write_counts(text, reason);
        buffer_append_text(text, " that would fit otherwise.\n");
        break;
    case OFFER_REASON_LOST:
        write_lost(reason, text);
        break;
    }
}

static void write_nearest(const struct explanation *explanation, struct buffer *text)
{
    const struct offer_explain *offers = explanation->offers;
    size_t nearest = offer_explain_nearest(offers), written = 0;
    if (nearest == OFFER_EXPLAIN_NONE || offer_explain_reasons(offers) == 0)
        return;
    const struct offer_explain_row *row = offer_explain_row(offers, nearest);
    buffer_append_text(text, "The nearest is ");
    write_offer(text, row);
    buffer_append_text(text, row->outstanding ? ": it lacks " : ", an earlier one: it lacked ");
    for (size_t i = 0; i < offer_explain_reasons(offers); i++) {
        const struct offer_reason *reason = offer_explain_reason(offers, i);
        if (!(row->lacks & reason->bit))
            continue;
        buffer_append_text(text, written++ > 0 ? " and " : "");
        if (reason->kind == OFFER_REASON_RESOURCE)
            write_amount(text, reason->needed - offer_explain_left(offers, reason, nearest));
        buffer_format(text, "%s%s",
                      reason->kind == OFFER_REASON_RESOURCE    ? " "
                      : reason->kind == OFFER_REASON_ATTRIBUTE ? "the attribute "
                                                               : "the ",
                      reason->kind == OFFER_REASON_WHERE ? "condition" : reason->name);
    }
    buffer_append_text(text, ".\n");
}

// ---- the first sentence ----

static const struct offer_explain_row *first_fit(const struct offer_explain *offers)
{
    for (size_t i = 0; i < offer_explain_rows(offers); i++) {
        const struct offer_explain_row *row = offer_explain_row(offers, i);
        if (row->outstanding && row->lacks == 0)
            return row;
    }
    return NULL;
}

static void write_fit(const struct explanation *explanation, struct buffer *text)
{
    const struct offer_explain_sums *sums = offer_explain_sums(explanation->offers);
    const struct offer_explain_row *row = first_fit(explanation->offers);
    buffer_format(text, "%zu of %zu outstanding offer%s %s, such as ", sums->fits, sums->offers,
                  plural(sums->offers), sums->fits == 1 ? "fits" : "fit");
    write_offer(text, row);
    buffer_append_text(text, ": the framework holds it, and has not used it for ");
    write_time(text, offer_explain_seconds(explanation->offers, row->arrival,
                                           offer_explain_now(explanation->offers)));
    buffer_append_text(text, ".\n");
}

static void write_since(const struct offer_explain_sums *sums, struct buffer *text)
{
    buffer_append_text(text, sums->known ? "The last that fitted ended " : "None has fitted for ");
    write_time(text, sums->since);
    buffer_append_text(text, sums->known ? " ago.\n" : ", which is as far as is known.\n");
}

static void write_verdict(const struct explanation *explanation, struct buffer *text)
{
    const struct offer_explain_sums *sums = offer_explain_sums(explanation->offers);
    if (!explanation->registered)
        buffer_append_text(text, "The framework is not registered with a master, so nothing is "
                                 "offered to it.\n");
    if (sums->fits > 0) {
        write_fit(explanation, text);
        return;
    }
    if (sums->offers == 0)
        buffer_append_text(text, "No offer is outstanding. ");
    else if (sums->offers == 1)
        buffer_append_text(text, "The outstanding offer does not fit. ");
    else
        buffer_format(text, "None of the %zu outstanding offers fits. ", sums->offers);
    write_since(sums, text);
}

static void write_part(struct buffer *text, size_t count, const char *what, size_t *written)
{
    if (count > 0)
        buffer_format(text, "%s%zu %s", (*written)++ > 0 ? ", " : "", count, what);
}

static void write_lately(const struct explanation *explanation, struct buffer *text)
{
    const struct offer_explain_sums *sums = offer_explain_sums(explanation->offers);
    size_t written = 0, count = sums->lately.offers;
    if (count == 0)
        return;
    buffer_format(text, "Earlier, %zu agent%s made offers that ended (", count, plural(count));
    write_part(text, sums->lately.declined, "declined", &written);
    write_part(text, sums->lately.used, "used", &written);
    write_part(text, sums->lately.rescinded, "rescinded", &written);
    write_part(text, sums->lately.voided, "void with the connection", &written);
    write_part(text, sums->lately.unknown, "answered", &written);
    buffer_append_text(text, ")");
    if (sums->lately.used < count)
        buffer_format(text, "; %zu of those that were not used would have fitted",
                      sums->lately.fits);
    buffer_append_text(text, ".\n");
}

// ---- what the framework does itself ----

static void write_filter(const struct explanation *explanation, const struct offer_explain_row *row,
                         struct buffer *text)
{
    bool fits = row->lacks == 0 && row->end != OFFER_END_ACCEPTED;
    struct slice role = offer_fields_role(row->wire);
    buffer_format(text, "  %.*s", SLICE_ARGS(wire_find(row->wire, FIELD_OFFER_HOSTNAME)));
    if (role.data != NULL)
        buffer_format(text, " for the role '%.*s'", SLICE_ARGS(role));
    buffer_append_text(text, ": ");
    write_time(text, offer_explain_seconds(explanation->offers,
                                           offer_explain_now(explanation->offers), row->filter));
    buffer_format(text, " more%s\n", fits ? ", and its offer would fit" : "");
}

static void write_filters(const struct explanation *explanation, struct buffer *text)
{
    const size_t *rows, count = offer_explain_sums(explanation->offers)->filters;
    size_t listed = offer_explain_filters(explanation->offers, &rows);
    if (count == 0)
        return;
    buffer_format(text, "%zu filter%s of the framework %s (driver:reviveOffers() drops them):\n",
                  count, plural(count), count == 1 ? "runs" : "run");
    for (size_t i = 0; i < listed && i < FILTERS_NAMED; i++)
        write_filter(explanation, offer_explain_row(explanation->offers, rows[i]), text);
    if (count > FILTERS_NAMED)
        buffer_format(text, "  and %zu others\n", count - FILTERS_NAMED);
}

static void write_roles(const struct explanation *explanation, struct buffer *text)
{
    const struct roles *suppressed = &explanation->suppressed;
    const struct roles *constrained = &explanation->constrained;
    if (explanation_foreign_role(explanation)) {
        buffer_format(text, "The framework has not subscribed with the role '%s', only with ",
                      explanation->role);
        write_list(text, explanation->roles.names, explanation->roles.count);
        buffer_append_text(text, ".\n");
    }
    if (suppressed->count > 0) {
        buffer_format(text, "Offers are suppressed for the role%s ", plural(suppressed->count));
        write_list(text, suppressed->names, suppressed->count);
        buffer_append_text(text, " (driver:reviveOffers() ends that).\n");
    }
    if (constrained->count > 0) {
        buffer_format(text, "Offer constraints keep agents away for the role%s ",
                      plural(constrained->count));
        write_list(text, constrained->names, constrained->count);
        buffer_append_text(text, ".\n");
    }
}

static void write_held(const struct explanation *explanation, struct buffer *text)
{
    const struct offer_explain_sums *sums = offer_explain_sums(explanation->offers);
    if (sums->offers == 0)
        return;
    buffer_format(text, "The framework holds %zu offer%s, the oldest for ", sums->offers,
                  plural(sums->offers));
    write_time(text, sums->longest);
    buffer_append_text(text, "; what it holds is not offered again.\n");
}

void explanation_write(const struct explanation *explanation, struct buffer *text)
{
    const struct offer_explain *offers = explanation->offers;
    write_verdict(explanation, text);
    for (size_t i = 0; i < offer_explain_reasons(offers); i++)
        write_reason(explanation, offer_explain_reason(offers, i), text);
    write_nearest(explanation, text);
    write_lately(explanation, text);
    write_roles(explanation, text);
    write_filters(explanation, text);
    write_held(explanation, text);
}
