// SPDX-License-Identifier: Apache-2.0
//
// What comes from a user or from ZooKeeper, with any bytes: an address, or the name and the data of
// a master's node. The first byte chooses. What is taken has to keep what its header promises.

#include "base/memory.h"
#include "leader/zookeeper_address.h"
#include "leader/zookeeper_masters.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool promise)
{
    if (!promise)
        abort();
}

static void read_address(const char *text)
{
    struct zookeeper_address address;
    struct error err = {.code = ERROR_NONE};
    if (!zookeeper_address_parse(&address, text, &err)) {
        check(err.text[0] != 0 && address.path == NULL && address.credentials == NULL);
        return;
    }
    size_t length = strlen(address.path);
    check(address.count > 0 && address.path[0] == '/' && length > 1);
    check(address.path[length - 1] != '/' && strstr(address.path, "//") == NULL);
    check(strchr(address.name, '@') == NULL);
    zookeeper_address_free(&address);
}

static void read_node(enum zookeeper_masters_label label, struct slice data)
{
    struct url address, again;
    char hostname[sizeof address.host], text[URL_ADDRESS];
    struct error err = {.code = ERROR_NONE};
    if (!zookeeper_masters_read(label, data, &address, hostname, &err)) {
        check(err.text[0] != 0);
        return;
    }
    check(url_parse(&again, url_address(&address, text), &err));
    check(again.port == address.port && strcmp(again.host, address.host) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = memory_text((const char *)data + 1, size - 1);
    enum zookeeper_masters_label label =
        (enum zookeeper_masters_label)(data[0] % (ZOOKEEPER_MASTERS_UNKNOWN + 1));
    if (label == ZOOKEEPER_MASTERS_UNKNOWN)
        read_address(text);
    else if (label == ZOOKEEPER_MASTERS_NONE)
        zookeeper_masters_leader(&text, 1);
    else
        read_node(label, (struct slice){data + 1, size - 1});
    free(text);
    return 0;
}
