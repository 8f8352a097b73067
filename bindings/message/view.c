// SPDX-License-Identifier: Apache-2.0
//
// Views: see view.h. A view has no finaliser: its first user value is the anchor that holds the
// block, shared by all views of the block through a weak table. Ids, and the first few numbers and
// texts, are looked for in the message. When more is read, the message is walked once and the
// offset of each field is noted in the index of the view; after that a field is one step away. The
// index has the first composite values that were read, too, as user values. Where there are more of
// these, a table takes the anchor's place, and has the anchor too.
//
// Policies hold thousands of views, so each byte of one counts. Most of them never need an index:
// where views come in lists, and in classes without fields of their own, it is a userdata of its
// own, which takes the anchor's place in the view, and has the anchor. Elsewhere it is a part of
// the view.

#include "bindings/message/view.h"

#include "bindings/core/hints.h"
#include "bindings/core/name_slots.h"
#include "bindings/core/userdata.h"
#include "bindings/message/message_decode.h"
#include "bindings/message/message_tostring.h"
#include "script/collector.h"

#include <assert.h>
#include <lauxlib.h>
#include <string.h>

enum { HOLD = 1, CACHED = 2 };     // user values: the first, and the first of those that are cached
enum { COPIED_MOST = 512 };        // bytes of a message that is copied into its view
enum { CACHED_EXPECTED = 4 };      // values in a table of cached ones
enum { NARROW_MOST = UINT16_MAX }; // bytes of a message whose offsets need 16 bits
enum { ANCHOR = 0 };               // key in a table of cached ones

enum { NAMES_MOST = 128, NUMBERS = 64 }; // both powers of two

struct view_class {
    struct message_type *shape;
    const struct view_member *members;
    size_t offsets_size, extra_size; // of narrow offsets
    int metatable;                   // registry
    int slots;                       // cached values that are user values
    bool apart;                      // the index is a userdata of its own
    uint8_t positions[NUMBERS];      // of the field of that number, from 1; 0: look for it
    struct name_slot
        names[NAMES_MOST]; // a field is its position from 1, a getter goes from -1 down
    uint8_t kinds[];       // of the fields, of what follows
};

enum view_kind {
    KIND_PLAIN = 1, // a string, or a message that is one
    KIND_ONEOF = 2, // one of a oneof
    KIND_LIST = 4,
    KIND_ONCE = 8,    // a message, of which one that was accepted has no second
    KIND_SCALAR = 16, // no message, no list and none of a oneof
};

enum { SOUGHT_MOST = 3 }; // reads of such fields that are not worth an index

// An offset here is that of the field's last occurrence, plus one; 0 if it is absent.
struct view_index {
    bool complete;             // the offsets are there
    uint8_t keys[VIEW_CACHED]; // of what the user values are; 0: free
    uint16_t offsets[];        // or 32 bits each
};

struct view {
    const struct view_class *class; // which is in the registry: no other userdata begins so
    const uint8_t *data;
    uint32_t length;
    bool wide;                // offsets have 32 bits
    uint8_t sought;           // fields that were looked for without an index
    struct view_index *index; // NULL: none was needed
    // What the class has for its members follows, and the index if it is a part.
};

static const char anchor_name[] = "mesos.bytes";
static const char anchors_key;

static inline struct slice wire_of(const struct view *view)
{
    return (struct slice){.data = view->data, .length = view->length};
}

static inline bool is_wide(struct slice slice)
{
    return slice.length > NARROW_MOST;
}

static inline void *extra(struct view *view)
{
    return view + 1;
}

static size_t index_size(const struct view_class *class, bool wide)
{
    return sizeof(struct view_index) + (class->offsets_size << wide);
}

static size_t view_size(const struct view_class *class, bool wide)
{
    return sizeof(struct view) + class->extra_size + (class->apart ? 0 : index_size(class, wide));
}

static inline uint32_t get_offset(const struct view *view, unsigned position)
{
    const uint16_t *offsets = view->index->offsets;
    return view->wide ? ((const uint32_t *)(const void *)offsets)[position] : offsets[position];
}

