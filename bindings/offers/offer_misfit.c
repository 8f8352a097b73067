// SPDX-License-Identifier: Apache-2.0
//
// Reasons: see offer_misfit.h. They are searched in the order in which a script would fix them: no
// offer at all, none that the task may use, too little of a resource.

#include "bindings/offers/offer_misfit.h"

#include "base/log.h"
#include "bindings/offers/offer_need.h"
#include "offers/offer_shortage.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

static const char warned[] = "mesos.warned_needs"; // registry: places in scripts

enum { WARNED_MOST = 1000, WORDS_NAMED = 3 };

struct asking {
    lua_State *L;
    const struct offer_list_index *selection;
    struct offer_word words[OFFER_WORDS];
    size_t word_count;
};

// ---- words of the need ----

static void add_word(luaL_Buffer *text, const struct offer_word *word)
{
    char number[32];
    if (word->text.data == NULL) {
        snprintf(number, sizeof number, "%.14g", word->number);
        luaL_addstring(text, number);
        return;
    }
    luaL_addchar(text, '\'');
    luaL_addlstring(text, (const char *)word->text.data, word->text.length);
    luaL_addchar(text, '\'');
}

// "'a' or 'b'" // [-0, +1, m]
static const char *push_words(struct asking *asking)
{
    luaL_Buffer text;
    luaL_buffinit(asking->L, &text);
    for (size_t i = 0; i < asking->word_count && i < WORDS_NAMED; i++) {
        if (i > 0)
            luaL_addstring(&text, " or ");
        add_word(&text, &asking->words[i]);
    }
    if (asking->word_count > WORDS_NAMED)
        luaL_addstring(&text, " or others");
    luaL_pushresult(&text);
    return lua_tostring(asking->L, -1);
}

// ---- attributes ----

// The type in which an offer of the list has the attribute, if that is another than all words have;
// -1 if none has it so.
static int32_t other_type(const struct asking *asking, struct slice name)
{
    const struct offer_list_index *selection = asking->selection;
    bool text = asking->words[0].text.data != NULL;
    for (size_t i = 1; i < asking->word_count; i++)
        if ((asking->words[i].text.data != NULL) != text)
            return -1;
    for (size_t i = 0; i < selection->count; i++) {
        int32_t type;
        struct slice wire = offer_packing_wire(selection->stock, selection->rows[i]);
        if (offer_packing_spent(selection->stock, selection->rows[i]) == NULL &&
            offer_fields_attribute_type(wire, name, &type) &&
            (type == MESOS__V1__VALUE__TYPE__TEXT || type == MESOS__V1__VALUE__TYPE__SET) != text)
            return type;
    }
    return -1;
}

// Logs the text on top, once for each line of the script. // [-0, +0, e]
static void warn_once(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, warned); // text, warned
    luaL_where(L, 1);                               // text, warned, where
    lua_pushvalue(L, -1);                           // text, warned, where, where
    if (lua_rawget(L, -3) == LUA_TNIL && lua_rawlen(L, -3) < WARNED_MOST) {
        log_warning("%s%s: %s", lua_tostring(L, -2), offer_list_index_method(L),
                    lua_tostring(L, -4));
        lua_pushvalue(L, -2);     // text, warned, where, nil, where
        lua_pushboolean(L, true); // text, warned, where, nil, where, true
        lua_rawset(L, -5);        // text, warned, where, nil
        lua_pushboolean(L, true);
        lua_rawseti(L, -4, (lua_Integer)lua_rawlen(L, -4) + 1);
    }
    lua_pop(L, 3);
}

// [-0, +1, e]
static void push_attribute(struct asking *asking, const char *name, struct slice text)
{
    lua_State *L = asking->L;
    int32_t type = other_type(asking, text);
    const char *words = push_words(asking);
    bool number = asking->words[0].text.data == NULL;
    if (type < 0) {
        lua_pushfstring(L, "attribute %s: %s wanted, on no offer", name, words);
    } else {
        lua_pushfstring(L,
                        "attribute %s: %s wanted, on no offer: it is a %s there, and a %s is never "
                        "equal to one",
                        name, words, number ? "text" : "number", number ? "number" : "text");
        warn_once(L);
    }
    lua_remove(L, -2);
}

// How many outstanding offers of the list a mask lets pass.
static size_t count_allowed(const struct offer_list_index *selection, const uint8_t *mask)
{
    size_t count = 0;
    for (size_t i = 0; i < selection->count; i++)
        count += mask[selection->rows[i]] &&
                 offer_packing_spent(selection->stock, selection->rows[i]) == NULL;
    return count;
}

static struct slice text_at(lua_State *L, int index) // [-0, +0, -]
{
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    return (struct slice){.data = (const uint8_t *)text, .length = length};
}

