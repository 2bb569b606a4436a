/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h - secrets in clear text: decoys that the inventory declares, and HTTP's credentials.
 *
 * A decoy is looked for in any payload, raw and as base64 in all three alignments (HTTP Basic
 * sends "user:password" so, and the secret may be either).  What is kept of it is a keyed hash and
 * a length; a payload is scanned with one rolling hash a length, and what agrees is hashed again.
 *
 * Credentials of HTTP/1 requests (Basic, Bearer, session cookies; and what a server sets) leave as
 * keyed hashes too, and only those that nobody else has by chance: 64 bits of entropy or more.
 *
 * A secret that is split over two packets is not seen.
 */
#ifndef FLOW_SECRET_H
#define FLOW_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "bulkhead/flow.h"

struct decoy_set;

/* NULL when the inventory declares none, or memory is short. */
struct decoy_set *decoy_set_new(const struct inventory *inv, uint64_t seed);
void decoy_set_free(struct decoy_set *set); /* NULL is fine */

#define SECRETS_A_PACKET 8

/* The decoys in a payload, each once.  Returns how many were written. */
unsigned decoy_set_scan(const struct decoy_set *set, const uint8_t *data, size_t len,
			struct secret out[static SECRETS_A_PACKET]);

/* The credentials in the head of an HTTP/1 request, and the session cookies a response sets. */
unsigned secret_of_http(const uint8_t *data, size_t len, const struct hash_key *key,
			struct secret out[static SECRETS_A_PACKET]);

#endif