static inline void set_offset(struct view *view, bool wide, unsigned position, size_t offset)
{
    uint16_t *offsets = view->index->offsets;
    if (wide)
        ((uint32_t *)(void *)offsets)[position] = (uint32_t)offset;
    else
        offsets[position] = (uint16_t)offset;
}

// The index of the view at index 1 of the stack. // [-0, +0, m]
static inline struct view_index *index_of(lua_State *L, struct view *view)
{
    if (view->index != NULL)
        return view->index;
    struct view_index *index =
        lua_newuserdatauv(L, index_size(view->class, view->wide), HOLD + view->class->slots);
    *index = (struct view_index){.complete = false};
    lua_getiuservalue(L, 1, HOLD);  // index, anchor
    lua_setiuservalue(L, -2, HOLD); // index
    lua_setiuservalue(L, 1, HOLD);
    return view->index = index;
}

// ---- finding fields ----

static void clear_rivals(struct view *view, const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *type = view->class->shape->type;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *other = &type->fields[i];
        if (other != field && (other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
            other->quantifier_offset == field->quantifier_offset)
            set_offset(view, view->wide, i, 0);
    }
}

static unsigned position_slowly(const struct view *view, uint32_t number)
{
    const ProtobufCMessageDescriptor *type = view->class->shape->type;
    const ProtobufCFieldDescriptor *field = wire_descriptor(type, number);
    return field ? (unsigned)(field - type->fields) + 1 : 0;
}

// Returns the kind of the field, which is 0 if there is none of that number.
static inline unsigned note(struct view *view, bool wide, uint32_t number, size_t offset)
{
    const struct view_class *class = view->class;
    unsigned position = class->positions[number % NUMBERS];
    if (position == 0 || number >= NUMBERS)
        position = position_slowly(view, number);
    if (position-- == 0)
        return 0;
    set_offset(view, wide, position, offset + 1);
    if (class->kinds[position] & KIND_ONEOF)
        clear_rivals(view, &class->shape->type->fields[position]);
    return class->kinds[position];
}

// Of a list one occurrence is enough to know. `wide` is a constant at each call, so the compiler
// takes the test out of the loop.
static inline void note_all(struct view *view, bool wide)
{
    struct wire wire = wire_open(wire_of(view));
    const uint8_t *at = wire.at, *start = wire.at;
    uint32_t list = 0;
    for (struct wire_field it; wire_next(&wire, &it); at = wire.at)
        if (it.number != list && note(view, wide, it.number, (size_t)(at - start)) & KIND_LIST)
            list = it.number;
}

static void find_fields(struct view *view)
{
    memset(view->index->offsets, 0, view->class->offsets_size << view->wide);
    if (view->wide)
        note_all(view, true);
    else
        note_all(view, false);
    view->index->complete = true;
}

static inline bool is_indexed(const struct view *view)
{
    return view->index != NULL && view->index->complete;
}

// Of the view at index 1. // [-0, +0, m]
static uint32_t offset_of(lua_State *L, struct view *view, unsigned position)
{
    if (!index_of(L, view)->complete)
        find_fields(view);
    return get_offset(view, position);
}

// ---- cached values ----

// The number of the cached value of that key, or of a free place, from 0; -1 if there is neither.
static inline int slot_of(const struct view *view, const struct view_index *index, unsigned key)
{
    for (int i = 0; i < view->class->slots; i++)
        if (index->keys[i] == key || index->keys[i] == 0)
            return i;
    return -1;
}

// Pushes what has the user values of the view at index 1, which has an index. // [-0, +1, -]
static void push_holder(lua_State *L, const struct view *view)
{
    if (view->class->apart)
        lua_getiuservalue(L, 1, HOLD);
    else
        lua_pushvalue(L, 1);
}

// Pushes what the view at index 1 has cached for that key, or nil. // [-0, +1, -]
static bool push_cached(lua_State *L, const struct view *view, unsigned key)
{
    int slot = view->index ? slot_of(view, view->index, key) : 0;
    if (view->index == NULL || (slot >= 0 && view->index->keys[slot] == 0)) {
        lua_pushnil(L);
        return false;
    }
    push_holder(L, view); // holder
    if (slot >= 0)
        lua_getiuservalue(L, -1, CACHED + slot); // holder, value
    else if (lua_getiuservalue(L, -1, HOLD) == LUA_TTABLE)
        lua_rawgeti(L, -1, (lua_Integer)key); // holder, table, value
    else
        lua_pushnil(L); // holder, anchor, nil
    lua_replace(L, slot >= 0 ? -2 : -3);
    if (slot < 0)
        lua_pop(L, 1);
    return !lua_isnil(L, -1);
}

