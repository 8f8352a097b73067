// SPDX-License-Identifier: Apache-2.0
//
// The default time-outs for a master, in seconds. The options of the program have the same
// defaults, as text.

#ifndef MESOS_LUA_NET_TIMEOUTS_H
#define MESOS_LUA_NET_TIMEOUTS_H

#define TIMEOUT_CONNECT 10 // name, connection and TLS together
#define TIMEOUT_ANSWER 30  // to a call, SUBSCRIBE being one

#define TIMEOUT_TEXT(seconds) TIMEOUT_QUOTE(seconds)
#define TIMEOUT_QUOTE(seconds) #seconds

#endif
