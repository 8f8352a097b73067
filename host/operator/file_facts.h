// SPDX-License-Identifier: Apache-2.0
//
// What `ls -l` would say of a file.

#ifndef MESOS_LUA_OPERATOR_FILE_FACTS_H
#define MESOS_LUA_OPERATOR_FILE_FACTS_H

#include <sys/stat.h>

// Zeroed for the first file. Of several the names are looked up when they change.
struct file_facts {
    char mode[12];            // "-rw-r--r--"
    char user[64], group[64]; // their names, or numbers for those without
    uid_t user_id;
    gid_t group_id;
};

void file_facts(struct file_facts *facts, const struct stat *status);

#endif
