/* SPDX-License-Identifier: Apache-2.0 */
/* server_name.h - the server's name in a TLS ClientHello. */
#ifndef FLOW_SERVER_NAME_H
#define FLOW_SERVER_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes the name in lower case, cut to size - 1 bytes at its front; wire bytes, not trusted.
 * False when there is none as far as the payload goes. */
bool server_name(const uint8_t *payload, size_t len, char *out, size_t size);

#endif
