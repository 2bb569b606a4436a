/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_unseen.c - what a mirror did not show of TCP is counted, and what only looks like it is not:
 * repetition, reordering, one direction, a late start, probes, fragments, two ways.  Where frames
 * come twice, lost copies are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flow/unseen.h"

#define SEG 1000u
#define ISN 4294960000u /* wraps soon */

struct link {
	struct stats stats;
	struct unseen_table *table;
	struct flow flow;
};

static int set_up(void **state)
{
	struct link *l = calloc(1, sizeof *l);

	l->table = unseen_table_new(&l->stats);
	l->flow.paths_seen[0] = l->flow.paths_seen[1] = 1;
	unseen_claim(l->table, &l->flow, 7, false);
	*state = l;
	return l->flow.followed == 0;
}

static int tear_down(void **state)
{
	struct link *l = *state;

	unseen_table_free(l->table);
	free(l);
	return 0;
}

static void put(struct link *l, unsigned direction, uint8_t flags, uint32_t seq, uint32_t ack,
		uint32_t bytes)
{
	struct packet p = {.proto = IPPROTO_NUM_TCP,
			   .tcp_header_len = 20,
			   .tcp_flags = flags,
			   .tcp_seq = seq,
			   .tcp_ack = ack,
			   .payload_wire = bytes};

	unseen_packet(l->table, &l->flow, direction, &p);
}

/* Segment number n of the client, and the server's word that all before n arrived. */
static void data(struct link *l, unsigned n)
{
	put(l, 0, TCP_ACK, ISN + n * SEG, 1, SEG);
}

static void ack(struct link *l, unsigned n)
{
	put(l, 1, TCP_ACK, 1, ISN + n * SEG, 0);
}

static void send(struct link *l, unsigned from, unsigned to)
{
	for (unsigned n = from; n < to; n++)
		data(l, n);
}

static void seconds(struct link *l, unsigned n)
{
	while (n-- > 0)
		unseen_sweep(l->table);
}

static uint64_t unseen(const struct link *l)
{
	return stat_get(&l->stats, STAT_TCP_UNSEEN);
}

static void counts_what_was_acknowledged_and_never_shown(void **state)
{
	struct link *l = *state;

	send(l, 0, 5);
	send(l, 7, 10); /* two are missing */
	assert_int_equal(unseen(l), 0);
	ack(l, 10);
	assert_int_equal(unseen(l), 0); /* they might come yet */
	send(l, 10, 30);
	assert_int_equal(unseen(l), 2);
	seconds(l, 1);
	assert_int_equal(stat_get(&l->stats, STAT_TCP_MEASURED), 28);
}

static void slow_flows_have_two_seconds(void **state)
{
	struct link *l = *state;

	send(l, 0, 5);
	ack(l, 6); /* the 5th was shown to the server alone */
	data(l, 6);
	seconds(l, 1);
	assert_int_equal(unseen(l), 0);
	seconds(l, 1);
	assert_int_equal(unseen(l), 1);
}

static void the_end_settles(void **state)
{
	struct link *l = *state;

	send(l, 0, 5);
	ack(l, 6);
	put(l, 0, TCP_ACK | TCP_FIN, ISN + 6 * SEG, 1, 0);
	unseen_flow_gone(l->table, &l->flow);
	assert_int_equal(unseen(l), 1);
	assert_int_equal(l->flow.followed, 0);
}

/* A direction that is not shown any more is another fault than frames that are lost. */
static void data_that_moved_away_is_not_lost(void **state)
{
	struct link *l = *state;

	send(l, 0, 5);
	for (unsigned n = 6; n < 500; n++)
		ack(l, n);
	seconds(l, 20);
	unseen_flow_gone(l->table, &l->flow);
	assert_int_equal(unseen(l), 0);
}

static void repeated_data_fills(void **state)
{
	struct link *l = *state;

	send(l, 0, 5);
	send(l, 6, 40); /* lost in the network: no acknowledgement beyond it ... */
	for (unsigned i = 0; i < 34; i++)
		ack(l, 5);
	data(l, 5); /* ... until it is repeated */
	ack(l, 40);
	send(l, 40, 80);
	data(l, 41); /* for nothing */
	ack(l, 80);
	seconds(l, 3);
	assert_int_equal(unseen(l), 0);
}

