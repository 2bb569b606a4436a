/* SPDX-License-Identifier: Apache-2.0 */
/* meet.c: who is told of whom, and what a full book forgets. */
#include "detect/meet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define WINDOW UINT64_C(1000000000)
#define LATER UINT64_C(200000000) /* 200 ms: no copy any more */
#define SEED 7
#define MANY 5000

static struct token token_nr(uint32_t nr)
{
	/* As spread as a keyed hash. */
	return (struct token){.kind = TOKEN_DNS_QUERY,
			      .lo = nr * UINT64_C(0x9e3779b97f4a7c15),
			      .hi = nr * UINT64_C(0xc2b2ae3d27d4eb4f)};
}

/* A sighting by the NIC and in the flow of that number. */
static struct leg leg_nr(uint8_t nr, uint64_t ts_ns)
{
	struct leg leg;

	memset(&leg, 0, sizeof leg);
	leg.smac.b[5] = nr;
	leg.tuple.sport = nr;
	leg.ts_ns = ts_ns;
	leg.number = ts_ns;
	return leg;
}

static unsigned note(struct meet *m, uint32_t token, uint8_t leg, uint64_t ts_ns,
		     const struct leg *earlier[static MEET_LEGS])
{
	const struct token t = token_nr(token);
	const struct leg l = leg_nr(leg, ts_ns);

	meet_prefetch(m, &t);
	return meet_note(m, &t, &l, WINDOW, earlier);
}

static void tells_of_earlier_legs_in_order(void **state)
{
	struct meet *m = meet_new(64, SEED);
	const struct leg *earlier[MEET_LEGS];

	(void)state;
	assert_non_null(m);
	assert_int_equal(note(m, 1, 1, 10, earlier), 0);
	assert_int_equal(note(m, 2, 9, 11, earlier), 0); /* another token */
	assert_int_equal(note(m, 1, 2, 12, earlier), 1);
	assert_int_equal(earlier[0]->tuple.sport, 1);
	assert_int_equal(note(m, 1, 3, 13, earlier), 2);
	assert_int_equal(earlier[0]->tuple.sport, 1);
	assert_int_equal(earlier[1]->tuple.sport, 2);
	assert_int_equal(note(m, 1, 4, 14, earlier), 3);
	assert_int_equal(note(m, 1, 5, 15, earlier), MEET_LEGS);
	assert_int_equal(note(m, 1, 6, 16, earlier), MEET_LEGS); /* of the same four */
	assert_int_equal(earlier[3]->tuple.sport, 4);
	assert_int_equal(meet_evicted(m), 0);
	meet_free(m);
}

static void a_leg_said_again_is_no_other(void **state)
{
	struct meet *m = meet_new(64, SEED);
	const struct leg *earlier[MEET_LEGS];

	(void)state;
	assert_int_equal(note(m, 1, 1, 10, earlier), 0);
	assert_int_equal(note(m, 1, 1, 10 + LATER, earlier), 0);
	assert_int_equal(note(m, 1, 2, 20 + LATER, earlier), 1);
	assert_int_equal(earlier[0]->ts_ns, 10 + LATER);
	assert_int_equal(note(m, 1, 2, 20 + 2 * LATER, earlier), 1);
	assert_int_equal(note(m, 1, 3, 30 + 2 * LATER, earlier), 2);
	assert_int_equal(earlier[1]->ts_ns, 20 + 2 * LATER);
	meet_free(m);
}

static void a_copy_says_nothing_anew(void **state)
{
	struct meet *m = meet_new(64, SEED);
	const struct leg *earlier[MEET_LEGS];

	(void)state;
	assert_int_equal(note(m, 1, 1, 10, earlier), 0);
	assert_int_equal(note(m, 1, 2, 20, earlier), 1);
	assert_int_equal(note(m, 1, 2, 30, earlier), 0); /* of a second mirror session */
	assert_int_equal(note(m, 1, 3, 40, earlier), 2);
	assert_int_equal(earlier[1]->ts_ns, 20);
	meet_free(m);
}

