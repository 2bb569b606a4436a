/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c - one frame of any link type: decoding, quoted packets, tokens, flow keys.
 *
 *	input: link type (index) | bytes cut off by the snaplen (be16) | frame
 */
#include "common.h"

#include "base/hash.h"
#include "bulkhead/flow.h"
#include "decode/decode.h"
#include "flow/table.h"

static const uint16_t links[] = {
    LINK_ETHERNET,  LINK_NULL, LINK_RAW_OLD, LINK_RAW,	      LINK_LOOP,
    LINK_LINUX_SLL, LINK_IPV4, LINK_IPV6,    LINK_LINUX_SLL2, 147};

static void check_stack(const struct packet_stack *stack, const uint8_t *data, uint32_t caplen)
{
	FUZZ_CHECK(stack->count >= 1 && stack->count <= PACKET_MAX_LAYERS);
	FUZZ_CHECK(stack->verdict < DECODE_MAX);
	FUZZ_CHECK(stack->layer[0].encap == ENCAP_NONE);
	for (unsigned i = 0; i < stack->count; i++) {
		fuzz_check_packet(&stack->layer[i], data, caplen);
		FUZZ_CHECK(i == 0 || stack->layer[i].encap != ENCAP_NONE);
	}
}

/* The fast path says what the slow one does. */
static void check_same(const struct packet *a, const struct packet *b)
{
	FUZZ_CHECK(a->l3 == b->l3 && a->encap == b->encap && a->verdict == b->verdict);
	FUZZ_CHECK(a->flags == b->flags && a->ethertype == b->ethertype && a->vlan == b->vlan);
	FUZZ_CHECK(mac_equal(a->smac, b->smac) && mac_equal(a->dmac, b->dmac));
	FUZZ_CHECK(a->tag_count == b->tag_count && a->proto == b->proto && a->ttl == b->ttl);
	FUZZ_CHECK(a->sport == b->sport && a->dport == b->dport);
	FUZZ_CHECK(ip_equal(&a->src, &b->src) && ip_equal(&a->dst, &b->dst));
	FUZZ_CHECK(a->icmp_type == b->icmp_type && a->icmp_code == b->icmp_code);
	FUZZ_CHECK(a->ip_id == b->ip_id && a->ip_len == b->ip_len);
	FUZZ_CHECK(a->tcp_header_len == b->tcp_header_len && a->l4_checksum == b->l4_checksum);
	if (a->tcp_header_len != 0)
		FUZZ_CHECK(a->tcp_seq == b->tcp_seq && a->tcp_ack == b->tcp_ack &&
			   a->tcp_flags == b->tcp_flags && a->tcp_window == b->tcp_window);
	FUZZ_CHECK(a->l2 == b->l2 && a->l3_data == b->l3_data && a->l4 == b->l4);
	FUZZ_CHECK(a->payload == b->payload && a->payload_len == b->payload_len);
	FUZZ_CHECK(a->payload_wire == b->payload_wire && a->l3_len == b->l3_len);
	FUZZ_CHECK(a->l2_len == b->l2_len && a->l4_len == b->l4_len);
	FUZZ_CHECK(a->fragment_offset == b->fragment_offset);
}

static void use_packet(const struct packet *packet, const uint8_t *data, uint32_t caplen)
{
	static const struct hash_key key;
	struct token token[TOKENS_A_PACKET];
	char text[COMMUNITY_ID_SIZE];
	struct flow_key of;
	struct flow flow = {0};
	unsigned direction;
	struct packet quoted;
	struct flow_tuple tuple;

	FUZZ_CHECK(token_extract(packet, &key, token) <= TOKENS_A_PACKET);
	(void)token_of_syn(packet, &key, &token[0]);
	(void)token_of_payload(packet, &key, &token[0]);
	(void)packet_fingerprint(packet);
	if (packet_quoted(packet, &quoted)) {
		fuzz_check_packet(&quoted, data, caplen);
		FUZZ_CHECK(quoted.l3 == L3_IPV4 || quoted.l3 == L3_IPV6);
	}
	if (!flow_key_of(packet, 7, &of, &direction))
		return;
	FUZZ_CHECK(direction <= 1);
	flow.key = of;
	tuple = flow_tuple_of(&flow, direction);
	FUZZ_CHECK(ip_equal(&tuple.src, &packet->src) && ip_equal(&tuple.dst, &packet->dst));
	fuzz_check_plain(community_id(&tuple, text), sizeof text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct packet_stack stack, slow, inner;
	struct frame frame = {.ts_ns = 1, .number = 1};
	uint8_t *bytes;

	if (size < 3 || size > 65535)
		return 0;
	frame.linktype = links[data[0] % (sizeof links / sizeof links[0])];
	frame.caplen = (uint32_t)(size - 3);
	frame.len = frame.caplen + read_be16(data + 1);
	frame.data = bytes = fuzz_copy(data + 3, size - 3);
	packet_decode(&frame, &stack);
	check_stack(&stack, bytes, frame.caplen);
	decode_slowly(&frame, &slow);
	FUZZ_CHECK(stack.count == slow.count && stack.verdict == slow.verdict);
	for (unsigned i = 0; i < stack.count; i++)
		check_same(&stack.layer[i], &slow.layer[i]);
	for (unsigned i = 0; i < stack.count; i++)
		use_packet(&stack.layer[i], bytes, frame.caplen);
	packet_decode_bytes(bytes, frame.caplen, frame.len, data[0] & 0x80, &inner);
	check_stack(&inner, bytes, frame.caplen);
	free(bytes);
	return 0;
}
