/* SPDX-License-Identifier: Apache-2.0 */
/* table.c: what is put in is found, guesses or not, and a full table loses the cheapest. */
#include "flow/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED 11
#define IDLE_NS 1000
#define CAPACITY 3000 /* no power of two */
#define LARGE 200000  /* whose index grows */

struct fixture {
	struct flow_table *table;
	struct hash_key secret;
	struct stats stats;
	unsigned gone;
	uint64_t gone_id;
};

static void count_gone(void *context, struct flow *flow)
{
	struct fixture *f = context;

	f->gone++;
	f->gone_id = flow->id;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	if (f == NULL)
		return -1;
	hash_key_init(&f->secret, SEED);
	f->table = flow_table_new(CAPACITY, IDLE_NS, count_gone, f, &f->stats);
	*state = f;
	return f->table == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	flow_table_free(f->table);
	free(f);
	return 0;
}

static struct flow_key key_nr(uint32_t nr)
{
	struct flow_key key;

	memset(&key, 0, sizeof key);
	memcpy(key.a.b + 12, &nr, sizeof nr);
	key.proto = 6;
	return key;
}

static struct flow *get(struct fixture *f, uint32_t nr, uint64_t now_ns, bool *fresh)
{
	struct flow_key key = key_nr(nr);
	uint32_t hash = flow_hash(&f->secret, &key);
	const struct flow *guess;

	flow_table_prefetch_bucket(f->table, hash);
	guess = flow_table_prefetch_slot(f->table, hash, true);
	return flow_table_get(f->table, &key, hash, guess, now_ns, fresh);
}

static void put(struct fixture *f, uint32_t nr, uint64_t now_ns)
{
	bool fresh;
	struct flow *flow = get(f, nr, now_ns, &fresh);

	assert_true(fresh);
	flow->id = nr;
}

static void finds_what_was_put(void **state)
{
	struct fixture *f = *state;
	bool fresh;

	for (uint32_t i = 1; i <= CAPACITY; i++)
		put(f, i, 1);
	assert_int_equal(flow_table_used(f->table), CAPACITY);
	for (uint32_t i = 1; i <= CAPACITY; i++) {
		struct flow *flow = get(f, i, 2, &fresh);

		assert_false(fresh);
		assert_int_equal(flow->id, i);
		assert_ptr_equal(flow_table_at(f->table, flow_table_slot(f->table, flow)), flow);
	}
	assert_int_equal(f->gone, 0);
}

static void a_wrong_guess_does_no_harm(void **state)
{
	struct fixture *f = *state;
	struct flow_key key = key_nr(2);
	uint32_t hash = flow_hash(&f->secret, &key);
	struct flow *one, *two;
	bool fresh;

	put(f, 1, 1);
	put(f, 2, 1);
	one = get(f, 1, 1, &fresh);
	one->last_ns = IDLE_NS;
	two = flow_table_get(f->table, &key, hash, one, 1, &fresh); /* another's */
	assert_false(fresh);
	assert_int_equal(two->id, 2);
	assert_ptr_equal(flow_table_get(f->table, &key, hash, NULL, 1, &fresh), two);
	assert_false(fresh);
	/* Its own, which ended meanwhile. */
	assert_int_equal(get(f, 2, 2 + IDLE_NS, &fresh)->id, 0);
	assert_true(fresh);
	assert_int_equal(f->gone_id, 2);
	two = flow_table_get(f->table, &key, hash, two, 2 + IDLE_NS, &fresh);
	assert_false(fresh);
	assert_int_equal(flow_table_used(f->table), 2);
}

static void an_idle_tuple_is_another_conversation(void **state)
{
	struct fixture *f = *state;
	bool fresh;

	put(f, 1, 1);
	assert_int_equal(get(f, 1, 1 + IDLE_NS, &fresh)->id, 1);
	assert_false(fresh);
	assert_int_equal(get(f, 1, 2 + IDLE_NS, &fresh)->id, 0);
	assert_true(fresh);
	assert_int_equal(f->gone, 1);
	assert_int_equal(stat_get(&f->stats, STAT_FLOWS_EXPIRED), 1);
}

static void new_flows_sweep_idle_ones_away(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 1; i <= 1000; i++)
		put(f, i, 1);
	for (uint32_t i = 1001; i <= 2000; i++)
		put(f, i, 2 + IDLE_NS);
	assert_int_equal(stat_get(&f->stats, STAT_FLOWS_EXPIRED), 1000);
	assert_int_equal(flow_table_used(f->table), 1000);
}

/* A flood of single packets: answered flows stay, whoever comes. */
static void a_full_table_loses_the_cheapest(void **state)
{
	struct fixture *f = *state;
	unsigned lost = 0;
	bool fresh;

	for (uint32_t i = 1; i <= CAPACITY; i++) {
		put(f, i, 1);
		get(f, i, 1, &fresh)->packets[0] = 1;
		get(f, i, 1, &fresh)->packets[1] = i % 4 == 0;
	}
	for (uint32_t i = CAPACITY + 1; i <= 20 * CAPACITY; i++)
		put(f, i, 2);
	assert_int_equal(flow_table_used(f->table), CAPACITY);
	assert_int_equal(stat_get(&f->stats, STAT_FLOWS_EVICTED), f->gone);
	for (uint32_t i = 4; i <= CAPACITY; i += 4) {
		(void)get(f, i, 2, &fresh);
		lost += fresh;
	}
	assert_int_equal(lost, 0);
}

static void a_growing_index_keeps_all(void **state)
{
	struct fixture *f = *state;
	bool fresh;

	flow_table_free(f->table);
	f->table = flow_table_new(LARGE, IDLE_NS, count_gone, f, &f->stats);
	assert_non_null(f->table);
	for (uint32_t i = 1; i <= LARGE / 2; i++) {
		put(f, i, 1);
		assert_int_equal(get(f, i / 2 + 1, 1, &fresh)->id, i / 2 + 1);
	}
	for (uint32_t i = 1; i <= LARGE / 2; i++)
		assert_int_equal(get(f, i, 1, &fresh)->id, i);
	assert_int_equal(f->gone, 0);
}

static void ends_all_of_them(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 1; i <= 500; i++)
		put(f, i, 1);
	flow_table_end_all(f->table);
	assert_int_equal(f->gone, 500);
	assert_int_equal(flow_table_used(f->table), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(finds_what_was_put, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_wrong_guess_does_no_harm, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_idle_tuple_is_another_conversation, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(new_flows_sweep_idle_ones_away, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_full_table_loses_the_cheapest, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_growing_index_keeps_all, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(ends_all_of_them, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
