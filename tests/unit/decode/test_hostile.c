/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hostile.c - frames cut anywhere, changed anywhere, nested without end.
 *
 * Each frame is decoded from a copy of exactly its captured length, so that under a sanitizer
 * any read behind it fails the test; without one the invariants below are checked all the same.
 */
#include "build.h"

#include "bulkhead/clock.h"

#define MUTATIONS 100000
#define SAMPLES 12

static struct build samples[SAMPLES];
static struct packet_stack stack, slow;

static void layered(struct build *b, unsigned layers)
{
	plain_tcp(b, 32);
	for (unsigned n = 1; n < layers; n++)
		vxlan(b, n, 4789);
}

static void make_samples(void)
{
	struct build *b = samples;

	plain_tcp(b, 64);
	plain_tcp(++b, 64);
	tag(b, 0x8100, 5);
	tag(b, 0x88a8, 6);
	start(++b, 18);
	arp(b, 1);
	ethernet(b, ETHERTYPE_ARP);
	start(++b, 16);
	icmp(b, 134, 0);
	fragment6(b, 58, 0, true);
	extension(b, 44, 1);
	front(b)[1] = 2; /* 16 bytes, as an authentication header counts them */
	extension(b, 51, 2);
	ipv6(b, 0);
	ethernet(b, ETHERTYPE_IPV6);
	layered(++b, 4);
	start(++b, 20);
	udp(b, 1, 2);
	ipv6(b, IPPROTO_NUM_UDP);
	ethernet(b, ETHERTYPE_IPV6);
	plain_tcp(++b, 32); /* ERSPAN III, with subheader */
	put16(push(b, 20) + 10, 1);
	put16(front(b), 0x2000);
	put16(push(b, 8), 0x1000);
	put16(front(b) + 2, 0x22eb);
	ipv4(b, IPPROTO_NUM_GRE);
	ethernet(b, ETHERTYPE_IPV4);
	plain_tcp(++b, 32); /* L2TPv3 behind a cookie */
	put32(push(b, 12), 77);
	ipv4(b, 115);
	ethernet(b, ETHERTYPE_IPV4);
	plain_tcp(++b, 32); /* TZSP */
	memcpy(push(b, 9), "\1\0\0\1\0\x0a\1\x05\1", 9);
	udp(b, 1, PORT_TZSP);
	ipv4(b, IPPROTO_NUM_UDP);
	ethernet(b, ETHERTYPE_IPV4);
	start(++b, 32); /* GTP-U with an extension header */
	tcp(b, 1, 2);
	ipv4(b, IPPROTO_NUM_TCP);
	memcpy(push(b, 16), "\x34\xff\0\0\0\0\0\7\0\0\0\x85\1\0\0\0", 16);
	udp(b, 1, PORT_GTPU);
	ipv4(b, IPPROTO_NUM_UDP);
	ethernet(b, ETHERTYPE_IPV4);
	plain_tcp(++b, 32); /* Ethernet in MPLS */
	put32(push(b, 8), 0x00010140);
	ethernet(b, ETHERTYPE_MPLS);
	start(++b, 10); /* SNAP */
	udp(b, 1, 2);
	ipv4(b, IPPROTO_NUM_UDP);
	memcpy(push(b, 8), "\xaa\xaa\x03\0\0\0\x08\0", 8);
	ethernet(b, size(b));
	assert_ptr_equal(b, samples + SAMPLES - 1);
}

/* What every layer promises, of whatever bytes. */
static void assert_sane(const struct packet_stack *s, uint32_t captured)
{
	assert_in_range(s->count, 1, PACKET_MAX_LAYERS);
	for (unsigned n = 0; n < s->count; n++) {
		const struct packet *p = &s->layer[n];

		assert_in_range(p->verdict, 0, DECODE_MAX - 1);
		assert_in_range(p->encap, n == 0 ? 0 : 1, n == 0 ? 0 : ENCAP_MAX - 1);
		assert_in_range(p->tag_count, 0, PACKET_MAX_TAGS);
		assert_in_range(p->l2_len, 0, captured);
		assert_in_range(p->l3_len, 0, p->l2_len);
		assert_in_range(p->l4_len, 0, p->l3_len);
		assert_in_range(p->payload_len, 0, p->l3_len);
		assert_true(p->payload_len <= p->payload_wire);
		assert_true(p->l4 == NULL || p->l4 + p->l4_len <= p->l2 + p->l2_len);
		assert_true(p->payload == NULL || p->payload + p->payload_len <= p->l2 + p->l2_len);
		assert_int_equal(p->payload == NULL, p->payload_len == 0);
		assert_true(p->verdict <= s->verdict);
	}
}

static void assert_same(const struct packet_stack *a, const struct packet_stack *z)
{
	assert_int_equal(a->count, z->count);
	assert_int_equal(a->verdict, z->verdict);
	for (unsigned n = 0; n < a->count; n++) {
		const struct packet *p = &a->layer[n], *q = &z->layer[n];

		assert_memory_equal(p, q, offsetof(struct packet, tag));
		assert_memory_equal(p->tag, q->tag, p->tag_count * sizeof p->tag[0]);
	}
}

