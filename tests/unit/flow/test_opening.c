/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_opening.c - what is kept is found as it was, or not at all: by order, by frame, when the
 * ring has gone round, and while it goes round.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "flow/opening.h"

#define RING ((size_t)1 << 20) /* the least there is */

/* Every byte follows from flow and nth, so that a blend of two packets shows. */
static size_t make(uint8_t *out, uint64_t flow, uint32_t nth)
{
	size_t len = 1 + (flow * 31 + nth * 97) % 700;

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(flow * 7 + nth * 13 + i);
	return len;
}

static void keep(struct openings *o, uint64_t flow, uint32_t nth, uint64_t number)
{
	uint8_t data[OPENING_PACKET_MAX];
	size_t len = make(data, flow, nth);

	(void)openings_keep(o, flow, nth, number, number * 10, data, len);
}

static void make_and_keep(struct openings *o, uint64_t number, bool *wait)
{
	uint8_t data[OPENING_PACKET_MAX];
	size_t len = make(data, number, 0);

	*wait = openings_keep(o, number, 0, number, number * 10, data, len);
}

static bool is_whole(const struct opening *opening, uint64_t flow)
{
	uint8_t data[OPENING_PACKET_MAX];
	size_t len = make(data, flow, opening->nth);

	return opening->len == len && memcmp(opening->data, data, len) == 0 &&
	       opening->ts_ns == opening->number * 10;
}

static void in_order(void **state)
{
	struct openings *o = openings_new(1);
	uint64_t at[OPENING_PACKETS];
	struct opening opening;
	bool gone;

	(void)state;
	assert_non_null(o);
	assert_int_equal(openings_find(o, 1, UINT64_MAX, at, &gone), 0);
	assert_false(gone);
	for (uint32_t nth = 0; nth < 5; nth++)
		for (uint64_t flow = 1; flow <= 100; flow++)
			keep(o, flow, nth, nth * 100 + flow);
	for (uint64_t flow = 1; flow <= 100; flow++) {
		assert_int_equal(openings_find(o, flow, UINT64_MAX, at, &gone), 5);
		assert_false(gone);
		for (uint32_t nth = 0; nth < 5; nth++) {
			assert_true(openings_read(o, at[nth], &opening));
			assert_int_equal(opening.nth, nth);
			assert_int_equal(opening.number, nth * 100 + flow);
			assert_true(is_whole(&opening, flow));
		}
	}
	/* Frames that have not come yet, for who judges an earlier one. */
	assert_int_equal(openings_find(o, 50, 249, at, &gone), 2);
	assert_int_equal(openings_find(o, 50, 250, at, &gone), 3);
	assert_int_equal(openings_find(o, 50, 0, at, &gone), 0);
	openings_free(o);
}

static void long_packets_are_cut(void **state)
{
	struct openings *o = openings_new(RING);
	uint64_t at[OPENING_PACKETS];
	uint8_t data[OPENING_PACKET_MAX + 1000];
	struct opening opening;
	bool gone;

	(void)state;
	memset(data, 'x', sizeof data);
	openings_keep(o, 7, 0, 1, 1, data, sizeof data);
	openings_keep(o, 7, 1, 2, 2, data, 0);
	assert_int_equal(openings_find(o, 7, UINT64_MAX, at, &gone), 2);
	assert_true(openings_read(o, at[0], &opening));
	assert_int_equal(opening.len, OPENING_PACKET_MAX);
	assert_memory_equal(opening.data, data, OPENING_PACKET_MAX);
	assert_true(openings_read(o, at[1], &opening));
	assert_int_equal(opening.len, 0);
	openings_free(o);
}

/* Of a flow with more packets than are read, and of many in one bucket, the newest are found. */
static void too_many(void **state)
{
	struct openings *o = openings_new(RING);
	uint64_t at[OPENING_PACKETS];
	struct opening opening;
	bool gone;

	(void)state;
	for (uint32_t nth = 0; nth < 2 * OPENING_PACKETS; nth++)
		keep(o, 9, nth, nth + 1);
	assert_int_equal(openings_find(o, 9, UINT64_MAX, at, &gone), OPENING_PACKETS);
	assert_true(openings_read(o, at[0], &opening));
	assert_int_equal(opening.nth, OPENING_PACKETS);
	openings_free(o);
}