// Pushes a table that takes the place of the anchor, on top, in the holder below it, and has the
// anchor. // [-1, +1, m]
static void make_cached(lua_State *L)
{
    lua_createtable(L, 0, CACHED_EXPECTED); // holder, anchor, cached
    lua_insert(L, -2);                      // holder, cached, anchor
    lua_rawseti(L, -2, ANCHOR);             // holder, cached
    lua_pushvalue(L, -1);                   // holder, cached, cached
    lua_setiuservalue(L, -3, HOLD);         // holder, cached
}

// Caches the value at the top of the stack, which stays, for the view at index 1. // [-0, +0, m]
static void cache(lua_State *L, struct view *view, unsigned key)
{
    struct view_index *index = index_of(L, view);
    int slot = slot_of(view, index, key);
    push_holder(L, view); // value, holder
    if (slot >= 0) {
        lua_pushvalue(L, -2);
        lua_setiuservalue(L, -2, CACHED + slot); // value, holder
        index->keys[slot] = (uint8_t)key;
        lua_pop(L, 1);
        return;
    }
    if (lua_getiuservalue(L, -1, HOLD) != LUA_TTABLE) // value, holder, held
        make_cached(L);
    lua_pushvalue(L, -3);
    lua_rawseti(L, -2, (lua_Integer)key);
    lua_pop(L, 2);
}

// Fields have the keys from 1 up, members those from 255 down.
static unsigned key_of_field(unsigned position)
{
    return position + 1;
}

static unsigned key_of_member(const struct view *view, const struct view_member *member)
{
    return UINT8_MAX - (unsigned)(member - view->class->members);
}

bool view_cached(lua_State *L, const struct view_member *member)
{
    const struct view *view = lua_touserdata(L, 1);
    return push_cached(L, view, key_of_member(view, member));
}

void view_cache(lua_State *L, const struct view_member *member)
{
    struct view *view = lua_touserdata(L, 1);
    cache(L, view, key_of_member(view, member));
}

// ---- reading ----

static bool is_composite(struct message_type *shape, unsigned position, lua_State *L)
{
    const ProtobufCFieldDescriptor *field = &shape->type->fields[position];
    return field->label == PROTOBUF_C_LABEL_REPEATED ||
           (field->type == PROTOBUF_C_TYPE_MESSAGE &&
            !message_type_nested(L, shape, position)->collapsed);
}

static struct slice slice_from(struct slice slice, size_t offset)
{
    return (struct slice){.data = slice.data + offset, .length = slice.length - offset};
}

static void push_occurrence(lua_State *L, struct view *view, unsigned position, uint32_t at)
{
    struct wire_field it;
    struct wire wire = wire_open(slice_from(wire_of(view), at - 1));
    wire_next(&wire, &it);
    message_decode_occurrence(L, view->class->shape, position, &it);
}

static void push_composite(lua_State *L, struct view *view, unsigned position, uint32_t at)
{
    struct message_type *shape = view->class->shape;
    const ProtobufCFieldDescriptor *field = &shape->type->fields[position];
    if (push_cached(L, view, key_of_field(position)))
        return;
    lua_pop(L, 1);
    if (at == 0)
        lua_newtable(L);
    else if (field->label == PROTOBUF_C_LABEL_REPEATED)
        message_decode_field(L, shape, position, wire_of(view));
    else
        push_occurrence(L, view, position, at);
    cache(L, view, key_of_field(position));
}

// A string, or a message that is one. // [-0, +1, e]
static void push_plain(lua_State *L, const struct view *view, const ProtobufCFieldDescriptor *field,
                       uint32_t at)
{
    struct wire wire = wire_open(slice_from(wire_of(view), at - 1));
    struct wire_field it;
    wire_next(&wire, &it);
    struct slice text = field->type == PROTOBUF_C_TYPE_MESSAGE ? wire_text(it.bytes) : it.bytes;
    lua_pushlstring(L, (const char *)text.data, text.length);
}

