// SPDX-License-Identifier: Apache-2.0
//
// The methods of lists of offers: see offer_list.h. They set up what they know of a list with
// offer_list_index_open() and leave the arithmetic to its stock. sum, filter, sort_by, ids and
// first_fit notice every change of the list, best_fit and worst_fit those of its length and of the
// place that they choose.
//
// Functions of the script are called with everything on the Lua stack, so they may raise, or use
// the same list.

#include "bindings/offers/offer_list.h"

#include "base/suggest.h"
#include "bindings/core/dot_call.h"
#include "bindings/core/scratch.h"
#include "bindings/message/view.h"
#include "bindings/offers/offer_list_index.h"
#include "bindings/offers/offer_misfit.h"
#include "bindings/offers/offer_need.h"
#include "bindings/offers/resource_list.h"
#include "mesos/v1/mesos.pb-c.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Calls the function at that index with the offer of the row. // [-0, +1, e]
static void ask(lua_State *L, int function, uint32_t row)
{
    lua_pushvalue(L, function);
    offer_list_index_push_offer(L, SELECTION, row);
    lua_call(L, 1, 1);
}

static bool answer(lua_State *L, int function, uint32_t row) // [-0, +0, e]
{
    if (lua_isnil(L, function))
        return true;
    ask(L, function, row);
    bool yes = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return yes;
}

// ---- best_fit, first_fit, worst_fit ----

// Where to look for changes of a list in which `place` was chosen, or none.
static bool choice_stands(lua_State *L, const struct offer_list_index *selection,
                          enum offer_packing_order order, const size_t *place)
{
    if (order != OFFER_PACKING_FIRST)
        return place == NULL || offer_list_index_unchanged(L, selection, *place, *place + 1);
    return offer_list_index_unchanged(L, selection, 0, place ? *place + 1 : selection->count);
}

// The same as offer_packing_choose(), where the function at that index can reject an offer. // [-0,
// +0, e]
static bool choose_with(lua_State *L, const struct offer_list_index *selection,
                        struct offer_packing_search *search, int function, size_t *chosen)
{
    bool found = false;
    for (size_t place; offer_packing_next(selection->stock, search, &place);) {
        if (!answer(L, function, selection->rows[place]))
            continue;
        offer_packing_accept(search);
        *chosen = place;
        found = true;
    }
    return found;
}

// The need is at ARGUMENT. False if there is no place. // [-0, +0, e]
static bool choose(lua_State *L, const struct offer_list_index *selection,
                   enum offer_packing_order order, size_t *chosen)
{
    enum { WHERE = SELECTION + 2 };
    struct offer_packing_need need;
    offer_need_read(L, ARGUMENT, selection->stock, offer_list_index_method(L), &need); // its mask
    bool asks = lua_getfield(L, ARGUMENT, "where") != LUA_TNIL;
    struct offer_packing_search search =
        offer_packing_search(&need, order, selection->rows, selection->count);
    bool found = asks ? choose_with(L, selection, &search, WHERE, chosen)
                      : offer_packing_choose(selection->stock, &search, chosen);
    lua_settop(L, SELECTION);
    return found;
}

// A list that was changed in place is searched once more.
static int fit(lua_State *L, enum offer_packing_order order)
{
    size_t place;
    struct offer_list_index *selection = offer_list_index_open(L);
    bool found = choose(L, selection, order, &place);
    if (!choice_stands(L, selection, order, found ? &place : NULL)) {
        selection = offer_list_index_renew(L);
        found = choose(L, selection, order, &place);
    }
    if (found) {
        offer_list_index_push_offer(L, SELECTION, selection->rows[place]);
        return 1;
    }
    lua_pushnil(L);
    offer_misfit_push(L, selection);
    return 2;
}

static int l_best_fit(lua_State *L)
{
    return fit(L, OFFER_PACKING_BEST);
}

static int l_first_fit(lua_State *L)
{
    return fit(L, OFFER_PACKING_FIRST);
}

static int l_worst_fit(lua_State *L)
{
    return fit(L, OFFER_PACKING_WORST);
}

// ---- take, left ----

// The row of the offer, or offer id, at ARGUMENT. // [-0, +0, v]
static uint32_t check_offer(lua_State *L, const struct offer_list_index *selection)
{
    struct view_content content;
    struct slice id = {.data = NULL};
    if (lua_type(L, ARGUMENT) == LUA_TSTRING)
        id.data = (const uint8_t *)lua_tolstring(L, ARGUMENT, &id.length);
    else if (view_get(L, ARGUMENT, &content) && content.type == &mesos__v1__offer__descriptor)
        id = offer_fields_id(content.slice);
    else
        luaL_error(L, "%s: an offer expected, got %s", offer_list_index_method(L),
                   luaL_typename(L, ARGUMENT));
    uint32_t row = offer_packing_find(selection->stock, id);
    if (row == OFFER_PACKING_NONE)
        luaL_error(L, "%s: offer '%s' is not of this list", offer_list_index_method(L),
                   lua_pushlstring(L, (const char *)id.data, id.length));
    return row;
}

