// SPDX-License-Identifier: Apache-2.0
//
// The answers to LIST_FILES and READ_FILE, which are the same of a master and of an agent. They
// write the members of the message that is open.

#ifndef MESOS_LUA_OPERATOR_FILE_MESSAGES_H
#define MESOS_LUA_OPERATOR_FILE_MESSAGES_H

#include "operator/response_writer.h"
#include "operator/sandbox_files.h"

struct master_answer file_messages_list(const struct sandbox_question *question,
                                        struct response_writer *writer);
struct master_answer file_messages_read(const struct sandbox_question *question, uint64_t offset,
                                        uint64_t length, struct response_writer *writer);

#endif