// A message that is a string, of a view whose fields were not noted yet: most policies read ids and
// no other field, and an id needs no look at all fields. // [-0, +1, m]
static void push_once(lua_State *L, const struct view *view, uint32_t number)
{
    struct wire wire = wire_open(wire_of(view));
    struct slice message;
    if (!wire_seek(&wire, number, &message)) {
        lua_pushnil(L);
        return;
    }
    struct slice text = wire_text(message);
    lua_pushlstring(L, (const char *)text.data, text.length);
}

// A number, an enum or a text, of such a view. // [-0, +1, e]
static void push_scalar(lua_State *L, struct view *view, unsigned position)
{
    struct message_type *shape = view->class->shape;
    struct wire_field last;
    view->sought++;
    if (wire_last(wire_of(view), shape->type->fields[position].id, &last))
        message_decode_occurrence(L, shape, position, &last);
    else
        lua_pushnil(L);
}

// Pushes the field of the view at index 1, nil if it is absent. // [-0, +1, e]
static void push_field(lua_State *L, struct view *view, unsigned position)
{
    const ProtobufCFieldDescriptor *field = &view->class->shape->type->fields[position];
    if (!is_indexed(view) && (view->class->kinds[position] & KIND_ONCE)) {
        push_once(L, view, field->id);
        return;
    }
    if (!is_indexed(view) && (view->class->kinds[position] & KIND_SCALAR) &&
        view->sought < SOUGHT_MOST) {
        push_scalar(L, view, position);
        return;
    }
    uint32_t at = offset_of(L, view, position);
    if (at == 0 && field->label != PROTOBUF_C_LABEL_REPEATED)
        lua_pushnil(L);
    else if (view->class->kinds[position] & KIND_PLAIN)
        push_plain(L, view, field, at);
    else if (is_composite(view->class->shape, position, L))
        push_composite(L, view, position, at);
    else
        push_occurrence(L, view, position, at);
}

// ---- what Lua calls ----

// Upvalues of these functions.
enum { CLASS = 1, NAMES = 2 };

// The userdata at `index` if it is large enough to be a view, or NULL. Scripts cannot write its
// bytes, so only this file can put the address of a class there.
static inline struct view *candidate(lua_State *L, int index)
{
    struct view *view = lua_touserdata(L, index);
    return view == NULL || lua_rawlen(L, index) < sizeof *view ? NULL : view;
}

// [-0, +0, -]
static struct view *view_at(lua_State *L, int index)
{
    struct view *view = candidate(L, index);
    if (view == NULL)
        return NULL;
    bool known = lua_rawgetp(L, LUA_REGISTRYINDEX, view->class) == LUA_TBOOLEAN;
    lua_pop(L, 1);
    return known ? view : NULL;
}

static int wrong_type(lua_State *L) // [-0, +0, v]
{
    const struct view_class *class = lua_touserdata(L, lua_upvalueindex(CLASS));
    return luaL_typeerror(L, 1, class->shape->type->name);
}

// The view at index 1, of the class that the function belongs to. // [-0, +0, v]
static inline struct view *self(lua_State *L)
{
    struct view *view = candidate(L, 1);
    if (view == NULL || view->class != lua_touserdata(L, lua_upvalueindex(CLASS)))
        wrong_type(L);
    return view;
}

// A view answers to more names than its message has fields. // [-0, +1, -]
static const char *view_name(const void *data, size_t index)
{
    const struct view_class *class = data;
    const ProtobufCMessageDescriptor *type = class->shape->type;
    if (index < type->n_fields)
        return type->fields[index].name;
    return class->members ? class->members[index - type->n_fields].name : NULL;
}

static int no_name(lua_State *L, const struct view_class *class) // [-0, +0, v]
{
    const char *name = luaL_tolstring(L, 2, NULL);
    return luaL_error(L, "%s has no field '%s'%s", class->shape->name, name,
                      hints_push(L, name, view_name, class));
}

