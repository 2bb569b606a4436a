/* SPDX-License-Identifier: Apache-2.0 */
/* test_ring.c - records come out as they went in, also from one thread to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/ring.h"

static void records_appear_when_published(void **state)
{
	struct ring *r = ring_new(1000);
	size_t len = 0;
	char *p;

	(void)state;
	assert_null(ring_peek(r, &len));
	p = ring_reserve(r, 100);
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % 8, 0);
	memcpy(p, "hello", 6);
	ring_commit(r, 6); /* less than reserved */
	assert_null(ring_peek(r, &len));
	assert_int_equal(ring_used(r), 0);
	p = ring_reserve(r, 0);
	ring_commit(r, 0);
	ring_publish(r);
	assert_int_equal(ring_used(r), 16 + 8);
	assert_string_equal(ring_peek(r, &len), "hello");
	assert_int_equal(len, 6);
	assert_string_equal(ring_peek(r, &len), "hello"); /* until it is popped */
	ring_pop(r);
	assert_non_null(ring_peek(r, &len));
	assert_int_equal(len, 0);
	ring_pop(r);
	assert_null(ring_peek(r, &len));
	assert_int_equal(ring_used(r), 0);
	ring_free(r);
	ring_free(NULL);
}

static void a_full_ring_refuses(void **state)
{
	struct ring *r = ring_new(256);
	unsigned count = 0;
	size_t len;

	(void)state;
	assert_null(ring_reserve(r, 121)); /* more than half, with its head */
	while (ring_reserve(r, 24) != NULL) {
		ring_commit(r, 24);
		count++;
	}
	assert_int_equal(count, 8);
	ring_publish(r);
	assert_int_equal(ring_used(r), 256);
	assert_non_null(ring_peek(r, &len));
	ring_pop(r);
	assert_non_null(ring_reserve(r, 24));
	assert_null(ring_reserve(r, 25));
	ring_free(r);
}

/* Whatever the position, an empty ring takes the largest record. */
static void the_largest_record_fits_anywhere(void **state)
{
	struct ring *r = ring_new(256);
	size_t len;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		size_t size = i % 2 ? 120 : (size_t)(i * 8) % 64;
		unsigned char *p = ring_reserve(r, size);

		assert_non_null(p);
		memset(p, i, size);
		ring_commit(r, size);
		ring_publish(r);
		p = (unsigned char *)(uintptr_t)ring_peek(r, &len);
		assert_non_null(p);
		assert_int_equal(len, size);
		for (size_t k = 0; k < len; k++)
			assert_int_equal(p[k], i & 255);
		ring_pop(r);
	}
	ring_free(r);
}

static void a_forgotten_reservation_costs_nothing(void **state)
{
	struct ring *r = ring_new(256);
	size_t len;
	char *p;

	(void)state;
	assert_non_null(ring_reserve(r, 100));
	ring_commit(r, 100);
	assert_non_null(ring_reserve(r, 100));
	ring_commit(r, 100);
	ring_publish(r);
	(void)ring_peek(r, &len);
	ring_pop(r);
	assert_non_null(ring_reserve(r, 90)); /* would wrap */
	p = ring_reserve(r, 5);		      /* fits before the end after all */
	assert_non_null(p);
	memcpy(p, "tail", 5);
	ring_commit(r, 5);
	ring_publish(r);
	(void)ring_peek(r, &len);
	ring_pop(r);
	assert_string_equal(ring_peek(r, &len), "tail");
	ring_pop(r);
	assert_null(ring_peek(r, &len));
	ring_free(r);
}

#define RECORDS 200000

static size_t size_of(uint32_t n)
{
	return 4 + n * 2654435761U % 197;
}

/* Each record is looked at early once, in order, over the end of the memory as well. */
static void looking_ahead_sees_each_once(void **state)
{
	struct ring *ring = ring_new(256);
	uint64_t in = 0, looked = 0, out = 0;

	(void)state;
	assert_non_null(ring);
	assert_null(ring_look_ahead(ring, 2));
	while (out < 200) {
		uint64_t *record;
		const uint64_t *seen;
		size_t len;

		while (in < out + 4 && (record = ring_reserve(ring, 8 * (1 + in % 4))) != NULL) {
			*record = in++;
			ring_commit(ring, 8 * (1 + *record % 4));
		}
		ring_publish(ring);
		seen = ring_peek(ring, &len);
		assert_non_null(seen);
		assert_int_equal(*seen, out);
		while ((seen = ring_look_ahead(ring, 2)) != NULL)
			assert_int_equal(*seen, looked++);
		assert_in_range(looked, out + 1, out + 3); /* two behind the oldest */
		ring_pop(ring);
		out++;
	}
	ring_free(ring);
}

static void *produce(void *argument)
{
	struct ring *r = argument;

	for (uint32_t n = 0; n < RECORDS; n++) {
		unsigned char *p = ring_reserve(r, size_of(n));

		while (p == NULL) {
			ring_publish(r);
			(void)sched_yield();
			p = ring_reserve(r, size_of(n));
		}
		memset(p, (int)n, size_of(n));
		memcpy(p, &n, sizeof n);
		ring_commit(r, size_of(n));
		if (n % 7 == 0)
			ring_publish(r);
	}
	ring_publish(r);
	return NULL;
}

static void two_threads_agree(void **state)
{
	struct ring *r = ring_new(4096);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, produce, r), 0);
	for (uint32_t n = 0; n < RECORDS; n++) {
		const unsigned char *p;
		uint32_t number;
		size_t len = 0;

		while ((p = ring_peek(r, &len)) == NULL)
			(void)sched_yield();
		memcpy(&number, p, sizeof number);
		assert_int_equal(number, n);
		assert_int_equal(len, size_of(n));
		for (size_t i = 4; i < len; i++)
			if (p[i] != (n & 255))
				fail_msg("record %u is torn", n);
		assert_true(ring_used(r) <= 4096);
		ring_pop(r);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(ring_used(r), 0);
	ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_appear_when_published),
	    cmocka_unit_test(a_full_ring_refuses),
	    cmocka_unit_test(the_largest_record_fits_anywhere),
	    cmocka_unit_test(a_forgotten_reservation_costs_nothing),
	    cmocka_unit_test(looking_ahead_sees_each_once),
	    cmocka_unit_test(two_threads_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
