// SPDX-License-Identifier: Apache-2.0
//
// The local cluster as `ctl status` shows it: frameworks, agents, offers and tasks in short, with
// the reasons why a framework has no offers.

#ifndef MESOS_LUA_OPERATOR_STATUS_DOCUMENT_H
#define MESOS_LUA_OPERATOR_STATUS_DOCUMENT_H

#include "master/master.h"

char *status_document(const struct master *master); // a line of JSON; free() it

#endif
