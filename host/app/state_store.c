// SPDX-License-Identifier: Apache-2.0
//
// Keeps what survives the process: see keeper.h. A commit, the only place where the state is
// written, saves it if it has changed and then opens the gate. It happens at the end of a turn in
// which a call came to wait, unless the commit before was too short a while ago, and every second
// if the script ran.

#include "app/state_store.h"

#include "app/state_file.h"
#include "base/atomic_file.h"
#include "base/log.h"
#include "base/memory.h"
#include "bindings/lib/state_table.h"

#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_MOST = STATE_TABLE_MOST + 4096 };
enum { REST = 4 }; // a commit of so long is followed by so many times its length without one

static const uint64_t interval = LOOP_SECOND;
static const uint64_t soon = LOOP_SECOND / 10;

struct state_store {
    struct loop *loop;
    struct atomic_file *file; // NULL: it is kept in ZooKeeper
    struct election *elector; // NULL: it is kept in a file
    bool writing;             // to ZooKeeper
    bool unsure;              // what ZooKeeper has may not be `saved`
    bool unfit;               // ZooKeeper will not take it as it is
    bool fenced;
    uint64_t covered;      // calls up to this number may go when what is being written is there
    struct script *script; // whose state is kept, or NULL
    char *framework_id;    // NULL: none
    struct buffer saved;   // the state in the file
    struct buffer fresh;   // the state of now, while it is looked at
    struct buffer document;
    struct call_barrier gate;
    struct deferral turn; // commit at its end
    struct timer later;   // commit then
    uint64_t rest;        // no commit before this time, but for the last
    uint64_t runs;        // of the script, at the last look
    char *complaint;      // what was logged last, so that it is not repeated every second
};

// ---- the file ----

static bool write_file(struct state_store *this, struct slice id, struct slice state,
                       struct error *err)
{
    const struct state_file kept = {.framework_id = id, .state = state};
    return state_file_write(&kept, loop_wall(this->loop), &this->document, err) &&
           atomic_file_write(this->file, buffer_slice(&this->document), err);
}

static bool take_contents(struct state_store *this, struct error *err)
{
    struct state_file kept;
    if (!state_file_read(buffer_slice(&this->document), &kept, err))
        return false;
    if (kept.framework_id.length > 0)
        this->framework_id =
            memory_text((const char *)kept.framework_id.data, kept.framework_id.length);
    buffer_append_slice(&this->saved, kept.state);
    return true;
}

static const char *name_of(const struct state_store *this)
{
    return this->elector ? election_name(this->elector) : atomic_file_path(this->file);
}

static bool unusable(const struct state_store *this, struct error *err)
{
    if (err == NULL)
        return false;
    const struct error reason = *err;
    if (this->elector != NULL)
        return error_set(err, reason.code,
                         "the node '%s/state' in ZooKeeper cannot be used: %s. It is left as it "
                         "is; to start anew, without the framework id and the mesos.state in it, "
                         "delete it",
                         name_of(this), reason.text);
    return error_set(err, reason.code,
                     "the state file '%s' cannot be used: %s. It is left as it is; to start anew, "
                     "without the framework id and the mesos.state in it, move it away",
                     atomic_file_path(this->file), reason.text);
}

static bool read_file(struct state_store *this, struct error *err)
{
    bool exists = false;
    if (!atomic_file_read(this->file, &this->document, &exists, err))
        return false;
    return !exists || take_contents(this, err) || unusable(this, err);
}

// ---- the state ----

static void complain(struct state_store *this, const char *text)
{
    if (this->complaint != NULL && strcmp(this->complaint, text) == 0)
        return;
    free(this->complaint);
    this->complaint = memory_string(text);
    log_error("%s", text);
}

static void content(struct state_store *this)
{
    if (this->complaint != NULL)
        log_info("mesos.state is kept in '%s' again", name_of(this));
    free(this->complaint);
    this->complaint = NULL;
}