static void requests_and_their_answers(void **state)
{
	struct meet *m = meet_new(64, SEED);
	struct flow_tuple ask = {.sport = 40000, .dport = 80}, back = {.sport = 80, .dport = 40000};
	struct token said = {.status = 202, .length = 8}, later = {.status = 503};

	(void)state;
	meet_said(m, &back, &said, 5); /* nobody asked */
	meet_asked(m, &ask, 10);
	assert_int_equal(meet_answered(m, &ask, 0), 0);
	meet_said(m, &ask, &said, 15); /* the wrong way */
	meet_said(m, &back, &said, 20);
	meet_said(m, &back, &later, 30); /* goes on */
	assert_int_equal(meet_answered(m, &ask, 10), 20);
	meet_asked(m, &ask, 40); /* a copy of the request */
	assert_int_equal(meet_answered(m, &ask, 10), 20);
	meet_asked(m, &ask, 40 + LATER); /* the next one */
	assert_int_equal(meet_answered(m, &ask, 40), 0);
	assert_int_equal(meet_answered(m, &ask, 10), 20);
	meet_said(m, &back, &later, 50 + LATER);
	assert_int_equal(meet_answered(m, &ask, 40), 50 + LATER);
	assert_int_equal(meet_answer(m, &ask, 10).status, 202);
	assert_int_equal(meet_answer(m, &ask, 10).length, 8);
	assert_int_equal(meet_answer(m, &ask, 40).status, 503);
	meet_free(m);
}

static void what_is_too_old_is_replaced(void **state)
{
	struct meet *m = meet_new(64, SEED);
	const struct leg *earlier[MEET_LEGS];

	(void)state;
	assert_int_equal(note(m, 1, 1, 10, earlier), 0);
	assert_int_equal(note(m, 1, 2, 10 + WINDOW + 1, earlier), 0);
	assert_int_equal(note(m, 1, 3, 10 + WINDOW + 2, earlier), 1);
	assert_int_equal(earlier[0]->tuple.sport, 2);
	meet_free(m);
}

static void remembers_as_many_as_it_holds(void **state)
{
	struct meet *m = meet_new(MANY, SEED);
	const struct leg *earlier[MEET_LEGS];
	unsigned known = 0;

	(void)state;
	for (uint32_t i = 1; i <= MANY; i++)
		assert_int_equal(note(m, i, 1, i % WINDOW, earlier), 0);
	assert_int_equal(meet_evicted(m), 0);
	for (uint32_t i = 1; i <= MANY; i++) /* said again: takes no room */
		assert_int_equal(note(m, i, 1, i % WINDOW, earlier), 0);
	assert_int_equal(meet_evicted(m), 0);
	/* From the newest on: each second leg pushes out the oldest first one. */
	for (uint32_t i = MANY; i >= 1; i--)
		known += note(m, i, 2, i % WINDOW, earlier);
	assert_int_equal(known, MANY / 2);
	assert_in_range(meet_evicted(m), MANY - 1, MANY);
	meet_free(m);
}

static void forgets_the_oldest_first(void **state)
{
	struct meet *m = meet_new(100, SEED);
	const struct leg *earlier[MEET_LEGS];

	(void)state;
	for (uint32_t i = 1; i <= MANY; i++)
		assert_int_equal(note(m, i, 1, 5, earlier), 0);
	assert_in_range(meet_evicted(m), MANY - 100, MANY - 100 + 5);
	assert_int_equal(note(m, MANY, 2, 6, earlier), 1);
	assert_int_equal(note(m, MANY - 100, 2, 6, earlier), 0); /* long gone */
	meet_free(m);
}

/* The second leg would take the place of the first, which is being given out. */
static void keeps_what_it_gives_out(void **state)
{
	struct meet *m = meet_new(1, SEED);
	const struct leg *earlier[MEET_LEGS];

	(void)state;
	assert_int_equal(note(m, 1, 1, 5, earlier), 0);
	assert_int_equal(note(m, 1, 2, 6, earlier), 1);
	assert_int_equal(earlier[0]->tuple.sport, 1);
	assert_int_equal(note(m, 2, 3, 7, earlier), 0); /* another one does */
	assert_int_equal(note(m, 1, 2, 8, earlier), 0);
	meet_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_of_earlier_legs_in_order),
	    cmocka_unit_test(a_leg_said_again_is_no_other),
	    cmocka_unit_test(a_copy_says_nothing_anew),
	    cmocka_unit_test(requests_and_their_answers),
	    cmocka_unit_test(what_is_too_old_is_replaced),
	    cmocka_unit_test(remembers_as_many_as_it_holds),
	    cmocka_unit_test(forgets_the_oldest_first),
	    cmocka_unit_test(keeps_what_it_gives_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
