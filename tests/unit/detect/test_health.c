/* SPDX-License-Identifier: Apache-2.0 */
/* health.c, shown counters second by second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bulkhead/detector.h"

#define SECOND UINT64_C(1000000000)

extern const struct detector detect_health;

struct watch {
	void *state;
	struct inventory *inv;
	struct stats now, before;
	struct sight_vlan vlan[SIGHT_VLANS];
	uint64_t second;
	struct findings out;
};

static int set_up(void **state)
{
	struct watch *w = calloc(1, sizeof *w);

	w->state = calloc(1, detect_health.state_size);
	w->inv = inventory_empty();
	w->second = 1767355200;
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct watch *w = *state;

	inventory_unref(w->inv);
	free(w->state);
	free(w);
	return 0;
}

static void look(struct watch *w, bool last)
{
	struct event ev = {.kind = EVENT_SIGHT,
			   .ts_ns = ++w->second * SECOND,
			   .inv = w->inv,
			   .tap = inventory_tap(w->inv, 0),
			   .segment = SEGMENT_NONE};

	ev.u.sight.now = &w->now;
	ev.u.sight.before = &w->before;
	ev.u.sight.vlan = w->vlan;
	ev.u.sight.last = last;
	detect_health.event(w->state, &ev, &w->out);
	w->before = w->now;
}

/* Seconds of ordinary traffic. */
static void live(struct watch *w, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		w->now.count[STAT_FRAMES] += 1000;
		w->now.count[STAT_ATTRIBUTED] += 1000;
		look(w, false);
	}
}

static const struct finding *told(const struct watch *w, const char *kind)
{
	const struct finding *found = NULL;

	for (unsigned i = 0; i < w->out.count; i++)
		if (strcmp(w->out.finding[i].kind, kind) == 0)
			found = &w->out.finding[i];
	return found;
}

static void look_at_link(struct watch *w, const struct sight_link *link)
{
	struct event ev = {.kind = EVENT_SIGHT,
			   .ts_ns = ++w->second * SECOND,
			   .inv = w->inv,
			   .tap = inventory_tap(w->inv, 0),
			   .segment = SEGMENT_NONE};

	ev.u.sight.now = &w->now;
	ev.u.sight.before = &w->before;
	ev.u.sight.vlan = w->vlan;
	ev.u.sight.link = link;
	ev.u.sight.link_count = 1;
	detect_health.event(w->state, &ev, &w->out);
	w->before = w->now;
}

static const char *detail_of(const struct finding *f, const char *name)
{
	for (unsigned i = 0; i < f->detail_count; i++)
		if (strcmp(f->detail[i].name, name) == 0)
			return f->detail[i].text;
	return "";
}

static void tells_links_at_once_and_again(void **state)
{
	struct watch *w = *state;
	struct sight_link link = {.interface = "eth1", .state = LINK_UP, .frames = 1};

	look_at_link(w, &link);
	assert_int_equal(w->out.count, 0);
	link.state = LINK_DOWN;
	look_at_link(w, &link);
	assert_int_equal(w->out.count, 1);
	assert_string_equal(w->out.finding[0].kind, "health.silent-tap");
	assert_string_equal(detail_of(&w->out.finding[0], "interface"), "eth1");
	assert_string_equal(detail_of(&w->out.finding[0], "link"), "down");
	for (unsigned i = 0; i < 9; i++)
		look_at_link(w, &link);
	assert_int_equal(w->out.count, 1);
	link.state = LINK_GONE;
	link.blind = true;
	look_at_link(w, &link);
	assert_int_equal(w->out.count, 2);
	assert_string_equal(detail_of(&w->out.finding[1], "link"), "gone");
	link.state = LINK_UP;
	link.blind = false;
	for (unsigned i = 0; i < 5; i++)
		look_at_link(w, &link);
	assert_int_equal(w->out.count, 2);
	link.blind = true;
	look_at_link(w, &link);
	assert_int_equal(w->out.count, 3);
	assert_string_equal(detail_of(&w->out.finding[2], "link"), "up, but not being read");
}

static void notes_the_first_quiet_second_of_a_busy_link_only(void **state)
{
	struct watch *w = *state;
	struct sight_link link = {.interface = "eth1", .state = LINK_UP};

	for (unsigned i = 0; i < 40; i++) {
		link.frames += 50; /* not so busy that a second without one is remarkable */
		look_at_link(w, &link);
	}
	look_at_link(w, &link);
	assert_int_equal(w->out.count, 0);
	for (unsigned i = 0; i < 31; i++) {
		link.frames += 200;
		look_at_link(w, &link);
	}
	look_at_link(w, &link);
	assert_int_equal(w->out.count, 1);
	assert_int_equal(w->out.finding[0].confidence, CONFIDENCE_INDICATOR);
	for (unsigned i = 0; i < 28; i++)
		look_at_link(w, &link);
	assert_int_equal(w->out.count, 1);
	look_at_link(w, &link);
	assert_int_equal(w->out.count, 2);
	assert_int_equal(w->out.finding[1].confidence, CONFIDENCE_PROOF);
}