static void push_id(lua_State *L, const struct offer_packing *stock, uint32_t row) // [-0, +1, m]
{
    struct slice id = offer_fields_id(offer_packing_wire(stock, row));
    lua_pushlstring(L, (const char *)id.data, id.length);
}

// Pushes nil and why nothing can be taken of the row, or nothing. // [-0, +2|0, m]
static int push_refusal(lua_State *L, struct offer_packing *stock,
                        const struct offer_packing_need *need, uint32_t row)
{
    const char *spent = offer_packing_spent(stock, row);
    const struct offer_packing_amount *lacking = offer_packing_lacking(stock, need, row);
    if (spent == NULL && lacking == NULL)
        return 0;
    push_id(L, stock, row);
    const char *id = lua_tostring(L, -1);
    lua_pushnil(L);
    if (spent != NULL)
        lua_pushfstring(L, "offer '%s' cannot be used: it %s", id, spent);
    else
        lua_pushfstring(L, "offer '%s' has too little left of %s: %f of %f", id,
                        offer_packing_name(stock, lacking->column),
                        offer_packing_left(stock, lacking->column, row) / 1000,
                        lacking->thousandths / 1000);
    return 2;
}

// offers:take(offer, need): what a task is given of the offer, or nil and a message.
static int l_take(lua_State *L)
{
    struct offer_packing_need need;
    struct offer_list_index *selection = offer_list_index_open(L);
    struct offer_packing *stock = selection->stock;
    uint32_t row = check_offer(L, selection);
    offer_need_amounts(L, SECOND, stock, offer_list_index_method(L), &need);
    if (push_refusal(L, stock, &need, row) > 0)
        return 2;
    struct buffer *buffer = scratch_push(L);
    if (!offer_packing_take(stock, &need, row, buffer))
        luaL_error(L, "%s: more resources than a message may have", offer_list_index_method(L));
    resource_list_push(L, buffer_slice(buffer));
    return 1;
}

static const char *const amounts[] = {"cpus", "mem", "disk", "gpus", "ports"};

enum { AMOUNTS = sizeof amounts / sizeof *amounts };

static uint32_t check_column(lua_State *L, struct offer_packing *stock, struct slice name)
{
    uint32_t column = offer_packing_column(stock, name, false);
    if (column == OFFER_PACKING_NONE)
        luaL_error(L, "%s: these offers were asked for too many different resources (%d)",
                   offer_list_index_method(L), OFFER_PACKING_COLUMNS);
    return column;
}

static struct slice check_name(lua_State *L, int index)
{
    struct slice name;
    name.data = (const uint8_t *)luaL_checklstring(L, index, &name.length);
    return name;
}

// What is left of a resource in these rows, in thousandths; `rows` of spent offers have nothing.
static double total(struct offer_packing *stock, uint32_t column, const uint32_t *rows,
                    size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        if (offer_packing_spent(stock, rows[i]) == NULL)
            sum += offer_packing_left(stock, column, rows[i]);
    return sum;
}

// The name at `index`, or nothing: then a table of the usual ones. // [-0, +1, e]
static int push_totals(lua_State *L, struct offer_packing *stock, int index, const uint32_t *rows,
                       size_t count)
{
    uint32_t columns[AMOUNTS];
    if (!lua_isnil(L, index)) {
        columns[0] = check_column(L, stock, check_name(L, index));
        offer_packing_fill(stock);
        lua_pushnumber(L, total(stock, columns[0], rows, count) / 1000);
        return 1;
    }
    for (size_t i = 0; i < AMOUNTS; i++)
        columns[i] = check_column(L, stock, slice_text(amounts[i]));
    offer_packing_fill(stock);
    lua_createtable(L, 0, AMOUNTS);
    for (size_t i = 0; i < AMOUNTS; i++) {
        lua_pushnumber(L, total(stock, columns[i], rows, count) / 1000);
        lua_setfield(L, -2, amounts[i]);
    }
    return 1;
}

static int l_left(lua_State *L)
{
    struct offer_list_index *selection = offer_list_index_open(L);
    uint32_t row = check_offer(L, selection);
    return push_totals(L, selection->stock, SECOND, &row, 1);
}