// The method that the value at index 2 names. // [-0, +1, e]
static void push_method(lua_State *L, const struct view *view)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(NAMES)) == LUA_TNIL)
        no_name(L, view->class);
}

static int l_index(lua_State *L)
{
    struct view *view = self(L);
    int what = name_slots_find(view->class->names, NAMES_MOST, lua_topointer(L, 2));
    if (what > 0) {
        push_field(L, view, (unsigned)what - 1);
    } else if (what < 0) {
        const struct view_member *member = &view->class->members[-what - 1];
        member->getter(L, member, wire_of(view), extra(view));
    } else {
        push_method(L, view);
    }
    return 1;
}

static int l_newindex(lua_State *L)
{
    return luaL_error(L, "%s is read-only; use :table() for a copy", self(L)->class->shape->name);
}

// The position of the field after that of the key at index 2; the first for nil.
static unsigned position_after(lua_State *L, const struct view *view)
{
    if (lua_isnoneornil(L, 2))
        return 0;
    int position = message_type_position(L, view->class->shape, 2);
    return position < 0 ? (unsigned)message_type_no_field(L, view->class->shape, 2)
                        : (unsigned)position + 1;
}

static int l_next(lua_State *L)
{
    struct view *view = self(L);
    const ProtobufCMessageDescriptor *type = view->class->shape->type;
    lua_settop(L, 2);
    for (unsigned i = position_after(L, view); i < type->n_fields; i++) {
        if (offset_of(L, view, i) == 0)
            continue;
        lua_pushstring(L, type->fields[i].name);
        push_field(L, view, i);
        return 2;
    }
    lua_pushnil(L);
    return 1;
}

static int l_pairs(lua_State *L)
{
    self(L);
    lua_pushvalue(L, lua_upvalueindex(CLASS));
    lua_pushcclosure(L, l_next, CLASS);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

static int l_tostring(lua_State *L)
{
    struct view *view = self(L);
    message_decode_plain(L, view->class->shape->type, wire_of(view));
    message_tostring(L, -1, view->class->shape);
    return 1;
}

static int l_eq(lua_State *L)
{
    struct view_content a, b;
    lua_pushboolean(L, view_get(L, 1, &a) && view_get(L, 2, &b) && a.type == b.type &&
                           slice_equal(a.slice, b.slice));
    return 1;
}

static int l_table(lua_State *L)
{
    struct view_content it;
    if (!view_get(L, 1, &it))
        return luaL_typeerror(L, 1, "message (call it as view:table())");
    message_decode_plain(L, it.type, it.slice);
    return 1;
}

// ---- classes ----

static bool is_text(const ProtobufCFieldDescriptor *field)
{
    return wire_type_of(field->type) == WIRE_BYTES && field->type != PROTOBUF_C_TYPE_MESSAGE &&
           field->label != PROTOBUF_C_LABEL_REPEATED;
}

// [-0, +0, e]
static bool is_plain(lua_State *L, struct message_type *shape, unsigned position)
{
    const ProtobufCFieldDescriptor *field = &shape->type->fields[position];
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED)
        return is_text(field);
    const struct message_type *nested = message_type_nested(L, shape, position);
    return nested->collapsed && is_text(nested->type->fields) && nested->type->fields->id == 1;
}

// Adds a name to the table at the top, which stands for `what` or for a method of the class below.
// [-0, +0, m]
static void set_name(lua_State *L, struct view_class *class, const char *name, int what,
                     lua_CFunction method)
{
    lua_pushstring(L, name);
    if (method == NULL) {
        name_slots_add(class->names, NAMES_MOST, lua_topointer(L, -1), what);
        lua_pushboolean(L, true);
    } else {
        lua_pushvalue(L, -3);
        lua_pushcclosure(L, method, CLASS);
    }
    lua_rawset(L, -3);
}

static unsigned count_names(const struct view_class *class)
{
    unsigned count = class->shape->type->n_fields;
    for (int i = 0; class->members != NULL && class->members[i].name != NULL; i++)
        count++;
    return count;
}