static void tells_for_how_long_nobody_looked(void **state)
{
	struct watch *w = *state;

	w->now.count[STAT_UNSEEN_MS] = 612;
	live(w, 3);
	assert_int_equal(w->out.count, 1);
	assert_non_null(told(w, "health.drop"));
	assert_int_equal(told(w, "health.drop")->confidence, CONFIDENCE_STRONG);
	assert_string_equal(detail_of(told(w, "health.drop"), "unseen_ms"), "612");
}

/* What a worker counted of a tap in a second; then the second ends. */
static void second_of_tcp(struct watch *w, uint16_t tap_id, struct loss loss)
{
	const struct tap tap = {.id = tap_id};
	struct event ev = {.kind = EVENT_LOSS,
			   .ts_ns = w->second * SECOND,
			   .inv = w->inv,
			   .tap = &tap,
			   .segment = SEGMENT_NONE};

	ev.u.loss = loss;
	detect_health.event(w->state, &ev, &w->out);
	detect_health.tick(w->state, ++w->second * SECOND, &w->out);
}

static void tells_what_the_mirror_lost_within_ten_seconds(void **state)
{
	struct watch *w = *state;
	unsigned s;

	for (s = 0; s < 10 && w->out.count == 0; s++) {
		second_of_tcp(w, 0, (struct loss){.measured = 99, .frames = 200});
		second_of_tcp(w, 3, (struct loss){.measured = 99, .unseen = 1, .frames = 200});
	}
	assert_int_equal(w->out.count, 1);
	assert_string_equal(w->out.finding[0].kind, "health.drop");
	assert_int_equal(w->out.finding[0].confidence, CONFIDENCE_INDICATOR);
	assert_int_equal(w->out.finding[0].tap, 3);
	assert_int_equal(w->out.finding[0].count, 5);
	assert_string_equal(detail_of(&w->out.finding[0], "percent"), "1.00");
	assert_string_equal(detail_of(&w->out.finding[0], "estimated"), "tcp");
}

static void leaves_odd_segments_alone(void **state)
{
	struct watch *w = *state;

	for (unsigned s = 0; s < 600; s++) /* four of a thousand */
		second_of_tcp(
		    w, 0, (struct loss){.measured = 500, .unseen = s % 2 ? 4 : 0, .frames = 900});
	assert_int_equal(w->out.count, 0);
	second_of_tcp(w, 1, (struct loss){.measured = 3, .unseen = 4, .frames = 9});
	assert_int_equal(w->out.count, 0);
}

/* A thin link needs longer than ten seconds. */
static void waits_until_it_has_measured_enough(void **state)
{
	struct watch *w = *state;

	for (unsigned s = 0; s < 90; s++)
		second_of_tcp(w, 0,
			      (struct loss){.measured = 5, .unseen = s % 20 == 0, .frames = 9});
	assert_int_equal(w->out.count, 1);
}

static void what_the_kernel_dropped_is_no_loss_before(void **state)
{
	struct watch *w = *state;

	for (unsigned s = 0; s < 60; s++)
		second_of_tcp(w, 0,
			      (struct loss){.measured = 950,
					    .unseen = 50,
					    .frames = 9500,
					    .dropped = s < 55 ? 500 : 0});
	assert_int_equal(w->out.count, 0);
	for (unsigned s = 0; s < 30; s++)
		second_of_tcp(w, 0, (struct loss){.measured = 950, .unseen = 50, .frames = 9500});
	assert_true(w->out.count > 0);
}

static void is_quiet_when_all_is_well(void **state)
{
	struct watch *w = *state;

	live(w, 100);
	look(w, true);
	assert_int_equal(w->out.count, 0);
}

static void weighs_drops(void **state)
{
	struct watch *w = *state;

	live(w, 3);
	w->now.count[STAT_DROP_KERNEL] += 1;
	live(w, 10);
	assert_non_null(told(w, "health.drop"));
	assert_int_equal(told(w, "health.drop")->confidence, CONFIDENCE_INDICATOR);
	assert_int_equal(told(w, "health.drop")->count, 1);
	w->now.count[STAT_DROP_INTERFACE] += 20;
	live(w, 10);
	assert_int_equal(told(w, "health.drop")->confidence, CONFIDENCE_PROOF);
	assert_int_equal(told(w, "health.drop")->count, 20);
	assert_int_equal(w->out.count, 2);
}

static void notices_silence_once(void **state)
{
	struct watch *w = *state;

	live(w, 3);
	for (unsigned i = 0; i < 29; i++)
		look(w, false);
	assert_null(told(w, "health.silent-tap"));
	for (unsigned i = 0; i < 60; i++)
		look(w, false);
	assert_non_null(told(w, "health.silent-tap"));
	assert_int_equal(w->out.count, 1);
	live(w, 3);
	for (unsigned i = 0; i < 40; i++)
		look(w, false);
	assert_int_equal(w->out.count, 2);
}

