// SPDX-License-Identifier: Apache-2.0
//
// Explanations for scripts: see explain.h. The need is read as the methods of lists of offers read
// it, so it may say the same and its errors are the same. The explanation is owned by a userdata,
// as the functions of the script may raise.

#include "bindings/scheduler/explain.h"

#include "bindings/core/scratch.h"
#include "bindings/core/userdata.h"
#include "bindings/message/view.h"
#include "bindings/offers/offer_need.h"
#include "bindings/scheduler/scheduler.h"
#include "mesos/explanation.h"
#include "wire/field_numbers.h"

#include "mesos/v1/mesos.pb-c.h"

#include <lauxlib.h>

enum { NEED = 2, TEXT_MOST = 64 << 10 };

static const char method[] = "explain", owner_type[] = "mesos.explanation";

struct explanation_owner {
    struct userdata base;
    struct explanation explanation;
};

static void end_owner(lua_State *L, struct userdata *userdata)
{
    (void)L;
    explanation_free(&((struct explanation_owner *)userdata)->explanation);
}

static struct slice text_at(lua_State *L, int index) // [-0, +0, -]
{
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    return (struct slice){.data = (const uint8_t *)text, .length = length};
}

// ---- the need ----

static void raise_many(lua_State *L) // [-0, +0, v]
{
    luaL_error(L, "%s: more than %d conditions", method, OFFER_EXPLAIN_REASONS);
}

static void read_attributes(lua_State *L, struct explanation *explanation) // [-0, +0, e]
{
    struct offer_word words[OFFER_WORDS];
    int table = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        size_t count = offer_need_words(L, method, lua_tostring(L, -2), words);
        if (!offer_explain_attribute(explanation->offers, text_at(L, -2), words, count))
            raise_many(L);
    }
}

// Asks the function on top about each offer that fits otherwise. // [-0, +0, e]
static void ask_where(lua_State *L, struct explanation *explanation)
{
    struct offer_explain *offers = explanation->offers;
    for (size_t i = 0; (i = offer_explain_next_fit(offers, i)) != OFFER_EXPLAIN_NONE; i++) {
        const struct offer_explain_row *row = offer_explain_row(offers, i);
        lua_pushvalue(L, -1);
        view_push(L, &mesos__v1__offer__descriptor, row->block, row->wire);
        lua_call(L, 1, 1);
        if (!lua_toboolean(L, -1) && !offer_explain_refuse(offers, i))
            raise_many(L);
        lua_pop(L, 1);
    }
}

static void read_need(lua_State *L, struct explanation *explanation) // [-0, +0, e]
{
    struct offer_packing_need need;
    int top = lua_gettop(L);
    offer_need_read(L, NEED, offer_explain_packing(explanation->offers), method, &need);
    if (!offer_explain_amounts(explanation->offers, &need))
        raise_many(L);
    if (lua_getfield(L, NEED, "role") == LUA_TSTRING &&
        !explanation_role(explanation, text_at(L, -1)))
        raise_many(L);
    if (lua_getfield(L, NEED, "attributes") == LUA_TTABLE)
        read_attributes(L, explanation);
    if (lua_getfield(L, NEED, "where") == LUA_TFUNCTION)
        ask_where(L, explanation);
    lua_settop(L, top);
    explanation_finish(explanation);
}

// ---- the answer ----

static void set_count(lua_State *L, const char *name, size_t count) // [-0, +0, m]
{
    lua_pushinteger(L, (lua_Integer)count);
    lua_setfield(L, -2, name);
}

static void set_amount(lua_State *L, const char *name, double thousandths) // [-0, +0, m]
{
    lua_pushnumber(L, thousandths > 0 ? thousandths / 1000 : 0);
    lua_setfield(L, -2, name);
}

