/* SPDX-License-Identifier: Apache-2.0 */
/* server_name.h - what a TLS ClientHello says: the server's name, and which client speaks. */
#ifndef FLOW_SERVER_NAME_H
#define FLOW_SERVER_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/* Writes the name in lower case, cut to size - 1 bytes at its front; wire bytes, not trusted.
 * False when there is none as far as the payload goes. */
bool server_name(const uint8_t *payload, size_t len, char *out, size_t size);

/*
 * What one client's hellos have in common and another's have not: versions, cipher suites,
 * extensions, groups and point formats, as JA3 takes them, but in an order of its own, since
 * browsers shuffle extensions, and without what comes and goes from one hello to the next
 * (GREASE of RFC 8701, resumption, padding).  0 when the hello is not whole.
 */
uint64_t hello_print(const uint8_t *payload, size_t len, const struct hash_key *key);

#endif