// Puts the state of now into `fresh`. False if there is none that can be kept, which was logged.
static bool look(struct state_store *this)
{
    struct error err = {0};
    if (this->script == NULL)
        return false;
    this->runs = script_runs(this->script);
    if (state_table_save(this->script, &this->fresh, &err))
        return true;
    complain(this, err.text);
    return false;
}

static void swap_states(struct state_store *this)
{
    struct buffer saved = this->saved;
    this->saved = this->fresh;
    this->fresh = saved;
}

// ---- in ZooKeeper ----

static void write_later(struct state_store *this)
{
    if (!timer_active(&this->later) || this->later.due > loop_now(this->loop) + soon)
        timer_start(&this->later, soon);
}

static void on_written(void *data, const struct zookeeper_reply *reply)
{
    struct state_store *this = data;
    this->writing = false;
    this->unfit = reply->result == ZOOKEEPER_REFUSED;
    if (reply->result != ZOOKEEPER_OK) {
        char *text = memory_format("mesos.state cannot be kept in ZooKeeper, and calls wait until "
                                   "it can: %s",
                                   reply->reason);
        complain(this, text);
        free(text);
        write_later(this);
        return;
    }
    this->unsure = false;
    content(this);
    if (!election_leads(this->elector))
        return;
    call_barrier_open_to(&this->gate, this->covered);
    if (call_barrier_waiting(&this->gate))
        deferral_queue(&this->turn);
}

static bool write_shared(struct state_store *this)
{
    struct error err = {0};
    const struct state_file kept = {.framework_id = state_store_framework_id(this),
                                    .state = buffer_slice(&this->saved)};
    if (!state_file_write(&kept, loop_wall(this->loop), &this->document, &err)) {
        error_context(&err, "mesos.state cannot be kept in ZooKeeper, and calls wait until it can");
        complain(this, err.text);
        this->unfit = true;
        return false;
    }
    this->writing = election_write(this->elector, buffer_slice(&this->document), on_written, this);
    return this->writing;
}

// Calls that came before it wait for the end of the write, those that come meanwhile for the next.
static void commit_shared(struct state_store *this)
{
    if (this->fenced || this->writing)
        return;
    if (look(this) && !slice_equal(buffer_slice(&this->fresh), buffer_slice(&this->saved))) {
        swap_states(this);
        this->unsure = true;
    }
    this->covered = this->gate.calls;
    timer_start(&this->later, interval);
    if (this->unsure && !write_shared(this))
        write_later(this);
    else if (!this->unsure && election_leads(this->elector))
        call_barrier_open_to(&this->gate, this->covered);
}

bool state_store_idle(const struct state_store *this)
{
    return this->elector == NULL || this->fenced ||
           (!this->writing && (!this->unsure || this->unfit));
}

bool state_store_safe(const struct state_store *this)
{
    return this->elector == NULL || !this->unsure;
}

void state_store_fence(struct state_store *this)
{
    this->fenced = true;
    timer_stop(&this->later);
    deferral_queue(&this->turn);
}

bool state_store_save(struct state_store *this, struct error *err)
{
    if (this->elector != NULL) {
        commit_shared(this);
        return true;
    }
    if (!look(this))
        return true;
    bool changed = !slice_equal(buffer_slice(&this->fresh), buffer_slice(&this->saved));
    if (changed) {
        if (!write_file(this, state_store_framework_id(this), buffer_slice(&this->fresh), err))
            return false;
        swap_states(this);
    }
    content(this);
    return true;
}

// ---- when ----

static void commit(struct state_store *this)
{
    struct error err = {0};
    uint64_t start = loop_now(this->loop);
    bool safe = state_store_save(this, &err);
    uint64_t now = loop_now(this->loop);
    this->rest = now + REST * (now - start);
    timer_start(&this->later, interval);
    if (safe) {
        call_barrier_open(&this->gate);
        return;
    }
    this->rest = now + interval;
    error_context(&err, "mesos.state cannot be kept, and calls wait until it can");
    complain(this, err.text);
}

static void on_turn(void *data)
{
    struct state_store *this = data;
    if (this->fenced)
        call_barrier_refuse(&this->gate);
    else if (this->elector != NULL)
        commit_shared(this);
    else
        commit(this);
}

