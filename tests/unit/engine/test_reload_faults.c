/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_reload_faults.c - no memory for a detector's tables when it begins anew after a reload: that
 * detector is off until the next one, the others go on, and nothing is touched that is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "judge.h"
#include "unit/faults.h"

#define START (UINT64_C(1767225600) * NS_PER_SEC)
#define STEP 7 /* between calls that fail: there are some hundred, all alike */

static const char *const inventory_path = "pcaps/inventory.yaml";

struct lab {
	struct options options;
	struct shared shared;
	struct inventory *inv[2];
	struct judge *judge;
	struct worker worker;
	struct frame frame[2]; /* the worker looks back at the last one */
	uint64_t second;
	unsigned reloads;
};

static struct inventory *load_inventory(void)
{
	struct problems problems = {0};
	struct inventory *inv = NULL;
	struct err err = {0};

	assert_int_equal(inventory_load(&inventory_path, 1, START, &inv, &problems, &err), 0);
	problems_fini(&problems);
	return inv;
}

static void begin(struct lab *lab)
{
	struct judge_config config = {.shared = &lab->shared};
	struct problems problems = {0};
	struct err err = {0};

	assert_int_equal(options_default(&lab->options, &err), 0);
	lab->options.sensor.name = "lab";
	lab->options.sensor.site = "site";
	lab->options.limits.flows = 1024;
	lab->options.limits.tokens = 1024;
	lab->options.dpi.packets = 0;
	lab->inv[0] = load_inventory();
	lab->inv[1] = load_inventory();
	lab->shared.options = &lab->options;
	lab->shared.live = true;
	lab->shared.workers = 1;
	hash_key_init(&lab->shared.key, 1);
	assert_int_equal(pthread_mutex_init(&lab->shared.swap, NULL), 0);
	atomic_init(&lab->shared.inventory, lab->inv[0]);
	assert_int_equal(
	    rules_load(NULL, 0, detector_kinds(), START, &config.rules, &problems, &err), 0);
	problems_fini(&problems);
	assert_int_equal(judge_new(&lab->judge, &config, &err), 0);
	assert_int_equal(worker_init(&lab->worker, &lab->shared, lab->judge, 0, &err), 0);
	judge_attach(lab->judge, &lab->worker, 1);
}

static void end(struct lab *lab)
{
	worker_fini(&lab->worker);
	judge_free(lab->judge);
	inventory_unref(lab->inv[0]);
	inventory_unref(lab->inv[1]);
	(void)pthread_mutex_destroy(&lab->shared.swap);
	options_free(&lab->options);
}

/* Who claims an address, and who asks a name: two frames from NICs nobody knows. */
static void show_frames(struct lab *lab)
{
	static const uint8_t arp[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,	9, 9, 9, 9,
					1,    0x08, 0x06, 0,	1,    0x08, 0,	6, 4, 0, 2,
					2,    9,    9,	  9,	9,    1,    10, 9, 0, 1, 2,
					9,    9,    9,	  9,	2,    10,   9,	0, 2};
	static const uint8_t dns[60] = {2,    9,  9,	9,  9, 2,  2,  9, 9, 9, 9,    1,
					0x08, 0,  0x45, 0,  0, 46, 0,  1, 0, 0, 64,   17,
					0,    0,  10,	9,  0, 9,  10, 9, 0, 1, 0x30, 0x39,
					0,    53, 0,	26, 0, 0,  1,  2, 1, 0, 0,    1};
	struct frame *frame = lab->frame;
	uint64_t now[2] = {START + lab->second * NS_PER_SEC, START + lab->second * NS_PER_SEC};

	frame[0] = (struct frame){.data = arp, .caplen = sizeof arp, .len = sizeof arp};
	frame[1] = (struct frame){.data = dns, .caplen = sizeof dns, .len = sizeof dns};
	for (unsigned i = 0; i < 2; i++) {
		frame[i].linktype = LINK_ETHERNET;
		frame[i].ts_ns = now[i];
		frame[i].number = lab->second * 2 + i + 1;
	}
	pipeline_batch(&lab->worker, &(struct portion){.frame = frame, .now_ns = now, .count = 2});
	lab->second++;
	ring_publish(lab->worker.ring);
	judge_drain(lab->judge);
}

static void reload(struct lab *lab)
{
	atomic_store(&lab->shared.inventory, lab->inv[++lab->reloads % 2]);
	emit_tick(&lab->worker, START + lab->second * NS_PER_SEC);
	lab->second++;
	ring_publish(lab->worker.ring);
	judge_drain(lab->judge);
}

static void off_until_the_next_reload(void **state)
{
	static struct lab lab; /* a worker is too large for some stacks */
	unsigned failed = 0;

	(void)state;
	begin(&lab);
	show_frames(&lab);
	fault_step = STEP;
	FAULTS_EACH(reload(&lab), hit)
	{
		failed += hit;
		for (unsigned i = 0; i < 3; i++)
			show_frames(&lab);
	}
	assert_true(failed > 10);
	assert_int_equal(stat_get(judge_stats(lab.judge), STAT_FINDINGS_DROPPED), 0);
	end(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(off_until_the_next_reload)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