static int l_sum(lua_State *L)
{
    struct offer_list_index *selection = offer_list_index_open_whole(L);
    return push_totals(L, selection->stock, ARGUMENT, selection->rows, selection->count);
}

// ---- filter, sort_by, ids ----

// The need at ARGUMENT, or the function there. // [-0, +0, e]
static size_t select_places(lua_State *L, const struct offer_list_index *selection,
                            uint32_t *places)
{
    struct offer_packing_need need = {.count = 0};
    size_t count = 0;
    if (lua_isfunction(L, ARGUMENT)) {
        lua_pushnil(L);
        lua_pushvalue(L, ARGUMENT);
    } else {
        offer_need_read(L, ARGUMENT, selection->stock, offer_list_index_method(L), &need);
        lua_getfield(L, ARGUMENT, "where");
    }
    int function = lua_gettop(L);
    for (size_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (offer_packing_spent(selection->stock, row) == NULL &&
            offer_packing_fits(selection->stock, &need, row) && answer(L, function, row))
            places[count++] = (uint32_t)i;
    }
    return count;
}

static int l_filter(lua_State *L)
{
    const struct offer_list_index *selection = offer_list_index_open_whole(L);
    uint32_t *places = lua_newuserdatauv(L, selection->count * sizeof *places, 0);
    size_t count = select_places(L, selection, places);
    if (count == 0 && !lua_isfunction(L, ARGUMENT))
        offer_misfit_push(L, selection); // which warns of a type that matches nothing
    offer_list_index_push_list(L, places, count);
    return 1;
}

struct sort_key {
    const char *text; // NULL: the number
    size_t length;
    double number;
    uint32_t place;
    bool descending;
};

