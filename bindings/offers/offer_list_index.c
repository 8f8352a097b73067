// SPDX-License-Identifier: Apache-2.0
//
// Selections: see offer_list_index.h. A list may be changed as its script likes. A change of length
// is noticed at once, others where the list is compared with what it had; then it gets another
// selection of the same stock.

#include "bindings/offers/offer_list_index.h"

#include "bindings/core/userdata.h"
#include "bindings/message/view.h"
#include "bindings/offers/offer_list.h"
#include "mesos/v1/mesos.pb-c.h"

#include <lauxlib.h>

const char offer_list_index_metatable = 0;

static const char *const stock_type = "mesos.offers";

enum { HOLD = 1 }; // the user value: of a selection its stock, of a stock its views

// ---- the stock ----

struct offer_stock {
    struct userdata base;
    struct offer_packing *stock;
};

static void end_stock(lua_State *L, struct userdata *userdata)
{
    (void)L;
    offer_packing_destroy(((struct offer_stock *)userdata)->stock);
}

// With a table for so many views, but without the stock. // [-0, +1, m]
static struct offer_stock *push_stock(lua_State *L, size_t expected)
{
    struct offer_stock *owner = userdata_push(L, stock_type, sizeof *owner, HOLD, end_stock);
    lua_createtable(L, (int)expected, 0);
    lua_setiuservalue(L, -2, HOLD);
    return owner;
}

const char *offer_list_index_method(lua_State *L)
{
    return lua_tostring(L, lua_upvalueindex(NAME));
}

// A new row for the view on top, if there is none of its id; the stock is at that index.
// [-0, +0, e]
static uint32_t add_row(lua_State *L, struct offer_packing *stock, int index, struct slice wire)
{
    const struct offer_finder *finder = lua_touserdata(L, lua_upvalueindex(FINDER));
    size_t before = offer_packing_rows(stock);
    struct slice id = offer_fields_id(wire);
    const struct offer *offer = finder ? finder->find(finder->data, id) : NULL;
    lua_getiuservalue(L, index, HOLD);           // view, views
    lua_pushvalue(L, -2);                        // view, views, view
    lua_rawseti(L, -2, (lua_Integer)before + 1); // ahead of the row, which needs it
    lua_pop(L, 1);
    uint32_t row = offer_packing_add(stock, wire, id, offer);
    if (row == OFFER_PACKING_NONE)
        luaL_error(L, "%s: these lists had too many offers (%d)", offer_list_index_method(L),
                   OFFER_PACKING_ROWS);
    if (offer_packing_rows(stock) > before && finder != NULL && offer == NULL)
        offer_packing_drop(stock, row);
    return row;
}

// ---- selections ----

struct slice offer_list_index_check_view(lua_State *L,
                                         size_t place) // of the value on top // [-0, +0, v]
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
static struct offer_list_index *push_selection(lua_State *L, int index, size_t count)
{
    size_t size = sizeof(struct offer_list_index) + count * (sizeof(void *) + sizeof(uint32_t));
    struct offer_list_index *selection = lua_newuserdatauv(L, size, HOLD);
    selection->stock = ((struct offer_stock *)userdata_at(L, index))->stock;
    selection->count = count;
    selection->views = (const void **)(selection + 1);
    selection->rows = (uint32_t *)(selection->views + count);
    lua_pushvalue(L, index);
    lua_setiuservalue(L, -2, HOLD);
    return selection;
}

// The place in `old` where that view is, from `next` on; most often it is there, or one was removed
// in front of it.
static size_t old_place(const struct offer_list_index *old, size_t next, const void *view)
{
    size_t most = old ? old->count : 0;
    for (size_t i = next; i < most && i < next + 2; i++)
        if (old->views[i] == view)
            return i;
    return SIZE_MAX;
}