// Pushes the table of all names of the class at the top: methods by value, and the other
// names so that their strings stay alive.
// [-0, +1, e]
static void push_names(lua_State *L, struct view_class *class)
{
    const ProtobufCMessageDescriptor *type = class->shape->type;
    assert(count_names(class) < NAMES_MOST / 2);
    lua_createtable(L, 0, (int)count_names(class) + 1);
    set_name(L, class, "table", 0, l_table);
    for (int i = 0; class->members != NULL && class->members[i].name != NULL; i++)
        set_name(L, class, class->members[i].name, -i - 1, class->members[i].method);
    for (unsigned i = 0; i < type->n_fields; i++)
        set_name(L, class, type->fields[i].name, (int)i + 1, NULL);
}

// For the class at the top of the stack. // [-0, +0, e]
static int reference_metatable(lua_State *L, struct view_class *class)
{
    static const luaL_Reg methods[] = {{"__index", l_index},       {"__newindex", l_newindex},
                                       {"__pairs", l_pairs},       {"__eq", l_eq},
                                       {"__tostring", l_tostring}, {NULL, NULL}};
    lua_createtable(L, 0, 8); // class, metatable
    lua_pushstring(L, class->shape->type->name);
    lua_setfield(L, -2, "__name");    // class, metatable
    lua_pushvalue(L, -2);             // class, metatable, class
    push_names(L, class);             // class, metatable, class, names
    luaL_setfuncs(L, methods, NAMES); // class, metatable
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static void describe_fields(lua_State *L, struct view_class *class) // [-0, +0, e]
{
    const ProtobufCMessageDescriptor *type = class->shape->type;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        bool oneof = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
        bool list = field->label == PROTOBUF_C_LABEL_REPEATED, plain = is_plain(L, class->shape, i);
        bool message = field->type == PROTOBUF_C_TYPE_MESSAGE, once = plain && message && !oneof;
        bool scalar = !message && !list && !oneof;
        class->kinds[i] =
            (uint8_t)((plain ? KIND_PLAIN : 0) | (oneof ? KIND_ONEOF : 0) | (list ? KIND_LIST : 0) |
                      (once ? KIND_ONCE : 0) | (scalar ? KIND_SCALAR : 0));
        if (field->id < NUMBERS)
            class->positions[field->id] = (uint8_t)(i + 1);
    }
}

static size_t size_of_offsets(const ProtobufCMessageDescriptor *type)
{
    return (type->n_fields * sizeof(uint16_t) + 7) & ~(size_t)7;
}

// The class is kept alive by the upvalues of its functions, which the registry has.
void view_define(lua_State *L, const ProtobufCMessageDescriptor *type,
                 const struct view_member *members, size_t extra_size, int cached, bool listed)
{
    struct message_type *shape = message_type_get(L, type);
    struct view_class *class = lua_newuserdatauv(L, sizeof *class + type->n_fields, 0);
    *class = (struct view_class){.shape = shape,
                                 .members = members,
                                 .offsets_size = size_of_offsets(type),
                                 .extra_size = extra_size,
                                 .slots = cached,
                                 .apart = listed};
    assert(cached <= VIEW_CACHED && count_names(class) < UINT8_MAX);
    describe_fields(L, class);
    class->metatable = reference_metatable(L, class);
    shape->views = class;
    lua_pushboolean(L, true);
    lua_rawsetp(L, LUA_REGISTRYINDEX, class);
    lua_pop(L, 1);
}

const struct view_class *view_class_of(lua_State *L, const ProtobufCMessageDescriptor *type)
{
    const struct message_type *shape = message_type_get(L, type);
    if (shape->views == NULL)
        view_define(L, type, NULL, 0, 1, true);
    return shape->views;
}

// ---- anchors ----

struct anchor {
    struct userdata base;
    struct bytes *block;
};

static void end_anchor(lua_State *L, struct userdata *userdata)
{
    struct bytes *block = ((struct anchor *)userdata)->block;
    if (block != NULL)
        collector_released(L, block->length);
    bytes_unref(block);
}

// Pushes the anchor of a block. // [-0, +1, m]
static void push_anchor(lua_State *L, struct bytes *block)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &anchors_key);
    if (lua_rawgetp(L, -1, block) == LUA_TNIL) {
        lua_pop(L, 1);
        struct anchor *anchor = userdata_push(L, anchor_name, sizeof *anchor, 0, end_anchor);
        anchor->block = bytes_ref(block);
        collector_pinned(L, block->length);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, block);
    }
    lua_replace(L, -2);
}