static void notices_one_way_and_cut_frames(void **state)
{
	struct watch *w = *state;

	w->now.count[STAT_FLOWS_TCP] = 40;
	w->now.count[STAT_FLOWS_ONE_WAY] = 19;
	w->now.count[STAT_FRAMES] = 1000;
	w->now.count[STAT_TRUNCATED_FRAMES] = 99;
	look(w, true);
	assert_int_equal(w->out.count, 0);
	w->now.count[STAT_FLOWS_TCP] = 80;
	w->now.count[STAT_FLOWS_ONE_WAY] = 39;
	w->now.count[STAT_FRAMES] = 2000;
	w->now.count[STAT_TRUNCATED_FRAMES] = 199;
	look(w, true);
	assert_non_null(told(w, "health.one-way"));
	assert_non_null(told(w, "health.truncated"));
	assert_string_equal(told(w, "health.one-way")->detail[0].text, "50.00");
}

static void names_unknown_vlans(void **state)
{
	struct watch *w = *state;

	w->vlan[300].unknown = 7;
	w->vlan[0].unknown = 9;
	look(w, true);
	assert_int_equal(w->out.count, 2);
	assert_int_equal(w->out.finding[0].vlan_count, 0);
	assert_int_equal(w->out.finding[0].count, 9);
	assert_int_equal(w->out.finding[1].vlan[0], 300);
	w->vlan[300].unknown = 8;
	look(w, true);
	assert_int_equal(w->out.count, 3);
	assert_int_equal(w->out.finding[2].count, 1);
}

/* A VLAN of strangers is not hidden by a busy one beside it. */
static void tells_the_unmapped_share_by_vlan(void **state)
{
	struct watch *w = *state;

	w->vlan[100] = (struct sight_vlan){.frames = 1000000, .unmapped = 9000};
	w->vlan[200] = (struct sight_vlan){.frames = 99, .unmapped = 99};
	w->vlan[300] = (struct sight_vlan){.frames = 400, .unmapped = 100};
	w->vlan[400] = (struct sight_vlan){.frames = 300, .unmapped = 300};
	look(w, true);
	assert_int_equal(w->out.count, 2);
	assert_string_equal(w->out.finding[0].kind, "health.unmapped");
	assert_int_equal(w->out.finding[0].vlan[0], 400);
	assert_string_equal(detail_of(&w->out.finding[0], "percent"), "100.00");
	assert_int_equal(w->out.finding[1].vlan[0], 300);
	assert_int_equal(w->out.finding[1].count, 100);
	assert_string_equal(detail_of(&w->out.finding[1], "percent"), "25.00");
	look(w, true);
	assert_int_equal(w->out.count, 2);
}

/* A reload begins anew in the middle of the counters. */
static void a_reload_repeats_nothing(void **state)
{
	struct watch *w = *state;

	w->now.count[STAT_FRAMES] = w->before.count[STAT_FRAMES] = 1000;
	w->vlan[300] = (struct sight_vlan){.frames = 900, .unknown = 400, .unmapped = 400};
	live(w, 11);
	assert_int_equal(w->out.count, 0);
}

static void names_full_tables(void **state)
{
	struct watch *w = *state;

	w->now.count[STAT_FLOWS_EVICTED] = 4;
	look(w, true);
	assert_string_equal(told(w, "health.table-full")->detail[0].text, "flows");
	assert_int_equal(told(w, "health.table-full")->count, 4);
}

static void notices_a_sink_that_is_down(void **state)
{
	struct watch *w = *state;

	live(w, 3);
	w->now.count[STAT_OUTBOX_DEPTH] = 5;
	live(w, 9);
	assert_null(told(w, "health.sink-down"));
	live(w, 2);
	assert_int_equal(told(w, "health.sink-down")->count, 5);
	w->out.count = 0;
	w->now.count[STAT_SINK_DELIVERED] += 5;
	w->now.count[STAT_OUTBOX_DEPTH] = 0;
	live(w, 30);
	assert_null(told(w, "health.sink-down"));
	w->now.count[STAT_OUTBOX_DROPPED] += 2;
	live(w, 1);
	assert_int_equal(told(w, "health.sink-down")->count, 2);
}

static void notices_clock_and_age(void **state)
{
	struct watch *w = *state;

	w->now.count[STAT_CLOCK_BACK] = 2;
	w->now.count[STAT_FRAMES] = 1000;
	look(w, true);
	assert_int_equal(told(w, "health.clock")->count, 2);
	assert_null(told(w, "health.inventory-age"));
	w->second += 31 * 24 * 3600;
	live(w, 5);
	assert_non_null(told(w, "health.inventory-age"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(is_quiet_when_all_is_well, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(tells_links_at_once_and_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(notes_the_first_quiet_second_of_a_busy_link_only,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(tells_for_how_long_nobody_looked, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(weighs_drops, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(tells_what_the_mirror_lost_within_ten_seconds, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(leaves_odd_segments_alone, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(waits_until_it_has_measured_enough, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_the_kernel_dropped_is_no_loss_before, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(notices_silence_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(notices_one_way_and_cut_frames, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(names_unknown_vlans, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(tells_the_unmapped_share_by_vlan, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_reload_repeats_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(names_full_tables, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(notices_a_sink_that_is_down, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(notices_clock_and_age, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