// Finds the row of the view on top, which is not in `old` where it was expected. Only the view that
// the stock keeps of an offer is remembered. // [-0, +0, e]
static void look_up(lua_State *L, struct offer_list_index *selection, int stock, size_t place,
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
static void fill_selection(lua_State *L, struct offer_list_index *selection, int stock,
                           const struct offer_list_index *old)
{
    size_t next = 0;
    for (size_t i = 0; i < selection->count; i++) {
        lua_rawgeti(L, LIST, (lua_Integer)i + 1);
        struct slice wire = offer_list_index_check_view(L, i + 1);
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
void offer_list_index_push_offer(lua_State *L, int selection, uint32_t row)
{
    lua_getiuservalue(L, selection, HOLD);    // stock
    lua_getiuservalue(L, -1, HOLD);           // stock, views
    lua_rawgeti(L, -1, (lua_Integer)row + 1); // stock, views, view
    lua_replace(L, -3);                       // view, views
    lua_pop(L, 1);
}

// The stock of a list that offers are added to and removed from would grow without end: gives the
// selection on top a stock of its own, with what is left of its offers and no others. // [-0, +0,
// m]
static void shrink(lua_State *L, struct offer_list_index *selection)
{
    int top = lua_gettop(L);
    struct offer_stock *owner = push_stock(L, selection->count); // selection, stock
    lua_createtable(L, (int)selection->count, 0);                // selection, stock, by place
    for (size_t i = 0; i < selection->count; i++) {
        offer_list_index_push_offer(L, top, selection->rows[i]); // selection, stock, by place, view
        lua_rawseti(L, -2, (lua_Integer)i + 1);                  // selection, stock, by place
    }
    owner->stock = offer_packing_part(selection->stock, selection->rows, selection->count);
    selection->stock = owner->stock;
    lua_getiuservalue(L, top + 1, HOLD); // selection, stock, by place, by row
    for (size_t i = 0; i < selection->count; i++) {
        lua_rawgeti(L, top + 2, (lua_Integer)i + 1);                  // ..., view
        lua_rawseti(L, top + 3, (lua_Integer)selection->rows[i] + 1); // ...
    }
    lua_settop(L, top + 1);          // selection, stock
    lua_setiuservalue(L, top, HOLD); // selection
}

static bool outgrown(const struct offer_list_index *selection)
{
    enum { SPARE = 1024 };
    return offer_packing_rows(selection->stock) > 2 * selection->count + SPARE;
}

// The selection at SELECTION, or nil, is replaced by another of what the list has now.
// [-0, +0, e]
struct offer_list_index *offer_list_index_renew(lua_State *L)
{
    const struct offer_list_index *old = lua_touserdata(L, SELECTION);
    size_t count = lua_rawlen(L, LIST);
    if (count > OFFER_PACKING_ROWS)
        luaL_error(L, "a list of at most %d offers expected, got %d", OFFER_PACKING_ROWS,
                   (int)count);
    if (old != NULL) {
        lua_getiuservalue(L, SELECTION, HOLD);
    } else {
        struct offer_stock *owner = push_stock(L, count);
        owner->stock = offer_packing_create(count);
    }
    int stock = lua_gettop(L);
    struct offer_list_index *selection = push_selection(L, stock, count);
    fill_selection(L, selection, stock, old);
    if (outgrown(selection))
        shrink(L, selection);
    keep_selection(L, LIST);
    lua_replace(L, SELECTION);
    lua_settop(L, SELECTION);
    return selection;
}

// True if the list has the same offers at the places from `from` up to, without, `to`. // [-0, +0,
// -]
bool offer_list_index_unchanged(lua_State *L, const struct offer_list_index *selection, size_t from,
                                size_t to)
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
    const char *name = offer_list_index_method(L);
    bool fine = lua_istable(L, LIST) && lua_getmetatable(L, LIST);
    if (fine) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &offer_list_index_metatable);
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
struct offer_list_index *offer_list_index_peek(lua_State *L)
{
    lua_settop(L, SELECTION - 1);
    check_list(L);
    lua_pushvalue(L, LIST);
    lua_rawget(L, lua_upvalueindex(SELECTIONS));
    return lua_touserdata(L, SELECTION);
}

struct offer_list_index *offer_list_index_open(lua_State *L) // [-n, +4 - n, e]
{
    struct offer_list_index *selection = offer_list_index_peek(L);
    if (selection == NULL || selection->count != lua_rawlen(L, LIST))
        return offer_list_index_renew(L);
    return selection;
}

// The same for a method that looks at the whole list.
struct offer_list_index *offer_list_index_open_whole(lua_State *L)
{
    struct offer_list_index *selection = offer_list_index_open(L);
    return offer_list_index_unchanged(L, selection, 0, selection->count)
               ? selection
               : offer_list_index_renew(L);
}

// ---- new lists ----

// Pushes the list of the offers at these places of the selection at SELECTION, with methods.
// [-0, +1, e]
void offer_list_index_push_list(lua_State *L, const uint32_t *places, size_t count)
{
    const struct offer_list_index *from = lua_touserdata(L, SELECTION);
    lua_createtable(L, (int)count, 0); // list
    offer_list_index_adopt(L);
    int list = lua_gettop(L);
    lua_getiuservalue(L, SELECTION, HOLD); // list, stock
    struct offer_list_index *selection =
        push_selection(L, list + 1, count); // list, stock, selection
    for (size_t i = 0; i < count; i++) {
        offer_list_index_push_offer(L, SELECTION, from->rows[places[i]]); // ..., view
        selection->rows[i] = from->rows[places[i]];
        selection->views[i] = lua_touserdata(L, -1);
        lua_rawseti(L, list, (lua_Integer)i + 1);
    }
    keep_selection(L, list);
    lua_settop(L, list);
}

// Selections by list; the keys are weak, so a list without other references may be collected.
void offer_list_index_push_table(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

void offer_list_index_define(lua_State *L)
{
    lua_rawsetp(L, LUA_REGISTRYINDEX, &offer_list_index_metatable);
    userdata_type(L, stock_type);
    lua_pop(L, 1);
}