// ---- from C ----

// Pushes a view without an anchor and a metatable, with `more` bytes behind it. The offsets of the
// fields are written when they are first needed. // [-0, +1, m]
static struct view *push_view(lua_State *L, const struct view_class *class, struct slice slice,
                              size_t more)
{
    bool wide = is_wide(slice);
    size_t size = view_size(class, wide);
    struct view *view = lua_newuserdatauv(L, size + more, HOLD + (class->apart ? 0 : class->slots));
    *view = (struct view){
        .class = class, .data = slice.data, .length = (uint32_t)slice.length, .wide = wide};
    if (class->extra_size > 0)
        memset(extra(view), 0, class->extra_size);
    if (!class->apart) {
        view->index = (struct view_index *)((char *)extra(view) + class->extra_size);
        *view->index = (struct view_index){.complete = false};
    }
    return view;
}

// Gives the view at the top its metatable. // [-0, +0, -]
static void set_metatable(lua_State *L, const struct view_class *class)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, class->metatable);
    lua_setmetatable(L, -2);
}

// [-0, +1, m]
static void push_copied(lua_State *L, const struct view_class *class, struct slice slice)
{
    struct view *view = push_view(L, class, slice, slice.length);
    uint8_t *copy = (uint8_t *)view + view_size(class, is_wide(slice));
    memcpy(copy, slice.data, slice.length);
    view->data = copy;
    set_metatable(L, class);
}

static bool better_copied(const struct bytes *block, struct slice slice)
{
    return slice.length > 0 && slice.length <= COPIED_MOST && slice.length > block->length / 2;
}

void view_push_of(lua_State *L, const struct view_class *class, struct bytes *block,
                  struct slice slice)
{
    if (better_copied(block, slice)) {
        push_copied(L, class, slice);
        return;
    }
    push_view(L, class, slice, 0);
    set_metatable(L, class);
    push_anchor(L, block);
    lua_setiuservalue(L, -2, HOLD);
}

void view_push(lua_State *L, const ProtobufCMessageDescriptor *type, struct bytes *block,
               struct slice slice)
{
    luaL_checkstack(L, 8, "views");
    const struct view_class *class = view_class_of(L, type);
    if (class->shape->collapsed)
        message_decode(L, type, slice);
    else
        view_push_of(L, class, block, slice);
}

void view_push_list(lua_State *L, const ProtobufCMessageDescriptor *type, struct bytes *block,
                    const struct slice *slices, size_t count)
{
    luaL_checkstack(L, 8, "views");
    const struct view_class *class = view_class_of(L, type);
    lua_createtable(L, (int)count, 0); // list
    int list = lua_gettop(L);
    push_anchor(L, block);                               // list, anchor
    lua_rawgeti(L, LUA_REGISTRYINDEX, class->metatable); // list, anchor, metatable
    for (size_t i = 1; i <= count; i++) {
        push_view(L, class, slices[i - 1], 0); // ..., view
        lua_pushvalue(L, list + 2);
        lua_setmetatable(L, -2);        // ..., view
        lua_pushvalue(L, list + 1);     // ..., view, anchor
        lua_setiuservalue(L, -2, HOLD); // ..., view
        lua_rawseti(L, list, (lua_Integer)i);
    }
    lua_settop(L, list);
}

bool view_get(lua_State *L, int index, struct view_content *it)
{
    const struct view *view = view_at(L, index);
    if (view == NULL)
        return false;
    *it = (struct view_content){.type = view->class->shape->type, .slice = wire_of(view)};
    return true;
}

void *view_self(lua_State *L, struct slice *message)
{
    struct view *view = self(L);
    *message = wire_of(view);
    return extra(view);
}

// The table of anchors is weak: an anchor that only this table knows may go.
static void open_anchors(lua_State *L)
{
    userdata_type(L, anchor_name);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &anchors_key);
    lua_pop(L, 1);
}

void view_open(lua_State *L)
{
    open_anchors(L);
}