static void set_slice(lua_State *L, const char *name, struct slice text) // [-0, +0, m]
{
    if (text.data == NULL)
        return;
    lua_pushlstring(L, (const char *)text.data, text.length);
    lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text) // [-0, +0, m]
{
    if (text == NULL)
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void set_texts(lua_State *L, const char *name, char *const *texts, size_t count)
{
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_pushstring(L, texts[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, name);
}

// Where an offer is from. // [-0, +0, m]
static void set_source(lua_State *L, const struct offer_explain_row *row)
{
    set_slice(L, "hostname", wire_find(row->wire, FIELD_OFFER_HOSTNAME));
    set_slice(L, "agent_id", wire_text(wire_find(row->wire, FIELD_OFFER_AGENT_ID)));
}

static const char *reason_name(const struct offer_reason *reason)
{
    static const char *const names[] = {[OFFER_REASON_ROLE] = "role",
                                        [OFFER_REASON_ATTRIBUTE] = "attribute",
                                        [OFFER_REASON_WHERE] = "where",
                                        [OFFER_REASON_LOST] = "agent lost"};
    return reason->kind == OFFER_REASON_RESOURCE ? reason->name : names[reason->kind];
}

static void set_resource(lua_State *L, const struct offer_reason *reason) // [-0, +0, m]
{
    set_amount(L, "needed", reason->needed);
    set_amount(L, "best", reason->best);
    if (reason->reserved > 0) {
        set_amount(L, "reserved", reason->reserved);
        set_text(L, "reserved_role", reason->reserved_role);
    }
    if (reason->revocable > 0)
        set_amount(L, "revocable", reason->revocable);
}

static void push_reason(lua_State *L, const struct offer_explain *offers,
                        const struct offer_reason *reason) // [-0, +1, m]
{
    const struct offer_explain_row *example = offer_explain_row(offers, reason->example);
    lua_createtable(L, 0, 8);
    set_text(L, "reason", reason_name(reason));
    set_count(L, "count", reason->count);
    set_count(L, "lately", reason->lately);
    set_slice(L, "example", example->id);
    set_source(L, example);
    if (reason->kind == OFFER_REASON_RESOURCE)
        set_resource(L, reason);
    if (reason->kind == OFFER_REASON_ATTRIBUTE)
        set_text(L, "name", reason->name);
    if (reason->kind == OFFER_REASON_LOST)
        set_count(L, "fits", reason->fits);
    if (reason->kind == OFFER_REASON_ATTRIBUTE || reason->kind == OFFER_REASON_ROLE) {
        set_text(L, "wanted", reason->wanted);
        set_texts(L, "seen", reason->seen, reason->seen_count);
        set_count(L, "absent", reason->absent);
    }
}

static void set_reasons(lua_State *L, const struct offer_explain *offers) // [-0, +0, m]
{
    size_t count = offer_explain_reasons(offers);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_reason(L, offers, offer_explain_reason(offers, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "reasons");
}

static void set_nearest(lua_State *L, const struct offer_explain *offers) // [-0, +0, m]
{
    size_t nearest = offer_explain_nearest(offers);
    if (nearest == OFFER_EXPLAIN_NONE)
        return;
    const struct offer_explain_row *row = offer_explain_row(offers, nearest);
    lua_createtable(L, 0, 5);
    set_slice(L, "offer", row->id);
    set_source(L, row);
    lua_pushboolean(L, row->outstanding);
    lua_setfield(L, -2, "outstanding");
    lua_newtable(L);
    for (size_t i = 0; i < offer_explain_reasons(offers); i++) {
        const struct offer_reason *reason = offer_explain_reason(offers, i);
        if (!(row->lacks & reason->bit))
            continue;
        if (reason->kind == OFFER_REASON_RESOURCE)
            lua_pushnumber(L,
                           (reason->needed - offer_explain_left(offers, reason, nearest)) / 1000);
        else
            lua_pushboolean(L, true);
        lua_setfield(L, -2,
                     reason->kind == OFFER_REASON_ATTRIBUTE ? reason->name : reason_name(reason));
    }
    lua_setfield(L, -2, "lacks");
    lua_setfield(L, -2, "nearest");
}

static void set_lately(lua_State *L, const struct offer_explain *offers) // [-0, +0, m]
{
    const struct offer_explain_sums *sums = offer_explain_sums(offers);
    lua_createtable(L, 0, 6);
    set_count(L, "offers", sums->lately.offers);
    set_count(L, "fits", sums->lately.fits);
    set_count(L, "declined", sums->lately.declined);
    set_count(L, "rescinded", sums->lately.rescinded);
    set_count(L, "used", sums->lately.used);
    set_count(L, "void", sums->lately.voided);
    lua_setfield(L, -2, "lately");
}

// ---- what the framework keeps the master from offering ----

static void push_filter(lua_State *L, const struct offer_explain *offers,
                        const struct offer_explain_row *row) // [-0, +1, m]
{
    lua_createtable(L, 0, 5);
    set_source(L, row);
    set_slice(L, "role", row->role);
    lua_pushnumber(L, offer_explain_seconds(offers, offer_explain_now(offers), row->filter));
    lua_setfield(L, -2, "seconds");
    lua_pushboolean(L, row->lacks == 0 && row->end != OFFER_END_ACCEPTED);
    lua_setfield(L, -2, "fits");
}

static void set_filters(lua_State *L, const struct offer_explain *offers) // [-0, +0, m]
{
    const size_t *rows, count = offer_explain_filters(offers, &rows);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_filter(L, offers, offer_explain_row(offers, rows[i]));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "filters");
    set_count(L, "filter_count", offer_explain_sums(offers)->filters);
}

static void set_held(lua_State *L, const struct offer_explain *offers) // [-0, +0, m]
{
    const struct offer_explain_sums *sums = offer_explain_sums(offers);
    lua_createtable(L, 0, 2);
    set_count(L, "offers", sums->offers);
    lua_pushnumber(L, sums->longest);
    lua_setfield(L, -2, "longest");
    lua_setfield(L, -2, "held");
}

static void set_withheld(lua_State *L, const struct explanation *explanation) // [-0, +0, m]
{
    lua_createtable(L, 0, 7);
    lua_pushboolean(L, explanation->registered);
    lua_setfield(L, -2, "registered");
    set_texts(L, "suppressed", explanation->suppressed.names, explanation->suppressed.count);
    set_texts(L, "constrained", explanation->constrained.names, explanation->constrained.count);
    if (explanation_foreign_role(explanation))
        set_text(L, "foreign_role", explanation->role);
    set_filters(L, explanation->offers);
    set_held(L, explanation->offers);
    lua_setfield(L, -2, "withheld");
}

static void set_sentences(lua_State *L, const struct explanation *explanation) // [-0, +0, e]
{
    struct buffer *text = scratch_push(L); // result, text
    text->limit = TEXT_MOST;
    explanation_write(explanation, text);
    lua_pushlstring(L, (const char *)text->data, text->length);
    lua_setfield(L, -3, "text");
    lua_pop(L, 1);
}

void explain_open(lua_State *L)
{
    userdata_type(L, owner_type);
    lua_pop(L, 1);
}

int l_explain(lua_State *L)
{
    const struct driver *driver = scheduler_driver(scheduler_handle_check(L));
    lua_settop(L, NEED);
    struct explanation_owner *owner = userdata_push(L, owner_type, sizeof *owner, 0, end_owner);
    struct explanation *explanation = &owner->explanation;
    explanation_init(explanation, driver);
    read_need(L, explanation);
    const struct offer_explain_sums *sums = offer_explain_sums(explanation->offers);
    lua_createtable(L, 0, 9);
    set_count(L, "fits", sums->fits);
    set_count(L, "offers", sums->offers);
    lua_pushnumber(L, sums->since);
    lua_setfield(L, -2, "since");
    set_reasons(L, explanation->offers);
    set_nearest(L, explanation->offers);
    set_lately(L, explanation->offers);
    set_withheld(L, explanation);
    set_sentences(L, explanation);
    explanation_free(explanation);
    return 1;
}
