// SPDX-License-Identifier: Apache-2.0
//
// Lists of offers: see offer_list.h. A script may change its list as it likes. Every method notices
// when offers were added or removed; one that looks at all of the list, also when places were
// changed, and best_fit and worst_fit when the place that they choose was. A list that was changed
// gets another selection of the same stock.
//
// Functions of the script are called with everything on the Lua stack, so that they may raise, or
// use the same list.

#include "bindings/offer_list.h"

#include "base/suggest.h"
#include "bindings/message.h"
#include "bindings/offer_need.h"
#include "bindings/view.h"
#include "mesos/v1/mesos.pb-c.h"
#include "mesos/wire.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char metatable_key; // registry: the metatable of lists

static const char *const stock_type = "mesos.offers";

// Upvalues of the methods.
enum { SELECTIONS = 1, ENVIRONMENT = 2, NAME = 3 };

enum { LIST = 1, ARGUMENT = 2, SECOND = 3, SELECTION = 4 }; // the stack of a method

enum { HOLD = 1 }; // the user value: of a selection its stock, of a stock its views

struct selection {
    struct stock *stock;
    size_t count;
    const void **views; // what the list had at each place
    uint32_t *rows;
};

// ---- the stock ----

static int l_stock_gc(lua_State *L)
{
    struct stock **stock = luaL_checkudata(L, 1, stock_type);
    stock_destroy(*stock);
    *stock = NULL;
    return 0;
}

// With a table for so many views, but without the stock. // [-0, +1, m]
static struct stock **push_stock(lua_State *L, size_t expected)
{
    struct stock **stock = lua_newuserdatauv(L, sizeof(struct stock *), HOLD);
    *stock = NULL;
    luaL_setmetatable(L, stock_type);
    lua_createtable(L, (int)expected, 0);
    lua_setiuservalue(L, -2, HOLD);
    return stock;
}

static const char *method(lua_State *L)
{
    return lua_tostring(L, lua_upvalueindex(NAME));
}

// The outstanding offer of that id, of any driver.
static const struct offer *find_offer(struct scheduler_environment *environment, struct slice id)
{
    const struct offer *found = NULL;
    for (struct scheduler *it = environment->first; it && !found; it = scheduler_next(it))
        found = offers_find(driver_offers(scheduler_driver(it)), id, NULL);
    return found;
}

// A new row for the view on top, if there is none of its id; the stock is at that index.
// [-0, +0, e]
static uint32_t add_row(lua_State *L, struct stock *stock, int index, struct slice wire)
{
    struct scheduler_environment *environment = lua_touserdata(L, lua_upvalueindex(ENVIRONMENT));
    size_t before = stock_rows(stock);
    struct slice id = offer_id(wire);
    const struct offer *offer = environment ? find_offer(environment, id) : NULL;
    lua_getiuservalue(L, index, HOLD);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)before + 1); // ahead of the row, which needs it
    lua_pop(L, 1);
    uint32_t row = stock_add(stock, wire, id, offer);
    if (row == STOCK_NONE)
        luaL_error(L, "%s: these lists had too many offers (%d)", method(L), STOCK_ROWS);
    if (stock_rows(stock) > before && environment != NULL && offer == NULL)
        stock_drop(stock, row);
    return row;
}

// ---- selections ----

static struct slice check_view(lua_State *L, size_t place) // of the value on top // [-0, +0, v]
{
    struct view_content content;
    if (!view_get(L, -1, &content))
        luaL_error(L, "offers[%d]: Offer expected, got %s", (int)place, luaL_typename(L, -1));
    if (content.type != &mesos__v1__offer__descriptor)
        luaL_error(L, "offers[%d]: Offer expected, got %s", (int)place,
                   wire_message_name(content.type));
    return content.slice;
}

// A selection for so many places, of the stock at that index. // [-0, +1, m]
static struct selection *push_selection(lua_State *L, int index, size_t count)
{
    size_t size = sizeof(struct selection) + count * (sizeof(void *) + sizeof(uint32_t));
    struct selection *selection = lua_newuserdatauv(L, size, HOLD);
    selection->stock = *(struct stock **)lua_touserdata(L, index);
    selection->count = count;
    selection->views = (const void **)(selection + 1);
    selection->rows = (uint32_t *)(selection->views + count);
    lua_pushvalue(L, index);
    lua_setiuservalue(L, -2, HOLD);
    return selection;
}

