// SPDX-License-Identifier: Apache-2.0
//
// Whether this is a build with AddressSanitizer, for allocators that keep what they are given back:
// there they keep nothing, so that a use after the end is seen.

#ifndef MESOS_LUA_BASE_SANITIZER_H
#define MESOS_LUA_BASE_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#endif
#ifndef ADDRESS_SANITIZER
#define ADDRESS_SANITIZER 0
#endif

#endif
