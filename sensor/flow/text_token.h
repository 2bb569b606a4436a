/* SPDX-License-Identifier: Apache-2.0 */
/* text_token.h - tokens of protocols that are lines of text: HTTP and SIP. */
#ifndef FLOW_TEXT_TOKEN_H
#define FLOW_TEXT_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bulkhead/flow.h"

struct hash_key;

/* Fills *out with the keyed hash of the content. */
void token_set(struct token *out, const struct hash_key *key, enum token_kind kind,
	       const uint8_t *content, size_t len, bool random);

/* The token of a payload of these bytes; false for less than TOKEN_LITTLE, or a constant. */
bool token_of_bytes(const uint8_t *p, size_t len, const struct hash_key *key, struct token *out);

/* The tokens of a payload that begins with a capital letter; at most TOKENS_A_PACKET. */
unsigned text_tokens(const uint8_t *p, size_t len, const struct hash_key *key,
		     struct token out[static TOKENS_A_PACKET]);

#endif