static void order_does_not_matter(void **state)
{
	struct link *l = *state;

	for (unsigned n = 0; n < 100; n += 4) {
		ack(l, n + 4); /* the mirror shows the answers first */
		data(l, n + 2);
		data(l, n);
		data(l, n + 3);
		data(l, n + 1);
	}
	seconds(l, 3);
	assert_int_equal(unseen(l), 0);
}

static void begins_anywhere(void **state)
{
	struct link *l = *state;

	ack(l, 50);
	ack(l, 60);
	data(l, 90);
	for (unsigned n = 61; n < 91; n++)
		ack(l, n);
	send(l, 91, 120);
	ack(l, 120);
	seconds(l, 3);
	assert_int_equal(unseen(l), 0);
}

static void probes_and_resets_are_no_data(void **state)
{
	struct link *l = *state;

	send(l, 0, 10);
	ack(l, 10);
	for (unsigned i = 0; i < 20; i++) {
		put(l, 0, TCP_ACK, ISN + 10 * SEG - 1, 1, 0); /* keep-alive */
		put(l, 0, TCP_ACK, ISN + 10 * SEG, 1, 1);     /* into a shut window */
		ack(l, 10);
	}
	put(l, 1, TCP_RST | TCP_ACK, 77, ISN + 90 * SEG, 0);
	put(l, 0, TCP_RST, ISN + 90 * SEG, 0, 0);
	send(l, 10, 40);
	seconds(l, 3);
	assert_int_equal(unseen(l), 0);
}

static void one_direction_is_judged_by_its_sender(void **state)
{
	struct link *l = *state;

	send(l, 0, 10);
	send(l, 11, 100);
	for (unsigned s = 0; s < 4; s++) {
		data(l, 100 + s);
		seconds(l, 1);
	}
	assert_int_equal(unseen(l), 0);
	data(l, 104);
	seconds(l, 1);
	assert_int_equal(unseen(l), 1);
	data(l, 106); /* its last but one: who falls silent does not repeat */
	seconds(l, 1);
	assert_int_equal(unseen(l), 1);
	seconds(l, 70);
	unseen_flow_gone(l->table, &l->flow);
	assert_int_equal(unseen(l), 1);
}

static void another_connection_is_no_hole(void **state)
{
	struct link *l = *state;

	send(l, 0, 10);
	ack(l, 10);
	put(l, 0, TCP_SYN, ISN + 500 * SEG, 0, 0);
	put(l, 1, TCP_SYN | TCP_ACK, 900000, ISN + 500 * SEG + 1, 0);
	put(l, 0, TCP_ACK, ISN + 500 * SEG + 1, 900001, 0);
	put(l, 0, TCP_ACK, ISN + 500 * SEG + 1, 900001, SEG);
	ack(l, 501); /* less than all of it */
	/* Two at once, by a proxy that keeps the addresses. */
	for (unsigned n = 0; n < 30; n++) {
		put(l, 0, TCP_ACK, 1000000000 + n * SEG, 1, SEG);
		put(l, 0, TCP_ACK, 3000000000 + n * SEG, 1, SEG);
		put(l, 1, TCP_ACK, 1, 1000000000 + (n + 1) * SEG, 0);
		put(l, 1, TCP_ACK, 1, 3000000000 + (n + 1) * SEG, 0);
	}
	seconds(l, 3);
	assert_int_equal(unseen(l), 0);
}

static void lets_go_of_what_proves_nothing(void **state)
{
	struct link *l = *state;
	struct packet p = {
	    .proto = IPPROTO_NUM_TCP, .tcp_header_len = 20, .flags = PACKET_FRAGMENT};

	unseen_packet(l->table, &l->flow, 0, &p);
	assert_int_equal(l->flow.followed, 0);
	unseen_claim(l->table, &l->flow, 7, false);
	assert_int_not_equal(l->flow.followed, 0);
	l->flow.paths_seen[1] = 2;
	data(l, 0);
	assert_int_equal(l->flow.followed, 0);
}