// The place in `old` where that view is, from `next` on; most often it is there, or one was removed
// in front of it.
static size_t old_place(const struct selection *old, size_t next, const void *view)
{
    size_t most = old ? old->count : 0;
    for (size_t i = next; i < most && i < next + 2; i++)
        if (old->views[i] == view)
            return i;
    return SIZE_MAX;
}

// The row of the view on top, which `old` has not where it was expected. Another view of an offer
// than that which the stock keeps is not remembered. // [-0, +0, e]
static void look_up(lua_State *L, struct selection *selection, int stock, size_t place,
                    struct slice wire)
{
    uint32_t row = add_row(L, selection->stock, stock, wire);
    lua_getiuservalue(L, stock, HOLD);
    lua_rawgeti(L, -1, (lua_Integer)row + 1);
    if (!lua_rawequal(L, -1, -3))
        selection->views[place] = NULL;
    selection->rows[place] = row;
    lua_pop(L, 2);
}

// Selects the list at index 1 anew; `old` is what was known of it, or NULL. // [-0, +0, e]
static void fill_selection(lua_State *L, struct selection *selection, int stock,
                           const struct selection *old)
{
    size_t next = 0;
    for (size_t i = 0; i < selection->count; i++) {
        lua_rawgeti(L, LIST, (lua_Integer)i + 1);
        struct slice wire = check_view(L, i + 1);
        selection->views[i] = lua_touserdata(L, -1);
        size_t place = old_place(old, next, selection->views[i]);
        if (place != SIZE_MAX)
            selection->rows[i] = old->rows[place];
        else
            look_up(L, selection, stock, i, wire);
        size_t row = selection->rows[i];
        bool in_order = old != NULL && row < old->count && old->rows[row] == row;
        next = place != SIZE_MAX ? place + 1 : in_order ? row + 1 : next;
        lua_pop(L, 1);
    }
}

// Puts the selection on top into the registry, as that of the list at `index`. // [-0, +0, m]
static void keep_selection(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    lua_pushvalue(L, -2);
    lua_rawset(L, lua_upvalueindex(SELECTIONS));
}

