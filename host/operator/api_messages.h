// SPDX-License-Identifier: Apache-2.0
//
// Agents and frameworks as messages of the v1 operator API. A message points into the records and
// into its own struct: it is valid until either changes or moves.

#ifndef MESOS_LUA_OPERATOR_API_MESSAGES_H
#define MESOS_LUA_OPERATOR_API_MESSAGES_H

#include "operator/agent_json.h"
#include "operator/framework_json.h"
#include "operator/usage.h"

#include "mesos/v1/master/master.pb-c.h"

enum { API_ABILITIES = 8 };

struct api_agent {
    Mesos__V1__Master__Response__GetAgents__Agent message;
    Mesos__V1__AgentInfo info;
    Mesos__V1__AgentID id;
    Mesos__V1__TimeInfo registered, reregistered, drain_started;
    struct agent_drain_message drain;
    Mesos__V1__AgentInfo__Capability abilities[API_ABILITIES], *ability_list[API_ABILITIES];
    Mesos__V1__DomainInfo domain;
    Mesos__V1__DomainInfo__FaultDomain fault_domain;
    Mesos__V1__DomainInfo__FaultDomain__RegionInfo region;
    Mesos__V1__DomainInfo__FaultDomain__ZoneInfo zone;
    struct resources total, used, offered;
    char *pid;
};

void api_messages_agent(struct api_agent *agent, const struct node *node,
                        const struct usage *usage);
void api_messages_agent_info(struct api_agent *agent, const struct node *node); // only `info`
void api_messages_free_agent(struct api_agent *agent);

struct api_offer;

struct api_framework {
    Mesos__V1__Master__Response__GetFrameworks__Framework message;
    Mesos__V1__TimeInfo registered, reregistered, unregistered;
    struct resources used, offered;
    struct api_offer *offers;
    Mesos__V1__Offer **offer_list;
};

void api_messages_framework(struct api_framework *framework, const struct framework_view *view);
void api_messages_free_framework(struct api_framework *framework);

#endif