static void on_later(void *data)
{
    struct state_store *this = data;
    bool ran = this->script != NULL && script_runs(this->script) != this->runs;
    if (ran || call_barrier_waiting(&this->gate) || this->complaint != NULL || this->unsure)
        on_turn(this);
    else
        timer_start(&this->later, interval);
}

static void on_call_waiting(void *data)
{
    struct state_store *this = data;
    uint64_t now = loop_now(this->loop);
    if (now >= this->rest)
        deferral_queue(&this->turn);
    else if (!timer_active(&this->later) || this->later.due > this->rest)
        timer_start(&this->later, this->rest - now);
}

// A leader that was asleep may have been replaced, and not have heard of it: its clock knows.
static bool on_stream(void *data, struct error *err)
{
    struct state_store *this = data;
    if (!this->fenced && election_leads(this->elector))
        return true;
    return error_set(err, ERROR_REFUSED, "this process does not lead any more at %s",
                     election_name(this->elector));
}

// ---- the face ----

struct slice state_store_framework_id(const struct state_store *this)
{
    return slice_text(this->framework_id);
}

bool state_store_set_framework_id(struct state_store *this, struct slice id, struct error *err)
{
    if (slice_equal(id, state_store_framework_id(this)))
        return true;
    if (this->elector == NULL && !write_file(this, id, buffer_slice(&this->saved), err))
        return false;
    this->unsure = this->elector != NULL;
    if (this->unsure)
        deferral_queue(&this->turn);
    free(this->framework_id);
    this->framework_id = id.length ? memory_text((const char *)id.data, id.length) : NULL;
    return true;
}

bool state_store_restore(struct state_store *this, struct script *script, struct error *err)
{
    return state_table_restore(script, buffer_slice(&this->saved), err) || unusable(this, err);
}

void state_store_follow(struct state_store *this, struct script *script)
{
    this->script = script;
    this->runs = script != NULL ? script_runs(script) : 0;
    if (script == NULL)
        timer_stop(&this->later);
    else if (!timer_active(&this->later))
        timer_start(&this->later, interval);
}

struct call_barrier *state_store_barrier(struct state_store *this)
{
    return &this->gate;
}

// ---- life ----

static struct state_store *create(struct loop *loop, size_t most)
{
    struct state_store *this = memory_new(sizeof *this);
    this->loop = loop;
    buffer_init(&this->saved, STATE_TABLE_MOST);
    buffer_init(&this->fresh, STATE_TABLE_MOST);
    buffer_init(&this->document, most);
    call_barrier_init(&this->gate, on_call_waiting, this);
    deferral_init(&this->turn, loop, on_turn, this);
    timer_init(&this->later, loop, on_later, this);
    return this;
}

struct state_store *state_store_open(struct loop *loop, const char *path, struct error *err)
{
    struct state_store *this = create(loop, DOCUMENT_MOST);
    this->file = atomic_file_open(path, err);
    if (this->file != NULL && read_file(this, err))
        return this;
    error_context(err, "--state");
    state_store_close(this);
    return NULL;
}

struct state_store *state_store_open_shared(struct loop *loop, struct election *elector,
                                            struct error *err)
{
    struct state_store *this = create(loop, ELECTION_DOCUMENT_MOST);
    struct slice document = election_document(elector);
    this->elector = elector;
    this->gate.admits = on_stream;
    bool fits = buffer_append_slice(&this->document, document);
    if (document.length == 0 || (fits && take_contents(this, err)))
        return this;
    if (!fits)
        error_set(err, ERROR_LIMIT, "it is larger than %zu bytes", this->document.limit);
    unusable(this, err);
    error_context(err, "--elect");
    state_store_close(this);
    return NULL;
}

void state_store_close(struct state_store *this)
{
    if (this == NULL)
        return;
    deferral_cancel(&this->turn);
    timer_stop(&this->later);
    atomic_file_close(this->file);
    buffer_free(&this->saved);
    buffer_free(&this->fresh);
    buffer_free(&this->document);
    free(this->framework_id);
    free(this->complaint);
    free(this);
}
