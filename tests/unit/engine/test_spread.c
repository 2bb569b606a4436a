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

/* How many workers took the frame at a glance. */
static unsigned spread(struct shared *shared, const uint8_t *bytes, uint32_t caplen, uint32_t len)
{
	uint8_t *copy = malloc(caplen != 0 ? caplen : 1);
	struct frame frame = {
	    .data = copy, .caplen = caplen, .len = len, .linktype = LINK_ETHERNET};
	static struct worker w;
	unsigned owners = 0, glances = 0;

	assert_non_null(copy);
	memcpy(copy, bytes, caplen);
	packet_decode(&frame, &stack);
	w.shared = shared;
	for (w.index = 0; w.index < WORKERS; w.index++) {
		bool mine = spread_is_mine(&w, &stack.layer[0]);
		enum spread glance = spread_glance(&w, &frame);

		owners += mine;
		glances += glance == SPREAD_MINE;
		if (glance != SPREAD_UNKNOWN)
			assert_int_equal(glance == SPREAD_MINE, mine);
	}
	assert_int_equal(owners, 1);
	free(copy);
	return glances;
}

static struct shared *three_workers(void)
{
	static struct shared shared = {.workers = WORKERS};

	hash_key_init(&shared.key, 1);
	return &shared;
}

static void plain_frames_at_a_glance(void **state)
{
	static const unsigned expected[SAMPLES] = {1, 1, 0, 1, 1, 0, 1};

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

static void one_worker_and_live_take_all(void **state)
{
	struct shared alone = {.workers = 1}, live = {.workers = WORKERS, .live = true};
	struct frame frame = {.data = front(samples), .linktype = LINK_ETHERNET};
	static struct worker w;

	(void)state;
	w.index = 1;
	w.shared = &alone;
	assert_int_equal(spread_glance(&w, &frame), SPREAD_MINE);
	w.shared = &live;
	assert_int_equal(spread_glance(&w, &frame), SPREAD_MINE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_frames_at_a_glance),
	    cmocka_unit_test(whatever_the_bytes),
	    cmocka_unit_test(one_worker_and_live_take_all),
	};

	make_samples();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
