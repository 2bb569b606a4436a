/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.c - the payload of a packet, as the token readers see it.
 *
 *	input: bits | source port (be16) | destination port (be16) | payload
 */
#include "common.h"

#include "base/hash.h"
#include "bulkhead/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash_key key;
	struct token token[TOKENS_A_PACKET + 1];
	struct packet p;
	uint8_t *payload;
	unsigned n;

	if (size < 5)
		return 0;
	memset(&p, 0, sizeof p);
	payload = fuzz_copy(data + 5, size - 5);
	p.l3 = L3_IPV4;
	p.flags = PACKET_L4 | PACKET_MAC;
	p.proto = data[0] & 1 ? IPPROTO_NUM_TCP : IPPROTO_NUM_UDP;
	p.sport = read_be16(data + 1);
	p.dport = read_be16(data + 3);
	p.payload = payload;
	p.payload_len = (uint32_t)(size - 5);
	p.payload_wire = p.payload_len + (data[0] & 2 ? 500 : 0);
	memset(token, 0xa5, sizeof token);
	n = token_extract(&p, &key, token);
	FUZZ_CHECK(n <= TOKENS_A_PACKET);
	FUZZ_CHECK(token[TOKENS_A_PACKET].kind == 0xa5);
	for (unsigned i = 0; i < n; i++) {
		FUZZ_CHECK(token[i].kind > TOKEN_NONE && token[i].kind < TOKEN_MAX);
		FUZZ_CHECK(token[i].bytes <= p.payload_len);
		FUZZ_CHECK(token_name((enum token_kind)token[i].kind) != NULL);
	}
	if (token_of_http(&p, &key, &token[0]))
		FUZZ_CHECK(token[0].bytes <= p.payload_len && !token[0].random);
	if (token_of_payload(&p, &key, &token[0]))
		FUZZ_CHECK(p.payload_len >= 24);
	free(payload);
	return 0;
}