/* The ring goes round some thirty times: the newest flows are there, the first is told to be gone.
 */
static void round_and_round(void **state)
{
	enum { FLOWS = 100000 };
	struct openings *o = openings_new(RING);
	uint64_t at[OPENING_PACKETS];
	struct opening opening;
	unsigned kept = 0;
	bool gone;

	(void)state;
	for (uint64_t flow = 1; flow <= FLOWS; flow++)
		keep(o, flow, 0, flow);
	for (uint64_t flow = 1; flow <= FLOWS; flow++) {
		unsigned count = openings_find(o, flow, UINT64_MAX, at, &gone);

		assert_true(count == 1 || gone);
		for (unsigned i = 0; i < count; i++) {
			assert_true(openings_read(o, at[i], &opening));
			assert_true(is_whole(&opening, flow));
		}
		kept += count;
		if (flow > FLOWS - 1000)
			assert_int_equal(count, 1);
	}
	assert_in_range(kept, 2000, RING / 350);
	openings_free(o);
}

/* A reader hundreds of frames behind, and one who asked at once: as of a frame both find the same,
 * as long as the writer waits when it is told to. */
static void behind_the_writer(void **state)
{
	enum { FLOWS = 60000, EVERY = 97 };
	struct openings *o = openings_new(RING);
	static uint8_t then[FLOWS / EVERY + 1][8];
	uint64_t at[OPENING_PACKETS], reader = 1, most = 0;
	unsigned gone_then = 0;
	bool gone;

	(void)state;
	for (uint64_t number = 1; number <= FLOWS; number++) {
		bool wait;

		make_and_keep(o, number, &wait);
		if (number % EVERY == 0)
			for (unsigned i = 0; i < 8; i++)
				then[number / EVERY][i] =
				    (uint8_t)openings_find(o, number - i * 350, number, at, &gone);
		most = number - reader > most ? number - reader : most;
		for (; wait && reader < openings_wait_for(o); reader++)
			for (unsigned i = 0; i < 8 && reader % EVERY == 0; i++) {
				unsigned now =
				    openings_find(o, reader - i * 350, reader, at, &gone);

				assert_int_equal(now, then[reader / EVERY][i]);
				gone_then += now == 0;
			}
	}
	assert_true(most > 500);
	assert_true(gone_then > 0);
	openings_free(o);
}

struct race {
	struct openings *o;
	_Atomic uint64_t newest;
};

static void *write_on(void *context)
{
	struct race *race = context;

	for (uint64_t flow = 1; flow <= 60000; flow++) {
		keep(race->o, flow, 0, flow);
		race->newest = flow;
	}
	return NULL;
}

/* A reader beside the writer: what it is given is whole, however old.  (ThreadSanitizer looks on.)
 */
static void beside_the_writer(void **state)
{
	struct race race = {.o = openings_new(RING)};
	pthread_t writer;
	uint64_t newest, turn = 0;
	unsigned read = 0;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, write_on, &race), 0);
	do {
		uint64_t at[OPENING_PACKETS], back = turn++ % 4000;
		struct opening opening;
		bool gone;

		newest = race.newest;
		if (newest <= back ||
		    openings_find(race.o, newest - back, UINT64_MAX, at, &gone) == 0 ||
		    !openings_read(race.o, at[0], &opening))
			continue;
		assert_true(is_whole(&opening, newest - back));
		read++;
	} while (newest < 60000);
	assert_int_equal(pthread_join(writer, NULL), 0);
	assert_true(read > 0);
	openings_free(race.o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_order),		 cmocka_unit_test(long_packets_are_cut),
	    cmocka_unit_test(too_many),		 cmocka_unit_test(round_and_round),
	    cmocka_unit_test(behind_the_writer), cmocka_unit_test(beside_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