static void an_entry_goes_to_another_after_silence(void **state)
{
	struct link *l = *state;
	struct flow other = {.paths_seen = {1, 1}};

	data(l, 0);
	seconds(l, 2);
	unseen_claim(l->table, &other, 7, false);
	assert_int_equal(other.followed, 0);
	seconds(l, 1);
	unseen_claim(l->table, &other, 7, false);
	assert_int_not_equal(other.followed, 0);
	assert_int_equal(l->flow.followed, 0);
}

/* Every fiftieth, acknowledged a thousand segments later: more holes at a time than are kept. */
static void the_share_is_right_with_many_holes(void **state)
{
	struct link *l = *state;
	uint64_t all;

	for (unsigned n = 0; n < 100000; n++) {
		if (n % 50 != 49)
			data(l, n);
		if (n > 1000 && n % 2 == 0)
			ack(l, n - 1000);
	}
	seconds(l, 1);
	all = unseen(l) + stat_get(&l->stats, STAT_TCP_MEASURED);
	assert_in_range(unseen(l) * 1000 / all, 17, 23);
}

static void one_hole_weighs_little(void **state)
{
	struct link *l = *state;

	send(l, 0, 10);
	send(l, 800, 802);
	ack(l, 802);
	send(l, 802, 830);
	assert_int_equal(unseen(l), 64);
	send(l, 3000, 3002); /* beyond any window */
	ack(l, 3002);
	send(l, 3002, 3030);
	assert_int_equal(unseen(l), 64);
}

/* ---- frames that come twice ------------------------------------------------------------------ */

static int set_up_twice(void **state)
{
	struct link *l;

	if (set_up(state) != 0)
		return 1;
	l = *state;
	unseen_flow_gone(l->table, &l->flow);
	unseen_claim(l->table, &l->flow, 7, true);
	return l->flow.followed == 0;
}

static uint64_t single(const struct link *l)
{
	return stat_get(&l->stats, STAT_TCP_SINGLE);
}

static void both(struct link *l, unsigned from, unsigned to)
{
	for (unsigned n = from; n < to; n++) {
		data(l, n);
		data(l, n);
		ack(l, n + 1);
		ack(l, n + 1);
	}
}

static void one(struct link *l, unsigned n)
{
	data(l, n);
	ack(l, n + 1);
}

static void a_lost_copy_is_single(void **state)
{
	struct link *l = *state;

	both(l, 0, 100);
	one(l, 100);
	both(l, 101, 110);
	one(l, 110);
	one(l, 111);
	both(l, 112, 128);
	assert_int_equal(single(l), 1); /* the others' copies might come yet */
	both(l, 128, 200);
	assert_int_equal(single(l), 3);
	assert_int_equal(unseen(l), 0);
	assert_in_range(stat_get(&l->stats, STAT_TCP_PAIRED), 197 - 64, 197 - 60);
}

/* Both copies of one, and one of another: each measure has its own. */
static void both_copies_may_be_lost(void **state)
{
	struct link *l = *state;

	both(l, 0, 100);
	both(l, 101, 200);
	assert_int_equal(unseen(l), 1);
	assert_int_equal(single(l), 1);
}

/* It entered and did not leave, so the receiver waits for it. */
static void what_a_switch_drops_is_repeated(void **state)
{
	struct link *l = *state;

	both(l, 0, 100);
	for (unsigned n = 100; n < 1000; n += 20) {
		data(l, n);
		for (unsigned i = n + 1; i < n + 10; i++) {
			data(l, i);
			data(l, i);
			ack(l, n);
			ack(l, n);
		}
		data(l, n);
		data(l, n);
		both(l, n + 10, n + 20);
	}
	both(l, 1000, 1100);
	assert_int_equal(single(l), 0);
	assert_int_equal(unseen(l), 0);
}

static void second_copies_may_be_late(void **state)
{
	struct link *l = *state;

	for (unsigned n = 0; n < 500; n++) {
		one(l, n);
		if (n >= 10)
			data(l, n - 10);
	}
	seconds(l, 3);
	assert_int_equal(single(l), 0);
	assert_true(stat_get(&l->stats, STAT_TCP_PAIRED) > 400);
}

