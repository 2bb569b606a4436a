/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_spread.c - a frame's worker, told at a glance, is the one that decoding would tell.
 *
 * Else a frame would be judged twice or not at all, and alerts would depend on the number of
 * workers.
 */
#include "unit/decode/build.h"

#include "worker.h"

#define WORKERS 3
#define SAMPLES 7
#define MUTATIONS 200000

static struct build samples[SAMPLES];
static struct packet_stack stack;

static void make_samples(void)
{
	struct build *b = samples;

	plain_tcp(b, 64);
	plain_tcp(++b, 64);
	tag(b, 0x8100, 5);
	plain_tcp(++b, 64);
	tag(b, 0x8100, 5);
	tag(b, 0x88a8, 6);
	start(++b, 64);
	udp(b, 1, 2);
	ipv6(b, IPPROTO_NUM_UDP);
	ethernet(b, ETHERTYPE_IPV6);
	start(++b, 64);
	icmp(b, 8, 0);
	ipv4(b, IPPROTO_NUM_ICMP);
	ethernet(b, ETHERTYPE_IPV4);
	start(++b, 64);
	arp(b, 1);
	ethernet(b, ETHERTYPE_ARP);
	plain_tcp(++b, 64);
	vxlan(b, 7, 4789);
	assert_ptr_equal(b, samples + SAMPLES - 1);
}

/* Whether its worker was told at a glance. */
static bool spread(struct shared *shared, const uint8_t *bytes, uint32_t caplen, uint32_t len)
{
	uint8_t *copy = malloc(caplen != 0 ? caplen : 1);
	struct frame frame = {
	    .data = copy, .caplen = caplen, .len = len, .linktype = LINK_ETHERNET};
	unsigned glance, decoded;

	assert_non_null(copy);
	memcpy(copy, bytes, caplen);
	packet_decode(&frame, &stack);
	decoded = spread_decoded(shared, &stack.layer[0]);
	glance = spread_glance(shared, &frame);
	assert_true(decoded < WORKERS);
	if (glance != SPREAD_UNKNOWN)
		assert_int_equal(glance, decoded);
	assert_int_equal(spread_owner(shared, &frame, &stack), decoded);
	free(copy);
	return glance != SPREAD_UNKNOWN;
}

static struct shared *three_workers(void)
{
	static struct shared shared = {.workers = WORKERS};

	hash_key_init(&shared.key, 1);
	return &shared;
}

static void plain_frames_at_a_glance(void **state)
{
	static const bool expected[SAMPLES] = {true, true, false, true, true, false, true};

	(void)state;
	for (unsigned n = 0; n < SAMPLES; n++) {
		struct build *b = &samples[n];

		assert_int_equal(spread(three_workers(), front(b), size(b), size(b)), expected[n]);
		for (uint32_t cut = 0; cut < size(b); cut++) {
			(void)spread(three_workers(), front(b), cut, size(b));
			(void)spread(three_workers(), front(b), cut, cut);
		}
	}
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

static void whatever_the_bytes(void **state)
{
	static uint8_t bytes[BUILD_SIZE];
	uint64_t seed = 20260101;

	(void)state;
	for (unsigned n = 0; n < MUTATIONS; n++) {
		struct build *b = &samples[next_random(&seed) % SAMPLES];

		memcpy(bytes, front(b), size(b));
		for (unsigned i = next_random(&seed) % 4; i > 0; i--)
			bytes[12 + next_random(&seed) % 50] = (uint8_t)next_random(&seed);
		(void)spread(three_workers(), bytes, size(b) - next_random(&seed) % 8, size(b));
	}
}

static struct ip_addr address(bool v6, uint32_t last)
{
	uint8_t b[16] = {0x20, 1, 0xd, 0xb8, [12] = 10, 1, (uint8_t)(last >> 8), (uint8_t)last};
	struct ip_addr ip;

	if (!v6)
		return ip_from_v4(b + 12);
	memcpy(ip.b, b, sizeof ip);
	return ip;
}

/* Both directions meet; and of neighbours that all talk to one gateway each worker gets some. */
static void pairs(void **state)
{
	const struct shared *shared = three_workers();

	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct packet there = {.l3 = v6 ? L3_IPV6 : L3_IPV4}, back = there;
		unsigned count[WORKERS] = {0};

		there.dst = back.src = address(v6, 1);
		for (uint32_t n = 2; n < 3002; n++) {
			unsigned owner;

			there.src = back.dst = address(v6, n);
			owner = spread_decoded(shared, &there);
			assert_int_equal(spread_decoded(shared, &back), owner);
			count[owner]++;
		}
		for (unsigned i = 0; i < WORKERS; i++)
			assert_in_range(count[i], 800, 1200);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_frames_at_a_glance),
	    cmocka_unit_test(whatever_the_bytes),
	    cmocka_unit_test(pairs),
	};

	make_samples();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