static int compare_values(const struct sort_key *a, const struct sort_key *b)
{
    if (a->text == NULL)
        return (a->number > b->number) - (a->number < b->number);
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

// Among equals the order stays.
static int compare_keys(const void *left, const void *right)
{
    const struct sort_key *a = left, *b = right;
    int order = compare_values(a, b);
    if (order == 0)
        return a->place < b->place ? -1 : a->place > b->place;
    return a->descending ? -order : order;
}

// The key on top, whose text is added to the list at `texts`, which keeps it alive. // [-1, +0, e]
static void read_key(lua_State *L, struct sort_key *key, int texts, size_t count)
{
    int type = lua_type(L, -1);
    if (type == LUA_TNUMBER && !isnan(lua_tonumber(L, -1)))
        key->number = lua_tonumber(L, -1);
    else if (type == LUA_TSTRING)
        key->text = lua_tolstring(L, -1, &key->length);
    else
        luaL_error(L, "%s: the function must give a number or a string to sort by, got %s",
                   offer_list_index_method(L), type == LUA_TNUMBER ? "nan" : luaL_typename(L, -1));
    if (count > 0 && (key->text == NULL) != (key[-1].text == NULL))
        luaL_error(L, "%s: the function gave both numbers and strings", offer_list_index_method(L));
    lua_rawseti(L, texts, (lua_Integer)count + 1);
}

// Pushes what keeps the texts of the keys alive. // [-0, +1, e]
static size_t read_keys(lua_State *L, const struct offer_list_index *selection,
                        struct sort_key *keys)
{
    uint32_t column = OFFER_PACKING_NONE;
    size_t count = 0;
    if (!lua_isfunction(L, ARGUMENT)) {
        column = check_column(L, selection->stock, check_name(L, ARGUMENT));
        offer_packing_fill(selection->stock);
    }
    lua_newtable(L);
    int texts = lua_gettop(L);
    bool descending = lua_toboolean(L, SECOND);
    for (size_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (offer_packing_spent(selection->stock, row) != NULL)
            continue;
        struct sort_key *key = &keys[count];
        *key = (struct sort_key){.place = (uint32_t)i, .descending = descending};
        if (column == OFFER_PACKING_NONE) {
            ask(L, ARGUMENT, row);
            read_key(L, key, texts, count);
        } else {
            key->number = offer_packing_left(selection->stock, column, row);
        }
        count++;
    }
    return count;
}

static int l_sort_by(lua_State *L)
{
    const struct offer_list_index *selection = offer_list_index_open_whole(L);
    struct sort_key *keys = lua_newuserdatauv(L, selection->count * sizeof *keys, 0);
    size_t count = read_keys(L, selection, keys);
    qsort(keys, count, sizeof *keys, compare_keys);
    uint32_t *places = lua_newuserdatauv(L, count * sizeof *places, 0);
    for (size_t i = 0; i < count; i++)
        places[i] = keys[i].place;
    offer_list_index_push_list(L, places, count);
    return 1;
}

// The ids of a list of which no method has asked for more: it needs no selection. // [-0, +1, e]
static void push_ids_of_views(lua_State *L)
{
    const struct offer_finder *finder = lua_touserdata(L, lua_upvalueindex(FINDER));
    size_t listed = lua_rawlen(L, LIST);
    lua_Integer count = 0;
    lua_createtable(L, listed < OFFER_PACKING_ROWS ? (int)listed : OFFER_PACKING_ROWS, 0);
    for (size_t i = 1; i <= listed; i++) {
        lua_rawgeti(L, LIST, (lua_Integer)i);
        struct slice id = offer_fields_id(offer_list_index_check_view(L, i));
        if (finder == NULL || finder->find(finder->data, id) != NULL) {
            lua_pushlstring(L, (const char *)id.data, id.length);
            lua_rawseti(L, -3, ++count);
        }
        lua_pop(L, 1);
    }
}

static void push_ids_of_rows(lua_State *L) // [-0, +1, e]
{
    const struct offer_list_index *selection = offer_list_index_open_whole(L);
    lua_Integer count = 0;
    lua_newtable(L);
    for (size_t i = 0; i < selection->count; i++) {
        if (offer_packing_spent(selection->stock, selection->rows[i]) != NULL)
            continue;
        push_id(L, selection->stock, selection->rows[i]);
        lua_rawseti(L, -2, ++count);
    }
}

// offers:ids(): of those that are outstanding.
static int l_ids(lua_State *L)
{
    if (offer_list_index_peek(L) == NULL)
        push_ids_of_views(L);
    else
        push_ids_of_rows(L);
    return 1;
}

// ---- the metatable ----

static const luaL_Reg methods[] = {
    {"best_fit", l_best_fit},
    {"first_fit", l_first_fit},
    {"worst_fit", l_worst_fit},
    {"take", l_take},
    {"left", l_left},
    {"sum", l_sum},
    {"filter", l_filter},
    {"sort_by", l_sort_by},
    {"ids", l_ids},
    {NULL, NULL},
};

static const char *method_name(const void *data, size_t index)
{
    (void)data;
    return methods[index].name;
}

// What a list does not have is nil, as of any list, unless it looks like a misspelt method.
static int l_index(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    const char *near = suggest(lua_tostring(L, 2), method_name, NULL);
    if (near != NULL)
        luaL_error(L, "a list of offers has no '%s' (did you mean '%s'?)", lua_tostring(L, 2),
                   near);
    return 0;
}

// mesos.offers([list]): a list with methods, of the same offers, of which nothing was taken.
int l_offers(lua_State *L)
{
    dot_call_check(L, "offers");
    lua_settop(L, 1);
    if (!lua_isnil(L, 1))
        luaL_checktype(L, 1, LUA_TTABLE);
    size_t count = lua_isnil(L, 1) ? 0 : lua_rawlen(L, 1);
    if (count > OFFER_PACKING_ROWS)
        luaL_error(L, "mesos.offers: at most %d offers expected, got %d", OFFER_PACKING_ROWS,
                   (int)count);
    lua_createtable(L, (int)count, 0);
    offer_list_index_adopt(L);
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i);
        offer_list_index_check_view(L, i);
        lua_rawseti(L, 2, (lua_Integer)i);
    }
    return 1;
}

// [-0, +1, m]
static void push_finder(lua_State *L, const struct offer_finder *finder)
{
    if (finder != NULL)
        *(struct offer_finder *)lua_newuserdatauv(L, sizeof *finder, 0) = *finder;
    else
        lua_pushnil(L);
}

// [-0, +1, m]
static void push_methods(lua_State *L, const struct offer_finder *finder)
{
    lua_createtable(L, 0, sizeof methods / sizeof *methods); // methods
    offer_list_index_push_table(L);                          // methods, selections
    push_finder(L, finder);                                  // methods, selections, finder
    for (const luaL_Reg *it = methods; it->name != NULL; it++) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_pushstring(L, it->name);
        lua_pushcclosure(L, it->func, NAME);
        lua_setfield(L, -4, it->name);
    }
    lua_pop(L, 2);
}

void offer_list_open(lua_State *L, const struct offer_finder *finder)
{
    lua_createtable(L, 0, 1); // of the lists
    push_methods(L, finder);
    lua_createtable(L, 0, 1); // of the methods
    lua_pushcfunction(L, l_index);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "__index");
    offer_list_index_define(L);
}