static void who_repeats_a_lot_does_not_come_twice(void **state)
{
	struct link *l = *state;

	for (unsigned n = 0; n < 3000; n++) {
		one(l, n);
		if (n % 3 != 0)
			data(l, n);
	}
	seconds(l, 3);
	assert_int_equal(single(l), 0);
}

/* Another port of the receiver gets every other frame and is not mirrored. */
static void half_of_the_frames_may_have_another_way(void **state)
{
	struct link *l = *state;

	for (unsigned n = 0; n < 3000; n += 2) {
		both(l, n, n + 1);
		one(l, n + 1);
	}
	assert_int_equal(single(l), 0);
}

static void a_way_that_is_left_is_no_loss(void **state)
{
	struct link *l = *state;

	both(l, 0, 500);
	for (unsigned n = 500; n < 560; n++)
		one(l, n);
	data(l, 555); /* for nothing: looks like a second copy, with a hole before it */
	for (unsigned n = 560; n < 2000; n++) {
		one(l, n);
		if (n % 40 == 0)
			data(l, n);
	}
	both(l, 2000, 2500); /* and come back to */
	assert_int_equal(single(l), 0);
	assert_int_equal(unseen(l), 0);
}

static void another_way_for_a_moment_is_no_loss(void **state)
{
	struct link *l = *state;

	both(l, 0, 500);
	for (unsigned n = 500; n < 530; n++)
		one(l, n);
	both(l, 530, 700);
	assert_int_equal(single(l), 0);
}

static void another_connection_comes_twice_anew(void **state)
{
	struct link *l = *state;

	both(l, 0, 200);
	for (unsigned i = 0; i < 2; i++)
		put(l, 0, TCP_SYN, ISN + 210 * SEG, 0, 0);
	for (unsigned i = 0; i < 2; i++)
		put(l, 1, TCP_SYN | TCP_ACK, 900000, ISN + 210 * SEG + 1, 0);
	for (unsigned n = 210; n < 300; n++)
		for (unsigned i = 0; i < 2; i++) {
			put(l, 0, TCP_ACK, ISN + n * SEG + 1, 900001, SEG);
			put(l, 1, TCP_ACK, 900001, ISN + (n + 1) * SEG + 1, 0);
		}
	assert_int_equal(single(l), 0);
	assert_int_equal(unseen(l), 0);
}

static void elsewhere_nothing_comes_twice(void **state)
{
	struct link *l = *state;

	both(l, 0, 200);
	one(l, 200);
	both(l, 201, 400);
	assert_int_equal(single(l) + stat_get(&l->stats, STAT_TCP_PAIRED), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(counts_what_was_acknowledged_and_never_shown, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(slow_flows_have_two_seconds, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_end_settles, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(data_that_moved_away_is_not_lost, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(repeated_data_fills, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(order_does_not_matter, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(begins_anywhere, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(probes_and_resets_are_no_data, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(one_direction_is_judged_by_its_sender, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(another_connection_is_no_hole, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(lets_go_of_what_proves_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_entry_goes_to_another_after_silence, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(the_share_is_right_with_many_holes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(one_hole_weighs_little, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_lost_copy_is_single, set_up_twice, tear_down),
	    cmocka_unit_test_setup_teardown(both_copies_may_be_lost, set_up_twice, tear_down),
	    cmocka_unit_test_setup_teardown(what_a_switch_drops_is_repeated, set_up_twice,
					    tear_down),
	    cmocka_unit_test_setup_teardown(second_copies_may_be_late, set_up_twice, tear_down),
	    cmocka_unit_test_setup_teardown(who_repeats_a_lot_does_not_come_twice, set_up_twice,
					    tear_down),
	    cmocka_unit_test_setup_teardown(half_of_the_frames_may_have_another_way, set_up_twice,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_way_that_is_left_is_no_loss, set_up_twice, tear_down),
	    cmocka_unit_test_setup_teardown(another_way_for_a_moment_is_no_loss, set_up_twice,
					    tear_down),
	    cmocka_unit_test_setup_teardown(another_connection_comes_twice_anew, set_up_twice,
					    tear_down),
	    cmocka_unit_test_setup_teardown(elsewhere_nothing_comes_twice, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