// An empty mask, as large as the stock. // [-0, +1, m]
static uint8_t *push_mask(struct asking *asking)
{
    size_t rows = offer_packing_rows(asking->selection->stock);
    uint8_t *mask = lua_newuserdatauv(asking->L, rows, 0);
    memset(mask, 1, rows);
    return mask;
}

// True if no offer has the attribute whose name is at that index, with the value above it. Its
// words are noted. // [-0, +0, e]
static bool is_nowhere(struct asking *asking, int name)
{
    lua_State *L = asking->L;
    struct offer_packing *stock = asking->selection->stock;
    uint8_t *mask = push_mask(asking);
    lua_pushvalue(L, name + 1);
    asking->word_count =
        offer_need_words(L, offer_list_index_method(L), lua_tostring(L, name), asking->words);
    offer_packing_mask_attribute(stock, text_at(L, name), asking->words, asking->word_count, mask);
    lua_pop(L, 2);
    return count_allowed(asking->selection, mask) == 0;
}

// The first by name of the attributes that no offer has so. // [-0, +1|0, e]
static bool push_attribute_reason(struct asking *asking)
{
    lua_State *L = asking->L;
    if (lua_getfield(L, ARGUMENT, "attributes") != LUA_TTABLE) {
        lua_pop(L, 1);
        return false;
    }
    int table = lua_gettop(L);
    lua_pushnil(L); // the name
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        bool first = lua_isnil(L, table + 1) || lua_compare(L, -2, table + 1, LUA_OPLT);
        if (!first || !is_nowhere(asking, lua_gettop(L) - 1))
            continue;
        lua_pushvalue(L, -2);
        lua_replace(L, table + 1);
    }
    bool found = !lua_isnil(L, table + 1);
    if (found) {
        lua_pushvalue(L, table + 1);
        lua_rawget(L, table);
        is_nowhere(asking, table + 1); // for the words
        push_attribute(asking, lua_tostring(L, table + 1), text_at(L, table + 1));
        lua_replace(L, table);
    }
    lua_settop(L, found ? table : table - 1);
    return found;
}

// [-0, +1|0, e]
static bool push_role_reason(struct asking *asking)
{
    lua_State *L = asking->L;
    if (lua_getfield(L, ARGUMENT, "role") != LUA_TSTRING) {
        lua_pop(L, 1);
        return false;
    }
    uint8_t *mask = push_mask(asking);
    offer_packing_mask_role(asking->selection->stock, text_at(L, -2), mask);
    bool nowhere = count_allowed(asking->selection, mask) == 0;
    if (nowhere) {
        lua_pushfstring(L, "role: no offer is allocated to '%s'", lua_tostring(L, -2));
        lua_replace(L, -3);
    }
    lua_pop(L, nowhere ? 1 : 2);
    return nowhere;
}

// ---- amounts ----

static const char *push_amount(lua_State *L, double thousandths) // [-0, +1, m]
{
    char text[32];
    snprintf(text, sizeof text, "%.14g", thousandths > 0 ? thousandths / 1000 : 0);
    return lua_pushstring(L, text);
}

// [-0, +1, m]
static void push_amount_reason(struct asking *asking, const struct offer_shortage *shortage)
{
    lua_State *L = asking->L;
    int top = lua_gettop(L);
    const char *name = offer_packing_name(asking->selection->stock, shortage->amount->column);
    const char *needed = push_amount(L, shortage->amount->thousandths);
    if (shortage->most < shortage->amount->thousandths) {
        lua_pushfstring(L, "%s: %s needed, most on one offer %s", name, needed,
                        push_amount(L, shortage->most));
    } else {
        struct slice id =
            offer_fields_id(offer_packing_wire(asking->selection->stock, shortage->nearest));
        const char *left = push_amount(L, shortage->left);
        lua_pushlstring(L, (const char *)id.data, id.length);
        lua_pushfstring(L, "%s: %s needed, %s on the offer that lacks least ('%s')", name, needed,
                        left, lua_tostring(L, -1));
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

void offer_misfit_push(lua_State *L, const struct offer_list_index *selection)
{
    struct asking asking = {.L = L, .selection = selection};
    struct offer_packing_need need;
    int top = lua_gettop(L);
    offer_need_read(L, ARGUMENT, selection->stock, offer_list_index_method(L), &need);
    struct offer_shortage shortage =
        offer_shortage_find(selection->stock, &need, selection->rows, selection->count);
    if (shortage.live == 0)
        lua_pushstring(L, selection->count > 0 ? "no offer of the list is outstanding any more"
                                               : "the list has no offers");
    else if (shortage.allowed > 0 && shortage.amount != NULL)
        push_amount_reason(&asking, &shortage);
    else if (shortage.allowed > 0)
        lua_pushliteral(L, "where: it was true for no offer that the task fits");
    else if (!push_role_reason(&asking) && !push_attribute_reason(&asking))
        lua_pushliteral(L, "role and attributes: no offer has all that is wanted");
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}
