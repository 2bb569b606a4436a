/* SPDX-License-Identifier: Apache-2.0 */
/* test_table.c - the LRU table against a plain model of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

struct key {
	uint32_t a, b, c; /* 12 bytes: no multiple of the alignment */
};

static struct key key_of_number(uint32_t n)
{
	return (struct key){.a = n, .b = n * 7, .c = 1};
}

static uint64_t *put(struct table *table, uint32_t n, bool *fresh)
{
	struct key key = key_of_number(n);

	return table_put(table, &key, fresh);
}

/* Fetched before it is looked for, as whoever can does: that changes nothing. */
static uint64_t *find(struct table *table, uint32_t n)
{
	struct key key = key_of_number(n);

	table_prefetch_entry(table, table_prefetch_slot(table, &key));
	return table_find(table, &key);
}

static void the_least_used_goes_first(void **state)
{
	struct table *t = table_new(3, sizeof(struct key), sizeof(uint64_t), 1);
	bool fresh = false;

	(void)state;
	assert_non_null(t);
	assert_null(table_oldest(t));
	*put(t, 1, &fresh) = 10;
	assert_true(fresh);
	*put(t, 2, NULL) = 20;
	*put(t, 3, NULL) = 30;
	assert_int_equal(*put(t, 1, &fresh), 10); /* 1 is the newest now */
	assert_false(fresh);
	assert_non_null(find(t, 2)); /* looking does not make 2 newer */
	assert_int_equal(*put(t, 4, &fresh), 0);
	assert_true(fresh);
	assert_null(find(t, 2));
	assert_int_equal(table_evicted(t), 1);
	assert_int_equal(table_used(t), 3);
	assert_int_equal(table_capacity(t), 3);
	table_touch(t, find(t, 3));
	(void)put(t, 5, NULL);
	assert_null(find(t, 1));
	assert_int_equal(*find(t, 3), 30);
	assert_int_equal(table_evicted(t), 2);
	table_free(t);
}

static void order_can_be_walked_and_thinned(void **state)
{
	struct table *t = table_new(100, sizeof(struct key), sizeof(uint64_t), 1);
	uint64_t *at;
	uint32_t expected = 0;

	(void)state;
	for (uint32_t n = 0; n < 100; n++)
		*put(t, n, NULL) = n;
	for (at = table_oldest(t); at != NULL;) {
		uint64_t *next = table_newer(t, at);
		const struct key *key = table_key(t, at);

		assert_int_equal(*at, expected);
		assert_int_equal(key->a, expected);
		if (expected++ % 2 == 1)
			table_remove(t, at);
		at = next;
	}
	assert_int_equal(expected, 100);
	assert_int_equal(table_used(t), 50);
	assert_int_equal(table_evicted(t), 0);
	for (uint32_t n = 0; n < 100; n++)
		assert_int_equal(find(t, n) != NULL, n % 2 == 0);
	assert_int_equal(*(uint64_t *)table_oldest(t), 0);
	table_clear(t);
	assert_int_equal(table_used(t), 0);
	assert_null(table_oldest(t));
	assert_null(find(t, 0));
	assert_int_equal(*put(t, 0, NULL), 0); /* zeroed although the memory was used */
	table_free(t);
}

static void values_are_zeroed_and_aligned(void **state)
{
	struct table *t = table_new(5, 3, 40, 1);

	(void)state;
	for (int n = 0; n < 200; n++) {
		char key[3] = {(char)n, 'k', (char)(n >> 3)};
		unsigned char *value = table_put(t, key, NULL);

		assert_int_equal((uintptr_t)value % 16, 0);
		for (int i = 0; i < 40; i++)
			assert_int_equal(value[i], 0);
		memset(value, 0xee, 40);
		assert_memory_equal(table_key(t, value), key, 3);
	}
	table_free(t);
	t = table_new(1, 1, 0, 1); /* a set of one */
	(void)table_put(t, "a", NULL);
	(void)table_put(t, "b", NULL);
	assert_null(table_find(t, "a"));
	assert_non_null(table_find(t, "b"));
	table_free(t);
	table_free(NULL);
}

/* The model: the last use of each key, 0 when it is not in the table. */
#define KEYS 300
#define CAPACITY 128

static void model_put(uint64_t *last_use, uint64_t now, uint32_t n, unsigned *used)
{
	uint32_t oldest = KEYS;

	if (last_use[n] == 0 && *used == CAPACITY) {
		for (uint32_t i = 0; i < KEYS; i++)
			if (last_use[i] != 0 && (oldest == KEYS || last_use[i] < last_use[oldest]))
				oldest = i;
		last_use[oldest] = 0;
		--*used;
	}
	*used += last_use[n] == 0;
	last_use[n] = now;
}

static void check_model(struct table *t, const uint64_t *last_use, unsigned used)
{
	uint64_t before = 0;
	unsigned walked = 0;

	assert_int_equal(table_used(t), used);
	for (uint32_t n = 0; n < KEYS; n++)
		assert_int_equal(find(t, n) != NULL, last_use[n] != 0);
	for (uint64_t *at = table_oldest(t); at != NULL; at = table_newer(t, at)) {
		assert_int_equal(*at, last_use[((const struct key *)table_key(t, at))->a]);
		assert_true(*at > before);
		before = *at;
		walked++;
	}
	assert_int_equal(walked, used);
}

static void random_use_equals_the_model(void **state)
{
	struct table *t = table_new(CAPACITY, sizeof(struct key), sizeof(uint64_t), 99);
	uint64_t last_use[KEYS] = {0};
	unsigned used = 0;

	(void)state;
	srandom(7);
	for (uint64_t now = 1; now < 30000; now++) {
		uint32_t n = (uint32_t)random() % KEYS;

		if (random() % 4 == 0) {
			uint64_t *value = find(t, n);

			assert_int_equal(value != NULL, last_use[n] != 0);
			if (value != NULL) {
				table_remove(t, value);
				last_use[n] = 0;
				used--;
			}
		} else {
			*put(t, n, NULL) = now;
			model_put(last_use, now, n, &used);
		}
		if (now % 64 == 0)
			check_model(t, last_use, used);
	}
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_least_used_goes_first),
	    cmocka_unit_test(order_can_be_walked_and_thinned),
	    cmocka_unit_test(values_are_zeroed_and_aligned),
	    cmocka_unit_test(random_use_equals_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
