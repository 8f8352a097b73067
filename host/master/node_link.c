// SPDX-License-Identifier: Apache-2.0
//
// The link between the master and an agent: see node_link.h.

#include "master/node_link.h"

#include "base/log.h"
#include "base/memory.h"
#include "wire/message_copy.h"

#include <stdlib.h>

struct held_message {
    STAILQ_ENTRY(held_message) link;
    char *framework_id;
    ProtobufCMessage *message; // or NULL
    node_link_deliver deliver;
    uint64_t due; // loop_now()
};

static struct held_message *take_first(struct node *node)
{
    struct held_message *first = STAILQ_FIRST(&node->held);
    STAILQ_REMOVE_HEAD(&node->held, link);
    node->held_count--;
    return first;
}

static void free_message(struct held_message *held)
{
    if (held->message != NULL)
        protobuf_c_message_free_unpacked(held->message, NULL);
    free(held->framework_id);
    free(held);
}

// Delivers what is due; the rest follows later, if the link is up.
static void deliver_due(struct node *node)
{
    uint64_t now = loop_now(node->master->loop);
    while (!STAILQ_EMPTY(&node->held) && STAILQ_FIRST(&node->held)->due <= now) {
        struct held_message *held = take_first(node);
        held->deliver(node, held->framework_id, held->message);
        free_message(held);
    }
    if (!STAILQ_EMPTY(&node->held))
        timer_start(&node->delivery, STAILQ_FIRST(&node->held)->due - now);
}

static void on_delivery(void *data)
{
    deliver_due(data);
}

static void hold(struct node *node, const char *framework_id, const ProtobufCMessage *message,
                 node_link_deliver deliver)
{
    struct master *master = node->master;
    if (node->held_count == NODE_LINK_MOST) {
        log_warning("agent %s has not taken %d messages: the next one is dropped", node->id,
                    NODE_LINK_MOST);
        return;
    }
    struct held_message *held = memory_new(sizeof *held);
    held->framework_id = memory_string(framework_id);
    held->message = message ? message_copy(message) : NULL;
    held->deliver = deliver;
    held->due = loop_now(master->loop) + master->message_delay;
    STAILQ_INSERT_TAIL(&node->held, held, link);
    node->held_count++;
    if (node->messages == NODE_LINK_UP && !timer_active(&node->delivery))
        timer_start(&node->delivery, master->message_delay);
}

void node_link_send(struct node *node, const char *framework_id, const ProtobufCMessage *message,
                    node_link_deliver deliver)
{
    if (node->state != NODE_REGISTERED || node->messages == NODE_LINK_DOWN)
        log_debug("a message of framework %s does not reach agent %s", framework_id, node->id);
    else if (node->messages == NODE_LINK_HELD || node->master->message_delay > 0 ||
             !STAILQ_EMPTY(&node->held))
        hold(node, framework_id, message, deliver);
    else
        deliver(node, framework_id, message);
}

bool node_link_hears(const struct node *node)
{
    return node->state == NODE_REGISTERED && node->messages == NODE_LINK_UP;
}

void node_link_init(struct node *node)
{
    STAILQ_INIT(&node->held);
    timer_init(&node->delivery, node->master->loop, on_delivery, node);
}

void node_link_hold(struct node *node)
{
    node->messages = NODE_LINK_HELD;
    timer_stop(&node->delivery);
}

void node_link_resume(struct node *node)
{
    node->messages = NODE_LINK_UP;
    deliver_due(node);
}

void node_link_cut(struct node *node)
{
    node->messages = NODE_LINK_DOWN;
    node_link_drop(node);
}

void node_link_drop(struct node *node)
{
    timer_stop(&node->delivery);
    while (!STAILQ_EMPTY(&node->held))
        free_message(take_first(node));
}