// Pushes the offer of a row. // [-0, +1, -]
static void push_offer(lua_State *L, int selection, uint32_t row)
{
    lua_getiuservalue(L, selection, HOLD);
    lua_getiuservalue(L, -1, HOLD);
    lua_rawgeti(L, -1, (lua_Integer)row + 1);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

// A list that offers come to and go from would have an ever larger stock: gives the selection on
// top one of its own, with what is left of its offers and no others. // [-0, +0, m]
static void shrink(lua_State *L, struct selection *selection)
{
    int top = lua_gettop(L);
    struct stock **stock = push_stock(L, selection->count);
    lua_createtable(L, (int)selection->count, 0); // the views by place, then by row
    for (size_t i = 0; i < selection->count; i++) {
        push_offer(L, top, selection->rows[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    *stock = stock_part(selection->stock, selection->rows, selection->count);
    selection->stock = *stock;
    lua_getiuservalue(L, top + 1, HOLD);
    for (size_t i = 0; i < selection->count; i++) {
        lua_rawgeti(L, top + 2, (lua_Integer)i + 1);
        lua_rawseti(L, top + 3, (lua_Integer)selection->rows[i] + 1);
    }
    lua_settop(L, top + 1);
    lua_setiuservalue(L, top, HOLD);
}

static bool outgrown(const struct selection *selection)
{
    enum { SPARE = 1024 };
    return stock_rows(selection->stock) > 2 * selection->count + SPARE;
}

// The selection at SELECTION, or nil, is replaced by another of what the list has now.
// [-0, +0, e]
static struct selection *renew(lua_State *L)
{
    const struct selection *old = lua_touserdata(L, SELECTION);
    size_t count = lua_rawlen(L, LIST);
    if (count > STOCK_ROWS)
        luaL_error(L, "a list of at most %d offers expected, got %d", STOCK_ROWS, (int)count);
    if (old != NULL)
        lua_getiuservalue(L, SELECTION, HOLD);
    else
        *push_stock(L, count) = stock_create(count);
    int stock = lua_gettop(L);
    struct selection *selection = push_selection(L, stock, count);
    fill_selection(L, selection, stock, old);
    if (outgrown(selection))
        shrink(L, selection);
    keep_selection(L, LIST);
    lua_replace(L, SELECTION);
    lua_settop(L, SELECTION);
    return selection;
}

// Has the list the same offers from one place on, up to in front of another? // [-0, +0, -]
static bool unchanged(lua_State *L, const struct selection *selection, size_t from, size_t to)
{
    bool same = true;
    for (size_t i = from; i < to && same; i++) {
        lua_rawgeti(L, LIST, (lua_Integer)i + 1);
        same = lua_touserdata(L, -1) == selection->views[i];
        lua_pop(L, 1);
    }
    return same;
}

static void check_list(lua_State *L) // [-0, +0, v]
{
    const char *name = method(L);
    bool fine = lua_istable(L, LIST) && lua_getmetatable(L, LIST);
    if (fine) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
        fine = lua_rawequal(L, -1, -2);
    }
    if (!fine)
        luaL_error(L,
                   "%s: a list of offers expected in front of it, got %s: write offers:%s(...), "
                   "with a colon, and mesos.offers(list) for a list of your own",
                   name, luaL_typename(L, LIST), name);
    lua_settop(L, SELECTION - 1);
}

// Sets up the stack of a method. // [-n, +4 - n, e]
static struct selection *open_list(lua_State *L)
{
    lua_settop(L, SELECTION - 1);
    check_list(L);
    lua_pushvalue(L, LIST);
    lua_rawget(L, lua_upvalueindex(SELECTIONS));
    struct selection *selection = lua_touserdata(L, SELECTION);
    if (selection == NULL || selection->count != lua_rawlen(L, LIST))
        return renew(L);
    return selection;
}

// The same for a method that looks at the whole list.
static struct selection *open_whole(lua_State *L)
{
    struct selection *selection = open_list(L);
    return unchanged(L, selection, 0, selection->count) ? selection : renew(L);
}

// Calls the function at that index with the offer of the row. // [-0, +1, e]
static void ask(lua_State *L, int function, uint32_t row)
{
    lua_pushvalue(L, function);
    push_offer(L, SELECTION, row);
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

// ---- new lists ----

// Pushes the list of the offers at these places of the selection at SELECTION, with methods.
// [-0, +1, e]
static void push_list(lua_State *L, const uint32_t *places, size_t count)
{
    const struct selection *from = lua_touserdata(L, SELECTION);
    lua_createtable(L, (int)count, 0);
    offer_list_adopt(L);
    int list = lua_gettop(L);
    lua_getiuservalue(L, SELECTION, HOLD);
    struct selection *selection = push_selection(L, list + 1, count);
    for (size_t i = 0; i < count; i++) {
        push_offer(L, SELECTION, from->rows[places[i]]);
        selection->rows[i] = from->rows[places[i]];
        selection->views[i] = lua_touserdata(L, -1);
        lua_rawseti(L, list, (lua_Integer)i + 1);
    }
    keep_selection(L, list);
    lua_settop(L, list);
}

// ---- best_fit, first_fit, worst_fit ----

// Where to look for changes of a list in which `place` was chosen, or none.
static bool choice_stands(lua_State *L, const struct selection *selection, enum stock_order order,
                          const size_t *place)
{
    if (order != STOCK_FIRST)
        return place == NULL || unchanged(L, selection, *place, *place + 1);
    return unchanged(L, selection, 0, place ? *place + 1 : selection->count);
}

// The same as stock_choose(), where the function at that index has a say. // [-0, +0, e]
static bool choose_with(lua_State *L, const struct selection *selection,
                        struct stock_search *search, int function, size_t *chosen)
{
    bool found = false;
    for (size_t place; stock_next(selection->stock, search, &place);) {
        if (!answer(L, function, selection->rows[place]))
            continue;
        stock_accept(search);
        *chosen = place;
        found = true;
    }
    return found;
}

// The need is at ARGUMENT. False if there is no place. // [-0, +0, e]
static bool choose(lua_State *L, const struct selection *selection, enum stock_order order,
                   size_t *chosen)
{
    enum { WHERE = SELECTION + 2 };
    struct stock_need need;
    offer_need_read(L, ARGUMENT, selection->stock, method(L), &need); // its mask
    bool asks = lua_getfield(L, ARGUMENT, "where") != LUA_TNIL;
    struct stock_search search = stock_search(&need, order, selection->rows, selection->count);
    bool found = asks ? choose_with(L, selection, &search, WHERE, chosen)
                      : stock_choose(selection->stock, &search, chosen);
    lua_settop(L, SELECTION);
    return found;
}

// A list that was changed in place is looked at once more.
static int fit(lua_State *L, enum stock_order order)
{
    size_t place;
    struct selection *selection = open_list(L);
    bool found = choose(L, selection, order, &place);
    if (!choice_stands(L, selection, order, found ? &place : NULL)) {
        selection = renew(L);
        found = choose(L, selection, order, &place);
    }
    if (found)
        push_offer(L, SELECTION, selection->rows[place]);
    else
        lua_pushnil(L);
    return 1;
}

static int l_best_fit(lua_State *L)
{
    return fit(L, STOCK_BEST);
}

static int l_first_fit(lua_State *L)
{
    return fit(L, STOCK_FIRST);
}

static int l_worst_fit(lua_State *L)
{
    return fit(L, STOCK_WORST);
}

// ---- take, left ----

// The row of the offer, or offer id, at ARGUMENT. // [-0, +0, v]
static uint32_t check_offer(lua_State *L, const struct selection *selection)
{
    struct view_content content;
    struct slice id = {.data = NULL};
    if (lua_type(L, ARGUMENT) == LUA_TSTRING)
        id.data = (const uint8_t *)lua_tolstring(L, ARGUMENT, &id.length);
    else if (view_get(L, ARGUMENT, &content) && content.type == &mesos__v1__offer__descriptor)
        id = offer_id(content.slice);
    else
        luaL_error(L, "%s: an offer expected, got %s", method(L), luaL_typename(L, ARGUMENT));
    uint32_t row = stock_find(selection->stock, id);
    if (row == STOCK_NONE)
        luaL_error(L, "%s: offer '%s' is not of this list", method(L),
                   lua_pushlstring(L, (const char *)id.data, id.length));
    return row;
}

static void push_id(lua_State *L, const struct stock *stock, uint32_t row) // [-0, +1, m]
{
    struct slice id = offer_id(stock_wire(stock, row));
    lua_pushlstring(L, (const char *)id.data, id.length);
}

// Pushes nil and why nothing can be taken of the row, or nothing. // [-0, +2|0, m]
static int push_refusal(lua_State *L, struct stock *stock, const struct stock_need *need,
                        uint32_t row)
{
    const char *spent = stock_spent(stock, row);
    const struct stock_amount *lacking = stock_lacking(stock, need, row);
    if (spent == NULL && lacking == NULL)
        return 0;
    push_id(L, stock, row);
    const char *id = lua_tostring(L, -1);
    lua_pushnil(L);
    if (spent != NULL)
        lua_pushfstring(L, "offer '%s' cannot be used: it %s", id, spent);
    else
        lua_pushfstring(L, "offer '%s' has too little left of %s: %f of %f", id,
                        stock_name(stock, lacking->column),
                        stock_left(stock, lacking->column, row) / 1000,
                        lacking->thousandths / 1000);
    return 2;
}

// Pushes the resources in `buffer`, each as field 1, as a list. // [-0, +1, e]
static void push_resources(lua_State *L, const struct buffer *buffer)
{
    struct slice rest = buffer_slice(buffer), wire;
    lua_newtable(L);
    for (lua_Integer i = 1; wire_next_bytes(&rest, 1, &wire); i++) {
        message_push(L, &mesos__v1__resource__descriptor, wire);
        lua_rawseti(L, -2, i);
    }
}

// offers:take(offer, need): what a task is given of the offer, or nil and a message.
static int l_take(lua_State *L)
{
    struct stock_need need;
    struct selection *selection = open_list(L);
    struct stock *stock = selection->stock;
    uint32_t row = check_offer(L, selection);
    offer_need_amounts(L, SECOND, stock, method(L), &need);
    if (push_refusal(L, stock, &need, row) > 0)
        return 2;
    struct buffer *buffer = message_scratch(L);
    if (!stock_take(stock, &need, row, buffer))
        luaL_error(L, "%s: more resources than a message may have", method(L));
    push_resources(L, buffer);
    return 1;
}

static const char *const amounts[] = {"cpus", "mem", "disk", "gpus", "ports"};

enum { AMOUNTS = sizeof amounts / sizeof *amounts };

static uint32_t check_column(lua_State *L, struct stock *stock, struct slice name)
{
    uint32_t column = stock_column(stock, name, false);
    if (column == STOCK_NONE)
        luaL_error(L, "%s: these offers were asked for too many different resources (%d)",
                   method(L), STOCK_COLUMNS);
    return column;
}

static struct slice check_name(lua_State *L, int index)
{
    struct slice name;
    name.data = (const uint8_t *)luaL_checklstring(L, index, &name.length);
    return name;
}

// What is left of a resource in these rows, in thousandths; `rows` of spent offers have nothing.
static double total(struct stock *stock, uint32_t column, const uint32_t *rows, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        if (stock_spent(stock, rows[i]) == NULL)
            sum += stock_left(stock, column, rows[i]);
    return sum;
}

// The name at `index`, or nothing: then a table of the usual ones. // [-0, +1, e]
static int push_totals(lua_State *L, struct stock *stock, int index, const uint32_t *rows,
                       size_t count)
{
    uint32_t columns[AMOUNTS];
    if (!lua_isnil(L, index)) {
        columns[0] = check_column(L, stock, check_name(L, index));
        stock_fill(stock);
        lua_pushnumber(L, total(stock, columns[0], rows, count) / 1000);
        return 1;
    }
    for (size_t i = 0; i < AMOUNTS; i++)
        columns[i] = check_column(L, stock, slice_text(amounts[i]));
    stock_fill(stock);
    lua_createtable(L, 0, AMOUNTS);
    for (size_t i = 0; i < AMOUNTS; i++) {
        lua_pushnumber(L, total(stock, columns[i], rows, count) / 1000);
        lua_setfield(L, -2, amounts[i]);
    }
    return 1;
}

static int l_left(lua_State *L)
{
    struct selection *selection = open_list(L);
    uint32_t row = check_offer(L, selection);
    return push_totals(L, selection->stock, SECOND, &row, 1);
}

static int l_sum(lua_State *L)
{
    struct selection *selection = open_whole(L);
    return push_totals(L, selection->stock, ARGUMENT, selection->rows, selection->count);
}

// ---- filter, sort_by, ids ----

// The need at ARGUMENT, or the function there. // [-0, +0, e]
static size_t select_places(lua_State *L, const struct selection *selection, uint32_t *places)
{
    struct stock_need need = {.count = 0};
    size_t count = 0;
    if (lua_isfunction(L, ARGUMENT)) {
        lua_pushnil(L);
        lua_pushvalue(L, ARGUMENT);
    } else {
        offer_need_read(L, ARGUMENT, selection->stock, method(L), &need);
        lua_getfield(L, ARGUMENT, "where");
    }
    int function = lua_gettop(L);
    for (size_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (stock_spent(selection->stock, row) == NULL &&
            stock_fits(selection->stock, &need, row) && answer(L, function, row))
            places[count++] = (uint32_t)i;
    }
    return count;
}

static int l_filter(lua_State *L)
{
    const struct selection *selection = open_whole(L);
    uint32_t *places = lua_newuserdatauv(L, selection->count * sizeof *places, 0);
    size_t count = select_places(L, selection, places);
    push_list(L, places, count);
    return 1;
}

struct key {
    const char *text; // NULL: the number
    size_t length;
    double number;
    uint32_t place;
    bool descending;
};

static int compare_values(const struct key *a, const struct key *b)
{
    if (a->text == NULL)
        return (a->number > b->number) - (a->number < b->number);
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

// Among equals the order stays.
static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    int order = compare_values(a, b);
    if (order == 0)
        return a->place < b->place ? -1 : a->place > b->place;
    return a->descending ? -order : order;
}

// The key on top, which is kept by its list at `kept` so that its text stays. // [-1, +0, e]
static void read_key(lua_State *L, struct key *key, int kept, size_t count)
{
    int type = lua_type(L, -1);
    if (type == LUA_TNUMBER && !isnan(lua_tonumber(L, -1)))
        key->number = lua_tonumber(L, -1);
    else if (type == LUA_TSTRING)
        key->text = lua_tolstring(L, -1, &key->length);
    else
        luaL_error(L, "%s: the function must give a number or a string to sort by, got %s",
                   method(L), type == LUA_TNUMBER ? "nan" : luaL_typename(L, -1));
    if (count > 0 && (key->text == NULL) != (key[-1].text == NULL))
        luaL_error(L, "%s: the function gave both numbers and strings", method(L));
    lua_rawseti(L, kept, (lua_Integer)count + 1);
}

// Pushes whatever keeps the texts of the keys. // [-0, +1, e]
static size_t read_keys(lua_State *L, const struct selection *selection, struct key *keys)
{
    uint32_t column = STOCK_NONE;
    size_t count = 0;
    if (!lua_isfunction(L, ARGUMENT)) {
        column = check_column(L, selection->stock, check_name(L, ARGUMENT));
        stock_fill(selection->stock);
    }
    lua_newtable(L);
    int kept = lua_gettop(L);
    bool descending = lua_toboolean(L, SECOND);
    for (size_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (stock_spent(selection->stock, row) != NULL)
            continue;
        struct key *key = &keys[count];
        *key = (struct key){.place = (uint32_t)i, .descending = descending};
        if (column == STOCK_NONE) {
            ask(L, ARGUMENT, row);
            read_key(L, key, kept, count);
        } else {
            key->number = stock_left(selection->stock, column, row);
        }
        count++;
    }
    return count;
}

static int l_sort_by(lua_State *L)
{
    const struct selection *selection = open_whole(L);
    struct key *keys = lua_newuserdatauv(L, selection->count * sizeof *keys, 0);
    size_t count = read_keys(L, selection, keys);
    qsort(keys, count, sizeof *keys, compare_keys);
    uint32_t *places = lua_newuserdatauv(L, count * sizeof *places, 0);
    for (size_t i = 0; i < count; i++)
        places[i] = keys[i].place;
    push_list(L, places, count);
    return 1;
}

// offers:ids(): of those that are outstanding.
static int l_ids(lua_State *L)
{
    const struct selection *selection = open_whole(L);
    lua_Integer count = 0;
    lua_newtable(L);
    for (size_t i = 0; i < selection->count; i++) {
        if (stock_spent(selection->stock, selection->rows[i]) != NULL)
            continue;
        push_id(L, selection->stock, selection->rows[i]);
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

// ---- the metatable and the module ----

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

void offer_list_adopt(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
    lua_setmetatable(L, -2);
}

// mesos.offers([list]): a list with methods, of the same offers, of which nothing was taken.
static int l_offers(lua_State *L)
{
    lua_settop(L, 1);
    if (!lua_isnil(L, 1))
        luaL_checktype(L, 1, LUA_TTABLE);
    size_t count = lua_isnil(L, 1) ? 0 : lua_rawlen(L, 1);
    if (count > STOCK_ROWS)
        luaL_error(L, "mesos.offers: at most %d offers expected, got %d", STOCK_ROWS, (int)count);
    lua_createtable(L, (int)count, 0);
    offer_list_adopt(L);
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i);
        check_view(L, i);
        lua_rawseti(L, 2, (lua_Integer)i);
    }
    return 1;
}

static void push_weak_table(lua_State *L) // [-0, +1, m]
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

// [-0, +1, m]
static void push_methods(lua_State *L, struct scheduler_environment *environment)
{
    lua_createtable(L, 0, sizeof methods / sizeof *methods);
    push_weak_table(L);
    for (const luaL_Reg *it = methods; it->name != NULL; it++) {
        lua_pushvalue(L, -1);
        lua_pushlightuserdata(L, environment);
        lua_pushstring(L, it->name);
        lua_pushcclosure(L, it->func, NAME);
        lua_setfield(L, -3, it->name);
    }
    lua_pop(L, 1);
}

void offer_list_open(lua_State *L, struct scheduler_environment *environment)
{
    luaL_newmetatable(L, stock_type);
    lua_pushcfunction(L, l_stock_gc);
    lua_setfield(L, -2, "__gc");
    lua_createtable(L, 0, 1); // of the lists
    push_methods(L, environment);
    lua_createtable(L, 0, 1); // of the methods
    lua_pushcfunction(L, l_index);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "__index");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
    lua_pop(L, 1);
    lua_pushcfunction(L, l_offers);
    lua_setfield(L, -2, "offers");
}