/* Both ways over one exact copy: they must agree, whatever the bytes are. */
static void decode_both(const uint8_t *bytes, uint32_t caplen, uint32_t len, uint16_t linktype)
{
	uint8_t *copy = malloc(caplen != 0 ? caplen : 1);
	struct frame frame = {.data = copy, .caplen = caplen, .len = len, .linktype = linktype};
	struct packet quoted;

	assert_non_null(copy);
	memcpy(copy, bytes, caplen);
	packet_decode(&frame, &stack);
	decode_slowly(&frame, &slow);
	assert_same(&stack, &slow);
	assert_sane(&stack, caplen);
	for (unsigned n = 0; n < stack.count; n++)
		(void)packet_quoted(&stack.layer[n], &quoted);
	free(copy);
}

static void every_prefix(void **state)
{
	(void)state;
	for (unsigned n = 0; n < SAMPLES; n++) {
		struct build *b = &samples[n];
		unsigned kinds = 0, whole;

		decode_both(front(b), size(b), size(b), LINK_ETHERNET);
		whole = stack.count;
		assert_int_equal(stack.verdict, DECODE_OK);
		for (uint32_t cut = 0; cut < size(b); cut++) {
			decode_both(front(b), cut, size(b), LINK_ETHERNET);
			assert_true(stack.verdict == DECODE_OK ||
				    stack.verdict == DECODE_TRUNCATED);
			kinds |= 1u << stack.verdict;
			assert_int_equal((stack.layer[0].flags & PACKET_MAC) != 0, cut >= 14);
			assert_true(stack.count <= whole);
			decode_both(front(b), cut, cut, LINK_ETHERNET);	    /* a short frame */
			decode_both(front(b), cut, cut / 2, LINK_ETHERNET); /* a lying record */
		}
		assert_true(kinds & 1u << DECODE_TRUNCATED);
	}
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

static void mutations(void **state)
{
	static const uint16_t links[] = {LINK_ETHERNET,	 LINK_ETHERNET,	  LINK_ETHERNET, LINK_RAW,
					 LINK_LINUX_SLL, LINK_LINUX_SLL2, LINK_NULL,	 LINK_LOOP};
	static uint8_t bytes[BUILD_SIZE];
	uint64_t seed = 20260101;
	unsigned deep = 0, good = 0;

	(void)state;
	for (unsigned n = 0; n < MUTATIONS; n++) {
		const struct build *b = &samples[next_random(&seed) % SAMPLES];
		uint32_t len = size(b), cut, changes = 1 + next_random(&seed) % 4;

		memcpy(bytes, b->bytes + b->at, len);
		while (changes-- > 0)
			bytes[next_random(&seed) % len] = (uint8_t)next_random(&seed);
		cut = next_random(&seed) % 4 == 0 ? next_random(&seed) % len : len;
		decode_both(bytes, cut, len, links[next_random(&seed) % 8]);
		deep += stack.count > 1;
		good += stack.verdict == DECODE_OK;
	}
	assert_true(deep > MUTATIONS / 20); /* else the mutations teach nothing */
	assert_true(good > MUTATIONS / 20 && good < MUTATIONS);
}

static uint64_t cost_once(const struct build *b)
{
	struct frame frame = {
	    .data = b->bytes + b->at, .caplen = size(b), .len = size(b), .linktype = LINK_ETHERNET};
	uint64_t begin = clock_thread_cpu();

	for (unsigned n = 0; n < 200; n++)
		packet_decode(&frame, &stack);
	return clock_thread_cpu() - begin;
}

/* The least of many short runs in turn, and again when a busy machine spoilt them: something
 * quadratic would be at four times in every attempt. */
static void assert_linear(const struct build *few, const struct build *many)
{
	for (unsigned attempt = 0; attempt < 10; attempt++) {
		uint64_t least_few = UINT64_MAX, least_many = UINT64_MAX;

		for (unsigned round = 0; round < 200; round++) {
			uint64_t f = cost_once(few), m = cost_once(many);

			least_few = f < least_few ? f : least_few;
			least_many = m < least_many ? m : least_many;
		}
		if (least_many * 10 <= least_few * 23)
			return;
	}
	fail_msg("twice the work costs more than 2.3 times as much");
}

/* Twice the layers or headers may cost little more than twice as much. */
static void cost_is_linear(void **state)
{
	static struct build few, many;

	(void)state;
	layered(&few, 8);
	layered(&many, 16);
	assert_linear(&few, &many);
	for (unsigned n = 1; n <= 2; n++) {
		struct build *b = n == 1 ? &few : &many;

		start(b, 0);
		udp(b, 1, 2);
		for (unsigned i = 0; i < n * 30; i++)
			extension(b, i == 0 ? IPPROTO_NUM_UDP : 60, 0);
		ipv6(b, 60);
		ethernet(b, ETHERTYPE_IPV6);
	}
	assert_linear(&few, &many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_prefix),
	    cmocka_unit_test(mutations),
	    cmocka_unit_test(cost_is_linear),
	};

	make_samples();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
