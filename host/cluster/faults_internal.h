// SPDX-License-Identifier: Apache-2.0
//
// What the files of faults share: faults.c reads the words and finds what they mean, fault_kinds.c
// is the table of what can be done, lasting_faults.c has those that last.

#ifndef MESOS_LUA_CLUSTER_FAULTS_INTERNAL_H
#define MESOS_LUA_CLUSTER_FAULTS_INTERNAL_H

#include "cluster/faults.h"
#include "master/master_records.h"

enum fault_target { FAULT_OF_CLUSTER, FAULT_OF_AGENT, FAULT_OF_FRAMEWORK };
enum fault_value { FAULT_NO_VALUE, FAULT_TIME, FAULT_STATUS, FAULT_TEXT };

// What may stand behind the target and the value, as bits; and that `any` and `all` are agents that
// do not answer, not those that do.
enum { FAULT_FOR = 1, FAULT_TIMES = 2, FAULT_FORGET = 4, FAULT_GRACE = 8, FAULT_OF_LOST = 16 };

// A fault as it was asked for.
struct fault_request {
    const struct fault_kind *kind;
    char *target;    // a name, "any" or "all"; NULL: it has none
    double value;    // seconds, or a status
    char *text;      // or NULL
    double duration; // seconds; 0: for good
    uint64_t at;     // its time, by loop_now()
    double grace;    // seconds; negative: none was given
    unsigned times;
    bool forget;
};

// What a fault acts on: the agent or framework of its kind.
struct fault_object {
    struct node *node;
    struct master_framework *framework;
    const char *id; // of either; "": of none
};

struct fault_kind {
    const char *name, *usage, *help;
    const char *told; // what frameworks hear of it, for the log
    enum fault_target target;
    enum fault_value value;
    unsigned allowed;
    double usual; // seconds that it lasts if nothing else is said; 0: for good
    bool (*start)(struct faults *faults, const struct fault_request *fault,
                  const struct fault_object *object, struct error *err);
    void (*end)(struct faults *faults, const struct fault_object *object); // NULL: it does not last
};

struct faults {
    struct faults_cluster cluster;
    uint64_t random;
    TAILQ_HEAD(, lasting_fault) lasting;
    size_t lasting_count;
};

void faults_tell(struct faults *faults, const char *format, ...)
    __attribute__((format(printf, 2, 3))); // what happens: to the log, and to the cluster

extern const struct fault_kind fault_kinds[]; // the last one has no name

// ---- lasting_faults.c ----

// Notes a fault that has begun and lasts. One of the same object and kind is replaced.
void lasting_faults_add(struct faults *faults, const struct fault_request *fault, const char *id);

// Ends the faults that last for the object, without undoing them.
void lasting_faults_forget(struct faults *faults, const char *id);
void lasting_faults_clear(struct faults *faults); // the same for all

#endif
